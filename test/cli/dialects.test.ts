/** What is printed for engines that lakelog does not bring along. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { newFolder } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const ENGINES = ['trino', 'clickhouse', 'spark', 'duckdb'];

describe.each(ENGINES)('--dialect %s', (engine) => {
  test('a question has its filters, parameters and kinds written out', async () => {
    const args = [
      '--since',
      '2026-09-01',
      '--tz',
      'Europe/Berlin',
      '--model',
      "o'neill",
      '--gated-kind',
      'e-mail',
    ];
    const ran = await lakelog(['queries', 'show', 'alarm', '--dialect', engine, ...args]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('2026-08-31');
    expect(ran.stdout).toMatch(/'o(''|\\')neill'/);
    expect(ran.stdout).toContain("'e-mail'");
    expect(ran.stdout).not.toMatch(/\{\{|-- (param|column|gate):/);
    expect(ran.stdout.startsWith('-- Alarm')).toBe(true);
  });

  test('parameters of a question', async () => {
    const show = (...args: string[]) => lakelog(['queries', 'show', 'corpus', '--dialect', engine, ...args]);
    expect((await show('-p', 'by=week', '-p', 'by=kind', '-p', 'min_n=7')).stdout).toMatch(
      /TRUE AS .by_week\b/,
    );
    const wrong = await show('-p', 'bye=week');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/sets no parameter of corpus/);
  });

  test('the tables are declared where the folder lies', async () => {
    const ran = await lakelog(['schema', '--dialect', engine, '--lake', 's3://it-s/a/lake/']);
    expect(ran.code).toBe(0);
    for (const table of ['base_calls', 'base_attempts', 'base_batches', 'batch_receipts'])
      expect(ran.stdout).toContain(table);
    expect(ran.stdout).toContain('s3://it-s/a/lake/base_calls');
    expect(ran.stdout).not.toMatch(/\bartifact\b|\braw\b/);
    const all = await lakelog(['schema', '--dialect', engine, '--lake', 'x/', '--show-content']);
    expect(all.stdout).toMatch(/\bartifact\b/);
  });
});

test('an own question whose WITH is called like a table of ours is refused', async () => {
  const folder = path.join(newFolder(), 'own');
  mkdirSync(folder);
  const header = '-- title: T\n-- question: Q?\n-- column: kind text\n';
  writeFileSync(
    path.join(folder, 'mine.sql'),
    `${header}WITH calls AS (SELECT kind FROM sessions),\n"Attempts" AS (SELECT 1 AS one)\nSELECT c.kind FROM calls c`,
  );
  writeFileSync(
    path.join(folder, 'fine.sql'),
    `${header}SELECT s.kind FROM sessions s ORDER BY s.kind; -- done;\n`,
  );
  const show = (name: string) =>
    lakelog(['queries', 'show', name, '--dialect', 'trino', '--queries', folder]);
  const ran = await show('mine');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toMatch(/its WITH calls something "attempts"/);
  const fine = await show('fine');
  expect(fine.stdout.trimEnd().endsWith('ORDER BY s.kind')).toBe(true);
});

test.each<[string, readonly string[], RegExp]>([
  [
    'filters without an engine',
    ['queries', 'show', 'alarm', '--model', 'm'],
    /--model is about a statement for an engine/,
  ],
  ['kinds without an engine', ['queries', 'show', 'alarm', '--gated-kind', 'm'], /--gated-kind is about/],
  [
    'an engine nobody knows',
    ['queries', 'show', 'alarm', '--dialect', 'oracle'],
    /Allowed choices are trino/,
  ],
  [
    'tables without a place',
    ['schema', '--dialect', 'trino'],
    /nobody says where the folder of Parquet lies/,
  ],
  ['a place without an engine', ['schema', '--lake', 'x/'], /--lake is about tables for an engine/],
  [
    'a zone that is none',
    ['queries', 'show', 'alarm', '--dialect', 'spark', '--tz', 'Mars/Base'],
    /not a time zone/,
  ],
  ['a question that is none', ['queries', 'show', 'alarms', '--dialect', 'spark'], /there is no question/],
])('%s: exit 2', async (_, args, words) => {
  const ran = await lakelog(args);
  expect(ran.stderr).toMatch(words);
  expect(ran.code).toBe(2);
});
