import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashOf } from '../oracle/recompute.mjs';
import { ask } from '../support/acks.js';
import { byDay, call, newFolder } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const csv = (...ids: readonly string[]) => `worker_id\n${ids.map((id) => `${id}\n`).join('')}`;
const hash = (...ids: readonly string[]) => hashOf(ids.map((id) => ({ id, active: true })));

/** A working folder with files of these contents. */
function folderOf(files: Readonly<Record<string, string | Buffer | readonly string[]>>): string {
  const folder = newFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(
      path.join(folder, name),
      typeof content === 'string' || Buffer.isBuffer(content)
        ? content
        : content.map((line) => `${line}\n`).join(''),
    );
  }
  return folder;
}

const fill = (changes: Readonly<Record<string, unknown>> = {}) =>
  call({ session_id: 'trace-1', proposed_worker_ids: ['W-1'], ...changes });
const phantom = fill({ session_id: 'trace-2', proposed_worker_ids: ['W-1', 'W-404'] });
const alarm = (cwd: string, ...args: readonly string[]) => ask(['alarm', 'log.jsonl', ...args], { cwd });

describe('as of its time', () => {
  // W-9 joined on the second day and left on the third.
  const days = [['W-1'], ['W-1', 'W-9'], ['W-1', 'W-2']];
  const hashes = days.map((ids) => hash(...ids));
  const names = (day: number, ids: readonly string[]) =>
    fill({ session_id: `day-${day}`, roster_hash: hashes[day], proposed_worker_ids: ids });
  const files = {
    'log.jsonl': [names(0, ['W-1']), names(1, ['W-1', 'W-9']), names(2, ['W-2'])],
    'rosters/today.csv': csv(...days[2]!),
    ...Object.fromEntries(
      days.slice(0, 2).map((ids, i) => [`rosters/${hashes[i]!.replace(':', '-')}.csv`, csv(...ids)]),
    ),
  };

  test('who left later is no phantom where each call is checked against its own roster', async () => {
    const cwd = folderOf(files);
    expect(await alarm(cwd, '--roster', 'rosters')).toMatchObject({ code: 0, rows: [] });
    const today = await alarm(cwd, '--roster', 'rosters/today.csv');
    expect(today).toMatchObject({
      code: 1,
      rows: [{ session_id: 'day-1', reason: 'contradicted', phantoms: ['W-9'] }],
      notices: [expect.stringContaining('2 calls stamped by another roster')],
    });
  });

  test('who joined later is one for the calls before', async () => {
    const cwd = folderOf({ ...files, 'log.jsonl': [names(0, ['W-9']), names(2, ['W-1', 'W-9'])] });
    expect(await alarm(cwd, '--roster', 'rosters')).toMatchObject({
      code: 1,
      rows: [{ session_id: 'day-0' }, { session_id: 'day-2', phantoms: ['W-9'] }],
    });
  });

  test.each([
    ['is not there', { roster_hash: `sha256:${'0'.repeat(64)}` }],
    ['is not named', { roster_hash: null }],
  ])('a call whose roster %s could not be checked, whatever its stamp', async (_, changes) => {
    for (const grounded_in_roster of byDay([true, null], 2)) {
      const cwd = folderOf({
        ...files,
        'log.jsonl': [names(0, ['W-1']), fill({ ...changes, grounded_in_roster })],
      });
      const said = await alarm(cwd, '--roster', 'rosters');
      expect(said).toMatchObject({
        code: 3,
        rows: [{ reason: 'unchecked' }],
        cannotVouch: [{ code: 'unjudged' }],
      });
    }
  });

  test('the name of a file is not believed', async () => {
    const lie = `rosters/${hashes[1]!.replace(':', '-')}.csv`;
    const said = await alarm(folderOf({ ...files, [lie]: csv('W-1', 'W-9', 'W-10') }), '--roster', 'rosters');
    expect(said).toMatchObject({ code: 3, rows: [{ session_id: 'day-1', reason: 'unchecked' }] });
    expect(said.notices).toContainEqual(
      expect.stringContaining(`${lie} is not used: it holds another roster than its name says`),
    );
  });

  test('what is no roster is named, and hides none; what is still written is not looked at', async () => {
    const more = {
      'rosters/odd.csv': csv('W-1', 'W-1'),
      'rosters/.0a1b.tmp': 'worker',
      'rosters/README.md': '# R',
    };
    const said = await alarm(folderOf({ ...files, ...more }), '--roster', 'rosters');
    expect(said.code).toBe(0);
    expect(said.notices).toEqual([
      expect.stringContaining('rosters/odd.csv:3 is no roster that can be used: worker'),
    ]);
  });
});

describe('whom a call names', () => {
  const named: readonly (readonly [string, unknown, readonly string[]])[] = [
    ['a member worker', { worker: 'W-404' }, ['W-404']],
    ['words around it', { backup_worker: 'W-404', assignedWorkers: ['W-405'] }, ['W-404', 'W-405']],
    [
      'another style',
      { 'Worker ID': 'W-404', 'worker-id': 'W-405', worker_1: 'W-406' },
      ['W-404', 'W-405', 'W-406'],
    ],
    ['lists in lists', { workers: [['W-404'], [['W-1']]] }, ['W-404']],
    ['the id of an object', { assignments: [{ worker: { id: 'W-404', name: 'Ann' } }] }, ['W-404']],
    ['its ids', { crew_workers: { Ids: ['W-404', 'W-1'] } }, ['W-404']],
    ['an object without one', { worker: { name: 'Bob' } }, ['{"name":"Bob"}']],
    ['a number under one worker', { worker: 7 }, ['7']],
    ['a number in a list', { workers: [7, 'W-1'] }, ['7']],
    ['another case of an id', { worker: 'w-1' }, ['w-1']],
    ['white space around an id', { worker: ' W-1' }, [' W-1']],
    ['an id with an end of text in it', { worker: 'W-1\u0000' }, ['W-1\u0000']],
    [
      'a headcount beside a worker',
      { workers: 3, worker_count: 3, worker: 'W-1', networkError: 'W-404' },
      [],
    ],
  ];

  test.each(byDay(named, 3))(
    'the artifact, by %s, though proposed_worker_ids leaves it out',
    async (_, artifact, phantoms) => {
      const cwd = folderOf({ 'log.jsonl': [fill({ artifact })], 'r.csv': csv('W-1', '33') });
      expect(await alarm(cwd, '--roster', 'r.csv')).toMatchObject(
        phantoms.length === 0
          ? { code: 0, rows: [] }
          : { code: 1, rows: [{ reason: 'contradicted', phantoms }] },
      );
    },
  );

  test.each<[string, string, object]>([
    ['nobody', '{"note":"worker W-1"}', { reason: 'unjudged' }],
    [
      'one or another, as a member stands twice',
      '{"worker":"W-404","worker":"W-1"}',
      { reason: 'unchecked' },
    ],
    [
      'more than can be looked through',
      JSON.stringify({ a: Array(100_001).fill(0) }),
      { reason: 'unchecked' },
    ],
    [
      'somebody too deep to be written down',
      `${'{"worker":'.repeat(9_000)}{"a":${'{"a":'.repeat(9_000)}1${'}'.repeat(18_001)}`,
      { reason: 'unchecked' },
    ],
    ['hashes of ids', '{}', { reason: 'unchecked', ids: ['w_0123456789abcdef'] }],
  ])(
    'a call that names %s is not judged',
    async (_, artifact, { reason, ids }: { reason?: string; ids?: string[] }) => {
      const record = fill({ proposed_worker_ids: ids ?? null, grounded_in_roster: true }).trimEnd();
      const cwd = folderOf({
        'log.jsonl': [`${record.slice(0, -1)},"artifact":${artifact}}`],
        'r.csv': csv('W-1'),
      });
      expect(await alarm(cwd, '--roster', 'r.csv')).toMatchObject({
        code: 3,
        rows: [{ reason, phantoms: null }],
      });
    },
  );

  test('a call without a stamp is judged by the roster, and a stamp of false stays what it is', async () => {
    const bare = { grounded_in_roster: null };
    const cwd = folderOf({ 'log.jsonl': [fill(bare)], 'r.csv': csv('W-1') });
    expect(await alarm(cwd)).toMatchObject({ code: 3 });
    expect(await alarm(cwd, '--roster', 'r.csv')).toMatchObject({ code: 0, rows: [] });
    const wrong = folderOf({
      'log.jsonl': [fill({ ...bare, proposed_worker_ids: ['W-404'] }), fill({ grounded_in_roster: false })],
      'r.csv': csv('W-1'),
    });
    expect(await alarm(wrong, '--roster', 'r.csv')).toMatchObject({
      code: 1,
      rows: [
        { reason: 'ungrounded', phantoms: ['W-404'] },
        { reason: 'ungrounded', phantoms: null },
      ],
    });
  });
});

describe('a roster that looks odd is refused, and no stamp is believed instead', () => {
  const ODD: readonly [string, string, string | Buffer, string, string, (readonly string[])?][] = [
    ['is empty', 'r.csv', '', 'r.csv', 'the roster has no worker'],
    ['has a blank id', 'r.csv', 'worker_id,name\nW-1,Ann\n,Bo\n', 'r.csv:3', 'no worker id'],
    ['has a column twice', 'r.csv', 'worker_id,Worker_ID\nW-1,W-2\n', 'r.csv:1', 'two columns "worker_id"'],
    ['has space around an id', 'r.csv', csv('W-1', ' W-2'), 'r.csv:3', 'white space around the id " W-2"'],
    [
      'has half of a character',
      'r.jsonl',
      '{"worker_id":"W-\\ud800"}',
      'r.jsonl:1',
      'an invisible character',
    ],
    ['has a worker twice', 'r.csv', csv('W-1', 'W-1'), 'r.csv:3', 'already on line 2'],
    ['may have a status', 'r.csv', 'worker_id,is_active\nW-1,yes\n', 'r.csv:1', 'looks like a status'],
    ['is a JSON list', 'r.json', '["W-1"]', 'r.json:1', 'it is JSON'],
    ['is a line of a JSON list', 'r.jsonl', '["W-1"]', 'r.jsonl:1', 'not a JSON object'],
    ['is not UTF-8', 'r.csv', Buffer.from([0x77, 0xff]), 'r.csv', 'not UTF-8'],
    ['only calls itself Parquet', 'r.parquet', csv('W-1'), 'r.parquet', 'it is no Parquet'],
    ['only begins like Parquet', 'r.parquet', 'PAR1 no more', 'r.parquet', ''],
    ['has no such column', 'r.csv', csv('W-1'), 'r.csv:1', 'no column "Nr"', ['--roster-column', 'Nr']],
    ['is not there', 'other.csv', csv('W-1'), 'r.csv', 'no such file', ['--roster', 'r.csv']],
    ['is an empty folder', 'r/x.txt', '', 'r', 'the folder holds no roster', ['--roster', 'r']],
  ];

  test.each(byDay(ODD, 3))('one that %s', async (_, name, content, where, message, more = []) => {
    const cwd = folderOf({ [name]: content, 'log.jsonl': [fill()] });
    const said = await alarm(cwd, '--roster', name, ...more);
    expect(said).toMatchObject({ code: 3, rows: [], cannotVouch: [{ code: 'unusable_roster', where }] });
    expect(said.cannotVouch[0]!.message).toContain(message);
    writeFileSync(path.join(cwd, 'log.jsonl'), `${fill({ grounded_in_roster: false })}\n`);
    expect(await alarm(cwd, '--roster', name, ...more)).toMatchObject({
      code: 1,
      rows: [{ reason: 'ungrounded' }],
    });
  });

  test('a pipe does not hold it up', async () => {
    const cwd = folderOf({ 'log.jsonl': [fill()] });
    execFileSync('mkfifo', [path.join(cwd, 'r.csv')]);
    expect(await alarm(cwd, '--roster', 'r.csv')).toMatchObject({
      code: 3,
      cannotVouch: [{ where: 'r.csv' }],
    });
  });
});

describe('which roster', () => {
  const files = { 'log.jsonl': [phantom], 'all.csv': csv('W-1', 'W-404'), 'few.csv': csv('W-1') };

  test('arguments come before the environment, and that before the policy', async () => {
    const cwd = folderOf({ ...files, 'lakelog.toml': 'roster = "few.csv"\n' });
    const from = async (env: Record<string, string>, ...args: string[]) => {
      const ran = await lakelog(['alarm', 'log.jsonl', '--json', ...args], { cwd, env });
      const { roster, from } = JSON.parse(ran.stdout).receipt.recomputed;
      return [ran.code, roster, from];
    };
    expect(await from({})).toEqual([1, 'few.csv', 'config (lakelog.toml)']);
    expect(await from({ LAKELOG_ROSTER: 'all.csv' })).toEqual([0, 'all.csv', 'environment (LAKELOG_ROSTER)']);
    expect(await from({ LAKELOG_ROSTER: 'all.csv' }, '--roster', 'few.csv')).toEqual([
      1,
      'few.csv',
      'arguments',
    ]);
  });

  test('its columns can be named', async () => {
    const cwd = folderOf({ ...files, 'hr.csv': 'Nr,Status,kept\nW-1,active,yes\nW-404,inactive,no\n' });
    const columns = ['--roster-column', 'nr', '--roster-active-column', 'status'];
    expect(await alarm(cwd, '--roster', 'hr.csv', ...columns)).toMatchObject({
      code: 1,
      rows: [{ phantoms: ['W-404'] }],
    });
    const none = ['--roster-column', 'Nr', '--roster-active-column', ''];
    expect(await alarm(cwd, '--roster', 'hr.csv', ...none)).toMatchObject({ code: 0 });
    writeFileSync(
      path.join(cwd, 'lakelog.toml'),
      'roster = "hr.csv"\nroster_column = "Nr"\nroster_active_column = "Status"\n',
    );
    expect(await alarm(cwd)).toMatchObject({ code: 1 });
  });

  const MISUSED: [string[], string][] = [
    [['--roster-column', 'Nr'], 'a column was named, and no roster'],
    [['--roster', ''], '--roster is empty'],
  ];
  test.each(byDay(MISUSED, 2))('%j is an error of usage', async (args, message) => {
    const ran = await lakelog(['alarm', 'log.jsonl', ...args], { cwd: folderOf(files) });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(message);
  });

  test('a gate of somebody else that asks none is not taken for one that does', async () => {
    const sql = `-- title: T\n-- question: Q\n-- column: session_id text -- S.\n-- column: reason text -- R.
-- column: file text -- F.\n-- column: line integer -- L.\n-- gate: reason\n-- fires: bad -- it is bad\n-- judges: gated
-- canary: bad {"model": "bad"}\nSELECT s.session_id, 'bad' AS reason, s.file, s.line FROM sessions s WHERE s.model = 'bad'\n`;
    const cwd = folderOf({ ...files, 'q/mine.sql': sql });
    const ran = (...args: string[]) =>
      lakelog(['mine', '--queries', 'q', 'log.jsonl', ...args], { cwd, env: { LAKELOG_ROSTER: 'few.csv' } });
    expect(await ran()).toMatchObject({ code: 0 });
    const refused = await ran('--roster', 'few.csv');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('mine does not look at a roster');
  });
});

describe('the phantom is named', () => {
  const cwd = folderOf({ 'log.jsonl': [fill(), phantom], 'r.csv': csv('W-1') });
  const roster = ['--roster', 'r.csv'];

  test.each(byDay(['table', 'json', 'jsonl', 'csv', 'md', 'junit', 'github'], 3))('as %s', async (format) => {
    const ran = await lakelog(['alarm', 'log.jsonl', ...roster, '--format', format, '-q'], { cwd });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('W-404');
    expect(ran.stdout).toContain('contradicted');
  });

  test('on a screen of 80 columns, and in the next command the roster', async () => {
    const shown: string[] = [];
    const screen = { columns: 80, write: (text: string) => void shown.push(text) };
    await lakelog(['alarm', 'log.jsonl', ...roster], { cwd, env: { NO_COLOR: '1' }, screen });
    expect(shown.join('')).toContain('["W-404"]');
    expect(shown.join('')).toContain('lakelog show trace-2 log.jsonl --roster r.csv');
    expect(shown.join('')).toMatch(/^stamps {4}1 right, 1 wrong, 0 not at hand; 1 contradicted$/m);
  });

  test('in a copy that never takes the place of the roster', async () => {
    const ran = await lakelog(['alarm', 'log.jsonl', ...roster, '-o', './r.csv'], { cwd });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('it is one of the files that were read');
    expect(readFileSync(path.join(cwd, 'r.csv'), 'utf8')).toBe(csv('W-1'));
  });

  test('without a roster nothing is said of one', async () => {
    const { stdout, stderr } = await lakelog(['alarm', 'log.jsonl', '--json'], { cwd });
    const { columns, receipt } = JSON.parse(stdout);
    expect(columns.map(({ name }: { name: string }) => name)).not.toContain('phantoms');
    expect(receipt.recomputed).toBeNull();
    expect(stderr).toBe('');
  });

  test('by show', async () => {
    const inactive = folderOf({
      'log.jsonl': [fill({ artifact: { worker: 'W-7', deputy_worker: 'W-404' } })],
      'r.csv': 'worker_id,active\nW-1,yes\nW-7,no\n',
    });
    const told = await lakelog(['show', 'trace-1', 'log.jsonl', ...roster], { cwd: inactive });
    expect(told.stdout).toContain('accepted, gated, stamped grounded, CONTRADICTED by the roster');
    expect(told.stdout).toContain('alarm: contradicted, not acknowledged');
    expect(told.stdout).toMatch(/phantom +W-404: not in the roster; the artifact names it/);
    expect(told.stdout).toMatch(/W-7: in the roster, not active; the artifact names it/);
    expect(told.stderr).toContain('lakelog ack');
    expect(told.stderr).toContain('--roster r.csv');
    const { stdout } = await lakelog(['show', 'trace-1', 'log.jsonl', ...roster, '--json'], {
      cwd: inactive,
    });
    expect(JSON.parse(stdout).events[0]).toMatchObject({
      roster_check: 'wrong',
      phantoms: [
        { worker: 'W-404', named_in: 'artifact', standing: null },
        { worker: 'W-7', named_in: 'artifact', standing: 'inactive' },
      ],
    });
  });
});

test('it is acknowledged for what it is, and for nothing else', async () => {
  const cwd = folderOf({ 'log.jsonl': [phantom], 'r.csv': csv('W-1') });
  const acknowledge = (...more: string[]) =>
    lakelog(['ack', 'trace-2', 'log.jsonl', '--reason', 'left on Monday', '--author', 'ann', ...more], {
      cwd,
    });
  const unasked = await acknowledge();
  expect(unasked.code).toBe(2);
  expect(unasked.stderr).toContain('has nothing against');
  expect(await acknowledge('--roster', 'r.csv')).toMatchObject({ code: 0 });
  expect(await alarm(cwd, '--roster', 'r.csv')).toMatchObject({
    code: 0,
    rows: [],
    acknowledged: { calls: 1 },
  });
  // The same call, accused of something else.
  const acks = path.join(cwd, 'lakelog-acks.jsonl');
  execFileSync('sed', ['-i', 's/"contradicted"/"unchecked"/', acks]);
  expect(await alarm(cwd, '--roster', 'r.csv')).toMatchObject({
    code: 1,
    rows: [{ reason: 'contradicted' }],
  });
});
