import { HIDDEN } from '../schema/unseen.js';

// A selector right after an emoji is kept: it picks the glyph.
const UNSEEN = new RegExp(String.raw`[${HIDDEN}](?<!\p{Emoji}[\uFE0E\uFE0F])`, 'gu');

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

// GitHub's runner obeys what a step prints: `##[command]` anywhere in a line, `::command::` where a line begins.
// https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
const RUNNER_COMMAND = /##(?=\[)|^ *::(?=[a-z][a-z-]*(?: .*)?::)/gi;

/**
 * Text of unknown origin with everything that moves, hides or reorders made visible (`\x1b`, `\u202e`, `\n`) and
 * nothing left that a CI runner would obey.
 */
export function sanitize(text: string): string {
  return text
    .replace(UNSEEN, (char) => SHORT[char] ?? visible(char.codePointAt(0) ?? 0))
    .replace(RUNNER_COMMAND, (start) => start.slice(0, -1) + visible(start.charCodeAt(start.length - 1)));
}

/** JSON text that means the same and holds nothing that a terminal or a CI runner could act on. */
export function escapeJson(json: string): string {
  return json
    .replace(UNSEEN, (char) =>
      Array.from({ length: char.length }, (_, i) => `\\u${hex(char.charCodeAt(i), 4)}`).join(''),
    )
    .replaceAll('##[', '#\\u0023[');
}

/** A code point written out: `\\x1b`, `\\u202e`, `\\u{e0041}`. */
export function visible(code: number): string {
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
