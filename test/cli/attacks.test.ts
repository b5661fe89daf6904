import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../support/lake.js';
import { lakelog } from '../support/program.js';

/** Ways in which a violation was hidden or a verdict lost before; each was found by an attack on exit 0. */

const record = (session: string, grounded: boolean, more: object = {}) =>
  JSON.stringify({
    schema: 'session.iterate.v1',
    session_id: session,
    timestamp: '2026-09-01T08:00:00Z',
    kind: 'fill',
    model: 'm',
    iterations: 1,
    final_verdict: 'accepted',
    grounded_in_roster: grounded,
    attempts: [{ verdict: 'accepted' }],
    ...more,
  });
const good = record('good', true);
const bad = record('bad', false);

function put(folder: string, name: string, content: string): void {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), content);
}

describe('a folder named like a hive partition is a folder', () => {
  test.each(['grounded_in_roster=true', 'kind=%22email%22', 'final_verdict=%22infra_error%22', 'json=1'])(
    '%s',
    async (name) => {
      const cwd = tempFolder();
      put(cwd, `${name}/s.jsonl`, `${good}\n${bad}\n`);
      put(cwd, `${name}/torn.jsonl`, `${record('second', true)}\n{torn\n${record('third', false)}\n`);
      const { code, stdout } = await lakelog(['alarm', name, '--json'], { cwd });
      expect(code).toBe(1);
      expect(JSON.parse(stdout).rows.map((row: { session_id: string }) => row.session_id)).toEqual([
        'bad',
        'third',
      ]);
    },
  );
});

describe('nothing below a folder or a glob is silently left out', () => {
  test('a folder behind a link, whatever else leads to it', async () => {
    const cwd = tempFolder();
    put(cwd, 'a/s.jsonl', `${bad}\n`);
    put(cwd, 'c/s.jsonl', `${good}\n`);
    symlinkSync('a', path.join(cwd, 'b'));
    expect((await lakelog(['alarm', '{b,c}/*.jsonl'], { cwd })).code).toBe(1);
  });

  test.each(['logs', 'logs/*/sessions.jsonl'])('a folder that is gone: %s', async (input) => {
    const cwd = tempFolder();
    put(cwd, 'logs/host1/sessions.jsonl', `${good}\n`);
    symlinkSync('/nonexistent/host2', path.join(cwd, 'logs/host2'));
    const { code, stderr } = await lakelog(['alarm', input], { cwd });
    expect(code).toBe(3);
    expect(stderr).toContain('logs/host2');
  });

  test('a link to itself ends the walk and is told', async () => {
    const cwd = tempFolder();
    put(cwd, 'logs/s.jsonl', `${good}\n`);
    symlinkSync('loop', path.join(cwd, 'logs/loop'));
    expect((await lakelog(['alarm', 'logs'], { cwd })).code).toBe(3);
  });

  test('a link back up is walked once', async () => {
    const cwd = tempFolder();
    put(cwd, 'logs/s.jsonl', `${good}\n`);
    symlinkSync('..', path.join(cwd, 'logs/up'));
    expect((await lakelog(['alarm', 'logs'], { cwd })).code).toBe(0);
  });

  test.each(['sessions.jsonl~', 'sessions.JSONL', 'sessions.jsonl (1)', 'sessions.jsonl.20260901T10:00:00'])(
    'a log named %s',
    async (name) => {
      const cwd = tempFolder();
      put(cwd, 'logs/ok.jsonl', `${good}\n`);
      put(cwd, `logs/${name}`, `${bad}\n`);
      expect((await lakelog(['alarm', 'logs'], { cwd })).code).toBe(1);
    },
  );

  test('a log of any name is read, and what is none is named', async () => {
    const cwd = tempFolder();
    put(cwd, 'logs/ok.jsonl', `${good}\n`);
    put(cwd, 'logs/sessions.log', `${bad}\n`);
    put(cwd, 'logs/notes.log', 'nothing of ours\n');
    const { code, stderr } = await lakelog(['alarm', 'logs'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain(
      '1 file in a folder was not read: no log by name or by content (logs/notes.log)',
    );
  });

  test('a quoted glob reads the folders that it matches, as the shell would have it', async () => {
    const cwd = tempFolder();
    put(cwd, 'st/a.jsonl', `${good}\n`);
    put(cwd, 'st/sub/b.jsonl', `${bad}\n`);
    expect((await lakelog(['alarm', 'st/*'], { cwd })).code).toBe(1);
  });

  test('a pipe that was met on the way is told, not waited for', async () => {
    const cwd = tempFolder();
    put(cwd, 'logs/a.jsonl', `${good}\n`);
    execFileSync('mkfifo', [path.join(cwd, 'logs/b.jsonl')]);
    expect((await lakelog(['alarm', 'logs'], { cwd })).code).toBe(3);
  });
});

describe('only the start of a record is pending', () => {
  test.each([
    ['two records on one line', bad + bad],
    ['a record and a bracket', `${bad}}`],
    ['a trailing comma', bad.replace(/}$/, ',}')],
    ['not JSON at all', 'hello world'],
    ['lines that end in CR only', `${good}\r${bad}\r`],
    ['an array', '[1, 2'],
    ['invalid UTF-8', Buffer.concat([Buffer.from(bad.slice(0, 60)), Buffer.from([0xff])])],
  ])('not %s', async (_, content) => {
    const cwd = tempFolder();
    put(cwd, 'g.jsonl', `${record('other', true)}\n`);
    writeFileSync(path.join(cwd, 'p.jsonl'), content);
    expect((await lakelog(['alarm', 'g.jsonl', 'p.jsonl'], { cwd })).code).toBe(3);
  });

  test('every start of a record is', async () => {
    const cwd = tempFolder();
    const text = Buffer.from(record('é\u20ac😀"\\\u0007', true, { duration_ms: -1.5e3, note: [null, true] }));
    const cuts = Array.from({ length: text.length - 1 }, (_, i) => i + 1);
    for (const cut of cuts)
      writeFileSync(path.join(cwd, `${String(cut).padStart(4, '0')}.jsonl`), text.subarray(0, cut));
    put(cwd, 'whole.jsonl', `${good}\n`);
    const { code, stdout } = await lakelog(['alarm', '.', '--json'], { cwd });
    const { receipt } = JSON.parse(stdout);
    const notPending = receipt.files.filter((file: { pending: number }) => file.pending !== 1);
    expect(notPending.map(({ file }: { file: string }) => file)).toEqual(['whole.jsonl']);
    expect(code).toBe(0);
  });
});

describe('a verdict is not lost on the way', () => {
  test('long lines with one torn among them fit the memory', async () => {
    const cwd = tempFolder();
    const lines = Array.from({ length: 300 }, (_, i) =>
      record(`v${i}`, false, { prompt: 'x'.repeat(100_000) }),
    );
    put(cwd, 'm.jsonl', `${lines.join('\n')}\n{torn\n`);
    const { code, stderr } = await lakelog(['alarm', 'm.jsonl'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('m.jsonl:301');
  });

  test('one cell of megabytes among many rows', async () => {
    const cwd = tempFolder();
    const lines = Array.from({ length: 400 }, (_, i) =>
      record(i === 0 ? 's'.repeat(3_000_000) : `s${i}`, false),
    );
    put(cwd, 'long.jsonl', `${lines.join('\n')}\n`);
    expect((await lakelog(['alarm', 'long.jsonl'], { cwd })).code).toBe(1);
  });

  test.each([
    ['LAKELOG_SESSIONS without a path', { LAKELOG_SESSIONS: ':' }, null],
    ['lakelog.toml with an empty list', {}, 'sessions = []\n'],
  ])('%s is an error, not another file', async (_, env, toml) => {
    const cwd = tempFolder();
    put(cwd, 'sessions.jsonl', `${good}\n`);
    if (toml) put(cwd, 'lakelog.toml', toml);
    expect((await lakelog(['alarm'], { cwd, env })).code).toBe(2);
  });

  test.each(['fill\u0000', '\u0001fill', 'fill\u3164', 'fill\ufe0f'])(
    'the kind %j is a near miss',
    async (kind) => {
      const cwd = tempFolder();
      put(cwd, 's.jsonl', `${good}\n${record('odd', true, { kind, grounded_in_roster: null })}\n`);
      utimesSync(path.join(cwd, 's.jsonl'), 0, 0);
      expect((await lakelog(['alarm', 's.jsonl'], { cwd })).code).toBe(3);
    },
  );
});
