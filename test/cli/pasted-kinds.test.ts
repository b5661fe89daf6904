import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { call, newFolder, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const good = (kind: string) => call({ kind, final_verdict: 'accepted', grounded_in_roster: true });

/** The words that bash makes of what stands behind `gate it too: `. */
function pasted(step: string): string[] {
  const input = `printf '%s\\0' ${step.slice(step.indexOf('--gated-kind'))}\n`;
  return execFileSync('bash', ['--norc'], { input, encoding: 'utf8' }).split('\0').slice(0, -1);
}

test.each([
  'fill\t',
  'f\u200bill',
  '\ufefffill',
  '\u202ellif',
  'fill\u{1d159}',
  'fill\u00a0',
  'fill\u2800',
  "'fi\nll'",
  'fill\u001b',
  'F\u0130LL',
])('what is told of %j can be pasted as it is printed, and leads to 0', async (kind) => {
  const cwd = newFolder();
  writeLines(cwd, 'a.jsonl', [good('fill'), good(kind)]);
  const { code, stderr } = await lakelog(['alarm', 'a.jsonl'], { cwd });
  const [, step = ''] = /→ (correct the writer, or gate it too: .*)/.exec(stderr) ?? [];
  expect([code, pasted(step)]).toEqual([3, ['--gated-kind', 'fill', '--gated-kind', kind]]);
  expect((await lakelog(['alarm', 'a.jsonl', ...pasted(step)], { cwd })).code).toBe(0);
});

test('a kind with a NUL can only be corrected', async () => {
  const cwd = newFolder();
  writeLines(cwd, 'a.jsonl', [good('fill'), good('fill\0')]);
  const { code, stderr } = await lakelog(['alarm', 'a.jsonl'], { cwd });
  expect(code).toBe(3);
  expect(stderr).toContain('→ correct the writer: ');
  expect(stderr).not.toContain('--gated-kind');
});

test('what shows a call of a trace with an odd id finds it, however it is pasted', async () => {
  const cwd = newFolder();
  const ids = ['a\t\u200b1', 'b\u0000\u202e2'];
  writeLines(
    cwd,
    'a.jsonl',
    ids.map((session_id) => call({ session_id, grounded_in_roster: false })),
  );
  const { code, stderr, stdout } = await lakelog(['alarm', 'a.jsonl'], { cwd });
  expect(code).toBe(1);
  const shown = [...`${stdout}${stderr}`.matchAll(/lakelog (show .*)/g)].map(([, words]) => words!);
  expect(shown).not.toEqual([]);
  for (const words of shown) {
    const args = pasted(`--gated-kind ${words}`).slice(1);
    expect([args, (await lakelog(args, { cwd })).code]).toEqual([args, 0]);
  }
});
