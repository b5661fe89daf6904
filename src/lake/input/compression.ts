export type Compression = 'gz' | 'zst';

/** Bytes by which it is known. */
export const MAGIC_BYTES = 4;

const ZSTD_FRAME = 0xfd2fb528;
/** The last hex digit is free (RFC 8878 §3.1.2). */
const ZSTD_SKIPPABLE = 0x184d2a50;

/** By content, because rotated logs carry any name. */
export function compressionOf(head: Uint8Array): Compression | null {
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return 'gz';
  if (head.length < MAGIC_BYTES) return null;
  const magic = (head[0]! | (head[1]! << 8) | (head[2]! << 16) | (head[3]! << 24)) >>> 0;
  return magic === ZSTD_FRAME || (magic & 0xfffffff0) >>> 0 === ZSTD_SKIPPABLE ? 'zst' : null;
}
