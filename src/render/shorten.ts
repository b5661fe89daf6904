/**
 * What a column can do without on a terminal that is too narrow, from the least loss to the greatest. Files, pipes
 * and wide terminals get every cell whole.
 */
import { NULL } from './display.js';
import type { Field } from './fields.js';
import { characters } from './measure.js';

/** A field, and what its heading no longer says. */
export interface Shortened extends Field {
  readonly told?: string;
}

export type Shortening = (field: Shortened) => Shortened;

export const SHORTENINGS: readonly Shortening[] = [
  withoutSameDate,
  withShortIds,
  withoutSameFolder,
  toMinutes,
];

const INSTANT = /^(\d{4})-(\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/;
const SECONDS = /^((?:(?:\d{4}-)?\d\d-\d\d )?\d\d:\d\d):\d\d$/;

/** The year or the day that all have goes into the heading; milliseconds go. */
function withoutSameDate(field: Shortened): Shortened {
  if (field.role !== 'time') return field;
  const instants = field.cells.map((cell) => INSTANT.exec(cell));
  if (instants.some((instant, i) => instant === null && field.cells[i] !== NULL)) return field;
  const known = instants.filter((instant) => instant !== null);
  const [first] = known;
  if (first === undefined) return field;
  const sameYear = known.every(([, year]) => year === first[1]);
  const sameDay = sameYear && known.every(([, , day]) => day === first[2]);
  const common = sameDay ? `, ${first[1]}-${first[2]}` : sameYear ? `, ${first[1]}` : '';
  const cells = instants.map((instant) => {
    if (instant === null) return NULL;
    const [, year, day, time] = instant;
    return sameDay ? time! : sameYear ? `${day} ${time}` : `${year}-${day} ${time}`;
  });
  return { ...field, label: `${field.label} (UTC${common})`, cells };
}

function toMinutes(field: Shortened): Shortened {
  if (field.role !== 'time') return field;
  return { ...field, cells: field.cells.map((cell) => SECONDS.exec(cell)?.[1] ?? cell) };
}

const ID_NAME = /(^|_)(session_?id|call_id|call_key|trace_id|span_id|run_id|example_session)$/;
const ID_SHAPE = /^(?:[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const SHORTEST_ID = 8;

/** Beginnings that no other id of the column has, as git shows commits; `show` and `ack` take them. */
function withShortIds(field: Shortened): Shortened {
  if (field.role !== 'text') return field;
  const ids = [...new Set(field.cells)].filter((cell) => cell !== NULL).sort();
  if (ids.length === 0 || !(ID_NAME.test(field.name) || ids.every((id) => ID_SHAPE.test(id)))) return field;
  let length = SHORTEST_ID;
  for (let i = 1; i < ids.length; i += 1) length = Math.max(length, common(ids[i - 1]!, ids[i]!) + 1);
  return { ...field, cells: field.cells.map((cell) => (cell === NULL ? cell : beginning(cell, length))) };
}

function common(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Never half a character. */
function beginning(text: string, length: number): string {
  if (text.length <= length) return text;
  let taken = '';
  for (const character of characters(text)) {
    if (taken.length >= length) break;
    taken += character;
  }
  return taken;
}

/** A folder that all paths have is told once; what stands in no folder is left as it is. */
function withoutSameFolder(field: Shortened): Shortened {
  if (field.role !== 'place') return field;
  const folders = field.cells.map(folderOf).filter((folder) => folder !== '');
  const folder = folders.reduce<string | null>(commonFolder, null) ?? '';
  if (folder.length < 3) return field;
  const cells = field.cells.map((cell) => (folderOf(cell) === '' ? cell : `…/${cell.slice(folder.length)}`));
  return { ...field, cells, told: `…/ is ${folder}` };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function commonFolder(before: string | null, folder: string): string {
  if (before === null) return folder;
  return folderOf(before.slice(0, common(before, folder)));
}
