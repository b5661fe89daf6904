import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseQuery } from '../../src/query/header.js';
import * as grammar from '../../src/query/header-keys.js';
import { root, tempFolder } from '../support/lake.js';
import { withQuestionTables } from '../support/question-tables.mjs';

const document = readFileSync(path.join(root, 'docs/QUESTIONS.md'), 'utf8');
const examples = [...document.matchAll(/<!-- example: (\S+) -->\n```sql\n([\s\S]*?)```/g)].map(
  ([, file, sql]) => ({ file: file!, sql: sql! }),
);
const commands = [...document.matchAll(/<!-- run -->\n```sh\n(.*)\n```/g)].map(([, line]) => line!);

test('the tables are made from src/query/header-keys.ts (else: npm run docs)', () => {
  expect(withQuestionTables(document, grammar)).toBe(document);
});

test.each(grammar.HEADER_KEYS)('the key $key is one that headers have', ({ key, repeats }) => {
  const twice = () => parseQuery('q.sql', 'q', `-- ${key}: \n-- ${key}: `);
  expect(twice).not.toThrow(/no key of a query header/);
  if (!repeats) {
    const value = key === 'needs' ? 'attempts' : 'x';
    expect(() => parseQuery('q.sql', 'q', `-- ${key}: ${value}\n-- ${key}: ${value}`)).toThrow(
      /stands twice/,
    );
  }
});

test.each(grammar.PARAM_TYPES)('the parameter type $form is one that headers take', ({ type, form }) => {
  const fallback = { kinds: 'fill', flag: 'false', integer: '1', number: '0.5' }[type] ?? 'a';
  const given = form.replace('(min)', '(1)');
  const header = `-- title: T\n-- question: Q\n-- param: p ${given} = ${fallback}\n-- column: n integer`;
  expect(parseQuery('q.sql', 'q', header).params[0]!.of.type).toBe(type);
});

test('every example runs as the page says, and needs what it shows', () => {
  expect(examples.length).toBe(3);
  expect(commands.length).toBe(3);
  const folder = tempFolder();
  mkdirSync(path.join(folder, 'my-queries'));
  symlinkSync(path.join(root, 'fixtures'), path.join(folder, 'fixtures'));
  for (const { file, sql } of examples) writeFileSync(path.join(folder, 'my-queries', file), sql);
  const run = (line: string) =>
    spawnSync(process.execPath, [path.join(root, 'bin/lakelog.js'), ...line.split(' ').slice(1)], {
      cwd: folder,
      env: { HOME: folder, TMPDIR: folder, PATH: process.env.PATH },
      encoding: 'utf8',
    });
  const [slow, gate, accepted] = commands.map((line) => run(`${line} --format json`));
  expect(slow!.status, slow!.stderr).toBe(0);
  const rows = JSON.parse(slow!.stdout).rows as { seconds: number; final_verdict: string }[];
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    expect(row.seconds).toBeGreaterThanOrEqual(2.5);
    expect(row.final_verdict).toBe('max_iter_exhausted');
  }
  expect(gate!.status, gate!.stderr).toBe(0);
  expect(JSON.parse(gate!.stdout).receipt).toMatchObject({ canary: { planted: 2, found: 2 }, judged: 176 });
  expect(accepted!.status, accepted!.stderr).toBe(0);
  const rates = JSON.parse(accepted!.stdout).rows as Record<string, number>[];
  expect(rates.length).toBeGreaterThan(1);
  for (const { kind, answered, accepted, rate, rate_low, rate_high, ...others } of rates) {
    expect(accepted! / answered!, String(kind)).toBe(rate);
    expect(rate_low).toBeLessThan(rate!);
    expect(rate_high).toBeGreaterThan(rate!);
    expect(others).toEqual({});
  }
});
