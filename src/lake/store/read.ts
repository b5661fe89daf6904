/** What a loading of a lake reads, in batches of whole lines that fit memory. */
import { readSync } from 'node:fs';
import { CHANGED, Changed, type OpenedInput, openInput, type SourceFile } from '../input/index.js';
import type { Reading } from '../load/load.js';
import { endOf, isSame, lastOf, START_BYTES, sha256, startOf } from './fingerprint.js';
import type { KnownLog } from './logs.js';
import type { Task } from './survey.js';

/** Bytes after which the next line end ends a batch. */
export const BATCH = 8 << 20;
const STEP = 64 << 10;
const LF = 10;

/** A batch to be read: of a plain file by its place, else by its bytes, which come once. */
export interface BatchReading extends Reading {
  readonly range: NonNullable<Reading['range']>;
  readonly task: Task;
  /** By the length of its first ones; infinite for what stands in memory, so that no more is put beside it. */
  readonly likelyLines: number;
  /** The bytes, and the one before them. */
  readonly bytes?: readonly Uint8Array[];
  /** The first and the last of the log up to the end of the batch, where they do not stand in a plain file. */
  readonly start?: Buffer;
  readonly end?: Buffer;
}

/** Batches of the whole lines that a plain file has beyond what was read of it. */
export function plainBatches(task: Task, fd: number, most: number): BatchReading[] {
  const readings: BatchReading[] = [];
  for (let from = task.from; from < task.to; ) {
    const to = from + most >= task.to ? task.to : lineEndAfter(fd, from + most, task.to);
    const linesBefore = from === task.from ? (task.log?.lines ?? 0) : null;
    const likelyLines = likelyLinesIn(fd, from, to);
    readings.push({ ...task.file, task, likelyLines, range: { from, to, linesBefore } });
    from = to;
  }
  return readings;
}

function endsLine(fd: number, to: number): boolean {
  const last = Buffer.alloc(1);
  return to === 0 || (readSync(fd, last, 0, 1, to - 1) === 1 && last[0] === LF);
}

/** What stands behind the last whole line: answered from, and read again when it has its end. */
export function tailOf(task: Task, lines: number): BatchReading | null {
  if (task.form !== 'plain' || task.to === task.size) return null;
  const range = { from: task.to, to: task.size, linesBefore: lines };
  return { ...task.file, task, likelyLines: 1, range };
}

function likelyLinesIn(fd: number, from: number, to: number): number {
  const bytes = Buffer.allocUnsafe(Math.min(STEP, to - from));
  const feeds = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from)).filter((byte) => byte === LF);
  return Math.ceil((Math.max(1, feeds.length) * (to - from)) / bytes.length);
}

function lineEndAfter(fd: number, from: number, most: number): number {
  const bytes = Buffer.allocUnsafe(STEP);
  for (let at = from; at < most; at += STEP) {
    const feed = bytes.subarray(0, readSync(fd, bytes, 0, Math.min(STEP, most - at), at)).indexOf(LF);
    if (feed >= 0) return at + feed + 1;
  }
  return most;
}

/** Batches of what can be read once, behind what is in the lake of it. */
export async function* streamBatches(
  task: Task,
  chunks: AsyncIterable<Uint8Array>,
  most: number,
): AsyncGenerator<BatchReading, void, void> {
  let [at, from, length] = [0, task.from, 0];
  let start: Buffer = Buffer.alloc(0);
  let end: Buffer = Buffer.alloc(0);
  let bytes: Uint8Array[] = [];
  const batch = (): BatchReading => {
    const range = {
      from,
      to: from + length,
      linesBefore: from === task.from ? (task.log?.lines ?? 0) : null,
    };
    // The scanner wants the byte before.
    const lead = from > 0 ? [Buffer.from('\n')] : [];
    const likelyLines = Number.POSITIVE_INFINITY;
    return { ...task.file, task, likelyLines, range, bytes: [...lead, ...bytes], start, end };
  };
  for await (const chunk of chunks) {
    if (start.length < START_BYTES) start = Buffer.concat([start, chunk]).subarray(0, START_BYTES);
    const skipped = Math.min(chunk.length, Math.max(0, task.from - at));
    at += chunk.length;
    end = lastOf(end, chunk.subarray(0, skipped));
    let rest = Buffer.from(chunk.subarray(skipped));
    while (rest.length > 0) {
      const feed = length + rest.length < most ? -1 : rest.indexOf(LF, Math.max(0, most - length));
      const some = feed < 0 ? rest : rest.subarray(0, feed + 1);
      bytes.push(some);
      end = lastOf(end, some);
      length += some.length;
      rest = rest.subarray(some.length);
      if (feed < 0) continue;
      yield batch();
      from += length;
      [bytes, length] = [[], 0];
    }
  }
  if (length > 0) yield batch();
}

/** How a log is known again once a batch is in the lake. */
export type Ends = Pick<KnownLog, 'start_sha256' | 'end_sha256'>;

/**
 * Opens what a batch is read from. A plain file is looked at once more: what stands before the batch must still be
 * what was read before.
 * @throws Changed for one that is another by now.
 */
export function batchOpener(
  options: Parameters<typeof openInput>[1],
  ends: Map<SourceFile, Ends>,
): (reading: Reading) => Promise<OpenedInput> {
  return async (reading) => {
    const { bytes, start, end, task, range } = reading as BatchReading;
    if (bytes !== undefined) {
      ends.set(reading, {
        start_sha256: sha256(start!.subarray(0, Math.min(START_BYTES, range.to))),
        end_sha256: sha256(end!),
      });
      return { kind: 'stream', chunks: each(bytes), maybeEmpty: false, close: () => {} };
    }
    const input = await openInput(reading, options);
    const log = task.log;
    const isOther =
      input.kind !== 'plain' ||
      input.size < range.to ||
      (log !== null && !isSame(input.fd, input.size, log)) ||
      // Of a log that is new nothing else tells that it was cut and written to since its lines were counted out; one that
      // is settled may end without a line end.
      (range.to <= task.to && !(task.isSettled && range.to === task.size) && !endsLine(input.fd, range.to));
    if (isOther) {
      input.close();
      throw new Changed(`${CHANGED}: what was read of it before does not stand there any more`);
    }
    ends.set(reading, { start_sha256: startOf(input.fd, range.to), end_sha256: endOf(input.fd, range.to) });
    return input;
  };
}

async function* each(bytes: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* bytes;
}
