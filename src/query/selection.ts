/** Which calls an arm is made of: `model=x,since=2026-09-01`, in words, as conditions of SQL and back. */
import { LakelogError } from '../errors.js';
import { parseAge } from '../instant.js';
import { METRICS, type Metric } from '../schema/decision.js';
import { nearestOf } from './nearest.js';

/** Columns of a call that a selection names values of. */
export const SELECTED_FIELDS = [
  'model',
  'provider',
  'kind',
  'daemon',
  'environment',
  'prompt_version',
  'validator_version',
  'response_model',
] as const;
export type SelectedField = (typeof SELECTED_FIELDS)[number];

const TIMES = ['since', 'until'] as const;
const KEYS: readonly string[] = [...SELECTED_FIELDS, ...TIMES];
/** Every call that passes the filters. */
const ALL = 'all';

export interface Selection {
  /** Per field the values of which a call has one; absent = whatever it has. */
  readonly values: Readonly<Partial<Record<SelectedField, readonly string[]>>>;
  /** As they were written. */
  readonly since: string | undefined;
  readonly until: string | undefined;
}

/** Half-open, RFC 3339 UTC; null = unbounded. */
export interface Between {
  readonly since: string | null;
  readonly until: string | null;
}

/** Anything else names a file. */
export const isSelection = (text: string): boolean => text === ALL || /^\s*[A-Za-z_]+\s*=/.test(text);

/**
 * @param option that it was given with, for the words of an error.
 * @throws LakelogError (exit 2) for an unknown key, an empty value, a time that stands twice, an open quote.
 */
export function parseSelection(option: string, text: string): Selection {
  const values: Partial<Record<SelectedField, string[]>> = {};
  const times: Partial<Record<(typeof TIMES)[number], string>> = {};
  for (const [key, value] of text === ALL ? [] : pairsOf(option, text)) {
    if (value === '') {
      throw new LakelogError(`${option}: ${key} is empty`, {
        next: `give it a value, or leave it out (a variable of the shell that nobody set?)`,
      });
    }
    if (isTime(key)) {
      if (times[key] !== undefined)
        throw new LakelogError(`${option}: ${key} stands twice`, { next: 'keep one of the two' });
      times[key] = value;
    } else if (isField(key)) values[key] = [...new Set([...(values[key] ?? []), value])];
    else throw unknownKey(option, key);
  }
  return { values, since: times.since, until: times.until };
}

const isTime = (key: string): key is (typeof TIMES)[number] => TIMES.some((one) => one === key);
const isField = (key: string): key is SelectedField => SELECTED_FIELDS.some((one) => one === key);

function unknownKey(option: string, key: string): LakelogError {
  const meant = nearestOf(key, KEYS);
  return new LakelogError(`${option}: "${key}" is nothing that calls are selected by`, {
    next: meant === null ? `use ${KEYS.slice(0, -1).join(', ')} or ${KEYS.at(-1)}` : `did you mean ${meant}?`,
  });
}

/** `key=value` parts between commas; quotes and backslashes keep a comma in its value. */
export function pairsOf(option: string, text: string): [key: string, value: string][] {
  return partsOf(option, text).map((part) => {
    const at = part.findIndex(({ char, isLiteral }) => char === '=' && !isLiteral);
    const said = (chars: readonly Char[]) =>
      trimmed(chars)
        .map(({ char }) => char)
        .join('');
    if (at > 0) return [said(part.slice(0, at)), said(part.slice(at + 1))];
    throw new LakelogError(`${option}: ${JSON.stringify(said(part))} is no key=value`, {
      next: 'write it as: model=gpt-4.1,since=2026-09-01; a comma in a value as \\, or in quotes',
    });
  });
}

interface Char {
  readonly char: string;
  /** It was quoted or stood behind a backslash: it means itself. */
  readonly isLiteral: boolean;
}

function partsOf(option: string, text: string): Char[][] {
  const parts: Char[][] = [[]];
  let quote: string | null = null;
  const chars = [...text];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    const add = (one: string, isLiteral: boolean) => parts.at(-1)!.push({ char: one, isLiteral });
    if (char === '\\' && i + 1 < chars.length) add(chars[++i]!, true);
    else if (char === quote) quote = null;
    else if (quote !== null) add(char, true);
    else if (char === '"' && startsValue(parts.at(-1)!)) quote = char;
    else if (char === ',') parts.push([]);
    else add(char, false);
  }
  if (quote === null) return parts;
  throw new LakelogError(`${option}: a quote is not closed in ${text}`, {
    next: 'close it, or write it as \\"',
  });
}

/** A quote inside a value is part of it: `12" rack`. */
const startsValue = (part: readonly Char[]) => {
  const before = trimmed(part);
  return before.at(-1)?.char === '=' && before.filter(({ char }) => char === '=').length === 1;
};

const isSpace = ({ char, isLiteral }: Char) => !isLiteral && /\s/.test(char);

function trimmed(part: readonly Char[]): readonly Char[] {
  const start = part.findIndex((one) => !isSpace(one));
  return start < 0 ? [] : part.slice(start, part.findLastIndex((one) => !isSpace(one)) + 1);
}

/** A duration moves with the clock, and with it what was counted before. */
export const isSliding = (time: string | undefined): boolean => time !== undefined && parseAge(time) !== null;

/** The same selection in words, so that it can be pasted; times as instants where they are known. */
export function selectionText({ values, since, until }: Selection, between?: Between): string {
  const parts = [
    ...SELECTED_FIELDS.flatMap((field) =>
      (values[field] ?? []).map((value) => `${field}=${valueText(value)}`),
    ),
    ...timeText('since', between?.since ?? since),
    ...timeText('until', between?.until ?? until),
  ];
  return parts.join(',') || ALL;
}

const timeText = (name: string, time: string | undefined) => (time === undefined ? [] : [`${name}=${time}`]);

const valueText = (value: string) =>
  /[,\\]|^["\s]|\s$/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value;

/** How one engine writes what a condition compares with. */
export interface Literals {
  quote(text: string): string;
  instant(rfc3339: string): string;
}

/** Condition over a call `s`: true or false, never unknown. */
export const selectionSql = (selection: Selection, between: Between, literals: Literals): string =>
  conditionsSql(selection, between, literals, 'FALSE');

/** The same for calls that do not record all that is selected by: true for those that may be meant. */
export const possibleSql = (selection: Selection, between: Between, literals: Literals): string =>
  conditionsSql(selection, between, literals, 'TRUE');

function conditionsSql(
  { values }: Selection,
  { since, until }: Between,
  literals: Literals,
  unrecorded: 'TRUE' | 'FALSE',
): string {
  const conditions = [
    ...SELECTED_FIELDS.flatMap((field) => {
      const list = (values[field] ?? []).map((value) => literals.quote(value)).join(', ');
      return list === '' ? [] : [`COALESCE(s.${field} IN (${list}), ${unrecorded})`];
    }),
    ...(since === null ? [] : [`s.timestamp >= ${literals.instant(since)}`]),
    ...(until === null ? [] : [`s.timestamp < ${literals.instant(until)}`]),
  ];
  return conditions.length === 0 ? 'TRUE' : `(${conditions.join(' AND ')})`;
}

export const DRIFT_TARGET = 'drift:';

/**
 * What `lakelog ack` takes for a drift: `drift:metric=first-shot-rate,change=2026-09-14T00:00:00Z,kind=fill`.
 * @throws LakelogError (exit 2) for what is none.
 */
export function parseDriftTarget(target: string): {
  readonly metric: Metric;
  readonly change: string;
  readonly selection: Selection;
} {
  const pairs = pairsOf('the target', target.slice(DRIFT_TARGET.length));
  const one = (key: string) => pairs.find(([name]) => name === key)?.[1];
  const metric = METRICS.find((name) => name === one('metric'));
  const change = one('change');
  const others = pairs.filter(([key]) => key !== 'metric' && key !== 'change');
  const strange = others.find(([key]) => !FILTERED.includes(key));
  if (metric === undefined || change === undefined || strange !== undefined) {
    throw new LakelogError(`${JSON.stringify(target)} is no drift`, {
      next: 'paste the target as `lakelog drift` prints it: drift:metric=first-shot-rate,change=2026-09-14T00:00:00Z',
    });
  }
  const values: Partial<Record<SelectedField, string[]>> = {};
  for (const [key, value] of others) if (isField(key)) values[key] = [...(values[key] ?? []), value];
  return { metric, change, selection: { values, since: undefined, until: undefined } };
}

/** What `lakelog drift` filters by. */
const FILTERED: readonly string[] = ['model', 'kind', 'daemon', 'environment'];

/** One that reads every column that a selection may read: what a lake is opened for, whatever is selected. */
export const WIDEST: Selection = {
  values: Object.fromEntries(SELECTED_FIELDS.map((field) => [field, ['']])),
  since: undefined,
  until: undefined,
};
export const WIDEST_BETWEEN: Between = { since: '2000-01-01T00:00:00Z', until: null };
