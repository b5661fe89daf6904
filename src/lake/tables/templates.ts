import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type SqlType, sqlTypeOf } from '../../scan/columns.js';
import {
  ATTEMPT_FIELDS,
  DOCUMENT_FIELDS,
  type Field,
  REPLAY_FIELDS,
  SESSION_FIELDS,
} from '../../schema/fields.js';

/** The fixed surface: every query, ours or a user's, sees exactly these tables. */
export const TABLE_NAMES = [
  ...['sessions', 'attempts', 'attempt_reasons', 'replay_runs', 'replay_documents'],
  ...['session_replays', 'traces', 'rejects', 'files', 'params'],
] as const;

/**
 * A published table as its file in `queries/tables/` has it: a sentence, then a SELECT with one column a line, each below
 * its type and sentence, which declared fields have from the record format.
 */
export interface Template {
  readonly name: string;
  readonly note: string;
  readonly columns: readonly TemplateColumn[];
  /** FROM and all behind it. */
  readonly from: string;
}

export interface TemplateColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly note: string;
  /** Exists only with --show-content. */
  readonly content: boolean;
  readonly expression: string;
}

export type Templates = (table: string) => Template;

/** The templates of a folder, each read when it is first asked for. */
export function templatesIn(folder: string): Templates {
  const known = new Map<string, Template>([['params', PARAMS]]);
  return (name) => {
    const template =
      known.get(name) ?? takeApart(name, readFileSync(path.join(folder, `${name}.sql`), 'utf8'));
    known.set(name, template);
    return template;
  };
}

/** No view: what is put there are the parameters of the query. */
const PARAMS: Template = {
  name: 'params',
  note: "One row: the query's parameters as columns.",
  columns: [],
  from: '',
};

const FILE = /^((?:-- .*\n)+)SELECT\n(.*?\n)(FROM .*)$/s;
const COLUMN = /^(?: {2}-- (\w+): (.*)\n)? {2}(.*\b(\w+)),?$/gm;

function takeApart(table: string, text: string): Template {
  const [, note = '', list = '', from = ''] = FILE.exec(text) ?? [];
  const columns = [...list.matchAll(COLUMN)].map(([, type, sentence, expression, name]) => ({
    ...(type === undefined
      ? declared(table, name!)
      : { type: type as SqlType, note: sentence!, content: false }),
    expression: expression!,
    name: name!,
  }));
  return { name: table, note: note.replaceAll(/^-- /gm, '').trim().replaceAll('\n', ' '), columns, from };
}

const FORMATS: Readonly<Record<string, readonly Field[]>> = {
  sessions: SESSION_FIELDS,
  attempts: ATTEMPT_FIELDS,
  replay_runs: REPLAY_FIELDS,
  replay_documents: DOCUMENT_FIELDS,
};

function declared(table: string, name: string): Pick<TemplateColumn, 'type' | 'note' | 'content'> {
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

/** One row per key, so that the join changes nothing where no column of it is wanted. */
const LOOKUP = /LEFT JOIN \{\{base\.(?:batches|twins)\}\} (\w+) ON [^\n]*\n?/g;

/** The SELECT of some of a template's columns, its slots still open. */
export function selectOf(columns: readonly TemplateColumn[], from: string): string {
  // COUNT(*) names none, and a view without columns cannot be.
  const list = columns.map(({ expression }) => expression).join(',\n  ') || '1 AS no_column';
  const joined = from.replace(LOOKUP, (join, alias) => (new RegExp(`\\b${alias}\\.`).test(list) ? join : ''));
  return `SELECT\n  ${list}\n${joined}`;
}

/** Puts SQL in the place of each slot: `{{gated}}`, `{{base.calls}}`, `{{text s.kind}}`. */
export function fillSlots(sql: string, fill: (name: string, argument: string) => string): string {
  return sql.replace(/\{\{([\w.]+) ?([^}]*)\}\}/g, (_, name, argument) => fill(name, argument));
}
