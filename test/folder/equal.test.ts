import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bindParams } from '../../src/query/params.js';
import { openSession, type RunOptions } from '../../src/query/run.js';
import { scenarioFolders } from '../oracle/make-expected.mjs';
import { randomFilters, randomGatedKinds, randomLogs } from '../oracle/random-logs.mjs';
import { nightly } from '../support/cli.js';
import { catalogue, filtersFrom, rounded, rowsOf, runOptions, tempFolder } from '../support/lake.js';
import { lakeUse, NOW, newLake, publish, sameNames, writeHostLogs } from './folder-lake.js';

const RUNS = nightly ? 50 : 3;

const TABLES = [
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

type Logs = Readonly<Record<string, Buffer>>;

/** Every line has its end: what has none yet is not published. */
function whole(bytes: Buffer): Buffer {
  const end = bytes.at(-1);
  return end === undefined || end === 10 ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
}

/**
 * Hosts are named in the order of the hashes of their logs: of lines that stand twice the one in the batch of the lower
 * number is kept, which in memory is the one that is named first.
 */
function written(logs: readonly Logs[]): { readonly host: string; readonly files: string[] }[] {
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

/** One loading, all questions and all tables. */
async function everything({ options, paths }: Asked, gatedKinds: readonly string[]): Promise<unknown> {
  const requests = paths.map((one) => ({ path: one, as: 'any' as const }));
  const questions = catalogue.map((query) => {
    const given = query.params.some(({ of }) => of.type === 'kinds') ? { gatedKind: [...gatedKinds] } : {};
    return { query, params: bindParams(query, given) };
  });
  const session = await openSession(questions, runOptions({ ...options, now: NOW }), TABLES);
  const answers: Record<string, unknown> = {};
  try {
    const loaded = await session.lake.load(requests);
    for (const question of questions) {
      const { result, judged, gated } = await session.answer(question, loaded);
      answers[question.query.name] = { rows: result.rows, judged, gated };
    }
    const account = await session.lake.gate(gatedKinds, loaded);
    for (const sql of TABLES) answers[sql] = await rowsOf(session.lake, sql);
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

async function compareAll(
  logs: readonly Logs[],
  options: Partial<RunOptions> = {},
  gatedKinds: readonly string[] = ['fill'],
  inFileToo = nightly,
): Promise<void> {
  const hosts = written(logs);
  const lake = newLake();
  for (const { host, files } of hosts) await publish(lake, host, files);
  const paths = hosts.flatMap(({ files }) => files);
  const inMemory = await everything({ options, paths }, gatedKinds);
  const inFolder = await everything({ options: { ...options, lake: lakeUse(lake) }, paths: [] }, gatedKinds);
  expect(inFolder).toEqual(inMemory);
  if (!inFileToo) return;
  const file = path.join(tempFolder(), 'lake.duckdb');
  const inFile = await everything({ options: { ...options, lake: lakeUse(file) }, paths }, gatedKinds);
  expect(inFile).toEqual(inMemory);
}

const scenarios = scenarioFolders();

test.each(scenarios)('%s: a folder answers as memory and a lake file do', async (folder) => {
  const logs = ['sessions.jsonl', 'replay_runs.jsonl'].flatMap((name) => {
    try {
      return [{ [name]: readFileSync(path.join(folder, name)) }];
    } catch {
      return [];
    }
  });
  if (logs.every((one) => Object.values(one)[0]!.length === 0)) return;
  await compareAll(logs);
});

const hosts = fc
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
  );

test(
  'random logs of several hosts: a folder answers as memory and a lake file do',
  async () => {
    await fc.assert(
      fc.asyncProperty(hosts, randomFilters(), randomGatedKinds(), async (logs, filters, gatedKinds) => {
        await compareAll(logs, { filters: filtersFrom(filters) }, gatedKinds, true);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  nightly ? 1_800_000 : 120_000,
);
