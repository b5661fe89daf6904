import { ATTEMPT_FIELDS, type Field, REPLAY_FIELDS, SESSION_FIELDS } from '../schema/fields.js';
import { quote } from './duckdb.js';
import type { Kind } from './read-sql.js';

/**
 * The fixed surface: every query, ours or a user's, sees exactly these tables. All SQL that only DuckDB
 * understands lives here, so that the questions themselves stay portable.
 */

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly note: string;
  /** Exists only with --show-content. */
  readonly content?: true;
}

export interface TableInfo {
  readonly name: string;
  readonly note: string;
  readonly columns: readonly TableColumn[];
}

const SQL_TYPES: Partial<Record<Field['type'], string>> = {
  timestamp: 'TIMESTAMPTZ',
  integer: 'BIGINT',
  count: 'BIGINT',
  positive: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  strings: 'VARCHAR[]',
  any: 'JSON',
};

function recordColumns(fields: readonly Field[]): TableColumn[] {
  return fields
    .filter((field) => field.type !== 'attempts' && field.type !== 'documents')
    .map((field) => ({
      name: field.name,
      type: SQL_TYPES[field.type] ?? 'VARCHAR',
      note: field.note,
      ...(field.content ? { content: true as const } : {}),
    }));
}

const column = (name: string, type: string, note: string): TableColumn => ({ name, type, note });
const FILE_LINE = [
  column('file', 'VARCHAR', 'File the line stands in, as it was named.'),
  column('line', 'BIGINT', 'Physical line in that file, from 1.'),
];

export const TABLES: readonly TableInfo[] = [
  {
    name: 'sessions',
    note: 'One row per iterate call that passes the filters.',
    columns: [
      ...recordColumns(SESSION_FIELDS),
      column('extra', 'JSON', 'Fields of the line that the format does not name.'),
      column('trace_id', 'VARCHAR', 'The same as session_id: the Langfuse / W3C trace id.'),
      column(
        'call_key',
        'VARCHAR',
        'Names the call: its call_id, else a hash of its required fields; unique.',
      ),
      ...FILE_LINE,
      column('day', 'VARCHAR', 'Calendar day of the timestamp in --tz, YYYY-MM-DD.'),
      column('answered', 'BOOLEAN', 'Ended accepted or max_iter_exhausted: the denominator of every rate.'),
      column('first_shot', 'BOOLEAN', 'Accepted with iterations = 1.'),
      column('gated', 'BOOLEAN', 'Kind is one whose accepted calls must be grounded.'),
      column('rejections', 'BIGINT', 'Rejected attempts; NULL where the attempts are not recorded.'),
      column(
        'longest_rejection_run',
        'BIGINT',
        'Most rejections in a row; an infra_error neither counts nor ends a run; NULL where not judgeable.',
      ),
      column('longest_failure_run', 'BIGINT', 'The same with no_candidate counted too.'),
      column(
        'run_reasons',
        'VARCHAR',
        "Reasons of the longest rejection run (earliest on ties), joined by ' | '.",
      ),
      column(
        'failure_run_reasons',
        'VARCHAR',
        'Reasons of the longest failure run, in the same way; a no_candidate attempt seldom gives any.',
      ),
      column('inconsistent', 'BOOLEAN', 'An attempt is not understood, or their number is not iterations.'),
    ],
  },
  {
    name: 'attempts',
    note: 'One row per attempt of the calls in sessions.',
    columns: [
      column('call_key', 'VARCHAR', 'The call.'),
      column('session_id', 'VARCHAR', 'Its trace.'),
      column('attempt_number', 'BIGINT', 'Position in the call, from 1.'),
      column('verdict', 'VARCHAR', 'accepted, rejected, no_candidate, infra_error or other.'),
      column('reasons_text', 'VARCHAR', "Reasons joined by ' | '; NULL where there are none."),
      ...recordColumns(ATTEMPT_FIELDS).filter(
        ({ name }) => !['verdict', 'attempt_number', 'reasons'].includes(name),
      ),
      column('model', 'VARCHAR', 'Model of the call.'),
    ],
  },
  {
    name: 'attempt_reasons',
    note: 'One row per reason of each attempt.',
    columns: [
      column('call_key', 'VARCHAR', 'The call.'),
      column('session_id', 'VARCHAR', 'Its trace.'),
      column('attempt_number', 'BIGINT', 'The attempt, from 1.'),
      column('reason_number', 'BIGINT', 'Position of the reason, from 1.'),
      column('reason', 'VARCHAR', 'The reason as it was given.'),
      column(
        'reason_shape',
        'VARCHAR',
        'The reason with ids and numbers replaced by #, so that one cause groups.',
      ),
      column('model', 'VARCHAR', 'Model of the call.'),
    ],
  },
  {
    name: 'replay_runs',
    note: 'One row per replay run in the window.',
    columns: [
      ...recordColumns(REPLAY_FIELDS),
      column('extra', 'JSON', 'Fields of the line that the format does not name.'),
      column('trace_id', 'VARCHAR', 'The same as session_id.'),
      ...FILE_LINE,
      column('document_count', 'BIGINT', 'Documents retrieved; NULL where not recorded.'),
      column('best_score', 'DOUBLE', 'Highest score among them; NULL where there is none.'),
    ],
  },
  {
    name: 'replay_documents',
    note: 'One row per document of each replay run in the window.',
    columns: [
      column('session_id', 'VARCHAR', 'The trace.'),
      column('run_id', 'VARCHAR', 'The run; may name a batch, so file and line tell runs apart.'),
      ...FILE_LINE,
      column('position', 'BIGINT', 'Position in the line, from 1.'),
      column('id', 'VARCHAR', 'Id of the document.'),
      column('source', 'VARCHAR', 'Where it came from.'),
      column('score', 'DOUBLE', 'Retrieval score; higher is better.'),
      column('rank', 'BIGINT', 'Rank as recorded.'),
    ],
  },
  {
    name: 'session_replays',
    note: 'Fans out: each call in sessions with each replay run of its trace, one row with has_replay false where there is none. Count calls with is_latest, or every call counts once per run.',
    columns: [
      column('call_key', 'VARCHAR', 'The call.'),
      column('session_id', 'VARCHAR', 'Its trace.'),
      column('timestamp', 'TIMESTAMPTZ', 'When the call ended.'),
      column('kind', 'VARCHAR', 'Kind of the call.'),
      column('model', 'VARCHAR', 'Model of the call.'),
      column('daemon', 'VARCHAR', 'Service that made the call.'),
      column('iterations', 'BIGINT', 'Attempts of the call.'),
      column('final_verdict', 'VARCHAR', 'How the call ended.'),
      column('answered', 'BOOLEAN', 'Ended accepted or max_iter_exhausted.'),
      column('first_shot', 'BOOLEAN', 'Accepted with iterations = 1.'),
      column('gated', 'BOOLEAN', 'Kind must be grounded.'),
      column('grounded_in_roster', 'BOOLEAN', 'Stamp of the call.'),
      column('has_replay', 'BOOLEAN', 'A replay run of the trace was loaded.'),
      column(
        'is_latest',
        'BOOLEAN',
        'True on one row per call: its latest run (later position on ties), or the row without a run.',
      ),
      column('run_id', 'VARCHAR', 'The replay run.'),
      column('run_timestamp', 'TIMESTAMPTZ', 'When the run ended.'),
      column('document_count', 'BIGINT', 'Documents retrieved; NULL where not recorded or no run.'),
      column('best_score', 'DOUBLE', 'Highest score among them.'),
    ],
  },
  {
    name: 'traces',
    note: 'One row per session_id, judged over all loaded calls of the trace, whatever the filters.',
    columns: [
      column('session_id', 'VARCHAR', 'The trace.'),
      column('first_time', 'TIMESTAMPTZ', 'Earliest call.'),
      column('last_time', 'TIMESTAMPTZ', 'Latest call.'),
      column('calls', 'BIGINT', 'Iterate calls.'),
      column('replay_runs', 'BIGINT', 'Replay runs.'),
      column('all_first_shot', 'BOOLEAN', 'Every call was accepted at attempt 1; false without a call.'),
      column('has_real_candidate', 'BOOLEAN', 'An accepted call is stamped grounded.'),
      column(
        'any_ungrounded',
        'BOOLEAN',
        'A call is stamped false, or is an accepted call of a gated kind not stamped true.',
      ),
      column('in_window', 'BOOLEAN', 'One of its calls passes the filters.'),
    ],
  },
  {
    name: 'rejects',
    note: 'One row per line that could not be loaded, whatever the filters.',
    columns: [
      ...FILE_LINE,
      column('byte_offset', 'BIGINT', "Of the line's first byte in the uncompressed file."),
      column(
        'reason',
        'VARCHAR',
        'bad_json, not_object, missing:…, type:…, value:…, wrong_kind, too_long, torn_tail.',
      ),
      column('detail', 'VARCHAR', 'What is wrong, in words.'),
      column('line_sha256', 'VARCHAR', 'Hash of the line without its terminator.'),
    ],
  },
  {
    name: 'files',
    note: 'One row per file that was read: lines = loaded + rejected + duplicates + blank + pending.',
    columns: [
      column('file', 'VARCHAR', 'As it was named.'),
      column('bytes', 'BIGINT', 'Bytes read, uncompressed.'),
      column('lines', 'BIGINT', 'Physical lines.'),
      column('loaded', 'BIGINT', 'Lines that became a row.'),
      column('rejected', 'BIGINT', 'Lines that could not be loaded.'),
      column('duplicates', 'BIGINT', 'Lines that are byte-identical to an earlier one.'),
      column('blank', 'BIGINT', 'Lines of white space.'),
      column('pending', 'BIGINT', 'An unfinished last line of a file that is being written.'),
      column('conflicts', 'BIGINT', 'Loaded calls whose call_id another line carries too.'),
      column('newest_record', 'TIMESTAMPTZ', 'Latest timestamp that was loaded.'),
    ],
  },
  {
    name: 'params',
    note: "One row: the query's parameters as columns.",
    columns: [],
  },
];

/** Fields that are always kept: the account, the derived columns and the gates rest on them. */
const ALWAYS_KEPT: Record<Kind, readonly string[]> = {
  sessions: [
    'session_id',
    'timestamp',
    'kind',
    'model',
    'iterations',
    'final_verdict',
    'grounded_in_roster',
    'daemon',
    'call_id',
    'writer_id',
    'seq',
  ],
  replay_runs: ['session_id', 'timestamp', 'run_id', 'task_id'],
};

/** What a run has to load, found from the words of its SQL: a superset costs time, never truth. */
export interface Needs {
  readonly keep: Record<Kind, ReadonlySet<string>>;
  readonly attemptFields: readonly string[];
  readonly withExtra: boolean;
  /** Keys cost a window over all calls, so only who names them pays. */
  readonly withKeys: boolean;
  readonly tables: ReadonlySet<string>;
}

export interface NeedOptions {
  readonly showContent: boolean;
  /** Columns that filters and parameters touch besides the SQL. */
  readonly alsoColumns?: readonly string[];
}

export function needsOf(sql: string, options: NeedOptions): Needs {
  const code = sql
    .replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g, (found) => (found.startsWith("'") ? "''" : ' '))
    .toLowerCase();
  const words = new Set([...code.split(/[^\p{L}\p{N}_]+/u), ...(options.alsoColumns ?? [])]);
  const everything = namesNoColumns(code);
  const wants = (name: string) => everything || words.has(name);
  const allowed = (field: Field) => options.showContent || !field.content;
  const tables = new Set(TABLES.map((table) => table.name).filter((name) => words.has(name)));
  const readsAttempts = tables.has('attempts') || tables.has('attempt_reasons');
  const wantsReasons = wants('run_reasons') || wants('failure_run_reasons');
  const readsDocuments = tables.has('replay_documents') || wants('document_count') || wants('best_score');
  const keep = (kind: Kind, fields: readonly Field[]) =>
    new Set(
      fields
        .filter(
          (field) =>
            ALWAYS_KEPT[kind].includes(field.name) ||
            (field.type === 'attempts' && (readsAttempts || wantsReasons)) ||
            (field.type === 'documents' && readsDocuments) ||
            (field.type !== 'attempts' && field.type !== 'documents' && allowed(field) && wants(field.name)),
        )
        .map((field) => field.name),
    );
  const attemptFields = ATTEMPT_FIELDS.filter(
    (field) =>
      field.name === 'verdict' ||
      (field.name === 'reasons' && (readsAttempts || wantsReasons)) ||
      (readsAttempts && allowed(field)),
  ).map((field) => field.name);
  return {
    keep: { sessions: keep('sessions', SESSION_FIELDS), replay_runs: keep('replay_runs', REPLAY_FIELDS) },
    attemptFields,
    withExtra: wants('extra'),
    withKeys: wants('call_key'),
    tables,
  };
}

/** Whether the SQL means columns without naming them, or whole rows. */
function namesNoColumns(code: string): boolean {
  const starred = code.replace(/\bcount\s*\(\s*\*\s*\)/g, 'count()');
  if (/(?:\bselect|\bdistinct|\ball|,|\.|\()\s*\*/.test(starred)) return true;
  if (/\bcolumns\s*\(|\bnatural\b|\bpositional\b/.test(code)) return true;
  if (/^\s*from\b|\(\s*from\b|;\s*from\b/.test(code)) return true;
  const sources = code.matchAll(
    /\b(?:from|join)\s+"?(\w+)"?(?:\s+(?:as\s+)?(?!where|on|using|join|cross|inner|left|right|full|group|order|limit|having|union|window|natural|asof|tablesample)(\w+))?/g,
  );
  for (const [, table, alias] of sources) {
    for (const name of [table, alias]) {
      // A table's name that stands for its rows: neither qualifies a column nor names a source.
      if (
        name &&
        new RegExp(
          `(?<!\\b(?:from|join|as)\\s+"?)(?<!\\b(?:from|join)\\s+"?\\w+"?\\s+)(?<![.\\w])${name}\\b(?!\\s*[."(])`,
        ).test(code)
      ) {
        if (TABLES.some((known) => known.name === table)) return true;
      }
    }
  }
  return false;
}

export interface ViewContext {
  readonly needs: Needs;
  readonly showContent: boolean;
  readonly gatedKinds: readonly string[];
  readonly tz: string;
  /** Condition over a call `s`, from the filters; `TRUE` without any. It decides, it never hides a call from the health checks. */
  readonly selects: string;
  /** Condition over a replay run `r`: its own timestamp in the window. */
  readonly selectsRun: string;
  /** Some file has blank lines, so that rows and physical lines differ. */
  readonly shifted: boolean;
}

const RUN_TABLES = ['replay_runs', 'replay_documents', 'session_replays', 'traces'];

/** Keys of all loaded calls. A second record with the same call_id is never hidden: it keeps a key of its own. */
export const CALL_KEYS = `CREATE OR REPLACE VIEW raw.call_keys AS
     SELECT row, key || CASE WHEN n > 1 THEN '#' || n ELSE '' END AS call_key
     FROM (SELECT row, key, row_number() OVER (PARTITION BY key ORDER BY row) AS n
       FROM (SELECT row, COALESCE(call_id, 'h:' || left(md5(concat_ws(chr(31), session_id, epoch_us("timestamp"),
           kind, model, iterations, final_verdict, grounded_in_roster, daemon)), 16)) AS key FROM raw.all_calls))`;

/** The views over the staging tables, in order of dependence. */
export function viewSql(context: ViewContext): string[] {
  const { needs } = context;
  const has = (kind: Kind, name: string) => needs.keep[kind].has(name);
  const attempts = has('sessions', 'attempts');
  const visible = (kind: Kind, fields: readonly Field[]) =>
    recordColumns(fields)
      .map(({ name }) => name)
      .filter((name) => name !== 'schema' && has(kind, name));
  const schemaColumn = (kind: Kind, name: string) =>
    has(kind, 'schema') ? [`${quote(name)} AS "schema"`] : [];
  const extra = needs.withExtra ? ['extra'] : [];

  const physicalLine = (row: string, base: string) =>
    context.shifted ? `${row} - ${base} + 1 + COALESCE(h.blanks, 0)` : `${row} - ${base} + 1`;
  const shiftJoin = (alias: string, base: string) =>
    context.shifted
      ? `ASOF LEFT JOIN raw.line_shifts h ON h.file_no = ${alias}.file_no AND h.ordinal <= ${alias}.rowid - ${base}`
      : '';
  const gated = `s.kind IN (${context.gatedKinds.map(quote).join(', ') || "''"})`;
  const judgeable = `(codes IS NOT NULL AND codes <> '!' AND (codes <> '' OR iterations = 0) OR codes IS NULL AND iterations = 0)`;
  const longest = (letters: string) =>
    `CASE WHEN ${judgeable} THEN COALESCE(list_max(list_transform(
       regexp_extract_all(replace(COALESCE(codes, ''), 'i', ''), '[${letters}]+'), lambda run: length(run))), 0) END`;

  const strings = (json: string) =>
    `list_transform(list_filter(from_json(${json}, '["JSON"]'), lambda e: starts_with(e::VARCHAR, '"')), lambda e: e ->> '$')`;
  // An infra error neither counts nor ends a run, so the run is a slice of the other attempts.
  const runReasons = (run: string, marked: string) =>
    attempts
      ? `CASE WHEN ${run} > 0 THEN array_to_string(flatten(list_transform(
         list_filter(attempts, lambda a: a.verdict::VARCHAR IS DISTINCT FROM '"infra_error"')[
           instr(${marked}, repeat('r', ${run}::INTEGER)) :
           instr(${marked}, repeat('r', ${run}::INTEGER)) + ${run} - 1],
         lambda a: COALESCE(${strings('a.reasons')}, []))), ' | ') END`
      : 'NULL::VARCHAR';
  const uninterrupted = `replace(codes, 'i', '')`;

  const readsRuns = RUN_TABLES.some((name) => needs.tables.has(name));
  const views = [
    `CREATE OR REPLACE VIEW raw.all_calls AS
     SELECT s.* EXCLUDE (reason), s.rowid AS row, f.name AS file,
       ${physicalLine('s.rowid', 'f.session_base')} AS line, COALESCE(${context.selects}, FALSE) AS selected,
       COALESCE(codes = '!' OR contains(codes, 'o') OR length(codes) <> iterations, FALSE) AS inconsistent,
       NOT ${judgeable} AS not_judgeable
     FROM raw.session_lines s JOIN raw.source_files f ON f.file_no = s.file_no
     ${shiftJoin('s', 'f.session_base')} WHERE s.reason IS NULL`,
    `CREATE OR REPLACE VIEW raw.calls AS
     SELECT s.* EXCLUDE (selected), s.session_id AS trace_id,
       strftime(timezone(${quote(context.tz)}, s."timestamp"), '%Y-%m-%d') AS day,
       s.final_verdict <> 'infra_error' AS answered,
       s.final_verdict = 'accepted' AND s.iterations = 1 AS first_shot,
       ${gated} AS gated,
       CASE WHEN ${judgeable} THEN length(COALESCE(codes, '')) - length(replace(COALESCE(codes, ''), 'r', '')) END AS rejections,
       ${longest('r')} AS longest_rejection_run,
       ${longest('rn')} AS longest_failure_run,
       ${runReasons('longest_rejection_run', uninterrupted)} AS run_reasons,
       ${runReasons('longest_failure_run', `replace(${uninterrupted}, 'n', 'r')`)} AS failure_run_reasons
     FROM raw.all_calls s WHERE s.selected`,
    ...(needs.withKeys ? [CALL_KEYS] : []),
    ...(readsRuns
      ? [
          `CREATE OR REPLACE VIEW raw.all_runs AS
     SELECT l.* EXCLUDE (reason), l.rowid AS row, f.name AS file,
       ${physicalLine('l.rowid', 'f.replay_base')} AS line${
         has('replay_runs', 'documents')
           ? `, json_array_length(documents)::BIGINT AS document_count,
       list_max(list_transform(from_json(documents, '[{"score":"JSON"}]'), lambda d: TRY_CAST(d.score::VARCHAR AS DOUBLE))) AS best_score`
           : ''
       }
     FROM raw.replay_lines l JOIN raw.source_files f ON f.file_no = l.file_no
     ${shiftJoin('l', 'f.replay_base')} WHERE l.reason IS NULL`,
        ]
      : []),
  ];

  const define = (name: string, sql: string) => {
    if (needs.tables.has(name)) views.push(`CREATE OR REPLACE VIEW main.${name} AS ${sql}`);
  };
  const derived = [
    'answered',
    'first_shot',
    'gated',
    'rejections',
    'longest_rejection_run',
    'longest_failure_run',
    ...(attempts ? ['run_reasons', 'failure_run_reasons'] : []),
    'inconsistent',
  ];
  const callKey = needs.withKeys ? ['k.call_key'] : [];
  const keyJoin = needs.withKeys ? 'JOIN raw.call_keys k ON k.row = s.row' : '';
  const sessionColumns = [
    ...schemaColumn('sessions', 'session.iterate.v1'),
    ...visible('sessions', SESSION_FIELDS).map((name) => `s."${name}"`),
    ...extra.map((name) => `s.${name}`),
    's.trace_id',
    ...callKey,
    's.file',
    's.line',
    's.day',
    ...derived.map((name) => `s.${name}`),
  ];
  define('sessions', `SELECT ${sessionColumns.join(', ')} FROM raw.calls s ${keyJoin}`);

  const attemptColumns = recordColumns(ATTEMPT_FIELDS).filter(
    ({ name, content }) =>
      needs.attemptFields.includes(name) &&
      !['verdict', 'attempt_number', 'reasons'].includes(name) &&
      (context.showContent || !content),
  );
  const attemptValue = ({ name, type }: TableColumn) => {
    const text = `a."${name}"::VARCHAR`;
    if (type === 'VARCHAR')
      return `CASE WHEN starts_with(${text}, '"') THEN a."${name}" ->> '$' END AS "${name}"`;
    const number = `TRY_CAST(${text} AS DOUBLE)`;
    return type === 'BIGINT'
      ? `CASE WHEN ${number} = floor(${number}) THEN TRY_CAST(${number} AS BIGINT) END AS "${name}"`
      : `CASE WHEN isfinite(${number}) THEN ${number} END AS "${name}"`;
  };
  const unnested = `SELECT ${[...callKey, 's.session_id', 's.model'].join(', ')}, generate_subscripts(s.attempts, 1) AS attempt_number,
      unnest(s.attempts) AS a FROM raw.calls s ${keyJoin}`;
  if (attempts && attemptColumns.length > 0) {
    define(
      'attempts',
      `SELECT * EXCLUDE (a), 
         CASE a.verdict::VARCHAR WHEN '"accepted"' THEN 'accepted' WHEN '"rejected"' THEN 'rejected'
           WHEN '"no_candidate"' THEN 'no_candidate' WHEN '"infra_error"' THEN 'infra_error' ELSE 'other' END AS verdict,
         NULLIF(array_to_string(${strings('a.reasons')}, ' | '), '') AS reasons_text,
         ${attemptColumns.map(attemptValue).join(', ')} FROM (${unnested})`,
    );
    define(
      'attempt_reasons',
      `SELECT * EXCLUDE (a, reasons), generate_subscripts(reasons, 1) AS reason_number,
         unnest(reasons) AS reason,
         regexp_replace(unnest(reasons), '[\\p{L}\\p{N}_-]*[0-9][\\p{L}\\p{N}_-]*', '#', 'g') AS reason_shape
       FROM (SELECT *, ${strings('a.reasons')} AS reasons FROM (${unnested}))`,
    );
  }

  const documents = has('replay_runs', 'documents') ? ['document_count', 'best_score'] : [];
  define(
    'replay_runs',
    `SELECT ${[
      ...schemaColumn('replay_runs', 'replay.run.v1'),
      ...visible('replay_runs', REPLAY_FIELDS).map((name) => `r."${name}"`),
      ...extra.map((name) => `r.${name}`),
      'r.session_id AS trace_id',
      'r.file',
      'r.line',
      ...documents.map((name) => `r.${name}`),
    ].join(', ')} FROM raw.all_runs r WHERE ${context.selectsRun}`,
  );
  if (documents.length > 0) {
    define(
      'replay_documents',
      `SELECT session_id, run_id, file, line, position, d.id ->> '$' AS id, d.source ->> '$' AS source,
         TRY_CAST(d.score::VARCHAR AS DOUBLE) AS score, TRY_CAST(TRY_CAST(d.rank::VARCHAR AS DOUBLE) AS BIGINT) AS rank
       FROM (SELECT r.session_id, r.run_id, r.file, r.line, generate_subscripts(r.ds, 1) AS position, unnest(r.ds) AS d
         FROM (SELECT *, from_json(documents, '[{"id":"JSON","source":"JSON","score":"JSON","rank":"JSON"}]') AS ds
           FROM raw.all_runs r WHERE ${context.selectsRun}) r)`,
    );
  }
  define(
    'session_replays',
    `SELECT ${[...callKey, 's.session_id'].join(', ')}, s."timestamp", s.kind, s.model, s.daemon, s.iterations, s.final_verdict,
       s.answered, s.first_shot, s.gated, s.grounded_in_roster, r.row IS NOT NULL AS has_replay,
       row_number() OVER (PARTITION BY s.row ORDER BY r."timestamp" DESC NULLS LAST, r.row DESC NULLS LAST) = 1 AS is_latest,
       r.run_id, r."timestamp" AS run_timestamp${documents.map((name) => `, r.${name}`).join('')}
     FROM raw.calls s ${keyJoin} LEFT JOIN raw.all_runs r ON r.session_id = s.session_id`,
  );
  define(
    'traces',
    `SELECT session_id, c.first_time, c.last_time, COALESCE(c.calls, 0) AS calls, COALESCE(r.replay_runs, 0) AS replay_runs,
       COALESCE(c.all_first_shot, FALSE) AS all_first_shot, COALESCE(c.has_real_candidate, FALSE) AS has_real_candidate,
       COALESCE(c.any_ungrounded, FALSE) AS any_ungrounded, COALESCE(c.in_window, FALSE) AS in_window
     FROM (SELECT s.session_id, min(s."timestamp") AS first_time, max(s."timestamp") AS last_time, count(*) AS calls,
         bool_and(s.final_verdict = 'accepted' AND s.iterations = 1) AS all_first_shot,
         bool_or(s.final_verdict = 'accepted' AND COALESCE(s.grounded_in_roster, FALSE)) AS has_real_candidate,
         bool_or(COALESCE(NOT s.grounded_in_roster, FALSE)
           OR s.final_verdict = 'accepted' AND ${gated} AND NOT COALESCE(s.grounded_in_roster, FALSE)) AS any_ungrounded,
         bool_or(s.selected) AS in_window
       FROM raw.all_calls s GROUP BY s.session_id) c
     FULL JOIN (SELECT session_id, count(*) AS replay_runs FROM raw.all_runs GROUP BY session_id) r USING (session_id)`,
  );
  return views;
}
