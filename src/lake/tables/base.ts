import { type SqlType, sqlTypeOf } from '../../scan/columns.js';
import {
  ATTEMPT_FIELDS,
  DOCUMENT_FIELDS,
  type Field,
  REPLAY_FIELDS,
  SESSION_FIELDS,
} from '../../schema/fields.js';

/**
 * The floor below the published tables (design §4): one physical row per loaded thing, filled by the loader and read
 * by `queries/tables/*.sql` alone. Every derived column that needs no other row and no parameter stands here.
 */

export { sqlTypeOf };

export interface BaseColumn {
  readonly name: string;
  readonly type: SqlType;
}

const columns = (type: SqlType, names: string): BaseColumn[] =>
  names.split(' ').map((name) => ({ name, type }));

function declared(fields: readonly Field[], ...without: string[]): BaseColumn[] {
  return fields
    .filter(({ name }) => !without.includes(name))
    .map((field) => ({ name: field.name, type: sqlTypeOf(field) }));
}

const PLACE = columns('BIGINT', 'batch line');
const LINE = [...PLACE, ...columns('BIGINT', 'byte_offset'), ...columns('VARCHAR', 'line_sha256')];
/** Of the call that it belongs to, so that filters need no join. */
const CALL = [
  ...columns('VARCHAR', 'call_key_base session_id'),
  ...columns('TIMESTAMPTZ', 'timestamp'),
  ...columns('VARCHAR', 'kind model daemon environment'),
];
const RUN = [...columns('VARCHAR', 'session_id run_id'), ...columns('TIMESTAMPTZ', 'timestamp')];

/** What the rows of a table that is made of another have of it. */
export const CARRIED = {
  attempts: { of: 'calls', columns: CALL },
  attempt_reasons: { of: 'calls', columns: CALL },
  documents: { of: 'runs', columns: RUN },
} as const;

export const BASE_TABLES = {
  calls: [
    ...LINE,
    ...declared(SESSION_FIELDS, 'schema', 'attempts'),
    ...columns('VARCHAR', 'extra call_key_base'),
    ...columns('BIGINT', 'rejections longest_rejection_run longest_failure_run'),
    ...columns('VARCHAR', 'run_reasons failure_run_reasons'),
    ...columns('BOOLEAN', 'inconsistent not_judgeable answered first_shot'),
  ],
  attempts: [
    ...[...PLACE, ...columns('BIGINT', 'attempt_number'), ...CALL],
    ...columns('VARCHAR', 'verdict reasons_text'),
    ...declared(ATTEMPT_FIELDS, 'verdict', 'attempt_number', 'reasons'),
  ],
  attempt_reasons: [
    ...[...PLACE, ...columns('BIGINT', 'attempt_number reason_number'), ...CALL],
    ...columns('VARCHAR', 'reason reason_shape'),
  ],
  runs: [
    ...LINE,
    ...declared(REPLAY_FIELDS, 'schema'),
    ...columns('VARCHAR', 'extra'),
    ...columns('BIGINT', 'document_count'),
    ...columns('DOUBLE', 'best_score'),
  ],
  documents: [...PLACE, ...columns('BIGINT', 'position'), ...RUN, ...declared(DOCUMENT_FIELDS)],
  rejects: [
    ...[...PLACE, ...columns('BIGINT', 'byte_offset')],
    ...columns('VARCHAR', 'reason detail line_sha256'),
  ],
  batches: [
    ...[...columns('BIGINT', 'batch'), ...columns('VARCHAR', 'file')],
    ...columns('BIGINT', 'bytes lines loaded rejected duplicates blank pending conflicts late'),
    ...columns('TIMESTAMPTZ', 'newest_record'),
  ],
  /**
   * Whom accepted calls name: an id, or NULL for what stands in the place of one. Of `source` ids it is among the
   * call's proposed_worker_ids, of `artifact` only in its artifact; `unread` says why that could not be looked through.
   */
  named_workers: [...PLACE, ...columns('VARCHAR', 'worker id source')],
  /** What the rosters say of accepted calls of gated kinds, whatever their stamp; `phantoms` is a JSON list. */
  recomputed: [...PLACE, ...columns('VARCHAR', 'roster_check phantoms')],
  /** The calls whose key is not their call_key_base: other lines carry the same call_id. */
  twins: [...PLACE, ...columns('VARCHAR', 'call_key')],
  /** The islands of the numbers that each writer gave its calls: none of them touches another. */
  seqs: [...columns('VARCHAR', 'writer_id'), ...columns('BIGINT', 'first_seq last_seq')],
} as const satisfies Record<string, readonly BaseColumn[]>;

export type BaseName = keyof typeof BASE_TABLES;

/** As SQL names it; with its schema, so that nobody's WITH can stand in for it. */
export const baseTable = (name: BaseName): string => `main.base_${name}`;
