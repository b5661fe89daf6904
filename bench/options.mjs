import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CASES } from './cases.mjs';
import { BUILT, RIVALS } from './rivals.mjs';

/** `lake` names all cases of lake files, `folder` those of folders. */
const GROUPS = ['lake', 'folder'];
const isNamed = (name, given) => name === given || (GROUPS.includes(given) && name.startsWith(`${given}-`));

const UNITS = { KB: 1e3, MB: 1e6, GB: 1e9 };

export const USAGE = `npm run bench [-- options]
  --size <list>     bytes of sessions.jsonl, e.g. 10MB,249MB,1GB; the replay log adds a third
                    (default: those of each case, where its goals stand)
  --rounds <n>      runs of each command, in turn (default 7)
  --case <list>     ${[...CASES.map(({ name }) => name), 'install'].join(', ')}
                    (default: all but install, which needs the network)
  --rival <list>    ${Object.keys(RIVALS).join(', ')} (default: all)
  --before <dir>    another checkout of lakelog, built, as the rival \`before\`
  --slow            measure rivals also on logs that take them minutes
  --data <dir>      where generated logs are kept (default: lakelog-bench in the folder for temporary files)
  --python <path>   interpreter that has duckdb or chdb (default python3)
  --json <file>     write what was measured
`;

export function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      size: { type: 'string' },
      rounds: { type: 'string', default: '7' },
      case: { type: 'string' },
      rival: { type: 'string' },
      before: { type: 'string' },
      slow: { type: 'boolean', default: false },
      data: { type: 'string', default: path.join(os.tmpdir(), 'lakelog-bench') },
      python: { type: 'string', default: 'python3' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds} is no number of runs`);
  const before = values.before && path.resolve(values.before);
  const missing = before && BUILT.find((file) => !existsSync(path.join(before, file)));
  if (missing) throw new Error(`--before ${values.before} has no ${missing}: build that checkout first`);
  const names = listOf('--case', values.case, [...CASES.map(({ name }) => name), ...GROUPS, 'install']);
  return {
    help: values.help,
    sizes: values.size?.split(',').map((name) => ({ name, bytes: bytesOf(name) })),
    rounds,
    cases: CASES.filter(({ name }) => values.case === undefined || names.some((one) => isNamed(name, one))),
    install: names.includes('install') && values.case !== undefined,
    rivals: listOf('--rival', values.rival, Object.keys(RIVALS)),
    before,
    slow: values.slow,
    data: path.resolve(values.data),
    python: values.python,
    json: values.json && path.resolve(values.json),
  };
}

/** Of a log: `10MB`, or `100-calls` in cases.mjs. */
export function sizeOf(name) {
  const [, calls] = /^(\d+)-calls$/.exec(name) ?? [];
  return calls === undefined ? { name, bytes: bytesOf(name) } : { name, calls: Number(calls) };
}

function bytesOf(name) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(KB|MB|GB)$/.exec(name) ?? [];
  if (number === undefined) throw new Error(`--size ${name} is no size such as 10MB`);
  return Number(number) * UNITS[unit];
}

function listOf(flag, text, known) {
  if (text === undefined) return known;
  const names = text.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${flag} ${unknown}: use some of ${known.join(', ')}`);
  return names;
}
