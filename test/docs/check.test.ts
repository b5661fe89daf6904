/** docs/CHECK.md: its tables are those of the source, and its example is a policy. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readPolicy } from '../../src/query/policy.js';
import { Settings } from '../../src/query/settings.js';
import * as policy from '../../src/schema/policy.js';
import { root, tempFolder } from '../support/lake.js';
import { withPolicyTables } from '../support/policy-tables.mjs';

const document = readFileSync(path.join(root, 'docs/CHECK.md'), 'utf8');

test('the tables are made from src/schema/policy.ts (else: npm run docs)', () => {
  expect(withPolicyTables(document, policy)).toBe(document);
});

test('the example is understood, and points editors at the schema that ships', async () => {
  const [, toml] = /<!-- example -->\n```toml\n([\s\S]*?)```/.exec(document) ?? [];
  const cwd = tempFolder();
  writeFileSync(path.join(cwd, 'lakelog.toml'), toml!);
  const read = await readPolicy(cwd);
  expect(new Settings({}, {}, read).get('min_judged')).toBe(100);
  expect(read.entries.map(({ kind, name }) => `${kind}.${name}`)).toEqual([
    'gates.alarm',
    'gates.slow-calls',
    'compare.new-prompt',
    'drift.first-shot',
  ]);
  const [, schema] = /^#:schema \.\/node_modules\/lakelog\/(\S+)$/m.exec(toml!) ?? [];
  expect(JSON.parse(readFileSync(path.join(root, schema!), 'utf8')).title).toBe(policy.POLICY_FORMAT);
});

test.each([...policy.SETTINGS, ...Object.values(policy.ENTRIES).flat()])(
  'the example of $key is a value of it',
  async ({ key, example }) => {
    const kind = Object.entries(policy.ENTRIES).find(([, keys]) => keys.some((one) => one.key === key))?.[0];
    const isSetting = policy.SETTINGS.some((one) => one.key === key && one.example === example);
    const others = 'baseline = "all"\ncandidate = "all"\nname = "n"\n'
      .split('\n')
      .filter((line) => kind === 'compare' || line.startsWith('name'))
      .filter((line) => !line.startsWith(`${key} `));
    const head = kind === 'gates' ? ['[gates.own]'] : [`[[${kind}]]`, ...others];
    const cwd = tempFolder();
    const lines = isSetting ? [`${key} = ${example}`] : [...head, `${key} = ${example}`];
    writeFileSync(path.join(cwd, 'lakelog.toml'), `${lines.join('\n')}\n`);
    await expect(readPolicy(cwd)).resolves.toBeDefined();
  },
);
