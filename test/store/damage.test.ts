import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  lakelog as binary,
  byDay,
  call,
  type Envelope,
  newFolder,
  nightly,
  replayRun,
  tries,
  writeLines,
} from '../support/cli.js';
import fc from '../support/fast-check.js';
import { lakelog } from '../support/program.js';

const PLACES = tries(10, 100);
const LAKE = 'L.duckdb';
const LOGS = ['sessions.jsonl', 'replay_runs.jsonl'] as const;
/** The engine's heads, and the blocks behind them. */
const HEADS = 12_288;
const BLOCK = 262_144;

const QUESTIONS = [
  ['alarm'],
  ['first-shot-rate'],
  ['first-shot'],
  ['triple-rejections'],
  ['corpus'],
  ['rejections'],
  ['validate'],
];

let cwd: string;
let whole: Buffer;
/** What stands beside it. */
let seal: Buffer;
/** The lake before the last logs came. */
let earlier: Buffer;
let answers: string[];

/** What a command answers; null where it says that the lake is damaged, or that this is none. */
async function answerOf(question: readonly string[], ask = lakelog): Promise<string | null> {
  const age = question[0] === 'alarm' ? ['--max-age', '9999d'] : [];
  const logs = question[0] === 'lake' ? [] : LOGS;
  const ran = await ask([...question, '--lake', LAKE, '--json', ...age, ...logs], { cwd });
  expect(ran.signal).toBeNull();
  if (ran.code === 3 && /the lake is damaged/.test(ran.stderr)) {
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain('--rebuild');
    return null;
  }
  if (ran.code === 2 && /this is no lake|made by a newer version/.test(ran.stderr)) return null;
  expect(ran.stderr).not.toMatch(/internal error/);
  return JSON.stringify([ran.code, JSON.parse(ran.stdout)], (key, value) =>
    key === 'newest_record_age_s' ? undefined : value,
  );
}

const reasons = ['worker W-9 is not free', 'Slot 3 overlaps', 'no such role'];

beforeAll(async () => {
  cwd = newFolder();
  const calls = Array.from({ length: nightly ? 60_000 : 4_000 }, (_, i) =>
    call({
      session_id: i.toString(16).padStart(32, '0'),
      call_id: `call-${i}`,
      model: `model-${i % 7}`,
      iterations: 1 + (i % 4),
      attempts: Array.from({ length: 1 + (i % 4) }, (_, n) =>
        n === i % 4
          ? { verdict: 'accepted' }
          : { verdict: 'rejected', reasons: [`${reasons[(i + n) % 3]} ${i}`] },
      ),
      timestamp: new Date(Date.UTC(2025, 5, 1) + i * 60_000).toISOString(),
      ...(i % 997 === 5 ? { grounded_in_roster: false } : {}),
    }),
  );
  const runs = Array.from({ length: 500 }, (_, i) =>
    replayRun({
      session_id: (i * 3).toString(16).padStart(32, '0'),
      documents: [{ id: `d${i}`, score: i / 500 }],
    }),
  );
  // Read in several goes, as it happens, so that the file has a past.
  for (const part of [0.3, 0.8, 1]) {
    if (part === 1) earlier = readFileSync(path.join(cwd, LAKE));
    writeLines(cwd, 'sessions.jsonl', calls.slice(0, calls.length * part));
    writeLines(cwd, 'replay_runs.jsonl', runs.slice(0, runs.length * part));
    await answerOf(['alarm']);
  }
  whole = readFileSync(path.join(cwd, LAKE));
  seal = readFileSync(path.join(cwd, `${LAKE}.seal`));
  answers = [];
  for (const question of QUESTIONS) answers.push((await answerOf(question))!);
  expect(answers.every((answer) => answer !== null && answer.length > 200)).toBe(true);
});

/** Puts a lake in place of the one that is there. */
function put(bytes: Buffer, beside: Buffer | null = seal): void {
  writeFileSync(path.join(cwd, LAKE), bytes);
  for (const end of ['.wal', '.seal']) rmSync(path.join(cwd, LAKE + end), { force: true });
  if (beside !== null) writeFileSync(path.join(cwd, `${LAKE}.seal`), beside);
}

/** With which seal, and which questions by their numbers. */
type HowAsked = [beside: Buffer | null, asks?: (question: number) => boolean];

/** Each question says that the lake is damaged, or what it said before. @returns how many of them said so. */
async function noticedOrHarmless(bytes: Buffer, ...[beside, asks = () => true]: HowAsked): Promise<number> {
  put(bytes, beside);
  let noticed = 0;
  for (const [i, question] of QUESTIONS.entries()) {
    if (!asks(i)) continue;
    const answer = await answerOf(question);
    if (answer === null) noticed++;
    else expect(answer, question[0]).toBe(answers[i]);
  }
  return noticed;
}

/** All questions at night, by day a third of them by turns. */
const some = (n: number) => [(question: number) => nightly || question % 3 === n % 3] as const;
const countOf = (asks: (question: number) => boolean) => QUESTIONS.filter((_, i) => asks(i)).length;

const blocksOf = (lake: Buffer) => Math.floor((lake.length - HEADS) / BLOCK);
const at = (block: number) => HEADS + BLOCK * block;
const blockOf = (lake: Buffer, n: number) => lake.subarray(at(n), at(n + 1));

describe('a lake whose bytes are not what was written', () => {
  test('one bit, anywhere: it is noticed, or no answer is another', async () => {
    const random = fc.sample(fc.tuple(fc.nat(whole.length - 1), fc.nat(7)), { numRuns: PLACES });
    let noticed = 0;
    for (const [n, [at, bit]] of random.entries()) {
      noticed += Number((await flip(at, bit, n % 4 === 0 ? seal : null, ...some(n))) > 0);
    }
    expect(noticed).toBeGreaterThan(PLACES / 4);
  });

  test('in the heads of the file, every question notices', async () => {
    // What it is and of which version; a checksum, and the place of the tables, of the head that counts.
    for (const at of [8, 11, 12]) expect(await flip(at, 0, seal, ...some(at))).toBe(countOf(...some(at)));
    const heads = [4_096 + 9, 8_192 + 9];
    const noticed = [];
    for (const at of heads) noticed.push(await flip(at, 3, seal, ...some(1)));
    expect(Math.max(...noticed)).toBe(countOf(...some(1)));
  });

  async function flip(at: number, bit: number, ...how: HowAsked): Promise<number> {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1 << bit;
    try {
      return await noticedOrHarmless(bytes, ...how);
    } catch (error) {
      (error as Error).message = `bit ${bit} of byte ${at}: ${(error as Error).message}`;
      throw error;
    }
  }

  test('cut anywhere, or with a block of zeros in it', async () => {
    for (const [n] of fc.sample(fc.tuple(fc.nat(blocksOf(whole) - 2)), { numRuns: nightly ? 40 : 4 })) {
      const zeros = Buffer.from(whole);
      zeros.fill(0, at(n), at(n + 1));
      await noticedOrHarmless(zeros, null, ...some(n));
      await noticedOrHarmless(whole.subarray(0, at(n) + 1_000), null, ...some(n + 1));
    }
    for (const [n, length] of [20, 100, 4_096, HEADS].entries()) {
      const beside = length === 20 ? seal : null;
      const noticed = await noticedOrHarmless(whole.subarray(0, length), beside, ...some(n));
      expect(noticed, `${length} bytes`).toBe(countOf(...some(n)));
    }
  });

  const ASKED = [['alarm'], ['first-shot-rate'], ['lake', 'verify']];
  let said: (string | null)[] = [];
  async function undisturbed() {
    if (said.length > 0) return said;
    put(whole);
    said = await Promise.all(ASKED.map((question) => answerOf(question, binary)));
    return said;
  }

  /** Each block of them carries its right checksum; what the engine makes of them may end its process. */
  const displaced: Record<string, (bytes: Buffer, a: number, b: number) => void> = {
    'two blocks that changed places': (bytes, a, b) => {
      bytes.set(blockOf(whole, a), at(b));
      bytes.set(blockOf(whole, b), at(a));
    },
    'a block that stands twice': (bytes, a, b) => bytes.set(blockOf(whole, a), at(b)),
    'a block of an earlier time': (bytes, a) =>
      bytes.set(blockOf(earlier, a % blocksOf(earlier)), at(a % blocksOf(earlier))),
  };

  test.each(Object.entries(displaced))('%s', async (_, displace) => {
    const said = await undisturbed();
    const places = fc.nat(blocksOf(whole) - 1);
    let noticed = 0;
    const pairs = fc.sample(fc.tuple(places, places), { numRuns: tries(ASKED.length, 100) });
    for (const [i, [a, b]] of pairs.entries()) {
      const bytes = Buffer.from(whole);
      displace(bytes, a, b);
      put(bytes);
      for (const [n, question] of ASKED.entries()) {
        if (n !== i % ASKED.length && (!nightly || i % 5 > 0)) continue;
        const answer = await answerOf(question, binary);
        const where = `${question.join(' ')}, blocks ${a} and ${b}`;
        if (answer === null) noticed++;
        else expect(answer, where).toBe(said[n]);
      }
    }
    expect(noticed).toBeGreaterThan(0);
  });

  test('a seal that is damaged, of another state or nowhere accuses no lake', async () => {
    const bent = Buffer.from(seal);
    bent[40]! ^= 1;
    // By day none stands beside it where a bit is another one, above.
    for (const beside of byDay([bent, null, seal.subarray(0, 100), Buffer.alloc(0)], 2)) {
      put(whole, beside);
      expect(await answerOf(['alarm'])).toBe(answers[0]);
    }
    // A copy of before that somebody put back.
    put(earlier);
    expect(foundIn(await answerOf(['alarm']))).toEqual(foundIn(answers[0]!));
  });

  test('is made anew with --rebuild, and the old one stays beside it', async () => {
    const bytes = Buffer.from(whole);
    bytes.fill(7, at(0), at(1));
    const all = [bytes, whole.subarray(0, 5_000), whole];
    for (const [n, damaged] of all.slice(0, nightly ? 3 : 2).entries()) {
      put(damaged);
      const ran = await lakelog(
        ['sync', '--rebuild', '--lake', LAKE, 'sessions.jsonl', 'replay_runs.jsonl'],
        {
          cwd,
        },
      );
      expect(ran.code, ran.stderr).toBe(0);
      expect(
        readFileSync(path.join(cwd, `${LAKE}.damaged${n === 0 ? '' : `-${n + 1}`}`)).equals(damaged),
      ).toBe(true);
      for (const [i, question] of QUESTIONS.entries())
        if (nightly || i % 3 === n)
          expect(foundIn(await answerOf(question)), question[0]).toEqual(foundIn(answers[i]!));
    }
  });
});

/** What was found of the logs, in however many goes. */
function foundIn(answer: string | null) {
  const [code, { verdict, rows, receipt }] = JSON.parse(answer ?? '[null, {}]') as [number, Envelope];
  const { totals, calls_loaded, replay_runs_loaded } = receipt;
  return { code, verdict, rows, totals, calls_loaded, replay_runs_loaded };
}
