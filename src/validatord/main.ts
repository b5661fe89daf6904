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
  prompt: a text, or an array of chat messages
  200 accepted, 409 accepted but withheld (a worker is not in the roster, or nobody could check), 422 tries ran out,
  502 infra error, 400, 408, 413, 415, 421 bad request, 429 too many calls, 503 shutting down;
  429 and 503 with Retry-After also where the model's endpoint asks for more patience than a call has
GET /healthz
GET /metrics on metrics_listen, for Prometheus

SIGTERM, SIGINT, SIGQUIT and SIGUSR2 finish the calls in flight and flush the log; a second one ends them. SIGHUP opens
the log anew. Exit codes: 0 stopped, 2 usage, configuration or internal error.
`;

/** What somebody outside asks the service for, once the handlers are in place. */
export interface Wishes {
  onStop(stop: () => void): void;
  onReopen(reopen: () => void): void;
}

/** Runs the service until somebody wishes it to stop. Everything for people goes to stderr. */
export async function run(argv: readonly string[], io: Io, wishes: Wishes): Promise<ExitCode> {
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
    // Nobody is judged by it: it is not archived.
    const { summary } = await openRoster({ ...config, roster: { ...config.roster, archive: null } }, tell);
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
    wishes.onStop(stop);
    wishes.onReopen(() => service?.reopen());
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
  const code = await run(process.argv.slice(2), io, {
    onStop(stop) {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR2'] as const) process.on(signal, stop);
    },
    onReopen: (reopen) => process.on('SIGHUP', reopen),
  });
  // A service need not end badly because its messages once found no room.
  const ended = await endWith(code, io, ['stdout']);
  // A file system that hangs would keep the process alive, and with it the port of its successor's health check.
  setTimeout(() => process.exit(ended), LINGER_MS).unref();
  return ended;
}

const LINGER_MS = 1000;

export { describe } from '../ending.js';
