/** Hashes of files and of parts of them, read piece by piece. */
import { createHash } from 'node:crypto';
import { eachOf } from '../store/bytes.js';

/** @throws an error of the system. */
export const hashFile = (file: string): string => hashOf(file, 0, Number.POSITIVE_INFINITY);

/** @throws an error of the system. */
export function hashOf(file: string, from: number, to: number): string {
  const hash = createHash('sha256');
  eachOf(file, from, to, (chunk) => hash.update(chunk));
  return hash.digest('hex');
}
