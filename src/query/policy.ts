/** What `lakelog.toml` of the working folder says of the analysis side. */
import { lstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LakelogError, messageOf } from '../errors.js';

export const POLICY = 'lakelog.toml';

export interface Policy {
  /** Where to look for logs; each line says itself what it is. */
  readonly sessions: readonly string[];
  readonly replayRuns: readonly string[];
  /** The file of acknowledgements. */
  readonly acks: string | undefined;
  /** The file of a lake. */
  readonly lake: string | undefined;
  /** The file that names who must be heard of. */
  readonly expect: string | undefined;
  /** What stamps are checked against, and the columns of it. */
  readonly roster: string | undefined;
  readonly rosterColumn: string | undefined;
  /** Empty: there is none. */
  readonly rosterActiveColumn: string | undefined;
}

const NONE: Policy = {
  ...{ sessions: [], replayRuns: [], acks: undefined, lake: undefined, expect: undefined },
  ...{ roster: undefined, rosterColumn: undefined, rosterActiveColumn: undefined },
};

/** The keys of all that read the file: a misspelt one would silently send the alarm to another log. */
const OWN_KEYS = [
  'sessions',
  'replay_runs',
  'acks',
  'lake',
  'expect',
  'roster',
  'roster_column',
  'roster_active_column',
];
const KEYS = [...OWN_KEYS, 'validatord'];

/** @throws LakelogError (exit 2) for what is no TOML, an unknown key or a value of another type. */
export async function readPolicy(cwd: string): Promise<Policy> {
  const file = path.join(cwd, POLICY);
  if (!lstatSync(file, { throwIfNoEntry: false })) return NONE;
  const values = await tableIn(file);
  const fail = (what: string, next: string) => new LakelogError(what, { where: file, next });
  const unknown = Object.keys(values).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw fail(
      `"${unknown}" is no key of ${POLICY}`,
      `use ${OWN_KEYS.slice(0, -1).join(', ')} and ${OWN_KEYS.at(-1)}`,
    );
  const list = (key: string) => {
    const value = values[key];
    if (value === undefined) return [];
    const paths: unknown = typeof value === 'string' ? [value] : value;
    if (Array.isArray(paths) && paths.length > 0 && paths.every((one) => typeof one === 'string'))
      return paths as string[];
    throw fail(`"${key}" must be a path or a list of paths`, `write it as: ${key} = ["logs/"]`);
  };
  const text = (key: string, what: string, example: string, least = 1) => {
    const value = values[key];
    if (value === undefined || (typeof value === 'string' && value.length >= least)) return value;
    throw fail(`"${key}" must be ${what}`, `write it as: ${key} = "${example}"`);
  };
  return {
    sessions: list('sessions'),
    replayRuns: list('replay_runs'),
    acks: text('acks', 'a path', 'lakelog-acks.jsonl'),
    lake: text('lake', 'a path', 'lakelog.duckdb'),
    expect: text('expect', 'a path', 'expect.toml'),
    roster: text('roster', 'a path', 'roster.csv'),
    rosterColumn: text('roster_column', 'the name of a column', 'worker_id'),
    rosterActiveColumn: text('roster_active_column', 'the name of a column, or empty', 'active', 0),
  };
}

/** --lake, else LAKELOG_LAKE, else the policy's `lake`. */
export async function namedLake(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<string | undefined> {
  if (given === '') throw new LakelogError('--lake names no file', { next: 'name it: --lake FILE' });
  return given ?? (env.LAKELOG_LAKE || (await readPolicy(cwd)).lake);
}

async function tableIn(file: string): Promise<Record<string, unknown>> {
  const { parse } = await import('smol-toml');
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new LakelogError(`${POLICY} is not TOML: ${messageOf(error).split('\n')[0]}`, {
      where: file,
      next: 'correct it',
    });
  }
}
