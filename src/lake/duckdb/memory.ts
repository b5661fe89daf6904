import { LakelogError } from '../../errors.js';

const MEMORY_LIMIT = '1GB';

/** What DuckDB may take before it spills: LAKELOG_MEMORY_LIMIT, else 1GB. */
export function memoryLimit(given: string | undefined): string {
  if (!given) return MEMORY_LIMIT;
  if (/^\d+(\.\d+)?\s*[KMGT]i?B$/i.test(given)) return given;
  throw new LakelogError(`LAKELOG_MEMORY_LIMIT is no size: ${given}`, {
    next: 'set it to a size such as 4GB, or unset it',
  });
}
