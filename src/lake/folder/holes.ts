/** Where the byte ranges of logs do not join: what is missing, and as far as it is known, between which batches. */
import type { BatchReceipt } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import { headAfter, sha256 } from '../store/fingerprint.js';
import { BATCHES } from './layout.js';
import { damage, EDITED, short } from './receipts.js';

/**
 * Which batch stood before the one that is gone, by the head of the one behind it: two logs may begin alike, and either
 * may be where it stood. @returns null where that was the first of its log, undefined where more than it is gone.
 */
export function behindLost(
  { id, file: { before: lost, byte_from, root, head } }: BatchReceipt,
  receipts: readonly BatchReceipt[],
): BatchReceipt | null | undefined {
  const fits = (reached: string) => headAfter(headAfter(reached, lost!), id) === head;
  if (lost === root && fits('')) return null;
  return receipts.find(({ file }) => file.root === root && file.byte_to < byte_from && fits(file.head));
}

/** Bytes of a log that are missing before a batch. */
interface Missing {
  readonly from: number;
  /** What stands before them: they are others where one of these is another. */
  readonly behind: readonly BatchReceipt[];
  /** No more than one batch. */
  readonly isOne: boolean;
  /** Logs that begin alike part before them, so that some of them may be there. */
  readonly isVague: boolean;
}

/** Of several batches in a row no hash says what stood before them: it is the last one there where no other log may be meant. */
function missingBefore(after: BatchReceipt, receipts: readonly BatchReceipt[]): Missing {
  const one = behindLost(after, receipts);
  if (one !== undefined)
    return { from: one?.file.byte_to ?? 0, behind: one ? [one] : [], isOne: true, isVague: false };
  const { root, byte_from } = after.file;
  const before = receipts
    .filter(({ file }) => file.root === root && file.byte_to < byte_from)
    .sort((a, b) => a.file.byte_from - b.file.byte_from || (a.id < b.id ? -1 : 1));
  const parted = before.findIndex(({ file }, i) => i > 0 && file.byte_from < before[i - 1]!.file.byte_to);
  const isVague = parted >= 0;
  const last = (isVague ? before.slice(0, parted - 1) : before).at(-1);
  return {
    from: last?.file.byte_to ?? 0,
    behind: isVague ? before : before.slice(-1),
    isOne: false,
    isVague,
  };
}

/** What is settled of a gap is not settled of one that goes further, at either end: the log may be gone too. */
export function gapBefore(after: BatchReceipt, receipts: readonly BatchReceipt[]): InputProblem {
  const { name, before: lost, byte_from: to } = after.file;
  const { from, behind, isOne, isVague } = missingBefore(after, receipts);
  const back = `put the receipt back (batches/${lost}.json)`;
  const bytes = `bytes ${from} to ${to} of the log are not${isVague ? ' all' : ''} in the lake`;
  const why = `batch ${short(lost!)} has no receipt${isOne ? '' : ', nor has one before it'}`;
  const ends = [name, from, to, lost, ...behind.map(({ id }) => id)];
  return {
    ...damage(
      name,
      `${bytes}: ${why}`,
      isOne ? `${back}, or publish the log on ${after.host} again: lakelog sync` : `${back}, ${FROM_COPY}`,
    ),
    fingerprint: sha256(Buffer.from(ends.join(' '))),
  };
}

const FROM_COPY =
  'and those before it, from a copy; without one, publish the logs into a new folder: lakelog sync';

/** Whether somewhere more than one batch of a log is gone in a row. */
export function hasGapOfSeveral(receipts: readonly BatchReceipt[]): boolean {
  const there = new Set(receipts.map(({ id }) => id));
  return receipts.some(
    (one) => !there.has(one.file.before ?? one.id) && behindLost(one, receipts) === undefined,
  );
}

/** Where the byte ranges of logs do not join. */
export function holesOf(receipts: readonly BatchReceipt[], at: (name: string) => string): InputProblem[] {
  const byId = new Map(receipts.map((receipt) => [receipt.id, receipt]));
  return receipts.flatMap((receipt) => {
    const { id, file } = receipt;
    if (file.before === null) return headAfter('', id) === file.head ? [] : [broken(receipt, at)];
    const before = byId.get(file.before);
    if (before === undefined) return [gapBefore(receipt, receipts)];
    const joins =
      before.file.byte_to === file.byte_from &&
      before.file.lines_before + before.account.lines === file.lines_before &&
      before.file.root === file.root &&
      headAfter(before.file.head, id) === file.head;
    return joins ? [] : [broken(receipt, at)];
  });
}

const broken = ({ id }: BatchReceipt, at: (name: string) => string) =>
  damage(at(`${BATCHES}/${id}.json`), 'the batch does not follow the one that its receipt names', EDITED);
