/** Reads a file that somebody named: small, and never one that makes whoever reads it wait. */
import { readFileSync, statSync } from 'node:fs';

/**
 * A pipe without a writer would hold cron up for ever, and a device may never end.
 * @throws Error where it cannot be read, or is no regular file.
 */
export function readRegularFile(target: string): Buffer {
  if (!statSync(target).isFile()) throw new Error('it is not a regular file');
  return readFileSync(target);
}
