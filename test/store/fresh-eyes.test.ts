/** What fresh eyes found in lakes, each with the answer that it should have had. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openLake } from '../../src/lake/lake.js';
import { call, type Envelope, exceptByDay, newFolder, nightly, writeLines } from '../support/cli.js';
import { runOptions } from '../support/lake.js';
import { lakelog } from '../support/program.js';

const LAKE = ['--lake', 'l.db'];
const calls = (count: number) => Array.from({ length: count }, () => call());
const violation = () => call({ grounded_in_roster: false });

function folder() {
  const cwd = newFolder();
  const at = (name: string) => path.join(cwd, name);
  const run = (...args: string[]) => lakelog(args, { cwd });
  const codesOf = async (...args: string[]) => {
    const { verdict } = JSON.parse((await run('alarm', '--json', ...LAKE, ...args)).stdout) as Envelope;
    return verdict!.cannot_vouch.map(({ code }) => code);
  };
  return { cwd, at, run, codesOf };
}

test('a receipt is of its own log where two logs have one head', async () => {
  const { cwd, at, run } = folder();
  writeLines(cwd, 'a.jsonl', calls(5));
  copyFileSync(at('a.jsonl'), at('b.jsonl'));
  expect((await run('alarm', '-q', ...LAKE, 'a.jsonl', 'b.jsonl', '-o', 'r.json')).code).toBe(0);
  expect((await run('lake', 'verify', ...LAKE, '--receipt', 'r.json')).code).toBe(0);
  writeFileSync(at('b.jsonl'), readFileSync(at('b.jsonl'), 'utf8').replace('true', 'null'));
  expect((await run('lake', 'verify', ...LAKE, '--receipt', 'r.json')).code).toBe(3);
});

test('a receipt is of its last line too, before that has its end', async () => {
  const { cwd, at, run } = folder();
  writeLines(cwd, 'a.jsonl', calls(5));
  const whole = readFileSync(at('a.jsonl'), 'utf8');
  const last = call();
  appendFileSync(at('a.jsonl'), last);
  expect((await run('alarm', '-q', ...LAKE, 'a.jsonl', '-o', 'r.json')).code).toBe(0);
  expect((await run('lake', 'verify', ...LAKE, '--receipt', 'r.json')).code).toBe(0);
  writeFileSync(at('a.jsonl'), whole + last.replace('true', 'null'));
  expect((await run('lake', 'verify', ...LAKE, '--receipt', 'r.json')).code).toBe(3);
});

test.skipIf(!nightly)('a receipt may count a log that was just rotated and is empty', async () => {
  const { cwd, at, run } = folder();
  writeLines(cwd, 'a.jsonl', calls(5));
  writeFileSync(at('b.jsonl'), '');
  expect((await run('alarm', '-q', ...LAKE, 'a.jsonl', 'b.jsonl', '-o', 'r.json')).code).toBe(0);
  expect((await run('lake', 'verify', ...LAKE, '--receipt', 'r.json')).code).toBe(0);
});

test('a lake that is made anew looks for the logs that it knew, and loses no older one', async () => {
  const { cwd, at, run } = folder();
  writeLines(cwd, 's.jsonl', calls(3));
  await run('sync', ...LAKE, 's.jsonl');
  for (const put of ['l.db.damaged', 'l.db.damaged-2']) {
    expect((await run('sync', ...LAKE, '--rebuild')).code).toBe(0);
    expect(existsSync(at(put))).toBe(true);
  }
  expect((await run('query', 'SELECT count(*) AS n FROM sessions', ...LAKE, '--format', 'csv')).stdout).toBe(
    'n\n3\n',
  );
});

test('what was seen behind the last line end is missed, wherever the rest stands', async () => {
  const { cwd, at, codesOf, run } = folder();
  writeLines(cwd, 's.jsonl', calls(5));
  copyFileSync(at('s.jsonl'), at('s.jsonl.1'));
  appendFileSync(at('s.jsonl'), violation());
  expect((await run('alarm', '-q', ...LAKE, 's.jsonl')).code).toBe(1);
  truncateSync(at('s.jsonl'));
  appendFileSync(at('s.jsonl'), `${calls(3).join('\n')}\n`);
  expect(await codesOf('s.jsonl')).toEqual(['changed_input']);
});

test('an edit that keeps the size, in the middle of a log, is found when the log was touched', async () => {
  const { cwd, at, run } = folder();
  writeLines(cwd, 'a.jsonl', calls(60));
  expect((await run('alarm', '-q', ...LAKE, 'a.jsonl')).code).toBe(0);
  const lines = readFileSync(at('a.jsonl'), 'utf8').split('\n');
  lines[30] = lines[30]!.replace('"grounded_in_roster":true', '"grounded_in_roster":null');
  writeFileSync(at('a.jsonl'), lines.join('\n'));
  const later = new Date(Date.now() + 5_000);
  utimesSync(at('a.jsonl'), later, later);
  expect((await run('alarm', '-q', ...LAKE)).code).toBe(3);
});

test('known logs that were not looked at keep a gate from vouching, and match no other request', async () => {
  const { cwd, at, codesOf } = folder();
  writeLines(cwd, 'd/a.jsonl', calls(5));
  writeLines(cwd, 'd/bx.jsonl', calls(5));
  expect(await codesOf('d/a.jsonl', 'd/b*.jsonl')).toEqual([]);
  appendFileSync(at('d/bx.jsonl'), `${violation()}\n`);
  expect(await codesOf('d/a.jsonl')).toEqual(['not_looked_at']);
  expect(await codesOf('d/a.jsonl', '--max-age', '9999d')).toEqual([]);
});

test.skipIf(!nightly)('what decides how lines are judged stays as it was', async () => {
  const { cwd, run } = folder();
  writeLines(cwd, 's.jsonl', calls(3));
  await run('sync', ...LAKE, 's.jsonl');
  const limit = await run('alarm', ...LAKE, 's.jsonl', '--max-line-bytes', '1000');
  expect(limit.code).toBe(2);
  expect(limit.stderr).toContain('--max-line-bytes 16777216');
  const kind = await run('alarm', ...LAKE, '--replay-runs', 's.jsonl');
  expect(kind.code).toBe(2);
  expect(kind.stderr).toContain('named as replay_runs');
});

test.skipIf(!nightly)(
  'a log that is gone is told by itself, and not as an input that nobody named',
  async () => {
    const { cwd, at, codesOf } = folder();
    writeLines(cwd, 'sessions.jsonl', calls(3));
    await codesOf('sessions.jsonl');
    rmSync(at('sessions.jsonl'));
    expect(await codesOf()).toEqual(['changed_input']);
  },
);

test('a log whose number an archive that is being made has by now is missed', async () => {
  const { cwd, at, codesOf } = folder();
  writeLines(cwd, 'a.jsonl', calls(2));
  appendFileSync(at('a.jsonl'), call().slice(0, 50));
  await codesOf('a.jsonl');
  // As if the file system had given the number of the deleted log to the archive.
  renameSync(at('a.jsonl'), at('a.jsonl.gz'));
  writeFileSync(at('a.jsonl.gz'), gzipSync(calls(2).join('\n')).subarray(0, 40));
  writeLines(cwd, 'a.jsonl', calls(2));
  expect(await codesOf('a.jsonl')).toEqual(['changed_input']);
});

test('an archive that ends inside a line, and is touched, stays the log that it was: another that begins alike is read from its first byte', async () => {
  const { at, run } = folder();
  const torn = call({ session_id: '0'.repeat(32) }).slice(0, 54);
  writeFileSync(at('a.jsonl'), '');
  writeFileSync(at('z.jsonl.gz'), gzipSync(torn));
  const filesOf = async () => {
    const { receipt } = JSON.parse((await run('alarm', '--json', ...LAKE, '.')).stdout) as Envelope;
    return receipt.files
      .filter(({ bytes }) => bytes > 0)
      .map(({ file, lines, loaded, rejected }) => `${file} ${lines} ${loaded} ${rejected}`)
      .sort();
  };
  expect(await filesOf()).toEqual(['z.jsonl.gz 1 0 1']);
  const alike = ['0', '1'].map((end) => call({ session_id: end.padStart(32, '0') }));
  writeFileSync(at('a.jsonl'), `${alike.join('\n')}\n`);
  const later = new Date(Date.now() - 7_200_000);
  utimesSync(at('z.jsonl.gz'), later, later);
  expect(await filesOf()).toEqual(['a.jsonl 2 2 0', 'z.jsonl.gz 1 0 1']);
  // It is gone, and what begins alike is no more it than before.
  rmSync(at('z.jsonl.gz'));
  writeFileSync(at('b.jsonl'), `${call({ session_id: '2'.padStart(32, '0') })}\n`);
  expect((await filesOf()).filter((file) => file.startsWith('b'))).toEqual(['b.jsonl 1 1 0']);
});

describe('a log that its writer goes on with, beside a copy of it, and that is deleted before the next look', () => {
  type Change = (log: string, copy: string) => void;
  const nothing: Change = () => {};
  const compress: Change = (_, copy) => {
    writeFileSync(`${copy}.gz`, gzipSync(readFileSync(copy)));
    rmSync(copy);
  };
  const longer: Change = (log, copy) => writeFileSync(copy, `${readFileSync(log, 'utf8')}${call()}\n`);
  const shorter: Change = (log, copy) => {
    copyFileSync(log, copy);
    truncateSync(copy, readFileSync(copy, 'utf8').indexOf('\n') + 1);
  };
  const deleted: Change = (log) => rmSync(log);

  const COPIES: [string, Change, Change, Change, string[]][] = [
    ['is missed where a look saw the copy', copyFileSync, nothing, deleted, ['changed_input']],
    ['and one that was longer', longer, nothing, deleted, ['changed_input']],
    ['and one that is compressed since', copyFileSync, compress, deleted, ['changed_input']],
    [
      'and one that is renamed since',
      copyFileSync,
      (_, copy) => renameSync(copy, `${copy}.1`),
      deleted,
      ['changed_input'],
    ],
    // What no look can tell from a move to another device, which docs/LAKE.md tells.
    ['is taken for moved where the copy is new', nothing, copyFileSync, deleted, []],
    ['and where it was being made', shorter, copyFileSync, deleted, []],
    // copytruncate, seen in its midst.
    ['is cut as copytruncate does', copyFileSync, nothing, (log) => truncateSync(log), []],
  ];

  test.each(
    exceptByDay(COPIES, [
      'and one that was longer',
      'and one that is renamed since',
      'and where it was being made',
    ]),
  )('%s', async (_, before, since, end, codes) => {
    const { cwd, at, codesOf } = folder();
    const [log, copy] = [at('logs/a.jsonl'), at('logs/b.jsonl')];
    writeLines(cwd, 'logs/a.jsonl', calls(3));
    before(log, copy);
    expect(await codesOf('logs')).toEqual([]);
    since(log, copy);
    appendFileSync(log, `${violation()}\n`);
    end(log, copy);
    expect(await codesOf('logs')).toEqual(codes);
  });
});

describe('an archive of a log that goes on in it, and a run that ends before it is read', () => {
  async function stopped() {
    const made = folder();
    const { cwd, at, run } = made;
    writeLines(cwd, 'logs/a.jsonl', calls(3));
    expect((await run('alarm', '-q', ...LAKE, 'logs')).code).toBe(0);
    appendFileSync(at('logs/a.jsonl'), `${violation()}\n`);
    writeFileSync(at('logs/a.jsonl.1.gz'), gzipSync(readFileSync(at('logs/a.jsonl'))));
    rmSync(at('logs/a.jsonl'));
    const lake = await openLake({
      ...runOptions({ cwd }),
      ...{ asks: ['SELECT 1'], gatedKinds: ['fill'], params: {} },
      lake: { name: at('l.db'), lockTimeoutS: 1, sync: true, keepContent: false, rebuild: false },
      onProgress: () => {
        throw new Error('killed');
      },
    });
    await expect(lake.load([{ path: 'logs', as: 'any' }]).finally(() => lake.close())).rejects.toThrow(
      'killed',
    );
    return made;
  }

  test.skipIf(!nightly)('is read by the next', async () => {
    const { run } = await stopped();
    expect((await run('alarm', '-q', ...LAKE)).code).toBe(1);
  });

  test('is missed where it is gone by then', async () => {
    const { at, codesOf } = await stopped();
    rmSync(at('logs/a.jsonl.1.gz'));
    expect(await codesOf()).toContain('changed_input');
  });
});
