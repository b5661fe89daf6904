/** The SQL of decisions: files of `queries/decisions/`, whose slots take what is selected. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { quote } from '../lake/duckdb/sql.js';
import { fillSlots } from '../lake/lake.js';
import { readCatalogue } from './catalogue.js';
import type { Query } from './question.js';
import { type Literals, selectionSql, WIDEST, WIDEST_BETWEEN } from './selection.js';

export const DUCKDB_LITERALS: Literals = { quote, instant: (time) => `TIMESTAMPTZ ${quote(time)}` };

/** What stands in the slots, by their names. */
export type Filling = Readonly<Record<string, string>>;

export interface DecisionQuery extends Query {
  /** For the lake: reads whatever the filled ones may. */
  readonly widest: string;
}

const EVERYTHING = selectionSql(WIDEST, WIDEST_BETWEEN, DUCKDB_LITERALS);

const WIDEST_FILLING: Filling = {
  change: DUCKDB_LITERALS.instant('2000-01-01T00:00:00Z'),
  version: 'COALESCE(s.prompt_version, s.validator_version, s.response_model, s.model)',
  failed: "COALESCE(s.first_shot, FALSE) = FALSE AND s.final_verdict <> 'accepted'",
  epoch: `r.ended >= ${DUCKDB_LITERALS.instant('2000-01-01T00:00:00Z')}`,
};

/** By name; they are no subcommands, since the commands that ask them are. */
export function decisionQueries(packageRoot: string): ReadonlyMap<string, DecisionQuery> {
  const all = readCatalogue(path.join(packageRoot, 'queries', 'decisions'));
  return new Map(all.map((query) => [query.name, { ...query, widest: widestOf(query.sql) }]));
}

/** @throws Error for a slot that nothing fills. */
export function filled(sql: string, filling: Filling): string {
  return fillSlots(sql, (name) => {
    const text = filling[name];
    if (text === undefined) throw new Error(`nothing fills {{${name}}}`);
    return text;
  });
}

/** Conditions read every column that a selection may name, a version is one of four, an instant is some. */
const widestOf = (sql: string) => fillSlots(sql, (name) => WIDEST_FILLING[name] ?? EVERYTHING);

/** Of what ran: the files, whatever fills them. */
export const sha256Of = (queries: readonly Query[]): string =>
  createHash('sha256')
    .update(queries.map(({ sql }) => sql).join('\n'))
    .digest('hex');
