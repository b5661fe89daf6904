/** One line of many attempts: what is made of each must not hold what all of them hold. */
import { expect, test } from 'vitest';
import { call, newFolder, nightly, writeLines } from '../support/cli.js';
import { canMeasure, measured } from '../support/memory.js';

const ATTEMPTS = nightly ? 200_000 : 40_000;

test.skipIf(!canMeasure)('memory grows with the attempts of a call, not with their square', () => {
  const attempts = Array.from({ length: ATTEMPTS }, (_, i) => ({
    verdict: 'rejected',
    reasons: [`r${i % 7}`],
  }));
  const cwd = newFolder();
  writeLines(cwd, 'one.jsonl', [
    call({ attempts, iterations: ATTEMPTS, final_verdict: 'max_iter_exhausted' }),
  ]);
  const sql =
    'SELECT a.verdict, count(*) AS n FROM attempts a JOIN attempt_reasons r USING (call_key, attempt_number) GROUP BY 1';
  for (const args of [['rejections'], ['query', sql]]) {
    const { code, stderr, peakMB } = measured([...args, 'one.jsonl'], { cwd });
    expect(code, stderr).toBe(0);
    expect(peakMB, args[0]).toBeLessThan(nightly ? 500 : 300);
  }
});
