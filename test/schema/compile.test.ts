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

describe.each(schemas)('the published %s', (name, text) => {
  it('compiles as it is where Ajv is strict, without a warning', () => {
    const said: unknown[] = [];
    const say = (...words: unknown[]) => void said.push(words);
    const valid = new Ajv2020({ logger: { log: say, warn: say, error: say } }).compile(JSON.parse(text));
    expect(said).toEqual([]);
    for (const [good, value] of samples(name)) expect([valid(value), value]).toEqual([good, value]);
  });

  const script = `
import json, sys
from jsonschema import Draft202012Validator, FormatChecker
given = json.load(sys.stdin)
Draft202012Validator.check_schema(given["schema"])
for checker in (None, FormatChecker()):
    validator = Draft202012Validator(given["schema"], format_checker=checker)
    print(json.dumps([validator.is_valid(value) for good, value in given["samples"]]))
`;
  const installed = spawnSync('python3', ['-c', 'import jsonschema']).status === 0;
  it.skipIf(!installed)("compiles in Python's jsonschema", () => {
    const input = JSON.stringify({ schema: JSON.parse(text), samples: samples(name) });
    const ran = spawnSync('python3', ['-W', 'error', '-c', script], { input, encoding: 'utf8' });
    const expected = JSON.stringify(samples(name).map(([good]) => good)).replaceAll(',', ', ');
    expect(ran).toMatchObject({ status: 0, stderr: '', stdout: `${expected}\n${expected}\n` });
  });
});
