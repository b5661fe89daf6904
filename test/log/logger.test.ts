import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReplayLogger, SessionLogger } from '../../src/log/index.js';
import { sessionRecord } from '../../src/schema/records.js';
import { bundleLogger, call, failure, faultyFs, linesOf, recordsOf, temporaryFolder } from './support.js';

const quiet = { onError: () => {} };

describe('a logger without a path', () => {
  it.each(['', null, undefined])('%j does nothing', (path) => {
    for (const logger of [new SessionLogger(path), new ReplayLogger(path)]) {
      expect(logger.append(call() as never)).toBe(false);
      logger.close();
      expect(logger.stats()).toEqual({ written: 0, dropped: 0, lastError: null });
      expect(logger.path).toBeNull();
    }
  });

  it('tells when the path was meant to be one', () => {
    const errors: Error[] = [];
    const logger = new SessionLogger(7 as never, { onError: (error) => errors.push(error) });
    expect(logger.append(call())).toBe(false);
    expect(errors).toHaveLength(1);
  });
});

describe('append', () => {
  it('writes one line per record and counts', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path);
    for (let i = 0; i < 50; i++) expect(logger.append(call({ prompt: `line\n${i}` }))).toBe(true);
    expect(linesOf(path)).toHaveLength(50);
    expect(logger.stats()).toEqual({ written: 50, dropped: 0, lastError: null });
  });

  it('stamps schema, timestamp and call_id only when absent', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path, {
      clock: () => new Date('2026-09-14T08:00:00Z'),
      ids: () => 'id-1',
    });
    logger.append(call({ call_id: '', timestamp: null }));
    logger.append(call({ call_id: 'mine', timestamp: '2026-09-01T00:00:00+02:00' }));
    logger.append(call({ timestamp: new Date('2026-09-02T00:00:00Z') }));
    expect(recordsOf(path)).toMatchObject([
      { schema: 'session.iterate.v1', timestamp: '2026-09-14T08:00:00.000Z', call_id: 'id-1' },
      { timestamp: '2026-09-01T00:00:00+02:00', call_id: 'mine' },
      { timestamp: '2026-09-02T00:00:00.000Z', call_id: 'id-1' },
    ]);
    const runs = join(temporaryFolder(), 'replay_runs.jsonl');
    new ReplayLogger(runs, { clock: () => new Date('2026-09-14T08:00:00Z') }).append({
      session_id: 's',
      run_id: 'r',
    });
    expect(recordsOf(runs)).toEqual([
      { schema: 'replay.run.v1', session_id: 's', timestamp: '2026-09-14T08:00:00.000Z', run_id: 'r' },
    ]);
  });

  it('gives every call an id of its own', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path);
    for (let i = 0; i < 20; i++) logger.append(call());
    expect(new Set(recordsOf(path).map((record) => record.call_id)).size).toBe(20);
  });

  it('does not write into the record of the host', () => {
    const record = Object.freeze(call({ artifact: Object.freeze({ a: undefined }) }));
    expect(new SessionLogger(join(temporaryFolder(), 's.jsonl')).append(record)).toBe(true);
    expect(record).toEqual(call({ artifact: { a: undefined } }));
  });

  it('survives clocks and id sources that fail', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const broken = (): never => {
      throw new Error('broken');
    };
    expect(new SessionLogger(path, { clock: broken, ids: broken }).append(call())).toBe(true);
    expect(new SessionLogger(path, { clock: () => new Date(Number.NaN) }).append(call())).toBe(true);
    expect(new SessionLogger(path, { clock: 5, ids: 5 } as never).append(call())).toBe(true);
    expect(new SessionLogger(path, null as never).append(call())).toBe(true);
    for (const record of recordsOf(path)) sessionRecord.parse(record);
  });

  it('opens the file again after close, which may be called twice', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path);
    logger.append(call());
    logger.close();
    logger.close();
    expect(logger.append(call())).toBe(true);
    logger.close();
    expect(linesOf(path)).toHaveLength(2);
  });

  it('opens nothing before the first record', () => {
    const path = join(temporaryFolder(), 'sub', 'sessions.jsonl');
    new SessionLogger(path).close();
    expect(existsSync(path)).toBe(false);
  });

  it('keeps to the file the path meant when the logger was made', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    expect(new SessionLogger(relative(process.cwd(), path)).path).toBe(resolve(path));
  });
});

describe('onError', () => {
  const fullDisk = faultyFs({
    writeSync: () => {
      throw failure('ENOSPC');
    },
  });

  it('may itself throw, reject or log', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const throwing = new SessionLogger(path, {
      fs: fullDisk,
      onError: () => {
        throw new Error('handler');
      },
    });
    expect(throwing.append(call())).toBe(false);
    const rejecting = new SessionLogger(path, {
      fs: fullDisk,
      onError: (async () => {
        throw new Error('handler');
      }) as never,
    });
    expect(rejecting.append(call())).toBe(false);
    const logging: SessionLogger = new SessionLogger(path, {
      fs: fullDisk,
      onError: () => logging.append(call()),
    });
    expect(logging.append(call())).toBe(false);
    expect(logging.stats().dropped).toBe(2);
    // An unhandled rejection would surface here.
    await new Promise((done) => setTimeout(done, 10));
  });

  it('by default says each kind of failure once on stderr, and stdout nothing', async () => {
    const folder = temporaryFolder();
    const bundle = join(folder, 'log.mjs');
    await bundleLogger(bundle);
    const script = `
      import { SessionLogger } from ${JSON.stringify(bundle)};
      const logger = new SessionLogger(${JSON.stringify(folder)});
      for (let i = 0; i < 100; i++) logger.append({});
      for (let i = 0; i < 100; i++) logger.append(null);
      process.exitCode = logger.stats().dropped === 200 ? 0 : 9;`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^lakelog: EISDIR/),
      expect.stringMatching(/^lakelog: not a record/),
    ]);
  });

  it('by default survives a stderr that is closed', async () => {
    const folder = temporaryFolder();
    const bundle = join(folder, 'log.mjs');
    await bundleLogger(bundle);
    const script = `import { SessionLogger } from ${JSON.stringify(bundle)};
      new SessionLogger(${JSON.stringify(folder)}).append({}); console.log('alive');`;
    const out = execFileSync('sh', [
      '-c',
      `"${process.execPath}" --input-type=module -e "$1" 2>&-`,
      'sh',
      script,
    ]);
    expect(out.toString()).toBe('alive\n');
  });
});

describe('a file that goes away', () => {
  it.each([
    ['deleted', (path: string) => execFileSync('rm', [path])],
    ['rotated', (path: string) => renameSync(path, `${path}.1`)],
    [
      'replaced',
      (path: string) => {
        writeFileSync(`${path}.new`, '');
        renameSync(`${path}.new`, path);
      },
    ],
  ])('%s is opened anew', (_, goAway) => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path, quiet);
    logger.append(call());
    goAway(path);
    expect(logger.append(call({ prompt: 'after' }))).toBe(true);
    expect(recordsOf(path)).toMatchObject([{ prompt: 'after' }]);
  });

  it('rotated keeps the lines of before', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path, quiet);
    logger.append(call({ prompt: 'before' }));
    renameSync(path, `${path}.1`);
    logger.append(call());
    expect(recordsOf(`${path}.1`)).toMatchObject([{ prompt: 'before' }]);
  });

  it('with its whole folder is made again', () => {
    const folder = join(temporaryFolder(), 'logs');
    const logger = new SessionLogger(join(folder, 'sessions.jsonl'), quiet);
    logger.append(call());
    execFileSync('rm', ['-r', folder]);
    expect(logger.append(call())).toBe(true);
    expect(linesOf(join(folder, 'sessions.jsonl'))).toHaveLength(1);
  });

  it('truncated in place goes on at its start', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const logger = new SessionLogger(path, quiet);
    logger.append(call());
    writeFileSync(path, '');
    logger.append(call());
    expect(readFileSync(path, 'utf8').startsWith('{')).toBe(true);
    expect(statSync(path).size).toBeGreaterThan(0);
  });
});
