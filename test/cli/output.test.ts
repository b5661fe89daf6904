import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { DEFAULT_ACKS, violation } from '../support/acks.js';
import {
  atNight,
  byDay,
  call,
  envelope,
  exceptByDay,
  newFolder,
  nightly,
  replayRun,
  start,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { inShell } from '../support/terminal.js';

const logs = { clear: [call()], fired: [call(), violation()], doubtful: [call(), '{"x'] };

function folder(kind: keyof typeof logs = 'fired'): string {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', logs[kind]);
  return cwd;
}

const read = (cwd: string, name: string) => readFileSync(path.join(cwd, name), 'utf8');
const modeOf = (cwd: string, name: string) => statSync(path.join(cwd, name)).mode & 0o777;

/** Made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly it: T } | undefined;
  return () => {
    made ??= { it: make() };
    return made.it;
  };
}

/** Two runs differ in nothing but how old the newest record is. */
const ageless = (text: string) => text.replace(/"newest_record_age_s":\d+/, '"newest_record_age_s":0');

/** What a run ends with where what it writes cannot be written. */
const ENDS = exceptByDay(
  [
    ['fired', 1],
    ['clear', 2],
    ['doubtful', 2],
  ] as const,
  ['doubtful'],
);

describe('--output', () => {
  test.each(
    exceptByDay(
      [
        ['x.json', 'json'],
        ['x.jsonl', 'jsonl'],
        ['x.ndjson', 'jsonl'],
        ['x.csv', 'csv'],
        ['x.md', 'md'],
        ['x.xml', 'junit'],
        ['X.JSON', 'json'],
        ['a.b.csv', 'csv'],
      ],
      ['x.jsonl', 'x.ndjson', 'x.csv', 'x.md', 'a.b.csv'],
    ),
  )('%s holds what --format %s prints', async (name, format) => {
    const cwd = folder();
    const ran = await lakelog(['alarm', '-o', name], { cwd });
    expect(ran.code).toBe(1);
    const { stdout } = await lakelog(['alarm', '--format', format], { cwd });
    expect(ageless(read(cwd, name))).toBe(ageless(stdout));
  });

  test('x.txt holds the table and what it rests on', async () => {
    const cwd = folder();
    const ran = await lakelog(['alarm', '-o', 'x.txt'], { cwd, env: { FORCE_COLOR: '1' } });
    expect(read(cwd, 'x.txt')).toContain('ungrounded');
    expect(read(cwd, 'x.txt')).toMatch(/^FIRED /m);
    expect(read(cwd, 'x.txt')).not.toContain('\u001b');
    expect(ran.stdout).toContain('\u001b');
  });

  test('is repeatable, and stdout stays what it was', async () => {
    const cwd = folder();
    const plain = await lakelog(['alarm', '--format', 'csv'], { cwd });
    const ran = await lakelog(['alarm', '--format', 'csv', '-o', 'a.json', '--output=b.xml', '-oc.md'], {
      cwd,
    });
    expect(ran).toMatchObject({ code: 1, stdout: plain.stdout });
    for (const name of ['a.json', 'b.xml', 'c.md']) {
      expect(modeOf(cwd, name)).toBe(0o600);
      expect(read(cwd, name)).toContain('bad');
    }
    expect(readdirSync(cwd).sort()).toEqual(['a.json', 'b.xml', 'c.md', 'sessions.jsonl']);
  });

  test('is written with --quiet too', async () => {
    const cwd = folder('clear');
    const ran = await lakelog(['alarm', '-q', '-o', 'x.json', '-o', 'x.xml'], { cwd });
    expect(ran).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(JSON.parse(read(cwd, 'x.json')).verdict.status).toBe('clear');
    expect(read(cwd, 'x.xml')).toContain('failures="0"');
  });

  const NO_NAMES = [
    ...['x', 'x.html', 'x.json.gz', '.json', 'json', '/dev/stderr'],
    ...['x.', '', 'x.constructor', 'x.toString'],
  ];
  test.each(byDay(NO_NAMES, 3))('%j: exit 2 before anything is read', async (name) => {
    const cwd = folder();
    const ran = await lakelog(['alarm', 'gone.jsonl', '-o', name], { cwd });
    if (name === '.json') {
      expect([2, 3]).toContain(ran.code);
      return;
    }
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).not.toContain('gone.jsonl');
    expect(ran.stderr).toContain('.csv');
    expect(readdirSync(cwd)).toEqual(['sessions.jsonl']);
  });

  test.each(byDay(['first-shot-rate', 'validate', 'query'], 3))(
    'x.xml is no file of %s, which is no gate',
    async (name) => {
      const cwd = folder();
      const args = name === 'query' ? [name, 'SELECT 1 AS a'] : [name];
      expect((await lakelog([...args, '-o', 'x.xml'], { cwd })).code).toBe(2);
      expect((await lakelog([...args, '--format', 'junit'], { cwd })).code).toBe(2);
      expect((await lakelog([...args, '--format', 'github'], { cwd })).code).toBe(2);
      expect(existsSync(path.join(cwd, 'x.xml'))).toBe(false);
      expect((await lakelog([...args, '-o', 'x.csv'], { cwd })).code).toBe(0);
      expect(read(cwd, 'x.csv').split('\n').length).toBeGreaterThan(1);
    },
  );

  describe('where it cannot be written', () => {
    const targets = ['no/such/x.json', 'folder.json', 'full.json', 'pipe.json', 'socket.json', 'link.json'];
    const prepared = (kind: keyof typeof logs) => {
      const cwd = folder(kind);
      mkdirSync(path.join(cwd, 'folder.json'));
      symlinkSync('/dev/full', path.join(cwd, 'full.json'));
      execFileSync('mkfifo', ['pipe.json'], { cwd });
      symlinkSync('pipe.json', path.join(cwd, 'link.json'));
      linkSync(socket(), path.join(cwd, 'socket.json'));
      return cwd;
    };
    /** Left by a process that ended, as the one who made it would remove it. */
    const socket = once(() => {
      const cwd = newFolder();
      const listen = "require('net').createServer().listen('socket', () => process.exit())";
      execFileSync(process.execPath, ['-e', listen], { cwd });
      return path.join(cwd, 'socket');
    });
    const answers = Object.fromEntries(
      Object.keys(logs).map((kind) => [
        kind,
        once(() => lakelog(['alarm', '--format', 'jsonl'], { cwd: folder(kind as keyof typeof logs) })),
      ]),
    );

    const some = targets.filter((name) => name !== 'full.json' || existsSync('/dev/full'));
    for (const [i, target] of some.entries()) {
      // What fired stays fired by the same few lines; what is clear must never pass for 0.
      test.each(nightly || i === 0 ? ENDS : ENDS.filter(([kind]) => kind !== 'fired'))(
        `${target}: %s ends with %i, the answer is printed, other copies are written`,
        async (kind, code) => {
          const cwd = prepared(kind);
          const plain = await answers[kind]!();
          const ran = await lakelog(['alarm', '--format', 'jsonl', '-o', target, '-o', 'x.csv'], { cwd });
          expect(ran).toMatchObject({ code, stdout: plain.stdout });
          expect(ran.stderr).toMatch(
            new RegExp(`^error: the copy cannot be written: [a-z ]+\n  at ${target}\n  → [a-z]`, 'm'),
          );
          expect(read(cwd, 'x.csv')).toContain('session_id');
          expect(readdirSync(cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
        },
      );
    }

    test.skipIf(process.getuid?.() !== 0)('a folder that is read-only', () => {
      const cwd = folder('clear');
      const ran = inShell('lakelog alarm -o x.json', { cwd, uid: 65_534 });
      expect(ran.code, ran.text).toBe(2);
      expect(ran.stderr).toMatch(/cannot be written: permission denied\n {2}at x\.json\n {2}→ .*ls -ld/);
    });

    test('--quiet does not hide it', async () => {
      const ran = await lakelog(['alarm', '-q', '-o', 'no/such/x.json'], { cwd: prepared('clear') });
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain('no/such/x.json');
    });

    atNight('a question that is no gate ends with 2', async () => {
      const ran = await lakelog(['first-shot-rate', '-o', 'no/such/x.json'], { cwd: prepared('clear') });
      expect(ran.code).toBe(2);
      expect(ran.stdout).toContain('gpt-4.1-mini');
    });

    test('the exit code in the envelope is the one that the process ends with', async () => {
      const ran = await lakelog(['alarm', '--json', '-o', 'no/such/x.json'], { cwd: prepared('clear') });
      expect(envelope(ran).verdict?.exit_code).toBe(ran.code);
    });
  });

  describe('into a pipe', () => {
    // More than a pipe holds.
    const model = 'm'.repeat(700);
    const rows = Array.from({ length: 2_000 }, (_, i) =>
      i % 2 ? call({ model }) : violation({ session_id: `bad${i}`, model }),
    );
    const prepared = () => {
      const cwd = newFolder();
      writeLines(cwd, 'sessions.jsonl', rows);
      execFileSync('mkfifo', ['pipe.csv'], { cwd });
      return cwd;
    };

    test('its reader gets every byte, however slow', async () => {
      const cwd = prepared();
      const reader = spawn('bash', ['-c', 'exec <pipe.csv; sleep 0.5; cat >read.csv'], { cwd });
      const ended = new Promise((resolve) => reader.on('close', resolve));
      const { code } = await lakelog(['alarm', '--quiet', '-o', 'whole.csv', '-o', 'pipe.csv'], { cwd });
      await ended;
      expect(code).toBe(1);
      expect(read(cwd, 'whole.csv').length).toBeGreaterThan(1 << 19);
      expect(read(cwd, 'read.csv')).toBe(read(cwd, 'whole.csv'));
    });

    test('a reader that leaves has not got it whole', async () => {
      const cwd = prepared();
      for (const [command, code] of [
        ['alarm', 1],
        ['first-shot', 2],
      ] as const) {
        // It is there before anything is written, however slowly it starts.
        const reader = spawn('bash', ['-c', 'exec 3<>pipe.csv; echo; head -c 100 <&3 >&2'], { cwd });
        const left = new Promise((resolve) => reader.on('close', resolve));
        await new Promise((resolve) => reader.stdout.once('data', resolve));
        const ran = await lakelog([command, '--format', 'csv', '-o', 'pipe.csv'], { cwd });
        await left;
        expect(ran.code, ran.stderr).toBe(code);
        expect(ran.stderr).toMatch(/the copy cannot be written: its reader left\n {2}at pipe\.csv\n {2}→ /);
      }
    });

    test.each(byDay(['SIGTERM', 'SIGINT', 'SIGHUP'] as const, 3))(
      '%s ends it while nobody reads',
      async (signal) => {
        const cwd = prepared();
        const idle = openSync(path.join(cwd, 'pipe.csv'), constants.O_RDONLY | constants.O_NONBLOCK);
        const child = start(['alarm', '-o', 'pipe.csv'], { cwd });
        const ended = new Promise((resolve) => child.once('exit', (...how) => resolve(how)));
        // Nothing before it is written to, and then EAGAIN for a moment.
        const arrived = () => {
          try {
            return readSync(idle, Buffer.alloc(1)) > 0;
          } catch {
            return false;
          }
        };
        while (!arrived()) await sleep(20);
        child.kill(signal);
        expect(await ended).toEqual([null, signal]);
        closeSync(idle);
      },
    );
  });

  atNight('a name as long as they may be', async () => {
    const cwd = folder();
    const name = `${'x'.repeat(250)}.json`;
    expect((await lakelog(['alarm', '-o', name], { cwd })).code).toBe(1);
    expect(JSON.parse(read(cwd, name)).verdict.status).toBe('fired');
  });

  test('replaces a file as a whole: who has the old one open still reads it', async () => {
    const cwd = folder();
    const target = path.join(cwd, 'x.json');
    writeFileSync(target, 'old', { mode: 0o644 });
    const before = statSync(target).ino;
    const open = openSync(target, 'r');
    await lakelog(['alarm', '-o', 'x.json'], { cwd });
    expect(readFileSync(open, 'utf8')).toBe('old');
    closeSync(open);
    expect(statSync(target).ino).not.toBe(before);
    expect(modeOf(cwd, 'x.json')).toBe(0o600);
    expect(JSON.parse(read(cwd, 'x.json')).verdict.status).toBe('fired');
  });

  test('a link to a stream is written to as it is', () => {
    const cwd = folder();
    symlinkSync('/dev/stderr', path.join(cwd, 'x.jsonl'));
    // Node gives a child sockets, which cannot be opened again; a shell gives it a pipe.
    const line = 'set -o pipefail; lakelog alarm --json -o x.jsonl 2>&1 >answer | cat';
    const { code, text } = inShell(line, { cwd });
    expect(code, text).toBe(1);
    expect(JSON.parse(text.split('\n')[0]!)).toMatchObject({ session_id: 'bad' });
    expect(text).toContain('fired:');
    expect(JSON.parse(read(cwd, 'answer')).verdict.status).toBe('fired');
  });

  test('what it creates behind a link is for its owner only', async () => {
    const cwd = folder();
    symlinkSync('real.json', path.join(cwd, 'x.json'));
    await lakelog(['alarm', '-o', 'x.json'], { cwd });
    expect(JSON.parse(read(cwd, 'real.json')).verdict.status).toBe('fired');
    expect(modeOf(cwd, 'real.json')).toBe(0o600);
    symlinkSync('real.prom', path.join(cwd, 'x.prom'));
    await lakelog(['alarm', '-o', 'x.prom'], { cwd });
    expect(modeOf(cwd, 'real.prom'), 'but what another user reads is for all').toBe(0o644);
  });

  test.each(
    exceptByDay(
      [
        ['the log', [], 'sessions.jsonl'],
        ['a log that was named', ['./sessions.jsonl'], 'sessions.jsonl'],
        ['a log below a folder that was named', ['.'], 'sessions.jsonl'],
        ['a link to the log', ['sessions.jsonl'], 'link.jsonl'],
        ['the acknowledgements', [], DEFAULT_ACKS],
      ],
      ['the log', 'a log that was named'],
    ),
  )('never takes the place of what was read: %s', async (_, inputs, target) => {
    const cwd = folder();
    await lakelog(['ack', 'bad', '--reason', 'r', '--author', 'ops'], { cwd });
    symlinkSync('sessions.jsonl', path.join(cwd, 'link.jsonl'));
    const before = read(cwd, target);
    await lakelog(['alarm', ...inputs, '-o', target], { cwd });
    expect(read(cwd, target)).toBe(before);
  });
});

describe('--format github', () => {
  const commands = (text: string) => text.match(/^::(error|warning|notice) /gm) ?? [];

  test('a violation is an error at its line, a doubt a warning', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call(), violation(), violation({ grounded_in_roster: null })]);
    const { code, stdout } = await lakelog(['alarm', '--format', 'github'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::error file=sessions\.jsonl,line=2,title=lakelog alarm%3A ungrounded::/m);
    expect(stdout).toMatch(/^::warning file=sessions\.jsonl,line=3,title=lakelog alarm%3A unjudged::/m);
  });

  const COUNTS = [
    [10, 10, null],
    [11, 10, '2 more'],
    [40, 10, '31 more'],
  ] as const;
  test.each(COUNTS.filter(([rows]) => nightly || rows < 40))(
    '%i violations make %i annotations',
    async (rows, annotations, more) => {
      const cwd = newFolder();
      writeLines(cwd, 'sessions.jsonl', [
        call(),
        ...Array.from({ length: rows }, (_, i) => violation({ session_id: `bad${i}` })),
      ]);
      const { stdout } = await lakelog(['alarm', '--format', 'github'], { cwd });
      expect(commands(stdout)).toHaveLength(annotations);
      expect(stdout.trimEnd().split('\n')).toHaveLength(annotations);
      if (more === null) expect(stdout).not.toContain(' more');
      else expect(stdout.split('\n').at(-2)).toContain(more);
    },
  );

  test('a clear gate says so in a notice', async () => {
    const { code, stdout } = await lakelog(['alarm', '--format', 'github'], { cwd: folder('clear') });
    expect(code).toBe(0);
    expect(commands(stdout)).toEqual(['::notice ']);
  });

  test('a gate that cannot vouch has an error at the line', async () => {
    const { code, stdout } = await lakelog(['alarm', '--format', 'github'], { cwd: folder('doubtful') });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^::error file=sessions\.jsonl,line=2,/m);
  });

  test('text of the log is data: no command, no property, no line of its own', async () => {
    const cwd = newFolder();
    const evil = 'x%0A::error::forged\r\n::stop-commands::t,title=a:b\u001b[2J';
    writeLines(cwd, 'a,b%0A::c.jsonl', [
      call(),
      violation({ session_id: evil, model: evil, daemon: evil }),
      violation({ kind: evil }),
    ]);
    const { stdout } = await lakelog(['alarm', '.', '--format', 'github'], { cwd });
    for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^::(error|warning|notice) /);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('file=a%2Cb%250A%3A%3Ac.jsonl,line=2,');
  });

  describe('the step summary', () => {
    const run = (cwd: string, file: string, ...args: readonly string[]) =>
      lakelog(['alarm', '--format', 'github', ...args], { cwd, env: { GITHUB_STEP_SUMMARY: file } });

    test('gets the table and the receipt behind what stands there', async () => {
      const cwd = folder();
      const summary = path.join(cwd, 'summary');
      writeFileSync(summary, '# before\n');
      await run(cwd, summary);
      const text = read(cwd, 'summary');
      expect(text).toMatch(/^# before\n## lakelog alarm: FIRED\n/);
      expect(text).toMatch(/^\| bad \|/m);
      expect(text).toContain('0 acknowledged');
      await run(cwd, summary);
      expect(read(cwd, 'summary').match(/FIRED/g)?.length).toBe(2 * (text.match(/FIRED/g)?.length ?? 0));
    });

    test.each(ENDS)('that cannot be written makes it 2, unless the gate fired: %s', async (kind, code) => {
      const cwd = folder(kind);
      const pipe = path.join(cwd, 'pipe');
      execFileSync('mkfifo', [pipe]);
      for (const target of byDay(['/no/such/folder/summary', '/dev/full', cwd, pipe], 2)) {
        const ran = await run(cwd, target);
        expect(ran.code).toBe(code);
        expect(ran.stderr).toContain(`error: the step summary cannot be written: `);
        expect(ran.stderr).toContain(`  at ${target}\n  → `);
      }
    });

    test('that cannot be written is no matter to --quiet, which has nothing to tell, and to no other format', async () => {
      const cwd = folder('clear');
      expect(await run(cwd, '/dev/full', '--quiet')).toMatchObject({ code: 0, stdout: '', stderr: '' });
      const env = { GITHUB_STEP_SUMMARY: '/dev/full' };
      expect((await lakelog(['alarm', '--format', 'junit'], { cwd, env })).code).toBe(0);
    });

    test('is written even where a copy could not be, and both are told', async () => {
      const cwd = folder('clear');
      const summary = path.join(cwd, 'summary');
      const ran = await run(cwd, summary, '-o', 'no/such/x.json');
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain('the copy cannot be written');
      expect(read(cwd, 'summary')).toContain('CLEAR');
      const both = await run(cwd, '/dev/full', '-o', 'no/such/x.json');
      expect(both.code).toBe(2);
      expect(both.stderr).toMatch(/the copy cannot be written[\s\S]*the step summary cannot be written/);
    });

    test('is of this format only, and only where the variable is set', async () => {
      const cwd = folder();
      const summary = path.join(cwd, 'summary');
      await lakelog(['alarm'], { cwd, env: { GITHUB_STEP_SUMMARY: summary } });
      expect(existsSync(summary)).toBe(false);
      await run(cwd, '');
      expect(readdirSync(cwd)).toEqual(['sessions.jsonl']);
    });

    test('holds text of the log as text', async () => {
      const cwd = newFolder();
      const evil = '```\n# owned <img src=x onerror=y> | [a](javascript:b)\u001b[2J';
      writeLines(cwd, 'sessions.jsonl', [call(), violation({ session_id: evil, model: evil })]);
      await run(cwd, path.join(cwd, 'summary'));
      const text = read(cwd, 'summary');
      expect(text).not.toMatch(/^# owned/m);
      expect(text.replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '')).not.toContain('<img');
      expect(text).not.toContain('\u001b');
    });

    test('of very many rows stays below the limit of 1 MiB and says what is left out', async () => {
      const cwd = newFolder();
      const rows = Array.from({ length: 3000 }, (_, i) =>
        violation({ session_id: `bad${i}`, model: 'm'.repeat(400), daemon: 'd'.repeat(400) }),
      );
      writeLines(cwd, 'sessions.jsonl', [call(), ...rows]);
      await run(cwd, path.join(cwd, 'summary'));
      expect(statSync(path.join(cwd, 'summary')).size).toBeLessThan(1 << 20);
      expect(read(cwd, 'summary')).toMatch(/more rows?\./);
    });
  });
});

describe('--format junit', () => {
  const counts = (text: string) =>
    Object.fromEntries(
      [...(/<testsuites [^>]*>/.exec(text)?.[0].matchAll(/(tests|failures|errors)="(\d+)"/g) ?? [])].map(
        ([, name, count]) => [name, Number(count)],
      ),
    );

  test.each([
    ['clear', 0, { tests: 1, failures: 0, errors: 0 }],
    ['fired', 1, { tests: 1, failures: 1, errors: 0 }],
    ['doubtful', 3, { tests: 1, failures: 0, errors: 1 }],
  ] as const)('%s', async (kind, code, expected) => {
    const { code: ended, stdout } = await lakelog(['alarm', '--format', 'junit'], { cwd: folder(kind) });
    expect(ended).toBe(code);
    expect(counts(stdout)).toEqual(expected);
    expect(stdout.match(/<testcase /g)).toHaveLength(expected.tests);
    expect(stdout.match(/<failure /g)?.length ?? 0).toBe(expected.failures);
    expect(stdout.match(/<error /g)?.length ?? 0).toBe(expected.errors);
  });

  test('an input that is missing is an error, never an empty suite', async () => {
    const { code, stdout } = await lakelog(['alarm', 'gone.jsonl', '--format', 'junit'], {
      cwd: newFolder(),
    });
    expect(code).toBe(3);
    expect(counts(stdout)).toMatchObject({ failures: 0 });
    expect(counts(stdout).errors).toBeGreaterThan(0);
  });

  test('text of the log is text', async () => {
    const cwd = newFolder();
    const evil = ']]></failure><testcase name="x"/>&amp;"\'\u0001\u001b\ufffe\uffff';
    writeLines(cwd, 'sessions.jsonl', [call(), violation({ session_id: evil, model: evil })]);
    const { stdout } = await lakelog(['alarm', '--format', 'junit'], { cwd });
    expect(stdout.match(/<testcase /g)).toHaveLength(1);
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\ufffe\uffff]/);
    expect(stdout.replace(/&(amp|lt|gt|quot|apos);/g, '')).not.toContain('&');
  });
});

atNight('corpus writes its copies as every question does', async () => {
  const cwd = newFolder();
  const session_id = 'replayed';
  writeLines(cwd, 'all.jsonl', [call({ session_id }), replayRun({ session_id, documents: [] })]);
  const ran = await lakelog(['corpus', 'all.jsonl', '-o', 'x.csv', '-o', 'x.txt'], { cwd });
  expect(ran.code, ran.stderr).toBe(0);
  expect(read(cwd, 'x.txt')).toBe(ran.stdout);
  expect(read(cwd, 'x.csv').split('\n')[1]).toContain('gpt-4.1-mini,0,1,1,1');
});
