import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleLogger, recordsOf, temporaryFolder } from './support.js';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly path: string;
}

/** Runs a host that has `logger`, `call()` and `ready()`; `kill` is sent once it is ready. */
async function host(script: string, kill?: NodeJS.Signals): Promise<Ended> {
  const folder = temporaryFolder();
  const path = join(folder, 'sessions.jsonl');
  const bundle = join(folder, 'log.mjs');
  await bundleLogger(bundle);
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
  it.each<[string, string, number]>([
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
  ])('%s', async (_, end, code) => {
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

describe.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])('%s', (signal) => {
  const stay = 'setInterval(() => {}, 1000);';

  it('ends a host that has no handler, with its lines written', async () => {
    const ended = await host(`${LOGGER} ${MANY} ${stay} ready();`, signal);
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code: null, signal });
    expect(seqsOf(ended.path)).toEqual(ALL);
  });

  it('ends a host that logs without a pause, without a torn or doubled line', async () => {
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

  it("is the host's when it has a handler", async () => {
    const ended = await host(
      `${LOGGER} ${MANY} process.on('${signal}', () => { logger.append(call('late')); setTimeout(() => process.exit(3), 50); });
      ${stay} ready();`,
      signal,
    );
    expect({ code: ended.code, signal: ended.signal }).toEqual({ code: 3, signal: null });
    expect(seqsOf(ended.path)).toEqual([...ALL, 301]);
  });

  it('may be ignored by the host, and still ends it later', async () => {
    const ended = await host(
      `${LOGGER} process.once('${signal}', () => setTimeout(() => { logger.append(call('late')); process.kill(process.pid, '${signal}'); }, 50));
      ${MANY} ${stay} ready();`,
      signal,
    );
    expect(ended.signal).toBe(signal);
    expect(seqsOf(ended.path)).toEqual([...ALL, 301]);
  });

  // What signal-exit and restore-cursor do: re-raise when nobody but them listens.
  it('still ends a host with a library that also steps aside for others', async () => {
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

  it('ends a host with two copies of the logger', async () => {
    const ended = await host(
      `const { SessionLogger: Other } = await import('./log.mjs?copy');
      const logger = new SessionLogger(path); const other = new Other(path + '.2');
      for (let i = 0; i < 100; i++) { logger.append(call()); other.append(call()); } ${stay} ready();`,
      signal,
    );
    expect(ended.signal).toBe(signal);
    expect([recordsOf(ended.path).length, recordsOf(`${ended.path}.2`).length]).toEqual([100, 100]);
  });

  it('is left alone when told so, and after close', async () => {
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
    pour(); setTimeout(ready, 50);`,
    'SIGKILL',
  );
  expect(ended.signal).toBe('SIGKILL');
  const lines = readFileSync(ended.path, 'utf8').split('\n').slice(0, -1);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) JSON.parse(line);
});
