/** A question that ends in a decision: counts by SQL, a conclusion by statistics. */
import type { Lake } from '../lake/lake.js';
import type { DecisionFacts, DecisionFindings } from '../schema/decision.js';
import type { Cell, Result } from '../schema/result.js';

/** One that is ready to be put to a loaded lake; several may be put to the same one. */
export interface Decision {
  /** The command, or of an entry of the policy its name. */
  readonly name: string;
  readonly title: string;
  /** All SQL that its lake must be opened for; with acknowledgements MATCHES_ACKS and CALLS_SQL too. */
  readonly asks: readonly string[];
  /** Of that SQL, for the receipt. */
  readonly sha256: string;
  /** As it was meant, for the envelope. */
  readonly params: Readonly<Record<string, Cell>>;
  /** @param alpha one-sided, of this decision alone: a family shares one among its members. */
  decide(lake: Lake, alpha: number): Promise<Decided>;
}

export interface Decided {
  readonly result: Result;
  /** What the numbers say; whether inputs can be trusted is judged where all gates are (judgeDecided). */
  readonly findings: DecisionFindings;
  readonly facts: DecisionFacts;
  /** One sentence: metric, both rates, difference with interval, calls, conclusion. */
  readonly sentence: string;
  /** First answered calls that it rests on. */
  readonly judged: number;
}
