/** Where batches stand among all, by log and byte: their numbers say nothing of that. */

/** By number: small enough to name a line of a batch by one number. */
export const NUMBERS = 'main.base_numbers';

/** SQL of it for a row of this name. */
export const ordinalOf = (alias: string) =>
  `(SELECT n.ordinal FROM ${NUMBERS} n WHERE n.number = ${alias}.batch)`;
