import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { byDay, copyPackage, exceptByDay, lakelog, nightly, root } from '../support/cli.js';
import { lakelog as inProcess } from '../support/program.js';

const HEALTHY = path.join(root, 'fixtures/healthy/sessions.jsonl');
const ALARM = path.join(root, 'fixtures/alarm/sessions.jsonl');

/** An installation whose alarm.sql was changed. */
function sabotaged(change: (sql: string) => string): string {
  const packageRoot = copyPackage();
  const file = path.join(packageRoot, 'queries/alarm.sql');
  const sql = readFileSync(file, 'utf8');
  const changed = change(sql);
  if (changed === sql) throw new Error('the sabotage does not fit alarm.sql any more: adapt the test');
  writeFileSync(file, changed);
  return packageRoot;
}

const where = /WHERE[\s\S]*?(?=ORDER BY)/;

describe('a gate that does not find what was planted says nothing about the logs', () => {
  const sabotages: readonly [name: string, change: (sql: string) => string][] = [
    [
      'NULL compared with FALSE',
      (sql) =>
        sql.replace(
          /COALESCE\(s\.grounded_in_roster, s\.roster_check = 'right', FALSE\) = FALSE/,
          's.grounded_in_roster = FALSE',
        ),
    ],
    ['WHERE FALSE', (sql) => sql.replace(where, 'WHERE FALSE\n')],
    ['the wrong kinds', (sql) => sql.replace(/AND s\.gated\b/, 'AND NOT s.gated')],
    [
      'the wrong verdict',
      (sql) => sql.replace(/WHERE s\.final_verdict = 'accepted'/, "WHERE s.final_verdict = 'Accepted'"),
    ],
    ['a limit', (sql) => `${sql.trimEnd()}\nLIMIT 2\n`],
    ['the two reasons swapped', (sql) => sql.replace(/ELSE 'unjudged'/, "ELSE 'ungrounded'")],
    [
      'rows twice',
      (sql) =>
        sql.replace(/FROM sessions s\n/, 'FROM sessions s CROSS JOIN (SELECT 1 UNION ALL SELECT 2) t\n'),
    ],
  ];

  test.each(sabotages)('%s', async (name, change) => {
    const packageRoot = sabotaged(change);
    const ask = nightly || name === sabotages[0]![0] ? lakelog : inProcess;
    const asked = [
      ...[[HEALTHY, '-q'], [ALARM], ['gone.jsonl']],
      ...[[HEALTHY, '--json'], [HEALTHY], [HEALTHY, '--allow-unjudged']],
    ];
    const runs = byDay(asked, 3).map((args) => ask(['alarm', ...args], { packageRoot }));
    for (const ran of await Promise.all(runs)) {
      expect.soft(ran.code).toBe(2);
      expect.soft(ran.stdout).toBe('');
      expect.soft(ran.stderr).toMatch(/self-test failed/);
      expect.soft(ran.stderr).toMatch(/queries\/alarm\.sql/);
      expect.soft(ran.stderr).toMatch(/→|"next":"\w/);
    }
  });

  test('the untouched copy answers', async () => {
    const ran = await lakelog(['alarm', HEALTHY], { packageRoot: copyPackage() });
    expect(ran.code).toBe(0);
  });
});

describe('a broken installation ends with 2 and a remedy', () => {
  const DAMAGES: readonly [string, (packageRoot: string) => void, RegExp][] = [
    ['no bundle', (folder) => rmSync(path.join(folder, 'dist/lakelog.cjs')), /cannot start/],
    ['no queries', (folder) => rmSync(path.join(folder, 'queries'), { recursive: true }), /queries/],
    ['no native binding', (folder) => rmSync(path.join(folder, 'node_modules')), /duckdb/i],
    [
      'a bundle cut short',
      (folder) => {
        const file = path.join(folder, 'dist/lakelog.cjs');
        writeFileSync(file, readFileSync(file).subarray(0, 700));
      },
      /cannot start/,
    ],
    [
      'SQL that does not parse',
      (folder) => writeFileSync(path.join(folder, 'queries/alarm.sql'), '\nSELEC 1;\n', { flag: 'a' }),
      /alarm\.sql/,
    ],
    [
      'a header without canary',
      (folder) => {
        const file = path.join(folder, 'queries/alarm.sql');
        writeFileSync(file, readFileSync(file, 'utf8').replace(/^-- canary:.*\n/gm, ''));
      },
      /alarm\.sql/,
    ],
    [
      'a query file that is empty',
      (folder) => writeFileSync(path.join(folder, 'queries/alarm.sql'), ''),
      /alarm\.sql/,
    ],
  ];
  // Without its bundle it is no lakelog: test/cli/start.test.ts has what else can happen to it.
  const others = ['no bundle', 'a bundle cut short', 'SQL that does not parse'];
  test.each(exceptByDay(DAMAGES, others))('%s', async (_, damage, says) => {
    const packageRoot = copyPackage();
    damage(packageRoot);
    const ran = await lakelog(['alarm', HEALTHY], { packageRoot });
    expect.soft(ran.code).toBe(2);
    expect.soft(ran.stdout).toBe('');
    expect.soft(ran.stderr).toMatch(says);
    expect.soft(ran.stderr).toMatch(/→|"next":"\w/);
  });
});
