/** `ack` where something of the logs could not be read: what is settled of that is told no more, nor settled again. */
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
  const listed = await lakelog(['ack', 'list', ...over], { cwd });
  expect([listed.code, listed.stderr]).toEqual([3, expect.stringContaining('cannot vouch')]);
  await settle(lost);
  const again = await lakelog(['ack', 'list', ...over], { cwd });
  expect([again.code, again.stderr]).toEqual([0, '']);
  const twice = await lakelog(['ack', lost, '--reason', 'other', ...over], { cwd });
  expect([twice.code, twice.stderr]).toEqual([0, expect.stringMatching(/^→ next: .*\n$/)]);
  expect(twice.stdout).toMatch(
    /^settled already: changed file, .*\n {2}in lakelog-acks\.jsonl:3\n {2}by .*: why\n$/,
  );
  const pruned = await lakelog(['ack', 'prune', ...over], { cwd });
  expect(pruned.code, pruned.stderr).toBe(0);
  expect(pruned.stdout).toMatch(/^taken out: 2, /);
  expect(readFileSync(acks, 'utf8').trim().split('\n')).toHaveLength(2);
  expect((await lakelog(['alarm', ...over], { cwd })).code).toBe(0);
});

test('of what is named, what is not settled yet alone is written', async () => {
  const cwd = newFolder();
  const over = ['--lake', 'L.duckdb'] as const;
  const first = call({ call_id: 'one', writer_id: 'w', seq: 1 });
  writeLines(cwd, 'sessions.jsonl', [first, call({ call_id: 'two', writer_id: 'w', seq: 4 })]);
  await lakelog(['sync', ...over, 'sessions.jsonl'], { cwd });
  const settle = async (what: string, ...more: readonly string[]) => {
    const ran = await lakelog(['ack', what, '--reason', 'why', ...more, ...over], { cwd });
    expect(ran.code, ran.stderr).toBe(0);
    return ran.stdout;
  };
  const written = () => readFileSync(path.join(cwd, DEFAULT_ACKS), 'utf8').trim().split('\n').length;
  await settle('w:2-3');
  expect(await settle('w:1-9')).toMatch(/^settled already: seq 2 to 3 missing from writer "w"\n/);
  expect(written()).toBe(1);
  writeLines(cwd, 'sessions.jsonl', [
    ...[first, call({ call_id: 'two', writer_id: 'w', seq: 4 })],
    call({ call_id: 'six', writer_id: 'w', seq: 6 }),
  ]);
  const both = await settle('w:1-9');
  expect(both).toMatch(/^settled: seq 5 missing from writer "w"\n/);
  expect(both).toMatch(/^settled already: seq 2 to 3 missing/m);
  expect(written()).toBe(2);
  // For how long is something new to say.
  await settle('w:5-5', '--expires', '2999-01-01');
  expect(written()).toBe(3);
});
