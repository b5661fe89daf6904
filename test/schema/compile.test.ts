import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { fullReplay, fullSession } from './samples.js';

const folder = path.resolve(import.meta.dirname, '../../dist/schema');
const schemas = readdirSync(folder).map(
  (name) => [name, readFileSync(path.join(folder, name), 'utf8')] as const,
);

const RECORDS: Readonly<Record<string, object>> = {
  'session.iterate.v1.json': fullSession,
  'replay.run.v1.json': fullReplay,
};

/** Of the records, what is as it should be and what is not; of the documents of commands, what is not. */
const samples = (name: string): readonly (readonly [boolean, unknown])[] => {
  // All of it may be left out.
  if (name === 'lakelog.policy.v1.json')
    return [
      [true, {}],
      [true, { max_age: '26h', gates: { own: { level: 'warn' } } }],
      [false, []],
      [false, { max_aeg: '26h' }],
    ];
  // Lists, of which there may be nothing.
  if (['lakelog.acks.v1.json', 'lakelog.queries.v1.json'].includes(name))
    return [
      [true, []],
      [false, {}],
      [false, [{}]],
    ];
  const full = RECORDS[name];
  if (!full)
    return [
      [false, {}],
      [false, []],
    ];
  const { session_id: _, ...lacking } = full as Record<string, unknown>;
  return [
    [true, full],
    [true, { ...full, unknown: { a: [1] } }],
    [true, { ...full, prompt: [{ role: 'user', content: [{ type: 'text', text: 'p' }] }] }],
    [false, lacking],
    [false, { ...full, timestamp: '2026-09-14 08:00:00' }],
    [false, { ...full, duration_ms: '5' }],
    [false, { ...full, session_id: '' }],
  ];
};

const installed = spawnSync('python3', ['-c', 'import jsonschema']).status === 0;
const SCRIPT = `
import json, sys
from jsonschema import Draft202012Validator, FormatChecker
def judged(schema, samples):
    Draft202012Validator.check_schema(schema)
    validators = [Draft202012Validator(schema, format_checker=checker) for checker in (None, FormatChecker())]
    return [[one.is_valid(value) for good, value in samples] for one in validators]
print(json.dumps({name: judged(schema, samples) for name, schema, samples in json.load(sys.stdin)}))
`;

let judged: Record<string, boolean[][]> | undefined;
/** By schema, what Python says of the samples: with and without a checker of formats. */
function inPython(): Record<string, boolean[][]> {
  if (judged) return judged;
  const input = JSON.stringify(schemas.map(([name, text]) => [name, JSON.parse(text), samples(name)]));
  const ran = spawnSync('python3', ['-W', 'error', '-c', SCRIPT], { input, encoding: 'utf8' });
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  judged = JSON.parse(ran.stdout) as Record<string, boolean[][]>;
  return judged;
}

describe.each(schemas)('the published %s', (name, text) => {
  it('compiles as it is where Ajv is strict, without a warning', () => {
    const said: unknown[] = [];
    const say = (...words: unknown[]) => void said.push(words);
    const valid = new Ajv2020({ logger: { log: say, warn: say, error: say } }).compile(JSON.parse(text));
    expect(said).toEqual([]);
    for (const [good, value] of samples(name)) expect([valid(value), value]).toEqual([good, value]);
  });

  it.skipIf(!installed)("compiles in Python's jsonschema", () => {
    const expected = samples(name).map(([good]) => good);
    expect(inPython()[name]).toEqual([expected, expected]);
  });
});
