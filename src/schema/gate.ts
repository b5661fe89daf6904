/** Rules of a gate: its rows are violations, and one column says which rule a row breaks. */
export interface GateSpec {
  readonly column: string;
  readonly fires: readonly GateRule[];
  readonly cannotVouch: readonly (GateRule & { readonly unless?: string })[];
  /** Condition over `sessions`: the calls that were judged. */
  readonly judges: string;
  readonly canaries: readonly {
    readonly value: string;
    readonly fields: Readonly<Record<string, unknown>>;
    /** Planted only where stamps are checked: against any roster, or against a folder of them. */
    readonly against?: 'roster' | 'rosters';
  }[];
}

export interface GateRule {
  readonly value: string;
  readonly note: string;
}
