import { randomBytes } from 'node:crypto';
import type { KINDS } from '../../src/scan/formats.js';
import { compileScanner } from '../../src/scan/machine.js';
import type { RejectedLine } from '../../src/scan/reject.js';
import {
  type Layout,
  type LineCounts,
  type RowBlock,
  Scanner,
  type ScanOptions,
} from '../../src/scan/scanner.js';

export const module = compileScanner();
export type Row = Readonly<Record<string, string | number | bigint | boolean | null>>;

export const runKey = randomBytes(16);

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
    case 'boolean':
      return view.getUint8(at) === 1;
    case 'double':
      return view.getFloat64(at, true);
    case 'bigint': {
      const value = view.getBigInt64(at, true);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case 'instant':
      return view.getBigInt64(at, true);
    case 'hash':
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

export interface Scanned {
  readonly calls: Row[];
  readonly runs: Row[];
  readonly rejects: RejectedLine[];
  readonly counts: LineCounts;
}

export function scanner(options: Partial<ScanOptions> = {}) {
  const found: { calls: Row[]; runs: Row[]; rejects: RejectedLine[] } = { calls: [], runs: [], rejects: [] };
  const one = new Scanner(
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
      reject: (line) => void found.rejects.push(line),
    },
  );
  return { one, found };
}

/** Scans bytes in chunks of the given size. */
export function scanBytes(
  bytes: Buffer,
  options: Partial<ScanOptions> = {},
  {
    chunk = 1 << 20,
    only = null,
    isLive = false,
  }: { chunk?: number; only?: (typeof KINDS)[number] | null; isLive?: boolean } = {},
): Scanned {
  const { one, found } = scanner(options);
  one.begin({ batch: 0, only, digests: true, from: 0, to: Number.POSITIVE_INFINITY });
  for (let at = 0; at < bytes.length; ) {
    const count = bytes.copy(one.room(), 0, at, Math.min(bytes.length, at + chunk));
    one.filled(count);
    at += count;
  }
  const counts = one.end(isLive);
  one.flush();
  return { ...found, counts };
}
