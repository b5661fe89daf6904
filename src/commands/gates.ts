import { LakelogError } from '../errors.js';
import type { Lake } from '../lake/lake.js';
import type { Catalogue } from '../query/catalogue.js';
import type { Query } from '../query/header.js';
import { bindParams, type Given } from '../query/params.js';
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

/** Rows of a gate by `file:line`: the value of its column, and of session_id where it has one. */
export async function violationsOf(lake: Lake, gate: Query, given: Given): Promise<Map<string, string>> {
  await lake.setParams(bindParams(gate, given).columns);
  const { names, cells } = await lake.query(gate.sql);
  const [value, file, line] = [gate.gate!.column, 'file', 'line'].map((name) => names.indexOf(name));
  if (file! < 0 || line! < 0) return new Map();
  return new Map(cells.map((row) => [`${row[file!]}:${row[line!]}`, String(row[value!])]));
}

/** What every gate says of the loaded calls, by `file:line`. */
export async function allViolations(
  lake: Lake,
  gates: readonly Query[],
  gatedKinds: readonly string[],
): Promise<Map<string, StoryCall['violations'][number][]>> {
  const found = new Map<string, StoryCall['violations'][number][]>();
  for (const gate of gates) {
    const kinds = gate.params.find((param) => param.of.type === 'kinds');
    const rows = await violationsOf(lake, gate, kinds ? { [kinds.name]: gatedKinds } : {});
    for (const [place, value] of rows) {
      found.set(place, [...(found.get(place) ?? []), { gate: gate.name, value }]);
    }
  }
  return found;
}
