import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { acksIn, ask, ownGate } from '../support/acks.js';
import { byDay, call, envelope, newFolder, root, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const QUESTION = [
  '-- title: How many calls',
  '-- question: How many calls are there?',
  '-- column: calls integer "calls" -- Calls.',
];
const SQL = 'SELECT COUNT(*) AS calls FROM sessions';

/** A folder with a log of two calls and the given files below `q/`. */
function folder(files: Readonly<Record<string, string>>): string {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [
    call({ session_id: 'quick', duration_ms: 1 }),
    call({ session_id: 'late', duration_ms: 5000, call_id: 'k1' }),
  ]);
  mkdirSync(path.join(cwd, 'q'));
  for (const [name, text] of Object.entries(files)) writeLines(cwd, path.join('q', name), [text]);
  return cwd;
}

const question = (...header: readonly string[]) => [...QUESTION, ...header, '', SQL].join('\n');

describe('--queries', () => {
  const cwd = folder({ 'how-many.sql': question() });

  const PLACES: [string, string[]][] = [
    ['after the subcommand', ['how-many', '--queries', 'q']],
    ['before it', ['--queries', 'q', 'how-many']],
    ['with an equals sign', ['how-many', '--queries=q', 'sessions.jsonl']],
    ['between the arguments', ['how-many', 'sessions.jsonl', '--queries', './q/', '--json']],
    ['by its absolute path', ['how-many', '--queries', path.join(cwd, 'q')]],
  ];
  test.each(byDay(PLACES, 2))('%s', async (_, args) => {
    const ran = await lakelog(args, { cwd });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('calls');
  });

  test('is repeatable', async () => {
    writeLines(cwd, 'q2/also.sql', [question()]);
    for (const name of ['how-many', 'also']) {
      const ran = await lakelog([name, '--queries', 'q', '--queries=q2', '--json'], { cwd });
      expect(envelope(ran).rows).toEqual([{ calls: 2 }]);
    }
  });

  test('behind -- is a path', async () => {
    const ran = await lakelog(['alarm', '--', '--queries', 'q'], { cwd });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain('--queries');
  });

  const NO_FOLDERS: [string, string[], string][] = [
    ['a folder that is missing', ['--queries', 'gone'], 'gone'],
    ['a file', ['--queries', 'sessions.jsonl'], 'sessions.jsonl'],
    ['a folder without a question', ['--queries', '.'], 'holds no .sql file'],
    ['nothing', ['--queries'], 'names no folder'],
  ];
  test.each(byDay(NO_FOLDERS, 2))('%s: exit 2, whatever is asked', async (_, args, words) => {
    for (const command of ['alarm', 'queries']) {
      const ran = await lakelog([command, ...args], { cwd });
      expect(ran.code).toBe(2);
      expect(ran.stdout).toBe('');
      expect(ran.stderr).toContain(words);
      expect(ran.stderr).toContain('→ ');
    }
  });

  test('without it the question is unknown', async () => {
    expect((await lakelog(['how-many'], { cwd })).code).toBe(2);
  });
});

describe('the name of a question', () => {
  const TAKEN = [
    ...['alarm', 'corpus', 'first-shot-rate', 'query', 'show'],
    ...['ack', 'validate', 'queries', 'schema', 'help'],
  ];
  test.each(byDay(TAKEN, 3))('%s is taken', async (name) => {
    const ran = await lakelog([name, '--queries', 'q'], { cwd: folder({ [`${name}.sql`]: ownGate() }) });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(`"${name}" is taken`);
    expect(ran.stderr).toContain(`q/${name}.sql`);
  });

  test('in two folders is taken', async () => {
    const cwd = folder({ 'mine.sql': question() });
    writeLines(cwd, 'q2/mine.sql', [question()]);
    const ran = await lakelog(['mine', '--queries', 'q', '--queries', 'q2'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/taken.*q\/mine\.sql[\s\S]*q2\/mine\.sql/);
  });

  test.each(byDay(['__proto__', 'Slow', 'slow_calls', '-x', 'a--b', 'é', '.hidden', ' a', ''], 3))(
    '%j is none',
    async (name) => {
      const ran = await lakelog(['alarm', '--queries', 'q'], {
        cwd: folder({ [`${name}.sql`]: question() }),
      });
      expect(ran.code).toBe(0);
      expect(ran.stderr).toContain('no name for a subcommand');
      expect(ran.stderr).toContain(`${name}.sql`);
    },
  );

  test.each(byDay(['constructor', 'to-string', 'valueof', 'a1'], 3))('%s is one', async (name) => {
    const cwd = folder({ [`${name}.sql`]: question() });
    const ran = await lakelog([name, '--queries', 'q', '--json'], { cwd });
    expect(ran.code, ran.stderr).toBe(0);
    expect(envelope(ran).rows).toEqual([{ calls: 2 }]);
    expect((await lakelog([name], { cwd })).code).toBe(2);
  });

  test('a folder that ends in .sql is told', async () => {
    const cwd = folder({});
    mkdirSync(path.join(cwd, 'q/sub.sql'));
    const ran = await lakelog(['alarm', '--queries', 'q'], { cwd });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain('q/sub.sql');
  });
});

describe('one broken file breaks itself alone', () => {
  const BROKEN: readonly (readonly [string, string, string])[] = [
    ['no header', 'mine', 'SELECT 1'],
    ['a gate that never fires', 'mine', ownGate().replace(/-- fires:.*\n/, '')],
    ['a parameter that is an option already', 'mine', question('-- param: since text = x -- note')],
    ['a name that is taken', 'corpus', question()],
    ['an empty file', 'mine', ''],
  ];

  test.each(byDay(BROKEN, 2))('%s: the others run and stderr names it', async (_, name, text) => {
    const cwd = folder({ [`${name}.sql`]: text, 'how-many.sql': question() });
    for (const command of [['alarm'], ['how-many', '--json'], ['show', 'late'], ['queries'], ['--help']]) {
      const ran = await lakelog([...command, '--queries', 'q'], { cwd });
      expect(ran.code, ran.stderr).toBe(0);
      expect(ran.stderr).toMatch(/^notice: this question is left out: /m);
      expect(ran.stderr).toContain(`q/${name}.sql`);
      expect(ran.stderr).toContain('  → ');
    }
  });

  test.each(byDay(BROKEN, 3))('%s: whoever asks for it gets exit 2', async (_, name, text) => {
    const cwd = folder({ [`${name}.sql`]: text });
    for (const command of [[name], ['help', name], ['queries', 'show', name]]) {
      const ran = await lakelog([...command, '--queries', 'q'], { cwd });
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toMatch(/^error: /);
      expect(ran.stderr).toContain(`q/${name}.sql`);
    }
  });

  test('a gate that fires still does', async () => {
    const cwd = folder({ 'slow.sql': ownGate(), 'x.sql': 'SELECT 1' });
    expect((await lakelog(['slow', '--queries', 'q'], { cwd })).code).toBe(1);
  });
});

describe('a header that is wrong names file, line and remedy', () => {
  const WRONG: [string, string, number][] = [
    ['no title', SQL, 1],
    ['no column', '-- title: T\n-- question: Q?\nSELECT 1 AS a', 1],
    ['an unknown key', question('-- gates: reason'), 4],
    ['a parameter without default', question('-- param: n integer -- x'), 4],
    ['a parameter of no type', question('-- param: n float = 1 -- x'), 4],
    ['a name that stands twice', question('-- param: n text = 1 -- x', '-- param: n text = 2 -- y'), 5],
    ['a column of no type', question('-- column: a date'), 4],
    ['a canary that is no JSON', ownGate({ canary: '{duration_ms: 1}' }), 11],
    ['a gate on no column', ownGate().replace('-- gate: reason', '-- gate: rule'), 1],
    ['a gate that never fires', ownGate().replace(/-- fires:.*\n/, ''), 1],
    ['a gate without a canary', ownGate().replace(/-- canary:.*\n/, ''), 1],
    ['a gate that judges nothing', ownGate().replace(/-- judges:.*\n/, ''), 1],
    ['rules without a gate', ownGate().replace(/-- gate:.*\n/, ''), 1],
    ['an unless that names no flag', ownGate({ header: ['-- cannot-vouch: x unless y -- z'] }), 1],
  ];
  test.each(byDay(WRONG, 3))('%s', async (_, text, line) => {
    const ran = await lakelog(['mine', '--queries', 'q'], { cwd: folder({ 'mine.sql': text }) });
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain(`q/mine.sql:${line}\n`);
    expect(ran.stderr).toContain('→ ');
    expect(ran.stderr).not.toContain('internal error');
  });

  test.each([
    ['an empty comment line', (text: string) => text.replace('-- gate:', '--\n-- gate:')],
    ['an empty line', (text: string) => text.replace('-- gate:', '\n-- gate:')],
    ['a remark', (text: string) => text.replace('-- gate:', '-- The gate of the night shift.\n-- gate:')],
    ['a key in capitals', (text: string) => text.replace('-- gate:', '-- Gate:')],
    ['a key behind a space', (text: string) => text.replace('-- gate:', ' -- gate:')],
    ['three hyphens', (text: string) => text.replace('-- gate:', '--- gate:')],
    ['white space before the colon', (text: string) => text.replace('-- gate:', '-- gate :')],
  ])('%s does not turn a gate into a question that is always exit 0', async (_, spoilt) => {
    const cwd = folder({ 'slow.sql': spoilt(ownGate()) });
    expect([1, 2]).toContain((await lakelog(['slow', '--queries', 'q'], { cwd })).code);
  });

  const OPTIONS = ['since', 'format', 'json', 'acks', 'output', 'help', 'min_judged', 'queries', 'version'];
  describe.each(byDay(OPTIONS, 4))('a parameter called %s, which is an option already', (name) => {
    const option = `--${name.replaceAll('_', '-')}`;
    test.each([
      ['is told', []],
      // --queries is taken from the arguments before anything is parsed.
      ['is told when it is given', name === 'queries' ? [] : [option, '5']],
    ])('%s', async (_, given) => {
      const cwd = folder({ 'slow.sql': ownGate({ header: [`-- param: ${name} text = x -- note`] }) });
      const ran = await lakelog(['slow', ...given, '--queries', 'q'], { cwd });
      expect(ran.code, ran.stdout).toBe(2);
      expect(ran.stderr).toContain('q/slow.sql:3');
      expect(ran.stderr).not.toContain('internal error');
    });
  });

  test('a parameter called like a member of every object is told', async () => {
    const cwd = folder({ 'mine.sql': question('-- param: constructor text = x -- note') });
    const ran = await lakelog(['mine', '--constructor', 'y', '--queries', 'q'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('  at q/mine.sql:4\n');
    expect(ran.stderr).toContain('member of every object');
  });

  test('a parameter called no_… takes its value like every other', async () => {
    const cwd = folder({
      'mine.sql': [
        '-- title: T',
        '-- question: Q?',
        '-- param: no_retry flag = false -- note',
        '-- column: a boolean',
        '',
        'SELECT p.no_retry AS a FROM params p',
      ].join('\n'),
    });
    const ran = await lakelog(['mine', '--no-retry', '--queries', 'q', '--json'], { cwd });
    if (ran.code === 2) expect(ran.stderr).toContain('q/mine.sql:3');
    else expect(envelope(ran).rows).toEqual([{ a: true }]);
  });

  test.each(byDay(['a__b integer = 1', 'a_ integer = 1'], 2))(
    'a parameter whose option cannot be read back: %s',
    async (param) => {
      const cwd = folder({ 'mine.sql': question(`-- param: ${param} -- note`) });
      const ran = await lakelog(['alarm', '--queries', 'q'], { cwd });
      expect(ran.stderr).not.toContain('internal error');
    },
  );

  const DEFAULTS = [
    'f flag = yes',
    'n integer = x',
    'n integer(5) = 1',
    'c choice(a|b) = z',
    's set(a|b) = a,z',
  ];
  test.each(byDay(DEFAULTS, 3))('a default that the parameter does not take: %s', async (param) => {
    const cwd = folder({ 'mine.sql': question(`-- param: ${param} -- note`) });
    const ran = await lakelog(['mine', '--queries', 'q'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('q/mine.sql:4');
  });
});

describe('a gate of one’s own', () => {
  const slow = (cwd: string, ...args: readonly string[]) => ask(['slow', '--queries', 'q', ...args], { cwd });

  test('fires, cannot vouch, and is clear', async () => {
    const cwd = folder({ 'slow.sql': ownGate() });
    expect(await slow(cwd)).toMatchObject({ code: 1, rows: [{ session_id: 'late', reason: 'slow' }] });
    expect(await slow(cwd, '--limit', '6000')).toMatchObject({ code: 0, rows: [] });
    expect((await slow(cwd, '--limit', '6000', '--min-judged', '3')).code).toBe(3);
    writeLines(cwd, 'none.jsonl', [call()]);
    expect(await slow(cwd, 'none.jsonl')).toMatchObject({
      code: 3,
      cannotVouch: [{ code: 'too_few_judged' }],
    });
    writeLines(cwd, 'torn.jsonl', [call({ duration_ms: 1 }), '{"x']);
    expect(await slow(cwd, 'torn.jsonl')).toMatchObject({ code: 3, cannotVouch: [{ code: 'rejects' }] });
    expect((await lakelog(['slow', 'gone.jsonl', '--queries', 'q'], { cwd })).code).toBe(3);
  });

  test('has the same formats and options as the alarm', async () => {
    const cwd = folder({ 'slow.sql': ownGate() });
    for (const format of byDay(['table', 'json', 'jsonl', 'csv', 'md', 'github', 'junit'], 3)) {
      const ran = await lakelog(['slow', '--queries', 'q', '--format', format, '-o', 'x.xml'], { cwd });
      expect(ran.code, format).toBe(1);
      expect(ran.stdout).toContain('late');
    }
    const quiet = await lakelog(['slow', '--queries', 'q', '-q', '--limit', '1e9'], { cwd });
    expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('a value that the header does not name cannot vouch', async () => {
    const sql = `SELECT s.session_id, CASE WHEN s.duration_ms > 1e200 THEN 'slow' ELSE 'odd' END AS reason, s.file, s.line
FROM sessions s WHERE s.duration_ms > 1000`;
    const cwd = folder({ 'slow.sql': ownGate({ sql }) });
    expect(await slow(cwd)).toMatchObject({ code: 3, cannotVouch: [{ code: 'unnamed_value' }] });
  });

  test.each([
    ['finds nothing', "SELECT session_id, 'slow' AS reason, file, line FROM sessions WHERE 1 = 0"],
    ['calls it by another name', ownGate().split('\n\n')[1]!.replace("'slow'", "'late'")],
    [
      'drops what is NULL',
      "SELECT session_id, 'slow' AS reason, file, line FROM sessions WHERE daemon = 'x'",
    ],
  ])('that %s is not believed', async (_, sql) => {
    const cwd = folder({ 'slow.sql': ownGate({ sql }) });
    const ran = await lakelog(['slow', '--queries', 'q'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain('self-test failed');
    expect(ran.stderr).toContain('q/slow.sql');
  });

  test('is acknowledged by its name', async () => {
    const cwd = folder({ 'slow.sql': ownGate() });
    const ack = (...args: string[]) =>
      lakelog(['ack', 'k1', '--reason', 'known', '--author', 'ops', ...args, '--queries', 'q'], { cwd });
    expect((await ack()).code).toBe(2);
    expect(acksIn(cwd)).toEqual([]);
    expect((await ack('--gate', 'slow', '-p', 'limit=9000')).code).toBe(2);
    expect((await ack('--gate', 'slow')).code).toBe(0);
    expect(await slow(cwd)).toMatchObject({ code: 0, rows: [], acknowledged: { calls: 1 } });
    const { stdout } = await lakelog(['show', 'late', '--queries', 'q'], { cwd });
    expect(stdout).toMatch(/violates +slow: slow\n/);
  });

  test('without file and line never has a row silenced', async () => {
    const sql =
      "SELECT session_id, 'slow' AS reason, '' AS file, 0 AS line FROM sessions WHERE duration_ms > 1000";
    const cwd = folder({ 'slow.sql': ownGate({ sql }) });
    const ran = await lakelog(['ack', 'k1', '--reason', 'r', '--gate', 'slow', '--queries', 'q'], { cwd });
    expect(ran.code).toBe(2);
    expect((await slow(cwd)).code).toBe(1);
  });

  test('whose SQL is wrong says so, with its file', async () => {
    const cwd = folder({
      'slow.sql': ownGate({ sql: ownGate().split('\n\n')[1]!.replace('duration_ms', 'duration') }),
    });
    const ran = await lakelog(['slow', '--queries', 'q'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('q/slow.sql');
    expect(ran.stderr).toContain('lakelog schema');
  });

  const ASKED: [string, string[]][] = [
    ['show', ['show', 'late']],
    ['ack', ['ack', 'late', '--reason', 'r', '--gate', 'slow']],
  ];
  test.each(byDay(ASKED, 2))('whose SQL is wrong is no defect of lakelog in %s either', async (_, args) => {
    const cwd = folder({
      'slow.sql': ownGate({ sql: ownGate().split('\n\n')[1]!.replace('duration_ms', 'duration') }),
    });
    const ran = await lakelog([...args, '--queries', 'q'], { cwd });
    expect(ran.stderr).not.toContain('internal error');
    expect(ran.stderr).toContain('q/slow.sql');
  });

  test('columns that are not those of the header: exit 2', async () => {
    const cwd = folder({ 'mine.sql': question().replace('AS calls', 'AS other') });
    const ran = await lakelog(['mine', '--queries', 'q'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('q/mine.sql');
  });
});

describe('a question with parameters of every type', () => {
  const text = [
    '-- title: Everything',
    '-- question: What arrives?',
    '-- param: by set(model|kind) = model -- groups',
    '-- param: mode choice(fast|slow) = fast -- mode',
    '-- param: gated_kind kinds = fill -- kinds',
    '-- param: with_all flag = false -- all',
    '-- param: top integer(1) = 3 -- top',
    '-- param: share number = 0.5 -- share',
    '-- param: like text = a b -- like',
    ...['by_model boolean', 'by_kind boolean', 'mode text', 'gated_kind text', 'with_all boolean'].map(
      (column) => `-- column: ${column}`,
    ),
    ...['top integer', 'share number', 'like_text text', 'gated integer'].map(
      (column) => `-- column: ${column}`,
    ),
    '',
    'SELECT p.by_model, p.by_kind, p.mode, p.gated_kind, p.with_all, p.top, p.share, p."like" AS like_text,',
    '  (SELECT SUM(CASE WHEN s.gated THEN 1 ELSE 0 END) FROM sessions s) AS gated FROM params p',
  ].join('\n');
  const cwd = folder({ 'all.sql': text });

  test('has its defaults', async () => {
    const ran = await lakelog(['all', '--queries', 'q', '--json'], { cwd });
    expect(envelope(ran).rows).toEqual([
      {
        by_model: true,
        by_kind: false,
        mode: 'fast',
        gated_kind: 'fill',
        with_all: false,
        top: 3,
        share: 0.5,
        like_text: 'a b',
        gated: 2,
      },
    ]);
  });

  test('takes what it is given, as what it is', async () => {
    const given = [
      '--by',
      'kind',
      '--mode',
      'slow',
      '--gated-kind',
      'x',
      '--gated-kind',
      "y'z",
      '--with-all',
    ];
    const more = ['--top', '12', '--share', '-1e-3', '--like', "'; DROP TABLE sessions; --"];
    const ran = await lakelog(['all', '--queries', 'q', '--json', ...given, ...more], { cwd });
    expect(envelope(ran).rows).toEqual([
      {
        by_model: false,
        by_kind: true,
        mode: 'slow',
        gated_kind: "x,y'z",
        with_all: true,
        top: 12,
        share: -0.001,
        like_text: "'; DROP TABLE sessions; --",
        gated: 0,
      },
    ]);
    expect(envelope(ran).params).toMatchObject({ by: ['kind'], gated_kind: ['x', "y'z"], top: 12 });
  });

  const NO_VALUES = [
    ['--by', 'colour'],
    ['--mode', 'Fast'],
    ['--top', '0'],
    ['--top', '1.5'],
    ['--top', ''],
    ['--share', 'NaN'],
    ['--share', '1,5'],
    ['--gated-kind', ''],
  ] as const;
  test.each(byDay(NO_VALUES, 3))('%s %j: exit 2', async (option, value) => {
    const ran = await lakelog(['all', '--queries', 'q', option, value], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain(option);
  });
});

describe('lakelog queries', () => {
  const cwd = folder({ 'slow.sql': ownGate() });

  test('lists every question with its title and options, own ones too', async () => {
    const { stdout, code } = await lakelog(['queries', '--queries', 'q'], { cwd });
    expect(code).toBe(0);
    for (const name of [
      'alarm',
      'corpus',
      'first-shot',
      'first-shot-rate',
      'rejections',
      'triple-rejections',
    ]) {
      expect(stdout).toMatch(new RegExp(`^${name} `, 'm'));
    }
    expect(stdout).toMatch(/^slow +Slow calls +yes +--limit \(1000\)$/m);
    expect((await lakelog(['queries'], { cwd })).stdout).not.toContain('slow ');
  });

  test('as JSON', async () => {
    const { stdout } = await lakelog(['queries', '--json', '--queries', 'q'], { cwd });
    const listed = JSON.parse(stdout) as { name: string }[];
    expect(listed.find(({ name }) => name === 'slow')).toEqual({
      name: 'slow',
      title: 'Slow calls',
      gate: true,
      intervals: [],
      params: [{ name: 'limit', type: 'number', default: '1000', note: 'longest duration in ms' }],
      file: 'q/slow.sql',
    });
  });

  test('show prints the file as it stands', async () => {
    for (const [name, file] of [
      ['alarm', path.join(root, 'queries/alarm.sql')],
      ['slow', path.join(cwd, 'q/slow.sql')],
    ] as const) {
      const ran = await lakelog(['queries', 'show', name, '--queries', 'q'], { cwd });
      expect(ran.code).toBe(0);
      expect(ran.stdout.trimEnd()).toBe(readFileSync(file, 'utf8').trimEnd());
    }
  });

  test.each(byDay(['nope', 'slow', '__proto__', 'constructor', '../alarm', 'alarm.sql', 'Alarm', ''], 4))(
    'show %j: exit 2',
    async (name) => {
      const ran = await lakelog(['queries', 'show', name], { cwd });
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toContain('→ ');
    },
  );

  test('a title is shown and never emitted', async () => {
    const evil = folder({ 'evil.sql': question().replace('How many calls\n', 'T\u001b[2J\u202e\n') });
    for (const args of [
      ['queries'],
      ['queries', '--json'],
      ['queries', 'show', 'evil'],
      ['evil', '--help'],
    ]) {
      const ran = await lakelog([...args, '--queries', 'q'], { cwd: evil });
      if (args[1] === 'show') continue;
      expect(ran.stdout + ran.stderr, args.join(' ')).not.toMatch(/\u001b|\u202e/);
    }
  });
});

describe('corpus', () => {
  test('without any replay input: exit 3, the rows as they are, and how to name one', async () => {
    const ran = await lakelog(['corpus', 'sessions.jsonl', '--format', 'csv'], { cwd: folder({}) });
    expect(ran.code).toBe(3);
    expect(ran.stdout).toContain('no replay run');
    expect(ran.stderr).toMatch(/^cannot vouch: no replay run was loaded.*\n.*→.*--replay-runs/);
  });

  test.each([
    ['missing', 'gone.jsonl'],
    ['empty, which passes for just rotated in other questions', 'empty.jsonl'],
  ])('with a replay file that is %s: exit 3', async (_, name) => {
    const cwd = folder({});
    writeLines(cwd, 'empty.jsonl', []);
    const ran = await lakelog(['corpus', 'sessions.jsonl', '--replay-runs', name], { cwd });
    expect(ran.stderr).toContain(name);
    expect(ran.code).toBe(3);
  });
});
