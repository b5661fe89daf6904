import { randomBytes } from 'node:crypto';
import type { Layout, RowBlock } from '../../src/scan/columns.js';
import { addCounts, type FilePart, scanFile } from '../../src/scan/file.js';
import { compileScanner, type ScanOptions } from '../../src/scan/machine.js';
import type { RejectedLine as Rejected } from '../../src/scan/reject.js';
import { type LineCounts, Scanner } from '../../src/scan/scanner.js';
import type { Kind } from '../../src/schema/formats.js';

export const module = compileScanner();
export type Row = Readonly<Record<string, string | number | bigint | boolean | null>>;

export const runKey = randomBytes(16);

/** A record of few bytes. */
export const CALL = {
  schema: 'session.iterate.v1',
  session_id: 'a',
  timestamp: '2026-09-01T08:00:00Z',
  kind: 'fill',
  model: 'm',
  iterations: 1,
  final_verdict: 'accepted',
};
export const RUN = {
  schema: 'replay.run.v1',
  session_id: 'a',
  timestamp: '2026-09-01T08:00:00Z',
  run_id: 'r',
};
export const call = (changes: object = {}) => JSON.stringify({ ...CALL, ...changes });
export const run = (changes: object = {}) => JSON.stringify({ ...RUN, ...changes });
/** A record with members more, as they are written. */
export const plus = (text: string, record = call()) => record.replace(/}$/, `,${text}}`);

/** The rows of a block as objects, calls and replay runs. */
export function rowsIn(block: RowBlock, layout: Layout): [Row[], Row[]] {
  const view = new DataView(block.buffer);
  const read = (kind: 0 | 1) =>
    Array.from({ length: block.rows[kind] }, (_, row) =>
      Object.fromEntries(
        layout.columns[kind].map((column) => {
          const valid = (view.getUint8(block.cells + column.validity + (row >> 3)) >> (row & 7)) & 1;
          return [
            column.name,
            valid === 1
              ? cell(view, block, column.type, block.cells + column.cells + row * column.bytes)
              : null,
          ];
        }),
      ),
    );
  return [read(0), read(1)];
}

function cell(view: DataView, block: RowBlock, type: string, at: number) {
  switch (type) {
    case 'BOOLEAN':
      return view.getUint8(at) === 1;
    case 'DOUBLE':
      return view.getFloat64(at, true);
    case 'BIGINT': {
      const value = view.getBigInt64(at, true);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case 'TIMESTAMPTZ':
      return view.getBigInt64(at, true);
    case 'HUGEINT':
      return `${view.getBigUint64(at, true)}:${view.getBigUint64(at + 8, true)}`;
    default: {
      const length = view.getUint32(at, true);
      const from = length <= 12 ? at + 4 : block.arena + Number(view.getBigUint64(at + 8, true));
      const bytes = new Uint8Array(block.buffer, from, length);
      const prefix = new Uint8Array(block.buffer, at + 4, Math.min(4, length));
      if (prefix.some((byte, i) => byte !== bytes[i]))
        throw new Error('the prefix of a text is not its beginning');
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    }
  }
}

type RejectedLine = Rejected & { readonly sha256: string };

export interface Scanned {
  readonly calls: Row[];
  readonly runs: Row[];
  readonly rejects: RejectedLine[];
  readonly counts: LineCounts;
}

/** A scanner that takes no more than `most` bytes at a time. */
class SmallRooms extends Scanner {
  most = Number.POSITIVE_INFINITY;
  override room(): Buffer {
    const room = super.room();
    return room.subarray(0, Math.min(room.length, this.most));
  }
}

export function scanner(options: Partial<ScanOptions> = {}) {
  const found: { calls: Row[]; runs: Row[]; rejects: RejectedLine[] } = { calls: [], runs: [], rejects: [] };
  const one = new SmallRooms(
    module,
    {
      calls: ['line', 'byte_offset'],
      runs: ['line', 'byte_offset'],
      attemptFields: [],
      maxLineBytes: 16 << 20,
      everyReject: true,
      runKey,
      ...options,
    },
    {
      rows(block) {
        const [calls, runs] = rowsIn(block, one.layout);
        found.calls.push(...calls);
        found.runs.push(...runs);
      },
      reject: (line, _batch, sha256) => void found.rejects.push({ ...line, sha256: sha256() }),
    },
  );
  return { one, found };
}

interface Way {
  /** Bytes at a time. */
  readonly chunk?: number;
  readonly only?: Kind | null;
  readonly isLive?: boolean;
}

/** Scans one text after another with one scanner, as one does many files. */
export function bytesScanner(options: Partial<ScanOptions> = {}) {
  const { one, found } = scanner(options);
  return (bytes: Buffer, { chunk = 1 << 20, only = null, isLive = false }: Way = {}): Scanned => {
    one.begin({ batch: 0, only, digests: true, from: 0, to: Number.POSITIVE_INFINITY });
    for (let at = 0; at < bytes.length; ) {
      const count = bytes.copy(one.room(), 0, at, Math.min(bytes.length, at + chunk));
      one.filled(count);
      at += count;
    }
    const counts = one.end(isLive);
    one.flush();
    const [calls, runs, rejects] = [found.calls.splice(0), found.runs.splice(0), found.rejects.splice(0)];
    return { calls, runs, rejects, counts };
  };
}

export const scanBytes = (bytes: Buffer, options: Partial<ScanOptions> = {}, way: Way = {}): Scanned =>
  bytesScanner(options)(bytes, way);

/** Line numbers of a part count from its first line. */
export const shifted = <T extends { readonly line?: unknown }>(found: readonly T[], by: number): T[] =>
  found.map((one) => ({ ...one, line: Number(one.line) + by }));

/**
 * A scanner of a file that is cut into parts, one after the other, as a thread would scan them.
 * @param most bytes that it takes at a time.
 */
export function partScanner(
  file: Pick<FilePart, 'fd' | 'size' | 'isLive'>,
  options: Partial<ScanOptions> = {},
) {
  const { one, found } = scanner(options);
  return (cuts: readonly number[], most = Number.POSITIVE_INFINITY): Scanned => {
    one.most = most;
    const all: { calls: Row[]; runs: Row[]; rejects: RejectedLine[] } = { calls: [], runs: [], rejects: [] };
    let counts: LineCounts | undefined;
    for (const [i, from] of [0, ...cuts].entries()) {
      const lines = counts?.lines ?? 0;
      const part = { from, to: cuts[i] ?? file.size };
      counts = addCounts(counts, scanFile(one, { batch: 0, only: null, digests: true, ...file, ...part }));
      one.flush();
      all.calls.push(...shifted(found.calls.splice(0), lines));
      all.runs.push(...shifted(found.runs.splice(0), lines));
      all.rejects.push(...shifted(found.rejects.splice(0), lines));
    }
    return { ...all, counts: counts! };
  };
}
