/** The checker's own tests: what it says of lines whose fate design.md names. */
import { describe, expect, it, test } from 'vitest';
import * as product from '../../src/schema/fields.js';
import {
  ATTEMPT_FIELDS,
  type Call,
  DOCUMENT_FIELDS,
  endOf,
  FORMATS,
  fateOf,
  linesOf,
  memberTexts,
  parseInstant,
  type Run,
  squeezed,
  stripped,
} from './checker.mjs';
import { goodLines, mutatedLines } from './mutate.mjs';

const CALL = {
  schema: 'session.iterate.v1',
  session_id: 'trace-1',
  timestamp: '2026-09-01T08:00:00Z',
  kind: 'fill',
  model: 'qwen',
  iterations: 1,
  final_verdict: 'accepted',
};
const RUN = { schema: 'replay.run.v1', session_id: 'a', timestamp: CALL.timestamp, run_id: 'r' };

const call = (changes: object = {}) => JSON.stringify({ ...CALL, ...changes });
const run = (changes: object = {}) => JSON.stringify({ ...RUN, ...changes });
/** A call with members more, as they are written. */
const plus = (text: string, record = call()) => record.replace(/}$/, `,${text}}`);

function said(line: string | Buffer, options?: Parameters<typeof fateOf>[1]): string {
  const fate = fateOf(Buffer.from(line as string), options);
  return fate.fate === 'reject' ? fate.reason : fate.fate;
}

function loaded(line: string): Call {
  const fate = fateOf(Buffer.from(line));
  expect(fate.fate).toBe('call');
  return fate as Call;
}

describe('the tables', () => {
  const rows = (fields: readonly product.Field[]) =>
    fields.map(({ name, type, required }) => (required ? [name, type, 'required'] : [name, type]));
  test.each([
    ['sessions', product.SESSION_FIELDS, FORMATS[0].fields],
    ['replay runs', product.REPLAY_FIELDS, FORMATS[1].fields],
    ['attempts', product.ATTEMPT_FIELDS, ATTEMPT_FIELDS],
    ['documents', product.DOCUMENT_FIELDS, DOCUMENT_FIELDS],
  ])('of %s are those of the product', (_name, theirs, ours) => {
    expect(ours).toEqual(rows(theirs));
  });
});

describe('a line that is no record', () => {
  it.each([
    ['blank', ''],
    ['blank', ' \t\v\f\r'],
    ['blank', '\ufeff'],
    ['blank', '\ufeff \r'],
    ['bad_json', '\u00a0'],
    ['bad_json', '\0'],
    ['bad_json', '\ufeff\ufeff{}'],
    ['bad_json', ' \ufeff{}'],
    ['bad_json', '{}\ufeff'],
    ['bad_json', '\v{}'],
    ['bad_json', '{}\f'],
    ['bad_json', '{"a":1,}'],
    ['bad_json', '[NaN]'],
    ['bad_json', '[-Infinity]'],
    ['bad_json', '{"a":"\\ud800"}'],
    ['bad_json', '{"\\udfff":1}'],
    ['bad_json', '[["\\ud83d\\\\ude00"]]'],
    ['bad_json', '[["\\ude00\\ud83d"]]'],
    ['not_object', '[["\\ud83d\\ude00", "\\\\ud800", 1e400]]'],
    ['not_object', 'null'],
    ['missing:schema', '{}\r'],
    ['missing:schema', '\ufeff{}'],
    ['missing:schema', '{"schema":null}'],
    ['missing:schema', '{"Schema":"session.iterate.v1"}'],
    ['type:schema', '{"schema":1e400}'],
    ['value:schema', '{"schema":"session.iterate.v2","kind":1,"kind":2}'],
    ['value:schema', '{"schema":"session.iterate.v1\\u0000"}'],
    ['duplicate_key:schema', '{"schema":1,"schem\\u0061":2}'],
    ['bad_json', '{"schema":1,"schema":2'],
  ])('%s: %j', (reason, line) => {
    expect(said(line)).toBe(reason);
  });

  it('is too long whatever it holds; mark and line feed are not counted', () => {
    const line = call();
    expect(said(`\ufeff${line}`, { maxLineBytes: line.length })).toBe('call');
    for (const long of [`${line}\r`, `${line} `, 'x'.repeat(line.length + 1), ' '.repeat(line.length + 1)])
      expect(said(long, { maxLineBytes: line.length })).toBe('too_long');
  });

  it.each([
    [[0xff]],
    [[0xc0, 0x80]],
    [[0xed, 0xa0, 0x80]],
    [[0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    [[0xf0, 0x9f, 0x98]],
    [[0xf4, 0x90, 0x80, 0x80]],
    [[0xf8, 0x88, 0x80, 0x80, 0x80]],
  ])('bytes %j are no UTF-8', (raw) => {
    const [before, after] = plus('"note":"@"').split('@');
    expect(said(Buffer.concat([Buffer.from(before!), Buffer.from(raw), Buffer.from(after!)]))).toBe(
      'bad_json',
    );
  });
});

describe('what counts first', () => {
  it.each([
    ['duplicate_key:schema', `${call().slice(0, -1)},"schema":5,"kind":"x"}`, 'replay_runs'],
    ['wrong_kind', plus('"kind":"x"', call({ model: null })), 'replay_runs'],
    ['wrong_kind', run({ run_id: null }), 'sessions'],
    ['value:schema', '{"schema":"x"}', 'sessions'],
    ['duplicate_key:kind', plus('"seq":1,"seq":2,"kind":"x"', call({ model: null })), 'sessions'],
    ['missing:kind', call({ kind: null, session_id: 5, final_verdict: null }), 'any'],
    ['type:iterations', call({ kind: '', iterations: '1', seq: 'x' }), 'any'],
    ['value:kind', call({ kind: '', final_verdict: '', seq: 0 }), 'any'],
    ['value:seq', call({ iterations: 0, seq: 0 }), 'any'],
    ['value:iterations', call({ iterations: 0 }), 'any'],
    ['call', plus('"run_id":1,"run_id":2,"note":1,"note":2'), 'any'],
    ['call', plus('"artifact":{"kind":1,"kind":2}'), 'any'],
    ['run', plus('"iterations":1,"iterations":2', run()), 'any'],
  ] as const)('%s: %s as %s', (reason, line, as) => {
    expect(said(line, { as })).toBe(reason);
  });

  it('names the kind that a reject says it is', () => {
    const named = (line: string) => fateOf(Buffer.from(line), { as: 'sessions' });
    expect(named(run())).toEqual({ fate: 'reject', reason: 'wrong_kind', named: 'replay_runs' });
    expect(named(call({ kind: 5 }))).toEqual({ fate: 'reject', reason: 'type:kind', named: 'sessions' });
    expect(named('{"schema":"x"}')).toEqual({ fate: 'reject', reason: 'value:schema' });
    expect(named(plus('"schema":"session.iterate.v1"'))).toEqual({
      fate: 'reject',
      reason: 'duplicate_key:schema',
    });
  });
});

describe('values', () => {
  it.each([
    ['call', '"max_iterations":9007199254740991'],
    ['call', '"max_iterations":-9007199254740991.0'],
    ['call', '"max_iterations":3.0000000000000001'],
    ['call', '"max_iterations":30e-1'],
    ['type:max_iterations', '"max_iterations":9007199254740992'],
    ['type:max_iterations', '"max_iterations":9007199254740993'],
    ['type:max_iterations', '"max_iterations":1e400'],
    ['type:max_iterations', '"max_iterations":1.5'],
    ['type:duration_ms', '"duration_ms":-1e400'],
    ['call', '"duration_ms":1e308'],
    ['call', '"note":1e400'],
    ['call', '"prompt":[{"role":"user","content":"Fill"}]'],
    ['call', '"prompt":5'],
    ['duplicate_key:prompt', '"prompt":5,"prompt":5'],
    ['type:proposed_worker_ids', '"proposed_worker_ids":["a",null]'],
    ['type:grounded_in_roster', '"grounded_in_roster":"false"'],
    ['value:seq', '"seq":0'],
    ['call', '"daemon":null'],
  ])('%s: %s', (reason, member) => {
    expect(said(plus(member))).toBe(reason);
  });

  it.each([
    ['0000-01-01T00:00:00+23:59', true],
    ['9999-12-31T23:59:59-23:59', true],
    ['2024-02-29t08:00:00.123456789z', true],
    ['2024-02-29T23:59:60Z', false],
    ['1900-02-29T00:00:00Z', false],
    ['2024-01-01T00:00:00', false],
    ['2024-01-01T00:00:00Z\n', false],
    ['infinity', false],
  ])('%j is an instant: %s', (timestamp, isOne) => {
    expect(parseInstant(timestamp) !== null).toBe(isOne);
    expect(said(call({ timestamp }))).toBe(isOne ? 'call' : 'value:timestamp');
  });

  it('come out as they stand', () => {
    const line = plus(
      '"call_id":"","duration_ms":-0,"artifact":[1.0,{"a":90071992547409931}] ,"x":1,"\\u0078":{"b": 1e400}',
    );
    const { values, texts, extra, extraTexts } = loaded(line);
    expect(values).toMatchObject({ call_id: null, duration_ms: 0, daemon: null, session_id: 'trace-1' });
    expect(texts).toEqual({ artifact: '[1.0,{"a":90071992547409931}]' });
    expect(extra).toEqual({ x: { b: Number.POSITIVE_INFINITY } });
    expect(extraTexts).toEqual([
      ['x', '1'],
      ['x', '{"b": 1e400}'],
    ]);
    expect(memberTexts(' { "a b" : [ 1 , "c d" ] }')).toEqual([['a b', '[1,"c d"]']]);
    expect(squeezed(' [ "\\" " , {} ] ')).toBe('["\\" ",{}]');
  });
});

describe('attempts', () => {
  const A = '{"verdict":"accepted"}';
  it.each([
    [null, 'null', false],
    ['!', '{}', true],
    ['!', '"x"', true],
    ['', '[]', true],
    ['a', `[${A}]`, false],
    ['aa', `[${A},${A}]`, true],
    ['rni', '[{"verdict":"rejected"},{"verdict":"no_candidate"},{"verdict":"infra_error"}]', true],
    ['oooo', '[null,5,[],"accepted"]', true],
    ['oooo', '[{},{"verdict":null},{"verdict":["accepted"]},{"verdict":"Accepted"}]', true],
    ['a', '[{"\\u0076erdict":"\\u0061ccepted","unknown":1,"unknown":2}]', false],
    ['o', '[{"verdict":"accepted","verdict":"accepted"}]', true],
    ['o', '[{"verdict":"accepted","raw":"a","r\\u0061w":"a"}]', true],
    ['a', '[{"verdict":"accepted","raw":null,"reasons":null,"prompt":[{"role":"user"}]}]', false],
    ['o', '[{"verdict":"accepted","raw":5}]', true],
    ['o', '[{"verdict":"accepted","reasons":"x"}]', true],
    ['o', '[{"verdict":"accepted","reasons":["x",1]}]', true],
    ['o', '[{"verdict":"accepted","input_tokens":9007199254740992}]', true],
    ['o', '[{"verdict":"accepted","output_tokens":1.5}]', true],
    ['o', '[{"verdict":"accepted","attempt_number":0}]', true],
    ['o', '[{"verdict":"accepted","duration_ms":1e400}]', true],
    ['a', '[{"verdict":"accepted","duration_ms":1e308,"attempt_number":7.0}]', false],
    ['a', '[ {"x":{"verdict":"rejected","verdict":1},"verdict":"accepted"} ]', false],
  ])('%s: %s', (letters, text, inconsistent) => {
    expect(loaded(plus(`"attempts":${text}`))).toMatchObject({ letters, inconsistent });
  });

  it('that are not understood keep what can be read', () => {
    const { attempts } = loaded(
      plus(
        '"attempts":[{"verdict":"rejected","raw":5,"span_id":"s","input_tokens":1,"input_tokens":1,"reasons":["a",1,"b"],"prompt":{"a": 1}}]',
      ),
    );
    expect(attempts).toEqual([
      {
        letter: 'o',
        verdict: 'other',
        values: expect.objectContaining({ verdict: 'rejected', raw: null, span_id: 's', input_tokens: null }),
        promptText: '{"a": 1}',
        reasons: ['a', 'b'],
      },
    ]);
  });

  it('of none recorded and no iterations are consistent', () => {
    expect(loaded(call({ iterations: 0, final_verdict: 'infra_error' })).inconsistent).toBe(false);
    expect(loaded(call({ iterations: 0, final_verdict: 'infra_error', attempts: [] })).inconsistent).toBe(
      false,
    );
  });
});

describe('documents', () => {
  it.each([
    ['run', '[{"id":null,"source":"a","score":1.5,"rank":-1,"x":1,"x":2},{}]'],
    ['type:documents', '{}'],
    ['type:documents', '[null]'],
    ['type:documents', '[{"score":1e400}]'],
    ['type:documents', '[{"rank":1.5}]'],
    ['type:documents', '[{},{"id":1}]'],
    ['type:documents', '[{"id":"a","i\\u0064":"a"}]'],
  ])('%s: %s', (reason, text) => {
    expect(said(plus(`"documents":${text}`, run()))).toBe(reason);
    expect(said(plus(`"documents":${text}`))).toBe('call');
  });

  it('come out', () => {
    const fate = fateOf(Buffer.from(run({ documents: [{ id: 'a' }], kind: 5, x: 1 })));
    expect(fate).toEqual({ fate: 'reject', reason: 'type:kind', named: 'replay_runs' });
    const good = fateOf(Buffer.from(run({ documents: [{ id: 'a' }], iterations: 1 }))) as Run;
    expect(good).toMatchObject({
      fate: 'run',
      values: { documents: [{ id: 'a' }] },
      extra: { iterations: 1 },
    });
  });
});

describe('lines of a file', () => {
  it('begin behind a mark, wherever they stand', () => {
    const bytes = Buffer.from('\ufeffa\n\ufeff\nb\r\n\ufeff');
    expect(linesOf(bytes)).toEqual([
      { number: 1, byteOffset: 3, bytes: Buffer.from('\ufeffa'), terminated: true },
      { number: 2, byteOffset: 8, bytes: Buffer.from('\ufeff'), terminated: true },
      { number: 3, byteOffset: 9, bytes: Buffer.from('b\r'), terminated: true },
    ]);
    expect(stripped(Buffer.from('\ufeffb\r'))).toEqual(Buffer.from('b'));
    expect(linesOf(Buffer.from('\n\ufeff{'))).toMatchObject([{}, { byteOffset: 4, terminated: false }]);
  });

  it.each([
    ...['{', ' {', '{"a', '{"a":tru', '{"a":-', '{"a":1.', '{"a":1e', '{"a":"\\u1', '{"a":"\\ud83d'].map(
      (text) => ['begun', text],
    ),
    ...['{"a":"\\ud83d\\', '{"a":[1,{"b":2},', '{"a":1', '{"a":"é'].map((text) => ['begun', text]),
    ...['{"a":tru,', '{a', '{"a":01', '{"a":1}}', '{"a":"\\x', '{"a":"\\ud83dx', '{"a":1,}', '{,'].map(
      (text) => ['neither', text],
    ),
    ...['', '[', '[1', '"a', '5x', 'NaN', '{"a":"\t', '\v{', '{"a":NaN'].map((text) => ['neither', text]),
    ...['{}', '1', '[]', ' {"a":1} '].map((text) => ['whole', text]),
  ])('%s: %j', (end, text) => {
    expect(endOf(Buffer.from(text!))).toBe(end);
  });

  it('a record is begun at every byte of it', () => {
    const line = Buffer.from(plus('"note":[-12.5e-3,"é漢😀\\ud83d\\ude00\\n",{"a":null,"b":[true,false]}]'));
    for (let length = 1; length < line.length; length += 1)
      expect({ length, end: endOf(line.subarray(0, length)) }).toEqual({ length, end: 'begun' });
    expect(endOf(line)).toBe('whole');
    expect(endOf(Buffer.from([0x7b, 0x22, 0xff]))).toBe('neither');
  });
});

describe('mutated lines', () => {
  const lines = [...mutatedLines(7, 3_000)];

  it('are the same for the same seed, and hold no line feed', () => {
    expect([...mutatedLines(7, 100)]).toEqual(lines.slice(0, 100));
    expect([...mutatedLines(8, 100)]).not.toEqual(lines.slice(0, 100));
    expect(lines.filter((line) => line.includes(0x0a))).toEqual([]);
  });

  it('have every fate, and no fate has nearly all of them', () => {
    const counts = new Map<string, number>();
    for (const line of lines) {
      const what = said(line).replace(/:.*/, '');
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    const wanted = [
      'call',
      'run',
      'blank',
      'bad_json',
      'not_object',
      'duplicate_key',
      'missing',
      'type',
      'value',
    ];
    expect([...counts.keys()].sort()).toEqual(wanted.sort());
    expect(Math.max(...counts.values())).toBeLessThan(lines.length / 2);
    expect(Math.min(...counts.values())).toBeGreaterThan(5);
  });

  it('have every kind of attempt', () => {
    const letters = new Set(
      lines.flatMap((line) => {
        const fate = fateOf(line);
        return fate.fate === 'call' ? [...(fate.letters ?? '-')] : [];
      }),
    );
    expect([...letters].sort().join('')).toBe('!-ainor');
  });

  it('good lines load', () => {
    const fates = [...goodLines(1, 500)].map((line) => fateOf(line));
    expect(fates.filter(({ fate }) => fate !== 'call' && fate !== 'run')).toEqual([]);
    expect(fates.filter((fate) => fate.fate === 'call' && fate.inconsistent)).toEqual([]);
  });
});
