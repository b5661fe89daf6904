import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayRecord, sessionRecord } from '../../src/schema/records.js';
import type { AttemptRecord } from '../../src/schema/types.js';
import { bundleLogger, linesOf, temporaryFolder } from './support.js';

const SCENARIOS = ['healthy', 'alarm', 'messy', 'empty'];
const FILES = ['sessions.jsonl', 'replay_runs.jsonl'];

const sessionsOf = (scenario: string) =>
  linesOf(`fixtures/${scenario}/sessions.jsonl`).map((line) => sessionRecord.parse(JSON.parse(line)));
const runsOf = (scenario: string) =>
  linesOf(`fixtures/${scenario}/replay_runs.jsonl`).map((line) => replayRecord.parse(JSON.parse(line)));

describe('the fixtures', () => {
  it('are what the generator makes, byte for byte', async () => {
    const folder = temporaryFolder();
    const logger = join(folder, 'log.mjs');
    await bundleLogger(logger);
    execFileSync(process.execPath, ['test/support/make-fixtures.mjs', '--out', folder, '--logger', logger]);
    const made = readFileSync(join(folder, 'roster.csv'), 'utf8');
    expect(made).toBe(readFileSync('fixtures/roster.csv', 'utf8'));
    for (const scenario of SCENARIOS) {
      for (const file of FILES) {
        const made = readFileSync(join(folder, scenario, file));
        const same = made.equals(readFileSync(join('fixtures', scenario, file)));
        expect(same, `fixtures/${scenario}/${file}: run npm run fixtures`).toBe(true);
      }
    }
  });

  it.each(['healthy', 'alarm'])('%s is clean, in order of seq and without a note', (scenario) => {
    const calls = sessionsOf(scenario);
    const seqs = new Map<string, number>();
    for (const call of calls) {
      expect(call).not.toHaveProperty('log_note');
      expect(call.session_id).toMatch(/^[0-9a-f]{32}$/);
      expect(call.attempts).toHaveLength(call.iterations);
      expect(call.seq).toBe((seqs.get(call.writer_id!) ?? 0) + 1);
      seqs.set(call.writer_id!, call.seq!);
    }
    expect(new Set(calls.map((call) => call.call_id)).size).toBe(calls.length);
    for (const run of runsOf(scenario)) expect(run).not.toHaveProperty('log_note');
  });

  it('healthy plays a month of staffing', () => {
    const calls = sessionsOf('healthy');
    const runs = runsOf('healthy');
    expect(calls).toHaveLength(400);
    const count = (test: (call: (typeof calls)[number]) => boolean) => calls.filter(test).length;
    expect(new Set(calls.map((call) => call.model)).size).toBe(4);
    expect(count((call) => call.kind === 'fill') / 400).toBeCloseTo(0.55, 1);
    const verdicts = new Set(
      calls.flatMap((call) => (call.attempts as AttemptRecord[]).map((a) => a.verdict)),
    );
    expect(verdicts).toEqual(new Set(['accepted', 'rejected', 'no_candidate', 'infra_error']));
    const accepted = calls.filter((call) => call.final_verdict === 'accepted');
    for (const call of accepted) {
      if (call.kind === 'fill') expect(call).toMatchObject({ grounded_in_roster: true });
      if (call.kind === 'fill') expect(call.proposed_worker_ids!.length).toBeGreaterThan(0);
      expect(call.grounded_in_roster).not.toBe(false);
    }
    const traces = new Set(calls.map((call) => call.session_id));
    expect(traces.size).toBeLessThan(calls.length);
    const replayed = new Set(runs.map((run) => run.session_id));
    expect(replayed.size / traces.size).toBeCloseTo(0.85, 1);
    expect(runs.length).toBeGreaterThan(replayed.size);
    expect(runs.some((run) => run.documents === undefined)).toBe(true);
    expect(runs.some((run) => run.documents?.length === 0)).toBe(true);
    expect(Math.max(...runs.map((run) => run.documents?.length ?? 0))).toBe(12);
    const size = FILES.reduce((sum, file) => sum + statSync(`fixtures/healthy/${file}`).size, 0);
    expect(size).toBeLessThan(1_500_000);
  });

  it('healthy shows that retrieval and the model decide the outcome', () => {
    const calls = sessionsOf('healthy').filter((call) => call.final_verdict !== 'infra_error');
    const rate = (some: typeof calls) =>
      some.filter((call) => call.final_verdict === 'accepted' && call.iterations === 1).length / some.length;
    const documents = new Map(runsOf('healthy').map((run) => [run.session_id, run.documents?.length ?? 0]));
    const retrieved = (low: number, high: number) =>
      calls.filter(({ session_id }) => {
        const count = documents.get(session_id);
        return count !== undefined && count >= low && count <= high;
      });
    expect(rate(retrieved(8, 12)) - rate(retrieved(0, 3))).toBeGreaterThan(0.2);
    const byModel = (model: string) => rate(calls.filter((call) => call.model === model));
    expect(byModel('claude-sonnet-4-5') - byModel('llama-3.3-70b-instruct')).toBeGreaterThan(0.3);
  });

  it('alarm holds three violations and four unjudged fills', () => {
    const fills = sessionsOf('alarm').filter(
      (call) => call.kind === 'fill' && call.final_verdict === 'accepted',
    );
    const stamped = (stamp: unknown) => fills.filter((call) => call.grounded_in_roster === stamp);
    expect([stamped(false), stamped(null), stamped(undefined)].map((calls) => calls.length)).toEqual([
      3, 2, 2,
    ]);
    expect(sessionsOf('alarm').filter((call) => call.grounded_in_roster === false)).toEqual(stamped(false));
    expect(sessionsOf('alarm')).toHaveLength(60);
  });
});
