/** Where the rows of a query go, block by block, as the bytes of a format. */
import { write as writeSome } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BYTES_FD, type Export } from './query/box-protocol.js';
import { type RowFormat, rowWriter } from './render/stream.js';
import type { Block } from './schema/block.js';
import type { Column } from './schema/result.js';

export interface Stream {
  /** Resolves when the next block may come; the engine works on it while this one is still written. */
  write(block: Block): Promise<void>;
  end(): Promise<void>;
  /** Nobody reads it any more. */
  readonly isOver: boolean;
}

/** @throws the system's error. */
export async function openStream(
  { format, file }: Export<RowFormat>,
  columns: readonly Column[],
): Promise<Stream> {
  const handle = file === null ? null : await open(file, 'r+');
  const fd = handle?.fd ?? BYTES_FD;
  const rows = rowWriter(format, columns);
  let isOver = false;
  const begin = (piece: string | Uint8Array) => {
    const writing = writeAll(fd, typeof piece === 'string' ? Buffer.from(piece) : piece).catch(
      (error: NodeJS.ErrnoException) => {
        isOver = error.code === 'EPIPE';
        if (!isOver) throw error;
      },
    );
    // Whoever waits for it hears of it.
    writing.catch(() => {});
    return writing;
  };
  let pending = begin(rows.header());
  return {
    get isOver() {
      return isOver;
    },
    async write(block) {
      await pending;
      if (!isOver) pending = begin(rows.block(block));
    },
    async end() {
      await pending;
      if (!isOver) await begin(rows.end());
      await handle?.close();
    },
  };
}

const writePart = promisify(writeSome);
const LONGEST_WAIT_MS = 50;

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0, wait = 1; at < bytes.length; ) {
    try {
      at += (await writePart(fd, bytes, at)).bytesWritten;
      wait = 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      // The pipe is full until its reader goes on.
      await sleep(wait);
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }
}
