/** What a run knows of the lines that it read: the lake fills it in, gate judges it, receipts and outputs tell it. */
import type { CallFacts } from './ack.js';
import type { FileAccount, InputProblem, LakeReceipt, Receipt, RejectGroup } from './result.js';

/** Whatever the filters, if nothing else is said. */
export interface Account {
  readonly files: readonly FileAccount[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
  readonly rejects: readonly BlockingGroup[];
  readonly callsLoaded: number;
  readonly replayRunsLoaded: number;
  readonly callsSelected: number;
  readonly kinds: readonly KindCount[];
  /** Of the selected calls, as are the next two. */
  readonly inconsistent: number;
  readonly notJudgeable: number;
  /** One or the other, and file:line of the first; null where there are none. */
  readonly unjudgeable: { readonly calls: number; readonly first: string } | null;
  readonly conflicts: number;
  readonly firstConflict: string | null;
  readonly gaps: Receipt['gaps'];
  readonly unknownTraces: Receipt['unknown_traces'];
  /** file:line of the first late record; null where there is none. */
  readonly firstLate: string | null;
  /** Of all calls, of those that pass the filters, and of those among them whose kind is gated. */
  readonly newestCall: Newest | null;
  readonly newestSelected: Newest | null;
  readonly newestSelectedGated: Newest | null;
  /** Files that may hold no record without keeping a gate from vouching, where others hold some (just rotated). */
  readonly mayBeEmpty: readonly string[];
  readonly window: Receipt['window'];
  /** What the lake did; null without one. */
  readonly lake: LakeReceipt | null;
  /** Values of the filters that no loaded call has; none where no call was loaded. */
  readonly absent: readonly AbsentValue[];
}

/** An instant, RFC 3339, and the file:line it stands in. */
export interface Newest {
  readonly time: string;
  readonly where: string;
}

export interface KindCount {
  readonly kind: string;
  /** All loaded calls of the kind. */
  readonly calls: number;
  /** Those that pass the filters. */
  readonly selected: number;
  /** All loaded accepted calls stamped false. */
  readonly accepted_false: number;
  /** file:line of the first call, and of the first accepted one stamped false. */
  readonly first: string;
  readonly first_false: string | null;
}

/** Rejects of one reason that could hide a call, or of one that could not. */
export type BlockingGroup = RejectGroup & { readonly blocks: boolean };

/** A value of a filter that no loaded call has. */
export interface AbsentValue {
  readonly filter: 'model' | 'kind' | 'daemon' | 'environment';
  readonly value: string;
  /** All that the filter names. */
  readonly named: readonly string[];
  /** All values that calls have. */
  readonly present: readonly string[];
}

export interface LoadedCall extends CallFacts {
  readonly file: string;
  readonly line: number;
  /** Empty unless the lake was opened to match acknowledgements. */
  readonly line_sha256: string;
}

/** A call as whoever follows a log sees it come. */
export interface ArrivedCall extends CallFacts {
  readonly call_id: string | null;
  readonly error: string | null;
  readonly file: string;
  readonly line: number;
}

/** A line that could not be loaded, in the same way. */
export type ArrivedReject = Pick<Reject, 'file' | 'line' | 'reason' | 'detail'>;

/** A loaded call whose call_id another one carries too. */
export interface LoadedConflict {
  readonly call_id: string;
  readonly file: string;
  readonly line: number;
  readonly line_sha256: string;
}

/** Numbers of a writer that no loaded call has, and the record behind them. */
export interface LoadedHole {
  readonly writer_id: string;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly file: string;
  readonly line: number;
}

/** A line that could not be loaded, as queries, acknowledgements and `validate` see it. */
export interface Reject {
  readonly file: string;
  readonly line: number;
  readonly byte_offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly line_sha256: string;
  /** It could hide a call. */
  readonly blocks: boolean;
}
