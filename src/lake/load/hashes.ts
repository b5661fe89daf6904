import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { scanFile } from '../../scan/file.js';
import { compileScanner } from '../../scan/machine.js';
import { type RowBlock, Scanner } from '../../scan/scanner.js';
import { changedWhileRead, openInput, type SourceFile } from '../input/index.js';
import { onlyOf } from './load.js';

export interface Place {
  readonly batch: number;
  readonly line: number;
}

/**
 * SHA-256 of loaded calls of plain files, by `batch:line`: these are scanned once more. Only twins need it, and they are
 * rare; what can be read once was hashed when it was.
 */
export async function hashLines(
  sources: readonly SourceFile[],
  places: readonly Place[],
  { maxLineBytes, stdin }: { readonly maxLineBytes: number; readonly stdin: Readable },
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  if (places.length === 0) return hashes;
  const wanted = new Set(places.map(({ batch, line }) => `${batch}:${line}`));
  const note = (key: string, sha256: string) => {
    if (wanted.has(key)) hashes.set(key, sha256);
  };
  const options = { calls: ['batch', 'line', 'place', 'line_sha256'], runs: [], attemptFields: [] };
  const scanner: Scanner = new Scanner(
    compileScanner(),
    { ...options, maxLineBytes, everyReject: false, runKey: randomBytes(16) },
    { rows: (block) => readHashes(block, scanner, note), reject: () => {} },
  );
  for (const batch of new Set(places.map((place) => place.batch))) {
    const source = sources[batch]!;
    const input = await openInput(source, { stdin });
    try {
      if (input.kind === 'stream') throw changedWhileRead(source.name, 'it is no plain file any more');
      const { fd, size } = input;
      scanFile(scanner, {
        batch,
        only: onlyOf(source),
        digests: true,
        fd,
        size,
        from: 0,
        to: size,
        isLive: false,
      });
      input.ensureUnchanged();
    } finally {
      input.close();
    }
  }
  scanner.flush();
  return hashes;
}

function readHashes(block: RowBlock, scanner: Scanner, note: (key: string, sha256: string) => void): void {
  const [batch, line, , digest] = scanner.layout.columns[0];
  const view = new DataView(block.buffer);
  const bytes = Buffer.from(block.buffer);
  for (let row = 0; row < block.rows[0]; row++) {
    const at = (column: typeof batch) => block.cells + column!.cells + row * column!.bytes;
    const key = `${view.getUint32(at(batch), true)}:${view.getUint32(at(line), true)}`;
    const text = block.arena + view.getUint32(at(digest) + 8, true);
    note(key, bytes.toString('latin1', text, text + 64));
  }
}
