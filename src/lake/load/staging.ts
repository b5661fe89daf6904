/** The tables that the scanner fills, and those that are made of them. */

import type { Layout } from '../../scan/columns.js';
import type { ScanOptions } from '../../scan/machine.js';
import { NAMING_COLUMNS } from '../../scan/named.js';
import { ATTEMPT_FIELDS, DOCUMENT_FIELDS, type Field, type FieldType } from '../../schema/fields.js';
import type { Database } from '../duckdb/connection.js';
import { ident } from '../duckdb/sql.js';
import { BASE_TABLES, type BaseColumn, type BaseName, baseTable, CARRIED } from '../tables/base.js';
import type { LoadPlan } from '../tables/plan.js';
import { NAMING_TABLE } from './naming.js';

/** A call without a call_id is known by its required fields; virtual, so that only who asks for keys pays. */
export const CALL_KEY = `VARCHAR GENERATED ALWAYS AS (COALESCE(call_id, 'h:' || left(md5(concat_ws(chr(31), session_id,
  epoch_us("timestamp"), kind, model, iterations, final_verdict, grounded_in_roster, daemon)), 16))) VIRTUAL`;

const hasColumn = (columns: readonly BaseColumn[] | undefined, name: string) =>
  columns?.some((column) => column.name === name) === true;

/** What the scanner is to hand over: columns of the plan, the hash that finds equal lines, and what others are made of. */
export function scanColumns(
  plan: LoadPlan,
  {
    hashes = false,
    gatedKinds,
  }: { readonly hashes?: boolean | undefined; readonly gatedKinds: readonly string[] | null },
): Pick<ScanOptions, 'calls' | 'runs' | 'attemptFields' | 'passing' | 'naming'> {
  const names = (base: 'calls' | 'runs', ...more: string[]) => {
    const held = plan[base].map(({ name }) => name).filter((name) => name !== 'call_key_base');
    // Twins are numbered by the hashes of their lines, which are read again where that was not done at once.
    const places = plan.twins ? ['line_sha256', 'byte_offset'] : hashes ? ['line_sha256'] : [];
    return [...new Set([...held, ...places, 'line_key', ...more])];
  };
  const readsAttempts = plan.attempts !== undefined || plan.attempt_reasons !== undefined;
  const naming = plan.named_workers ? NAMING_COLUMNS : [];
  return {
    ...(plan.named_workers ? { naming: gatedKinds } : {}),
    passing: naming.filter((name) => !hasColumn(plan.calls, name)),
    calls: names('calls', ...(readsAttempts ? ['codes', 'attempts'] : []), ...naming),
    runs: names('runs', ...(plan.documents ? ['documents'] : [])),
    attemptFields: attemptFields(plan).map(({ name }) => name),
  };
}

/** What is kept of every reject; null = nothing is. */
export function rejectColumns(
  plan: LoadPlan,
  { everyReject = false }: { readonly everyReject?: boolean | undefined },
): readonly BaseColumn[] | null {
  // Whether it could hide a call matters to acknowledgements only.
  if (everyReject) return [...BASE_TABLES.rejects, { name: 'blocks', type: 'BOOLEAN' }];
  return plan.rejects ?? null;
}

/** Empty ones: those that the scanner fills, and those that are filled with rows. */
export async function createTables(
  db: Database,
  plan: LoadPlan,
  { columns: [scanned, runs] }: Layout,
  rejected: readonly BaseColumn[] | null,
): Promise<void> {
  const create = (base: BaseName, columns: readonly { readonly name: string; readonly type: string }[]) =>
    `CREATE OR REPLACE TABLE ${baseTable(base)} (${columns.map(({ name, type }) => `${ident(name)} ${type}`).join(', ')})`;
  const calls = scanned.filter(({ passing }) => !passing);
  await db.run(
    [
      create('calls', [...calls, { name: 'call_key_base', type: CALL_KEY }]),
      create('runs', runs),
      create('batches', BASE_TABLES.batches),
      ...(rejected ? [create('rejects', rejected)] : []),
      ...(plan.twins ? [create('twins', BASE_TABLES.twins)] : []),
      ...(plan.named_workers ? [create('named_workers', BASE_TABLES.named_workers), NAMING_TABLE] : []),
    ].join('; '),
  );
}

/** Fields of an attempt that some table is made of. */
function attemptFields(plan: LoadPlan): readonly Field[] {
  const reasons = plan.attempt_reasons !== undefined || hasColumn(plan.attempts, 'reasons_text');
  const fields = ATTEMPT_FIELDS.filter(({ name }) =>
    name === 'reasons'
      ? reasons
      : !['verdict', 'attempt_number'].includes(name) && hasColumn(plan.attempts, name),
  );
  // A struct has a field, even where nobody asks for one.
  return fields.length > 0 ? fields : ATTEMPT_FIELDS.filter(({ name }) => name === 'attempt_number');
}

/** The scanner let nothing else through, so types need no check. */
const JSON_TYPES: Partial<Record<FieldType, unknown>> = {
  strings: ['VARCHAR'],
  integer: 'BIGINT',
  positive: 'BIGINT',
  number: 'DOUBLE',
};

function structType(fields: readonly Field[]): string {
  return JSON.stringify([
    Object.fromEntries(fields.map(({ name, type }) => [name, JSON_TYPES[type] ?? 'VARCHAR'])),
  ]);
}

const VERDICT = `CASE code WHEN 'a' THEN 'accepted' WHEN 'r' THEN 'rejected'
  WHEN 'n' THEN 'no_candidate' WHEN 'i' THEN 'infra_error' ELSE 'other' END`;
/** Ids and numbers become #, so that one cause groups. */
const SHAPE = "regexp_replace(reason, '[\\p{L}\\p{N}_-]*[0-9][\\p{L}\\p{N}_-]*', '#', 'g')";

const OF_ATTEMPT: Readonly<Record<string, string>> = {
  verdict: VERDICT,
  reasons_text: "NULLIF(array_to_string(a.reasons, ' | '), '')",
  reason_shape: SHAPE,
  ...Object.fromEntries(ATTEMPT_FIELDS.slice(1).map(({ name }) => [name, `a.${ident(name)}`])),
  attempt_number: 'attempt_number',
};
const OF_DOCUMENT = Object.fromEntries(DOCUMENT_FIELDS.map(({ name }) => [name, `d.${ident(name)}`]));

/** Where rows come from and where they go; in memory both are the base tables. */
export interface Explosion {
  /** Schema of the tables that hold the JSON. */
  readonly from: string;
  /** The beginning of a statement that takes the rows of a SELECT. */
  into(base: BaseName, columns: readonly BaseColumn[]): string;
  /** What stands in the column `batch`. */
  readonly batch: string;
}

const IN_MEMORY: Explosion = {
  from: 'main',
  into: (base) => `CREATE OR REPLACE TABLE ${baseTable(base)} AS`,
  batch: 'batch',
};

/** Base tables that are made of others, once all lines stand in those. */
export async function explode(db: Database, plan: LoadPlan, explosion = IN_MEMORY): Promise<void> {
  const unnested = (base: BaseName, json: string, type: string, as: string, number: string, also = '') =>
    `(SELECT *, unnest(l) AS ${as}, generate_subscripts(l, 1) AS ${number}${also}
      FROM (SELECT *, from_json(${json}, '${type}') AS l FROM ${explosion.from}.base_${base} WHERE ${json} IS NOT NULL))`;
  // Letters of all attempts beside each of them would be copied as often as there are attempts.
  // An empty text would split into one letter.
  const letters = ", unnest(CASE WHEN codes <> '' THEN string_split(codes, '') END) AS code";
  const type = structType(attemptFields(plan));
  const attempts = unnested('calls', 'attempts', type, 'a', 'attempt_number', letters);
  // Parsing takes longer than all else.
  const isTwice = plan.attempts !== undefined && plan.attempt_reasons !== undefined;
  const parsed = isTwice ? 'temp.parsed_attempts' : attempts;
  const made: readonly (readonly [BaseName, Readonly<Record<string, string>>, string])[] = [
    ['attempts', OF_ATTEMPT, parsed],
    [
      'attempt_reasons',
      OF_ATTEMPT,
      `(SELECT *, unnest(a.reasons) AS reason, generate_subscripts(a.reasons, 1) AS reason_number FROM ${parsed})`,
    ],
    ['documents', OF_DOCUMENT, unnested('runs', 'documents', structType(DOCUMENT_FIELDS), 'd', 'position')],
  ];
  const statements = made.flatMap(([base, expressions, from]) => {
    const columns = plan[base];
    if (!columns) return [];
    const list = columns.map(({ name }) => {
      const cell = name === 'batch' ? explosion.batch : (expressions[name] ?? ident(name));
      return `${cell} AS ${ident(name)}`;
    });
    return [`${explosion.into(base, columns)} SELECT ${list.join(', ')} FROM ${from}`];
  });
  if (statements.length === 0) return;
  const carried = ['batch', 'line', 'code', ...CARRIED.attempts.columns.map(({ name }) => name)];
  const held = carried.filter((name) =>
    hasColumn([...(plan.attempts ?? []), ...(plan.attempt_reasons ?? []), ...ALWAYS_THERE], name),
  );
  const once = `CREATE OR REPLACE TEMP TABLE parsed_attempts AS
    SELECT ${held.map(ident).join(', ')}, a, attempt_number FROM ${attempts}`;
  await db.run(
    [...(isTwice ? [once] : []), ...statements, ...(isTwice ? ['DROP TABLE temp.parsed_attempts'] : [])].join(
      '; ',
    ),
  );
}

const ALWAYS_THERE: readonly BaseColumn[] = [{ name: 'code', type: 'VARCHAR' }];
