import { existsSync } from 'node:fs';
import path from 'node:path';
import { LakelogError, shellWord } from '../errors.js';
import { isCluster, isFolderLake } from '../lake/export.js';
import type { InputRequest } from '../lake/input/index.js';
import type { Account } from '../schema/account.js';
import { POLICY } from './policy.js';
import type { Settings } from './settings.js';

/** Paths as the user gave them. */
export interface GivenPaths {
  readonly paths: readonly string[];
  readonly sessions: readonly string[];
  readonly replayRuns: readonly string[];
  /** As --lake names it. */
  readonly lake?: string | undefined;
}

export interface Sources {
  readonly requests: readonly InputRequest[];
  /** For the receipt: where the names came from. */
  readonly from: string;
}

export const PRODUCTION_LOG = '/var/lib/lakehouse/validator/sessions.jsonl';
const REPLAY_TABLES = /\b(replay_runs|replay_documents|session_replays|traces)\b/i;

/** Whether a query over these words has any use for replay runs. */
export function readsReplays(sql: string): boolean {
  return REPLAY_TABLES.test(sql);
}

const WORKING_FOLDER = 'default (working folder)';

/**
 * What is asked: a folder lake by itself, which `sync` alone fills, else what `chooseSources` says.
 * @throws LakelogError (exit 2) for logs beside a folder lake, which would not be read.
 */
export function chooseAsked(
  given: GivenPaths,
  settings: Settings,
  cwd: string,
  wantsReplays: boolean,
): Sources {
  const lake = settings.get('lake');
  if (lake === undefined || !(isFolderLake(lake, cwd) || isCluster(lake)))
    return chooseSources(given, settings, cwd, wantsReplays);
  const [log] = toRequests(given);
  if (log === undefined) return { requests: [], from: 'lake' };
  throw new LakelogError('logs are named beside a lake that is a folder, and would not be read', {
    where: log.path,
    next: `publish them, and ask without them: lakelog sync --lake ${shellWord(lake)} ${shellWord(log.path)}`,
  });
}

/**
 * Decides what to read: arguments, else LAKELOG_SESSIONS / LAKELOG_REPLAY_RUNS, else `lakelog.toml`, else
 * `./sessions.jsonl` (with `./replay_runs.jsonl`), else the production path.
 * @param wantsReplays false spares an unasked-for replay file of the default places.
 */
export function chooseSources(
  given: GivenPaths,
  settings: Settings,
  cwd: string,
  wantsReplays: boolean,
): Sources {
  const requests = toRequests(given);
  if (requests.length > 0) return { requests, from: 'arguments' };

  const named = lookingIn([...settings.get('sessions'), ...settings.get('replay_runs')]);
  if (named.length > 0) {
    const sources = [settings.sourceOf('sessions'), settings.sourceOf('replay_runs')];
    const isPolicy = sources.includes('policy');
    const from = isPolicy ? `config (${POLICY})` : 'environment (LAKELOG_SESSIONS, LAKELOG_REPLAY_RUNS)';
    return { requests: named, from };
  }
  const here = existsSync(path.join(cwd, 'sessions.jsonl'));
  if (!here && existsSync(PRODUCTION_LOG)) {
    return {
      requests: [{ path: PRODUCTION_LOG, as: 'sessions', isDefault: true }],
      from: 'default (production path)',
    };
  }
  const replays = wantsReplays && existsSync(path.join(cwd, 'replay_runs.jsonl'));
  const usual = { paths: [], sessions: ['sessions.jsonl'], replayRuns: replays ? ['replay_runs.jsonl'] : [] };
  return {
    requests: toRequests(usual).map((request) => ({ ...request, isDefault: true })),
    from: WORKING_FOLDER,
  };
}

/** Whether it is known which host published a call. */
export function knowsHosts(settings: Settings, cwd: string): boolean {
  const lake = settings.get('lake');
  return lake !== undefined && (isFolderLake(lake, cwd) || isCluster(lake));
}

/** Whether nobody said where to look, and there is no log where one usually is. */
export function knowsNone({ from }: Sources, cwd: string): boolean {
  return from === WORKING_FOLDER && !existsSync(path.join(cwd, 'sessions.jsonl'));
}

/** A default place that holds nothing was not named by anyone: the message lists where was looked. */
export function namingDefaults(account: Account, { from }: Sources): Account {
  // With a lake those that it knows were looked for.
  if (from !== WORKING_FOLDER || account.lake?.known_logs) return account;
  const problems = account.problems.map((problem) =>
    problem.problem === 'missing'
      ? {
          ...problem,
          detail: `no input was named and none was found (LAKELOG_SESSIONS, ${POLICY}, ./sessions.jsonl, ${PRODUCTION_LOG})`,
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
