import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { FileSystem } from '../../src/log/file-system.js';
import { ReplayLogger, SessionLogger } from '../../src/log/index.js';
import { serialIds } from '../../src/log/stamp.js';
import { sessionRecord } from '../../src/schema/records.js';
import {
  bundleLogger,
  call,
  failure,
  faultyFs,
  linesOf,
  real,
  recordsOf,
  temporaryFolder,
} from './support.js';

const quiet = { onError: () => {} };
/** For what comes in a moment, on a busy machine in more. */
const PATIENT = { timeout: 30_000, interval: 5 };
const newPath = () => join(temporaryFolder(), 'sessions.jsonl');

describe('a logger without a path', () => {
  it.each(['', null, undefined])('%j does nothing', async (path) => {
    for (const logger of [new SessionLogger(path), new ReplayLogger(path)]) {
      expect(logger.append(call() as never)).toBe(false);
      await logger.flush();
      logger.reopen();
      await logger.close();
      expect(logger.stats()).toMatchObject({ written: 0, queued: 0, dropped: 0, lastError: null });
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
  it('writes one line per record and counts', async () => {
    const path = newPath();
    const logger = new SessionLogger(path);
    for (let i = 0; i < 50; i++) expect(logger.append(call({ prompt: `line\n${i}` }))).toBe(true);
    expect(logger.stats()).toMatchObject({ written: 0, queued: 50 });
    await logger.flush();
    expect(linesOf(path)).toHaveLength(50);
    expect(logger.stats()).toEqual({
      written: 50,
      queued: 0,
      queuedBytes: 0,
      dropped: 0,
      droppedBy: {
        queue_full: 0,
        not_a_record: 0,
        too_large: 0,
        redacted: 0,
        redact_failed: 0,
        write_failed: 0,
      },
      truncated: 0,
      bytes: readFileSync(path).length,
      reopened: 0,
      lastError: null,
    });
  });

  it('stamps schema, timestamp and call_id only when absent', async () => {
    const path = newPath();
    const logger = new SessionLogger(path, {
      clock: () => new Date('2026-09-14T08:00:00Z'),
      ids: () => 'id-1',
    });
    logger.append(call({ call_id: '', timestamp: null }));
    logger.append(call({ call_id: 'mine', timestamp: '2026-09-01T00:00:00+02:00' }));
    logger.append(call({ timestamp: new Date('2026-09-02T00:00:00Z') }));
    await logger.close();
    expect(recordsOf(path)).toMatchObject([
      { schema: 'session.iterate.v1', timestamp: '2026-09-14T08:00:00.000Z', call_id: 'id-1' },
      { timestamp: '2026-09-01T00:00:00+02:00', call_id: 'mine' },
      { timestamp: '2026-09-02T00:00:00.000Z', call_id: 'id-1' },
    ]);
    const runs = join(temporaryFolder(), 'replay_runs.jsonl');
    const replays = new ReplayLogger(runs, { clock: () => new Date('2026-09-14T08:00:00Z') });
    replays.append({ session_id: 's', run_id: 'r' });
    await replays.close();
    expect(recordsOf(runs)).toEqual([
      { schema: 'replay.run.v1', session_id: 's', timestamp: '2026-09-14T08:00:00.000Z', run_id: 'r' },
    ]);
  });

  it('asks clock and ids once for each record, also for one that needs care', async () => {
    const path = newPath();
    let asked = 0;
    const logger = new SessionLogger(path, { ids: () => `id-${++asked}` });
    for (const artifact of [1, 1n, new Map(), { a: '\ud800' }]) logger.append(call({ artifact }));
    await logger.close();
    expect(recordsOf(path).map((record) => record.call_id)).toEqual(['id-1', 'id-2', 'id-3', 'id-4']);
    expect(recordsOf(path).map((record) => record.seq)).toEqual([1, 2, 3, 4]);
  });

  it('numbers records from 1 under a name that no other logger has', async () => {
    const path = newPath();
    const loggers = [new SessionLogger(path), new SessionLogger(path)];
    for (let i = 0; i < 5; i++) for (const logger of loggers) logger.append(call());
    await Promise.all(loggers.map((logger) => logger.close()));
    const records = recordsOf(path);
    const writers = new Set(records.map((record) => record.writer_id));
    expect([...writers]).toEqual([
      expect.stringMatching(/^[0-9a-f]{16}$/),
      expect.stringMatching(/^[0-9a-f]{16}$/),
    ]);
    for (const writer of writers) {
      const own = records.filter((record) => record.writer_id === writer);
      expect(own.map((record) => record.seq)).toEqual([1, 2, 3, 4, 5]);
    }
  });

  it('leaves the numbering of a host alone', async () => {
    const path = newPath();
    const logger = new SessionLogger(path);
    logger.append(call({ writer_id: 'host', seq: 7 }));
    logger.append(call({ writer_id: 'host' }));
    logger.append(call({ writer_id: '', seq: null }));
    await logger.close();
    const numbers = recordsOf(path).map(({ writer_id, seq }) => ({ writer_id, seq }));
    expect(numbers).toEqual([
      { writer_id: 'host', seq: 7 },
      { writer_id: 'host', seq: undefined },
      { writer_id: expect.stringMatching(/^[0-9a-f]{16}$/), seq: 1 },
    ]);
  });

  it('uses up the number of a record that is dropped', async () => {
    const path = newPath();
    const logger = new SessionLogger(path, quiet);
    logger.append(call());
    expect(logger.append(null as never)).toBe(false);
    expect(logger.append(call({ session_id: 'x'.repeat(9_000_000) }))).toBe(false);
    expect(logger.append(call({ session_id: 'x'.repeat(9_000_000), writer_id: 'host' }))).toBe(false);
    logger.append(call());
    await logger.close();
    expect(recordsOf(path).map((record) => record.seq)).toEqual([1, 4]);
    expect(logger.stats()).toMatchObject({ dropped: 3, droppedBy: { not_a_record: 1, too_large: 2 } });
  });

  it('takes the record as it is at the call', async () => {
    const path = newPath();
    const logger = new SessionLogger(path);
    const record = call({ artifact: { workers: ['W-1'] } });
    logger.append(record);
    record.kind = 'email';
    (record.artifact as { workers: string[] }).workers.push('W-2');
    await logger.close();
    expect(recordsOf(path)).toMatchObject([{ kind: 'fill', artifact: { workers: ['W-1'] } }]);
  });

  it('does not write into the record of the host', async () => {
    const record = Object.freeze(call({ artifact: Object.freeze({ a: undefined }) }));
    const logger = new SessionLogger(newPath());
    expect(logger.append(record)).toBe(true);
    await logger.close();
    expect(record).toEqual(call({ artifact: { a: undefined } }));
  });

  it('survives clocks, id sources and options that are wrong', async () => {
    const path = newPath();
    const broken = (): never => {
      throw new Error('broken');
    };
    const wrong = [
      { clock: broken, ids: broken },
      { clock: () => new Date(Number.NaN) },
      { clock: 5, ids: 5 },
      { maxQueueBytes: -1, maxRecordBytes: 'x', deadlineMs: Number.NaN, durability: 'always' },
      null,
    ];
    for (const options of wrong) {
      const logger = new SessionLogger(path, options as never);
      expect(logger.append(call())).toBe(true);
      await logger.close();
    }
    expect(recordsOf(path)).toHaveLength(wrong.length);
    for (const record of recordsOf(path)) sessionRecord.parse(record);
  });

  it('opens the file again after close, which may be called twice', async () => {
    const path = newPath();
    const logger = new SessionLogger(path);
    logger.append(call());
    await Promise.all([logger.close(), logger.close()]);
    await logger.close();
    expect(logger.append(call())).toBe(true);
    await logger.close();
    expect(linesOf(path)).toHaveLength(2);
    expect(logger.stats().reopened).toBe(1);
  });

  it('that never stops does not keep close from resolving', async () => {
    const logger = new SessionLogger(newPath());
    let going = true;
    const pour = () => {
      if (!going) return;
      logger.append(call());
      setImmediate(pour);
    };
    pour();
    await logger.close();
    going = false;
    await logger.close();
    expect(logger.stats()).toMatchObject({ queued: 0, dropped: 0 });
  });

  it('opens nothing before the first record', async () => {
    const path = join(temporaryFolder(), 'sub', 'sessions.jsonl');
    const logger = new SessionLogger(path);
    await logger.flush();
    await logger.close();
    expect(existsSync(path)).toBe(false);
  });

  it('keeps to the file the path meant when the logger was made', () => {
    const path = newPath();
    expect(new SessionLogger(relative(process.cwd(), path)).path).toBe(resolve(path));
  });
});

describe('the queue', () => {
  const stuck = (release: Promise<void>, onBegun = () => {}): FileSystem => {
    const fs = faultyFs({});
    const { write } = fs.later;
    const waits: typeof write = (...args) => {
      onBegun();
      return release.then(() => write(...args));
    };
    return { ...fs, later: { ...fs.later, write: waits } };
  };

  it('drops the newest when it is full, and counts', async () => {
    const path = newPath();
    let release = () => {};
    const fs = stuck(
      new Promise((done) => {
        release = done;
      }),
    );
    const errors: Error[] = [];
    const logger = new SessionLogger(path, {
      fs,
      maxQueueBytes: 20_000,
      onError: (error) => errors.push(error),
    });
    const accepted = Array.from({ length: 100 }, () => logger.append(call({ prompt: 'x'.repeat(1_000) })));
    const full = accepted.indexOf(false);
    expect(full).toBeGreaterThan(10);
    expect(accepted.slice(full)).not.toContain(true);
    expect(logger.stats()).toMatchObject({ queued: full, dropped: 100 - full });
    expect(logger.stats().queuedBytes).toBeLessThanOrEqual(20_000);
    release();
    await logger.flush();
    expect(logger.append(call())).toBe(true);
    await logger.close();
    expect(recordsOf(path).map((record) => record.seq)).toEqual([
      ...Array.from({ length: full }, (_, i) => i + 1),
      101,
    ]);
    expect(errors.map(String)).toEqual(['Dropped: record dropped: the queue is full']);
    expect(logger.stats()).toMatchObject({ queuedBytes: 0, droppedBy: { queue_full: 100 - full } });
  });

  it('takes a record that is larger than the queue when nothing else waits', async () => {
    const path = newPath();
    const logger = new SessionLogger(path, { maxQueueBytes: 100 });
    expect(logger.append(call({ prompt: 'x'.repeat(1_000) }))).toBe(true);
    expect(logger.append(call())).toBe(false);
    await logger.close();
    expect(linesOf(path)).toHaveLength(1);
  });

  it('does not hold a flush up when the file system hangs', async () => {
    const onBegun = vi.fn();
    const logger = new SessionLogger(newPath(), {
      ...quiet,
      deadlineMs: 30,
      fs: stuck(new Promise(() => {}), onBegun),
    });
    logger.append(call());
    await vi.waitUntil(() => onBegun.mock.calls.length > 0, PATIENT);
    logger.append(call());
    await logger.flush();
    // The first one may still arrive.
    expect(logger.stats()).toMatchObject({ written: 0, queued: 1, dropped: 1 });
  });

  describe('is waited for by whoever answers for it', () => {
    it('until its lines are in the file', async () => {
      const path = newPath();
      const logger = new SessionLogger(path, quiet);
      expect(await logger.whenWritten()).toBe(true);
      const all = Array.from({ length: 20 }, async (_, i) => {
        logger.append(call({ session_id: `s-${i}` }));
        expect(await logger.whenWritten()).toBe(true);
        expect(recordsOf(path).map(({ session_id }) => session_id)).toContain(`s-${i}`);
      });
      await Promise.all(all);
      expect(linesOf(path)).toHaveLength(20);
    });

    it('and not longer than until the file fails, which gives nothing up', async () => {
      const path = newPath();
      let failing = true;
      const fs = faultyFs({
        write: (...args) => {
          if (failing) throw failure('EIO');
          return real.write(...args);
        },
      });
      const logger = new SessionLogger(path, { ...quiet, fs, deadlineMs: 20_000 });
      logger.append(call());
      expect(await logger.whenWritten()).toBe(false);
      logger.append(call());
      expect(await logger.whenWritten()).toBe(false);
      expect(logger.stats()).toMatchObject({ queued: 2, dropped: 0 });
      failing = false;
      await logger.flush();
      expect(linesOf(path)).toHaveLength(2);
    });

    it('and not for ever where the file system hangs', async () => {
      const logger = new SessionLogger(newPath(), {
        ...quiet,
        fs: stuck(new Promise(() => {})),
        deadlineMs: 50,
      });
      logger.append(call());
      expect(await logger.whenWritten()).toBe(false);
      expect(logger.stats()).toMatchObject({ queued: 1, dropped: 0 });
    });

    it('and false where they are given up meanwhile', async () => {
      const logger = new SessionLogger(newPath(), {
        ...quiet,
        fs: stuck(new Promise(() => {})),
        deadlineMs: 50,
      });
      logger.append(call());
      logger.append(call());
      const [isWritten] = await Promise.all([logger.whenWritten(), logger.flush()]);
      expect(isWritten).toBe(false);
    });
  });

  it('keeps order over many flushes at once', async () => {
    const path = newPath();
    const logger = new SessionLogger(path);
    const flushes: Promise<void>[] = [];
    for (let i = 0; i < 200; i++) {
      logger.append(call({ prompt: 'x'.repeat((i * 7919) % 5_000) }));
      if (i % 3 === 0) flushes.push(logger.flush());
    }
    await Promise.all(flushes);
    await logger.flush();
    expect(recordsOf(path).map((record) => record.seq)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });
});

describe('onError', () => {
  const fullDisk = faultyFs({
    write: () => {
      throw failure('ENOSPC');
    },
  });

  it('may itself throw, reject or log', async () => {
    const path = newPath();
    const throwing = new SessionLogger(path, {
      fs: fullDisk,
      deadlineMs: 30,
      onError: () => {
        throw new Error('handler');
      },
    });
    throwing.append(call());
    await throwing.flush();
    const rejecting = new SessionLogger(path, {
      fs: fullDisk,
      deadlineMs: 30,
      onError: (async () => {
        throw new Error('handler');
      }) as never,
    });
    rejecting.append(call());
    await rejecting.flush();
    const logging: SessionLogger = new SessionLogger(path, {
      fs: fullDisk,
      deadlineMs: 30,
      onError: () => logging.append(call()),
    });
    logging.append(call());
    await logging.close();
    await logging.close();
    for (const logger of [throwing, rejecting, logging]) {
      expect(logger.stats().lastError!.message).toMatch(/lost: ENOSPC/);
      expect(logger.stats().dropped).toBeGreaterThan(0);
    }
    // An unhandled rejection would surface here.
    await new Promise((done) => setImmediate(done));
  });

  it('is told of a kind once, and later how many there were', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const errors: string[] = [];
      const logger = new SessionLogger(newPath(), { onError: (error) => errors.push(String(error)) });
      for (let i = 0; i < 10; i++) logger.append(null as never);
      vi.advanceTimersByTime(60_000);
      logger.append(null as never);
      expect(errors).toEqual([
        'TypeError: not a record: null',
        'TypeError: not a record: null (and 9 more like it)',
      ]);
      expect(logger.stats().dropped).toBe(11);
    } finally {
      vi.useRealTimers();
    }
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
      await logger.close();
      process.exitCode = logger.stats().dropped === 200 ? 0 : 9;`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^lakelog: a record was written that readers will reject/),
      expect.stringMatching(/^lakelog: not a record/),
      expect.stringMatching(/^lakelog: EISDIR/),
      expect.stringMatching(/^lakelog: 100 records lost: EISDIR/),
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
        writeFileSync(`${path}.new`, '', { mode: 0o600 });
        renameSync(`${path}.new`, path);
      },
    ],
  ])('%s is opened anew', async (_, goAway) => {
    const path = newPath();
    const logger = new SessionLogger(path, quiet);
    logger.append(call());
    await logger.flush();
    goAway(path);
    logger.append(call({ prompt: 'after' }));
    await logger.flush();
    expect(recordsOf(path)).toMatchObject([{ prompt: 'after' }]);
    expect(logger.stats()).toMatchObject({ written: 2, reopened: 1 });
  });

  it('with its whole folder is made again', async () => {
    const folder = join(temporaryFolder(), 'logs');
    const logger = new SessionLogger(join(folder, 'sessions.jsonl'), quiet);
    logger.append(call());
    await logger.flush();
    execFileSync('rm', ['-r', folder]);
    logger.append(call());
    await logger.flush();
    expect(linesOf(join(folder, 'sessions.jsonl'))).toHaveLength(1);
  });

  it('is opened anew on reopen, before the next record', async () => {
    const path = newPath();
    const logger = new SessionLogger(path, quiet);
    for (const _ of [1, 2, 3]) {
      logger.append(call());
      logger.reopen();
      await logger.flush();
    }
    expect(linesOf(path)).toHaveLength(3);
    expect(logger.stats().reopened).toBe(2);
  });

  // logrotate with `create`: rename, then a new file. With `copytruncate`: copy, then cut.
  it.each([
    [
      'create',
      (path: string, to: string) => {
        renameSync(path, to);
        writeFileSync(path, '', { mode: 0o600 });
      },
    ],
    [
      'copytruncate',
      (path: string, to: string) => {
        copyFileSync(path, to);
        truncateSync(path);
      },
    ],
  ])('ten times under load loses nothing: %s', async (how, rotate) => {
    const path = newPath();
    const logger = new SessionLogger(path, quiet);
    for (let turn = 0; turn < 10; turn++) {
      for (let i = 0; i < 100; i++) logger.append(call({ prompt: 'x'.repeat(i * 30) }));
      // copytruncate loses what is written between its two steps, whoever writes.
      if (how === 'copytruncate') await logger.flush();
      else await new Promise((done) => setTimeout(done, turn % 9));
      await vi.waitFor(() => expect(existsSync(path)).toBe(true), PATIENT);
      rotate(path, `${path}.${turn}`);
    }
    logger.append(call());
    await logger.close();
    const files = Array.from({ length: 10 }, (_, turn) => `${path}.${turn}`);
    // A line whose write a rotation overtook stands in both files.
    const lines = new Set([...files, path].flatMap(linesOf));
    const seqs = [...lines].map((line) => JSON.parse(line).seq);
    expect(seqs).toEqual(Array.from({ length: 1_001 }, (_, i) => i + 1));
  });
});

it('call ids are UUIDs that differ, within a logger and between two', () => {
  const sources = [serialIds(), serialIds()];
  const ids = sources.flatMap((next) => Array.from({ length: 70_000 }, next));
  expect(new Set(ids).size).toBe(ids.length);
  expect(
    ids.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
  ).toEqual([]);
});
