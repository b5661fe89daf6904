import { paintFor } from './paint.js';
import type { Style } from './report.js';
import { bytes } from './units.js';

/** `reading 120 MB of 640 MB`, without a line end; a total of null (a pipe) is left out. */
export function renderProgress(done: number, total: number | null, style: Style): string {
  return paintFor(style).faint(`reading ${bytes(done)}${total === null ? '' : ` of ${bytes(total)}`}`);
}
