/** Gates end over Trino as they do over the folder, and no damage is ever clear there. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tempFile, tempFolder } from '../../support/lake.js';
import {
  askFolder,
  asks,
  askTrino,
  cluster,
  fill,
  fixture,
  folderOf,
  queriesOf,
  statement,
  type Told,
  toldBy,
  trinoOf,
  untilActive,
} from './world.js';

beforeAll(async () => {
  await untilActive();
  await fill('healthy', { web1: fixture('healthy') });
  await fill('alarm', { web2: fixture('alarm') });
});

const ALARM = ['alarm', '--json', '--gated-kind', 'fill'] as const;

test.each([
  ['healthy', 0],
  ['alarm', 1],
])('fixtures/%s: alarm ends with %i, with the account of the folder', async (name, code) => {
  const [there, here] = [await askTrino(name, ALARM), await askFolder(name, ALARM)];
  expect([there.code, here.code], there.stderr).toEqual([code, code]);
  const [a, b] = [toldBy(there), toldBy(here)];
  expect(a.rows).toEqual(b.rows);
  for (const part of [
    'calls',
    'kinds',
    'judged',
    'files',
    'rejects',
    'conflicts',
    'gaps',
    'canary',
    'window',
  ])
    expect(a.receipt[part], part).toEqual(b.receipt[part]);
  for (const how of ['fired', 'cannot_vouch', 'notices'] as const)
    expect(a.verdict[how].map(({ code: one, message }) => [one, message])).toEqual(
      b.verdict[how].map(({ code: one, message }) => [one, message]),
    );
});

interface Parts {
  readonly folder: string;
  /** Of calls, by day. */
  readonly files: readonly string[];
  readonly receipts: readonly string[];
}

function partsOf(name: string): Parts {
  const folder = folderOf(name);
  const within = (dir: string, end: string) =>
    (readdirSync(path.join(folder, dir), { recursive: true, encoding: 'utf8' }) as string[])
      .filter((one) => one.endsWith(end))
      .sort()
      .map((one) => path.join(folder, dir, one));
  return { folder, files: within('base_calls', '.parquet'), receipts: within('batches', '.json') };
}

/** Of the batch that a file of calls belongs to. */
const receiptOf = (file: string, { folder }: Parts) =>
  path.join(folder, 'batches', path.basename(file).replace('.parquet', '.json'));

type Damage = readonly [what: string, spoil: (parts: Parts) => void, words: RegExp];

const MISSING: Damage = [
  'a file is missing',
  ({ files }) => rmSync(files[0]!),
  /has rows \d+ in base_calls, and its receipt says/,
];

const MORE: readonly Damage[] = [
  [
    'a file is cut',
    ({ files: [file] }) => writeFileSync(file!, readFileSync(file!).subarray(0, statSync(file!).size >> 1)),
    /Trino failed: HIVE_\w+: .*parquet/i,
  ],
  [
    'a file stands there twice',
    ({ files: [file] }) => cpSync(file!, file!.replace('.parquet', 'x.parquet')),
    /has rows \d+ in base_calls, and its receipt says/,
  ],
  [
    "a file has another's content",
    ({ files }) => writeFileSync(files[0]!, readFileSync(files[1]!)),
    /has (rows|line) \d+ in base_calls, and its receipt says/,
  ],
  [
    'a receipt has no rows',
    ({ files, folder }) => {
      const batch = path.basename(files[0]!);
      for (const one of readdirSync(folder, { recursive: true, encoding: 'utf8' }) as string[])
        if (path.basename(one) === batch) rmSync(path.join(folder, one));
    },
    /has rows 0 in base_calls, and its receipt says/,
  ],
  [
    'rows have no receipt',
    (parts) => rmSync(receiptOf(parts.files[0]!, parts)),
    /there are rows of batch \S+ and no receipt of it/,
  ],
  [
    'a receipt is edited',
    (parts) => {
      const receipt = receiptOf(parts.files[0]!, parts);
      writeFileSync(receipt, readFileSync(receipt, 'utf8').replace(/"loaded":\d+/, '"loaded":1'));
    },
    /the receipt cannot be believed: it was edited/,
  ],
  [
    'a receipt stands there twice, once edited',
    ({ receipts: [receipt] }) =>
      writeFileSync(
        receipt!.replace('.json', 'x.json'),
        readFileSync(receipt!, 'utf8').replace(/"loaded":\d+/, '"loaded":1'),
      ),
    /the receipt of batch \S+ stands there twice, and says different things/,
  ],
  [
    'a receipt is of another lake',
    ({ folder }) => {
      const other = partsOf(folder === folderOf('alarm') ? 'healthy' : 'alarm').receipts[0]!;
      cpSync(other, path.join(folder, 'batches', path.basename(other)));
    },
    /the receipt cannot be believed: it is of another lake/,
  ],
];

describe('damage', () => {
  const kept = `${path.join(cluster.lakes, 'kept')}/`;
  let spoilt: string | null = null;
  afterEach(() => {
    if (spoilt === null) return;
    rmSync(spoilt, { recursive: true });
    cpSync(kept, spoilt, { recursive: true });
    rmSync(kept, { recursive: true });
    spoilt = null;
  });
  const lakes = cluster.isFull ? ['healthy', 'alarm'] : ['healthy'];
  const all = cluster.isFull ? [MISSING, ...MORE] : [MISSING];
  test.each(lakes.flatMap((name) => all.map(([what, ...rest]) => [name, what, ...rest] as const)))(
    '%s: %s',
    async (name, _, spoil, words) => {
      spoilt = folderOf(name);
      cpSync(spoilt, kept, { recursive: true });
      spoil(partsOf(name));
      const ran = await askTrino(name, ALARM);
      const failed = ran.stdout === '';
      const told = failed ? ran.stderr : JSON.stringify(toldBy(ran).verdict);
      expect(told).toMatch(words);
      const shows = !failed && toldBy(ran).rows.length > 0;
      expect(ran.code, told).toBe(shows ? 1 : 3);
      if (name === 'healthy') expect(ran.code).toBe(3);
    },
  );
});

describe.runIf(cluster.isFull)('a log that two hosts publish', () => {
  const [sessions] = fixture('healthy');
  const lines = readFileSync(sessions!, 'utf8').split('\n');

  test('byte for byte is one batch: clear, with what the folder says', async () => {
    await fill('same', { web1: [sessions!], web2: [sessions!] });
    const [there, here] = [await askTrino('same', ALARM), await askFolder('same', ALARM)];
    expect(there.code, there.stderr).toBe(0);
    expect(toldBy(there).receipt.totals).toMatchObject({ duplicates: 0 });
    const notices = ({ verdict }: Told) => verdict.notices.map(({ code, message }) => [code, message]);
    expect(notices(toldBy(there))).toEqual(notices(toldBy(here)));
    expect(notices(toldBy(there))).not.toEqual([]);
  });

  test('in other byte ranges: what both have are duplicates, by their true number', async () => {
    const part = tempFile(lines.slice(3, 23).join('\n').concat('\n'));
    await fill('parts', { web1: [sessions!], web2: [part] });
    const [there, here] = [await askTrino('parts', ALARM), await askFolder('parts', ALARM)];
    const [a, b] = [toldBy(there), toldBy(here)];
    expect(there.code, there.stderr).toBe(here.code);
    expect(a.receipt.totals).toMatchObject({ duplicates: 20 });
    expect(a.receipt.totals).toEqual(b.receipt.totals);
    expect(a.receipt.calls_loaded).toBe(b.receipt.calls_loaded);
  });
});

test.runIf(cluster.isFull)('report writes the page that it writes of the folder', async () => {
  const page = path.join(tempFolder(), 'page.html');
  const pageOf = async (lake: string) => {
    const { code, stderr } = await asks(['report', '-o', page, '--since', '2026-08-01', '--lake', lake]);
    expect([0, 1], stderr).toContain(code);
    return { code, html: readFileSync(page, 'utf8').replaceAll(lake, 'LAKE') };
  };
  expect(await pageOf(trinoOf('alarm'))).toEqual(await pageOf(folderOf('alarm')));
});

test('whoever asks may do nothing but SELECT from the tables that lakelog reads', async () => {
  await statement('CREATE TABLE healthy.others AS SELECT 1 AS one');
  const refused = [
    'SELECT * FROM healthy.others',
    'CREATE TABLE healthy.more AS SELECT 1 AS one',
    'INSERT INTO healthy.base_seqs SELECT * FROM healthy.base_seqs',
    'DELETE FROM healthy.base_calls',
    'DROP TABLE healthy.base_calls',
    `CALL system.sync_partition_metadata('healthy', 'base_calls', 'FULL')`,
    `SET SESSION hive.timestamp_precision = 'MICROSECONDS'`,
  ];
  for (const sql of refused) await expect(statement(sql, 'ci'), sql).rejects.toThrow(/PERMISSION_DENIED/);
  // All that was asked above.
  const sent = (await queriesOf('lakelog')).filter(({ session: { user } }) => user === 'ci');
  expect(sent.length).toBeGreaterThan(5);
  // What cannot be understood, or was refused before it was, has no type.
  for (const { queryType } of sent) expect(['SELECT', undefined]).toContain(queryType);
});
