import type { Readable } from 'node:stream';
import { LakelogError } from '../errors.js';
import type { InputRequest } from '../lake/input/index.js';
import {
  CALLS_SQL,
  type Filters,
  type Lake,
  type LakeOptions,
  MATCHES_ACKS,
  openLake,
} from '../lake/lake.js';
import type { Account } from '../schema/account.js';
import type { Cell, Receipt, Result } from '../schema/result.js';
import type { Query } from './header.js';
import type { BoundParams } from './params.js';
import { WITH_ROSTER } from './question.js';
import { RECOMPUTED_SQL, recomputedIn } from './roster.js';
import { sqlError } from './sql-error.js';

export interface RunOptions {
  readonly filters: Filters;
  readonly showContent: boolean;
  readonly maxLineBytes: number;
  readonly pendingGraceS: number;
  readonly rotationGraceS: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: Date;
  readonly stdin: Readable;
  /** The acknowledgements that somebody named. */
  readonly acks?: string | undefined;
  /** What stamps are checked against; null: they are believed. */
  readonly roster?: LakeOptions['roster'];
  readonly threads?: LakeOptions['threads'];
  readonly lake?: LakeOptions['lake'];
  /** Acknowledgements will be matched with what is loaded. */
  readonly matchesAcks?: boolean;
  readonly alsoColumns?: readonly string[];
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A question with its parameters, ready to be put to one set of lines after another. */
export interface Session {
  /** Loads files and answers. */
  ask(requests: readonly InputRequest[]): Promise<Answer>;
  /** Loads the given lines through the same code and answers with the same SQL, beside the files. */
  askLines(name: string, lines: string): Promise<Result>;
  readonly lake: Lake;
}

export interface Answer {
  readonly account: Account;
  readonly result: Result;
  /** Calls that the gate judged; null for a question that is no gate. */
  readonly judged: number | null;
  /** Selected calls of the kinds that the SQL holds for gated; null for a question that is no gate. */
  readonly gated: number | null;
  readonly recomputed: Receipt['recomputed'];
}

export async function openSession(query: Query, params: BoundParams, options: RunOptions): Promise<Session> {
  const lake = await openLake({
    asks: [
      query.sql,
      ...(query.gate ? [judgedSql(query.gate.judges)] : []),
      ...(options.matchesAcks ? [CALLS_SQL] : []),
      ...(options.roster ? [RECOMPUTED_SQL] : []),
    ],
    ...(options.matchesAcks ? MATCHES_ACKS : {}),
    gatedKinds: params.gatedKinds,
    params: params.columns,
    ...options,
  });
  const answer = async (account: Account): Promise<Answer> => ({
    account,
    result: await run(lake, query, params),
    ...(query.gate ? await count(lake, query.gate.judges, query.file) : { judged: null, gated: null }),
    recomputed: await recomputedIn(lake),
  });
  return {
    lake,
    ask: async (requests) => answer(await lake.load(requests)),
    askLines: async (name, lines) => {
      const beside = await lake.beside();
      try {
        await beside.loadText(name, lines);
        return await run(beside, query, params);
      } finally {
        beside.close();
      }
    },
  };
}

async function run(lake: Lake, query: Query, params: BoundParams): Promise<Result> {
  const rows = await lake.query(query.sql).catch((error) => {
    throw sqlError(query.file, error);
  });
  const named = query.columns.map((column) => ({ column, at: rows.names.indexOf(column.name) }));
  const missing = named.find(({ at }) => at < 0);
  if (missing || rows.names.length !== query.columns.length) {
    throw new LakelogError(
      `the header names ${query.columns.map((column) => column.name).join(', ')}; the SELECT yields ${rows.names.join(', ')}`,
      { where: query.file, next: 'make the column lines of the header and the SELECT agree' },
    );
  }
  const shown = named.filter(
    ({ column: { when } }) =>
      when === undefined || (when === WITH_ROSTER ? lake.rosters !== null : params.columns[when] === true),
  );
  return {
    columns: shown.map(({ column: { when: _, ...column } }) => column),
    rows: rows.cells.map((row) => shown.map(({ at }) => row[at] as Cell)),
  };
}

async function count(lake: Lake, judges: string, file: string): Promise<{ judged: number; gated: number }> {
  try {
    const { cells } = await lake.query(judgedSql(judges));
    const [judged, gated] = cells[0] as [number, number];
    return { judged, gated };
  } catch (error) {
    throw sqlError(file, error);
  }
}

/** Conditions of their own, because the engine passes over what a WHERE leaves out; that of the gate may end in a comment. */
export const judgedSql = (judges: string) =>
  `SELECT (SELECT COUNT(*) FROM sessions WHERE (${judges}\n)), (SELECT COUNT(*) FROM sessions WHERE gated)`;
