/** Writing a copy of an answer to whatever stands where it shall go, without ever holding up the process. */
import { constants, lstatSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants;
// A FIFO that nobody reads, or a line that nobody answers, would otherwise be waited for: it is an error at once.
const AT_ONCE = (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** Whole or not at all; what is no regular file (a pipe, /dev/stderr) is written to as it is. @throws the system's error. */
export async function replaceFile(target: string, text: string): Promise<void> {
  const stats = lstatSync(target, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile()) return write(target, text, O_CREAT | O_TRUNC);
  // A name of its own: where a killed run left its draft, the next one may have the same process id, as in a container.
  const draft = path.join(path.dirname(target), `.lakelog-${process.pid}-${Date.now().toString(36)}.tmp`);
  try {
    await write(draft, text, O_CREAT | O_EXCL);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Behind what stands there. @throws the system's error. */
export function appendToFile(target: string, text: string): Promise<void> {
  return write(target, text, O_CREAT | O_APPEND);
}

const LONGEST_WAIT_MS = 50;

async function write(target: string, text: string, flags: number): Promise<void> {
  const file = await open(target, O_WRONLY | AT_ONCE | flags, 0o600);
  try {
    const bytes = Buffer.from(text);
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
  } finally {
    await file.close();
  }
}
