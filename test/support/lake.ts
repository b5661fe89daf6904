import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { InputRequest } from '../../src/lake/input/index.js';
import { type Filters, type Lake, NO_FILTERS, openLake } from '../../src/lake/lake.js';
import { readCatalogue } from '../../src/query/catalogue.js';
import { bindParams, type Given } from '../../src/query/params.js';
import { type Answer, openSession, type Question, type RunOptions } from '../../src/query/run.js';
import type { Cell } from '../../src/schema/result.js';

export const root = path.resolve(import.meta.dirname, '../..');
export const catalogue = readCatalogue(path.join(root, 'queries'));

export function runOptions(options: Partial<RunOptions> = {}): RunOptions {
  return {
    filters: NO_FILTERS,
    showContent: false,
    maxLineBytes: 16_777_216,
    pendingGraceS: 0,
    rotationGraceS: 3_600,
    cwd: root,
    env: {},
    now: new Date('2026-10-01T00:00:00Z'),
    stdin: Readable.from([]),
    ...options,
  };
}

/** Opens a lake that can answer `sql`, loads the inputs, and hands it over. */
export async function withLake<T>(
  sql: string,
  requests: readonly InputRequest[],
  use: (lake: Lake, account: Awaited<ReturnType<Lake['load']>>) => Promise<T>,
  options: Partial<RunOptions> & { gatedKinds?: readonly string[] } = {},
): Promise<T> {
  const { gatedKinds = ['fill'], ...rest } = options;
  const run = runOptions(rest);
  const lake = await openLake({
    ...run,
    asks: sql.split(';').filter((one) => one.trim() !== ''),
    everyReject: true,
    gatedKinds,
    params: {},
  });
  try {
    return await use(lake, await lake.load(requests));
  } finally {
    lake.close();
  }
}

export async function rowsOf(lake: Lake, sql: string): Promise<Record<string, Cell>[]> {
  const { names, cells } = await lake.query(sql);
  return cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]!])));
}

/** Puts a question of the catalogue to files. */
export async function ask(
  name: string,
  requests: readonly InputRequest[],
  given: Given = {},
  { money = null, ...options }: Partial<RunOptions> & Pick<Question, 'money'> = {},
): Promise<Answer> {
  const query = catalogue.find((candidate) => candidate.name === name)!;
  const question = { query, params: bindParams(query, given), money };
  const session = await openSession([question], runOptions(options));
  try {
    return await session.answer(question, await session.lake.load(requests));
  } finally {
    session.lake.close();
  }
}

export function asObjects({ result }: Answer): Record<string, Cell>[] {
  return result.rows.map((row) =>
    Object.fromEntries(result.columns.map((column, i) => [column.name, row[i]!])),
  );
}

/** Filters as the command line gives them. */
export function filtersFrom(filters: {
  since?: number;
  until?: number;
  tz?: string;
  model?: readonly string[];
  kind?: readonly string[];
  daemon?: readonly string[];
  environment?: readonly string[];
}): Filters {
  const { since, until, tz = 'UTC', model = [], kind = [], daemon = [], environment = [] } = filters;
  return {
    since: since === undefined ? undefined : new Date(since).toISOString(),
    until: until === undefined ? undefined : new Date(until).toISOString(),
    tz,
    model,
    kind,
    daemon,
    environment,
  };
}

export function tempFolder(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'lakelog-test-'));
}

export function tempFile(content: Buffer | string, name = 'sessions.jsonl'): string {
  const file = path.join(tempFolder(), name);
  writeFileSync(file, content);
  return file;
}

/** Fractions may differ in the last bits, everything else not at all. */
export function rounded(rows: readonly object[]): unknown {
  return JSON.parse(
    JSON.stringify(rows, (_, value) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(11)) : value,
    ),
  );
}
