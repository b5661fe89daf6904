import { LakelogError } from '../errors.js';
import type { ParamValue } from '../lake/lake.js';
import type { Param, Query } from './question.js';
import { DEFAULT_GATED_KINDS } from './settings.js';

/** What the user gave per parameter: the texts of a repeatable option, `true` for a flag. */
export type Given = Readonly<Record<string, readonly string[] | boolean | undefined>>;

export interface BoundParams {
  /** Columns of `params`, as the SQL sees them. */
  readonly columns: Record<string, ParamValue>;
  /** As they were meant, for the envelope. */
  readonly meant: Record<string, string | number | boolean | readonly string[]>;
  readonly gatedKinds: readonly string[];
}

/** The gated kinds, and those of them that somebody named beyond those that the question has by itself. */
export function gatingOf(
  query: Query,
  { gatedKinds: gated }: BoundParams,
): { readonly gated: readonly string[]; readonly named: readonly string[] } {
  const usual = query.params.find(({ of }) => of.type === 'kinds')?.default.split(',') ?? gated;
  return { gated, named: gated.filter((kind) => !usual.includes(kind)) };
}

interface Bound {
  /** Columns of `params`. */
  readonly columns: Record<string, ParamValue>;
  readonly meant: BoundParams['meant'][string];
}

/**
 * Checks and types the parameters of a query.
 * @param kinds that somebody wants gated whatever is asked.
 * @throws LakelogError (exit 2) naming the option and what it takes.
 */
export function bindParams(query: Query, given: Given, kinds?: readonly string[]): BoundParams {
  const columns: Record<string, ParamValue> = {};
  const meant: BoundParams['meant'] = {};
  let gatedKinds = kinds ?? DEFAULT_GATED_KINDS;
  for (const param of query.params) {
    const value = Object.hasOwn(given, param.name) ? given[param.name] : undefined;
    const bound = bindParam(param, value ?? (param.of.type === 'kinds' ? kinds : undefined));
    Object.assign(columns, bound.columns);
    meant[param.name] = bound.meant;
    if (param.of.type === 'kinds') gatedKinds = bound.meant as readonly string[];
  }
  return { columns, meant, gatedKinds };
}

/** One parameter, from what was given for it or its default. */
export function bindParam(param: Param, value: Given[string]): Bound {
  const texts = Array.isArray(value) && value.length > 0 ? (value as readonly string[]) : null;
  const single = (one: ParamValue & BoundParams['meant'][string]): Bound => ({
    columns: { [param.name]: one },
    meant: one,
  });
  switch (param.of.type) {
    case 'flag':
      return single(value === true || (value === undefined && param.default === 'true'));
    case 'set': {
      const { values } = param.of;
      const chosen = unique((texts ?? [param.default]).flatMap((text) => text.split(',')));
      for (const one of chosen) oneOf(param, one, values);
      return {
        columns: Object.fromEntries(values.map((one) => [`${param.name}_${one}`, chosen.includes(one)])),
        meant: chosen,
      };
    }
    case 'kinds': {
      const kinds = unique(texts ?? param.default.split(','));
      if (kinds.includes('')) throw wrong(param, '', 'a kind');
      return { columns: { [param.name]: kinds.join(',') }, meant: kinds };
    }
    case 'integer':
    case 'number':
      return single(numeric(param, last(texts) ?? param.default));
    case 'choice':
      return single(oneOf(param, last(texts) ?? param.default, param.of.values));
    case 'text':
      return single(last(texts) ?? param.default);
  }
}

/**
 * Parameters without a header: `name=value`, where whole and decimal numbers, true and false are what they look
 * like and everything else is text (`id='"007"'` for text that looks like a number).
 * @throws LakelogError (exit 2) for what is no name=value.
 */
export function looseParams(given: readonly string[]): Record<string, ParamValue> {
  const columns: Record<string, ParamValue> = {};
  for (const one of given) {
    const [, name, text] = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(one) ?? [];
    if (name === undefined || text === undefined) {
      throw new LakelogError(`-p takes name=value, not "${one}"`, { next: 'write it as: -p streak=3' });
    }
    columns[name.toLowerCase()] = looseValue(text);
  }
  return columns;
}

function looseValue(text: string): ParamValue {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text))) {
    const number = Number(text);
    return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
  }
  if (/^"[\s\S]*"$/.test(text)) {
    try {
      return JSON.parse(text) as string;
    } catch {
      return text;
    }
  }
  return text;
}

export function optionName(param: Param): string {
  return `--${param.name.replaceAll('_', '-')}`;
}

function numeric(param: Param, text: string): number {
  const number = Number(text);
  const whole = param.of.type === 'integer';
  const min = param.of.type === 'integer' ? param.of.min : null;
  const fits =
    text.trim() !== '' &&
    Number.isFinite(number) &&
    (!whole || Number.isSafeInteger(number)) &&
    (min === null || number >= min);
  if (!fits)
    throw wrong(
      param,
      text,
      `${whole ? 'an integer' : 'a number'}${min === null ? '' : ` of at least ${min}`}`,
    );
  return number;
}

function oneOf(param: Param, text: string, values: readonly string[]): string {
  if (!values.includes(text)) throw wrong(param, text, `one of ${values.join(', ')}`);
  return text;
}

function wrong(param: Param, text: string, takes: string): LakelogError {
  return new LakelogError(`${optionName(param)} takes ${takes}, not "${text}"`, {
    next: `give ${optionName(param)} ${takes}`,
  });
}

const unique = (texts: readonly string[]) => [...new Set(texts)];
const last = (texts: readonly string[] | null) => texts?.[texts.length - 1];
