/** What could not be read when it was looked at last, which is told to whoever asks until it is looked at again. */
import path from 'node:path';
import { kernelPath } from '../../kernel-path.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import type { InputRequest } from '../input/index.js';
import { sha256 } from './fingerprint.js';
import type { KnownLog } from './logs.js';
import { OWN_TABLES } from './tables.js';

interface Look {
  /** What is looked at; their paths are absolute. */
  readonly requests: readonly InputRequest[];
  /** What could not be read of it. */
  readonly problems: readonly InputProblem[];
  readonly logs: readonly Pick<KnownLog, 'path'>[];
  readonly cwd: string;
}

/** @returns what is not read by now, by absolute paths: what was not looked at now stays as it was. */
export function unreadAfter(
  before: readonly InputProblem[],
  { requests, problems, logs, cwd }: Look,
): InputProblem[] {
  const found = problems.map((one) => ({ ...one, path: placeOf(one.path, cwd) }));
  // Of a log that is known its state tells what became of it.
  const isKnown = (one: InputProblem) =>
    one.problem === 'missing' && logs.some((log) => log.path === one.path);
  return [
    ...before.filter((one) => !isLookedAt(one.path, requests)),
    ...found.filter((one) => !isKnown(one)),
  ];
}

/** What came by stdin has no place. */
const placeOf = (file: string, cwd: string) => (file === '-' ? file : kernelPath(cwd, file));

export const isLookedAt = (file: string, requests: readonly InputRequest[]): boolean =>
  requests.some((request) => isAmong(plain(file), plain(request.path)));

/** Without what changes nothing of where it leads: `link/..` may lead anywhere. */
const plain = (file: string) => file.replace(/\/(\.?\/)+/g, '/').replace(/(.)\/\.?$/, '$1');

/** Whether a request is for the file: it names it, a folder or a pattern that it is below, or the log it was rotated from. */
function isAmong(file: string, request: string): boolean {
  const isPattern = /[*?[{]/.test(request);
  const folder = isPattern ? path.dirname(request.slice(0, request.search(/[*?[{]/) + 1)) : request;
  const stem = request.slice(0, request.length - path.extname(request).length);
  return (
    file === request ||
    file.startsWith(folder === '/' ? folder : `${folder}/`) ||
    (file.startsWith(stem) && /[.\-_]/.test(file.charAt(stem.length)))
  );
}

/** Of logs whose last line has no end long after it was written: it may say anything, and is not in the lake. */
export function unfinished(
  logs: readonly KnownLog[],
  { now, pendingGraceS }: { readonly now: Date; readonly pendingGraceS: number },
): InputProblem[] {
  const until = BigInt(now.getTime() - pendingGraceS * 1000) * 1_000_000n;
  return logs
    .filter(({ state, form }) => form === 'plain' && (state === 'here' || state === 'gone'))
    .filter(({ rest, mtime_ns }) => rest > 0 && BigInt(mtime_ns) < until)
    .map(({ path, rest }) => ({
      ...{
        path,
        problem: 'lake',
        detail: `its last line has no end, so that its last ${rest} bytes are in no lake`,
      },
      next: 'where nobody writes it any more, end it, and let it be looked at again: lakelog sync',
    }));
}

/** As it is told later, of where it is then known to be: what is explained can be settled by it. */
export function remembered(one: InputProblem, where = one.path): InputProblem {
  const fingerprint = sha256(Buffer.from(`${where} ${one.problem} ${one.detail}`));
  return { ...one, path: where, next: one.next ?? LOOK, fingerprint };
}

const LOOK = 'mend it where it is, and let it be looked at again: lakelog sync';

export const isSameUnread = (one: readonly InputProblem[], other: readonly InputProblem[]): boolean =>
  JSON.stringify(one.map(rowOf)) === JSON.stringify(other.map(rowOf));

const rowOf = ({ path, problem, detail, next }: InputProblem) => [...[path, problem, detail], next ?? null];

const TABLE = 'main.lake_unread';

/** Of a lake file. One that an earlier version made has no table for it until it is written to. */
export async function readUnread(db: Database): Promise<InputProblem[]> {
  const there = await db.objects(
    "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND table_name = 'lake_unread'",
  );
  return there.length === 0
    ? []
    : db.objects<InputProblem>(`SELECT path, problem, detail, next FROM ${TABLE}`);
}

/** In the current transaction. */
export async function writeUnread(db: Database, unread: readonly InputProblem[]): Promise<void> {
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
