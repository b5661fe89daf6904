import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { acksIn, alarm, commandsIn, DEFAULT_ACKS, violation, type WrittenAck } from '../support/acks.js';
import {
  atNight,
  byDay,
  call,
  copiesOf,
  exceptByDay,
  newFolder,
  nightly,
  lakelog as spawned,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';

const TORN = '{"schema":"session.iterate.v1","session_id":"to';
const UNKNOWN = '{"schema":"other.v9"}';

function logs(...lines: readonly string[]): string {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call(), ...lines]);
  return cwd;
}

const add = (cwd: string, ...lines: readonly string[]) =>
  appendFileSync(path.join(cwd, 'sessions.jsonl'), lines.map((line) => `${line}\n`).join(''));

async function done(cwd: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await lakelog(['ack', ...args], { cwd });
  expect(code, stderr).toBe(0);
  return stdout;
}

const settled = (cwd: string, target: string, ...args: readonly string[]) =>
  done(cwd, target, '--reason', 'looked at it', '--author', 'ops', ...args);

const baseline = (cwd: string, ...args: readonly string[]) =>
  done(cwd, '--baseline', '--reason', 'backlog', '--author', 'ops', ...args);

const clear = { code: 0, rows: [], cannotVouch: [] };

interface Listed {
  readonly number: number;
  readonly state: string;
  readonly what: string;
}

async function listed(cwd: string, ...args: readonly string[]): Promise<(Listed & WrittenAck)[]> {
  const { stdout } = await lakelog(['ack', 'list', '--json', ...args], { cwd });
  return JSON.parse(stdout);
}

const states = async (cwd: string, ...args: readonly string[]) =>
  (await listed(cwd, ...args)).map(({ state }) => state);

describe('the baseline', () => {
  test('settles every reject and conflict of now, each by its hash, and a new one still counts', async () => {
    const cwd = logs(TORN, '[]', TORN, call({ call_id: 'k' }), call({ call_id: 'k' }));
    expect((await alarm({ cwd })).code).toBe(3);
    const said = await baseline(cwd);
    expect(said).toMatch(
      /^settled: 3 rejected lines \(2 × bad_json, 1 × not_object\) and 2 conflicting records\n/,
    );
    expect(acksIn(cwd).map(({ what, line }) => `${what} ${line}`)).toEqual([
      'reject 2',
      'reject 3',
      'reject 4',
      'conflict 5',
      'conflict 6',
    ]);
    expect(await alarm({ cwd })).toMatchObject({
      ...clear,
      acknowledged: { calls: 0, rejects: 3, conflicts: 2 },
      notices: [
        '3 rejected lines and 2 conflicting records (the first sessions.jsonl:2) acknowledged by ops on ' +
          `${new Date().toISOString().slice(0, 10)}: backlog`,
      ],
    });
    add(cwd, '{"new');
    expect(await alarm({ cwd })).toMatchObject({ code: 3, cannotVouch: [{ code: 'rejects' }] });
  });

  const LATER = [
    ['a third record of a known call_id', () => call({ call_id: 'k' })],
    ['a conflict of another call_id', () => `${call({ call_id: 'm' })}\n${call({ call_id: 'm' })}`],
  ] as const;
  test.each(byDay(LATER, 2))('does not settle what comes later: %s', async (_, line) => {
    const cwd = logs(call({ call_id: 'k' }), call({ call_id: 'k' }));
    await baseline(cwd);
    expect(await alarm({ cwd })).toMatchObject(clear);
    add(cwd, line());
    expect(await alarm({ cwd })).toMatchObject({ code: 3, cannotVouch: [{ code: 'conflicts' }] });
    await baseline(cwd);
    expect(await alarm({ cwd })).toMatchObject(clear);
  });

  test('one more line with bytes that were settled once is a new one', async () => {
    const cwd = logs(TORN);
    await baseline(cwd);
    add(cwd, TORN);
    expect((await alarm({ cwd })).code).toBe(3);
  });

  test('never settles a violation, whether it is alone, unjudged or part of a conflict', async () => {
    const cwd = logs(
      TORN,
      violation({ call_id: 'k1' }),
      violation({ call_id: 'k1', session_id: 'second' }),
      violation({ session_id: 'third', grounded_in_roster: null }),
    );
    await baseline(cwd);
    expect(acksIn(cwd).map(({ what }) => what)).toEqual(['reject', 'conflict', 'conflict']);
    const { code, rows, acknowledged } = await alarm({ cwd });
    expect(code).toBe(1);
    expect(rows.map(({ line }) => line).sort()).toEqual([3, 4, 5]);
    expect(acknowledged).toMatchObject({ calls: 0, rejects: 1, conflicts: 2 });
  });

  test('leaves what nothing settles, and says so', async () => {
    const cwd = logs(TORN, UNKNOWN, '{"session_id":"x"}');
    const said = await baseline(cwd);
    expect(said).toContain('not settled: 2 lines with an unknown schema');
    expect(said).toContain('sessions.jsonl:3');
    expect(acksIn(cwd)).toHaveLength(1);
    expect(await alarm({ cwd })).toMatchObject({ code: 3, cannotVouch: [{ code: 'unknown_record' }] });
  });

  test('a second time adds nothing, and says how much there was before', async () => {
    const cwd = logs(TORN, '[]');
    await settled(cwd, 'sessions.jsonl:2');
    expect(await baseline(cwd)).toContain('1 more had been settled before');
    const before = acksIn(cwd);
    expect(await baseline(cwd)).toMatch(/^nothing to settle/);
    expect(acksIn(cwd)).toEqual(before);
    const sound = logs();
    expect(await baseline(sound)).toMatch(/^nothing to settle/);
    expect(acksIn(sound)).toEqual([]);
  });

  test('settles anew what had expired', async () => {
    const cwd = logs(TORN);
    await baseline(cwd);
    const [one] = acksIn(cwd);
    writeLines(cwd, DEFAULT_ACKS, [JSON.stringify({ ...one, expires: '2025-07-01' })]);
    expect((await alarm({ cwd })).code).toBe(3);
    await baseline(cwd, '--expires', '90d');
    expect(acksIn(cwd)).toHaveLength(2);
    expect(await alarm({ cwd })).toMatchObject({ ...clear, idle: [] });
  });

  test('takes all of its arguments for logs, as files, folders or stdin', async () => {
    const cwd = newFolder();
    for (const name of ['a.jsonl', 'd/b.jsonl', 'e/c.jsonl'])
      writeLines(cwd, name, [call(), `${TORN}${name}`]);
    await baseline(cwd, 'a.jsonl', 'd', '--sessions', 'e/c.jsonl');
    expect(acksIn(cwd).map(({ file }) => file)).toEqual(['a.jsonl', 'd/b.jsonl', 'e/c.jsonl']);
    const piped = newFolder();
    const stdin = `${call()}\n${TORN}\n`;
    const ran = await lakelog(['ack', '--baseline', '--reason', 'r', '-'], { cwd: piped, stdin });
    expect(ran.code, ran.stderr).toBe(0);
    expect((await lakelog(['alarm', '-'], { cwd: piped, stdin })).code).toBe(0);
  });

  test('of logs that were not all there is 3, and settles what was', async () => {
    const cwd = logs(TORN);
    const args = ['ack', '--baseline', '--reason', 'r', 'sessions.jsonl', 'gone.jsonl'];
    const { code, stderr } = await lakelog(args, { cwd });
    expect(code).toBe(3);
    expect(stderr).toContain('gone.jsonl');
    expect(acksIn(cwd)).toHaveLength(1);
  });

  test('is what validate says to do about many lines, and about none that nothing settles', async () => {
    const cwd = logs(TORN, '[]');
    const { stderr } = await lakelog(['validate', 'sessions.jsonl'], { cwd });
    expect(stderr).toContain('settle all of now: lakelog ack --baseline --reason "…" sessions.jsonl\n');
    const unknown = await lakelog(['validate'], { cwd: logs(UNKNOWN, UNKNOWN) });
    expect(unknown.stderr).not.toContain('--baseline');
  });

  test.each(
    byDay(
      [
        ['without a reason', []],
        ['of one gate', ['--reason', 'r', '--gate', 'alarm']],
        ['of other kinds', ['--reason', 'r', '--gated-kind', 'email']],
        ['with a parameter', ['--reason', 'r', '-p', 'allow_unjudged=true']],
      ],
      4,
    ),
  )('%s is refused', async (_, args) => {
    const cwd = logs(TORN);
    expect((await lakelog(['ack', '--baseline', ...args], { cwd })).code).toBe(2);
    expect(acksIn(cwd)).toEqual([]);
  });

  atNight(
    'of ten thousand torn lines takes one step, and one line of a receipt',
    async () => {
      const cwd = logs(...Array.from({ length: 10_000 }, (_, i) => `{"torn":${i}`));
      await baseline(cwd);
      expect(acksIn(cwd)).toHaveLength(10_000);
      const ran = await alarm({ cwd });
      expect(ran).toMatchObject({ ...clear, acknowledged: { rejects: 10_000 } });
      expect(ran.notices).toHaveLength(1);
    },
    60_000,
  );
});

describe('a record that shares its call_id', () => {
  test('is settled by FILE:LINE, by its key where that is whole, and never in place of a violation', async () => {
    const cwd = logs(call({ call_id: 'k' }), call({ call_id: 'k' }));
    await settled(cwd, 'sessions.jsonl:2');
    expect(acksIn(cwd)).toMatchObject([{ what: 'conflict', call_id: 'k', line: 2 }]);
    expect((await alarm({ cwd })).code).toBe(3);
    await settled(cwd, 'sessions.jsonl:3');
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { conflicts: 2 } });
    const violated = logs(violation({ call_id: 'k' }), call({ call_id: 'k' }));
    await settled(violated, 'sessions.jsonl:2');
    expect(acksIn(violated)).toMatchObject([{ what: 'call' }]);
    expect((await alarm({ cwd: violated })).code).toBe(3);
  });

  test('whose bytes changed is another one', async () => {
    const cwd = newFolder();
    const [one, two] = [call({ call_id: 'k' }), call({ call_id: 'k' })];
    writeLines(cwd, 'sessions.jsonl', [one, two]);
    await baseline(cwd);
    writeLines(cwd, 'sessions.jsonl', [one, two.replace('"fill"', '"email"')]);
    expect(await alarm({ cwd })).toMatchObject({ code: 3, idle: [`${DEFAULT_ACKS}:2`] });
  });

  test('within --max-rejects is counted without those that are settled', async () => {
    const cwd = logs(
      call({ call_id: 'k' }),
      call({ call_id: 'k' }),
      call({ call_id: 'm' }),
      call({ call_id: 'm' }),
    );
    await settled(cwd, 'sessions.jsonl:2');
    await settled(cwd, 'sessions.jsonl:3');
    expect((await alarm({ cwd }, '--max-rejects', '1')).code).toBe(3);
    expect((await alarm({ cwd }, '--max-rejects', '2')).code).toBe(0);
  });
});

describe('the list', () => {
  test('has all of them: what, by whom, when, until when, and whether it still matches', async () => {
    const cwd = logs(
      TORN,
      '[]',
      violation({ call_id: 'k1' }),
      call({ call_id: 'k' }),
      call({ call_id: 'k' }),
    );
    await settled(cwd, 'sessions.jsonl:2', '--expires', '2999-12-31');
    await settled(cwd, 'sessions.jsonl:3');
    await settled(cwd, 'k1');
    await settled(cwd, 'sessions.jsonl:5');
    expect(await listed(cwd)).toMatchObject([
      { number: 1, state: 'holds', what: 'reject', expires: '2999-12-31', author: 'ops' },
      { number: 2, state: 'holds', what: 'reject' },
      { number: 3, state: 'holds', what: 'call', call_key: 'k1' },
      { number: 4, state: 'holds', what: 'conflict', call_id: 'k' },
    ]);
    const text = await done(cwd, 'list');
    const [one] = acksIn(cwd);
    expect(text).toContain('1  holds: rejected line (bad_json)\n');
    expect(text).toContain(`at sessions.jsonl:2, hash ${one!.line_sha256.slice(0, 12)}\n`);
    expect(text).toContain(
      `by ops on ${one!.at.slice(0, 10)}, until the end of 2999-12-31 (UTC): looked at it`,
    );
    expect(text).toContain('call k1 (fill, accepted, NOT grounded');
  });

  test('tells what expired, was replaced, matches nothing, or speaks of a log that was not read', async () => {
    const cwd = logs(TORN, '[]', '5');
    writeLines(cwd, 'other.jsonl', [call(), TORN]);
    await settled(cwd, 'sessions.jsonl:2', '--expires', '2999-01-01');
    await settled(cwd, 'sessions.jsonl:2');
    await settled(cwd, 'sessions.jsonl:3');
    await settled(cwd, 'sessions.jsonl:4');
    await settled(cwd, 'other.jsonl:2', 'other.jsonl');
    const [first, second, third, ...rest] = acksIn(cwd).map((ack) => JSON.stringify(ack));
    writeLines(cwd, DEFAULT_ACKS, [
      first!,
      second!,
      '',
      third!.replace('"expires":null', '"expires":"2025-07-01"'),
      ...rest,
    ]);
    writeLines(cwd, 'sessions.jsonl', [call(), TORN, '[]', call()]);
    expect(await states(cwd)).toEqual(['replaced', 'holds', 'expired', 'matches nothing', 'not read']);
    expect((await listed(cwd)).map(({ number }) => number)).toEqual([1, 2, 4, 5, 6]);
    expect(await done(cwd, 'list')).toContain('1  replaced by 2: ');
  });

  test('of none is empty, of a file that was named and is missing 2, of logs that are missing 3', async () => {
    const cwd = logs();
    expect(await listed(cwd)).toEqual([]);
    expect((await lakelog(['ack', 'list', '--acks', 'gone.jsonl'], { cwd })).code).toBe(2);
    add(cwd, TORN);
    await settled(cwd, 'sessions.jsonl:2');
    const ran = await lakelog(['ack', 'list', '--json', 'gone.jsonl'], { cwd });
    expect(ran.code).toBe(3);
    expect(JSON.parse(ran.stdout)).toMatchObject([{ state: 'not read' }]);
  });

  atNight('names lines as their files are called from here', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'd/sessions.jsonl', [call(), TORN]);
    await settled(cwd, 'd/sessions.jsonl:2', 'd', '--acks', 'd/a.jsonl');
    const below = await lakelog(['ack', 'list', '--acks', 'a.jsonl', 'sessions.jsonl'], {
      cwd: path.join(cwd, 'd'),
    });
    expect(below.stdout).toContain('at sessions.jsonl:2,');
    expect(await done(cwd, 'list', '--acks', 'd/a.jsonl', 'd/sessions.jsonl')).toContain(
      'at d/sessions.jsonl:2,',
    );
  });

  test('text of unknown origin never acts on a terminal', async () => {
    const evil = '\u001b]0;owned\u0007\u202e';
    const cwd = logs(violation({ session_id: `s${evil}`, call_id: `k${evil}`, kind: 'fill' }));
    await done(cwd, 'sessions.jsonl:2', '--reason', `why${evil}`, '--author', `me${evil}`);
    for (const args of byDay([['list'], ['list', '--json'], ['rm', '1']], 2)) {
      const text = await done(cwd, ...args);
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(text).toContain('why');
    }
  });

  test('options before it are refused and not lost', async () => {
    const cwd = logs();
    const ran = await lakelog(['ack', '--acks', 'a.jsonl', 'list'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('--acks');
    expect((await lakelog(['ack', '--baseline', '--reason', 'r', 'prune'], { cwd })).code).toBe(2);
  });
});

describe('rm', () => {
  const three = copiesOf(async () => {
    const cwd = newFolder();
    writeLines(cwd, 'd/sessions.jsonl', [call(), TORN, '[]', violation({ call_id: 'k1' })]);
    for (const line of [2, 3, 4]) await settled(cwd, `d/sessions.jsonl:${line}`, 'd');
    return cwd;
  });
  const left = (cwd: string) => acksIn(cwd).map(({ line }) => line);

  test.each(
    byDay(
      [
        ['its number', () => '2', [2, 4]],
        ['the hash', (acks: readonly WrittenAck[]) => acks[1]!.line_sha256, [2, 4]],
        [
          'the beginning of the hash',
          (acks: readonly WrittenAck[]) => acks[1]!.line_sha256.slice(0, 12),
          [2, 4],
        ],
        ['FILE:LINE', () => 'd/sessions.jsonl:3', [2, 4]],
        ['FILE:LINE, written otherwise', () => './d/../d/sessions.jsonl:3', [2, 4]],
        ['FILE:LINE of the acknowledgement, as a gate prints it', () => `${DEFAULT_ACKS}:2`, [2, 4]],
        ['the call', () => 'k1', [2, 3]],
      ],
      3,
    ),
  )('by %s', async (_, targetOf, expected) => {
    const cwd = await three();
    const target = targetOf(acksIn(cwd));
    const said = await done(cwd, 'rm', target);
    expect(said).toMatch(/^taken out: [23], /);
    expect(left(cwd)).toEqual(expected);
  });

  test('several at once, and what they settled counts again', async () => {
    const cwd = await three();
    expect(await alarm({ cwd }, 'd')).toMatchObject(clear);
    await done(cwd, 'rm', '1', 'k1');
    expect(left(cwd)).toEqual([3]);
    expect(await alarm({ cwd }, 'd')).toMatchObject({ code: 1, acknowledged: { rejects: 1 } });
  });

  atNight('from another folder', async () => {
    const cwd = await three();
    const below = path.join(cwd, 'd');
    const args = ['ack', 'rm', 'sessions.jsonl:3', '--acks', `../${DEFAULT_ACKS}`];
    const ran = await lakelog(args, { cwd: below });
    expect(ran.code, ran.stderr).toBe(0);
    expect(left(cwd)).toEqual([2, 4]);
  });

  atNight('of a line of the standard input', async () => {
    const cwd = newFolder();
    const stdin = `${call()}\n${TORN}\n`;
    await lakelog(['ack', '-:2', '-', '--reason', 'r'], { cwd, stdin });
    expect(acksIn(cwd)).toHaveLength(1);
    await done(cwd, 'rm', '-:2');
    expect(acksIn(cwd)).toEqual([]);
  });

  test('takes with it what it had replaced, which would count again', async () => {
    const cwd = logs(violation({ call_id: 'k1' }));
    await settled(cwd, 'k1');
    await settled(cwd, 'k1', '--expires', '90d');
    await done(cwd, 'rm', '2');
    expect(acksIn(cwd)).toEqual([]);
    expect((await alarm({ cwd })).code).toBe(1);
  });

  atNight('one that was replaced leaves the one that counts', async () => {
    const cwd = logs(violation({ call_id: 'k1' }));
    await settled(cwd, 'k1');
    await settled(cwd, 'k1', '--expires', '90d');
    await done(cwd, 'rm', '1');
    expect(acksIn(cwd)).toHaveLength(1);
    expect((await alarm({ cwd })).code).toBe(0);
  });

  test.each(byDay([['9'], ['0'], ['deadbeef'], ['d/sessions.jsonl:99'], ['nobody'], [''], ['2', '9']], 3))(
    'of what is not there takes out nothing: %s',
    async (...targets) => {
      const cwd = await three();
      const before = acksIn(cwd);
      const { code, stderr } = await lakelog(['ack', 'rm', ...targets], { cwd });
      expect(code).toBe(2);
      expect(stderr).toContain('→ ');
      expect(acksIn(cwd)).toEqual(before);
    },
  );

  test('leaves every other byte of the file, its mode and its place', async () => {
    const cwd = await three();
    const file = path.join(cwd, DEFAULT_ACKS);
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, `${lines[0]}\r\n\n  ${lines[1]}\n${lines[2]}`);
    chmodSync(file, 0o644);
    await done(cwd, 'rm', '3');
    expect(readFileSync(file, 'utf8')).toBe(`${lines[0]}\r\n\n${lines[2]}`);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    await done(cwd, 'rm', '1', '3');
    expect(acksIn(cwd)).toEqual([]);
    expect((await alarm({ cwd }, 'd')).code).toBe(1);
  });

  test('through a link is refused', async () => {
    const cwd = await three();
    symlinkSync(DEFAULT_ACKS, path.join(cwd, 'link.jsonl'));
    const before = acksIn(cwd);
    expect((await lakelog(['ack', 'rm', '1', '--acks', 'link.jsonl'], { cwd })).code).toBe(2);
    expect(acksIn(cwd)).toEqual(before);
  });
});

describe('prune', () => {
  test('takes out what matches nothing and leaves what holds or has expired', async () => {
    const cwd = logs(TORN, '[]', '5');
    for (const line of [2, 3, 4]) await settled(cwd, `sessions.jsonl:${line}`);
    const [one, two, three] = acksIn(cwd);
    writeLines(
      cwd,
      DEFAULT_ACKS,
      [{ ...one!, expires: '2025-07-01' }, two!, three!].map((ack) => JSON.stringify(ack)),
    );
    writeLines(cwd, 'sessions.jsonl', [call(), TORN, '[]', call()]);
    expect(await done(cwd, 'prune')).toMatch(/^taken out: 3, rejected line /);
    expect(acksIn(cwd).map(({ line }) => line)).toEqual([2, 3]);
    expect(await done(cwd, 'prune')).toMatch(/^nothing to take out/);
  });

  atNight('takes out what expired and is gone', async () => {
    const cwd = logs(TORN);
    await settled(cwd, 'sessions.jsonl:2');
    const [one] = acksIn(cwd);
    writeLines(cwd, DEFAULT_ACKS, [JSON.stringify({ ...one!, expires: '2025-07-01' })]);
    writeLines(cwd, 'sessions.jsonl', [call()]);
    await done(cwd, 'prune');
    expect(acksIn(cwd)).toEqual([]);
  });

  test('leaves what speaks of a log that is there and was not named', async () => {
    const cwd = logs(TORN);
    writeLines(cwd, 'other.jsonl', [call(), '[]']);
    await settled(cwd, 'other.jsonl:2', 'other.jsonl');
    await settled(cwd, 'sessions.jsonl:2');
    const { stdout, stderr } = await lakelog(['ack', 'prune', 'sessions.jsonl'], { cwd });
    expect(stdout).toMatch(/^nothing to take out/);
    expect(stderr).toContain('was not read');
    expect(acksIn(cwd)).toHaveLength(2);
  });

  test('finds a line in the log that was rotated', async () => {
    const cwd = logs(TORN);
    await settled(cwd, 'sessions.jsonl:2');
    renameSync(path.join(cwd, 'sessions.jsonl'), path.join(cwd, 'sessions.jsonl.1'));
    writeLines(cwd, 'sessions.jsonl', [call()]);
    await done(cwd, 'prune', '.');
    expect(acksIn(cwd)).toHaveLength(1);
  });

  test.each(
    exceptByDay(
      [
        ['missing', ['gone.jsonl']],
        ['partly missing', ['sessions.jsonl', 'gone.jsonl']],
        ['empty', ['empty.jsonl']],
      ],
      ['missing'],
    ),
  )(
    'of logs that are %s is 3 and takes out nothing: what could not be looked at is not gone',
    async (_, paths) => {
      const cwd = logs(TORN);
      await settled(cwd, 'sessions.jsonl:2');
      writeLines(cwd, 'sessions.jsonl', [call()]);
      writeFileSync(path.join(cwd, 'empty.jsonl'), '');
      const { code, stderr } = await lakelog(['ack', 'prune', ...paths], { cwd });
      expect(code).toBe(3);
      expect(stderr).toContain('nothing was taken out');
      expect(acksIn(cwd)).toHaveLength(1);
    },
  );

  atNight('does what the alarm says to do about what is idle', async () => {
    const cwd = logs(TORN);
    await settled(cwd, 'sessions.jsonl:2');
    writeLines(cwd, 'sessions.jsonl', [call()]);
    const { stderr } = await lakelog(['alarm'], { cwd });
    expect(stderr).toContain('`lakelog ack prune`');
    await done(cwd, 'prune');
    expect((await alarm({ cwd })).idle).toEqual([]);
  });
});

describe('the policy', () => {
  const withPolicy = async () => {
    const cwd = logs(violation({ call_id: 'k1' }));
    mkdirSync(path.join(cwd, 'ops'));
    writeFileSync(path.join(cwd, 'lakelog.toml'), 'acks = "ops/a.jsonl"\n');
    await settled(cwd, 'k1');
    return cwd;
  };

  test('names the file that is written, read and told of', async () => {
    const cwd = await withPolicy();
    expect(acksIn(cwd)).toEqual([]);
    expect(acksIn(path.join(cwd, 'ops'), 'a.jsonl')).toMatchObject([
      { call_key: 'k1', file: '../sessions.jsonl' },
    ]);
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { calls: 1, file: 'ops/a.jsonl' } });
    expect((await lakelog(['show', 'bad'], { cwd })).stdout).toContain('acked');
    expect(await states(cwd)).toEqual(['holds']);
    add(cwd, violation({ call_id: 'k2', session_id: 'bad2' }));
    const { stderr } = await lakelog(['show', 'bad2'], { cwd });
    expect(commandsIn(stderr)).toContainEqual(expect.stringContaining('--acks ops/a.jsonl'));
    await done(cwd, 'rm', '1');
    expect((await alarm({ cwd })).code).toBe(1);
  });

  test('stands behind --acks and LAKELOG_ACKS, and before the file of the working folder', async () => {
    const cwd = await withPolicy();
    for (const name of [DEFAULT_ACKS, 'none.jsonl']) writeFileSync(path.join(cwd, name), '');
    const used = async (env: Record<string, string>, ...args: string[]) =>
      (await alarm({ cwd, env }, ...args)).acknowledged;
    expect(await used({})).toMatchObject({ calls: 1, file: 'ops/a.jsonl' });
    expect(await used({ LAKELOG_ACKS: 'none.jsonl' })).toMatchObject({ calls: 0, file: 'none.jsonl' });
    expect(await used({ LAKELOG_ACKS: '' })).toMatchObject({ calls: 1, file: 'ops/a.jsonl' });
    expect(await used({ LAKELOG_ACKS: 'x' }, '--acks', 'none.jsonl')).toMatchObject({ file: 'none.jsonl' });
  });

  test('counts whatever the logs are named by, and never one that lies beside them', async () => {
    const cwd = await withPolicy();
    expect(await alarm({ cwd }, 'sessions.jsonl')).toMatchObject({ ...clear, acknowledged: { calls: 1 } });
    expect((await alarm({ cwd: newFolder() }, path.join(cwd, 'sessions.jsonl'))).code).toBe(1);
  });

  test('that names a file which is missing stops the gate, and names the key', async () => {
    const cwd = logs();
    writeFileSync(path.join(cwd, 'lakelog.toml'), 'acks = "gone.jsonl"\n');
    const ran = await lakelog(['alarm'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('gone.jsonl');
    expect(ran.stderr).toContain('acks in lakelog.toml');
  });
});

describe('several people at once', () => {
  test('lose nothing, whether they add or take out', async () => {
    const keys = Array.from({ length: nightly ? 5 : 2 }, (_, i) => `k${i}`);
    const old = Array.from({ length: nightly ? 3 : 1 }, (_, i) => `old${i}`);
    const cwd = logs(...[...keys, ...old].map((key) => violation({ call_id: key, session_id: `s-${key}` })));
    for (const key of old) await settled(cwd, key);
    const ran = await Promise.all([
      ...keys.map((key) => spawned(['ack', key, '--reason', 'r', '--author', key], { cwd })),
      ...old.map((key) => spawned(['ack', 'rm', key], { cwd })),
      spawned(['ack', 'prune'], { cwd }),
    ]);
    for (const { code, stderr } of ran) expect(code, stderr).toBe(0);
    const left = acksIn(cwd).map((ack) => (ack.what === 'call' ? ack.call_key : ''));
    expect(left.sort()).toEqual(keys);
    expect((await alarm({ cwd })).acknowledged).toMatchObject({ calls: keys.length });
  }, 60_000);
});

test('a file that may be written to in a folder that may not takes lines, and gives none away', async () => {
  const cwd = logs(violation({ call_id: 'k1' }), violation({ call_id: 'k2', session_id: 'bad2' }));
  await settled(cwd, 'k1');
  chmodSync(path.join(cwd, DEFAULT_ACKS), 0o666);
  chmodSync(path.join(cwd, 'sessions.jsonl'), 0o644);
  chmodSync(cwd, 0o555);
  const as = { cwd, ...(process.getuid?.() === 0 ? { uid: 65534 } : {}) };
  try {
    const added = await spawned(['ack', 'k2', '--reason', 'r', '--author', 'ops'], as);
    expect(added.code, added.stderr).toBe(0);
    expect(acksIn(cwd)).toHaveLength(2);
    const removed = await spawned(['ack', 'rm', '1'], as);
    expect(removed.code).toBe(2);
    expect(removed.stderr).toContain(DEFAULT_ACKS);
    expect(acksIn(cwd)).toHaveLength(2);
  } finally {
    chmodSync(cwd, 0o755);
  }
});
