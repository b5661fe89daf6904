import { createHash } from 'node:crypto';
import { linkSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { byDay, call, newFolder, nightly, replayRun, root, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const FIXTURES = path.join(root, 'fixtures');

/** The pages of some logs. */
async function pages(logs: string, args: readonly string[] = [], cwd = newFolder()) {
  const ran = await lakelog(['report', '-o', 'r.html', '-o', 'r.md', ...args, logs], { cwd });
  const [html, md] = ['r.html', 'r.md'].map((name) => readFileSync(path.join(cwd, name), 'utf8'));
  const { document } = parseHTML(html!);
  return { ran, html: html!, md: md!, document, text: document.body.textContent ?? '' };
}

describe('a page', () => {
  it.each(byDay(['log.md', 'linked.md', 'hard.html', './x/../log.md'], 2))(
    'takes the place of no log: %s',
    async (name) => {
      const cwd = newFolder();
      const log = writeLines(cwd, 'log.md', [call()]);
      writeLines(cwd, 'x/other.jsonl', [call()]);
      symlinkSync('log.md', path.join(cwd, 'linked.md'));
      linkSync(log, path.join(cwd, 'hard.html'));
      const before = readFileSync(log, 'utf8');
      const ran = await lakelog(['report', '-o', 'fine.html', '-o', name, 'log.md'], { cwd });
      expect(ran).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('it is one of the files that were read'),
      });
      expect(ran.stderr).toContain('fine.html is written');
      expect(readFileSync(log, 'utf8')).toBe(before);
    },
  );
});

/** Several tests look at it. */
let made: ReturnType<typeof pages> | undefined;
const ofHealthy = () => {
  made ??= pages(path.join(FIXTURES, 'healthy'));
  return made;
};

/** What a log may do to a page that shows it. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '</style><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  '\u202egnp.exe',
  '\u001b[31mred\u001b]8;;http://x\u0007',
  "' onmouseover='alert(1)",
  '&lt;b&gt;',
  '| a | b |\n# heading',
  '\ud800 lone',
];

describe('the page', () => {
  it('tells the state of the gate first, and all parts that the logs allow', async () => {
    const { ran, document, text } = await ofHealthy();
    expect(ran).toMatchObject({ code: 0, stderr: 'r.html is written\nr.md is written\n' });
    const ids = [...document.querySelectorAll('main > section')].map((section) => section.id);
    expect(ids).toEqual([
      'gates',
      'first-shot-rate',
      'trend',
      'retries',
      'reasons',
      'corpus',
      'triple-rejections',
    ]);
    expect(document.querySelector('#gates .status')?.textContent).toBe('CLEAR');
    expect(text).toContain('176 calls');
    expect(text).toContain('3 planted, 3 found');
    for (const id of ['first-shot-rate', 'trend', 'reasons', 'corpus']) {
      const charts = [...document.querySelectorAll(`#${id} svg`)];
      expect(charts, id).toHaveLength(2);
      for (const chart of charts) {
        expect(chart.getAttribute('role')).toBe('img');
        expect(chart.getAttribute('aria-label')).toContain('The table below has the numbers');
      }
      expect(document.querySelectorAll(`#${id} table tbody tr`).length, id).toBeGreaterThan(3);
    }
    expect(text).toMatch(/claude-sonnet-4-5: first-shot rate [\d.]+ % \(\d+ of \d+\) against/);
    expect(text).toContain('Drift: ');
    expect(text).toMatch(/2026-09-02: prompt email@7/);
  });

  it('leads from each row to the story of its trace', async () => {
    const args = ['--trace-url', 'https://traces.example.com/t/{session_id}'];
    const { ran, document, text } = await pages(path.join(FIXTURES, 'alarm'), args);
    expect(ran.code).toBe(0);
    expect(document.querySelector('#gates .status')?.textContent).toBe('FIRED');
    const id = '4e52b80caf3a63acc6a42ea78ed67529';
    expect(document.querySelector(`a[href="https://traces.example.com/t/${id}"]`)?.textContent).toBe(id);
    expect(text).toContain(`lakelog show ${id}`);
  });

  it('asks for nothing and runs nothing: one style that its policy names, no script, no address of its own', async () => {
    const { html, document } = await ofHealthy();
    const policy = document
      .querySelector('meta[http-equiv="Content-Security-Policy"]')
      ?.getAttribute('content');
    const styles = [...document.querySelectorAll('style')];
    expect(styles).toHaveLength(1);
    const hash = createHash('sha256').update(styles[0]!.textContent!).digest('base64');
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    expect(document.querySelectorAll('script, link, img, iframe, object, embed, form').length).toBe(0);
    expect(html).not.toMatch(/\sstyle=|\son\w+=|javascript:/i);
    for (const link of document.querySelectorAll('a')) expect(link.getAttribute('href')).toMatch(/^#/);
    const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('shows a log that is full of tags and controls as text', async () => {
    const cwd = newFolder();
    const lines = HOSTILE.flatMap((text, i) => [
      call({
        session_id: `${text} ${i}`,
        model: text.includes('\ud800') ? 'm' : text,
        kind: 'fill',
        prompt_version: text.includes('\ud800') ? 'p' : text,
        grounded_in_roster: false,
        iterations: 4,
        final_verdict: 'accepted',
        timestamp: `2025-06-0${(i % 8) + 1}T08:00:00Z`,
        attempts: [1, 2, 3]
          .map(() => ({ verdict: 'rejected', reasons: [text.replace('\ud800', '')] }))
          .concat({ verdict: 'accepted' } as never),
      }),
      replayRun({ session_id: `${text} ${i}`, documents: [{ id: text.replace('\ud800', '') }] }),
    ]).filter((line) => !/\\ud800/i.test(line));
    writeLines(cwd, 'sessions.jsonl', lines);
    const { html, md, document } = await pages(
      'sessions.jsonl',
      ['--trace-url', 'https://t.example/{session_id}'],
      cwd,
    );
    expect(document.querySelectorAll('script, img, b, iframe').length).toBe(0);
    expect(html).not.toMatch(/<(script|img|svg onload|b>)/i);
    expect(
      [...document.querySelectorAll('*')].filter((one) =>
        [...one.attributes].some(({ name }) => name.startsWith('on')),
      ),
    ).toEqual([]);
    expect(html).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
    expect(md).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    // Nothing of the log begins a heading.
    expect(md).not.toMatch(/^# heading/m);
    for (const link of document.querySelectorAll('a'))
      expect(link.getAttribute('href')).toMatch(/^(#|https:\/\/t\.example\/)/);
  });

  it('opens no address that is none of the web', async () => {
    const { document } = await pages(path.join(FIXTURES, 'alarm'), [
      '--trace-url',
      'javascript:alert("{session_id}")',
    ]);
    for (const link of document.querySelectorAll('a')) expect(link.getAttribute('href')).toMatch(/^#/);
  });

  it('holds people’s own questions and the entries of lakelog.toml', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'queries/slow-calls.sql', [
      '-- title: Slow <calls>',
      '-- question: Which calls took long?',
      '-- column: session_id text -- Trace.',
      'SELECT s.session_id FROM sessions s WHERE s.duration_ms > 1000 ORDER BY s.session_id',
    ]);
    writeLines(cwd, 'lakelog.toml', ['queries = ["queries"]', '[[drift]]', 'name = "daily"']);
    const { document, ran } = await pages(path.join(FIXTURES, 'healthy'), [], cwd);
    expect(ran.code).toBe(0);
    expect(document.querySelector('#own-slow-calls h2')?.textContent).toBe('Slow <calls>');
    expect(document.querySelectorAll('#gates article')).toHaveLength(2);
  });
});

describe('more than a page holds', () => {
  const day = (i: number) => new Date(Date.UTC(2024, 0, 1 + i, 8)).toISOString();

  it('draws the newest of many days, not the oldest, and says what it leaves out', async () => {
    const cwd = newFolder();
    const lines = Array.from({ length: 450 }, (_, i) =>
      call({ timestamp: day(i), prompt_version: `p${Math.floor(i / 20)}` }),
    );
    writeLines(cwd, 'sessions.jsonl', lines);
    const { document, md } = await pages('sessions.jsonl', [], cwd);
    const trend = document.querySelector('#trend')!;
    expect(trend.querySelectorAll('.wide circle').length).toBe(400);
    expect(trend.textContent).toContain('Drawn are the newest 400 of 450 rows.');
    expect(trend.textContent).toContain('Not marked: 14 earlier days with new versions.');
    expect(md).toContain('Not marked: 14 earlier days with new versions.');
    expect(trend.querySelector('tbody tr:last-child')!.textContent).toContain(day(449).slice(0, 10));
    expect(trend.querySelectorAll('tbody tr').length).toBe(200);
    expect(trend.textContent).toContain('… and 250 earlier rows');
  });

  it.skipIf(!nightly)('says that it draws and compares only some of many models', async () => {
    const cwd = newFolder();
    const lines = Array.from({ length: 50 }, (_, i) => call({ model: `m${i}`, timestamp: day(i % 3) }));
    writeLines(cwd, 'sessions.jsonl', lines);
    const { document } = await pages('sessions.jsonl', [], cwd);
    const part = document.querySelector('#first-shot-rate')!;
    expect(part.querySelectorAll('.wide circle').length).toBe(40);
    expect(part.textContent).toContain('Drawn are the first 40 of 50 rows.');
    expect(part.textContent).toContain('42 more models with fewer calls: lakelog compare');
    expect(part.querySelectorAll('tbody tr').length).toBe(50);
  });
});

describe('what cannot be a page', () => {
  const NO_PAGES: [string[], string][] = [
    [['-o', 'r.pdf'], 'neither .html nor .md'],
    [[], 'no file was named'],
  ];
  it.each(byDay(NO_PAGES, 2))('%j', async (args, words) => {
    const ran = await lakelog(['report', ...args, path.join(FIXTURES, 'healthy')]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(words);
  });

  it('a missing log is 3, and said on the page', async () => {
    const { ran, text } = await pages('gone.jsonl');
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain('gone.jsonl');
    expect(text).toContain('CANNOT VOUCH');
  });

  it('a folder that does not exist is 2, and the other file is written', async () => {
    const cwd = newFolder();
    const ran = await lakelog(['report', '-o', 'no/r.html', '-o', 'r.md', path.join(FIXTURES, 'healthy')], {
      cwd,
    });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('no/r.html');
    expect(readFileSync(path.join(cwd, 'r.md'), 'utf8')).toContain('# lakelog report');
  });
});
