import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/lake/duckdb/connection.js';
import { quote } from '../../src/lake/duckdb/sql.js';
import { openLake } from '../../src/lake/lake.js';
import type { BatchReceipt } from '../../src/schema/batch.js';
import { byDay, call, envelope, exceptByDay, newFolder, replayRun } from '../support/cli.js';
import { runOptions } from '../support/lake.js';
import { lakelog } from '../support/program.js';
import { filesIn, lakeUse, NOW, publish, receiptsIn, writeHostLogs } from './folder-lake.js';

const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));
const GOOD = [
  call({ timestamp: '2025-06-01T08:00:00Z', call_id: 'a1' }),
  call({ timestamp: '2025-06-01T09:00:00Z', call_id: 'a2' }),
  call({ timestamp: '2025-06-01T10:00:00Z', call_id: 'a3', kind: 'email', grounded_in_roster: null }),
];
const MORE = [
  call({ timestamp: '2025-06-03T08:00:00Z', call_id: 'a4' }),
  replayRun({ timestamp: '2025-06-03T09:00:00Z', documents: [{ id: 'd1', score: 0.5 }] }),
];
const VIOLATION = call({ timestamp: '2025-06-04T08:00:00Z', call_id: 'v', grounded_in_roster: false });

/** A log in two batches on one host, and one log on another. */
async function fill(lake: string, other: readonly string[]): Promise<void> {
  const logs = newFolder();
  const [log] = writeHostLogs(logs, 'web1', { 'sessions.jsonl': lines(...GOOD) });
  await publish(lake, 'web1', [log!]);
  writeFileSync(log!, lines(...GOOD, ...MORE));
  await publish(lake, 'web1', [log!]);
  await publish(lake, 'web2', writeHostLogs(logs, 'web2', { 'sessions.jsonl': lines(...other) }));
}

let sound: string;
let violated: string;
let elsewhere: string;

beforeAll(async () => {
  sound = path.join(newFolder(), 'lake/');
  violated = path.join(newFolder(), 'lake/');
  elsewhere = path.join(newFolder(), 'lake/');
  const other = call({ timestamp: '2025-06-05T08:00:00Z', call_id: 'b1' });
  await fill(sound, [other]);
  await fill(violated, [other, VIOLATION]);
  await fill(elsewhere, [call({ timestamp: '2025-06-06T08:00:00Z', call_id: 'c1' })]);
});

async function alarm(lake: string, ...flags: string[]) {
  const ran = await lakelog(['alarm', '--lake', lake, '--json', ...flags], { now: () => NOW });
  if (ran.stdout === '') return { code: ran.code, said: [ran.stderr], codes: [], rows: 0 };
  const { verdict, rows } = envelope(ran);
  return {
    code: ran.code,
    said: verdict!.cannot_vouch.map(({ message, where = '', next = '' }) => `${where}: ${message} → ${next}`),
    codes: verdict!.cannot_vouch.map(({ code }) => code),
    rows: rows.length,
  };
}

/** The batches of web1, in their order, and that of web2. */
function batchesOf(lake: string): [BatchReceipt, BatchReceipt, BatchReceipt] {
  const all = receiptsIn(lake);
  const first = all.find(({ host, file }) => host === 'web1' && file.before === null)!;
  const second = all.find(({ file }) => file.before === first.id)!;
  return [first, second, all.find(({ host }) => host === 'web2')!];
}

const receiptAt = (lake: string, { id }: BatchReceipt) => path.join(lake, 'batches', `${id}.json`);
const dataAt = (lake: string, { tables }: BatchReceipt, table = 'base_calls', i = 0) =>
  path.join(lake, tables[table]!.files[i]!.path);
const base = (file: string) => path.basename(file);

/** What the tests put other values into. */
interface Forged {
  readonly account: { lines: number; loaded: number; bytes: number };
  readonly file: { byte_from: number };
  readonly kinds: { kind: string; judged: number; newest: string }[];
  readonly rejects: { reason: string; count: number; line: number; detail: string; blocks: boolean }[];
  readonly tables: {
    readonly base_calls: {
      readonly sums: { iterations: number };
      readonly files: { bytes: number; sha256: string }[];
    };
  };
}

/** As somebody would who knows how receipts are sealed. */
function forge(lake: string, receipt: BatchReceipt, change: (receipt: Forged) => void): void {
  const file = receiptAt(lake, receipt);
  const { checksum: _, ...content } = JSON.parse(readFileSync(file, 'utf8')) as Forged & BatchReceipt;
  change(content);
  const text = JSON.stringify(content).slice(0, -1);
  const checksum = createHash('sha256').update(text).digest('hex');
  writeFileSync(file, `${text},"checksum":"${checksum}"}\n`);
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
}

async function withEngine(use: (run: (sql: string) => Promise<unknown>) => Promise<void>): Promise<void> {
  const db = await openDatabase(null, '1GB');
  try {
    await use((sql) => db.run(sql));
  } finally {
    db.close();
  }
}

/** Writes a Parquet file anew, and lets its receipt say what it is by now. */
async function rewrite(lake: string, receipt: BatchReceipt, sql: (from: string) => string): Promise<void> {
  const file = dataAt(lake, receipt);
  const draft = `${file}.draft`;
  await withEngine(async (run) => {
    await run(
      `COPY (${sql(`read_parquet(${quote(file)}, hive_partitioning = false)`)}) TO ${quote(draft)} (FORMAT parquet)`,
    );
  });
  renameSync(draft, file);
  const bytes = readFileSync(file);
  forge(lake, receipt, ({ tables }) => {
    tables.base_calls.files[0]!.bytes = bytes.length;
    tables.base_calls.files[0]!.sha256 = createHash('sha256').update(bytes).digest('hex');
  });
}

type Damage = (lake: string) => string | RegExp | Promise<string | RegExp>;

/** Each says what the gate must name. */
const DAMAGES: Readonly<Record<string, Damage>> = {
  'a file is missing': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[0]);
    rmSync(file);
    return base(file);
  },
  'a file of a table that nobody asks is missing': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[1], 'base_documents');
    rmSync(file);
    return base(file);
  },
  'a file stands there twice': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[0]);
    copyFileSync(file, path.join(path.dirname(file), 'copy.parquet'));
    return 'copy.parquet';
  },
  'a file stands under another day too': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[0]);
    const day = path.join(lake, 'base_calls/day=2025-07-01');
    mkdirSync(day);
    copyFileSync(file, path.join(day, base(file)));
    return 'day=2025-07-01';
  },
  'a file is cut': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[1]);
    truncateSync(file, readFileSync(file).length - 100);
    return base(file);
  },
  'a file is empty': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[1]);
    truncateSync(file, 0);
    return base(file);
  },
  'a bit of a file is another': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[0]);
    flip(file, 40);
    return base(file);
  },
  'a file holds what another one holds': (lake) => {
    const [first, second] = batchesOf(lake);
    copyFileSync(dataAt(lake, second), dataAt(lake, first));
    return base(dataAt(lake, first));
  },
  'a file was changed, and has its old times': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[0]);
    flip(file, 60);
    utimesSync(file, new Date(0), new Date(0));
    return base(file);
  },
  'a folder stands in the place of a file': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[0]);
    rmSync(file);
    mkdirSync(file);
    return base(file);
  },
  'a file of somebody else lies there': (lake) => {
    writeFileSync(path.join(lake, 'base_calls/notes.txt'), 'hello');
    return 'notes.txt';
  },
  'the receipt of the last batch is missing': (lake) => {
    const [, second] = batchesOf(lake);
    rmSync(receiptAt(lake, second));
    return second.id;
  },
  'the receipt of a batch in the midst is missing': (lake) => {
    const [first] = batchesOf(lake);
    rmSync(receiptAt(lake, first));
    return /bytes 0 to \d+ of the log are not in the lake/;
  },
  'a batch is gone with its receipt': (lake) => {
    const [first] = batchesOf(lake);
    for (const { files } of Object.values(first.tables))
      for (const file of files) rmSync(path.join(lake, file.path));
    rmSync(receiptAt(lake, first));
    return /bytes 0 to \d+ of the log are not in the lake/;
  },
  'a receipt has no rows': (lake) => {
    const [, , other] = batchesOf(lake);
    for (const { files } of Object.values(other.tables))
      for (const file of files) rmSync(path.join(lake, file.path));
    return base(dataAt(lake, other));
  },
  'a receipt was edited': (lake) => {
    const [first] = batchesOf(lake);
    const file = receiptAt(lake, first);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"host":"web1"', '"host":"web9"'));
    return base(file);
  },
  'a receipt was made pretty': (lake) => {
    const file = receiptAt(lake, batchesOf(lake)[0]);
    writeFileSync(file, JSON.stringify(JSON.parse(readFileSync(file, 'utf8')), null, 2));
    return base(file);
  },
  'a receipt is cut': (lake) => {
    const file = receiptAt(lake, batchesOf(lake)[0]);
    truncateSync(file, 200);
    return base(file);
  },
  'a receipt is empty': (lake) => {
    const file = receiptAt(lake, batchesOf(lake)[2]);
    truncateSync(file, 0);
    return base(file);
  },
  'a receipt was forged to have fewer lines': (lake) => {
    const [first] = batchesOf(lake);
    forge(lake, first, ({ account }) => {
      account.lines--;
      account.loaded--;
    });
    return first.id;
  },
  'a receipt was forged to count otherwise': (lake) => {
    const [first] = batchesOf(lake);
    forge(lake, first, ({ tables }) => {
      tables.base_calls.sums.iterations++;
    });
    return /has iterations 3 in base_calls, and its receipt says 4/;
  },
  'a receipt was forged to begin elsewhere': (lake) => {
    const [, second] = batchesOf(lake);
    forge(lake, second, ({ file, account }) => {
      file.byte_from++;
      account.bytes--;
    });
    return second.id;
  },
  'a receipt is of another lake': (lake) => {
    const [, , strange] = batchesOf(elsewhere);
    copyFileSync(receiptAt(elsewhere, strange), receiptAt(lake, strange));
    return /it is of another lake/;
  },
  'a receipt of another lake came with its files': (lake) => {
    const [, , strange] = batchesOf(elsewhere);
    copyFileSync(receiptAt(elsewhere, strange), receiptAt(lake, strange));
    for (const { files } of Object.values(strange.tables)) {
      for (const file of files) {
        mkdirSync(path.dirname(path.join(lake, file.path)), { recursive: true });
        copyFileSync(path.join(elsewhere, file.path), path.join(lake, file.path));
      }
    }
    return /it is of another lake/;
  },
  'a receipt is called otherwise': (lake) => {
    const file = receiptAt(lake, batchesOf(lake)[2]);
    renameSync(file, path.join(path.dirname(file), `${'0'.repeat(64)}.json`));
    return '0'.repeat(64);
  },
  'stamps changed places, and the receipt was forged to the file': async (lake) => {
    const [first] = batchesOf(lake);
    await rewrite(
      lake,
      first,
      (from) =>
        `SELECT * REPLACE (CASE line WHEN 1 THEN NULL ELSE TRUE END AS grounded_in_roster) FROM ${from}`,
    );
    return /has (judged|grounded|judged_line|grounded_line) /;
  },
  'a row is another batch’s': async (lake) => {
    const [first] = batchesOf(lake);
    await rewrite(lake, first, (from) => `SELECT * REPLACE (batch + 1 AS batch) FROM ${from}`);
    return /which has no receipt/;
  },
  'the lake does not say what it is': (lake) => {
    rmSync(path.join(lake, 'lakelog.json'));
    return /the lake is damaged: lakelog\.json is missing/;
  },
  'lakelog.json is that of another lake': (lake) => {
    copyFileSync(path.join(elsewhere, 'lakelog.json'), path.join(lake, 'lakelog.json'));
    return /it is of another lake/;
  },
  'lakelog.json says that there is content': (lake) => {
    const file = path.join(lake, 'lakelog.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"keeps_content":false', '"keeps_content":true'));
    return 'lakelog.json';
  },
  'a receipt was forged to say nothing of its kinds': (lake) => {
    const [first] = batchesOf(lake);
    forge(lake, first, (receipt) => Reflect.deleteProperty(receipt, 'kinds'));
    return /it says nothing of kinds/;
  },
  'a receipt was forged to have a call less of a kind': (lake) => {
    forge(lake, batchesOf(lake)[0], ({ kinds }) => kinds[0]!.judged--);
    return /its kinds have not as many calls as its table \(judged\)/;
  },
  'a receipt was forged to have calls of another kind': (lake) => {
    forge(lake, batchesOf(lake)[0], ({ kinds }) => {
      kinds[0]!.kind = 'mail';
    });
    return /has other calls of kind \S+ than its receipt says/;
  },
  'a receipt was forged to be younger than its calls': (lake) => {
    forge(lake, batchesOf(lake)[0], ({ kinds }) => {
      kinds[0]!.newest = '2026-09-30T23:00:00Z';
    });
    return /has other calls of kind \S+ than its receipt says/;
  },
  'a receipt was forged to have rejects': (lake) => {
    const [first] = batchesOf(lake);
    forge(lake, first, ({ rejects }) =>
      rejects.push({ reason: 'bad_json', count: 0, line: 1, detail: '', blocks: false }),
    );
    return /has other rejects than its receipt says/;
  },
  'a receipt is a pipe': (lake) => {
    const file = receiptAt(lake, batchesOf(lake)[0]);
    rmSync(file);
    execFileSync('mkfifo', [file]);
    return /it is no file/;
  },
  'a file is a link that leads nowhere': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[0]);
    rmSync(file);
    symlinkSync('/nowhere', file);
    return /this is no file, and a receipt names it as one/;
  },
  'a file is a link to itself': (lake) => {
    const file = dataAt(lake, batchesOf(lake)[0]);
    rmSync(file);
    symlinkSync(base(file), file);
    return base(file);
  },
  'a compaction is a pipe': (lake) => {
    mkdirSync(path.join(lake, 'compactions'));
    execFileSync('mkfifo', [path.join(lake, 'compactions/x.json')]);
    return 'compactions/x.json';
  },
  'what a host said is missing': (lake) => {
    rmSync(path.join(lake, 'hosts/web1.json'));
    return 'hosts/web1.json';
  },
  'what a host said is of another host': (lake) => {
    copyFileSync(path.join(lake, 'hosts/web2.json'), path.join(lake, 'hosts/web1.json'));
    return /it is of another host/;
  },
  'what a host said is of another lake': (lake) => {
    copyFileSync(path.join(elsewhere, 'hosts/web1.json'), path.join(lake, 'hosts/web1.json'));
    return /hosts\/web1.json.*it is of another lake/;
  },
  'what a host said was edited': (lake) => {
    const file = path.join(lake, 'hosts/web1.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"host":"web1"', '"host":"web9"'));
    return 'hosts/web1.json';
  },
};

/** What is noticed by the same means as another one. */
const LIKE_ANOTHER = [
  'a file stands under another day too',
  'a file is empty',
  'a file holds what another one holds',
  'a folder stands in the place of a file',
  'the receipt of a batch in the midst is missing',
  'a receipt was made pretty',
  'a receipt is empty',
  'a receipt is of another lake',
  'a receipt was forged to have a call less of a kind',
  'a receipt was forged to have calls of another kind',
  'a compaction is a pipe',
  'what a host said is of another lake',
];

const mentions = (said: readonly string[], what: string | RegExp) =>
  said.some((one) => (typeof what === 'string' ? one.includes(what) : what.test(one)));

function copyOf(lake: string): string {
  const copy = path.join(newFolder(), 'lake/');
  cpSync(lake, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

test('a sound lake is clear, a violation fires', async () => {
  expect(await alarm(sound)).toEqual({ code: 0, said: [], codes: [], rows: 0 });
  expect(await alarm(violated)).toMatchObject({ code: 1, said: [], rows: 1 });
});

describe('damage', () => {
  test.each(exceptByDay(Object.entries(DAMAGES), LIKE_ANOTHER))(
    '%s: never clear, and named with a remedy',
    async (_, damage) => {
      const lake = copyOf(sound);
      const named = await damage(lake);
      const { code, said, codes } = await alarm(lake);
      expect([2, 3], said.join('\n')).toContain(code);
      expect(mentions(said, named), `${named} in\n${said.join('\n')}`).toBe(true);
      expect(said.filter((one) => !/→ \S|"next":"\w/.test(one))).toEqual([]);
      if (codes.length > 0) expect(codes).toContain('damaged_lake');
    },
  );

  test('a violation beside damage fires', async () => {
    const lake = copyOf(violated);
    const [first] = batchesOf(lake);
    flip(dataAt(lake, first), 40);
    const { code, codes, rows } = await alarm(lake);
    expect({ code, codes, rows }).toEqual({ code: 1, codes: ['damaged_lake'], rows: 1 });
  });

  test('what rejects hide is not settled by a receipt that was forged to have others', async () => {
    const lake = copyOf(sound);
    const logs = writeHostLogs(newFolder(), 'web3', { 'a.jsonl': lines(call(), VIOLATION.slice(0, 20)) });
    await publish(lake, 'web3', logs);
    expect(await alarm(lake)).toMatchObject({ code: 3, codes: ['rejects'] });
    const third = receiptsIn(lake).find(({ host }) => host === 'web3')!;
    forge(lake, third, ({ rejects }) => {
      rejects[0]!.blocks = false;
    });
    const { code, codes } = await alarm(lake);
    expect({ code, codes }).toMatchObject({ code: 3, codes: expect.arrayContaining(['damaged_lake']) });
  });

  test('questions that are no gates end with 3', async () => {
    const lake = copyOf(sound);
    rmSync(dataAt(lake, batchesOf(lake)[0]));
    for (const args of [['first-shot-rate'], ['query', 'SELECT COUNT(*) FROM sessions'], ['validate']]) {
      const { code } = await lakelog([...args, '--lake', lake], { now: () => NOW });
      expect([args[0], code]).toEqual([args[0], 3]);
    }
  });
});

describe('a lake that changes while it is asked', () => {
  const asked = (lake: string) =>
    openLake({
      ...runOptions({ now: NOW }),
      asks: ['SELECT session_id FROM sessions'],
      gatedKinds: ['fill'],
      params: {},
      lake: lakeUse(lake),
    });

  const CHANGES: [string, (lake: string) => void][] = [
    ['a file is touched', (lake) => flip(dataAt(lake, batchesOf(lake)[0]), 40)],
    ['a file is gone', (lake) => rmSync(dataAt(lake, batchesOf(lake)[2]))],
    ['a receipt is gone', (lake) => rmSync(receiptAt(lake, batchesOf(lake)[0]))],
  ];

  test.each(byDay(CHANGES, 2))('%s: told afterwards', async (_, change) => {
    const copy = copyOf(sound);
    const lake = await asked(copy);
    try {
      const account = await lake.load([]);
      expect(account.problems).toEqual([]);
      change(copy);
      const { problems } = await lake.afterwards(account);
      expect(problems.map(({ detail }) => detail)).toEqual(['the lake changed while it was asked']);
    } finally {
      lake.close();
    }
  });

  test('a batch that comes meanwhile is of the next run', async () => {
    const copy = copyOf(sound);
    const lake = await asked(copy);
    try {
      const account = await lake.load([]);
      await publish(copy, 'web3', writeHostLogs(newFolder(), 'web3', { 'sessions.jsonl': lines(VIOLATION) }));
      expect((await lake.afterwards(account)).problems).toEqual([]);
      expect((await lake.query('SELECT COUNT(*) FROM sessions')).cells).toEqual([[5]]);
    } finally {
      lake.close();
    }
  });
});

test('what is published twice, by whomever, is there once', async () => {
  const lake = path.join(newFolder(), 'lake/');
  const logs = newFolder();
  const same = { 'sessions.jsonl': lines(...GOOD, ...MORE) };
  await publish(lake, 'web1', writeHostLogs(logs, 'web1', same));
  const before = filesIn(lake);
  const account = await publish(lake, 'web9', writeHostLogs(logs, 'web9', same));
  expect(filesIn(lake)).toEqual(before);
  expect(account.lake).toMatchObject({ new_bytes: 0 });
  const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW });
  expect(ran.code).toBe(0);
  expect(envelope(ran).verdict!.notices.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/stands on web1 and web9, and is one log/),
  );
  expect(envelope(ran).receipt.totals).toMatchObject({ lines: 5, loaded: 5, duplicates: 0 });
});

test('lines that two hosts published in other byte ranges are duplicates, with true counts', async () => {
  const lake = path.join(newFolder(), 'lake/');
  const logs = newFolder();
  await publish(lake, 'web1', writeHostLogs(logs, 'web1', { 'sessions.jsonl': lines(...GOOD, VIOLATION) }));
  const other = lines(GOOD[2]!, VIOLATION, ...MORE);
  await publish(lake, 'web2', writeHostLogs(logs, 'web2', { 'sessions.jsonl': other }));
  const { code, rows } = await alarm(lake);
  expect({ code, rows }).toEqual({ code: 1, rows: 1 });
  const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW });
  const { totals, calls_loaded } = envelope(ran).receipt;
  expect({ ...totals, calls_loaded }).toMatchObject({ lines: 8, loaded: 6, duplicates: 2, calls_loaded: 5 });
});

test('a call_id in the logs of two hosts is a conflict, whichever batch came first', async () => {
  const lake = path.join(newFolder(), 'lake/');
  const logs = newFolder();
  const twin = call({ timestamp: '2025-06-09T08:00:00Z', call_id: 'a1' });
  await publish(lake, 'web1', writeHostLogs(logs, 'web1', { 'sessions.jsonl': lines(...GOOD) }));
  await publish(lake, 'web2', writeHostLogs(logs, 'web2', { 'sessions.jsonl': lines(twin) }));
  const { code, codes } = await alarm(lake);
  expect({ code, codes }).toEqual({ code: 3, codes: ['conflicts'] });
});
