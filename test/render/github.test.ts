import { describe, expect, it } from 'vitest';
import { formats, renderStepSummary } from '../../src/render/index.js';
import fc, { character } from '../support/fast-check.js';
import { CLEAR, FIRED, gateReport, REJECTS, row } from './gate-sample.js';
import { PIPE, receipt, report, verdict } from './sample.js';

const github = (made: typeof FIRED) => formats.github(made, PIPE);

/** As the runner reads a line: the command, its properties unescaped, the text unescaped. */
function parse(line: string) {
  const [, name = '', list = '', data = ''] = /^::([a-z]+) (.*?)::(.*)$/.exec(line) ?? [];
  const unescaped = (text: string) =>
    text
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%3A', ':')
      .replaceAll('%2C', ',')
      .replaceAll('%25', '%');
  const properties = list.split(',').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), unescaped(pair.slice(at + 1))];
  });
  return { name, properties: Object.fromEntries(properties), text: unescaped(data) };
}

const parsed = (made: typeof FIRED) => github(made).trimEnd().split('\n').map(parse);

describe('github', () => {
  it('annotates rows where they stand, then what else makes the run red, then the notices', () => {
    expect(github(FIRED)).toBe(
      [
        '::error file=logs/a.jsonl,line=17,title=lakelog alarm%3A ungrounded::accepted although a worker is not in the roster%0Asession_id: trace-17%0Atimestamp: 2026-09-14T08:00:00Z%0Amodel: gpt-4.1-mini%0A→ lakelog show trace-17',
        '::error file=logs/b%2C c.jsonl,line=4,title=lakelog alarm%3A rejects::2 lines could not be loaded: bad_json, 100%25 broken%0A→ lakelog validate logs',
        '::warning file=logs/a.jsonl,line=20,title=lakelog alarm%3A unjudged::accepted, but nobody checked the roster%0Asession_id: trace-20%0Atimestamp: 2026-09-14T08:00:00Z%0Amodel: claude, 4: x',
        '::notice file=logs/b.jsonl,title=lakelog alarm%3A pending::the last line is unfinished',
        '',
      ].join('\n'),
    );
  });

  it('says what a clear gate judged', () => {
    expect(github(CLEAR)).toBe(
      [
        '::notice title=lakelog alarm::judged 412 calls, no violation',
        '::notice file=logs/b.jsonl,title=lakelog alarm%3A pending::the last line is unfinished',
        '',
      ].join('\n'),
    );
    const settled = receipt({
      acknowledged: {
        calls: 1,
        rejects: 1,
        conflicts: 1,
        missing: 0,
        changed_files: 0,
        file: 'lakelog-acks.jsonl',
      },
    });
    expect(github({ ...CLEAR, receipt: settled })).toContain(
      '::judged 412 calls, no violation, 3 acknowledged\n',
    );
  });

  it('has a notice and nothing else for a question without verdict', () => {
    expect(github(report({ a: 'text' }, [['x'], ['y']]))).toBe('::notice title=lakelog alarm::2 rows\n');
  });

  it('shows nine of a kind and how many more, by what they are', () => {
    const rows = (count: number) => Array.from({ length: count }, (_, i) => row('ungrounded', i + 1));
    const errors = (count: number) => parsed(gateReport(rows(count))).filter(({ name }) => name === 'error');
    expect(errors(9)).toHaveLength(10);
    expect(errors(9).at(-1)?.text).toContain(REJECTS.message);
    expect(errors(10)).toHaveLength(10);
    expect(errors(10).at(-1)?.text.split('\n')[0]).toBe('2 more: 1 × ungrounded, 1 × rejects');
    expect(errors(400)).toHaveLength(10);
    expect(errors(400)[8]?.properties.line).toBe('9');
    expect(errors(400).at(-1)?.text).toContain('392 more: 391 × ungrounded, 1 × rejects');
  });

  it('keeps a finding of rows that are not there', () => {
    const made = gateReport([row('ungrounded', 17)]);
    const errors = parsed({ ...made, result: { ...made.result, rows: [] } });
    expect(errors[0]).toMatchObject({ name: 'error', properties: { file: 'logs/a.jsonl', line: '17' } });
  });

  it('turns a row of a value that no rule names into a warning', () => {
    const [, first] = parsed(gateReport([row('odd', 3)]));
    expect(first).toMatchObject({ name: 'warning', properties: { title: 'lakelog alarm: odd', line: '3' } });
  });

  it('lets no text of a log become a command, a property or a line', () => {
    const hostile = fc.oneof(
      fc.string({ unit: character }),
      fc.string({ unit: fc.constantFrom(...'%:,=\r\n%0A%3A:: ') }),
      fc.constantFrom('::stop-commands::x', '##[add-mask]x', 'a\n::error::b', 'x,line=1::y'),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (session, model, file) => {
        const lines = parsed(gateReport([row('ungrounded', 17, { session, model, file })]));
        expect(lines.map(({ name }) => name)).toEqual(['error', 'error', 'notice']);
        const [{ properties, text } = { properties: {}, text: '' }] = lines;
        expect(Object.keys(properties)).toEqual(file === '' ? ['title'] : ['file', 'line', 'title']);
        expect(properties.title).toBe('lakelog alarm: ungrounded');
        expect(text.split('\n').length).toBeLessThanOrEqual(5);
        expect(github(gateReport([row(model, 1, { session, file })]))).not.toContain('##[');
      }),
    );
  });
});

describe('the step summary', () => {
  it('has verdict, findings, rows and receipt', () => {
    const fired = FIRED.verdict!;
    const made = {
      ...FIRED,
      verdict: { ...fired, fired: [{ ...fired.fired[0]!, message: 'a `b` <c> @d', next: 'run `it`' }] },
    };
    expect(renderStepSummary(made)).toBe(
      [
        '## lakelog alarm: FIRED',
        '',
        'Accepted fills that are not grounded: judged 412 calls, found violations and cannot vouch for the rest.',
        '',
        '- **fired:** a \\`b\\` &lt;c&gt; @&#8203;d (`logs/a.jsonl:17`)<br>→ `` run `it` ``',
        '- **cannot vouch:** 1 unjudged call (`logs/a.jsonl:20`)',
        '- **cannot vouch:** 2 lines could not be loaded: bad_json, 100% broken (`logs/b, c.jsonl:4`)<br>→ `lakelog validate logs`',
        '- **notice:** the last line is unfinished (`logs/b.jsonl`)',
        '',
        '| session_id | timestamp | model | reason | file:line |',
        '| --- | --- | --- | --- | --- |',
        '| trace-17 | 2026-09-14T08:00:00Z | gpt-4.1-mini | ungrounded | logs/a.jsonl:17 |',
        '| trace-20 | 2026-09-14T08:00:00Z | claude, 4: x | unjudged | logs/a.jsonl:20 |',
        '',
        '```text',
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
        '```',
        '',
      ].join('\n'),
    );
  });

  it('has rows and receipt for a question without verdict', () => {
    const text = renderStepSummary(report({ a: 'text' }, [['x']]));
    expect(text).toMatch(/^## lakelog alarm\n\nAccepted fills that are not grounded: 1 row\.\n\n\| a \|/);
    expect(renderStepSummary(report({ a: 'text' }, []))).toContain('\n(no rows)\n');
  });

  it('shows a hundred rows and how many more', () => {
    const rows = Array.from({ length: 250 }, (_, i) => row('ungrounded', i + 1));
    const text = renderStepSummary(gateReport(rows));
    expect(text.match(/^\| trace-/gm)).toHaveLength(100);
    expect(text).toContain('\n… and 150 more rows.\n');
  });

  it.each(['x', '中', '```', '@a', `a${'\u0301'.repeat(5)}`])(
    'stays below 1 MiB of %j without end',
    (text) => {
      const long = text.repeat(40_000);
      const finding = { code: 'rejects', message: long, where: `${long}:1`, next: long };
      const cannot_vouch = Array.from({ length: 90 }, () => finding);
      const rows = Array.from({ length: 120 }, (_, i) => row('ungrounded', i + 1, { model: long }));
      const summary = renderStepSummary(
        gateReport(rows, { verdict: verdict({ status: 'fired', exit_code: 1, cannot_vouch }) }),
      );
      expect(Buffer.byteLength(summary)).toBeLessThan(1 << 20);
      expect(/^… and \d+ more rows\.$|too long for this page/m.test(summary)).toBe(true);
    },
  );

  it('has a fence that nothing inside it closes', () => {
    const kinds = ['```', '````x', '`'].map((kind) => ({ kind, calls: 1 }));
    const summary = renderStepSummary({ ...CLEAR, receipt: receipt({ kinds_not_gated: kinds }) });
    expect(summary).toContain('\n`````text\n');
    expect(summary.endsWith('\n`````\n')).toBe(true);
  });
});
