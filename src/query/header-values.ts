import type { LakelogError } from '../errors.js';
import { messageOf } from '../errors.js';
import type { GateSpec } from '../schema/gate.js';
import type { ColumnType } from '../schema/result.js';
import { COLUMN_TYPES, PARAM_TYPES } from './header-keys.js';
import { bindParam } from './params.js';
import type { Param, ParamType, QueryColumn } from './question.js';

/** Makes the error of the line at hand. */
export type Fail = (what: string, next: string) => LakelogError;

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** What stands before and behind the first ` -- `. */
export function splitNote(raw: string): { head: string; note: string } {
  const at = raw.indexOf(' -- ');
  return at < 0 ? { head: raw, note: '' } : { head: raw.slice(0, at).trim(), note: raw.slice(at + 4).trim() };
}

export function parseParam(raw: string, fail: Fail): Param {
  const { head, note } = splitNote(raw);
  const [, name, type, argument, fallback] =
    /^(\S+)\s+([a-z]+)(?:\(([^)]*)\))?\s*(?:=\s*(.*))?$/.exec(head) ?? [];
  const usage = 'write it as: -- param: name type = default -- what it does';
  if (!name || !type || !NAME.test(name)) throw fail(`"${head}" is no parameter`, usage);
  if (fallback === undefined) throw fail(`parameter "${name}" has no default`, usage);
  if (name.startsWith('no_')) {
    throw fail(
      `parameter "${name}" begins with "no_", which options are negated with`,
      'give it another name',
    );
  }
  const param = { name, of: parseType(type, argument, fail), default: fallback.trim(), note };
  checkDefault(param, fail);
  return param;
}

function checkDefault(param: Param, fail: Fail): void {
  if (param.of.type === 'flag' && !/^(true|false)$/.test(param.default)) {
    throw fail(`flag "${param.name}" has the default "${param.default}"`, 'write false, or true');
  }
  try {
    bindParam(param, undefined);
  } catch (error) {
    throw fail(
      `the default of "${param.name}" is none: ${messageOf(error)}`,
      'give it a default that it takes',
    );
  }
}

function parseType(type: string, argument: string | undefined, fail: Fail): ParamType {
  switch (type) {
    case 'set':
    case 'choice': {
      const values = (argument ?? '').split('|').filter(Boolean);
      if (values.length === 0) throw fail(`type "${type}" lists no values`, `write it as: ${type}(one|two)`);
      return { type, values };
    }
    case 'integer': {
      const min = argument ? Number(argument) : null;
      if (min !== null && !Number.isSafeInteger(min))
        throw fail(`integer(${argument}) has no whole number`, 'write it as: integer(1)');
      return { type, min };
    }
    case 'kinds':
    case 'flag':
    case 'number':
    case 'text':
      return { type };
    default:
      throw fail(
        `"${type}" is no parameter type`,
        `use one of ${PARAM_TYPES.map(({ form }) => form).join(', ')}`,
      );
  }
}

export function parseColumn(raw: string, fail: Fail): QueryColumn {
  const { head, note } = splitNote(raw);
  const [, name, type, label, shown, when] =
    /^(\S+)\s+([a-z]+)(?:\s+"([^"]*)")?(?:\s+(minor|hidden))?(?:\s+when\s+(\S+))?$/.exec(head) ?? [];
  if (!name || !type)
    throw fail(`"${head}" is no column`, 'write it as: -- column: name type "label" -- what it is');
  if (!COLUMN_TYPES.some((known) => known.type === type)) {
    throw fail(
      `"${type}" is no column type`,
      `use one of ${COLUMN_TYPES.map((known) => known.type).join(', ')}`,
    );
  }
  return {
    name,
    type: type as ColumnType,
    ...(label === undefined ? {} : { label }),
    ...(note === '' ? {} : { note }),
    ...(shown === undefined ? {} : { [shown]: true }),
    ...(when === undefined ? {} : { when }),
  };
}

export function parseCanary(raw: string, fail: Fail): GateSpec['canaries'][number] {
  const [, value, against, json] = /^(\S+)(?:\s+against\s+(rosters?))?\s+(\{.*\})$/.exec(raw) ?? [];
  try {
    if (!value || !json) throw new Error();
    const fields = JSON.parse(json) as Record<string, unknown>;
    return against === undefined
      ? { value, fields }
      : { value, fields, against: against as 'roster' | 'rosters' };
  } catch {
    throw fail(`"${raw}" is no canary`, 'write it as: -- canary: value {"field": …}');
  }
}
