/** Bytes of files, read piece by piece. */
import { closeSync, openSync, readSync } from 'node:fs';

const STEP = 1 << 20;

/** @throws an error of the system. */
export function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Of a file that is shorter, as many as there are. @throws an error of the system. */
export function eachOf(path: string, from: number, to: number, take: (chunk: Uint8Array) => void): void {
  withFile(path, (fd) => {
    const buffer = Buffer.allocUnsafe(STEP);
    for (let at = from; at < to; ) {
      const length = readSync(fd, buffer, 0, Math.min(STEP, to - at), at);
      if (length === 0) return;
      take(buffer.subarray(0, length));
      at += length;
    }
  });
}
