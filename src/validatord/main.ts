import { parseArgs } from 'node:util';
import { endWith } from '../ending.js';
import { LakelogError, messageOf } from '../errors.js';
import { type Io, processIo } from '../io.js';
import { sanitize } from '../render/sanitize.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { version } from '../version.js';
import { readConfig } from './config.js';
import { openRoster, type Service, startService } from './serve.js';

const HELP = `validatord --config FILE

Runs iterate calls over HTTP (generate, validate, retry with the reasons) and appends one record per call to the
session log, which \`lakelog alarm\` reads. Listens on loopback only.

  --config FILE  TOML, section [validatord]
  --check        only check the configuration and the roster
  --version      print the version
  --help         print this

POST /v1/iterate {kind, prompt, model?, max_iterations?}
  200 accepted, 409 accepted but a worker is not in the roster, 422 tries ran out, 502 infra error,
  400, 413, 415 bad request, 429 too many calls, 503 shutting down
GET /healthz

SIGTERM and SIGINT finish the calls in flight and flush the log; a second one ends them. Exit codes: 0 stopped,
2 usage, configuration or internal error.
`;

/** Runs the service until `stopped` calls back. Everything for people goes to stderr. */
export async function run(
  argv: readonly string[],
  io: Io,
  onStop: (stop: () => void) => void,
): Promise<ExitCode> {
  const { values } = argumentsOf(argv);
  if (values.help) {
    await io.stdout.write(HELP);
    return EXIT.clear;
  }
  if (values.version) {
    await io.stdout.write(`${version}\n`);
    return EXIT.clear;
  }
  if (values.config === undefined) {
    throw new LakelogError('no configuration is named', { next: 'validatord --config FILE' });
  }
  const config = readConfig(values.config, io.env);
  const tell = (line: string) => void io.stderr.write(`validatord: ${sanitize(line)}\n`);
  if (values.check) {
    const { summary } = await openRoster(config);
    tell(`in order; session log: ${config.sessionLogPath ?? 'disabled'}; roster: ${summary}`);
    return EXIT.clear;
  }
  let asked = false;
  let service: Service | undefined;
  const stopped = new Promise<void>((resolve, reject) => {
    const stop = () => {
      asked = true;
      service?.stop().then(resolve, reject);
    };
    onStop(stop);
    startService(config, tell).then((started) => {
      service = started;
      if (asked) stop();
    }, reject);
  });
  await stopped;
  return EXIT.clear;
}

function argumentsOf(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        config: { type: 'string' },
        check: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new LakelogError(messageOf(error), { next: 'validatord --help' });
  }
}

/** Entry of the binary: bin/start.js calls it, and tells with `describe` of what it throws and of what nobody caught. */
export async function main(): Promise<ExitCode> {
  const io = processIo();
  const code = await run(process.argv.slice(2), io, (stop) => {
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
  // A service need not end badly because its messages once found no room.
  return endWith(code, io, ['stdout']);
}

export { describe } from '../ending.js';
