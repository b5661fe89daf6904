/** Whether a lake still says what the logs say, and whether it hangs together. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { whyUnreadable } from '../../errors.js';
import type { LogCheck } from '../../schema/lake.js';
import type { InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import { openInput, type SourceFile, statOf, Unreadable } from '../input/index.js';
import { compare, headAfter } from './fingerprint.js';
import { type KnownLog, type Piece, piecesOf, readLogs } from './logs.js';
import { brokenLogs, type Settle } from './unread.js';

/** A file of a receipt, by the hash of what was read of it. */
export interface ReceiptFile {
  readonly file: string;
  readonly head: string;
  /** All of it that the receipt counts. */
  readonly bytes: number;
  /** Of what stood behind the last line end. */
  readonly tail_sha256?: string | undefined;
}

export interface VerifyOptions {
  readonly stdin: Readable;
  readonly settle: Settle;
}

interface Batch extends Piece {
  readonly batch: number;
  readonly head: string;
  readonly loaded: number;
  readonly rows: number;
}

/** Reads every log that is still there to its end of what the lake has. */
export async function verifyLogs(db: Database, options: VerifyOptions): Promise<LogCheck[]> {
  const checks: LogCheck[] = [];
  for (const log of await readLogs(db)) checks.push(await checkLog(db, log, options));
  return checks;
}

/** The same for what a receipt rests on: a log is known by its head, and by its name where several have this head. */
export async function verifyReceipt(
  db: Database,
  files: readonly ReceiptFile[],
  options: VerifyOptions,
): Promise<LogCheck[]> {
  const logs = await readLogs(db);
  const checks: LogCheck[] = [];
  for (const file of files) {
    const found = await db.objects<{ log: number; byte_to: number }>(
      `SELECT log, byte_from + bytes AS byte_to FROM main.base_batches WHERE head = ${quote(file.head)}`,
    );
    const same = found.flatMap(({ log, byte_to }) => {
      const known = logs.find((one) => one.log === log);
      return known ? [{ ...known, head: file.head, read_to: byte_to }] : [];
    });
    const named = same.filter(({ name, path }) => name === file.file || path === file.file);
    const asked = named.length > 0 ? named : same;
    for (const log of asked)
      checks.push({ ...(await checkReceipt(db, log, file, options)), file: file.file });
    if (asked.length === 0) checks.push(unknownHead(file));
  }
  return checks;
}

export const unknownHead = ({ file, head }: Pick<ReceiptFile, 'file' | 'head'>): LogCheck => ({
  ...{ file, status: 'different', batches: 0, bytes: 0, head },
  detail: 'no log of the lake has this hash, nor had it at an earlier batch',
});

/** What had no line end yet when the receipt was given stands in no batch: its bytes are compared by themselves. */
async function checkReceipt(
  db: Database,
  log: KnownLog,
  { bytes, tail_sha256 }: ReceiptFile,
  options: VerifyOptions,
): Promise<LogCheck> {
  const check = await checkLog(db, log, options);
  if (check.status !== 'same' || bytes === log.read_to) return check;
  const tail = tail_sha256 === undefined ? null : await hashOf(log, bytes, options);
  if (tail === tail_sha256) return check;
  const detail = `bytes ${log.read_to} to ${bytes}, its last line, are not what the receipt rests on`;
  return { ...check, status: 'different', detail };
}

async function hashOf(log: KnownLog, to: number, options: VerifyOptions): Promise<string> {
  const hash = createHash('sha256');
  let at = 0;
  for await (const chunk of await bytesOf(sourceOf(log), options)) {
    hash.update(chunk.subarray(Math.max(0, log.read_to - at), Math.max(0, to - at)));
    at += chunk.length;
  }
  return hash.digest('hex');
}

const sourceOf = ({ name, path }: KnownLog) =>
  ({ name, path, as: 'any', stats: statOf(path) ?? null, maybeEmpty: true }) as const;

async function checkLog(db: Database, log: KnownLog, options: VerifyOptions): Promise<LogCheck> {
  const pieces = (await piecesOf(db, log.log)).filter(({ byte_from }) => byte_from < log.read_to);
  const facts = { file: log.name, batches: pieces.length, bytes: log.read_to, head: log.head };
  const wrong = await contradiction(db, log);
  if (wrong !== null) return { ...facts, status: 'inconsistent', detail: wrong };
  const [broken] = brokenLogs([log], ({ path }) => path);
  if (broken) return { ...facts, status: statusOf(broken, options), detail: broken.detail };
  const stats = statOf(log.path);
  // Another file may stand where one stood that was deleted.
  if (log.form === 'stream' || log.state === 'gone' || stats === undefined)
    return { ...facts, status: 'absent', detail: 'it is not there to be compared' };
  return { ...facts, ...(await checkBytes(sourceOf(log), pieces, options)) };
}

/** Of a log that was lost or changed. */
export const statusOf = (broken: InputProblem, { settle }: VerifyOptions): LogCheck['status'] =>
  settle([broken]).open.length === 0 ? 'settled' : 'different';

/** Whether a log that is there is what was read of it, batch by batch. @param pieces one behind the other. */
export async function checkBytes(
  source: SourceFile,
  pieces: readonly Piece[],
  options: Pick<VerifyOptions, 'stdin'>,
): Promise<Pick<LogCheck, 'status' | 'detail'>> {
  try {
    const { differs } = await compare(
      behind(pieces[0]?.byte_from ?? 0, await bytesOf(source, options)),
      pieces,
    );
    if (differs === null) return { status: 'same', detail: null };
    const place = `bytes ${differs.byte_from} to ${differs.byte_from + differs.bytes}`;
    return { status: 'different', detail: `${place} are not what was read` };
  } catch (error) {
    return {
      status: 'unreadable',
      detail: error instanceof Unreadable ? error.message : whyUnreadable(error),
    };
  }
}

async function* behind(from: number, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = from;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left);
    left -= Math.min(left, chunk.length);
  }
}

async function bytesOf(
  source: SourceFile,
  options: Pick<VerifyOptions, 'stdin'>,
): Promise<AsyncIterable<Uint8Array>> {
  const input = await openInput(source, options);
  if (input.kind === 'stream') return input.chunks;
  input.close();
  return createReadStream(source.path, { highWaterMark: 1 << 20 });
}

/** Batches must join without a hole, hash into one another, and have as many rows as they say. */
async function contradiction(db: Database, log: KnownLog): Promise<string | null> {
  const batches = await db.objects<Batch>(
    `SELECT b.batch, b.byte_from, b.bytes, b.sha256, b.head, b.loaded,
       COALESCE(c.rows, 0) + COALESCE(r.rows, 0) AS rows
     FROM main.base_batches b
     LEFT JOIN (SELECT batch, count(line_sha256) AS rows FROM main.base_calls GROUP BY batch) c ON c.batch = b.batch
     LEFT JOIN (SELECT batch, count(line_sha256) AS rows FROM main.base_runs GROUP BY batch) r ON r.batch = b.batch
     WHERE b.log = ${log.log} ORDER BY b.byte_from`,
  );
  let [at, head] = [0, ''];
  for (const { batch, byte_from, bytes, sha256, head: said, loaded, rows } of batches) {
    if (byte_from !== at)
      return `batch ${batch} begins at byte ${byte_from}, and the one before it ends at ${at}`;
    head = headAfter(head, sha256);
    if (head !== said) return `batch ${batch} does not follow the one before it`;
    if (rows !== loaded) return `batch ${batch} has ${rows} rows, and ${loaded} were loaded`;
    at += bytes;
  }
  return null;
}
