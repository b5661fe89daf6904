/** Lines about as long as they may be, and far longer: wherever the reading stops for more, they are told apart and hashed whole. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { stripped } from './checker.mjs';
import { bytesScanner, call, plus, type Scanned, scanBytes } from './support.js';

const MARK = Buffer.from('\ufeff');
const LF = Buffer.from('\n');
const CHUNKS = [1, 2, 3, 7, 16, 63, 64, 4096];

const sha256 = (bytes: Buffer) => createHash('sha256').update(stripped(bytes)).digest('hex');

/** A call of so many bytes, terminator and mark aside. */
const callOf = (length: number) => plus(`"x":"${'y'.repeat(length - plus('"x":""').length)}"`);

/** One word per line, in their order. */
function fates({ calls, rejects, counts }: Scanned): string[] {
  const all = [
    ...calls.map(({ line }) => [Number(line), 'call'] as const),
    ...rejects.map(({ line, reason }) => [line, reason] as const),
  ].sort(([a], [b]) => a - b);
  expect(counts.lines).toBe(all.length + counts.blank + counts.pending);
  return all.map(([, fate]) => fate);
}

describe('lines about as long as they may be', () => {
  const MAX = 300;
  const near = Array.from({ length: 9 }, (_, i) => MAX - 4 + i);

  test.each([
    ['bare', '', ''],
    ['with a mark', '\ufeff', ''],
    ['with a carriage return', '', '\r'],
    ['with both', '\ufeff', '\r'],
  ])('%s: a mark is not counted, a carriage return is', (_name, mark, end) => {
    const scan = bytesScanner({ maxLineBytes: MAX });
    for (const length of near) {
      const line = Buffer.from(`${mark}${callOf(length)}${end}`);
      const fate = length + end.length > MAX ? 'too_long' : 'call';
      for (const chunk of [...CHUNKS, MAX - 1, MAX, MAX + 3, MAX + 4, MAX + 5]) {
        for (const [where, bytes, wanted] of [
          ['alone', Buffer.concat([line, LF]), [fate]],
          ['unterminated', line, [fate]],
          ['between', Buffer.from(`${call()}\n${line}\n${call()}\n`), ['call', fate, 'call']],
          ['at the end', Buffer.from(`${call()}\n${line}`), ['call', fate]],
        ] as const) {
          const scanned = scan(bytes, { chunk });
          expect({ length, chunk, where, fates: fates(scanned) }).toEqual({
            length,
            chunk,
            where,
            fates: wanted,
          });
          expect(scanned.counts.marks).toBe(mark === '' ? 0 : 1);
          for (const reject of scanned.rejects) {
            expect(reject).toMatchObject({
              byteOffset: bytes.indexOf(line) + Buffer.byteLength(mark),
              sha256: sha256(line),
              kind: null,
              detail: `the line is ${length + end.length} bytes long, the limit is ${MAX} (raise --max-line-bytes)`,
            });
          }
        }
      }
    }
  });

  test('blank ones and those that are no JSON are too long first', () => {
    for (const line of [
      ' '.repeat(MAX + 1),
      '\0'.repeat(MAX + 1),
      '['.repeat(9 * MAX),
      `{"a":${' '.repeat(MAX)}`,
    ]) {
      for (const chunk of CHUNKS) {
        const { rejects, counts } = scanBytes(Buffer.from(`${line}\n\n`), { maxLineBytes: MAX }, { chunk });
        expect(rejects.map(({ reason }) => reason)).toEqual(['too_long']);
        expect(counts).toMatchObject({ lines: 2, blank: 1, rejected: 1 });
      }
    }
  });

  test('a live file does not wait for one that is too long already', () => {
    const tail = Buffer.from(callOf(MAX + 50).slice(0, MAX + 1));
    for (const chunk of CHUNKS) {
      const { rejects, counts } = scanBytes(tail, { maxLineBytes: MAX }, { chunk, isLive: true });
      expect(rejects.map(({ reason }) => reason)).toEqual(['too_long']);
      expect(counts.pending).toBe(0);
    }
  });
});

describe('lines that are longer than what is read at a time', () => {
  const MAX = 1 << 16;
  const long = Buffer.concat([MARK, Buffer.from('\r"z\r'.repeat(1 << 20)), Buffer.from('\r\r')]);

  test.each([1 << 20, (1 << 20) - 1, 333_333, 7_919])(
    '%i bytes at a time: one reject, hashed whole',
    (chunk) => {
      for (const end of ['\n', `\n${call()}\n`, '']) {
        const bytes = Buffer.concat([Buffer.from(`${call()}\n`), long, Buffer.from(end)]);
        const scanned = scanBytes(bytes, { maxLineBytes: MAX }, { chunk });
        expect(fates(scanned)).toEqual(end.length > 1 ? ['call', 'too_long', 'call'] : ['call', 'too_long']);
        const [reject] = scanned.rejects;
        expect(reject).toMatchObject({ line: 2, byteOffset: call().length + 4, sha256: sha256(long) });
      }
    },
  );

  test('a carriage return at the end of what was read belongs to the line unless the line ends there', () => {
    for (const [text, hashed] of [
      [`${'x'.repeat(99)}\r`, 'x'.repeat(99)],
      [`${'x'.repeat(99)}\r\r`, `${'x'.repeat(99)}\r`],
      [`${'x'.repeat(50)}\r${'y'.repeat(50)}`, `${'x'.repeat(50)}\r${'y'.repeat(50)}`],
      ['\r'.repeat(100), '\r'.repeat(99)],
    ] as const) {
      const scan = bytesScanner({ maxLineBytes: 20 });
      const wanted = createHash('sha256').update(hashed).digest('hex');
      for (let chunk = 1; chunk <= 110; chunk++) {
        for (const end of ['', '\n']) {
          const { rejects } = scan(Buffer.from(text + end), { chunk });
          expect({ chunk, found: rejects.map(({ sha256 }) => sha256) }).toEqual({ chunk, found: [wanted] });
        }
      }
    }
  });

  // One of a megabyte more than a line may have is parsed before anybody sees how long it is.
  test.each([
    ['deep', (size: number) => '{"a":'.repeat(size / 5)],
    ['deep in arrays', (size: number) => '['.repeat(size)],
    ['of many attempts', (size: number) => `{"attempts":[${'0,'.repeat(size / 2)}0]}`],
    [
      'of attempts with all that is wanted',
      (size: number) => `{"attempts":[${'{"raw":""},'.repeat(size / 11)}0]}`,
    ],
    ['of many members', (size: number) => `{${'"":0,'.repeat(size / 5)}"":0}`],
    ['of one long key', (size: number) => `{"\\n${'k'.repeat(size)}":0}`],
    ['of one long verdict', (size: number) => `{"attempts":[{"verdict":"\\n${'k'.repeat(size)}"}]}`],
    ['of a long schema', (size: number) => `{"schema":"\\n${'k'.repeat(size)}"}`],
  ])('%s: nothing of the lines around it is lost', (_name, lineOf) => {
    const around = Array.from({ length: 300 }, (_, i) =>
      call({ session_id: `session number ${i}`, attempts: [{ raw: 'something said' }] }),
    ).join('\n');
    const options = {
      calls: ['line', 'session_id', 'line_key', 'attempts', 'line_sha256'],
      attemptFields: ['raw', 'reasons'],
      maxLineBytes: 500,
    };
    const alone = scanBytes(Buffer.from(`${around}\n`), options);
    const withLong = scanBytes(
      Buffer.from(`${around}\n${lineOf(1_040_000 - around.length)}\n${around}\n`),
      options,
    );
    expect(withLong.rejects.map(({ reason }) => reason)).toEqual(['too_long']);
    const twice = [...alone.calls, ...alone.calls.map((row) => ({ ...row, line: Number(row.line) + 301 }))];
    expect(withLong.calls).toEqual(twice);
  });
});

test('as long as the option allows: the same is found where addresses have 32 bits', () => {
  const lines = [
    call({
      session_id: 'a text that takes more than twelve bytes',
      attempts: [{ raw: 'something that was said' }],
    }),
    plus('"duration_ms":0.12345678901234567890'),
    plus('"seq":9007199254740993'),
    plus(`"x":"${'y'.repeat(200_000)}"`),
    '{"a":1',
    'null',
    '',
  ];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const options = {
    calls: ['line', 'byte_offset', 'session_id', 'line_key', 'line_sha256', 'duration_ms', 'attempts'],
    attemptFields: ['raw'],
  };
  const short = scanBytes(bytes, options);
  expect(scanBytes(bytes, { ...options, maxLineBytes: 256 << 20 })).toEqual(short);
  expect(short.rejects.map(({ reason }) => reason)).toEqual(['type:seq', 'bad_json', 'not_object']);
});
