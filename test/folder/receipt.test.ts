import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { exportToFolder } from '../../src/lake/export.js';
import { batchReceipt } from '../../src/schema/envelope.js';
import { jsonSchema } from '../../src/schema/json-schema.js';
import { call, envelope, exceptByDay, newFolder, nightly, replayRun } from '../support/cli.js';
import { root, runOptions } from '../support/lake.js';
import { lakelog } from '../support/program.js';
import { filesIn, lakeUse, NOW, publish, receiptsIn, writeHostLogs } from './folder-lake.js';

const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));
const newLakeName = () => path.join(newFolder(), 'lake/');

function ofFixture(name: string): Record<string, Buffer> {
  const read = (file: string) => readFileSync(path.join(root, 'fixtures', name, file));
  return { 'sessions.jsonl': read('sessions.jsonl'), 'replay_runs.jsonl': read('replay_runs.jsonl') };
}

test('every receipt has the published shape', async () => {
  const lake = newLakeName();
  await publish(lake, 'web1', writeHostLogs(newFolder(), 'web1', ofFixture('messy')));
  const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(jsonSchema('batch'));
  const receipts = receiptsIn(lake);
  expect(receipts).toHaveLength(2);
  for (const receipt of receipts) {
    expect(isValid(receipt), JSON.stringify(isValid.errors)).toBe(true);
    expect(batchReceipt.safeParse(receipt).error).toBeUndefined();
  }
});

describe('a log that lives', () => {
  const all = [0, 1, 2, 3, 4, 5].map((n) => call({ timestamp: `2025-06-01T08:00:0${n}Z`, call_id: `c${n}` }));
  const one = (n: number) => all[n]!;

  test('grows: the next batch begins where the last ended, and only whole lines are published', async () => {
    const lake = newLakeName();
    const [log] = writeHostLogs(newFolder(), 'web1', { 'sessions.jsonl': lines(one(1)) });
    await publish(lake, 'web1', [log!]);
    writeFileSync(log!, Buffer.concat([lines(one(1), one(2)), Buffer.from(one(3).slice(0, 50))]));
    await publish(lake, 'web1', [log!]);
    await publish(lake, 'web1', [log!]);
    writeFileSync(log!, lines(one(1), one(2), one(3)));
    await publish(lake, 'web1', [log!]);
    const receipts = receiptsIn(lake).sort((a, b) => a.file.byte_from - b.file.byte_from);
    expect(receipts.map(({ account, file }) => [account.lines, file.lines_before])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect(receipts[2]!.file).toMatchObject({ before: receipts[1]!.id, root: receipts[0]!.id });
    expect(receipts[2]!.file.byte_from).toBe(receipts[1]!.file.byte_to);
    const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW });
    expect(ran.code, ran.stderr).toBe(0);
    expect(envelope(ran).receipt.totals).toMatchObject({ lines: 3, loaded: 3, duplicates: 0 });
  });

  test.each(
    exceptByDay(
      [
        ['and the host remembers it', false],
        ['and the host has forgotten all', true],
      ],
      ['and the host remembers it'],
    ),
  )('is rotated, compressed and goes on, %s: nothing is published twice', async (_, forgets) => {
    const lake = newLakeName();
    const [log] = writeHostLogs(newFolder(), 'web1', { 'sessions.jsonl': lines(one(1), one(2)) });
    const sync = () => publish(lake, 'web1', [log!]);
    const forget = () => forgets && rmSync(path.join(lake, 'hosts'), { recursive: true });
    await sync();
    forget();
    // The last line was written after the last look, and the log was compressed by then.
    const { gzipSync } = await import('node:zlib');
    writeFileSync(`${log}.1.gz`, gzipSync(lines(one(1), one(2), one(3))));
    writeFileSync(log!, lines(one(4)));
    await sync();
    forget();
    const account = await sync();
    expect(account.problems).toEqual([]);
    const receipts = receiptsIn(lake);
    expect(receipts.map(({ account: { lines: count } }) => count).sort()).toEqual([1, 1, 2]);
    const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW });
    // It may have forgotten a log that it lost, too.
    expect(ran.code, ran.stderr).toBe(forgets ? 3 : 0);
    expect(envelope(ran).verdict!.cannot_vouch).toHaveLength(forgets ? 1 : 0);
    expect(envelope(ran).receipt.totals).toMatchObject({ lines: 4, loaded: 4, duplicates: 0 });
  });

  test('was changed where it had been read: its host says so, and every gate hears of it', async () => {
    const lake = newLakeName();
    const [log] = writeHostLogs(newFolder(), 'web1', { 'sessions.jsonl': lines(one(1), one(2)) });
    await publish(lake, 'web1', [log!]);
    writeFileSync(log!, lines(one(5)));
    const account = await publish(lake, 'web1', [log!]);
    expect(account.problems.map(({ problem }) => problem)).toEqual(['changed']);
    const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW });
    expect(ran.code).toBe(3);
    expect(envelope(ran).verdict!.cannot_vouch).toMatchObject([
      { code: 'changed_input', where: `web1:${log}` },
    ]);
  });
});

describe('from a lake file', () => {
  const fromFile = (lake: string, file: string) =>
    exportToFolder([], { ...runOptions({ now: NOW }), use: lakeUse(lake), host: 'web1', from: file });

  test('its batches are published once, though its logs are gone', async () => {
    const logs = newFolder();
    const file = path.join(newFolder(), 'lake.duckdb');
    const paths = writeHostLogs(logs, 'web1', ofFixture('healthy'));
    const sync = () => lakelog(['sync', '--lake', file, ...paths], { now: () => NOW });
    expect((await sync()).code).toBe(0);
    rmSync(logs, { recursive: true });
    const lake = newLakeName();
    await fromFile(lake, file);
    const before = filesIn(lake);
    const again = await fromFile(lake, file);
    expect(filesIn(lake)).toEqual(before);
    expect(again.lake).toMatchObject({ new_bytes: 0, new_files: 0 });
    const ask = async (name: string) => {
      const ran = await lakelog(['first-shot-rate', '--json', '--by', 'kind', '--lake', name, '--no-sync'], {
        now: () => NOW,
      });
      const { rows, receipt } = envelope(ran);
      return { code: ran.code, rows, lines: receipt.totals.lines, loaded: receipt.totals.loaded };
    };
    expect(await ask(lake)).toEqual(await ask(file));
  });

  test('what its logs hold counts once, though they were published in other pieces before, and are afterwards', async () => {
    const [lake, undisturbed] = [newLakeName(), newLakeName()];
    const file = path.join(newFolder(), 'lake.duckdb');
    const all = [1, 2, 3, 4, 5].map((n) =>
      call({ timestamp: `2025-06-01T08:00:0${n}Z`, call_id: `c${n}`, session_id: `s${n}` }),
    );
    const [log] = writeHostLogs(newFolder(), 'web1', { 'sessions.jsonl': lines(...all.slice(0, 1)) });
    const upTo = (count: number) => writeFileSync(log!, lines(...all.slice(0, count)));
    await publish(lake, 'web1', [log!]);
    upTo(2);
    await publish(lake, 'web1', [log!]);
    upTo(3);
    expect((await lakelog(['sync', '--lake', file, log!], { now: () => NOW })).code).toBe(0);
    expect((await fromFile(lake, file)).problems).toEqual([]);
    upTo(5);
    expect((await publish(lake, 'web1', [log!])).problems).toEqual([]);
    expect((await fromFile(lake, file)).problems).toEqual([]);
    await publish(undisturbed, 'web1', [log!]);
    const ask = async (name: string) => {
      const ran = await lakelog(['alarm', '--json', '--lake', name], { now: () => NOW });
      const { receipt } = envelope(ran);
      const ids = await lakelog(['query', 'SELECT call_id FROM sessions ORDER BY call_id', '--lake', name]);
      const { calls_loaded, totals } = receipt;
      return { code: ran.code, calls_loaded, loaded: totals.loaded, ids: ids.stdout };
    };
    expect(await ask(lake)).toEqual(await ask(undisturbed));
  });

  test.skipIf(!nightly)(
    'a log that it found lost or changed keeps a gate over the folder from vouching',
    async () => {
      const lake = newLakeName();
      const file = path.join(newFolder(), 'lake.duckdb');
      const paths = writeHostLogs(newFolder(), 'web1', {
        'a.jsonl': lines(call({ call_id: 'a' })),
        'b.jsonl': lines(call({ call_id: 'b' })),
      });
      const sync = () => lakelog(['sync', '--lake', file, ...paths], { now: () => NOW });
      expect((await sync()).code).toBe(0);
      await fromFile(lake, file);
      rmSync(paths[1]!);
      expect((await sync()).code).toBe(3);
      const account = await fromFile(lake, file);
      expect(account.problems.map(({ path: where, problem }) => [where, problem])).toEqual([
        [`web1:${paths[1]}`, 'changed'],
      ]);
      const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW });
      expect(ran.code).toBe(3);
      expect(envelope(ran).verdict!.cannot_vouch).toMatchObject([
        { code: 'changed_input', where: `web1:${paths[1]}` },
      ]);
    },
  );

  test('a batch that somebody published with fewer lines is told', async () => {
    const shared = lines(call({ timestamp: '2025-06-01T08:00:00Z', call_id: 'x' }));
    const own = lines(call({ timestamp: '2025-06-01T09:00:00Z', call_id: 'y' }));
    const folder = newFolder();
    const [a] = writeHostLogs(folder, 'a', { 'sessions.jsonl': shared });
    const [b] = writeHostLogs(folder, 'b', { 'sessions.jsonl': Buffer.concat([shared, own]) });
    const fill = async (order: readonly string[]) => {
      const file = path.join(newFolder(), 'lake.duckdb');
      for (const log of order) await lakelog(['sync', '--lake', file, log], { now: () => NOW });
      return file;
    };
    // One of them has the shared line in the batch of a, the other in that of b.
    const [first, second] = [await fill([a!, b!]), await fill([b!, a!])];
    const lake = newLakeName();
    await fromFile(lake, first);
    const account = await fromFile(lake, second);
    expect(account.problems.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/was published by web1 with 1 records, and the lake file has 2 of it/),
    ]);
  });
});

describe('what is refused', () => {
  const refused = async (...args: string[]) => {
    const ran = await lakelog(args, { now: () => NOW });
    expect(ran.stderr).toMatch(/→ /);
    return { code: ran.code, says: ran.stderr.split('\n')[0]! };
  };

  test('logs beside a folder lake, other folders, files with a slash, newer lakes', async () => {
    const lake = newLakeName();
    const [log] = writeHostLogs(newFolder(), 'web1', {
      'sessions.jsonl': lines(call(), replayRun()),
    });
    await publish(lake, 'web1', [log!]);
    expect(await refused('alarm', '--lake', lake, log!)).toMatchObject({
      code: 2,
      says: expect.stringMatching(/would not be read/),
    });
    const others = newFolder();
    copyFileSync(log!, path.join(others, 'sessions.jsonl'));
    expect((await refused('alarm', '--lake', others)).code).toBe(2);
    expect((await refused('sync', '--lake', others, log!)).code).toBe(2);
    expect((await refused('sync', '--lake', `${log}/`, log!)).code).toBe(2);
    expect((await refused('watch', '--lake', lake)).code).toBe(2);
    expect((await refused('sync', '--lake', lake, '--host', 'a/b', log!)).code).toBe(2);
    expect((await refused('alarm', '--lake', path.join(newFolder(), 'none/'))).code).toBe(3);
    expect((await refused('alarm', '--show-content', '--lake', lake)).code).toBe(2);
    expect((await refused('sync', '--lake', lake, '--max-line-bytes', '1000', log!)).code).toBe(2);
    const making = path.join(lake, 'lakelog.json');
    writeFileSync(making, readFileSync(making, 'utf8').replace('"format":1', '"format":2'));
    expect((await refused('alarm', '--lake', lake)).says).toMatch(/newer version/);
  });

  test('an empty lake vouches for nothing', async () => {
    const lake = newLakeName();
    await publish(lake, 'web1', writeHostLogs(newFolder(), 'web1', { 'sessions.jsonl': Buffer.alloc(0) }));
    const ran = await lakelog(['alarm', '--lake', lake], { now: () => NOW });
    expect(ran.code).toBe(3);
    mkdirSync(path.join(newFolder(), 'empty'));
  });
});
