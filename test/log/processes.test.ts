import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lakelog, nightly } from '../support/cli.js';
import { rowsOf, withLake } from '../support/lake.js';
import { bundleLogger, temporaryFolder } from './support.js';

const PROCESSES = 8;
const EACH = nightly ? 25_000 : 1_000;
const LARGE = 4;
const KILLS = nightly ? 300 : 10;

/** Starts a process that has `logger` and `call(changes)`. */
async function writers(script: string) {
  const folder = temporaryFolder();
  const path = join(folder, 'sessions.jsonl');
  await bundleLogger(join(folder, 'log.mjs'));
  const file = join(folder, 'writer.mjs');
  writeFileSync(
    file,
    `import { SessionLogger } from './log.mjs';
    const logger = new SessionLogger(${JSON.stringify(path)}, { onError: () => {} });
    const call = (changes) => ({ session_id: 's', kind: 'fill', model: 'm', iterations: 1,
      final_verdict: 'accepted', grounded_in_roster: true, daemon: process.argv[2], ...changes });
    ${script}`,
  );
  return {
    path,
    start: (name: number | string) =>
      spawn(process.execPath, [file, String(name)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  };
}

function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve) => child.on('close', resolve));
}

interface Writer {
  readonly daemon: string;
  readonly first: number;
  readonly last: number;
  readonly calls: number;
}

/** What the product says of a file, and what it loaded of each writer. */
function inspect(path: string) {
  const sql = `SELECT daemon, min(seq) AS first, max(seq) AS last, count(*) AS calls
    FROM sessions GROUP BY daemon, writer_id ORDER BY length(daemon), daemon`;
  return withLake(
    sql,
    [{ path, as: 'sessions' }],
    async (lake, account) => ({
      file: account.files[0]!,
      gaps: account.gaps,
      reasons: account.rejects.map(({ reason }) => reason),
      writers: (await rowsOf(lake, sql)) as unknown as Writer[],
    }),
    { env: { LAKELOG_MEMORY_LIMIT: '3GB' } },
  );
}

it('imports nothing but node', async () => {
  const imports = await bundleLogger(join(temporaryFolder(), 'log.mjs'));
  expect(imports.length).toBeGreaterThan(0);
  expect(imports.filter((path) => !path.startsWith('node:'))).toEqual([]);
});

it(`${PROCESSES} processes append ${EACH} records of 0.2 to 60 KB each, ${LARGE} more 5 MB ones, and all load`, async () => {
  const { path, start } = await writers(`
    const large = process.argv[2] >= ${PROCESSES};
    for (let i = 0; i < (large ? 2 : ${EACH}); i++) {
      const length = large ? 5_000_000 : Math.floor(60_000 ** ((i * 7919 % 1000) / 1000));
      if (!logger.append(call({ prompt: process.argv[2].slice(-1).repeat(length) }))) process.exitCode = 1;
      if (logger.stats().queuedBytes > 8_000_000) await logger.flush();
    }
    await logger.close();
    if (logger.stats().dropped > 0) process.exitCode = 1;`);
  const codes = await Promise.all(Array.from({ length: PROCESSES + LARGE }, (_, i) => ended(start(i))));
  expect(codes).toEqual(Array(PROCESSES + LARGE).fill(0));
  const { file, gaps, writers: found } = await inspect(path);
  const expected = PROCESSES * EACH + LARGE * 2;
  // A blank line is where a writer met the unfinished write of another one.
  expect(file).toMatchObject({ loaded: expected, rejected: 0, duplicates: 0, lines: expected + file.blank });
  expect(gaps).toEqual([]);
  expect(found.map(({ first, last, calls }) => ({ first, last, calls }))).toEqual([
    ...Array(PROCESSES).fill({ first: 1, last: EACH, calls: EACH }),
    ...Array(LARGE).fill({ first: 1, last: 2, calls: 2 }),
  ]);
});

it(`${KILLS} times kill -9 beside a writer that lives: a torn line each at most, the rest loads`, async () => {
  const { path, start } = await writers(`
    const name = process.argv[2];
    let n = 0;
    if (name === 'lives') process.stdout.write('started');
    const pour = () => {
      // It is killed some time after it began to write, however busy the machine is.
      if (n === 40) process.stdout.write('started');
      for (let i = 0; i < 40; i++) logger.append(call({ prompt: 'x'.repeat((n++ * 7919) % 12_000) }));
    };
    const drip = () => logger.append(n++ === 10 ? null : call());
    if (name === 'lives') process.on('SIGTERM', async () => { await logger.close(); console.log(n); process.exit(); });
    setInterval(name === 'lives' ? drip : pour, name === 'lives' ? 2 : 12);`);
  const living = start('lives');
  let said = '';
  living.stdout.on('data', (chunk) => {
    said += chunk;
  });
  for (let i = 0; i < KILLS; i++) {
    const child = start('dies');
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 130));
    child.kill('SIGKILL');
    await ended(child);
  }
  living.kill('SIGTERM');
  expect(await ended(living)).toBe(0);
  const dripped = Number(said.slice('started'.length));

  const { file, gaps, reasons, writers: found } = await inspect(path);
  expect(file.lines).toBe(file.loaded + file.rejected + file.blank);
  expect(file.rejected).toBeLessThanOrEqual(KILLS);
  expect(reasons.filter((reason) => reason !== 'bad_json' && reason !== 'torn_tail')).toEqual([]);
  const dead = found.filter(({ daemon }) => daemon === 'dies');
  expect(dead.length).toBeGreaterThan(KILLS / 2);
  for (const { first, last, calls } of dead) expect({ first, calls }).toEqual({ first: 1, calls: last });
  expect(found.filter(({ daemon }) => daemon === 'lives')).toEqual([
    { daemon: 'lives', first: 1, last: dripped, calls: dripped - 1 },
  ]);
  expect(gaps.map(({ missing }) => missing)).toEqual([1]);

  const { code, stderr } = await lakelog(['validate', path], { env: { LAKELOG_MEMORY_LIMIT: '3GB' } });
  expect(code).toBe(file.rejected > 0 ? 3 : 0);
  expect(stderr).toContain(
    `1 record of writer "${gaps[0]!.writer_id}" is missing between its first and last seq`,
  );
});
