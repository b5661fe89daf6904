import type { Cell, Receipt, Result, Verdict } from '../schema/result.js';

/** All that a renderer may show. */
export interface Report {
  readonly query: { readonly name: string; readonly title: string };
  readonly params: Readonly<Record<string, Cell>>;
  readonly result: Result;
  /** Absent for a query that is no gate. */
  readonly verdict?: Verdict;
  readonly receipt: Receipt;
}

export interface Style {
  readonly color: boolean;
  /** Columns of the terminal; null = not a terminal: nothing is wrapped, reflowed or cut. */
  readonly width: number | null;
  /** Whether the terminal understands OSC 8; no renderer of this folder emits any yet. */
  readonly hyperlinks?: boolean;
}

export type Format = 'table' | 'json' | 'jsonl' | 'csv' | 'md';

/** Returns the whole document with its last line terminated. */
export type Renderer = (report: Report, style: Style) => string;
