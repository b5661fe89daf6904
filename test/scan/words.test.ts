/** What is wrong with a rejected line, in words that are true and that hold nothing of what the models said. */
import { describe, expect, test } from 'vitest';
import { REPLAY_FIELDS, SESSION_FIELDS } from '../../src/schema/fields.js';
import { goodLines, mutatedLines } from './mutate.mjs';
import { bytesScanner, call, plus, run } from './support.js';

const scan = bytesScanner();

function wordsOf(line: string | Buffer, way: Parameters<typeof scan>[1] = {}): string {
  const { rejects } = scan(Buffer.concat([Buffer.from(line as string), Buffer.from('\n')]), way);
  expect(rejects).toHaveLength(1);
  return rejects[0]!.detail;
}

/** Where a text stands in the line, from 1. */
const at = (line: string | Buffer, text: string) =>
  `at byte ${Buffer.from(line as string).indexOf(text) + 1} of the line`;

/** The same fault early in a line, and behind more than 64 kB. */
const FAR = plus(`"x":"${'é'.repeat(40_000)}"`);
const BOTH = [
  ['early', call()],
  ['behind 80 kB', FAR],
] as const;

describe.each(BOTH)('%s', (_name, record) => {
  const faulty = (member: string) => plus(member, record);

  test.each([
    ['NaN', 'NaN and infinities are no JSON,'],
    ['Infinity', 'NaN and infinities are no JSON,'],
    ['-Infinity', 'NaN and infinities are no JSON,'],
    ['[1,]', 'a comma too many'],
    ['{"b":1 , }', 'a comma too many'],
    ['"\\udc00"', 'half of a surrogate pair, which no UTF-8 text can hold,'],
    ['"\\ud83d"', 'half of a surrogate pair, which no UTF-8 text can hold,'],
    ['"\\uD83D\\n"', 'half of a surrogate pair, which no UTF-8 text can hold,'],
    ['"\\ud83d\\u0041"', 'half of a surrogate pair, which no UTF-8 text can hold,'],
    ['"\\x41"', 'an escape that JSON does not know'],
    ['"\\u12g4"', 'an escape that JSON does not know'],
    ["'a'", 'something else stands'],
    ['undefined', 'something else stands'],
    ['01', 'something else stands'],
    ['.5', 'something else stands'],
  ])('%s', (value, words) => {
    const line = faulty(`"a":${value}`);
    expect(wordsOf(line)).toMatch(new RegExp(`^the line is not JSON: ${words} at byte \\d+ of the line$`));
  });

  test('the place is the byte, behind a mark and whatever stands before', () => {
    for (const line of [faulty('"a":@'), faulty('"é漢😀":@')]) {
      expect(wordsOf(line)).toContain(at(line, '@'));
      expect(wordsOf(`\ufeff${line}`)).toContain(at(line, '@'));
    }
  });

  test('control characters', () => {
    for (let code = 1; code < 0x20; code++) {
      if (code === 10) continue;
      const line = faulty(`"a":"b${String.fromCharCode(code)}c"`);
      const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
      expect(wordsOf(line)).toBe(
        `there is a raw control character (${name}) ${at(line, String.fromCharCode(code))}`,
      );
    }
    const line = faulty('"a":"b\0c"');
    expect(wordsOf(line)).toBe(`there is a NUL byte (U+0000) ${at(line, '\0')}`);
  });

  test('two records on one line', () => {
    for (const between of ['', ' ', '\r', '\t']) {
      const words = wordsOf(`${record}${between}${call()}`);
      const place = Buffer.byteLength(record + between) + 1;
      expect(words).toBe(
        `the line is not JSON: a second record (two on one line?) at byte ${place} of the line`,
      );
    }
  });

  test('a line that ends inside', () => {
    for (const end of [',', ',"a', ',"a":', ',"a":[', ',"a":"\\', ',"a":tru', ',"a":"\\ud83d'])
      expect(wordsOf(record.slice(0, -1) + end)).toBe('the line ends inside a JSON value (torn write)');
  });

  test('bytes that are no UTF-8', () => {
    for (const bad of [
      [0xff],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x9f, 0x98],
      [0xf4, 0x90, 0x80, 0x80],
    ]) {
      const [before, after] = faulty('"a":"@"').split('@');
      const line = Buffer.concat([Buffer.from(before!), Buffer.from(bad), Buffer.from(after!)]);
      expect(wordsOf(line)).toBe('the line is not valid UTF-8');
    }
  });

  test.each([
    ['"max_iterations":9007199254740993', '9007199254740993', true],
    ['"max_iterations":-9007199254740992', '-9007199254740992', true],
    ['"max_iterations":123456789012345678901234567890', '123456789012345678901234567890', true],
    ['"max_iterations":1e400', '1e400', true],
    ['"max_iterations":1.5', '1.5', false],
    ['"max_iterations":"5"', '"5"', false],
    ['"seq":0', '0', false],
    ['"seq":-1', '-1', false],
    ['"seq":18014398509481985', '18014398509481985', true],
    ['"max_iterations":[9007199254740993]', 'an array', false],
  ])('%s: the digits as they stand, and the bound where it is the fault', (member, digits, isBound) => {
    const words = wordsOf(faulty(member));
    expect(words.endsWith(`, found ${digits}`), words).toBe(true);
    expect(words.includes('at most 9007199254740991 (2^53 − 1)')).toBe(isBound);
  });
});

test('iterations behind whatever stands before', () => {
  const fields = (iterations: string) =>
    `{"prompt":"${'é'.repeat(40_000)}",${call().slice(1).replace('"iterations":1', `"iterations":${iterations}`)}`;
  expect(wordsOf(fields('0'))).toBe('an accepted call has at least 1 iteration, found 0');
  expect(wordsOf(fields('-3'))).toBe('"iterations" must be an integer of at least 0, found -3');
  expect(wordsOf(call({ iterations: -0.5 }))).toBe(
    '"iterations" must be an integer of at least 0, found -0.5',
  );
});

describe('NUL bytes', () => {
  test.each([1, 2, 64, 70_000, 200_000])('%i, and nothing else', (count) => {
    expect(wordsOf('\0'.repeat(count))).toBe(
      `the line is ${count} NUL byte${count === 1 ? '' : 's'} (U+0000: a power failure, or a hole in the file)`,
    );
  });
  test.each([2, 64, 70_000])('%i before a record', (count) => {
    expect(wordsOf('\0'.repeat(count) + call())).toBe(
      `the line begins with ${count} NUL bytes (U+0000: a power failure, or a hole in the file)`,
    );
  });
  test.each([2, 64])('%i behind half a record', (count) => {
    const half = call().slice(0, 50);
    expect(wordsOf(half + '\0'.repeat(count))).toBe('there is a NUL byte (U+0000) at byte 51 of the line');
  });
});

describe('UTF-16', () => {
  const wide = (text: string, isBig: boolean) => {
    const bytes = Buffer.from(text, 'utf16le');
    return isBig ? bytes.swap16() : bytes;
  };
  test.each([false, true])(
    'big-endian: %s; with and without a mark, of a file cut at its line feeds',
    (isBig) => {
      for (const mark of ['', '\ufeff']) {
        const file = wide(`${mark}${call({ kind: '漢字' })}\r\n${run()}\r\n${call()}\n`, isBig);
        const { rejects } = scan(Buffer.concat([file.subarray(0, file.length - 1), Buffer.from('\n')]));
        const words = rejects.map(({ detail }) => detail);
        expect(words.slice(0, 3)).toEqual(Array(3).fill('the line is UTF-16, not UTF-8'));
      }
    },
  );
  test('is not seen where NUL bytes stand in UTF-8', () => {
    expect(wordsOf(call().replaceAll(':', '\0:'))).toContain('NUL byte');
  });
});

describe('instants', () => {
  const WORDS = '"timestamp" must be an RFC 3339 date and time';
  test.each(['2016-12-31T23:59:60Z', '2016-12-31T23:59:60.5z', '2017-01-01T05:29:60+05:30'])(
    '%s',
    (timestamp) => {
      expect(wordsOf(call({ timestamp }))).toBe(`${WORDS} without a leap second (:60), found "${timestamp}"`);
    },
  );
  test.each([
    '2016-12-31T23:60:00Z',
    '2016-12-31T23:59:61Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    'infinity',
    '',
  ])('%j', (timestamp) => {
    expect(wordsOf(call({ timestamp }))).toBe(
      `${WORDS} with offset, like 2026-09-01T08:00:00Z, found "${timestamp}"`,
    );
  });
});

describe('the other reasons', () => {
  test.each([
    [call({ kind: '' }), '"kind" must be a string that is not empty, found ""'],
    [call({ kind: 5 }), '"kind" must be a string that is not empty, found 5'],
    [
      call({ final_verdict: 'ok' }),
      '"final_verdict" must be accepted, max_iter_exhausted or infra_error, found "ok"',
    ],
    [
      call({ grounded_in_roster: 'false' }),
      '"grounded_in_roster" must be true, false or null, found "false"',
    ],
    [plus('"duration_ms":1e400'), '"duration_ms" must be a finite number, found 1e400'],
    [call({ daemon: {} }), '"daemon" must be a string, found an object'],
    [call({ model: null }), 'the required field "model" is missing or null'],
    ['{}', 'the required field "schema" is missing or null'],
    [plus('"\\u006bind":1'), 'the key "kind" stands more than once'],
    [plus('"schema":1'), 'the key "schema" stands more than once'],
    [call({ schema: 'x' }), '"schema" must be "session.iterate.v1" or "replay.run.v1", found "x"'],
    [call({ schema: ['x'] }), '"schema" must be "session.iterate.v1" or "replay.run.v1", found an array'],
    [
      run({ documents: [{}, { id: 1 }] }),
      '"documents" must be an array of {id, source, score, rank}, each of them once',
    ],
    ['null', 'the line is null, not a JSON object'],
    [' [1] ', 'the line is an array, not a JSON object'],
    ['5', 'the line is 5, not a JSON object'],
  ])('%s', (line, words) => {
    expect(wordsOf(line).startsWith(words), wordsOf(line)).toBe(true);
  });

  test('a line of the other kind', () => {
    expect(wordsOf(call(), { only: 'replay_runs' })).toBe(
      'the line is a call (session.iterate.v1) in a file that was named as replay runs',
    );
    expect(wordsOf(run(), { only: 'sessions' })).toBe(
      'the line is a replay run (replay.run.v1) in a file that was named as sessions',
    );
  });

  test('what is shown of a value is whole characters', () => {
    for (let before = 50; before < 62; before++) {
      const words = wordsOf(call({ final_verdict: `${'x'.repeat(before)}${'😀'.repeat(9)}` }));
      expect(words).toMatch(/^[^\ud800-\udfff]*(😀)*…$/u);
    }
  });
});

describe('content', () => {
  const SECRET = 'Zaphod';

  test('of a bad value is never told', () => {
    const content = REPLAY_FIELDS.filter((field) => field.content && field.type !== 'any');
    expect(content.map(({ name }) => name)).toContain('output');
    for (const { name } of content) {
      for (const value of [[SECRET], { [SECRET]: SECRET }, 5]) {
        const words = wordsOf(run({ [name]: value }));
        expect(words).toMatch(new RegExp(`^"${name}" must be `));
        expect(words).not.toMatch(/found|Zaphod/);
      }
    }
    expect(SESSION_FIELDS.filter((field) => field.content && field.type !== 'any')).toEqual([]);
  });

  test('of a record that was quoted as a whole is not told', () => {
    const quoted = JSON.stringify(JSON.stringify({ prompt: SECRET, ...JSON.parse(call()) }));
    expect(wordsOf(quoted)).toBe('the line is a string, not a JSON object');
    expect(wordsOf(JSON.stringify([quoted]))).toBe('the line is an array, not a JSON object');
  });

  test('of a line is never told, whatever is wrong with it and wherever', () => {
    const secret = { [SECRET]: [SECRET, { text: `${SECRET}\n"` }] };
    const record = Buffer.from(
      call({
        prompt: [{ role: 'user', content: SECRET }],
        artifact: secret,
        proposed_worker_ids: [SECRET],
        attempts: [{ verdict: 'accepted', raw: SECRET, prompt: secret, reasons: [SECRET] }],
      }),
    );
    const lines: Buffer[] = [];
    for (let place = 0; place < record.length; place++) {
      lines.push(record.subarray(0, place));
      for (const bad of ['\0', '\x01', '"', '\\', ',', '}', 'NaN', '\\ud83d', '\xff'])
        lines.push(
          Buffer.concat([record.subarray(0, place), Buffer.from(bad, 'latin1'), record.subarray(place)]),
        );
    }
    const { rejects } = scan(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
    expect(rejects.length).toBeGreaterThan(lines.length / 2);
    const told = rejects.filter(({ detail }) => /Za|aphod|hod/.test(detail));
    expect(told).toEqual([]);
  });

  test('the words are one line of text of bounded length, whatever the line', () => {
    const lines = [
      ...mutatedLines(3, 3_000),
      ...[...goodLines(4, 10)].map((line) => Buffer.concat([line, line])),
    ];
    const { rejects } = scan(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
    expect(rejects.length).toBeGreaterThan(500);
    for (const { detail, line } of rejects) {
      expect({
        line,
        detail,
        fits: detail.length < 250 && !/[\n\p{Cs}]/u.test(detail),
      }).toEqual({
        line,
        detail,
        fits: true,
      });
    }
  });
});
