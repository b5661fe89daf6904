import Table from 'cli-table3';
import { columns } from './measure.js';
import { trimRight } from './wrap.js';

export interface Piece {
  /** One line, sanitised. */
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export interface Track {
  readonly width: number;
  readonly align: 'left' | 'right';
}

// cli-table3 carries string-width 4, which gives Thai vowels and other combining marks a column of their own and
// then pads or even truncates wrongly (https://github.com/sindresorhus/string-width/issues/43). So every piece that
// is not plain ASCII is drawn as a run of private-use characters of its true width and put back afterwards.
const STAND_IN = '\uE000';
const PLAIN = /^[ -~]*$/;

// cli-table3 compares every row with every other one: 8,000 rows at once take 17 s, in pages 1 s.
const PAGE = 16;

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export const GAP = 2;

/** Lines of aligned columns; no piece may be wider than its track. */
export function grid(rows: readonly (readonly Piece[])[], tracks: readonly Track[]): string[] {
  const lines: string[] = [];
  for (let start = 0; start < rows.length; start += PAGE) {
    for (const line of page(rows.slice(start, start + PAGE), tracks)) lines.push(line);
  }
  return lines;
}

function page(rows: readonly (readonly Piece[])[], tracks: readonly Track[]): string[] {
  const table = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colWidths: tracks.map((track) => track.width),
    colAligns: tracks.map((track) => track.align),
  });
  const replaced: string[] = [];
  for (const row of rows) {
    table.push(
      row.map(({ text, paint }) => {
        if (PLAIN.test(text) && (paint === undefined || text.trim() === '')) return text;
        // A lone combining mark has no column of its own; the dotted circle is the usual seat for it.
        const seated = columns(text) === 0 ? `◌${text}` : text;
        replaced.push(paint?.(seated) ?? seated);
        return STAND_IN.repeat(columns(seated));
      }),
    );
  }
  let next = 0;
  return table
    .toString()
    .split('\n')
    .map((line) => trimRight(line.replace(/\uE000+/g, () => replaced[next++] ?? '')));
}
