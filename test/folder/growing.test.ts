import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { writeHost } from '../../src/lake/folder/hosts.js';
import { openFolderLake } from '../../src/lake/folder/making.js';
import { LocalPlace } from '../../src/lake/folder/place.js';
import { changedSince, type FolderState, lookInto } from '../../src/lake/folder/state.js';
import { call, newFolder } from '../support/cli.js';
import { publish, receiptsIn, writeHostLogs } from './folder-lake.js';

const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));

/** A lake of so many batches, each of a log of its own. */
async function filled(count: number): Promise<string> {
  const lake = path.join(newFolder(), 'lake/');
  const logs = newFolder();
  const paths = Array.from({ length: count }, (_, i) =>
    writeHostLogs(logs, `l${i}`, {
      'sessions.jsonl': lines(call({ timestamp: `2025-06-0${1 + (i % 3)}T08:00:00Z`, call_id: `c${i}` })),
    }),
  );
  await publish(lake, 'web1', paths.flat());
  return lake;
}

const look = (lake: string) => lookInto(openFolderLake(lake, '/'), { env: {}, hashed: () => true });

let whole: string;

beforeAll(async () => {
  whole = await filled(6);
});

afterEach(() => vi.restoreAllMocks());

test('who looked at the moment of a commit finds nothing changed afterwards', async () => {
  const lake = path.join(newFolder(), 'lake/');
  const seen: FolderState[] = [];
  const put = LocalPlace.prototype.put;
  vi.spyOn(LocalPlace.prototype, 'put').mockImplementation(function (this: LocalPlace, name, content) {
    const isPut = put.call(this, name, content);
    if (name.startsWith('batches/')) seen.push(look(lake));
    return isPut;
  });
  const log = { 'sessions.jsonl': lines(call(), call({ timestamp: '2025-07-01T08:00:00Z' })) };
  await publish(lake, 'web1', writeHostLogs(newFolder(), 'web1', log));
  expect(seen.map(({ receipts, problems }) => [receipts.length, problems])).toEqual([[1, []]]);
  expect(seen.flatMap(changedSince)).toEqual([]);
});

/** Puts a batch of one lake, with its files, into another that has the same id. */
function copyBatch(from: string, to: string, i: number): void {
  const { id, tables } = receiptsIn(from)[i]!;
  const names = Object.values(tables).flatMap(({ files }) => files.map((file) => file.path));
  for (const name of [...names, `batches/${id}.json`]) {
    mkdirSync(path.dirname(path.join(to, name)), { recursive: true });
    cpSync(path.join(from, name), path.join(to, name));
  }
}

test.each(['before its files are listed', 'while they are', 'after they were'] as const)(
  'a batch that comes at every look, %s, is of the next run: nothing is wrong',
  (when) => {
    const lake = path.join(newFolder(), 'lake/');
    mkdirSync(lake);
    cpSync(path.join(whole, 'lakelog.json'), path.join(lake, 'lakelog.json'));
    // A host says what it published when it has published all.
    const { place, making } = openFolderLake(lake, '/');
    writeHost(place, {
      host: 'web1',
      lake: making.lake_id,
      synced_at: '2026-10-01T00:00:00Z',
      requests: [],
      logs: [],
    });
    copyBatch(whole, lake, 0);
    let next = 1;
    const list = LocalPlace.prototype.list;
    const first = { before: 'base_calls', while: 'base_rejects', after: 'compactions' }[when.split(' ')[0]!];
    const listed: string[] = [];
    vi.spyOn(LocalPlace.prototype, 'list').mockImplementation(function (this: LocalPlace, under) {
      listed.push(under);
      if (under === first) copyBatch(whole, lake, next++);
      return list.call(this, under);
    });
    const { problems } = look(lake);
    expect(next).toBeGreaterThan(1);
    expect(problems).toEqual([]);
  },
);
