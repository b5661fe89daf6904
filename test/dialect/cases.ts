/** What is asked of engines that get the printed SQL, and what lakelog itself says to it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Filters, NO_FILTERS } from '../../src/lake/lake.js';
import { printedStatement } from '../../src/lake/printed.js';
import type { Dialect } from '../../src/lake/tables/dialect.js';
import { readCatalogue } from '../../src/query/catalogue.js';
import { yieldedColumns } from '../../src/query/intervals.js';
import { bindParams, type Given } from '../../src/query/params.js';
import type { Query } from '../../src/query/question.js';
import { openSession } from '../../src/query/run.js';
import type { Cell } from '../../src/schema/result.js';
import { randomLogs } from '../oracle/random-logs.mjs';
import fc from '../support/fast-check.js';
import { catalogue, runOptions, tempFolder } from '../support/lake.js';
import type { Batch } from './copied-lake.js';

export interface Case {
  readonly name: string;
  readonly query: Query;
  readonly given: Given;
  readonly filters: Filters;
}

const GROUPS = ['model', 'kind', 'hour', 'day', 'week', 'month'];
const BERLIN: Filters = { ...NO_FILTERS, tz: 'Europe/Berlin' };
const NARROW: Filters = {
  ...{ tz: 'America/St_Johns', since: '2026-08-01', until: '2026-11-30T12:00:00.123456Z' },
  ...{
    model: ["o'neill\\", 'gpt-4.1', 'gpt-4.1-mini', '模型'],
    kind: ['fill', 'email'],
    daemon: [],
    environment: [],
  },
};

const SETTINGS: Readonly<Record<string, readonly Given[]>> = {
  alarm: [{}, { gated_kind: ['fill', "e'mail\\", 'email'], allow_unjudged: true }],
  'triple-rejections': [{}, { streak: ['1'], count_no_candidate: true }],
  'first-shot': [{}, { gated_kind: ['email'] }],
};
const BY: readonly Given[] = [{}, { by: GROUPS }];

/** Questions of somebody's own, in the same subset. */
const OWN = {
  'own-files': `-- title: Files
-- question: What became of the lines of every file?
-- column: file text
-- column: lines integer
-- column: loaded integer
-- column: duplicates integer
-- column: conflicts integer
-- column: late integer
-- column: rejects integer
WITH bad AS (SELECT r.file, COUNT(*) AS rejects FROM rejects r GROUP BY r.file)
SELECT f.file, f.lines, f.loaded, f.duplicates, f.conflicts, f.late, COALESCE(b.rejects, 0) AS rejects
FROM files f LEFT JOIN bad b ON b.file = f.file ORDER BY f.file`,
  'own-traces': `-- title: Traces
-- question: What is known of every trace?
-- param: like text = it's \\ -- a text
-- param: share number = 0.25 -- a number
-- column: session_id text
-- column: calls integer
-- column: replay_runs integer
-- column: first_time timestamp
-- column: all_first_shot boolean
-- column: any_ungrounded boolean
-- column: in_window boolean
-- column: said text
-- column: share number
SELECT t.session_id, t.calls, t.replay_runs, t.first_time, t.all_first_shot, t.any_ungrounded, t.in_window,
  p."like" AS said, p.share
FROM traces t CROSS JOIN params p
WHERE t.replay_runs >= 0
ORDER BY t.session_id;`
    .replace('p."like"', 'p.said')
    .replace('param: like', 'param: said'),
  'own-documents': `-- title: Documents
-- question: Which documents were retrieved?
-- column: session_id text
-- column: id text
-- column: score number
-- column: position integer
-- column: call_key text
SELECT d.session_id, d.id, d.score, d.position, s.call_key
FROM replay_documents d LEFT JOIN sessions s ON s.session_id = d.session_id
ORDER BY d.session_id NULLS LAST, d.file, d.line, d.position NULLS LAST, s.file NULLS LAST, s.line NULLS LAST`,
};

function ownQuestions(): Query[] {
  const folder = path.join(tempFolder(), 'own');
  mkdirSync(folder);
  for (const [name, sql] of Object.entries(OWN)) writeFileSync(path.join(folder, `${name}.sql`), sql);
  return readCatalogue(folder);
}

/** Those that are shipped, and some of somebody's own. */
export const ALL_QUESTIONS: readonly Query[] = [...catalogue, ...ownQuestions()];

export const CASES: readonly Case[] = ALL_QUESTIONS.flatMap((query) => {
  const groups = query.params.some(({ name }) => name === 'by');
  const all = SETTINGS[query.name] ?? (groups ? BY : [{}]);
  return [
    ...all.map((given) => ({ query, given, filters: groups ? BERLIN : NO_FILTERS })),
    { query, given: all.at(-1)!, filters: NARROW },
  ].map((one, i) => ({ ...one, name: `${query.name} ${i}` }));
});

export type Rows = readonly (readonly Cell[])[];

/**
 * The files of a fixture, in the order of their names: some lines of calls once more, as another host has them, and
 * replay runs in two files, whose batches have numbers that say nothing of which is later.
 */
export function batchesOf(scenario: string): Batch[] {
  const folder = tempFolder();
  const linesOf = (name: string) => readFileSync(path.join('fixtures', scenario, name), 'utf8').split('\n');
  return inFour(folder, linesOf('sessions.jsonl'), linesOf('replay_runs.jsonl'), 'utf8');
}

/** The same of random logs, whose instants stand at the borders of days and whose texts are hard to write down. */
export function randomBatches(seed: number): Batch[] {
  const [logs] = fc.sample(randomLogs({ dirty: true, maxCalls: 60, maxRuns: 20 }), { numRuns: 1, seed });
  const linesOf = (bytes: Buffer) => bytes.toString('latin1').split('\n');
  return inFour(tempFolder(), linesOf(logs!.sessions), linesOf(logs!.replays), 'latin1');
}

function inFour(
  folder: string,
  calls: readonly string[],
  runs: readonly string[],
  encoding: BufferEncoding,
): Batch[] {
  const half = runs.length >> 1;
  const parts = {
    // In the order of the files: a line that stands in both is the first one's.
    'runs-1.jsonl': [[...runs.slice(0, half), ''], 2 ** 41 - 7],
    'runs-2.jsonl': [runs.slice(half), 2 ** 41],
    'sessions-1.jsonl': [calls, 2 ** 51],
    'sessions-2.jsonl': [[...calls.slice(3, 40), ''], 2 ** 52 - 1],
  } as const;
  return Object.entries(parts).map(([name, [lines, number]]) => {
    const file = path.join(folder, name);
    writeFileSync(file, lines.join('\n'), encoding);
    return { request: { path: file, as: 'any' }, number };
  });
}

/** Rows of cases as lakelog itself has them, by their names. */
export async function ownRows(
  batches: readonly Batch[],
  cases: readonly Case[] = CASES,
): Promise<ReadonlyMap<string, Rows>> {
  const found = new Map<string, Rows>();
  for (const filters of new Set(cases.map((one) => one.filters))) {
    const asked = cases
      .filter((one) => one.filters === filters)
      .map((one) => ({
        ...one,
        params: bindParams(one.query, one.given),
      }));
    const { lake } = await openSession(asked, runOptions({ filters }));
    try {
      const account = await lake.load(batches.map(({ request }) => request));
      for (const { name, query, params } of asked) {
        await lake.setParams(params.columns);
        await lake.gate(params.gatedKinds, account);
        found.set(name, (await lake.query(query.sql)).cells);
      }
    } finally {
      lake.close();
    }
  }
  return found;
}

export function printedFor(dialect: Dialect, { query, given, filters }: Case): Promise<string> {
  const { columns: params, gatedKinds } = bindParams(query, given);
  const now = new Date('2026-10-01T00:00:00Z');
  return printedStatement(query.sql, query.file, {
    ...{ dialect, filters, gatedKinds, params, showContent: false, now },
  });
}

/** Instants in one width; fractions to 1e-9; what a comparison says is 1 in ClickHouse, where it is true. */
export function alike({ query }: Pick<Case, 'query'>, rows: Rows): unknown[][] {
  const booleans = yieldedColumns(query).map(({ type }) => type === 'boolean');
  return rows.map((row) =>
    row.map((cell, i) => {
      if (booleans[i] && (cell === 0 || cell === 1)) return cell === 1;
      if (typeof cell === 'number' && !Number.isInteger(cell)) return Number(cell.toPrecision(10));
      if (typeof cell === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(cell))
        return cell.replace(/(?:\.(\d+))?Z$/, (_, digits = '') => `.${digits.padEnd(6, '0')}Z`);
      return cell;
    }),
  );
}
