export interface OracleWorker {
  readonly id: string;
  readonly active: boolean;
}
export interface OracleAnswer {
  readonly outcome: 'right' | 'wrong' | 'not_at_hand' | 'hashed' | 'unread' | 'nobody';
  readonly phantoms: readonly string[];
}
export function hashOf(roster: readonly OracleWorker[]): string;
export function workersOf(value: unknown): { readonly value: unknown }[];
export function recompute(
  record: Readonly<Record<string, unknown>>,
  known: {
    readonly rosters: ReadonlyMap<string, readonly OracleWorker[]>;
    readonly only: string | null;
    readonly isTwice: boolean;
  },
): OracleAnswer;
export function reasonFor(stamp: unknown, answer: OracleAnswer): string | null;
export function sizeOf(value: unknown): number;
export function hasMemberTwice(json: string): boolean;
