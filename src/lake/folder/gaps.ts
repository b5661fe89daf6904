/** A batch whose receipt is gone between two others, or before the first: those say where it stood and what its bytes are. */
import type { BatchReceipt } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import type { Committed } from './committed.js';
import { behindLost, gapBefore } from './holes.js';
import type { Ways } from './host-logs.js';

export interface Gap {
  /** The name of the batch. */
  readonly id: string;
  readonly from: number;
  readonly to: number;
  /** Of the same log, from its first one on. */
  readonly before: readonly BatchReceipt[];
  readonly after: BatchReceipt;
}

/** Of several in a row only the last is known by its name, and of none of them where it begins. */
export function gapsIn(receipts: readonly BatchReceipt[], ways: Ways): Gap[] {
  const there = new Set(receipts.map((one) => one.id));
  return receipts.flatMap((after) => {
    const { before: id, byte_from: to } = after.file;
    if (id === null || there.has(id)) return [];
    const last = behindLost(after, receipts);
    if (last === undefined) return [];
    const before = last === null ? [] : ways.wayTo(last.file.head);
    return before === null ? [] : [{ id, from: last?.file.byte_to ?? 0, to, before, after }];
  });
}

/** What a look did not fill in logs of its host, as a gate tells it. */
export function gapsLeft(host: string, committed: Committed): InputProblem[] {
  const { receipts } = committed.read;
  return receipts
    .filter(({ host: by, file: { before } }) => by === host && before !== null && !committed.has(before))
    .map((after) => gapBefore(after, receipts));
}
