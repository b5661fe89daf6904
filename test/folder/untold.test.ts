/** What a host could not publish, or published once, is known to who asks the folder: it is not told to its own cron alone. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type HostState, writeHost } from '../../src/lake/folder/hosts.js';
import type { Place } from '../../src/lake/folder/place.js';
import { byDay, call, envelope, exceptByDay, newFolder, nightly, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const NOW = new Date('2026-10-01T12:00:00Z');
const HOURS_AGO = new Date('2026-10-01T09:00:00Z');
const good = () => call({ timestamp: '2026-09-01T08:00:00Z' });
const bad = () => call({ timestamp: '2026-09-01T09:00:00Z', grounded_in_roster: false });
const TORN = '{"schema":"session.iterate.v1","timest';

function host() {
  const cwd = newFolder();
  const run = (...args: string[]) => lakelog(args, { cwd, now: () => NOW });
  const sync = async (...logs: string[]) => (await run('sync', '--lake', 'L/', '--host', 'a', ...logs)).code;
  const ask = async () => {
    const ran = await run('alarm', '--lake', 'L/', '--json');
    const { cannot_vouch } = envelope(ran).verdict!;
    return { code: ran.code, of: cannot_vouch.map(({ where }) => where?.replace(`${cwd}/`, '')) };
  };
  const at = (name: string) => path.join(cwd, name);
  const age = (name: string) => utimesSync(at(name), HOURS_AGO, HOURS_AGO);
  return { cwd, at, run, sync, ask, age };
}

test.each(
  byDay(
    [
      ['torn', TORN, { code: 1, of: [expect.stringContaining('u.jsonl')] }],
      ['whole', good(), { code: 1, of: [] }],
    ],
    2,
  ),
)(
  'the end of a rotated log, %s, is published as it is, and so is all that comes behind it',
  async (_, end, said) => {
    const { cwd, at, sync, ask, age } = host();
    writeLines(cwd, 'u.jsonl', [good()]);
    appendFileSync(at('u.jsonl'), end);
    utimesSync(at('u.jsonl'), NOW, NOW);
    expect(await sync('u.jsonl')).toBe(0);
    renameSync(at('u.jsonl'), at('u.jsonl.1'));
    age('u.jsonl.1');
    writeLines(cwd, 'u.jsonl', [bad()]);
    for (const _again of [1, 2]) expect(await sync('u.jsonl')).toBe(0);
    expect(await ask()).toEqual(said);
  },
);

test('an archive that cannot be read keeps the folder from vouching until it can', async () => {
  const { cwd, at, sync, ask } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  const archive = gzipSync(Array.from({ length: 500 }, good).join('\n'));
  writeFileSync(at('u.jsonl.1.gz'), archive.subarray(0, -10));
  expect(await sync('u.jsonl')).toBe(3);
  expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl.1.gz'] });
  // Who looks at another log, or at one of a like name, saw nothing of it.
  writeLines(cwd, 'use.jsonl', [good()]);
  expect(await sync('use.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl.1.gz'] });
  writeFileSync(at('u.jsonl.1.gz'), archive);
  expect(await sync('*.jsonl*')).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
});

test('an archive of another program is not published; it is told until it is settled', async () => {
  const { cwd, at, run, sync, ask } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  const old = Array.from({ length: 50 }, good);
  writeFileSync(
    at('u.jsonl.1.xz'),
    Buffer.concat([Buffer.from('fd377a585a00', 'hex'), gzipSync(old.join())]),
  );
  for (const _again of [1, 2]) {
    expect(await sync('.')).toBe(3);
    expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl.1.xz'] });
  }
  expect(readdirSync(at('L/batches'))).toHaveLength(1);
  rmSync(at('u.jsonl.1.xz'));
  writeLines(cwd, 'u.jsonl.1', old);
  expect(await sync('.')).toBe(3);
  expect(
    (await run('ack', `a:${at('u.jsonl.1.xz')}`, '--reason', 'it is u.jsonl.1', '--lake', 'L/')).code,
  ).toBe(0);
  expect(await sync('.')).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
});

test('a damaged archive that comes as a stream keeps the folder from vouching; all other logs are published', async () => {
  const { cwd, at, run, sync, ask } = host();
  writeLines(cwd, 'u.jsonl', [bad()]);
  writeLines(cwd, 'w.jsonl', [good()]);
  const archive = gzipSync(Array.from({ length: 500 }, good).join('\n'));
  const read = (bytes: Buffer) => {
    const [stdin, logs] = [Readable.from([bytes]), ['u.jsonl', '-', 'w.jsonl']];
    const options = { cwd, now: () => NOW, stdin };
    return lakelog(['sync', '--lake', 'L/', '--host', 'a', ...logs], options);
  };
  const ran = await read(archive.subarray(0, -10));
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('stop before their end')]);
  expect(readdirSync(at('L/batches'))).toHaveLength(2);
  expect(await ask()).toEqual({ code: 1, of: ['a:-'] });
  // Nobody looked at it again.
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 1, of: ['a:-'] });
  // Whether it holds what was lost, only who sent it knows.
  expect((await read(archive)).code).toBe(0);
  expect(await ask()).toEqual({ code: 1, of: ['a:-'] });
  expect((await run('ack', 'a:-', '--reason', 'sent again', '--lake', 'L/')).code).toBe(0);
  expect(await ask()).toEqual({ code: 1, of: [] });
  const file = await lakelog(['sync', '--lake', 'F.duckdb', 'u.jsonl', '-'], {
    ...{ cwd, now: () => NOW, stdin: Readable.from([archive.subarray(0, -10)]) },
  });
  expect([file.code, file.stderr]).toEqual([3, expect.stringContaining('stop before their end')]);
  expect((await run('alarm', '--lake', 'F.duckdb')).code).toBe(1);
});

test('a log that was named and is not there keeps the folder from vouching', async () => {
  const { cwd, sync, ask } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  expect(await sync('u.jsonl', 'd/other.jsonl')).toBe(3);
  expect(await ask()).toEqual({ code: 3, of: ['a:d/other.jsonl'] });
  writeLines(cwd, 'd/other.jsonl', [bad()]);
  expect(await sync()).toBe(0);
  expect(await ask()).toEqual({ code: 1, of: [] });
});

test.each(
  exceptByDay([['the last batch of a log'], ['all that a host published']], ['the last batch of a log']),
)('%s is missed, and published again', async (what) => {
  const { cwd, at, run, sync, ask } = host();
  writeLines(cwd, 'w.jsonl', [good()]);
  expect((await run('sync', '--lake', 'L/', '--host', 'b', 'w.jsonl')).code).toBe(0);
  const others = new Set(readdirSync(at('L/batches')));
  writeLines(cwd, 'u.jsonl', [good()]);
  await sync('u.jsonl');
  if (what.includes('last')) for (const name of readdirSync(at('L/batches'))) others.add(name);
  appendFileSync(at('u.jsonl'), `${bad()}\n`);
  await sync('u.jsonl');
  expect(await ask()).toEqual({ code: 1, of: [] });
  const gone = readdirSync(at('L/batches')).filter((name) => !others.has(name));
  const ids = gone.map((name) => name.replace('.json', ''));
  for (const name of readdirSync(at('L'), { recursive: true, encoding: 'utf8' }))
    if (ids.some((id) => path.basename(name).startsWith(id))) rmSync(at(`L/${name}`));
  expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl'] });
  expect((await run('lake', 'verify', '--lake', 'L/')).code).toBe(3);
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 1, of: [] });
});

test.each(
  byDay(
    [
      ['first', 0],
      ['middle', 1],
      ['last', 2],
    ],
    3,
  ),
)('the %s batch of a log, gone, is published again as it was', async (_, which) => {
  const { cwd, at, sync, ask } = host();
  const batches: string[] = [];
  for (const line of [bad(), bad(), good()]) {
    appendFileSync(at('u.jsonl'), `${line}\n`);
    await sync('u.jsonl');
    batches.push(...readdirSync(at('L/batches')).filter((name) => !batches.includes(name)));
  }
  writeLines(cwd, 'w.jsonl', [good()]);
  await sync('w.jsonl');
  const id = batches[which]!.replace('.json', '');
  loseBatch(at, id);
  expect(await ask()).toMatchObject({ code: 1, of: [expect.stringContaining('u.jsonl')] });
  // What is new comes with it; behind the last one it would be one batch with it.
  if (which < 2) appendFileSync(at('u.jsonl'), `${good()}\n`);
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 1, of: [] });
  expect(readdirSync(at('L/batches'))).toEqual(expect.arrayContaining(batches));
});

test.each(
  exceptByDay(
    [
      ['torn', TORN],
      ['whole', bad()],
    ],
    ['torn'],
  ),
)('a last line without its end, %s and hours old, keeps the folder from vouching', async (_, end) => {
  const { cwd, at, run, sync, ask, age } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  appendFileSync(at('u.jsonl'), end);
  // It may be under way.
  utimesSync(at('u.jsonl'), NOW, NOW);
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
  age('u.jsonl');
  expect(await sync('u.jsonl')).toBe(3);
  expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl'] });
  expect((await run('sync', '--lake', 'M/', '--host', 'a', '--pending-grace', '24h', 'u.jsonl')).code).toBe(
    0,
  );
  appendFileSync(at('u.jsonl'), '\n');
  expect(await sync('u.jsonl')).toBe(0);
  expect((await ask()).code).toBe(end === TORN ? 3 : 1);
});

test.each(
  byDay(
    [
      ['torn', TORN],
      ['whole', bad()],
    ] as const,
    2,
  ),
)('what a lake file answers from, and does not hold, is missed of it: a last line, %s', async (_, end) => {
  const { cwd, at, run, ask, age } = host();
  writeLines(cwd, 'u.jsonl.1', [good()]);
  appendFileSync(at('u.jsonl.1'), end);
  age('u.jsonl.1');
  writeLines(cwd, 'u.jsonl', [good()]);
  await run('sync', '--lake', 'F.duckdb', 'u.jsonl');
  for (const _again of [1, 2]) {
    const ran = await run('sync', '--lake', 'L/', '--host', 'a', '--from', 'F.duckdb');
    expect(ran.code, ran.stderr).toBe(3);
    expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl.1'] });
  }
});

test.each(byDay(['a', 'b'], 2))(
  'a log of several batches that a lake file published is known again by the host %s',
  async (looks) => {
    const { cwd, at, run, ask } = host();
    const sync = (name: string, ...args: string[]) => run('sync', '--lake', 'L/', '--host', name, ...args);
    writeLines(cwd, 'u.jsonl', [good()]);
    for (const line of [bad(), good(), bad()]) {
      await run('sync', '--lake', 'F.duckdb', 'u.jsonl');
      appendFileSync(at('u.jsonl'), `${line}\n`);
    }
    expect((await sync('a', '--from', 'F.duckdb')).code).toBe(0);
    const receipts = readdirSync(at('L/batches')).map((name) =>
      readFileSync(at(`L/batches/${name}`), 'utf8'),
    );
    const { id } = receipts
      .map((text) => JSON.parse(text))
      .sort((x, y) => y.file.byte_to - x.file.byte_to)[0];
    loseBatch(at, id);
    // Another host published what is gone, otherwise cut; that it is all there says the one that missed it.
    for (const name of new Set([looks, 'a'])) {
      const ran = await sync(name, 'u.jsonl');
      expect(ran.code, ran.stderr).toBe(0);
    }
    expect(await ask()).toEqual({ code: 1, of: [] });
  },
);

test.skipIf(!nightly)('a folder where a file of the lake was is told, and no defect of lakelog', async () => {
  const { cwd, at, sync, ask } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  await sync('u.jsonl');
  rmSync(at('L/hosts/a.json'));
  mkdirSync(at('L/hosts/a.json'));
  expect(await sync('u.jsonl')).toBe(3);
  expect((await ask()).code).toBe(3);
  rmSync(at('L/hosts/a.json'), { recursive: true });
  const [receipt] = readdirSync(at('L/batches'));
  rmSync(at(`L/batches/${receipt}`));
  mkdirSync(at(`L/batches/${receipt}`));
  expect(await sync('u.jsonl')).toBe(3);
  expect((await ask()).code).toBe(3);
  rmSync(at(`L/batches/${receipt}`), { recursive: true });
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
});

test('a name of a host is one of a file, and too long a one is told at once', async () => {
  const { cwd, at, run } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  const sync = (name: string) => run('sync', '--lake', 'L/', '--host', name, 'u.jsonl');
  const ran = await sync('ü'.repeat(42));
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('too long for the name of a file')]);
  expect(existsSync(at('L'))).toBe(false);
  for (const name of ['ü'.repeat(41), 'w'.repeat(100)]) expect((await sync(name)).code).toBe(0);
});

test.each(byDay(['.', '..'], 2))('%s is no name of a host', async (name) => {
  const { cwd, run } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  const ran = await run('sync', '--lake', 'L/', '--host', name, 'u.jsonl');
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('is no name of a host')]);
});

/** Takes the receipts and rows of batches that hold a violation out of the lake. */
function loseViolations(at: (name: string) => string): void {
  const names = readdirSync(at('L'), { recursive: true, encoding: 'utf8' });
  const lost = names.filter(
    (name) => /batches.*json$/.test(name) && /"grounded":0/.test(readFileSync(at(`L/${name}`), 'utf8')),
  );
  expect(lost).toHaveLength(1);
  loseBatch(at, path.basename(lost[0]!, '.json'));
}

function loseBatch(at: (name: string) => string, id: string): void {
  const names = readdirSync(at('L'), { recursive: true, encoding: 'utf8' });
  for (const name of names) if (path.basename(name).startsWith(id)) rmSync(at(`L/${name}`));
}

describe('what was published and is gone from the lake is told until it is there again', () => {
  test.each(
    byDay(
      [
        ['of a log that rotated and was deleted', [[bad()], [good()]]],
        ['the last of such a log', [[good()], [bad()], [good()]]],
      ],
      2,
    ),
  )('%s', async (_, batches) => {
    const { cwd, at, sync, ask, age } = host();
    for (const [i, lines] of batches.entries()) {
      const isLast = i === batches.length - 1;
      if (isLast) renameSync(at('u.jsonl'), at('u.jsonl.1'));
      if (isLast) age('u.jsonl.1');
      appendFileSync(at('u.jsonl'), `${lines.join('\n')}\n`);
      expect(await sync('u.jsonl')).toBe(0);
    }
    rmSync(at('u.jsonl.1'));
    expect(await sync('u.jsonl')).toBe(0);
    cpSync(path.join(cwd, 'L'), at('copy'), { recursive: true });
    loseViolations(at);
    for (const _again of [1, 2]) {
      expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl.1'] });
      expect(await sync('u.jsonl')).toBe(3);
    }
    for (const part of readdirSync(at('copy')).filter((name) => /^b/.test(name)))
      cpSync(at(`copy/${part}`), at(`L/${part}`), { recursive: true });
    expect(await ask()).toMatchObject({ code: 1, of: [] });
  });

  test('of a log that is not looked at now, until it is', async () => {
    const { cwd, at, sync, ask } = host();
    writeLines(cwd, 'u.jsonl', [bad()]);
    writeLines(cwd, 'v.jsonl', [good()]);
    for (const log of ['u.jsonl', 'v.jsonl']) expect(await sync(log)).toBe(0);
    loseViolations(at);
    expect(await sync('v.jsonl')).toBe(3);
    expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl'] });
    // Longer by now, and so another batch.
    appendFileSync(at('u.jsonl'), `${good()}\n`);
    expect(await sync('u.jsonl')).toBe(0);
    expect(await ask()).toEqual({ code: 1, of: [] });
  });
});

test.each(
  exceptByDay(
    [
      ['a name that begins like it', 'x/u-old.jsonl.gz', 'x/u.jsonl'],
      ['a pattern that goes no deeper', 'x/sub/q.jsonl.gz', 'x/u*.jsonl'],
      ['a folder that passes over it', 'x/old.gz', 'x'],
    ],
    ['a name that begins like it', 'a pattern that goes no deeper'],
  ),
)('a look at %s says nothing of what could not be read', async (_, damaged, other) => {
  const { cwd, at, sync, ask } = host();
  writeLines(cwd, 'x/u.jsonl', [good()]);
  mkdirSync(at('x/sub'));
  const archive = gzipSync(Array.from({ length: 500 }, bad).join('\n'));
  writeFileSync(at(damaged), archive.subarray(0, -10));
  expect(await sync(damaged)).toBe(3);
  if (other === 'x') writeFileSync(at('x/sub/r.jsonl.gz'), archive.subarray(0, -10));
  await sync(other);
  // What is gone by now was never read either.
  rmSync(at('x/sub/r.jsonl.gz'), { force: true });
  await sync(other);
  const gone = other === 'x' ? ['a:x/sub/r.jsonl.gz'] : [];
  expect(new Set((await ask()).of)).toEqual(new Set([...gone, `a:${damaged}`]));
  if (other === 'x') writeFileSync(at('x/sub/r.jsonl.gz'), archive);
  await sync(other);
  expect(await ask()).toEqual({ code: other === 'x' ? 1 : 3, of: [`a:${damaged}`] });
  writeFileSync(at(damaged), archive);
  expect(await sync(damaged)).toBe(0);
  expect((await ask()).of).toEqual([]);
});

test.each(
  byDay(
    [
      ['x', 'x/u.jsonl'],
      ['x/u.jsonl', 'x'],
      ['x/', './x'],
    ],
    3,
  ),
)('a log that was found by %s and vanished is lost, whoever looks by %s', async (first, then) => {
  const { cwd, at, sync, ask } = host();
  writeLines(cwd, 'x/u.jsonl', [good()]);
  writeLines(cwd, 'x/k.jsonl', [good()]);
  expect(await sync(first, 'x/k.jsonl')).toBe(0);
  appendFileSync(at('x/u.jsonl'), `${bad()}\n`);
  rmSync(at('x/u.jsonl'));
  for (const _again of [1, 2]) {
    expect(await sync(then, 'x/k.jsonl')).toBe(3);
    expect((await ask()).code).toBe(3);
  }
});

test('a host whose memory is gone cannot vouch, as it may have known of logs that it lost; that can be settled', async () => {
  const { cwd, at, sync, ask, run, age } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  expect(await sync('u.jsonl')).toBe(0);
  renameSync(at('u.jsonl'), at('u.jsonl.1'));
  age('u.jsonl.1');
  writeLines(cwd, 'u.jsonl', [good()]);
  expect(await sync('u.jsonl')).toBe(0);
  rmSync(at('u.jsonl.1'));
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
  const memory = readFileSync(at('L/hosts/a.json'));
  rmSync(at('L/hosts/a.json'));
  expect((await ask()).code).toBe(3);
  for (const _again of [1, 2]) {
    expect(await sync('u.jsonl')).toBe(0);
    expect(await ask()).toEqual({ code: 3, of: ['a:hosts/a.json'] });
  }
  const made = readFileSync(at('L/hosts/a.json'));
  writeFileSync(at('L/hosts/a.json'), memory);
  expect(await ask()).toEqual({ code: 0, of: [] });
  writeFileSync(at('L/hosts/a.json'), made);
  const acked = await run('ack', 'a:hosts/a.json', '--reason', 'nothing was lost', '--lake', 'L/');
  expect(acked.code, acked.stderr).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
  writeFileSync(at('L/hosts/b.json'), memory);
  const stray = await run('alarm', '--lake', 'L/');
  expect(stray.stderr + stray.stdout).toMatch(/take the file away/);
  rmSync(at('L/hosts/b.json'));
  expect(await ask()).toEqual({ code: 0, of: [] });
});

test('what a host that had an earlier version could not read is told until it is looked at again', async () => {
  const { cwd, at, sync, ask } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  expect(await sync('u.jsonl')).toBe(0);
  const { schema: _, checksum: __, ...state } = JSON.parse(readFileSync(at('L/hosts/a.json'), 'utf8'));
  const unread = [{ path: at('w.jsonl'), problem: 'missing', detail: 'no such file' }];
  writeHost({ replace: (name, bytes) => writeFileSync(at(`L/${name}`), bytes) } as Place, {
    ...{ ...state, unread, pending_grace_s: 60 },
  });
  expect(await ask()).toEqual({ code: 3, of: ['a:w.jsonl'] });
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 3, of: ['a:w.jsonl'] });
  writeLines(cwd, 'w.jsonl', [good()]);
  expect(await sync('w.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
});

test.skipIf(!nightly)(
  'what is settled of a lost log is told to its host too, and is not settled of the next loss',
  async () => {
    const { cwd, at, run, sync, ask } = host();
    const line = good();
    writeLines(cwd, 'u.jsonl', [line]);
    writeLines(cwd, 'w.jsonl', [good()]);
    const logs = ['u.jsonl', 'w.jsonl'];
    expect(await sync(...logs)).toBe(0);
    rmSync(at('u.jsonl'));
    expect(await sync(...logs)).toBe(3);
    expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl'] });
    writeFileSync(at('none.jsonl'), '');
    const { code } = await run('ack', `a:${at('u.jsonl')}`, '--reason', 'moved away', '--lake', 'L/');
    expect([code, (await ask()).code, await sync('w.jsonl')]).toEqual([0, 0, 0]);
    expect((await run('sync', '--lake', 'L/', '--host', 'a', '--acks', 'none.jsonl', 'w.jsonl')).code).toBe(
      3,
    );
    // Back as it was, and gone again with what nobody read.
    writeLines(cwd, 'u.jsonl', [line]);
    expect([await sync(...logs), (await ask()).code]).toEqual([0, 0]);
    rmSync(at('u.jsonl'));
    const later = new Date(NOW.getTime() + 60_000);
    const again = await lakelog(['sync', '--lake', 'L/', '--host', 'a', ...logs], { cwd, now: () => later });
    expect(again.code).toBe(3);
    expect(again.stderr).toContain('2026-10-01T12:01:00');
    expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl'] });
  },
);

test.skipIf(!nightly)('a batch of a log that is gone, too, can be settled', async () => {
  const { cwd, at, run, sync, ask } = host();
  const batches = new Set<string>();
  for (const line of [good(), good(), bad()]) {
    appendFileSync(at('u.jsonl'), `${line}\n`);
    await sync('u.jsonl');
    for (const name of readdirSync(at('L/batches'))) batches.add(name);
  }
  loseBatch(at, [...batches][1]!.replace('.json', ''));
  rmSync(at('u.jsonl'));
  writeLines(cwd, 'w.jsonl', [good()]);
  expect(await sync('u.jsonl', 'w.jsonl')).toBe(3);
  const settle = (what: string) => run('ack', what, '--reason', 'a disk', '--lake', 'L/');
  for (const what of new Set((await ask()).of))
    expect((await settle(what!.replace('a:', `a:${cwd}/`))).code).toBe(0);
  expect(await ask()).toEqual({ code: 1, of: [] });
});

test.skipIf(!nightly)(
  'a host that fills a gap at its first look never had a memory that could be gone',
  async () => {
    const { at, run, sync, ask } = host();
    for (const line of [good(), bad()]) {
      appendFileSync(at('u.jsonl'), `${line}\n`);
      await sync('u.jsonl');
    }
    const [first] = readdirSync(at('L/batches')).filter((name) =>
      /"before":null/.test(readFileSync(at(`L/batches/${name}`), 'utf8')),
    );
    loseBatch(at, first!.replace('.json', ''));
    expect((await run('sync', '--lake', 'L/', '--host', 'b', 'u.jsonl')).code).toBe(0);
    expect(await ask()).toEqual({ code: 1, of: [] });
  },
);

test('a usual place where nothing is was named by nobody, and is missed by nobody later', async () => {
  const { cwd, at, sync, ask } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  expect(await sync('u.jsonl')).toBe(0);
  rmSync(at('L/hosts/a.json'));
  expect(await sync()).toBe(3);
  expect((await ask()).of).toEqual(['a:hosts/a.json']);
});

test('a host whose first look did not come to its end cannot vouch', async () => {
  const { cwd, at, sync, ask } = host();
  writeLines(cwd, 'u.jsonl', [good()]);
  writeLines(cwd, 'v.jsonl', [bad()]);
  expect(await sync('u.jsonl')).toBe(0);
  const before = readFileSync(at('L/hosts/a.json'), 'utf8');
  // As it stands from before the first batch on.
  const both = ['u.jsonl', 'v.jsonl'].map((name) => ({ path: at(name), as: 'any' as const }));
  writeHost({ replace: (name, bytes) => writeFileSync(at(`L/${name}`), bytes) } as Place, {
    ...(JSON.parse(before) as HostState),
    ...{ synced_at: '1970-01-01T00:00:00Z', requests: both, logs: [], looking_at: both },
  });
  expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl', 'a:v.jsonl'] });
  // Another look says nothing of what it did not look at.
  expect(await sync('u.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 3, of: ['a:v.jsonl'] });
  expect(await sync()).toBe(0);
  expect(await ask()).toEqual({ code: 1, of: [] });
});

test('what is settled is not settled for what goes wrong there later', async () => {
  const { cwd, at, sync, ask, run } = host();
  const settle = async (name: string) => {
    const { code, stderr } = await run('ack', `a:${at(name)}`, '--reason', 'known', '--lake', 'L/');
    expect(code, stderr).toBe(0);
    expect(await ask()).toEqual({ code: 0, of: [] });
  };
  writeLines(cwd, 'u.jsonl', [good()]);
  const logs = ['u.jsonl', 'w.jsonl'];
  const archive = gzipSync(Array.from({ length: 500 }, good).join('\n'));
  writeFileSync(at('u.jsonl.1.gz'), archive.subarray(0, -10));
  writeLines(cwd, 'w.jsonl', [good()]);
  expect(await sync(...logs)).toBe(3);
  await settle('u.jsonl.1.gz');
  expect(await sync(...logs)).toBe(0);
  // Under the name that the next rotation gives to it, too, and once it is gone.
  renameSync(at('u.jsonl.1.gz'), at('u.jsonl.2.gz'));
  expect(await sync(...logs)).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
  renameSync(at('u.jsonl.2.gz'), at('u.jsonl.1.gz'));
  expect(await sync(...logs)).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
  rmSync(at('u.jsonl.1.gz'));
  expect(await sync(...logs)).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
  writeFileSync(at('u.jsonl.1.gz'), archive.subarray(0, -20));
  expect(await sync(...logs)).toBe(3);
  expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl.1.gz'] });
  rmSync(at('u.jsonl.1.gz'));
  // Nobody read it, and nobody explained it.
  expect(await sync(...logs)).toBe(3);
  expect(await ask()).toEqual({ code: 3, of: ['a:u.jsonl.1.gz'] });
  await settle('u.jsonl.1.gz');
  // A name where nothing ever was, and where something was meanwhile.
  expect(await sync('u.jsonl', 'x.jsonl')).toBe(3);
  await settle('x.jsonl');
  expect(await sync('u.jsonl', 'x.jsonl')).toBe(0);
  expect(await ask()).toEqual({ code: 0, of: [] });
  writeFileSync(at('x.jsonl'), '');
  await sync('u.jsonl', 'x.jsonl');
  rmSync(at('x.jsonl'));
  const later = await lakelog(['sync', '--lake', 'L/', '--host', 'a', 'u.jsonl', 'x.jsonl'], {
    cwd,
    now: () => new Date(NOW.getTime() + 60_000),
  });
  expect(later.code).toBe(3);
  expect((await ask()).code).toBe(3);
});

describe('two logs that begin alike, as of one image', () => {
  const first = good();
  const begun = async (...hosts: readonly (readonly [host: string, log: string])[]) => {
    const made = host();
    const by = (name: string, log: string) =>
      made.run('sync', '--lake', 'L/', '--host', name, log, 'k.jsonl').then(({ code }) => code);
    writeLines(made.cwd, 'k.jsonl', [good()]);
    for (const [name, log] of hosts) {
      writeLines(made.cwd, log, [first]);
      expect(await by(name, log)).toBe(0);
    }
    const add = (log: string, line: string) => appendFileSync(made.at(log), `${line}\n`);
    return { ...made, by, add };
  };

  test.skipIf(!nightly)('and part: each goes on', async () => {
    const { add, by, ask } = await begun(['a', 'u.jsonl'], ['b', 'v.jsonl']);
    for (const [name, log] of [
      ['b', 'v.jsonl'],
      ['a', 'u.jsonl'],
      ['b', 'v.jsonl'],
    ] as const) {
      add(log, good());
      expect(await by(name, log)).toBe(0);
      expect(await ask()).toEqual({ code: 0, of: [] });
    }
    add('u.jsonl', bad());
    expect(await by('a', 'u.jsonl')).toBe(0);
    expect(await ask()).toEqual({ code: 1, of: [] });
  });

  test.each(byDay(['vanishes', 'is replaced'], 2))(
    'one whose beginning another host published %s',
    async (how) => {
      const { add, at, by, ask } = await begun(['a', 'u.jsonl'], ['b', 'v.jsonl']);
      add('v.jsonl', bad());
      rmSync(at('v.jsonl'));
      if (how === 'is replaced') add('v.jsonl', good());
      expect(await by('b', 'v.jsonl')).toBe(3);
      expect((await ask()).code).toBe(3);
    },
  );

  test('what is lost of the shorter one is missed', async () => {
    const { add, at, by, ask } = await begun(['a', 'u.jsonl'], ['a', 'v.jsonl']);
    add('u.jsonl', `${good()}\n${good()}`);
    add('v.jsonl', bad());
    for (const log of ['u.jsonl', 'v.jsonl']) expect(await by('a', log)).toBe(0);
    expect(await ask()).toEqual({ code: 1, of: [] });
    loseViolations(at);
    expect(await ask()).toEqual({ code: 3, of: ['a:v.jsonl'] });
  });

  test.each(byDay(['u.jsonl', 'v.jsonl'], 2))(
    'a gap in one of them, %s, is filled, and so is one behind it',
    async (log) => {
      const { add, at, by, ask, run } = await begun(['a', 'u.jsonl'], ['b', 'v.jsonl']);
      const own = log === 'u.jsonl' ? 'a' : 'b';
      const batches: string[] = [];
      for (const line of [bad(), bad(), bad(), good()]) {
        for (const [name, one] of [
          ['a', 'u.jsonl'],
          ['b', 'v.jsonl'],
        ] as const) {
          const before = new Set(readdirSync(at('L/batches')));
          add(one, one === log ? line : good());
          expect(await by(name, one)).toBe(0);
          if (one === log) batches.push(readdirSync(at('L/batches')).find((file) => !before.has(file))!);
        }
      }
      const lose = (file: string) => loseBatch(at, file.replace('.json', ''));
      lose(batches[0]!);
      lose(batches[2]!);
      expect(await ask()).toMatchObject({ code: 1 });
      expect(await by(own, log)).toBe(0);
      expect(await ask()).toEqual({ code: 1, of: [] });
      expect(readdirSync(at('L/batches'))).toEqual(expect.arrayContaining(batches));
      // What stood between two that are there nobody knows.
      lose(batches[1]!);
      lose(batches[2]!);
      await by(own, log);
      const { cannot_vouch } = envelope(await run('alarm', '--lake', 'L/', '--json')).verdict!;
      expect(cannot_vouch.map(({ message, next }) => [message, next])).toContainEqual([
        expect.stringMatching(/has no receipt, nor has one before it/),
        expect.stringMatching(/from a copy; without one, publish the logs into a new folder/),
      ]);
    },
  );

  test('a host is as silent as its own log is', async () => {
    const { add, at, by, run } = await begun(['a', 'u.jsonl'], ['b', 'v.jsonl']);
    add('u.jsonl', call({ timestamp: '2026-10-01T11:00:00Z' }));
    expect(await by('a', 'u.jsonl')).toBe(0);
    add('v.jsonl', good());
    expect(await by('b', 'v.jsonl')).toBe(0);
    writeFileSync(at('hosts.toml'), '[[expect]]\nhost = "b"\nwithin = "48h"\n');
    const ran = await run('alarm', '--lake', 'L/', '--expect', 'hosts.toml', '--json');
    expect(envelope(ran).verdict!.cannot_vouch.map(({ code }) => code)).toEqual(['silent']);
  });
});
