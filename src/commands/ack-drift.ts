/** Taking note of a fall: what `lakelog drift` found is settled, and a new epoch begins with it. */
import { LakelogError } from '../errors.js';
import { instant } from '../gate/words.js';
import type { Lake } from '../lake/lake.js';
import { conditionOf, type Queries, rowsOf } from '../query/arms.js';
import { DUCKDB_LITERALS } from '../query/decision-sql.js';
import { isSliding, parseDriftTarget, selectionText } from '../query/selection.js';
import type { Subject } from './ack-target.js';

/** What must be read for it. */
export const driftAsks = (queries: Queries): string[] => [queries.get('first-since')!.widest];

/**
 * The drift that a target names, with the first call of its epoch.
 * @throws LakelogError (exit 2) where no call stands before it, or none since.
 */
export async function driftAt(target: string, lake: Lake, queries: Queries): Promise<Subject> {
  const { metric, change, selection } = parseDriftTarget(target);
  if (isSliding(change)) {
    throw new LakelogError(`change=${change} slides: an epoch begins at a moment`, {
      next: 'name the moment that `lakelog drift` printed',
    });
  }
  const changed_at = instant((await lake.windowOf(change, undefined, ['change', ''])).since!);
  const arm = conditionOf({ selection, between: { since: null, until: null } });
  const filling = { arm, change: DUCKDB_LITERALS.instant(changed_at) };
  const [first] = await rowsOf(lake, queries.get('first-since')!, filling);
  if (first === undefined || Number(first.earlier) === 0) {
    throw new LakelogError(
      first === undefined
        ? `there is no such call since ${changed_at}, so nothing fell then`
        : `there is no such call before ${changed_at}, so nothing can have fallen then`,
      { next: 'paste the target as `lakelog drift` prints it, and name the same logs' },
    );
  }
  const place = { file: String(first.file), line: Number(first.line) };
  const [call] = await lake.calls(place);
  const { call_key, line_sha256 } = call!;
  const of = selectionText(selection);
  return { what: 'drift', metric, changed_at, selection: of, call_key, line_sha256, ...place };
}
