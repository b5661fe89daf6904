import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readAcks } from '../../src/query/acks.js';
import { appendAcks, removeAcks, WAIT } from '../../src/query/acks-file.js';
import type { AckLine, RejectAck } from '../../src/schema/ack.js';

const FILE = 'lakelog-acks.jsonl';
const LOCK = '.lakelog-acks.lock';
const usual = WAIT.ms;
let cwd = '';

beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'lakelog-acks-'));
});
afterEach(() => {
  WAIT.ms = usual;
  rmSync(cwd, { recursive: true, force: true });
});

const ack = (line: number): RejectAck => ({
  schema: 'lakelog.ack.v1',
  what: 'reject',
  line_sha256: 'a'.repeat(64),
  reject_reason: 'bad_json',
  file: 'sessions.jsonl',
  line,
  reason: 'r',
  author: 'ops',
  at: '2026-09-01T09:00:00.000Z',
  expires: null,
});

const lineOf = (ack: AckLine) => ('line' in ack ? ack.line : 0);

const linesLeft = async () => ((await readAcks(FILE, cwd))?.entries ?? []).map((entry) => lineOf(entry.ack));

test('adding and taking out at once, many times over, loses nothing and leaves nothing behind', async () => {
  await appendAcks(FILE, [1000, 1001, 1002, 1003].map(ack), cwd);
  const adding = Array.from({ length: 40 }, (_, i) => appendAcks(FILE, [ack(i + 1)], cwd));
  const removing = [1000, 1001, 1002, 1003].map((gone) =>
    removeAcks(
      FILE,
      cwd,
      (entries) => new Set(entries.filter((entry) => lineOf(entry.ack) === gone).map(({ line }) => line)),
    ),
  );
  await Promise.all(adding);
  expect((await Promise.all(removing)).map((removed) => removed.length)).toEqual([1, 1, 1, 1]);
  expect((await linesLeft()).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(readdirSync(cwd)).toEqual([FILE]);
});

test('a lock that nobody lets go of is waited for in vain: 3, and the file is as it was', async () => {
  await appendAcks(FILE, [ack(1)], cwd);
  writeFileSync(path.join(cwd, LOCK), 'process 4711 on elsewhere\n');
  WAIT.ms = 120;
  const stuck = {
    exitCode: 3,
    message: expect.stringContaining('process 4711 on elsewhere'),
    next: expect.stringContaining(LOCK),
  };
  await expect(appendAcks(FILE, [ack(2)], cwd)).rejects.toMatchObject(stuck);
  await expect(removeAcks(FILE, cwd, () => new Set([1]))).rejects.toMatchObject(stuck);
  expect(await linesLeft()).toEqual([1]);
  // It is somebody else's.
  expect(existsSync(path.join(cwd, LOCK))).toBe(true);
});

test('who waits goes on once the lock is gone', async () => {
  writeFileSync(path.join(cwd, LOCK), '');
  const waiting = appendAcks(FILE, [ack(1)], cwd);
  setTimeout(() => rmSync(path.join(cwd, LOCK)), 60);
  await waiting;
  expect(await linesLeft()).toEqual([1]);
});

test('nothing to take out leaves the very same file', async () => {
  await appendAcks(FILE, [ack(1)], cwd);
  const before = readFileSync(path.join(cwd, FILE));
  expect(await removeAcks(FILE, cwd, () => new Set())).toEqual([]);
  expect(readFileSync(path.join(cwd, FILE))).toEqual(before);
  expect(readdirSync(cwd)).toEqual([FILE]);
});

test('a failure lets go of the lock and leaves no draft', async () => {
  mkdirSync(path.join(cwd, 'folder.jsonl'));
  await expect(appendAcks('folder.jsonl', [ack(1)], cwd)).rejects.toMatchObject({ exitCode: 2 });
  await expect(appendAcks('no/such/a.jsonl', [ack(1)], cwd)).rejects.toMatchObject({ exitCode: 2 });
  await expect(removeAcks('folder.jsonl', cwd, () => new Set([1]))).rejects.toMatchObject({ exitCode: 2 });
  expect(readdirSync(cwd)).toEqual(['folder.jsonl']);
});

test('many in one step are whole lines, or none where one of them could not be read', async () => {
  await expect(appendAcks(FILE, [ack(1), { ...ack(2), reason: ' ' }], cwd)).rejects.toMatchObject({
    exitCode: 2,
  });
  expect(existsSync(path.join(cwd, FILE))).toBe(false);
  await appendAcks(
    FILE,
    Array.from({ length: 5_000 }, (_, i) => ack(i + 1)),
    cwd,
  );
  expect(await linesLeft()).toHaveLength(5_000);
});
