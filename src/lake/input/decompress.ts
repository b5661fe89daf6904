import type { Compression } from './compression.js';
import { gunzip } from './gunzip.js';
import { unzstd } from './unzstd.js';

/**
 * Decompresses while it is read, checksums included; no more than a few MB are in memory, whatever the ratio.
 * @throws Error with a plain reason where the data are cut, damaged or followed by other bytes.
 */
export function decompress(
  chunks: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, void> {
  return compression === 'gz' ? gunzip(chunks) : unzstd(chunks);
}
