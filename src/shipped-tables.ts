/** Run by the build: the files of queries/tables/ taken apart, so that no run has to read SQL. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { sqlTypeOf } from './lake/tables/base.js';
import { PERIODS } from './lake/tables/dialect.js';
import { type Piece, TABLE_NAMES, type Table, type TableColumn } from './lake/tables/published.js';
import { fillSlots } from './lake/tables/views.js';
import {
  ATTEMPT_FIELDS,
  DOCUMENT_FIELDS,
  type Field,
  REPLAY_FIELDS,
  SESSION_FIELDS,
} from './schema/fields.js';

/** No view: what is put there are the parameters of the query. */
const PARAMS: Table = {
  name: 'params',
  note: "One row: the query's parameters as columns.",
  columns: [],
  from: [],
};

export function readTables(folder: string): Table[] {
  return TABLE_NAMES.map((name) =>
    name === 'params' ? PARAMS : takeApart(name, readFileSync(path.join(folder, `${name}.sql`), 'utf8')),
  );
}

/** A sentence, then a SELECT with one column a line, each below its type and sentence, which declared fields have from the record format. */
const FILE = /^((?:-- .*\n)+)SELECT\n(.*?\n)(FROM .*)$/s;
const COLUMN = /^(?: {2}-- (\w+): (.*)\n)? {2}(.*\b(\w+)),?$/gm;
/** One row per key, so that the join changes nothing where no column of it is wanted. */
const LOOKUP = /(LEFT JOIN \{\{base\.(?:batches|twins|recomputed)\}\} \w+ ON [^\n]*\n?)/;

function takeApart(table: string, text: string): Table {
  const [, note = '', list = '', from = ''] = FILE.exec(text) ?? [];
  const aliases = new Map([...from.matchAll(/\{\{base\.(\w+)\}\} (\w+)/g)].map(([, base, as]) => [as, base]));
  const pieceOf = (sql: string): Piece => ({ sql, reads: readsOf(sql, aliases) });
  const columns = [...list.matchAll(COLUMN)].map(([, type, sentence, expression, name]) => ({
    name: name!,
    ...(type === undefined ? declared(table, name!) : { type, note: sentence!, content: false }),
    ...pieceOf(expression!),
  }));
  return {
    name: table,
    note: note.replaceAll(/^-- /gm, '').trim().replaceAll('\n', ' '),
    columns: columns as TableColumn[],
    from: from.split(LOOKUP).map((sql) => {
      const [, lookup] = LOOKUP.exec(sql)?.[0].match(/base\.(\w+)/) ?? [];
      return lookup === undefined ? pieceOf(sql) : { ...pieceOf(sql), lookup };
    }),
  };
}

/** Slots that stand for columns of a call `s` or a replay run `r`. */
const MEANS: Readonly<Record<string, string>> = {
  gated: 's.kind',
  ...Object.fromEntries(PERIODS.map((period) => [period, 's.timestamp'])),
  selected: 's.selected',
  selected_runs: 'r.timestamp',
  run_order: 'r.batch',
};

function readsOf(sql: string, aliases: ReadonlyMap<string | undefined, string | undefined>): string[] {
  const tables = [...sql.matchAll(/\{\{base\.(\w+)\}\}/g)].map(([, base]) => `${base}.batch`);
  const spoken = fillSlots(sql, (name, argument) => MEANS[name] ?? argument);
  const columns = [...spoken.matchAll(/\b(\w+)\.(\w+)/g)].flatMap(([, alias, column]) => {
    const base = aliases.get(alias);
    return base === undefined ? [] : [`${base}.${column}`];
  });
  return [...new Set([...tables, ...columns])];
}

const FORMATS: Readonly<Record<string, readonly Field[]>> = {
  sessions: SESSION_FIELDS,
  attempts: ATTEMPT_FIELDS,
  replay_runs: REPLAY_FIELDS,
  replay_documents: DOCUMENT_FIELDS,
};

function declared(table: string, name: string): Pick<TableColumn, 'type' | 'note' | 'content'> {
  const field = FORMATS[table]?.find((candidate) => candidate.name === name);
  if (field === undefined)
    throw new Error(`${table}.${name} is no declared field: it needs a type and a sentence`);
  const isJson = field.type === 'any' || field.type === 'strings';
  return {
    type: sqlTypeOf(field),
    note: isJson ? `${field.note} As JSON text.` : field.note,
    content: field.content === true,
  };
}
