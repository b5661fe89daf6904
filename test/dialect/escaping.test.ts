/** No text that somebody filters by, or calls a kind, is ever anything but a text in a statement. */
import { DuckDBInstance } from '@duckdb/node-api';
import initSqlJs from 'sql.js';
import { describe, expect, test } from 'vitest';
import { filterSql } from '../../src/lake/filters.js';
import { NO_FILTERS } from '../../src/lake/lake.js';
import { DIALECT_NAMES, DIALECTS, type DialectName } from '../../src/lake/printed.js';
import { composeStatement } from '../../src/lake/tables/compose.js';
import { keyOf, shippedNeeds } from '../../src/lake/tables/needs.js';
import { catalogue } from '../support/lake.js';
import { HARD_TEXTS, readStatement } from './texts.js';

const alarm = catalogue.find(({ name }) => name === 'alarm')!;
const needs = { ...shippedNeeds()[keyOf(alarm.sql)]!, tables: ['sessions', 'params'] };

/** The texts as values of filters, as gated kinds and as parameters. */
function statementOf(name: DialectName, texts: readonly string[]): string {
  const dialect = DIALECTS[name];
  const [model = '', kind = '', daemon = '', environment = '', gated = '', param = ''] = texts;
  const named = { model: [model], kind: [kind, 'fill'], daemon: [daemon], environment: [environment] };
  const window = { since: '2026-09-01T00:00:00Z', until: null, tz: 'UTC' };
  return composeStatement(alarm.sql, alarm.file, {
    ...{
      dialect,
      needs,
      tz: 'UTC',
      showContent: false,
      gatedKinds: [gated, 'fill'],
      params: { said: param },
    },
    ...filterSql({ ...NO_FILTERS, ...named }, window, dialect),
  });
}

const chunksOf = <T>(list: readonly T[], size: number) =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

test('there are 2,000 texts, of which many hold what ends a literal', () => {
  expect(HARD_TEXTS).toHaveLength(2_000);
  for (const part of ["'", '\\', '\0', '${', '{{', '--', '\u2028'])
    expect(HARD_TEXTS.filter((text) => text.includes(part)).length, JSON.stringify(part)).toBeGreaterThan(40);
});

describe.each(DIALECT_NAMES)('%s', (name) => {
  const plain = readStatement(name, statementOf(name, ['a', 'b', 'c', 'd', 'e', 'f']));

  test('reads each text as it is, and the rest of the statement as ever', () => {
    for (const texts of chunksOf(HARD_TEXTS, 6)) {
      const read = readStatement(name, statementOf(name, texts));
      expect(read.rest).toBe(plain.rest);
      const all = [...texts, ...Array.from({ length: 6 - texts.length }, () => '')];
      const values = new Map(['a', 'b', 'c', 'd', 'e', 'f'].map((letter, i) => [letter, all[i]!]));
      expect(read.literals).toEqual(plain.literals.map((literal) => values.get(literal) ?? literal));
    }
  });

  test('half of a character is refused', () => {
    for (const text of ['\ud83d', 'a\udc00', '\udc00\ud800'])
      expect(() => statementOf(name, ['', '', text])).toThrow(/half of a character/);
  });
});

describe('for real', () => {
  // Readers of texts drop a mark at their beginning; the engines do not.
  const bytesOf = (texts: readonly string[]) =>
    texts.map((text) => Buffer.from(text).toString('hex').toUpperCase());

  test('DuckDB', async () => {
    const db = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    const list = HARD_TEXTS.map((text) => `hex(${DIALECTS.duckdb.quote(text)})`).join(', ');
    const [row] = (await db.runAndReadAll(`SELECT ${list}`)).getRows();
    expect(row).toEqual(bytesOf(HARD_TEXTS));
  });

  test('SQLite, which reads literals as Trino does', async () => {
    const { Database } = await initSqlJs({ useOldExtensionFunctions: false });
    const db = new Database();
    // Its texts end at U+0000.
    const carried = HARD_TEXTS.filter((text) => !text.includes('\0'));
    for (const chunk of chunksOf(carried, 500)) {
      const [said] = db.exec(
        `SELECT ${chunk.map((text) => `hex(${DIALECTS.trino.quote(text)})`).join(', ')}`,
      );
      expect(said!.values[0]).toEqual(bytesOf(chunk));
    }
    db.close();
  });
});
