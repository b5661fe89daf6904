import { diffArrays } from 'diff';
import { prettyJson } from './pretty-json.js';
import { plural } from './units.js';

export type Mark = 'added' | 'removed' | 'same' | 'skipped';

export interface ChangedLine {
  readonly mark: Mark;
  /** A line of the text as it came; for `skipped` what stands in for the lines. */
  readonly text: string;
}

const MOST_LINES = 2000;
const MOST_BYTES = 200_000;
const CONTEXT = 2;

/** What changed from one text to the next, line by line, or one sentence where there is nothing to list. */
export function changes(before: string, after: string): readonly ChangedLine[] | string {
  if (before === after) return 'nothing';
  const [old, now] = comparable(before, after);
  const lengths = `${old.length} → ${plural(now.length, 'line')}`;
  if ([before, after].some(isLarge) || [old, now].some((lines) => lines.length > MOST_LINES)) {
    return `too long to compare, ${lengths}`;
  }
  const runs = diffArrays(old, now).map(({ added, removed, value }) => ({
    mark: added ? ('added' as const) : removed ? ('removed' as const) : ('same' as const),
    lines: value,
  }));
  if (runs.every(({ mark }) => mark === 'same')) return 'nothing but white space';
  return runs.flatMap(({ mark, lines }, i) =>
    mark === 'same'
      ? collapsed(lines, i > 0, i < runs.length - 1)
      : lines.map((text): ChangedLine => ({ mark, text })),
  );
}

/** The lines of a text; the end of the last one begins no further line. */
export function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

// Models answer JSON on one line, where a changed word would show as a changed everything.
function comparable(before: string, after: string): [string[], string[]] {
  if ([before, after].some(isLarge)) return [linesOf(before), linesOf(after)];
  const [old, now] = [prettyJson(before), prettyJson(after)];
  return old === null || now === null
    ? [linesOf(before), linesOf(after)]
    : [old.split('\n'), now.split('\n')];
}

function collapsed(lines: readonly string[], afterChange: boolean, beforeChange: boolean): ChangedLine[] {
  const head = afterChange ? CONTEXT : 0;
  const tail = beforeChange ? CONTEXT : 0;
  const same = (text: string): ChangedLine => ({ mark: 'same', text });
  const skipped = lines.length - head - tail;
  if (skipped <= 1) return lines.map(same);
  return [
    ...lines.slice(0, head).map(same),
    { mark: 'skipped', text: `… ${plural(skipped, 'line')} unchanged` },
    ...lines.slice(lines.length - tail).map(same),
  ];
}

function isLarge(text: string): boolean {
  return Buffer.byteLength(text) > MOST_BYTES;
}
