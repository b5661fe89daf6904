import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LakelogError } from '../../src/errors.js';
import { NO_FILTERS, openLake } from '../../src/lake/lake.js';
import { readCatalogue } from '../../src/query/catalogue.js';
import { parseQuery } from '../../src/query/header.js';
import { yieldedColumns } from '../../src/query/intervals.js';
import { bindParams } from '../../src/query/params.js';
import { openSession } from '../../src/query/run.js';
import { catalogue, root, runOptions, tempFile, tempFolder } from '../support/lake.js';

const FILE = 'queries/q.sql';
const parse = (...lines: readonly string[]) => parseQuery(FILE, 'q', lines.join('\n'));

const TITLE = '-- title: Title: of it';
const QUESTION = '-- question: What?';
const COLUMN = '-- column: n integer "calls" -- How many.';
const GATE = ['-- gate: n', '-- fires: 1 -- one', '-- judges: gated', '-- canary: 1 {"kind": "fill"}'];

function failure(...lines: readonly string[]): LakelogError {
  try {
    parse(...lines);
  } catch (error) {
    expect(error).toBeInstanceOf(LakelogError);
    return error as LakelogError;
  }
  throw new Error('the header was taken');
}

describe('a good header', () => {
  test('says all that is known of the question', () => {
    const sql = [
      TITLE,
      QUESTION,
      '-- needs: replay_runs',
      '-- param: by set(model|kind) = model -- what to group by',
      '-- param: order choice(up|down) = up -- which way',
      '-- param: gated_kind kinds = fill,email -- kinds',
      '-- param: allow_it flag = false -- allows it',
      '-- param: min_n integer(0) = 30 -- least',
      '-- param: any_n integer = -3',
      '-- param: share number = 0.5 -- a share',
      '-- param: word text = -- no word by default',
      '-- column: model text "Model" when by_model -- Model -- asked for.',
      '-- column: n integer',
      '-- column: hits integer hidden -- Of n.',
      '-- column: low fraction minor',
      '-- column: high number',
      '-- interval: low high = wilson( hits,n )',
      '-- gate: n',
      '-- fires: 1 -- one -- is too many',
      '-- cannot-vouch: 2 unless allow_it -- two',
      '-- cannot-vouch: 3 -- three',
      "-- judges: final_verdict = 'accepted' AND gated",
      '-- canary: 1 {"a": {"b": [1]}}',
      '',
      '-- a comment of the SQL, not of the header',
      'SELECT 1',
    ].join('\n');
    expect(parseQuery(FILE, 'q', sql)).toEqual({
      name: 'q',
      file: FILE,
      title: 'Title: of it',
      question: 'What?',
      params: [
        {
          name: 'by',
          of: { type: 'set', values: ['model', 'kind'] },
          default: 'model',
          note: 'what to group by',
        },
        { name: 'order', of: { type: 'choice', values: ['up', 'down'] }, default: 'up', note: 'which way' },
        { name: 'gated_kind', of: { type: 'kinds' }, default: 'fill,email', note: 'kinds' },
        { name: 'allow_it', of: { type: 'flag' }, default: 'false', note: 'allows it' },
        { name: 'min_n', of: { type: 'integer', min: 0 }, default: '30', note: 'least' },
        { name: 'any_n', of: { type: 'integer', min: null }, default: '-3', note: '' },
        { name: 'share', of: { type: 'number' }, default: '0.5', note: 'a share' },
        { name: 'word', of: { type: 'text' }, default: '', note: 'no word by default' },
      ],
      columns: [
        { name: 'model', type: 'text', label: 'Model', when: 'by_model', note: 'Model -- asked for.' },
        { name: 'n', type: 'integer' },
        { name: 'hits', type: 'integer', hidden: true, note: 'Of n.' },
        { name: 'low', type: 'fraction', minor: true },
        { name: 'high', type: 'number' },
      ],
      intervals: [{ low: 'low', high: 'high', name: 'wilson', counts: ['hits', 'n'], line: 17 }],
      money: [],
      worth: [],
      gate: {
        column: 'n',
        fires: [{ value: '1', note: 'one -- is too many' }],
        cannotVouch: [
          { value: '2', note: 'two', unless: 'allow_it' },
          { value: '3', note: 'three' },
        ],
        judges: "final_verdict = 'accepted' AND gated",
        canaries: [{ value: '1', fields: { a: { b: [1] } } }],
      },
      needs: 'replay_runs',
      sql,
      sha256: createHash('sha256').update(sql).digest('hex'),
    });
  });

  test('may have any order, no space behind the dashes, and Windows line ends', () => {
    const query = parseQuery(
      FILE,
      'q',
      [COLUMN, '--question:   What?  ', '--title:T', 'SELECT 1'].join('\r\n'),
    );
    expect(query).toMatchObject({
      title: 'T',
      question: 'What?',
      gate: null,
      params: [],
      needs: null,
    });
    expect(query.columns).toEqual([{ name: 'n', type: 'integer', label: 'calls', note: 'How many.' }]);
  });

  test('the hash is of the whole file, so that a receipt names what ran', () => {
    const [a, b] = ['SELECT 1', 'SELECT 2'].map((sql) => parse(TITLE, QUESTION, COLUMN, sql).sha256);
    expect(a).not.toBe(b);
  });
});

describe('a bad header is refused with its line and a remedy', () => {
  const good = [TITLE, QUESTION, COLUMN];
  const INTERVAL = [...good, '-- column: low fraction', '-- column: high fraction'];
  const MONEY = [...good, '-- column: m text', '-- column: cost number'];
  const ends = (of: string) => `-- interval: low high = ${of}`;
  test.each<[string, readonly string[], number, RegExp]>([
    ['no title', [QUESTION, COLUMN, 'SELECT 1'], 1, /no "title"/],
    ['an empty title', ['-- title:', QUESTION, COLUMN], 1, /no "title"/],
    ['no question', [TITLE, COLUMN], 1, /no "question"/],
    ['no column', [TITLE, QUESTION, 'SELECT 1'], 1, /no column/],
    ['an empty file', [''], 1, /no "title"/],
    ['a title twice', [TITLE, QUESTION, COLUMN, TITLE], 4, /"title" stands twice/],
    ['a gate twice', [...good, ...GATE, '-- gate: n'], 8, /"gate" stands twice/],
    ['a need twice', [...good, '-- needs: replay_runs', '-- needs: replay_runs'], 5, /"needs" stands twice/],
    ['a need of something else', [...good, '-- needs: sessions'], 4, /"sessions" is nothing/],
    ['a need misspelt', [...good, '-- needs: Replay_runs'], 4, /"Replay_runs" is nothing/],
    ['a need of nothing', [...good, '-- needs:'], 4, /"" is nothing/],
    ['an unknown key', [...good, '-- colunm: m text'], 4, /"colunm" is no key/],
    ['a parameter without a type', [...good, '-- param: by = model'], 4, /no parameter/],
    ['a parameter with a bad name', [...good, '-- param: min-n integer = 3'], 4, /no parameter/],
    ['a parameter without a default', [...good, '-- param: min_n integer -- least'], 4, /no default/],
    ['an unknown parameter type', [...good, '-- param: d date = now'], 4, /"date" is no parameter type/],
    ['a set of nothing', [...good, '-- param: by set() = a'], 4, /"set" lists no values/],
    ['a choice of nothing', [...good, '-- param: by choice = a'], 4, /"choice" lists no values/],
    ['an integer from no number on', [...good, '-- param: n integer(few) = 3'], 4, /few/],
    ['a column without a type', [TITLE, QUESTION, '-- column: n "calls"'], 3, /is no column/],
    ['an unknown column type', [TITLE, QUESTION, '-- column: n int'], 3, /"int" is no column type/],
    ['an interval without its function', [...good, '-- interval: low high'], 4, /"low high" is no interval/],
    ['an interval of one end', [...good, '-- interval: low = wilson(n, n)'], 4, /is no interval/],
    ['an interval of an unknown function', [...INTERVAL, ends('wald(n, n)')], 6, /"wald" is no function/],
    ['an interval of too few counts', [...INTERVAL, ends('wilson(n)')], 6, /takes 2 columns, not "n"/],
    ['an interval of too many', [...INTERVAL, ends('wilson(n, n, n)')], 6, /takes 2 columns/],
    ['a count left out', [...INTERVAL, ends('wilson(n, )')], 6, /takes 2 columns/],
    ['a count that is no column', [...INTERVAL, ends('wilson(m, n)')], 6, /"m", which is no column/],
    ['an end that is no column', [...good, ends('wilson(n, n)')], 4, /"low", which is no column/],
    [
      'a count that is text',
      [...INTERVAL, '-- column: m text', ends('wilson(m, n)')],
      7,
      /text and not integer/,
    ],
    [
      'an end that is text',
      [...INTERVAL, '-- column: t text', '-- interval: low t = wilson(n, n)'],
      7,
      /"t"/,
    ],
    [
      'an end as a count',
      [...INTERVAL, '-- interval: low high = wilson(low, n)'],
      6,
      /fraction and not integer/,
    ],
    ['both ends the same', [...INTERVAL, '-- interval: low low = wilson(n, n)'], 6, /both ends/],
    [
      'two intervals with one end',
      [...INTERVAL, ends('wilson(n, n)'), '-- column: x number', '-- interval: x high = wilson(n, n)'],
      8,
      /two intervals fill "high"/,
    ],
    ['money without a price', [...MONEY, '-- money: cost = n'], 6, /is no money/],
    ['money of too few columns', [...MONEY, '-- money: cost = price(m, n)'], 6, /is no money/],
    ['money of too many', [...MONEY, '-- money: cost = price(m, n, n, n, n)'], 6, /is no money/],
    ['money of no column', [...MONEY, '-- money: cost = price(m, n, x)'], 6, /"x", which is no column/],
    ['money of a model that is a count', [...MONEY, '-- money: cost = price(n, n, n)'], 6, /not text/],
    ['money that is text', [...MONEY, '-- money: m = price(m, n, n)'], 6, /"m", which is text/],
    ['a worth of nothing', [...MONEY, '-- worth: m yes = limit(n)'], 6, /is no worth/],
    [
      'a worth of money that was not spent',
      [...MONEY, '-- column: yes boolean', '-- worth: m yes = limit(n, n, n, cost, cost, cost)'],
      7,
      /"cost" is no column of money/,
    ],
    ['a hidden column that nobody reads', [...good, '-- column: m integer hidden'], 1, /"m" is hidden/],
    [
      'a gate on a hidden column',
      [...INTERVAL, ends('wilson(m, n)'), '-- column: m integer hidden', '-- gate: m', ...GATE.slice(1)],
      1,
      /or hides/,
    ],
    ['a canary that is no JSON', [...good, '-- canary: 1 {kind: fill}'], 4, /is no canary/],
    ['a canary without a value', [...good, '-- canary: {"kind": "fill"}'], 4, /is no canary/],
    ['a canary that is no object', [...good, '-- canary: 1 [1]'], 4, /is no canary/],
    ['a gate on an unknown column', [...good, '-- gate: m', ...GATE.slice(1)], 1, /"m"/],
    ['a gate that cannot fire', [...good, ...GATE.filter((l) => !l.includes('fires'))], 1, /fires/],
    ['a gate without a canary', [...good, ...GATE.filter((l) => !l.includes('canary'))], 1, /canary/],
    ['a gate that judges nothing', [...good, ...GATE.filter((l) => !l.includes('judges'))], 1, /judges/],
    ['a flag that is not there', [...good, ...GATE, '-- cannot-vouch: 2 unless allow_it'], 1, /allow_it/],
    [
      'an "unless" that is no flag',
      [...good, ...GATE, '-- cannot-vouch: 2 unless n', '-- param: n integer = 1'],
      1,
      /"unless n"/,
    ],
  ])('%s', (_, lines, line, message) => {
    const error = failure(...lines);
    expect(error.message).toMatch(message);
    expect(error.where).toBe(`${FILE}:${line}`);
    expect(error.next).toMatch(/\S/);
    expect(error.exitCode).toBe(2);
  });

  test.each(GATE.slice(1))('a line of a gate without "gate" would be silently no gate: %s', (line) => {
    expect(failure(...good, line).next).toMatch(/gate/);
  });

  test('a condition that names no parameter column would hide its column for ever', () => {
    const lines = [
      TITLE,
      QUESTION,
      '-- param: by set(model|kind) = model',
      '-- column: model text when by_modle',
    ];
    expect(failure(...lines).message).toMatch(/by_modle/);
  });

  test.each([
    ['column', [TITLE, QUESTION, COLUMN, COLUMN]],
    ['parameter', [...good, '-- param: a flag = false', '-- param: a integer = 3']],
  ])('a %s that stands twice', (_, lines) => {
    expect(failure(...lines).where).toMatch(/^queries\/q\.sql:\d+$/);
  });
});

describe('shipped questions', () => {
  test('are all parsed, by name, each with its own file', () => {
    expect(catalogue.map(({ name }) => name).sort()).toEqual([
      'alarm',
      'corpus',
      'first-shot',
      'first-shot-rate',
      'rejections',
      'retries',
      'triple-rejections',
    ]);
    for (const { name, file, sql } of catalogue) {
      expect(file).toBe(path.join(root, 'queries', `${name}.sql`));
      expect(sql).toBe(readFileSync(file, 'utf8'));
    }
  });

  test('what the build understood of them is what their headers say', () => {
    const built = JSON.parse(readFileSync(path.join(root, 'dist/questions.json'), 'utf8')) as object;
    expect(Object.keys(built)).toEqual(catalogue.map(({ name }) => name));
    for (const query of catalogue) expect(query).toEqual(parseQuery(query.file, query.name, query.sql));
  });

  test('one that was changed since is read anew', () => {
    const alarm = readFileSync(path.join(root, 'queries/alarm.sql'), 'utf8');
    const file = tempFile(alarm.replace(/^-- title: .*/, '-- title: Another'), 'alarm.sql');
    const [changed] = readCatalogue(path.dirname(file));
    expect(changed).toMatchObject({ name: 'alarm', file, title: 'Another' });
    expect(changed!.sha256).toBe(createHash('sha256').update(changed!.sql).digest('hex'));
  });

  test('a folder is read whatever else stands in it', () => {
    const file = tempFile([TITLE, QUESTION, COLUMN, 'SELECT 1 AS n'].join('\n'), 'mine.sql');
    expect(readCatalogue(path.dirname(file)).map(({ name }) => name)).toEqual(['mine']);
  });

  describe.each(catalogue)('$name', (query) => {
    test('yields the columns of its header and no others, in that order', async () => {
      const lake = await openLake({
        ...runOptions(),
        asks: [query.sql],
        gatedKinds: ['fill'],
        params: bindParams(query, {}).columns,
        filters: NO_FILTERS,
      });
      try {
        await lake.loadText('lines', '\n');
        expect((await lake.query(query.sql)).names).toEqual(yieldedColumns(query).map(({ name }) => name));
      } finally {
        lake.close();
      }
    });

    test('every column and parameter has a sentence, every conditional column a parameter column', () => {
      const { columns } = bindParams(query, {});
      for (const column of query.columns) {
        expect(column.note).toMatch(/^\S.*[.)]$/);
        if (!column.hidden) expect(column.label).toMatch(/\S/);
        if (column.when !== undefined) expect([...Object.keys(columns), 'roster']).toContain(column.when);
      }
      for (const param of query.params) expect(param.note).toMatch(/\S/);
    });

    test('defaults are values that the options take', () => {
      expect(() => bindParams(query, {})).not.toThrow();
    });
  });

  test('only corpus cannot answer without a replay run, and three rest on attempts', () => {
    const needing = (need: string) => catalogue.filter(({ needs }) => needs === need).map(({ name }) => name);
    expect(needing('replay_runs')).toEqual(['corpus']);
    expect(needing('attempts')).toEqual(['rejections', 'retries', 'triple-rejections']);
  });

  test('the gate of alarm', () => {
    expect(catalogue[0]!.gate).toMatchObject({
      column: 'reason',
      fires: [{ value: 'contradicted' }, { value: 'ungrounded' }],
      cannotVouch: [{ value: 'unjudged', unless: 'allow_unjudged' }, { value: 'unchecked' }],
    });
  });
});

describe('a header and a SELECT that disagree', () => {
  async function run(select: string, ...more: readonly string[]) {
    const query = parse(TITLE, QUESTION, COLUMN, ...more, '', select);
    const question = { query, params: bindParams(query, {}) };
    const session = await openSession([question], runOptions());
    try {
      return await session.askLines(question, 'lines', '\n');
    } finally {
      session.lake.close();
    }
  }

  test('agreeing, they answer', async () => {
    expect((await run('SELECT COUNT(*) AS n FROM sessions')).rows).toEqual([[0]]);
  });

  test.each([
    ['a column too many in the SELECT', 'SELECT 1 AS n, 2 AS m', []],
    ['a column too few in the SELECT', 'SELECT 1 AS n', ['-- column: m text']],
    ['another name', 'SELECT 1 AS m', []],
  ])('%s', async (_, select, more) => {
    await expect(run(select, ...more)).rejects.toMatchObject({
      message: expect.stringMatching(/the header names n.*; the SELECT yields/),
      where: FILE,
      next: expect.stringMatching(/\S/),
      exitCode: 2,
    });
  });

  describe('the ends of an interval', () => {
    const columns = (names: readonly string[]) => names.map((name) => `-- column: ${name} integer hidden`);
    const ends = ['-- column: low fraction', '-- column: high fraction'];
    const clustered = ['x', 'traces', 'nn', 'xx', 'nx'];
    const ofTraces = [
      ...columns(clustered),
      ...ends,
      '-- interval: low high = clustered_wilson(x, n, traces, nn, xx, nx)',
    ];
    const select = (n: unknown, ...counts: readonly unknown[]) =>
      `SELECT ${n} AS n, ${clustered.map((name, i) => `${counts[i]} AS ${name}`).join(', ')}`;
    const closeTo = (...row: readonly number[]) => [row.map((value) => expect.closeTo(value, 4))];

    test('are filled from counts that are not shown', async () => {
      const wilson = [...columns(['x']), ...ends, '-- interval: low high = wilson(x, n)'];
      const { rows, columns: shown } = await run('SELECT 263 AS n, 81 AS x', ...wilson);
      expect(rows).toEqual(closeTo(263, 0.2553, 0.3662));
      expect(shown.map(({ name }) => name)).toEqual(['n', 'low', 'high']);
      expect(shown[1]).toEqual({ name: 'low', type: 'fraction' });
      // One call in every trace is Wilson's, to the last digit.
      expect((await run(select(263, 81, 263, 263, 81, 81), ...ofTraces)).rows).toEqual(rows);
      expect((await run('SELECT CAST(263 AS HUGEINT) AS n, 81e0 AS x', ...wilson)).rows).toEqual(rows);
    });

    test.each([
      ['of no call', select(0, 0, 0, 0, 0, 0), [0, null, null]],
      ['of counts that are null', select('NULL', 1, 1, 1, 1, 1), [null, null, null]],
    ])('are null %s', async (_, sql, row) => {
      expect((await run(sql, ...ofTraces)).rows).toEqual([row]);
    });

    test.each([
      ['more successes than calls', select(3, 4, 3, 3, 4, 4)],
      ['a negative count', select(3, -1, 3, 3, 1, 1)],
      ['a fraction of a call', select('3.5e0', 1, 3, 3, 1, 1)],
      ['more traces than calls', select(3, 1, 4, 3, 1, 1)],
      ['calls in no trace', select(3, 1, 0, 3, 1, 1)],
      ['sums of squares in another order', select(4, 2, 2, 4, 8, 4)],
      ['calls for their squares', select(4, 2, 1, 4, 4, 8)],
      ['text', select("'4'", 2, 2, 8, 4, 4)],
      ['a count beyond 2^53', select('9007199254740993', 2, 2, 8, 4, 4)],
    ])('are refused of %s, with the line of the interval', async (_, sql) => {
      await expect(run(sql, ...ofTraces)).rejects.toMatchObject({
        message: expect.stringMatching(/counts that cannot be: x = .*, n = .*, traces = /),
        where: `${FILE}:11`,
        next: expect.stringMatching(/clustered_wilson\(successes, n, traces/),
        exitCode: 2,
      });
    });

    test('are none of the columns that the SELECT yields', async () => {
      const sql = `${select(1, 1, 1, 1, 1, 1)}, 0.5e0 AS low`;
      await expect(run(sql, ...ofTraces)).rejects.toThrow(/the header names n, x, .*; the SELECT yields/);
    });
  });

  test('SQL that fails says so in one line with the file', async () => {
    await expect(run('SELECT nonsense AS n FROM sessions')).rejects.toMatchObject({
      message: expect.stringMatching(/^the query failed: .*nonsense[^\n]*$/),
      where: FILE,
      next: expect.stringMatching(/lakelog schema/),
      exitCode: 2,
    });
  });

  test('a content column that is not there names the flag that loads it', async () => {
    const error = (await run('SELECT prompt AS n FROM sessions').catch((e) => e)) as LakelogError;
    expect(`${error.message} ${error.next}`).toContain('--show-content');
  });
});

test('a question that is a pipe is refused at once', () => {
  const folder = tempFolder();
  execFileSync('mkfifo', [path.join(folder, 'waits.sql')]);
  expect(() => readCatalogue(folder)).toThrow(/the query cannot be read: it is not a regular file/);
});
