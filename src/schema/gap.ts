/** What is missing among the numbers that a writer gave its records. */

/** Holes of a writer that are told one by one. */
export const FEW_HOLES = 3;

/** What one writer's numbers leave out between the smallest and the largest. */
export interface Gap {
  readonly writer_id: string;
  /** How many numbers. */
  readonly missing: number;
  /** The first holes (FEW_HOLES), both ends missing. */
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
  /** Holes beyond those. */
  readonly more: number;
  /** The last missing number. */
  readonly last: number;
  /** file:line of the record behind the first hole; null where it is not known. */
  readonly where: string | null;
}

/** As it stands in sentences. */
export const rangeText = ({ from, to }: Gap['ranges'][number]) =>
  from === to ? `${from}` : `${from} to ${to}`;

/** `3 to 5, 9, 12 and 4 more holes`. */
export function rangesText({ ranges, more }: Pick<Gap, 'ranges' | 'more'>): string {
  const named = ranges.map(rangeText).join(', ');
  return more === 0 ? named : `${named} and ${more} more ${more === 1 ? 'hole' : 'holes'}`;
}
