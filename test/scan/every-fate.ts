/** A small log that holds lines of every fate, and ends in every way. */
import { call, plus, run } from './support.js';

/** Longest line of these logs. */
export const MAX_LINE = 400;

const MARK = '\ufeff';
const LINES: readonly (string | Buffer)[] = [
  call(),
  `${call({ session_id: 'crlf' })}\r`,
  `${MARK}${call({ session_id: 'marked' })}`,
  `${MARK}${call({ session_id: 'both' })}\r`,
  call(),
  '',
  '\r',
  ' \t\v\f ',
  MARK,
  `${MARK} \r`,
  run(),
  `${run({ session_id: '漢字 😀' })}\r`,
  call({ session_id: '\u00e9\u6f22\u{1f600}', attempts: [{ verdict: 'rejected', reasons: ['é'] }] }),
  '{"schema":"session.it',
  '{',
  '}',
  `${call()}${call()}`,
  plus('"x":NaN'),
  plus('"x":1,').replace(/}$/, '}'),
  '\0'.repeat(9),
  Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xe2, 0x82]), Buffer.from('"}')]),
  Buffer.from('{"a":1}', 'utf16le'),
  'null',
  '[1,[2]]',
  '"text"',
  '{}',
  call({ kind: null }),
  call({ iterations: '1' }),
  call({ iterations: 0 }),
  call({ schema: 'session.iterate.v9' }),
  plus('"kind":"fill"'),
  run({ documents: {} }),
  `${MARK}null`,
  'x'.repeat(MAX_LINE + 1),
  `${MARK}${'y'.repeat(MAX_LINE + 1)}\r`,
  call({ session_id: 'z'.repeat(3 * MAX_LINE) }),
  ' '.repeat(MAX_LINE + 2),
  call({ session_id: 'last' }),
];

export const BODY = Buffer.concat(LINES.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]));

/** What may stand behind the last line feed. */
export const TAILS: Readonly<Record<string, Buffer>> = Object.fromEntries(
  Object.entries({
    nothing: '',
    'a record': call({ session_id: 'tail' }),
    'a record and a carriage return': `${call({ session_id: 'tail' })}\r`,
    'a marked record': `${MARK}${call({ session_id: 'tail' })}`,
    'the start of a record': call({ session_id: 'tail' }).slice(0, 60),
    'the start of a marked record': `${MARK}${call({ session_id: 'tail' }).slice(0, 60)}`,
    'no JSON': '{"a":x',
    'a faulty record': call({ kind: 5 }),
    'no object': 'null',
    'a mark': MARK,
    blanks: ' \t\r',
    'a long line': `{"a":"${'x'.repeat(MAX_LINE)}`,
    'a very long line': `${MARK}{"a":"${'x'.repeat(4 * MAX_LINE)}\r`,
  }).map(([name, text]) => [name, Buffer.from(text)]),
);
