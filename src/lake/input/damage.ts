/** What can be wrong with compressed data, in the words of a receipt. */
export const CUT = 'the compressed data stop before their end (truncated copy?)';
export const TRAILING = 'holds other bytes after the end of the compressed data';

export function damaged(how: string): string {
  return `the compressed data are damaged (${how})`;
}
