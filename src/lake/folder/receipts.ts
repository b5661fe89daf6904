/** The receipts of a folder lake, each checked by itself, and the logs that they make up. */
import path from 'node:path';
import { whyUnreadable } from '../../errors.js';
import { BATCH_FORMAT, type BatchReceipt, type Sum } from '../../schema/batch.js';
import type { InputProblem } from '../../schema/result.js';
import { sha256 } from '../store/fingerprint.js';
import type { Piece } from '../store/logs.js';
import { BATCHES, batchNumber, MERGED, mergedReceiptsName, receiptName } from './layout.js';
import type { Place } from './place.js';
import { unsealed } from './seal.js';

export interface Receipts {
  readonly receipts: readonly BatchReceipt[];
  readonly problems: readonly InputProblem[];
}

/** Receipts as they were read, and the name of the file that each stands in since they were merged, by its own. */
export interface ReadReceipts extends Receipts {
  readonly merged: ReadonlyMap<string, string>;
}

export const EDITED =
  'put back the one that was published, or take it and its files out of the lake and publish the log again';
export const CUT = 'put it back from a copy; without one, publish the logs into a new folder: lakelog sync';

/** How a batch is called in words. */
export const short = (id: string) => `${id.slice(0, 12)}…`;

export function damage(where: string, detail: string, next: string): InputProblem {
  return { path: where, problem: 'lake', detail, next };
}

type Reading = Pick<Place, 'list' | 'read'>;

/** Receipts may be merged, and the small ones removed, while they are read. */
const LOOKS = 5;

/** @param at where a name of the lake is, as a user finds it. */
export function readReceipts(place: Reading, lakeId: string, at: (name: string) => string): ReadReceipts {
  for (let left = LOOKS; ; left--) {
    const read = readListed(place, lakeId, at);
    if (left === 1 || !read.isGone) return read;
  }
}

function readListed(place: Reading, lakeId: string, at: (name: string) => string) {
  const [merged, single] = [new Map<string, string>(), new Map<string, BatchReceipt>()];
  const problems: InputProblem[] = [];
  let isGone = false;
  // Of two that are not alike the merged one was there first: a name is free again only when its receipt was merged.
  for (const name of mergedFirst(place.list(BATCHES))) {
    const texts = textsOf(place, name);
    isGone ||= texts.isGone;
    if (texts.wrong !== null) problems.push(damage(at(name), texts.wrong, texts.next));
    for (const text of texts.lines) {
      const receipt = receiptIn(text, name, lakeId);
      if (typeof receipt === 'string') {
        problems.push(damage(at(name), `the receipt cannot be believed: ${receipt}`, EDITED));
        continue;
      }
      const { id, checksum } = receipt;
      const other = single.get(id);
      if (other === undefined) single.set(id, receipt);
      else if (other.checksum !== checksum) problems.push(damage(at(name), twice(id), COMPACT));
      if (other === undefined && isMergedName(name)) merged.set(receiptName(id), name);
    }
  }
  const receipts = [...single.values()];
  return { receipts, merged, isGone, problems: [...problems, ...sameNumbers(receipts, at)] };
}

const COMPACT = 'lakelog lake compact';
const twice = (id: string) =>
  `the receipt of batch ${short(id)} stands there twice, and not alike: it was published again while receipts were merged, or one of the two was edited`;

export const isMergedName = (name: string) => path.posix.basename(name).startsWith(MERGED);
const mergedFirst = (names: readonly string[]) =>
  [...names].sort((a, b) => Number(isMergedName(b)) - Number(isMergedName(a)) || (a < b ? -1 : 1));

interface Texts {
  /** Each with its end, if it has one. */
  readonly lines: readonly Buffer[];
  readonly wrong: string | null;
  readonly next: string;
  readonly isGone: boolean;
}

const LF = 10;

/** The texts of receipts in a file: one, or one a line where it was merged. */
export function textsOf(place: Pick<Place, 'read'>, name: string): Texts {
  let bytes: Buffer;
  try {
    bytes = place.read(name);
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const next = nextIfRefused(error) ?? (isMergedName(name) ? CUT : EDITED);
    return { lines: [], wrong: `the receipt cannot be believed: ${whyUnreadable(error)}`, next, isGone };
  }
  if (!isMergedName(name)) return { lines: [bytes], wrong: null, next: EDITED, isGone: false };
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(LF, from);
    const to = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(from, to));
    from = to;
  }
  const isWhole = name === mergedReceiptsName(sha256(bytes));
  return { lines, wrong: isWhole ? null : OTHER_BYTES, next: CUT, isGone: false };
}

/** Nothing is wrong with a file that this user may not read. */
export const nextIfRefused = (error: unknown): string | null =>
  ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
    ? 'see who may read it: ls -l'
    : null;

const OTHER_BYTES =
  'the file of merged receipts has other bytes than its name says (SHA-256): it was cut, or edited';

function receiptIn(text: Buffer, name: string, lakeId: string): BatchReceipt | string {
  const receipt = unsealed<BatchReceipt>(text);
  if (typeof receipt === 'string') return receipt;
  if (receipt.schema !== BATCH_FORMAT)
    return `its schema is ${JSON.stringify(receipt.schema)}, not ${BATCH_FORMAT}`;
  if (receipt.lake !== lakeId) return 'it is of another lake';
  if (!isMergedName(name) && path.posix.basename(name) !== `${receipt.id}.json`)
    return `it is called otherwise than its batch, ${receipt.id}`;
  const lacking = MEMBERS.find((name) => typeof receipt[name] !== 'object' || receipt[name] === null);
  return lacking === undefined ? (contradiction(receipt) ?? receipt) : `it says nothing of ${lacking}`;
}

/** What nobody looks for twice. */
const MEMBERS = ['file', 'account', 'rejects', 'kinds', 'notices', 'tables'] as const;

/** What a receipt must say of itself, whoever wrote it. */
function contradiction(receipt: BatchReceipt): string | null {
  const { id, batch, account, file, tables, rejects } = receipt;
  if (batch !== batchNumber(id)) return 'its number is not that of its id';
  const { lines, loaded, rejected, duplicates, blank, pending, bytes } = account;
  if (lines !== loaded + rejected + duplicates + blank + pending) return 'its account does not add up';
  if (bytes !== file.byte_to - file.byte_from) return 'its bytes are not those of its byte range';
  if ((file.before === null) !== (file.byte_from === 0) || (file.before === null) !== (file.root === id))
    return 'it does not begin where its log begins';
  const rowsOf = (table: string) => tables[table]?.rows ?? 0;
  if (rowsOf('base_calls') + rowsOf('base_runs') !== loaded) return 'it has not as many rows as were loaded';
  if (rowsOf('base_rejects') !== rejected) return 'it has not as many rejects as its account';
  if (rejects.reduce((sum, { count }) => sum + count, 0) !== rejected)
    return 'its reasons have not as many rejects as its account';
  const kind = kindsDiffer(receipt);
  if (kind !== null) return `its kinds have not as many calls as its table (${kind})`;
  const split = Object.entries(tables).find(
    ([, { rows, files }]) => files.reduce((sum, one) => sum + one.rows, 0) !== rows,
  );
  return split ? `the files of ${split[0]} have not as many rows as it says` : null;
}

/** @returns what they do not add up to; what the table says is compared with its rows. */
function kindsDiffer({ kinds, tables }: BatchReceipt): string | null {
  const { rows, sums } = tables.base_calls ?? { rows: 0, sums: {} };
  const said: Readonly<Record<string, Sum>> = { calls: rows, ...sums };
  const names = ['calls', 'accepted', 'judged', 'grounded'] as const;
  const added = (name: (typeof names)[number]) => kinds.reduce((sum, one) => sum + one[name], 0);
  return names.find((name) => String(added(name)) !== String(said[name] ?? 0)) ?? null;
}

function sameNumbers(receipts: readonly BatchReceipt[], at: (name: string) => string): InputProblem[] {
  const seen = new Map<number, string>();
  return receipts.flatMap(({ batch, id }) => {
    const other = seen.get(batch);
    seen.set(batch, id);
    return other === undefined
      ? []
      : [
          damage(
            at(`${BATCHES}/${id}.json`),
            `it has the same number as ${other}, so their rows cannot be told apart`,
            EDITED,
          ),
        ];
  });
}

/** The batches of one log, one behind the other. */
export interface Chain {
  readonly root: string;
  readonly batches: readonly BatchReceipt[];
}

/** Whether it begins with the log. */
export const isWhole = ({ batches }: Chain): boolean => batches[0]!.file.before === null;

/** Those that begin behind what is not there. */
export const chainsBehindGaps = (receipts: readonly BatchReceipt[]): Chain[] =>
  chainsOf(receipts).filter((chain) => !isWhole(chain));

export const tipOf = ({ batches }: Chain): BatchReceipt => batches.at(-1)!;

/** Its bytes, as a log that holds them is compared with it. */
export const pieceOf = ({ id, file, account }: BatchReceipt): Piece => ({
  ...{ byte_from: file.byte_from, bytes: account.bytes, sha256: id, before: file.before },
});

/**
 * Puts batches behind one another. Where two follow the same one, the log was published twice at once: the longer way
 * is the log, and what is beside it are lines that stand there twice.
 */
export function chainsOf(receipts: readonly BatchReceipt[]): Chain[] {
  const byId = new Map(receipts.map((receipt) => [receipt.id, receipt]));
  const followers = new Map<string, BatchReceipt[]>();
  for (const receipt of receipts) {
    const { before } = receipt.file;
    if (before !== null) followers.set(before, [...(followers.get(before) ?? []), receipt]);
  }
  const chains: Chain[] = [];
  const follow = (from: BatchReceipt) => {
    const batches = [from];
    for (let last = from; ; ) {
      const [next, ...others] = (followers.get(last.id) ?? []).sort(longestFirst);
      for (const other of others) follow(other);
      if (next === undefined) break;
      batches.push(next);
      last = next;
    }
    chains.push({ root: from.file.root, batches });
  };
  for (const receipt of receipts) {
    const { before } = receipt.file;
    // What was before is not there: told as a hole.
    if (before === null || !byId.has(before)) follow(receipt);
  }
  return chains.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ batches }: Chain) => {
  const { file, id } = batches[0]!;
  return `${file.name} ${String(file.byte_from).padStart(16, '0')} ${id}`;
};

const longestFirst = (a: BatchReceipt, b: BatchReceipt) =>
  b.file.byte_to - a.file.byte_to || (a.id < b.id ? -1 : 1);
