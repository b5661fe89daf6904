/** Text for a reader whose encoding is not UTF-8: signs of ours become ASCII ones, everything else escapes. */
import type { Style } from './report.js';
import { visible } from './sanitize.js';

const SIGNS: Readonly<Record<string, string>> = {
  '…': '...',
  '→': '->',
  '×': 'x',
  '–': '-',
  '‑': '-',
  '—': '-',
  '·': '.',
  '─': '-',
  '│': '|',
  '≤': '<=',
  '≥': '>=',
  '“': '"',
  '”': '"',
  '‘': "'",
  '’': "'",
  '\u00a0': ' ',
};

/** Signs in places that were measured, each of one column. */
const NARROW_SIGNS: Readonly<Record<string, string>> = {
  ...SIGNS,
  '…': '*',
  '→': '>',
  '≤': '<',
  '≥': '>',
  '◌': '.',
};

/** Beyond ASCII. In 8-bit encodings a part of a UTF-8 character may be a control of the terminal: 0x9b is CSI. */
const BEYOND = /[^\0-\x7f]/gu;

/** A renderer whose texts are made ASCII before it measures them, and its own signs afterwards. */
export function asciiWhereAsked<Args extends readonly unknown[]>(
  render: (...args: [...Args, Style]) => string,
): (...args: [...Args, Style]) => string {
  return (...args) => {
    const { ascii } = args.at(-1) as Style;
    return ascii ? ownSigns(render(...inAscii(args))) : render(...args);
  };
}

/** All texts of a value, names of members too. */
export function inAscii<T>(value: T): T {
  if (typeof value === 'string') return text(value) as T;
  if (Array.isArray(value)) return value.map(inAscii) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [text(key), inAscii(one)])) as T;
}

function text(raw: string): string {
  return raw.replace(BEYOND, (char) => SIGNS[char] ?? visible(char.codePointAt(0) ?? 0));
}

// Where no column hangs on it (`… and 3 more files`, `--reason "…"`), a sign may be wider.
function ownSigns(drawn: string): string {
  return drawn
    .replace(/^( *)\u2192 /gm, '$1-> ')
    .replace(/\u2026(?= and \d+ more )|(?<=")\u2026(?=")/g, '...')
    .replace(BEYOND, (char) => NARROW_SIGNS[char] ?? '?');
}
