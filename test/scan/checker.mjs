/**
 * What becomes of one line, said a second time: JSON.parse and plain checks, sharing nothing with the product.
 * Slow and obvious on purpose. The scanner, the loader and the oracle are all held against it.
 */

// ---------------------------------------------------------------- the formats

/** [name, type, required?], in the order in which faults are reported: src/schema/fields.ts, copied by hand. */
const SESSION_FORMAT = {
  schema: 'session.iterate.v1',
  holds: 'sessions',
  fields: [
    ['schema', 'schema', 'required'],
    ['session_id', 'nonempty', 'required'],
    ['timestamp', 'timestamp', 'required'],
    ['kind', 'nonempty', 'required'],
    ['model', 'nonempty', 'required'],
    ['iterations', 'count', 'required'],
    ['final_verdict', 'verdict', 'required'],
    ['attempts', 'attempts'],
    ['grounded_in_roster', 'boolean'],
    ['daemon', 'string'],
    ['provider', 'string'],
    ['response_model', 'string'],
    ['environment', 'string'],
    ['prompt_version', 'string'],
    ['validator_version', 'string'],
    ['roster_hash', 'string'],
    ['error', 'string'],
    ['error_type', 'string'],
    ['max_iterations', 'integer'],
    ['prompt', 'any'],
    ['artifact', 'any'],
    ['proposed_worker_ids', 'strings'],
    ['duration_ms', 'number'],
    ['call_id', 'string'],
    ['writer_id', 'string'],
    ['seq', 'positive'],
  ],
};

const REPLAY_FORMAT = {
  schema: 'replay.run.v1',
  holds: 'replay_runs',
  fields: [
    ['schema', 'schema', 'required'],
    ['session_id', 'nonempty', 'required'],
    ['timestamp', 'timestamp', 'required'],
    ['run_id', 'nonempty', 'required'],
    ['task_id', 'string'],
    ['task', 'string'],
    ['kind', 'string'],
    ['model', 'string'],
    ['provider', 'string'],
    ['retrieval_query', 'string'],
    ['documents', 'documents'],
    ['context_tokens', 'integer'],
    ['output', 'string'],
    ['error', 'string'],
    ['duration_ms', 'number'],
    ['input_tokens', 'integer'],
    ['output_tokens', 'integer'],
  ],
};

export const FORMATS = [SESSION_FORMAT, REPLAY_FORMAT];

export const ATTEMPT_FIELDS = [
  ['verdict', 'string', 'required'],
  ['attempt_number', 'positive'],
  ['prompt', 'any'],
  ['raw', 'string'],
  ['reasons', 'strings'],
  ['span_id', 'string'],
  ['input_tokens', 'integer'],
  ['output_tokens', 'integer'],
  ['finish_reason', 'string'],
  ['duration_ms', 'number'],
  ['error', 'string'],
];

export const DOCUMENT_FIELDS = [
  ['id', 'string'],
  ['source', 'string'],
  ['score', 'number'],
  ['rank', 'integer'],
];

const FINAL_VERDICTS = ['accepted', 'max_iter_exhausted', 'infra_error'];
const VERDICT_LETTERS = { accepted: 'a', rejected: 'r', no_candidate: 'n', infra_error: 'i' };

// ---------------------------------------------------------------- bytes

const MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const WHITE_SPACE = [0x20, 0x09, 0x0b, 0x0c, CARRIAGE_RETURN];

export const startsWithMark = (bytes) => bytes.subarray(0, 3).equals(MARK);

/** The line as it counts: without the byte order mark that a joined file may begin with. */
export const withoutMark = (bytes) => (startsWithMark(bytes) ? bytes.subarray(3) : bytes);

/** The line as it is hashed and compared: without the `\r` of a CRLF terminator as well. */
export function stripped(bytes) {
  const line = withoutMark(bytes);
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

/**
 * The physical lines of a file, without their `\n`; `byteOffset` is that of the first byte behind a mark. An
 * unterminated rest that holds nothing, or nothing but a mark, is no line.
 */
export function linesOf(bytes) {
  const lines = [];
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, start);
    const terminated = newline !== -1;
    const end = terminated ? newline : bytes.length;
    const line = bytes.subarray(start, end);
    const byteOffset = end - withoutMark(line).length;
    if (terminated || byteOffset < end)
      lines.push({ number: lines.length + 1, byteOffset, bytes: line, terminated });
    start = end + 1;
  }
  return lines;
}

// ---------------------------------------------------------------- walking text that JSON.parse has accepted

const isSpace = (char) => char === ' ' || char === '\t' || char === '\n' || char === '\r';

function skipSpace(text, from) {
  let at = from;
  while (isSpace(text[at])) at += 1;
  return at;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** @param open where the quote stands that opens the string. */
function endOfString(text, open) {
  let at = open + 1;
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
    at += code === BACKSLASH ? 2 : 1;
  }
  return at + 1;
}

const ENDS_SCALAR = ' \t\n\r,:]}';

/** Counts brackets instead of calling itself, so that depth costs nothing. */
function endOfValue(text, start) {
  let depth = 0;
  let at = start;
  do {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === '{' || char === '[') {
      depth += 1;
      at += 1;
    } else if (char === '}' || char === ']') {
      depth -= 1;
      at += 1;
    } else if (ENDS_SCALAR.includes(char)) at += 1;
    else while (at < text.length && !ENDS_SCALAR.includes(text[at])) at += 1;
  } while (depth > 0);
  return at;
}

/** Members of the object that begins at `start`, doubled ones too: {key (escapes resolved), start, end}. */
function membersOf(text, start) {
  const members = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== '}') {
    const endOfKey = endOfString(text, at);
    const key = JSON.parse(text.slice(at, endOfKey));
    const value = skipSpace(text, skipSpace(text, endOfKey) + 1);
    const end = endOfValue(text, value);
    members.push({ key, start: value, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return members;
}

/** Elements of the array that begins at `start`: {start, end}. */
function elementsOf(text, start) {
  const elements = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== ']') {
    const end = endOfValue(text, at);
    elements.push({ start: at, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return elements;
}

/** Valid JSON without the white space between its tokens; digits and escapes as they stand. */
export function squeezed(text) {
  let result = '';
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const end = text[at] === '"' ? endOfString(text, at) : at + 1;
    result += text.slice(at, end);
    at = end;
  }
  return result;
}

/** [key (escapes resolved), squeezed text of the value] of the members of a JSON object, doubled ones too. */
export function memberTexts(text) {
  return membersOf(text, skipSpace(text, 0)).map(({ key, start, end }) => [
    key,
    squeezed(text.slice(start, end)),
  ]);
}

/** Raw text is well-formed once it is decoded; only escapes can write half a surrogate pair. */
function hasLoneSurrogate(text) {
  if (!text.includes('\\u')) return false;
  for (let open = text.indexOf('"'); open !== -1; ) {
    const end = endOfString(text, open);
    const literal = text.slice(open, end);
    if (literal.includes('\\u') && !JSON.parse(literal).isWellFormed()) return true;
    open = text.indexOf('"', end);
  }
  return false;
}

/** {text, value}, or null for what is not RFC 8259 in well-formed UTF-8 without half surrogate pairs. */
export function parseStrictly(bytes) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    return hasLoneSurrogate(text) ? null : { text, value };
  } catch {
    return null;
  }
}

// ---------------------------------------------------------------- the end of a file

/** What may follow inside a string, a word or a number, or between tokens; then the brackets are closed. */
const IN_STRING = [
  '"',
  'n"',
  '0"',
  '00"',
  '000"',
  '0000"',
  '\\ude00"',
  'ude00"',
  'de00"',
  'e00"',
  '00\\ude00"',
  '0\\ude00"',
];
const OUTSIDE = ['', '1', ':1', '"a":1', 'rue', 'ue', 'e', 'alse', 'lse', 'se', 'ull', 'll', 'l'];

/** Text that may be cut anywhere: what is still to be closed, and whether a string is. */
function openIn(text) {
  const open = [];
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') open.push(char === '{' ? '}' : ']');
    else if (char === '}' || char === ']') open.pop();
  }
  return { inString, closing: open.reverse().join('') };
}

/** The text of bytes that may end inside a character; then any character stands for the cut one. */
function textBefore(bytes) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const text = decoder.decode(bytes, { stream: true });
  try {
    decoder.decode();
    return text;
  } catch {
    return `${text}é`;
  }
}

function isBegun(bytes) {
  let text;
  try {
    text = textBefore(bytes);
  } catch {
    return false;
  }
  if (text[skipSpace(text, 0)] !== '{') return false;
  const { inString, closing } = openIn(text);
  const ends = inString ? IN_STRING.flatMap((end) => [end, `${end}:1`]) : OUTSIDE;
  return ends.some((end) => parseStrictly(Buffer.from(`${text}${end}${closing}`)) !== null);
}

/** Of an unterminated last line: whole JSON, the beginning of an object, or neither. */
export function endOf(bytes) {
  const line = withoutMark(bytes);
  if (parseStrictly(line) !== null) return 'whole';
  return isBegun(line) ? 'begun' : 'neither';
}

// ---------------------------------------------------------------- types and values

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const fieldOf = (record, name) => (Object.hasOwn(record, name) ? (record[name] ?? null) : null);

const isString = (value) => typeof value === 'string';
const isInteger = (value) => Number.isSafeInteger(value);

const HAS_TYPE = {
  schema: isString,
  string: isString,
  nonempty: isString,
  timestamp: isString,
  verdict: isString,
  integer: isInteger,
  count: isInteger,
  positive: isInteger,
  number: (value) => Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  strings: (value) => Array.isArray(value) && value.every(isString),
  documents: (value, text) => areDocuments(value, text),
  attempts: () => true,
  any: () => true,
};

const HAS_GOOD_VALUE = {
  nonempty: (value) => value !== '',
  timestamp: (value) => parseInstant(value) !== null,
  verdict: (value) => FINAL_VERDICTS.includes(value),
  count: (value) => value >= 0,
  positive: (value) => value >= 1,
};

const hasGoodValue = (type, value) => HAS_GOOD_VALUE[type]?.(value) ?? true;

function keysOf(text, start = skipSpace(text, 0)) {
  return membersOf(text, start).map(({ key }) => key);
}

const standsTwice = (name, keys) => keys.indexOf(name) !== keys.lastIndexOf(name);

function areDocuments(value, text) {
  if (!Array.isArray(value)) return false;
  const elements = elementsOf(text, 0);
  return value.every((document, at) => {
    if (!isObject(document)) return false;
    const keys = keysOf(text, elements[at].start);
    return DOCUMENT_FIELDS.every(([name, type]) => {
      const found = fieldOf(document, name);
      return !standsTwice(name, keys) && (found === null || HAS_TYPE[type](found));
    });
  });
}

const TIMESTAMP =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/;

/** Microseconds since 1970 as a bigint, or null where the text is no RFC 3339 instant. */
export function parseInstant(text) {
  const match = TIMESTAMP.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const local = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  local.setUTCFullYear(year, month - 1, day);
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) return null;
  local.setUTCHours(hour, minute, second);
  const micros = BigInt((match[7] ?? '.').slice(1, 7).padEnd(6, '0'));
  return BigInt(local.getTime() - offsetMinutes(match[8]) * 60_000) * 1000n + micros;
}

function offsetMinutes(zone) {
  if (zone === 'Z' || zone === 'z') return 0;
  const [hours, minutes] = zone.slice(1).split(':').map(Number);
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

// ---------------------------------------------------------------- attempts

/** What one attempt says: a field that stands twice or does not fit has no value, and makes it `other`. */
function attemptOf(value, text, start) {
  const values = Object.fromEntries(ATTEMPT_FIELDS.map(([name]) => [name, null]));
  if (!isObject(value)) return { letter: 'o', verdict: 'other', values, promptText: null, reasons: [] };
  const members = membersOf(text, start);
  const keys = members.map(({ key }) => key);
  let understood = true;
  for (const [name, type] of ATTEMPT_FIELDS) {
    const found = fieldOf(value, name);
    const fits =
      !standsTwice(name, keys) && (found === null || (HAS_TYPE[type](found) && hasGoodValue(type, found)));
    if (fits) values[name] = withoutNegativeZero(found);
    else understood = false;
  }
  const known = understood && values.verdict !== null && Object.hasOwn(VERDICT_LETTERS, values.verdict);
  const reasons = standsTwice('reasons', keys) ? null : fieldOf(value, 'reasons');
  return {
    letter: known ? VERDICT_LETTERS[values.verdict] : 'o',
    verdict: known ? values.verdict : 'other',
    values,
    promptText: values.prompt === null ? null : textOf('prompt', members, text),
    // Of a list that holds other things too, the texts are still worth reading.
    reasons: Array.isArray(reasons) ? reasons.filter(isString) : [],
  };
}

/** Null where none are recorded, '!' for what is no array, else one entry per attempt. */
function attemptsOf(value, text) {
  if (value === null) return null;
  if (!Array.isArray(value)) return '!';
  const elements = elementsOf(text, 0);
  return value.map((attempt, at) => attemptOf(attempt, text, elements[at].start));
}

function lettersOf(attempts) {
  return Array.isArray(attempts) ? attempts.map(({ letter }) => letter).join('') : attempts;
}

function isInconsistent(letters, iterations) {
  return letters !== null && (/[!o]/.test(letters) || letters.length !== iterations);
}

// ---------------------------------------------------------------- records

const withoutNegativeZero = (value) => (Object.is(value, -0) ? 0 : value);

/** The text of a field's value as it stands in the line; 'null' where the field is absent. */
function textOf(name, members, text) {
  const member = members.findLast(({ key }) => key === name);
  return member ? text.slice(member.start, member.end) : 'null';
}

const reject = (reason, format) => ({
  fate: 'reject',
  reason,
  ...(format ? { named: format.holds } : {}),
});

/** Why an object is no record, or null where it is one. */
function faultOf({ text, value: record }, members, format, as) {
  const keys = members.map(({ key }) => key);
  if (standsTwice('schema', keys)) return 'duplicate_key:schema';
  const schema = fieldOf(record, 'schema');
  if (schema === null) return 'missing:schema';
  if (!isString(schema)) return 'type:schema';
  if (format && as !== 'any' && as !== format.holds) return 'wrong_kind';
  if (!format) return 'value:schema';

  for (const [name] of format.fields) if (standsTwice(name, keys)) return `duplicate_key:${name}`;
  for (const [name, , required] of format.fields)
    if (required && fieldOf(record, name) === null) return `missing:${name}`;
  const present = format.fields.filter(([name]) => fieldOf(record, name) !== null);
  for (const [name, type] of present)
    if (!HAS_TYPE[type](record[name], textOf(name, members, text))) return `type:${name}`;
  for (const [name, type] of present) if (!hasGoodValue(type, record[name])) return `value:${name}`;
  if (format === SESSION_FORMAT && record.final_verdict === 'accepted' && record.iterations === 0)
    return 'value:iterations';
  return null;
}

function loaded({ text, value: record }, members, format) {
  const names = format.fields.map(([name]) => name);
  const values = Object.fromEntries(names.map((name) => [name, withoutNegativeZero(fieldOf(record, name))]));
  const texts = {};
  for (const [name, type] of format.fields)
    if (['any', 'strings', 'documents', 'attempts'].includes(type) && values[name] !== null)
      texts[name] = textOf(name, members, text);
  const undeclared = members.filter(({ key }) => !names.includes(key));
  const result = {
    fate: format === SESSION_FORMAT ? 'call' : 'run',
    values,
    instant: parseInstant(values.timestamp),
    texts,
    extra: Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name))),
    extraTexts: undeclared.map(({ key, start, end }) => [key, text.slice(start, end)]),
  };
  if (result.fate === 'run') return result;
  if (values.call_id === '') values.call_id = null;
  const attempts = attemptsOf(values.attempts, texts.attempts);
  const letters = lettersOf(attempts);
  return { ...result, attempts, letters, inconsistent: isInconsistent(letters, values.iterations) };
}

/**
 * @param bytes one physical line without its `\n`; a byte order mark in front and a `\r` behind may be there.
 * @param as what the file was named as; 'any' lets each line say itself what it is.
 */
export function fateOf(bytes, { as = 'any', maxLineBytes = 16_777_216 } = {}) {
  const line = withoutMark(bytes);
  if (line.length > maxLineBytes) return reject('too_long');
  if (line.every((byte) => WHITE_SPACE.includes(byte))) return { fate: 'blank' };
  const parsed = parseStrictly(line);
  if (parsed === null) return reject('bad_json');
  if (!isObject(parsed.value)) return reject('not_object');
  const members = membersOf(parsed.text, skipSpace(parsed.text, 0));
  const schema = fieldOf(parsed.value, 'schema');
  const doubled = standsTwice(
    'schema',
    members.map(({ key }) => key),
  );
  const format = doubled ? undefined : FORMATS.find((candidate) => candidate.schema === schema);
  const fault = faultOf(parsed, members, format, as);
  return fault === null ? loaded(parsed, members, format) : reject(fault, format);
}
