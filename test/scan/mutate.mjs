/**
 * Lines that a log may hold after everything that can happen to it: good records, and records with wrong members,
 * wrong values, wrong text and wrong bytes. The seed decides; a longer run begins with the shorter one.
 *
 * Texts are "binary" strings, one character per byte, so that they may hold what is no UTF-8.
 */
import { ATTEMPT_FIELDS, DOCUMENT_FIELDS, FORMATS } from './checker.mjs';

const utf8 = (text) => Buffer.from(text).toString('latin1');

/** https://github.com/bryc/code/blob/master/jshash/PRNGs.md (mulberry32) */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (limit) => next() % limit;
  return {
    below,
    pick: (list) => list[below(list.length)],
    /** True once in `n` times. */
    once: (n) => below(n) === 0,
    hex: (length) => Array.from({ length }, () => below(16).toString(16)).join(''),
  };
}

// ---------------------------------------------------------------- strings

const WELL_FORMED = [
  ...['a', 'worker', ' ', '/', "'", '{', '}', '[', ']', ':', ',', '\x7f', '0', 'true', 'null'],
  ...['\u0080', 'é', '\u07ff', '\u0800', '漢字', '\ud7ff', '\ue000', '\ufeff', '\ufffe', '\uffff'].map(utf8),
  ...['\u2028', '\u2029', '\u0085', '\u00a0', '\u202e', '\u{10000}', '😀', '\u{10ffff}', 'Łukasz', 'ﬀ'].map(
    utf8,
  ),
];
const ESCAPES = [
  ...['\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0000', '\\u0041', '\\u00e9', '\\u6F22'],
  ...[
    '\\ud83d\\ude00',
    '\\uD83D\\uDE00',
    '\\udbff\\udfff',
    '\\uFEFF',
    '\\u2028',
    '\\\\u0041',
    '\\\\\\"',
    '\\u0022',
  ],
];
const BAD_ESCAPES = [
  ...['\\ud800', '\\uDFFF', '\\ude00\\ud83d', '\\ud83d\\ud83d\\ude00', '\\ud83d\\\\ude00', '\\ud83dx\\ude00'],
  ...[
    '\\x41',
    '\\u12',
    '\\u12G4',
    '\\U0041',
    '\\',
    '\\a',
    '\\0',
    "\\'",
    '\\u',
    '\\ud83d\\u0041',
    '\\ud83d\\u',
  ],
];
const CONTROLS = ['\x00', '\x01', '\x08', '\t', '\x0b', '\x0c', '\r', '\x1b', '\x1f'];
/** Overlong, cut, too large, surrogates (CESU-8), bytes that never occur. */
const BAD_BYTES = [
  ...['\xff', '\xfe', '\x80', '\xbf', '\xc0\x80', '\xc0\xaf', '\xc1\xbf', '\xe0\x80\xaf', '\xe0\x9f\xbf'],
  ...['\xf0\x80\x80\xaf', '\xf0\x8f\xbf\xbf', '\xf8\x88\x80\x80\x80', '\xfc\x84\x80\x80\x80\x80'],
  ...['\xed\xa0\x80', '\xed\xbf\xbf', '\xed\xa0\xbd\xed\xb8\x80', '\xf4\x90\x80\x80', '\xf5\x80\x80\x80'],
  ...[
    '\xc3',
    '\xe6',
    '\xe6\xbc',
    '\xf0\x9f',
    '\xf0\x9f\x98',
    '\xe6\xbcx',
    '\xc3\xa9\xa9',
    '\xf0\x9f\x98\x80\x80',
  ],
];
/** Around the widths in which a scanner may look at a string, and around what DuckDB keeps inline. */
const LENGTHS = [
  0, 1, 3, 4, 7, 8, 11, 12, 13, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 127, 128, 200, 1000, 5000,
];

function padding(random) {
  const length = random.once(3) ? random.below(70) : random.pick(LENGTHS);
  return random.once(6) ? utf8('漢').repeat(Math.ceil(length / 3)) : 'x'.repeat(length);
}

function stringText(random) {
  let text = random.once(2) ? '' : padding(random);
  for (let left = random.below(4); left > 0; left -= 1)
    text += random.pick(random.once(3) ? ESCAPES : WELL_FORMED);
  return `"${text}${random.once(3) ? padding(random) : ''}"`;
}

function badStringText(random) {
  const bad = random.pick(random.pick([BAD_ESCAPES, BAD_ESCAPES, CONTROLS, BAD_BYTES, BAD_BYTES]));
  return `"${padding(random)}${bad}${random.once(2) ? padding(random) : ''}"`;
}

// ---------------------------------------------------------------- numbers

const NUMBERS = [
  ...[
    '0',
    '-0',
    '1',
    '-1',
    '2',
    '12',
    '1.0',
    '1.5',
    '-0.0',
    '0.1',
    '0e0',
    '1e2',
    '1E+2',
    '100e-2',
    '30e-1',
    '5E-1',
  ],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740991', '-9007199254740992'],
  ...[
    '9007199254740991.0',
    '9007199254740991.4',
    '9007199254740991.5',
    '3.0000000000000001',
    '0.9999999999999999999',
  ],
  ...[
    '123456789012345',
    '1234567890123456',
    '12345678901234567',
    '123456789012345678',
    '18446744073709551616',
  ],
  ...[
    '1e15',
    '1e16',
    '9.007199254740991e15',
    '9.007199254740992e15',
    '1e-400',
    '5e-324',
    '2e-324',
    '1e308',
    '1e309',
  ],
  ...[
    '1e400',
    '-1e400',
    '1e99999',
    '0e99999',
    '1.7976931348623157e308',
    '1.7976931348623159e308',
    '12345.678e-3',
  ],
  ...[
    '2.2250738585072011e-308',
    '0.1e1',
    '10e-1',
    '0.30000000000000004',
    '123456.789',
    '4.35',
    '0.000001',
    '1e23',
  ],
];
const BAD_NUMBERS = [
  ...[
    '01',
    '-01',
    '00',
    '.5',
    '-.5',
    '1.',
    '-',
    '+1',
    '1e',
    '1e+',
    '1.e1',
    '0x1',
    '1_000',
    '1e1.5',
    '--1',
    '1,0',
  ],
  ...['NaN', '-NaN', 'Infinity', '-Infinity', 'inf', 'nan', '1f', '1 2', '0-1', '1.2.3', '٣', '１'].map(utf8),
];

function numberText(random) {
  if (random.once(2)) return random.pick(NUMBERS);
  const digits = (count) => Array.from({ length: count }, () => random.below(10)).join('');
  const whole = random.once(4) ? '0' : `${1 + random.below(9)}${digits(random.below(22))}`;
  const fraction = random.once(2) ? '' : `.${digits(1 + random.below(20))}`;
  const exponent = random.once(3) ? `${random.pick(['e', 'E', 'e+', 'e-', 'E-'])}${random.below(30)}` : '';
  return `${random.once(4) ? '-' : ''}${whole}${fraction}${exponent}`;
}

// ---------------------------------------------------------------- structures

const WORDS = ['null', 'true', 'false'];
const BAD_WORDS = [
  ...[
    'nul',
    'True',
    'NULL',
    'tru',
    'falsee',
    'undefined',
    "'a'",
    'a',
    '',
    'nulll',
    '/**/1',
    '[1,]',
    '[,1]',
    '[1 2]',
  ],
  ...[
    '{"a":1,}',
    '{,}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '{"a":1 "b":2}',
    '{1:2}',
    '[1}',
    '{"a":1]',
    '[',
    '{',
    '"',
    '[[]',
  ],
  ...[
    '{"a":1,,"b":2}',
    '[1,,2]',
    '{"a"::1}',
    '{:1}',
    '{null:1}',
    '["a":1]',
    '{"a",1}',
    '[1]]',
    '{}}',
    '{"a":1}}',
  ],
];
const STRUCTURES = [
  ...[
    '[]',
    '{}',
    '[ ]',
    '{ }',
    '["a"]',
    '["a",1]',
    '[ "a" , "b\\"]" ]',
    '[null]',
    '[[["x"]]]',
    '{"a":{"b":[1,{"c":"]"}]}}',
  ],
  ...[
    '{"":{}}',
    '{"a":1,"a":2}',
    '{"schema":"replay.run.v1"}',
    '{"verdict":"accepted"}',
    '[true,false,null,0,"",{},[]]',
  ],
];
const DEPTHS = [1, 2, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 1025, 5000];

function deepText(random) {
  const depth = random.pick(DEPTHS);
  const kinds = Array.from({ length: depth }, () => random.once(2));
  const open = kinds.map((isArray) => (isArray ? '[' : '{"a":')).join('');
  const close = kinds.map((isArray) => (isArray ? ']' : '}')).reverse();
  if (random.once(6)) close[random.below(depth)] = random.pick([']', '}', '', '},', ']]']);
  return `${open}${random.pick(['1', '"x"', 'null', '[]', '{}'])}${close.join('')}`;
}

function arrayText(random, element) {
  const space = random.pick(['', '', '', ' ', '\t', '\r ']);
  const elements = Array.from({ length: random.below(5) }, () => `${space}${element(random)}${space}`);
  return `[${elements.join(',')}]`;
}

/** Mostly JSON. */
function anyText(random) {
  switch (random.below(12)) {
    case 0:
      return random.pick(BAD_WORDS);
    case 1:
      return random.once(2) ? random.pick(BAD_NUMBERS) : badStringText(random);
    case 2:
      return deepText(random);
    case 3:
      return arrayText(random, random.pick([stringText, numberText]));
    case 4:
    case 5:
      return numberText(random);
    case 6:
      return random.pick(STRUCTURES);
    case 7:
      return random.pick(WORDS);
    case 8:
      return random.once(2) ? attemptsText(random) : documentsText(random);
    case 9:
      return random.pick(TIMESTAMPS);
    case 10:
      return random.pick(VERDICTS);
    default:
      return stringText(random);
  }
}

// ---------------------------------------------------------------- values that fit, or nearly

const TIMESTAMPS = [
  ...[
    '2025-02-29T00:00:00Z',
    '2024-02-29t23:59:59.1234567+23:59',
    '2024-02-29T23:59:60Z',
    '2024-01-01T00:00:00',
  ],
  ...[
    '2024-01-01T00:00:00.Z',
    '0000-01-01T00:00:00Z',
    '0000-01-01T00:00:00+23:59',
    '9999-12-31T23:59:59-23:59',
  ],
  ...[
    '2024\\u002d01-01T00:00:00Z',
    '2024-01-01 00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '1900-02-29T00:00:00Z',
  ],
  ...[
    '2000-02-29T00:00:00z',
    '2024-04-31T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
  ],
  ...[
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00-00:00',
    '2024-01-01T00:00:00+0100',
    '2024-01-01T00:00:00.000000001Z',
  ],
  ...[
    '2024-01-01T00:00:00Z ',
    ' 2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00Zx',
    '2024-01-01T00:00Z',
    '1969-12-31T23:59:59.999999Z',
  ],
  ...[
    'infinity',
    '12024-01-01T00:00:00Z',
    '2024-01-01T00:00:00.123456789012345678901234567890Z',
    '2024-1-01T00:00:00Z',
    '2024-01-01T00:00:00\\u005a',
  ],
].map((text) => `"${text}"`);

const VERDICTS = [
  ...[
    'accepted',
    'rejected',
    'no_candidate',
    'infra_error',
    'max_iter_exhausted',
    'Accepted',
    'accepted ',
    '',
    'other',
  ],
  ...[
    '\\u0061ccepted',
    'acc\\"epted',
    'accepte',
    'acceptedd',
    'infra\\u005ferror',
    'accepted\\u0000',
    'infra_errors',
  ],
].map((text) => `"${text}"`);

const SCHEMAS = [
  ...[
    'session.iterate.v1',
    'replay.run.v1',
    'session.iterate.v2',
    'session.iterate.v',
    'session.iterate.v1 ',
    '',
  ],
  ...['session.iterate\\u002ev1', 'Session.iterate.v1', 'replay.run.v1\\u0000', 'replay.run'],
].map((text) => `"${text}"`);

const FITTING = {
  schema: (random) => random.pick(SCHEMAS),
  string: stringText,
  nonempty: (random) =>
    random.once(3) ? stringText(random) : `"${random.pick(['fill', 'email', 'qwen3:8b', 'a'])}"`,
  timestamp: (random) => {
    if (random.once(3)) return random.pick(TIMESTAMPS);
    const two = (from, count) => String(from + random.below(count)).padStart(2, '0');
    const fraction = random.once(2) ? '' : `.${1 + random.below(999_999)}`;
    return `"20${two(0, 99)}-${two(1, 12)}-${two(1, 28)}T${two(0, 24)}:${two(0, 60)}:${two(0, 60)}${fraction}${random.pick(['Z', 'z', '+02:00', '-09:30'])}"`;
  },
  verdict: (random) =>
    random.once(4)
      ? random.pick(VERDICTS)
      : `"${random.pick(['accepted', 'max_iter_exhausted', 'infra_error'])}"`,
  integer: (random) => (random.once(3) ? numberText(random) : String(random.below(5000))),
  count: (random) => random.pick(['0', '1', '1', '2', '3', '1.0', '-0', '2e0']),
  positive: (random) => (random.once(8) ? random.pick(['0', '-1', '0.0']) : String(1 + random.below(99_999))),
  number: numberText,
  boolean: (random) => random.pick(['true', 'true', 'false']),
  strings: (random) => arrayText(random, random.once(8) ? anyText : stringText),
  documents: (random) => documentsText(random),
  attempts: (random) => attemptsText(random),
  any: (random) =>
    random.once(3)
      ? anyText(random)
      : random.pick([stringText, numberText, (r) => r.pick(STRUCTURES)])(random),
};

function objectOf(random, fields, chance) {
  const members = fields
    .filter(() => random.below(10) < chance)
    .map(([name, type]) => [name, random.once(15) ? anyText(random) : FITTING[type](random)]);
  if (random.once(6)) members.push([random.pick(fields)[0], random.once(2) ? 'null' : anyText(random)]);
  if (random.once(6)) members.push([strangeKey(random, fields), anyText(random)]);
  return objectText(members, random);
}

function attemptText(random) {
  if (random.once(15)) return anyText(random);
  const verdict = random.once(5)
    ? random.pick(VERDICTS)
    : `"${random.pick(['accepted', 'rejected', 'no_candidate'])}"`;
  const rest = objectOf(random, ATTEMPT_FIELDS.slice(1), random.pick([0, 1, 5])).slice(1);
  return `{"${random.once(9) ? '\\u0076erdict' : 'verdict'}":${verdict}${/^\s*\}/.test(rest) ? '' : ','}${rest}`;
}

function attemptsText(random) {
  if (random.once(10)) return random.pick(['null', '{}', '5', '"rejected"', '[]', 'false', '[[]]', '[null]']);
  return arrayText(random, attemptText);
}

function documentsText(random) {
  if (random.once(8)) return random.pick(['[null]', '{}', '[[]]', '"x"', '[]', '[{}]', '[5]']);
  return arrayText(random, (r) => objectOf(r, DOCUMENT_FIELDS, 7));
}

// ---------------------------------------------------------------- members

/** A key as it may be written: sometimes with an escape in place of one of its letters. */
function keyText(name, random) {
  if (!random.once(12)) return `"${name}"`;
  const at = random.below(Math.max(1, name.length));
  const code = (name.charCodeAt(at) || 0x78).toString(16).padStart(4, '0');
  return `"${name.slice(0, at)}\\u${random.once(2) ? code : code.toUpperCase()}${name.slice(at + 1)}"`;
}

const STRANGE_KEYS = [
  ...[
    '',
    ' ',
    '__proto__',
    'constructor',
    'toString',
    'length',
    '0',
    '1',
    'x',
    'note',
    'schema\\u0000',
    'kind\\"',
    '\\u006bind\\u0000',
  ],
  ...['é', '漢', '\u2028', '😀', 'ſchema'].map(utf8),
];

/** Not declared, though it may look like a key that is. */
function strangeKey(random, fields) {
  const [name] = random.pick(fields);
  switch (random.below(6)) {
    case 0:
      return name.slice(0, random.below(name.length));
    case 1:
      return `${name}${random.pick(['x', '_', ' ', '1', '\\u0000', utf8('é')])}`;
    case 2:
      return name.toUpperCase();
    case 3:
      return name.replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) ^ 1));
    case 4:
      return `${name}${'x'.repeat(random.pick(LENGTHS))}`;
    default:
      return random.pick(STRANGE_KEYS);
  }
}

const SPACES = ['', '', '', '', '', '', ' ', '\t', ' \r ', '  \t'];
const BAD_SPACES = ['\v', '\f', '\x00', '\xa0', ...['\u00a0', '\ufeff', '\u2028'].map(utf8)];

function objectText(members, random) {
  const space = random.once(300) ? random.pick(BAD_SPACES) : random.pick(SPACES);
  const texts = members.map(([name, text]) => `${keyText(name, random)}${space}:${space}${text}`);
  return `{${space}${texts.join(`${space},${space}`)}${space}}`;
}

/** A record that loads, as [name, text] members. */
function goodMembers(random, format) {
  const isCall = format === FORMATS[0];
  const members = Object.entries({
    schema: `"${format.schema}"`,
    session_id: `"${random.hex(32)}"`,
    timestamp: `"2026-0${1 + random.below(9)}-1${random.below(10)}T0${random.below(10)}:00:0${random.below(10)}.${random.below(1000)}Z"`,
    ...(isCall
      ? {
          kind: `"${random.pick(['fill', 'fill', 'email', 'playbook'])}"`,
          model: `"${random.pick(['qwen3:8b', 'gemma', 'gpt-4.1-mini'])}"`,
          iterations: '1',
          final_verdict: '"accepted"',
          attempts:
            '[{"attempt_number":1,"verdict":"accepted","raw":"{\\"fills\\":[]}","reasons":[],"input_tokens":812,"duration_ms":12.5}]',
          grounded_in_roster: random.pick(['true', 'true', 'false', 'null']),
          daemon: '"fill-dispatcher"',
          artifact: '{"fills":[{"worker_id":"W-1042","shift":"s1"}]}',
          proposed_worker_ids: '["W-1042"]',
          duration_ms: `${random.below(9999)}.${random.below(9)}`,
          call_id: `"${random.hex(16)}"`,
          writer_id: '"w1"',
          seq: String(1 + random.below(99_999)),
        }
      : {
          run_id: '"batch-1"',
          documents: '[{"id":"d1","source":"wiki","score":0.5,"rank":1}]',
          context_tokens: '812',
        }),
  });
  return members.filter(([, text], at) => at < 7 || !isCall || (text !== 'null' && !random.once(6)));
}

/** Changes to the members of a record, each of which may leave it good. */
const MEMBER_CHANGES = [
  (members, random, { fields }) => {
    const [name, type] = random.pick(fields);
    return having(members, name, FITTING[type](random));
  },
  (members, random, { fields }) => {
    const [name, type] = random.pick(fields.filter(([other]) => other !== 'schema'));
    return having(members, name, FITTING[type](random));
  },
  (members, random, { fields }) => having(members, random.pick(fields)[0], anyText(random)),
  (members, random, { fields }) => having(members, random.pick(fields)[0], 'null'),
  (members, random) => members.toSpliced(random.below(members.length), 1),
  // A key twice, in front, behind or in the middle.
  (members, random) => {
    const [name, text] = random.pick(members);
    return inserted(members, random, [name, random.once(2) ? text : anyText(random)]);
  },
  // A key of the other format twice: no fault.
  (members, random, format) => {
    const [name] = random.pick(FORMATS.find((other) => other !== format).fields);
    return inserted(inserted(members, random, [name, '1']), random, [name, anyText(random)]);
  },
  (members, random, { fields }) => inserted(members, random, [strangeKey(random, fields), anyText(random)]),
  (members, random) => shuffled(members, random),
  (members, random) => having(members, 'attempts', attemptsText(random)),
  (members, random) => having(members, 'documents', documentsText(random)),
  (members, random) =>
    having(members, 'prompt', random.once(2) ? '[{"role":"user","content":"Fill"}]' : anyText(random)),
];

function shuffled(members, random) {
  const rest = [...members];
  return members.map(() => rest.splice(random.below(rest.length), 1)[0]);
}

function having(members, name, text) {
  return members.some(([other]) => other === name)
    ? members.map(([other, old]) => [other, other === name ? text : old])
    : [...members, [name, text]];
}

function inserted(members, random, member) {
  return members.toSpliced(random.below(members.length + 1), 0, member);
}

// ---------------------------------------------------------------- text

const MARK = '\xef\xbb\xbf';
const TOKENS = [
  ...[
    '\\',
    '"',
    ',',
    '}',
    ']',
    '{',
    '[',
    ':',
    '\x00',
    '\r',
    ' ',
    '\t',
    '\v',
    '\f',
    '\\u12',
    '\\ud800',
    MARK,
    '0',
    '-',
    '.',
  ],
  ...[
    'e',
    'NaN',
    'null',
    '//',
    '/*x*/',
    '\xe2\x80\xa8',
    '\xff',
    '\x7f',
    '""',
    '{}',
    '[]',
    ',"kind":"x"',
    '\xc2\xa0',
  ],
];

const TEXT_CHANGES = [
  (text, random) => replaced(text, random, 1, String.fromCharCode(random.below(256))),
  (text, random) => {
    const at = random.below(text.length || 1);
    return replaced(
      text,
      random,
      1,
      String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8)) || 0),
      at,
    );
  },
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => text.slice(random.below(text.length + 1)),
  (text, random) => replaced(text, random, 1 + random.below(4), ''),
  (text, random) => replaced(text, random, 0, random.pick(TOKENS)),
  (text, random) => replaced(text, random, 0, random.pick(TOKENS)),
  (text, random) => replaced(text, random, 0, random.pick(BAD_BYTES)),
  (text, random) => replaced(text, random, 0, random.pick(['\x00', MARK, 'x']).repeat(1 + random.below(80))),
  (text, random) => {
    const at = random.below(text.length + 1);
    return replaced(text, random, 0, text.slice(at, at + random.below(40)));
  },
  // Two records on one line.
  (text, random) => `${text}${random.pick(['', ' ', ',', '\r', '\x00', MARK])}${text}`,
  (text, random) =>
    `${text}${random.pick(['\r', ' ', '\t', '\r\r', ' \r', ',', '\v', '\f', '\x00', MARK, ']', '}'])}`,
  (text, random) =>
    `${random.pick([' ', '\t', '\r', '\v', '\f', '\x00', '\xa0', ',', '[', '\xef\xbb', '\xfe\xff'])}${text}`,
  (text) => `${MARK}${text}`,
  (text, random) => `${MARK}${random.pick([' ', MARK, '\v', '\t'])}${text}`,
  (text) => Buffer.from(text, 'utf16le').toString('latin1'),
];

function replaced(text, random, count, by, at = random.below(text.length + 1)) {
  return text.slice(0, at) + by + text.slice(at + count);
}

const BLANKS = [
  '',
  ' ',
  '\t',
  '\r',
  '\v',
  '\f',
  ' \v\f\t\r',
  '\xa0',
  '\x00',
  '\x85',
  MARK,
  `${MARK} `,
  `${MARK}\r`,
  `${MARK}${MARK}`,
  ' '.repeat(100),
];

// ---------------------------------------------------------------- lines

function recordText(random, format) {
  let members = goodMembers(random, format);
  const changes = random.pick([0, 1, 1, 1, 2, 2, 3]);
  for (let done = 0; done < changes && members.length > 0; done += 1)
    members = random.pick(MEMBER_CHANGES)(members, random, format);
  return objectText(members, random);
}

function mutatedText(random) {
  if (random.once(60)) return random.pick(BLANKS);
  if (random.once(60)) return anyText(random);
  let text = recordText(random, random.once(4) ? FORMATS[1] : FORMATS[0]);
  const changes = random.pick([0, 0, 0, 0, 1, 1, 2]);
  for (let done = 0; done < changes; done += 1) text = random.pick(TEXT_CHANGES)(text, random);
  return text;
}

/** Lines without `\n`. */
export function* mutatedLines(seed, count) {
  const random = randomFrom(seed);
  for (let made = 0; made < count; made += 1)
    yield Buffer.from(mutatedText(random).replaceAll('\n', random.pick([' ', '\r', '\t'])), 'latin1');
}

/** Lines that load: calls, and one replay run in four. */
export function* goodLines(seed, count) {
  const random = randomFrom(seed);
  for (let made = 0; made < count; made += 1) {
    const format = random.once(4) ? FORMATS[1] : FORMATS[0];
    yield Buffer.from(objectText(goodMembers(random, format), { ...random, once: () => false }), 'latin1');
  }
}
