import { writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Account, type Lake, openLake } from '../../src/lake/lake.js';
import { type NeedOptions, type Needs, needsOf, TABLES } from '../../src/lake/tables.js';
import { ATTEMPT_FIELDS, REPLAY_FIELDS, SESSION_FIELDS } from '../../src/schema/fields.js';
import type { Cell } from '../../src/schema/result.js';
import { randomLogs } from '../oracle/random-logs.mjs';
import { catalogue, root, rowsOf, runOptions, tempFolder } from '../support/lake.js';

const RUNS = process.env.LAKELOG_NIGHTLY === '1' ? 1_000 : 15;
const HIDDEN: NeedOptions = { showContent: false };
const ALL_SQL = TABLES.map(({ name }) => `SELECT * FROM ${name};`).join(' ');

const contentOf = (fields: typeof SESSION_FIELDS) => fields.filter((f) => f.content).map((f) => f.name);
const CONTENT = {
  sessions: contentOf(SESSION_FIELDS),
  replay_runs: contentOf(REPLAY_FIELDS),
  attempts: contentOf(ATTEMPT_FIELDS),
};

const folder = tempFolder();
const sessionsFile = path.join(folder, 'sessions.jsonl');
const replaysFile = path.join(folder, 'replay_runs.jsonl');

function write({ sessions, replays }: { sessions: Buffer | string; replays: Buffer | string }): void {
  writeFileSync(sessionsFile, sessions);
  writeFileSync(replaysFile, replays);
}

/** Loads the files with what `needs` asks for. */
async function loaded<T>(
  needs: Needs,
  showContent: boolean,
  use: (lake: Lake, account: Account) => Promise<T>,
  from = { sessions: sessionsFile, replays: replaysFile },
): Promise<T> {
  const lake = await openLake({
    ...runOptions({ showContent }),
    needs,
    gatedKinds: ['fill'],
    params: { word: 'x' },
  });
  try {
    const account = await lake.load([
      { path: from.sessions, as: 'sessions' },
      { path: from.replays, as: 'replay_runs' },
    ]);
    return await use(lake, account);
  } finally {
    lake.close();
  }
}

const narrow = <T>(sql: string, use: (lake: Lake, account: Account) => Promise<T>, showContent = false) =>
  loaded(needsOf(sql, { showContent }), showContent, use);
const wide = <T>(use: (lake: Lake, account: Account) => Promise<T>, showContent = false) =>
  loaded(needsOf(ALL_SQL, { showContent }), showContent, use);

/** Tables have no order of their own. */
const unordered = (rows: readonly (readonly Cell[])[]) => rows.map((row) => JSON.stringify(row)).sort();
const answer = (sql: string) => async (lake: Lake) => unordered((await lake.query(sql)).cells);

const visibleColumns = (table: (typeof TABLES)[number], showContent: boolean) =>
  table.columns.filter((column) => showContent || !column.content).map(({ name }) => name);

const listed = ({ keep, tables, ...rest }: Needs) => ({
  ...rest,
  sessions: [...keep.sessions],
  replays: [...keep.replay_runs],
  tables: [...tables],
});

const quoted = (name: string) => `"${name}"`;

const SECRET = 'SECRET-of-a-person';
const SESSION_WITH_CONTENT = JSON.stringify({
  schema: 'session.iterate.v1',
  session_id: 't-1',
  timestamp: '2026-09-01T08:00:00Z',
  kind: 'fill',
  model: 'm',
  iterations: 2,
  final_verdict: 'accepted',
  grounded_in_roster: true,
  attempts: [
    { verdict: 'rejected', prompt: `${SECRET} 1`, raw: `${SECRET} 2`, reasons: ['worker W-1 is unknown'] },
    { verdict: 'accepted', prompt: `${SECRET} 3`, raw: `${SECRET} 4` },
  ],
  prompt: `${SECRET} 5`,
  artifact: { workers: [`${SECRET} 6`] },
  unknown_field: 'kept',
});
const REPLAY_WITH_CONTENT = JSON.stringify({
  schema: 'replay.run.v1',
  session_id: 't-1',
  timestamp: '2026-09-01T09:00:00Z',
  run_id: 'r-1',
  task: `${SECRET} 7`,
  retrieval_query: `${SECRET} 8`,
  output: `${SECRET} 9`,
  documents: [{ id: 'd', score: 0.5 }],
});
const withContent = { sessions: `${SESSION_WITH_CONTENT}\n`, replays: `${REPLAY_WITH_CONTENT}\n` };

describe('the alarm', () => {
  const alarm = catalogue.find(({ name }) => name === 'alarm')!;
  const needs = needsOf(`${alarm.sql}\n${alarm.gate!.judges}`, HIDDEN);

  test('reads of the attempts their verdicts and nothing else', () => {
    expect(needs.attemptFields).toEqual(['verdict']);
    expect(needs.keep.sessions.has('attempts')).toBe(false);
  });

  test('keeps no content, no unknown fields and no keys', () => {
    for (const name of [...CONTENT.sessions, 'proposed_worker_ids', 'error']) {
      expect(needs.keep.sessions.has(name)).toBe(false);
    }
    expect(CONTENT.sessions).toEqual(['prompt', 'artifact']);
    expect(needs.withExtra).toBe(false);
    expect(needs.withKeys).toBe(false);
    expect([...needs.tables]).toEqual(['sessions']);
  });

  test('not even with --show-content, because it names none', () => {
    const shown = needsOf(alarm.sql, { showContent: true });
    expect(shown.attemptFields).toEqual(['verdict']);
    for (const name of CONTENT.sessions) expect(shown.keep.sessions.has(name)).toBe(false);
  });
});

describe('content', () => {
  test('of calls, attempts and replay runs is what the formats mark as such', () => {
    expect(CONTENT).toEqual({
      sessions: ['prompt', 'artifact'],
      replay_runs: ['task', 'retrieval_query', 'output'],
      attempts: ['prompt', 'raw'],
    });
    const marked = Object.fromEntries(
      TABLES.map(({ name, columns }) => [name, columns.filter((c) => c.content).map((c) => c.name)]).filter(
        ([, names]) => names!.length > 0,
      ),
    );
    expect(marked).toEqual(CONTENT);
  });

  test('never appears without --show-content, whatever is selected', async () => {
    write(withContent);
    await wide(async (lake) => {
      for (const { name } of TABLES) {
        const { names, cells } = await lake.query(`SELECT * FROM ${name}`);
        expect(JSON.stringify(cells)).not.toContain(SECRET);
        expect(names.filter((column) => CONTENT[name as keyof typeof CONTENT]?.includes(column))).toEqual([]);
      }
      // Not hidden in a view but never loaded: nothing of it stands in the staging tables either.
      for (const table of ['raw.session_lines', 'raw.replay_lines']) {
        expect(JSON.stringify((await lake.query(`SELECT * FROM ${table}`)).cells)).not.toContain(SECRET);
      }
    });
  });

  const each = Object.entries(CONTENT).flatMap(([table, names]) => names.map((name) => ({ table, name })));

  test.each(each)('$table.$name named outright is an error without the flag', async ({ table, name }) => {
    write(withContent);
    const sql = `SELECT ${name} FROM ${table}`;
    await expect(narrow(sql, answer(sql))).rejects.toThrow(new RegExp(name));
  });

  test.each(each)(
    '$table.$name is there with the flag, alone and with all columns',
    async ({ table, name }) => {
      write(withContent);
      const sql = `SELECT ${name} FROM ${table}`;
      const alone = await narrow(sql, answer(sql), true);
      expect(alone.length).toBeGreaterThan(0);
      for (const row of alone) expect(row).toContain(SECRET);
      expect(await wide(answer(sql), true)).toEqual(alone);
    },
  );

  test('is not loaded with the flag either where the SQL does not name it', async () => {
    write(withContent);
    await narrow(
      'SELECT model FROM sessions',
      async (lake) => {
        expect(JSON.stringify((await lake.query('SELECT * FROM raw.session_lines')).cells)).not.toContain(
          SECRET,
        );
      },
      true,
    );
  });
});

describe('the account is the same however little is loaded', () => {
  test.each(['healthy', 'alarm', 'messy', 'empty'])('fixtures/%s', async (scenario) => {
    const at = (name: string) => path.join(root, 'fixtures', scenario, name);
    const from = { sessions: at('sessions.jsonl'), replays: at('replay_runs.jsonl') };
    const account = async (_: Lake, account: Account) => account;
    const least = await loaded(needsOf('', HIDDEN), false, account, from);
    expect(least).toEqual(await loaded(needsOf(ALL_SQL, HIDDEN), false, account, from));
  });
});

describe('a column alone is the same as in SELECT *', () => {
  const at = (name: string) => path.join(root, 'fixtures/messy', name);
  const from = { sessions: at('sessions.jsonl'), replays: at('replay_runs.jsonl') };

  test.each(TABLES.filter(({ columns }) => columns.length > 0))('$name', async (table) => {
    const everything = await loaded(
      needsOf(ALL_SQL, HIDDEN),
      false,
      (lake) => rowsOf(lake, `SELECT * FROM ${table.name}`),
      from,
    );
    expect(everything.length).toBeGreaterThan(0);
    const names = visibleColumns(table, false);
    expect(new Set(Object.keys(everything[0]!))).toEqual(new Set(names));
    const selectOf = (name: string) => `SELECT ${quoted(name)} FROM ${table.name}`;
    // Columns with the same needs share a load.
    const loads = new Map<string, string[]>();
    for (const name of names) {
      const key = JSON.stringify(listed(needsOf(selectOf(name), HIDDEN)));
      loads.set(key, [...(loads.get(key) ?? []), name]);
    }
    for (const group of loads.values()) {
      await loaded(
        needsOf(selectOf(group[0]!), HIDDEN),
        false,
        async (lake) => {
          for (const name of group) {
            const alone = await answer(selectOf(name))(lake);
            expect(alone, name).toEqual(unordered(everything.map((row) => [row[name]!])));
          }
        },
        from,
      );
    }
  });
});

describe('random mentions of columns and tables', () => {
  const selects = fc.constantFrom(...TABLES.filter(({ columns }) => columns.length > 0)).chain((table) =>
    fc.record({
      table: fc.constant(table.name),
      columns: fc.subarray(visibleColumns(table, false), { minLength: 1, maxLength: 5 }),
      style: fc.constantFrom('plain', 'upper', 'qualified', 'commented', 'aggregate', 'subquery'),
    }),
  );
  type Select = typeof selects extends fc.Arbitrary<infer T> ? T : never;

  function sqlOf({ table, columns, style }: Select): string {
    const list = columns.map(quoted).join(', ');
    switch (style) {
      case 'plain':
        return `SELECT ${list} FROM ${table}`;
      case 'upper':
        return `SELECT ${list.toUpperCase()} FROM ${table.toUpperCase()}`;
      case 'qualified':
        return `SELECT ${columns.map((name) => `x.${quoted(name)}`).join('\n,')}\nFROM ${table} AS x`;
      case 'commented':
        return `SELECT -- SELECT * from\n ${list} /* 'one */ FROM ${table} WHERE 'a''b -- /*' <> 'it' -- end`;
      case 'aggregate':
        return `SELECT ${list}, count(*) AS how_many FROM ${table} GROUP BY ${list}`;
      case 'subquery':
        return `WITH picked AS (SELECT ${list} FROM ${table}) SELECT * FROM picked`;
    }
  }

  test('the narrow load answers as the load of everything does', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomLogs({ dirty: true }),
        fc.array(selects, { minLength: 1, maxLength: 3 }),
        async (log, picked) => {
          write(log);
          const queries = picked.map(sqlOf);
          const all = (lake: Lake) => Promise.all(queries.map((sql) => answer(sql)(lake)));
          expect(await narrow(queries.join(';\n'), all)).toEqual(await wide(all));
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('ways to say "every column" without a plain SELECT *', () => {
  const WAYS = [
    'SELECT * FROM sessions',
    'select\n*\nfrom sessions',
    'SELECT s.* FROM sessions s',
    'SELECT 1 AS one, * FROM sessions',
    'SELECT count(*) OVER () AS n, * FROM sessions',
    'SELECT * EXCLUDE (extra) FROM sessions',
    'SELECT /* all */ * FROM sessions',
    'SELECT DISTINCT * FROM sessions',
    'SELECT ALL * FROM sessions',
    'FROM sessions',
    'SELECT COLUMNS(*) FROM sessions',
    "SELECT COLUMNS('.*') FROM sessions",
    'SELECT s FROM sessions s',
    'SELECT to_json(sessions) FROM sessions',
    'SELECT count(*) AS n FROM sessions NATURAL JOIN attempts',
  ];
  const expected = new Map<string, string[]>();
  beforeAll(async () => {
    write(withContent);
    await wide(async (lake) => {
      for (const sql of WAYS) expected.set(sql, await answer(sql)(lake));
    });
  });

  test.each(WAYS)('%s', async (sql) => {
    write(withContent);
    expect(await narrow(sql, answer(sql))).toEqual(expected.get(sql));
  });
});
