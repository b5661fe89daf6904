import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { call, lakelog, newFolder, nightly, writeLines } from '../support/cli.js';
import { lakelog as inProcess } from '../support/program.js';
import { contentOf } from './lake-file.js';

const mounts: string[] = [];
afterEach(() => {
  for (const folder of mounts.splice(0)) execFileSync('umount', ['-l', folder]);
});

function smallDisk(megabytes: number): string | null {
  const folder = newFolder();
  try {
    const options = `size=${megabytes}m`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'lakelog-test', folder], { stdio: 'ignore' });
  } catch {
    return null;
  }
  mounts.push(folder);
  return folder;
}

/** Leaves so many bytes free. */
function fill(folder: string, free: number): void {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(path.join(folder, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - free)));
}

const calls = (count: number) =>
  Array.from({ length: count }, (_, i) => call({ daemon: `daemon-${i % 13}`, call_id: `${Math.random()}` }));

test('a disk that fills while a lake is brought up to date', async ({ skip }) => {
  const disk = smallDisk(60);
  if (disk === null) return skip('mounting a tmpfs is not allowed here');
  const cwd = newFolder();
  const lake = path.join(disk, 'L.duckdb');
  const first = calls(2_000);
  writeLines(cwd, 'sessions.jsonl', first);
  const sync = ['sync', '--lake', lake, '--json', 'sessions.jsonl'];
  const begun = await inProcess(sync, { cwd });
  expect(begun.code, begun.stderr).toBe(0);
  const before = await contentOf(lake);
  const bytes = readFileSync(lake);

  const all = [...first, ...calls(nightly ? 20_000 : 8_000)];
  writeLines(cwd, 'sessions.jsonl', all);
  const wanted = path.join(newFolder(), 'L.duckdb');
  copyFileSync(lake, wanted);
  const roomy = await inProcess(['sync', '--lake', wanted, '--json', 'sessions.jsonl'], { cwd });
  expect(roomy.code, roomy.stderr).toBe(0);

  for (const free of nightly ? [0, 40_000, 300_000, 2_000_000] : [300_000]) {
    fill(disk, free);
    const full = await lakelog(['sync', '--lake', lake, 'sessions.jsonl'], { cwd });
    rmSync(path.join(disk, 'ballast'));
    // A commit may have come to its end before the checkpoint did not.
    expect([full.code, full.stderr], `${free} bytes free`).toEqual([
      2,
      expect.stringContaining(`there is no room left for the lake\n  at ${lake}\n  → make room`),
    ]);
    const asked = await inProcess(['validate', '--lake', lake, '--no-sync', '--json'], { cwd });
    const { totals } = JSON.parse(asked.stdout).receipt;
    expect([2_000, all.length]).toContain(totals.loaded);
    const after = await inProcess(sync, { cwd });
    expect(after.code, after.stderr).toBe(0);
    expect(JSON.parse(after.stdout).receipt.totals).toEqual(JSON.parse(roomy.stdout).receipt.totals);
    expect(await contentOf(lake)).toEqual(await contentOf(wanted));
    expect(readdirSync(disk).sort()).toEqual(['L.duckdb', 'L.duckdb.seal']);
    writeFileSync(lake, bytes);
    expect(await contentOf(lake)).toEqual(before);
  }
});

test('a disk that is full when a lake is made', async ({ skip }) => {
  const disk = smallDisk(2);
  if (disk === null) return skip('mounting a tmpfs is not allowed here');
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', calls(50));
  for (const free of nightly ? [0, 8_192, 200_000] : [0]) {
    fill(disk, free);
    const lake = path.join(disk, 'L.duckdb');
    const full = await lakelog(['alarm', '--lake', lake, 'sessions.jsonl'], { cwd });
    expect([full.code, full.stderr], `${free} bytes free`).toEqual([
      2,
      expect.stringContaining(`there is no room left for the lake\n  at ${lake}\n  → make room`),
    ]);
    rmSync(path.join(disk, 'ballast'));
    expect(readdirSync(disk)).toEqual([]);
  }
});

test('a disk that is full, or read-only, while a folder is published to', async ({ skip }) => {
  const disk = smallDisk(2);
  if (disk === null) return skip('mounting a tmpfs is not allowed here');
  const cwd = newFolder();
  const lake = path.join(disk, 'lake/');
  const first = calls(2_000);
  writeLines(cwd, 'sessions.jsonl', first);
  const sync = ['sync', '--lake', lake, '--host', 'web1', 'sessions.jsonl'];
  const begun = await inProcess(sync, { cwd });
  expect(begun.code, begun.stderr).toBe(0);
  writeLines(cwd, 'sessions.jsonl', [...first, ...calls(2_000)]);

  for (const free of nightly ? [0, 20_000, 60_000, 100_000] : [60_000]) {
    fill(disk, free);
    const full = await lakelog(sync, { cwd });
    rmSync(path.join(disk, 'ballast'));
    expect(full.code, full.stderr).toBe(2);
    // The engine names its file, and so do we.
    expect(full.stderr).toMatch(/no space left on device[\s\S]*\n {2}→ make room/i);
    expect(full.stderr).toContain(path.join(disk, 'lake'));
  }
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const readOnly = await lakelog(sync, { cwd });
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  expect(readOnly.code).toBe(2);
  expect(readOnly.stderr).toMatch(/read-only file system\n {2}at .*lake.*\n {2}→ mount it for writing/);

  const after = await inProcess([...sync, '--json'], { cwd });
  expect(JSON.parse(after.stdout).receipt.totals.loaded, after.stderr).toBe(4_000);
});
