import type { Kind } from '../../scan/formats.js';
import type { SourceFile } from '../input/index.js';
import type { LoadedFile } from './load.js';

/** A line that could not be loaded, as queries, acknowledgements and `validate` see it. */
export interface Reject {
  readonly file: string;
  readonly line: number;
  readonly byte_offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly line_sha256: string;
  /** It could hide a call. */
  readonly blocks: boolean;
}

export function rejectsOf(files: readonly LoadedFile[]): Reject[] {
  return files.flatMap(({ source, rejects }) =>
    rejects.map(({ line, byteOffset, reason, kind, detail, sha256 }) => ({
      file: source.name,
      line,
      byte_offset: byteOffset,
      reason,
      detail,
      line_sha256: sha256,
      blocks: blocksGates(source.as, kind, reason),
    })),
  );
}

/**
 * Whether a reject could hide a call. A line of a file that was named as replay runs cannot, nor one that says
 * itself that it is a replay run; an unknown schema always could.
 */
export function blocksGates(as: SourceFile['as'], kind: Kind | null, reason: string): boolean {
  if (reason === 'value:schema') return true;
  if (as === 'replay_runs') return reason === 'wrong_kind';
  return reason === 'wrong_kind' || kind !== 'replay_runs';
}
