import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sessionRecord } from '../../src/schema/records.js';
import { lakelog, root } from '../support/cli.js';
import { tempFolder } from '../support/lake.js';

interface Writer {
  readonly language: string;
  /** Tells whether the language is installed. */
  readonly probe: readonly [string, ...string[]];
  /** What to run once; the command that appends its standard input to a file. */
  prepare(folder: string): readonly [string, ...string[]];
}

const go = path.join(root, 'docs/writers/go/sessionlog.go');
const WRITERS: readonly Writer[] = [
  {
    language: 'Python',
    probe: ['python3', '--version'],
    prepare: () => ['python3', path.join(root, 'docs/writers/python/session_log.py')],
  },
  {
    language: 'Go',
    probe: ['go', 'version'],
    prepare(folder) {
      const binary = path.join(folder, 'sessionlog');
      const built = spawnSync('go', ['build', '-o', binary, go], { encoding: 'utf8' });
      if (built.status !== 0) throw new Error(`go build: ${built.stderr}${built.error ?? ''}`);
      return [binary];
    },
  },
];

let sessions = 0;
const record = (changes: Record<string, unknown> = {}) => ({
  session_id: (++sessions).toString(16).padStart(32, '0'),
  kind: 'fill',
  model: 'm-1',
  iterations: 1,
  final_verdict: 'accepted',
  attempts: [{ verdict: 'accepted' }],
  grounded_in_roster: true,
  ...changes,
});

const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n').slice(0, -1);

describe.each(WRITERS)('the writer in $language', ({ language, probe, prepare }) => {
  const [program, ...args] = probe;
  const installed = spawnSync(program, args).status === 0;
  if (!installed) {
    test.skip(`${language} is not installed here: its writer was not run`, () => {});
    return;
  }

  let command: readonly [string, ...string[]];
  beforeAll(() => {
    command = prepare(tempFolder());
  });

  /** Appends the records by one process of the writer. */
  function append(
    file: string,
    records: readonly unknown[],
    before = '',
  ): Promise<{ code: number | null; stderr: string }> {
    const words = [...command, file].map((word) => `'${word}'`).join(' ');
    const child = spawn('bash', ['-c', `${before} exec ${words}`], { stdio: ['pipe', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(
      records.map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`).join(''),
    );
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stderr }));
    });
  }

  const newLog = () => path.join(tempFolder(), 'sessions.jsonl');

  test('writes lines that load and that the alarm vouches for, in a file of mode 600', async () => {
    const file = newLog();
    const content = {
      prompt: 'Übergabe „früh“ \u2028 \u0000 😀',
      artifact: { a: [1.5, null, true] },
      team: 'North',
    };
    expect(
      await append(file, [record(content), record(), record({ kind: 'email', grounded_in_roster: null })]),
    ).toEqual({ code: 0, stderr: '' });
    const records = linesOf(file).map((line) => JSON.parse(line));
    for (const one of records) expect(sessionRecord.safeParse(one).error).toBeUndefined();
    expect(records[0]).toMatchObject(content);
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(new Set(records.map(({ call_id }) => call_id)).size).toBe(3);
    expect(new Set(records.map(({ writer_id }) => writer_id)).size).toBe(1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await lakelog(['alarm', file])).toMatchObject({ code: 0 });
  });

  test('appends from several processes without tearing a line', async () => {
    const file = newLog();
    const batch = () =>
      Array.from({ length: 250 }, (_, i) => record({ prompt: 'x'.repeat((i * 397) % 60_000) }));
    const ended = await Promise.all(
      [batch(), batch(), batch(), batch()].map((records) => append(file, records)),
    );
    expect(ended).toEqual(Array(4).fill({ code: 0, stderr: '' }));
    const { code, stdout } = await lakelog(['alarm', '--json', file]);
    const { receipt } = JSON.parse(stdout);
    expect({ code, loaded: receipt.calls_loaded, gaps: receipt.gaps }).toEqual({
      code: 0,
      loaded: 1000,
      gaps: [],
    });
  });

  test('begins a new line behind one that is torn, and leaves a whole one alone', async () => {
    const file = newLog();
    await append(file, [record()]);
    appendFileSync(file, '{"schema":"session.ite');
    await append(file, [record()]);
    await append(file, [record()]);
    const lines = linesOf(file);
    expect(lines.map((line) => line.endsWith('}'))).toEqual([true, false, true, true]);
    expect(await lakelog(['validate', file])).toMatchObject({ code: 3 });
  });

  test('a file that may grow no more costs the records that did not fit, and the next writer heals it', async () => {
    const file = newLog();
    const records = Array.from({ length: 20 }, () => record({ prompt: 'x'.repeat(1000) }));
    const ended = await append(file, records, 'ulimit -f 8;');
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/^\d+ records dropped: /);
    expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(false);
    expect((await append(file, [record()])).code).toBe(0);
    const whole = linesOf(file).filter((line) => line.endsWith('}'));
    expect(linesOf(file).length - whole.length).toBe(1);
    const dropped = Number(/^\d+/.exec(ended.stderr)![0]);
    expect(whole).toHaveLength(20 - dropped + 1);
    for (const line of whole) JSON.parse(line);
  });

  test('notices a rotation while it is open', async () => {
    const file = newLog();
    const [name, ...rest] = command;
    const child = spawn(name, [...rest, file], { stdio: ['pipe', 'ignore', 'inherit'] });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const written = async (path: string) => {
      while (!(statSync(path, { throwIfNoEntry: false })?.size ?? 0)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    child.stdin.write(`${JSON.stringify(record())}\n`);
    await written(file);
    renameSync(file, `${file}.1`);
    child.stdin.write(`${JSON.stringify(record())}\n`);
    await written(file);
    child.stdin.end();
    expect(await ended).toBe(0);
    expect(
      [linesOf(`${file}.1`), linesOf(file)].map((lines) => lines.map((line) => JSON.parse(line).seq)),
    ).toEqual([[1], [2]]);
  });

  test('follows no link and writes to no folder', async () => {
    const folder = tempFolder();
    const target = path.join(folder, 'target');
    writeFileSync(target, '');
    symlinkSync(target, path.join(folder, 'link'));
    mkdirSync(path.join(folder, 'folder'));
    for (const name of ['link', 'folder']) {
      const { code, stderr } = await append(path.join(folder, name), [record()]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^1 records dropped: /)]);
    }
    expect(readFileSync(target, 'utf8')).toBe('');
  });

  test('writes no lone surrogate, which readers refuse', async () => {
    const file = newLog();
    const lone = JSON.stringify(record()).replace('"m-1"', '"m-\\ud800"');
    expect((await append(file, [lone, record()])).code).toBe(0);
    const { code, stdout } = await lakelog(['alarm', '--json', file]);
    expect([code, JSON.parse(stdout).receipt.calls_loaded]).toEqual([0, 2]);
  });
});
