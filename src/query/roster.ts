/** Which roster stamps are checked against, and what it said of the calls that were asked about. */
import { LakelogError } from '../errors.js';
import type { Lake, RosterRequest } from '../lake/lake.js';
import type { Recomputed } from '../schema/result.js';
import { POLICY } from './policy.js';
import type { Settings } from './settings.js';

export interface RosterFlags {
  readonly roster?: string;
  readonly rosterColumn?: string;
  readonly rosterActiveColumn?: string;
}

/**
 * The roster that somebody named; null: stamps are believed.
 * @throws LakelogError (exit 2) for columns of no roster.
 */
export function namedRoster(settings: Settings): RosterRequest | null {
  const path = settings.get('roster');
  const idColumn = settings.get('roster_column');
  const activeColumn = settings.get('roster_active_column');
  if (path !== undefined) {
    // Empty: there is no such column.
    const columns = { idColumn, activeColumn: activeColumn === '' ? null : activeColumn };
    return { path, from: settings.fromOf('roster'), ...columns };
  }
  const sources = [settings.sourceOf('roster_column'), settings.sourceOf('roster_active_column')];
  if (!sources.includes('flag')) return null;
  throw new LakelogError('a column was named, and no roster', {
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
