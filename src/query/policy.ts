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
  /** The file that names who must be heard of. */
  readonly expect: string | undefined;
}

const NONE: Policy = { sessions: [], replayRuns: [], acks: undefined, expect: undefined };

/** The keys of all that read the file: a misspelt one would silently send the alarm to another log. */
const KEYS = ['sessions', 'replay_runs', 'acks', 'expect', 'validatord'];

/** @throws LakelogError (exit 2) for what is no TOML, an unknown key or a value of another type. */
export async function readPolicy(cwd: string): Promise<Policy> {
  const file = path.join(cwd, POLICY);
  if (!lstatSync(file, { throwIfNoEntry: false })) return NONE;
  const values = await tableIn(file);
  const fail = (what: string, next: string) => new LakelogError(what, { where: file, next });
  const unknown = Object.keys(values).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw fail(`"${unknown}" is no key of ${POLICY}`, 'use sessions, replay_runs, acks and expect');
  const list = (key: string) => {
    const value = values[key];
    if (value === undefined) return [];
    const paths: unknown = typeof value === 'string' ? [value] : value;
    if (Array.isArray(paths) && paths.length > 0 && paths.every((one) => typeof one === 'string'))
      return paths as string[];
    throw fail(`"${key}" must be a path or a list of paths`, `write it as: ${key} = ["logs/"]`);
  };
  const single = (key: string, example: string) => {
    const value = values[key];
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    throw fail(`"${key}" must be a path`, `write it as: ${key} = "${example}"`);
  };
  return {
    sessions: list('sessions'),
    replayRuns: list('replay_runs'),
    acks: single('acks', 'lakelog-acks.jsonl'),
    expect: single('expect', 'expect.toml'),
  };
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
