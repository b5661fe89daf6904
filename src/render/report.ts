import type { DecisionFacts } from '../schema/decision.js';
import type { GateSpec } from '../schema/gate.js';
import type { Cell, Receipt, Result, Verdict } from '../schema/result.js';

/** All that a renderer may show. */
export interface Report {
  readonly query: { readonly name: string; readonly title: string };
  readonly params: Readonly<Record<string, Cell>>;
  readonly result: Result;
  /** More rows than these were found; set only where a row cap applies. */
  readonly truncated?: boolean;
  /** Absent for a query that is no gate. */
  readonly gate?: GateSpec;
  /** Absent for a query that is no gate. */
  readonly verdict?: Verdict;
  readonly receipt: Receipt;
  /** Of a decision: what it came to, and that in a sentence. */
  readonly decision?: DecisionFacts;
  readonly outcome?: string;
  /** Absent for a query that is no gate. */
  readonly ranAt?: Date;
}

export interface Style {
  readonly color: boolean;
  /** Columns of the terminal; null = not a terminal: tables are whole, sentences wrap at 100. */
  readonly width: number | null;
  /** The reader's encoding is not UTF-8. */
  readonly ascii?: boolean;
  /** A terminal that understands OSC 8: links are made of what they are, elsewhere the address is printed. */
  readonly hyperlinks?: boolean;
}

export type TextFormat =
  | 'table'
  | 'json'
  | 'jsonl'
  | 'csv'
  | 'tsv'
  | 'md'
  | 'github'
  | 'junit'
  | 'prom'
  | 'sarif';

/** Parquet is written by the engine, of a query alone. */
export type Format = TextFormat | 'parquet';

/** Returns the whole document with its last line terminated. */
export type Renderer = (report: Report, style: Style) => string;
