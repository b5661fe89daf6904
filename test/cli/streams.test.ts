import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { byDay, call, type Envelope, newFolder, nightly, root, start, writeLines } from '../support/cli.js';
import { inShell } from '../support/terminal.js';

const FIXTURES = path.join(root, 'fixtures');

describe('50 MB of output', () => {
  // By night as much as still fits into one string of V8.
  const BAD = nightly ? 700_000 : 40_000;
  // A long name makes long rows, so that fewer lines are needed.
  const above = Array.from({ length: nightly ? 1 : 5 }, () => 'logs-'.repeat(45));
  const name = path.join(...above, `${'sessions-'.repeat(20)}.jsonl`);
  const holding = (bad: number) => {
    const folder = newFolder();
    mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
    const fd = openSync(path.join(folder, name), 'w');
    writeSync(fd, `${call()}\n`);
    for (let i = 0; i < bad; i += 10_000) writeSync(fd, '{"a":\n'.repeat(10_000));
    writeSync(fd, `${call()}\n`);
    closeSync(fd);
    return folder;
  };
  let folder: string;

  beforeAll(() => {
    folder = holding(BAD);
  });

  test('a slow reader gets every byte', async () => {
    const child = start(['validate', name, '--json'], { cwd: folder });
    const err: Buffer[] = [];
    child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
    const decoder = new StringDecoder('utf8');
    const texts: string[] = [];
    let bytes = 0;
    const reading = (async () => {
      // `readable` and read(n), because a flowing stream would take all at once.
      for (;;) {
        const chunk = child.stdout!.read(65_536) ?? (child.stdout!.read() as Buffer | null);
        if (chunk === null) {
          if (child.stdout!.readableEnded) return;
          await new Promise((resolve) => {
            child.stdout!.once('readable', resolve);
            child.stdout!.once('end', resolve);
          });
          continue;
        }
        bytes += chunk.length;
        texts.push(decoder.write(chunk));
        await sleep(2);
      }
    })();
    const code = await new Promise((resolve) => child.on('close', resolve));
    await reading;
    expect(code, Buffer.concat(err).toString()).toBe(3);
    expect(bytes).toBeGreaterThan(50e6);
    const { rows, receipt } = JSON.parse(texts.join('')) as Envelope;
    expect(rows).toHaveLength(BAD);
    expect(rows.at(-1)).toMatchObject({ line: BAD + 1, reason: 'bad_json' });
    expect(receipt.totals.rejected).toBe(BAD);
  });

  test('a reader that takes the first line and leaves: the exit code of the full run, no word about the pipe', async () => {
    const child = start(['validate', name, '--format', 'jsonl'], { cwd: folder });
    const err: Buffer[] = [];
    child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
    let first = '';
    child.stdout!.once('data', (chunk: Buffer) => {
      child.stdout!.destroy();
      first = chunk.toString().split('\n')[0]!;
    });
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.on('close', (code, signal) => resolve([code, signal])),
    );
    expect({ code, signal }, Buffer.concat(err).toString()).toEqual({ code: 3, signal: null });
    expect(JSON.parse(first)).toMatchObject({ line: 2, reason: 'bad_json' });
    expect(Buffer.concat(err).toString()).not.toMatch(/EPIPE|internal error|^ +at /m);
    expect(readdirSync(child.tmp)).toEqual([]);
  });

  test.each(byDay(['SIGTERM', 'SIGINT', 'SIGHUP'] as const, 3))(
    '%s ends it while nobody reads',
    async (signal) => {
      // Many times what a pipe holds.
      const child = start(['validate', name, '--json'], { cwd: holding(nightly ? BAD : 10_000) });
      // Some of it was taken, and the rest waits.
      await new Promise((resolve) => child.stdout!.once('readable', resolve));
      child.kill(signal);
      expect(await new Promise((resolve) => child.once('exit', (...how) => resolve(how)))).toEqual([
        null,
        signal,
      ]);
    },
  );
});

const shell = (line: string) => inShell(`set -o pipefail\n${line}`, { cwd: FIXTURES });

const fullDisk = existsSync('/dev/full');

type Leaves = readonly [name: string, line: string, code: number];
/** By day all that must not be taken for 0, and each kind of stream of what is 0. */
const leavesByDay = ([name, , code]: Leaves) => code !== 0 || ['alarm, clear', 'help'].includes(name);

describe('readers that leave', () => {
  const all: readonly Leaves[] = [
    ['alarm', 'lakelog alarm alarm/sessions.jsonl | head -1; echo "$?"', 1],
    ['alarm, clear', 'lakelog alarm healthy/sessions.jsonl --json | true; echo "$?"', 0],
    ['first-shot-rate', 'lakelog first-shot-rate healthy | true; echo "$?"', 0],
    ['schema', 'lakelog schema | head -1; echo "$?"', 0],
    ['help', 'lakelog --help | head -1; echo "$?"', 0],
    ['version', 'lakelog --version | true; echo "$?"', 0],
    ['stderr', 'lakelog alarm healthy/sessions.jsonl 2>&1 >/dev/null | true; echo "$?"', 0],
    [
      'stderr of a gate that fired',
      'lakelog alarm alarm/sessions.jsonl 2>&1 >/dev/null | true; echo "$?"',
      1,
    ],
    ['both', 'lakelog alarm empty 2>&1 | true; echo "$?"', 3],
    ['closed stdout', 'lakelog alarm alarm/sessions.jsonl >&-; echo "$?"', 1],
    ['closed stderr', 'lakelog alarm healthy/sessions.jsonl 2>&-; echo "$?"', 0],
    ['everything closed', 'lakelog alarm empty <&- >&- 2>&-; echo "$?"', 3],
  ];
  test.each(all.filter((one) => nightly || leavesByDay(one)))('%s', (_, line, code) => {
    const ran = shell(line);
    expect(ran.stdout.trimEnd().split('\n').at(-1)).toBe(String(code));
    expect(ran.stderr).not.toMatch(/EPIPE|EBADF|internal error/);
  });
});

describe('what cannot be written', () => {
  const fired = 'lakelog alarm alarm/sessions.jsonl';
  const clear = 'lakelog alarm healthy/sessions.jsonl';
  const doubtful = 'lakelog alarm empty';

  const all: readonly (readonly [code: number, line: string])[] = [
    [1, `${fired} >/dev/full`],
    [1, `${fired} --json >/dev/full`],
    [1, `${fired} -q --format csv >/dev/full`],
    [1, `${fired} 2>/dev/full`],
    [1, `${fired} >/dev/full 2>/dev/full`],
    [1, `${fired} >/dev/full 2>&-`],
    [1, `${fired} 2>/dev/full | true`],
    [2, `${clear} --json >/dev/full`],
    [2, `${clear} --json >/dev/full 2>&-`],
    [2, `${clear} 2>/dev/full`],
    [2, `${clear} --json >/dev/full 2>/dev/full`],
    [0, `${clear} >/dev/full`],
    [0, `${clear} -q >/dev/full 2>/dev/full`],
    [0, `${clear} -q <&- >&- 2>&-`],
    [2, `${doubtful} --json >/dev/full`],
    [2, `${doubtful} 2>/dev/full`],
    [3, `${doubtful} >&-`],
    [2, 'lakelog first-shot-rate healthy --format csv >/dev/full'],
    [2, 'lakelog validate alarm >/dev/full'],
    [2, 'lakelog query "SELECT 1" healthy >/dev/full'],
    [2, 'lakelog schema >/dev/full'],
    [2, 'lakelog queries >/dev/full'],
    [2, 'lakelog --help >/dev/full'],
    [2, 'lakelog --version >/dev/full'],
    [2, 'lakelog alarm --help >/dev/full'],
    [2, 'lakelog frob >/dev/full 2>/dev/full'],
    [2, 'validatord --help >/dev/full'],
    [2, 'validatord --version >/dev/full'],
    [0, 'validatord --version >&- 2>/dev/full'],
    // What is open, but not for writing.
    [1, `${fired} --json 1<README.md`],
    [2, `${clear} --json 1<README.md`],
    [2, `${clear} --json 1<.`],
    [2, 'lakelog --version 1<.'],
  ];
  // By day some forms of no room and of commands; a clear gate that nobody hears of, always.
  const always = [`${clear} 2>/dev/full`, `${clear} --json >/dev/full`, 'validatord --version >/dev/full'];
  const isByDay = (line: string, i: number) => i % 5 === 0 || always.includes(line);
  const some = all.filter(([, line], i) => nightly || isByDay(line, i));
  test.skipIf(!fullDisk).each(some)('%i: %s', (code, line) => {
    const ran = inShell(`set -o pipefail\n${line}`, { cwd: prepared() });
    expect(ran.code, ran.text).toBe(code);
    expect(ran.text).not.toMatch(/defect|internal error|^ +at .*:\d+:\d+/m);
    if (line.includes('1<')) expect(ran.stderr).toContain('cannot write to standard output: ');
    else if (!/ >\/dev\/full$/.test(line) || code === 0) return;
    else expect(ran.stderr).toMatch(/cannot write to standard output: .*no space left on device/);
    expect(ran.stderr).toContain('→');
  });

  const cut: readonly (readonly [code: number, line: string])[] = [
    [1, `${fired} --json`],
    [2, `${clear} --json`],
    [2, 'lakelog --help'],
    ...(nightly
      ? ([
          [2, 'lakelog schema'],
          [2, 'lakelog alarm --help'],
        ] as const)
      : []),
  ];
  test.each(cut)('%i: %s, when the file takes only its beginning', (code, line) => {
    const cwd = prepared();
    const ran = inShell(`ulimit -f 1; ${line} >answer`, { cwd });
    // Some versions of Node.js are ended by the signal for it.
    if (ran.code === 128 + os.constants.signals.SIGXFSZ) return;
    expect(ran.code, ran.text).toBe(code);
    expect(statSync(path.join(cwd, 'answer')).size).toBeLessThanOrEqual(1024);
    expect(ran.stderr).toMatch(/cannot write to standard output: .*file too large/);
  });

  function prepared(): string {
    const cwd = newFolder();
    for (const name of ['alarm', 'healthy', 'empty']) {
      symlinkSync(path.join(FIXTURES, name), path.join(cwd, name));
    }
    writeLines(cwd, 'README.md', ['This is no log.']);
    return cwd;
  }
});
