/** Instants that an offset carries beyond the years 0 to 9999: RFC 3339 going in, RFC 3339 coming out, in their order. */
import { describe, expect, test } from 'vitest';
import { compareInstants } from '../../src/instant.js';
import { TIMESTAMP_PATTERN } from '../../src/schema/fields.js';
import { byDay, call, envelope, newFolder, replayRun, writeLines } from '../support/cli.js';
import { rowsOf, withLake } from '../support/lake.js';
import { lakelog } from '../support/program.js';

/** In their order. */
const INSTANTS = [
  '0000-01-01T00:00:00+23:59',
  '0000-01-01T00:00:00.000001+00:01',
  '0000-01-01T00:00:00Z',
  '0000-02-29T12:00:00Z',
  '0099-12-31T23:59:59.999Z',
  '1582-10-10T00:00:00Z',
  '1969-12-31T23:59:59.999999Z',
  '1970-01-01T00:00:00Z',
  '2026-09-01T08:00:00+02:00',
  '9999-12-31T23:59:59.999999Z',
  '9999-12-31T23:59:59.999999-00:01',
  '9999-12-31T23:59:59-23:59',
];

const shuffled = INSTANTS.map((_, i) => INSTANTS[(i * 5 + 3) % INSTANTS.length]!);
const file = writeLines(newFolder(), 'log.jsonl', [
  ...shuffled.map((timestamp, i) =>
    call({ session_id: 'all', call_id: `c${INSTANTS.indexOf(timestamp)}`, timestamp, seq: i + 1 }),
  ),
  ...shuffled.map((timestamp) =>
    replayRun({ session_id: 'all', run_id: `r${INSTANTS.indexOf(timestamp)}`, timestamp }),
  ),
]);
const inputs = [{ path: file, as: 'any' as const }];

const isSame = (a: unknown, b: string) => compareInstants(String(a), b) === 0;

test('come out as RFC 3339, and as the instants that they were', async () => {
  const tables = ['sessions', 'attempts', 'replay_runs'];
  const asks = tables.map((name) => `SELECT timestamp FROM ${name} ORDER BY timestamp`);
  await withLake(asks.join(';'), inputs, async (lake) => {
    for (const sql of asks) {
      const rows = await rowsOf(lake, sql);
      expect(rows).toHaveLength(INSTANTS.length);
      for (const [i, { timestamp }] of rows.entries()) {
        expect(timestamp).toMatch(new RegExp(TIMESTAMP_PATTERN));
        expect({ timestamp, isSame: isSame(timestamp, INSTANTS[i]!) }).toEqual({ timestamp, isSame: true });
      }
    }
  });
});

test('come out of lists and structures too', async () => {
  const sql =
    'SELECT call_id, [timestamp] AS list, {t: timestamp} AS struct FROM sessions ORDER BY timestamp';
  const ran = await lakelog(['query', sql, file, '--format', 'jsonl']);
  expect(ran.code, ran.stderr).toBe(0);
  const rows = ran.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.map(({ call_id }) => call_id)).toEqual(INSTANTS.map((_, i) => `c${i}`));
  for (const [i, row] of rows.entries()) {
    for (const cell of [row.list, row.struct]) {
      const [instant] = /\d{4}-\d\d-\d\d[Tt ][0-9:.]+(Z|[+-]\d\d:\d\d)/.exec(JSON.stringify(cell)) ?? [];
      expect({ cell, isSame: isSame(instant, INSTANTS[i]!) }).toEqual({ cell, isSame: true });
    }
  }
});

test('the newest of an account is the newest', async () => {
  for (const i of byDay([...INSTANTS.keys()], 3)) {
    const some = INSTANTS.slice(0, i + 1).reverse();
    const log = writeLines(
      newFolder(),
      'log.jsonl',
      some.map((timestamp) => call({ timestamp })),
    );
    await withLake('SELECT 1', [{ path: log, as: 'any' }], async (_, account) => {
      for (const newest of [
        account.newestCall!.time,
        account.files[0]!.newest_record,
        account.newestSelected!.time,
      ]) {
        expect(newest).toMatch(new RegExp(TIMESTAMP_PATTERN));
        expect({ newest, isSame: isSame(newest, INSTANTS[i]!) }).toEqual({ newest, isSame: true });
      }
      expect(account.newestCall!.where).toBe(`${log}:1`);
    });
  }
});

describe('a window', () => {
  const selected = async (...args: string[]) => {
    const sql = 'SELECT call_id FROM sessions ORDER BY timestamp';
    const ran = await lakelog(['query', sql, file, '--format', 'jsonl', ...args]);
    expect(ran.code, ran.stderr).toBe(0);
    return ran.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => numberOf(JSON.parse(line)));
  };
  const all = INSTANTS.map((_, i) => i);
  const everywhere = { tz: 'UTC', model: [], kind: [], daemon: [], environment: [] };
  const within = async (since: string | undefined, until: string | undefined) => {
    const sql = 'SELECT call_id FROM sessions ORDER BY timestamp';
    const filters = { since, until, ...everywhere };
    return withLake(sql, inputs, async (lake) => (await rowsOf(lake, sql)).map(numberOf), { filters });
  };
  const numberOf = ({ call_id }: Record<string, unknown>) => Number(String(call_id).slice(1));

  const some = byDay(INSTANTS, 4).map((instant) => [instant, INSTANTS.indexOf(instant)] as const);

  test.each(some)('from and until %s', async (instant, i) => {
    expect(await within(instant, undefined)).toEqual(all.slice(i));
    expect(await within(undefined, instant)).toEqual(all.slice(0, i));
  });

  test('is what the command line says', async () => {
    expect(await selected('--since', INSTANTS[1]!, '--until', INSTANTS[10]!)).toEqual(all.slice(1, 10));
  });

  test('of a replay run has its own', async () => {
    await withLake(
      'SELECT run_id FROM replay_runs ORDER BY timestamp',
      inputs,
      async (lake) => {
        const rows = await rowsOf(lake, 'SELECT run_id FROM replay_runs ORDER BY timestamp');
        expect(rows.map(({ run_id }) => run_id)).toEqual(['r10', 'r11']);
      },
      { filters: { since: '9999-12-31T23:59:59.999999-00:01', until: undefined, ...everywhere } },
    );
  });
});

test('a story tells calls in their order', async () => {
  const ran = await lakelog(['show', 'all', file, '--json']);
  expect(ran.code, ran.stderr).toBe(0);
  const order = [...ran.stdout.matchAll(/"call_id":\s*"c(\d+)"/g)].map(([, i]) => Number(i));
  expect(order.filter((i, at) => order.indexOf(i) === at)).toEqual(INSTANTS.map((_, i) => i));
});

test('a gate cannot vouch for a call of the future, however far', async () => {
  for (const timestamp of INSTANTS.slice(-3)) {
    const log = writeLines(newFolder(), 'log.jsonl', [call({ timestamp }), call({ kind: 'email' })]);
    const ran = await lakelog(['alarm', log, '--json']);
    expect(ran.code).toBe(3);
    expect(envelope(ran).verdict!.cannot_vouch.map(({ code }) => code)).toContain('future');
  }
});
