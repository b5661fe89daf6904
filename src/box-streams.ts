/** Where the rows of a query go, block by block, as the bytes of a format. */
import { write as writeSome } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { rowsOf } from './lake/duckdb/blocks.js';
import { BYTES_FD, type Export } from './query/box-protocol.js';
import { CsvBytes } from './render/csv-bytes.js';
import { jsonLines } from './render/json.js';
import type { Block } from './schema/block.js';
import type { Column } from './schema/result.js';

export interface Stream {
  /** Resolves when the next block may come; the engine works on it while this one is still written. */
  write(block: Block): Promise<void>;
  end(): Promise<void>;
  /** Nobody reads it any more. */
  readonly isOver: boolean;
}

interface Encoder {
  header(): Uint8Array;
  /** Valid until the next call. */
  block(block: Block): Uint8Array;
}

/** @throws the system's error. */
export async function openStream({ format, file }: Export, columns: readonly Column[]): Promise<Stream> {
  const handle = file === null ? null : await open(file, 'r+');
  const fd = handle?.fd ?? BYTES_FD;
  const encoder = encoderOf(format, columns);
  let isOver = false;
  const begin = (bytes: Uint8Array) => {
    const writing = writeAll(fd, bytes).catch((error: NodeJS.ErrnoException) => {
      isOver = error.code === 'EPIPE';
      if (!isOver) throw error;
    });
    // Whoever waits for it hears of it.
    writing.catch(() => {});
    return writing;
  };
  let pending = begin(encoder.header());
  return {
    get isOver() {
      return isOver;
    },
    async write(block) {
      await pending;
      if (!isOver) pending = begin(encoder.block(block));
    },
    async end() {
      await pending;
      await handle?.close();
    },
  };
}

function encoderOf(format: Export['format'], columns: readonly Column[]): Encoder {
  if (format !== 'jsonl') return new CsvBytes(columns, format === 'tsv' ? '\t' : ',');
  return {
    header: () => new Uint8Array(),
    block: (block) => Buffer.from(jsonLines({ columns, rows: rowsOf(block) })),
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
