/** Questions and gates over an engine that is reached by Trino's protocol, and everything that may go wrong there. */

import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publish } from '../folder/folder-lake.js';
import { byDay, exceptByDay, nightly } from '../support/cli.js';
import { root, tempFolder } from '../support/lake.js';
import { lakelog } from '../support/program.js';
import { FakeTrino } from './fake-trino.js';

const NOW = () => new Date('2026-10-01T00:00:00Z');
let lake: string;
let trino: FakeTrino;

/** Lakes that were published before, which nobody changes. */
const made = new Map<string, string>();

async function published(...scenarios: string[]): Promise<void> {
  lake = made.get(scenarios.join()) ?? (await fill(scenarios));
  made.set(scenarios.join(), lake);
  trino = await FakeTrino.over(lake);
}

async function fill(scenarios: readonly string[]): Promise<string> {
  const folder = path.join(tempFolder(), 'lake/');
  for (const scenario of scenarios) {
    const logs = ['sessions.jsonl', 'replay_runs.jsonl'];
    await publish(
      folder,
      `host-${scenario}`,
      logs.map((name) => path.resolve('fixtures', scenario, name)),
    );
  }
  return folder;
}

const ask = (args: readonly string[], env: Record<string, string> = {}) =>
  lakelog([...args, '--lake', trino.lake], { now: NOW, env });
const overFolder = (args: readonly string[]) => lakelog([...args, '--lake', lake], { now: NOW });

interface Envelope {
  readonly rows: unknown[];
  readonly receipt: Record<string, unknown>;
  readonly verdict: {
    readonly fired: Finding[];
    readonly cannot_vouch: Finding[];
    readonly notices: Finding[];
  };
}
interface Finding {
  readonly code: string;
  readonly message: string;
  readonly next?: string;
}
const envelope = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout) as Envelope;
/** All that is told, but for the commands that name the lake. */
const wordsOf = ({ verdict }: Envelope) =>
  verdict &&
  [verdict.fired, verdict.cannot_vouch, verdict.notices].map((found) =>
    found.map(({ code, message }) => ({ code, message })),
  );
const lakeFindings = (ran: { readonly stdout: string }) =>
  envelope(ran)
    .verdict.cannot_vouch.filter(({ code }) => code === 'damaged_lake')
    .map(({ message }) => message);

afterEach(async () => trino.close());

/** By day of the two that have something to tell. */
const ALL = nightly ? ['healthy', 'alarm', 'messy'] : ['alarm', 'messy'];

describe('a lake in order', () => {
  beforeEach(() => published(...ALL));

  /** All questions over all fixtures are asked of the engine itself too, by `npm run cluster:small`. */
  const PLAIN = [
    ['alarm', '--gated-kind', 'email', '--gated-kind', 'fill'],
    ['alarm', '--allow-unjudged', '--since', '2026-09-01', '--tz', 'Europe/Berlin'],
    ['corpus'],
    ['rejections', '--top', '3'],
    ['first-shot-rate', '--by', 'week,kind', '--tz', 'America/St_Johns'],
    ['retries', '--model', 'gpt-4.1-mini'],
    ['first-shot', '--until', '2026-09-12T12:00:00.5Z'],
    ['triple-rejections', '--streak', '1'],
  ];

  // What a fleet of random logs is asked by day is any of them, with any option.
  test.each(byDay(PLAIN, 8))('%s %s %s answers as the folder does', async (...args) => {
    const there = await ask([...args, '--json']);
    const here = await overFolder([...args, '--json']);
    expect(there.code, there.stderr).toBe(here.code);
    const [a, b] = [envelope(there), envelope(here)];
    expect(a.rows).toEqual(b.rows);
    expect(wordsOf(a)).toEqual(wordsOf(b));
    for (const name of [
      'calls',
      'kinds',
      'judged',
      'files',
      'rejects',
      'conflicts',
      'gaps',
      'newest_call',
      'canary',
      'window',
    ])
      expect(a.receipt[name], name).toEqual(b.receipt[name]);
    // Nothing but SELECT is ever sent.
    for (const { sql } of trino.asked) expect(sql).toMatch(/^(WITH|SELECT)\b/);
  });

  test.skipIf(!nightly)(
    'the planted records stand in the statement of the gate, and in no row of it',
    async () => {
      const ran = await ask(['alarm', '--json']);
      expect(ran.code).toBe(1);
      const statement = trino.asked.find(
        ({ sql }) => sql.includes('canary-') && sql.includes('FROM base_calls b'),
      );
      expect(statement?.sql).toMatch(/UNION ALL SELECT/);
      expect(JSON.stringify(envelope(ran).rows)).not.toContain('canary-');
      expect(envelope(ran).receipt.canary).toEqual({ planted: 3, found: 3 });
    },
  );

  test('a gate that counts is proven in a statement of its own', async () => {
    const folder = path.join(tempFolder(), 'own');
    const own = `-- title: Phantoms by trace
-- question: Is there a trace with an ungrounded call?
-- column: session_id text
-- column: reason text
-- column: calls integer
-- gate: reason
-- fires: ungrounded -- there is
-- judges: TRUE
-- canary: ungrounded {"final_verdict": "accepted", "grounded_in_roster": false}
SELECT s.session_id, 'ungrounded' AS reason, COUNT(*) AS calls FROM sessions s
WHERE s.gated AND COALESCE(s.grounded_in_roster, TRUE) = FALSE GROUP BY s.session_id ORDER BY s.session_id`;
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'by-trace.sql'), own);
    const ran = await ask(['by-trace', '--queries', folder, '--json']);
    const here = await overFolder(['by-trace', '--queries', folder, '--json']);
    expect(ran.code).toBe(here.code);
    expect(envelope(ran).rows).toEqual(envelope(here).rows);
    expect(trino.asked.some(({ sql }) => sql.includes('canary-') && sql.includes('FROM base_calls b'))).toBe(
      false,
    );
    expect(trino.asked.some(({ sql }) => sql.includes('canary-'))).toBe(true);
  });

  test('check judges all gates', async () => {
    const ran = await ask(['check', '--json']);
    expect(ran.code).toBe(1);
  });
});

describe('every other command that asks', () => {
  beforeEach(() => published(...ALL));

  const OTHERS = [
    [
      'compare',
      '--baseline',
      'model=gpt-4.1-mini,until=2026-09-20T00:00:00+02:00',
      '--candidate',
      'model=gpt-4.1',
    ],
    ['drift', '--tz', 'Europe/Berlin', '--kind', 'fill'],
    ['drift', '--change-at', '2026-09-10'],
    [
      'query',
      'SELECT s.kind, COUNT(*) AS calls, MAX(s.timestamp) AS newest FROM sessions s GROUP BY s.kind ORDER BY s.kind',
    ],
    ['validate', '--format', 'jsonl'],
    ['query', '--format', 'csv', 'SELECT r.file, r.line, r.reason FROM rejects r ORDER BY r.file, r.line'],
    [
      'query',
      '-p',
      "who=o'neill\\",
      '-p',
      'least=2',
      'SELECT $who AS who, t.session_id FROM traces t WHERE t.calls >= $least ORDER BY t.session_id',
    ],
    [
      'query',
      "SELECT COUNT(*) AS calls FROM sessions s WHERE s.timestamp < TIMESTAMPTZ '2026-09-07T00:00:00Z'",
    ],
  ];

  // What validate says is asked for below, as a next step.
  test.each(byDay(OTHERS, 2).filter(([command]) => nightly || command !== 'validate'))(
    '%s %s %s says what the folder says',
    async (...args) => {
      const given = args.includes('--format') ? args : [...args, '--json'];
      const [there, here] = [await ask(given), await overFolder(given)];
      expect(there.code, there.stderr).toBe(here.code);
      const linesOf = (text: string) => text.split('\n').sort();
      // A folder has the files of rejects in the order of the hashes of batches.
      if (args.includes('--format')) expect(linesOf(there.stdout)).toEqual(linesOf(here.stdout));
      else {
        expect(envelope(there).rows).toEqual(envelope(here).rows);
        expect(wordsOf(envelope(there))).toEqual(wordsOf(envelope(here)));
      }
      expect(here.stdout).not.toBe('');
      for (const { sql } of trino.asked) expect(sql).toMatch(/^(WITH|SELECT)\b/);
    },
  );

  test('show tells the story of a trace, by the beginning of its id or of a call', async () => {
    const sql =
      'SELECT s.session_id, s.call_key FROM sessions s WHERE s.iterations > 1 ORDER BY s.call_key LIMIT 1';
    const [call] = envelope(await overFolder(['query', sql, '--json'])).rows as Record<string, string>[];
    const ids = [call!.session_id!.slice(0, 30), call!.session_id!, call!.call_key!];
    for (const id of byDay(ids, 3)) {
      const [there, here] = [await ask(['show', id, '--json']), await overFolder(['show', id, '--json'])];
      expect(there.code, there.stderr).toBe(here.code);
      expect(JSON.parse(there.stdout)).toEqual(JSON.parse(here.stdout));
      expect(there.stdout).toContain(call!.call_key!);
    }
    if (!nightly) return;
    const unknown = await ask(['show', 'nobody']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/no loaded call, trace or replay run begins with/);
  });

  test('what a gate names as the next step runs', async () => {
    const ran = await ask(['alarm', '--json']);
    const { verdict } = envelope(ran);
    const next = Object.values(verdict)
      .flat()
      .flatMap((finding) => [...(finding.next ?? '').matchAll(/lakelog ([a-z]+)[^`\n]*--lake (\S+)/g)]);
    expect(next.map(([, command]) => command)).toContain('validate');
    const commands = new Set<string>();
    for (const [, command, named] of next.filter(([, one]) => one !== 'ack')) {
      expect(named).toBe(trino.lake);
      commands.add(command!);
    }
    const [row] = envelope(ran).rows as { session_id: string }[];
    // By day show is asked for its story alone, just before.
    for (const command of [...commands].filter((one) => nightly || one !== 'show')) {
      const args = command === 'show' ? ['show', row!.session_id] : [command];
      expect((await ask(args)).code).not.toBe(2);
    }
  });

  test('rejects and calls are acknowledged over the engine as over the folder', async () => {
    const acks = path.join(tempFolder(), 'acks.jsonl');
    const settle = await ask(['ack', '--baseline', '--reason', 'known', '--acks', acks]);
    expect(settle.code, settle.stderr).toBe(0);
    const [there, here] = [
      await ask(['alarm', '--json', '--acks', acks]),
      await overFolder(['alarm', '--json', '--acks', acks]),
    ];
    expect(there.code, there.stderr).toBe(here.code);
    expect(envelope(there).rows).toEqual(envelope(here).rows);
    expect(wordsOf(envelope(there))).toEqual(wordsOf(envelope(here)));
    expect(envelope(there).receipt.acknowledged).toEqual(envelope(here).receipt.acknowledged);
    expect(JSON.stringify(envelope(there).receipt.acknowledged)).toMatch(/reject/);
  });

  // Of more than eighty statements.
  test.runIf(nightly)(
    'report writes the page that it writes of the folder',
    async () => {
      const cwd = tempFolder();
      const pageOf = async (name: string, over: string) => {
        const given = [
          'report',
          '-o',
          name,
          '--since',
          '2026-08-01',
          '--until',
          '2026-10-01',
          '--lake',
          over,
        ];
        const ran = await lakelog(given, { now: NOW, cwd });
        const html = readFileSync(path.join(cwd, name), 'utf8');
        return { ran, html: html.replaceAll(over, 'LAKE') };
      };
      const [there, here] = [await pageOf('there.html', trino.lake), await pageOf('here.html', lake)];
      expect(there.ran.code, there.ran.stderr).toBe(here.ran.code);
      expect(there.html).toBe(here.html);
    },
    180_000,
  );

  /** Never comes to rows, as what takes long. */
  const endless = (count: { asked: number }): FakeTrino['mischief'] => ({
    get: (place, response) => {
      if (place.split('/')[4] !== `q${trino.asked.findIndex(({ sql }) => sql.includes('endless')) + 1}`)
        return false;
      count.asked++;
      const page = { id: 'q', nextUri: `http://127.0.0.1:${trino.port}${place}` };
      // As Trino, which answers when it has something to say, or after a while.
      setTimeout(() => response.writeHead(200).end(JSON.stringify(page)), 50);
      return true;
    },
  });
  const ENDLESS = "SELECT 'endless' AS word FROM sessions s";

  test('a query that takes longer than --timeout is cancelled where it runs', async () => {
    const count = { asked: 0 };
    trino.mischief = endless(count);
    const ran = await ask(['query', ENDLESS, '--timeout', '1s']);
    expect(ran.stderr).toMatch(/the query took longer than 1 s and was stopped/);
    expect(ran.code).toBe(2);
    expect(count.asked).toBeGreaterThan(0);
    expect(trino.cancelled).toHaveLength(1);
  });

  test('so is one whose process is stopped', async () => {
    const count = { asked: 0 };
    trino.mischief = endless(count);
    const child = spawn(
      process.execPath,
      [path.join(root, 'bin/lakelog.js'), 'query', ENDLESS, '--lake', trino.lake],
      {
        stdio: 'ignore',
      },
    );
    await expect.poll(() => count.asked, { timeout: 60_000 }).toBeGreaterThan(0);
    child.kill('SIGTERM');
    await expect.poll(() => trino.cancelled, { timeout: 60_000 }).toHaveLength(1);
  });

  test.each(
    exceptByDay<[string, readonly string[], RegExp]>(
      [
        [
          'a table of somebody else',
          ['query', 'SELECT * FROM hive.other.secrets'],
          /there is no table "hive.other.secrets"/,
        ],
        ['no SELECT', ['query', 'DROP TABLE base_calls'], /only a SELECT may run here/],
        ['a plan', ['query', 'EXPLAIN SELECT 1 AS one'], /EXPLAIN shows a plan of DuckDB/],
        [
          'Parquet',
          ['query', '-o', 'x.parquet', 'SELECT 1 AS one FROM sessions'],
          /Parquet is written by DuckDB/,
        ],
        ['a pivot', ['query', 'PIVOT sessions ON kind USING COUNT(*)'], /PIVOT is written anew for DuckDB/],
      ],
      ['a plan', 'Parquet', 'a pivot'],
    ),
  )('query refuses %s, with a remedy', async (_, args, words) => {
    const ran = await ask(args);
    expect(ran.stderr).toMatch(words);
    expect(ran.stderr).toMatch(/next: |→|lakelog|--lake DIR/);
    expect(ran.code).toBe(2);
  });
});

describe('an engine that fails', () => {
  beforeEach(() => published('alarm'));
  const FAILURES: [string, FakeTrino['mischief'], number, RegExp][] = [
    ['503 for ever', { post: (_, response) => !!response.writeHead(503).end() }, 3, /it says 503/],
    [
      '401',
      { post: (_, response) => !!response.writeHead(401).end('no') },
      2,
      /lets the user somebody not in/,
    ],
    [
      'an HTML page',
      { post: (_, response) => !!response.writeHead(200).end('<html>proxy</html>') },
      3,
      /none of Trino's: <html>/,
    ],
    [
      'a connection that is cut while the statement is posted',
      { post: (_, response) => !!response.destroy() },
      3,
      /cannot be asked/,
    ],
    [
      'half a page',
      { get: (_, response) => !!response.writeHead(200).end('{"id":"x","da') },
      3,
      /none of Trino's/,
    ],
    [
      'a query that is gone',
      { get: (_, response) => !!response.writeHead(404).end('gone') },
      3,
      /it says 404: gone/,
    ],
    [
      'a node that is lost',
      {
        error: () => ({
          errorName: 'REMOTE_TASK_ERROR',
          errorType: 'INTERNAL_ERROR',
          message: 'worker gone',
        }),
      },
      3,
      /Trino failed: REMOTE_TASK_ERROR: worker gone/,
    ],
    [
      'no memory',
      {
        error: () => ({
          errorName: 'EXCEEDED_GLOBAL_MEMORY_LIMIT',
          errorType: 'INSUFFICIENT_RESOURCES',
          message: 'm',
        }),
      },
      3,
      /narrow it with the filters/,
    ],
    [
      'a large answer, and nowhere to keep it',
      {
        error: () => ({
          errorName: 'EXCHANGE_MANAGER_NOT_CONFIGURED',
          errorType: 'EXTERNAL',
          message: 'Exchange manager must be configured',
        }),
      },
      3,
      /exchange-manager.name=filesystem/,
    ],
    [
      'no rights',
      {
        error: () => ({ errorName: 'PERMISSION_DENIED', errorType: 'USER_ERROR', message: 'Cannot select' }),
      },
      2,
      /GRANT SELECT/,
    ],
    [
      'no tables',
      { error: () => ({ errorName: 'TABLE_NOT_FOUND', errorType: 'USER_ERROR', message: 'no base_calls' }) },
      2,
      /lakelog schema --dialect trino/,
    ],
  ];

  test.each(exceptByDay(FAILURES, ['half a page', 'a query that is gone', 'no tables']))(
    '%s',
    async (_, mischief, code, words) => {
      trino.mischief = mischief;
      const ran = await ask(['alarm']);
      expect(ran.stderr).toMatch(words);
      expect(ran.code).toBe(code);
    },
    40_000,
  );

  test('nobody listens', async () => {
    const ran = await lakelog(['alarm', '--lake', 'trino://u@127.0.0.1:28999/c/s'], { now: NOW });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/cannot be asked: .*ECONNREFUSED/);
  });

  test('pages that are busy or cut are asked for again', async () => {
    const wanted = await ask(['alarm', '--json']);
    trino.mischief = {
      post: (_, response, count) =>
        count % 3 === 1 &&
        Math.random() < 2 &&
        !posted.has(count) &&
        posted.add(count) &&
        !!response.writeHead(503).end(),
      get: (_, response, count) => count % 4 === 1 && !!response.destroy(),
    };
    const posted = new Set<number>();
    const ran = await ask(['alarm', '--json']);
    expect(ran.code).toBe(wanted.code);
    expect(envelope(ran).rows).toEqual(envelope(wanted).rows);
  });

  test('the engine fails when the lake is counted again: what fired stays fired', async () => {
    let counts = 0;
    trino.mischief = {
      error: (sql) =>
        /FROM base_calls s\nGROUP BY/.test(sql) && ++counts > 1
          ? { errorName: 'NO_NODES_AVAILABLE', errorType: 'INTERNAL_ERROR', message: 'all gone' }
          : null,
    };
    const ran = await ask(['alarm', '--json']);
    expect(ran.code).toBe(1);
    expect(lakeFindings(ran).join()).toMatch(/could not be counted again.*NO_NODES_AVAILABLE/);
  });
});

describe('an engine that answers wrongly', () => {
  const clear = ['alarm', '--json', '--gated-kind', 'fill'];
  beforeEach(() => published('healthy'));

  test('is clear where it does not', async () => {
    const ran = await ask(clear);
    expect(ran.code, ran.stderr).toBe(0);
  });

  const isCount = (sql: string) => /FROM base_calls s\nGROUP BY/.test(sql);

  test.each(
    exceptByDay<[string, FakeTrino['mischief'], RegExp]>(
      [
        [
          'a batch is missing',
          { rows: (sql, rows) => (isCount(sql) ? [] : rows) },
          /has rows 0 in base_calls, and its receipt says/,
        ],
        [
          'one call is not counted',
          {
            rows: (sql, rows) =>
              isCount(sql)
                ? rows.map((row, i) => (i === 0 ? [row[0], row[1], addTo(row[2], -1), ...row.slice(3)] : row))
                : rows,
          },
          /has rows \d+ in base_calls/,
        ],
        [
          'a stamp is another',
          {
            rows: (sql, rows) =>
              isCount(sql) ? rows.map((row) => [...row.slice(0, -1), `${Number(row.at(-1)) + 1}`]) : rows,
          },
          /has grounded_line/,
        ],
        [
          'replay runs are missing',
          { rows: (sql, rows) => (sql.includes(`'runs' AS part`) ? [] : rows) },
          /in base_runs, and its receipt says/,
        ],
        [
          'the planted records are lost',
          {
            rows: (sql, rows) =>
              isGate(sql) ? rows.filter((row) => !String(row[0]).startsWith('canary-')) : rows,
          },
          /3 violations were planted in the statement, and the engine found 0/,
        ],
        [
          'a planted record comes back as another',
          {
            rows: (sql, rows) =>
              isGate(sql)
                ? rows.map((row) => row.map((cell) => (cell === 'ungrounded' ? 'unjudged' : cell)))
                : rows,
          },
          /planted in the statement/,
        ],
        [
          'a planted record comes back twice',
          { rows: (sql, rows) => (isGate(sql) ? [...rows, ...rows.slice(0, 1)] : rows) },
          /planted in the statement, and the engine found 4/,
        ],
        [
          'no receipt',
          { rows: (sql, rows) => (sql.includes('batch_receipts') ? [] : rows) },
          /the lake holds no batch/,
        ],
        [
          'an edited receipt',
          {
            rows: (sql, rows) =>
              sql.includes('batch_receipts')
                ? rows.map(([text]) => [String(text).replace(/"accepted":\d+/, '"accepted":0')])
                : rows,
          },
          /the receipt cannot be believed: it was edited/,
        ],
        [
          'a receipt stands there twice, once edited',
          {
            rows: (sql, rows) =>
              sql.includes('batch_receipts')
                ? [...rows, [String(rows[0]![0]).replace(/"loaded":\d+/, '"loaded":1')]]
                : rows,
          },
          /stands there twice, and says different things/,
        ],
        [
          'rows without a receipt',
          { rows: (sql, rows) => (sql.includes('batch_receipts') ? rows.slice(1) : rows) },
          /and no receipt of it/,
        ],
      ],
      [
        'one call is not counted',
        'a planted record comes back as another',
        'a planted record comes back twice',
      ],
    ),
  )('%s: cannot vouch', async (_, mischief, words) => {
    trino.mischief = mischief;
    const ran = await ask(clear);
    expect(ran.code, ran.stderr).toBe(3);
    expect(lakeFindings(ran).join('\n')).toMatch(words);
  });

  test('receipts of several batches stand in one file, one a line, and for a while in their own files too', async () => {
    const copy = path.join(tempFolder(), 'lake/');
    cpSync(lake, copy, { recursive: true });
    const folder = path.join(copy, 'batches');
    const files = readdirSync(folder).map((name) => path.join(folder, name));
    expect(files.length).toBeGreaterThan(1);
    const merged = files.map((file) => readFileSync(file, 'utf8')).join('');
    const wanted = await ask(clear);
    writeFileSync(path.join(folder, 'r-merged.json'), merged);
    await trino.declare(copy);
    // While the engine is asked, the next test has both.
    for (const isOver of nightly ? [false, true] : [true]) {
      if (isOver) for (const file of files) rmSync(file);
      const ran = await ask(clear);
      expect(ran.code, ran.stdout).toBe(0);
      expect(envelope(ran).receipt.files).toEqual(envelope(wanted).receipt.files);
    }
    writeFileSync(path.join(folder, 'r-merged.json'), merged.split('\n').slice(1).join('\n'));
    expect((await ask(clear)).code).toBe(3);
  });

  test('receipts are merged while the lake is asked: nothing changed', async () => {
    trino.mischief = {
      rows: (sql, rows) =>
        sql.includes('batch_receipts') && trino.asked.some((one) => isGate(one.sql))
          ? [...rows, ...rows]
          : rows,
    };
    const ran = await ask(clear);
    expect(trino.asked.filter(({ sql }) => sql.includes('batch_receipts')).length).toBeGreaterThan(1);
    expect(ran.code, ran.stdout).toBe(0);
  });

  const isGate = (sql: string) =>
    sql.includes('UNION ALL SELECT') &&
    sql.includes("THEN 'ungrounded'") &&
    sql.includes('FROM base_calls b');
  const addTo = (digits: unknown, n: number) => `digits:${Number(String(digits).replace('digits:', '')) + n}`;

  test('the lake changes while it is asked', async () => {
    let counts = 0;
    trino.mischief = {
      rows: (sql, rows) => (isCount(sql) && ++counts === 2 ? rows.slice(1) : rows),
    };
    const ran = await ask(clear);
    expect(ran.code).toBe(3);
    expect(lakeFindings(ran)).toEqual(['the lake changed while it was asked']);
  });

  test.skipIf(!nightly)('a file is missing, is cut, stands there twice', async () => {
    const copy = path.join(tempFolder(), 'lake/');
    cpSync(lake, copy, { recursive: true });
    lake = copy;
    await trino.declare(copy);
    const files = (
      readdirSync(path.join(lake, 'base_calls'), { recursive: true, encoding: 'utf8' }) as string[]
    ).filter((name) => name.endsWith('.parquet'));
    const [first, second] = files.map((name) => path.join(lake, 'base_calls', name)) as [string, string];
    const bytes = readFileSync(first);
    writeFileSync(first.replace('.parquet', '-again.parquet'), bytes);
    expect(lakeFindings(await ask(clear)).join()).toMatch(/its receipt says/);
    rmSync(first.replace('.parquet', '-again.parquet'));
    expect((await ask(clear)).code).toBe(0);
    writeFileSync(first, readFileSync(second));
    expect((await ask(clear)).code).toBe(3);
    writeFileSync(first, bytes.subarray(0, bytes.length / 2));
    expect((await ask(clear)).code).toBeGreaterThan(1);
    rmSync(first);
    expect((await ask(clear)).code).toBe(3);
  });
});

describe('what is said on the command line', () => {
  beforeEach(() => published('healthy'));

  const REFUSED: [string, readonly string[], RegExp][] = [
    ['no user', ['alarm', '--lake', 'trino://h:1/c/s'], /names no user/],
    ['no schema', ['alarm', '--lake', 'trino://u@h:1/c'], /no catalog and schema/],
    ['a password', ['alarm', '--lake', 'trino://u:p@h:1/c/s'], /LAKELOG_TRINO_PASSWORD/],
    [
      'a roster',
      ['alarm', '--lake', 'trino://u@h:1/c/s', '--roster', 'r.csv'],
      /--roster is not asked of a cluster/,
    ],
    ['logs beside it', ['alarm', '--lake', 'trino://u@h:1/c/s', 'x.jsonl'], /would not be read/],
    ['sync', ['sync', '--lake', 'trino://u@h:1/c/s'], /does not ask a cluster/],
    ['watch', ['watch', '--lake', 'trino://u@h:1/c/s'], /does not ask a cluster[\s\S]*--lake DIR/],
    ['lake info', ['lake', 'info', '--lake', 'trino://u@h:1/c/s'], /--lake DIR/],
    ['lake verify', ['lake', 'verify', '--lake', 'trino://u@h:1/c/s'], /--lake DIR/],
    ['lake compact', ['lake', 'compact', '--lake', 'trino://u@h:1/c/s'], /--lake DIR/],
  ];

  test.each(exceptByDay(REFUSED, ['no schema', 'watch', 'lake info', 'lake verify']))(
    '%s: exit 2',
    async (_, args, words) => {
      const ran = await lakelog(args, { now: NOW });
      expect(ran.stderr).toMatch(words);
      expect(ran.code).toBe(2);
    },
  );

  test('a password goes by https alone', async () => {
    const ran = await ask(['alarm'], { LAKELOG_TRINO_PASSWORD: 'secret' });
    expect(ran.code).toBe(3);
    expect(trino.asked).toEqual([]);
    expect(ran.stderr).not.toContain('secret');
  });
});
