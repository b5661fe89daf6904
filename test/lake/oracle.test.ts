import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectedFolder, scenarioFolders } from '../oracle/make-expected.mjs';
import {
  alarm,
  attempts,
  corpus,
  derive,
  deriveReplay,
  type Filters,
  firstShotRate,
  isSelected,
  judged,
  type Log,
  loadLog,
  reasonShape,
  rejections,
  sessionReplays,
  traces,
} from '../oracle/oracle.mjs';
import { GROUPINGS, randomBy, randomFilters, randomGatedKinds, randomLogs } from '../oracle/random-logs.mjs';
import { byDay, nightly } from '../support/cli.js';
import fc from '../support/fast-check.js';
import {
  ask,
  asObjects,
  catalogue,
  filtersFrom,
  root,
  rounded,
  rowsOf,
  tempFolder,
  withLake,
} from '../support/lake.js';

const NOW = new Date('2026-10-01T00:00:00Z');
const NIGHTLY = process.env.LAKELOG_NIGHTLY === '1';
const RUNS = NIGHTLY ? 150 : 4;
const EVERYTHING = `SELECT * FROM sessions; SELECT * FROM attempts; SELECT * FROM attempt_reasons; SELECT * FROM replay_runs;
  SELECT * FROM replay_documents; SELECT * FROM session_replays; SELECT * FROM traces; SELECT * FROM rejects; SELECT * FROM files`;

interface Case {
  readonly sessions: Buffer;
  readonly replays: Buffer;
  readonly filters: Filters;
  readonly gatedKinds: readonly string[];
}

const folder = tempFolder();
const sessionsFile = path.join(folder, 'sessions.jsonl');
const replaysFile = path.join(folder, 'replay_runs.jsonl');
const requests = [
  { path: sessionsFile, as: 'sessions' as const },
  { path: replaysFile, as: 'replay_runs' as const },
];

function readOracle({ sessions, replays }: Pick<Case, 'sessions' | 'replays'>): Log {
  return loadLog(
    [
      { file: sessionsFile, bytes: sessions, as: 'sessions' },
      { file: replaysFile, bytes: replays, as: 'replay' },
    ],
    { now: NOW.getTime(), pendingGraceS: 0 },
  );
}

const byPlace = (a: { line: number }, b: { line: number }) => a.line - b.line;

async function compareAll(input: Case): Promise<void> {
  writeFileSync(sessionsFile, input.sessions);
  writeFileSync(replaysFile, input.replays);
  const log = readOracle(input);
  const { filters, gatedKinds } = input;
  const tz = filters.tz ?? 'UTC';
  const options = { filters: filtersFrom(filters), now: NOW, gatedKinds };

  await withLake(
    EVERYTHING,
    requests,
    async (lake, account) => {
      expect(account.files.map(({ newest_record: _, ...file }) => file)).toEqual(log.files);
      const rejects = await lake.rejects();
      expect(
        rejects.map(({ file, line, byte_offset, reason }) => ({ file, line, byte_offset, reason })),
      ).toEqual(log.rejects);

      const selected = log.sessions.filter((session) => isSelected(session, filters));
      const sessions = await rowsOf(lake, 'SELECT * FROM sessions ORDER BY line');
      expect(rounded(sessions.map(({ call_key: _, extra: __, ...row }) => row))).toEqual(
        rounded(
          selected.map((session) => {
            const { not_judgeable: _, ...derived } = derive(session, { gatedKinds, tz });
            const {
              instant,
              fileIndex: __,
              extra: ___,
              attempts: ____,
              prompt: _____,
              artifact: ______,
              ...row
            } = session;
            const believed = { roster_check: null, phantoms: null };
            return {
              ...row,
              ...believed,
              timestamp: formatted(instant),
              trace_id: session.session_id,
              ...derived,
            };
          }),
        ),
      );
      const keys = sessions.map((row) => row.call_key);
      expect(new Set(keys).size).toBe(keys.length);
      expect(account.inconsistent).toBe(
        selected.filter((s) => derive(s, { gatedKinds, tz }).inconsistent).length,
      );
      expect(account.notJudgeable).toBe(
        selected.filter((s) => derive(s, { gatedKinds, tz }).not_judgeable).length,
      );

      const tried = attempts(log, { filters });
      expect(
        await rowsOf(
          lake,
          `SELECT s.line, a.session_id, a.attempt_number, a.verdict, a.reasons_text
           FROM attempts a JOIN sessions s ON s.call_key = a.call_key ORDER BY s.line, a.attempt_number`,
        ),
      ).toEqual(
        tried.map(({ call, attempt_number, verdict, reasons }) => ({
          line: call.line,
          session_id: call.session_id,
          attempt_number,
          verdict,
          reasons_text: reasons.join(' | ') || null,
        })),
      );
      expect(
        await rowsOf(
          lake,
          `SELECT s.line, x.session_id, x.attempt_number, x.reason_number, x.reason, x.reason_shape
           FROM attempt_reasons x JOIN sessions s ON s.call_key = x.call_key
           ORDER BY s.line, x.attempt_number, x.reason_number`,
        ),
      ).toEqual(
        tried.flatMap(({ call, attempt_number, reasons }) =>
          reasons.map((reason, at) => ({
            line: call.line,
            session_id: call.session_id,
            attempt_number,
            reason_number: at + 1,
            reason,
            reason_shape: reasonShape(reason),
          })),
        ),
      );

      const runs = log.replays.filter(({ instant }) => inWindow(instant, filters));
      expect(
        rounded(
          await rowsOf(
            lake,
            'SELECT line, session_id, run_id, document_count, best_score FROM replay_runs ORDER BY line',
          ),
        ),
      ).toEqual(
        rounded(
          runs
            .map((run) => ({
              line: run.line,
              session_id: run.session_id,
              run_id: run.run_id,
              ...deriveReplay(run),
            }))
            .sort(byPlace),
        ),
      );

      const pairs = await rowsOf(
        lake,
        `SELECT p.session_id, s.line, p.has_replay, p.is_latest, p.run_id, p.run_timestamp, p.document_count, p.best_score
         FROM session_replays p JOIN sessions s ON s.call_key = p.call_key`,
      );
      const wanted = sessionReplays(log, { filters }).map(
        ({ file: _, run_file: __, run_line: ___, ...row }) => row,
      );
      expect(sorted(rounded(pairs))).toEqual(sorted(rounded(wanted)));
      expect(rounded(await rowsOf(lake, 'SELECT * FROM traces ORDER BY session_id'))).toEqual(
        rounded(traces(log, { gatedKinds, filters })),
      );
      expect(await rowsOf(lake, 'SELECT count(*) AS n FROM rejects')).toEqual([{ n: log.rejects.length }]);
      expect(await rowsOf(lake, 'SELECT sum(lines) AS n FROM files')).toEqual([
        { n: log.files.reduce((sum, file) => sum + file.lines, 0) },
      ]);
    },
    options,
  );

  const alarmed = await ask('alarm', requests, { gated_kind: gatedKinds }, options);
  expect(asObjects(alarmed)).toEqual(alarm(log, { gatedKinds, filters }));
  expect(alarmed.judged).toBe(judged(log, { gatedKinds, filters }));
}

function formatted(instant: bigint): string {
  const rest = ((instant % 1000n) + 1000n) % 1000n;
  const iso = new Date(Number((instant - rest) / 1000n)).toISOString();
  return rest === 0n ? iso : iso.replace('Z', `${String(rest).padStart(3, '0')}Z`);
}

function inWindow(instant: bigint, { since, until }: Filters): boolean {
  return (
    (since === undefined || instant >= BigInt(since) * 1000n) &&
    (until === undefined || instant < BigInt(until) * 1000n)
  );
}

const sorted = (rows: unknown) =>
  (rows as object[]).map((row) => JSON.stringify(row, Object.keys(row).sort())).sort();

describe('random logs: accounting, every derived column and both questions equal the oracle', () => {
  for (const dirty of [false, true]) {
    test(
      dirty ? 'with bad lines' : 'clean',
      async () => {
        const cases = fc.record({
          log: randomLogs({ dirty }),
          filters: randomFilters(),
          gatedKinds: randomGatedKinds(),
        });
        await fc.assert(
          fc.asyncProperty(cases, async ({ log, filters, gatedKinds }) =>
            compareAll({ ...log, filters, gatedKinds }),
          ),
          { numRuns: RUNS / 2 },
        );
      },
      NIGHTLY ? 7_200_000 : 600_000,
    );
  }

  const asked = {
    'first-shot-rate': { given: { min_n: ['5'] }, oracle: firstShotRate, options: { minN: 5 } },
    corpus: { given: { min_n: ['5'] }, oracle: corpus, options: { minN: 5 } },
    rejections: { given: { top: ['3'] }, oracle: rejections, options: { top: 3 } },
  } as const;
  test.each(Object.entries(asked))(
    '%s with any grouping',
    async (name, { given, oracle, options }) => {
      let rows = 0;
      const cases = fc.record({
        log: randomLogs({ dirty: false }),
        filters: randomFilters(),
        by: randomBy(),
      });
      await fc.assert(
        fc.asyncProperty(cases, async ({ log: { sessions, replays }, filters, by: chosen }) => {
          // The columns keep the order of the header, whatever order the options had.
          const by = GROUPINGS.filter((name) => chosen.includes(name));
          writeFileSync(sessionsFile, sessions);
          writeFileSync(replaysFile, replays);
          const answer = await ask(
            name,
            requests,
            { by, ...given },
            { filters: filtersFrom(filters), now: NOW },
          );
          const wanted = oracle(readOracle({ sessions, replays }), { by, ...options, filters });
          expect(rounded(asObjects(answer))).toEqual(rounded(wanted));
          rows += wanted.length;
        }),
        { numRuns: RUNS },
      );
      // Or nothing was compared.
      expect(rows).toBeGreaterThan(0);
    },
    NIGHTLY ? 7_200_000 : 600_000,
  );
});

test.each(byDay(['{', '}', '{\n', '1', '\v{}\n', '\n{', '\ufeff{', '{}'], 4))(
  'a log that is only %j',
  async (text) => {
    await compareAll({
      sessions: Buffer.from(text),
      replays: Buffer.alloc(0),
      filters: {},
      gatedKinds: ['fill'],
    });
  },
);

describe.each(scenarioFolders().map((folder) => path.basename(folder)))('fixtures/%s', (scenario) => {
  const at = (name: string) => path.join(root, 'fixtures', scenario, name);
  const golden = (name: string) =>
    JSON.parse(readFileSync(path.join(expectedFolder(scenario), `${name}.json`), 'utf8'));
  const named = [
    { path: 'sessions.jsonl', as: 'sessions' as const },
    { path: 'replay_runs.jsonl', as: 'replay_runs' as const },
  ];
  const options = { cwd: path.join(root, 'fixtures', scenario), now: NOW };

  test.skipIf(!nightly && scenario === 'healthy')('every derived column equals the oracle', async () => {
    const sessions = readFileSync(at('sessions.jsonl'));
    const replays = readFileSync(at('replay_runs.jsonl'));
    await compareAll({ sessions, replays, filters: {}, gatedKinds: ['fill'] });
  });

  // By day all of messy logs, one of none, and of the others by turns.
  const turn = ['alarm', 'healthy'].indexOf(scenario);
  const asked = catalogue.filter(
    (_, i) => nightly || scenario === 'messy' || (turn < 0 ? i === 0 : i % 2 === turn),
  );

  test.each(asked)('$name equals the golden file', async ({ name }) => {
    expect(rounded(asObjects(await ask(name, named, {}, options)))).toEqual(rounded(golden(name)));
  });

  test('the account equals the golden file', async () => {
    await withLake(
      '',
      named,
      async (lake, account) => {
        expect({
          files: account.files.map(({ newest_record: _, ...file }) => file),
          rejects: (await lake.rejects()).map(({ file, line, byte_offset, reason }) => ({
            file,
            line,
            byte_offset,
            reason,
          })),
          conflicts: account.conflicts,
          inconsistent: account.inconsistent,
          not_judgeable: account.notJudgeable,
        }).toEqual(golden('accounting'));
      },
      options,
    );
  });
});
