import { isUtf8 } from 'node:buffer';
import { FORMATS, type Kind } from '../schema/formats.js';
import { expectation } from '../schema/reasons.js';

/** A rejected line while its bytes stand in memory. */
export interface Fault {
  readonly reason: string;
  readonly kind: Kind | null;
  /** The line without its terminator and byte order mark; of one that is too long only its length is known. */
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly maxLineBytes: number;
  /** Where a line that is not JSON stops being any; where the value at fault stands and how long it is. */
  readonly at: number;
  readonly valueLength: number;
}

const FIXED: Readonly<Record<string, string>> = {
  'duplicate_key:schema': 'the key "schema" stands more than once',
};

/** What is wrong with a line, in words; content may hold personal data and never reaches them. */
export function faultInWords(fault: Fault): string {
  const { reason, kind, bytes, length } = fault;
  const fixed = FIXED[reason];
  if (fixed) return fixed;
  if (reason === 'bad_json') return badJson(fault);
  if (reason === 'torn_tail') return tornTail(fault);
  if (reason === 'too_long') {
    return `the line is ${length} bytes long, the limit is ${fault.maxLineBytes} (raise --max-line-bytes)`;
  }
  if (reason === 'not_object') return `the line is ${whatItIs(text(bytes).trim())}, not a JSON object`;
  if (reason === 'wrong_kind') {
    const [is, named] = kind === 'sessions' ? ['a call', 'replay runs'] : ['a replay run', 'sessions'];
    return `the line is ${is} (${FORMATS[kind!].schema}) in a file that was named as ${named}`;
  }
  const [what, name = ''] = reason.split(':');
  if (what === 'duplicate_key') return `the key "${name}" stands more than once`;
  const field = kind === null ? undefined : FORMATS[kind].fields.find((candidate) => candidate.name === name);
  if (what === 'missing') return `the required field "${name}" is missing or null`;
  const value = text(bytes.subarray(fault.at, fault.at + fault.valueLength));
  if (reason === 'value:iterations' && Number(value) === 0) {
    return 'an accepted call has at least 1 iteration, found 0';
  }
  const must = name === 'schema' ? '"session.iterate.v1" or "replay.run.v1"' : expectation(field, value);
  return `"${name}" must be ${must}${field?.content ? '' : `, found ${inWords(value)}`}`;
}

/** More of a value is never looked at. */
const MOST = 1 << 16;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const latin1 = new TextDecoder('latin1');
const text = (bytes: Uint8Array) => utf8.decode(bytes.subarray(0, MOST));

/** A text may be a record that was quoted, content and all. */
const whatItIs = (json: string) => (json.startsWith('"') ? 'a string' : inWords(json));

function badJson({ bytes, length, at }: Fault): string {
  let zeros = 0;
  while (bytes[zeros] === 0) zeros++;
  if (zeros === length || zeros > 1) {
    const is = zeros === length ? 'is' : 'begins with';
    const some = zeros === 1 ? '1 NUL byte' : `${zeros} NUL bytes`;
    return `the line ${is} ${some} (U+0000: a power failure, or a hole in the file)`;
  }
  if (isUtf16(bytes)) return 'the line is UTF-16, not UTF-8';
  if (!isUtf8(bytes)) return 'the line is not valid UTF-8';
  if (at >= length) return 'the line ends inside a JSON value (torn write)';
  const where = `at byte ${at + 1} of the line`;
  const found = bytes[at]!;
  if (found === 0) return `there is a NUL byte (U+0000) ${where}`;
  if (found < 0x20) return `there is a raw control character (${codePoint(found)}) ${where}`;
  return `the line is not JSON: ${syntax(bytes, at)} ${where}`;
}

const TORN = 'the file ends inside this line (torn write or cut copy)';

/** What is no JSON before its end was not torn there. */
const tornTail = (fault: Fault) =>
  fault.at >= fault.length ? TORN : `${badJson(fault)}, and the file ends without a line feed`;

const codePoint = (code: number) => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;

/** Of ASCII in UTF-16 every other byte is zero. */
function isUtf16(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return true;
  const some = bytes.subarray(0, 64);
  const zeros = [0, 1].map((parity) => some.filter((byte, i) => i % 2 === parity && byte === 0).length);
  return Math.abs(zeros[0]! - zeros[1]!) > some.length / 4;
}

/** What is wrong where the line stops being JSON; what it holds there may be content and is not quoted. */
function syntax(bytes: Uint8Array, at: number): string {
  const rest = latin1.decode(bytes.subarray(at, at + 9));
  const before = latin1.decode(bytes.subarray(Math.max(0, at - 64), at)).trimEnd();
  if (/^\\u[dD][89a-fA-F]/.test(rest) || /\\u[dD][89abAB][0-9a-fA-F]{2}\\?$/.test(before)) {
    return 'half of a surrogate pair, which no UTF-8 text can hold,';
  }
  if (/^(-?Infinity|NaN)/.test(rest)) return 'NaN and infinities are no JSON,';
  if (/^[\]}]/.test(rest) && before.endsWith(',')) return 'a comma too many';
  if (rest.startsWith('{') && before.endsWith('}')) return 'a second record (two on one line?)';
  if (before.endsWith('\\') || /\\u[0-9a-fA-F]{0,3}$/.test(before))
    return 'an escape that JSON does not know';
  return 'something else stands';
}

const SHOWN = 60;

/** @param value JSON text. */
function inWords(value: string): string {
  if (value.startsWith('[')) return 'an array';
  if (value.startsWith('{')) return 'an object';
  if (value.length <= SHOWN) return value;
  const isHalved = /[\ud800-\udbff]/.test(value.charAt(SHOWN - 1));
  return `${value.slice(0, isHalved ? SHOWN - 1 : SHOWN)}…`;
}
