import {
  DOCUMENT_FIELDS,
  FINAL_VERDICTS,
  type Field,
  REPLAY_FIELDS,
  REPLAY_SCHEMA,
  SESSION_FIELDS,
  SESSION_SCHEMA,
  TIMESTAMP_PATTERN,
} from '../schema/fields.js';
import { ident, quote } from './duckdb.js';

export type Kind = 'sessions' | 'replay_runs';

export const FORMATS: Record<Kind, { schema: string; fields: readonly Field[]; table: string }> = {
  sessions: { schema: SESSION_SCHEMA, fields: SESSION_FIELDS, table: 'raw.session_lines' },
  replay_runs: { schema: REPLAY_SCHEMA, fields: REPLAY_FIELDS, table: 'raw.replay_lines' },
};

/** What happens to a line of the other record format. */
export type Routing = 'claim' | 'leave' | 'only';

/** Reasons that are bookkeeping, not rejects: the line is accounted for elsewhere. */
export const ELSEWHERE = ['elsewhere', 'duplicate', 'pending'] as const;

/**
 * Every declared field is read as JSON text, so that its type shows: `"false"` keeps its quotes, `false` does
 * not, and `1.7` is not rounded on the way (a typed DuckDB read bends all three silently).
 */
function strictColumns(kind: Kind, attemptFields: readonly string[]): string {
  const columns = FORMATS[kind].fields.map((field) =>
    field.type === 'attempts'
      ? `attempts: ${quote(attemptsType(attemptFields))}`
      : `${ident(field.name)}: 'JSON'`,
  );
  return `{${columns.join(', ')}}`;
}

function attemptsType(attemptFields: readonly string[]): string {
  return `STRUCT(${attemptFields.map((name) => `${ident(name)} JSON`).join(', ')})[]`;
}

function transformSpec(kind: Kind, attemptFields: readonly string[]): string {
  const attempt = Object.fromEntries(attemptFields.map((name) => [name, 'JSON']));
  return JSON.stringify(
    Object.fromEntries(
      FORMATS[kind].fields.map((field) => [field.name, field.type === 'attempts' ? [attempt] : 'JSON']),
    ),
  );
}

export interface ReadOptions {
  readonly maxLineBytes: number;
  /** Bytes of the longest line that is not over the limit. */
  readonly longestLine?: number;
  /** Fields of an attempt to read; `verdict` always, prompts and raw outputs only when asked for. */
  readonly attemptFields: readonly string[];
}

/**
 * Tier one: DuckDB's own strict reader. It fails as a whole at the first line that is no JSON object. Hive
 * partitioning is off, or a folder named `grounded_in_roster=true` would overwrite the stamp of every line in it.
 */
export function strictSource(path: string, kind: Kind, options: ReadOptions): string {
  const columns = FORMATS[kind].fields.map(({ name, type }) =>
    type === 'any' || type === 'documents' || type === 'attempts'
      ? ident(name)
      : `${text(name)} AS ${ident(name)}`,
  );
  return `(SELECT ${columns.join(', ')}, FALSE AS _odd_attempts, NULL::JSON AS _json
    FROM read_json(${quote(path)}, columns = ${strictColumns(kind, options.attemptFields)}, format = 'newline_delimited',
      records = 'true', auto_detect = false, compression = 'uncompressed', hive_partitioning = false,
      maximum_object_size = ${objectSize(options)}))`;
}

/**
 * Tier two: one row per line whatever it holds, NULL for what is not JSON. `json_transform` silently takes the
 * first of two equal keys, which the strict reader refuses; hence the key count.
 */
export function losslessSource(path: string, kind: Kind, options: ReadOptions): string {
  const names = FORMATS[kind].fields.map((field) => field.name);
  const duplicateKey = `list_filter([${names.map(quote).join(', ')}],
      lambda name: len(list_filter(json_keys(json), lambda key: key = name)) > 1)[1]`;
  return `(SELECT ${names.map((name) => `f.${ident(name)}`).join(', ')},
      CASE WHEN json IS NULL THEN 'bad_json'
           WHEN json_type(json) <> 'OBJECT' THEN 'not_object'
           WHEN len(json_keys(json)) <> list_unique(json_keys(json)) THEN 'duplicate_key:' || ${duplicateKey}
      END AS _fault,
      ${kind === 'sessions' ? "f.attempts IS NULL AND COALESCE(json_type(json, '$.attempts'), 'NULL') NOT IN ('ARRAY', 'NULL')" : 'FALSE'}
        AS _odd_attempts,
      json AS _json
    FROM (SELECT json, json_transform(json, ${quote(transformSpec(kind, options.attemptFields))}) AS f
      FROM read_ndjson_objects(${quote(path)}, ignore_errors = true, compression = 'uncompressed', hive_partitioning = false,
        maximum_object_size = ${objectSize(options)})))`;
}

/** Lines up to this length are read whatever was said of the longest. */
export const SMALL_OBJECT = 4 << 20;

/**
 * DuckDB reads pieces of twice this size and parses them several times over, so a bound far above the longest
 * line costs memory: 30 MB of long lines took more than 1 GB. The 16 are for the line's terminator.
 */
function objectSize({ maxLineBytes, longestLine = maxLineBytes }: ReadOptions): number {
  return Math.max(longestLine, Math.min(SMALL_OBJECT, maxLineBytes)) + 16;
}

const text = (name: string) => `${ident(name)}::VARCHAR`;
const double = (name: string) => `TRY_CAST(${text(name)} AS DOUBLE)`;
const MAX_EXACT = '9007199254740991';
const STRING_ARRAY = '\\[("([^"\\\\]|\\\\.)*"(,"([^"\\\\]|\\\\.)*")*)?\\]';

/** JSON text of a string → the string. Escapes are rare, so the parser only sees the texts that have one. */
export function unquoted(expression: string): string {
  const t = `${expression}::VARCHAR`;
  return `CASE WHEN contains(${t}, '\\') THEN ${expression} ->> '$' ELSE substr(${t}, 2, length(${t}) - 2) END`;
}

const instant = `TRY_CAST(upper(substr("timestamp"::VARCHAR, 2, length("timestamp"::VARCHAR) - 2)) AS TIMESTAMPTZ)`;

function hasType(field: Field): string | null {
  const integer = `(${double(field.name)} = floor(${double(field.name)}) AND abs(${double(field.name)}) <= ${MAX_EXACT})`;
  switch (field.type) {
    case 'any':
    case 'attempts':
      return null;
    case 'boolean':
      return `${text(field.name)} IN ('true', 'false')`;
    case 'number':
      return `isfinite(${double(field.name)})`;
    case 'integer':
    case 'count':
    case 'positive':
      return integer;
    case 'strings':
      return `regexp_full_match(${text(field.name)}, ${quote(STRING_ARRAY)}, 's')`;
    case 'documents':
      return documentsType(field.name);
    default:
      // JSON text of a string; that of anything else begins with a character that comes later in ASCII.
      return `${text(field.name)} < '#'`;
  }
}

function documentsType(name: string): string {
  const spec = JSON.stringify([Object.fromEntries(DOCUMENT_FIELDS.map((field) => [field.name, 'JSON']))]);
  const checks = DOCUMENT_FIELDS.map((field) => {
    const value = `d.${ident(field.name)}`;
    const number = `TRY_CAST(${value}::VARCHAR AS DOUBLE)`;
    const typed =
      field.type === 'string'
        ? `starts_with(${value}::VARCHAR, '"')`
        : field.type === 'integer'
          ? `(${number} = floor(${number}) AND abs(${number}) <= ${MAX_EXACT})`
          : `isfinite(${number})`;
    return `(${value} IS NULL OR COALESCE(${typed}, FALSE))`;
  });
  return `(starts_with(${text(name)}, '[')
    AND len(list_filter(from_json(${ident(name)}, '["JSON"]'), lambda e: NOT starts_with(COALESCE(e::VARCHAR, 'null'), '{'))) = 0
    AND len(list_filter(from_json(${ident(name)}, ${quote(spec)}), lambda d: NOT (${checks.join(' AND ')}))) = 0)`;
}

function hasValue(field: Field): string | null {
  switch (field.type) {
    case 'nonempty':
      return `${text(field.name)} <> '""'`;
    case 'timestamp':
      return `(regexp_full_match(substr(${text(field.name)}, 2, length(${text(field.name)}) - 2), ${quote(TIMESTAMP_PATTERN)}) AND ${instant} IS NOT NULL)`;
    case 'count':
      return `${double(field.name)} >= 0`;
    case 'positive':
      return `${double(field.name)} >= 1`;
    case 'verdict':
      return `${text(field.name)} IN (${FINAL_VERDICTS.map((verdict) => quote(JSON.stringify(verdict))).join(', ')})`;
    default:
      return null;
  }
}

interface Check {
  readonly reason: string;
  /** True: the line passes. False or NULL: it does not. */
  readonly passes: string;
}

/** What makes a JSON object a record of the format, in the order in which it is reported. */
function recordChecks(kind: Kind): Check[] {
  const fields = FORMATS[kind].fields.filter((field) => field.type !== 'schema');
  const optional = (field: Field, test: string) =>
    field.required ? test : `(${ident(field.name)} IS NULL OR ${test})`;
  const checks: Check[] = [];
  for (const field of fields) {
    if (field.required)
      checks.push({ reason: `missing:${field.name}`, passes: `${ident(field.name)} IS NOT NULL` });
  }
  for (const field of fields) {
    const test = hasType(field);
    if (test) checks.push({ reason: `type:${field.name}`, passes: optional(field, test) });
  }
  for (const field of fields) {
    const test = hasValue(field);
    if (test) checks.push({ reason: `value:${field.name}`, passes: optional(field, test) });
  }
  if (kind === 'sessions') {
    checks.push({
      reason: 'value:iterations',
      passes: `NOT (${text('final_verdict')} = '"accepted"' AND ${double('iterations')} = 0)`,
    });
  }
  return checks;
}

const schemaIs = (kind: Kind) =>
  `COALESCE(${text('schema')} = ${quote(JSON.stringify(FORMATS[kind].schema))}, FALSE)`;
export const otherKind = (kind: Kind): Kind => (kind === 'sessions' ? 'replay_runs' : 'sessions');

/**
 * NULL for a line that loads, `elsewhere` for one that another reading takes, `bad` for a file that is not clean.
 * Binding an expression takes longer than a short file, so there are no more of them than needed.
 */
export function strictReasonSql(kind: Kind, routing: Routing): string {
  return `CASE
    WHEN ${schemaIs(kind)} AND ${recordChecks(kind)
      .map((check) => check.passes)
      .join(' AND ')} THEN NULL
    ${routing === 'only' ? `WHEN NOT ${schemaIs(kind)} THEN 'elsewhere'` : ''}
    ${routing === 'leave' ? `WHEN ${schemaIs(otherKind(kind))} THEN 'elsewhere'` : ''}
    ELSE 'bad' END`;
}

/** One CASE that names why a line is not loaded; NULL = it is. Planning it takes longer than a short file. */
export function reasonSql(kind: Kind, routing: Routing): string {
  return `CASE
    ${routing === 'only' ? `WHEN NOT ${schemaIs(kind)} THEN 'elsewhere'` : ''}
    ${routing === 'leave' ? `WHEN ${schemaIs(otherKind(kind))} THEN 'elsewhere'` : ''}
    -- A key that stands twice counts against the format that declares it.
    WHEN _fault NOT LIKE 'duplicate_key:%' OR _fault = 'duplicate_key:schema' THEN _fault
    WHEN "schema" IS NULL THEN 'missing:schema'
    WHEN NOT starts_with("schema"::VARCHAR, '"') THEN 'type:schema'
    ${routing === 'claim' ? `WHEN ${schemaIs(otherKind(kind))} THEN 'wrong_kind'` : ''}
    WHEN NOT ${schemaIs(kind)} THEN 'value:schema'
    WHEN _fault IS NOT NULL THEN _fault
    ${recordChecks(kind)
      .map((check) => `WHEN NOT COALESCE(${check.passes}, FALSE) THEN ${quote(check.reason)}`)
      .join('\n    ')}
  END`;
}

/** One letter per attempt: a(ccepted) r(ejected) n(o candidate) i(nfra error) o(ther); `!` = not an array. */
const VERDICT_CODES = `CASE WHEN _odd_attempts THEN '!' ELSE array_to_string(list_transform(attempts,
    lambda a: CASE a.verdict::VARCHAR WHEN '"accepted"' THEN 'a' WHEN '"rejected"' THEN 'r'
      WHEN '"no_candidate"' THEN 'n' WHEN '"infra_error"' THEN 'i' ELSE 'o' END), '') END`;

/** Typed value of a field in the staging table. */
export function fieldValue(field: Field, attemptFields: readonly string[]): { sql: string; type: string } {
  switch (field.type) {
    case 'timestamp':
      return { sql: instant, type: 'TIMESTAMPTZ' };
    case 'integer':
    case 'count':
    case 'positive':
      return { sql: `TRY_CAST(${double(field.name)} AS BIGINT)`, type: 'BIGINT' };
    case 'number':
      return { sql: double(field.name), type: 'DOUBLE' };
    case 'boolean':
      return { sql: `TRY_CAST(${text(field.name)} AS BOOLEAN)`, type: 'BOOLEAN' };
    case 'strings':
      return {
        sql: `list_transform(from_json(${ident(field.name)}, '["JSON"]'), lambda e: e ->> '$')`,
        type: 'VARCHAR[]',
      };
    case 'any':
    case 'documents':
      return { sql: ident(field.name), type: 'JSON' };
    case 'attempts':
      return { sql: 'attempts', type: attemptsType(attemptFields) };
    default: {
      const value = unquoted(ident(field.name));
      return { sql: field.name === 'call_id' ? `NULLIF(${value}, '')` : value, type: 'VARCHAR' };
    }
  }
}

/** Columns of a staging table besides the record's own fields. */
export function derivedAtLoad(kind: Kind, withExtra: boolean): { name: string; sql: string; type: string }[] {
  const derived = [];
  if (kind === 'sessions') derived.push({ name: 'codes', sql: VERDICT_CODES, type: 'VARCHAR' });
  if (withExtra) {
    const nulls = JSON.stringify(Object.fromEntries(FORMATS[kind].fields.map((field) => [field.name, null])));
    const rest = `json_merge_patch(_json, ${quote(nulls)})`;
    derived.push({ name: 'extra', sql: `NULLIF(${rest}::VARCHAR, '{}')::JSON`, type: 'JSON' });
  }
  return derived;
}
