/** A roster as tables have it, read strictly: one that looks odd is refused, whoever reads it. Both sides do. */
import { createHash } from 'node:crypto';
import { CsvError, csvRows } from './csv.js';

export interface Worker {
  readonly id: string;
  /** An inactive worker is known and must not be proposed. */
  readonly active: boolean;
}

/** Names are compared without case, white space around them, and invisible characters. */
export interface RosterColumns {
  /** Column or field that holds the id. Default: `worker_id`. */
  readonly idColumn?: string | undefined;
  /**
   * Column or field that tells who is active: true/false, yes/no, 1/0, active/inactive in any case. Default: `active`
   * where it exists; without it everybody is, provided that nothing else looks like a status. Null: there is none.
   */
  readonly activeColumn?: string | null | undefined;
}

/** A roster that cannot be used. */
export class RosterError extends Error {
  override name = 'RosterError';
  /** Physical line, from 1; null where the roster as a whole is meant. */
  readonly line: number | null;
  /** The message without the line. */
  readonly what: string;

  constructor(what: string, line: number | null = null) {
    super(line === null ? what : `line ${line}: ${what}`);
    this.what = what;
    this.line = line;
  }
}

const ID_COLUMN = 'worker_id';
const ACTIVE_COLUMN = 'active';

/** Every worker by id, in the order of the lines. */
export type Workers = ReadonlyMap<string, Worker>;

/** @throws RosterError for a text that is not CSV, and for whatever looks odd. */
export const workersInCsv = (text: string, columns: RosterColumns = {}): Workers =>
  workersIn(csvTable(text), columns, 'column');

/** @throws RosterError for a text that is not JSON Lines, and for whatever looks odd. */
export const workersInJsonl = (text: string, columns: RosterColumns = {}): Workers =>
  workersIn(jsonTable(text), columns, 'field');

/**
 * Of the rows of a table that somebody else took apart.
 * @throws RosterError for whatever looks odd.
 */
export const workersInTable = (rows: Iterable<TableRow>, columns: RosterColumns = {}): Workers =>
  workersIn(rows, columns, 'column');

function* csvTable(text: string): Generator<TableRow> {
  let header: Pick<TableRow, 'names' | 'namesLine'> | undefined;
  try {
    for (const { cells, line } of csvRows(text)) {
      if (!header) {
        header = { names: cells, namesLine: line };
        continue;
      }
      const { length } = header.names;
      if (cells.length !== length) {
        throw new RosterError(`${cells.length} fields where the header has ${length}`, line);
      }
      yield { ...header, line, values: cells };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new RosterError(error.message, error.line);
    throw error;
  }
}

function* jsonTable(text: string): Generator<TableRow> {
  for (const [i, row] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    if (row.trim() === '') continue;
    const line = i + 1;
    const worker = jsonObject(row, line);
    yield { line, names: Object.keys(worker), namesLine: line, values: Object.values(worker) };
  }
}

/**
 * The hash of a roster, `sha256:` and 64 hex digits, over its canonical form: one line `["id",active]` of compact
 * JSON in UTF-8 per worker, each ended by \n, in the order of the bytes of their ids. It does not depend on the
 * file's format, the order of its lines or its other columns.
 */
export function rosterHash(workers: Iterable<Worker>): string {
  const sorted = [...workers].sort((a, b) => compareBytes(a.id, b.id));
  const text = sorted.map(({ id, active }) => `${JSON.stringify([id, active])}\n`).join('');
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** The order of texts by UTF-16 is that of their bytes, unless one of them has surrogates. */
function compareBytes(a: string, b: string): number {
  if (SURROGATES.test(a) || SURROGATES.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

const SURROGATES = /[\ud800-\udfff]/;

/** One line of a table, with the names that hold for it. */
export interface TableRow {
  readonly line: number;
  readonly names: readonly string[];
  /** Physical line that the names stand on. */
  readonly namesLine: number;
  readonly values: readonly unknown[];
}

interface Entry {
  readonly line: number;
  readonly id: unknown;
  readonly status: unknown;
}

/** @param word what a name names: column or field. */
function* entriesOf(rows: Iterable<TableRow>, columns: RosterColumns, word: string): Generator<Entry> {
  const { idColumn = ID_COLUMN, activeColumn } = columns;
  const others = new StatusSuspects(word);
  let names: readonly string[] | undefined;
  let id: number | undefined;
  let status: number | undefined;
  let statusBefore: number | undefined | null = null;
  for (const row of rows) {
    if (row.names !== names) {
      names = row.names;
      id = placeOf(row, idColumn, word);
      if (id === undefined) throw missing(row, idColumn, word);
      status = placeOf(row, activeColumn ?? ACTIVE_COLUMN, word);
      if (status === undefined && typeof activeColumn === 'string') throw missing(row, activeColumn, word);
      if (status !== undefined && activeColumn === null) {
        throw new RosterError(`there is a ${word} ${quoted(ACTIVE_COLUMN)} that nobody asks`, row.namesLine);
      }
    }
    if (statusBefore !== null && (status === undefined) !== (statusBefore === undefined)) {
      throw new RosterError(
        `some lines have a ${word} ${quoted(ACTIVE_COLUMN)}, and some have none`,
        row.line,
      );
    }
    statusBefore = status;
    if (status === undefined && activeColumn === undefined) others.see(row, id!);
    yield { line: row.line, id: row.values[id!], status: status === undefined ? true : row.values[status] };
  }
  others.refuse();
}

function placeOf({ names, namesLine }: TableRow, name: string, word: string): number | undefined {
  const wanted = folded(name);
  const places = names.flatMap((found, i) => (folded(found) === wanted ? [i] : []));
  if (places.length > 1) throw new RosterError(`two ${word}s ${quoted(name)}`, namesLine);
  return places[0];
}

function missing({ names, namesLine }: TableRow, name: string, word: string): RosterError {
  return new RosterError(
    `no ${word} ${quoted(name)}; there are ${names.slice(0, 20).map(quoted).join(', ')}`,
    namesLine,
  );
}

/** Columns of a roster without a status that may well be one: then not everybody is active. */
class StatusSuspects {
  readonly #word: string;
  /** By name: the line it was first seen on, as long as every value of it reads as a status. */
  readonly #yesOrNo = new Map<string, number | null>();
  #names: readonly string[] | undefined;

  constructor(word: string) {
    this.#word = word;
  }

  see({ names, namesLine, values }: TableRow, id: number): void {
    for (const [i, name] of names.entries()) {
      if (i === id) continue;
      if (names !== this.#names && soundsLikeStatus(name)) throw this.#refusal(name, namesLine);
      const value = values[i];
      if (value === '' || value === null || this.#yesOrNo.get(name) === null) continue;
      if (statusOf(value) === undefined) this.#yesOrNo.set(name, null);
      else if (!this.#yesOrNo.has(name)) this.#yesOrNo.set(name, namesLine);
    }
    this.#names = names;
  }

  refuse(): void {
    for (const [name, line] of this.#yesOrNo) if (line !== null) throw this.#refusal(name, line);
  }

  #refusal(name: string, line: number): RosterError {
    return new RosterError(
      `${this.#word} ${quoted(name)} looks like a status, and none is called ${quoted(ACTIVE_COLUMN)}; ` +
        'say which one is the status, or that there is none',
      line,
    );
  }
}

const STATUS_WORDS =
  /activ|aktiv|actif|attiv|inact|enabled|disabled|status|retired|terminated|suspended|deleted/;

function soundsLikeStatus(name: string): boolean {
  const letters = folded(name).replace(/[^\p{L}]/gu, '');
  return STATUS_WORDS.test(letters) || (letters.length < 10 && distance(letters, ACTIVE_COLUMN) <= 2);
}

/** Edits between two short words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Half of a surrogate pair too: written out, all of them would be one id. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** A name or a word as people see it. */
function folded(text: string): string {
  return text.normalize('NFKC').replace(INVISIBLE, '').trim().toLowerCase();
}

function jsonObject(row: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(row);
  } catch {
    throw new RosterError('not JSON', line);
  }
  if (!isObject(value)) throw new RosterError('not a JSON object', line);
  // Of two members of one name JSON.parse keeps the last; a status is not chosen that way.
  if (memberCount(row) !== Object.keys(value).length)
    throw new RosterError('a field that stands twice', line);
  return value;
}

/** Members of the object that a JSON text is. */
function memberCount(json: string): number {
  let count = 0;
  let depth = 0;
  let quote = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (quote) {
      if (char === '\\') i++;
      else if (char === '"') quote = false;
    } else if (char === '"') quote = true;
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    else if (char === ':' && depth === 1) count++;
  }
  return count;
}

function workersIn(rows: Iterable<TableRow>, columns: RosterColumns, word: string): Workers {
  const workers = new Map<string, Worker>();
  const lines = new Map<string, number>();
  for (const { line, id, status } of entriesOf(rows, columns, word)) {
    if (typeof id !== 'string' || id === '') throw new RosterError('no worker id', line);
    if (id.trim() !== id) throw new RosterError(`white space around the id ${quoted(id)}`, line);
    if (id.search(INVISIBLE) >= 0) {
      throw new RosterError(`an invisible character in the id ${quoted(id)}`, line);
    }
    if (workers.has(id)) {
      throw new RosterError(`worker ${quoted(id)} is already on line ${lines.get(id)}`, line);
    }
    const active = statusOf(status);
    if (active === undefined) throw new RosterError(`neither active nor inactive: ${quoted(status)}`, line);
    workers.set(id, { id, active });
    lines.set(id, line);
  }
  if (workers.size === 0) throw new RosterError('the roster has no worker');
  return workers;
}

function statusOf(status: unknown): boolean | undefined {
  if (typeof status === 'boolean') return status;
  const text = typeof status === 'string' || typeof status === 'number' ? folded(String(status)) : '';
  if (['true', 'yes', '1', 'active'].includes(text)) return true;
  if (['false', 'no', '0', 'inactive'].includes(text)) return false;
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Data inside a sentence: one line, bounded, and unmistakably a value. */
function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
