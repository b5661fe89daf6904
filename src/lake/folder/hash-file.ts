/** The hash of a file, read piece by piece. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** @throws an error of the system. */
export function hashFile(file: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const fd = openSync(file, 'r');
  try {
    for (let length = 1; length > 0; hash.update(buffer.subarray(0, length)))
      length = readSync(fd, buffer, 0, buffer.length, null);
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}
