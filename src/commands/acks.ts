import type { KnownCall } from '../gate/acks.js';
import type { Lake, LoadedCall } from '../lake/lake.js';

/** Calls with the hashes of their lines. */
export async function withHashes(lake: Lake, calls: readonly LoadedCall[]): Promise<KnownCall[]> {
  if (calls.length === 0) return [];
  const hashes = await lake.lineHashes(calls);
  return calls.map((call) => ({ ...call, line_sha256: hashes.get(`${call.file}:${call.line}`) ?? '' }));
}

/** The file that somebody named: --acks, else LAKELOG_ACKS; undefined leaves it to the one of the working folder. */
export function namedAcks(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return given ?? (env.LAKELOG_ACKS || undefined);
}
