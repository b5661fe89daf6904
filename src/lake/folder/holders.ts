/** Bytes of a batch that stand in some log, plain or compressed: which one it is, and how they are read once more. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { BatchPlace } from '../../schema/batch.js';
import { openInput, type SourceFile, Unreadable } from '../input/index.js';
import { START_BYTES, sha256, startOf } from '../store/fingerprint.js';
import type { Piece } from '../store/logs.js';
import { type BatchReading, streamBatches } from '../store/read.js';
import type { Task } from '../store/survey.js';
import { checkBytes } from '../store/verify.js';
import { hashOf } from './hash-file.js';

type Options = { readonly stdin: Readable };

/**
 * @param pieces of a log from its beginning; the last one is asked for.
 * @param place of a batch of that log: what begins otherwise need not be read.
 */
export async function holderOf(
  pieces: readonly Piece[],
  place: BatchPlace,
  files: readonly SourceFile[],
  options: Options,
): Promise<SourceFile | null> {
  const { byte_from, bytes } = pieces.at(-1)!;
  for (const file of files) {
    if (!file.stats?.isFile() || !(await mayHold(file, byte_from + bytes, place, options))) continue;
    if ((await checkBytes(file, pieces, options)).status === 'same') return file;
  }
  return null;
}

/** Whether it may begin with so many bytes of a log, as far as its first ones tell. */
export async function mayHold(
  file: SourceFile,
  bytes: number,
  { byte_to, start_sha256 }: Pick<BatchPlace, 'byte_to' | 'start_sha256'>,
  options: Options,
): Promise<boolean> {
  try {
    const input = await openInput(file, options);
    try {
      if (input.kind === 'plain' && input.size < bytes) return false;
      // Of a shorter log it is not known how much was hashed.
      if (byte_to < START_BYTES) return true;
      const start = input.kind === 'plain' ? startOf(input.fd, START_BYTES) : await startIn(input.chunks);
      return start === null || start === start_sha256;
    } finally {
      input.close();
    }
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

/** Null where there are not so many bytes. */
async function startIn(chunks: AsyncIterable<Uint8Array>): Promise<string | null> {
  let start: Buffer = Buffer.alloc(0);
  for await (const chunk of upTo(chunks, START_BYTES)) start = Buffer.concat([start, chunk]);
  return start.length < START_BYTES ? null : sha256(start);
}

/** Of its bytes, from each of these places on. @throws Unreadable. */
export async function hashesIn(
  file: SourceFile,
  froms: readonly number[],
  to: number,
  options: Options,
): Promise<string[]> {
  const input = await openInput(file, options);
  try {
    if (input.kind === 'plain') return froms.map((from) => hashOf(file.path, from, to));
    const hashes = froms.map((from) => ({ from, hash: createHash('sha256') }));
    let at = 0;
    for await (const chunk of upTo(input.chunks, to)) {
      for (const { from, hash } of hashes) hash.update(chunk.subarray(Math.max(0, from - at)));
      at += chunk.length;
    }
    return hashes.map(({ hash }) => hash.digest('hex'));
  } finally {
    input.close();
  }
}

/** @param linesBefore in the log. */
export async function readingOf(task: Task, linesBefore: number, options: Options): Promise<BatchReading> {
  const { file, from, to } = task;
  const range = { from, to, linesBefore };
  const input = await openInput(file, options);
  try {
    if (input.kind === 'plain') return { ...file, task, likelyLines: Number.POSITIVE_INFINITY, range };
    const archive: Task = { ...task, form: 'archive' };
    for await (const reading of streamBatches(archive, upTo(input.chunks, to), Number.POSITIVE_INFINITY))
      return { ...reading, range };
    throw new Unreadable('was cut since it was found');
  } finally {
    input.close();
  }
}

async function* upTo(chunks: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, most - at);
    at += chunk.length;
    if (at >= most) return;
  }
}
