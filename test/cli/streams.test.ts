import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, command, type Envelope, newFolder, nightly, root, start } from '../support/cli.js';

const FIXTURES = path.join(root, 'fixtures');

describe('50 MB of output', () => {
  const BAD = nightly ? 1_000_000 : 150_000;
  // A long name makes long rows, so that fewer lines are needed.
  const name = path.join('logs-'.repeat(40), `${'sessions-'.repeat(20)}.jsonl`);
  let folder: string;

  beforeAll(() => {
    folder = newFolder();
    mkdirSync(path.join(folder, path.dirname(name)));
    const fd = openSync(path.join(folder, name), 'w');
    writeSync(fd, `${call()}\n`);
    for (let i = 0; i < BAD; i += 10_000) writeSync(fd, '{"a":\n'.repeat(10_000));
    writeSync(fd, `${call()}\n`);
    closeSync(fd);
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
});

/** Runs a shell line in which `lakelog` is the built binary. */
function shell(line: string, env: Record<string, string> = {}) {
  const { file, args, options } = command([], { cwd: FIXTURES, env });
  const script = `set -o pipefail\nlakelog() { '${file}' '${args[0]}' "$@"; }\n${line}`;
  return spawnSync('bash', ['-c', script], { ...options, encoding: 'utf8' });
}

const fullDisk = existsSync('/dev/full');

describe('readers that leave', () => {
  test.each([
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
  ])('%s', (_, line, code) => {
    const ran = shell(line);
    expect(ran.stdout.trimEnd().split('\n').at(-1)).toBe(String(code));
    expect(ran.stderr).not.toMatch(/EPIPE|EBADF|internal error/);
  });

  test.skipIf(!fullDisk)('a full disk under stdout is no success, and no fired gate', () => {
    for (const line of [
      'lakelog alarm healthy/sessions.jsonl --json',
      'lakelog first-shot-rate healthy --format csv',
      'lakelog schema',
      'lakelog --help',
      'lakelog --version',
      'lakelog alarm --help',
    ]) {
      const ran = shell(`${line} > /dev/full`);
      expect.soft(ran.status, line).toBe(2);
      expect.soft(ran.stderr, line).toMatch(/ENOSPC|no space/i);
      expect.soft(ran.stderr, line).toContain('→');
    }
  });

  test.skipIf(!fullDisk)(
    'a full disk under stderr does not make a fired gate look clear or a clear one fired',
    () => {
      expect([1, 2]).toContain(shell('lakelog alarm alarm/sessions.jsonl 2> /dev/full').status);
      expect([0, 2]).toContain(shell('lakelog alarm healthy/sessions.jsonl 2> /dev/full').status);
    },
  );
});
