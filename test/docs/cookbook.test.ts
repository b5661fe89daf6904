import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { nightly, root } from '../support/cli.js';
import { rowsOf, withLake } from '../support/lake.js';
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

const isAnswered = (title: string, rows: unknown) => {
  if (!MAY_BE_EMPTY.test(title)) expect(rows).not.toHaveLength(0);
};

// A box starts a process: by day some run in one, the others where questions run.
const [boxed, others] = [0, 1].map((other) =>
  questions.filter((_, i) => Number(!nightly && i % 5 > 0) === other),
);

test.each(others!)('%s', async (title, sql) => {
  const healthy = [{ path: path.join(root, 'fixtures/healthy'), as: 'any' as const }];
  await withLake(sql, healthy, async (lake) => isAnswered(title, await rowsOf(lake, sql)));
});

test.each(boxed!)('%s', async (title, sql) => {
  const ran = await lakelog(['query', sql, path.join(root, 'fixtures/healthy'), '--format', 'jsonl']);
  expect({ code: ran.code, stderr: ran.stderr }).toMatchObject({ code: 0 });
  isAnswered(title, ran.stdout);
});
