import { createHash } from 'node:crypto';
import { BASE_TABLES, type BaseName } from '../../src/lake/tables/base.js';
import {
  ATTEMPT_FIELDS,
  DOCUMENT_FIELDS,
  type Field,
  REPLAY_FIELDS,
  SESSION_FIELDS,
} from '../../src/schema/fields.js';
import { attempts, derive, deriveReplay, type Log, reasonShape } from '../oracle/oracle.mjs';
import type { Attempt } from '../scan/checker.mjs';

/** What stands in a cell of a base table; a bigint is an instant in microseconds. */
export type Value = string | number | boolean | bigint | null;
export type BaseRow = Readonly<Record<string, Value>>;
export type BaseRows = Readonly<Record<BaseName, readonly BaseRow[]>>;

/** Prompts, artifacts and lists are JSON text in the oracle's log already; documents are not. */
const jsonText = (value: unknown) =>
  value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
const isJson = ({ type }: Field) => ['any', 'strings', 'documents'].includes(type);

function declared(fields: readonly Field[], record: object): Record<string, Value> {
  const recorded = (field: Field) => (record as Record<string, unknown>)[field.name] ?? null;
  return Object.fromEntries(
    fields
      .filter(({ type }) => type !== 'schema' && type !== 'attempts' && type !== 'timestamp')
      .map((field) => [field.name, isJson(field) ? jsonText(recorded(field)) : (recorded(field) as Value)]),
  );
}

function cellOf({ values, promptText }: Attempt, { name }: Field): Value {
  return name === 'prompt' ? promptText : ((values[name] ?? null) as Value);
}

/** Numbers that follow one another, by writer. */
function islandsAmong(sessions: Log['sessions']): BaseRow[] {
  const numbersOf = new Map<string, Set<number>>();
  for (const { writer_id, seq } of sessions) {
    if (writer_id === null || seq === null) continue;
    numbersOf.set(writer_id, (numbersOf.get(writer_id) ?? new Set()).add(seq));
  }
  return [...numbersOf].flatMap(([writer_id, numbers]) => {
    const sorted = [...numbers].sort((a, b) => a - b);
    const starts = sorted.filter((number) => !numbers.has(number - 1));
    const ends = sorted.filter((number) => !numbers.has(number + 1));
    return starts.map((first_seq, i) => ({ writer_id, first_seq, last_seq: ends[i]! }));
  });
}

/** The base tables that a loader makes of a log, made by the oracle. */
export function baseRows(log: Log): BaseRows {
  const calls = log.sessions.map((session) => ({
    ...declared(SESSION_FIELDS, session),
    batch: session.fileIndex,
    line: session.line,
    byte_offset: null,
    line_sha256: null,
    timestamp: session.instant,
    extra: Object.keys(session.extra).length === 0 ? null : JSON.stringify(session.extra),
    call_key_base: session.call_id ?? `h:${hashOf(session)}`,
    ...withoutAsked(derive(session)),
  }));
  const callOf = new Map(log.sessions.map((session, at) => [session, calls[at]! as BaseRow]));
  const carried = (call: (typeof log.sessions)[number]) => {
    const { batch, line, call_key_base, session_id, timestamp, kind, model, daemon, environment } =
      callOf.get(call)!;
    return { batch, line, call_key_base, session_id, timestamp, kind, model, daemon, environment } as BaseRow;
  };
  const tried = attempts(log);
  const batchOf = new Map(log.files.map(({ file }, batch) => [file, batch]));
  return {
    calls,
    twins: twinsAmong(calls),
    named_workers: [],
    recomputed: log.sessions
      .filter(({ final_verdict }) => final_verdict === 'accepted')
      .map(({ fileIndex, line }) => ({ batch: fileIndex, line, ...rosterSays(line) })),
    seqs: islandsAmong(log.sessions),
    attempts: tried.map(({ call, attempt_number, verdict, reasons }) => ({
      ...Object.fromEntries(
        ATTEMPT_FIELDS.map((field) => [
          field.name,
          cellOf((call.attempts as readonly Attempt[])[attempt_number - 1]!, field),
        ]),
      ),
      ...carried(call),
      attempt_number,
      verdict,
      reasons_text: reasons.join(' | ') || null,
    })),
    attempt_reasons: tried.flatMap(({ call, attempt_number, reasons }) =>
      reasons.map((reason, at) => ({
        ...carried(call),
        attempt_number,
        reason_number: at + 1,
        reason,
        reason_shape: reasonShape(reason),
      })),
    ),
    runs: log.replays.map((run) => ({
      ...declared(REPLAY_FIELDS, run),
      batch: run.fileIndex,
      line: run.line,
      byte_offset: null,
      line_sha256: null,
      timestamp: run.instant,
      extra: Object.keys(run.extra).length === 0 ? null : JSON.stringify(run.extra),
      ...deriveReplay(run),
    })),
    documents: log.replays.flatMap((run) =>
      (run.documents ?? []).map((document, at) => ({
        ...declared(DOCUMENT_FIELDS, document),
        batch: run.fileIndex,
        line: run.line,
        position: at + 1,
        session_id: run.session_id,
        run_id: run.run_id,
        timestamp: run.instant,
      })),
    ),
    rejects: log.rejects.map(({ file, ...reject }) => ({
      ...reject,
      batch: batchOf.get(file)!,
      detail: `it is ${reject.reason}`,
      line_sha256: null,
    })),
    batches: log.files.map((file, batch) => ({ ...file, batch, newest_record: newestOf(log, batch) })),
  };
}

const OUTCOMES = ['right', 'wrong', 'not_at_hand', 'hashed', 'unread', 'nobody'] as const;

/** What tables make of the answer of a roster is the same whoever gave it; that it is right is tested with the loader. */
export function rosterSays(line: number): { roster_check: string; phantoms: string | null } {
  const roster_check = OUTCOMES[line % OUTCOMES.length]!;
  return { roster_check, phantoms: roster_check === 'wrong' ? JSON.stringify([`W-${line}`]) : null };
}

function hashOf(call: Log['sessions'][number]): string {
  const { session_id, instant, kind, model, iterations, final_verdict, grounded_in_roster, daemon } = call;
  const required = [
    session_id,
    String(instant),
    kind,
    model,
    iterations,
    final_verdict,
    grounded_in_roster,
    daemon,
  ];
  return createHash('md5').update(JSON.stringify(required)).digest('hex').slice(0, 16);
}

/** What hangs on the time zone and the gated kinds is no column of a base table. */
const withoutAsked = ({ hour, day, week, month, gated, ...derived }: ReturnType<typeof derive>) => derived;

function twinsAmong(calls: readonly BaseRow[]): BaseRow[] {
  const seen = new Map<Value, number>();
  return calls.flatMap(({ batch, line, call_key_base }) => {
    const before = seen.get(call_key_base!) ?? 0;
    seen.set(call_key_base!, before + 1);
    return before === 0 ? [] : [{ batch: batch!, line: line!, call_key: `${call_key_base}#${before + 1}` }];
  });
}

function newestOf(log: Log, batch: number): bigint | null {
  const instants = [...log.sessions, ...log.replays]
    .filter(({ fileIndex }) => fileIndex === batch)
    .map(({ instant }) => instant);
  return instants.reduce<bigint | null>((best, one) => (best === null || one > best ? one : best), null);
}

/** The cells of a row in the order of its table. */
export function cellsOf(
  name: BaseName,
  row: BaseRow,
  columns: readonly { readonly name: string }[] = BASE_TABLES[name],
): Value[] {
  return columns.map((column) => {
    const value = row[column.name];
    if (value === undefined) throw new Error(`base_${name} has no value for ${column.name}`);
    return value;
  });
}
