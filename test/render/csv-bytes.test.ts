import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/lake/duckdb/connection.js';
import { quote } from '../../src/lake/duckdb/sql.js';
import { columnsOf } from '../../src/query/columns.js';
import { renderCsv, renderTsv } from '../../src/render/csv.js';
import { CsvBytes } from '../../src/render/csv-bytes.js';
import type { Report } from '../../src/render/report.js';
import { rowsOf } from '../../src/schema/block.js';
import type { Cell, Column } from '../../src/schema/result.js';
import { nightly } from '../support/cli.js';
import fc, { character } from '../support/fast-check.js';

const SEPARATORS = [',', '\t'] as const;

/** The same rows through both ways, as the engine hands them out. */
async function bothWays(db: Database, sql: string, separator: ',' | '\t'): Promise<[string, string]> {
  const { names, types, blocks } = await db.blocks(sql, {});
  const columns = columnsOf(names, types);
  const csv = new CsvBytes(columns, separator);
  const parts = [Buffer.from(csv.header())];
  const rows: Cell[][] = [];
  for await (const block of blocks) {
    parts.push(Buffer.from(csv.block(block)));
    rows.push(...rowsOf(block));
  }
  const report = { result: { columns, rows } } as unknown as Report;
  const render = separator === ',' ? renderCsv : renderTsv;
  return [Buffer.concat(parts).toString(), render(report)];
}

let db: Database;
beforeAll(async () => {
  db = await openDatabase(null, '500MB');
});
afterAll(() => db.close());

describe.each(SEPARATORS)('separated by %j, blocks give what rows give', (separator) => {
  test.each([
    [
      'every type',
      "SELECT 1::BIGINT a, -7::BIGINT b, 9007199254740993 c, 1.5e0 d, 'inf'::DOUBLE e, true f, NULL::BOOLEAN g, 'x' h, '' i, NULL::VARCHAR j, 5::HUGEINT k, 1::INTEGER l",
    ],
    [
      'instants',
      "SELECT unnest([TIMESTAMPTZ '2026-09-01 08:00:00.5Z', TIMESTAMPTZ '1969-12-31 23:59:59.999999Z', NULL, TIMESTAMPTZ '0001-01-01 00:00:00Z', TIMESTAMPTZ '9999-12-31 23:59:59.123456Z', TIMESTAMPTZ '0044-03-15 (BC) 00:00:00Z', TIMESTAMPTZ '12000-01-01 00:00:00Z', TIMESTAMPTZ '2026-09-01 00:00:00Z']) AS t",
    ],
    [
      'JSON, lists, dates',
      "SELECT '{\"a\": 1}'::JSON a, [1, 2] b, DATE '2026-09-01' c, {'x': 'y'} d, NULL::JSON e",
    ],
    ['no rows', 'SELECT 1 AS a WHERE FALSE'],
    ['one column with NULL and empty text', "SELECT unnest([NULL, '', 'a']) AS \"=a\""],
    ['names that are equal', 'SELECT 1 AS a, 2 AS a'],
    [
      'many rows of texts, long and short, here and there',
      "SELECT CASE WHEN i % 7 = 0 THEN NULL WHEN i % 3 = 0 THEN repeat('ab', (i % 50)::INT) ELSE 's' || i END AS s, repeat('x', 40) AS same, i FROM range(10000) AS r(i) ORDER BY hash(i)",
    ],
    [
      'texts of many sizes',
      'SELECT repeat(chr(97 + (i % 26)::INT), (i * i % 20000)::INT) AS s FROM range(3000) AS r(i)',
    ],
  ])('%s', async (_, sql) => {
    const [bytes, text] = await bothWays(db, sql, separator);
    expect(bytes).toBe(text);
  });

  test('whatever the text', async () => {
    const odd = fc.constantFrom(
      ...'=+-@"\'`:#[]|;,\t\n\r\\ \u00a0\u200b\u202e\ufeff\u001b',
      'ä',
      '😀',
      '##[error]',
      '::set-output::',
      '＝',
    );
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.oneof(odd, fc.constantFrom(...'ab1 .-')) }),
      fc.string({ unit: character }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 40 }), async (texts) => {
        await db.run('CREATE OR REPLACE TABLE texts (n BIGINT, s VARCHAR, t VARCHAR)');
        const rows = texts.map((one, i) => `(${i}, ${quote(one)}, ${quote(texts[texts.length - 1 - i]!)})`);
        await db.run(`INSERT INTO texts VALUES ${rows.join(', ')}`);
        const [bytes, rendered] = await bothWays(db, 'SELECT s, n, t FROM texts ORDER BY n', separator);
        expect(bytes).toBe(rendered);
      }),
      { numRuns: nightly ? 150 : 50 },
    );
  });
});

test('a TSV holds no tab within a field', () => {
  const columns: Column[] = [
    { name: 'a', type: 'text' },
    { name: 'b', type: 'text' },
  ];
  const report = {
    result: {
      columns,
      rows: [
        ['x\ty', '=1+1'],
        [null, ''],
        ['say "no"', 'a;b'],
      ],
    },
  } as unknown as Report;
  expect(renderTsv(report)).toBe('a\tb\nx\\ty\t\'=1+1\n\t""\n"say ""no"""\t"a;b"\n');
});
