import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import stringWidth from 'string-width';
import { beforeAll, describe, expect, test } from 'vitest';
import { acksIn, commandsIn, ownGate, violation } from '../support/acks.js';
import {
  atNight,
  byDay,
  call,
  exceptByDay,
  newFolder,
  nightly,
  replayRun,
  root,
  withoutColour,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { inShell, onTerminal, terminals, wordsOf } from '../support/terminal.js';

const TRACE = '0123456789abcdef0123456789abcdef';
const SECRETS = ['prompt', 'attempt-prompt', 'raw', 'artifact', 'task', 'retrieval', 'output'].map(
  (name) => `secret-${name}`,
);

/** A folder with a trace of two calls and a replay run, and with another trace. */
function logs(): string {
  const cwd = newFolder();
  const attempts = [
    {
      verdict: 'rejected',
      reasons: ['worker w-9 is not in the roster'],
      prompt: 'secret-attempt-prompt',
      raw: 'secret-raw 1',
      input_tokens: 120,
      output_tokens: 30,
      duration_ms: 900,
    },
    { verdict: 'accepted', raw: 'secret-raw 2', duration_ms: 800 },
  ];
  writeLines(cwd, 'sessions.jsonl', [
    violation({
      session_id: TRACE,
      call_id: 'late',
      timestamp: '2025-06-01T10:00:00Z',
      iterations: 2,
      attempts,
      prompt: 'secret-prompt',
      artifact: { note: 'secret-artifact' },
    }),
    call({ session_id: TRACE, call_id: 'early', timestamp: '2025-06-01T08:00:00Z' }),
    call({ session_id: '0123000', call_id: 'other' }),
  ]);
  writeLines(cwd, 'replay_runs.jsonl', [
    replayRun({
      session_id: TRACE,
      timestamp: '2025-06-01T09:00:00Z',
      task: 'secret-task',
      retrieval_query: 'secret-retrieval',
      output: 'secret-output',
      documents: [{ id: 'doc-1', source: 'corpus/a.md', score: 0.75, rank: 1 }],
    }),
    replayRun({ session_id: 'replayed-only' }),
  ]);
  return cwd;
}

describe('what an ID means', () => {
  let cwd: string;
  beforeAll(() => {
    cwd = logs();
  });

  const IDS = [
    ['a session_id', TRACE, TRACE],
    ['its beginning', '01234', TRACE],
    ['a call_id', 'late', TRACE],
    ['the beginning of one', 'ear', TRACE],
    ['a trace that was only replayed', 'replayed', 'replayed-only'],
  ] as const;
  test.each(exceptByDay(IDS, ['a session_id', 'a call_id']))('%s', async (_, id, trace) => {
    const ran = await lakelog(['show', id, '--json'], { cwd });
    expect(ran.code, ran.stderr).toBe(0);
    expect(JSON.parse(ran.stdout).session_id).toBe(trace);
  });

  test('an h: key', async () => {
    const own = newFolder();
    writeLines(own, 'sessions.jsonl', [call({ session_id: 'a' }), call({ session_id: 'b' })]);
    const [{ call_key: key }] = JSON.parse(
      (await lakelog(['show', 'b', '--json'], { cwd: own })).stdout,
    ).events;
    const ran = await lakelog(['show', key, '--json'], { cwd: own });
    expect(JSON.parse(ran.stdout).session_id).toBe('b');
  });

  test('a whole id is itself and not the beginning of a longer one', async () => {
    const own = newFolder();
    writeLines(own, 'sessions.jsonl', [
      call({ session_id: 'trace-2', call_id: 'k10' }),
      call({ session_id: 'trace', call_id: 'k1' }),
    ]);
    for (const id of ['trace', 'k1']) {
      expect(JSON.parse((await lakelog(['show', id, '--json'], { cwd: own })).stdout).session_id).toBe(
        'trace',
      );
    }
  });

  const NO_IDS: readonly [string, string, string[]][] = [
    ['an ambiguous beginning', '0123', ['0123000', TRACE]],
    ['nothing', 'zzz', ['"zzz"']],
    ['an empty one', '', ['empty']],
    ['a pattern', '%', ['"%"']],
    ['SQL', "' OR 1=1 --x", ["' OR 1=1 --x"]],
  ];
  test.each(byDay(NO_IDS, 2))('%s: exit 2 and nothing on stdout', async (_, id, words) => {
    const ran = await lakelog(['show', id], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain('→ ');
    for (const word of words) expect(ran.stderr).toContain(word);
  });

  describe('a forgotten ID is what the error names', () => {
    const FORGOTTEN: readonly [string, string[], string][] = [
      ['a log', ['one.jsonl'], 'one.jsonl'],
      ['one of several', ['one.jsonl', 'two.jsonl'], 'one.jsonl two.jsonl'],
      ['a folder', ['d'], 'd'],
      ['a log behind an option', ['--json', '--sessions', 'one.jsonl', 'd'], 'd --sessions one.jsonl'],
      ['stdin', ['-'], '-'],
    ];
    test.each(byDay(FORGOTTEN, 3))('%s', async (_, args, logs) => {
      const own = newFolder();
      for (const name of ['one.jsonl', 'two.jsonl', 'd/three.jsonl']) writeLines(own, name, [call()]);
      const ran = await lakelog(['show', ...args], { cwd: own, stdin: '' });
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toMatch(/^(error: |\{.*"error":")the first argument is the id, and /);
      expect(ran.stderr.split(/["\n]|name [^:]*: /)).toContain(`lakelog show ID ${logs}`);
      expect(ran.stderr).not.toContain('the input is missing');
    });

    atNight('but not where a trace begins like a file', async () => {
      const own = newFolder();
      writeLines(own, 'sessions.jsonl', [call({ session_id: 'abc123' })]);
      writeLines(own, 'abc', ['']);
      expect((await lakelog(['show', 'abc'], { cwd: own })).code).toBe(0);
    });
  });

  test('an ID that is not found while an input is missing: the missing input is named', async () => {
    const ran = await lakelog(['show', 'zzz', 'sessions.jsonl', 'gone.jsonl'], { cwd });
    expect([2, 3]).toContain(ran.code);
    expect(ran.stderr).toMatch(/the input is missing|no such file/);
  });

  atNight('an ID that holds U+0000 is shown by its beginning', async () => {
    const own = newFolder();
    writeLines(own, 'sessions.jsonl', [call({ session_id: 'b\u0000c' })]);
    const ran = await lakelog(['show', 'b'], { cwd: own });
    expect(ran.code, ran.stderr).toBe(0);
  });

  test('an ID that begins with a hyphen can be shown as the alarm prints it', async () => {
    const own = newFolder();
    writeLines(own, 'sessions.jsonl', [violation({ session_id: '-x' })]);
    const [command] = commandsIn((await lakelog(['alarm'], { cwd: own })).stderr);
    const { code, text } = nightly ? inShell(command!, { cwd: own }) : await inThisProcess(command!, own);
    expect(code, text).toBe(0);
  });
});

/** A line of a shell without the shell. */
async function inThisProcess(line: string, cwd: string) {
  const { code, stdout, stderr } = await lakelog(wordsOf(line, cwd), { cwd });
  return { code, text: stdout + stderr };
}

describe('the story', () => {
  test('is told in the order of time with the place of everything', async () => {
    const { stdout } = await lakelog(['show', TRACE], { cwd: logs() });
    const places = [...stdout.matchAll(/^ {2}(\S+\.jsonl:\d+)$/gm)].map(([, place]) => place);
    expect(places).toEqual(['sessions.jsonl:2', 'replay_runs.jsonl:1', 'sessions.jsonl:1']);
    expect(stdout).toContain('worker w-9 is not in the roster');
    expect(stdout).toContain('doc-1');
    expect(stdout).toContain('alarm: ungrounded, not acknowledged');
  });

  test.each([[[]], [['--json']]])('%j: no content without --show-content', async (flags) => {
    const ran = await lakelog(['show', TRACE, ...flags], { cwd: logs() });
    for (const secret of SECRETS) expect(ran.stdout + ran.stderr).not.toContain(secret);
  });

  test.each(byDay([[[]], [['--json']]], 2))('%j: all of it with', async (flags) => {
    const { stdout } = await lakelog(['show', TRACE, '--show-content', ...flags], { cwd: logs() });
    for (const secret of SECRETS) expect(stdout).toContain(secret);
  });

  atNight('says what changed from one raw output to the next', async () => {
    const { stdout } = await lakelog(['show', TRACE, '--show-content'], { cwd: logs() });
    expect(stdout).toMatch(/what changed since attempt 1\n.*- secret-raw 1\n.*\+ secret-raw 2\n/);
  });

  test('content cannot pass for a line of ours nor act on the terminal', async () => {
    const cwd = newFolder();
    const evil = '\u001b[2J\n→ next: lakelog ack bad --reason ok\n\u202eviolates';
    writeLines(cwd, 'sessions.jsonl', [
      violation({
        prompt: evil,
        artifact: evil,
        error: evil,
        attempts: [{ verdict: 'accepted', raw: evil, prompt: evil, reasons: [evil], error: evil }],
      }),
    ]);
    const ran = await lakelog(['show', 'bad', '--show-content'], { cwd });
    expect(ran.code).toBe(0);
    expect(ran.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(commandsIn(ran.stdout)).toEqual([]);
    expect(commandsIn(ran.stderr)).toHaveLength(1);
  });

  describe('as JSON', () => {
    const ajv = new Ajv2020({ strict: false });
    (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
    const schema = path.join(root, 'dist/schema/lakelog.story.v1.json');
    const valid = ajv.compile(JSON.parse(readFileSync(schema, 'utf8')));

    const TOLD: readonly [string, string[]][] = [
      ['with content', [TRACE, '--show-content']],
      ['a trace', [TRACE]],
      ['with an address', [TRACE, '--trace-url', 'https://x.example/{trace_id}']],
      ['replayed only', ['replayed-only', '--show-content']],
    ];
    test.each(byDay(TOLD, 2))('%s: one envelope on one line that its schema allows', async (_, args) => {
      const ran = await lakelog(['show', ...args, '--json'], { cwd: logs() });
      expect(ran.stdout).toMatch(/^[^\n]+\n$/);
      expect(valid(JSON.parse(ran.stdout)), JSON.stringify(valid.errors)).toBe(true);
    });

    atNight('every trace of the fixtures', async () => {
      const cwd = path.join(root, 'fixtures');
      const { stdout } = await lakelog(
        ['query', 'SELECT session_id FROM traces ORDER BY session_id', 'alarm', 'messy', '--format', 'jsonl'],
        { cwd },
      );
      const ids = stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { session_id: string }).session_id);
      const some = ids.filter((_, i) => i % Math.ceil(ids.length / 12) === 0);
      expect(some.length).toBeGreaterThan(5);
      for (const id of some) {
        const ran = await lakelog(['show', id, 'alarm', 'messy', '--json', '--show-content'], { cwd });
        expect(ran.code, ran.stderr).toBe(0);
        expect(valid(JSON.parse(ran.stdout)), `${id} ${JSON.stringify(valid.errors)}`).toBe(true);
      }
    });
  });
});

describe('inputs', () => {
  test.each(byDay([['empty.jsonl'], ['gone.jsonl']], 2))('without a record: %s is exit 3', async (name) => {
    const cwd = newFolder();
    writeLines(cwd, 'empty.jsonl', []);
    const ran = await lakelog(['show', TRACE, name], { cwd });
    expect(ran).toMatchObject({ code: 3, stdout: '' });
    expect(ran.stderr).toContain(name);
  });

  test('one of two missing: the story, and exit 3', async () => {
    const ran = await lakelog(['show', TRACE, 'sessions.jsonl', 'gone.jsonl'], { cwd: logs() });
    expect(ran.code).toBe(3);
    expect(ran.stdout).toContain('alarm: ungrounded');
    expect(ran.stderr).toContain('gone.jsonl');
  });

  atNight('rejects are told and do not stop it', async () => {
    const cwd = logs();
    writeLines(cwd, 'bad.jsonl', ['{"x']);
    const ran = await lakelog(['show', TRACE, 'sessions.jsonl', 'bad.jsonl'], { cwd });
    expect(ran.stdout).toContain('alarm: ungrounded');
    expect(ran.stderr).toContain('bad.jsonl');
  });
});

describe('the next step', () => {
  test('is printed for violations that nobody settled, and for nothing else', async () => {
    const cwd = logs();
    expect(commandsIn((await lakelog(['show', '0123000'], { cwd })).stderr)).toEqual([]);
    expect(commandsIn((await lakelog(['show', TRACE], { cwd })).stderr)).toEqual([
      'lakelog ack late --reason "…"',
    ]);
    await lakelog(['ack', 'late', '--reason', 'r', '--author', 'ops'], { cwd });
    const ran = await lakelog(['show', TRACE], { cwd });
    expect(commandsIn(ran.stderr)).toEqual([]);
    expect(ran.stdout).toContain('acked');
    expect(ran.stdout).not.toContain('not acknowledged');
  });

  test('is printed again once the acknowledgement is expired', async () => {
    const cwd = logs();
    await lakelog(['ack', 'late', '--reason', 'r', '--author', 'ops'], { cwd });
    const [one] = acksIn(cwd);
    writeLines(cwd, 'old.jsonl', [JSON.stringify({ ...one, expires: '2025-07-01' })]);
    const ran = await lakelog(['show', TRACE, '--acks', 'old.jsonl'], { cwd });
    expect(ran.stdout).toContain('not acknowledged');
    expect(commandsIn(ran.stderr)).toEqual(['lakelog ack late --reason "…" --acks old.jsonl']);
  });

  atNight('one for each violation of the trace', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [violation({ call_id: 'k1' }), violation({ call_id: 'k2' })]);
    expect(commandsIn((await lakelog(['show', 'bad'], { cwd })).stderr)).toHaveLength(2);
  });

  test('both rules that one call breaks in one gate are shown', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call({ session_id: 'bad', duration_ms: 5000 })]);
    const both = `SELECT s.session_id, 'slow' AS reason, s.file, s.line FROM sessions s WHERE s.duration_ms > 1000
UNION ALL SELECT s.session_id, 'very slow', s.file, s.line FROM sessions s WHERE s.duration_ms > 4000 ORDER BY 2`;
    writeLines(cwd, 'q/slow.sql', [
      ownGate({
        header: ['-- fires: very slow -- much too long'],
        sql: both,
        canary: '{"duration_ms": 2000}',
      }),
    ]);
    const { stdout } = await lakelog(['show', 'bad', '--queries', 'q', '--json'], { cwd });
    expect(JSON.parse(stdout).events[0].violations).toEqual([
      { gate: 'slow', value: 'slow' },
      { gate: 'slow', value: 'very slow' },
    ]);
  });
});

describe('the address of the trace', () => {
  const ask = async (template: string, ...args: string[]) =>
    lakelog(['show', TRACE, '--trace-url', template, ...args], { cwd: logs() });

  test.each(byDay(['{session_id}', '{trace_id}'], 2))(
    '%s stands for the id, percent-encoded',
    async (placeholder) => {
      const { stdout } = await ask(`https://x.example/p/${placeholder}?a=1`);
      expect(stdout).toContain(`https://x.example/p/${TRACE}?a=1`);
      const cwd = newFolder();
      writeLines(cwd, 'sessions.jsonl', [call({ session_id: 'a/../b c?#é' })]);
      const odd = await lakelog(['show', 'a', '--trace-url', `https://x.example/${placeholder}`], { cwd });
      expect(odd.stdout).toContain('https://x.example/a%2F..%2Fb%20c%3F%23%C3%A9');
    },
  );

  test('a template without a placeholder: exit 2 before anything is read', async () => {
    const ran = await lakelog(['show', TRACE, 'gone.jsonl', '--trace-url', 'https://x.example/'], {
      cwd: logs(),
    });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('{session_id}');
    expect(ran.stderr).not.toContain('gone.jsonl');
  });

  test('is taken from LAKELOG_TRACE_URL', async () => {
    const env = { LAKELOG_TRACE_URL: 'https://env.example/{session_id}' };
    const { stdout } = await lakelog(['show', TRACE], { cwd: logs(), env });
    expect(stdout).toContain(`https://env.example/${TRACE}`);
    const { stdout: given } = await lakelog(
      ['show', TRACE, '--trace-url', 'https://option.example/{session_id}'],
      { cwd: logs(), env },
    );
    expect(given).toContain(`https://option.example/${TRACE}`);
  });

  test('no link into a pipe, not even with colour forced', async () => {
    const template = 'https://x.example/{session_id}';
    const ran = await lakelog(['show', TRACE, '--trace-url', template], {
      cwd: logs(),
      env: { FORCE_COLOR: '1' },
    });
    expect(ran.stdout).not.toContain('\u001b]8');
    expect(ran.stdout).toContain(`https://x.example/${TRACE}`);
  });

  describe.skipIf(!terminals)('on a terminal', () => {
    const shown = (template: string, env: Record<string, string> = {}) =>
      onTerminal(80, `lakelog show ${TRACE} --trace-url '${template}'`, { cwd: logs(), env }).text;
    /** The same of a terminal that only the program sees, which by day is enough of all but one. */
    const drawn = async (template: string) => {
      if (nightly) return shown(template);
      const run = onScreen(logs());
      return (await run(`lakelog show ${TRACE} --trace-url '${template}'`)).text;
    };

    test('is a link behind the id', () => {
      expect(shown('https://x.example/{session_id}')).toContain(
        `\u001b]8;;https://x.example/${TRACE}\u001b\\`,
      );
    });

    const NO_LINKS = [
      'javascript:alert("{session_id}")',
      'file:///etc/{session_id}',
      '{session_id}',
      'x://{session_id}',
    ];
    test.each(byDay(NO_LINKS, 4))('%s is never a link', async (template) => {
      expect(await drawn(template)).not.toContain('\u001b]8');
    });

    test('cannot leave its sequence', async () => {
      const text = await drawn('https://x.example/\u001b\\\u0007\u009c{session_id}');
      expect(text).not.toMatch(/\u0007|\u009c/);
      expect(text.match(/\u001b\]8;;/g)).toHaveLength(2);
    });

    atNight('TERM=dumb has none', () => {
      expect(shown('https://x.example/{session_id}', { TERM: 'dumb' })).not.toContain('\u001b');
    });
  });
});

const why = (command: string) => command.replace('"…"', '"worker replaced, ticket 4711"');

type Line = (line: string) => Promise<{ code: number | null; text: string }>;

/** Runs the alarm and then what each run says to run next, until nothing is left to say. */
async function follow(first: string, run: Line) {
  const lines: string[] = [];
  const codes: (number | null)[] = [];
  const texts: string[] = [];
  for (let line: string | undefined = first; line !== undefined && lines.length < 6; ) {
    const { code, text } = await run(line);
    lines.push(line);
    codes.push(code);
    texts.push(text);
    const [next] = commandsIn(withoutColour(text));
    line = next === undefined ? undefined : why(next);
  }
  return { lines, codes, texts };
}

/** A terminal that only the program sees; every fourth is a real one. */
let terminalsOpened = 0;
function onSomeTerminal(cwd: string): Line {
  if (nightly || terminalsOpened++ % 4 === 0) return async (line) => onTerminal(80, line, { cwd });
  return onScreen(cwd);
}

function onScreen(cwd: string): Line {
  return async (line) => {
    let text = '';
    const screen = {
      columns: 80,
      write: (part: string) => {
        text += part;
      },
    };
    const { code } = await lakelog(wordsOf(line, cwd), { cwd, screen, env: { TERM: 'xterm' } });
    return { code, text };
  };
}

const ways: [string, (cwd: string) => Line][] = [
  [
    'without a terminal',
    (cwd) => async (line) => {
      const { code, stdout, stderr } = await lakelog(wordsOf(line, cwd), { cwd });
      return { code, text: stdout + stderr };
    },
  ],
];
if (terminals) {
  ways.push(['in a terminal of 80 columns', onSomeTerminal]);
}

describe.each(ways)('from the alarm to a settled acknowledgement, %s', (way, runIn) => {
  /** By day each of them in one of the ways. */
  const inTurn = <T>(siblings: readonly T[], turn = 0): T[] =>
    siblings.filter((_, i) => nightly || ways[(turn + i) % ways.length]![0] === way);
  const folders: [string, string, (cwd: string) => void][] = [
    [
      'the default inputs',
      'lakelog alarm',
      (cwd) => writeLines(cwd, 'sessions.jsonl', [call(), violation()]),
    ],
    [
      'a file and a folder',
      'lakelog alarm a.jsonl more',
      (cwd) => {
        writeLines(cwd, 'a.jsonl', [call()]);
        writeLines(cwd, 'more/b.jsonl', [violation({ call_id: 'k1' })]);
      },
    ],
    [
      'names that a shell would split',
      "lakelog alarm 'my logs/$HOME & co.jsonl' --acks 'my acks.jsonl'",
      (cwd) => {
        writeLines(cwd, 'my acks.jsonl', []);
        writeLines(cwd, 'my logs/$HOME & co.jsonl', [
          call(),
          violation({ session_id: "it's `one`", call_id: 'two words; $(x)' }),
        ]);
      },
    ],
    [
      'other gated kinds and files by kind',
      'lakelog alarm --sessions a.jsonl --replay-runs r.jsonl --gated-kind email',
      (cwd) => {
        writeLines(cwd, 'a.jsonl', [call({ kind: 'email' }), violation({ kind: 'email' })]);
        writeLines(cwd, 'r.jsonl', [replayRun()]);
      },
    ],
  ];

  const SPLIT = exceptByDay(folders, ['the default inputs', 'other gated kinds and files by kind']);
  test.each(inTurn(SPLIT))('%s', async (_, first, write) => {
    const cwd = newFolder();
    write(cwd);
    const { lines, codes, texts } = await follow(first, runIn(cwd));
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['alarm', 'show', 'ack', 'alarm']);
    expect(codes, texts.join('\n')).toEqual([1, 0, 0, 0]);
    expect(texts[3]).toContain('1 acknowledged');
  });

  test.each(nightly ? ['the folder that the acknowledgements are written to'] : [])('%s', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call(), violation()]);
    const { codes, texts } = await follow('lakelog alarm .', runIn(cwd));
    expect(codes, texts.join('\n')).toEqual([1, 0, 0, 0]);
  });

  const WIDE = ['a path so long that the command is wider than two lines of the terminal'];
  test.each(inTurn(WIDE, 1))('%s', async () => {
    const cwd = newFolder();
    const name = `${'deep/'.repeat(30)}sessions.jsonl`;
    writeLines(cwd, name, [call(), violation({ session_id: TRACE })]);
    const { codes, texts } = await follow(`lakelog alarm ${name}`, runIn(cwd));
    expect(codes, texts.join('\n')).toEqual([1, 0, 0, 0]);
  });

  test.each(inTurn(byDay(['lakelog slow --queries q', 'lakelog slow --queries q --limit 10'], 2)))(
    'a gate of one’s own: %s',
    async (first) => {
      const cwd = newFolder();
      const ms = first.includes('--limit') ? 500 : 5000;
      writeLines(cwd, 'sessions.jsonl', [
        call({ session_id: 'late', duration_ms: ms }),
        call({ duration_ms: 1 }),
      ]);
      writeLines(cwd, 'q/slow.sql', [ownGate()]);
      const { codes, texts } = await follow(first, runIn(cwd));
      expect(codes, texts.join('\n')).toEqual([1, 0, 0, 0]);
    },
  );
});

describe.skipIf(!terminals)('in a terminal of 80 columns', () => {
  const LINES = [
    `lakelog show ${TRACE} --show-content`,
    `lakelog show ${TRACE}`,
    'lakelog ack late --reason why',
  ];
  test.each(byDay(LINES, 3))('nothing but ids, paths and commands is wider: %s', async (line) => {
    const cwd = logs();
    const { text } = nightly ? onTerminal(80, line, { cwd }) : await onScreen(cwd)(line);
    const wide = withoutColour(text)
      .split('\n')
      .filter((one) => !/→ /.test(one) && stringWidth(one) > 80);
    expect(wide).toEqual([]);
  });
});
