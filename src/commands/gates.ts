import { LakelogError } from '../errors.js';
import type { Lake } from '../lake/lake.js';
import type { Catalogue } from '../query/catalogue.js';
import type { Query } from '../query/header.js';
import { bindParams, type Given } from '../query/params.js';
import { withPolicyParams } from '../query/policy-params.js';
import type { Settings } from '../query/settings.js';
import { sqlError } from '../query/sql-error.js';
import type { StoryCall } from '../schema/story.js';

/** @throws LakelogError (exit 2) for a name that is no gate. */
export function gateNamed({ queries, usualGate }: Catalogue, name: string | undefined): Query {
  const gates = queries.filter((query) => query.gate !== null);
  const found = name === undefined ? usualGate : gates.find((query) => query.name === name);
  if (found) return found;
  throw new LakelogError(name === undefined ? 'no gate was named' : `${name} is no gate`, {
    next: `use --gate with one of ${gates.map((query) => query.name).join(', ')}`,
  });
}

/** Rows of a gate by `file:line`: the values of its column. */
export async function violationsOf(lake: Lake, gate: Query, given: Given): Promise<Map<string, string[]>> {
  await lake.setParams(bindParams(gate, given).columns);
  const { names, cells } = await lake.query(gate.sql).catch((error) => {
    throw sqlError(gate.file, error);
  });
  const [value, file, line] = [gate.gate!.column, 'file', 'line'].map((name) => names.indexOf(name));
  const found = new Map<string, string[]>();
  if (file! < 0 || line! < 0) return found;
  for (const row of cells) {
    const place = `${row[file!]}:${row[line!]}`;
    const values = found.get(place) ?? [];
    if (!values.includes(String(row[value!]))) found.set(place, [...values, String(row[value!])]);
  }
  return found;
}

/** What every gate says of the loaded calls, by `file:line`. */
export async function allViolations(
  lake: Lake,
  gates: readonly Query[],
  settings: Settings,
  params: readonly string[],
): Promise<Map<string, StoryCall['violations'][number][]>> {
  const found = new Map<string, StoryCall['violations'][number][]>();
  for (const gate of gates) {
    const given = givenOf(gate, settings, paramsOf(gate, params));
    for (const [place, values] of await violationsOf(lake, gate, given)) {
      const added = values.map((value) => ({ gate: gate.name, value }));
      found.set(place, [...(found.get(place) ?? []), ...added]);
    }
  }
  return found;
}

/** Those of many `name=value` texts that set a parameter of this gate. */
export function paramsOf(gate: Query, params: readonly string[]): string[] {
  return params.filter((one) => gate.params.some(({ name }) => one.startsWith(`${name}=`)));
}

/**
 * Parameters of a gate from `name=value` texts.
 * @throws LakelogError (exit 2) for a name the gate does not have.
 */
export function givenOf(gate: Query, settings: Settings, params: readonly string[]): Given {
  const gatedKinds = settings.get('gated_kinds');
  const given = new Map<string, string[] | boolean>();
  for (const one of params) {
    const [, name, text] = /^(\w+)=([\s\S]*)$/.exec(one) ?? [];
    const known = gate.params.find((candidate) => candidate.name === name);
    if (name === undefined || text === undefined || known === undefined) {
      throw new LakelogError(`-p ${one} sets no parameter of ${gate.name}`, {
        next: `use name=value with one of ${gate.params.map((candidate) => candidate.name).join(', ')}`,
      });
    }
    if (known.of.type !== 'flag') given.set(name, [...((given.get(name) as string[]) ?? []), text]);
    else if (text === 'true' || text === 'false') given.set(name, text === 'true');
    else
      throw new LakelogError(`-p ${one} is neither true nor false`, { next: `write it as: -p ${name}=true` });
  }
  const kinds = gate.params.find((candidate) => candidate.of.type === 'kinds');
  if (kinds && gatedKinds) given.set(kinds.name, [...gatedKinds]);
  return withPolicyParams(gate, Object.fromEntries(given), settings.entries);
}
