import { createHash } from 'node:crypto';
import { LakelogError } from '../errors.js';
import type { GateRule, GateSpec } from '../schema/gate.js';
import { HEADER_KEYS } from './header-keys.js';
import { type Fail, parseCanary, parseColumn, parseParam, splitNote } from './header-values.js';
import { checkIntervals, parseInterval } from './intervals.js';
import { checkMoney, parseMoney, parseWorth, readByMoney } from './money.js';
import {
  type IntervalSpec,
  type MoneySpec,
  NEEDS,
  type Need,
  type Param,
  type Query,
  type QueryColumn,
  WITH_ROSTER,
  type WorthSpec,
} from './question.js';

export type { Param, ParamType, Query, QueryColumn } from './question.js';

const KEYS = HEADER_KEYS.map(({ key }) => key);
/** Looks like a line of the header, wherever it stands and however it is written. */
const HEADER_LIKE = new RegExp(`^\\s*-{2,}\\s*(${KEYS.join('|')})\\s*:`, 'i');

/** What the lines of a header say, each by itself. */
interface Draft {
  /** Values of the keys that stand once. */
  readonly single: Map<string, string>;
  readonly params: Param[];
  readonly columns: QueryColumn[];
  readonly intervals: IntervalSpec[];
  readonly money: MoneySpec[];
  readonly worth: WorthSpec[];
  readonly fires: GateRule[];
  readonly cannotVouch: (GateRule & { unless?: string })[];
  readonly canaries: GateSpec['canaries'][number][];
}

/**
 * Reads the `-- key: value` lines at the top of a query file; their grammar is header-keys.ts and docs/QUESTIONS.md.
 * @throws LakelogError naming file, line and remedy.
 */
export function parseQuery(file: string, name: string, sql: string): Query {
  const draft = readLines(file, sql);
  const { single, params, columns, intervals, money, worth } = draft;
  const failAt = (line: number) => failIn(file, line);
  const fail = failAt(1);
  const title = required(single, 'title', fail);
  const question = required(single, 'question', fail);
  checkColumns(draft, fail);
  checkIntervals(intervals, columns, failAt);
  checkMoney(draft, failAt);
  const gate = gateOf(draft, fail);
  const sha256 = createHash('sha256').update(sql).digest('hex');
  const needs = (single.get('needs') as Need | undefined) ?? null;
  const fills = { intervals, money, worth };
  return { name, file, title, question, params, columns, ...fills, gate, needs, sql, sha256 };
}

function readLines(file: string, sql: string): Draft {
  const draft: Draft = {
    single: new Map(),
    ...{
      params: [],
      columns: [],
      intervals: [],
      money: [],
      worth: [],
      fires: [],
      cannotVouch: [],
      canaries: [],
    },
  };
  let inHeader = true;
  for (const [i, text] of sql.split('\n').entries()) {
    const [, key, raw] = /^--\s*([a-z-]+):\s*(.*?)\s*$/.exec(text) ?? [];
    const fail = failIn(file, i + 1);
    inHeader &&= key !== undefined;
    if (!inHeader && HEADER_LIKE.test(text)) {
      // A line that is left out could be the one that makes it a gate.
      throw fail(
        'a line of the header stands below its end',
        'write the header as the first lines of the file, each as: -- key: value',
      );
    }
    if (inHeader && key !== undefined && raw !== undefined) readLine(draft, key, raw, i + 1, fail);
  }
  return draft;
}

const failIn =
  (file: string, line: number): Fail =>
  (what, next) =>
    new LakelogError(what, { where: `${file}:${line}`, next });

function readLine(draft: Draft, key: string, raw: string, line: number, fail: Fail): void {
  switch (key) {
    case 'param':
      draft.params.push(once('parameter', draft.params, parseParam(raw, fail), fail));
      return;
    case 'column':
      draft.columns.push(once('column', draft.columns, parseColumn(raw, fail), fail));
      return;
    case 'interval':
      draft.intervals.push(parseInterval(raw, line, fail));
      return;
    case 'money':
      draft.money.push(parseMoney(raw, line, fail));
      return;
    case 'worth':
      draft.worth.push(parseWorth(raw, line, fail));
      return;
    case 'canary':
      draft.canaries.push(parseCanary(raw, fail));
      return;
    case 'fires': {
      const { head, note } = splitNote(raw);
      draft.fires.push({ value: head, note });
      return;
    }
    case 'cannot-vouch': {
      const { head, note } = splitNote(raw);
      const [value = '', unless] = head.split(/\s+unless\s+/);
      draft.cannotVouch.push({ value, note, ...(unless === undefined ? {} : { unless }) });
      return;
    }
  }
  if (!KEYS.includes(key)) {
    throw fail(`"${key}" is no key of a query header`, `use one of ${KEYS.join(', ')}`);
  }
  if (draft.single.has(key)) throw fail(`"${key}" stands twice in the header`, 'keep one of the two');
  if (key === 'needs' && !NEEDS.some((need) => need === raw)) {
    throw fail(
      `"${raw}" is nothing a question can need`,
      `write one of: ${NEEDS.map((need) => `-- needs: ${need}`).join(', ')}`,
    );
  }
  draft.single.set(key, raw);
}

function required(single: ReadonlyMap<string, string>, key: string, fail: Fail): string {
  const value = single.get(key);
  if (value) return value;
  throw fail(`the header has no "${key}"`, `add a line: -- ${key}: …`);
}

function checkColumns({ columns, params, intervals, ...draft }: Draft, fail: Fail): void {
  if (columns.length === 0) {
    throw fail(
      'the header names no column',
      'add a line per column of the SELECT: -- column: name type "label" -- what it is',
    );
  }
  const flags = new Set([...params.flatMap(flagColumns), WITH_ROSTER]);
  const hidden = columns.find(({ when }) => when !== undefined && !flags.has(when));
  if (hidden) {
    throw fail(
      `column "${hidden.name}" would never show: no parameter makes "${hidden.when}"`,
      `use one of ${[...flags].join(', ') || 'no "when"'}`,
    );
  }
  const unread = columns.find(
    ({ name, hidden }) =>
      hidden && !intervals.some(({ counts }) => counts.includes(name)) && !readByMoney(draft, name),
  );
  if (unread) {
    throw fail(
      `column "${unread.name}" is hidden, and no interval and no money reads it`,
      'drop "hidden", or the column here and in the SELECT',
    );
  }
}

function gateOf(
  { single, params, columns, fires, cannotVouch, canaries }: Draft,
  fail: Fail,
): GateSpec | null {
  if (!single.has('gate')) {
    if (fires.length + cannotVouch.length + canaries.length === 0 && !single.has('judges')) return null;
    throw fail(
      'the header has rules of a gate but no "gate"',
      'add a line: -- gate: the column that says which rule a row breaks',
    );
  }
  const column = required(single, 'gate', fail);
  if (!columns.some(({ name, hidden }) => name === column && !hidden)) {
    throw fail(
      `the gate reads column "${column}", which the header does not name, or hides`,
      `add a line: -- column: ${column} text`,
    );
  }
  if (fires.length === 0 || canaries.length === 0) {
    throw fail(
      'a gate needs at least one "fires" and one "canary" line',
      'say which value fires, and plant a record that must be found: -- canary: value {"field": …}',
    );
  }
  const isFlag = (name: string) => params.some((param) => param.name === name && param.of.type === 'flag');
  for (const { unless } of cannotVouch) {
    if (unless === undefined || isFlag(unless)) continue;
    throw fail(
      `"unless ${unless}" names no flag`,
      `add a line: -- param: ${unless} flag = false -- what it allows`,
    );
  }
  return { column, fires, cannotVouch, judges: required(single, 'judges', fail), canaries };
}

function once<T extends { name: string }>(what: string, before: readonly T[], one: T, fail: Fail): T {
  if (before.some(({ name }) => name === one.name))
    throw fail(`${what} "${one.name}" stands twice`, 'keep one of the two');
  return one;
}

/** Columns of `params` that are true or false: what a "when" may name. */
function flagColumns({ name, of }: Param): string[] {
  if (of.type === 'flag') return [name];
  return of.type === 'set' ? of.values.map((value) => `${name}_${value}`) : [];
}
