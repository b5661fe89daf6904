import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import {
  byDay,
  call,
  newFolder,
  nightly,
  root,
  lakelog as spawned,
  start,
  writeLines,
} from '../support/cli.js';
import { lakelog as inProcess } from '../support/program.js';
import { inShell } from '../support/terminal.js';

const logs = path.join(root, 'fixtures/healthy/*.jsonl');
/** The rows are the point of most tests, and not what carries them: those get a process each night. */
const lakelog = nightly ? spawned : inProcess;
const read = (cwd: string, name: string) => readFileSync(path.join(cwd, name), 'utf8');

async function parquet(file: string): Promise<{ types: string[]; rows: unknown[][] }> {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const read = await db.runAndReadAll(`FROM read_parquet('${file}')`);
  return { types: read.columnTypes().map(String), rows: read.getRowsJson() as unknown[][] };
}

describe('rows that are streamed are those that are drawn', () => {
  test.each(byDay(['csv', 'tsv', 'jsonl'], 3))('as %s, on stdout and in a file', async (format) => {
    const cwd = newFolder();
    const sql = 'SELECT * FROM sessions ORDER BY line';
    const drawn = await lakelog(['query', sql, logs, '--format', format, '--limit', '100000']);
    const ask = format === 'csv' ? spawned : lakelog;
    const ran = await ask(['query', sql, logs, '--format', format, '-o', `x.${format}`, '-o', 'x.json'], {
      cwd,
    });
    expect(ran).toMatchObject({ code: 0, stderr: '', stdout: drawn.stdout });
    expect(read(cwd, `x.${format}`)).toBe(drawn.stdout);
    expect(JSON.parse(read(cwd, 'x.json')).rows).toHaveLength(400);
    expect(statSync(path.join(cwd, `x.${format}`)).mode & 0o777).toBe(0o600);
    expect(readdirSync(cwd).sort()).toEqual([`x.${format}`, 'x.json'].sort());
  });

  const DRAWN = [
    ['no rows', 'SELECT 1 AS a WHERE FALSE', 'a\n'],
    ['lists', "SELECT [1, 2] AS l, DATE '2026-01-01' AS d", 'l,d\n"[1,2]",2026-01-01\n'],
    ['a formula', 'SELECT \'=1+1\' AS "=a"', "'=a\n'=1+1\n"],
    ['a plan', 'EXPLAIN SELECT 1', /^plan\n┌/],
    [
      'a pivot',
      'PIVOT sessions ON kind USING COUNT(*) GROUP BY gated ORDER BY gated',
      'gated,email,fill,playbook\nfalse,130,0,63\ntrue,0,207,0\n',
    ],
  ] as const;
  test.each(byDay(DRAWN, 2))('%s', async (_, sql, expected) => {
    const ran = await lakelog(['query', sql, logs, '--format', 'csv']);
    expect(ran.code).toBe(0);
    if (typeof expected === 'string') expect(ran.stdout).toBe(expected);
    else expect(ran.stdout).toMatch(expected);
  });
});

describe('Parquet', () => {
  test('holds the rows with their types and in their order', async () => {
    const cwd = newFolder();
    const sql =
      'SELECT line, kind, "timestamp", duration_ms, gated, SUM(line * 10000000000000001) OVER () AS sum FROM sessions ORDER BY line DESC; -- all';
    const ran = await lakelog(['query', sql, logs, '-o', 'x.parquet'], { cwd });
    expect(ran).toMatchObject({ code: 0 });
    const { types, rows } = await parquet(path.join(cwd, 'x.parquet'));
    expect(types).toEqual([
      'BIGINT',
      'VARCHAR',
      'TIMESTAMP WITH TIME ZONE',
      'DOUBLE',
      'BOOLEAN',
      'DECIMAL(38,0)',
    ]);
    expect(rows.map(([line]) => Number(line))).toEqual(Array.from({ length: 400 }, (_, i) => 400 - i));
    // Exact, where a DOUBLE would round.
    expect(rows[0]![5]).toBe('802000000000000080200');
    expect(statSync(path.join(cwd, 'x.parquet')).mode & 0o777).toBe(0o600);
    expect(readdirSync(cwd)).toEqual(['x.parquet']);
  });

  test('of a DESCRIBE, a PIVOT, a placeholder, a comment at the end; and through a pipe', async () => {
    const cwd = newFolder();
    const ASKED = [
      ['SELECT $n AS n -- the end', '7'],
      ['DESCRIBE SELECT 1 AS a', 'a'],
      ['SELECT $n AS n /* the end */;', '7'],
      ['WITH s AS (SELECT 5 AS v) PIVOT s ON v', '1'],
      ["PIVOT sessions ON kind USING COUNT(*) GROUP BY 'x' AS x", null],
    ] as const;
    for (const [sql, first] of byDay(ASKED, 3)) {
      const ran = await lakelog(['query', sql, logs, '-p', 'n=7', '-o', 'y.parquet'], { cwd });
      if (first === null) continue;
      expect(ran.code, ran.stderr).toBe(0);
      const { rows } = await parquet(path.join(cwd, 'y.parquet'));
      expect(String(rows[0]![0])).toBe(first);
    }
    const { code } = inShell(`lakelog query "SELECT 42 AS a" ${logs} --format parquet > z.parquet`, { cwd });
    expect(code).toBe(0);
    expect((await parquet(path.join(cwd, 'z.parquet'))).rows).toEqual([[42]]);
  });

  test('opens nothing else: the text of a query still names no file', async () => {
    const cwd = newFolder();
    writeFileSync(path.join(cwd, 'secret.csv'), 'a\n1\n');
    const HOSTILE = [
      "FROM read_csv('secret.csv')",
      "COPY (SELECT 1) TO 'out.parquet'",
      "SELECT 1) TO 'out.csv' (FORMAT csv); --",
      "SELECT 1) AS t; COPY (SELECT 1) TO 'out.csv'; FROM (SELECT 1",
      'FROM temp.lakelog_answer',
      'FROM lakelog_answer',
    ];
    for (const sql of byDay(HOSTILE, 2)) {
      const ran = await lakelog(['query', sql, logs, '-o', 'x.parquet'], { cwd });
      expect(ran.code, sql).toBe(2);
    }
    expect(readdirSync(cwd)).toEqual(['secret.csv']);
  });

  test('a plan is no table, and a gate writes none', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call()]);
    const plan = await lakelog(['query', 'EXPLAIN SELECT 1', '-o', 'x.parquet'], { cwd });
    expect(plan.code).toBe(2);
    expect(plan.stderr).toContain('-o plan.txt');
    expect((await lakelog(['alarm', '-o', 'x.parquet'], { cwd })).code).toBe(2);
    expect(existsSync(path.join(cwd, 'x.parquet'))).toBe(false);
  });

  test('cut by --limit it is 3', async () => {
    const cwd = newFolder();
    const ran = await lakelog(
      ['query', 'SELECT line FROM sessions ORDER BY line', logs, '--limit', '5', '-o', 'x.parquet'],
      { cwd },
    );
    expect(ran.code).toBe(3);
    expect((await parquet(path.join(cwd, 'x.parquet'))).rows).toHaveLength(5);
    if (!nightly) return;
    const whole = await lakelog(
      ['query', 'SELECT line FROM sessions', logs, '--limit', '400', '-o', 'x.parquet'],
      { cwd },
    );
    expect(whole.code).toBe(0);
  });
});

describe('where a copy cannot be placed', () => {
  test('it is told, the rest is written, and the exit code is 2', async () => {
    const cwd = newFolder();
    mkdirSync(path.join(cwd, 'folder.csv'));
    for (const name of byDay(['folder.csv', 'no/such/x.csv', 'no/such/x.parquet'], 2)) {
      const ask = name === 'folder.csv' ? spawned : lakelog;
      const ran = await ask(['query', 'SELECT 1 AS a', logs, '--format', 'csv', '-o', name, '-o', 'ok.tsv'], {
        cwd,
      });
      expect(ran).toMatchObject({ code: 2, stdout: 'a\n1\n' });
      expect(ran.stderr).toContain(name);
      expect(read(cwd, 'ok.tsv')).toBe('a\n1\n');
    }
    expect(readdirSync(cwd).sort()).toEqual(['folder.csv', 'ok.tsv']);
  });

  test('SQL that fails half-way leaves what was there', async () => {
    const cwd = newFolder();
    writeFileSync(path.join(cwd, 'x.csv'), 'old');
    const sql =
      "SELECT CAST(CASE WHEN range = 29999 THEN 'x' ELSE '1' END AS INTEGER) AS n FROM range(30000)";
    const ran = await lakelog(['query', sql, logs, '-o', 'x.csv'], { cwd });
    expect(ran.code).toBe(2);
    expect(read(cwd, 'x.csv')).toBe('old');
    expect(readdirSync(cwd)).toEqual(['x.csv']);
  });

  test('a log is not overwritten by its own rows', async () => {
    const cwd = newFolder();
    const file = writeLines(cwd, 'log.csv', [call()]);
    const before = readFileSync(file, 'utf8');
    const ran = await lakelog(['query', 'SELECT * FROM sessions', '--sessions', 'log.csv', '-o', 'log.csv'], {
      cwd,
    });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('one of the files that were read');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('what is no regular file is written to as it is', async () => {
    const cwd = newFolder();
    symlinkSync('target.csv', path.join(cwd, 'link.csv'));
    writeFileSync(path.join(cwd, 'target.csv'), 'old\n');
    execFileSync('mkfifo', ['pipe.csv'], { cwd });
    const { code, text } = inShell(
      `cat pipe.csv & lakelog query "SELECT 1 AS a" ${logs} -o pipe.csv -o link.csv >/dev/null; R=$?; wait; exit $R`,
      { cwd },
    );
    expect({ code, text }).toEqual({ code: 0, text: 'a\n1\n' });
    expect(read(cwd, 'link.csv')).toBe('a\n1\n');
  });

  test('SIGTERM leaves no draft', async () => {
    const cwd = newFolder();
    const sql = 'SELECT repeat(chr(97 + (range % 20)::INTEGER), 1000) AS t FROM range(100000000)';
    const child = start(['query', sql, logs, '-o', 'x.csv', '--format', 'json'], { cwd });
    await expect.poll(() => readdirSync(cwd).length, { timeout: 10_000 }).toBeGreaterThan(0);
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    await expect.poll(() => readdirSync(cwd), { timeout: 5_000 }).toEqual([]);
  });
});

describe('the reader of the rows', () => {
  test('may leave early: the query ends, quietly', () => {
    const started = performance.now();
    const { code, text } = inShell(
      `set -o pipefail; lakelog query "SELECT range AS n FROM range(1000000000000)" ${logs} --format csv --timeout 120s | head -n 3`,
      { cwd: newFolder() },
    );
    expect({ code, text }).toEqual({ code: 0, text: 'n\n0\n1\n' });
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test("may be slow: its time is not the query's", () => {
    const { code, text } = inShell(
      `set -o pipefail; lakelog query "SELECT range AS n, repeat('x', 100) AS t FROM range(300000)" ${logs} --format csv --timeout 2s | (sleep 3.5; wc -l)`,
      { cwd: newFolder() },
    );
    expect({ code, text: text.trim() }).toEqual({ code: 0, text: '300001' });
  });

  test('still hears when the query itself takes too long', async () => {
    const ran = await lakelog([
      'query',
      'SELECT count(*) AS n FROM range(1000000000000) a, range(1000) b',
      logs,
      '--format',
      'csv',
      '--timeout',
      '1s',
    ]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('longer than 1 s');
  });
});
