import { appendFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { call, newFolder, nightly, replayRun, tries } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { contentOf } from './lake-file.js';

const SYNCS = tries(8, 3_000);
const LOGS = ['sessions.jsonl', 'replay_runs.jsonl'] as const;

/** CPU seconds of this process. */
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** A lake that grows by 10 to 200 lines at a time. */
function growing() {
  const cwd = newFolder();
  const lake = path.join(cwd, 'L.duckdb');
  let n = 0;
  let syncs = 0;
  /** @returns its CPU seconds. */
  const grow = async (): Promise<number> => {
    const lines = Array.from({ length: 10 + ((syncs++ * 37) % 191) }, () => {
      const id = n++;
      return call({
        session_id: id.toString(16).padStart(32, '0'),
        call_id: `c${id % 1_000 === 17 ? id - 1 : id}`,
        timestamp: new Date(Date.UTC(2025, 1, 1) + id * 1_000).toISOString(),
        model: `model-${id % 5}`,
        attempts: [{ verdict: 'rejected', reasons: [`worker W-${id} is busy`] }, { verdict: 'accepted' }],
        iterations: 2,
      });
    });
    appendFileSync(path.join(cwd, LOGS[0]), `${lines.join('\n')}\nnot json ${n}\n`);
    appendFileSync(
      path.join(cwd, LOGS[1]),
      `${replayRun({ session_id: 'r'.repeat(1 + (n % 40)), run_id: `${n}` })}\n`,
    );
    const begun = cpu();
    const ran = await lakelog(['sync', '--lake', lake, '--json', ...LOGS], { cwd });
    expect(ran.code, ran.stderr).toBe(0);
    return cpu() - begun;
  };
  return { cwd, lake, grow };
}

test('many small syncs cost what they read, and leave what one large one leaves', async () => {
  const { cwd, lake, grow } = growing();
  for (let syncs = 0; syncs < SYNCS; syncs++) await grow();
  const once = path.join(newFolder(), 'L.duckdb');
  const ran = await lakelog(['sync', '--lake', once, ...LOGS], { cwd });
  expect(ran.code, ran.stderr).toBe(0);
  const [many, one] = await Promise.all([contentOf(lake), contentOf(once)]);
  // Numbers of batches and of lines in them are of the goes in which they came.
  for (const table of ['base_calls', 'base_runs', 'base_attempts', 'base_rejects', 'base_conflicts'])
    expect(many[table]!.split(' ')[0], table).toBe(one[table]!.split(' ')[0]);
  if (!nightly) return;
  expect(statSync(lake).size).toBeLessThanOrEqual(2 * statSync(once).size);
  // By turns, for a machine is not as fast all night.
  const young = growing();
  const costs: [old: number, young: number][] = [];
  for (let turn = 0; turn < 100; turn++) costs.push([await grow(), await young.grow()]);
  expect(median(costs.map(([old]) => old))).toBeLessThanOrEqual(1.3 * median(costs.map(([, one]) => one)));
});
