/** Statements at the same time: each connection has one thread of its own. */
import { availableParallelism } from 'node:os';
import { type Database, openAnother } from '../duckdb/connection.js';

/** Each holds what it sorts, and one of the four threads of Node's pool. */
const MOST = 3;

/**
 * Does all of the work, begun in this order, as long as none of it fails; what was begun is waited for.
 * @returns what came of it, in this order. @throws the first failure.
 */
export async function inLanes<T, R>(
  db: Database,
  work: readonly T[],
  each: (db: Database, one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = work.entries();
  const failures: unknown[] = [];
  const lane = async (own: Database) => {
    for (const [i, one] of left) {
      if (failures.length > 0) return;
      results[i] = await each(own, one);
    }
  };
  const others: Database[] = [];
  try {
    while (others.length + 1 < Math.min(MOST, availableParallelism(), work.length))
      others.push(await openAnother(db));
    await Promise.all([db, ...others].map((own) => lane(own).catch((error) => failures.push(error))));
  } finally {
    for (const other of others) other.close();
  }
  if (failures.length > 0) throw failures[0];
  return results;
}
