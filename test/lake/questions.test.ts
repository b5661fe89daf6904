import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Given } from '../../src/query/params.js';
import {
  corpus,
  type Filters,
  firstShot,
  type Log,
  loadLog,
  rejections,
  tripleRejections,
} from '../oracle/oracle.mjs';
import { randomFilters, randomGatedKinds, randomLogs } from '../oracle/random-logs.mjs';
import fc from '../support/fast-check.js';
import { ask, asObjects, filtersFrom, rounded, tempFolder } from '../support/lake.js';

const NOW = new Date('2026-10-01T00:00:00Z');
const NIGHTLY = process.env.LAKELOG_NIGHTLY === '1';
const RUNS = NIGHTLY ? 150 : 6;
const folder = tempFolder();

interface Settings {
  readonly gatedKinds: readonly string[];
  readonly streak: number;
  readonly countNoCandidate: boolean;
  readonly minN: number;
  readonly top: number;
}

interface Question {
  readonly given: (settings: Settings) => Given;
  readonly answer: (log: Log, settings: Settings & { readonly filters: Filters }) => object[];
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  'first-shot': { given: ({ gatedKinds }) => ({ gated_kind: gatedKinds }), answer: firstShot },
  'triple-rejections': {
    given: ({ streak, countNoCandidate }) => ({
      streak: [String(streak)],
      count_no_candidate: countNoCandidate,
    }),
    answer: tripleRejections,
  },
  corpus: { given: ({ minN }) => ({ min_n: [String(minN)] }), answer: corpus },
  rejections: { given: ({ top }) => ({ top: [String(top)] }), answer: rejections },
};

/** Cut behind the first line end in the second half. */
function halves(bytes: Buffer): [Buffer, Buffer] {
  const cut = bytes.indexOf('\n', bytes.length / 2) + 1 || bytes.length;
  return [bytes.subarray(0, cut), bytes.subarray(cut)];
}

/** Four files, named so that their order on the command line is not that of their names. */
function spread(sessions: Buffer, replays: Buffer) {
  const holding = (as: 'sessions' | 'replay', bytes: Buffer) =>
    halves(bytes).map((half, at) => ({ file: path.join(folder, `${as}-${'ba'[at]}`), bytes: half, as }));
  return [...holding('sessions', sessions), ...holding('replay', replays)];
}

test(
  'every question equals the oracle on random logs, with any settings',
  async () => {
    const cases = fc.record({
      log: fc.boolean().chain((dirty) => randomLogs({ dirty })),
      filters: fc.oneof(fc.constant({}), randomFilters()),
      settings: fc.record({
        gatedKinds: randomGatedKinds(),
        streak: fc.integer({ min: 1, max: 4 }),
        countNoCandidate: fc.boolean(),
        minN: fc.integer({ min: 0, max: 4 }),
        top: fc.constantFrom(1, 2, 3, 10, 99),
      }),
    });
    const rows = new Map(Object.keys(QUESTIONS).map((name) => [name, 0]));
    await fc.assert(
      fc.asyncProperty(cases, async ({ log: { sessions, replays }, filters, settings }) => {
        const files = spread(sessions, replays);
        for (const { file, bytes } of files) writeFileSync(file, bytes);
        const inputs = files.map(({ file, as }) => ({
          path: file,
          as: as === 'replay' ? ('replay_runs' as const) : as,
        }));
        const log = loadLog(files, { now: NOW.getTime(), pendingGraceS: 0 });
        for (const [name, { given, answer }] of Object.entries(QUESTIONS)) {
          const options = { filters: filtersFrom(filters), now: NOW };
          const answered = asObjects(await ask(name, inputs, given(settings), options));
          expect(rounded(answered), name).toEqual(rounded(answer(log, { ...settings, filters })));
          rows.set(name, rows.get(name)! + answered.length);
        }
      }),
      { numRuns: RUNS },
    );
    // Or nothing was compared.
    for (const [name, count] of rows) expect(count, name).toBeGreaterThan(RUNS / 10);
  },
  NIGHTLY ? 7_200_000 : 600_000,
);
