import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fillValidator,
  iterate,
  loadRoster,
  namedWorkers,
  type RosterColumns,
  RosterError,
  rosterCheckFor,
  rosterHash,
  type WorkerLookup,
  workersFromCsv,
  workersFromFunction,
  workersFromJsonl,
} from '../../src/log/index.js';
import { type CsvRow, csvRows } from '../../src/roster/csv.js';
import fc, { character } from '../support/fast-check.js';
import { temporaryFolder } from './support.js';

const roster = workersFromCsv('worker_id,name,active\nW-1,Ann,true\nW-2,Bo,yes\nW-9,Cy,false\n');
const fill = (...workers: unknown[]) => ({
  contract: 'C-1',
  assignments: workers.map((worker, i) => ({ shift: i + 1, worker })),
});

describe('a roster from CSV', () => {
  it.each<[string, string]>([
    ['LF', 'worker_id,active\nW-1,true\nW-2,false\n'],
    ['CRLF', 'worker_id,active\r\nW-1,true\r\nW-2,false\r\n'],
    ['BOM', '\ufeffworker_id,active\nW-1,true\nW-2,false\n'],
    ['BOM before a quoted name', '\ufeff"worker_id",active\nW-1,true\nW-2,false\n'],
    ['no end of the last line', 'worker_id,active\nW-1,true\nW-2,false'],
    ['quotes', '"worker_id","active"\n"W-1","true"\n"W-2","false"\n'],
    ['other columns, one with line breaks', 'note,worker_id,active\n"a,\n""b""\r\n",W-1,YES\n,W-2,0\n'],
    ['blank lines', '\nworker_id,active\n\nW-1,Active\r\n\r\nW-2,INACTIVE\n\n'],
  ])('reads %s', async (_, text) => {
    const found = workersFromCsv(text);
    expect(await found.find('W-1')).toEqual({ id: 'W-1', active: true });
    expect(await found.find('W-2')).toEqual({ id: 'W-2', active: false });
    expect(found.size).toBe(2);
    expect(found.hash).toBe(workersFromCsv('worker_id,active\nW-2,no\nW-1,1').hash);
  });

  it('takes the names of the columns, and everybody for active without one', async () => {
    const columns: RosterColumns = { idColumn: 'Nr', activeColumn: 'Status' };
    const found = workersFromCsv('Status,Nr\ninactive,7\n', columns);
    expect(await found.find('7')).toEqual({ id: '7', active: false });
    expect(await workersFromCsv('worker_id\nW-1\n').find('W-1')).toEqual({ id: 'W-1', active: true });
  });

  it.each<[string, string, string, RosterColumns?]>([
    ['a doubled id', 'worker_id\nW-1\n\nW-1\n', 'line 4: worker "W-1" is already on line 2'],
    ['no id', 'worker_id,active\n,true\n', 'line 2: no worker id'],
    ['white space around an id', 'worker_id\nW-1 \n', 'line 2: white space around the id "W-1 "'],
    ['no such column', 'id,active\nW-1,true\n', 'line 1: no column "worker_id"; there are "id", "active"'],
    ['no such status column', 'worker_id\nW-1\n', 'line 1: no column "status"', { activeColumn: 'status' }],
    ['a doubled column', 'worker_id,worker_id\na,b\n', 'line 1: two columns "worker_id"'],
    ['a strange status', 'worker_id,active\nW-1,maybe\n', 'line 2: neither active nor inactive: "maybe"'],
    ['an empty status', 'worker_id,active\nW-1,\n', 'line 2: neither active nor inactive: ""'],
    ['a short row', 'worker_id,active\nW-1\n', 'line 2: 1 fields where the header has 2'],
    ['a long row', 'worker_id\nW-1,x\n', 'line 2: 2 fields where the header has 1'],
    ['a stray quote', 'worker_id\nW-1\nW"2\n', 'line 3: a quote inside a field'],
    ['text after a quote', 'worker_id\n"W-1"x\n', 'line 2: text after a closing quote'],
    ['an open quote', 'worker_id\n\n"W-1\nW-2\n', 'line 3: a quote that is never closed'],
    ['no worker', 'worker_id,active\n', 'the roster has no worker'],
    ['nothing at all', '', 'the roster has no worker'],
    ['a row behind a field of two lines', 'note,worker_id\n"a\nb",W-1\nx,W-1\n', 'line 4: worker "W-1"'],
  ])('refuses %s', (_, text, message, columns) => {
    expect(() => workersFromCsv(text, columns)).toThrow(message);
  });

  it('reads back every table that is written by RFC 4180', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'ä', '') });
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }));
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, end, last) => {
        const quote = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
        const text = rows.map((row) => row.map(quote).join(',')).join(end) + (last ? end : '');
        const found: readonly CsvRow[] = [...csvRows(text)];
        expect(found.map(({ cells }) => cells)).toEqual(rows);
      }),
    );
  });
});

describe('a roster from JSON Lines', () => {
  it('reads the same workers to the same hash', async () => {
    const found = workersFromJsonl(
      '\ufeff{"worker_id":"W-9","active":false}\r\n\n{"worker_id":"W-2","active":1}\n{"worker_id":"W-1","active":"yes","x":{}}',
    );
    expect(found).toMatchObject({ size: 3, hash: roster.hash });
  });

  it.each<[string, string, string, RosterColumns?]>([
    ['torn JSON', '{"worker_id":"W-1"}\n{"worker', 'line 2: not JSON'],
    ['no object', '["W-1"]', 'line 1: not a JSON object'],
    ['a number for an id', '{"worker_id":1}', 'line 1: no worker id'],
    ['a doubled id', '{"worker_id":"W-1"}\n{"worker_id":"W-1"}', 'line 2: worker "W-1" is already on line 1'],
    ['null for a status', '{"worker_id":"W-1","active":null}', 'line 1: neither active nor inactive: null'],
    ['no status where one is named', '{"worker_id":"W-1"}', 'no field "on"', { activeColumn: 'on' }],
  ])('refuses %s', (_, text, message, columns) => {
    expect(() => workersFromJsonl(text, columns)).toThrow(message);
  });
});

describe('the names in a roster', () => {
  const csv = (header: string, yes = 'true', no = 'false') =>
    workersFromCsv(`${header}\nW-1,${yes}\nW-2,${no}\n`);
  const isActive = async (found: WorkerLookup) => (await found.find('W-2'))?.active;

  it.each<[string, string]>([
    ['another case', 'Worker_ID,Active'],
    ['white space', ' worker_id , active\t'],
    ['a zero width space', 'worker_id,\u200bactive'],
    ['a soft hyphen', 'worker_id,act\u00adive'],
    ['a no-break space and a word joiner', '\u00a0worker_id,active\u2060\u00a0'],
    ['a byte order mark inside', 'worker_id,\ufeffactive'],
    ['wide letters', 'worker_id,ａｃｔｉｖｅ'],
    ['a variation selector', 'worker_id,active\ufe0f'],
  ])('are known in spite of %s', async (_, header) => {
    expect(await isActive(csv(header))).toBe(false);
    const [id, status] = header.split(',');
    const line = (worker: string, active: boolean) => JSON.stringify({ [id!]: worker, [status!]: active });
    expect(await isActive(workersFromJsonl(`${line('W-1', true)}\n${line('W-2', false)}`))).toBe(false);
  });

  it('and the words of a status in spite of the same', async () => {
    expect(await isActive(csv('worker_id, active', ' TRUE', ' no\u200b '))).toBe(false);
  });

  it.each<[string, string]>([
    ['actve', 'a letter is missing'],
    ['acitve', 'two are swapped'],
    ['activ', 'German'],
    ['Aktiv', 'German'],
    ['is_active', 'a prefix'],
    ['active?', 'a mark'],
    ['activated', 'another form'],
    ['inactive', 'the contrary'],
    ['Status', 'another word'],
    ['employment status', 'another word'],
    ['current', 'nothing but its values tells'],
    ['正', 'nothing but its values tells'],
  ])('a status that is called %s is refused, never everybody active (%s)', (name) => {
    expect(() => csv(`worker_id,${name}`)).toThrow(RosterError);
    expect(() => workersFromJsonl(`{"worker_id":"W-1",${JSON.stringify(name)}:false}`)).toThrow(
      'looks like a status',
    );
    // Where a status is there, other columns are nobody's business.
    expect(workersFromCsv(`worker_id,active,${name}\nW-1,true,false\n`).size).toBe(1);
  });

  it('a roster without a status is one where nothing looks like it, or the host says so', async () => {
    expect(await isActive(workersFromCsv('worker_id,name\nW-2,Ann\n'))).toBe(true);
    expect(await isActive(workersFromCsv('worker_id,nights\nW-1,1\nW-2,3\n'))).toBe(true);
    expect(() => csv('worker_id,nights')).toThrow('line 1: column "nights" looks like a status');
    expect(await isActive(workersFromCsv('worker_id,nights\nW-2,no\n', { activeColumn: null }))).toBe(true);
    expect(await isActive(workersFromCsv('worker_id,nights\nW-2,no\n', { activeColumn: 'Nights' }))).toBe(
      false,
    );
    expect(() => workersFromCsv('worker_id,Active\nW-2,no\n', { activeColumn: null })).toThrow(RosterError);
  });

  it.each<[string, () => unknown, string]>([
    ['two columns in two cases', () => workersFromCsv('worker_id,active,Active\nW-1,1,0\n'), 'two columns'],
    ['two ids', () => workersFromCsv('worker_id,worker_id ,active\nW-1,W-2,1\n'), 'two columns'],
    [
      'two fields in two cases',
      () => workersFromJsonl('{"worker_id":"W-1","active":true,"ACTIVE":false}'),
      'line 1: two fields "active"',
    ],
    [
      'one field twice',
      () => workersFromJsonl('{"worker_id":"W-1","active":false,"x":{"a:":1},"active":true}'),
      'line 1: a field that stands twice',
    ],
    [
      'one field twice, once with an escape',
      () => workersFromJsonl('{"worker_id":"W-1","active":false,"\\u0061ctive":true}'),
      'stands twice',
    ],
    [
      'a status on some lines',
      () => workersFromJsonl('{"worker_id":"W-1","active":true}\n{"worker_id":"W-2"}'),
      'line 2: some lines have a field "active", and some have none',
    ],
    [
      'a status on later lines only',
      () => workersFromJsonl('{"worker_id":"W-1"}\n{"worker_id":"W-2","Active":false}'),
      'line 2: some lines',
    ],
    [
      'a status that is misspelt on one line',
      () => workersFromJsonl('{"worker_id":"W-1","active":true}\n{"worker_id":"W-2","actve":false}'),
      'line 2: some lines',
    ],
    [
      'an invisible character in an id',
      () => workersFromCsv('worker_id\nW-1\u200b\n'),
      'line 2: an invisible',
    ],
  ])('%s is refused', (_, load, message) => {
    expect(load).toThrow(message);
  });
});

describe('loadRoster', () => {
  it('goes by the name of the file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'r.csv'), 'worker_id\nW-1\n');
    writeFileSync(join(folder, 'r.JSONL'), '{"worker_id":"W-1"}\n');
    expect((await loadRoster(join(folder, 'r.csv'))).hash).toBe(
      (await loadRoster(join(folder, 'r.JSONL'))).hash,
    );
  });

  it('refuses what is not UTF-8, and what is not there', async () => {
    const file = join(temporaryFolder(), 'r.csv');
    await expect(loadRoster(file)).rejects.toThrow('ENOENT');
    writeFileSync(file, Buffer.from([0x77, 0xe4]));
    await expect(loadRoster(file)).rejects.toThrow('not UTF-8');
  });
});

it('hashes a canonical form that another language can make again', () => {
  // printf '["W-1",true]\n["W-2",false]\n' | sha256sum
  expect(
    rosterHash([
      { id: 'W-2', active: false },
      { id: 'W-1', active: true },
    ]),
  ).toBe('sha256:950a1c8d616e63c10fdcb4048e8adeeca25ccd342bc37681a4ab4b39199ba434');
  const worker = fc.record({ id: fc.string({ unit: character }), active: fc.boolean() });
  fc.assert(
    fc.property(fc.uniqueArray(worker, { selector: ({ id }) => id, minLength: 1 }), (workers) => {
      expect(rosterHash(workers.toReversed())).toBe(rosterHash(workers));
      const [first, ...rest] = workers;
      expect(rosterHash([{ ...first!, active: !first!.active }, ...rest])).not.toBe(rosterHash(workers));
    }),
  );
});

describe('fillValidator', () => {
  const validate = fillValidator(roster);

  it('accepts a fill whose workers are in the roster, active, and named once', async () => {
    expect(await validate(fill('W-1', 'W-2'))).toEqual({ accepted: true });
  });

  it.each<[string, unknown, readonly string[]]>([
    ['an unknown id', fill('W-1', 'W-77'), ['assignments[1]: worker "W-77" is not in the roster']],
    ['an inactive worker', fill('W-9'), ['assignments[0]: worker "W-9" is not active']],
    [
      'the same worker twice',
      fill('W-1', 'W-1'),
      ['assignments[1]: worker "W-1" is already in assignments[0]'],
    ],
    ['another case', fill('w-1'), ['assignments[0]: worker "w-1" is not in the roster']],
    ['white space', fill(' W-1'), ['assignments[0]: worker " W-1" is not in the roster']],
    ['a name of Object', fill('constructor'), ['assignments[0]: worker "constructor" is not in the roster']],
    ['no id', fill(null, 5, ''), [0, 1, 2].map((i) => `assignments[${i}] has no worker id in "worker"`)],
    ['no fill', [], ['a fill is an object with an array "assignments"']],
    ['no array', { assignments: {} }, ['a fill is an object with an array "assignments"']],
    ['an empty fill', fill(), ['assignments is empty: a fill names at least one worker']],
    ['assignments that are none', { assignments: ['W-1'] }, ['assignments[0] has no worker id in "worker"']],
  ])('rejects %s and names it', async (_, candidate, reasons) => {
    expect(await validate(candidate)).toEqual({ accepted: false, reasons });
  });

  it('reads another shape', async () => {
    const other = fillValidator(roster, { assignments: 'slots', worker: 'worker_id' });
    expect(await other({ slots: [{ worker_id: 'W-1' }] })).toEqual({ accepted: true });
    expect(await other(fill('W-1'))).toMatchObject({ accepted: false });
  });

  it('keeps a reason short and on one line, whatever the id', async () => {
    const verdict = await validate(fill(`W\n\u001b[31m${'x'.repeat(10_000)}`));
    const [reason] = (verdict as { reasons: readonly string[] }).reasons;
    expect(reason!.length).toBeLessThan(150);
    expect(reason).not.toMatch(/\p{Cc}/u);
  });

  it('asks a function, and passes on that it could not be asked', async () => {
    const known = workersFromFunction(async (id) => (id === 'W-1' ? { id, active: true } : undefined));
    expect(await fillValidator(known)(fill('W-1'))).toEqual({ accepted: true });
    const down = workersFromFunction(() => Promise.reject(new Error('roster service is down')));
    await expect(fillValidator(down)(fill('W-1'))).rejects.toThrow('roster service is down');
  });

  it('accepts no fill with anybody outside the roster', async () => {
    const ids = fc.array(fc.oneof(fc.constantFrom('W-1', 'W-2', 'W-9'), fc.string(), fc.anything()));
    await fc.assert(
      fc.asyncProperty(ids, async (workers) => {
        const { accepted } = await validate(fill(...workers));
        const fine =
          workers.length > 0 &&
          new Set(workers).size === workers.length &&
          workers.every((id) => id === 'W-1' || id === 'W-2');
        expect(accepted).toBe(fine);
        const stamp = await rosterCheckFor('fill', roster)!(fill(...workers));
        if (accepted) expect(stamp).toMatchObject({ groundedInRoster: true, proposedWorkerIds: workers });
      }),
    );
  });
});

describe('rosterCheckFor', () => {
  const check = rosterCheckFor('fill', roster)!;

  it('stamps what it finds with the hash of the roster', async () => {
    expect(await check(fill('W-1', 'W-2', 'W-1'))).toEqual({
      groundedInRoster: true,
      proposedWorkerIds: ['W-1', 'W-2'],
      rosterHash: roster.hash,
    });
  });

  it.each<[string, unknown, readonly string[]]>([
    ['an unknown id', fill('W-1', 'W-77'), ['W-1', 'W-77']],
    ['an inactive worker', fill('W-9'), ['W-9']],
    ['an id that is no text', { worker_id: 5 }, ['5']],
    ['somebody without an id', { workers: [{ name: 'Bob' }] }, ['{"name":"Bob"}']],
    ['a stranger deep inside', { plan: { days: [[{ night: { WorkerIDs: ['W-1', 'X'] } }]] } }, ['W-1', 'X']],
    ['a stranger beside the assignments', { ...fill('W-1'), reserve: [{ workerId: 'X' }] }, ['W-1', 'X']],
  ])('stamps false for %s', async (_, artifact, proposedWorkerIds) => {
    expect(await check(artifact)).toMatchObject({ groundedInRoster: false, proposedWorkerIds });
  });

  it.each<[string, unknown]>([
    ['no artifact', undefined],
    ['an artifact that names nobody', { contract: 'C-1', workers: 3, worker: null }],
    ['an empty fill', fill()],
  ])('stamps null for %s: nothing was judged', async (_, artifact) => {
    expect(await check(artifact)).toMatchObject({ groundedInRoster: null, proposedWorkerIds: [] });
  });

  it.each<[string, unknown]>([
    ['backup_worker', 'W-404'],
    ['assignedWorkers', ['W-404']],
    ['worker-id', 'W-404'],
    ['Worker ID', 'W-404'],
    ['worker_1', 'W-404'],
    ['WORKER', 'W-404'],
    ['theWorkerForTheNight', 'W-404'],
    ['backupworker', 'W-404'],
    ['co-worker', 'W-404'],
    ['worker.lead', 'W-404'],
    ['workers[0]', 'W-404'],
    ['wor\u00adker', 'W-404'],
    ['ｗｏｒｋｅｒ', 'W-404'],
    ['WoRkEr', 'W-404'],
    ['workersByDay', { monday: ['W-404'] }],
    ['worker', { primary: 'W-404' }],
    ['worker', { id: null, name: 'Bob' }],
    ['workers', [{ worker_id: 'W-1' }, { ID: 'W-404' }]],
    ['worker_2', 404],
    ['worker_ids', [[['W-404']]]],
    ['workers', [404]],
  ])('finds who stands under %j as %j', async (name, value) => {
    for (const artifact of [
      { ...fill('W-1'), [name]: value },
      { assignments: [{ worker: 'W-1', [name]: value }] },
      { ...fill('W-1'), plan: [{ days: [{ [name]: value }] }] },
    ]) {
      expect((await check(artifact)).groundedInRoster).toBe(false);
    }
  });

  it.each<[string, unknown]>([
    ['workers', 3],
    ['worker_count', 3],
    ['workers_needed_per_day', [2, 2, 3]],
    ['backup_worker', null],
    ['worker_confirmed', true],
    ['networkError', 'timeout'],
    ['network_error', 'timeout'],
    ['worked', 'W-404'],
  ])('names nobody under %j with %j', async (name, value) => {
    expect(await check({ ...fill('W-1'), [name]: value })).toMatchObject({
      groundedInRoster: true,
      proposedWorkerIds: ['W-1'],
    });
  });

  it('finds, where asked for, any text in the form of an id', async () => {
    const any = rosterCheckFor('fill', roster, { anyId: true })!;
    for (const more of [{ deputy: 'W-404' }, { plan: [['w-1']] }, { 'W-404': 'night' }, { note: ' W-77 ' }]) {
      expect((await check({ ...fill('W-1'), ...more })).groundedInRoster).toBe(true);
      expect((await any({ ...fill('W-1'), ...more })).groundedInRoster).toBe(false);
    }
    const others = { contract: 'C-404', at: '2026-09-14', note: 'W-404 is ill', n: 5, deputy: 'W-2' };
    expect(await any({ ...fill('W-1'), ...others })).toMatchObject({
      groundedInRoster: true,
      proposedWorkerIds: ['W-1', 'W-2'],
    });
    // Nobody is named as a worker, and one is named at all.
    expect(await any({ deputy: 'W-9' })).toMatchObject({ groundedInRoster: false });
  });

  it('tells identifiers of hexadecimal digits by their length', async () => {
    const uuid = (end: string) => `6f9619ff-8b86-d011-b42d-00c04fc964${end}`;
    const ids = workersFromCsv(`worker_id\n${uuid('ff')}\n9e107d9d372bb682\n`);
    const any = rosterCheckFor('fill', ids, { anyId: true })!;
    for (const deputy of [uuid('00'), '0000000000000000'.replace('0', 'a')]) {
      expect(await any({ worker: uuid('ff'), deputy })).toMatchObject({ groundedInRoster: false });
    }
    expect(await any({ worker: uuid('ff'), commit: 'a'.repeat(40) })).toMatchObject({
      groundedInRoster: true,
    });
  });

  it.each<[string, WorkerLookup, string]>([
    ['ids that are words', workersFromCsv('worker_id\nann\n'), 'the id "ann" has no digit'],
    ['a roster behind a function', workersFromFunction(() => undefined), 'not known'],
  ])('cannot do that for %s, and says so', async (_, lookup, message) => {
    await expect(rosterCheckFor('fill', lookup, { anyId: true })!(fill('W-1'))).rejects.toThrow(message);
  });

  it('hands its signal to a roster that is asked for', async () => {
    const { signal } = new AbortController();
    const asked: unknown[] = [];
    await rosterCheckFor('fill', (context) => {
      asked.push(context?.signal);
      return roster;
    })!(fill('W-1'), { signal });
    expect(asked).toEqual([signal]);
  });

  it('checks gated kinds only, which the host may choose', () => {
    expect(rosterCheckFor('email', roster)).toBeUndefined();
    expect(rosterCheckFor('email', roster, { gatedKinds: ['email'] })).toBeTypeOf('function');
  });

  it('takes the ids from where the host finds them', async () => {
    const own = rosterCheckFor('fill', roster, { workersOf: (artifact) => (artifact as string).split(' ') })!;
    expect(await own('W-1 X')).toMatchObject({ groundedInRoster: false, proposedWorkerIds: ['W-1', 'X'] });
  });

  it('bounds its work on any artifact', async () => {
    let deep: unknown = { worker: 'W-1' };
    for (let i = 0; i < 50_000; i++) deep = [deep];
    expect(await check(deep)).toMatchObject({ groundedInRoster: true });
    await expect(check({ worker: Array(200_000).fill('W-1') })).rejects.toThrow(RangeError);
    const cycle: Record<string, unknown> = {};
    cycle.worker = cycle;
    expect(() => namedWorkers(cycle)).toThrow(RangeError);
  });
});

describe('with iterate', () => {
  const run = (lookups: { validator?: WorkerLookup; check: WorkerLookup }) =>
    iterate({
      kind: 'fill',
      model: 'm',
      prompt: 'p',
      generate: () => JSON.stringify(fill('W-1', 'W-2')),
      validate: lookups.validator ? fillValidator(lookups.validator) : () => ({ accepted: true }),
      rosterCheck: rosterCheckFor('fill', lookups.check),
      trace: { api: null },
    });

  it('a bypassed validator shows in the stamp', async () => {
    const { record } = await run({ check: workersFromCsv('worker_id\nW-1\n') });
    expect(record).toMatchObject({
      final_verdict: 'accepted',
      grounded_in_roster: false,
      proposed_worker_ids: ['W-1', 'W-2'],
    });
  });

  it('a roster that changed since the validation shows in the stamp', async () => {
    const later = workersFromCsv('worker_id,active\nW-1,true\nW-2,false\n');
    expect(await run({ validator: roster, check: later })).toMatchObject({
      outcome: 'accepted',
      groundedInRoster: false,
    });
    expect(await run({ validator: roster, check: roster })).toMatchObject({ groundedInRoster: true });
  });
});
