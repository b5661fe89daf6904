import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultEnvelope } from '../../src/schema/envelope.js';
import {
  atNight,
  byDay,
  exceptByDay,
  newFolder,
  lakelog as spawnLakelog,
  unwrapped,
  writeLines,
} from '../support/cli.js';
import { calls, following } from '../support/decision-calls.js';
import { lakelog } from '../support/program.js';

const NOW = new Date('2026-09-20T00:00:00Z');
const CHANGE = '2026-07-31T00:00:00Z';

/** Sixty days of the one rate, and twenty of the other. */
const earlier = (x: number, fields = {}) =>
  calls({ n: 2_400, x: 2_400 * x, prompt_version: 'p1', ...fields });
const later = (x: number, fields = {}) =>
  calls({ n: 800, x: 800 * x, start: CHANGE, prompt_version: 'p2', ...fields });

function logOf(lines: readonly string[]) {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', lines);
  return cwd;
}

const fallen = [...earlier(0.7), ...later(0.5)];
const FALLEN = () => logOf(fallen);

async function drift(cwd: string, args: readonly string[] = [], env = {}) {
  const ran = await lakelog(['drift', ...args, 'sessions.jsonl'], { cwd, env, now: () => NOW });
  return { ...ran, said: unwrapped(ran.stderr).replace(/\s+/g, ' ') };
}

const decisionOf = (stdout: string) => resultEnvelope.parse(JSON.parse(stdout)).decision!;

describe('a fall', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['on any day', [], /since 2026-07-31, the likeliest day/],
    ['at a moment', ['--change-at', CHANGE], /since 2026-07-31T00:00:00Z, 70\.0 %/],
    [
      'at a change of version',
      ['--since-change', 'prompt_version'],
      /the change of prompt_version at 2026-07-31T00:00:00Z/,
    ],
  ])('%s: 1, with metric, both rates, interval and calls', async (_, args, when) => {
    const { code, said } = await drift(FALLEN(), args);
    expect(code).toBe(1);
    expect(said).toContain('first-shot rate 50.0 % (400 of 800) since');
    expect(said).toContain('70.0 % (1680 of 2400) before');
    expect(said).toContain('−20.0 points, 95 % −23.9 to −16.1');
    expect(said).toMatch(when);
  });

  test('every output of the built program tells of it', async () => {
    const cwd = FALLEN();
    const outputs = ['-o', 'a.xml', '-o', 'a.json', '-o', 'a.csv', '-o', 'a.md', '-o', 'a.prom'];
    const ran = await spawnLakelog(['drift', ...outputs, 'sessions.jsonl'], { cwd });
    expect(ran.code).toBe(1);
    const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8');
    expect(read('a.xml')).toMatch(/<failure message="first-shot rate 50\.0 % \(400 of 800\)/);
    expect(read('a.prom')).toContain('lakelog_gate_exit{gate="drift"} 1');
    expect(read('a.csv').split('\n')[0]).toContain('before_calls,before,before_low,before_high');
    expect(decisionOf(read('a.json'))).toMatchObject({
      what: 'drift',
      conclusion: 'fallen',
      alpha: 0.01,
      changed_at: '2026-07-31T00:00:00.000Z',
      baseline: { calls: 2_400 },
      candidate: { calls: 800 },
    });
  });

  test('of a rate of acceptance', async () => {
    const cwd = logOf([
      ...calls({ n: 2_000, x: 2_000, start: '2026-06-01T00:00:00Z' }),
      ...calls({ n: 200, x: 0, start: CHANGE, final_verdict: 'max_iter_exhausted' }),
    ]);
    expect((await drift(cwd, ['--metric', 'acceptance-rate'])).code).toBe(1);
  });
});

describe('what is no fall never fires', () => {
  const ways = byDay([[], ['--change-at', CHANGE], ['--since-change', 'prompt_version']], 3);

  test('a rise', async () => {
    const cwd = logOf([...earlier(0.5), ...later(0.7)]);
    for (const args of ways) {
      expect((await drift(cwd, args)).code, args.join(' ')).toBe(0);
    }
  });

  test('a change of mix alone, however the crude rate falls', async () => {
    // From nine in ten easy ones to nine in ten hard ones.
    const mixed = (easy: number, hard: number, fields: object) => [
      ...calls({ n: easy, x: 0.9 * easy, perDay: easy / 30, kind: 'easy', ...fields }),
      ...calls({ n: hard, x: 0.3 * hard, perDay: hard / 30, kind: 'hard', ...fields }),
    ];
    const cwd = logOf([
      ...mixed(1_800, 200, { prompt_version: 'p1' }),
      ...mixed(200, 1_800, { start: CHANGE, prompt_version: 'p2' }),
    ]);
    for (const args of ways) {
      const { code, stdout } = await drift(cwd, [...args, '--json']);
      expect([0, 3]).toContain(code);
      expect(decisionOf(stdout).conclusion).not.toBe('fallen');
    }
  });

  test('retries of a trace that began before: one call a trace', async () => {
    const first = earlier(0.7);
    const retries = first.slice(0, 800).map((line, i) =>
      JSON.stringify({
        ...JSON.parse(line),
        call_id: `again-${i}`,
        timestamp: '2026-08-02T00:00:00Z',
        iterations: 2,
      }),
    );
    expect((await drift(logOf([...first, ...retries]))).code).not.toBe(1);
  });
});

describe('0 says what is excluded, and 3 what is not', () => {
  test('by how much it has not fallen, and what is too young to tell', async () => {
    const cwd = logOf([...earlier(0.7), ...later(0.7)]);
    const { code, said, stdout } = await drift(cwd);
    expect([code, said]).toEqual([
      0,
      expect.stringMatching(/not fallen by more than \d\.\d+ points since 2026-/),
    ]);
    expect(said).toContain('is too young to tell');
    expect(stdout).toContain('fill');
    const json = decisionOf((await drift(cwd, ['--json'])).stdout);
    expect(json.excluded_fall).toBeGreaterThan(0);
    expect(json.excluded_fall).toBeLessThanOrEqual(0.1);
  });

  const UNDECIDED: readonly [string, readonly string[], readonly string[], RegExp][] = [
    [
      'a margin that is smaller than what is excluded',
      [...earlier(0.7), ...later(0.7)],
      ['--margin', '.02'],
      /--margin is 2 points/,
    ],
    ['few calls', calls({ n: 60, x: 42 }), [], /cannot tell yet/],
    ['one call', calls({ n: 1, x: 1 }), [], /no fall is excluded yet/],
    ['infra errors only', calls({ n: 60, x: 0, final_verdict: 'infra_error' }), [], /no answered call/],
    ['no call since', earlier(0.7), ['--change-at', CHANGE], /there is no call since/],
    ['no call before', earlier(0.7), ['--change-at', '2026-05-01'], /has no call before/],
    [
      'a model that came with the change',
      [...earlier(0.7), ...later(0.7), ...later(0.7, { model: 'new' })],
      ['--change-at', CHANGE],
      /fill of new \(800 calls\) has no call before/,
    ],
    [
      'a version that never changed',
      [...earlier(0.7), ...later(0.7, { prompt_version: 'p1' })],
      ['--since-change', 'prompt_version'],
      /prompt_version did not change/,
    ],
    [
      'a version that nobody records',
      [...earlier(0.7), ...later(0.7)],
      ['--since-change', 'response_model'],
      /do not record response_model/,
    ],
    [
      'calls without a version since then',
      [...earlier(0.7), ...later(0.7), ...later(0.1, { prompt_version: null })],
      ['--since-change', 'prompt_version'],
      /800 calls of fill do not record prompt_version/,
    ],
    ['old calls under --max-age', [...earlier(0.7), ...later(0.7)], ['--max-age', '1h'], /--max-age/],
    [
      'a line that cannot be loaded',
      [...earlier(0.7), ...later(0.7), '{"schema":"session.iterate.v1"}'],
      [],
      /missing:/,
    ],
    ['a filter with a slip of the hand', [...earlier(0.7), ...later(0.7)], ['--kind', 'fil'], /did you mean/],
  ];
  const others = [
    ...['one call', 'infra errors only', 'a version that nobody records'],
    'a filter with a slip of the hand',
  ];
  test.each(exceptByDay(UNDECIDED, others))('%s: 3', async (_, lines, args, says) => {
    const { code, said } = await drift(logOf(lines), args);
    expect([code, said]).toEqual([3, expect.stringMatching(says)]);
  });

  test('a rollback is a change: what came back is compared with what was before it', async () => {
    const cwd = logOf([
      ...calls({ n: 800, x: 640, prompt_version: 'p1', start: '2026-06-01T00:00:00Z' }),
      ...calls({ n: 800, x: 640, prompt_version: 'p2', start: '2026-07-01T00:00:00Z' }),
      ...calls({ n: 800, x: 320, prompt_version: 'p1', start: '2026-08-01T00:00:00Z' }),
    ]);
    const { code, said } = await drift(cwd, ['--since-change', 'prompt_version']);
    expect([code, said]).toEqual([1, expect.stringContaining('at 2026-08-01T00:00:00Z')]);
  });

  test('a change of model is judged by kind', async () => {
    const cwd = logOf([...earlier(0.7, { model: 'old' }), ...later(0.5, { model: 'new' })]);
    expect((await drift(cwd, ['--since-change', 'model'])).code).toBe(1);
  });
});

const MISUSED: readonly [string, readonly string[], RegExp][] = [
  ['a window that slides', ['--since', '7d'], /--since 7d slides/],
  ['a moment that slides', ['--change-at', '7d'], /--change-at 7d slides/],
  ['two changes', ['--change-at', CHANGE, '--since-change', 'model'], /two changes/],
  ['a version that is none', ['--since-change', 'prompt'], /use one of/],
  ['a moment that is none', ['--change-at', 'monday'], /--change-at monday is not a time/],
  ['a margin that is none', ['--margin', '1'], /margin/],
];

test.each(byDay(MISUSED, 3))('%s: 2', async (_, args, says) => {
  const { code, said } = await drift(logOf(earlier(0.7)), args);
  expect([code, said]).toEqual([2, expect.stringMatching(says)]);
});

describe('an acknowledged drift begins a new epoch', () => {
  const ack = (cwd: string, target: string, args: readonly string[] = []) =>
    lakelog(['ack', target, '--reason', 'cheaper model', '--author', 'ann', ...args, 'sessions.jsonl'], {
      cwd,
      now: () => NOW,
    });

  /** What the finding says to run, with a reason in the place of its dots. */
  function pasted(stderr: string): string[] {
    const [, words] = /→ lakelog (ack .*)/.exec(stderr.replace(/\n {4}/g, ' '))!;
    return words!.replace('"…"', 'cheaper').split(' ');
  }

  test('the next command can be pasted; the receipt shows the epoch; later falls fire', async () => {
    const cwd = FALLEN();
    const settled = await lakelog([...pasted((await drift(cwd)).stderr), '--author', 'ann'], {
      cwd,
      now: () => NOW,
    });
    expect([settled.code, settled.stderr]).toEqual([
      0,
      expect.stringContaining('lakelog drift sessions.jsonl'),
    ]);
    const { code, said, stdout } = await drift(cwd, ['--margin', '.2', '--json']);
    expect(code).toBe(0);
    expect(said).toBe('');
    const { receipt, decision } = resultEnvelope.parse(JSON.parse(stdout));
    expect(receipt.epoch).toEqual({ since: CHANGE, author: 'ann', expires: null, reason: 'cheaper' });
    expect(decision).toMatchObject({ epoch: receipt.epoch });
    expect(receipt.judged).toBe(800);
    expect(receipt.acknowledged).toMatchObject({ drifts: 1 });
    expect((await drift(cwd, ['--margin', '.2'])).said).toContain(
      `epoch since ${CHANGE}, acknowledged by ann: cheaper`,
    );

    writeLines(cwd, 'sessions.jsonl', [
      readFileSync(path.join(cwd, 'sessions.jsonl'), 'utf8').trimEnd(),
      ...calls({ n: 800, x: 160, start: '2026-08-20T00:00:00Z', prompt_version: 'p3' }),
    ]);
    const again = await drift(cwd);
    expect([again.code, again.said]).toEqual([
      1,
      expect.stringContaining('since 2026-08-20, the likeliest day'),
    ]);
    // The later of two is where the present epoch begins.
    await ack(cwd, 'drift:metric=first-shot-rate,change=2026-08-20T00:00:00Z');
    expect((await drift(cwd, ['--margin', '.2'])).said).toContain('epoch since 2026-08-20T00:00:00Z');
  });

  test.each(
    byDay(
      [
        ['--change-at', CHANGE],
        ['--since-change', 'prompt_version'],
      ],
      2,
    ),
  )('of %s %s: what is judged is any day since then', async (...args) => {
    const cwd = FALLEN();
    await ack(cwd, `drift:metric=first-shot-rate,change=${CHANGE}`);
    const { code, said } = await drift(cwd, [...args, '--margin', '.2']);
    expect([code, said]).toEqual([
      0,
      expect.stringContaining('the change that was asked about is acknowledged'),
    ]);
  });

  test('of one rate and of the same calls only, and while it lasts', async () => {
    const cwd = FALLEN();
    await ack(cwd, `drift:metric=first-shot-rate,change=${CHANGE},kind=fill`);
    expect((await drift(cwd)).code).toBe(1);
    expect((await drift(cwd, ['--kind', 'fill'])).code).not.toBe(1);
    const file = path.join(cwd, 'lakelog-acks.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"expires":null', '"expires":"2026-09-01"'));
    const { code, said } = await drift(cwd, ['--kind', 'fill']);
    expect([code, said]).toEqual([1, expect.stringContaining('expired at the end of 2026-09-01')]);
  });

  test('one that matches nothing silences nothing', async () => {
    const cwd = FALLEN();
    await ack(cwd, `drift:metric=first-shot-rate,change=${CHANGE}`);
    const file = path.join(cwd, 'lakelog-acks.jsonl');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(
        /"line_sha256":"./,
        (all) => `${all.slice(0, -1)}${all.endsWith('0') ? 1 : 0}`,
      ),
    );
    const { code, said } = await drift(cwd);
    expect([code, said]).toEqual([1, expect.stringContaining('matches nothing')]);
    expect((await lakelog(['ack', 'list', 'sessions.jsonl'], { cwd })).stdout).toContain('matches nothing');
    expect((await lakelog(['ack', 'prune', 'sessions.jsonl'], { cwd })).stdout).toContain('taken out: 1');
  });

  test('list, rm and other gates know it', async () => {
    const cwd = FALLEN();
    const target = `drift:metric=first-shot-rate,change=${CHANGE}`;
    await ack(cwd, target, ['--expires', '90d']);
    const list = await lakelog(['ack', 'list', 'sessions.jsonl'], { cwd, now: () => NOW });
    expect(list.stdout).toContain(
      `holds: fall of the first-shot-rate (all): a new epoch begins at ${CHANGE}`,
    );
    const alarm = await lakelog(['alarm', 'sessions.jsonl'], { cwd, now: () => NOW });
    expect([alarm.code, alarm.stderr]).toEqual([0, expect.stringContaining('0 acknowledged')]);
    expect((await lakelog(['ack', 'rm', target], { cwd })).stdout).toContain('taken out: 1');
    expect((await drift(cwd)).code).toBe(1);
  });

  test.each(
    byDay<[string, RegExp]>(
      [
        ['drift:metric=first-shot-rate,change=2026-05-01', /no such call before/],
        ['drift:metric=first-shot-rate,change=2026-12-01', /no such call since/],
        [`drift:metric=first-shot-rate,change=${CHANGE},kind=nothing`, /no such call since/],
        [`drift:metric=tokens,change=${CHANGE}`, /is no drift/],
        [`drift:change=${CHANGE}`, /is no drift/],
        [`drift:metric=first-shot-rate,change=${CHANGE},prompt_version=p1`, /is no drift/],
        ['drift:metric=first-shot-rate,change=7d', /slides/],
      ],
      4,
    ),
  )('%s is refused', async (target, says) => {
    const ran = await ack(FALLEN(), target);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(says)]);
  });
});

atNight('a lake answers as the logs do', async () => {
  const cwd = FALLEN();
  const direct = await drift(cwd, ['--json']);
  for (const _ of [1, 2]) {
    const { stdout } = await drift(cwd, ['--json', '--lake', 'lake.duckdb']);
    expect(decisionOf(stdout)).toEqual(decisionOf(direct.stdout));
  }
});

test('days are those of --tz', async () => {
  const { said } = await drift(FALLEN(), ['--tz', 'Asia/Tokyo']);
  // Midnight there.
  expect(said).toMatch(/since 2026-07-(30|31)T15:00:00/);
});

describe('what is weaker than its default', () => {
  const told = (stderr: string) => [...stderr.matchAll(/(\w+ = \S+ instead of .*)/g)].map(([one]) => one);
  const POLICY = { 'margin = 0.3': 'margin = 0.3 instead of .10, from lakelog.toml:1' };

  const WEAKER: readonly [string, readonly string[], readonly string[]][] = [
    ['the setting', [], Object.values(POLICY)],
    ['an option goes before it', ['--margin', '.6'], ['margin = 0.6 instead of .10, from --margin']],
    ['also where the option is none', ['--margin', '.05'], []],
    [
      'drift has an alpha of its own',
      ['--margin', '.1', '--alpha', '.02'],
      ['alpha = 0.02 instead of .01, from --alpha'],
    ],
  ];
  test.each(byDay(WEAKER, 2))('%s', async (_, args, expected) => {
    const cwd = FALLEN();
    writeFileSync(path.join(cwd, 'lakelog.toml'), Object.keys(POLICY)[0]!);
    expect(told((await drift(cwd, args)).stderr)).toEqual(expected);
  });
});

describe('a kind that always follows another one in its traces', () => {
  const first = [...earlier(0.7), ...later(0.7)];
  const second = following([...earlier(0.9, { kind: 'email' }), ...later(0.2, { kind: 'email' })], first);
  const cwd = logOf([...first, ...second]);

  test.each(byDay([[[]], [['--change-at', CHANGE]], [['--since-change', 'prompt_version']]], 3))(
    'is not judged, which is 3 and never green: %j',
    async (args) => {
      const { code, said } = await drift(cwd, args);
      expect(said).toContain('no trace begins with the kind "email" (3200 calls)');
      expect(said).toContain('lakelog drift --kind email sessions.jsonl');
      expect(code).toBe(3);
    },
  );

  test('is judged where it is looked at by itself', async () => {
    const { code, said } = await drift(cwd, ['--kind', 'email']);
    expect(said).toContain('20.0 % (160 of 800)');
    expect(code).toBe(1);
  });
});
