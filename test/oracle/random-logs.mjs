/** Whole random logs for fast-check: everything design §3 allows, and (dirty) every way to break it. */
import fc from 'fast-check';
import { FORMATS } from './oracle.mjs';

/** The half-open window that many timestamps sit on the edges of. */
export const WINDOW = { since: Date.UTC(2026, 8, 1), until: Date.UTC(2026, 8, 8) };

const often = (arbitrary, rare) =>
  fc.oneof({ weight: 9, arbitrary }, ...rare.map((other) => ({ weight: 1, arbitrary: other })));
const pick = (...values) => fc.constantFrom(...values);
const rarely = fc.integer({ min: 0, max: 9 }).map((roll) => roll === 9);

// ---------------------------------------------------------------- JSON text, written in many ways

const ESCAPES = {
  plain: (char) => JSON.stringify(char).slice(1, -1),
  allEscaped: (char) => unicodeEscape(char),
  capitals: (char) => unicodeEscape(char).toUpperCase().replaceAll('\\U', '\\u'),
  mixed: (char, at) => {
    if (char === '/') return '\\/';
    return at % 2 === 0 ? unicodeEscape(char) : ESCAPES.plain(char);
  },
};

function unicodeEscape(char) {
  return [...Array(char.length).keys()]
    .map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
}

function stringText(value, style) {
  return `"${[...value].map(ESCAPES[style]).join('')}"`;
}

const escapeStyle = fc.oneof(
  { weight: 6, arbitrary: fc.constant('plain') },
  { weight: 1, arbitrary: pick('allEscaped', 'capitals', 'mixed') },
);

const strings = (...values) =>
  fc.tuple(pick(...values), escapeStyle).map(([value, style]) => stringText(value, style));

const integerText = (value) =>
  fc
    .oneof(
      { weight: 8, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: pick('.0', '.000', 'e0', 'E+0') },
    )
    .map((suffix) => `${value}${suffix}`);

const integers = (min, max) => fc.integer({ min, max }).chain(integerText);

const ANY_TEXTS = [
  'null',
  'true',
  '0',
  '-12.5e-3',
  '""',
  '"schema"',
  '[]',
  '{}',
  '[1,[2,{"a":null}]]',
  '{"schema":"replay.run.v1","session_id":5}',
  '{"grounded_in_roster":false,"kind":"fill"}',
  '"}\\n{\\"a\\":"',
  '[{"verdict":"rejected"}]',
  '9007199254740993',
  '[123456789012345678901234567890,1.0,1e400,-0]',
];
const anyJson = pick(...ANY_TEXTS);

const CHAT =
  '[{"role":"system","content":"Fill"},{"role":"user","content":[{"type":"text","text":"3 shifts"}]}]';
/** A text, or the messages of a chat, or whatever else a host calls its prompt. */
const prompt = fc.oneof(
  { weight: 4, arbitrary: strings('Fill 3 shifts', '=cmd()', '\u202eevil', '\ufeff') },
  { weight: 2, arbitrary: fc.constant(CHAT) },
  { weight: 1, arbitrary: anyJson },
);

/** `undefined` leaves the field out. */
const optional = (arbitrary) =>
  fc.oneof(
    { weight: 5, arbitrary },
    { weight: 1, arbitrary: fc.constant('null') },
    { weight: 2, arbitrary: fc.constant(undefined) },
  );

const presentMembers = (members) => members.filter(([, text]) => text !== undefined);

// ---------------------------------------------------------------- timestamps

const MINUTE = 60_000_000;
const DAY = 1440 * MINUTE;
const SINCE = WINDOW.since * 1000;
const UNTIL = WINDOW.until * 1000;
const SHARED_INSTANT = SINCE + 3 * DAY + 123_456;

const instant = fc.oneof(
  {
    weight: 3,
    arbitrary: pick(SINCE - 1, SINCE, SINCE + 1, UNTIL - 1000, UNTIL - 1, UNTIL, UNTIL + 1, UNTIL + 1000),
  },
  { weight: 2, arbitrary: pick(SHARED_INSTANT, SHARED_INSTANT + 1, SINCE + 2 * DAY) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: -3 * 1440, max: 10 * 1440 }).map((minutes) => SINCE + minutes * MINUTE),
  },
  // Around the end of summer time in most of Europe and North America.
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 0, max: 10 * 1440 })
      .map((minutes) => Date.UTC(2026, 9, 24) * 1000 + minutes * MINUTE),
  },
  {
    weight: 1,
    arbitrary: pick(Date.UTC(2024, 1, 29, 23, 59, 59) * 1000, -1, 0, Date.UTC(1969, 0, 1) * 1000),
  },
);

const OFFSETS = [
  'Z',
  'Z',
  'Z',
  'z',
  '+00:00',
  '-00:00',
  '+02:00',
  '-05:00',
  '+05:45',
  '-09:30',
  '+14:00',
  '-12:00',
  '+23:59',
  '-23:59',
];

function offsetMicros(offset) {
  if (offset.length === 1) return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  return (offset[0] === '-' ? -1 : 1) * minutes * MINUTE;
}

function timestampOf(micros, offset, separator, surplusDigits) {
  const local = micros + offsetMicros(offset);
  const seconds = Math.floor(local / 1_000_000);
  const clock = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', separator);
  const fraction = String(local - seconds * 1_000_000).padStart(6, '0') + surplusDigits;
  const shortest = fraction.replace(/0+$/, '');
  const digits = surplusDigits === '' ? shortest : fraction;
  return `${clock}${digits === '' ? '' : `.${digits}`}${offset}`;
}

const timestamp = fc
  .tuple(
    instant,
    pick(...OFFSETS),
    often(fc.constant('T'), [fc.constant('t')]),
    often(fc.constant(''), [pick('0', '9', '999')]),
  )
  .map((parts) => JSON.stringify(timestampOf(...parts)));

// ---------------------------------------------------------------- good records

const SESSION_IDS = [
  '4bf92f3577b34da6a3ce929d0e0e4736',
  '00000000000000000000000000000001',
  'trace "quoted" \\ 🦆',
  'a',
  'A',
];
/** Few calls each, so that some of these traces hold first shots only. */
const SMALL_TRACES = [...Array(24).keys()].map((at) => `small-${at}`);
const sessionId = fc.oneof(
  { weight: 2, arbitrary: strings(...SESSION_IDS) },
  { weight: 1, arbitrary: strings(...SMALL_TRACES) },
);

const reasonText = strings(
  'worker W-1 is not in the roster',
  'worker W-1042 is not in the roster',
  'worker Łukasz_9-ß is not in the roster',
  'worker 九9 is not in the roster',
  'worker ٣ is not in the roster',
  'shift 12 overlaps',
  'shift 7/8 overlaps',
  'shift -12.5e3 overlaps',
  '#',
  'a | b',
  '',
  'say "no" \\ 🙅',
  'two\nlines\tand a tab',
);

const reasons = often(
  fc.array(reasonText, { maxLength: 3 }).map((texts) => `[${texts.join(',')}]`),
  [
    fc.constant(undefined),
    fc.constant('null'),
    pick('"one"', '{}', '5', '[5]', '[null,"kept",{"a":"b"},["c"]]'),
  ],
);

const attemptVerdict = fc.oneof(
  { weight: 5, arbitrary: fc.constant('rejected') },
  { weight: 2, arbitrary: fc.constant('no_candidate') },
  { weight: 2, arbitrary: fc.constant('infra_error') },
  { weight: 1, arbitrary: fc.constant('accepted') },
);

const attemptMembers = fc.record({
  verdict: attemptVerdict.map((verdict) => JSON.stringify(verdict)),
  attempt_number: optional(integers(1, 9)),
  prompt: optional(prompt),
  reasons,
  raw: optional(strings('{"fills":[]}', '\u001b[31mred', '')),
  input_tokens: often(integers(0, 5000), [pick(undefined, 'null', '-1')]),
  output_tokens: often(integers(0, 900), [pick(undefined, 'null', '-7')]),
  duration_ms: often(pick('12.25', '1e3', '0'), [pick(undefined, 'null', '-0.5')]),
  note: optional(anyJson),
});

const strangeAttempt = fc.oneof(
  pick('null', '5', '"rejected"', '[]', '[{"verdict":"rejected"}]', '{}', '{"Verdict":"rejected"}'),
  pick('"Rejected"', '"rejected "', '"other"', '""', 'null', 'true', '["rejected"]').map(
    (verdict) => `{"verdict":${verdict},"reasons":["never shown"]}`,
  ),
  // Understood but for one declared field, of a wrong type or value or there twice.
  pick(
    '"raw":5',
    '"raw":["a"]',
    '"span_id":{}',
    '"error":false',
    '"reasons":"worker W-1 is not in the roster"',
    '"attempt_number":0',
    '"attempt_number":1.5',
    '"input_tokens":"812"',
    '"input_tokens":9007199254740993',
    '"output_tokens":-1e400',
    '"duration_ms":1e400',
    '"duration_ms":"12.5"',
    '"verdict":"rejected"',
    '"raw":"a","raw":"a"',
    '"reasons":["a"],"r\\u0065asons":["b"]',
    '"prompt":[],"prompt":[]',
  ).map((member) => `{"verdict":"rejected",${member}}`),
);

function objectText(members) {
  return `{${presentMembers(members)
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join(',')}}`;
}

const arrayText = (texts) => `[${texts.join(',')}]`;

/** Exactly as a correct writer would: one per iteration, the last one accepted when the call is. */
function faithfulAttempts(pool, iterations, finalVerdict) {
  return pool.slice(0, iterations).map((attempt, at) => {
    const isLast = at === iterations - 1;
    const verdict = isLast && finalVerdict === 'accepted' ? '"accepted"' : attempt.verdict;
    return objectText(Object.entries({ ...attempt, verdict }));
  });
}

const ATTEMPTS_SHAPES = {
  faithful: ({ faithful }) => arrayText(faithful),
  absent: () => undefined,
  null: () => 'null',
  empty: () => '[]',
  oneShort: ({ faithful }) => arrayText(faithful.slice(1)),
  oneMore: ({ faithful, spare }) => arrayText([...faithful, spare]),
  strangerInside: ({ faithful, stranger }) =>
    arrayText([...faithful.slice(0, 1), stranger, ...faithful.slice(2)]),
  strangerAdded: ({ faithful, stranger }) => arrayText([stranger, ...faithful]),
  notAnArray: ({ scalar }) => scalar,
};

const MAX_ITERATIONS = 7;

const outcome = fc
  .record({
    finalVerdict: fc.oneof(
      { weight: 5, arbitrary: fc.constant('accepted') },
      { weight: 2, arbitrary: fc.constant('max_iter_exhausted') },
      { weight: 1, arbitrary: fc.constant('infra_error') },
    ),
    iterations: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: MAX_ITERATIONS })),
    pool: fc.array(attemptMembers, { minLength: MAX_ITERATIONS, maxLength: MAX_ITERATIONS }),
    shape: fc.oneof(
      { weight: 12, arbitrary: fc.constant('faithful') },
      { weight: 8, arbitrary: pick(...Object.keys(ATTEMPTS_SHAPES)) },
    ),
    stranger: strangeAttempt,
    scalar: pick('5', '{}', '"rejected"', 'false', '{"0":{"verdict":"rejected"}}'),
    suffix: often(fc.constant(''), [pick('.0', 'e0')]),
  })
  .map(({ finalVerdict, iterations: drawn, pool, shape, stranger, scalar, suffix }) => {
    const iterations = finalVerdict === 'accepted' ? Math.max(1, drawn) : drawn;
    return {
      iterations: `${iterations}${suffix}`,
      final_verdict: JSON.stringify(finalVerdict),
      attempts: ATTEMPTS_SHAPES[shape]({
        faithful: faithfulAttempts(pool, iterations, finalVerdict),
        spare: objectText(Object.entries(pool[0])),
        stranger,
        scalar,
      }),
    };
  });

const kind = fc.oneof(
  { weight: 10, arbitrary: strings('fill') },
  { weight: 4, arbitrary: strings('email', 'playbook') },
  { weight: 2, arbitrary: strings('Fill', ' fill', 'fill ', 'FILL', 'fills') },
);

/** Mostly the same two, so that groups hold several calls. */
const model = fc.oneof(
  { weight: 3, arbitrary: strings('qwen3:8b', 'gemma') },
  {
    weight: 2,
    arbitrary: strings('Gemma', 'gpt "x"', 'back\\slash', 'модель', 'ﬀ', '🦆', 'a|b', ' '),
  },
);

const sessionMembers = fc
  .record({
    session_id: sessionId,
    timestamp,
    kind,
    model,
    outcome,
    grounded_in_roster: fc.oneof(
      { weight: 4, arbitrary: fc.constant('true') },
      { weight: 2, arbitrary: pick('false', 'null', undefined) },
    ),
    daemon: optional(strings('staffing', 'mailer', '')),
    provider: optional(strings('ollama', 'Ollama', 'openai')),
    environment: optional(strings('prod', 'staging', 'prod ', '')),
    response_model: optional(strings('qwen3:8b-q4', 'gemma', '')),
    prompt_version: optional(strings('p1', 'P1', '')),
    validator_version: optional(strings('v1', 'v2')),
    error: optional(strings('timeout', '')),
    max_iterations: optional(integers(-1, 9)),
    prompt: optional(prompt),
    artifact: optional(anyJson),
    proposed_worker_ids: optional(pick('[]', '["W-1"]', '["W-1","W-\\u0032"]')),
    duration_ms: optional(pick('0', '12.5', '3e0', '-1', '1e15')),
    call_id: fc.oneof(
      { weight: 6, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constant('""') },
      { weight: 1, arbitrary: fc.constant('null') },
      { weight: 3, arbitrary: strings('call-1', 'call-2', 'Call-1') },
      { weight: 6, arbitrary: fc.uuid().map((id) => JSON.stringify(id)) },
    ),
    writer_id: optional(strings('w1', 'w2')),
    seq: optional(integers(1, 50)),
    iterationsNote: optional(anyJson),
    Schema: optional(anyJson),
  })
  .map(({ outcome: { iterations, final_verdict, attempts }, session_id, timestamp, kind, model, ...rest }) =>
    presentMembers(
      Object.entries({
        schema: JSON.stringify(FORMATS.sessions.schema),
        session_id,
        timestamp,
        kind,
        model,
        iterations,
        final_verdict,
        attempts,
        ...rest,
      }),
    ),
  );

const documentText = fc
  .record({
    id: optional(strings('doc-1', 'doc-2')),
    source: optional(strings('wiki', '')),
    score: optional(pick('0.5', '1', '-2.25', '1e-3', '0.5')),
    rank: optional(integers(1, 12)),
    text: optional(anyJson),
  })
  .map((document) => objectText(Object.entries(document)));

/** Later than the other runs, so that which of them is the latest is a matter of position. */
const sameLateInstant = pick('Z', '+02:00', '-09:30').map((offset) =>
  JSON.stringify(timestampOf(Date.UTC(2026, 10, 5) * 1000, offset, 'T', '')),
);

const documentTexts = fc.oneof(
  { weight: 3, arbitrary: fc.array(documentText, { maxLength: 3 }) },
  {
    weight: 2,
    arbitrary: pick(0, 1, 2, 3, 5, 6, 10, 11, 12).chain((count) =>
      fc.array(documentText, { minLength: count, maxLength: count }),
    ),
  },
);

const replayMembers = fc
  .record({
    schema: fc.constant(JSON.stringify(FORMATS.replay.schema)),
    session_id: fc.oneof(
      { weight: 8, arbitrary: strings(...SESSION_IDS) },
      { weight: 2, arbitrary: strings(...SMALL_TRACES) },
      { weight: 1, arbitrary: strings('only replayed') },
    ),
    timestamp: fc.oneof({ weight: 3, arbitrary: timestamp }, { weight: 1, arbitrary: sameLateInstant }),
    run_id: strings('batch-1', 'batch-2'),
    task_id: optional(strings('t1', 't2')),
    task: optional(strings('Fill 3 shifts')),
    kind: optional(strings('fill', '')),
    model: optional(model),
    provider: optional(strings('ollama')),
    documents: optional(documentTexts.map(arrayText)),
    context_tokens: optional(integers(0, 9000)),
    output: optional(strings('ok', '')),
    duration_ms: optional(pick('1', '2.5')),
    output_tokens: optional(integers(0, 900)),
    iterations: optional(anyJson),
  })
  .map((record) => presentMembers(Object.entries(record)));

const MEMBERS = { sessions: sessionMembers, replay: replayMembers };

// ---------------------------------------------------------------- members to bytes

const SPACINGS = [
  { around: '', colon: ':', comma: ',' },
  { around: '', colon: ': ', comma: ', ' },
  { around: ' ', colon: '\t: ', comma: ' ,\t' },
  { around: '\t', colon: ':', comma: ',\r' },
];

const layout = fc.record({
  order: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat() }),
  spacing: often(fc.constant(SPACINGS[0]), SPACINGS.slice(1).map(fc.constant)),
  keyStyle: fc.oneof(
    { weight: 30, arbitrary: fc.constant('plain') },
    { weight: 1, arbitrary: fc.constant('mixed') },
  ),
});

/** A shuffle that the seed decides; 0 keeps the order. */
function reordered(members, seed) {
  const position = (at) => (seed === 0 ? at : ((at + 1) * (seed | 1)) % 1009);
  return members
    .map((member, at) => ({ member, at: position(at) }))
    .sort((a, b) => a.at - b.at)
    .map(({ member }) => member);
}

function recordText(members, { order, spacing, keyStyle }) {
  const body = reordered(members, order)
    .map(([name, text]) => `${stringText(name, keyStyle)}${spacing.colon}${text}`)
    .join(spacing.comma);
  return `${spacing.around}{${spacing.around}${body}}${spacing.around}`;
}

const goodText = (format) =>
  fc.tuple(MEMBERS[format], layout).map(([members, how]) => recordText(members, how));

/** One line that loads, without terminator. */
export const goodLine = (format) => goodText(format).map((text) => Buffer.from(text));

// ---------------------------------------------------------------- bad records

const without = (members, name) => members.filter(([other]) => other !== name);
const having = (members, name, text) =>
  members.some(([other]) => other === name)
    ? members.map(([other, old]) => [other, other === name ? text : old])
    : [...members, [name, text]];

const NOT_A_STRING = ['5', 'true', '[]', '{}', '["x"]'];
const NOT_AN_INTEGER = [
  '1e400',
  '18446744073709551616',
  '1.7',
  '"3"',
  'true',
  '9007199254740992',
  '-9007199254740993',
  '1e300',
  '[1]',
  '{}',
  '1e-1',
];
const WRONG_TYPE = {
  schema: NOT_A_STRING,
  string: NOT_A_STRING,
  nonempty: NOT_A_STRING,
  timestamp: [...NOT_A_STRING, '1756713600'],
  verdict: NOT_A_STRING,
  integer: NOT_AN_INTEGER,
  count: NOT_AN_INTEGER,
  positive: NOT_AN_INTEGER,
  number: ['"12"', 'true', '[]', '{}', '1e400', '-1e309'],
  boolean: ['"false"', '"true"', '0', '1', '""', '[]', '[false]', '{}'],
  strings: ['"W-1"', '[1]', '["W-1",null]', '[["W-1"]]', '{}', 'false', '0'],
  documents: [
    '{}',
    '"doc"',
    '5',
    '[5]',
    '[null]',
    '[[]]',
    '[{"id":5}]',
    '[{"source":false}]',
    '[{"score":"0.5"}]',
    '[{"score":1},{"rank":1.5}]',
    '[{"score":1e400}]',
    '[{"rank":9007199254740992}]',
    '[{"id":"doc-1","id":"doc-1"}]',
    '[{"score":1,"sc\\u006fre":null}]',
  ],
};
const BAD_VALUE = {
  nonempty: ['""'],
  timestamp: [
    '',
    '2026-09-01',
    '2026-09-01T08:00:00',
    '2026-09-01 08:00:00Z',
    '2026-09-01T24:00:00Z',
    '2026-09-01T08:00:60Z',
    '2026-09-01T08:60:00Z',
    '2026-02-30T08:00:00Z',
    '2025-02-29T08:00:00Z',
    '2100-02-29T08:00:00Z',
    '2026-04-31T08:00:00Z',
    '2026-13-01T08:00:00Z',
    '2026-00-10T08:00:00Z',
    '2026-09-00T08:00:00Z',
    '2026-09-01T08:00:00+2:00',
    '2026-09-01T08:00:00+24:00',
    '2026-09-01T08:00:00+0200',
    '2026-09-01T08:00:00 UTC',
    '2026-09-01T08:00:00 Europe/Berlin',
    '2026-09-01T08:00:00.Z',
    '2026-09-01T08:00Z',
    ' 2026-09-01T08:00:00Z',
    '2026-09-01T08:00:00Z\n',
    'infinity',
    '-infinity',
    'epoch',
    'now',
    '12026-09-01T08:00:00Z',
  ].map((text) => JSON.stringify(text)),
  verdict: ['"Accepted"', '"accepted "', '"rejected"', '"ok"', '""'],
  count: ['-1', '-1.0'],
  positive: ['0', '-3', '0.0'],
};

const fieldsWith = (format, choices) => FORMATS[format].fields.filter(([, type]) => choices[type]);
const fieldAndText = (format, choices) =>
  pick(...fieldsWith(format, choices)).chain(([name, type]) =>
    fc.tuple(fc.constant(name), pick(...choices[type])),
  );

/** Changes to the members of a good record, each with the reason it must be rejected for. */
const memberDefect = (format) =>
  fc.oneof(
    fc.tuple(pick(...FORMATS[format].required), fc.boolean()).map(([name, asNull]) => ({
      reason: `missing:${name}`,
      apply: (members) => (asNull ? having(members, name, 'null') : without(members, name)),
    })),
    // Not the schema: without a known one no other field is looked at.
    fieldAndText(format, WRONG_TYPE).map(([name, text]) => ({
      reason: `type:${name}`,
      apply: (members) => having(members, name, text),
    })),
    fieldAndText(format, BAD_VALUE).map(([name, text]) => ({
      reason: `value:${name}`,
      apply: (members) => having(members, name, text),
    })),
    pick('"session.iterate.v2"', '"Session.Iterate.v1"', '""', '" session.iterate.v1"').map((text) => ({
      reason: 'value:schema',
      apply: (members) => having(members, 'schema', text),
    })),
    fc
      .tuple(pick(...FORMATS[format].fields.map(([name]) => name)), pick('null', '"x"', '5', undefined))
      .map(([name, text]) => ({
        reason: `duplicate_key:${name}`,
        apply: (members) => {
          const whole = members.some(([other]) => other === name) ? members : [...members, [name, 'null']];
          const same = whole.find(([other]) => other === name)[1];
          return [...whole, [name, text ?? same]];
        },
      })),
    ...(format === 'sessions'
      ? [
          pick('0', '0.0', '-0').map((zero) => ({
            reason: 'value:iterations',
            apply: (members) => having(having(members, 'final_verdict', '"accepted"'), 'iterations', zero),
          })),
        ]
      : []),
  );

const JUNK = [
  'not json',
  '{',
  '}',
  '{}}',
  '[',
  '{"a":',
  '{"a":1',
  '{"a" 1}',
  '{a:1}',
  "{'a':1}",
  '{"a":01}',
  '{"a":.5}',
  '{"a":+1}',
  '{"a":1.}',
  '{"a":tru}',
  '{"a":"\\x"}',
  '{"a":"\\u12"}',
  'undefined',
  'NULL',
  '""""',
  '\u00a0',
  '\u2028',
  '{}\ufeff',
  '\v{}',
];
const NOT_OBJECTS = ['[]', '[{}]', '5', '-0.5', '"text"', '""', 'null', 'true', 'false', ' [ ] '];
/** What other readers take for a value. */
const LENIENT = [
  'NaN',
  '-NaN',
  'Infinity',
  '-Infinity',
  'nan',
  'inf',
  '[1,]',
  '[NaN]',
  '{"a":1,}',
  "'a'",
  '01',
  '0x1',
];
const LONE_SURROGATES = ['"\\ud800"', '"\\udc00 x"', '"\\ud83d\\u0041"', '{"\\udfff":1}', '[["\\uDBFF"]]'];
const RAW_BYTES = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0xa6],
  [0x01],
  [0x09],
  [0x0d],
  [0x00],
];
const RAW_MARK = 'raw bytes go here';

function withRawBytes(text, raw) {
  const [before, after] = text.split(RAW_MARK);
  return Buffer.concat([Buffer.from(before), Buffer.from(raw), Buffer.from(after)]);
}

const badJson = (bytes) => ({ bytes: Buffer.from(bytes), reason: 'bad_json' });

/** Weighted ways to a line that is JSON but no record of the format. */
const wrongRecords = (format) => [
  {
    weight: 8,
    arbitrary: fc
      .tuple(MEMBERS[format], layout, memberDefect(format))
      .map(([members, how, { reason, apply }]) => ({
        bytes: Buffer.from(recordText(apply(members), how)),
        reason,
      })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(MEMBERS[format], layout, memberDefect(format), memberDefect(format))
      .map(([members, how, first, second]) => ({
        bytes: Buffer.from(recordText(second.apply(first.apply(members)), how)),
        reason: null,
      })),
  },
  {
    weight: 1,
    arbitrary: pick(...NOT_OBJECTS).map((text) => ({ bytes: Buffer.from(text), reason: 'not_object' })),
  },
  {
    weight: 1,
    arbitrary: goodLine(format === 'sessions' ? 'replay' : 'sessions').map((bytes) => ({
      bytes,
      reason: 'wrong_kind',
    })),
  },
];

/** Weighted ways to a line that is no JSON. */
const brokenTexts = (format) => [
  {
    weight: 4,
    arbitrary: fc.tuple(goodText(format), fc.nat()).map(([text, cut]) => {
      const whole = Buffer.from(text.trim());
      return badJson(whole.subarray(0, 1 + (cut % (whole.length - 1))));
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(goodText(format), goodText(format)).map(([a, b]) => badJson(`${a}${b}`)),
  },
  { weight: 2, arbitrary: pick(...JUNK).map(badJson) },
  { weight: 1, arbitrary: goodText(format).map((text) => badJson(text.replace(/}(\s*)$/, ',}$1'))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        MEMBERS[format],
        pick(...FORMATS[format].fields.map(([name]) => name), 'unknown'),
        pick(...LENIENT),
      )
      .map(([members, name, text]) => badJson(objectText(having(members, name, text)))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(MEMBERS[format], pick('session_id', 'error', 'attempts', 'unknown'), pick(...LONE_SURROGATES))
      .map(([members, name, text]) => badJson(objectText(having(members, name, text)))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(MEMBERS[format], pick('session_id', 'error', 'unknown'), pick(...RAW_BYTES))
      .map(([members, name, raw]) =>
        badJson(withRawBytes(objectText(having(members, name, `"${RAW_MARK}."`)), raw)),
      ),
  },
];

/** {bytes, reason}: one line that is rejected, without terminator; reason null where several could be named. */
export const badLine = (format) => fc.oneof(...wrongRecords(format), ...brokenTexts(format));

// ---------------------------------------------------------------- whole files

const BLANKS = ['', ' ', '\t', '  \t ', '\v', '\f', '\r', ' \v\f\t'];
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

const lineOf = (format, dirty) =>
  fc.oneof(
    { weight: 20, arbitrary: goodLine(format).map((bytes) => ({ bytes })) },
    { weight: 2, arbitrary: fc.nat().map((back) => ({ repeats: back })) },
    { weight: 1, arbitrary: pick(...BLANKS).map((text) => ({ bytes: Buffer.from(text) })) },
    ...(dirty ? [{ weight: 3, arbitrary: badLine(format) }] : []),
  );

const fileOf = (format, dirty, maxLines) =>
  fc
    .record({
      lines: fc.array(
        fc.record({ line: lineOf(format, dirty), crlf: rarely, mark: dirty ? rarely : fc.constant(false) }),
        {
          maxLength: maxLines,
          size: 'max',
        },
      ),
      bom: rarely,
      missingFinalNewline: rarely,
      torn: dirty ? rarely : fc.constant(false),
    })
    .map(({ lines, bom, missingFinalNewline, torn }) => {
      const contents = [];
      for (const { line } of lines) {
        const repeated = contents.length > 0 ? contents[line.repeats % contents.length] : Buffer.alloc(0);
        contents.push(line.bytes ?? repeated);
      }
      // As in the middle of joined files.
      const marked = contents.map((bytes, at) =>
        at > 0 && lines[at].mark ? Buffer.concat([BOM, bytes]) : bytes,
      );
      const pieces = marked.flatMap((bytes, at) => {
        const isLast = at === contents.length - 1;
        if (isLast && torn) return [bytes.subarray(0, Math.ceil(bytes.length / 2))];
        if (isLast && missingFinalNewline) return [bytes];
        return [bytes, Buffer.from(lines[at].crlf ? '\r\n' : '\n')];
      });
      return Buffer.concat(bom ? [BOM, ...pieces] : pieces);
    });

function readable(log) {
  // fast-check prints a Buffer byte by byte.
  Object.defineProperty(log, fc.toStringMethod, {
    value: () =>
      Object.entries(log)
        .map(([name, bytes]) => `${name}: ${JSON.stringify(bytes.toString())}`)
        .join('\n'),
    enumerable: false,
  });
  return log;
}

export function randomLogs({ dirty = false, maxCalls = 40, maxRuns = 25 } = {}) {
  return fc
    .record({ sessions: fileOf('sessions', dirty, maxCalls), replays: fileOf('replay', dirty, maxRuns) })
    .map(({ sessions, replays }) => readable({ sessions, replays }));
}

// ---------------------------------------------------------------- what to ask

const someOf = (...values) => fc.subarray(values, { minLength: 1 });

const withoutUndefined = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

const maybe = (arbitrary) => fc.option(arbitrary, { nil: undefined });

/** Filters that these logs have something to say about. */
export function randomFilters() {
  return fc
    .record({
      since: maybe(pick(WINDOW.since, WINDOW.since + 86_400_000)),
      until: maybe(pick(WINDOW.until, WINDOW.until - 86_400_000)),
      tz: maybe(pick('UTC', 'Europe/Berlin', 'America/Chicago', 'Asia/Kathmandu', 'Pacific/Auckland')),
      model: fc.oneof(fc.constant(undefined), fc.constant(undefined), someOf('qwen3:8b', 'gemma', '🦆')),
      kind: fc.oneof(fc.constant(undefined), fc.constant(undefined), someOf('fill', 'email', ' fill')),
      daemon: fc.oneof(fc.constant(undefined), fc.constant(undefined), someOf('staffing', 'mailer')),
      environment: fc.oneof(fc.constant(undefined), fc.constant(undefined), someOf('prod', 'staging')),
    })
    .map(withoutUndefined);
}

export function randomGatedKinds() {
  return pick(['fill'], ['fill'], ['fill', 'email'], ['playbook'], ['Fill']);
}

/** What questions group by, in the order of their columns. */
export const GROUPINGS = [
  ...['model', 'response_model', 'provider', 'kind', 'daemon', 'environment', 'prompt_version'],
  ...['validator_version', 'month', 'week', 'day', 'hour'],
];

/** Columns for --by, in any order, without repeats. */
export function randomBy() {
  return fc.shuffledSubarray(GROUPINGS, { minLength: 1, maxLength: 3 });
}
