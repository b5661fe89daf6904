import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { BaseName } from './base.js';

/** One file of `queries/tables/`, taken apart, so that only the columns that somebody wants are computed and loaded. */
export interface Template {
  /** Expressions of the outermost SELECT by the name of their column, in their order. */
  readonly columns: ReadonlyMap<string, string>;
  /** FROM and all behind it. */
  readonly from: string;
}

/** By the name of the published table. */
export type Templates = (table: string) => Template;

/** The templates of a folder, each read when it is first asked for. */
export function templatesIn(folder: string): Templates {
  return templatesFrom((table) => readFileSync(path.join(folder, `${table}.sql`), 'utf8'));
}

export function templatesFrom(textOf: (table: string) => string): Templates {
  const known = new Map<string, Template>();
  return (table) => {
    const template = known.get(table) ?? takeApart(textOf(table));
    known.set(table, template);
    return template;
  };
}

function takeApart(text: string): Template {
  const code = text.replace(/--[^\n]*\n/g, '').trim();
  const columns = new Map<string, string>();
  let begun = 'SELECT'.length;
  let depth = 0;
  for (const { 0: token, index } of code.matchAll(/'[^']*'|[(),]|\bFROM\b/g)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (depth > 0 || (token !== ',' && token !== 'FROM')) continue;
    const expression = code.slice(begun, index).trim();
    columns.set(/\w+$/.exec(expression)![0], expression);
    if (token === 'FROM') return { columns, from: code.slice(index) };
    begun = index + 1;
  }
  throw new Error(`no SELECT … FROM: ${code}`);
}

/** One row per key, so that the join changes nothing where no column of it is wanted. */
const LOOKUP = /LEFT JOIN \{\{base\.(?:batches|twins)\}\} (\w+) ON [^\n]*\n?/g;

/** The template's SELECT of some of its columns, its slots still open. */
export function pruned({ columns, from }: Template, wanted: Iterable<string>): string {
  const list = [...wanted].map((name) => columns.get(name)!).join(',\n  ');
  const joined = from.replace(LOOKUP, (join, alias) => (new RegExp(`\\b${alias}\\.`).test(list) ? join : ''));
  return `SELECT\n  ${list}\n${joined}`;
}

/** Puts SQL in the place of each slot: `{{gated}}`, `{{base.calls}}`, `{{text s.kind}}`. */
export function fillSlots(sql: string, fill: (name: string, argument: string) => string): string {
  return sql.replace(/\{\{([\w.]+) ?([^}]*)\}\}/g, (_, name, argument) => fill(name, argument));
}

export type Reads = ReadonlyMap<BaseName, ReadonlySet<string>>;

/** The columns of base tables that a pruned template reads; `filtered` = columns of a call that the filters read. */
export function readsOf(sql: string, filtered: readonly string[]): Reads {
  const reads = new Map<BaseName, Set<string>>();
  const aliases = new Map<string, Set<string>>();
  for (const [, base, alias] of sql.matchAll(/\{\{base\.(\w+)\}\} (\w+)/g)) {
    const columns = reads.get(base as BaseName) ?? new Set();
    reads.set(base as BaseName, columns);
    aliases.set(alias!, columns);
  }
  const means: Record<string, string> = {
    gated: 's.kind',
    day: 's.timestamp',
    selected: filtered.map((name) => `s.${name}`).join(' '),
    selected_runs: 'r.timestamp',
  };
  const spoken = fillSlots(sql, (name, argument) => means[name] ?? argument);
  for (const [, alias, column] of spoken.matchAll(/\b(\w+)\.(\w+)/g)) aliases.get(alias!)?.add(column!);
  return reads;
}
