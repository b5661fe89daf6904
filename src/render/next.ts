import { columns } from './measure.js';
import { hanging, PROSE } from './paragraph.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';

/** The commands to run next, each whole on a line of its own so that it can be copied. */
export function renderNext(commands: readonly string[], _style: Style): string {
  return commands.map((command) => `→ next: ${sanitize(command)}\n`).join('');
}

/** A command stays on one line, however long: one that is copied must not come with line breaks. */
export function stepLines(arrow: string, next: string, style: Style): string[] {
  const text = arrow + sanitize(next);
  const indent = ' '.repeat(arrow.length);
  if (columns(text) <= (style.width ?? PROSE)) return [text];
  const [, words = '', command = null] = /^(.*: |)(lakelog .*)$/.exec(text.slice(arrow.length)) ?? [];
  if (words === '' && command !== null) return [text];
  if (command !== null) return [...hanging(arrow + words, indent, style.width), indent + command];
  // What the shell takes for one word stays one.
  const quoted = text.replace(/'(?:[^']|'\\'')*'/g, (word) => word.replaceAll(' ', '\u00a0'));
  return hanging(quoted, indent, style.width).map((line) => line.replaceAll('\u00a0', ' '));
}
