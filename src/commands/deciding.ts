/** What a decision and the state of its inputs together come to: for `compare`, `drift` and the entries of `check`. */
import { judge, withFindings } from '../gate/judge.js';
import { INPUT_RULES, LENIENT_INPUT_RULES } from '../gate/rules.js';
import type { Lake } from '../lake/lake.js';
import type { Decided, Decision } from '../query/decision.js';
import type { Question } from '../query/run.js';
import { namingDefaults } from '../query/sources.js';
import type { Account } from '../schema/account.js';
import type { DecisionFacts } from '../schema/decision.js';
import type { GateSpec } from '../schema/gate.js';
import type { Result } from '../schema/result.js';
import { type Asking, askedOf, type GateAnswer, reportOf } from './asking.js';
import { questionEvidence } from './evidence.js';
import { type Judged, judgeGate } from './judging.js';
import { type Alone, weakerDecision } from './weaker.js';

/** It has no rows that break rules: the inputs are judged as those of every gate are. */
const NO_RULES: GateSpec = { column: '', fires: [], cannotVouch: [], judges: '', canaries: [] };
const NO_ROWS: Result = { columns: [], rows: [] };

export interface DecisionAnswer extends GateAnswer {
  readonly decided: Decided;
}

export interface Deciding {
  /** One-sided, of this decision alone. */
  readonly alpha: number;
  /** False where it only tells: then what is wrong with lines is told too, and stops nothing. */
  readonly isGate: boolean;
  /** Absent for one of a family, whose receipt tells what is weaker. */
  readonly alone?: Alone;
}

/** @param loaded by the lake, which was opened for what the decision asks. */
export async function answerDecision(
  asking: Asking,
  decision: Decision,
  { alpha, isGate, alone }: Deciding,
  lake: Lake,
  loaded: Account,
): Promise<DecisionAnswer> {
  const question = asQuestion(decision);
  const decided = await decision.decide(lake, alpha);
  const account = namingDefaults(await lake.afterwards(loaded), asking.sources);
  const judged = isGate
    ? await judgeGate(
        askedOf(asking, question),
        NO_RULES,
        { account, result: NO_ROWS, judged: decided.judged, gated: null, recomputed: null },
        lake,
      )
    : judgeInputs(asking, account);
  const verdict = withFindings(judged.verdict, decided.findings);
  const report = reportOf(
    asking,
    question,
    { account, judged: decided.judged, recomputed: null },
    { ...judged, result: decided.result, acknowledged: withDrifts(judged.acknowledged, decided.facts) },
    null,
  );
  const weaker = isGate && alone !== undefined ? weakerDecision(asking.settings, alone) : [];
  const { epoch } = decided.facts;
  return {
    decided,
    verdict,
    report: {
      ...report,
      receipt: {
        ...report.receipt,
        ...(weaker.length > 0 ? { weaker } : {}),
        ...(epoch === null ? {} : { epoch }),
      },
      decision: decided.facts,
      outcome: verdict.status === 'fired' ? decided.facts.conclusion : decided.sentence,
      ...(isGate ? { verdict, ranAt: asking.limits.now } : {}),
    },
  };
}

const withDrifts = (
  acknowledged: Judged['acknowledged'],
  { what, epoch }: DecisionFacts,
): Judged['acknowledged'] =>
  acknowledged && what === 'drift' ? { ...acknowledged, drifts: epoch === null ? 0 : 1 } : acknowledged;

function judgeInputs({ inputs, limits, flags }: Asking, account: Account): Judged {
  const evidence = questionEvidence(account, inputs, limits.now, null, { gated: [], named: [] });
  const verdict = judge(evidence, flags.strict ? INPUT_RULES : LENIENT_INPUT_RULES);
  return { verdict, result: NO_ROWS, acknowledged: null, expected: null };
}

/** What questions and decisions have in common. */
function asQuestion({ name, title, sha256, params }: Decision): Question {
  return {
    query: {
      ...{ name, title, sha256, question: title, file: name, sql: '' },
      ...{ params: [], columns: [], intervals: [], money: [], worth: [], gate: null, needs: null },
    },
    params: { columns: {}, meant: params as Question['params']['meant'], gatedKinds: [] },
  };
}
