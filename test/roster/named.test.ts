/** Whom an artifact names, against the oracle, which walks it by recursion and asks every name anew. */

import { describe, expect, it } from 'vitest';
import { eachPlace, MOST_VALUES, namedWorkers, namedWorkersInJson } from '../../src/roster/named.js';
import { hasMemberTwice, sizeOf, workersOf } from '../oracle/recompute.mjs';
import { nightly } from '../support/cli.js';
import fc, { character } from '../support/fast-check.js';

const NAMES = [
  ...[
    'worker',
    'Worker',
    'WORKER_ID',
    'workers',
    'backup_worker',
    'assignedWorkers',
    'worker_1',
    'workerIds',
  ],
  ...['id', 'ID', 'ids', '_id 1', 'idle', 'Id\n', 'i\u0307d', 'ＩＤ', 'ID\u200b', 'id\u{1F600}'],
  ...[
    'wo\nrker',
    'wo\u007frker',
    'wörker',
    'ｗｏｒｋｅｒ',
    'worker\u200b',
    'w\u00adorker',
    '\ufeffworker',
    'worKer',
  ],
  ...['workerror', 'networkError', 'workerrorworker', 'network_error', 'work', 'workload'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '1',
    '0',
    '10',
    '-1',
    '',
    ':',
    '"',
    '\\',
    'a":{',
  ],
];
const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...NAMES) }, fc.string({ unit: character }));
const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r');
/** A text of JSON as many programs may write it: with escapes where none is needed. */
const text = (value: fc.Arbitrary<string>) =>
  fc.tuple(value, fc.array(fc.nat(40), { maxLength: 3 })).map(([word, escaped]) => {
    const units = [...word].map((character, i) => {
      const code = character.charCodeAt(0);
      return escaped.includes(i) && character.length === 1
        ? `\\u${code.toString(16).padStart(4, '0')}`
        : JSON.stringify(character).slice(1, -1);
    });
    return `"${units.join('')}"`;
  });
const plain = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '0', '-0', '17', '1.5', '1e400', '9007199254740993', '""', '":"'),
  fc.constantFrom(
    '"\\":"',
    '"\\\\\\":"',
    '"\\\\"',
    '"\\""',
    '"\\\\\\""',
    '"}:{"',
    '"\\":"',
    '"\\\\\\":"',
    '"W-1"',
    '"W-2"',
    '"null"',
    '[]',
    '{}',
  ),
  text(fc.string({ unit: character })),
);
const { json } = fc.letrec<{ json: string; value: string; list: string; object: string }>((tie) => ({
  json: fc.tuple(space, tie('value'), space).map((all) => all.join('')),
  value: fc.oneof({ depthSize: 'medium', withCrossShrink: true }, plain, tie('list'), tie('object')),
  list: fc.array(tie('json'), { maxLength: 4 }).map((all) => `[${all.join(',')}]`),
  object: fc
    .array(fc.tuple(space, text(name), space, tie('json')), { maxLength: 4 })
    .map((members) => `{${members.map(([a, key, b, value]) => `${a}${key}${b}:${value}`).join(',')}}`),
}));

describe('whom an artifact names', () => {
  it('is what the oracle finds in it, in its order, for every text', () => {
    let [twice, named] = [0, 0];
    fc.assert(
      fc.property(json, (artifact) => {
        const value: unknown = JSON.parse(artifact);
        const found = workersOf(value).map((one) => one.value);
        named += Number(found.length > 0);
        expect(namedWorkers(value)).toEqual(found);
        const isTwice = hasMemberTwice(artifact);
        twice += Number(isTwice);
        if (isTwice) expect(() => namedWorkersInJson(artifact)).toThrow('a member that stands twice');
        else expect(namedWorkersInJson(artifact)).toEqual(found);
        let places = 0;
        eachPlace(value, () => places++);
        expect(places).toBe(sizeOf(value));
      }),
      { numRuns: nightly ? 3000 : 1_000 },
    );
    // Neither is so rare that nothing was tried.
    expect(twice).toBeGreaterThan(30);
    expect(named).toBeGreaterThan(300);
  });

  it('is the same when more names were seen than are kept, and when they are long', () => {
    const names = Array.from({ length: 3_000 }, (_, i) => `${'x'.repeat(i % 200)}worker${i}`);
    const artifact = Object.fromEntries(
      [...names, ...names.map((one) => `${one}rror`)].map((one) => [one, one]),
    );
    for (let round = 0; round < 2; round++)
      expect(namedWorkers(artifact)).toEqual(workersOf(artifact).map(({ value }) => value));
  });

  it.each<[string, string, readonly unknown[]]>([
    ['arrays', `${'['.repeat(40_000)}{"worker":"W-1"}${']'.repeat(40_000)}`, ['W-1']],
    ['a worker in arrays', `{"worker":${'['.repeat(40_000)}"W-1"${']'.repeat(40_000)}}`, ['W-1']],
    ['workers', `${'{"worker":'.repeat(40_000)}"W-1"${'}'.repeat(40_000)}`, ['W-1']],
  ])('is found deeper than the stack, in %s', (_, artifact, found) => {
    expect(namedWorkersInJson(artifact)).toEqual(found);
  });

  it.each<[string, (values: number) => string]>([
    ['an array', (values) => `[${'0,'.repeat(values - 2)}0]`],
    ['an object', (values) => `{${Array.from({ length: values - 1 }, (_, i) => `"a${i}":1`).join(',')}}`],
    ['arrays in arrays', (values) => `${'['.repeat(values)}${']'.repeat(values)}`],
  ])('is not looked for among more values than %s of so many has', (_, artifact) => {
    expect(namedWorkersInJson(artifact(MOST_VALUES))).toEqual([]);
    expect(() => namedWorkersInJson(artifact(MOST_VALUES + 1))).toThrow('more than 100000 values');
  });

  it('is asked of what stands there, not of what an object inherits', () => {
    expect(namedWorkersInJson('{"__proto__":{"worker":"W-1"}}')).toEqual(['W-1']);
    expect(namedWorkersInJson('{"worker":{"__proto__":{"id":"W-1"}}}')).toEqual([
      { ['__proto__']: { id: 'W-1' } },
    ]);
    expect(namedWorkers(Object.create({ worker: 'W-1' }))).toEqual([]);
  });

  it.each([
    '{"a":1,"\\u0061":2}',
    '{"x":[{"worker":1,"worker":2}]}',
    '{"__proto__":1,"__proto__":2}',
    '{"":"\\"","":1}',
  ])('is not known of %s, where a member stands twice', (artifact) => {
    expect(() => namedWorkersInJson(artifact)).toThrow(RangeError);
  });
});
