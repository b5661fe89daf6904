/** Parameters that lakelog.toml gives to a gate. */
import { LakelogError } from '../errors.js';
import { nearestOf } from './nearest.js';
import { bindParam, type Given } from './params.js';
import type { ParamText, PolicyEntry } from './policy.js';
import type { Param, Query } from './question.js';

/** The entry of a gate; undefined where there is none. */
export const entryOf = (entries: readonly PolicyEntry[], name: string): PolicyEntry | undefined =>
  entries.find((entry) => entry.kind === 'gates' && entry.name === name);

/**
 * What options say goes before what lakelog.toml says.
 * @throws LakelogError (exit 2) for a name that the gate does not have, or a value that it does not take.
 */
export function withPolicyParams(query: Query, given: Given, entries: readonly PolicyEntry[]): Given {
  const entry = entryOf(entries, query.name);
  if (entry === undefined) return given;
  const named = Object.entries(entry.params).map(([name, value]) => [
    name,
    textsOf(query, entry, name, value),
  ]);
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(named), ...Object.fromEntries(said) };
}

function textsOf(query: Query, entry: PolicyEntry, name: string, value: ParamText): Given[string] {
  const fail = (what: string, next: string) => new LakelogError(what, { where: entry.where('params'), next });
  const names = query.params.map((param) => param.name);
  const param = query.params.find((one) => one.name === name);
  if (param === undefined) {
    const nearest = nearestOf(name, names);
    const others = names.length === 0 ? `it has none: take params out` : `use ${names.join(', ')}`;
    throw fail(
      `${query.name} has no parameter "${name}"`,
      nearest === null ? others : `did you mean ${nearest}?`,
    );
  }
  if (param.of.type === 'kinds')
    throw fail(`"${name}" of ${query.name} is set for all gates`, 'write it as: gated_kinds = ["fill"]');
  if ((param.of.type === 'flag') !== (typeof value === 'boolean'))
    throw fail(
      `"${name}" of ${query.name} cannot be ${JSON.stringify(value)}`,
      `write it as: ${exampleOf(param)}`,
    );
  const texts = typeof value === 'boolean' ? value : [value].flat().map(String);
  try {
    bindParam(param, texts);
  } catch (error) {
    if (!(error instanceof LakelogError)) throw error;
    throw fail(`"${name}" of ${query.name}: ${error.message}`, `write it as: ${exampleOf(param)}`);
  }
  return texts;
}

function exampleOf({ name, of, default: usual }: Param): string {
  if (of.type === 'flag') return `params = { ${name} = true }`;
  const isNumber = of.type === 'integer' || of.type === 'number';
  return `params = { ${name} = ${isNumber ? usual : JSON.stringify(usual)} }`;
}
