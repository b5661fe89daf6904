/** Writing a copy of an answer to whatever stands where it shall go, without ever holding up the process. */
import { constants, createReadStream, lstatSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from '../at-end.js';
import { draftName } from '../draft-name.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants;
// A FIFO that nobody reads, or a line that nobody answers, would otherwise be waited for: it is an error at once.
const AT_ONCE = (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** A file of the user alone, unless it is made for others to read. */
const MODE = 0o600;
/** Of what monitoring reads, as another user; it holds names and counts only. */
export const READABLE = 0o644;

/** What a file is made of: a text, or pieces in order, of which each is taken before the next is asked for. */
type Pieces = string | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** Whole or not at all; what is no regular file (a pipe, /dev/stderr) is written to as it is. @throws the system's error. */
export async function replaceFile(target: string, pieces: Pieces, mode = MODE): Promise<void> {
  if (!isReplaceable(target)) return write(target, pieces, O_CREAT | O_TRUNC, mode);
  const draft = await openDraft(target, mode);
  try {
    await write(draft.path, pieces, O_TRUNC);
    await draft.place();
  } finally {
    await draft.discard();
  }
}

function isReplaceable(target: string): boolean {
  return lstatSync(target, { throwIfNoEntry: false })?.isFile() ?? true;
}

/** A file that becomes another when it is whole; it is gone with the process, by signal too. */
export interface Draft {
  readonly path: string;
  /** Puts it where it shall stand. @throws the system's error. */
  place(): Promise<void>;
  /** Nothing is left of what was not placed. */
  discard(): Promise<void>;
}

/** @throws the system's error. */
export async function openDraft(target: string, mode = MODE): Promise<Draft> {
  const replaces = isReplaceable(target);
  const draft = path.join(replaces ? path.dirname(target) : os.tmpdir(), draftName());
  // Before there is anything: the signal may come at once.
  const release = atEnd(() => rmSync(draft, { force: true }));
  try {
    const file = await open(draft, O_WRONLY | O_CREAT | O_EXCL, mode);
    // Whatever the umask says.
    await file.chmod(mode).finally(() => file.close());
  } catch (error) {
    release();
    throw error;
  }
  return {
    path: draft,
    place: async () => (replaces ? rename(draft, target) : write(target, piecesOf(draft), O_CREAT | O_TRUNC)),
    discard: async () => {
      release();
      await rm(draft, { force: true });
    },
  };
}

/** The bytes of a file, a piece after the other. */
export function piecesOf(file: string): AsyncIterable<Uint8Array> {
  return createReadStream(file, { highWaterMark: 1 << 20 });
}

/** Behind what stands there. @throws the system's error. */
export function appendToFile(target: string, text: string): Promise<void> {
  return write(target, [text], O_CREAT | O_APPEND);
}

const LONGEST_WAIT_MS = 50;

async function write(target: string, pieces: Pieces, flags: number, mode = MODE): Promise<void> {
  const file = await open(target, O_WRONLY | AT_ONCE | flags, mode);
  try {
    // A text is pieces too, of a letter each.
    const all = typeof pieces === 'string' ? [pieces] : pieces;
    for await (const one of all) await writeAll(file, typeof one === 'string' ? Buffer.from(one) : one);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0, wait = 1; at < bytes.length; ) {
    try {
      at += (await file.write(bytes, at)).bytesWritten;
      wait = 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      // The pipe is full until its reader goes on.
      await sleep(wait);
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }
}
