/** `show` reads wide of one trace and narrow of all others: the story must be the one that reading everything tells. */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { InputRequest } from '../../src/lake/input/index.js';
import { type Lake, type LakeOptions, openLake } from '../../src/lake/lake.js';
import { storySql, TRACE_SQL, tellStory } from '../../src/query/story.js';
import { randomLogs } from '../oracle/random-logs.mjs';
import { call, newFolder, nightly, replayRun, writeLines } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { runOptions } from '../support/lake.js';

const RUNS = nightly ? 200 : 5;
const OPTIONS = { ...runOptions(), showContent: true, gatedKinds: ['fill'], params: {} };
const NARROW = { asks: [...TRACE_SQL], asksOfTrace: storySql(true) };
const WIDE = { asks: [...TRACE_SQL, ...storySql(true)] };

async function withLake<T>(
  own: Pick<LakeOptions, 'asks' | 'asksOfTrace'> & Partial<LakeOptions>,
  requests: readonly InputRequest[],
  use: (lake: Lake) => Promise<T>,
): Promise<T> {
  const lake = await openLake({ ...OPTIONS, ...own });
  try {
    await lake.load(requests);
    return await use(lake);
  } finally {
    lake.close();
  }
}

async function storyOf(lake: Lake, trace: string) {
  const calls = await lake.calls({ beginning: trace });
  const keys = new Map(calls.map(({ file, line, call_key }) => [`${file}:${line}`, call_key]));
  const parts = { showContent: true, traceUrl: null, violations: new Map(), acknowledged: new Map() };
  return tellStory(await lake.traced(trace), trace, { ...parts, keys });
}

const named = (files: readonly string[]) => files.map((file) => ({ path: file, as: 'any' as const }));

async function tracesIn(requests: readonly InputRequest[]): Promise<string[]> {
  const sql = 'SELECT session_id FROM sessions UNION SELECT session_id FROM replay_runs ORDER BY 1';
  return withLake({ asks: [sql] }, requests, async (lake) =>
    (await lake.query(sql)).cells.map(([id]) => String(id)),
  );
}

/** @returns how many events there were. */
async function expectEqual(requests: readonly InputRequest[], traces: readonly string[]): Promise<number> {
  let events = 0;
  await withLake(WIDE, requests, async (wide) => {
    for (const trace of traces) {
      const told = await withLake(NARROW, requests, (lake) => storyOf(lake, trace));
      expect(told).toEqual(await storyOf(wide, trace));
      events += told.events.length;
    }
  });
  return events;
}

test('random logs, plain and compressed, in any order', async () => {
  let events = 0;
  const form = fc.record({ gz: fc.boolean(), again: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.boolean().chain((dirty) => randomLogs({ dirty })),
      fc.tuple(form, form),
      fc.nat(),
      async ({ sessions, replays }, forms, which) => {
        const folder = newFolder();
        const files = [sessions, replays].flatMap((bytes, i) => {
          const { gz, again } = forms[i]!;
          const name = path.join(folder, `${i}.jsonl`);
          writeFileSync(name, gz ? gzipSync(bytes) : bytes);
          // All its lines once more, in another file: they are duplicates.
          if (again) writeFileSync(`${name}.more`, bytes.subarray(bytes.indexOf('\n') + 1));
          return again ? [`${name}.more`, name] : [name];
        });
        const traces = await tracesIn(named(files));
        const some = traces.filter((_, i) => i % 7 === which % 7).slice(0, 4);
        events += await expectEqual(named(files), some);
      },
    ),
    { numRuns: RUNS },
  );
  // Or nothing was compared.
  expect(events).toBeGreaterThan(RUNS);
});

test('marks, CRLF, no last line feed, long lines, and one call_id of several traces', async () => {
  const folder = newFolder();
  const long = 'é'.repeat(9_000);
  const lines = [
    `\ufeff${call({ session_id: 'a', call_id: 'one', prompt: long })}\r`,
    call({ session_id: 'b', call_id: 'one' }),
    '',
    'not json',
    `\ufeff${call({ session_id: 'a', call_id: 'one', model: 'other' })}\r`,
    call({ session_id: 'b', call_id: 'one', model: 'third' }),
  ];
  const log = writeLines(folder, 'sessions.jsonl', lines);
  appendFileSync(log, call({ session_id: 'a', prompt: '\u0000' }));
  const runs = writeLines(folder, 'replay_runs.jsonl', [
    `\ufeff${replayRun({ session_id: 'a', run_id: 'r' })}`,
    replayRun({ session_id: 'c', run_id: 'r' }),
  ]);
  expect(await expectEqual(named([log, runs]), ['a', 'b', 'c'])).toBe(7);
});

test('what only the story names is not loaded for other traces', async () => {
  const log = writeLines(newFolder(), 'sessions.jsonl', [
    call({ session_id: 'a' }),
    call({ session_id: 'b' }),
  ]);
  await withLake(NARROW, named([log]), async (lake) => {
    await expect(lake.query('SELECT provider FROM sessions')).rejects.toThrow(/provider/);
    const { cells } = await (await lake.traced('a')).query('SELECT session_id FROM sessions');
    expect(cells).toEqual([['a']]);
  });
});

test('many lines of one trace', async () => {
  const lines = Array.from({ length: 1_200 }, (_, i) =>
    call({ session_id: i % 2 ? 'a' : 'b', call_id: `${i}` }),
  );
  const log = writeLines(newFolder(), 'sessions.jsonl', [...lines, lines[1]!]);
  expect(await expectEqual(named([log]), ['a'])).toBe(600);
});

test('a pipe is read once', async () => {
  const stdin = Readable.from([Buffer.from(`${call({ session_id: 'a' })}\n`)]);
  const story = await withLake({ ...NARROW, stdin }, [{ path: '-', as: 'any' }], (lake) =>
    storyOf(lake, 'a'),
  );
  expect(story.events.map(({ file, line }) => `${file}:${line}`)).toEqual(['-:1']);
});

test.each<[string, (log: string) => void]>([
  ['is gone', (log) => rmSync(log)],
  ['was cut', (log) => writeFileSync(log, '')],
  ['is another', (log) => writeFileSync(log, `${call({ session_id: 'z' })}\n`.repeat(9))],
])('a log that %s between the two readings', async (_, change) => {
  const log = writeLines(newFolder(), 'sessions.jsonl', [
    call({ session_id: 'b' }),
    call({ session_id: 'a' }),
  ]);
  await withLake(NARROW, named([log]), async (lake) => {
    change(log);
    await expect(storyOf(lake, 'a')).rejects.toMatchObject({ exitCode: 3 });
  });
});
