import { expect, test } from 'vitest';
import { call, envelope, newFolder, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const numbered = (writer_id: string, ...numbers: number[]) => numbers.map((seq) => call({ writer_id, seq }));

test.each<[string, readonly string[], number, string | null]>([
  ['no hole', [...numbered('w-1', 3, 4, 5), ...numbered('w-2', 1, 2)], 0, null],
  [
    'a hole',
    numbered('w-1', 1, 2, 5),
    0,
    'notice: 2 records of writer "w-1" are missing between its first and last seq: 3 to 4 (FILE:3)',
  ],
  [
    'a line torn by kill -9 that its writer wrote on behind',
    [...numbered('w-1', 1, 2), numbered('w-1', 3)[0]!.slice(0, 80), ...numbered('w-1', 4)],
    3,
    'notice: 1 record of writer "w-1" is missing between its first and last seq: 3 (FILE:4)',
  ],
  [
    'a hole of one writer among the lines of another',
    [...numbered('w-1', 1), ...numbered('w-2', 1, 2), ...numbered('w-1', 3)],
    0,
    'notice: 1 record of writer "w-1" is missing between its first and last seq: 2 (FILE:4)',
  ],
  ['what was lost at the end, which nobody can see', numbered('w-1', 1, 2), 0, null],
])('lakelog validate and %s', async (_, lines, code, notice) => {
  const file = writeLines(newFolder(), 'sessions.jsonl', lines);
  const ran = await lakelog(['validate', file]);
  expect(ran.code).toBe(code);
  if (notice === null) expect(ran.stderr).not.toContain('missing between');
  else expect(ran.stderr.replace(/\s+/g, ' ')).toContain(`${notice.replace('FILE', file)} → look for`);
});

test('the JSON envelope counts them by writer', async () => {
  const lines = [...numbered('w-1', 1, 3), ...numbered('w-2', 7, 11), ...numbered('w-3', 1, 2)];
  const file = writeLines(newFolder(), 'sessions.jsonl', lines);
  const { receipt, verdict } = envelope(await lakelog(['validate', '--json', file]));
  expect(receipt.gaps).toEqual([
    {
      ...{ writer_id: 'w-2', missing: 3, more: 0, last: 10, where: `${file}:4` },
      ranges: [{ from: 8, to: 10 }],
    },
    { writer_id: 'w-1', missing: 1, more: 0, last: 2, where: `${file}:2`, ranges: [{ from: 2, to: 2 }] },
  ]);
  expect(verdict!.notices.map((one) => one.code)).toEqual(['gaps', 'gaps']);
});
