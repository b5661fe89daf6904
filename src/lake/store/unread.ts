/** What could not be read when it was looked at last, which is told to whoever asks until it is looked at again. */
import path from 'node:path';
import { IS_PIPE, NO_FILE } from '../../errors.js';
import { instantOf } from '../../instant.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import { absolutePath, type InputRequest, REPLACED, type SourceFile, statOf } from '../input/index.js';
import { sha256 } from './fingerprint.js';
import type { KnownLog } from './logs.js';
import {
  isIt,
  isSameFile,
  type Known,
  lastingPart,
  type Mark,
  markIn,
  markOf,
  othersAmong,
} from './marks.js';
import { OWN_TABLES } from './tables.js';

/** One of them, as it is remembered. */
export interface Unread extends InputProblem {
  /**
   * Paths of the requests that may have led to it: it is looked at again where all of them are. None: it came through
   * a pipe, or is gone, and is lost.
   */
  readonly by: readonly string[];
  /**
   * How the file that stood there is known again, or since when nothing does: what is settled is not settled for the
   * next one.
   */
  readonly mark?: string;
}

interface Look {
  /** What is looked at, and can be again; paths are absolute. */
  readonly requests: readonly InputRequest[];
  readonly files: readonly Pick<SourceFile, 'path' | 'stats'>[];
  /** What could not be read of it. */
  readonly problems: readonly InputProblem[];
  /** As they were known before it, and after it. */
  readonly known: readonly Known[];
  readonly logs: readonly Known[];
  readonly cwd: string;
  readonly now: Date;
}

/** What is not read by now, by absolute paths. */
export interface StillUnread {
  /** What was told before, and this look did not tell. */
  readonly kept: readonly Unread[];
  readonly found: readonly Unread[];
}

export const allOf = ({ kept, found }: StillUnread): Unread[] => [...kept, ...found];

export function unreadAfter(before: readonly Unread[], look: Look): StillUnread {
  const { requests, problems, logs, cwd, now } = look;
  const found = problems
    .map((one) => ({ ...one, path: absolutePath(one.path, cwd) }))
    .filter((one) => !isToldByState(one, logs))
    .flatMap((one): Unread[] => {
      const among = askedFor(one, requests);
      if (one.problem === 'missing' && among.length === 0) return [];
      const by = among.length === 0 && statOf(one.path)?.isFile() ? [one.path] : among;
      const same = before.find(({ path, problem }) => path === one.path && problem === one.problem);
      const since = instantOf(now);
      // What to do at once is not what to do later.
      if (one.problem === 'unreadable') delete one.next;
      return [{ ...one, by, mark: by.length === 0 ? since : (markOf(one.path) ?? same?.mark ?? since) }];
    });
  return { kept: keptAfter(before, look, found), found };
}

/** What was not looked at now stays as it was; what was, and is neither read by now nor told again, is gone. */
export function keptAfter(
  before: readonly Unread[],
  look: Look,
  found: readonly Pick<Unread, 'path' | 'problem'>[],
): Unread[] {
  const isOther = othersAmong({ ...look, unread: before.flatMap((one) => fileOf(one) ?? []) });
  const isBack = (path: string, mark: Mark) =>
    look.files.some((file) => !isOther(path, mark, file) && isIt(path, mark, file));
  const isFoundAgain = (one: Unread) =>
    found.some(({ path, problem }) => path === one.path && problem === one.problem);
  return before.flatMap((one) => {
    const { path, by } = one;
    const mark = fileOf(one);
    // It may be where nobody looked for it.
    if (mark && isBack(path, mark)) return [];
    if ((mark && by.length === 0) || !isSeenBy(look, one)) return [one];
    const isGone = mark
      ? !holdsNoLog(path, mark, look)
      : mayBeLost(one) && statOf(path) === undefined && !isFoundAgain(one) && !isAt(look, path);
    return isGone ? [{ ...one, by: [] }] : [];
  });
}

/** What holds nothing is no loss; what had no name of text has one by now. */
const mayBeLost = ({ path, problem, detail }: Unread): boolean =>
  problem === 'unreadable' && !HOLDS_NOTHING.includes(detail) && !path.includes(REPLACED);

const HOLDS_NOTHING: readonly string[] = [NO_FILE, IS_PIPE];

const fileOf = ({ problem, mark }: Unread): Mark | null => (problem === 'unreadable' ? markIn(mark) : null);

/** It stands there, was looked at, and is none of the logs. */
function holdsNoLog(path: string, mark: Mark, look: Look): boolean {
  const stats = statOf(path);
  return stats !== undefined && isSameFile(mark, stats) && !isAt(look, path);
}

const askedFor = ({ path }: InputProblem, requests: Look['requests']): string[] =>
  requests.map((request) => request.path).filter((asked) => isAmong(path, asked));

/** Of a log that is known its state tells what became of it. */
export const isToldByState = (
  { path, problem }: InputProblem,
  logs: readonly Pick<KnownLog, 'path' | 'state'>[],
): boolean => problem === 'missing' && logs.some((log) => log.path === path && log.state !== 'here');

/** Whether a look would have told it again, if it were still so. */
function isSeenBy(look: Look, one: Unread): boolean {
  const { path, by } = one;
  if (path === '-') return false;
  // What was lost is looked at again where it is back.
  if (by.length === 0) return isAt(look, path);
  const isAsked = (asked: string) => look.requests.some((request) => isSamePath(request.path, asked));
  return isAsked(path) || isAt(look, path) || by.every(isAsked);
}

/** Whether something was found there, or below it. */
const isAt = ({ files }: Look, path: string): boolean =>
  files.some((file) => isSamePath(file.path, path) || isBelow(file.path, path));

/** Whether two paths differ in nothing that leads elsewhere: `link/..` may lead anywhere. */
export const isSamePath = (one: string, other: string) => plain(one) === plain(other);

const plain = (file: string) => file.replace(/\/(\.?\/)+/g, '/').replace(/(.)\/\.?$/, '$1');

/** Whether a request may be for the file: it names it, a folder or a pattern that it is below, or the log it was rotated from. */
function isAmong(file: string, request: string): boolean {
  const [below, given] = [plain(file), plain(request)];
  const pattern = given.search(/[*?[{(]/);
  const folder = pattern < 0 ? given : path.dirname(given.slice(0, pattern + 1));
  const stem = given.slice(0, given.length - path.extname(given).length);
  return (
    isBelow(below, folder) ||
    below === given ||
    (below.startsWith(stem) && /[.\-_]/.test(below.charAt(stem.length)))
  );
}

export function isBelow(file: string, folder: string): boolean {
  const above = plain(folder);
  return plain(file).startsWith(above === '/' ? above : `${above}/`);
}

/** Of logs that were looked at, whose last line has no end long after it was written: it may say anything, and is not in the lake. */
export function unfinished(
  logs: readonly KnownLog[],
  files: Look['files'],
  { now, pendingGraceS }: { readonly now: Date; readonly pendingGraceS: number },
): InputProblem[] {
  const until = BigInt(now.getTime() - pendingGraceS * 1000) * 1_000_000n;
  return logs
    .filter(({ state, form, rest }) => form === 'plain' && state === 'here' && rest > 0)
    .filter((log) => BigInt(log.mtime_ns) < until && files.some((file) => file.path === log.path))
    .map(({ path, rest }) => ({
      ...{
        path,
        problem: 'lake',
        detail: `its last line has no end, so that its last ${rest} bytes are in no lake`,
      },
      next: 'where nobody writes it any more, end it, and let it be looked at again: lakelog sync',
    }));
}

/**
 * As it is told later, of where it is then known to be: what is explained can be settled by it, whatever name a rotation
 * gives to it, and whether it is there or gone.
 */
export function remembered({ by, mark = '', ...one }: Unread, where = one.path) {
  // That of a file has its inode, and goes with it.
  const what = mark.includes(' ') ? lastingPart(mark) : `${where} ${mark}`;
  const fingerprint = sha256(Buffer.from(`${what} ${one.problem} ${one.detail}`));
  const isGone = isLostFile({ by, path: one.path });
  const detail = isGone ? `it is gone, and was never read: ${one.detail}` : one.detail;
  return { ...one, path: where, detail, next: one.next ?? (isGone ? BACK : LOOK), fingerprint };
}

const isLostFile = ({ by, path: file }: Pick<Unread, 'by' | 'path'>) => by.length === 0 && file !== '-';
const BACK = 'put it back, and let it be looked at: lakelog sync';

/** Problems of a look as they can be settled. @param unread after it. */
export const settleable = (
  problems: readonly InputProblem[],
  unread: readonly Unread[],
  cwd: string,
  where: (one: Unread) => string | undefined = () => undefined,
): InputProblem[] =>
  problems.map((problem) => {
    const file = absolutePath(problem.path, cwd);
    const one = unread.find((held) => held.path === file && held.problem === problem.problem);
    if (one === undefined) return problem;
    const { fingerprint } = remembered(one, where(one));
    return { ...problem, path: where(one) ?? problem.path, fingerprint };
  });

/** Of the logs that were asked for: what is gone, and was never read. */
export const lostAmong = (unread: readonly Unread[], requests: Look['requests']): Unread[] =>
  unread.filter((one) => isLostFile(one) && askedFor(one, requests).length > 0);

export const isBrokenLog = ({ state }: Pick<KnownLog, 'state'>): boolean =>
  state === 'lost' || state === 'changed';

/**
 * Logs that nobody can vouch for. Others have the same bytes, or nothing was read of any: the place tells them apart,
 * and its detail one loss from the next.
 * @param at where it is, whoever asks. @param shown what it is called to who asks.
 */
export const brokenLogs = <Log extends KnownLog>(
  logs: readonly Log[],
  at: (log: Log) => string,
  shown = at,
): InputProblem[] =>
  logs.filter(isBrokenLog).map((log) => ({
    ...{ path: shown(log), problem: 'changed', detail: log.detail! },
    fingerprint: sha256(Buffer.from(`${at(log)} ${log.head} ${log.detail}`)),
  }));

/** Parts problems into those that somebody explained and the others, which say how that is done. */
export type Settle = (problems: readonly InputProblem[]) => {
  readonly settled: readonly InputProblem[];
  readonly open: readonly InputProblem[];
};

const LOOK = 'mend it where it is, and let it be looked at again: lakelog sync';

export const isSameUnread = (one: readonly Unread[], other: readonly Unread[]): boolean =>
  JSON.stringify(one.map(rowOf)) === JSON.stringify(other.map(rowOf));

const rowOf = ({ path, problem, detail, next = null, by, mark = '' }: Nullable) => [
  ...[path, problem, detail],
  ...[next, JSON.stringify(by), mark],
];
type Nullable = Omit<Unread, 'next'> & { readonly next?: string | null };

const TABLE = 'main.lake_unread';

/** Of a lake file. One that an earlier version made has no table for it until it is written to. */
export async function readUnread(db: Database): Promise<Unread[]> {
  const there = await db.objects(
    "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND table_name = 'lake_unread'",
  );
  if (there.length === 0) return [];
  type Row = Omit<Nullable, 'by'> & { readonly found_by: string };
  const rows = await db.objects<Row>(
    `SELECT path, problem, detail, next, found_by, mark FROM ${TABLE} ORDER BY rowid`,
  );
  return rows.map(({ next, found_by, ...one }) => ({
    ...{ ...one, by: JSON.parse(found_by) },
    ...(next && { next }),
  }));
}

/** In the current transaction. */
export async function writeUnread(db: Database, unread: readonly Unread[]): Promise<void> {
  const columns = OWN_TABLES.lake_unread.map(({ name, type }) => `${name} ${type}`).join(', ');
  const rows = unread.map(
    (one) =>
      `(${rowOf(one)
        .map((cell) => (cell === null ? 'NULL' : quote(cell)))
        .join(', ')})`,
  );
  await db.run(
    `CREATE TABLE IF NOT EXISTS ${TABLE} (${columns}); DELETE FROM ${TABLE}${rows.length > 0 ? `; INSERT INTO ${TABLE} VALUES ${rows.join(', ')}` : ''}`,
  );
}
