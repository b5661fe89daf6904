import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MAX_DEPTH } from '../../src/log/clean.js';
import { type LoggerOptions, ReplayLogger, SessionLogger } from '../../src/log/index.js';
import { MAX_RECORD_BYTES } from '../../src/log/line.js';
import { type Field, REPLAY_FIELDS, SESSION_FIELDS } from '../../src/schema/fields.js';
import { replayRecord, sessionRecord } from '../../src/schema/records.js';
import { fullReplay, fullSession } from '../schema/samples.js';
import { nightly } from '../support/cli.js';
import fc, { character } from '../support/fast-check.js';
import { withLake } from '../support/lake.js';
import { call, linesOf, recordsOf, temporaryFolder } from './support.js';

function depthOf(line: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')) {
    if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    if (character === '}' || character === ']') depth--;
  }
  return deepest;
}

/** What promise 3 asks of a line, whatever was in the record. */
function expectGoodLine(line: string): Record<string, unknown> {
  expect(Buffer.from(line).toString()).toBe(line);
  const record = JSON.parse(line);
  expect(JSON.stringify(record)).not.toMatch(/(?<!\\)(\\\\)*\\u[dD][89a-fA-F]/);
  expect(depthOf(line)).toBeLessThanOrEqual(MAX_DEPTH + 1);
  expect(Buffer.byteLength(line)).toBeLessThanOrEqual(MAX_RECORD_BYTES);
  return record;
}

async function session(record: unknown, options: LoggerOptions = {}) {
  const path = join(temporaryFolder(), 'sessions.jsonl');
  const errors: Error[] = [];
  const logger = new SessionLogger(path, { ...options, onError: (error) => errors.push(error) });
  const written = logger.append(record as never);
  await logger.close();
  const line: Record<string, unknown> = written ? expectGoodLine(linesOf(path)[0]!) : {};
  return { written, record: line, errors, stats: logger.stats() };
}

function nested(depth: number): unknown {
  let value: unknown = 'bottom';
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value };
  return value;
}

const cycle: Record<string, unknown> = { name: 'cycle' };
cycle.self = { again: [cycle] };

const revoked = Proxy.revocable({}, {});
revoked.revoke();

/** 2^60 leaves, one object each level. */
let shared: unknown = 'leaf';
for (let i = 0; i < 60; i++) shared = [shared, shared];

const endless: object = new Proxy(
  {},
  {
    ownKeys: () => ['a', 'b'],
    get: () => endless,
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  },
);

const NASTY: [string, unknown][] = [
  ['a BigInt', 10n],
  ['a large BigInt', 2n ** 70n],
  ['a cycle', cycle],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['undefined', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('x')],
  [
    'a throwing getter',
    {
      get worker() {
        throw new Error('no');
      },
    },
  ],
  [
    'a getter that throws null',
    {
      get worker() {
        throw null;
      },
    },
  ],
  [
    'a throwing toJSON',
    {
      toJSON() {
        throw new Error('no');
      },
    },
  ],
  [
    'a toJSON that gives itself',
    {
      toJSON() {
        return this;
      },
    },
  ],
  ['an invalid Date', new Date(Number.NaN)],
  ['a revoked Proxy', revoked.proxy],
  ['an endless Proxy', endless],
  ['nesting of 10,000', nested(10_000)],
  ['nesting of 200,000', nested(200_000)],
  ['shared subtrees', shared],
  ['a lone high surrogate', 'a\ud800b'],
  ['a lone low surrogate', '\udc00'],
  ['a lone surrogate in a key', { '\ud800': 1 }],
  ['a spelled-out escape', '\\ud800'],
  ['control characters', '\u0000\u0001\n\r\t\u2028'],
  ['a key __proto__', JSON.parse('{"__proto__":{"a":1}}')],
  ['a sparse array', new Array(2 ** 32 - 1)],
  ['a boxed string', new String('x')],
  ['bytes', new Uint8Array(8)],
  ['a Map', new Map([[1, 2]])],
  ['20 MB of text', 'x'.repeat(20_000_000)],
  ['6 MB of control characters', '\u0001'.repeat(6_000_000)],
  ['3 million values', Array.from({ length: 3_000_000 }, () => 0)],
];

const LARGE = /million|MB|200,000|sparse/;
const SMALL_NASTY = NASTY.filter(([what]) => !/million|MB|shared|endless|sparse|revoked/.test(what)).map(
  ([, value]) => value,
);

describe.each(['artifact', 'prompt', 'attempts', 'x-team'])('%s holding', (field) => {
  // What is large takes long, and by day stands in one of them.
  const some = NASTY.filter(([what]) => nightly || field === 'artifact' || !LARGE.test(what));

  it.each(some)('%s makes a valid line', async (_, value) => {
    const { written, record } = await session(call({ [field]: value }));
    expect(written).toBe(true);
    sessionRecord.parse(record);
    expect(record).toMatchObject({ iterations: 1, final_verdict: 'accepted' });
  });
});

describe('a record', () => {
  it.each([
    () => null,
    () => undefined,
    () => 5,
    () => 'text',
    () => () => 1,
    () => [],
    () => [call()],
    () => revoked.proxy,
    () => ({ toJSON: () => 'text' }),
  ])('that is none is dropped and told: %s', async (make) => {
    const { written, errors } = await session(make());
    expect(written).toBe(false);
    expect(errors).toHaveLength(1);
  });

  it('may be a class instance, have a toJSON or no prototype', async () => {
    class Call {
      readonly secret = 1;
      toJSON() {
        return call();
      }
    }
    expect((await session(new Call())).record).toMatchObject(call());
    expect((await session(new Call())).record).not.toHaveProperty('secret');
    expect((await session(Object.assign(Object.create(null), call()))).record).toMatchObject(call());
  });

  it('says in log_note what was replaced', async () => {
    const { record } = await session(
      call({ artifact: { a: cycle }, grounded_in_roster: 'false', daemon: 7, seq: 0 }),
    );
    expect(record.artifact).toEqual({ a: { name: 'cycle', self: { again: ['[lakelog: cycle]'] } } });
    expect(record.log_note).toBe(
      'artifact: cycle; grounded_in_roster: left out, not a boolean; daemon: left out, not a string; ' +
        'seq: left out, not an integer of at least 1',
    );
    expect(record).not.toHaveProperty('daemon');
  });

  it('without anything to say has no log_note', async () => {
    expect((await session(fullSession)).record).toEqual(fullSession);
  });

  it('too large keeps its verdicts and loses its content', async () => {
    const attempts = [
      { verdict: 'rejected', raw: 'x'.repeat(9_000_000) },
      { verdict: 'accepted', raw: 'y' },
    ];
    const { record, stats } = await session({ ...fullSession, iterations: 2, attempts });
    expect(record).toMatchObject({
      iterations: 2,
      final_verdict: 'accepted',
      grounded_in_roster: true,
      attempts: [
        { attempt_number: 1, verdict: 'rejected' },
        { attempt_number: 2, verdict: 'accepted' },
      ],
      artifact: '[lakelog: left out, record too large]',
      log_note: 'content, documents and unknown fields left out: record too large',
      truncated: true,
    });
    expect(stats).toMatchObject({ truncated: 1, dropped: 0 });
  });

  it('too large keeps its verdict whatever it is that is too large', async () => {
    const many = Array.from({ length: 5_000 }, () => ({ verdict: 'rejected' }));
    const long = 'x'.repeat(50_000);
    for (const part of [
      { attempts: many },
      { error: long },
      { proposed_worker_ids: Array.from({ length: 9_000 }, () => 'W-1') },
      { documents: long },
      { team: long, daemon: long },
    ]) {
      const { written, record } = await session(call(part), { maxRecordBytes: 30_000 });
      expect(written).toBe(true);
      sessionRecord.parse(record);
      expect(record).toMatchObject({ final_verdict: 'accepted', iterations: 1, seq: 1, truncated: true });
      expect(Buffer.byteLength(JSON.stringify(record))).toBeLessThanOrEqual(30_000);
    }
  });

  it('that just fits is whole, and one byte more is too large', async () => {
    const { record } = await session(
      call({ prompt: 'ä'.repeat(1_000), timestamp: '2026-09-14T08:00:00Z', call_id: 'c' }),
    );
    const bytes = Buffer.byteLength(JSON.stringify(record));
    const at = async (maxRecordBytes: number) => (await session(record, { maxRecordBytes })).record;
    expect(await at(bytes)).toEqual(record);
    expect(await at(bytes - 1)).toMatchObject({ truncated: true });
  });

  it('too large even without content is dropped', async () => {
    const { written, errors } = await session(call({ session_id: 'x'.repeat(9_000_000) }));
    expect(written).toBe(false);
    expect(errors[0]!.message).toMatch(/too large/);
  });

  it('with required fields that are wrong is written as it is, and told', async () => {
    const { written, record, errors } = await session({ ...call({ iterations: 'two' }), kind: undefined });
    expect(written).toBe(true);
    expect(record.iterations).toBe('two');
    expect(errors.map(String)).toEqual([
      'InvalidRecord: a record was written that readers will reject: kind is missing, iterations is not valid',
    ]);
  });

  it('has what the logger fills in first, then its own fields as they were given', async () => {
    const { record } = await session({ team: 'North', ...call(), seq: null });
    const given = Object.keys(call());
    expect(Object.keys(record)).toEqual([
      'schema',
      'timestamp',
      'call_id',
      'writer_id',
      'seq',
      'team',
      ...given,
    ]);
  });

  it.each(['', null, undefined])('that names what is filled in and has %o there gets it', async (empty) => {
    const { record } = await session({
      ...call(),
      timestamp: empty || null,
      call_id: empty,
      seq: empty || null,
    });
    expect(record).toMatchObject({
      schema: 'session.iterate.v1',
      timestamp: expect.stringMatching(/^2/),
      call_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-0{12}$/),
      writer_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      seq: 1,
    });
    expect(record).not.toHaveProperty('log_note');
  });

  it('whose getters say something else each time is written with what one of them said', async () => {
    let asked = 0;
    const { record, written } = await session({
      ...call(),
      get writer_id() {
        return asked++ === 0 ? undefined : 'w';
      },
    });
    expect(written).toBe(true);
    expect([record.writer_id, record.seq]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), 1]);
  });

  it('is not taken for one when somebody has added to Object.prototype', async () => {
    const polluted = Object.prototype as { kind?: string };
    polluted.kind = 'fill';
    try {
      const { errors } = await session({ ...call(), kind: undefined });
      expect(errors.map(String)).toEqual([expect.stringContaining('kind is missing')]);
    } finally {
      delete polluted.kind;
    }
  });
});

describe('documents', () => {
  it('keep their number when some do not fit', async () => {
    const path = join(temporaryFolder(), 'replay_runs.jsonl');
    const documents = [{ id: 'a', score: 'high', rank: 1, page: 2 }, 5, null, { rank: 1.5 }];
    const logger = new ReplayLogger(path);
    logger.append({ ...fullReplay, documents: documents as never });
    await logger.close();
    const [record] = recordsOf(path);
    expect(replayRecord.parse(record).documents).toEqual([{ id: 'a', rank: 1, page: 2 }, {}, {}, {}]);
    expect(record!.log_note).toBe('documents: parts that do not fit left out');
  });
});

class Team {
  #members = ['W-1'];
  get size() {
    return this.#members.length;
  }
}

describe('what JSON has no form for is readable, or named:', () => {
  const failed = Object.assign(new TypeError('no answer', { cause: new Error('reset') }), {
    code: 'ECONNRESET',
  });
  it.each<[string, unknown, unknown, string?]>([
    ['a Set', new Set(['W-1', new Set([2])]), ['W-1', [2]]],
    [
      'a Map of words',
      new Map<string, unknown>([
        ['W-1', new Map([['a', 1]])],
        ['__proto__', 2],
      ]),
      JSON.parse('{"W-1":{"a":1},"__proto__":2}'),
    ],
    [
      'a Map of anything',
      new Map<unknown, unknown>([
        [1, 'a'],
        [null, new Set()],
      ]),
      [
        [1, 'a'],
        [null, []],
      ],
    ],
    [
      'an Error',
      failed,
      {
        name: 'TypeError',
        message: 'no answer',
        code: 'ECONNRESET',
        cause: { name: 'Error', message: 'reset' },
      },
    ],
    [
      'an AggregateError',
      new AggregateError([new Error('a')], 'all'),
      { name: 'AggregateError', message: 'all', errors: [{ name: 'Error', message: 'a' }] },
    ],
    [
      'an Error of another realm',
      runInNewContext('new RangeError("far")'),
      { name: 'RangeError', message: 'far' },
    ],
    ['a Set of another realm', runInNewContext('new Set([1])'), [1]],
    [
      'a DOMException',
      new DOMException('gone', 'AbortError'),
      expect.objectContaining({ name: 'AbortError', message: 'gone' }),
    ],
    ['a RegExp', /a"b/g, '/a"b/g'],
    ['headers', new Headers({ a: '1' }), [['a', '1']]],
    [
      'parameters',
      new URLSearchParams('a=1&a=2'),
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['numbers', new Float64Array([1.5, 2]), [1.5, 2]],
    ['bytes', new Uint8Array([1, 2]).buffer, [1, 2]],
    ['a subclass of Set', new (class extends Set {})([1]), [1]],
    ['a Promise', Promise.resolve(1), {}, 'Promise written as {}'],
    ['a WeakMap', new WeakMap(), {}, 'WeakMap written as {}'],
    ['an object with private members', new Team(), {}, 'Team written as {}'],
    ['a function', { f: () => 1 }, {}, 'a function left out'],
    ['a symbol in a list', [Symbol('x')], [null], 'a symbol left out'],
    ['NaN', { n: [Number.NaN] }, { n: [null] }, 'NaN written as null'],
    ['an infinity', -Number.POSITIVE_INFINITY, null, '-Infinity written as null'],
    ['an integer beyond 2^53', [2 ** 53], [2 ** 53], 'a number beyond 2^53, digits may be lost'],
    ['a negative one', { a: -(2 ** 60) }, { a: -(2 ** 60) }, 'a number beyond 2^53, digits may be lost'],
    [
      'one of a model',
      JSON.parse('{"id":9007199254740993}'),
      { id: 9007199254740992 },
      'a number beyond 2^53, digits may be lost',
    ],
    ['one that is written with an exponent', [1e21], [1e21], 'a number beyond 2^53, digits may be lost'],
    ['a BigInt beyond it', [2n ** 70n, -(2n ** 53n), 7n], ['1180591620717411303424', '-9007199254740992', 7]],
    [
      'numbers up to it',
      [2 ** 53 - 1, -(2 ** 53) + 1, 1e-300, 0.1],
      [2 ** 53 - 1, -(2 ** 53) + 1, 1e-300, 0.1],
    ],
    [
      'two of them',
      [Number.NaN, () => 1, 2 ** 53],
      [null, null, 2 ** 53],
      'NaN written as null, a function left out, a number beyond 2^53, digits may be lost',
    ],
  ])('%s', async (_, value, written, note) => {
    for (const field of ['artifact', 'prompt', 'team']) {
      const { record, errors } = await session(call({ [field]: value }));
      expect(record[field]).toEqual(written);
      expect(record.log_note).toBe(note && `${field}: ${note}`);
      expect(errors).toEqual([]);
    }
    const { record } = await session(call({ attempts: [{ verdict: 'accepted', raw: value }] }));
    expect(record.attempts).toEqual([{ verdict: 'accepted', raw: written }]);
    expect(record.log_note).toBe(note && `attempts: ${note}`);
  });

  it('an Error and a Set where a field wants a text and a list', async () => {
    const error = new RangeError('too far');
    const { record } = await session(call({ error, proposed_worker_ids: new Set(['W-1', 'W-2']) }));
    expect(record).toMatchObject({
      error: 'too far',
      error_type: 'RangeError',
      proposed_worker_ids: ['W-1', 'W-2'],
    });
    expect(record).not.toHaveProperty('log_note');
  });

  it('a Set without end and an Error that is its own cause', async () => {
    const endless = new Set([1]);
    endless.values = () => {
      throw new Error('asked');
    };
    const own = new Error('own');
    own.cause = own;
    const large = new Set(Array.from({ length: 300_000 }, (_, i) => i));
    expect((await session(call({ artifact: endless }))).record.artifact).toEqual([1]);
    expect((await session(call({ artifact: own }))).record).toMatchObject({
      artifact: { cause: '[lakelog: cycle]' },
      log_note: 'artifact: cycle',
    });
    expect((await session(call({ artifact: large }))).record).toMatchObject({ truncated: true });
  });
});

function holdsLarge(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsLarge);
}

/** Everything that JSON.stringify writes in other words than the logger is written by the logger with a note. */
it('a record that is as it should be is written as JSON.stringify writes it', async () => {
  const path = join(temporaryFolder(), 'sessions.jsonl');
  const logger = new SessionLogger(path);
  const given: Record<string, unknown>[] = [];
  fc.assert(
    fc.property(
      fc.jsonValue({ stringUnit: character }),
      fc.string({ unit: 'grapheme' }),
      (artifact, prompt) => {
        const record = {
          ...call({ artifact, prompt, team: artifact }),
          attempts: [{ verdict: 'accepted', raw: prompt }],
        };
        given.push(record);
        expect(logger.append(record)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
  await logger.close();
  const records = recordsOf(path);
  for (const [i, record] of given.entries()) {
    const { log_note: note, ...written } = records[i]!;
    expect(written).toMatchObject(JSON.parse(JSON.stringify(record)));
    expect(note !== undefined).toBe(holdsLarge(record.artifact));
  }
});

describe('anything', () => {
  const RUNS = nightly ? 1000 : 400;
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  } as never);
  const value = fc.oneof(anything, fc.string({ unit: character }), fc.constant('\ud800'));
  const optional = SESSION_FIELDS.filter((field) => !field.required).map((field) => field.name);

  it('in any optional field of a call makes a valid line', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path, { onError: () => {} });
    const fields = fc.dictionary(fc.constantFrom(...optional, 'x-team', '__proto__', 'toString'), value);
    fc.assert(
      fc.property(fields, (changes) => {
        expect(logger.append(call(changes))).toBe(true);
      }),
      { numRuns: RUNS },
    );
    await logger.close();
    for (const line of linesOf(path)) sessionRecord.parse(expectGoodLine(line));
    expect(logger.stats()).toMatchObject({ written: RUNS, dropped: 0 });
  });

  it('in any optional field of a run makes a valid line', async () => {
    const path = join(temporaryFolder(), 'replay_runs.jsonl');
    const logger = new ReplayLogger(path, { onError: () => {} });
    const names = Object.keys(fullReplay).slice(4);
    const fields = fc.dictionary(
      fc.constantFrom(...names),
      fc.oneof(value, fc.array(fc.dictionary(fc.constantFrom('id', 'score', 'rank'), value))),
    );
    fc.assert(
      fc.property(fields, (changes) => {
        expect(logger.append({ session_id: 's', run_id: 'r', ...changes })).toBe(true);
      }),
      { numRuns: RUNS / 2 },
    );
    await logger.close();
    for (const line of linesOf(path)) replayRecord.parse(expectGoodLine(line));
  });

  it('in any content field makes a line that the loader takes, or a counted drop', async () => {
    const sessions = join(temporaryFolder(), 'sessions.jsonl');
    const runs = join(temporaryFolder(), 'replay_runs.jsonl');
    const sessionLogger = new SessionLogger(sessions, { onError: () => {} });
    const replayLogger = new ReplayLogger(runs, { onError: () => {} });
    const nasty = fc.oneof(value, fc.constantFrom(...SMALL_NASTY));
    const content = (fields: readonly Field[]) =>
      fc.dictionary(
        fc.constantFrom(...fields.filter((field) => field.content).map(({ name }) => name)),
        nasty,
      );
    const attempt = fc.dictionary(fc.constantFrom('verdict', 'prompt', 'raw', 'reasons', 'error'), nasty);
    fc.assert(
      fc.property(
        content(SESSION_FIELDS),
        fc.oneof(nasty, fc.array(fc.oneof(attempt, nasty))),
        content(REPLAY_FIELDS),
        (session, attempts, run) => {
          sessionLogger.append(call({ ...session, attempts }));
          replayLogger.append({ session_id: 's', run_id: 'r', ...run });
        },
      ),
      { numRuns: nightly ? 20_000 : 500 },
    );
    for (const [logger, path, as] of [
      [sessionLogger, sessions, 'sessions'],
      [replayLogger, runs, 'replay_runs'],
    ] as const) {
      await logger.close();
      const { written, dropped } = logger.stats();
      expect(written + dropped).toBe(nightly ? 20_000 : 500);
      const file = await withLake(
        'SELECT * FROM sessions, attempts, replay_runs',
        [{ path, as }],
        async (_, account) => account.files[0],
        { showContent: true },
      );
      // Two runs with the same content and time are the same bytes.
      expect(file).toMatchObject({ lines: written, rejected: 0, blank: 0, pending: 0 });
      expect(file!.loaded + file!.duplicates).toBe(written);
    }
  });

  it('as a record never throws', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path, { onError: () => {} });
    fc.assert(
      fc.property(anything, (record) => {
        logger.append(record as never);
      }),
      { numRuns: RUNS },
    );
    await logger.close();
    const { written, dropped } = logger.stats();
    expect(written + dropped).toBe(RUNS);
    if (written > 0) for (const line of linesOf(path)) expectGoodLine(line);
  });
});
