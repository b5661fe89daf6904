import { describe, expect, test } from 'vitest';
import {
  describeAcks,
  isExcusable,
  isExpired,
  type Known,
  type KnownCall,
  type KnownConflict,
  type KnownReject,
  NOTHING_KNOWN,
  remainingConflicts,
  remainingRejects,
  settle,
} from '../../src/gate/acks.js';
import {
  type AckLine,
  type CallAck,
  type ConflictAck,
  type Entry,
  hashOf,
  placeOfAck,
  type RejectAck,
} from '../../src/schema/ack.js';
import fc from '../support/fast-check.js';
import { NOW } from './evidence.js';

const CALL: KnownCall = {
  call_key: 'key',
  session_id: 'trace',
  timestamp: '2026-09-01T08:00:00.000Z',
  kind: 'fill',
  model: 'm',
  iterations: 1,
  final_verdict: 'accepted',
  grounded_in_roster: false,
  line_sha256: 'c'.repeat(64),
  file: 'sessions.jsonl',
  line: 7,
};

const callAck = (changes: Partial<CallAck> = {}): CallAck => ({
  schema: 'lakelog.ack.v1',
  what: 'call',
  gate: 'alarm',
  ...CALL,
  values: ['ungrounded'],
  reason: 'the worker was replaced',
  author: 'ops',
  at: '2026-09-01T09:00:00.000Z',
  expires: null,
  ...changes,
});

const SHA = 'a'.repeat(64);

const known = (line: number, changes: Partial<KnownReject> = {}): KnownReject => ({
  file: 'sessions.jsonl',
  line,
  reason: 'bad_json',
  detail: 'the line is not JSON',
  line_sha256: SHA,
  blocks: true,
  ...changes,
});

const rejectAck = (line: number, changes: Partial<RejectAck> = {}): RejectAck => ({
  schema: 'lakelog.ack.v1',
  what: 'reject',
  line_sha256: SHA,
  reject_reason: 'bad_json',
  file: 'sessions.jsonl',
  line,
  reason: 'power cut',
  author: 'ops',
  at: '2026-09-01T09:00:00.000Z',
  expires: null,
  ...changes,
});

const knownOf = (rejects: readonly KnownReject[]): Known => ({ ...NOTHING_KNOWN, rejects });

const entries = (...acks: readonly AckLine[]): Entry[] => acks.map((ack, i) => ({ ack, line: i + 1 }));

function settled(acks: readonly AckLine[], loaded: Partial<Known> = {}, now = NOW, gate = 'alarm') {
  return settle(entries(...acks), gate, { ...NOTHING_KNOWN, ...loaded }, now, 'acks.jsonl');
}

describe('a call', () => {
  test('is settled at the place where it stands now, wherever it stood before', () => {
    const moved = { ...CALL, file: 'old/sessions.jsonl', line: 99 };
    const { calls, findings, used } = settled([callAck()], { calls: [moved] });
    expect([...calls.keys()]).toEqual(['old/sessions.jsonl:99']);
    expect(findings).toEqual([]);
    expect(used).toHaveLength(1);
  });

  const changes: readonly [keyof KnownCall, unknown][] = [
    ['call_key', 'key2'],
    ['session_id', 'trace2'],
    ['timestamp', '2026-09-01T08:00:00.001Z'],
    ['kind', 'Fill'],
    ['model', 'm2'],
    ['iterations', 2],
    ['final_verdict', 'max_iter_exhausted'],
    ['grounded_in_roster', true],
    ['grounded_in_roster', null],
  ];
  test.each(changes)('whose %s became %j is not', (fact, value) => {
    const { calls, findings, used } = settled([callAck()], { calls: [{ ...CALL, [fact]: value }] });
    expect(calls.size).toBe(0);
    expect(used).toEqual([]);
    expect(findings).toMatchObject([
      { where: 'acks.jsonl:1', message: expect.stringContaining('matches nothing') },
    ]);
  });

  test('acknowledged while unjudged is not settled once it is known to be ungrounded', () => {
    const { calls, findings } = settled([callAck({ grounded_in_roster: null })], { calls: [CALL] });
    expect(calls.size).toBe(0);
    expect(findings).toHaveLength(1);
  });

  test('is settled in the gate that was named and in no other, which has no word about it', () => {
    expect(settled([callAck({ gate: 'other' })], { calls: [CALL] })).toMatchObject({
      calls: new Map(),
      used: [],
      findings: [],
    });
    expect(settled([callAck({ gate: 'other' })], { calls: [CALL] }, NOW, 'other').calls.size).toBe(1);
  });

  test('is judged by the last word on it', () => {
    const first = callAck({ reason: 'first' });
    const last = callAck({ reason: 'last' });
    expect([...settled([first, last], { calls: [CALL] }).calls.values()]).toEqual([last]);
    const expired = settled([first, callAck({ expires: '2026-09-01' })], { calls: [CALL] });
    expect(expired.calls.size).toBe(0);
    expect(expired.findings).toMatchObject([{ where: 'acks.jsonl:2' }]);
    expect(settled([callAck({ expires: '2026-09-01' }), last], { calls: [CALL] }).findings).toEqual([]);
  });

  test('that shares its key with another settles one of the two', () => {
    const twin = { ...CALL, line: 8 };
    expect(settled([callAck()], { calls: [CALL, twin] }).calls.size).toBe(1);
  });
});

describe('a rejected line', () => {
  test('is settled by its bytes', () => {
    const line = known(7);
    expect([...settled([rejectAck(7)], { rejects: [line] }).rejects]).toEqual([line]);
    expect([...settled([rejectAck(99)], { rejects: [line] }).rejects]).toEqual([line]);
    const other = settled([rejectAck(7)], { rejects: [known(7, { line_sha256: 'b'.repeat(64) })] });
    expect(other.rejects.size).toBe(0);
    expect(other.findings).toMatchObject([{ where: 'acks.jsonl:1' }]);
  });

  test('each of two with the same bytes needs an acknowledgement of its own', () => {
    const rejects = [known(3), known(5)];
    expect([...settled([rejectAck(5)], { rejects }).rejects]).toEqual([rejects[1]]);
    expect(settled([rejectAck(5), rejectAck(5)], { rejects }).rejects.size).toBe(1);
    expect(settled([rejectAck(5), rejectAck(3)], { rejects }).rejects.size).toBe(2);
    const third = settled([rejectAck(5), rejectAck(3), rejectAck(9)], { rejects });
    expect(third.findings).toMatchObject([{ where: 'acks.jsonl:3' }]);
  });

  test.each(['missing:schema', 'type:schema', 'value:schema'])('with %s is never settled', (reason) => {
    const { rejects, findings } = settled([rejectAck(7)], { rejects: [known(7, { reason })] });
    expect(rejects.size).toBe(0);
    expect(findings).toHaveLength(1);
    expect(isExcusable(reason)).toBe(false);
  });

  // A line that says its schema twice has no schema that is known.
  test('a line whose schema stands twice is never settled', () => {
    expect(isExcusable('duplicate_key:schema')).toBe(false);
  });

  test('leaves the rest of its group, counted and with the place of the first that is left', () => {
    const rejects = [known(3), known(5), known(9, { reason: 'type:kind', blocks: false })];
    expect(remainingRejects({ known: knownOf(rejects), rejects: new Set([rejects[0]!]) })).toMatchObject([
      { reason: 'bad_json', count: 1, first: 'sessions.jsonl:5', blocks: true },
      { reason: 'type:kind', count: 1, first: 'sessions.jsonl:9', blocks: false },
    ]);
    expect(remainingRejects({ known: knownOf(rejects), rejects: new Set(rejects) })).toEqual([]);
  });
});

describe('a record that shares its call_id', () => {
  const twin = (line: number, changes: Partial<KnownConflict> = {}): KnownConflict => ({
    file: 'sessions.jsonl',
    line,
    call_id: 'k1',
    line_sha256: String(line % 10).repeat(64),
    ...changes,
  });
  const conflictAck = (line: number, changes: Partial<ConflictAck> = {}): ConflictAck => ({
    ...rejectAck(line),
    ...twin(line),
    what: 'conflict',
    ...changes,
  });
  const left = (acks: readonly AckLine[], conflicts: readonly KnownConflict[]) =>
    remainingConflicts(settled(acks, { conflicts }));

  test('is settled by its bytes and its call_id, wherever it stands', () => {
    const moved = twin(3, { file: 'old.jsonl', line: 99 });
    expect(left([conflictAck(3), conflictAck(4)], [moved, twin(4)])).toEqual({
      conflicts: 0,
      firstConflict: null,
    });
    expect(left([conflictAck(3, { call_id: 'k2' }), conflictAck(4)], [twin(3), twin(4)])).toEqual({
      conflicts: 1,
      firstConflict: 'sessions.jsonl:3',
    });
  });

  test('leaves a third one with the same call_id, and the others of other ids', () => {
    const acks = [conflictAck(3), conflictAck(4)];
    expect(left(acks, [twin(3), twin(4), twin(5)])).toEqual({
      conflicts: 1,
      firstConflict: 'sessions.jsonl:5',
    });
    const others = [twin(6, { call_id: 'k2' }), twin(7, { call_id: 'k2' })];
    expect(left(acks, [twin(3), twin(4), ...others])).toEqual({
      conflicts: 2,
      firstConflict: 'sessions.jsonl:7',
    });
  });

  test('that is alone again is told of', () => {
    expect(settled([conflictAck(3)]).findings).toMatchObject([
      { where: 'acks.jsonl:1', message: expect.stringContaining('matches nothing') },
    ]);
  });
});

describe('what was settled in one step', () => {
  const many = [3, 4, 5].map((line) => rejectAck(line, { line_sha256: String(line).repeat(64) }));
  const rejects = many.map(({ line, line_sha256 }) => known(line, { line_sha256 }));

  test('is one notice, whatever else was said at another time', () => {
    const { used } = settled([...many, rejectAck(9, { author: 'eve' })], { rejects: [...rejects, known(9)] });
    expect(describeAcks(used)).toEqual([
      '3 rejected lines (the first sessions.jsonl:3) acknowledged by ops on 2026-09-01: power cut',
      'line sessions.jsonl:9 (bad_json) acknowledged by eve on 2026-09-01: power cut',
    ]);
  });

  test('is one complaint once it matches nothing', () => {
    expect(settled(many, { rejects: rejects.slice(0, 1) })).toMatchObject({
      used: [{ line: 1 }],
      findings: [{ where: 'acks.jsonl:2', message: expect.stringContaining('of 2 rejected lines') }],
    });
  });
});

describe('an instant', () => {
  test.each([
    ['2026-09-01T07:59:59.999Z', false],
    ['2026-09-01T08:00:00.000Z', true],
  ])('at %s it has passed: %s', (now, expired) => {
    expect(isExpired(callAck({ expires: '2026-09-01T10:00:00+02:00' }), new Date(now))).toBe(expired);
  });
});

describe('expires is the last day it holds, in UTC', () => {
  test.each([
    ['2026-09-01T00:00:00.000Z', false],
    ['2026-09-01T23:59:59.999Z', false],
    ['2026-09-02T00:00:00.000Z', true],
  ])('at %s: %s', (now, expired) => {
    expect(isExpired(callAck({ expires: '2026-09-01' }), new Date(now))).toBe(expired);
  });

  test.each([
    ['a call', callAck({ expires: '2026-09-01' })],
    ['a line', rejectAck(7, { expires: '2026-09-01' })],
  ])('%s is not settled any more, and the line of the file is named', (_, ack) => {
    const { calls, rejects, findings } = settled([ack], { calls: [CALL], rejects: [known(7)] });
    expect(calls.size + rejects.size).toBe(0);
    expect(findings).toMatchObject([
      { where: 'acks.jsonl:1', message: expect.stringContaining('expired at the end of 2026-09-01') },
    ]);
  });
});

test('a notice says what, who, when, until when and why', () => {
  const [entry] = entries(callAck({ expires: '2026-12-31' }));
  expect(describeAcks([entry!])).toEqual([
    'call key acknowledged by ops on 2026-09-01, until 2026-12-31: the worker was replaced',
  ]);
  const [line] = entries(rejectAck(7));
  expect(describeAcks([line!])).toEqual([
    'line sessions.jsonl:7 (bad_json) acknowledged by ops on 2026-09-01: power cut',
  ]);
});

describe('whatever is acknowledged', () => {
  const key = fc.constantFrom('k1', 'k2', 'k3');
  const stamp = fc.constantFrom(true, false, null);
  const place = fc.record({
    file: fc.constantFrom('a.jsonl', 'b.jsonl'),
    line: fc.integer({ min: 1, max: 4 }),
  });
  const unique = { selector: ({ file, line }: { file: string; line: number }) => `${file}:${line}` };
  const calls = fc.uniqueArray(
    fc.tuple(key, stamp, place).map(([call_key, grounded_in_roster, at]) => ({
      ...CALL,
      call_key,
      grounded_in_roster,
      ...at,
    })),
    unique,
  );
  const sha = fc.constantFrom('1'.repeat(64), '2'.repeat(64));
  const rejects = fc.uniqueArray(
    fc
      .tuple(sha, fc.constantFrom('bad_json', 'value:schema'), place)
      .map(([line_sha256, reason, at]) => known(1, { line_sha256, reason, ...at })),
    unique,
  );
  const expires = fc.constantFrom(null, '2026-09-01', '2026-09-02', '2026-09-03');
  const acks = fc.array(
    fc.oneof(
      fc
        .tuple(key, stamp, place, expires, fc.constantFrom('alarm', 'other'))
        .map(
          ([call_key, grounded_in_roster, at, expires, gate]): AckLine =>
            callAck({ call_key, grounded_in_roster, ...at, expires, gate }),
        ),
      fc
        .tuple(sha, place, expires)
        .map(([line_sha256, at, expires]): AckLine => rejectAck(1, { line_sha256, ...at, expires })),
    ),
    { maxLength: 12 },
  );

  test('no more is settled than was acknowledged, and all that is was', () => {
    fc.assert(
      fc.property(acks, calls, rejects, (acks, calls, rejects) => {
        const result = settled(acks, { calls, rejects });
        const valid = acks.filter((ack) => !isExpired(ack, NOW));
        for (const [place, ack] of result.calls) {
          const call = calls.find(({ file, line }) => `${file}:${line}` === place);
          expect(valid).toContain(ack);
          expect(ack.gate).toBe('alarm');
          expect(call).toMatchObject({ call_key: ack.call_key, grounded_in_roster: ack.grounded_in_roster });
        }
        for (const reject of result.rejects) expect(reject.reason).toBe('bad_json');
        for (const sha of ['1', '2'].map((digit) => digit.repeat(64))) {
          const lines = [...result.rejects].filter(({ line_sha256 }) => line_sha256 === sha).length;
          const places = valid.flatMap((ack) =>
            ack.what === 'reject' && ack.line_sha256 === sha ? [`${ack.file}:${ack.line}`] : [],
          );
          expect(lines).toBeLessThanOrEqual(new Set(places).size);
        }
        expect(result.calls.size + result.rejects.size).toBe(result.used.length);
        const left = remainingRejects(result).reduce((sum, { count }) => sum + count, 0);
        expect(left).toBe(rejects.length - result.rejects.size);
      }),
    );
  });

  test('every acknowledgement of the gate that stands is used or complained of', () => {
    fc.assert(
      fc.property(acks, calls, rejects, (acks, calls, rejects) => {
        const standing = new Set(
          acks.flatMap((ack) => {
            if (ack.what === 'call') return ack.gate === 'alarm' ? [ack.call_key] : [];
            return [`${hashOf(ack)} ${placeOfAck(ack)}`];
          }),
        );
        const { used, findings } = settled(acks, { calls, rejects });
        // What was said of several lines in one step is told once.
        const told = findings.map(({ message }) => Number(/of (\d+) rejected lines/.exec(message)?.[1] ?? 1));
        expect(used.length + told.reduce((sum, count) => sum + count, 0)).toBe(standing.size);
        for (const { where } of findings) expect(where).toMatch(/^acks\.jsonl:\d+$/);
      }),
    );
  });
});
