import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { byDay, newFolder, nightly, root } from './support/cli.js';

interface Measured {
  readonly case: string;
  readonly size: string | null;
  readonly log: null | { calls: number; bytes: number; torn: number };
  readonly commands: readonly {
    name: string;
    median_ms: number;
    cpu_ms: number | null;
    samples_ms: readonly number[];
  }[];
  readonly ratios: Readonly<Record<string, number>>;
  readonly cpu_ratios: Readonly<Record<string, number>>;
}

interface Judged {
  readonly measured: number | null;
  readonly met: boolean;
}

const node = (args: readonly string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
const bench = (args: readonly string[]) => node(['bench/run.mjs', '--data', newFolder(), ...args]);
/** JavaScript without declarations: what it exports is `any`. */
const script = (name: string) => import(path.join(root, 'bench', name));
/** By day one case of every kind of log and of rival. */
const NAMES = [
  ...['version', 'alarm', 'long-lines'],
  ...(nightly
    ? ['torn', 'query', 'star', 'small-files', 'alarm-100', 'show', 'alarm-gz', 'alarm-stdin', 'all-rejects']
    : []),
];

describe('npm run bench', () => {
  const json = path.join(newFolder(), 'out.json');
  const jsonBefore = path.join(newFolder(), 'out.json');
  let ran: ReturnType<typeof bench>;
  let ranBefore: ReturnType<typeof bench>;
  let result: { failed: unknown[]; cases: Measured[] };

  beforeAll(() => {
    const few = ['--size', '300KB', '--rounds', '1'];
    const all = ['node', 'bare', 'script', 'scan'];
    const named = (cases: readonly string[], rivals: readonly string[]) => [
      ...['--case', cases.join(','), '--rival', rivals.join(','), '--before', root],
    ];
    // An earlier lakelog takes as long as this one: by day it is measured in one case.
    ran = bench([...few, '--json', json, ...named(NAMES, nightly ? [...all, 'before'] : all)]);
    ranBefore = bench([...few, '--json', jsonBefore, ...named(['alarm-100'], ['before', 'bare'])]);
    result = JSON.parse(readFileSync(json, 'utf8'));
    // Some seventy processes, one after the other, on a machine that runs other tests too.
  }, 300_000);

  test('every command gives the answer that it must, or it is not measured', () => {
    for (const { stderr, status } of [ran, ranBefore]) {
      expect(stderr).not.toMatch(/left out|bench:/);
      expect(status).toBe(0);
    }
    expect(result.failed).toEqual([]);
  });

  test('its JSON says when, where and with what', () => {
    expect(JSON.parse(readFileSync(jsonBefore, 'utf8'))).toMatchObject({
      format: 'lakelog.bench.v2',
      date: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/),
      machine: { cpu: expect.any(String), cores: expect.any(Number), load_at_start: expect.any(Number) },
      versions: { lakelog: expect.any(String), node: process.versions.node, before: expect.any(String) },
      rounds: 1,
      install: null,
    });
  });

  test('each case has our time, that of its rivals, and their ratio', () => {
    const [small] = JSON.parse(readFileSync(jsonBefore, 'utf8')).cases as Measured[];
    expect(small!.commands.map(({ name }) => name)).toEqual(['lakelog', 'before', 'bare']);
    const cases = [...result.cases, small!];
    // In the order of the bench, not of what was asked.
    expect(cases.map((one) => one.case).sort()).toEqual([...NAMES, 'alarm-100'].sort());
    for (const { case: name, commands, ratios, cpu_ratios } of cases) {
      const [ours, ...rivals] = commands;
      expect(ours!.name, name).toBe('lakelog');
      expect(rivals.length > 0, name).toBe(name !== 'long-lines');
      for (const rival of rivals) {
        expect(rival.samples_ms).toHaveLength(1);
        expect(ratios[rival.name]).toBeCloseTo(ours!.median_ms / rival.median_ms);
        if (ours!.cpu_ms !== null)
          expect(cpu_ratios[rival.name], name).toBeCloseTo(ours!.cpu_ms / rival.cpu_ms!);
      }
    }
  });

  test('the logs are what the cases are about', () => {
    const logs = Object.fromEntries(result.cases.map(({ case: name, log }) => [name, log]));
    expect(logs.alarm!.bytes).toBeGreaterThanOrEqual(300_000);
    if (nightly) {
      expect(logs.torn!.torn).toBe(1);
      expect(logs['alarm-gz']).toEqual(logs.alarm);
      expect(logs['all-rejects']!.torn).toBe(logs['all-rejects']!.calls);
    }
    expect(logs['long-lines']).toMatchObject({ calls: 5, torn: 1 });
    for (const name of nightly ? ['long-lines', 'star'] : ['long-lines']) {
      expect(logs[name]!.bytes).toBeGreaterThan(290_000);
      expect(logs[name]!.bytes).toBeLessThan(302_000);
    }
  });

  test('RESULTS.md is made of it and names no folder of the machine', () => {
    const page = node(['bench/results.mjs', json]);
    expect(page.status).toBe(0);
    for (const name of NAMES) expect(page.stdout).toMatch(new RegExp(`^## ${name}(, |$)`, 'm'));
    expect(page.stdout).not.toContain(root);
    expect(page.stdout).not.toContain(path.dirname(json));
  });
});

test('every goal stands at a size and against a rival that its case has', async () => {
  const { CASES } = await script('cases.mjs');
  for (const { name, sizes = [], rivals, goals } of CASES) {
    for (const { at, rival } of goals) {
      expect(sizes, name).toEqual(expect.arrayContaining(at));
      if (rival !== null)
        expect(
          rivals.map((one: string | { name: string }) => (typeof one === 'string' ? one : one.name)),
          name,
        ).toContain(rival);
    }
  }
});

test('a goal is judged at its size, by CPU time where it says so, and is not met by what was not measured', async () => {
  const { cpu, judged, peak, wall } = await script('goals.mjs');
  const goals = [cpu('before', 0.5, '1GB'), wall('chdb', 1), peak(400), wall('before', 9, '5GB')];
  const commands = [
    { name: 'lakelog', median_ms: 900, cpu_ms: 600, peak_mb: 401 },
    { name: 'before', median_ms: 1000, cpu_ms: 1200, peak_mb: 100 },
  ];
  const facts = judged(goals, { name: '1GB' }, commands).map((goal: Judged) => [goal.measured, goal.met]);
  expect(facts).toEqual([
    [0.5, true],
    [null, false],
    [401, false],
  ]);
});

test('a command gets the file through a pipe, and its own exit code is seen', async () => {
  const { openStopwatch } = await script('measure.mjs');
  const stopwatch = openStopwatch();
  const file = path.join(newFolder(), 'in');
  writeFileSync(file, 'a\nb\n');
  const ran = stopwatch.run(['sh', '-c', 'test -p /dev/stdin && cat && exit 3'], { piped: file });
  expect([ran.stdout(), ran.exit]).toEqual(['a\nb\n', 3]);
  stopwatch.close();
});

test('an earlier lakelog that is clear for having judged nothing is not measured', () => {
  const before = newFolder();
  const answer = {
    verdict: { status: 'clear' },
    receipt: { judged: 0, calls_loaded: 0, totals: { rejected: 0 } },
    rows: [],
  };
  for (const folder of ['bin', 'dist']) mkdirSync(path.join(before, folder));
  writeFileSync(
    path.join(before, 'bin/lakelog.js'),
    `console.log(${JSON.stringify(JSON.stringify(answer))})`,
  );
  const { stderr, stdout, status } = bench([
    ...['--before', before, '--rival', 'before,node'],
    ...['--case', 'alarm-100', '--rounds', '1'],
  ]);
  expect(stderr).toMatch(/before is left out: judged is 0, not \d+/);
  expect(stdout).toMatch(/^ {2}node/m);
  expect(stdout).not.toMatch(/^ {2}before/m);
  expect(status).toBe(1);
});

test('without another checkout a line says that it was not measured', () => {
  const { stderr, status } = bench([...['--case', 'version', '--rounds', '1', '--rival', 'node,before']]);
  expect(stderr).toContain('before: skipped, no --before');
  expect(status).toBe(0);
});

const REFUSED: [string[], RegExp][] = [
  [['--size', '10'], /10 is no size/],
  [['--case', 'alram'], /--case alram: use some of version/],
  [['--rounds', '0'], /--rounds 0/],
  [['--rivals', 'jq'], /--rivals/],
  [['--before', 'bench'], /--before bench has no bin\/lakelog\.js/],
];

test.each(byDay(REFUSED, 2))('bench %j is refused', (args, message) => {
  const { status, stderr, stdout } = bench(args);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(status).toBe(2);
});
