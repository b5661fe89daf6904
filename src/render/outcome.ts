import type { Report } from './report.js';
import { sanitize } from './sanitize.js';
import { plural } from './units.js';

/** What came of it in half a sentence: `judged 412 calls, no violation`. */
export function outcomeOf({ verdict, receipt, result, outcome }: Report): string {
  if (verdict === undefined) return plural(result.rows.length, 'row');
  if (outcome !== undefined) return sanitize(outcome);
  const { calls = 0, rejects = 0, conflicts = 0 } = receipt.acknowledged ?? {};
  const settled = calls + rejects + conflicts;
  const acknowledged = settled === 0 ? '' : `, ${settled} acknowledged`;
  const judged = `judged ${plural(receipt.judged ?? 0, 'call')}`;
  const doubts = verdict.cannot_vouch.length;
  const say = {
    clear: ', no violation',
    fired: `, found violations${doubts === 0 ? '' : ' and cannot vouch for the rest'}`,
    cannot_vouch: `, cannot vouch (${plural(doubts, 'reason')})`,
  };
  return judged + say[verdict.status] + acknowledged;
}
