import type { GateSpec } from '../schema/gate.js';
import type { Result } from '../schema/result.js';
import { blocks } from './blocks.js';
import { NULL } from './display.js';
import { type Field, fieldsOf } from './fields.js';
import { GAP, grid, type Piece } from './grid.js';
import { columns } from './measure.js';
import { type Paint, paintFor } from './paint.js';
import { hanging } from './paragraph.js';
import type { Report, Style } from './report.js';
import { SHORTENINGS, type Shortened, type Shortening } from './shorten.js';
import { clip, longestWord, wrap } from './wrap.js';

export function renderTable({ result, gate }: Report, style: Style): string {
  return tableOf(result, style, gate);
}

/** Every row is padded to the widest cell: one cell of megabytes must not be paid for in each of them. */
const WIDEST = 4000;
/** Below this there is no room for a table. */
const NARROWEST_TABLE = 60;
/** A text no wider than this is not wrapped, as names of models are. */
const SHORT_TEXT = 24;
/** Wider ones are wrapped down to this before a column leaves; to the next one before a minor column does. */
const NARROWEST_TEXT = 20;
const READABLE_TEXT = 28;
/** Cells are shortened until texts have this much. */
const COMFORTABLE_TEXT = 40;
/** Longer values that are the same in every row are not told below the table. */
const LONGEST_TOLD = 40;

/**
 * A table. Where it is wider than the terminal it is first wrapped and shortened, then columns leave from the last
 * on and are told of below it; on the narrowest terminals it is a block a row.
 */
export function tableOf(result: Result, style: Style, gate?: GateSpec): string {
  if (result.rows.length === 0) return '(no rows)\n';
  const fields = fieldsOf(result, gate);
  const layout = layoutOf(fields, style.width);
  return layout === null ? blocks(fields, style.width ?? WIDEST, paintFor(style)) : drawn(layout, style);
}

/** The table if it can have all its columns, else null. */
export function wholeTableOf(result: Result, style: Style): string | null {
  const layout = layoutOf(fieldsOf(result), style.width);
  return layout === null || layout.left.length > 0 ? null : drawn(layout, style);
}

interface Layout {
  readonly tracks: readonly Track[];
  readonly widths: readonly number[];
  /** Columns for which there is no room. */
  readonly left: readonly Field[];
}

interface Track {
  readonly field: Shortened;
  /** Of the widest cell; the heading is wrapped. */
  readonly whole: number;
  readonly comfortable: number;
  readonly readable: number;
  readonly least: number;
  /** With the heading on one line. */
  readonly natural: number;
}

function layoutOf(fields: readonly Field[], room: number | null): Layout | null {
  const all = fields.map(trackOf);
  if (room === null) {
    return needed(all, 'natural') <= WIDEST
      ? { tracks: all, widths: all.map(({ natural }) => natural), left: [] }
      : null;
  }
  if (room < NARROWEST_TABLE) {
    return needed(all, 'whole') <= room ? { tracks: all, widths: widthsOf(all, room), left: [] } : null;
  }
  let tracks = all;
  for (const shortening of SHORTENINGS) {
    if (needed(tracks, 'comfortable') <= room) break;
    tracks = tracks.map((track) => shortened(track, shortening));
  }
  const stay = staying(tracks, room);
  const left = tracks.filter((track) => !stay.includes(track)).map(({ field }) => field);
  return { tracks: stay, widths: widthsOf(stay, room), left };
}

/** Columns leave from the last on, minor ones first. */
function staying(tracks: readonly Track[], room: number): Track[] {
  const stay = [...tracks];
  const lastMinor = () => stay.findLastIndex(({ field }) => field.minor);
  while (lastMinor() > 0 && needed(stay, 'readable') > room) stay.splice(lastMinor(), 1);
  while (stay.length > 1 && needed(stay, 'least') > room) stay.pop();
  return stay;
}

function shortened(track: Track, shortening: Shortening): Track {
  const field = shortening(track.field);
  return field === track.field ? track : trackOf(field);
}

function trackOf(field: Shortened): Track {
  const body = field.cells.reduce((most, cell) => Math.max(most, seat(cell)), 1);
  const heading = headingWidth(field);
  const breaks = body > SHORT_TEXT && (field.role === 'text' || field.role === 'place');
  const atMost = (text: number) => Math.max(breaks ? Math.min(body, text) : body, Math.min(heading, text));
  return {
    field,
    whole: Math.max(body, heading),
    comfortable: field.role === 'place' ? Math.max(body, heading) : atMost(COMFORTABLE_TEXT),
    readable: atMost(READABLE_TEXT),
    least: atMost(NARROWEST_TEXT),
    natural: Math.max(body, columns(field.label)),
  };
}

/** At which a heading takes two lines; a long one, or one over short times, may take more. */
function headingWidth({ role, label }: Field): number {
  let width = longestWord(label);
  if (role !== 'time' && label.length <= LONGEST_TOLD) while (wrap(label, width).length > 2) width += 1;
  return width;
}

type Width = Exclude<keyof Track, 'field'>;

function needed(tracks: readonly Track[], width: Width): number {
  return tracks.reduce((sum, track) => sum + track[width], GAP * (tracks.length - 1));
}

/** What every column needs; then room for the texts that take most lines; then for headings. */
function widthsOf(tracks: readonly Track[], room: number): number[] {
  const start: Width = needed(tracks, 'comfortable') <= room ? 'comfortable' : 'least';
  const widths = tracks.map((track) => Math.min(track[start], room));
  let spare = room - widths.reduce((sum, width) => sum + width, GAP * (tracks.length - 1));
  for (; spare > 0; spare -= 1) {
    const lines = tracks.map(({ whole }, i) => whole / (widths[i] ?? 1));
    const most = Math.max(...lines);
    if (most <= 1) break;
    widths[lines.indexOf(most)]! += 1;
  }
  return tracks.map(({ natural }, i) => {
    const width = widths[i] ?? 1;
    if (natural - width > spare) return width;
    spare -= natural - width;
    return natural;
  });
}

function drawn({ tracks, widths, left }: Layout, style: Style): string {
  const paint = paintFor(style);
  const rows = (tracks[0]?.field.cells ?? []).flatMap((_, row) =>
    lines(
      tracks.map(({ field }) => field.cells[row] ?? ''),
      widths,
      (i) => tracks[i]?.field.marks[row],
      paint,
    ),
  );
  const labels = tracks.map(({ field }) => field.label);
  const heading = lines(labels, widths, () => 'strong', paint, 'bottom');
  const rule = widths.map((width) => ({ text: '─'.repeat(width), paint: paint.faint }));
  const sides = tracks.map(({ field }, i) => ({
    width: widths[i] ?? 1,
    align: field.role === 'number' ? ('right' as const) : ('left' as const),
  }));
  const notes = notesOf(tracks, left).flatMap((note) => hanging(note, '  ', style.width));
  const below = notes.map((line) => paint.faint(line.replaceAll('\u00a0', ' ')));
  return [...grid([...heading, rule, ...rows], sides), ...below].map((line) => `${line}\n`).join('');
}

/** The lines that cells take in their columns. */
function lines(
  texts: readonly string[],
  widths: readonly number[],
  markOf: (i: number) => keyof Paint | undefined,
  paint: Paint,
  side: 'top' | 'bottom' = 'top',
): Piece[][] {
  const wrapped = texts.map((text, i) => {
    const width = widths[i] ?? 1;
    return seat(text) <= width ? [text] : wrap(text, width);
  });
  const height = wrapped.reduce((most, own) => Math.max(most, own.length), 1);
  return Array.from({ length: height }, (_, y) =>
    wrapped.map((own, i): Piece => {
      const mark = markOf(i);
      const text = own[side === 'top' ? y : y - height + own.length] ?? '';
      return mark === undefined ? { text } : { text, paint: paint[mark] };
    }),
  );
}

/** What the columns that left would have said, as far as it is one thing, and how to see the others. */
function notesOf(tracks: readonly Track[], left: readonly Field[]): string[] {
  const told = tracks.flatMap(({ field }) => (field.told === undefined ? [] : [field.told]));
  const same = left.filter(isSame);
  const empty = same.filter(isEmpty);
  const others = left.filter((field) => !isSame(field));
  const everywhere = tracks[0]?.field.cells.length === 1 ? 'also' : 'in every row';
  const values = same
    .filter((field) => !isEmpty(field))
    .map(({ label, cells }) => `${clip(label, LONGEST_TOLD)} ${cells[0]}`)
    .join(', ');
  const names = (fields: readonly Field[]) => fields.map(({ label }) => clip(label, LONGEST_TOLD)).join(', ');
  return [
    ...told,
    ...(values === '' ? [] : [`${everywhere}: ${values}`]),
    ...(empty.length === 0 ? [] : [`${NULL} everywhere: ${names(empty)}`]),
    ...(others.length === 0
      ? []
      : [`not shown: ${names(others)} (a wider terminal, or |\u00a0less\u00a0-S)`]),
  ];
}

function isSame({ cells }: Field): boolean {
  const [first = ''] = cells;
  return columns(first) <= LONGEST_TOLD && cells.every((cell) => cell === first);
}

function isEmpty({ cells }: Field): boolean {
  return cells[0] === NULL;
}

/** The grid gives every piece at least one column. */
function seat(text: string): number {
  return Math.max(1, columns(text));
}
