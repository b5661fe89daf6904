import { LakelogError } from '../errors.js';
import { compareInstants } from '../instant.js';
import { quote } from '../lake/duckdb/sql.js';
import { beginsWith, foldId } from '../lake/ids.js';
import { CALLS_SQL, type Lake } from '../lake/lake.js';
import type { LoadedCall } from '../schema/account.js';
import type { Cell } from '../schema/result.js';
import {
  STORY_CALL_COLUMNS,
  type Story,
  type StoryAttempt,
  type StoryCall,
  type StoryDocument,
  type StoryRun,
} from '../schema/story.js';

const ATTEMPT = [
  'call_key',
  'attempt_number',
  'verdict',
  'span_id',
  'input_tokens',
  'output_tokens',
  'finish_reason',
  'duration_ms',
  'error',
] as const;
const RUN = [
  'file',
  'line',
  'timestamp',
  'run_id',
  'task_id',
  'kind',
  'model',
  'provider',
  'context_tokens',
  'duration_ms',
  'input_tokens',
  'output_tokens',
  'error',
  'document_count',
  'best_score',
] as const;

interface Selects {
  readonly calls: string;
  readonly attempts: string;
  readonly reasons: string;
  readonly runs: string;
  readonly documents: string;
}

function selects(showContent: boolean, sessionId: string): Selects {
  const only = `WHERE session_id = ${quote(sessionId)}`;
  const content = (...names: string[]) => (showContent ? names : []);
  const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');
  return {
    calls: `SELECT ${list([...STORY_CALL_COLUMNS, ...content('prompt', 'artifact')])} FROM sessions ${only} ORDER BY "timestamp", file, line`,
    attempts: `SELECT ${list([...ATTEMPT, ...content('prompt', 'raw')])} FROM attempts ${only} ORDER BY call_key, attempt_number`,
    reasons: `SELECT call_key, attempt_number, reason FROM attempt_reasons ${only} ORDER BY call_key, attempt_number, reason_number`,
    runs: `SELECT ${list([...RUN, ...content('task', 'retrieval_query', 'output')])} FROM replay_runs ${only} ORDER BY "timestamp", file, line`,
    documents: `SELECT file, line, id, source, score, rank FROM replay_documents ${only} ORDER BY file, line, position`,
  };
}

/** All SQL that is asked of the trace of a story. */
export const storySql = (showContent: boolean): string[] => Object.values(selects(showContent, ''));

/** What must be there so that a trace is found. */
export const TRACE_SQL = [CALLS_SQL, 'SELECT session_id FROM replay_runs'] as const;

/**
 * The session_id that an ID means: a trace, a call, or the beginning of one, if it is the only one.
 * @param unknown what to say where nothing begins with it.
 * @throws LakelogError (exit 2) where nothing or several begin with it.
 */
export async function traceOf(lake: Lake, id: string, unknown: () => LakelogError): Promise<string> {
  if (id === '') throw new LakelogError('the ID is empty', { next: 'give a session_id or call_id' });
  const calls = await lake.calls({ beginning: id });
  const runs = await lake.query(
    `SELECT DISTINCT session_id FROM replay_runs WHERE ${beginsWith('session_id', id)} LIMIT 1000`,
  );
  const traces = [
    ...new Set([...calls.map((call) => call.session_id), ...runs.cells.map(([trace]) => String(trace))]),
  ];
  // What is named whole is meant, however many others begin with it.
  for (const isSame of [(other: string) => other === id, (other: string) => foldId(other) === foldId(id)]) {
    const trace = traces.find(isSame) ?? calls.find((call) => isSame(call.call_key))?.session_id;
    if (trace !== undefined) return trace;
  }
  const [only, ...others] = traces;
  if (only === undefined) throw unknown();
  if (others.length > 0) throw ambiguous(id, traces, calls);
  return only;
}

const FEW = 5;

function ambiguous(id: string, traces: readonly string[], calls: readonly LoadedCall[]): LakelogError {
  const lines = traces.slice(0, FEW).map((trace) => {
    const call = calls.find((candidate) => candidate.session_id === trace);
    return call === undefined
      ? trace
      : `${trace}  ${call.timestamp}  ${call.kind}  ${call.file}:${call.line}`;
  });
  const more = traces.length > FEW ? [`… and ${traces.length - FEW} more`] : [];
  return new LakelogError(`${traces.length} traces begin with ${JSON.stringify(id)}`, {
    detail: [...lines, ...more].join('\n'),
    next: 'give more of the ID',
  });
}

export interface StoryParts {
  readonly showContent: boolean;
  readonly traceUrl: string | null;
  /** By `file:line`, as are the others: calls of other traces may carry the same call_id. */
  readonly keys: ReadonlyMap<string, string>;
  readonly violations: ReadonlyMap<string, StoryCall['violations']>;
  readonly acknowledged: ReadonlyMap<string, StoryCall['acknowledged']>;
}

type Row = Readonly<Record<string, Cell>>;

type Asked = Pick<Lake, 'query' | 'phantoms'>;

/** Everything that was recorded under one trace. @param lake that answers for it. */
export async function tellStory(lake: Asked, sessionId: string, parts: StoryParts): Promise<Story> {
  const sql = selects(parts.showContent, sessionId);
  const calls = await rowsOf(lake, sql.calls);
  const attempts = await rowsOf(lake, sql.attempts);
  const reasons = await rowsOf(lake, sql.reasons);
  const runs = await rowsOf(lake, sql.runs);
  const documents = await rowsOf(lake, sql.documents);
  const phantoms = await lake.phantoms(sessionId);
  const reasonsOf = grouped(reasons, (row) => `${row.call_key} ${row.attempt_number}`);
  const attemptsOf = grouped(attempts, (row) => String(row.call_key));
  const documentsOf = grouped(documents, (row) => `${row.file}:${row.line}`);
  const events = [
    ...calls.map((row): StoryCall => {
      const place = `${row.file}:${row.line}`;
      return {
        event: 'call',
        ...(withJson(row) as unknown as Omit<
          StoryCall,
          'event' | 'attempts' | 'phantoms' | 'violations' | 'acknowledged'
        >),
        call_key: parts.keys.get(place) ?? String(row.call_key),
        attempts: (attemptsOf.get(String(row.call_key)) ?? []).map(
          ({ call_key, ...attempt }): StoryAttempt => {
            const given = reasonsOf.get(`${call_key} ${attempt.attempt_number}`) ?? [];
            const { attempt_number, verdict, ...rest } = withJson(attempt) as unknown as Omit<
              StoryAttempt,
              'reasons'
            >;
            return { attempt_number, verdict, reasons: given.map(({ reason }) => String(reason)), ...rest };
          },
        ),
        phantoms: phantoms
          .filter((phantom) => `${phantom.file}:${phantom.line}` === place)
          .map(({ worker, named_in, standing }) => ({ worker, named_in, standing })),
        violations: parts.violations.get(place) ?? [],
        acknowledged: parts.acknowledged.get(place) ?? [],
      };
    }),
    ...runs.map(({ document_count, ...row }): StoryRun => {
      const found = documentsOf.get(`${row.file}:${row.line}`) ?? [];
      const listed = found.map(
        ({ id, source, score, rank }) => ({ id, source, score, rank }) as StoryDocument,
      );
      return {
        event: 'replay_run',
        ...(row as unknown as Omit<StoryRun, 'event' | 'documents'>),
        documents: document_count === null ? null : listed,
      };
    }),
  ];
  events.sort((a, b) => compareInstants(a.timestamp, b.timestamp));
  return { session_id: sessionId, trace_url: parts.traceUrl, show_content: parts.showContent, events };
}

/** Lists are JSON text in the tables; one prompt may have been escaped in two ways. */
function withJson(row: Row): Row {
  const { prompt, proposed_worker_ids: workers } = row;
  return {
    ...row,
    ...(typeof prompt === 'string' && prompt.startsWith('"')
      ? { prompt: JSON.stringify(JSON.parse(prompt)) }
      : {}),
    ...(typeof workers === 'string' ? { proposed_worker_ids: JSON.parse(workers) as string[] } : {}),
  };
}

async function rowsOf(lake: Asked, sql: string): Promise<Row[]> {
  const { names, cells } = await lake.query(sql);
  return cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i] as Cell])));
}

function grouped(rows: readonly Row[], key: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}

/** `{session_id}` (or `{trace_id}`) of the template, percent-encoded. */
export function traceUrl(template: string | undefined, sessionId: string): string | null {
  if (!template) return null;
  if (!/\{(session_id|trace_id)\}/.test(template)) {
    throw new LakelogError('the template of --trace-url has no {session_id}', {
      next: 'write it as: --trace-url https://langfuse.example.com/project/ID/traces/{session_id}',
    });
  }
  return template.replaceAll(/\{(session_id|trace_id)\}/g, () => encodeURIComponent(sessionId));
}
