import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { call, envelope, newFolder, nightly } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { filesIn, NOW, publish, writeHostLogs } from './folder-lake.js';

const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));
const at = (n: number, changes: object = {}) =>
  call({ timestamp: `2026-09-01T08:00:0${n}Z`, call_id: `k${n}`, ...changes });

/** A user who asks again and again, and what is kept for him. */
async function begin() {
  const lake = path.join(newFolder(), 'lake/');
  const home = newFolder();
  const logs = newFolder();
  const put = (host: string, ...all: string[]) =>
    publish(lake, host, writeHostLogs(logs, host, { 'sessions.jsonl': lines(...all) }));
  const ask = async (env: Record<string, string> = { HOME: home }) => {
    const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW, env });
    const { verdict, receipt } = envelope(ran);
    return {
      code: ran.code,
      codes: verdict!.cannot_vouch.map(({ code }) => code),
      calls: receipt.calls_loaded,
      duplicates: receipt.totals.duplicates,
    };
  };
  const kept = () =>
    readdirSync(path.join(home, '.cache/lakelog')).map((name) => path.join(home, '.cache/lakelog', name));
  return { lake, put, ask, kept };
}

/** What was changed a moment ago may be changed once more without another time. */
const someTimePasses = () => void vi.setSystemTime(Date.now() + 10_000);
afterEach(() => void vi.useRealTimers());

const fine = { code: 0, codes: [], duplicates: 0 };

test('what was counted is not counted again, and what comes is counted with it', async () => {
  const { put, ask, kept } = await begin();
  await put('web1', at(1), at(2));
  someTimePasses();
  expect(await ask()).toEqual({ ...fine, calls: 2 });
  expect(
    kept()
      .map((file) => path.basename(file).split('-')[0])
      .sort(),
  ).toEqual(['counted', 'found', 'hashes']);
  expect(await ask()).toEqual({ ...fine, calls: 2 });
  await put('web2', at(3));
  expect(await ask()).toEqual({ ...fine, calls: 3 });
  // A line that web1 has, a call_id of web2 in another line, and a line twice in one batch.
  const third = at(3);
  await put('web3', third, at(4), at(4, { session_id: 'x' }));
  expect(await ask()).toMatchObject({ code: 3, codes: ['conflicts'], calls: 6 });
  expect(await ask()).toEqual(await ask({}));
});

test('a line that an earlier batch has is found whenever it comes', async () => {
  const { put, ask } = await begin();
  const [a, b] = [at(1), at(2)];
  await put('web1', a, b);
  await ask();
  await put('web2', b);
  expect(await ask()).toEqual({ ...fine, calls: 2, duplicates: 1 });
  expect(await ask()).toEqual({ ...fine, calls: 2, duplicates: 1 });
});

test.skipIf(!nightly)('calls without a call_id are compared too', async () => {
  const { put, ask } = await begin();
  const bare = at(1, { call_id: null });
  await put('web1', bare, at(2));
  await ask();
  await put('web2', at(5), bare);
  expect(await ask()).toEqual({ ...fine, calls: 3, duplicates: 1 });
});

test('what is kept vouches for nothing that was touched, merged, lost or put in its place', async () => {
  const { lake, put, ask, kept } = await begin();
  await put('web1', at(1), at(2));
  await put('web2', at(3));
  someTimePasses();
  expect(await ask()).toEqual({ ...fine, calls: 3 });
  const sound = path.join(newFolder(), 'copy');
  cpSync(lake, sound, { recursive: true, preserveTimestamps: true });
  const file = path.join(lake, filesIn(lake).find((name) => name.startsWith('base_calls/'))!);
  const bytes = readFileSync(file);
  bytes[60]! ^= 1;
  writeFileSync(file, bytes);
  expect(await ask()).toMatchObject({ code: 3, codes: ['damaged_lake'] });
  rmSync(file);
  expect(await ask()).toMatchObject({ code: 3, codes: ['damaged_lake'] });
  cpSync(sound, lake, { recursive: true, preserveTimestamps: true });
  expect(await ask()).toEqual({ ...fine, calls: 3 });
  const ran = await lakelog(['lake', 'compact', '--lake', lake, '--grace', '0'], {
    now: () => new Date('2027-01-01T00:00:00Z'),
  });
  expect(ran.code, ran.stderr).toBe(0);
  expect(await ask()).toEqual({ ...fine, calls: 3 });
  // What nobody sealed is as nothing.
  for (const one of kept()) writeFileSync(one, readFileSync(one, 'utf8').replace('"files"', '"filed"'));
  expect(await ask()).toEqual({ ...fine, calls: 3 });
});
