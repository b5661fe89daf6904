import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import {
  renderAccounting,
  renderError,
  renderFindings,
  renderProgress,
  renderReceipt,
} from '../../src/render/index.js';
import { account, monster, PIPE, receipt, report, terminal, verdict } from './sample.js';

const CANNOT = verdict({
  status: 'cannot_vouch',
  exit_code: 3,
  cannot_vouch: [
    {
      code: 'rejects',
      message: '3 lines were rejected',
      where: 'logs/a.jsonl:12',
      next: 'lakelog validate logs',
    },
    { code: 'unjudged', message: '2 accepted fills carry no stamp' },
  ],
  notices: [{ code: 'empty_file', message: 'the file is empty', where: 'logs/b.jsonl' }],
});

const TROUBLED = receipt({
  files: [
    account('logs/a.jsonl', { rejected: 3, lines: 615 }),
    account('logs/b.jsonl', { lines: 0, loaded: 0, blank: 0, bytes: 0, newest_record: null }),
  ],
  totals: { ...account(''), lines: 615, rejected: 3 },
  rejects: [
    { reason: 'bad_json', count: 2, first: 'logs/a.jsonl:12', detail: 'no JSON after column 7' },
    { reason: 'missing:kind', count: 1, first: 'logs/a.jsonl:40', detail: 'kind is missing' },
  ],
  gaps: [
    { writer_id: 'w1', missing: 4, ranges: [{ from: 3, to: 6 }], more: 0, last: 6, where: 'logs/a.jsonl:9' },
  ],
  window: { since: '2026-08-01T00:00:00.000Z', until: null, tz: 'Europe/Berlin' },
});

function gate(over: object) {
  return report({ a: 'text' }, [], over);
}

describe('receipt', () => {
  it('is short when all is well', () => {
    expect(renderReceipt(gate({ verdict: verdict() }), terminal(80))).toBe(
      [
        'CLEAR  alarm judged 412 calls and found no violation.',
        '612 lines = 610 loaded + 0 rejected + 0 duplicates + 2 blank + 0 pending',
        'files     1 file, 1.2 MB, from arguments: healthy/sessions.jsonl',
        'judged    412 of 412 calls of gated kinds: fill',
        'not gated email 120, playbook 78',
        'calls     610 loaded, 610 selected; 0 inconsistent, 0 not judgeable, 0 conflicts',
        'window    all time (UTC)',
        'newest    2026-09-01T08:00:00Z, 3 h ago',
        'canary    3 planted, 3 found',
        'acked     0 acknowledged',
        'query     alarm 0123456789ab, lakelog 0.1.0',
        '',
      ].join('\n'),
    );
  });

  it('names every finding with what, where and next', () => {
    expect(renderReceipt(gate({ verdict: CANNOT, receipt: TROUBLED }), terminal(80))).toBe(
      [
        'CANNOT VOUCH  alarm did not fire, but this run is no proof (2 reasons).',
        'cannot vouch: 3 lines were rejected (logs/a.jsonl:12)',
        '  → lakelog validate logs',
        'cannot vouch: 2 accepted fills carry no stamp',
        'notice: the file is empty (logs/b.jsonl)',
        '615 lines = 610 loaded + 3 rejected + 0 duplicates + 2 blank + 0 pending',
        'rejects   3 lines, 2 reasons',
        '          2 × bad_json, first logs/a.jsonl:12: no JSON after column 7',
        '          1 × missing:kind, first logs/a.jsonl:40: kind is missing',
        'files     2 files, 1.2 MB, from arguments',
        '          logs/a.jsonl: 615 lines, 1.2 MB, 3 rejected',
        '          logs/b.jsonl: 0 lines, 0 B',
        'judged    412 of 412 calls of gated kinds: fill',
        'not gated email 120, playbook 78',
        'calls     610 loaded, 610 selected; 0 inconsistent, 0 not judgeable, 0 conflicts',
        'gaps      4 lines lost, by writer: w1 4',
        'window    since 2026-08-01T00:00:00Z (Europe/Berlin)',
        'newest    2026-09-01T08:00:00Z, 3 h ago',
        'canary    3 planted, 3 found',
        'acked     0 acknowledged',
        'query     alarm 0123456789ab, lakelog 0.1.0',
        '',
      ].join('\n'),
    );
  });

  it('says that a fired gate cannot vouch either', () => {
    const both = verdict({
      ...CANNOT,
      status: 'fired',
      exit_code: 1,
      fired: [{ code: 'rows', message: '1 fill is bad' }],
    });
    expect(
      renderReceipt(gate({ verdict: both }), PIPE)
        .split('\n')
        .slice(0, 2),
    ).toEqual([
      'FIRED  alarm judged 412 calls and found violations; it cannot vouch for the rest.',
      'fired: 1 fill is bad',
    ]);
  });

  it('shows an input problem that no finding names', () => {
    const problems = [{ path: 'x.jsonl', problem: 'missing', detail: 'no such file' }];
    const made = gate({ verdict: verdict(), receipt: { ...receipt(), problems } });
    expect(renderReceipt(made, PIPE)).toContain('notice: no such file (x.jsonl)\n');
  });

  it('gives no verdict where there is none', () => {
    expect(renderReceipt(gate({}), PIPE)).toMatch(/^612 lines = /);
  });

  it.each([
    [{ calls: 0, rejects: 0, conflicts: 0, missing: 0, changed_files: 0, file: null }, '0 acknowledged'],
    [
      { calls: 0, rejects: 0, conflicts: 0, missing: 0, changed_files: 0, file: 'lakelog-acks.jsonl' },
      '0 acknowledged (lakelog-acks.jsonl)',
    ],
    [
      { calls: 1, rejects: 1, conflicts: 2, missing: 0, changed_files: 0, file: 'acks.jsonl' },
      '4 acknowledged: 1 call, 1 reject, 2 conflicts (acks.jsonl)',
    ],
    [
      { calls: 0, rejects: 3, conflicts: 0, missing: 0, changed_files: 0, file: 'a\x1b' },
      '3 acknowledged: 3 rejects (a\\x1b)',
    ],
    [
      { calls: 0, rejects: 0, conflicts: 0, missing: 7, changed_files: 1, file: 'acks.jsonl' },
      '8 acknowledged: 7 missing records, 1 changed file (acks.jsonl)',
    ],
  ])('counts what was acknowledged: %j', (acknowledged, text) => {
    const made = gate({ verdict: verdict(), receipt: receipt({ acknowledged }) });
    expect(renderReceipt(made, terminal(80)).split('\n')).toContain(`acked     ${text}`);
  });

  it('has no such line where nothing can be acknowledged', () => {
    expect(renderReceipt(gate({ receipt: receipt({ acknowledged: null }) }), PIPE)).not.toContain('acked');
  });

  it('colours the verdict word only when told to', () => {
    expect(renderReceipt(gate({ verdict: verdict() }), { color: true, width: 80 })).toContain(
      '\x1b[32m\x1b[1mCLEAR\x1b[',
    );
  });

  it.each([80, 100, 200])(
    'names every finding on %i columns, a few files and reasons, and is no wider',
    (width) => {
      for (const text of ['x', '中文', '\x1b[2J\u202e', 'y'.repeat(5000)]) {
        const big = monster(text);
        for (const status of ['fired', 'cannot_vouch'] as const) {
          const output = renderReceipt(
            gate({ ...big, verdict: { ...big.verdict, status } }),
            terminal(width),
          );
          const lines = output.trimEnd().split('\n');
          // A command is whole, however long: cut, it would be none.
          for (const line of lines.filter((line) => !line.startsWith('  → '))) {
            expect(stringWidth(line)).toBeLessThanOrEqual(width);
          }
          expect(lines.filter((line) => /^(fired|cannot vouch|notice): \d+ lines/.test(line))).toHaveLength(
            70,
          );
          expect(lines.filter((line) => line.startsWith('  → '))).toHaveLength(70);
          for (const must of [
            '= 123456789012 loaded',
            'judged ',
            'canary ',
            'newest ',
            'window ',
            'acked ',
            'ffffffffffff',
          ]) {
            expect(output.replace(/\n\s*/g, ' ')).toContain(must);
          }
          expect(output).toMatch(/… and 85 more reasons/);
          expect(output).toMatch(/… and 295 more files/);
        }
      }
    },
  );

  it('names files in trouble before the others', () => {
    const files = Array.from({ length: 12 }, (_, i) => account(`${i}.jsonl`, { rejected: i === 11 ? 1 : 0 }));
    const output = renderReceipt(gate({ verdict: verdict(), receipt: receipt({ files }) }), terminal(80));
    expect(output).toMatch(/from arguments\n +11\.jsonl: .*\n +0\.jsonl: /);
    expect(output).toContain('… and 7 more files');
  });

  it('wraps sentences at 100 where there is no screen, and leaves paths and commands whole', () => {
    const { receipt, verdict } = monster('end');
    const lines = renderReceipt(gate({ receipt, verdict }), PIPE).split('\n');
    expect(lines.filter((line) => line.startsWith('  → '))).toHaveLength(70);
    expect(lines.join(' ').replace(/ +/g, ' ')).toContain(verdict.fired[9]?.message);
    expect(lines.join('\n')).toContain(verdict.fired[9]?.where);
    for (const line of lines.filter((line) => line.length > 100)) expect(line).toMatch(/^ *\S+$|^ {2}→ /);
  });
});

describe('what stands beside it', () => {
  it('findings alone', () => {
    expect(renderFindings(CANNOT, terminal(80))).toBe(
      [
        'cannot vouch: 3 lines were rejected (logs/a.jsonl:12)',
        '  → lakelog validate logs',
        'cannot vouch: 2 accepted fills carry no stamp',
        'notice: the file is empty (logs/b.jsonl)',
        '',
      ].join('\n'),
    );
    expect(renderFindings(verdict(), PIPE)).toBe('');
  });

  it('the accounting of validate, as a table and where that is too wide', () => {
    const made = report({ a: 'text' }, [], { receipt: TROUBLED });
    expect(renderAccounting(made, PIPE)).toBe(
      [
        'file          size    lines  loaded  rejected  duplicates  blank  pending',
        '────────────  ──────  ─────  ──────  ────────  ──────────  ─────  ───────',
        'logs/a.jsonl  1.2 MB    615     610         3           0      2        0',
        'logs/b.jsonl  0 B         0       0         0           0      0        0',
        'total         1.2 MB    615     610         3           0      2        0',
        '',
        'reason        count  first            detail',
        '────────────  ─────  ───────────────  ──────────────────────',
        'bad_json          2  logs/a.jsonl:12  no JSON after column 7',
        'missing:kind      1  logs/a.jsonl:40  kind is missing',
        '',
      ].join('\n'),
    );
    expect(renderAccounting(made, terminal(50)).split('\n').slice(0, 4)).toEqual([
      'logs/a.jsonl (1.2 MB)',
      '  615 lines = 610 loaded + 3 rejected +',
      '  0 duplicates + 2 blank + 0 pending',
      'logs/b.jsonl (0 B)',
    ]);
  });

  it('an error with what, where and next', () => {
    expect(
      renderError(
        { what: 'no such\nquery', where: 'q.sql:3', next: 'lakelog queries', detail: 'one\ntwo\x1b' },
        PIPE,
      ),
    ).toBe('error: no such\\nquery\n  at q.sql:3\n  one\n  two\\x1b\n  → lakelog queries\n');
  });

  it('progress', () => {
    expect(renderProgress(120e6, 640e6, PIPE)).toBe('reading 120 MB of 640 MB');
    expect(renderProgress(999_960, null, PIPE)).toBe('reading 1.0 MB');
  });
});
