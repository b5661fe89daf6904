import { describe, test } from 'vitest';
import { envelope, equation, exceptByDay, lakelog, newFolder, nightly, unwrapped } from '../support/cli.js';
import { lakelog as inThisProcess } from '../support/program.js';
import { cannotVouch, clear, fires, type Run, usage } from './alarm-cases.js';

/** Only findings about nothing in particular may do without a place. */
const PLACELESS = ['too_few_judged'];

/** Who it runs as is the affair of the binary; of the other cases it gets every fortieth, stdin and environment too. */
const needsBinary = (run: Run, i: number) => nightly || i % 40 === 0 || run.uid !== undefined;

/** Each has one of its kind among the others. */
const AT_NIGHT = [
  'several violations in one trace: every call is a row',
  ...['a missing file', 'only emails', 'a near miss outside the window', 'the same call_id in two files'],
  'a file cut mid-line whose time is an hour ahead',
  ...['a torn tail in a whole gz file can never be completed', 'a file of blank lines'],
  ...['a file in a folder that may not be entered', 'a dangling link named', 'empty stdin'],
  ...['an empty gz member', 'records of replay runs only', 'a newest record that a filter hides is none'],
  'an empty file that is older than --rotation-grace allows',
  'a pending tail as old as a longer grace',
  'an empty file within --rotation-grace beside a good one',
  ...['a gz file of several members', 'a .zst file of several frames, skippable ones among them'],
  ...['a glob that cannot match below a folder that may not be entered', 'stdin', 'a BOM', 'CRLF'],
  ...['nesting of 1,000,000 in the reasons of an attempt', 'as many judged as --min-judged'],
  'a file asserted to hold replay runs has a torn line: a notice',
  'LAKELOG_SESSIONS before lakelog.toml',
  'the same file as sessions and as replay runs through a link',
  'a LAKELOG_MEMORY_LIMIT that is none',
];

const all = [...fires, ...cannotVouch, ...clear, ...usage].map((one) => [one.name, one] as const);
const cases = exceptByDay(all, AT_NIGHT).map(([, one]) => one);

describe.concurrent('alarm', () => {
  for (const [i, one] of cases.entries()) {
    test.skipIf(one.skip)(
      `${one.code}: ${one.name}${one.skip ? ` (skipped: ${one.skip})` : ''}`,
      async ({ expect }) => {
        const folder = newFolder();
        const made = one.make(folder);
        const run: Run = Array.isArray(made) ? { args: made as readonly string[] } : (made as Run);
        const wantsJson = one.code !== 2 && !run.args.includes('--json');
        const ask = needsBinary(run, i) ? lakelog : inThisProcess;
        const ran = await ask(['alarm', ...(wantsJson ? ['--json'] : []), ...run.args], {
          cwd: folder,
          ...run,
        });

        expect
          .soft({ code: ran.code, signal: ran.signal }, ran.stderr)
          .toEqual({ code: one.code, signal: null });
        expect.soft(ran.leftovers).toEqual([]);
        expect.soft(ran.stdout + ran.stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
        for (const pattern of one.says ?? []) expect.soft(unwrapped(ran.stderr)).toMatch(pattern);
        if (one.code !== 0) expect.soft(ran.stderr).toMatch(/→|"next":"/);
        if (one.code === 2) {
          expect(ran.stdout).toBe('');
          return;
        }

        const { verdict, receipt, rows } = envelope(ran);
        const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code);
        expect.soft(verdict!.exit_code).toBe(one.code);
        expect.soft(codes(verdict!.fired)).toEqual(one.fired ?? []);
        expect.soft(codes(verdict!.cannot_vouch)).toEqual(one.cannotVouch ?? []);
        if (one.notices) expect.soft(codes(verdict!.notices)).toEqual(one.notices);
        if (one.code === 0) expect.soft(ran.stderr).toBe('');
        for (const finding of [...verdict!.fired, ...verdict!.cannot_vouch]) {
          expect.soft(finding.next, finding.code).toBeTruthy();
          if (!PLACELESS.includes(finding.code)) expect.soft(finding.where, finding.code).toBeTruthy();
        }
        expect
          .soft(rows.map((row) => `${row.session_id} ${row.reason} ${row.file}:${row.line}`))
          .toEqual(one.rows ?? []);
        for (const file of [...receipt.files, receipt.totals]) {
          const { lines, loaded, rejected, duplicates, blank, pending } = file;
          expect.soft(loaded + rejected + duplicates + blank + pending).toBe(lines);
        }
        if (one.account) expect.soft(equation(receipt.totals)).toBe(one.account);
        if (one.judged !== undefined) expect.soft(receipt.judged).toBe(one.judged);
        if (one.files) expect.soft(receipt.files.map(({ file }) => file)).toEqual(one.files);
        if (one.rejects)
          expect.soft(receipt.rejects.map(({ reason, first }) => `${reason} ${first}`)).toEqual(one.rejects);
        expect.soft(receipt.canary!.planted).toBeGreaterThanOrEqual(3);
        expect.soft(receipt.canary!.found).toBe(receipt.canary!.planted);
      },
    );
  }
});
