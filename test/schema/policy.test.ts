/** The JSON Schema of lakelog.toml says to editors what lakelog says when it reads the file. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { readPolicy } from '../../src/query/policy.js';
import { jsonSchema } from '../../src/schema/json-schema.js';
import { tempFolder } from '../support/lake.js';

const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(jsonSchema('policy'));

async function isRead(toml: string): Promise<boolean> {
  const cwd = tempFolder();
  writeFileSync(path.join(cwd, 'lakelog.toml'), toml);
  return readPolicy(cwd).then(
    () => true,
    () => false,
  );
}

const GOOD = [
  '',
  'sessions = "a"',
  'sessions = ["a", "b"]',
  'queries = "q"',
  'gated_kinds = "fill"',
  'gated_kinds = ["fill", " ", "\\ufeff"]',
  'min_judged = 0',
  'max_age = "90s"',
  'tz = "UTC"',
  'roster_active_column = ""',
  'alpha = 0.5',
  'margin = 0',
  'margin = 0.99',
  '[validatord]\nanything = 1',
  '[gates.own]',
  '[gates.own]\nlevel = "warn"\nundecided = "fail"\nparams = { a = 1, b = "x", c = true, d = ["e"] }',
  '[[compare]]\nname = "a-1"\nbaseline = "all"\ncandidate = "all"\nnot_worse_than = 0.2',
  '[[drift]]\nname = "d"\nchange_at = "2026-09-01"\nmargin = 0.2',
];

const BAD = [
  'session = "a"',
  'sessions = []',
  'sessions = [""]',
  'sessions = 5',
  'acks = " "',
  'gated_kinds = ["fill", ""]',
  'min_judged = -1',
  'min_judged = 1.5',
  'max_age = "26"',
  'max_age = 26',
  'alpha = 0',
  'alpha = 0.6',
  'margin = 1',
  'margin = "0.1"',
  'gates = []',
  '[gates]\nown = "warn"',
  '[gates.own]\nlevel = "off"',
  '[gates.own]\nparams = 5',
  '[gates.own]\nparams = { a = [] }',
  '[gates.own]\nparams = { a = { b = 1 } }',
  '[gates.own]\nname = "own"',
  '[compare]\nname = "a"',
  '[[compare]]\nname = "a"\nbaseline = "all"',
  '[[compare]]\nname = "A b"\nbaseline = "all"\ncandidate = "all"',
  '[[compare]]\nname = "a"\nbaseline = ""\ncandidate = "all"',
  '[[compare]]\nname = "a"\nbaseline = "all"\ncandidate = "all"\nmargin = 0.1',
  '[[drift]]\nmargin = 0.1',
  '[[drift]]\nname = "d"\nmargin = 1',
];

describe('the schema of lakelog.toml', () => {
  test.each(GOOD)('takes %j', async (toml) => {
    expect([fits(parse(toml)), await isRead(toml)], JSON.stringify(fits.errors)).toEqual([true, true]);
  });

  test.each(BAD)('refuses %j', async (toml) => {
    expect([fits(parse(toml)), await isRead(toml)]).toEqual([false, false]);
  });
});
