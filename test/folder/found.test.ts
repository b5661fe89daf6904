/** What a gate found in files that never change is kept: asked again and again it says what one says who keeps nothing. */
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { parseSql } from '../../src/lake/box.js';
import { openDatabase } from '../../src/lake/duckdb/connection.js';
import { sha256 } from '../../src/lake/store/fingerprint.js';
import { asksCallsAlone } from '../../src/lake/tables/rowwise.js';
import { byDay, call, envelope, newFolder, nightly } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { catalogue } from '../support/lake.js';
import { lakelog } from '../support/program.js';
import { filesIn, NOW, publish, writeHostLogs } from './folder-lake.js';

const lines = (all: readonly string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));
const KINDS = ['fill', 'email'] as const;

afterEach(() => void vi.useRealTimers());

/** A lake, and a user who asks it. */
function begin() {
  const lake = path.join(newFolder(), 'lake/');
  const [home, logs] = [newFolder(), newFolder()];
  const ask = async (
    args: readonly string[],
    env: Record<string, string> = { HOME: home },
    clock?: number,
  ) => {
    vi.setSystemTime(clock ?? Date.now() + 10_000);
    const ran = await lakelog(['alarm', '--lake', lake, '--json', ...args], { now: () => NOW, env });
    const { verdict, receipt, rows } = envelope(ran);
    const { judged, gated_kinds, calls_loaded } = receipt;
    return { code: ran.code, says: [verdict, rows, judged, gated_kinds, calls_loaded] };
  };
  const put = (host: string, content: readonly string[]) =>
    publish(lake, host, writeHostLogs(logs, host, { 'sessions.jsonl': lines(content) }));
  const kept = () => {
    const folder = path.join(home, '.cache/lakelog');
    const name = readdirSync(folder).find((one) => one.startsWith('found-'));
    return name === undefined ? null : readFileSync(path.join(folder, name), 'utf8');
  };
  return { lake, ask, put, kept };
}

const compact = (lake: string) =>
  lakelog(['lake', 'compact', '--lake', lake, '--grace', '0'], {
    now: () => new Date('2027-01-01T00:00:00Z'),
  });

/** Mostly calls without a finding. */
const someCall = fc.record({
  day: fc.integer({ min: 1, max: 5 }),
  kind: fc.constantFrom(...KINDS),
  grounded: fc.oneof(
    { weight: 9, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constantFrom(false, null) },
  ),
});
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ put: fc.array(someCall, { minLength: 1, maxLength: 6 }), host: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.constant('compact' as const) },
);
const ASKED: readonly (readonly string[])[] = [
  [],
  ['--kind', 'fill'],
  ['--since', '2026-09-03'],
  ['--gated-kind', 'email'],
  ['--allow-unjudged'],
];

test('whatever comes and is merged in between', async () => {
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      const { lake, ask, put } = begin();
      const logs: string[][] = [[], [], []];
      for (const one of steps) {
        if (one === 'compact') {
          if (logs.some(({ length }) => length > 0)) await compact(lake);
        } else {
          const more = one.put.map(({ day, kind, grounded }) =>
            call({
              ...{ timestamp: `2026-09-0${day}T08:00:00Z`, call_id: `c${n++}`, kind },
              ...{ final_verdict: 'accepted', grounded_in_roster: grounded },
            }),
          );
          logs[one.host]!.push(...more);
          await put(`web${one.host}`, logs[one.host]!);
        }
        if (logs.every(({ length }) => length === 0)) continue;
        for (const args of [[], ASKED[n % ASKED.length]!]) {
          const expected = await ask(args, {});
          expect(await ask(args)).toEqual(expected);
        }
      }
    }),
    { numRuns: nightly ? 60 : 2 },
  );
}, 900_000);

test('asked otherwise it is another question', async () => {
  const { ask, put } = begin();
  const some = (n: number, kind: string, grounded: boolean | null) =>
    call({
      ...{ timestamp: `2026-09-0${n}T08:00:00Z`, call_id: `o${n}`, kind },
      ...{ final_verdict: 'accepted', grounded_in_roster: grounded },
    });
  await put('web1', [some(1, 'fill', true), some(2, 'email', false), some(3, 'fill', true)]);
  await put('web2', [some(4, 'email', true), some(5, 'fill', null)]);
  const said = [];
  for (const args of ASKED) {
    said.push(await ask(args));
    expect(said.at(-1)).toEqual(await ask(args, {}));
  }
  expect(new Set(said.map((one) => JSON.stringify(one))).size).toBe(4);
}, 60_000);

test('a few findings are looked for again in few files', async () => {
  const { ask, put, kept } = begin();
  const day = (n: number) => `2026-08-${String(n + 1).padStart(2, '0')}T08:00:00Z`;
  const accepted = (n: number, grounded: boolean) =>
    call({ timestamp: day(n), call_id: `d${n}`, final_verdict: 'accepted', grounded_in_roster: grounded });
  await put(
    'web1',
    Array.from({ length: 30 }, (_, n) => accepted(n, n !== 7)),
  );
  const first = await ask([]);
  expect(first.code).toBe(1);
  const withoutRows = () =>
    Math.max(
      ...Object.values(JSON.parse(kept()!) as Record<string, { without?: string[] }>).map(
        ({ without }) => without?.length ?? 0,
      ),
    );
  expect(withoutRows()).toBe(28);
  expect(await ask([])).toEqual(first);
  expect(await ask([], {})).toEqual(first);
});

test('a file of the same size and time of change is not the same file', async () => {
  const { lake, ask, put, kept } = begin();
  await put('web1', [
    call({ timestamp: '2026-09-01T08:00:00Z' }),
    call({ timestamp: '2026-09-01T09:00:00Z' }),
  ]);
  const fine = await ask([]);
  expect(fine.code).toBe(0);
  const before = kept();
  const file = path.join(lake, filesIn(lake).find((name) => name.startsWith('base_calls/'))!);
  const { atime, mtime, size } = statSync(file);
  const bytes = readFileSync(file);
  bytes[60]! ^= 1;
  writeFileSync(file, bytes);
  utimesSync(file, atime, mtime);
  expect(statSync(file)).toMatchObject({ size, mtime });
  expect((await ask([])).code).toBe(3);
  expect(kept()).toBe(before);
  bytes[60]! ^= 1;
  writeFileSync(file, bytes);
  expect(await ask([])).toEqual(fine);
});

test('of files that were written just now nothing is kept', async () => {
  const { lake, put, ask, kept } = begin();
  await put('web1', [call({ timestamp: '2026-09-01T08:00:00Z' })]);
  const file = path.join(lake, filesIn(lake).find((name) => name.startsWith('base_calls/'))!);
  const hash = sha256(readFileSync(file));
  const { ctimeMs } = statSync(file);
  await ask([], undefined, ctimeMs + 100);
  expect(kept() ?? '').not.toContain(hash);
  await ask([], undefined, ctimeMs + 10_000);
  expect(kept()).toContain(hash);
});

test('lines that stand in two batches are asked about each time', async () => {
  const { ask, put, kept } = begin();
  const both = call({
    timestamp: '2026-09-01T08:00:00Z',
    call_id: 'both',
    grounded_in_roster: false,
    final_verdict: 'accepted',
  });
  await put('web1', [both, call({ timestamp: '2026-09-01T09:00:00Z' })]);
  await put('web2', [call({ timestamp: '2026-09-02T09:00:00Z' }), both]);
  const expected = await ask([], {});
  expect(await ask([])).toEqual(expected);
  expect(await ask([])).toEqual(expected);
  expect(kept()).toBeNull();
});

const ALONE = [
  ['SELECT s.line FROM sessions s WHERE s.gated AND COALESCE(s.grounded_in_roster, FALSE) = FALSE', true],
  ['SELECT s.line FROM sessions s, params p WHERE s.kind = p.mine ORDER BY s."timestamp"', true],
  ['SELECT s.line FROM sessions s WHERE s.timestamp < current_timestamp', false],
  ['SELECT s.line FROM sessions s WHERE s.timestamp < now()', false],
  ['SELECT s.line FROM sessions s WHERE random() < 2', false],
  [`SELECT s.line FROM sessions s WHERE s.call_key LIKE '%#2'`, false],
  ['SELECT s.line FROM sessions s WHERE s.session_id IN (SELECT session_id FROM traces)', false],
  ['SELECT s.line FROM sessions s WHERE EXISTS (FROM attempts)', false],
  ['SELECT r.line FROM replay_runs r WHERE r.line > 1', false],
  ['SELECT line FROM attempts WHERE line > 1', false],
  ['SELECT count(*) FROM sessions', false],
  ['SELECT kind FROM sessions GROUP BY kind', false],
  ['SELECT DISTINCT kind FROM sessions', false],
  ['SELECT kind FROM sessions LIMIT 1', false],
  ['SELECT s.line FROM sessions s QUALIFY row_number() OVER () = 1', false],
  ['SELECT s.line FROM sessions s JOIN sessions t ON s.session_id = t.session_id', false],
  ['SELECT line FROM sessions UNION ALL SELECT line FROM sessions', false],
  ['WITH s AS (SELECT * FROM sessions) SELECT line FROM s', false],
  ['SELECT * FROM sessions', false],
  ['SELECT line FROM sessions USING SAMPLE 1', false],
] as const;

test.each(byDay(ALONE, 3))('%s is kept: %s', async (sql, expected) => {
  const db = await openDatabase(null, '1GB');
  expect(asksCallsAlone(await parseSql(db, sql), ['mine'])).toBe(expected);
  db.close();
});

test('the gates that ship ask each call alone, or are asked each time', async () => {
  const db = await openDatabase(null, '1GB');
  const gates = catalogue.filter(({ gate }) => gate !== null);
  const alone = [];
  for (const { name, sql, params } of gates)
    if (
      asksCallsAlone(
        await parseSql(db, sql),
        params.map(({ name: param }) => param.replaceAll('-', '_')),
      )
    )
      alone.push(name);
  expect(alone).toContain('alarm');
  db.close();
});
