import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { compressionOf, decompress } from '../../src/lake/input/decompress.js';
import fc from '../support/fast-check.js';
import { EMPTY, LONG, LONG_TEXT, raw, SHORT, SHORT_TEXT, SKIPPABLE } from './zst-samples.js';

const CUT = /stop before their end/;
const TRAILING = /other bytes after the end/;
const gz = (text: string | Buffer) => gzipSync(Buffer.from(text));

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

async function all(bytes: Buffer, compression: 'gz' | 'zst', size = 1 << 20): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of decompress(inPieces(bytes, size), compression)) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('by content', () => {
  test.each([
    ['gz', gz('a'), 'gz'],
    ['a zst frame', SHORT, 'zst'],
    ['a skippable frame', SKIPPABLE, 'zst'],
    ['lines', Buffer.from('{"a":1}\n'), null],
    ['one byte of a gz', gz('a').subarray(0, 1), null],
    ['three bytes of a zst', SHORT.subarray(0, 3), null],
    ['nothing', Buffer.alloc(0), null],
  ])('%s', (_, head, expected) => {
    expect(compressionOf(head)).toBe(expected);
  });
});

describe.each([
  ['all at once', 1 << 20],
  ['in pieces of 7', 7],
  ['byte by byte', 1],
])('%s', (_, size) => {
  test.each<[string, 'gz' | 'zst', Buffer, string]>([
    ['one member', 'gz', gz('abc'), 'abc'],
    ['an empty one', 'gz', gz(''), ''],
    ['several, empty ones among them', 'gz', Buffer.concat([gz('a'), gz(''), gz('bc')]), 'abc'],
    ['zero bytes behind it', 'gz', Buffer.concat([gz('a'), gz('b'), Buffer.alloc(600)]), 'ab'],
    ['one frame with a checksum', 'zst', LONG, LONG_TEXT],
    ['one without', 'zst', SHORT, SHORT_TEXT],
    ['an empty one', 'zst', EMPTY, ''],
    [
      'several, skippable and empty ones among them',
      'zst',
      Buffer.concat([SKIPPABLE, LONG, SKIPPABLE, EMPTY, SHORT, raw('raw'), SKIPPABLE]),
      `${LONG_TEXT}${SHORT_TEXT}raw`,
    ],
    ['nothing but a skippable one', 'zst', SKIPPABLE, ''],
  ])('%s (%s)', async (_, compression, bytes, expected) => {
    expect(await all(bytes, compression, size)).toBe(expected);
  });

  test.each<[string, 'gz' | 'zst', Buffer, RegExp]>([
    ['lines behind it', 'gz', Buffer.concat([gz('a'), Buffer.from('{"a":1}\n')]), TRAILING],
    ['a frame behind it', 'gz', Buffer.concat([gz('a'), SHORT]), TRAILING],
    ['an archive in it', 'gz', gz(gz('a')), /compressed twice/],
    ['an archive of the other kind in it', 'gz', gz(SHORT), /compressed twice/],
    ['a byte behind zero bytes', 'gz', Buffer.concat([gz('a'), Buffer.alloc(600), gz('b')]), TRAILING],
    ['a second member that is cut', 'gz', Buffer.concat([gz('a'), gz('b').subarray(0, -1)]), CUT],
    ['nothing at all', 'gz', Buffer.alloc(0), CUT],
    ['nothing at all', 'zst', Buffer.alloc(0), CUT],
    ['lines behind it', 'zst', Buffer.concat([SHORT, Buffer.from('{"a":1}\n')]), TRAILING],
    ['zero bytes behind it', 'zst', Buffer.concat([SHORT, Buffer.alloc(600)]), TRAILING],
    ['a second frame that is cut', 'zst', Buffer.concat([LONG, SHORT.subarray(0, -1)]), CUT],
    ['a skippable one that is cut', 'zst', Buffer.concat([SHORT, SKIPPABLE.subarray(0, -1)]), CUT],
    ['a checksum that is cut', 'zst', LONG.subarray(0, -1), CUT],
    ['a wrong checksum', 'zst', flipped(LONG, LONG.length - 1, 1), /wrong checksum/],
    ['a window of 2 GiB', 'zst', Buffer.from('28b52ffd00a8090000610000', 'hex'), /more than 128 MiB/],
    ['a dictionary', 'zst', Buffer.from('28b52ffd2107010900006100', 'hex'), /dictionary/],
  ])('%s is an error (%s)', async (_, compression, bytes, message) => {
    await expect(all(bytes, compression, size)).rejects.toThrow(message);
  });
});

function flipped(bytes: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= mask;
  return copy;
}

describe('whatever is written comes out again, however it is cut into members and chunks', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { minLength: 1, maxLength: 5 });

  test.each([
    ['gz', gz],
    ['zst', raw],
  ] as const)('%s', async (compression, compress) => {
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 400 }), async (parts, size) => {
        const bytes = Buffer.concat(parts.map(compress));
        expect(await all(bytes, compression, size)).toBe(parts.join(''));
      }),
    );
  });
});

describe('damage is an error, or does no harm', () => {
  const GZ_TEXT = Array.from({ length: 50 }, (_, i) => `{"line":${i * 7919}}\n`).join('');
  const samples = {
    gz: {
      bytes: Buffer.concat([gz(GZ_TEXT), gz('end\n')]),
      text: `${GZ_TEXT}end\n`,
      ends: [gz(GZ_TEXT).length],
    },
    zst: {
      bytes: Buffer.concat([LONG, EMPTY]),
      text: LONG_TEXT,
      ends: [LONG.length],
    },
  };

  test.each(['gz', 'zst'] as const)('%s, cut at every byte', async (compression) => {
    const { bytes, ends } = samples[compression];
    for (let cut = 0; cut < bytes.length; cut++) {
      // Cut between two members, it is whole.
      if (ends.includes(cut)) continue;
      await expect(all(bytes.subarray(0, cut), compression), `cut at ${cut}`).rejects.toThrow(CUT);
    }
  });

  test.each(['gz', 'zst'] as const)('%s, one byte changed', async (compression) => {
    const { bytes, text } = samples[compression];
    let errors = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [1, 0x80, 0xff]) {
        const result = await all(flipped(bytes, at, mask), compression).catch((error) => {
          expect(error.message, `byte ${at}`).toMatch(/compressed data/);
          errors++;
          return text;
        });
        expect(result === text, `byte ${at} with ${mask}`).toBe(true);
      }
    }
    // Only a header has bytes that mean nothing.
    expect(errors).toBeGreaterThan(bytes.length * 3 - 60);
  });
});

describe('memory is bounded', () => {
  const big = gzipSync(Buffer.alloc(64 << 20, 'a'));

  test.each([
    // More than what lies in the buffers of a stream of Node: 64 kB since Node 22.
    ['gz', Buffer.concat(Array.from({ length: 8 }, () => big))],
    ['zst', Buffer.concat(Array.from({ length: 400 }, () => LONG))],
  ] as const)(
    '%s: the source is asked for more only when what it gave is used up',
    async (compression, bytes) => {
      let given = 0;
      let closed = false;
      async function* source() {
        try {
          for await (const chunk of inPieces(bytes, 1024)) {
            given += chunk.length;
            yield chunk;
          }
        } finally {
          closed = true;
        }
      }
      let taken = 0;
      let largest = 0;
      for await (const part of decompress(source(), compression)) {
        taken += part.length;
        largest = Math.max(largest, part.length);
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (taken > 2 << 20) break;
      }
      expect(largest).toBeLessThanOrEqual(1 << 20);
      expect(given).toBeLessThan(bytes.length / 2);
      await vi.waitFor(() => expect(closed).toBe(true), { timeout: 20_000 });
    },
  );

  test.each(['gz', 'zst'] as const)('%s: an error of the source comes through', async (compression) => {
    async function* source() {
      yield compression === 'gz' ? big.subarray(0, 5000) : LONG.subarray(0, 500);
      throw new Error('the cable was pulled');
    }
    const reading = (async () => {
      for await (const _ of decompress(source(), compression));
    })();
    await expect(reading).rejects.toThrow('the cable was pulled');
  });

  test('gz: whoever leaves does not wait for a source that is silent', async () => {
    async function* source() {
      yield big.subarray(0, 5000);
      await new Promise(() => {});
    }
    for await (const _ of decompress(source(), 'gz')) break;
  });

  test('two .zst at once do not disturb each other', async () => {
    const texts = await Promise.all([all(LONG, 'zst', 10), all(SHORT, 'zst', 1), all(LONG, 'zst', 33)]);
    expect(texts).toEqual([LONG_TEXT, SHORT_TEXT, LONG_TEXT]);
  });
});
