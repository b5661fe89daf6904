import { describe, expect, test } from 'vitest';
import {
  type Known,
  type KnownChange,
  NOTHING_KNOWN,
  remainingGaps,
  settle,
  settledMissing,
} from '../../src/gate/acks.js';
import { holesWithin, type KnownHole, missingIn, openHoles } from '../../src/gate/holes.js';
import type { AckLine, ChangedFileAck, HoleAck } from '../../src/schema/ack.js';
import fc from '../support/fast-check.js';
import { NOW } from './evidence.js';

const SAID = {
  schema: 'lakelog.ack.v1',
  file: 'sessions.jsonl',
  reason: 'the disk was full',
  author: 'ops',
  at: '2026-09-01T09:00:00.000Z',
  expires: null,
} as const;

const holeAck = (writer_id: string, from_seq: number, to_seq: number, changes = {}): HoleAck => ({
  ...SAID,
  what: 'hole',
  writer_id,
  from_seq,
  to_seq,
  line: 9,
  ...changes,
});

const hole = (writer_id: string, from_seq: number, to_seq: number): KnownHole => ({
  writer_id,
  from_seq,
  to_seq,
  file: 'sessions.jsonl',
  line: to_seq + 1,
});

const settled = (acks: readonly AckLine[], known: Partial<Known>) =>
  settle(
    acks.map((ack, i) => ({ ack, line: i + 1 })),
    'alarm',
    { ...NOTHING_KNOWN, ...known },
    NOW,
    'acks.jsonl',
  );

/** Holes of two writers that do not touch, and acknowledgements anywhere. */
const anyHoles = fc
  .array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(3), fc.nat(3)), { maxLength: 8 })
  .map((steps) => {
    const ends = new Map<string, number>();
    return steps.map(([writer, skip, length]) => {
      const from = (ends.get(writer) ?? 0) + 2 + skip;
      ends.set(writer, from + length);
      return hole(writer, from, from + length);
    });
  });
const anyAcks = fc.array(
  fc
    .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 40 }), fc.nat(9))
    .map(([writer, from, length]) => holeAck(writer, from, from + length)),
  { maxLength: 8 },
);

const numbersOf = (ranges: readonly Pick<KnownHole, 'writer_id' | 'from_seq' | 'to_seq'>[]) =>
  ranges.flatMap(({ writer_id, from_seq, to_seq }) =>
    Array.from({ length: to_seq - from_seq + 1 }, (_, i) => `${writer_id} ${from_seq + i}`),
  );

describe('holes', () => {
  test('what is open is what is missing without what is acknowledged, number by number', () => {
    fc.assert(
      fc.property(anyHoles, anyAcks, (holes, acks) => {
        const covered = new Set(numbersOf(acks));
        const left = numbersOf(holes).filter((number) => !covered.has(number));
        const open = openHoles(holes, acks);
        expect(numbersOf(open).sort()).toEqual(left.sort());
        // Each piece still knows the record behind its hole.
        for (const piece of open)
          expect(holes.some((one) => one.writer_id === piece.writer_id && one.line === piece.line)).toBe(
            true,
          );
      }),
    );
  });

  test('what lies within named numbers is found, cut to them', () => {
    fc.assert(
      fc.property(anyHoles, anyAcks, (holes, acks) => {
        for (const ack of acks) {
          const own = holes.filter(({ writer_id }) => writer_id === ack.writer_id);
          const missing = new Set(numbersOf(own));
          const named = numbersOf([ack]).filter((number) => missing.has(number));
          expect(numbersOf(holesWithin(own, ack)).sort()).toEqual(named.sort());
        }
      }),
    );
  });

  test('every number is settled or remains, and every acknowledgement is used or complained of', () => {
    fc.assert(
      fc.property(anyHoles, anyAcks, (holes, acks) => {
        const result = settled(acks, { holes });
        const left = remainingGaps(result).reduce((sum, { missing }) => sum + missing, 0);
        expect(left + settledMissing(result)).toBe(missingIn(holes));
        const standing = new Set(acks.map((ack) => `${ack.writer_id} ${ack.from_seq} ${ack.to_seq}`));
        const told = result.findings.map(({ message }) => Number(/of (\d+) holes/.exec(message)?.[1] ?? 1));
        expect(result.used.length + told.reduce((sum, count) => sum + count, 0)).toBe(standing.size);
      }),
    );
  });

  test('one that expired leaves its hole open', () => {
    const result = settled([holeAck('a', 3, 5, { expires: '2026-09-01' })], { holes: [hole('a', 3, 5)] });
    expect(remainingGaps(result)).toMatchObject([{ writer_id: 'a', missing: 3 }]);
    expect(result.findings[0]!.message).toMatch(/^the acknowledgement of seq 3 to 5 missing from writer "a"/);
  });

  test('a hole that grew is open where it grew, and one that shrank is settled', () => {
    const acks = [holeAck('a', 3, 5)];
    expect(remainingGaps(settled(acks, { holes: [hole('a', 2, 7)] }))).toEqual([
      {
        ...{ writer_id: 'a', missing: 3, more: 0, last: 7, where: 'sessions.jsonl:8' },
        ranges: [
          { from: 2, to: 2 },
          { from: 6, to: 7 },
        ],
      },
    ]);
    expect(remainingGaps(settled(acks, { holes: [hole('a', 4, 4)] }))).toEqual([]);
  });
});

describe('a changed file', () => {
  const change: KnownChange = { path: 'sessions.jsonl', fingerprint: 'f'.repeat(64) };
  const ack = (head_sha256: string): ChangedFileAck => ({ ...SAID, what: 'changed_file', head_sha256 });

  test('is settled by what it was changed to, whatever it is called now', () => {
    const moved = { ...change, path: 'old/sessions.jsonl.1' };
    const result = settled([ack('f'.repeat(64))], { changes: [moved] });
    expect([...result.changes]).toEqual([moved]);
    expect(result.findings).toEqual([]);
  });

  test('that was changed anew is not', () => {
    const result = settled([ack('e'.repeat(64))], { changes: [change] });
    expect(result.changes.size).toBe(0);
    expect(result.findings).toEqual([
      {
        message:
          'the acknowledgement of the changed file sessions.jsonl by ops matches nothing (the file is as it was, or was changed anew, or was not read)',
        where: 'acks.jsonl:1',
        next: expect.stringContaining('lakelog ack prune'),
      },
    ]);
  });

  test('without a fingerprint nothing settles it', () => {
    const result = settled([ack('f'.repeat(64))], { changes: [{ path: 'sessions.jsonl' }] });
    expect(result.changes.size).toBe(0);
  });
});
