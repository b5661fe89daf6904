import { expect, test } from 'vitest';
import { DUCKDB_LITERALS } from '../../src/query/decision-sql.js';
import {
  isSelection,
  parseSelection,
  SELECTED_FIELDS,
  selectionSql,
  selectionText,
} from '../../src/query/selection.js';
import fc from '../support/fast-check.js';

const read = (text: string) => parseSelection('--baseline', text);

test.each<[string, object]>([
  ['all', {}],
  ['model=a', { model: ['a'] }],
  ['model=a,model=b,model=a', { model: ['a', 'b'] }],
  [' model = a , kind = fill ', { model: ['a'], kind: ['fill'] }],
  ['model=a=b', { model: ['a=b'] }],
  ['model=a\\,b', { model: ['a,b'] }],
  ['model="a,b",kind=c', { model: ['a,b'], kind: ['c'] }],
  ['model="say \\"a\\""', { model: ['say "a"'] }],
  ['model=12" rack', { model: ['12" rack'] }],
  ['model=" a "', { model: [' a '] }],
  ['model=\\\\', { model: ['\\'] }],
  ["model=o'neil", { model: ["o'neil"] }],
  [
    'prompt_version=v1,validator_version=2,response_model=r,provider=p,daemon=d,environment=e',
    {
      ...{ prompt_version: ['v1'], validator_version: ['2'], response_model: ['r'] },
      ...{ provider: ['p'], daemon: ['d'], environment: ['e'] },
    },
  ],
])('%s', (text, values) => {
  expect(read(text)).toEqual({ values, since: undefined, until: undefined });
});

test('times', () => {
  expect(read('since=2026-09-01,until=2026-09-02T00:00:00+02:00')).toEqual({
    values: {},
    since: '2026-09-01',
    until: '2026-09-02T00:00:00+02:00',
  });
});

test.each<[string, RegExp]>([
  ['modle=a', /"modle" is nothing/],
  ['Model=a', /"Model" is nothing/],
  ['session_id=a', /"session_id" is nothing/],
  ['__proto__=a', /"__proto__" is nothing/],
  ['model=', /model is empty/],
  ['model=""', /model is empty/],
  ['model=a,', /is no key=value/],
  [',model=a', /is no key=value/],
  ['model=a,b', /"b" is no key=value/],
  ['since=2026-09-01,since=2026-09-02', /since stands twice/],
  ['model="a', /a quote is not closed/],
])('%s is refused', (text, says) => {
  expect(() => read(text)).toThrow(says);
});

test.each([
  ['all', true],
  ['model=x', true],
  ['main.json', false],
  ['./model=x.json', false],
  ['/tmp/a=b.json', false],
  ['ALL', false],
])('%s is a selection: %s', (text, is) => {
  expect(isSelection(text)).toBe(is);
});

test('what is written as text is read as the same', () => {
  const value = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom(',', '"', '\\', ' ', 'a,b', '="', '", "'),
  );
  fc.assert(
    fc.property(
      fc.record(
        Object.fromEntries(
          SELECTED_FIELDS.map((field) => [field, fc.uniqueArray(value, { minLength: 1, maxLength: 3 })]),
        ),
        { requiredKeys: [] },
      ),
      (values) => {
        const selection = { values: { ...values }, since: undefined, until: undefined };
        expect(read(selectionText(selection)).values).toEqual(selection.values);
      },
    ),
  );
});

test('a value is a literal, whatever it holds', () => {
  const sql = selectionSql(read("model=a' OR TRUE --"), { since: null, until: null }, DUCKDB_LITERALS);
  expect(sql).toBe("(COALESCE(s.model IN ('a'' OR TRUE --'), FALSE))");
});
