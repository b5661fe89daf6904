/** The same bytes at several places of the logs, which are several batches: none of them is missed, and each line counts once. */
import { appendFileSync, cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { LocalPlace } from '../../src/lake/folder/place.js';
import {
  lakelog as binary,
  byDay,
  call,
  envelope,
  exceptByDay,
  newFolder,
  nightly,
  tries,
} from '../support/cli.js';
import fc from '../support/fast-check.js';
import { lakelog } from '../support/program.js';
import { receiptsIn } from './folder-lake.js';

const NOW = new Date('2026-10-01T12:00:00Z');
const TOMORROW = new Date('2026-10-02T12:00:00Z');
const good = () => call({ timestamp: '2026-09-01T08:00:00Z' });
const bad = () => call({ timestamp: '2026-09-01T09:00:00Z', grounded_in_roster: false });

afterEach(() => void vi.restoreAllMocks());

function begin() {
  const cwd = newFolder();
  const at = (name: string) => path.join(cwd, name);
  const run = (args: readonly string[], now = NOW) => lakelog(args, { cwd, now: () => now });
  const add = (log: string, ...lines: readonly string[]) =>
    appendFileSync(at(log), lines.map((line) => `${line}\n`).join(''));
  const sync = async (host: string, ...logs: readonly string[]) => {
    const ran = await run(['sync', '--lake', 'L/', '--host', host, ...logs]);
    expect(ran.code, ran.stderr).toBe(0);
  };
  /** What a gate says: of the lake, or else of logs. */
  const ask = async (...of: readonly string[]) => {
    const ran = await run(['alarm', ...(of.length === 0 ? ['--lake', 'L/'] : of), '--json']);
    const { verdict, receipt } = envelope(ran);
    const { loaded, duplicates, rejected, lines } = receipt.totals;
    const says = verdict!.cannot_vouch.map(({ message }) => message);
    return { code: ran.code, says, loaded, duplicates, rejected, lines };
  };
  const verified = async () => (await run(['lake', 'verify', '--lake', 'L/', '--host', 'a'])).code;
  const compact = async () =>
    expect((await run(['lake', 'compact', '--lake', 'L/', '--grace', '0'], TOMORROW)).code).toBe(0);
  return { at, run, add, sync, ask, verified, compact };
}

const clear = (loaded: number, duplicates = 0) => ({
  ...{ code: 0, says: [], loaded, duplicates, rejected: 0 },
});

const LOGS = ['u.jsonl', 'v.jsonl'];
type Host = ReturnType<typeof begin>;
type Said = Omit<Awaited<ReturnType<Host['ask']>>, 'says'>;

/** Each is published by whom it names; then what a gate says of it. */
const CASES: Readonly<Record<string, (host: Host) => Promise<ReturnType<typeof clear>>>> = {
  'the same line again, and again': async ({ add, sync }) => {
    const line = good();
    for (const _ of [1, 2, 3]) {
      add('u.jsonl', line);
      await sync('a', 'u.jsonl');
    }
    return clear(1, 2);
  },
  'a blank line twice': async ({ add, sync }) => {
    for (const line of [good(), '', '']) {
      add('u.jsonl', line);
      await sync('a', 'u.jsonl');
    }
    return clear(1);
  },
  'two logs that get the same line at once': async ({ add, sync }) => {
    add('u.jsonl', good());
    add('v.jsonl', good());
    await sync('a', ...LOGS);
    const line = good();
    for (const log of LOGS) add(log, line);
    await sync('a', ...LOGS);
    return clear(3, 1);
  },
  'two logs of two hosts': async ({ add, sync }) => {
    const line = good();
    for (const [log, host] of [['u.jsonl', 'a'] as const, ['v.jsonl', 'b'] as const]) {
      add(log, good());
      await sync(host, log);
      add(log, line);
      await sync(host, log);
    }
    return clear(3, 1);
  },
  'two logs that both hosts have': async ({ add, sync }) => {
    const line = good();
    for (const log of LOGS) add(log, good());
    await sync('a', ...LOGS);
    for (const log of LOGS) add(log, line);
    await sync('b', ...LOGS);
    await sync('a', ...LOGS);
    for (const log of LOGS) add(log, line);
    await sync('a', ...LOGS);
    await sync('b', ...LOGS);
    return clear(3, 3);
  },
  'the first line of a log that another one has further on': async ({ add, sync }) => {
    const line = good();
    add('u.jsonl', good());
    await sync('a', 'u.jsonl');
    add('u.jsonl', line);
    await sync('a', 'u.jsonl');
    add('v.jsonl', line);
    await sync('a', ...LOGS);
    return clear(2, 1);
  },
  'a log that gets the first line of another one': async ({ add, sync }) => {
    const line = good();
    add('v.jsonl', line);
    add('u.jsonl', good());
    await sync('a', ...LOGS);
    add('u.jsonl', line);
    await sync('a', ...LOGS);
    return clear(2, 1);
  },
};

test.each(byDay(Object.entries(CASES), 3))('%s: nothing is missed, now and later', async (_, fill) => {
  const host = begin();
  const { add, sync, ask, verified, compact, at } = host;
  const said = await fill(host);
  expect(await ask()).toMatchObject(said);
  expect(await verified()).toBe(0);
  await compact();
  add('u.jsonl', bad());
  await sync('a', ...LOGS.filter((log) => existsSync(at(log))));
  expect(await ask()).toMatchObject({ ...said, code: 1, loaded: said.loaded + 1 });
});

test('logs that begin alike and part later are told apart, whoever publishes them', async () => {
  const { add, sync, ask, verified } = begin();
  const line = good();
  for (const log of LOGS) add(log, line);
  await sync('a', 'u.jsonl');
  await sync('b', 'v.jsonl');
  add('u.jsonl', good());
  add('v.jsonl', good());
  await sync('a', 'u.jsonl');
  await sync('b', 'v.jsonl');
  expect(await ask()).toMatchObject(clear(3));
  add('v.jsonl', bad());
  await sync('b', 'v.jsonl');
  await sync('a', 'u.jsonl');
  expect(await ask()).toMatchObject({ ...clear(4), code: 1 });
  expect(await verified()).toBe(0);
});

test('a lake file with such batches is published whole, and again', async () => {
  const { add, run, ask } = begin();
  const line = good();
  const fill = async () => {
    for (const args of [
      ['sync', '--lake', 'F.duckdb', ...LOGS],
      ['sync', '--lake', 'L/', '--host', 'a', '--from', 'F.duckdb'],
    ]) {
      const ran = await run(args);
      expect(ran.code, ran.stderr).toBe(0);
    }
  };
  add('u.jsonl', line);
  add('v.jsonl', good());
  await run(['sync', '--lake', 'F.duckdb', ...LOGS]);
  for (const next of [line, '', '', good()]) {
    add('v.jsonl', next);
    await run(['sync', '--lake', 'F.duckdb', ...LOGS]);
  }
  await fill();
  expect(await ask()).toMatchObject(clear(3, 1));
  add('v.jsonl', line);
  add('u.jsonl', bad());
  await fill();
  await fill();
  expect(await ask()).toMatchObject({ ...clear(4, 2), code: 1 });
});

/** Puts what another run publishes into the lake at the moment when this one is about to put a file of a table there. */
function meanwhile(table: string, lake: string, published: string) {
  const { put } = LocalPlace.prototype;
  const spy = vi.spyOn(LocalPlace.prototype, 'put');
  spy.mockImplementation(function (this: LocalPlace, name, content) {
    if (name.startsWith(table)) {
      spy.mockRestore();
      cpSync(published, lake, { recursive: true, force: false });
    }
    return put.call(this, name, content);
  });
}

test.each(
  byDay(
    [
      ['other', 'v.jsonl', clear(3, 1)],
      ['same', 'u.jsonl', clear(3)],
    ] as const,
    2,
  ),
)('two publish the same bytes at the same moment, of the %s log', async (_, theirs, said) => {
  const { at, add, run, sync, ask, verified } = begin();
  const line = good();
  add('u.jsonl', good());
  add('v.jsonl', good());
  await sync('a', ...LOGS);
  for (const log of new Set(['u.jsonl', theirs])) add(log, line);
  cpSync(at('L'), at('M'), { recursive: true });
  expect((await run(['sync', '--lake', 'M/', '--host', 'b', theirs])).code).toBe(0);
  meanwhile('base_', at('L'), at('M'));
  await sync('a', 'u.jsonl');
  expect(await ask()).toMatchObject(said);
  expect(receiptsIn(at('L'))).toHaveLength(2 + (theirs === 'u.jsonl' ? 1 : 2));
  for (const host of ['b', 'a']) await sync(host, ...LOGS);
  expect(await ask()).toMatchObject(said);
  expect(await verified()).toBe(0);
});

test.skipIf(!nightly)(
  'a log that two published at once, one of them further, is one log again afterwards',
  async () => {
    const { at, add, run, sync, ask, verified } = begin();
    add('u.jsonl', good());
    await sync('a', 'u.jsonl');
    add('u.jsonl', good());
    cpSync(at('L'), at('M'), { recursive: true });
    expect((await run(['sync', '--lake', 'M/', '--host', 'b', 'u.jsonl'])).code).toBe(0);
    add('u.jsonl', good());
    meanwhile('base_', at('L'), at('M'));
    await sync('a', 'u.jsonl');
    expect(await ask()).toMatchObject(clear(3, 1));
    add('u.jsonl', good());
    for (const host of ['b', 'a', 'b']) await sync(host, 'u.jsonl');
    expect(await ask()).toMatchObject(clear(4, 1));
    expect(receiptsIn(at('L'))).toHaveLength(4);
    expect(await verified()).toBe(0);
  },
);

test.runIf(nightly)(
  'two processes at once, of two hosts that have both logs',
  async () => {
    for (let i = 0; i < tries(1, 20); i++) {
      const { at, add, sync, ask } = begin();
      const line = good();
      for (const log of LOGS) add(log, good());
      await sync('a', ...LOGS);
      for (const log of LOGS) add(log, line);
      const args = (host: string, logs: readonly string[]) => [
        'sync',
        '--lake',
        at('L/'),
        '--host',
        host,
        ...logs,
      ];
      const ran = await Promise.all([
        binary(args('a', LOGS.map(at))),
        binary(args('b', [...LOGS].reverse().map(at))),
      ]);
      expect(ran.map(({ code }) => code)).toEqual([0, 0]);
      expect(await ask()).toMatchObject(clear(3, 1));
    }
  },
  3_600_000,
);

test.each(
  exceptByDay(
    [
      ['of its own place', 0],
      ['behind another batch', 1],
    ],
    ['of its own place'],
  ),
)('a batch under the name %s, gone, comes back under it', async (_, which) => {
  const { at, add, sync, ask, verified } = begin();
  const line = good();
  const batches: string[] = [];
  for (const next of [good(), line, line, good()]) {
    add('u.jsonl', next);
    await sync('a', 'u.jsonl');
    batches.push(...readdirSync(at('L/batches')).filter((name) => !batches.includes(name)));
  }
  const id = batches[1 + which]!.replace('.json', '');
  for (const name of readdirSync(at('L'), { recursive: true, encoding: 'utf8' }))
    if (path.basename(name).startsWith(id)) rmSync(at(`L/${name}`));
  expect((await ask()).code).toBe(3);
  // The same line at another place does not take the name of what is gone.
  writeFileSync(at('v.jsonl'), `${line}\n`);
  await sync('b', 'v.jsonl');
  expect((await ask()).code).toBe(3);
  await sync('a', 'u.jsonl');
  expect(await ask()).toMatchObject(clear(3, 2));
  expect(readdirSync(at('L/batches'))).toEqual(expect.arrayContaining(batches));
  expect(await verified()).toBe(0);
});

const FIRST = [good(), good()];
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ log: fc.nat(1), lines: fc.array(fc.nat(2), { minLength: 1, maxLength: 2 }) }),
  },
  { weight: 4, arbitrary: fc.record({ host: fc.constantFrom('a', 'b') }) },
  { weight: 1, arbitrary: fc.constant('compact' as const) },
);
const history = fc.record({
  third: fc.constantFrom(bad(), '', '{"schema":'),
  /** Their first lines differ. */
  areApart: fc.boolean(),
  steps: fc.array(step, { minLength: 4, maxLength: 10 }),
});

test('whatever two logs get, whoever publishes it and when: the lake says what they say', async () => {
  const alphabet = [good(), good()];
  await fc.assert(
    fc.asyncProperty(history, async ({ third, areApart, steps }) => {
      const { add, sync, ask, compact } = begin();
      for (const [i, log] of LOGS.entries()) add(log, FIRST[areApart ? i : 0]!);
      let isMade = false;
      for (const one of steps) {
        if (one === 'compact') {
          if (isMade) await compact();
        } else if ('log' in one) {
          add(LOGS[one.log]!, ...one.lines.map((n) => [...alphabet, third][n]!));
        } else {
          await sync(one.host, ...LOGS);
          isMade = true;
        }
      }
      // What is alike from the first line on is one log, of which the lake has each line at least once.
      const known = ({ code, loaded, ...rest }: Said) =>
        areApart ? { code, loaded, ...rest } : { code, loaded };
      const { says: _, ...wanted } = await ask(...LOGS);
      for (const host of ['a', 'b']) {
        await sync(host, ...LOGS);
        const { says, ...said } = await ask();
        expect(known(said), says.join('\n')).toEqual(known(wanted));
      }
    }),
    { numRuns: tries(2, 300) },
  );
}, 3_600_000);
