import path from 'node:path';

/** What gates keep their acknowledgements in, often beside the logs. */
export const ACKS_NAME = 'lakelog-acks.jsonl';

const LOG = /\.(jsonl|ndjson)/i;
const COMPRESSED = /\.(gz|zst)$/i;
const DATE = String.raw`[-._]\d{4}-?\d{2}-?\d{2}(?:[-T_.]?\d[\d:.-]*Z?)?`;
const NUMBER = String.raw`\.\d{1,4}`;
/** `sessions.jsonl.1`, `sessions.jsonl-20260901`. */
const STAMPED_BEHIND = new RegExp(`^(.+?)(?:${NUMBER}|${DATE})$`);
/** `sessions.1.jsonl`, `sessions-20260901.jsonl`. */
const STAMPED_INSIDE = new RegExp(String.raw`^(.+?)(?:${NUMBER}|${DATE})(\.\w+)$`);

/** A log by its name, or a rotated or compressed one. */
export function isLogName(name: string): boolean {
  return LOG.test(path.posix.basename(name));
}

/** The name of what `X.gz` or `X.zst` was made from, null for other names. */
export function uncompressedName(name: string): string | null {
  return COMPRESSED.test(name) ? name.replace(COMPRESSED, '') : null;
}

/** Even nothing compresses to more than 0 bytes, so that a file of such a name and no bytes is damaged. */
export function damagedIfEmpty(name: string): boolean {
  return COMPRESSED.test(name);
}

/** The file names that a writer may have had open when a file got this one by rotation. */
export function namesBeforeRotation(name: string): readonly string[] {
  const bare = name.replace(COMPRESSED, '');
  const behind = STAMPED_BEHIND.exec(bare);
  const inside = STAMPED_INSIDE.exec(bare);
  return [...(behind ? [behind[1]!] : []), ...(inside ? [`${inside[1]}${inside[2]}`] : [])];
}
