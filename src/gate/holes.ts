/** Numbers of writers that no record has, and what is left of them where some are acknowledged. Pure. */
import type { LoadedHole } from '../schema/account.js';
import type { HoleAck } from '../schema/ack.js';
import { FEW_HOLES, type Gap } from '../schema/gap.js';
import { groupBy } from './group-by.js';

export type KnownHole = LoadedHole;

/** What `lakelog ack` takes for numbers of a writer. */
export const holeTarget = (writer: string, { from, to }: Gap['ranges'][number]) => `${writer}:${from}-${to}`;

type Numbers = Pick<KnownHole, 'from_seq' | 'to_seq'>;

/** The missing numbers among those that are named, each hole cut to them. @param holes of one writer. */
export function holesWithin(holes: readonly KnownHole[], { from_seq, to_seq }: Numbers): KnownHole[] {
  return holes
    .map((hole) => ({
      ...hole,
      from_seq: Math.max(hole.from_seq, from_seq),
      to_seq: Math.min(hole.to_seq, to_seq),
    }))
    .filter((cut) => cut.from_seq <= cut.to_seq);
}

/** What is missing and not acknowledged. */
export function openHoles(holes: readonly KnownHole[], settled: readonly HoleAck[]): KnownHole[] {
  const settledOf = groupBy(settled, ({ writer_id }) => writer_id);
  return [...groupBy(holes, ({ writer_id }) => writer_id)].flatMap(([writer, ofWriter]) =>
    without(
      ofWriter.sort((a, b) => a.from_seq - b.from_seq),
      (settledOf.get(writer) ?? []).sort((a, b) => a.from_seq - b.from_seq),
    ),
  );
}

/** Both in the order of their first numbers; what is cut out may overlap. */
function without(holes: readonly KnownHole[], cuts: readonly Numbers[]): KnownHole[] {
  const left: KnownHole[] = [];
  let next = 0;
  /** All numbers before it are settled or belong to an earlier hole. */
  let start = 0;
  for (const hole of holes) {
    start = Math.max(start, hole.from_seq);
    for (; next < cuts.length && cuts[next]!.from_seq <= hole.to_seq; next++) {
      const { from_seq, to_seq } = cuts[next]!;
      if (start < from_seq) left.push({ ...hole, from_seq: start, to_seq: from_seq - 1 });
      start = Math.max(start, to_seq + 1);
    }
    if (start <= hole.to_seq) left.push({ ...hole, from_seq: start });
  }
  return left;
}

export const missingIn = (holes: readonly Numbers[]) =>
  holes.reduce((sum, { from_seq, to_seq }) => sum + (to_seq - from_seq + 1), 0);

/** By writer, most first, as an account has them. */
export function gapsOf(holes: readonly KnownHole[]): Gap[] {
  const gaps = [...groupBy(holes, ({ writer_id }) => writer_id)].map(([writer_id, ofWriter]) => {
    const [first] = ofWriter as [KnownHole];
    return {
      writer_id,
      missing: missingIn(ofWriter),
      ranges: ofWriter.slice(0, FEW_HOLES).map(({ from_seq: from, to_seq: to }) => ({ from, to })),
      more: Math.max(ofWriter.length - FEW_HOLES, 0),
      last: ofWriter.at(-1)!.to_seq,
      where: `${first.file}:${first.line}`,
    };
  });
  return gaps.sort((a, b) => b.missing - a.missing || (a.writer_id < b.writer_id ? -1 : 1));
}
