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
import { exceptByDay, nightly, root } from '../support/cli.js';
import { tempFolder } from '../support/lake.js';
import { lakelog } from '../support/program.js';

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
  // A build takes longer than all else here, where nothing was built before.
  if (language === 'Go' && !nightly) {
    test.skip('its writer is built and run at night', () => {});
    return;
  }
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
    const each = nightly ? 250 : 100;
    const batch = () =>
      Array.from({ length: each }, (_, i) => record({ prompt: 'x'.repeat((i * 397) % 60_000) }));
    const ended = await Promise.all(
      [batch(), batch(), batch(), batch()].map((records) => append(file, records)),
    );
    expect(ended).toEqual(Array(4).fill({ code: 0, stderr: '' }));
    const { code, stdout } = await lakelog(['alarm', '--json', file]);
    const { receipt } = JSON.parse(stdout);
    expect({ code, loaded: receipt.calls_loaded, gaps: receipt.gaps }).toEqual({
      code: 0,
      loaded: 4 * each,
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

  test('makes the folders of its file, each 0700', async () => {
    const folder = tempFolder();
    const file = path.join(folder, 'a/b/c/sessions.jsonl');
    expect(await append(file, [record()], 'umask 022;')).toEqual({ code: 0, stderr: '' });
    for (const made of ['a', 'a/b', 'a/b/c']) {
      expect([made, statSync(path.join(folder, made)).mode & 0o777]).toEqual([made, 0o700]);
    }
    writeFileSync(path.join(folder, 'none'), '');
    expect(await append(path.join(folder, 'none/a/sessions.jsonl'), [record()])).toMatchObject({ code: 1 });
  });

  test('writes no lone surrogate, which readers refuse', async () => {
    const file = newLog();
    const lone = JSON.stringify(record()).replace('"m-1"', '"m-\\ud800"');
    expect((await append(file, [lone, record()])).code).toBe(0);
    const { code, stdout } = await lakelog(['alarm', '--json', file]);
    expect([code, JSON.parse(stdout).receipt.calls_loaded]).toEqual([0, 2]);
  });
});

/** What a forking server, a pool and a signal handler do with the writer in Python. */
describe('the writer in Python, in a process that forks,', () => {
  const installed = spawnSync('python3', ['--version']).status === 0;
  const PREPARE = `
import multiprocessing, os, signal, sys, threading, time
sys.path.insert(0, ${JSON.stringify(path.join(root, 'docs/writers/python'))})
from session_log import SessionLog
# A writer that waits for ever ends the test, in each process.
signal.alarm(20)
os.register_at_fork(after_in_child=lambda: signal.alarm(20))
n = 0
def record():
    global n
    n += 1
    return {"session_id": "%d.%d" % (os.getpid(), n), "kind": "fill", "model": "m", "iterations": 1,
            "final_verdict": "accepted", "attempts": [{"verdict": "accepted"}], "grounded_in_roster": True}
def work(log, count):
    for _ in range(count): log.append(record())
    return log.writer_id
def children(count, target):
    pids = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            try: target()
            finally: os._exit(0)
        pids.append(pid)
    for pid in pids: assert os.waitpid(pid, 0)[1] == 0
path = sys.argv[1]
`;
  const CASES: readonly (readonly [string, string, number, number])[] = [
    [
      'before its first record',
      'log = SessionLog(path); children(3, lambda: work(log, 20)); work(log, 5)',
      65,
      4,
    ],
    [
      'between two records',
      'log = SessionLog(path); work(log, 5); children(3, lambda: work(log, 20)); work(log, 5)',
      70,
      4,
    ],
    [
      'with an id of its own',
      'log = SessionLog(path, "svc"); work(log, 5); children(3, lambda: work(log, 20)); work(log, 5)',
      70,
      4,
    ],
    [
      'while another thread writes',
      `log = SessionLog(path)
threading.Thread(target=work, args=(log, 3000), daemon=False).start()
children(8, lambda: work(log, 5))`,
      3040,
      9,
    ],
    [
      'while another thread holds the lock',
      `log = SessionLog(path); work(log, 1); held = threading.Event(); free = threading.Event()
def hold():
    with log._lock: held.set(); free.wait()
threading.Thread(target=hold).start(); held.wait(); children(2, lambda: work(log, 5)); free.set(); work(log, 1)`,
      12,
      3,
    ],
    [
      'and whose children fork',
      'log = SessionLog(path); work(log, 1); children(2, lambda: (work(log, 2), children(2, lambda: work(log, 3))))',
      17,
      7,
    ],
    [
      'with a file that was rotated meanwhile',
      'log = SessionLog(path); work(log, 1); os.unlink(path); children(2, lambda: work(log, 2)); work(log, 1)',
      5,
      3,
    ],
    [
      'in a signal handler in the midst of a record',
      `log = SessionLog(path); inner = log._write; once = []
def write(line):
    if not once: once.append(1); os.kill(os.getpid(), signal.SIGUSR1)
    inner(line)
log._write = write; signal.signal(signal.SIGUSR1, lambda *a: log.append(record())); work(log, 2)`,
      3,
      1,
    ],
    [
      'by a pool that forks',
      `log = SessionLog(path); work(log, 1)
with multiprocessing.get_context("fork").Pool(3) as pool: pool.starmap(work, [(log, 4)] * 6, 1)`,
      25,
      7,
    ],
    [
      'by processes that are started anew',
      `if __name__ == "__main__":
    log = SessionLog(path, "svc"); work(log, 1)
    all = [multiprocessing.get_context("spawn").Process(target=work, args=(log, 4)) for _ in range(2)]
    [one.start() for one in all]; [one.join() for one in all]`,
      9,
      3,
    ],
  ];

  const others = ['with an id of its own', 'between two records', 'and whose children fork'];
  test.skipIf(!installed).each(exceptByDay(CASES, others))(
    '%s, keeps writers apart and loses nothing',
    async (_, script, records, writers) => {
      const folder = tempFolder();
      const file = path.join(folder, 'sessions.jsonl');
      const program = path.join(folder, 'host.py');
      writeFileSync(program, `${PREPARE}\n${script}\n`);
      const ran = spawnSync('python3', [program, file], { encoding: 'utf8' });
      expect({ status: ran.status, signal: ran.signal, stderr: ran.stderr }).toEqual({
        status: 0,
        signal: null,
        stderr: '',
      });
      const lines = linesOf(file).filter((line) => line !== '');
      const ids = new Set(lines.map((line) => JSON.parse(line).writer_id));
      expect([lines.length, ids.size]).toEqual([records, writers]);
      const { code, stdout } = await lakelog(['alarm', '--json', file]);
      const { receipt } = JSON.parse(stdout);
      expect([code, receipt.calls_loaded, receipt.gaps, receipt.conflicts]).toEqual([0, records, [], 0]);
    },
  );
});

describe('the writer in Python, whose file is moved in the middle of a write', () => {
  const installed = spawnSync('python3', ['--version']).status === 0;
  test.skipIf(!installed)('writes the line again, and not for ever', () => {
    const file = path.join(tempFolder(), 's.jsonl');
    const code = `
import os, sys
sys.path.insert(0, sys.argv[1])
import session_log
log = session_log.SessionLog(sys.argv[2])
write, moves = os.write, 0
def moved(fd, data):
    global moves
    if moves < int(sys.argv[3]):
        moves += 1
        os.rename(sys.argv[2], "%s.%d" % (sys.argv[2], moves))
    return write(fd, data)
os.write = moved
log.append({"session_id": "a"})
log.append({"session_id": "b"})
print(moves, log.written, log.dropped)`;
    const run = (target: string, times: string) =>
      spawnSync('python3', ['-B', '-c', code, path.join(root, 'docs/writers/python'), target, times], {
        encoding: 'utf8',
      }).stdout.trim();
    expect(run(file, '1')).toBe('1 2 0');
    const ids = (name: string) => linesOf(name).map((line) => JSON.parse(line).session_id);
    expect([ids(`${file}.1`), ids(file)]).toEqual([['a'], ['a', 'b']]);
    expect(linesOf(`${file}.1`)[0]).toBe(linesOf(file)[0]);
    expect(run(path.join(tempFolder(), 's.jsonl'), '100')).toBe('6 2 0');
  });
});
