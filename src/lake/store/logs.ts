/** The logs that a lake knows: how far each was read, and how it is known again under another name. */
import type { LakeLog } from '../../schema/lake.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import type { Assertion, InputRequest } from '../input/index.js';

/**
 * What became of a log since it was read.
 * - `here`: it stands where `path` says, with all that was read of it.
 * - `gone`: it is nowhere, and all of it was read long after it had been written to.
 * - `lost`: it is nowhere, and lines that were never read may have gone with it.
 * - `changed`: what was read of it does not stand there any more.
 */
export type LogState = LakeLog['state'];

export interface KnownLog {
  readonly log: number;
  /** As a user would name it, and where that is. */
  readonly name: string;
  readonly path: string;
  /** Path of the request by which it was found. */
  readonly request: string;
  readonly kind: Assertion;
  /** `archive` is compressed; `stream` can be read once. */
  readonly form: LakeLog['form'];
  /** Device and inode, size and time of the last change when it was read last. */
  readonly identity: string;
  readonly size: number;
  readonly mtime_ns: string;
  /** Bytes that are in the lake, whole lines, and how many lines these are. */
  readonly read_to: number;
  readonly lines: number;
  /** Bytes behind them that were not read: a line that has no end yet, or all that a run could not come to. */
  readonly rest: number;
  /** Of the first and of the last bytes of what is in the lake. */
  readonly start_sha256: string;
  readonly end_sha256: string;
  /** Of all its batches. */
  readonly head: string;
  readonly state: LogState;
  /** Why it cannot be vouched for. */
  readonly detail: string | null;
  /** It was rotated away, and read to its end long after it had been written to last. */
  readonly is_settled: boolean;
}

const COLUMNS = [
  ...(['log', 'name', 'path', 'request', 'kind', 'form', 'identity', 'size', 'mtime_ns'] as const),
  ...(['read_to', 'lines', 'rest', 'start_sha256', 'end_sha256', 'head', 'state', 'detail'] as const),
  'is_settled' as const,
];

export function readLogs(db: Database): Promise<KnownLog[]> {
  return db.objects<KnownLog>(`SELECT ${COLUMNS.join(', ')} FROM main.lake_logs ORDER BY log`);
}

/** In the current transaction. */
export async function writeLogs(db: Database, logs: readonly KnownLog[]): Promise<void> {
  if (logs.length === 0) return;
  const rows = logs.map((log) => `(${COLUMNS.map((name) => literal(log[name])).join(', ')})`);
  await db.run(
    `DELETE FROM main.lake_logs WHERE log IN (${logs.map(({ log }) => log).join(', ')});
     INSERT INTO main.lake_logs VALUES ${rows.join(', ')};
     UPDATE main.base_batches b SET file = l.name FROM main.lake_logs l WHERE l.log = b.log AND l.name <> b.file`,
  );
}

const literal = (value: string | number | boolean | null) =>
  typeof value === 'string' ? quote(value) : String(value);

/** A batch of a log, as far as its bytes are told by it. */
export interface Piece {
  readonly byte_from: number;
  readonly bytes: number;
  readonly sha256: string;
  /** In a folder, the batch before it: `sha256` is its name, which may be that of these bytes behind this batch. */
  readonly before?: string | null;
}

export function piecesOf(db: Database, log: number): Promise<Piece[]> {
  return db.objects<Piece>(
    `SELECT byte_from, bytes, sha256 FROM main.base_batches WHERE log = ${log} ORDER BY byte_from`,
  );
}

export async function readRequests(db: Database): Promise<InputRequest[]> {
  const rows = await db.objects<{ name: string; kind: Assertion }>(
    'SELECT name, kind FROM main.lake_requests ORDER BY rowid',
  );
  return rows.map(({ name, kind }) => ({ path: name, as: kind }));
}

/** In the current transaction. @param requests whose paths are absolute. */
export async function addRequests(db: Database, requests: readonly InputRequest[]): Promise<void> {
  for (const { path, as } of requests) {
    await db.run(
      `INSERT INTO main.lake_requests SELECT ${quote(path)}, ${quote(path)}, ${quote(as)}
       WHERE NOT EXISTS (FROM main.lake_requests WHERE path = ${quote(path)})`,
    );
  }
}
