import { existsSync, lstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LakelogError, messageOf } from '../errors.js';
import type { InputRequest } from '../lake/input/index.js';
import type { Account } from '../schema/account.js';

/** Paths as the user gave them. */
export interface GivenPaths {
  readonly paths: readonly string[];
  readonly sessions: readonly string[];
  readonly replayRuns: readonly string[];
}

export interface Sources {
  readonly requests: readonly InputRequest[];
  /** For the receipt: where the names came from. */
  readonly from: string;
}

export const PRODUCTION_LOG = '/var/lib/lakehouse/validator/sessions.jsonl';
const CONFIG = 'lakelog.toml';
const REPLAY_TABLES = /\b(replay_runs|replay_documents|session_replays|traces)\b/i;

/** Whether a query over these words has any use for replay runs. */
export function readsReplays(sql: string): boolean {
  return REPLAY_TABLES.test(sql);
}

const WORKING_FOLDER = 'default (working folder)';

/**
 * Decides what to read: arguments, else LAKELOG_SESSIONS / LAKELOG_REPLAY_RUNS, else `lakelog.toml`, else
 * `./sessions.jsonl` (with `./replay_runs.jsonl`), else the production path.
 * @param wantsReplays false spares an unasked-for replay file of the default places.
 */
export async function chooseSources(
  given: GivenPaths,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  wantsReplays: boolean,
): Promise<Sources> {
  const requests = toRequests(given);
  if (requests.length > 0) return { requests, from: 'arguments' };

  const listed = (name: string) => (env[name] ?? '').split(path.delimiter).filter(Boolean);
  const wanted = ['LAKELOG_SESSIONS', 'LAKELOG_REPLAY_RUNS'].find(
    (name) => env[name] && listed(name).length === 0,
  );
  if (wanted) throw new LakelogError(`${wanted} names no path`, { next: 'give it a path, or unset it' });
  const named = lookingIn([...listed('LAKELOG_SESSIONS'), ...listed('LAKELOG_REPLAY_RUNS')]);
  if (named.length > 0)
    return { requests: named, from: 'environment (LAKELOG_SESSIONS, LAKELOG_REPLAY_RUNS)' };

  const config = path.join(cwd, CONFIG);
  if (lstatSync(config, { throwIfNoEntry: false })) {
    const configured = lookingIn(await readConfig(config));
    if (configured.length > 0) return { requests: configured, from: `config (${CONFIG})` };
  }
  const here = existsSync(path.join(cwd, 'sessions.jsonl'));
  if (!here && existsSync(PRODUCTION_LOG)) {
    return { requests: [{ path: PRODUCTION_LOG, as: 'sessions' }], from: 'default (production path)' };
  }
  const replays = wantsReplays && existsSync(path.join(cwd, 'replay_runs.jsonl'));
  return {
    requests: toRequests({
      paths: [],
      sessions: ['sessions.jsonl'],
      replayRuns: replays ? ['replay_runs.jsonl'] : [],
    }),
    from: WORKING_FOLDER,
  };
}

/** A default place that holds nothing was not named by anyone: the message lists where was looked. */
export function namingDefaults(account: Account, { from }: Sources): Account {
  if (from !== WORKING_FOLDER) return account;
  const problems = account.problems.map((problem) =>
    problem.problem === 'missing'
      ? {
          ...problem,
          detail: `no input was named and none was found (LAKELOG_SESSIONS, ${CONFIG}, ./sessions.jsonl, ${PRODUCTION_LOG})`,
        }
      : problem,
  );
  return { ...account, problems };
}

function toRequests(given: GivenPaths): InputRequest[] {
  return [
    ...given.paths.map((path) => ({ path, as: 'any' as const })),
    ...given.sessions.map((path) => ({ path, as: 'sessions' as const })),
    ...given.replayRuns.map((path) => ({ path, as: 'replay_runs' as const })),
  ];
}

/** What stands in environment and config says where to look; each line says itself what it is. */
function lookingIn(paths: readonly string[]): InputRequest[] {
  return paths.map((path) => ({ path, as: 'any' }));
}

async function readConfig(file: string): Promise<readonly string[]> {
  const { parse } = await import('smol-toml');
  let config: Record<string, unknown>;
  try {
    config = parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new LakelogError(`${CONFIG} is not TOML: ${messageOf(error).split('\n')[0]}`, {
      where: file,
      next: 'correct it',
    });
  }
  const list = (key: string) => {
    if (config[key] === undefined) return [];
    const value = config[key];
    const values = typeof value === 'string' ? [value] : value;
    if (!Array.isArray(values) || values.length === 0 || values.some((entry) => typeof entry !== 'string')) {
      throw new LakelogError(`"${key}" must be a path or a list of paths`, {
        where: file,
        next: `write it as: ${key} = ["logs/"]`,
      });
    }
    return values as string[];
  };
  // A misspelt key would silently send the alarm to another file.
  const known = ['sessions', 'replay_runs', 'validatord'];
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new LakelogError(`"${unknown}" is no key of ${CONFIG}`, {
      where: file,
      next: 'use sessions and replay_runs',
    });
  }
  return [...list('sessions'), ...list('replay_runs')];
}
