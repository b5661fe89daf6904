import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Canary,
  type CanaryContext,
  instantInside,
  plantCanary,
  proveCanary,
} from '../../src/gate/canary.js';
import type { RosterRequest } from '../../src/lake/lake.js';
import { parseQuery } from '../../src/query/header.js';
import { bindParams } from '../../src/query/params.js';
import { openSession } from '../../src/query/run.js';
import { rosterHash } from '../../src/roster/read.js';
import { sessionRecord } from '../../src/schema/records.js';
import type { Cell, Result } from '../../src/schema/result.js';
import { catalogue, filtersFrom, root, runOptions, tempFile, tempFolder } from '../support/lake.js';

const gates = catalogue.filter((query) => query.gate !== null);
const alarm = catalogue.find((query) => query.name === 'alarm')!;
const gate = alarm.gate!;

const context = (changes: Partial<CanaryContext> = {}): CanaryContext => ({
  gatedKinds: ['fill'],
  model: undefined,
  daemon: undefined,
  environment: undefined,
  roster: null,
  nonce: 'n',
  timestamp: '2026-09-01T08:00:00.000Z',
  ...changes,
});

const parsed = (canary: Canary) =>
  canary.lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('what is planted', () => {
  test('false, null and absent, each a record of the published format', () => {
    const canary = plantCanary(gate, context());
    const records = parsed(canary);
    expect(canary.lines.endsWith('\n')).toBe(true);
    expect(records.map(({ grounded_in_roster }) => grounded_in_roster)).toEqual([false, null, undefined]);
    expect('grounded_in_roster' in records[2]!).toBe(false);
    for (const record of records) expect(sessionRecord.safeParse(record).success).toBe(true);
    expect([...canary.expected.values()]).toEqual(['ungrounded', 'unjudged', 'unjudged']);
    expect([...canary.expected.keys()]).toEqual(records.map(({ session_id }) => session_id));
  });

  test('once per gated kind, each record with an id of its own', () => {
    const canary = plantCanary(gate, context({ gatedKinds: ['fill', 'email', 'E "mail"\n'] }));
    const records = parsed(canary);
    expect(records.map(({ kind }) => kind)).toEqual(
      ['fill', 'email', 'E "mail"\n'].flatMap((kind) => [kind, kind, kind]),
    );
    expect(new Set(records.map(({ session_id }) => session_id)).size).toBe(9);
    expect(canary.expected.size).toBe(9);
  });

  test('so that the filters of the run let it through', () => {
    const records = parsed(plantCanary(gate, context({ model: 'm "1"', daemon: 'd', environment: 'e' })));
    for (const record of records) {
      expect(record).toMatchObject({ model: 'm "1"', daemon: 'd', environment: 'e' });
      expect(record.timestamp).toBe('2026-09-01T08:00:00.000Z');
    }
  });

  test('each value of a shipped gate that fires or cannot vouch has a canary', () => {
    for (const { gate } of gates) {
      const planted = new Set(gate!.canaries.map(({ value }) => value));
      expect(planted).toEqual(new Set([...gate!.fires, ...gate!.cannotVouch].map(({ value }) => value)));
    }
  });
});

describe('instantInside the half-open window', () => {
  const now = new Date('2026-09-05T00:00:00.000Z');
  const since = '2026-09-01T00:00:00.000Z';
  const until = '2026-09-08T00:00:00.000Z';
  test.each([
    { since: null, until: null, at: now.toISOString() },
    { since, until: null, at: since },
    { since, until, at: since },
    { since: null, until, at: '2026-09-07T23:59:59.999Z' },
    { since: '2030-01-01T00:00:00.000Z', until: null, at: '2030-01-01T00:00:00.000Z' },
    { since: null, until: '2020-01-01T00:00:00.000Z', at: '2019-12-31T23:59:59.999Z' },
    { since, until: '2026-09-01T00:00:00.001Z', at: since },
    { since: null, until: '9999-12-31T23:59:59-23:59', at: '9999-12-31T23:59:59.999Z' },
    { since: null, until: '+010000-01-01T23:58:59Z', at: '9999-12-31T23:59:59.999Z' },
    { since: '9999-12-31T23:59:58-23:59', until: null, at: '9999-12-31T23:59:58-23:59' },
  ])('$since to $until: $at', ({ at, ...window }) => {
    expect(instantInside(window, now)).toBe(at);
  });
});

describe('proof', () => {
  const canary = plantCanary(gate, context());
  const columns: Result['columns'] = [
    { name: 'line', type: 'integer' },
    { name: 'reason', type: 'text' },
    { name: 'session_id', type: 'text' },
  ];
  const good: readonly (readonly Cell[])[] = [
    [1, 'ungrounded', 'canary-n-0-0'],
    [2, 'unjudged', 'canary-n-0-1'],
    [3, 'unjudged', 'canary-n-0-2'],
  ];
  const prove = (rows: readonly (readonly Cell[])[], of = columns) =>
    proveCanary(canary, gate, { columns: of, rows }, 'queries/alarm.sql');

  test('holds when exactly what was planted is found, in any order', () => {
    expect(prove(good)).toEqual({ planted: 3, found: 3 });
    expect(prove([...good].reverse())).toEqual({ planted: 3, found: 3 });
  });

  test.each<[string, readonly (readonly Cell[])[]]>([
    ['no row', []],
    ['a missing row', good.slice(1)],
    ['an extra row', [...good, [4, 'unjudged', 'canary-n-0-3']]],
    ['a row of a stranger in place of one', [...good.slice(1), [1, 'ungrounded', 'stranger']]],
    ['a row twice', [...good, good[0]!]],
    ['a row twice in place of another', [good[0]!, good[1]!, good[1]!]],
    ['a wrong value', [[1, 'unjudged', 'canary-n-0-0'], ...good.slice(1)]],
    ['two values swapped', [[1, 'unjudged', 'canary-n-0-0'], [2, 'ungrounded', 'canary-n-0-1'], good[2]!]],
    ['a null value', [[1, null, 'canary-n-0-0'], ...good.slice(1)]],
  ])('fails on %s', (_, rows) => {
    expect(() => prove(rows)).toThrow(
      expect.objectContaining({
        name: 'LakelogError',
        exitCode: 2,
        where: 'queries/alarm.sql',
        message: expect.stringMatching(/self-test failed: 3 violations were planted/),
        next: expect.stringMatching(/\S/),
      }),
    );
  });

  test.each(['session_id', 'reason'])('fails when the query does not yield %s', (name) => {
    const renamed = columns.map((column) => (column.name === name ? { ...column, name: 'other' } : column));
    expect(() => prove(good, renamed)).toThrow(/self-test failed/);
  });
});

describe('through the loader and the SQL of the gate', () => {
  async function selfTest(
    changes: Partial<CanaryContext>,
    sql = alarm.sql,
    filters = filtersFrom({}),
    roster: RosterRequest | null = null,
  ) {
    const query = parseQuery(path.join(root, 'queries/alarm.sql'), 'alarm', sql);
    const full = context(changes);
    const params = bindParams(query, { gated_kind: full.gatedKinds });
    const session = await openSession([{ query, params }], runOptions({ filters, roster }));
    try {
      const canary = plantCanary(gate, {
        ...full,
        timestamp: instantInside(session.lake.window, new Date('2026-09-05T00:00:00Z')),
      });
      const result = await session.askLines({ query, params }, 'canary', canary.lines);
      const { judged, account } = await session.answer(
        { query, params },
        await session.lake.load([{ path: tempFile(canary.lines), as: 'any' }]),
      );
      return { proof: proveCanary(canary, gate, result, query.file), judged, account };
    } finally {
      session.lake.close();
    }
  }

  test('is found for odd kinds and behind every filter', async () => {
    const gatedKinds = ['fill', "it's", 'a,b', ' x\t'];
    const { proof, judged, account } = await selfTest({ gatedKinds });
    expect(proof).toEqual({ planted: 12, found: 12 });
    expect(judged).toBe(gatedKinds.length);
    expect(account.rejects).toEqual([]);
    const filters = filtersFrom({
      since: Date.UTC(2026, 8, 1),
      until: Date.UTC(2026, 8, 1) + 1,
      model: ["m'1", 'm2'],
      kind: ['fill'],
      daemon: ['d'],
      environment: ['e'],
    });
    const narrow = await selfTest({ model: "m'1", daemon: 'd', environment: 'e' }, alarm.sql, filters);
    expect(narrow.proof).toEqual({ planted: 3, found: 3 });
  });

  test.each([
    { until: '9999-12-31T23:59:59Z' },
    { until: '2026-09-01T00:00:00.000001Z' },
    { since: '9999-12-31T23:59:58Z' },
    { since: '0001-01-01T00:00:00Z' },
  ])('is found at the end of what can be written: %j', async (window) => {
    const { proof } = await selfTest({}, alarm.sql, { ...filtersFrom({}), ...window });
    expect(proof).toEqual({ planted: 3, found: 3 });
  });

  const BREAKS: readonly (readonly [string, string, string])[] = [
    [
      'NULL = FALSE is not true',
      "COALESCE(s.grounded_in_roster, s.roster_check = 'right', FALSE) = FALSE",
      's.grounded_in_roster = FALSE',
    ],
    [
      'the wrong stamp',
      "COALESCE(s.grounded_in_roster, s.roster_check = 'right', FALSE) = FALSE",
      's.grounded_in_roster',
    ],
    ['the wrong verdict', "s.final_verdict = 'accepted'", "s.final_verdict = 'Accepted'"],
    ['a kind spelled out', 'AND s.gated', "AND s.kind = 'Fill'"],
    ['values swapped', "ELSE 'unjudged'", "ELSE 'ungrounded'"],
    ['a row too few', 'ORDER BY s.timestamp, s.file, s.line', 'ORDER BY s.timestamp, s.file, s.line LIMIT 2'],
    ['a row twice', 'FROM sessions s', 'FROM sessions s CROSS JOIN (SELECT 1 UNION ALL SELECT 2) twice'],
    [
      'one row twice and another not at all',
      'FROM sessions s',
      'FROM sessions s JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 2) t ON t.n = s.line',
    ],
  ];
  const folder = tempFolder();
  const file = path.join(folder, 'of-today.csv');
  writeFileSync(file, 'worker_id,active\nW-1,no\nW-2,yes\n');
  const hash = rosterHash([
    { id: 'W-1', active: false },
    { id: 'W-2', active: true },
  ]);
  const known = { hash, worker: 'W-2', phantom: 'canary-nobody' };
  const one = { isFolder: false, ...known };
  const many = { isFolder: true, ...known };
  const request = (at: string): RosterRequest => ({ path: at, from: 'arguments' });

  test('with a roster, a phantom is found wherever it is named, and a real worker in its place is not', async () => {
    const { proof } = await selfTest({ roster: one }, alarm.sql, filtersFrom({}), request(file));
    expect(proof).toEqual({ planted: 6, found: 6 });
    const asFolder = await selfTest({ roster: many }, alarm.sql, filtersFrom({}), request(folder));
    expect(asFolder.proof).toEqual({ planted: 7, found: 7 });
    const stranger = { ...one, worker: 'W-1' };
    // As if the roster knew nobody, or took those who are not active.
    await expect(selfTest({ roster: stranger }, alarm.sql, filtersFrom({}), request(file))).rejects.toThrow(
      /self-test failed/,
    );
  });

  test.each([
    ['it believes the stamp', "OR COALESCE(s.roster_check, 'right') <> 'right'", ''],
    [
      'it believes a missing stamp',
      "s.roster_check = 'wrong' AND s.grounded_in_roster",
      "s.roster_check = 'wrong'",
    ],
    ['what could not be asked passes', "('not_at_hand', 'hashed', 'unread')", "('hashed', 'unread')"],
    ['everybody is a phantom', "s.roster_check = 'right'", 'FALSE'],
  ])('a check of stamps that was broken is found out: %s', async (_, from, to) => {
    expect(alarm.sql).toContain(from);
    const broken = alarm.sql.replace(from, to);
    await expect(selfTest({ roster: many }, broken, filtersFrom({}), request(folder))).rejects.toThrow(
      /self-test failed/,
    );
  });

  test.each(BREAKS)('a query that was broken is found out: %s', async (_, from, to) => {
    expect(alarm.sql).toContain(from);
    await expect(selfTest({}, alarm.sql.replace(from, to))).rejects.toThrow(/self-test failed/);
  });
});
