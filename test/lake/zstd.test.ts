import { writeFileSync } from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ensureWholeZstd } from '../../src/lake/zstd.js';
import { tempFile, tempFolder } from '../support/lake.js';

const { zstdCompressSync } = zlib as unknown as {
  zstdCompressSync?: (data: Buffer, options?: object) => Buffer;
};

/** A frame by hand (RFC 8878): raw block "hello", RLE block of 4, no checksum, single segment of 9 bytes. */
const HAND_MADE = Buffer.from([
  0x28,
  0xb5,
  0x2f,
  0xfd,
  0x20,
  9,
  (5 << 3) | 0,
  0,
  0,
  104,
  101,
  108,
  108,
  111,
  (4 << 3) | 2 | 1,
  0,
  0,
  120,
]);
const SKIPPABLE = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

describe('a .zst file is whole', () => {
  test.each([
    ['one frame', HAND_MADE],
    ['two frames and a skippable one', Buffer.concat([HAND_MADE, SKIPPABLE, HAND_MADE])],
  ])('%s', async (_, bytes) => {
    await expect(ensureWholeZstd(tempFile(bytes, 'a.zst'))).resolves.toBeUndefined();
  });

  test('every cut of it is found', async () => {
    const file = path.join(tempFolder(), 'cut.zst');
    const whole = Buffer.concat([SKIPPABLE, HAND_MADE]);
    for (let cut = 1; cut < whole.length; cut++) {
      if (cut === SKIPPABLE.length) continue;
      writeFileSync(file, whole.subarray(0, cut));
      await expect(ensureWholeZstd(file), `cut at ${cut}`).rejects.toThrow(/stop before their end/);
    }
  });

  test('other bytes behind it are found', async () => {
    const file = tempFile(Buffer.concat([HAND_MADE, Buffer.from('junk')]), 'a.zst');
    await expect(ensureWholeZstd(file)).rejects.toThrow(/4 bytes after the end/);
  });

  test.skipIf(!zstdCompressSync)(
    'what Node compresses is whole, and every 97th cut of it is not',
    async () => {
      const file = path.join(tempFolder(), 'real.zst');
      const data = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `${i * 7919} `).join(''));
      const bytes = zstdCompressSync!(data);
      writeFileSync(file, bytes);
      await expect(ensureWholeZstd(file)).resolves.toBeUndefined();
      for (let cut = 5; cut < bytes.length; cut += 97) {
        writeFileSync(file, bytes.subarray(0, cut));
        await expect(ensureWholeZstd(file), `cut at ${cut}`).rejects.toThrow(/stop before their end/);
      }
    },
  );
});
