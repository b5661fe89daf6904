/** All that a lake answers, so that lakes of other kinds can be held against it; and logs of several hosts to ask about. */
import { createHash } from 'node:crypto';
import { bindParams, type Given } from '../../src/query/params.js';
import type { Query } from '../../src/query/question.js';
import { openSession, type RunOptions } from '../../src/query/run.js';
import { randomLogs } from '../oracle/random-logs.mjs';
import fc from '../support/fast-check.js';
import { catalogue, rounded, rowsOf, runOptions, tempFolder } from '../support/lake.js';
import { NOW, sameNames, writeHostLogs } from './folder-lake.js';

export const TABLES = [
  'SELECT * FROM sessions ORDER BY file, line',
  'SELECT * FROM attempts ORDER BY call_key, attempt_number',
  'SELECT * FROM attempt_reasons ORDER BY call_key, attempt_number, reason_number',
  'SELECT * FROM replay_runs ORDER BY file, line',
  'SELECT * FROM replay_documents ORDER BY file, line, position',
  'SELECT * FROM session_replays ORDER BY call_key, run_timestamp, run_id, is_latest, document_count, best_score',
  'SELECT * FROM traces ORDER BY session_id',
  'SELECT * FROM rejects ORDER BY file, line',
  'SELECT * FROM files ORDER BY file',
];

export type Logs = Readonly<Record<string, Buffer>>;

/** Every line has its end: what has none yet is not published. */
function whole(bytes: Buffer): Buffer {
  const end = bytes.at(-1);
  return end === undefined || end === 10 ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
}

/**
 * Hosts are named in the order of the hashes of their logs: of lines that stand twice the one in the batch of the lower
 * number is kept, which in memory is the one that is named first.
 */
export function written(logs: readonly Logs[]): { readonly host: string; readonly files: string[] }[] {
  const single = logs.flatMap((one) =>
    Object.entries(one)
      .map(([name, bytes]) => ({ name, bytes: whole(bytes) }))
      .filter(({ bytes }) => bytes.length > 0),
  );
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const sorted = single.sort((a, b) => (hash(a.bytes) < hash(b.bytes) ? -1 : 1));
  const folder = tempFolder();
  return sorted.map(({ name, bytes }, i) => {
    const host = `h${String(i).padStart(2, '0')}`;
    return { host, files: writeHostLogs(folder, host, { [name]: bytes }) };
  });
}

type Asked = { readonly options: Partial<RunOptions>; readonly paths: readonly string[] };

/** One loading, all these questions and tables. */
export async function everything(
  { options, paths }: Asked,
  gatedKinds: readonly string[],
  queries: readonly Query[] = catalogue,
  tables: readonly string[] = TABLES,
  givenOf: Readonly<Record<string, Given>> = {},
): Promise<unknown> {
  const requests = paths.map((one) => ({ path: one, as: 'any' as const }));
  const questions = queries.map((query) => {
    const kinds = query.params.some(({ of }) => of.type === 'kinds') ? { gated_kind: [...gatedKinds] } : {};
    return { query, params: bindParams(query, { ...givenOf[query.name], ...kinds }) };
  });
  const session = await openSession(questions, runOptions({ ...options, now: NOW }), tables);
  const answers: Record<string, unknown> = {};
  try {
    const loaded = await session.lake.load(requests);
    for (const question of questions) {
      const { result, judged, gated } = await session.answer(question, loaded);
      answers[question.query.name] = { rows: result.rows, judged, gated };
    }
    const account = await session.lake.gate(gatedKinds, loaded);
    for (const sql of tables) answers[sql] = await rowsOf(session.lake, sql);
    const { lake: _, files, notices: __, ...rest } = account;
    answers.account = {
      ...{ ...rest, window: null, files: files.map(({ head: ___, ...file }) => file) },
      problems: rest.problems.map(({ path: file, problem }) => [file, problem]),
    };
  } finally {
    session.lake.close();
  }
  return JSON.parse(sameNames(JSON.stringify(rounded([answers]))));
}

/** Logs of a few hosts. */
export const hosts = fc
  .array(randomLogs({ dirty: true, maxCalls: 25, maxRuns: 12 }), { minLength: 1, maxLength: 3 })
  .chain((logs) =>
    // Some lines stand in the log of another host too.
    fc.record({ logs: fc.constant(logs), shared: fc.nat(9) }).map(({ logs: all, shared }) => {
      const first = whole(all[0]!.sessions).toString('latin1').split('\n').slice(0, shared).join('\n');
      return all.map(({ sessions, replays }, i) => ({
        'sessions.jsonl':
          i === 0 || first === ''
            ? sessions
            : Buffer.concat([whole(sessions), Buffer.from(`${first}\n`, 'latin1')]),
        'replay_runs.jsonl': replays,
      }));
    }),
  )
  // A log that another one begins with is one log with it, of two hosts: files cannot be compared with those in memory.
  .filter((all) =>
    (['sessions.jsonl', 'replay_runs.jsonl'] as const).every((name) =>
      all.every((one, i) =>
        all.every(
          (other, j) =>
            i === j || one[name].length === 0 || !one[name].equals(other[name].subarray(0, one[name].length)),
        ),
      ),
    ),
  );
