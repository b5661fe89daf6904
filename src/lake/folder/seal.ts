/** Commits carry a checksum of their own text, so that an edited one is known as such. */
import { sha256 } from '../store/fingerprint.js';

const MEMBER = ',"checksum":"';

/** One line of JSON with its checksum. */
export function sealed(content: object): Buffer {
  const text = JSON.stringify(content).slice(0, -1);
  return Buffer.from(`${text}${MEMBER}${sha256(Buffer.from(text))}"}\n`);
}

/** @returns the object, or why it is none that was sealed. */
export function unsealed<T>(bytes: Buffer): T | string {
  const at = bytes.lastIndexOf(MEMBER);
  if (bytes.length === 0) return 'it is empty';
  const end = bytes.subarray(at + MEMBER.length).toString('latin1');
  if (at < 0 || !/^[0-9a-f]{64}"\}\n$/.test(end)) return 'it is cut, or was edited';
  if (sha256(bytes.subarray(0, at)) !== end.slice(0, 64)) return 'it was edited: its checksum is another';
  try {
    return JSON.parse(bytes.toString()) as T;
  } catch {
    return 'it is no JSON';
  }
}
