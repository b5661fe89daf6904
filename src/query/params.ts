import { LakelogError } from '../errors.js';
import type { ParamValue } from '../lake/lake.js';
import type { Param, Query } from './header.js';

/** What the user gave per parameter: the texts of a repeatable option, `true` for a flag. */
export type Given = Readonly<Record<string, readonly string[] | boolean | undefined>>;

export interface BoundParams {
  /** Columns of `params`, as the SQL sees them. */
  readonly columns: Record<string, ParamValue>;
  /** As they were meant, for the envelope. */
  readonly meant: Record<string, string | number | boolean | readonly string[]>;
  readonly gatedKinds: readonly string[];
}

export const DEFAULT_GATED_KINDS = ['fill'] as const;

/**
 * Checks and types the parameters of a query.
 * @throws LakelogError (exit 2) naming the option and what it takes.
 */
export function bindParams(query: Query, given: Given): BoundParams {
  const columns: Record<string, ParamValue> = {};
  const meant: BoundParams['meant'] = {};
  let gatedKinds: readonly string[] = DEFAULT_GATED_KINDS;
  for (const param of query.params) {
    const value = given[param.name];
    const texts = Array.isArray(value) && value.length > 0 ? (value as readonly string[]) : null;
    switch (param.of.type) {
      case 'flag':
        columns[param.name] = meant[param.name] =
          value === true || (value === undefined && param.default === 'true');
        break;
      case 'set': {
        const chosen = unique((texts ?? [param.default]).flatMap((text) => text.split(',')));
        for (const one of chosen) oneOf(param, one, param.of.values);
        for (const one of param.of.values) columns[`${param.name}_${one}`] = chosen.includes(one);
        meant[param.name] = chosen;
        break;
      }
      case 'kinds':
        gatedKinds = unique(texts ?? param.default.split(','));
        if (gatedKinds.includes('')) throw wrong(param, '', 'a kind');
        columns[param.name] = gatedKinds.join(',');
        meant[param.name] = gatedKinds;
        break;
      case 'integer':
      case 'number':
        columns[param.name] = meant[param.name] = numeric(param, last(texts) ?? param.default);
        break;
      case 'choice':
        columns[param.name] = meant[param.name] = oneOf(param, last(texts) ?? param.default, param.of.values);
        break;
      case 'text':
        columns[param.name] = meant[param.name] = last(texts) ?? param.default;
    }
  }
  return { columns, meant, gatedKinds };
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
