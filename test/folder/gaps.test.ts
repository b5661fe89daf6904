/** Batches that are gone from the lake: what is missing is told by its bytes, settled as far as it went, and no more once it is there again. */
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { holesOf } from '../../src/lake/folder/holes.js';
import type { BatchReceipt } from '../../src/schema/batch.js';
import { byDay, call, copiesOf, envelope, newFolder } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const NOW = new Date('2026-10-01T12:00:00Z');
const line = (changes = {}) => `${call({ timestamp: '2026-09-01T08:00:00Z', ...changes })}\n`;

/** A log in so many batches, of a line each. */
async function published(batches: number) {
  const lake = host(newFolder());
  for (let i = 0; i < batches; i++) {
    lake.add(line());
    expect(await lake.sync()).toBe(0);
  }
  return lake;
}
const six = copiesOf(async () => (await published(6)).cwd);

function host(cwd: string) {
  const at = (name: string) => path.join(cwd, name);
  const run = (...args: string[]) => lakelog(args, { cwd, now: () => NOW });
  const syncRun = () => run('sync', '--lake', 'L/', '--host', 'a', 'u.jsonl');
  const ask = async () => {
    const ran = await run('alarm', '--lake', 'L/', '--json');
    const told = envelope(ran).verdict!.cannot_vouch;
    const next = told.map((one) => one.next!);
    return { code: ran.code, where: told[0]?.where, told: told.map(({ message }) => message), next };
  };
  /** Takes the batches with these numbers out, counted from 1. */
  const lose = (...numbers: number[]) => {
    const ids = batches.filter((_, i) => numbers.includes(i + 1));
    for (const name of readdirSync(at('L'), { recursive: true, encoding: 'utf8' }))
      if (ids.some((id) => path.basename(name).startsWith(id))) rmSync(at(`L/${name}`));
  };
  const batches: string[] = [];
  const receipts = (): BatchReceipt[] =>
    readdirSync(at('L/batches')).map((name) => JSON.parse(readFileSync(at(`L/batches/${name}`), 'utf8')));
  /** @returns where each batch ends, and remembers them all. */
  const look = () => {
    const all = receipts().sort((x, y) => x.file.byte_to - y.file.byte_to);
    batches.push(...all.map(({ id }) => id));
    return all.map(({ file }) => file.byte_to);
  };
  const settle = async () => {
    const { where } = await ask();
    const ran = await run('ack', where!, '--reason', 'a disk', '--lake', 'L/');
    expect(ran.code, ran.stderr).toBe(0);
  };
  const add = (text: string, to = 'u.jsonl') => appendFileSync(at(to), text);
  return {
    cwd,
    at,
    run,
    ask,
    lose,
    look,
    receipts,
    settle,
    add,
    syncRun,
    sync: async () => (await syncRun()).code,
  };
}

test.each(
  byDay(
    [
      ['that goes on before it', [4], [3, 2], 'bytes 1 to 4'],
      ['that is one of several, and goes on before it', [3, 4], [2], 'bytes 1 to 4'],
      ['that goes on to the beginning', [3, 4], [2, 1], 'bytes 0 to 4'],
      ['that goes on behind it', [3, 4], [5], 'bytes 2 to 5'],
      ['that another is filled behind', [3, 5], [4], 'bytes 2 to 5'],
    ] as const,
    2,
  ),
)('what is settled of a gap is not settled of one %s', async (_, first, then, said) => {
  const lake = host(await six());
  const ends = [0, ...lake.look()];
  const inBytes = (text: string) => text.replace(/\d/g, (batch) => String(ends[Number(batch)]));
  lake.lose(...first);
  await lake.settle();
  expect((await lake.ask()).told).toEqual([]);
  lake.lose(...then);
  const { code, told } = await lake.ask();
  expect([code === 0, told]).toEqual([false, [expect.stringContaining(inBytes(said))]]);
  await lake.settle();
  expect((await lake.ask()).told).toEqual([]);
});

test('of logs that begin alike no more than where they part is certain, and what is settled holds for all of their batches', () => {
  const batch = (id: string, before: string | null, byte_from: number, byte_to: number) =>
    ({
      id,
      host: 'a',
      account: { lines: 1 },
      file: { name: 'u', root: 'r', before, byte_from, byte_to, head: id },
    }) as BatchReceipt;
  const others = [batch('p', 'r', 10, 20), batch('q', 'r', 10, 25)];
  const gapIn = (...receipts: readonly BatchReceipt[]) =>
    holesOf([batch('z', 'x', 40, 50), ...receipts], (name) => name).find(({ detail }) =>
      / to 40 /.test(detail),
    )!;
  const first = batch('r', null, 0, 10);
  const both = gapIn(first, ...others);
  expect(both.detail).toContain('bytes 10 to 40 of the log are not all in the lake');
  const one = others.map((other) => gapIn(first, other));
  expect(
    one.map(({ detail }) => /^bytes (\d+ to 40) of the log are not in the lake/.exec(detail)![1]),
  ).toEqual(['20 to 40', '25 to 40']);
  const none = [gapIn(first), gapIn()];
  expect(new Set([both, ...one, ...none].map(({ fingerprint }) => fingerprint)).size).toBe(5);
});

test('the host of a log is told what it cannot publish again, and files say no other remedy', async () => {
  const lake = host(await six());
  const [, , third, fourth] = lake.look();
  const copy = lake.at('copy');
  cpSync(lake.at('L/batches'), copy, { recursive: true });
  const gone = lake.receipts().filter(({ file }) => [third, fourth].includes(file.byte_to));
  const names = gone.map(({ id }) => `${id}.json`);
  for (const name of names) rmSync(lake.at(`L/batches/${name}`));
  for (const _again of [1, 2]) {
    const ran = await lake.syncRun();
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(/nor\s+has one before it/)]);
  }
  const { told, next } = await lake.ask();
  expect(told.length).toBeGreaterThan(2);
  for (const one of next)
    expect(one).toMatch(/^put (the receipt back|back its receipt) \(.+ from a copy; without one/);
  for (const name of names) copyFileSync(`${copy}/${name}`, lake.at(`L/batches/${name}`));
  expect([await lake.sync(), (await lake.ask()).told]).toEqual([0, []]);
});

describe('a log whose last batch is gone, and that grew since, is known as itself', () => {
  const moves: Record<string, (lake: ReturnType<typeof host>) => void> = {
    'under another inode': ({ at }) => {
      copyFileSync(at('u.jsonl'), at('x'));
      renameSync(at('x'), at('u.jsonl'));
    },
    'rotated and compressed': ({ at }) => {
      writeFileSync(at('u.jsonl.1.gz'), gzipSync(readFileSync(at('u.jsonl'))));
      rmSync(at('u.jsonl'));
      writeFileSync(at('u.jsonl'), line());
    },
    'copied and truncated': ({ at }) => {
      copyFileSync(at('u.jsonl'), at('u.jsonl.1'));
      truncateSync(at('u.jsonl'));
      appendFileSync(at('u.jsonl'), line());
    },
  };
  const names = Object.keys(moves);

  test.each(names)('%s', async (how) => {
    const lake = await published(3);
    lake.look();
    lake.lose(3);
    lake.add(line());
    moves[how]!(lake);
    for (const _again of [1, 2, 3]) {
      const ran = await lake.syncRun();
      expect(ran.code, ran.stderr).toBe(0);
      expect((await lake.ask()).told).toEqual([]);
    }
    const { logs, lost } = JSON.parse(readFileSync(lake.at('L/hosts/a.json'), 'utf8'));
    expect(lost).toEqual([]);
    expect(logs).toHaveLength(how.includes('inode') ? 1 : 2);
    expect(lake.receipts().reduce((sum, { account }) => sum + account.duplicates, 0)).toBe(0);
  });

  test('not where it is another by now', async () => {
    const lake = await published(3);
    lake.look();
    lake.lose(3);
    const text = readFileSync(lake.at('u.jsonl'), 'utf8');
    writeFileSync(lake.at('x'), text.replace(/1(?=[^1]*$)/, '2') + line());
    renameSync(lake.at('x'), lake.at('u.jsonl'));
    for (const _again of [1, 2]) {
      await lake.sync();
      expect((await lake.ask()).told).toEqual([expect.stringContaining('receipts are gone')]);
    }
  });

  describe.each([0, 1])('%s batches before it, and more bytes than are compared at its ends', (before) => {
    test.each(['as it was', 'edited in its midst'])('%s', async (how) => {
      const lake = await published(before);
      const violation = line({ grounded_in_roster: false });
      lake.add(`${Array.from({ length: 20 }, () => line()).join('')}${violation}`);
      lake.add(Array.from({ length: 20 }, () => line()).join(''));
      expect([await lake.sync(), (await lake.ask()).code]).toEqual([0, 1]);
      lake.look();
      lake.lose(before + 1);
      const text = readFileSync(lake.at('u.jsonl'), 'utf8');
      const edited = text.replace('"grounded_in_roster":false', '"grounded_in_roster":true ');
      if (how !== 'as it was') writeFileSync(lake.at('u.jsonl'), edited);
      lake.add(line());
      for (const _again of [1, 2]) {
        const code = await lake.sync();
        const { code: asked, told } = await lake.ask();
        if (how === 'as it was') expect([code, asked, told]).toEqual([0, 1, []]);
        else expect([code, asked, told]).toEqual([3, 3, [expect.stringContaining('receipts are gone')]]);
      }
    });
  });
});

test('receipts that come back when their log was published anew change nothing, now and when it grows', async () => {
  const lake = await published(3);
  cpSync(lake.at('L/batches'), lake.at('copy'), { recursive: true });
  for (const name of readdirSync(lake.at('L/batches'))) rmSync(lake.at(`L/batches/${name}`));
  expect(await lake.sync()).toBe(0);
  expect(lake.receipts()).toHaveLength(1);
  cpSync(lake.at('copy'), lake.at('L/batches'), { recursive: true });
  for (const _again of [1, 2]) {
    expect(await lake.ask()).toMatchObject({ code: 0, told: [] });
    expect(await lake.sync()).toBe(0);
  }
  lake.add(line({ grounded_in_roster: false }));
  expect(await lake.sync()).toBe(0);
  expect(await lake.ask()).toMatchObject({ code: 1, told: [] });
  // What is gone of the log from then on is missed.
  truncateSync(lake.at('u.jsonl'), 10);
  expect(await lake.sync()).toBe(3);
});
