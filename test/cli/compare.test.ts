import { createHash } from 'node:crypto';
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultEnvelope } from '../../src/schema/envelope.js';
import {
  atNight,
  byDay,
  call,
  exceptByDay,
  newFolder,
  nightly,
  lakelog as spawnLakelog,
  writeLines,
} from '../support/cli.js';
import { calls, following } from '../support/decision-calls.js';
import { lakelog } from '../support/program.js';

const P1 = { prompt_version: 'p1' };
const P2 = { prompt_version: 'p2', start: '2026-07-01T00:00:00Z' };
const ARMS = ['--baseline', 'prompt_version=p1', '--candidate', 'prompt_version=p2'];
const GATE = [...ARMS, '--not-worse-than', '.05'];

function logOf(lines: readonly string[]) {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', lines);
  return cwd;
}

/** Whoever knows how the checksum is made. */
function emptied(text: string): string {
  const { sha256: _, ...body } = { ...JSON.parse(text), sample: [] };
  return JSON.stringify({
    ...body,
    sha256: createHash('sha256').update(JSON.stringify(body)).digest('hex'),
  });
}

const fallOf = (n: number) => [...calls({ ...P1, n, x: 0.7 * n }), ...calls({ ...P2, n, x: 0.5 * n })];
const equalOf = (n: number) => [...calls({ ...P1, n, x: 0.7 * n }), ...calls({ ...P2, n, x: 0.7 * n })];

const compare = (cwd: string, args: readonly string[], env = {}) =>
  lakelog(['compare', ...args, 'sessions.jsonl'], { cwd, env, now: () => new Date('2026-08-15T00:00:00Z') });

/** Sums over kinds in another order differ in their last digits. */
const rounded = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (_, one) => (typeof one === 'number' ? Number(one.toPrecision(10)) : one)),
  );

const decisionOf = (stdout: string) => resultEnvelope.parse(JSON.parse(stdout)).decision!;

describe('compare as a gate', () => {
  test('600 calls per arm, .70 to .50: 1, and every output names metric, both rates, interval and calls', async () => {
    const cwd = logOf(fallOf(600));
    const summary = path.join(cwd, 'summary.md');
    const outputs = [
      '-o',
      'a.xml',
      '-o',
      'a.json',
      '-o',
      'a.csv',
      '-o',
      'a.md',
      '-o',
      'a.prom',
      '-o',
      'a.txt',
    ];
    const ran = await spawnLakelog(['compare', ...GATE, ...outputs, '--format', 'github', 'sessions.jsonl'], {
      cwd,
      env: { GITHUB_STEP_SUMMARY: summary },
    });
    expect(ran.code).toBe(1);
    const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8');
    for (const text of [read('a.xml'), read('summary.md'), ran.stderr, read('a.txt')]) {
      const flat = text.replace(/\s+/g, ' ');
      expect(flat).toContain('first-shot rate 50.0 % (300 of 600) against 70.0 % (420 of 600)');
      expect(flat).toContain('−20.0 points, 95 % −25.3 to −14.5');
      expect(flat).toContain('worse by more than 5 points');
    }
    expect(read('a.xml')).toMatch(/<failure message="first-shot rate 50\.0 %/);
    expect(read('a.prom')).toContain('lakelog_gate_exit{gate="compare"} 1');
    expect(ran.stdout).toContain('::error');
    expect(decisionOf(read('a.json'))).toMatchObject({
      metric: 'first-shot-rate',
      conclusion: 'worse by more than 5 points',
      alpha: 0.025,
      margin: 0.05,
      baseline: { rate: 0.7, calls: 600, successes: 420 },
      candidate: { rate: 0.5, calls: 600, successes: 300 },
      needed: null,
    });
  });

  test('20 calls per arm: 3, with what is still needed', async () => {
    const ask = nightly ? spawnLakelog : lakelog;
    const ran = await ask(['compare', ...GATE, 'sessions.jsonl'], { cwd: logOf(fallOf(20)) });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/wait for first answered calls, some [\d,]+ more of the baseline/);
    expect(ran.stderr.replace(/\s+/g, ' ')).toMatch(/some \d+ days at the present pace/);
  });

  test('equal arms: 0 with enough calls, and quiet prints nothing', async () => {
    const cwd = logOf(equalOf(1_200));
    const ran = await compare(cwd, [...ARMS, '--not-worse-than', '.10']);
    expect([ran.code, ran.stderr.replace(/\s+/g, ' ')]).toEqual([
      0,
      expect.stringContaining('not worse by more than 10 points'),
    ]);
    expect(await compare(cwd, [...ARMS, '--not-worse-than', '.10', '-q'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('acceptance rate', async () => {
    const lines = (fields: object, x: number) => [
      ...calls({ ...fields, n: x, x: 0 }),
      ...calls({ ...fields, n: 400 - x, x: 0, final_verdict: 'max_iter_exhausted' }),
    ];
    const cwd = logOf([...lines(P1, 390), ...lines(P2, 200)]);
    const ran = await compare(cwd, [...GATE, '--metric', 'acceptance-rate']);
    expect(ran.code).toBe(1);
    expect(ran.stderr.replace(/\s+/g, ' ')).toContain(
      'acceptance rate 50.0 % (200 of 400) against 97.5 % (390 of 400)',
    );
  });

  test.each(
    exceptByDay<[string, readonly string[], readonly string[], RegExp]>(
      [
        ['a candidate without calls', calls({ ...P1, n: 900, x: 630 }), GATE, /the candidate has no call/],
        ['a baseline without calls', calls({ ...P2, n: 900, x: 630 }), GATE, /the baseline has no call/],
        [
          'infra errors only',
          [
            ...calls({ ...P1, n: 900, x: 630 }),
            ...calls({ ...P2, n: 900, x: 0, final_verdict: 'infra_error' }),
          ],
          GATE,
          /the candidate has no answered call/,
        ],
        [
          'a kind in the candidate alone',
          [...equalOf(1_200), ...calls({ ...P2, n: 1, x: 1, kind: 'email' })],
          [...ARMS, '--not-worse-than', '.10'],
          /the kind "email" \(1 call\) is in the candidate alone/,
        ],
        [
          'a kind in the baseline alone',
          [...equalOf(1_200), ...calls({ ...P1, n: 5, x: 5, kind: 'email' })],
          [...ARMS, '--not-worse-than', '.10'],
          /the kind "email" \(5 calls\) is in the baseline alone/,
        ],
        [
          'calls in both arms',
          equalOf(1_200),
          ['--baseline', 'all', '--candidate', 'prompt_version=p2', '--not-worse-than', '.10'],
          /1200 calls are in both arms/,
        ],
        [
          'a line that cannot be loaded',
          [...equalOf(1_200), '{"schema":"session.iterate.v1"}'],
          [...ARMS, '--not-worse-than', '.10'],
          /1 × missing|rejected|missing:/,
        ],
        [
          'a call_id twice',
          [...equalOf(1_200), ...calls({ n: 1, x: 1, call_id: 'c' }), ...calls({ n: 1, x: 0, call_id: 'c' })],
          [...ARMS, '--not-worse-than', '.10'],
          /share/,
        ],
        [
          'old calls under --max-age',
          equalOf(1_200),
          [...ARMS, '--not-worse-than', '.10', '--max-age', '1d'],
          /--max-age/,
        ],
        [
          'more calls asked for',
          equalOf(1_200),
          [...ARMS, '--not-worse-than', '.10', '--min-judged', '5000'],
          /--min-judged/,
        ],
        [
          'a value with a slip of the hand',
          equalOf(1_200),
          [
            '--baseline',
            'prompt_version=p1',
            '--candidate',
            'prompt_version=p2,model=gpt-4.1-mni',
            '--not-worse-than',
            '.10',
          ],
          /did you mean model=gpt-4\.1-mini/,
        ],
        [
          'no margin at all, which equal arms never show',
          equalOf(1_200),
          [...ARMS, '--not-worse-than', '0'],
          /cannot tell yet/,
        ],
      ],
      [
        ...['a baseline without calls', 'infra errors only', 'a kind in the baseline alone'],
        'old calls under --max-age',
      ],
    ),
  )('%s: 3, never 0', async (_, lines, args, says) => {
    const ran = await compare(logOf(lines), args);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(says);
  });

  const BESIDE: readonly [string, readonly string[]][] = [
    ['a missing file', ['gone.jsonl']],
    ['an empty file', ['empty.jsonl']],
  ];
  test.each(byDay(BESIDE, 2))('%s beside the log: 3', async (_, more) => {
    const cwd = logOf(equalOf(1_200));
    writeFileSync(path.join(cwd, 'empty.jsonl'), '');
    // One that was just rotated may be empty.
    utimesSync(path.join(cwd, 'empty.jsonl'), 1, 1);
    const ran = await lakelog(['compare', ...ARMS, '--not-worse-than', '.10', 'sessions.jsonl', ...more], {
      cwd,
    });
    expect(ran.code).toBe(3);
  });

  test('what fired is told beside what cannot vouch, and outranks it', async () => {
    const ran = await compare(logOf([...fallOf(600), 'torn']), GATE);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('cannot vouch:');
  });

  test('what a fallback answered is no case of its own', async () => {
    // The candidate gets only what the baseline failed, a moment later in the same trace.
    const first = calls({ ...P1, n: 300, x: 150, final_verdict: 'max_iter_exhausted' });
    const again = first.map((line) => {
      const { session_id, timestamp } = JSON.parse(line);
      return call({ session_id, timestamp: timestamp.replace(':00.000Z', ':30.000Z'), prompt_version: 'p2' });
    });
    const ran = await compare(logOf([...first, ...again]), [...ARMS, '--not-worse-than', '.10']);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain('the candidate has no answered call that is the first of its trace');
  });
});

describe('compare without a margin only tells', () => {
  test('0, with the verdict and what differs besides', async () => {
    const lines = [
      ...calls({ ...P1, n: 300, x: 210, validator_version: 'v1' }),
      ...calls({ ...P2, n: 300, x: 120, validator_version: 'v2' }),
    ];
    const ran = await compare(logOf(lines), ARMS);
    expect(ran.code).toBe(0);
    const said = ran.stderr.replace(/\s+/g, ' ');
    expect(said).toContain('40.0 % (120 of 300) against 70.0 % (210 of 300)');
    expect(said).toContain('validator_version differs too: v1 in the baseline, v2 in the candidate');
    expect(said).not.toContain('prompt_version differs');
  });

  test('formats of gates are refused: there is no verdict', async () => {
    const ran = await compare(logOf(equalOf(20)), [...ARMS, '--format', 'junit']);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('--not-worse-than')]);
  });

  test('3 where an input was missing, or with --strict where a line was rejected', async () => {
    const cwd = logOf([...equalOf(30), 'torn']);
    expect((await compare(cwd, ARMS)).code).toBe(0);
    expect((await compare(cwd, [...ARMS, '--strict'])).code).toBe(3);
    expect((await lakelog(['compare', ...ARMS, 'sessions.jsonl', 'gone.jsonl'], { cwd })).code).toBe(3);
  });

  test('a window of both arms that slides is told of', async () => {
    const ran = await compare(logOf(equalOf(30)), [...ARMS, '--since', '90d']);
    expect(ran.stderr).toContain('the baseline slides: --since 90d');
    expect(ran.stderr).toContain('the candidate slides: --since 90d');
  });

  atNight('a window that slides is told of', async () => {
    const args = ['--baseline', 'prompt_version=p1', '--candidate', 'prompt_version=p2,since=90d'];
    expect((await compare(logOf(equalOf(30)), args)).stderr).toContain('the candidate slides');
  });
});

describe("Simpson's paradox", () => {
  /** Bickel, Hammel and O'Connell 1975: applicants and admitted, men and women, by department. */
  const BERKELEY = [
    ['A', 825, 512, 108, 89],
    ['B', 560, 353, 25, 17],
    ['C', 325, 120, 593, 202],
    ['D', 417, 138, 375, 131],
    ['E', 191, 53, 393, 94],
    ['F', 373, 22, 341, 24],
  ] as const;
  /** Charig et al. 1986: treatment A and B, small and large stones. */
  const KIDNEY = [
    ['small', 270, 234, 87, 81],
    ['large', 80, 55, 263, 192],
  ] as const;

  const arms = (table: readonly (readonly [string, number, number, number, number])[]) =>
    table.flatMap(([kind, n1, x1, n2, x2]) => [
      ...calls({ ...P1, kind, n: n1, x: x1 }),
      ...calls({ ...P2, kind, n: n2, x: x2 }),
    ]);

  test.each(
    exceptByDay(
      [
        ['Berkeley admissions', BERKELEY, 1_198 / 2_691, 557 / 1_835],
        ['kidney stones', KIDNEY, 289 / 350, 273 / 350],
      ] as const,
      ['Berkeley admissions'],
    ),
  )('%s: the signs differ, and it is said', async (_, table, baseline, candidate) => {
    const { code, stdout, stderr } = await compare(logOf(arms(table)), [...ARMS, '--json']);
    expect(code).toBe(0);
    const rows = resultEnvelope.parse(JSON.parse(stdout)).rows as Record<string, unknown>[];
    const of = (what: string) =>
      rows.find((row) => row.measure === 'first-shot rate' && row.kind === null && row.of === what)!
        .value as number;
    expect(of('baseline')).toBeCloseTo(baseline, 10);
    expect(of('candidate')).toBeCloseTo(candidate, 10);
    expect(of('difference')).toBeCloseTo(candidate - baseline, 10);
    const total = table.reduce((sum, [, n1]) => sum + n1, 0);
    const fair = table.reduce((sum, [, n1, x1, n2, x2]) => sum + (n1 / total) * (x2 / n2 - x1 / n1), 0);
    expect(of('same mix')).toBeCloseTo(fair, 10);
    expect(of('same mix') * of('difference')).toBeLessThan(0);
    expect(stderr.replace(/\s+/g, ' ')).toContain('the mix of kinds turns the first-shot rate round');
  });
});

describe('files of baselines', () => {
  const save = ['--baseline', 'prompt_version=p1', '--save-baseline', 'main.json'];

  test('say the same as a direct comparison, are of the user alone, and need no log', async () => {
    const lines = [
      ...fallOf(200),
      ...calls({ ...P1, n: 50, x: 20, kind: 'email' }),
      ...calls({ ...P2, n: 40, x: 18, kind: 'email' }),
    ];
    const cwd = logOf(lines);
    const saved = await compare(cwd, save);
    expect([saved.code, saved.stderr]).toEqual([0, expect.stringContaining('saved')]);
    expect(statSync(path.join(cwd, 'main.json')).mode & 0o777).toBe(0o600);
    const direct = JSON.parse((await compare(cwd, [...ARMS, '--json'])).stdout);
    const only = logOf(lines.filter((line) => line.includes('"p2"')));
    const file = path.join(cwd, 'main.json');
    const viaFile = JSON.parse(
      (await compare(only, ['--baseline', file, '--candidate', 'all', '--json'])).stdout,
    );
    expect(rounded(viaFile.rows)).toEqual(rounded(direct.rows));
    const { baseline, candidate, needed, ...decision } = direct.decision;
    expect(viaFile.decision).toMatchObject(decision);
    expect(viaFile.decision.baseline).toEqual({ ...baseline, name: file });
    expect(viaFile.decision.candidate).toEqual({ ...candidate, name: 'all' });
  });

  test('as a gate: 1 and 3 as the logs would say', async () => {
    const cwd = logOf(fallOf(600));
    expect((await compare(cwd, save)).code).toBe(0);
    const gate = ['--baseline', 'main.json', '--candidate', 'prompt_version=p2', '--not-worse-than'];
    expect((await compare(cwd, [...gate, '.05'])).code).toBe(1);
    expect((await compare(cwd, [...gate, '.19'])).code).toBe(3);
  });

  test('whose calls are in the other arm too: 3', async () => {
    const cwd = logOf(equalOf(1_200));
    await compare(cwd, save);
    const ran = await compare(cwd, [
      '--baseline',
      'main.json',
      '--candidate',
      'all',
      '--not-worse-than',
      '.10',
    ]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('in the other arm too')]);
  });

  test('are not saved of what cannot be trusted', async () => {
    const cwd = logOf([...equalOf(30), 'torn']);
    const ran = await compare(cwd, save);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('the baseline is not saved')]);
    expect(() => statSync(path.join(cwd, 'main.json'))).toThrow();
    expect((await compare(cwd, [...save, '--max-rejects', '1'])).code).toBe(0);
  });

  atNight('are saved beside a comparison', async () => {
    const cwd = logOf(fallOf(600));
    expect((await compare(cwd, [...GATE, '--save-baseline', 'main.json'])).code).toBe(1);
    expect(statSync(path.join(cwd, 'main.json')).size).toBeGreaterThan(0);
  });

  const REFUSED: readonly [string, (text: string) => string, RegExp][] = [
    ['cut', (text) => text.slice(0, 300), /damaged: it is not one JSON object/],
    ['empty', () => '', /damaged/],
    ['changed by a digit', (text) => text.replace('"firsts": 30', '"firsts": 29'), /checksum/],
    ['without its sample, checksum and all', emptied, /its sample is not of its calls/],
    ['without a key', (text) => text.replace(/"selection": .*\n/, ''), /damaged: selection/],
    ['of something else', () => '{"format":"lakelog.result.v1"}', /is something else: "lakelog.result.v1"/],
    ['of nobody', () => '{}', /it has no format/],
    ['a list', () => '[]', /it has no format/],
    [
      'of a newer lakelog',
      (text) => text.replace('baseline.v1', 'baseline.v2'),
      /of a newer lakelog \(format 2/,
    ],
  ];

  test.each(exceptByDay(REFUSED, ['empty', 'without a key', 'of something else', 'of nobody', 'a list']))(
    'that are %s are refused',
    async (_, change, says) => {
      const cwd = logOf(equalOf(30));
      await compare(cwd, save);
      const file = path.join(cwd, 'main.json');
      writeFileSync(file, change(readFileSync(file, 'utf8')));
      const ran = await compare(cwd, [
        '--baseline',
        'main.json',
        '--candidate',
        'prompt_version=p2',
        '--not-worse-than',
        '.1',
      ]);
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(says)]);
    },
  );

  test('that are missing, or would be saved of a file: 2', async () => {
    const cwd = logOf(equalOf(30));
    expect((await compare(cwd, ['--baseline', 'gone.json', '--candidate', 'all'])).code).toBe(2);
    await compare(cwd, save);
    expect((await compare(cwd, ['--baseline', 'main.json', '--save-baseline', 'x.json'])).code).toBe(2);
  });

  test('never take the place of a log, nor an answer that of a baseline', async () => {
    const cwd = logOf(equalOf(30));
    const log = readFileSync(path.join(cwd, 'sessions.jsonl'), 'utf8');
    const over = await compare(cwd, ['--baseline', 'prompt_version=p1', '--save-baseline', 'sessions.jsonl']);
    expect([over.code, over.stderr]).toEqual([2, expect.stringContaining('one of the files that were read')]);
    expect(readFileSync(path.join(cwd, 'sessions.jsonl'), 'utf8')).toBe(log);
    await compare(cwd, save);
    const main = readFileSync(path.join(cwd, 'main.json'), 'utf8');
    const ran = await compare(cwd, [
      '--baseline',
      'main.json',
      '--candidate',
      'prompt_version=p2',
      '-o',
      './main.json',
    ]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('would be written over')]);
    expect(readFileSync(path.join(cwd, 'main.json'), 'utf8')).toBe(main);
  });

  atNight('that cannot be written: 2', async () => {
    const cwd = logOf(equalOf(30));
    const ran = await compare(cwd, ['--baseline', 'prompt_version=p1', '--save-baseline', 'no/such/x.json']);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('cannot be written')]);
  });
});

test('rates and intervals are those of first-shot-rate, in traces of several calls too', async () => {
  const clustered = (fields: { prompt_version: string }, x: number) =>
    calls({ ...fields, n: 300, x }).map((line, i) =>
      JSON.stringify({
        ...JSON.parse(line),
        session_id: `${fields.prompt_version}-${Math.floor(i / 3)}`,
        kind: i % 7 < 4 ? 'fill' : 'email',
      }),
    );
  const cwd = logOf([...clustered(P1, 200), ...clustered(P2, 120)]);
  const rows = JSON.parse((await compare(cwd, [...ARMS, '--json'])).stdout).rows as Record<string, unknown>[];
  for (const by of byDay([['prompt_version', 'kind'], ['prompt_version']], 2)) {
    const args = ['first-shot-rate', ...by.flatMap((one) => ['--by', one]), '--json', 'sessions.jsonl'];
    const asked = JSON.parse((await lakelog(args, { cwd })).stdout).rows as Record<string, unknown>[];
    expect(asked.length).toBe(2 ** by.length);
    for (const { prompt_version, kind = null, answered, first_shot_rate, rate_low, rate_high } of asked) {
      const of = prompt_version === 'p1' ? 'baseline' : 'candidate';
      const row = rows.find(
        (one) => one.measure === 'first-shot rate' && one.of === of && one.kind === kind,
      )!;
      expect(row).toMatchObject({
        value: first_shot_rate,
        value_low: rate_low,
        value_high: rate_high,
        calls: answered,
      });
    }
  }
});

test('a lake answers as the logs do', async () => {
  const cwd = logOf(fallOf(100));
  const direct = JSON.parse((await compare(cwd, [...GATE, '--json'])).stdout);
  for (const _ of [1, 2]) {
    const ran = JSON.parse((await compare(cwd, [...GATE, '--json', '--lake', 'lake.duckdb'])).stdout);
    expect([ran.rows, ran.decision]).toEqual([direct.rows, direct.decision]);
  }
});

const MISUSED: readonly [string, readonly string[], RegExp][] = [
  ['no baseline', ['--candidate', 'all'], /--baseline is missing/],
  ['no candidate', ['--baseline', 'all'], /--candidate is missing/],
  ['an empty one', ['--baseline', '', '--candidate', 'all'], /--baseline is empty/],
  ['an unknown key', ['--baseline', 'modle=x', '--candidate', 'all'], /did you mean model\?/],
  ['an empty value', ['--baseline', 'model=', '--candidate', 'all'], /model is empty/],
  [
    'a time that is none',
    ['--baseline', 'since=yesterday', '--candidate', 'all'],
    /--baseline since yesterday is not a time/,
  ],
  [
    'a metric that is a mean',
    ['--baseline', 'all', '--candidate', 'all', '--metric', 'tokens'],
    /nothing is decided by/,
  ],
  [
    'a margin in per cent',
    ['--baseline', 'all', '--candidate', 'all', '--not-worse-than', '10'],
    /Ten points are \.10/,
  ],
  ['an alpha that is none', ['--baseline', 'all', '--candidate', 'all', '--alpha', '2'], /--alpha takes/],
];

test.each(byDay(MISUSED, 3))('%s: 2', async (_, args, says) => {
  const ran = await compare(logOf(equalOf(2)), args);
  expect([ran.code, ran.stderr.replace(/\s+/g, ' ')]).toEqual([2, expect.stringMatching(says)]);
});

test('a baseline whose calls are not all recorded is not saved', async () => {
  const cwd = logOf([...equalOf(30), ...calls({ n: 3, x: 0 })]);
  const ran = await compare(cwd, ['--baseline', 'prompt_version=p1', '--save-baseline', 'main.json']);
  expect(ran.stderr).toContain('3 answered calls do not record');
  expect(ran.code).toBe(3);
});

describe('calls that do not record what is selected by', () => {
  const without = (fields = {}) => calls({ n: 30, x: 0, start: '2026-07-02T00:00:00Z', ...fields });
  const ADDED = { prompt_version: 'p2', start: '2026-07-01T00:00:00Z' };

  test.each(
    exceptByDay<[string, readonly string[], readonly string[]]>(
      [
        ['a version', without(), GATE],
        ['a version that is null', without({ prompt_version: null }), GATE],
        [
          'a provider, beside a version that fits',
          calls({ ...ADDED, n: 30, x: 0 }),
          [...GATE.slice(0, 3), 'prompt_version=p2,provider=x', ...GATE.slice(4)],
        ],
      ],
      ['a version that is null'],
    ),
  )('%s: 3, for they may be all that failed', async (_, more, args) => {
    const own = calls({ n: 1_500, x: 1_050, ...ADDED, provider: 'x' });
    const cwd = logOf([...calls({ ...P1, n: 1_500, x: 1_050 }), ...own, ...more]);
    const gate = await compare(cwd, [...args.slice(0, -1), '.15']);
    expect(gate.stderr.replace(/\s+/g, ' ')).toContain('30 answered calls do not record what is selected by');
    expect(gate.code).toBe(3);
    const told = await compare(cwd, args.slice(0, -2));
    expect(told.stderr).toContain('notice: 30 answered calls do not record');
    expect(told.code).toBe(0);
  });

  test.each(
    byDay<[string, readonly string[]]>(
      [
        ['of a kind that neither arm has', without({ kind: 'note' })],
        ['before both arms began', without({ start: '2026-01-01T00:00:00Z' })],
        ['that were not answered', without({ final_verdict: 'infra_error', attempts: [] })],
        ['of another version', without({ prompt_version: 'p0' })],
      ],
      4,
    ),
  )('%s: nobody asks for them', async (_, more) => {
    const cwd = logOf([...equalOf(1_500), ...more]);
    const args = ['since=2026-05-01,prompt_version=p1', 'since=2026-05-01,prompt_version=p2'];
    const ran = await compare(cwd, [
      '--baseline',
      args[0]!,
      '--candidate',
      args[1]!,
      '--not-worse-than',
      '.15',
    ]);
    expect(ran.stderr).not.toContain('do not record');
    expect(ran.code).toBe(0);
  });

  test('what was shown without them still fires', async () => {
    const ran = await compare(logOf([...fallOf(600), ...without()]), GATE);
    expect(ran.stderr).toContain('do not record');
    expect(ran.code).toBe(1);
  });
});

test('the receipt tells a margin that is weaker than its default, and no other than the one that held', async () => {
  const cwd = logOf(equalOf(30));
  writeFileSync(path.join(cwd, 'lakelog.toml'), 'margin = 0.3');
  const weaker = async (margin: string) =>
    /\w+ = \S+ instead of .*/.exec((await compare(cwd, [...ARMS, '--not-worse-than', margin])).stderr)?.[0];
  expect(await weaker('.6')).toBe('margin = 0.6 instead of .10, from --not-worse-than');
  expect(await weaker('.05')).toBeUndefined();
});

test('a kind that always follows another one in its traces is not judged, which is never green', async () => {
  const first = equalOf(1_500);
  const second = fallOf(1_500).map((line) => JSON.stringify({ ...JSON.parse(line), kind: 'email' }));
  const cwd = logOf([...first, ...following(second, first)]);
  const all = await compare(cwd, [...ARMS, '--not-worse-than', '.1']);
  expect(all.stderr.replace(/\s+/g, ' ')).toContain('no trace begins with the kind "email" (3000 calls)');
  expect(all.code).toBe(3);
  expect((await compare(cwd, [...ARMS, '--not-worse-than', '.1', '--kind', 'email'])).code).toBe(1);
});

describe('a fallback for a model that is in neither arm', () => {
  const own = calls({ n: 600, x: 420, model: 'a' });
  const failed = calls({ n: 600, x: 0, model: 'b', final_verdict: 'max_iter_exhausted' });
  const MODELS = ['--baseline', 'model=a', '--candidate', 'model=c', '--not-worse-than', '.1'];

  test('has no first calls: it gets only what was hard', async () => {
    const fallback = following(calls({ n: 600, x: 180, model: 'c' }), failed);
    const ran = await compare(logOf([...own, ...failed, ...fallback]), MODELS);
    expect(ran.stderr.replace(/\s+/g, ' ')).toContain('the candidate has no answered call that is the first');
    expect(ran.code).toBe(3);
  });

  test('a call of another kind before it is another case', async () => {
    const plans = failed.map((line) => JSON.stringify({ ...JSON.parse(line), kind: 'plan' }));
    const worse = following(calls({ n: 600, x: 180, model: 'c' }), plans);
    expect((await compare(logOf([...own, ...plans, ...worse]), MODELS)).code).toBe(1);
  });
});
