import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishedTables } from '../../src/lake/tables/published.js';
import {
  attempts,
  derive,
  deriveReplay,
  type Filters,
  formatInstant,
  isSelected,
  type Log,
  loadLog,
  reasonShape,
  sessionReplays,
  traces,
} from '../oracle/oracle.mjs';
import { randomFilters, randomGatedKinds, randomLogs } from '../oracle/random-logs.mjs';
import fc from '../support/fast-check.js';
import { type BaseRow, baseRows, rosterSays } from './base-rows.js';
import { type Asked, alike, type DuckDb, duckDb, type Engine, microseconds, sqlite } from './engines.js';

const RUNS = process.env.LAKELOG_NIGHTLY === '1' ? 500 : 10;
const PUBLISHED = publishedTables().filter(({ columns }) => columns.length > 0);

let duck: DuckDb;
let lite: Engine;
beforeAll(async () => {
  duck = await duckDb();
  lite = sqlite();
});
afterAll(() => {
  duck.close();
  lite.close();
});

/** Half of each log in a file of its own, named so that argument order is not that of the names. */
function spread({ sessions, replays }: { sessions: Buffer; replays: Buffer }): Log {
  const halves = (bytes: Buffer) => {
    const cut = bytes.indexOf('\n', bytes.length / 2) + 1 || bytes.length;
    return [bytes.subarray(0, cut), bytes.subarray(cut)];
  };
  const inputs = (['sessions', 'replay'] as const).flatMap((as) =>
    halves(as === 'sessions' ? sessions : replays).map((bytes, at) => ({
      file: `${as}-${'ba'[at]}`,
      bytes,
      as,
    })),
  );
  return loadLog(inputs, { now: Date.UTC(2026, 9, 1), pendingGraceS: 0 });
}

const instantText = (micros: bigint) => microseconds(formatInstant(micros));
const time = (text: string | null) => (text === null ? null : microseconds(text));

function isInWindow(instant: bigint, { since, until }: Filters): boolean {
  return (
    (since === undefined || instant >= BigInt(since) * 1000n) &&
    (until === undefined || instant < BigInt(until) * 1000n)
  );
}

/** Rows of the published tables by the oracle's own rules. */
function published(log: Log, { filters = {}, gatedKinds = ['fill'] }: Asked): Record<string, object[]> {
  const base = baseRows(log);
  const keys = new Map(base.twins.map(({ batch, line, call_key }) => [`${batch}:${line}`, call_key]));
  const keyOf = (row: BaseRow) => keys.get(`${row.batch}:${row.line}`) ?? row.call_key_base!;
  const rowOf = new Map(log.sessions.map((session, at) => [session, base.calls[at]!]));
  const selected = log.sessions.filter((session) => isSelected(session, filters));
  const runs = log.replays.filter(({ instant }) => isInWindow(instant, filters));
  const ofCall = (call: Log['sessions'][number]) => {
    const { session_id, kind, model, daemon, environment, instant } = call;
    const call_key = keyOf(rowOf.get(call)!);
    return { call_key, session_id, timestamp: instantText(instant), kind, model, daemon, environment };
  };
  const tried = attempts(log, { filters });
  const attemptRow = new Map(
    base.attempts.map((row) => [`${row.batch}:${row.line}:${row.attempt_number}`, row]),
  );
  return {
    sessions: selected.map((session) => {
      const { not_judgeable: _, ...derived } = derive(session, { gatedKinds, tz: filters.tz ?? 'UTC' });
      const call = ofCall(session);
      const own = { trace_id: session.session_id, file: session.file, schema: 'session.iterate.v1' };
      const unasked = { roster_check: null, phantoms: null };
      const said = session.final_verdict === 'accepted' ? rosterSays(session.line) : unasked;
      return { ...rowOf.get(session)!, ...call, ...derived, ...own, ...said };
    }),
    attempts: tried.map(({ call, ...attempt }) => ({
      ...attemptRow.get(`${call.fileIndex}:${call.line}:${attempt.attempt_number}`),
      ...ofCall(call),
      ...attempt,
      reasons_text: attempt.reasons.join(' | ') || null,
    })),
    attempt_reasons: tried.flatMap(({ call, attempt_number, reasons }) =>
      reasons.map((reason, at) => {
        const named = { attempt_number, reason_number: at + 1, reason, reason_shape: reasonShape(reason) };
        return { ...ofCall(call), ...named };
      }),
    ),
    replay_runs: runs.map((run) => ({
      ...base.runs[log.replays.indexOf(run)]!,
      ...deriveReplay(run),
      schema: 'replay.run.v1',
      timestamp: instantText(run.instant),
      trace_id: run.session_id,
      file: run.file,
    })),
    replay_documents: runs.flatMap(({ session_id, run_id, file, line, documents }) =>
      (documents ?? []).map(({ id = null, source = null, score = null, rank = null }, at) => {
        return { session_id, run_id, file, line, position: at + 1, id, source, score, rank };
      }),
    ),
    session_replays: sessionReplays(log, { filters }).map((pair) => {
      const call = log.sessions.find(({ file, line }) => file === pair.file && line === pair.line)!;
      const derived = derive(call, { gatedKinds, tz: filters.tz ?? 'UTC' });
      return { ...call, ...derived, ...pair, ...ofCall(call), run_timestamp: time(pair.run_timestamp) };
    }),
    traces: traces(log, { gatedKinds, filters }).map((trace) => {
      return { ...trace, first_time: time(trace.first_time), last_time: time(trace.last_time) };
    }),
    rejects: log.rejects.map((reject) => ({
      ...reject,
      detail: `it is ${reject.reason}`,
      line_sha256: null,
    })),
    files: base.batches.map(({ newest_record, ...file }) => ({
      ...file,
      newest_record: newest_record === null ? null : instantText(newest_record as bigint),
    })),
  };
}

const unordered = (rows: readonly unknown[][]) => rows.map((row) => JSON.stringify(row)).sort();

async function compareAll(log: Log, asked: Asked): Promise<Record<string, number>> {
  const rows = baseRows(log);
  const wanted = published(log, asked);
  const zoned = (asked.filters?.tz ?? 'UTC') !== 'UTC';
  await duck.fill(rows, asked);
  if (!zoned) await lite.fill(rows, asked);
  const counts: Record<string, number> = {};
  for (const { name, columns } of PUBLISHED) {
    const kinds = columns.map(({ type }) =>
      type === 'BOOLEAN' ? 'boolean' : type === 'DOUBLE' ? 'number' : 'other',
    );
    const expected = wanted[name]!.map((row) => columns.map((column) => (row as BaseRow)[column.name]!));
    const got = await duck.query(`SELECT * FROM ${name}`);
    expect(got.names).toEqual(columns.map((column) => column.name));
    expect(unordered(alike(kinds, got.cells)), name).toEqual(unordered(alike(kinds, expected)));
    if (!zoned) {
      const { cells } = await lite.query(`SELECT * FROM ${name}`);
      expect(unordered(alike(kinds, cells)), `${name} on SQLite`).toEqual(unordered(alike(kinds, got.cells)));
    }
    counts[name] = got.cells.length;
  }
  return counts;
}

describe('every published table has the rows of the oracle, on DuckDB and on SQLite', () => {
  test.each(['healthy', 'alarm', 'messy', 'empty'])('fixtures/%s', async (scenario) => {
    const at = (name: string) => readFileSync(path.join('fixtures', scenario, name));
    const log = spread({ sessions: at('sessions.jsonl'), replays: at('replay_runs.jsonl') });
    const counts = await compareAll(log, {});
    if (scenario === 'messy')
      for (const [table, rows] of Object.entries(counts)) expect(rows, table).toBeGreaterThan(0);
  });

  test('random logs, filters and gated kinds', async () => {
    const totals: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(
        fc.boolean().chain((dirty) => randomLogs({ dirty })),
        fc.oneof(fc.constant<Filters>({}), randomFilters()),
        randomGatedKinds(),
        async (log, filters, gatedKinds) => {
          const counts = await compareAll(spread(log), { filters, gatedKinds });
          for (const [table, rows] of Object.entries(counts)) totals[table] = (totals[table] ?? 0) + rows;
        },
      ),
      { numRuns: RUNS },
    );
    // Or nothing was compared.
    for (const { name } of PUBLISHED) expect(totals[name], name).toBeGreaterThan(RUNS / 5);
  });
});

test('columns have the types that are published', async () => {
  await duck.fill(baseRows(loadLog([], { now: 0 })));
  for (const { name, columns } of PUBLISHED) {
    const { cells } = await duck.query(`SELECT column_name, column_type FROM (DESCRIBE ${name})`);
    const said = columns.map((column) => [column.name, column.type.replace('TZ', ' WITH TIME ZONE')]);
    expect(cells).toEqual(said);
  }
});
