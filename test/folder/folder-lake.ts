/** Filling a folder lake in this process, and looking at its files. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportToFolder } from '../../src/lake/export.js';
import { openLake } from '../../src/lake/lake.js';
import type { Account } from '../../src/schema/account.js';
import type { BatchReceipt } from '../../src/schema/batch.js';
import { catalogue, runOptions, tempFolder } from '../support/lake.js';

export const NOW = new Date('2026-10-01T00:00:00Z');

export function lakeUse(name: string) {
  return { name, lockTimeoutS: 10, sync: true, keepContent: false, rebuild: false } as const;
}

export function publish(
  lake: string,
  host: string,
  paths: readonly string[],
  options: { readonly cwd?: string; readonly now?: Date; readonly keepContent?: boolean } = {},
): Promise<Account> {
  const { keepContent = false, ...rest } = options;
  return exportToFolder(
    paths.map((one) => ({ path: one, as: 'any' as const })),
    { ...runOptions({ now: NOW, ...rest }), use: { ...lakeUse(lake), keepContent }, host },
  );
}

/** Writes the logs of a host into a folder of their own. */
export function writeHostLogs(
  folder: string,
  host: string,
  logs: Readonly<Record<string, Buffer>>,
): string[] {
  const at = path.join(folder, host);
  mkdirSync(at, { recursive: true });
  return Object.entries(logs).map(([name, bytes]) => {
    const file = path.join(at, name);
    writeFileSync(file, bytes);
    return file;
  });
}

export const newLake = () => path.join(tempFolder(), 'lake/');

/** Each receipt once, whichever files hold it, in the order of their ids. */
export function receiptsIn(lake: string): BatchReceipt[] {
  const folder = path.join(lake, 'batches');
  const texts = readdirSync(folder).flatMap((name) =>
    readFileSync(path.join(folder, name), 'utf8').split('\n').filter(Boolean),
  );
  return [...new Set(texts)]
    .map((text) => JSON.parse(text) as BatchReceipt)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Names of all files that readers look at. */
export function filesIn(lake: string): string[] {
  return (readdirSync(lake, { recursive: true, encoding: 'utf8' }) as string[])
    .filter((name) => /\.(parquet|jsonl?)$/.test(name) && !/^(\.staging|\.locks|hosts)/.test(name))
    .sort();
}

/** `web1:/tmp/x/web1/sessions.jsonl@12345678` and `/tmp/x/web1/sessions.jsonl` are the same log. */
export const sameNames = (text: string) =>
  text.replace(/(?:[\w-]+:)?\/[^"\s|]*?\/([\w-]+)\/([\w.-]+?\.jsonl)(?:@[0-9a-f]{8})?/g, '$1/$2');

const SQL = [
  'SELECT * FROM sessions ORDER BY file, line',
  'SELECT * FROM attempts ORDER BY call_key, attempt_number',
  'SELECT * FROM attempt_reasons ORDER BY call_key, attempt_number, reason_number',
  'SELECT * FROM replay_documents ORDER BY file, line, position',
  'SELECT * FROM session_replays ORDER BY call_key, run_id',
  'SELECT * FROM rejects ORDER BY file, line',
  'SELECT * FROM files ORDER BY file',
];

/** All that a lake says. */
export async function saidBy(name: string): Promise<unknown> {
  const opened = await openLake({
    ...runOptions({ now: NOW }),
    asks: [...SQL, ...catalogue.map(({ sql }) => sql)],
    everyReject: true,
    gatedKinds: ['fill'],
    params: {},
    lake: lakeUse(name),
  });
  try {
    const { lake: _, ...account } = await opened.load([]);
    const rows = [];
    for (const sql of SQL) rows.push((await opened.query(sql)).cells);
    return { account, rows };
  } finally {
    opened.close();
  }
}
