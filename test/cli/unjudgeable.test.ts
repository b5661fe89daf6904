import { describe, expect, test } from 'vitest';
import { ownGate } from '../support/acks.js';
import { call, envelope, newFolder, unwrapped, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const attempts = (...verdicts: readonly unknown[]) =>
  verdicts.map((verdict) => ({ verdict, reasons: ['r'] }));
const rejected = { iterations: 3, final_verdict: 'max_iter_exhausted', grounded_in_roster: undefined };
const log = (...lines: readonly string[]) => {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', lines);
  return cwd;
};

const UNCLEAR: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['a verdict that is spelt otherwise', { attempts: attempts('rejected', 'Rejected', 'rejected') }],
  ['a verdict under another name', { attempts: [1, 2, 3].map(() => ({ verdict_kind: 'rejected' })) }],
  ['an attempt that is no object', { attempts: ['rejected', 'rejected', 'rejected'] }],
  ['fewer attempts than iterations', { attempts: attempts('rejected', 'rejected') }],
  ['more attempts than iterations', { attempts: attempts('rejected', 'accepted', 'rejected', 'rejected') }],
  ['no attempt', { attempts: [] }],
  ['attempts that are not recorded', { attempts: undefined }],
  ['attempts that are no list', { attempts: 'three' }],
];

describe.each(['triple-rejections', 'rejections'])('%s', (command) => {
  test.each(UNCLEAR)('%s: stderr says how many and where, --strict is 3', async (_, changes) => {
    const cwd = log(call(), call({ ...rejected, ...changes }), call({ ...rejected, ...changes }));
    const ran = await lakelog([command], { cwd });
    expect(ran.code).toBe(0);
    expect(unwrapped(ran.stderr)).toMatch(
      /^notice: 2 calls cannot be judged: .* \(sessions\.jsonl:2\)\n {2}→ /m,
    );
    const strict = await lakelog([command, '--strict', '--json'], { cwd });
    expect(strict.code).toBe(3);
    expect(strict.stderr).toContain('cannot vouch: 2 calls cannot be judged');
    const { inconsistent, not_judgeable } = envelope(strict).receipt as unknown as Record<string, number>;
    expect(Math.max(inconsistent!, not_judgeable!)).toBe(2);
  });

  test('says nothing of what it understands, of calls that the filters leave out, or of no attempt at all', async () => {
    const cwd = log(
      call({ ...rejected, attempts: attempts('rejected', 'no_candidate', 'infra_error') }),
      call({ ...rejected, final_verdict: 'infra_error', iterations: 0, attempts: undefined }),
      call({ ...rejected, kind: 'email', attempts: attempts('other', 'x', 'y') }),
    );
    const ran = await lakelog([command, '--kind', 'fill', '--strict'], { cwd });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect((await lakelog([command, '--strict'], { cwd })).stderr).toContain('1 call cannot be judged');
  });
});

test('a question that does not rest on attempts does not ask for them', async () => {
  const cwd = log(call(), call({ ...rejected, attempts: attempts('x') }));
  expect(await lakelog(['first-shot-rate', '--strict'], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test('a gate of one’s own that rests on them cannot vouch', async () => {
  const cwd = log(call({ duration_ms: 1 }), call({ duration_ms: 1, attempts: attempts('x') }));
  writeLines(cwd, 'q/slow.sql', [ownGate().replace('-- gate:', '-- needs: attempts\n-- gate:')]);
  const ran = await lakelog(['slow', '--queries', 'q'], { cwd });
  expect(ran.code, ran.stderr).toBe(3);
  expect(ran.stderr).toContain('cannot vouch: 1 call cannot be judged');
});
