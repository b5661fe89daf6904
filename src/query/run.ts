import type { Readable } from 'node:stream';
import { LakelogError } from '../errors.js';
import {
  CALLS_SQL,
  type Filters,
  judgedSql,
  type Lake,
  type LakeOptions,
  MATCHES_ACKS,
} from '../lake/lake.js';
import type { Account } from '../schema/account.js';
import type { Cell, Receipt, Result } from '../schema/result.js';
import type { Query } from './header.js';
import { intervalOf, yieldedColumns } from './intervals.js';
import { costOf, judgeWorth, type Money, paidColumns } from './money.js';
import { openAnyLake } from './open.js';
import type { BoundParams } from './params.js';
import { type QueryColumn, WITH_ROSTER } from './question.js';
import { asksRoster, RECOMPUTED_SQL, recomputedIn } from './roster.js';
import { DEFAULT_GATED_KINDS } from './settings.js';
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

/** A question with its parameters. */
export interface Question {
  readonly query: Query;
  readonly params: BoundParams;
  /** What tokens cost; null: nobody asked. */
  readonly money?: Money | null;
}

/** One lake for several questions, ready to be put to one set of lines after another. */
export interface Session {
  readonly lake: Lake;
  /** Of one question after another. */
  answer(question: Question, account: Account): Promise<Answer>;
  /** Loads the given lines through the same code and answers with the same SQL, beside the files. */
  askLines(question: Question, name: string, lines: string): Promise<Result>;
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

/** @param also SQL beside that of the questions. */
export async function openSession(
  questions: readonly Question[],
  options: RunOptions,
  also: readonly string[] = [],
): Promise<Session> {
  const [first] = questions;
  const lake = await openAnyLake({
    asks: [
      ...questions.flatMap(({ query: { sql, gate } }) => [sql, ...(gate ? [judgedSql(gate.judges)] : [])]),
      ...also,
      ...(options.matchesAcks ? [CALLS_SQL] : []),
      ...(options.roster ? [RECOMPUTED_SQL] : []),
    ],
    ...(options.matchesAcks ? MATCHES_ACKS : {}),
    gatedKinds: first?.params.gatedKinds ?? DEFAULT_GATED_KINDS,
    params: first?.params.columns ?? {},
    ...options,
  });
  return {
    lake,
    answer: async (question, loaded) => {
      const { query, params, money = null } = question;
      const account = questions.length === 1 ? loaded : await turnTo(lake, question, loaded);
      const answer = {
        result: await run(lake, query, params, money),
        ...(query.gate ? await count(lake, query.gate.judges, query.file) : { judged: null, gated: null }),
        recomputed: asksRoster(query.sql) ? await recomputedIn(lake) : null,
      };
      return { ...answer, account: await lake.afterwards(account) };
    },
    askLines: async ({ query, params, money = null }, name, lines) => {
      const own = { params: params.columns, gatedKinds: params.gatedKinds, sql: query.sql };
      const beside = await lake.planted(name, lines, own);
      try {
        return await run(beside, query, params, money);
      } finally {
        beside.close();
      }
    },
  };
}

/** Makes the lake what it would be if it had been opened for this question alone. */
async function turnTo(lake: Lake, { params }: Question, account: Account): Promise<Account> {
  await lake.setParams(params.columns);
  return lake.gate(params.gatedKinds, account);
}

async function run(
  lake: Pick<Lake, 'query' | 'askGate' | 'rosters'>,
  query: Query,
  params: BoundParams,
  money: Money | null,
): Promise<Result> {
  const asked = query.gate ? lake.askGate(query.sql) : lake.query(query.sql);
  const rows = await asked.catch((error) => {
    throw sqlError(query.file, error);
  });
  const { names } = rows;
  const yielded = yieldedColumns(query).map(({ name }) => name);
  if (yielded.some((name) => !names.includes(name)) || names.length !== yielded.length) {
    throw new LakelogError(`the header names ${yielded.join(', ')}; the SELECT yields ${names.join(', ')}`, {
      where: query.file,
      next: 'make the column lines of the header and the SELECT agree',
    });
  }
  const { empty } = paidColumns(query, money);
  const shown = shownColumns(query, params, lake.rosters !== null).filter(({ name }) => !empty.has(name));
  const columns = shown.map(({ when: _, ...column }) => column);
  if (yielded.length === query.columns.length) {
    const at = shown.map(({ name }) => names.indexOf(name));
    return { columns, rows: rows.cells.map((row) => at.map((i) => row[i] as Cell)) };
  }
  const filled = filledRows(query, rows, money);
  return { columns, rows: filled.map((cells) => shown.map(({ name }) => cells.get(name) as Cell)) };
}

export function shownColumns({ columns }: Query, params: BoundParams, hasRoster: boolean): QueryColumn[] {
  const holds = (when: string) => (when === WITH_ROSTER ? hasRoster : params.columns[when] === true);
  return columns.filter(({ when, hidden }) => !hidden && (when === undefined || holds(when)));
}

/** Cells by column: those of the SELECT and those that the header has filled. */
function filledRows(
  query: Query,
  { names, cells }: Awaited<ReturnType<Lake['query']>>,
  money: Money | null,
): Map<string, Cell>[] {
  const filled = cells.map((row) => {
    const own = new Map(names.map((name, i) => [name, row[i] as Cell]));
    const cellOf = (name: string) => own.get(name);
    for (const [name, end] of endsIn(query, cellOf)) own.set(name, end);
    if (money) for (const spec of query.money) own.set(spec.column, costOf(spec, cellOf, money.prices));
    return own;
  });
  if (money?.worth != null) for (const spec of query.worth) judgeWorth(spec, filled, money.worth);
  return filled;
}

/** Both ends of every interval of a row. */
function endsIn({ intervals, file }: Query, cellOf: (name: string) => Cell | undefined) {
  return new Map(
    intervals.flatMap((spec) => {
      const found = intervalOf(spec, cellOf, file);
      return [[spec.low, found?.low ?? null] as const, [spec.high, found?.high ?? null] as const];
    }),
  );
}

async function count(lake: Lake, judges: string, file: string): Promise<{ judged: number; gated: number }> {
  try {
    const [judged, gated] = (await lake.countJudged(judges)) as [number, number];
    return { judged, gated };
  } catch (error) {
    throw sqlError(file, error);
  }
}
