import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Field } from '../schema/fields.js';
import {
  type LineSpan,
  locate,
  locateLines,
  openAgain,
  readSpan,
  readSpans,
  type Snapshot,
  stripLine,
} from './lines.js';
import type { LoadedFile } from './load.js';
import { FORMATS, type Kind, otherKind } from './read-sql.js';
import { endsInside } from './torn.js';

/** A line that could not be loaded, found again in its file. */
export interface Reject {
  readonly file: string;
  readonly line: number;
  readonly byte_offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly line_sha256: string;
  /** It could hide a call. */
  readonly blocks: boolean;
}

export interface RejectRow {
  readonly ordinal: number;
  readonly reason: string;
  readonly kind: Kind;
}

/** Finds reject rows (any order) of one file again: physical line, byte offset, and what is wrong in words. */
export async function findRejects(
  file: LoadedFile,
  rows: readonly RejectRow[],
  maxLineBytes: number,
): Promise<Reject[]> {
  const sorted = [...rows].sort((a, b) => a.ordinal - b.ordinal);
  const spans = await locate(
    file.snapshot,
    file.scan,
    sorted.map((row) => row.ordinal),
  );
  const handle = await openAgain(file.snapshot);
  try {
    const rejects: Reject[] = [];
    for await (const [span, raw] of readSpans(handle, spans, maxLineBytes)) {
      const row = sorted[rejects.length]!;
      const bytes = stripLine(raw);
      const { reason, detail } = explain(row, bytes, span.length, file, maxLineBytes);
      rejects.push({
        file: file.name,
        line: span.line,
        byte_offset: span.offset,
        reason,
        detail,
        line_sha256: await hashSpan(handle, span),
        blocks: blocksSessions(file.as, row.kind, reason),
      });
    }
    return rejects;
  } finally {
    await handle.close();
  }
}

/** Of the whole line without its terminator, however long it is. */
async function hashSpan(
  handle: FileHandle,
  { offset, length }: Pick<LineSpan, 'offset' | 'length'>,
): Promise<string> {
  const hash = createHash('sha256');
  let done = 0;
  while (done < length) {
    const piece = Math.min(length - done, HASH_PIECE);
    const bytes = await readSpan(handle, { offset: offset + done, length: piece }, piece);
    if (bytes.length === 0) break;
    hash.update(done + bytes.length === length ? stripLine(bytes) : bytes);
    done += bytes.length;
  }
  return hash.digest('hex');
}

const HASH_PIECE = 4 << 20;

/** SHA-256 of physical lines of one file. */
export async function hashLines(file: Snapshot, lines: readonly number[]): Promise<Map<number, string>> {
  const spans = await locateLines(file, new Set(lines));
  const handle = await openAgain(file);
  try {
    const hashes = new Map<number, string>();
    for (const span of spans) hashes.set(span.line, await hashSpan(handle, span));
    return hashes;
  } finally {
    await handle.close();
  }
}

/**
 * Whether a reject could hide a call. A line of a file that was named as replay runs cannot, nor one that says
 * itself that it is a replay run; an unknown schema always could.
 */
function blocksSessions(as: LoadedFile['as'], kind: Kind, reason: string): boolean {
  if (reason === 'value:schema') return true;
  if (as === 'replay_runs') return reason === 'wrong_kind';
  return !(kind === 'replay_runs' && /^(missing|type|value):(?!schema$)/.test(reason));
}

function explain(
  row: RejectRow,
  bytes: Buffer,
  length: number,
  file: LoadedFile,
  maxLineBytes: number,
): { reason: string; detail: string } {
  const { reason, kind } = row;
  const say = (detail: string) => ({ reason, detail });
  if (reason === 'too_long') {
    return say(`the line is ${length} bytes long, the limit is ${maxLineBytes} (raise --max-line-bytes)`);
  }
  if (reason === 'torn_tail') return say('the file ends inside this line (torn write or cut copy)');
  if (reason === 'bad_json') return say(badJson(bytes));
  const value = parsed(bytes);
  // The strict reading takes a line `null` for an object without fields.
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return { reason: 'not_object', detail: `the line is ${describe(value)}, not a JSON object` };
  }
  const [what, name = ''] = reason.split(':');
  if (reason === 'wrong_kind') {
    const found = FORMATS[otherKind(kind)].schema;
    return say(
      `a ${found} record in a file named with ${file.as === 'sessions' ? '--sessions' : '--replay-runs'}`,
    );
  }
  if (what === 'duplicate_key')
    return say(`the key "${name}" stands twice, so it is unclear which value counts`);
  const shown = (value as Record<string, unknown>)[name];
  if (what === 'missing') return say(`"${name}" is ${shown === null ? 'null' : 'missing'}`);
  const field = FORMATS[kind].fields.find((candidate) => candidate.name === name);
  const must = name === 'schema' ? '"session.iterate.v1" or "replay.run.v1"' : expectation(field);
  // Content may hold personal data and never reaches a message.
  const found = field?.content ? '' : `, found ${describe(shown)}`;
  if (reason === 'value:iterations' && shown === 0) {
    return say('an accepted call has at least 1 iteration, found 0');
  }
  return say(`"${name}" must be ${must}${found}`);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return {};
  }
}

function badJson(bytes: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return 'the line is not valid UTF-8';
  }
  try {
    JSON.parse(text);
    return 'a \\u escape is half of a surrogate pair, which no UTF-8 text can hold';
  } catch (error) {
    const { message } = error as Error;
    // V8 quotes the text around the error, which may be content: only the kind of error is kept.
    if (endsInside(text, error)) return 'the line ends inside a JSON value (torn write)';
    if (/after JSON/i.test(message)) return 'more stands behind the JSON value (two records on one line?)';
    if (/control character/i.test(message)) return 'a string holds a raw control character';
    return 'the line is not JSON';
  }
}

function expectation(field: Field | undefined): string {
  switch (field?.type) {
    case 'timestamp':
      return 'an RFC 3339 date and time with offset, like 2026-09-01T08:00:00Z';
    case 'integer':
      return 'an integer';
    case 'count':
      return 'an integer of at least 0';
    case 'positive':
      return 'an integer of at least 1';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true, false or null';
    case 'strings':
      return 'an array of strings';
    case 'documents':
      return 'an array of {id, source, score, rank}';
    case 'verdict':
      return 'accepted, max_iter_exhausted or infra_error';
    case 'nonempty':
      return 'a string that is not empty';
    default:
      return 'a string';
  }
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
