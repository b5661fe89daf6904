import {
  changedInput,
  damagedLake,
  inputNotices,
  justRotated,
  missingInput,
  noLogs,
  noRecords,
  noReplayRuns,
  pending,
  unreadableInput,
} from './input-rules.js';
import { countsDisagree, nearMissKind, ungroundedElsewhere } from './kind-rules.js';
import { notLookedAt, notSynced, stillLoading } from './lake-rules.js';
import {
  absentFilterValue,
  conflicts,
  gaps,
  holes,
  late,
  misspeltFilter,
  nothingSelected,
  rejects,
  rejectsWithinBudget,
  replayRejects,
  unjudgeable,
  unknownRecord,
  unknownTraces,
} from './line-rules.js';
import { otherRoster, unusableRoster } from './roster-rules.js';
import {
  acknowledged,
  acknowledgements,
  allowed,
  tooFewJudged,
  unjudged,
  unnamedValue,
  violation,
} from './row-rules.js';
import type { Rule } from './rule.js';
import { future, silent, stale } from './time-rules.js';

/** In the order in which findings are told. */
export const RULES: readonly Rule[] = [
  violation,
  missingInput,
  unreadableInput,
  unusableRoster,
  damagedLake,
  changedInput,
  noLogs,
  noRecords,
  noReplayRuns,
  notSynced,
  notLookedAt,
  stillLoading,
  misspeltFilter,
  tooFewJudged,
  nothingSelected,
  unjudged,
  unjudgeable,
  unnamedValue,
  countsDisagree,
  rejects,
  unknownRecord,
  conflicts,
  holes,
  acknowledgements,
  nearMissKind,
  ungroundedElsewhere,
  stale,
  silent,
  future,
  allowed,
  acknowledged,
  otherRoster,
  rejectsWithinBudget,
  replayRejects,
  justRotated,
  pending,
  gaps,
  unknownTraces,
  late,
  absentFilterValue,
  inputNotices,
];

/** What is wrong with the inputs, whatever is asked of them. */
export const INPUT_RULES: readonly Rule[] = RULES.filter(({ about }) => about !== 'gate');

/** The same for a question that is no gate: lines that could not be loaded are told, and do not stop it. */
export const LENIENT_INPUT_RULES: readonly Rule[] = INPUT_RULES.map((rule) =>
  rule.about === 'lines' ? { ...rule, weight: 'notice' } : rule,
);
