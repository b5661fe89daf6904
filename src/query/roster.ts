/** Which roster stamps are checked against, and what it said of the calls that were asked about. */
import { LakelogError } from '../errors.js';
import type { Lake, RosterRequest } from '../lake/lake.js';
import type { Recomputed } from '../schema/result.js';
import { POLICY, readPolicy } from './policy.js';

export interface RosterFlags {
  readonly roster?: string;
  readonly rosterColumn?: string;
  readonly rosterActiveColumn?: string;
}

/**
 * The roster that somebody named: --roster, else LAKELOG_ROSTER, else the policy; null: stamps are believed.
 * @throws LakelogError (exit 2) for columns of no roster.
 */
export async function namedRoster(
  flags: RosterFlags,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<RosterRequest | null> {
  const policy = await readPolicy(cwd);
  const [path, from] = flags.roster
    ? [flags.roster, 'arguments']
    : env.LAKELOG_ROSTER
      ? [env.LAKELOG_ROSTER, 'environment (LAKELOG_ROSTER)']
      : [policy.roster, `config (${POLICY})`];
  const idColumn = flags.rosterColumn ?? policy.rosterColumn;
  const activeColumn = flags.rosterActiveColumn ?? policy.rosterActiveColumn;
  if (path !== undefined) {
    // Empty: there is no such column.
    return { path, from, idColumn, activeColumn: activeColumn === '' ? null : activeColumn };
  }
  if (
    flags.roster === undefined &&
    flags.rosterColumn === undefined &&
    flags.rosterActiveColumn === undefined
  )
    return null;
  throw new LakelogError(flags.roster === '' ? '--roster is empty' : 'a column was named, and no roster', {
    next: `name the roster: --roster roster.csv (or LAKELOG_ROSTER, or roster in ${POLICY})`,
  });
}

/** Whether there is anything in SQL that a roster changes. */
export const asksRoster = (sql: string): boolean => /\broster_check\b|\bphantoms\b/i.test(sql);

/** What the receipt tells; few rows: by outcome, stamp and roster. */
export const RECOMPUTED_SQL = `SELECT s.roster_check, s.grounded_in_roster, s.roster_hash, COUNT(*) AS calls
FROM sessions s
WHERE s.roster_check IS NOT NULL
GROUP BY s.roster_check, s.grounded_in_roster, s.roster_hash`;

/** Of the selected calls; null where there is no roster. Needs RECOMPUTED_SQL among what is asked. */
export async function recomputedIn(lake: Lake): Promise<Recomputed | null> {
  const { rosters } = lake;
  if (rosters === null) return null;
  const { cells } = await lake.query(RECOMPUTED_SQL);
  const rows = cells.map(([check, stamp, hash, calls]) => ({ check, stamp, hash, calls: Number(calls) }));
  type Row = (typeof rows)[number];
  const sum = (fits: (row: Row) => boolean) =>
    rows.reduce((total, row) => total + (fits(row) ? row.calls : 0), 0);
  const of = (outcome: string) => sum(({ check }) => check === outcome);
  const { only } = rosters;
  return {
    roster: rosters.request.path,
    from: rosters.request.from,
    hash: only?.hash ?? null,
    workers: only?.workers.size ?? null,
    right: of('right'),
    wrong: of('wrong'),
    not_at_hand: of('not_at_hand'),
    hashed: of('hashed'),
    unread: of('unread'),
    nobody: of('nobody'),
    contradicted: sum(({ check, stamp }) => check === 'wrong' && stamp === true),
    other_roster: only === null ? 0 : sum(({ hash }) => hash !== null && hash !== only.hash),
  };
}
