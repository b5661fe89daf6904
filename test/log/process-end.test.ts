import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionLogger } from '../../src/log/index.js';
import { exceptByDay, nightly } from '../support/cli.js';
import { bundleLogger, call, failure, faultyFs, real, recordsOf, temporaryFolder } from './support.js';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly path: string;
}

const bundles = mkdtempSync(join(tmpdir(), 'lakelog-bundle-'));
beforeAll(async () => {
  await bundleLogger(join(bundles, 'log.mjs'));
});
afterAll(() => rmSync(bundles, { recursive: true }));

/** Runs a host that has `logger`, `call()` and `ready()`; `kill` is sent once it is ready. */
async function host(script: string, kill?: NodeJS.Signals): Promise<Ended> {
  const folder = temporaryFolder();
  const path = join(folder, 'sessions.jsonl');
  copyFileSync(join(bundles, 'log.mjs'), join(folder, 'log.mjs'));
  const file = join(folder, 'host.mjs');
  writeFileSync(
    file,
    `import { SessionLogger } from './log.mjs';
    const path = ${JSON.stringify(path)};
    const call = (prompt) => ({ session_id: 's', kind: 'fill', model: 'm', iterations: 1, final_verdict: 'accepted', prompt });
    const ready = () => process.stdout.write('ready');
    ${script}`,
  );
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (kill && stdout === 'ready') child.kill(kill);
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, path }));
  });
}

const LOGGER = 'const logger = new SessionLogger(path);';
/** 300 records of 1 to 60 KB, about 9 MB: more than one write. */
const MANY = 'for (let i = 0; i < 300; i++) logger.append(call("x".repeat(i * 200)));';
const ALL = Array.from({ length: 300 }, (_, i) => i + 1);

function seqsOf(path: string): unknown[] {
  return recordsOf(path).map((record) => record.seq);
}

describe('what waits is written when the process', () => {
  const ENDS: [string, string, number][] = [
    ['ends by itself', '', 0],
    ['calls process.exit() at once', 'process.exit(7);', 7],
    [
      'calls process.exit() while a write is under way',
      'setImmediate(() => setImmediate(() => process.exit(7)));',
      7,
    ],
    ['calls process.exit() some milliseconds later', 'setTimeout(() => process.exit(7), 3);', 7],
    ['throws', 'throw new Error("host");', 1],
    ['throws later', 'setTimeout(() => { throw new Error("host"); }, 2);', 1],
    ['leaves a rejection unhandled', 'Promise.reject(new Error("host"));', 1],
  ];

  it.each(
    exceptByDay(ENDS, [
      'calls process.exit() some milliseconds later',
      'throws later',
      'leaves a rejection unhandled',
    ]),
  )('%s', async (_, end, code) => {
    const ended = await host(`${LOGGER} ${MANY} ${end}`);
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code, signal: null });
    expect(seqsOf(ended.path)).toEqual(ALL);
  });

  it('logs in its own exit listener', async () => {
    const ended = await host(`${LOGGER} process.on('exit', () => logger.append(call('first')));
      logger.append(call()); process.on('exit', () => { logger.append(call('last')); process.exitCode = 4; });`);
    expect(ended.code).toBe(4);
    expect(recordsOf(ended.path).map((record) => record.prompt)).toEqual([undefined, 'first', 'last']);
  });

  it('waits for a flush at the top level', async () => {
    const ended = await host(`${LOGGER} ${MANY} await logger.flush(); ready();`);
    expect(ended).toMatchObject({ code: 0, stdout: 'ready', stderr: '' });
    expect(seqsOf(ended.path)).toEqual(ALL);
  });
});

it('an idle logger does not keep the process alive', async () => {
  const ended = await host(
    `const logger = new SessionLogger(path, { durability: 'interval' }); logger.append(call()); await logger.flush(); ready();`,
  );
  expect(ended).toMatchObject({ code: 0, stdout: 'ready' });
});

it('what is lost with the process is said', async () => {
  const ended = await host(
    `const logger = new SessionLogger('/dev/null'); logger.append(call()); logger.append(call());`,
  );
  expect(ended.code).toBe(0);
  expect(ended.stderr.trimEnd().split('\n')).toEqual([
    'lakelog: not a regular file: "/dev/null"',
    'lakelog: 2 records lost: not a regular file: "/dev/null"',
  ]);
});

/** What each logger knows of its records; said on stdout, as nothing of it is left behind. */
const SAY =
  'const say = (logger) => process.stdout.write(JSON.stringify([logger.stats().queued, logger.stats().dropped]));';

describe('a record that comes during the end is written', () => {
  const onExit = (code: string) => `process.on('exit', () => { ${code} say(logger); });`;
  const LATE: [string, string, number][] = [
    ['as the first of the process', `${LOGGER} ${onExit('logger.append(call(1));')}`, 1],
    [
      'as the first, after process.exit()',
      `${LOGGER} ${onExit('logger.append(call(1));')} process.exit(3);`,
      1,
    ],
    [
      'as the first, after an exception',
      `${LOGGER} ${onExit('logger.append(call(1));')} throw new Error('host');`,
      1,
    ],
    [
      'as the first, after a rejection',
      `${LOGGER} ${onExit('logger.append(call(1));')} Promise.reject(new Error('host'));`,
      1,
    ],
    [
      'after close()',
      `${LOGGER} logger.append(call(1)); await logger.close(); ${onExit('logger.append(call(2));')}`,
      2,
    ],
    [
      'after close(), in a listener that was there before the logger',
      `let logger; ${onExit('logger.append(call(2));')} logger = new SessionLogger(path); logger.append(call(1)); await logger.close();`,
      2,
    ],
    [
      'while close() is waited for',
      `${LOGGER} logger.append(call(1)); ${onExit('logger.append(call(2));')} logger.close(); process.exit();`,
      2,
    ],
    [
      'by a logger that is made only then',
      `${onExit('const logger = new SessionLogger(path); logger.append(call(1));')}`,
      1,
    ],
    [
      'by two loggers of one file',
      `${LOGGER} ${onExit('logger.append(call(1)); const other = new SessionLogger(path); other.append(call(2)); say(other);')}`,
      2,
    ],
    ['many times', `${LOGGER} ${onExit('for (let i = 0; i < 500; i++) logger.append(call(i));')}`, 500],
    [
      'in a listener that ends the process once more',
      `${LOGGER} ${onExit('logger.append(call(1)); ')} process.on('exit', () => { logger.append(call(2)); process.exit(5); });`,
      2,
    ],
    [
      'in beforeExit, and by what that starts',
      `${LOGGER} process.once('beforeExit', () => { logger.append(call(1)); setTimeout(() => logger.append(call(2))); });`,
      2,
    ],
    [
      'by the listener of an uncaught exception',
      `${LOGGER} process.on('uncaughtException', () => { logger.append(call(1)); process.exit(1); }); throw new Error('host');`,
      1,
    ],
  ];

  it.each(
    exceptByDay(LATE, [
      'as the first, after process.exit()',
      'as the first, after a rejection',
      'after close(), in a listener that was there before the logger',
      'by two loggers of one file',
      'many times',
      'in a listener that ends the process once more',
      'by the listener of an uncaught exception',
    ]),
  )('%s', async (_, script, records) => {
    const ended = await host(`${SAY} ${script}`);
    expect(recordsOf(ended.path)).toHaveLength(records);
    expect(ended.stdout.replaceAll('[0,0]', '')).toBe('');
  });

  it('or is counted and said, when the file cannot be written', async () => {
    const ended = await host(`${SAY} const logger = new SessionLogger('/dev/null');
      process.on('exit', () => { logger.append(call(1)); say(logger); });`);
    expect(ended.stdout).toBe('[0,1]');
    expect(ended.stderr).toMatch(/1 record lost: not a regular file/);
  });
});

/** Runs `code` in a worker thread that has `logger` and `call`, and `main` beside it. */
function inWorker(code: string, main: string, options = '{}', file = 'path'): string {
  const script = `import { SessionLogger } from '\${LOG}'; import { parentPort } from 'node:worker_threads';
    const call = (prompt) => ({ session_id: 's', kind: 'fill', model: 'm', iterations: 1, final_verdict: 'accepted', prompt });
    const logger = new SessionLogger('\${FILE}', ${options}); ${code}`;
  return `import { Worker } from 'node:worker_threads';
    const LOG = new URL('./log.mjs', import.meta.url).href; const FILE = ${file};
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(\`${script}\`)));
    const said = new Promise((resolve) => worker.once('message', resolve)); ${main}`;
}

describe('a worker thread', () => {
  const THREE = 'for (let i = 0; i < 3; i++) logger.append(call(i));';
  const WORKERS: [string, string, string][] = [
    [
      'that is terminated',
      `${THREE} parentPort.postMessage(0); for (;;);`,
      'await said; await worker.terminate();',
    ],
    [
      'whose main thread exits',
      `${THREE} parentPort.postMessage(0); for (;;);`,
      'await said; process.exit();',
    ],
    [
      'that the main thread does not wait for',
      `${THREE} parentPort.postMessage(0); setInterval(() => {}, 1000);`,
      'await said; worker.unref();',
    ],
    [
      'that is terminated after close()',
      `await logger.close(); ${THREE} parentPort.postMessage(0); for (;;);`,
      'await said; await worker.terminate();',
    ],
    [
      'that is terminated while it closes',
      `logger.append(call(0)); logger.close(); logger.append(call(1)); setImmediate(() => { logger.append(call(2)); parentPort.postMessage(0); for (;;); });`,
      'await said; await worker.terminate();',
    ],
    ['that ends by itself', THREE, ''],
    ['that calls process.exit()', `${THREE} process.exit();`, ''],
    [
      'that calls process.exit() and logs in its exit listener',
      `process.on('exit', () => { ${THREE} }); process.exit();`,
      '',
    ],
    ['that throws', `${THREE} throw new Error('worker');`, "worker.on('error', () => {});"],
  ];

  it.each(
    exceptByDay(WORKERS, [
      'that the main thread does not wait for',
      'that is terminated after close()',
      'that ends by itself',
      'that calls process.exit()',
    ]),
  )('%s leaves every record in the file', async (_, code, main) => {
    const ended = await host(inWorker(code, main));
    expect(seqsOf(ended.path)).toEqual([1, 2, 3]);
  });

  it('that cannot write says so before it is gone', async () => {
    const ended = await host(
      inWorker(
        `${THREE} parentPort.postMessage(0); for (;;);`,
        'await said; process.exit();',
        '{}',
        "'/dev/null'",
      ),
    );
    expect(ended.stderr).toContain('not a regular file');
  });
});

/** docs/SESSION_LOG.md, "What can still be lost": each loss, and its two remedies. */
describe('what no library can prevent loses what waits, and nothing with its remedy:', () => {
  const kills = {
    SIGKILL: "process.kill(process.pid, 'SIGKILL'); for (;;);",
    'a signal that is not listened to': "process.kill(process.pid, 'SIGALRM'); for (;;);",
    'process.abort()': 'process.abort();',
    'process.reallyExit()': 'process.reallyExit(0);',
    'memory that is used up': 'const all = []; for (;;) all.push(new Array(1e6).fill(all.length));',
  };
  const node = (script: string) => `if (process.argv[2] !== 'child') {
      const { spawnSync } = await import('node:child_process');
      spawnSync(process.execPath, ['--max-old-space-size=20', import.meta.filename, 'child'], { cwd: new URL('.', import.meta.url), stdio: 'ignore' });
    } else { ${script} }`;
  const written = (path: string) => (existsSync(path) ? recordsOf(path).length : 0);

  it.each(exceptByDay(Object.entries(kills), ['a signal that is not listened to', 'process.reallyExit()']))(
    '%s',
    async (name, kill) => {
      const waiting = await host(node(`${LOGGER} logger.append(call(1)); ${kill}`));
      expect(written(waiting.path)).toBe(0);
      // What is in the file stays there, however the process ends.
      if (!nightly && name !== 'SIGKILL') return;
      const flushed = await host(node(`${LOGGER} logger.append(call(1)); await logger.flush(); ${kill}`));
      const immediate = await host(
        node(`const logger = new SessionLogger(path, { immediate: true }); logger.append(call(1)); ${kill}`),
      );
      expect([flushed, immediate].map(({ path }) => written(path))).toEqual([1, 1]);
    },
  );

  it('a worker thread that is told not to be immediate', async () => {
    const code = 'logger.append(call(1)); parentPort.postMessage(0); for (;;);';
    const ended = await host(inWorker(code, 'await said; await worker.terminate();', '{ immediate: false }'));
    expect(written(ended.path)).toBe(0);
  });

  it('a signal, when signals are not handled', async () => {
    const options = (more: string) =>
      `const logger = new SessionLogger(path, { handleSignals: false${more} });`;
    const stay =
      'logger.append(call(1)); ready(); for (const until = Date.now() + 2000; Date.now() < until;);';
    const waiting = await host(`${options('')} ${stay}`, 'SIGTERM');
    const immediate = await host(`${options(', immediate: true')} ${stay}`, 'SIGTERM');
    expect([waiting, immediate].map(({ path }) => written(path))).toEqual([0, 1]);
  });
});

describe('an immediate logger', () => {
  it('writes each line before append() returns, and leaves what fails to the queue', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let failing = false;
    let tries = 0;
    const fs = faultyFs({
      write: (fd, buffer, offset, length) => {
        tries++;
        if (failing) throw failure('EIO');
        return real.write(fd, buffer, offset, length);
      },
    });
    const logger = new SessionLogger(path, { immediate: true, fs, onError: () => {} });
    for (let i = 1; i <= 3; i++) {
      logger.append(call());
      expect([recordsOf(path).length, logger.stats().queued, logger.stats().written]).toEqual([i, 0, i]);
    }
    failing = true;
    for (let i = 0; i < 100; i++) logger.append(call());
    expect([tries, logger.stats().queued]).toEqual([4, 100]);
    failing = false;
    await logger.close();
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual(Array.from({ length: 103 }, (_, i) => i + 1));
    logger.append(call());
    expect([logger.stats().written, logger.stats().dropped]).toEqual([104, 0]);
    await logger.close();
  });

  it.each(['os', 'interval', 'fsync'] as const)('keeps the durability %s', async (durability) => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let syncs = 0;
    const fs = faultyFs({ fsync: () => void syncs++ });
    const logger = new SessionLogger(path, { immediate: true, durability, fs });
    logger.append(call());
    logger.append(call());
    const before = syncs;
    await logger.close();
    expect([before, syncs]).toEqual({ os: [0, 0], interval: [0, 1], fsync: [2, 2] }[durability]);
  });
});

describe.each<NodeJS.Signals>(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'])('%s', (signal) => {
  const stay = 'setInterval(() => {}, 1000);';
  // One code for all: by day two end a host or leave it to its handler, and one does everything else too.
  const itOfOne = it.skipIf(!nightly && signal !== 'SIGTERM');
  const itOfTwo = it.skipIf(!nightly && !['SIGTERM', 'SIGUSR2'].includes(signal));

  itOfTwo('ends a host that has no handler, with its lines written', async () => {
    const ended = await host(`${LOGGER} ${MANY} ${stay} ready();`, signal);
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code: null, signal });
    expect(seqsOf(ended.path)).toEqual(ALL);
  });

  itOfOne('ends a host that logs without a pause, without a torn or doubled line', async () => {
    const ended = await host(
      `${LOGGER} let n = 0; const pour = () => { for (let i = 0; i < 20; i++) logger.append(call('x'.repeat(n++ % 3000)));
        setImmediate(pour); }; pour(); setTimeout(ready, 50);`,
      signal,
    );
    expect(ended.signal).toBe(signal);
    const seqs = seqsOf(ended.path);
    expect(seqs.length).toBeGreaterThan(0);
    expect(seqs).toEqual(Array.from(seqs, (_, i) => i + 1));
  });

  itOfTwo("is the host's when it has a handler", async () => {
    const ended = await host(
      `${LOGGER} ${MANY} process.on('${signal}', () => { logger.append(call('late')); setTimeout(() => process.exit(3), 50); });
      ${stay} ready();`,
      signal,
    );
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code: 3, signal: null });
    expect(seqsOf(ended.path)).toEqual([...ALL, 301]);
  });

  itOfOne('may be ignored by the host, and still ends it later', async () => {
    const ended = await host(
      `${LOGGER} process.once('${signal}', () => setTimeout(() => { logger.append(call('late')); process.kill(process.pid, '${signal}'); }, 50));
      ${MANY} ${stay} ready();`,
      signal,
    );
    expect(ended.signal).toBe(signal);
    expect(seqsOf(ended.path)).toEqual([...ALL, 301]);
  });

  // What signal-exit and restore-cursor do: re-raise when nobody but them listens.
  itOfOne('still ends a host with a library that also steps aside for others', async () => {
    const library = `const polite = () => {
        if (process.listeners('${signal}').length === 1) { process.off('${signal}', polite); process.kill(process.pid, '${signal}'); }
      };`;
    for (const order of [
      `process.on('${signal}', polite); ${LOGGER} ${MANY}`,
      `${LOGGER} ${MANY} process.on('${signal}', polite);`,
    ]) {
      const ended = await host(`${library} ${order} ${stay} ready();`, signal);
      expect(ended.signal).toBe(signal);
      expect(seqsOf(ended.path)).toEqual(ALL);
    }
  });

  itOfOne('ends a host with two copies of the logger', async () => {
    const ended = await host(
      `const { SessionLogger: Other } = await import('./log.mjs?copy');
      const logger = new SessionLogger(path); const other = new Other(path + '.2');
      for (let i = 0; i < 100; i++) { logger.append(call()); other.append(call()); } ${stay} ready();`,
      signal,
    );
    expect(ended.signal).toBe(signal);
    expect([recordsOf(ended.path).length, recordsOf(`${ended.path}.2`).length]).toEqual([100, 100]);
  });

  itOfOne('is left alone when told so, and after close', async () => {
    const counts = await host(
      `const all = () => process.listenerCount('${signal}') + process.listenerCount('exit');
      const own = all(); const count = () => all() - own;
      const logger = new SessionLogger(path, { handleSignals: false });
      logger.append(call()); const one = count(); await logger.close();
      const other = new SessionLogger(path); const before = count(); other.append(call()); const two = count(); await other.close();
      console.log(JSON.stringify([one, before, two, count()]));`,
    );
    expect(JSON.parse(counts.stdout)).toEqual([1, 0, 2, 0]);
  });
});

it('kill -9 leaves at most the last line torn', async () => {
  const ended = await host(
    `${LOGGER} const pour = () => { for (let i = 0; i < 20; i++) logger.append(call('x'.repeat(9000))); setImmediate(pour); };
    const { statSync } = await import('node:fs');
    const look = () => (statSync(path, { throwIfNoEntry: false })?.size > 9_100 ? ready() : setTimeout(look, 50));
    pour(); look();`,
    'SIGKILL',
  );
  expect(ended.signal).toBe('SIGKILL');
  const lines = readFileSync(ended.path, 'utf8').split('\n').slice(0, -1);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) JSON.parse(line);
});
