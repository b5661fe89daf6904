/** What changed, for the page: each model against the window before, drift, and versions that came. */
import type { Lake } from '../lake/lake.js';
import { decisionQueries } from '../query/decision-sql.js';
import type { Mark } from '../render/page/charts.js';
import { plural } from '../render/units.js';
import type { Checked } from './check.js';
import type { Context } from './command.js';
import { COMPARE_QUERIES, compareOf } from './compare-decision.js';
import { decisionContext } from './decide.js';
import { answerDecision } from './deciding.js';
import { DRIFT_QUERIES, driftOf } from './drift-decision.js';
import { filtersOf } from './options.js';

/** Models that are compared, the most called first. */
const MOST_MODELS = 8;
/** Days that are marked on a trend. */
const MOST_MARKS = 8;
const USUAL = { metric: 'first-shot-rate', margin: 0.1, alpha: 0.025 } as const;

const MODELS_SQL = `SELECT s.model, COUNT(*) AS calls, MAX(s.timestamp) AS newest
FROM sessions s
GROUP BY s.model
ORDER BY calls DESC, s.model`;

const VERSIONS_SQL = `SELECT x.what, x.version, MIN(x.day) AS day
FROM (
  SELECT 'prompt' AS what, s.prompt_version AS version, s.day FROM sessions s
  UNION ALL
  SELECT 'validator' AS what, s.validator_version AS version, s.day FROM sessions s
) x
WHERE x.version IS NOT NULL
GROUP BY x.what, x.version
ORDER BY day, x.what, x.version`;

/** All SQL that a lake must be opened for. */
export function changesAsks(packageRoot: string): string[] {
  const queries = decisionQueries(packageRoot);
  return [
    MODELS_SQL,
    VERSIONS_SQL,
    ...[...COMPARE_QUERIES, ...DRIFT_QUERIES].map((name) => queries.get(name)!.widest),
  ];
}

export interface Changes {
  /** A sentence per model. */
  readonly models: readonly string[];
  readonly drift: readonly string[];
}

export async function changesOf(
  { asking, session: { lake }, account }: Checked,
  windowMs: number,
  { packageRoot, io }: Context,
): Promise<Changes> {
  const context = decisionContext(asking, packageRoot, io);
  const { cells } = await lake.query(MODELS_SQL);
  const newest = Math.max(...cells.map(([, , time]) => Date.parse(String(time))));
  if (cells.length === 0 || Number.isNaN(newest)) return { models: [], drift: [] };
  // The newest call is in the window.
  const [from, to] = [newest + 1 - windowMs, newest + 1].map((time) => new Date(time).toISOString());
  const before = new Date(newest + 1 - 2 * windowMs).toISOString();
  const models: string[] = [];
  for (const [model] of cells.slice(0, MOST_MODELS)) {
    const quoted = `model="${String(model).replaceAll(/["\\]/g, '\\$&')}"`;
    const entry = {
      ...{ name: 'compare', metric: USUAL.metric, margin: USUAL.margin, isGate: false },
      baseline: `${quoted},since=${before},until=${from}`,
      candidate: `${quoted},since=${from},until=${to}`,
    };
    const decision = await compareOf(entry, context);
    const { decided } = await answerDecision(
      asking,
      decision,
      { alpha: USUAL.alpha, isGate: false },
      lake,
      account,
    );
    models.push(`${String(model)}: ${decided.sentence}`);
  }
  const left = cells.length - models.length;
  if (left > 0) models.push(`${plural(left, 'more model')} with fewer calls: lakelog compare`);
  const drift = driftOf(
    {
      name: 'drift',
      metric: USUAL.metric,
      margin: USUAL.margin,
      filters: filtersOf(asking.flags, asking.settings),
    },
    { ...context, acks: asking.acks },
  );
  const { decided } = await answerDecision(asking, drift, { alpha: 0.01, isGate: false }, lake, account);
  return { models, drift: [`Drift: ${decided.sentence}`] };
}

/** Versions that came after the first day, which is no change, day by day. */
export async function marksOf(lake: Lake): Promise<{ marks: Mark[]; leaves: string[] }> {
  const { cells } = await lake.query(VERSIONS_SQL);
  const first = cells.map(([, , day]) => String(day)).sort()[0];
  const days = new Map<string, string[]>();
  for (const [what, version, day] of cells) {
    if (String(day) === first) continue;
    days.set(String(day), [...(days.get(String(day)) ?? []), `${what} ${version}`]);
  }
  const marks = [...days].slice(-MOST_MARKS).map(([day, texts]) => ({ day, text: texts.join(', ') }));
  const left = days.size - marks.length;
  return {
    marks,
    leaves: left === 0 ? [] : [`Not marked: ${plural(left, 'earlier day')} with new versions.`],
  };
}
