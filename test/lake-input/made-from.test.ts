import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { mayBeMadeFrom } from '../../src/lake/input/made-from.js';
import { tempFolder } from '../support/lake.js';

/** Lines that do not compress to nothing, so that there are places to cut. */
const LINES = Array.from(
  { length: 400 },
  (_, i) => `{"line":${i},"hash":"${(i * 2_654_435_761) % 4_294_967_291}"}\n`,
);
const PLAIN = LINES.join('');

/** Node 20 has none. */
const { zstdCompressSync } = zlib as { zstdCompressSync?: (text: string) => Buffer };

/** @param plain null where nothing stands there. */
function isExcused(archive: Buffer | null, plain: string | null): Promise<boolean> {
  const folder = tempFolder();
  const file = path.join(folder, 'sessions.jsonl.1');
  if (plain !== null) writeFileSync(file, plain);
  if (archive !== null) writeFileSync(`${file}.gz`, archive);
  return mayBeMadeFrom(`${file}.gz`, file).finally(() => rmSync(folder, { recursive: true }));
}

const FORMS: readonly (readonly [string, (text: string) => Buffer])[] = [
  ['gz', (text) => zlib.gzipSync(text)],
  ...(zstdCompressSync ? [['zst', (text: string) => zstdCompressSync(text)] as const] : []),
];

describe.each(FORMS)('%s', (form, compressed) => {
  const whole = compressed(PLAIN);

  test('made to its end is that of the file', async () => {
    expect(await isExcused(whole, PLAIN)).toBe(true);
  });

  test.runIf(form === 'gz')('is being made, wherever it has got to', async () => {
    for (let size = 0; size < whole.length; size += 97)
      expect([size, await isExcused(whole.subarray(0, size), PLAIN)]).toEqual([size, true]);
  });

  test.runIf(form === 'zst')(
    'of which nothing can be read yet may be any, but where nothing is there',
    async () => {
      for (const size of [0, 1, 3]) expect(await isExcused(whole.subarray(0, size), PLAIN)).toBe(true);
      for (const size of [4, 20, whole.length >> 1, whole.length - 1])
        expect([size, await isExcused(whole.subarray(0, size), PLAIN)]).toEqual([size, false]);
    },
  );

  test('holds what the file does not begin with', async () => {
    const other = compressed(PLAIN.replace('"line":0', '"line":9'));
    expect(await isExcused(other, PLAIN)).toBe(false);
    expect(await isExcused(compressed(`${PLAIN}{"more":1}\n`), PLAIN)).toBe(false);
  });

  // Of a .zst whole blocks only can be read: this is a part of one.
  test.runIf(form === 'gz')('cut behind what the file does not begin with, or has not more of', async () => {
    const other = compressed(PLAIN.replace('"line":0', '"line":9'));
    expect(await isExcused(other.subarray(0, other.length - 9), PLAIN)).toBe(false);
    expect(await isExcused(whole.subarray(0, whole.length - 1), PLAIN)).toBe(false);
  });

  test('damaged, or followed by other bytes', async () => {
    const damaged = Buffer.from(whole);
    damaged[whole.length >> 1]! ^= 0x10;
    expect(await isExcused(damaged, PLAIN)).toBe(false);
    expect(await isExcused(Buffer.concat([whole, Buffer.from('{"a":1}\n')]), PLAIN)).toBe(false);
  });

  test('gone meanwhile, it or the file', async () => {
    expect(await isExcused(null, PLAIN)).toBe(false);
    expect(await isExcused(whole, null)).toBe(false);
  });
});

test('what is no archive is none that is made', async () => {
  expect(await isExcused(Buffer.from(PLAIN), PLAIN)).toBe(false);
});
