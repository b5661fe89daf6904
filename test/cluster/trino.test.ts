/** The client by itself: what it gives up, what it stops, and to whom it tells what. */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addressOf } from '../../src/cluster/address.js';
import { Trino } from '../../src/cluster/trino.js';
import { start } from '../support/cli.js';
import { FakeTrino } from './fake-trino.js';

let fake: FakeTrino;
beforeEach(async () => {
  fake = await FakeTrino.over(null);
});
afterEach(() => fake.close());

const client = (patience = {}) => new Trino(addressOf(fake.lake, {}), patience);

test('a statement that takes too long is stopped there too', async () => {
  const address = () => `http://127.0.0.1:${fake.port}/v1/statement/executing/q1/0`;
  fake.mischief = {
    get: (_, response) => {
      setTimeout(() => response.writeHead(200).end(JSON.stringify({ id: 'q1', nextUri: address() })), 50);
      return true;
    },
  };
  await expect(client({ statementMs: 300 }).query('SELECT 1 AS one')).rejects.toThrow(
    /did not answer within 0.3 s/,
  );
  expect(fake.cancelled).toEqual(['/v1/statement/executing/q1/0']);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s ends the program, and what runs for it on the cluster',
  async (signal) => {
    let ask = () => {};
    const asked = new Promise<void>((resolve) => {
      ask = resolve;
    });
    fake.mischief = {
      get: () => {
        ask();
        return true;
      },
    };
    const child = start(['alarm', '--lake', fake.lake]);
    const ended = new Promise((resolve) => child.once('exit', (_, by) => resolve(by)));
    await asked;
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(fake.cancelled.length).toBeGreaterThan(0);
    expect(readdirSync(child.tmp)).toEqual([]);
  },
);

test('a page that never comes is given up', async () => {
  fake.mischief = { get: () => true };
  const asked = client({ requestMs: 200, awayMs: 500 }).query('SELECT 1 AS one');
  await expect(asked).rejects.toThrow(/cannot be asked: no answer within 0.2 s/);
  expect(fake.cancelled).toHaveLength(1);
});

test('many pages are one answer, of which nothing is lost', async () => {
  const { names, types, cells } = await client().query(
    'SELECT i AS number, 2 * i AS twice FROM range(1000) t(i) ORDER BY i',
  );
  expect([names, types]).toEqual([
    ['number', 'twice'],
    ['bigint', 'bigint'],
  ]);
  expect(cells).toEqual(Array.from({ length: 1000 }, (_, i) => [i, 2 * i]));
});

test('nothing but a SELECT is sent', async () => {
  for (const sql of [
    'DROP TABLE base_calls',
    'INSERT INTO x SELECT 1',
    '-- SELECT\nDELETE FROM x',
    'CALL x()',
  ])
    await expect(client().query(sql)).rejects.toThrow(/only a SELECT/);
  expect(fake.asked).toEqual([]);
});

test('a property that the connector does not have is left out', async () => {
  fake.mischief = {
    error: () =>
      fake.asked.at(-1)?.headers['x-trino-session'] === undefined
        ? null
        : { errorName: 'INVALID_SESSION_PROPERTY', errorType: 'USER_ERROR', message: 'no such property' },
  };
  expect((await client().query('SELECT 7 AS n')).cells).toEqual([[7]]);
});

test('nobody may set a property: statements that begin at once are all put without it', async () => {
  let refused = 0;
  fake.mischief = {
    error: () =>
      fake.asked.at(-1)!.headers['x-trino-session'] !== undefined && ++refused > 0
        ? {
            errorName: 'PERMISSION_DENIED',
            errorType: 'USER_ERROR',
            message: 'Access Denied: Cannot set catalog session property hive.timestamp_precision',
          }
        : null,
  };
  const trino = client();
  const all = await Promise.all([1, 2, 3].map((one) => trino.query(`SELECT ${one} AS one`)));
  expect(all.map(({ cells }) => cells)).toEqual([[[1]], [[2]], [[3]]]);
  expect(refused).toBeGreaterThan(1);
});

test('who asks, and what for, is said', async () => {
  await client().query('SELECT 1 AS one');
  expect(fake.asked[0]!.headers).toMatchObject({
    ...{ 'x-trino-user': 'somebody', 'x-trino-catalog': 'hive', 'x-trino-schema': 'lakelog' },
    ...{ 'x-trino-time-zone': 'UTC', 'x-trino-source': 'lakelog' },
  });
  expect(fake.asked[0]!.headers.authorization).toBeUndefined();
});

test.each([
  ['trino://u@h/c/s', {}, 'http://h:8080'],
  ['trino://u@h:443/c/s', {}, 'https://h:443'],
  ['trino://u@h/c/s', { LAKELOG_TRINO_PASSWORD: 'p' }, 'https://h:443'],
  ['trino://u@h:8443/c/s', { LAKELOG_TRINO_PASSWORD: 'p' }, 'https://h:8443'],
  ['trino://a%40b@[::1]:1/c%2Fd/s', {}, 'http://[::1]:1'],
])('%s is asked at %j %s', (name, env, origin) => {
  expect(addressOf(name, env).origin).toBe(origin);
});
