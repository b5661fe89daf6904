import { ATTEMPT_FIELDS, type Field, REPLAY_FIELDS, SESSION_FIELDS } from '../../schema/fields.js';
import { type SqlType, sqlTypeOf } from './base.js';

/** The fixed surface: every query, ours or a user's, sees exactly these tables. */

export interface TableColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly note: string;
  /** Exists only with --show-content. */
  readonly content?: true;
}

export interface TableInfo {
  readonly name: string;
  readonly note: string;
  readonly columns: readonly TableColumn[];
}

const AS_TEXT: readonly Field['type'][] = ['any', 'strings'];

function recordColumns(fields: readonly Field[]): TableColumn[] {
  return fields
    .filter((field) => field.type !== 'attempts' && field.type !== 'documents')
    .map((field) => ({
      name: field.name,
      type: sqlTypeOf(field),
      note: AS_TEXT.includes(field.type) ? `${field.note} As JSON text.` : field.note,
      ...(field.content ? { content: true as const } : {}),
    }));
}

const column = (name: string, type: SqlType, note: string): TableColumn => ({ name, type, note });
const FILE_LINE = [
  column('file', 'VARCHAR', 'File the line stands in, as it was named.'),
  column('line', 'BIGINT', 'Physical line in that file, from 1.'),
];
/** Carried by what hangs on a call, so that grouping by them needs no join. */
const OF_CALL = [
  column('timestamp', 'TIMESTAMPTZ', 'When the call ended.'),
  column('kind', 'VARCHAR', 'Kind of the call.'),
  column('model', 'VARCHAR', 'Model of the call.'),
  column('daemon', 'VARCHAR', 'Service that made the call.'),
  column('environment', 'VARCHAR', 'Deployment environment of the call.'),
];

export const TABLES: readonly TableInfo[] = [
  {
    name: 'sessions',
    note: 'One row per iterate call that passes the filters.',
    columns: [
      ...recordColumns(SESSION_FIELDS),
      column('extra', 'VARCHAR', 'Fields of the line that the format does not name, as JSON text.'),
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
      ...OF_CALL,
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
      ...OF_CALL,
    ],
  },
  {
    name: 'replay_runs',
    note: 'One row per replay run in the window.',
    columns: [
      ...recordColumns(REPLAY_FIELDS),
      column('extra', 'VARCHAR', 'Fields of the line that the format does not name, as JSON text.'),
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
