/** What becomes of an answer while nodes are lost and the lake changes: never a clear one that is wrong. The cluster does not outlive it. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { publish } from '../../folder/folder-lake.js';
import { asks, cluster, declare, fill, fixture, folderOf, statement, toldBy, untilActive } from './world.js';

type Happens = (sql: string) => undefined | (() => void) | Promise<undefined | (() => void)>;

/** Stands before the coordinator, for what shall happen at a certain statement. */
class Gatekeeper {
  private readonly server: Server;

  /** @param happens before a statement is handed on; what it returns, once it was taken. */
  constructor(happens: Happens) {
    this.server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const sql = Buffer.concat(chunks).toString();
      const then = await happens(sql);
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
      const answer = await fetch(`${cluster.origin}${request.url}`, {
        method: request.method!,
        headers: headers as Record<string, string>,
        body: sql,
      }).catch(() => null);
      if (answer === null) return void response.destroy();
      const body = await answer.text();
      then?.();
      response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(body);
    });
  }

  async lake(name: string): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `trino://ci@127.0.0.1:${(this.server.address() as AddressInfo).port}/hive/${name}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let keeper: Gatekeeper | null = null;
afterEach(() => keeper?.close());

async function alarmWhile(name: string, happens: Happens = () => undefined) {
  keeper = new Gatekeeper(happens);
  const ran = await asks(['alarm', '--json', '--gated-kind', 'fill', '--lake', await keeper.lake(name)]);
  return { ...ran, told: ran.stdout === '' ? ran.stderr : JSON.stringify(toldBy(ran).verdict) };
}

const isGate = (sql: string) => sql.includes('UNION ALL SELECT') && sql.includes('FROM base_calls b');

const pidOf = (node: number) => Number(readFileSync(path.join(cluster.nodes[node]!, 'node.pid'), 'utf8'));

beforeAll(async () => {
  await untilActive();
  await fill('changing', { web1: fixture('healthy') });
  await fill('lasting', { web1: fixture('healthy'), web2: fixture('alarm') });
});

const callsIn = (name: string) =>
  (readdirSync(path.join(folderOf(name), 'base_calls'), { recursive: true, encoding: 'utf8' }) as string[])
    .filter((one) => one.endsWith('.parquet'))
    .sort()
    .map((one) => path.join(folderOf(name), 'base_calls', one));

test('a host publishes while the lake is asked: the answer is of what was there, and clear', async () => {
  let happened = 0;
  const ran = await alarmWhile('changing', async (sql) => {
    if (!isGate(sql) || happened++ > 0) return undefined;
    await publish(folderOf('changing'), 'web2', fixture('alarm'));
    await declare('changing');
    return undefined;
  });
  expect(happened).toBeGreaterThan(0);
  expect(ran.code, ran.told).toBe(0);
  expect((await alarmWhile('changing')).code).toBe(1);
});

test('a file is taken out while the lake is asked: it changed', async () => {
  await fill('shrinking', { web1: fixture('healthy') });
  let happened = 0;
  const ran = await alarmWhile('shrinking', (sql) => {
    if (isGate(sql) && happened++ === 0) rmSync(callsIn('shrinking')[0]!);
    return undefined;
  });
  expect(happened).toBeGreaterThan(0);
  expect(ran.told).toMatch(/the lake changed while it was asked|HIVE_\w+/);
  expect(ran.code).toBe(3);
});

test('files are merged while the lake is asked: the rows are all there, or it changed; and then all are there', async () => {
  await fill('merging', { web1: fixture('alarm'), web2: fixture('healthy') });
  const before = toldBy(await alarmWhile('merging')).rows;
  expect(before).not.toEqual([]);
  let happened = 0;
  const ran = await alarmWhile('merging', async (sql) => {
    if (!isGate(sql) || happened++ > 0) return undefined;
    const merged = await asks(['lake', 'compact', '--lake', folderOf('merging'), '--grace', '0s']);
    expect(merged.code, merged.stderr).toBe(0);
    return undefined;
  });
  expect(happened).toBeGreaterThan(0);
  expect(callsIn('merging').some((file) => path.basename(file).startsWith('c-'))).toBe(true);
  expect([1, 3], ran.told).toContain(ran.code);
  if (ran.code === 3) expect(ran.told).toMatch(/the lake changed while it was asked|HIVE_\w+/);
  else expect(toldBy(ran).rows).toEqual(before);
  const after = await alarmWhile('merging');
  expect(after.code, after.told).toBe(1);
  expect(toldBy(after).rows).toEqual(before);
});

test('a worker is killed in the middle of the question: the rows are all there, or nothing is', async () => {
  let happened = 0;
  const ran = await alarmWhile('lasting', (sql) => {
    return isGate(sql) && happened++ === 0 ? () => process.kill(pidOf(2), 'SIGKILL') : undefined;
  });
  expect(happened).toBeGreaterThan(0);
  expect([1, 3], ran.told).toContain(ran.code);
  if (ran.code === 3) expect(ran.told).toMatch(/Trino (failed|cannot be asked)/);
  else expect(toldBy(ran).rows.length).toBe(toldBy(await alarmWhile('lasting')).rows.length);
});

test('with one worker less all answers are as before', async () => {
  expect(await statement('SELECT 1')).toEqual([[1]]);
  expect((await alarmWhile('lasting')).code).toBe(1);
});

test('the coordinator is killed in the middle of the question: nothing was checked', async () => {
  let happened = 0;
  const ran = await alarmWhile('lasting', (sql) => {
    return isGate(sql) && happened++ === 0 ? () => process.kill(pidOf(0), 'SIGKILL') : undefined;
  });
  expect(happened).toBeGreaterThan(0);
  expect(ran.told).toMatch(/Trino cannot be asked/);
  expect(ran.code).toBe(3);
});
