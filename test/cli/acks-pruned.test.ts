/** `ack prune` where something of the logs could not be read: what is settled of that holds it up no more. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { DEFAULT_ACKS } from '../support/acks.js';
import { call, newFolder, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

test.each([
  ['a file', 'L.duckdb'],
  ['a folder', 'lake/'],
])('over a lake that is %s, of which a log was lost', async (_, lake) => {
  const cwd = newFolder();
  const log = writeLines(cwd, 'sessions.jsonl', [call({ call_id: 'one' })]);
  const kept = writeLines(cwd, 'kept.jsonl', [call({ call_id: 'bad', grounded_in_roster: false })]);
  const over = ['--lake', lake] as const;
  await lakelog(['sync', ...over, log, kept], { cwd });
  const settle = async (what: string) =>
    expect((await lakelog(['ack', what, '--reason', 'why', ...over], { cwd })).code, what).toBe(0);
  await settle('bad');
  rmSync(log);
  await lakelog(['sync', ...over], { cwd });
  // It matches nothing.
  const acks = path.join(cwd, DEFAULT_ACKS);
  const [settled] = readFileSync(acks, 'utf8').split('\n');
  const idle = { ...JSON.parse(settled!), call_key: 'nobody' };
  writeFileSync(acks, `${settled}\n${JSON.stringify(idle)}\n`);

  const refused = await lakelog(['ack', 'prune', ...over], { cwd });
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('not all logs could be read')]);

  const alarm = await lakelog(['alarm', ...over, '--json'], { cwd });
  const { path: lost } = JSON.parse(alarm.stdout).receipt.problems[0];
  await settle(lost);
  const pruned = await lakelog(['ack', 'prune', ...over], { cwd });
  expect(pruned.code, pruned.stderr).toBe(0);
  expect(pruned.stdout).toMatch(/^taken out: 2, /);
  expect(readFileSync(acks, 'utf8').trim().split('\n')).toHaveLength(2);
  expect((await lakelog(['alarm', ...over], { cwd })).code).toBe(0);
});
