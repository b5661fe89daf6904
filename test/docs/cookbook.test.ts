import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const page = readFileSync(path.join(root, 'docs/COOKBOOK.md'), 'utf8');
const questions = [...page.matchAll(/^## (\d+\. .*)\n[\s\S]*?```sql\n([\s\S]*?)```/gm)].map(
  ([, title, sql]) => [title!, sql!] as const,
);

/** Those that are about what is seldom there: their answer may be empty. */
const MAY_BE_EMPTY = /new this week|not in their own numbers|add up|silent|could not be loaded/;

test('there are twenty', () => {
  expect(questions).toHaveLength(20);
});

test.each(questions)('%s', async (title, sql) => {
  const ran = await lakelog(['query', sql, path.join(root, 'fixtures/healthy'), '--format', 'jsonl']);
  expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 0 });
  if (!MAY_BE_EMPTY.test(title)) expect(ran.stdout).not.toBe('');
});
