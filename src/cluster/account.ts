/** The account of a lake, from its receipts and what the engine counts; nothing is asked here. */
import { compareInstants } from '../instant.js';
import { type Hosts, problemsOf } from '../lake/folder/hosts.js';
import {
  filesOfLogs,
  firstLate,
  lakeReceiptOf,
  rejectGroups,
  sharedLogs,
  withoutRecords,
} from '../lake/folder/ledger.js';
import type { Account, KindCount, LoadedConflict } from '../schema/account.js';
import type { BatchAccount, BatchReceipt } from '../schema/batch.js';
import { FEW_HOLES, type Gap } from '../schema/gap.js';
import type { LakeReceipt } from '../schema/result.js';
import type { Count } from './counts.js';

export interface Place {
  readonly batch: number;
  readonly line: number;
}

/** Names of the logs of batches, by their numbers. */
export type Names = ReadonlyMap<number, string>;
const placeText = (names: Names, { batch, line }: Place) =>
  `${names.get(batch) ?? batch.toString(16)}:${line}`;

/** Records that stand behind much newer ones: how many, and the line of the first. */
export interface Late {
  readonly late: number;
  readonly line: number;
}

/**
 * What became of the lines of each batch among those of all others.
 * @param late of batches whose late records were counted again; null: there are none left.
 */
export function accountsOf(
  receipts: readonly BatchReceipt[],
  copies: ReadonlyMap<number, number>,
  conflicts: readonly LoadedConflict[],
  late: ReadonlyMap<number, Late | null>,
): BatchAccount[] {
  const counts = new Map<string, number>();
  for (const { file } of conflicts) counts.set(file, (counts.get(file) ?? 0) + 1);
  const begun = new Set<string>();
  return receipts.map(({ account, batch, file }) => {
    const out = copies.get(batch) ?? 0;
    // Told of a log, whose account is the sum of its batches.
    const isFirst = !begun.has(file.name);
    begun.add(file.name);
    return {
      ...account,
      loaded: account.loaded - out,
      duplicates: account.duplicates + out,
      conflicts: isFirst ? (counts.get(file.name) ?? 0) : 0,
      ...lateOf(late.get(batch)),
    };
  });
}

/** Nothing where a receipt is right. */
const lateOf = (found: Late | null | undefined) =>
  found === undefined ? {} : { late: found?.late ?? 0, late_line: found?.line ?? null };

/** The first call that does not come first with its call_id. */
export function firstConflict(conflicts: readonly LoadedConflict[]): string | null {
  const seen = new Set<string>();
  const second = conflicts.find(({ call_id }) => seen.has(call_id) || !seen.add(call_id));
  return second ? `${second.file}:${second.line}` : null;
}

export const kindsOf = (counts: readonly Count[], names: Names): KindCount[] => {
  const byKind = new Map<string, Count[]>();
  for (const count of ordered(counts, names))
    byKind.set(count.kind, [...(byKind.get(count.kind) ?? []), count]);
  return [...byKind]
    .map(([kind, all]) => {
      const wrong = all.find(({ first_false }) => first_false !== null);
      const [first] = all as [Count];
      return {
        kind,
        calls: sumOf(all, 'calls'),
        selected: sumOf(all, 'selected'),
        accepted_false: sumOf(all, 'accepted_false'),
        first: placeText(names, { batch: first.batch, line: first.first }),
        first_false: wrong ? placeText(names, { batch: wrong.batch, line: wrong.first_false! }) : null,
      };
    })
    .sort((a, b) => b.calls - a.calls || (a.kind < b.kind ? -1 : 1));
};

/** In the order of receipts, which is that of logs and their bytes. */
function ordered(counts: readonly Count[], names: Names): Count[] {
  const places = new Map([...names.keys()].map((batch, i) => [batch, i]));
  return [...counts].sort((a, b) => (places.get(a.batch) ?? -1) - (places.get(b.batch) ?? -1));
}

type Summable =
  | 'calls'
  | 'selected'
  | 'accepted_false'
  | 'inconsistent'
  | 'not_judgeable'
  | 'unjudgeable'
  | 'numbered';
export const sumOf = (counts: readonly Count[], name: Summable): number =>
  counts.reduce((sum, count) => sum + count[name], 0);

export function unjudgeableOf(counts: readonly Count[], names: Names): Account['unjudgeable'] {
  const having = ordered(counts, names).filter(({ first_unjudgeable }) => first_unjudgeable !== null);
  const first = having
    .filter(({ batch }) => batch === having[0]!.batch)
    .reduce<Count | undefined>(
      (best, one) => (best && best.first_unjudgeable! <= one.first_unjudgeable! ? best : one),
      undefined,
    );
  if (first === undefined) return null;
  const where = placeText(names, { batch: first.batch, line: first.first_unjudgeable! });
  return { calls: sumOf(counts, 'unjudgeable'), first: where };
}

/** The batch and instant of the newest call among these; of equal ones the last. */
export function newestAmong(
  counts: readonly Count[],
  names: Names,
  which: 'newest' | 'newest_selected',
): { readonly batch: number; readonly time: string } | null {
  return ordered(counts, names).reduce<{ batch: number; time: string } | null>(
    (best, { batch, [which]: time }) => {
      if (time === null) return best;
      return best === null || compareInstants(time, best.time) >= 0 ? { batch, time } : best;
    },
    null,
  );
}

export interface Island {
  readonly writer_id: string;
  readonly first: number;
  readonly last: number;
}

export interface Hole {
  readonly writer_id: string;
  readonly from_seq: number;
  readonly to_seq: number;
}

/** What lies between the numbers of a writer; islands of several batches may touch and overlap. */
export function holesBetween(islands: readonly Island[]): Hole[] {
  const sorted = [...islands].sort((a, b) =>
    a.writer_id === b.writer_id ? a.first - b.first : a.writer_id < b.writer_id ? -1 : 1,
  );
  const holes: Hole[] = [];
  let writer: string | null = null;
  let last = 0;
  for (const { writer_id, first, last: end } of sorted) {
    if (writer_id === writer && first > last + 1)
      holes.push({ writer_id, from_seq: last + 1, to_seq: first - 1 });
    last = writer_id === writer ? Math.max(last, end) : end;
    writer = writer_id;
  }
  return holes;
}

/** @param whereOf file:line of the record behind the first hole of a writer. */
export function gapsOf(holes: readonly Hole[], whereOf: ReadonlyMap<string, string>): Gap[] {
  const byWriter = new Map<string, Hole[]>();
  for (const hole of holes) byWriter.set(hole.writer_id, [...(byWriter.get(hole.writer_id) ?? []), hole]);
  return [...byWriter]
    .map(([writer_id, all]) => ({
      writer_id,
      missing: all.reduce((sum, { from_seq, to_seq }) => sum + to_seq - from_seq + 1, 0),
      ranges: all.slice(0, FEW_HOLES).map(({ from_seq: from, to_seq: to }) => ({ from, to })),
      more: Math.max(0, all.length - FEW_HOLES),
      last: all.at(-1)!.to_seq,
      where: whereOf.get(writer_id) ?? null,
    }))
    .sort((a, b) => b.missing - a.missing || (a.writer_id < b.writer_id ? -1 : 1));
}

/** Files, rejects and what hosts should know, as receipts and hosts tell it. */
export function toldByReceipts(
  receipts: readonly BatchReceipt[],
  accounts: readonly BatchAccount[],
  { states, problems }: Hosts,
) {
  const late = firstLate(accounts);
  const files = filesOfLogs(receipts, accounts);
  return {
    files,
    rejects: rejectGroups(receipts),
    problems: [...problems, ...states.flatMap(problemsOf), ...files.flatMap(withoutRecords)],
    notices: [...receipts.flatMap(({ notices }) => notices), ...sharedLogs({ receipts, hosts: states })],
    firstLate: late && `${receipts[late.batch]!.file.name}:${late.line}`,
  };
}

export const lakeReceipt = (
  name: string,
  receipts: readonly BatchReceipt[],
  { states }: Hosts,
): LakeReceipt =>
  lakeReceiptOf(name, receipts, {
    times: [...receipts.map(({ made_at }) => made_at), ...states.map(({ synced_at }) => synced_at)],
    logs: new Set(receipts.map(({ file }) => file.root)).size,
  });
