import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type Compression, compressionOf, decompress, gunzipBeginning } from './decompress.js';
import { identityOf } from './find.js';
import { isSaidCompressed } from './rotation.js';
import { unzstd } from './unzstd.js';

/**
 * What the beginning of a file shows: records (also of later versions, so that they are refused by name and not passed
 * over), acknowledgements, other JSON objects, or nothing of these: unread where that is for its compression.
 */
export type Content = 'records' | 'acks' | 'objects' | 'unclear' | 'unread';

/** How much of a file tells what it is. */
const HEAD_BYTES = 64 << 10;

/** A line that goes on beyond it is judged by its whole, up to what a line may have. */
const LINE_BYTES = 16 << 20;
const FEED = 0x0a;

const buffer = Buffer.allocUnsafeSlow(HEAD_BYTES);

/**
 * @param found as it was found. Where another file took its name since, or it was cut, it is what a log is: whoever
 * reads it finds out.
 * @param passed contents that are to be passed over though the file is called as a log: then it is looked through.
 * @throws the system's error where the file cannot be opened or read.
 */
export async function contentIn(
  file: string,
  found: BigIntStats,
  passed: readonly Content[],
): Promise<Content> {
  // A pipe that took the file's place meanwhile must not hold everything up.
  const fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const now = fstatSync(fd, { bigint: true });
    const isOne = now.isFile() && identityOf(now) === identityOf(found) && now.size >= found.size;
    if (!isOne) return 'records';
    const content = await contentAt(fd, file);
    // The program that writes it may have changed its form one day.
    if (passed.includes(content)) return await throughout(fd, content);
    return contentOf(endOf(fd, Number(now.size))) === 'records' ? 'records' : content;
  } finally {
    closeSync(fd);
  }
}

async function contentAt(fd: number, name: string): Promise<Content> {
  const raw = beginningOf(fd);
  const isAll = raw.length < HEAD_BYTES;
  const compression = compressionOf(raw);
  const head =
    compression === null ? raw : await headOf(compression === 'gz' ? gunzipped(raw) : unzstd(once(raw)));
  const content = contentOf(head);
  if (content === 'records') return content;
  if (compression === null && content === 'unclear' && isSaidCompressed(name)) return 'unread';
  if (compression === null && (isAll || raw.at(-1) === FEED)) return content;
  // What would be passed over is read as a log is, so that neither damage nor a long line hides one.
  const lines = await linesOf(fd, compression);
  const all = contentOfLines(lines);
  return all === 'unclear' && lines.isDamaged ? 'unread' : all;
}

const beginningOf = (fd: number): Buffer => bytesAt(fd, 0);

/** The last lines that are whole, of a file that is longer than its head. */
function endOf(fd: number, size: number): Buffer {
  if (size <= HEAD_BYTES) return buffer.subarray(0, 0);
  const bytes = bytesAt(fd, size - HEAD_BYTES);
  return bytes.subarray(bytes.indexOf(FEED) + 1);
}

function bytesAt(fd: number, from: number): Buffer {
  let length = 0;
  for (let count = 1; count > 0 && length < HEAD_BYTES; length += count)
    count = readSync(fd, buffer, length, HEAD_BYTES - length, from + length);
  return buffer.subarray(0, length);
}

/** What it is by its beginning, unless any line says otherwise, or nobody can say. */
async function throughout(fd: number, content: Content): Promise<Content> {
  const compression = compressionOf(beginningOf(fd));
  const pieces = piecesOf(fd, SEARCHED_BYTES);
  if (compression === null) return (await haveRecord(pieces)) ? 'records' : content;
  try {
    return (await haveRecord(decompress(pieces, compression))) ? 'records' : content;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    return 'unread';
  }
}

/** So many are looked through at once, however small the pieces are that are read. */
const SEARCHED_BYTES = 1 << 20;

/** One of these stands in every line that says it is a record, perhaps with escapes of letters and points. */
const MARKS = ['session.iterate.v', 'replay.run.v', '\\u006', '\\u007', '\\u002e', '\\u002E'].map((mark) =>
  Buffer.from(mark),
);
const hasMark = (text: Buffer) => MARKS.some((mark) => text.includes(mark));

/** Whether a line is, or may be, a record: one that is longer than a line may be is nothing else. @throws where they are damaged. */
async function haveRecord(pieces: AsyncIterable<Uint8Array>): Promise<boolean> {
  let [parts, length]: [Uint8Array[], number] = [[], 0];
  for await (const piece of pieces) {
    parts.push(piece);
    length += piece.length;
    if (length < SEARCHED_BYTES) continue;
    const bytes = Buffer.concat(parts);
    const end = bytes.lastIndexOf(FEED) + 1;
    const rest = bytes.subarray(end);
    if (rest.length > LINE_BYTES || mayHoldRecord(bytes.subarray(0, end))) return true;
    [parts, length] = [[rest], 0];
  }
  return mayHoldRecord(Buffer.concat(parts));
}

/** Other objects may speak of records; what has a mark of one and is no object may be one that was torn. */
function mayHoldRecord(lines: Buffer): boolean {
  // Of two bytes a character, perhaps.
  const text = lines.includes(0)
    ? Buffer.from(lines.toString('latin1').replaceAll('\0', ''), 'latin1')
    : lines;
  if (!hasMark(text)) return false;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(FEED, at);
    const line = text.subarray(at, end < 0 ? text.length : end);
    if (hasMark(line) && !['objects', 'acks'].includes(ofMarked(line))) return true;
    at += line.length + 1;
  }
  return false;
}

const ofMarked = (line: Buffer): Content =>
  line.length > MOST_PARSED ? ofLongLine(line) : contentOfObject(objectOf(line.toString('latin1')));

/** The first lines of a file, the last of them across the end of the head. */
interface Lines {
  readonly text: Buffer;
  /** False where damage ends them, or a line that is longer than a line may be. */
  readonly isWhole: boolean;
  readonly isDamaged: boolean;
}

async function linesOf(fd: number, compression: Compression | null): Promise<Lines> {
  const parts: Uint8Array[] = [];
  let length = 0;
  let isWhole = true;
  let isDamaged = false;
  try {
    const all = piecesOf(fd);
    for await (const part of compression === null ? all : decompress(all, compression)) {
      const feed = part.indexOf(FEED, Math.max(0, HEAD_BYTES - 1 - length));
      parts.push(feed < 0 ? part : part.subarray(0, feed + 1));
      length += part.length;
      isWhole = feed >= 0 || length <= HEAD_BYTES + LINE_BYTES;
      if (feed >= 0 || !isWhole) break;
    }
  } catch {
    isDamaged = true;
  }
  return { text: Buffer.concat(parts), isWhole: isWhole && !isDamaged, isDamaged };
}

/** No stream, which would close the file. */
async function* piecesOf(fd: number, size = HEAD_BYTES): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; ; ) {
    const piece = Buffer.allocUnsafe(size);
    const count = readSync(fd, piece, 0, piece.length, at);
    if (count === 0) return;
    at += count;
    yield piece.subarray(0, count);
  }
}

function contentOfLines({ text, isWhole }: Lines): Content {
  const content = contentOf(text.subarray(0, HEAD_BYTES));
  if (content === 'records') return content;
  if (!isWhole) return 'unclear';
  if (text.length <= HEAD_BYTES) return content;
  const from = text.lastIndexOf(FEED, HEAD_BYTES - 1) + 1;
  const last = ofLine(text.subarray(from));
  return last === 'records' || from === 0 || last === content ? last : 'unclear';
}

/** What a larger line is parsed to takes fifty times its room. */
const MOST_PARSED = 1 << 20;
/** Each sign as it is, or escaped. */
const said = (text: string) =>
  [...text].map((sign) => `(?:[${sign}]|\\\\u00${sign.charCodeAt(0).toString(16)})`).join('');
const SAYS_RECORD = new RegExp(
  String.raw`"${said('schema')}"\s*:\s*"(?:${said('session.iterate.v')}|${said('replay.run.v')})(?:\d|\\u003\d)+"`,
  'i',
);

const ofLine = (line: Buffer): Content => (line.length > MOST_PARSED ? ofLongLine(line) : contentOf(line));

/** Wherever it says so: what it says may be escaped. */
function ofLongLine(line: Buffer): Content {
  const text = line.toString('latin1').trim();
  if (SAYS_RECORD.test(text)) return 'records';
  const isObject = text.startsWith('{') && text.endsWith('}');
  return isObject && !/"schema"|\\u/.test(text) ? 'objects' : 'unclear';
}

/** In steps, because a 1,000th may hold enough. */
async function* gunzipped(raw: Buffer): AsyncGenerator<Buffer, void, void> {
  let done = 0;
  for (let taken = 1 << 10; done < HEAD_BYTES; taken *= 4) {
    const text = gunzipBeginning(raw.subarray(0, taken));
    yield text.subarray(done);
    done = text.length;
    if (taken >= raw.length) return;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}

/** Damaged data end where the damage begins: whoever reads the file tells what is wrong with it. */
async function headOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of chunks) {
      parts.push(part);
      length += part.length;
      if (length >= HEAD_BYTES) break;
    }
  } catch {}
  return Buffer.concat(parts, Math.min(length, HEAD_BYTES));
}

const RECORD = /^(session\.iterate|replay\.run)\.v\d+$/;
const ACK = 'lakelog.ack.v1';
/** UTF-8, and UTF-16 whose NUL bytes are taken out. */
const BYTE_ORDER_MARK = /^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/;

/**
 * One line that says it is a record is enough, whatever the others are: torn, of NUL bytes, of another kind. It need
 * not be whole or valid JSON, because a file whose every line is a reject must be read too.
 */
export function contentOf(head: Buffer): Content {
  // Byte by byte: names and values that matter are ASCII, and a character may be cut.
  const lines = head.toString('latin1').split('\n');
  if (lines.some(saysRecord)) return 'records';
  const contents = new Set<Content>();
  for (const [i, line] of lines.entries()) {
    // The last one may be cut, by us or by whoever writes it.
    if (line.trim() === '' || (i === lines.length - 1 && isBegun(line))) continue;
    contents.add(contentOfObject(objectOf(line)));
    if (contents.has('unclear') || contents.size > 1) return 'unclear';
  }
  const [all = 'unclear'] = contents;
  return all;
}

const saysRecord = (line: string) => schemasIn(line).some((schema) => RECORD.test(String(schema)));

const isBegun = (line: string) => /^(\xef\xbb\xbf)?\s*\{[^\0]*$/.test(line) && jsonOf(line) === undefined;

function contentOfObject(object: { readonly schema?: unknown } | null): Content {
  if (!object) return 'unclear';
  if (!('schema' in object)) return 'objects';
  if (RECORD.test(String(object.schema))) return 'records';
  return object.schema === ACK ? 'acks' : 'unclear';
}

function objectOf(line: string): { readonly schema?: unknown } | null {
  const value = jsonOf(line);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

const jsonOf = (line: string): unknown => parsed(line.replace(BYTE_ORDER_MARK, ''));

/** A string, perhaps one that is cut; a sign; or whatever else stands between them. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[{}[\],:]|[^\s{}[\],:"]+/gs;

/** Values of `schema` in the object that the line begins, not in one inside it, nor in a text; the line may be torn. */
function schemasIn(line: string): readonly unknown[] {
  const text = line.replaceAll('\0', '').replace(BYTE_ORDER_MARK, '').trimStart();
  if (!text.startsWith('{') || !/schema|\\u/.test(text)) return [];
  const tokens: readonly string[] = text.match(TOKEN) ?? [];
  let depth = 0;
  return tokens.flatMap((token, i) => {
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
    if (depth !== 1 || tokens[i - 1] !== ':' || parsed(tokens[i - 2] ?? '') !== 'schema') return [];
    return [parsed(token)];
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
