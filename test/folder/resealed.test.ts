/** Receipts that were changed by somebody who knows how they are sealed; files of other users; clocks that are wrong. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sealed } from '../../src/lake/folder/seal.js';
import type { BatchReceipt } from '../../src/schema/batch.js';
import { lakelog as binary, byDay, call, envelope, newFolder } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { NOW, publish, receiptsIn, writeHostLogs } from './folder-lake.js';

const lines = (all: readonly string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));
const at = (n: number) => call({ timestamp: `2026-09-0${n}T08:00:00Z`, call_id: `r${n}` });

async function filled() {
  const lake = path.join(newFolder(), 'lake/');
  const logs = writeHostLogs(newFolder(), 'web1', { 'sessions.jsonl': lines([at(1), at(2)]) });
  await publish(lake, 'web1', logs);
  return { lake, logs };
}

type Writable<T> = { -readonly [K in keyof T]: Writable<T[K]> };

function reseal(lake: string, change: (receipt: Writable<BatchReceipt>) => void): void {
  const [receipt] = receiptsIn(lake);
  const { checksum: _, ...content } = structuredClone(receipt!) as Writable<BatchReceipt>;
  change(content as Writable<BatchReceipt>);
  writeFileSync(path.join(lake, 'batches', `${content.id}.json`), sealed(content));
}

afterEach(() => void vi.useRealTimers());

describe('a receipt that says otherwise than the batch beside it, and is sealed anew', () => {
  const CHANGES: [string, (receipt: Writable<BatchReceipt>) => void][] = [
    [
      'host',
      (one) => {
        one.host = 'web7';
      },
    ],
    [
      'file',
      (one) => {
        one.file.name = 'web7:/var/log/sessions.jsonl@00000000';
      },
    ],
    [
      'log',
      (one) => {
        one.file.path = '/var/log/sessions.jsonl';
      },
    ],
    [
      'lines',
      ({ account }) => {
        account.lines += 3;
        account.blank += 3;
      },
    ],
    [
      'lines',
      ({ account }) => {
        account.lines += 1;
        account.duplicates += 1;
      },
    ],
    [
      'late',
      ({ account }) => {
        account.late = 1;
      },
    ],
    [
      'newest_record',
      (one) => {
        one.newest_record = '2026-09-30T08:00:00Z';
      },
    ],
    [
      'late_line',
      ({ account }) => {
        account.late_line = 2;
      },
    ],
  ];

  test.each(byDay(CHANGES, 2))('its %s', async (name, change) => {
    const { lake } = await filled();
    const home = newFolder();
    // Somebody asked before, and something is kept for him.
    vi.setSystemTime(Date.now() + 10_000);
    const ask = () => lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW, env: { HOME: home } });
    expect((await ask()).code).toBe(0);
    reseal(lake, change);
    rmSync(path.join(lake, 'hosts'), { recursive: true });
    await publishHost(lake);
    for (const ran of [await ask(), await ask()]) {
      expect(ran.code).toBe(3);
      expect(envelope(ran).verdict!.cannot_vouch).toContainEqual(
        expect.objectContaining({ code: 'damaged_lake', message: `its ${name} is another in base_batches` }),
      );
    }
  });

  /** A host that looked at its logs, whatever it is called in the receipt. */
  async function publishHost(lake: string): Promise<void> {
    for (const { host } of receiptsIn(lake))
      await publish(lake, host, writeHostLogs(newFolder(), host, { 'other.jsonl': Buffer.alloc(0) }));
  }
});

test.skipIf(process.getuid?.() !== 0)(
  'what another user may not read is no damage to be mended',
  async () => {
    const { lake } = await filled();
    const asUser = async () => {
      const ran = await binary(['alarm', '--lake', lake, '--json'], { uid: 12_345, cwd: '/' });
      expect(ran.code, ran.stderr).toBe(3);
      return envelope(ran).verdict!.cannot_vouch.filter(({ code }) => code === 'damaged_lake');
    };
    for (let folder = lake; folder !== '/tmp' && folder !== '/'; folder = path.dirname(folder))
      chmodSync(folder, 0o755);
    for (const name of readdirSync(lake, { recursive: true, encoding: 'utf8' }))
      chmodSync(path.join(lake, name), 0o755);
    const next = 'see who may read it: ls -l';
    const [receipt] = receiptsIn(lake);
    const calls = path.join(lake, receipt!.tables.base_calls!.files[0]!.path);
    chmodSync(calls, 0o600);
    expect(await asUser()).toContainEqual(expect.objectContaining({ where: calls, next }));
    chmodSync(calls, 0o644);
    chmodSync(path.join(lake, 'batches', `${receipt!.id}.json`), 0o600);
    expect(await asUser()).toContainEqual(expect.objectContaining({ next }));
  },
);

test('a clock that is an hour ahead takes no publication for dead that is under way', async () => {
  const lake = path.join(newFolder(), 'lake/');
  const logs = writeHostLogs(newFolder(), 'web1', { 'sessions.jsonl': lines([at(1)]) });
  const other = path.join(newFolder(), 'lake/');
  await publish(other, 'web2', logs);
  await publish(lake, 'web1', writeHostLogs(newFolder(), 'web1', { 'other.jsonl': lines([at(3)]) }));
  // Another host has put a file of the same batch, and will put the others.
  const [{ id }] = receiptsIn(other) as [BatchReceipt];
  const name = `base_batches/${id}.parquet`;
  const bytes = readFileSync(path.join(other, name));
  writeFileSync(path.join(lake, name), bytes);
  const stage = path.join(lake, '.staging/other');
  mkdirSync(stage);
  writeFileSync(path.join(stage, `${id}.json`), '');
  vi.setSystemTime(Date.now() + 3_600_000);
  const published = publish(lake, 'web1', logs);
  // By then this one has its draft, and comes to the file.
  while (
    readdirSync(path.join(lake, 'base_calls'), { recursive: true }).every((one) => !String(one).includes(id))
  )
    await sleep(20);
  await sleep(300);
  expect(readFileSync(path.join(lake, name))).toEqual(bytes);
  rmSync(stage, { recursive: true });
  await published;
  expect(receiptsIn(lake)).toHaveLength(2);
});
