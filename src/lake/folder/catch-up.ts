/** How far a log that has grown is published already, as its bytes tell: by others that have it, or by a run that was killed. */
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { BatchReceipt } from '../../schema/batch.js';
import { openInput } from '../input/index.js';
import { endOf, isNamed, startOf } from '../store/fingerprint.js';
import type { KnownLog } from '../store/logs.js';
import type { Ends } from '../store/read.js';
import type { Task } from '../store/survey.js';
import { type Chain, pieceOf, tipOf } from './receipts.js';
import type { Ways } from './ways.js';

export interface CaughtUp {
  readonly task: Task;
  /** What is published of the log. */
  readonly way: Chain | null;
  /** How the log is known again, where that is more than was known. */
  readonly ends: Ends | null;
}

/** @param main the batches that most who have this first batch go on with. */
export async function catchUp(
  task: Task & { readonly log: KnownLog },
  { way, main, ways }: { readonly way: Chain; readonly main: Chain; readonly ways: Ways },
  options: { readonly stdin: Readable },
): Promise<CaughtUp> {
  const nothing: CaughtUp = { task, way, ends: null };
  const input = await openInput(task.file, options).catch(() => null);
  // Whoever reads it says why it cannot be read.
  if (input?.kind !== 'plain') {
    input?.close();
    return nothing;
  }
  try {
    const holds = (batch: BatchReceipt) => stands(input.fd, batch, task.to, input.size);
    let tip = onMain(way, main, holds) ?? tipOf(way);
    for (let next: BatchReceipt | undefined = tip; next; ) {
      tip = next;
      next = [...ways.followersOf(tip.id)].sort(longestFirst).find(holds);
    }
    if (tip === tipOf(way)) return nothing;
    const { byte_to, lines_before, head } = tip.file;
    const ends = { start_sha256: startOf(input.fd, byte_to), end_sha256: endOf(input.fd, byte_to) };
    const lines = lines_before + tip.account.lines;
    const log = { ...task.log, ...ends, read_to: byte_to, lines, head };
    return { task: { ...task, log, from: byte_to }, way: ways.to(tip), ends };
  } finally {
    input.close();
  }
}

const longestFirst = (a: BatchReceipt, b: BatchReceipt) =>
  b.file.byte_to - a.file.byte_to || (a.id < b.id ? -1 : 1);

/** A log that was published twice at once, in other byte ranges, is one again where all go on with the same ones. */
function onMain(way: Chain, main: Chain, holds: (batch: BatchReceipt) => boolean): BatchReceipt | null {
  const own = new Set(way.batches);
  const to = tipOf(way).file.byte_to;
  if (main.batches.includes(tipOf(way))) return null;
  const beside = main.batches.filter((batch) => !own.has(batch));
  const at = beside.findIndex((batch) => batch.file.byte_to >= to);
  return at >= 0 && beside.slice(0, at + 1).every(holds) ? beside[at]! : null;
}

const STEP = 1 << 20;
const LF = 10;

/** A batch that ends inside a line is of a log that ends there. */
function stands(fd: number, batch: BatchReceipt, most: number, size: number): boolean {
  const { byte_from, byte_to } = batch.file;
  if (byte_to > most) return false;
  const hash = createHash('sha256');
  const bytes = Buffer.allocUnsafe(Math.min(STEP, byte_to - byte_from));
  let last = LF;
  for (let at = byte_from; at < byte_to; ) {
    const count = readSync(fd, bytes, 0, Math.min(bytes.length, byte_to - at), at);
    if (count === 0) return false;
    hash.update(bytes.subarray(0, count));
    last = bytes[count - 1]!;
    at += count;
  }
  return isNamed(pieceOf(batch), hash.digest('hex')) && (last === LF || byte_to === size);
}
