import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/schema/result.js';
import { acksIn } from '../support/acks.js';
import { byDay, call, envelope, newFolder, nightly, lakelog as spawned, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const numbered = (writer_id: string, ...numbers: number[]) => numbers.map((seq) => call({ writer_id, seq }));

function logs(...lines: readonly string[]): string {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', lines);
  return cwd;
}

const ack = (cwd: string, target: string, ...args: readonly string[]) =>
  lakelog(['ack', target, '--reason', 'the disk was full', '--author', 'ops', ...args], { cwd });

async function gaps(cwd: string) {
  const { verdict, receipt } = envelope(await lakelog(['alarm', '--json'], { cwd }));
  const told = verdict!.notices.filter(({ code }) => code === 'gaps').map(({ message }) => message);
  return { told, acknowledged: (receipt as unknown as Receipt).acknowledged!.missing, gaps: receipt.gaps };
}

describe('missing numbers of a writer', () => {
  test('are settled hole by hole, listed, and open again once that is taken out', async () => {
    const cwd = logs(...numbered('w-1', 1, 4, 6, 7), ...numbered('w-2', 1, 3));
    expect(await gaps(cwd)).toMatchObject({
      told: [expect.any(String), expect.any(String)],
      acknowledged: 0,
    });
    const ran = await ack(cwd, 'w-1:2-5');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('settled: seq 2 to 3 missing from writer "w-1"');
    expect(acksIn(cwd)).toMatchObject([
      { what: 'hole', writer_id: 'w-1', from_seq: 2, to_seq: 3, file: 'sessions.jsonl', line: 2 },
      { what: 'hole', writer_id: 'w-1', from_seq: 5, to_seq: 5, file: 'sessions.jsonl', line: 3 },
    ]);
    expect(await gaps(cwd)).toMatchObject({
      told: [expect.stringMatching(/^1 record of writer "w-2" is missing .+: 2$/)],
      acknowledged: 3,
      // Whatever is acknowledged is told all the same.
      gaps: [{ writer_id: 'w-1', missing: 3 }, { writer_id: 'w-2' }],
    });
    const list = await lakelog(['ack', 'list'], { cwd });
    expect(list.stdout).toContain('1  holds: seq 2 to 3 missing from writer "w-1"\n   at sessions.jsonl:2\n');
    const removed = await lakelog(['ack', 'rm', 'w-1:2-5'], { cwd });
    expect(removed.stdout).toContain('taken out: 2, seq 5 missing from writer "w-1"');
    expect(acksIn(cwd)).toEqual([]);
  });

  test('that turn up make their acknowledgement one that matches nothing, and prune takes it out', async () => {
    const cwd = logs(...numbered('w-1', 1, 4));
    await ack(cwd, 'w-1:2-3');
    writeLines(cwd, 'sessions.jsonl', numbered('w-1', 1, 2, 3, 4));
    const { notices } = envelope(await lakelog(['alarm', '--json'], { cwd })).verdict!;
    expect(notices).toMatchObject([
      {
        code: 'acknowledgements',
        message: expect.stringContaining('matches nothing (the records turned up'),
      },
    ]);
    expect((await lakelog(['ack', 'prune'], { cwd })).code).toBe(0);
    expect(acksIn(cwd)).toEqual([]);
  });

  test('in part leave the rest open', async () => {
    const cwd = logs(...numbered('w-1', 1, 9));
    expect((await ack(cwd, 'w-1:3-4')).code).toBe(0);
    expect((await gaps(cwd)).told).toEqual([expect.stringMatching(/: 2, 5 to 8$/)]);
  });

  test('of a writer with the name of a file and a line, and of one that no terminal shows', async () => {
    const names = ['sessions.jsonl:1', 'a\x1b[31m', '-x', ''];
    const cwd = logs(...names.flatMap((name) => numbered(name, 1, 3)));
    for (const name of names) {
      const ran = await lakelog(
        ['ack', '--reason', 'r', '--author', 'ops', '--', `${name === names[1] ? 'a\\x1b[31m' : name}:2-2`],
        { cwd },
      );
      expect(ran.code, ran.stderr).toBe(0);
    }
    expect((await gaps(cwd)).told).toEqual([]);
  });

  const REFUSED: readonly [string, string, string][] = [
    ['where nothing is missing', 'w-1:1-1', 'no number from 1 to 1 is missing from writer "w-1"'],
    [
      'of a writer without holes',
      'w-2:2-2',
      'no loaded call, no line that was rejected and no hole of a writer',
    ],
    ['backwards', 'w-1:3-2', 'no number from 3 to 2 is missing'],
  ];
  test.each(byDay(REFUSED, 2))('%s are refused', async (_, target, message) => {
    const cwd = logs(...numbered('w-1', 1, 4), ...numbered('w-2', 1, 2));
    const ran = await ack(cwd, target);
    expect(ran.code).toBe(2);
    expect(ran.stderr.replace(/\s+/g, ' ')).toContain(message);
    expect(acksIn(cwd)).toEqual([]);
  });

  test('that a call is called like are ambiguous', async () => {
    const cwd = logs(...numbered('w-1', 1, 4), call({ call_id: 'w-1:2-3' }));
    const ran = await ack(cwd, 'w-1:2-3');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('names a call and missing numbers of a writer');
  });

  test("are not settled by --baseline without a lake, where they are in nobody's way", async () => {
    const cwd = logs(...numbered('w-1', 1, 4));
    const ran = await lakelog(['ack', '--baseline', '--reason', 'r', '--author', 'ops'], { cwd });
    expect(ran.stdout).toContain('nothing to settle');
  });

  test('the built program settles them', async () => {
    const cwd = logs(...numbered('w-1', 1, 4));
    const ran = await spawned(['ack', 'w-1:2-3', '--reason', 'r', '--author', 'ops'], { cwd });
    expect(ran.code, ran.stderr).toBe(0);
    const after = await (nightly ? spawned : lakelog)(['alarm'], { cwd });
    expect(after.code).toBe(0);
    expect(after.stderr).toContain('acked     2 acknowledged: 2 missing records (lakelog-acks.jsonl)');
  });
});

const SPOILT: readonly [string, object][] = [
  ['backwards', { from_seq: 5, to_seq: 4 }],
  ['without a writer', { writer_id: null }],
  ['from 0', { from_seq: 0 }],
];

test.each(byDay(SPOILT, 2))(
  'an acknowledgement of numbers %s is refused with its line',
  async (_, changes) => {
    const cwd = logs(...numbered('w-1', 1, 4));
    await ack(cwd, 'w-1:2-3');
    const [written] = acksIn(cwd);
    writeLines(cwd, 'lakelog-acks.jsonl', [JSON.stringify({ ...(written as object), ...changes })]);
    const ran = await lakelog(['alarm'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('lakelog-acks.jsonl:1');
  },
);
