import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSpool, type Spool } from '../../src/lake/spool.js';
import { newFolder } from '../support/cli.js';

let spool: Spool;
const folder = newFolder();
beforeAll(async () => {
  spool = await openSpool({ TMPDIR: folder });
});
afterAll(() => spool.remove());

const text = fc.string({ maxLength: 40, unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
const line = fc.oneof(
  fc.record({ text, masked: fc.constant(false) }),
  // A blank line is none that could be bad.
  fc.record({ text: text.map((text) => `{${text}`), masked: fc.constant(true) }),
);

test('pieces are whole lines, and together the file with {} in place of what is masked', async () => {
  const source = path.join(folder, 'log');
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      fc.nat(5),
      fc.integer({ min: 1, max: 200 }),
      async (lines, terminated, skipped, bytes) => {
        const head = 'x'.repeat(skipped);
        let offset = skipped;
        const spans = lines.flatMap(({ text, masked }, ordinal) => {
          const span = { ordinal, line: ordinal + 1, offset, length: Buffer.byteLength(text) };
          offset += span.length + 1;
          return masked ? [span] : [];
        });
        const text = head + lines.map(({ text }) => text).join('\n') + (terminated ? '\n' : '');
        writeFileSync(source, text);
        const part = { from: skipped, to: Buffer.byteLength(text) };
        const wanted = lines.map(({ text, masked }) => (masked ? '{}' : text)).filter((text) => text !== '');

        const found: string[] = [];
        const names = new Set<string>();
        for await (const name of spool.pieces(source, part, spans, bytes)) {
          const piece = readFileSync(name, 'utf8');
          expect(piece.endsWith('\n')).toBe(true);
          found.push(...piece.split('\n').filter((text) => text !== ''));
          names.add(name);
        }
        expect(names.size).toBeLessThanOrEqual(2);
        const whole = readFileSync(await spool.without(source, part, spans), 'utf8');
        expect(found).toEqual(wanted);
        expect(whole.split('\n').filter((text) => text !== '')).toEqual(wanted);
      },
    ),
    { numRuns: 200 },
  );
});
