import { createHash } from 'node:crypto';
import { LakelogError, messageOf } from '../errors.js';
import type { GateRule, GateSpec } from '../schema/gate.js';
import type { ColumnType } from '../schema/result.js';
import { bindParam } from './params.js';
import { NEEDS, type Need, type Param, type ParamType, type Query, type QueryColumn } from './question.js';

export type { Param, ParamType, Query, QueryColumn } from './question.js';

const COLUMN_TYPES: readonly ColumnType[] = [
  'text',
  'integer',
  'number',
  'fraction',
  'boolean',
  'timestamp',
  'json',
];
const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
/** Looks like a line of the header, wherever it stands and however it is written. */
const HEADER_LIKE =
  /^\s*-{2,}\s*(title|question|needs|param|column|gate|fires|cannot-vouch|judges|canary)\s*:/i;

/**
 * Reads the `-- key: value` lines at the top of a query file.
 * @throws LakelogError naming file, line and remedy.
 */
export function parseQuery(file: string, name: string, sql: string): Query {
  const params: Param[] = [];
  const columns: QueryColumn[] = [];
  const fires: GateRule[] = [];
  const cannotVouch: (GateRule & { unless?: string })[] = [];
  const canaries: { value: string; fields: Record<string, unknown> }[] = [];
  const single = new Map<string, string>();

  let inHeader = true;
  for (const [i, text] of sql.split('\n').entries()) {
    const [, key, raw] = /^--\s*([a-z-]+):\s*(.*?)\s*$/.exec(text) ?? [];
    const fail = (what: string, next: string) => new LakelogError(what, { where: `${file}:${i + 1}`, next });
    inHeader &&= key !== undefined;
    if (!inHeader && HEADER_LIKE.test(text)) {
      // A line that is left out could be the one that makes it a gate.
      throw fail(
        'a line of the header stands below its end',
        'write the header as the first lines of the file, each as: -- key: value',
      );
    }
    if (!inHeader || key === undefined || raw === undefined) continue;
    switch (key) {
      case 'title':
      case 'question':
      case 'gate':
      case 'judges':
      case 'needs':
        if (single.has(key)) throw fail(`"${key}" stands twice in the header`, 'keep one of the two');
        if (key === 'needs' && !NEEDS.some((need) => need === raw))
          throw fail(
            `"${raw}" is nothing a question can need`,
            `write one of: ${NEEDS.map((need) => `-- needs: ${need}`).join(', ')}`,
          );
        single.set(key, raw);
        break;
      case 'param':
        params.push(once('parameter', params, parseParam(raw, fail), fail));
        break;
      case 'column':
        columns.push(once('column', columns, parseColumn(raw, fail), fail));
        break;
      case 'fires': {
        const { head, note } = split(raw);
        fires.push({ value: head, note });
        break;
      }
      case 'cannot-vouch': {
        const { head, note } = split(raw);
        const [value = '', unless] = head.split(/\s+unless\s+/);
        cannotVouch.push({ value, note, ...(unless === undefined ? {} : { unless }) });
        break;
      }
      case 'canary':
        canaries.push(parseCanary(raw, fail));
        break;
      default:
        throw fail(
          `"${key}" is no key of a query header`,
          'use title, question, needs, param, column, gate, fires, cannot-vouch, judges or canary',
        );
    }
  }
  const need = (key: string) => {
    const value = single.get(key);
    if (value) return value;
    throw new LakelogError(`the header has no "${key}"`, {
      where: `${file}:1`,
      next: `add a line: -- ${key}: …`,
    });
  };
  const title = need('title');
  const question = need('question');
  if (columns.length === 0) {
    throw new LakelogError('the header names no column', {
      where: `${file}:1`,
      next: 'add a line per column of the SELECT: -- column: name type "label" -- what it is',
    });
  }
  const flags = new Set(params.flatMap(flagColumns));
  const hidden = columns.find(({ when }) => when !== undefined && !flags.has(when));
  if (hidden) {
    throw new LakelogError(`column "${hidden.name}" would never show: no parameter makes "${hidden.when}"`, {
      where: `${file}:1`,
      next: `use one of ${[...flags].join(', ') || 'no "when"'}`,
    });
  }
  if (
    !single.has('gate') &&
    fires.length + cannotVouch.length + canaries.length + (single.has('judges') ? 1 : 0) > 0
  ) {
    throw new LakelogError('the header has rules of a gate but no "gate"', {
      where: `${file}:1`,
      next: 'add a line: -- gate: the column that says which rule a row breaks',
    });
  }
  let gate: GateSpec | null = null;
  if (single.has('gate')) {
    const column = need('gate');
    if (!columns.some((candidate) => candidate.name === column)) {
      throw new LakelogError(`the gate reads column "${column}", which the header does not name`, {
        where: `${file}:1`,
        next: `add a line: -- column: ${column} text`,
      });
    }
    if (fires.length === 0 || canaries.length === 0) {
      throw new LakelogError('a gate needs at least one "fires" and one "canary" line', {
        where: `${file}:1`,
        next: 'say which value fires, and plant a record that must be found: -- canary: value {"field": …}',
      });
    }
    for (const { unless } of cannotVouch) {
      if (
        unless !== undefined &&
        !params.some((param) => param.name === unless && param.of.type === 'flag')
      ) {
        throw new LakelogError(`"unless ${unless}" names no flag`, {
          where: `${file}:1`,
          next: `add a line: -- param: ${unless} flag = false -- what it allows`,
        });
      }
    }
    gate = { column, fires, cannotVouch, judges: need('judges'), canaries };
  }
  const sha256 = createHash('sha256').update(sql).digest('hex');
  const needs = (single.get('needs') as Need | undefined) ?? null;
  return { name, file, title, question, params, columns, gate, needs, sql, sha256 };
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

type Fail = (what: string, next: string) => LakelogError;

function split(raw: string): { head: string; note: string } {
  const at = raw.indexOf(' -- ');
  return at < 0 ? { head: raw, note: '' } : { head: raw.slice(0, at).trim(), note: raw.slice(at + 4).trim() };
}

function parseParam(raw: string, fail: Fail): Param {
  const { head, note } = split(raw);
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
        'use set(…), choice(…), kinds, flag, integer, number or text',
      );
  }
}

function parseColumn(raw: string, fail: Fail): QueryColumn {
  const { head, note } = split(raw);
  const [, name, type, label, minor, when] =
    /^(\S+)\s+([a-z]+)(?:\s+"([^"]*)")?(\s+minor)?(?:\s+when\s+(\S+))?$/.exec(head) ?? [];
  if (!name || !type)
    throw fail(`"${head}" is no column`, 'write it as: -- column: name type "label" -- what it is');
  if (!COLUMN_TYPES.includes(type as ColumnType)) {
    throw fail(`"${type}" is no column type`, `use one of ${COLUMN_TYPES.join(', ')}`);
  }
  return {
    name,
    type: type as ColumnType,
    ...(label === undefined ? {} : { label }),
    ...(note === '' ? {} : { note }),
    ...(minor === undefined ? {} : { minor: true }),
    ...(when === undefined ? {} : { when }),
  };
}

function parseCanary(raw: string, fail: Fail): { value: string; fields: Record<string, unknown> } {
  const [, value, json] = /^(\S+)\s+(\{.*\})$/.exec(raw) ?? [];
  try {
    if (!value || !json) throw new Error();
    return { value, fields: JSON.parse(json) as Record<string, unknown> };
  } catch {
    throw fail(`"${raw}" is no canary`, 'write it as: -- canary: value {"field": …}');
  }
}
