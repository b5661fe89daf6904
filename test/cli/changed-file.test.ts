/** A file that changes, or fails, while it is read is a problem of its own: what others hold is judged and told. */
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type OpenedInput, openInput, type SourceFile } from '../../src/lake/input/index.js';
import { openLake } from '../../src/lake/lake.js';
import { call, envelope, newFolder, unwrapped, writeLines } from '../support/cli.js';
import { runOptions } from '../support/lake.js';
import { atMoments, type Moment } from '../support/moments.js';
import { lakelog } from '../support/program.js';

const bad = () => call({ session_id: 'bad', grounded_in_roster: false });
const AGAIN = 'run the same command again';

const CHANGES: readonly (readonly [string, (file: string) => void, RegExp])[] = [
  [
    'is written to in place',
    (file) => utimesSync(file, 1, 1),
    /changed while it was read: it was written to and did not grow/,
  ],
  ['is cut', (file) => truncateSync(file, 10), /changed while it was read: \d+ bytes at the start, 10 now/],
  [
    'cannot be read any further',
    () => {
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    },
    /i\/o error/,
  ],
];

/** Does it once, at a read of the file: so many reads after it was opened for the n-th time. */
function whenRead(file: string, act: () => void, { opened = 1, reads = 2 } = {}): (moment: Moment) => void {
  let [opens, after, isDone] = [0, 0, false];
  return ({ question, of }) => {
    if (question === 'open') opens += Number(path.basename(String(of)) === path.basename(file));
    if (opens < opened || isDone || question !== 'readSync') return;
    if (++after < reads) return;
    isDone = true;
    act();
  };
}

async function during<T>(moment: (moment: Moment) => void, run: () => Promise<T>): Promise<T> {
  const results: T[] = [];
  await atMoments(moment, async () => void results.push(await run()));
  return results[0]!;
}

/** Two logs, of which one holds a violation and a reject that nobody is to be told of. */
function folderOf(...others: readonly string[]) {
  const cwd = newFolder();
  writeLines(cwd, 'other.jsonl', others);
  const changing = writeLines(cwd, 'changing.jsonl', [call(), bad().replace('"bad"', '"unseen"'), '{"torn']);
  return { cwd, changing };
}

describe.each(CHANGES)('a file that %s', (_, change, words) => {
  test.each([
    ['before', ['changing.jsonl', 'other.jsonl']],
    ['behind', ['other.jsonl', 'changing.jsonl']],
  ])('%s another hides no violation of that one, and nothing of it is believed', async (_where, files) => {
    const { cwd, changing } = folderOf(call(), bad());
    const ran = await during(
      whenRead(changing, () => change(changing)),
      () => lakelog(['alarm', '--json', ...files], { cwd }),
    );
    expect(ran.code, ran.stderr).toBe(1);
    const { rows, receipt } = envelope(ran);
    expect(rows.map(({ session_id }) => session_id)).toEqual(['bad']);
    expect(receipt.files.map(({ file }) => file)).toEqual(['other.jsonl']);
    expect(receipt.problems).toMatchObject([{ path: 'changing.jsonl', problem: 'unreadable' }]);
    expect(receipt.rejects).toEqual([]);
    expect(unwrapped(ran.stderr)).toMatch(words);
  });

  test('cannot vouch beside one that is clear, and does at rest', async () => {
    const { cwd, changing } = folderOf(call());
    const args = ['alarm', 'other.jsonl', 'changing.jsonl'];
    writeLines(cwd, 'changing.jsonl', [call(), call()]);
    const ran = await during(
      whenRead(changing, () => change(changing)),
      () => lakelog(args, { cwd }),
    );
    expect(ran.code).toBe(3);
    expect(unwrapped(ran.stderr)).toMatch(words);
    if (String(words).includes('changed')) expect(unwrapped(ran.stderr)).toContain(`→ ${AGAIN}`);
    writeLines(cwd, 'changing.jsonl', [call(), call()]);
    expect((await lakelog(args, { cwd })).code).toBe(0);
  });

  test('is told over a lake, which takes what others hold and nothing of it', async () => {
    const { cwd, changing } = folderOf(call(), bad());
    const args = ['alarm', '--lake', 'l.duckdb', '--json'];
    const whole = readFileSync(changing);
    const ran = await during(
      // Looked into twice, cut into batches, and then read, behind both ends and the last line feed.
      whenRead(changing, () => change(changing), { opened: 4, reads: 5 }),
      () => lakelog([...args, 'changing.jsonl', 'other.jsonl'], { cwd }),
    );
    expect(ran.code, ran.stderr).toBe(1);
    const first = envelope(ran);
    expect(first.rows.map(({ session_id }) => session_id)).toEqual(['bad']);
    expect(first.receipt.files.map(({ file }) => path.basename(file))).toEqual(['other.jsonl']);
    expect(first.receipt.problems).toMatchObject([{ path: 'changing.jsonl', problem: 'unreadable' }]);
    expect(first.receipt.problems[0]!.detail).toMatch(words);
    // Whoever does not look is not told that all is well.
    const asItIs = await lakelog([...args, '--no-sync', '--max-age', '99999d'], { cwd });
    expect(unwrapped(asItIs.stderr)).toMatch(
      /cannot vouch: (the last sync did not come to its end|the input cannot be read)/,
    );
    // One that is shorter than what could not be read, or begins otherwise, would lack of it.
    writeFileSync(changing, Buffer.concat([whole, Buffer.from(`${call()}\n`)]));
    const second = await lakelog(args, { cwd });
    expect(second.code).toBe(1);
    expect(envelope(second).receipt.problems).toEqual([]);
    expect(envelope(second).receipt.totals.loaded).toBe(5);
  });
});

test('of a log that a lake knows, what was read before stays when it changes while it is read', async () => {
  const { cwd, changing } = folderOf(call());
  writeLines(cwd, 'changing.jsonl', [bad()]);
  const args = ['alarm', '--lake', 'l.duckdb', '--json'];
  expect((await lakelog([...args, 'changing.jsonl', 'other.jsonl'], { cwd })).code).toBe(1);
  appendFileSync(changing, `${call()}\n`);
  appendFileSync(path.join(cwd, 'other.jsonl'), `${call()}\n`);
  const ran = await during(
    whenRead(changing, () => utimesSync(changing, 1, 1), { opened: 4, reads: 7 }),
    () => lakelog(args, { cwd }),
  );
  expect(ran.code).toBe(1);
  expect(envelope(ran).receipt.problems).toMatchObject([{ path: changing, next: AGAIN }]);
  expect(envelope(ran).receipt.totals.loaded).toBe(3);
  const again = await lakelog(args, { cwd });
  expect(envelope(again).receipt.problems).toEqual([]);
  expect(envelope(again).receipt.totals.loaded).toBe(4);
});

test('a last line without its end, whose file changes when all else is in the lake', async () => {
  const { cwd, changing } = folderOf(bad());
  writeFileSync(changing, `${call()}\n${call()}`);
  const args = ['alarm', '--lake', 'l.duckdb', '--json'];
  const ran = await during(
    whenRead(changing, () => truncateSync(changing, 5), { opened: 5, reads: 1 }),
    () => lakelog([...args, 'changing.jsonl', 'other.jsonl'], { cwd }),
  );
  expect(ran.code, ran.stderr).toBe(1);
  expect(envelope(ran).receipt.problems).toMatchObject([{ path: 'changing.jsonl', next: AGAIN }]);
  expect(envelope(ran).receipt.totals.loaded).toBe(2);
});

test('twins whose file is gone before their lines are read again are told all the same', async () => {
  const { cwd, changing } = folderOf();
  const twin = { session_id: 'twin', timestamp: '2026-06-01T08:00:00Z', call_id: undefined };
  writeLines(cwd, 'changing.jsonl', [
    call({ ...twin, prompt: 'a', grounded_in_roster: false }),
    call({ ...twin, prompt: 'b', grounded_in_roster: false }),
  ]);
  const asks = ['SELECT call_key FROM sessions'];
  const lake = await openLake({ ...runOptions({ cwd }), asks, gatedKinds: ['fill'], params: {} });
  let opens = 0;
  const { problems } = await during(
    ({ question, of }) => {
      if (question === 'open' && of === changing && ++opens === 2) rmSync(changing);
    },
    () => lake.load([{ path: 'changing.jsonl', as: 'any' }]),
  );
  const { cells } = await lake.query(asks[0]!);
  expect(new Set(cells.flat()).size).toBe(2);
  expect(problems).toMatchObject([{ path: 'changing.jsonl', problem: 'unreadable', next: AGAIN }]);
  lake.close();
});

/** Whoever reads with such a descriptor is refused by the system, in any thread. */
async function openedToWrite(source: SourceFile): Promise<OpenedInput> {
  const input = await openInput(source, { stdin: Readable.from([]) });
  if (input.kind === 'stream' || source.name !== 'changing.jsonl') return input;
  const fd = openSync(source.path, 'a');
  return {
    ...{ ...input, fd },
    close: () => {
      closeSync(fd);
      input.close();
    },
  };
}

/** Threads read with the descriptor of the process that opened the file. */
test.each([
  ['changes', (file: string) => utimesSync(file, 1, 1)],
  ['is cut', (file: string) => truncateSync(file, 1000)],
  ['cannot be read', () => {}],
])('threads: of a file that %s nothing is believed, and all of the others', async (how, change) => {
  const { cwd, changing } = folderOf(...Array.from({ length: 20 }, () => call()));
  writeLines(cwd, 'changing.jsonl', [...Array.from({ length: 40 }, () => call()), '{"torn']);
  const lake = await openLake({
    ...runOptions({ cwd, threads: { count: 2, above: 0, part: 2000 } }),
    ...{ asks: ['SELECT session_id FROM sessions'], gatedKinds: ['fill'], params: {}, everyReject: true },
    ...(how === 'cannot be read' && { open: openedToWrite }),
  });
  const paths = ['changing.jsonl', 'other.jsonl'].map((name) => ({ path: name, as: 'any' }) as const);
  const account = await during(
    ({ question, of }) => {
      if (question === 'open' && path.basename(String(of)) === 'other.jsonl') change(changing);
    },
    () => lake.load(paths),
  );
  expect((await lake.query('SELECT count(*) FROM sessions')).cells).toEqual([[20]]);
  expect(account.problems).toMatchObject([{ path: 'changing.jsonl', problem: 'unreadable' }]);
  expect(account.rejects).toEqual([]);
  lake.close();
});
