/** Files that are cut into parts: wherever they are cut, and whoever scans them, no line has another fate. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { layoutOf } from '../../src/scan/columns.js';
import { addCounts, type FilePart, type ScannedPart } from '../../src/scan/file.js';
import { scanInThreads } from '../../src/scan/pool.js';
import type { LineCounts } from '../../src/scan/scanner.js';
import { byDay, newFolder, nightly } from '../support/cli.js';
import { endOf, fateOf, linesOf } from './checker.mjs';
import { BODY, MAX_LINE, TAILS } from './every-fate.js';
import { module, partScanner, type Row, rowsIn, runKey, type Scanned, shifted } from './support.js';

const OPTIONS = {
  calls: ['line', 'byte_offset', 'session_id', 'line_key', 'line_sha256', 'attempts'],
  runs: ['line', 'byte_offset', 'session_id', 'line_key'],
  attemptFields: ['reasons'],
  maxLineBytes: MAX_LINE,
  everyReject: true,
  runKey,
};

const opened: number[] = [];
afterAll(() => opened.forEach(closeSync));

function fileOf(bytes: Buffer, isLive: boolean) {
  const file = path.join(newFolder(), 'log');
  writeFileSync(file, bytes);
  const fd = openSync(file, 'r');
  opened.push(fd);
  return { fd, size: bytes.length, isLive };
}

function comparable({ calls, runs, rejects, counts: all }: Scanned) {
  // A part tells, too, whether it could be read.
  const { failure = null, ...counts } = all as LineCounts & Partial<ScannedPart>;
  expect(failure).toBeNull();
  const groups = counts.groups.map(({ reason, kind, count }) => `${count} × ${reason} ${kind}`).sort();
  return { calls, runs, rejects, counts: { ...counts, groups } };
}

/** Line, place and fate of every line by the checker. */
function wanted(bytes: Buffer, isLive: boolean): string[] {
  return linesOf(bytes).map((line) => {
    const fate = fateOf(line.bytes, { maxLineBytes: MAX_LINE });
    let name = fate.fate === 'reject' ? fate.reason : fate.fate;
    if (!line.terminated && name === 'bad_json')
      name = isLive && endOf(line.bytes) === 'begun' ? 'pending' : 'torn_tail';
    return `${line.number} @${line.byteOffset} ${name}`;
  });
}

/** The same of what was scanned; lines that left no trace are given those of the checker. */
function found({ calls, runs, rejects, counts }: Scanned, all: readonly string[]): string[] {
  const names = new Map([
    ...calls.map((row) => [row.line, `${row.line} @${row.byte_offset} call`] as const),
    ...runs.map((row) => [row.line, `${row.line} @${row.byte_offset} run`] as const),
    ...rejects.map((one) => [one.line, `${one.line} @${one.byteOffset} ${one.reason}`] as const),
  ]);
  expect(counts).toMatchObject({
    lines: all.length,
    blank: all.filter((line) => line.endsWith(' blank')).length,
    pending: all.filter((line) => line.endsWith(' pending')).length,
  });
  return all.map((line, i) => names.get(i + 1) ?? (/ (blank|pending)$/.test(line) ? line : 'nothing'));
}

/** At night at every byte and in every size. */
const STEP = nightly ? 1 : 7;

const every = (length: number, size: number) =>
  Array.from({ length: Math.ceil(size / length) - 1 }, (_, i) => (i + 1) * length);

describe.each(Object.entries(TAILS))('a log that ends with %s', (_name, tail) => {
  describe.each([true, false])('live: %s', (isLive) => {
    const bytes = Buffer.concat([BODY, tail]);
    const file = fileOf(bytes, isLive);
    const scan = partScanner(file, OPTIONS);
    const uncut = scan([]);
    const whole = comparable(uncut);

    test('is what the checker says', () => {
      const all = wanted(bytes, isLive);
      expect(found(uncut, all)).toEqual(all);
    });

    test('cut in its last lines', () => {
      for (
        let at = BODY.length - 20 + Number(isLive);
        at < Math.min(bytes.length, BODY.length + 100);
        at += STEP
      )
        expect({ at, ...comparable(scan([at])) }).toEqual({ at, ...whole });
    });

    test('in parts and chunks of some bytes', () => {
      for (const most of nightly ? [1, 2, 3, 5, 11, 64, MAX_LINE + 1] : [1, 64]) {
        for (const length of [90, MAX_LINE, bytes.length]) {
          const parts = comparable(scan(every(length, bytes.length), most));
          expect({ most, length, ...parts }).toEqual({ most, length, ...whole });
        }
      }
    });
  });
});

describe('a log of every fate', () => {
  const bytes = Buffer.concat([BODY, TAILS['the start of a marked record']!]);
  let scan: ReturnType<typeof partScanner>;
  let whole: ReturnType<typeof comparable>;
  beforeAll(() => {
    scan = partScanner(fileOf(bytes, true), OPTIONS);
    whole = comparable(scan([]));
  });

  test('cut in two at every byte', () => {
    for (let at = 1; at < bytes.length; at += STEP)
      expect({ at, ...comparable(scan([at])) }).toEqual({ at, ...whole });
  });

  test('in parts of every size', () => {
    for (let length = 1; length <= 300; length += nightly || length < 20 ? 1 : 11)
      expect({ length, ...comparable(scan(every(length, bytes.length))) }).toEqual({ length, ...whole });
  });

  test('in chunks of every size', () => {
    for (let most = 1; most <= 64; most += STEP)
      expect({ most, ...comparable(scan([], most)) }).toEqual({ most, ...whole });
  });

  test('that tells only the first reject of each reason', () => {
    const some = partScanner(fileOf(bytes, true), { ...OPTIONS, everyReject: false });
    const { rejects, counts } = whole;
    const firsts = rejects
      .filter(
        (one, i) => rejects.findIndex(({ reason, kind }) => reason === one.reason && kind === one.kind) === i,
      )
      .map(({ sha256: _, ...first }) => first);
    for (const length of [1, 7, 100, 1_000, bytes.length]) {
      const parts = some(every(length, bytes.length));
      expect(parts.rejects).toEqual([]);
      expect({ length, groups: parts.counts.groups.map(({ count: _, ...first }) => first) }).toEqual({
        length,
        groups: firsts,
      });
      expect(comparable(parts).counts).toEqual(counts);
    }
  });
});

describe('threads', () => {
  const bytes = Buffer.concat([BODY, TAILS['a record']!]);
  const file = fileOf(bytes, false);

  async function inThreads(threads: number, length: number): Promise<Scanned> {
    const layout = layoutOf(OPTIONS);
    const all: { calls: Row[]; runs: Row[]; rejects: Scanned['rejects'] } = {
      calls: [],
      runs: [],
      rejects: [],
    };
    let counts: LineCounts | undefined;
    async function* parts(): AsyncGenerator<FilePart, void, void> {
      for (const from of [0, ...every(length, bytes.length)]) {
        const to = Math.min(from + length, bytes.length);
        yield { batch: 0, only: null, digests: true, ...file, from, to };
      }
    }
    await scanInThreads(module, OPTIONS, threads, parts(), (_, delivery) => {
      const lines = counts?.lines ?? 0;
      for (const block of delivery.blocks) {
        const [calls, runs] = rowsIn(block, layout);
        all.calls.push(...shifted(calls, lines));
        all.runs.push(...shifted(runs, lines));
      }
      counts = addCounts(counts, delivery.counts);
    });
    return { ...all, counts: counts! };
  }

  test.each(byDay([3, 1, 2, 4], 4))('%i of them', async (threads) => {
    // Rejects they only count: who wants each of them scans for them again.
    const whole = { ...comparable(partScanner(file, OPTIONS)([])), rejects: [] };
    for (const length of [13, 200, 1_000, bytes.length])
      expect({ length, ...comparable(await inThreads(threads, length)) }).toEqual({ length, ...whole });
  });

  test('one that cannot read tells so', async () => {
    const closed = openSync(path.join(newFolder()), 'r');
    async function* parts(): AsyncGenerator<FilePart, void, void> {
      yield { batch: 0, only: null, digests: true, fd: closed, size: 9, isLive: false, from: 0, to: 9 };
    }
    const told: unknown[] = [];
    await scanInThreads(module, OPTIONS, 2, parts(), (_, { counts }) => told.push(counts.failure));
    expect(told).toMatchObject([{ code: 'EISDIR', syscall: 'read' }]);
    closeSync(closed);
  });
});
