import { utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { call, newFolder } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const good = `${call()}\n`;
const violation = `${call({ session_id: 'phantom', grounded_in_roster: false })}\n`;

/** So long that a part of it can be decompressed. */
const long = Array.from({ length: 300 }, () => `${call()}\n`).join('');
const half = gzipSync(long).subarray(0, gzipSync(long).length >> 1);

/** An hour ago `X` was rotated, and its archive is young. */
function folder(archive: Buffer, plain = good): string {
  const cwd = newFolder();
  writeFileSync(path.join(cwd, 's.jsonl.1'), plain);
  writeFileSync(path.join(cwd, 's.jsonl.1.gz'), archive);
  const then = new Date(Date.now() - 1_800_000);
  utimesSync(path.join(cwd, 's.jsonl.1'), then, then);
  return cwd;
}

test('a half written archive beside what it is made from is a notice', async () => {
  for (const archive of [half, Buffer.alloc(0)]) {
    const ran = await lakelog(['alarm', '.'], { cwd: folder(archive, long) });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('s.jsonl.1.gz is being made from s.jsonl.1, which is read instead');
  }
});

test('half of another one is damage', async () => {
  const other = gzipSync(violation);
  const archives = [
    other.subarray(0, -30),
    other.subarray(0, -4),
    Buffer.concat([gzipSync(good), other.subarray(0, 12)]),
  ];
  for (const archive of archives) {
    const ran = await lakelog(['alarm', '.'], { cwd: folder(archive) });
    expect(ran.code, ran.stderr).toBe(3);
    expect(ran.stderr).toContain('the compressed data stop before their end');
  }
});

test('the whole of it with more behind is damage', async () => {
  const archive = Buffer.concat([gzipSync(good), Buffer.from(`\0${violation}`)]);
  const ran = await lakelog(['alarm', '.'], { cwd: folder(archive) });
  expect(ran.code, ran.stderr).toBe(3);
  expect(ran.stderr).toContain('holds other bytes after the end');
});

test.each(['F.duckdb', 'L/'])(
  'a lake (%s) reads a whole one that holds more, and half of one later',
  async (lake) => {
    const sync = (cwd: string) => lakelog(['sync', '--lake', lake, '.'], { cwd });
    const asked = lake === 'L/' ? ['--lake', lake] : ['--lake', lake, '--no-sync'];
    const cwd = folder(gzipSync(good + violation));
    expect((await sync(cwd)).code).toBe(0);
    expect((await lakelog(['alarm', ...asked], { cwd })).code).toBe(1);

    const making = folder(half, long);
    const ran = await sync(making);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('s.jsonl.1.gz is being made from s.jsonl.1, which is read instead');
    writeFileSync(path.join(making, 's.jsonl.1.gz'), gzipSync(violation).subarray(0, -4));
    expect((await sync(making)).code).toBe(3);
  },
);

test('a whole one is read, and a violation in it alone fires', async () => {
  const same = await lakelog(['alarm', '.', '--json'], { cwd: folder(gzipSync(good)) });
  expect(same.code, same.stderr).toBe(0);
  expect(JSON.parse(same.stdout).receipt.totals).toMatchObject({ lines: 2, loaded: 1, duplicates: 1 });
  const other = await lakelog(['alarm', '.', '--json'], { cwd: folder(gzipSync(good + violation)) });
  expect(other.code, other.stderr).toBe(1);
  expect(JSON.parse(other.stdout).rows).toMatchObject([{ session_id: 'phantom', file: 's.jsonl.1.gz' }]);
});
