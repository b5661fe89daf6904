/** The page in a real browser, with LAKELOG_NIGHTLY=1: it is installed for this test alone, and takes a minute. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { call, newFolder, replayRun, root, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const PACKAGES = [
  '@sparticuz/chromium@147.0.0',
  'axe-core@4.14.1',
  'pixelmatch@7.1.0',
  'pngjs@7.0.0',
  'puppeteer-core@24.43.1',
];
const GOLDEN = path.join(import.meta.dirname, 'golden');
/** Fonts of another machine draw other letters in the same places. */
const TOLERANCE = 0.06;
/** Browsers shrink a page that is too wide for the paper, down to three quarters. */
const WIDEST_PRINT = 703 / 0.75;

interface Seen {
  readonly looks: readonly {
    readonly name: string;
    readonly said: readonly string[];
    readonly requests: number;
    readonly overflow: number;
    readonly unreachable: number;
    readonly violations: readonly string[];
  }[];
  readonly prints: readonly {
    readonly name: string;
    readonly said: readonly string[];
    readonly hidden: number;
    readonly width: number;
  }[];
  readonly shots: readonly { readonly name: string; readonly differs: number | null }[];
}

const HOSTILE = [
  '<script>alert(1)</script>',
  '</style><img src=x onerror=alert(1)>',
  '"><a href=javascript:alert(1)>x',
  '\u202eevil\u202c',
  '\u001b[31mred',
  'W'.repeat(400),
  '👩‍👩‍👧 emoji',
  'مرحبا بالعالم',
  '模型'.repeat(60),
];
const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + i, 8)).toISOString();

/** Logs that have each broken a page, or might. */
const LOGS: Readonly<Record<string, string | readonly string[]>> = {
  healthy: 'fixtures/healthy',
  alarm: 'fixtures/alarm',
  messy: 'fixtures/messy',
  'no replay runs': 'fixtures/healthy/sessions.jsonl',
  nothing: [],
  'many models': Array.from({ length: 600 }, (_, i) => call({ model: `m${i % 300}`, timestamp: day(i % 9) })),
  'many days': Array.from({ length: 400 }, (_, i) =>
    call({ timestamp: day(i), prompt_version: `p${i >> 4}` }),
  ),
  hostile: HOSTILE.flatMap((text, i) => [
    call({
      ...{ session_id: `${text}${i}`, model: text, daemon: text, prompt_version: text, timestamp: day(i) },
      ...{ kind: 'fill', grounded_in_roster: false, iterations: 4, final_verdict: 'accepted' },
      attempts: [...[1, 2, 3].map(() => ({ verdict: 'rejected', reasons: [text] })), { verdict: 'accepted' }],
    }),
    replayRun({ session_id: `${text}${i}`, documents: [{ id: text }] }),
  ]),
};

async function pageOf(name: string): Promise<{ name: string; file: string }> {
  const cwd = newFolder();
  const given = LOGS[name]!;
  if (typeof given !== 'string') writeLines(cwd, 'logs/sessions.jsonl', given);
  // Where they stand is on the page, and the same everywhere.
  else cpSync(path.join(root, 'fixtures'), path.join(cwd, 'fixtures'), { recursive: true });
  const logs = typeof given === 'string' ? given : 'logs';
  const trace = ['--trace-url', 'https://traces.example.com/{session_id}'];
  await lakelog(['report', '-o', 'r.html', ...trace, logs], { cwd });
  return { name, file: path.join(cwd, 'r.html') };
}

function look(request: unknown): Seen {
  const folder = newFolder();
  writeFileSync(path.join(folder, 'package.json'), '{"private":true,"type":"module"}');
  const installed = spawnSync('npm', ['install', '--no-audit', '--no-fund', ...PACKAGES], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(installed.status, installed.stderr).toBe(0);
  copyFileSync(path.join(root, 'test/support/look.mjs'), path.join(folder, 'look.mjs'));
  writeFileSync(path.join(folder, 'request.json'), JSON.stringify(request));
  const ran = spawnSync(process.execPath, ['look.mjs', 'request.json'], { cwd: folder, encoding: 'utf8' });
  expect(ran.status, ran.stderr).toBe(0);
  return JSON.parse(ran.stdout) as Seen;
}

describe.skipIf(process.env.LAKELOG_NIGHTLY !== '1')('in a browser', () => {
  let seen: Seen;

  beforeAll(async () => {
    const pages: Awaited<ReturnType<typeof pageOf>>[] = [];
    for (const name of Object.keys(LOGS)) pages.push(await pageOf(name));
    const [healthy, alarm] = pages;
    mkdirSync(GOLDEN, { recursive: true });
    const shots = [
      { name: 'gates-light', file: alarm!.file, selector: '#gates', scheme: 'light', height: 600 },
      { name: 'gates-dark', file: alarm!.file, selector: '#gates', scheme: 'dark', height: 600 },
      { name: 'trend-light', file: healthy!.file, selector: '#trend', scheme: 'light', height: 480 },
      {
        name: 'rate-dark',
        file: healthy!.file,
        selector: '#first-shot-rate .narrow',
        scheme: 'dark',
        height: 240,
      },
    ].map((one) => ({ ...one, golden: path.join(GOLDEN, `${one.name}.png`) }));
    const update = process.env.LAKELOG_GOLDEN === '1';
    if (!update) for (const { golden } of shots) expect(existsSync(golden), golden).toBe(true);
    seen = look({ pages, shots, update });
  }, 600_000);

  it.each(Object.keys(LOGS))('%s: no error, no request, no overflow, no barrier', (name) => {
    const looks = seen.looks.filter((one) => one.name === name);
    expect(looks).toHaveLength(4);
    for (const one of looks)
      expect(one).toMatchObject({ said: [], requests: 1, overflow: 0, unreachable: 0, violations: [] });
  });

  it.each(Object.keys(LOGS))('%s: paper shows what is closed on the screen, to its last column', (name) => {
    const found = seen.prints.find((one) => one.name === name)!;
    expect(found).toMatchObject({ said: [], hidden: 0 });
    expect(found.width).toBeLessThanOrEqual(WIDEST_PRINT);
  });

  it('looks as it was looked at (LAKELOG_GOLDEN=1 takes new pictures: look at them)', () => {
    for (const { name, differs } of seen.shots) expect(differs ?? 0, name).toBeLessThan(TOLERANCE);
  });
});
