import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { newFolder, root } from './support/cli.js';

interface Measured {
  readonly case: string;
  readonly size: string | null;
  readonly log: null | { calls: number; bytes: number; torn: number };
  readonly commands: readonly { name: string; median_ms: number; samples_ms: readonly number[] }[];
  readonly ratios: Readonly<Record<string, number>>;
  readonly goals: readonly { met: boolean }[];
}

const node = (args: readonly string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
const bench = (args: readonly string[]) => node(['bench/run.mjs', '--data', newFolder(), ...args]);
const NAMES = ['version', 'alarm-100', 'alarm', 'corpus', 'query', 'validate', 'show', 'torn'];

describe('npm run bench', () => {
  const json = path.join(newFolder(), 'out.json');
  let ran: ReturnType<typeof bench>;
  let result: { failed: unknown[]; cases: Measured[] };

  beforeAll(() => {
    ran = bench([
      ...['--size', '300KB', '--rounds', '1', '--json', json, '--case', NAMES.join(',')],
      ...['--rival', 'node,bare,script,scan'],
    ]);
    result = JSON.parse(readFileSync(json, 'utf8'));
  });

  test('every command gives the answer that it must, or it is not measured', () => {
    expect(ran.stderr).not.toMatch(/left out|bench:/);
    expect(ran.status).toBe(0);
    expect(result.failed).toEqual([]);
  });

  test('its JSON says when, where and with what', () => {
    expect(result).toMatchObject({
      format: 'lakelog.bench.v1',
      date: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/),
      machine: { cpu: expect.any(String), cores: expect.any(Number), load_at_start: expect.any(Number) },
      versions: { lakelog: expect.any(String), node: process.versions.node },
      rounds: 1,
      install: null,
    });
  });

  test('each case has our time, that of its rivals, and their ratio', () => {
    const { cases } = result;
    expect(cases.map((one) => one.case)).toEqual(NAMES);
    for (const { case: name, commands, ratios } of cases) {
      const [ours, ...rivals] = commands;
      expect(ours!.name, name).toBe('lakelog');
      expect(rivals.length, name).toBeGreaterThan(0);
      for (const rival of rivals) {
        expect(rival.samples_ms).toHaveLength(1);
        expect(ratios[rival.name]).toBeCloseTo(ours!.median_ms / rival.median_ms);
      }
    }
    expect(cases.find((one) => one.case === 'alarm')!.log!.bytes).toBeGreaterThanOrEqual(300_000);
    expect(cases.find((one) => one.case === 'torn')!.log!.torn).toBe(1);
  });

  test('RESULTS.md is made of it and names no folder of the machine', () => {
    const page = node(['bench/results.mjs', json]);
    expect(page.status).toBe(0);
    for (const name of NAMES) expect(page.stdout).toMatch(new RegExp(`^## ${name}(, |$)`, 'm'));
    expect(page.stdout).not.toContain(root);
    expect(page.stdout).not.toContain(path.dirname(json));
  });
});

test.each([
  [['--size', '10'], /10 is no size/],
  [['--case', 'alram'], /--case alram: use some of version/],
  [['--rounds', '0'], /--rounds 0/],
  [['--rivals', 'jq'], /--rivals/],
])('bench %j is refused', (args, message) => {
  const { status, stderr, stdout } = bench(args);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(status).toBe(2);
});
