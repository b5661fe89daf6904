/** A question as one statement for an engine that has the base tables only: the tables that it reads stand in front of it. */
import { LakelogError } from '../../errors.js';
import { edited, type Token, tokensOf } from '../sql-tokens.js';
import type { BaseName } from './base.js';
import type { Dialect } from './dialect.js';
import type { Needs } from './needs.js';
import { TABLE_NAMES } from './published.js';
import { type Lines, type Part, sourceParts } from './sources.js';
import { composeView, type Slots, tableUses, type UseOptions } from './views.js';

export type ParamValues = Readonly<Record<string, string | number | boolean | null>>;

export interface Composition extends UseOptions, Omit<Slots, 'base'> {
  readonly needs: Needs;
  readonly params: ParamValues;
  readonly lines?: Lines;
}

/**
 * Views are put in front of the question, never around it: whatever stands within brackets loses its order.
 * @param sql one SELECT in the portable subset.
 * @param where its file.
 * @throws LakelogError (exit 2) for a question whose WITH gives one of their names to something else.
 */
export function composeStatement(sql: string, where: string, composition: Composition): string {
  const { dialect, needs, params } = composition;
  const question = takeQuestion(instantsIn(sql, dialect));
  ensureOwnNames(question.names, where);
  const uses = tableUses(needs, composition);
  const base = (name: BaseName) => `lake_${name}`;
  const parts = [
    ...sourceParts(new Set(uses.flatMap(({ reads }) => reads)), ranks(uses), dialect, composition.lines),
    ...uses.map((use) => ({ name: use.name, sql: composeView(use, { ...composition, base }) })),
    ...(needs.tables.includes('params') ? [{ name: 'params', sql: paramsSql(params, dialect) }] : []),
  ];
  return ensureWhole(writtenOut(parts, question, dialect), where);
}

/**
 * A SELECT of ours over tables such as `lake_calls`.
 * @param reads `calls.kind`: all that it reads of them.
 */
export function composeOver(
  reads: readonly string[],
  select: string,
  { dialect, lines }: Pick<Composition, 'dialect' | 'lines'>,
): string {
  const parts = sourceParts(new Set(reads), false, dialect, lines);
  return writtenOut(parts, { with: '', isRecursive: false, names: [], select }, dialect);
}

/** Of replay runs at the same time the one that stands later is the latest. */
const ranks = (uses: readonly { readonly name: string }[]) =>
  uses.some(({ name }) => name === 'session_replays');

/** `WITH …` and all behind it; no line is indented, for it may be one of a text. */
function writtenOut(parts: readonly Part[], question: Question, { ending }: Dialect): string {
  const written = parts.map(({ name, sql }) => `${name} AS (\n${sql.trim()}\n)`);
  const all = question.with === '' ? written : [...written, question.with];
  const front =
    all.length === 0 ? '' : `WITH ${question.isRecursive ? 'RECURSIVE ' : ''}${all.join(',\n')}\n`;
  return `${front}${question.select}\n${ending === '' ? '' : `${ending}\n`}`;
}

/** `TIMESTAMPTZ '2026-09-01T00:00:00Z'`, as questions are filled in for DuckDB, is written in as many ways as there are engines. */
function instantsIn(sql: string, dialect: Dialect): string {
  const tokens = tokensOf(sql);
  const edits = tokens.flatMap((token, i) => {
    const [, time] = /^'(\d{4}-\d\d-\d\dT[\d:.]+Z)'$/.exec(tokens[i + 1]?.text ?? '') ?? [];
    if (!token.isWord || token.text !== 'timestamptz' || time === undefined) return [];
    return [{ from: token.from, to: tokens[i + 1]!.to, text: dialect.instant(time) }];
  });
  return edited(sql, edits).text;
}

interface Question {
  /** The parts of its own WITH, without the word. */
  readonly with: string;
  readonly isRecursive: boolean;
  readonly names: readonly string[];
  readonly select: string;
}

/** From its first word on, which leaves out a header, to its last one, which leaves out a semicolon. */
function takeQuestion(sql: string): Question {
  const tokens = tokensOf(sql);
  const [first, second] = tokens;
  const to = tokens.findLast(({ text }) => text !== ';')?.to ?? 0;
  if (first?.text !== 'with' || !first.isWord)
    return { with: '', isRecursive: false, names: [], select: sql.slice(first?.from ?? 0, to) };
  const isRecursive = second?.text === 'recursive' && second.isWord;
  const begin = (isRecursive ? second : first).to;
  const outer = tokens.filter(({ depth, from }) => depth === 0 && from >= begin);
  const main = outer.find(
    ({ isWord, text }) => isWord && ['select', 'from', 'values', 'table'].includes(text),
  );
  const mainFrom = main?.from ?? to;
  return {
    with: sql.slice(begin, mainFrom).trim(),
    isRecursive,
    names: namesOf(outer.filter(({ from }) => from < mainFrom)),
    select: sql.slice(mainFrom, to),
  };
}

/** A name begins a WITH and stands behind each of its commas. */
function namesOf(outer: readonly Token[]): string[] {
  return outer
    .filter((_, i) => i === 0 || outer[i - 1]!.text === ',')
    .map(({ text }) => text.replace(/^["`]([\s\S]*)["`]$/, '$1').toLowerCase());
}

const TAKEN = new Set<string>(TABLE_NAMES);

function ensureOwnNames(names: readonly string[], where: string): void {
  const taken = names.find((name) => TAKEN.has(name) || /^(base|lake)_/.test(name));
  if (taken === undefined) return;
  throw new LakelogError(`its WITH calls something "${taken}", which is a table of lakelog's`, {
    where,
    next: 'give it another name: no other engine knows which of the two is meant',
  });
}

/** Half of a character has no bytes: what an engine would read is another text. */
function ensureWhole(sql: string, where: string): string {
  if (!/\p{Surrogate}/u.test(sql)) return sql;
  throw new LakelogError('a text holds half of a character (a lone surrogate), which no engine can be told', {
    where,
    next: 'correct the filters and parameters',
  });
}

function paramsSql(params: ParamValues, dialect: Dialect): string {
  const columns = Object.entries(params).map(
    ([name, value]) => `${literalOf(value, dialect)} AS ${dialect.ident(name)}`,
  );
  return `SELECT ${columns.join(', ') || `CAST(NULL AS ${dialect.type('VARCHAR')}) AS none`}`;
}

/** Of a type that does not hang on its value. */
export function literalOf(value: ParamValues[string], dialect: Dialect): string {
  if (value === null) return `CAST(NULL AS ${dialect.type('VARCHAR')})`;
  if (typeof value === 'string') return dialect.quote(value);
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  return Number.isSafeInteger(value) ? `CAST(${value} AS ${dialect.type('BIGINT')})` : value.toExponential();
}
