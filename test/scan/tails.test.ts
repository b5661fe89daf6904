/** The end of a file that somebody may still be writing. */
import { describe, expect, test } from 'vitest';
import { endOf, fateOf } from './checker.mjs';
import { goodLines, mutatedLines } from './mutate.mjs';
import { bytesScanner, call, plus, run } from './support.js';

const scan = bytesScanner();

function fateOfTail(tail: Buffer, isLive: boolean): string {
  const { counts, rejects } = scan(Buffer.concat([Buffer.from('{}\n'), tail]), { isLive });
  const [, reject] = rejects;
  const { lines, pending, blank, loadedCalls } = counts;
  if (lines === 1) return 'nothing';
  expect(lines).toBe(2);
  return reject?.reason ?? (pending ? 'pending' : blank ? 'blank' : loadedCalls ? 'call' : 'run');
}

/** By the checker. */
function wanted(tail: Buffer, isLive: boolean): string {
  const fate = fateOf(tail);
  const name = fate.fate === 'reject' ? fate.reason : fate.fate;
  if (name !== 'bad_json') return name;
  return isLive && endOf(tail) === 'begun' ? 'pending' : 'torn_tail';
}

/** With all that JSON has in it, and characters of every length. */
const RECORD = Buffer.from(
  plus(
    '"note" : [-12.5e-3,"é漢😀\\ud83d\\ude00\\n\\u00e9",{"a":null,"b":[true,false]},[],{}, 0 ]\t',
    call({
      session_id: '漢字',
      attempts: [{ verdict: 'accepted', reasons: ['“ü”'], raw: '\\"{' }],
      artifact: { workers: ['Žofie'] },
    }),
  ),
);

describe('every beginning of a record', () => {
  const RECORDS = [RECORD, Buffer.from(` \t${run({ documents: [{ id: 'é', score: 0.5, rank: 1 }] })}`)];

  test('is pending in a live file and torn in one that nobody writes', () => {
    for (const record of RECORDS) {
      const first = record.indexOf('{') + 1;
      for (let length = first; length < record.length; length++) {
        const tail = record.subarray(0, length);
        const found = { length, live: fateOfTail(tail, true), old: fateOfTail(tail, false) };
        expect(found).toEqual({ length, live: 'pending', old: 'torn_tail' });
      }
      expect(fateOfTail(record, true)).toBe(fateOfTail(record, false));
    }
  });

  test('behind a byte order mark too', () => {
    const marked = Buffer.concat([Buffer.from('\ufeff'), RECORD]);
    for (let length = 4; length < marked.length; length++)
      expect({ length, fate: fateOfTail(marked.subarray(0, length), true) }).toEqual({
        length,
        fate: 'pending',
      });
    expect(fateOfTail(Buffer.from('\ufeff'), true)).toBe('nothing');
    expect(fateOfTail(marked, true)).toBe('call');
  });

  test('is torn where a byte of it is no UTF-8, or no JSON', () => {
    for (let at = 1; at < RECORD.length - 1; at++) {
      for (const bad of [0xff, 0x00]) {
        const tail = Buffer.from(RECORD.subarray(0, -1));
        tail[at] = bad;
        expect({ at, bad, fate: fateOfTail(tail, true) }).toEqual({ at, bad, fate: 'torn_tail' });
      }
    }
  });
});

test.each([
  ['pending', '{'],
  ['pending', ' {'],
  ['pending', '{"a":tru'],
  ['pending', '{"a":-'],
  ['pending', '{"a":1'],
  ['pending', '{"a":"\\ud83d\\'],
  ['pending', '{"a":"\\ud83d\\ud'],
  ['pending', '{"a":"\\u1'],
  ['torn_tail', '{"a":"\\ud83dx'],
  ['torn_tail', '{"a":"\\ud83d\\n'],
  ['torn_tail', '{"a":"\\ude00'],
  ['torn_tail', '{"a":"\t'],
  ['torn_tail', '{"a":01'],
  ['torn_tail', '{"a":1,}'],
  ['torn_tail', '{}}'],
  ['torn_tail', '{} {'],
  ['torn_tail', '{"a":\ufeff'],
  ['torn_tail', '['],
  ['torn_tail', '[{"a":1'],
  ['torn_tail', '"a'],
  ['torn_tail', 'nul'],
  ['torn_tail', '\v{'],
  ['torn_tail', '\0'],
  ['not_object', 'null'],
  ['not_object', '1'],
  ['missing:schema', '{}'],
  ['blank', ' \t\r'],
  ['blank', '\ufeff\r'],
  ['nothing', '\ufeff'],
])('of a live file is %s: %j', (fate, text) => {
  expect(fateOfTail(Buffer.from(text), true)).toBe(fate);
});

test('is what the checker says, whatever line it is and wherever it is cut', () => {
  const lines = [...mutatedLines(11, 400), ...goodLines(12, 40)].filter((line) => line.length > 0);
  for (const [i, line] of lines.entries()) {
    // A cut in each, at another place in each.
    for (const tail of [line, line.subarray(0, 1 + ((i * 7919) % line.length))]) {
      for (const isLive of [true, false]) {
        const found = fateOfTail(tail, isLive);
        if (found === 'nothing') expect(tail).toEqual(Buffer.from('\ufeff'));
        else
          expect({ i, tail: tail.toString('latin1'), found }).toEqual({
            i,
            tail: tail.toString('latin1'),
            found: wanted(tail, isLive),
          });
      }
    }
  }
});
