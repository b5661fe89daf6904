import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import type { FileCalls } from '../../src/log/file-system.js';
import { type LoggerOptions, SessionLogger } from '../../src/log/index.js';
import { call, failure, faultyFs, linesOf, real, recordsOf, temporaryFolder } from './support.js';

/** Longer than a busy machine takes for anything. */
const DEADLINE_MS = 30_000;

/** A logger whose errors are collected. */
function loggerFor(path: string, faults: Partial<FileCalls> = {}, options: LoggerOptions = {}) {
  const errors: Error[] = [];
  const logger = new SessionLogger(path, {
    fs: faultyFs(faults),
    ids: () => 'id',
    clock: () => new Date('2026-09-14T08:00:00Z'),
    deadlineMs: DEADLINE_MS,
    ...options,
    onError: (error) => errors.push(error),
  });
  /** Appends and waits: true = the line is in the file. */
  async function put(changes: Record<string, unknown> = {}): Promise<boolean> {
    const { written } = logger.stats();
    expect(logger.append(call(changes))).toBe(true);
    await logger.flush();
    return logger.stats().written === written + 1;
  }
  /** Appends what cannot be written: the deadline comes once it failed. */
  async function lose(changes: Record<string, unknown> = {}): Promise<void> {
    const { lastError, written, dropped } = logger.stats();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      expect(logger.append(call(changes))).toBe(true);
      const flushed = logger.flush();
      while (logger.stats().lastError === lastError) await new Promise((done) => setImmediate(done));
      vi.advanceTimersByTime(DEADLINE_MS);
      await flushed;
    } finally {
      vi.useRealTimers();
    }
    expect(logger.stats()).toMatchObject({ written, dropped: dropped + 1 });
  }
  return { logger, errors, put, lose };
}

const promptsOf = (path: string) => recordsOf(path).map((record) => record.prompt);

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('files and folders', () => {
  it('are created for their owner only', async () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    const { put, errors } = loggerFor(join(folder, 'sessions.jsonl'));
    expect(await put()).toBe(true);
    expect(modeOf(join(folder, 'sessions.jsonl'))).toBe('600');
    expect(modeOf(folder)).toBe('700');
    expect(modeOf(join(folder, '..'))).toBe('700');
    expect(errors).toEqual([]);
  });

  it('that exist and are looser keep their mode and are told once', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    writeFileSync(path, '', { mode: 0o640 });
    const { put, logger, errors } = loggerFor(path);
    expect(await put()).toBe(true);
    logger.reopen();
    expect(await put()).toBe(true);
    expect(modeOf(path)).toBe('640');
    expect(errors.map((error) => [error.name, error.message])).toEqual([
      ['LooseMode', expect.stringMatching(/mode 640: chmod 600/)],
    ]);
    expect(logger.stats()).toMatchObject({ dropped: 0, lastError: null, reopened: 1 });
  });

  it.each<[string, (path: string) => void, RegExp]>([
    ['a FIFO without a reader', (path) => execFileSync('mkfifo', [path]), /ENXIO|not a regular file/],
    ['a folder', (path) => mkdirSync(path), /EISDIR/],
    [
      'a link',
      (path) => {
        writeFileSync(`${path}.target`, '');
        symlinkSync(`${path}.target`, path);
      },
      /ELOOP/,
    ],
    ['a dangling link', (path) => symlinkSync(`${path}.target`, path), /ELOOP/],
    ['a path below a file', (path) => writeFileSync(join(path, '..'), ''), /ENOTDIR/],
  ])('refuses %s', async (what, make, reason) => {
    const folder = temporaryFolder();
    const path = what.startsWith('a path') ? join(folder, 'file', 'sessions.jsonl') : join(folder, 's.jsonl');
    make(path);
    const { logger, lose, errors } = loggerFor(path);
    await lose();
    expect(errors[0]!.message).toMatch(reason);
    expect(logger.stats()).toMatchObject({
      written: 0,
      queued: 0,
      dropped: 1,
      droppedBy: { write_failed: 1 },
    });
    expect(logger.stats().lastError!.message).toMatch(reason);
  });

  it('refuses a FIFO with a reader, and closes it', async () => {
    const path = join(temporaryFolder(), 'fifo');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const opened: number[] = [];
    const { logger, lose, errors } = loggerFor(path, {
      open: (...args) => {
        opened.push(real.open(...args));
        return opened.at(-1)!;
      },
      close: (fd) => {
        opened.splice(opened.indexOf(fd), 1);
        real.close(fd);
      },
    });
    await lose();
    await logger.close();
    expect(errors[0]!.message).toMatch(/not a regular file/);
    expect(opened).toEqual([]);
    closeSync(reader);
  });

  it('refuses a device', async () => {
    const { lose, errors } = loggerFor('/dev/null');
    await lose();
    expect(errors[0]!.message).toMatch(/not a regular file/);
  });

  it('refuses a path with a NUL', async () => {
    await loggerFor('a\0b').lose();
  });

  it.skipIf(process.getuid?.() === 0)('drops in a folder that may not be written', async () => {
    const folder = join(temporaryFolder(), 'closed');
    mkdirSync(folder, { mode: 0o500 });
    await loggerFor(join(folder, 's.jsonl')).lose();
  });

  it.each(['EACCES', 'EROFS', 'EMFILE', 'ENOENT'])(
    'recovers when a failure to open passes: %s',
    async (code) => {
      const path = join(temporaryFolder(), 'sessions.jsonl');
      let failing = true;
      const { logger, put, lose, errors } = loggerFor(path, {
        open: (...args) => {
          if (failing) throw failure(code);
          return real.open(...args);
        },
      });
      await lose({ prompt: 'lost' });
      failing = false;
      expect(await put({ prompt: 'kept' })).toBe(true);
      expect(errors[0]).toMatchObject({ code });
      expect(errors[1]!.message).toMatch(/^1 record lost: /);
      expect(logger.stats()).toMatchObject({ written: 1, dropped: 1 });
      expect(recordsOf(path)).toMatchObject([{ prompt: 'kept', seq: 2 }]);
    },
  );

  it('keeps what came during a failure that nobody waited for', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let failing = true;
    const { logger, errors } = loggerFor(path, {
      open: (...args) => {
        if (failing) throw failure('EACCES');
        return real.open(...args);
      },
    });
    for (let i = 0; i < 100; i++) logger.append(call({ prompt: `${i}` }));
    await vi.waitUntil(() => errors.length > 0, { timeout: 30_000, interval: 5 });
    expect(logger.stats()).toMatchObject({ written: 0, queued: 100, dropped: 0 });
    failing = false;
    await logger.flush();
    expect(logger.stats()).toMatchObject({ written: 100, queued: 0, queuedBytes: 0, dropped: 0 });
    expect(recordsOf(path).map((record) => record.seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });
});

describe('a write', () => {
  it('takes many lines, and a long one whole', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const sizes: number[] = [];
    const { logger } = loggerFor(path, {
      write: (fd, buffer, offset, length) => {
        sizes.push(length);
        return real.write(fd, buffer, offset, length);
      },
    });
    for (let i = 0; i < 10; i++) logger.append(call());
    logger.append(call({ prompt: 'x'.repeat(3_000_000) }));
    logger.append(call());
    await logger.flush();
    const lengths = linesOf(path).map((line) => Buffer.byteLength(line) + 1);
    expect(sizes).toEqual([
      lengths.slice(0, 10).reduce((sum, length) => sum + length),
      lengths[10],
      lengths[11],
    ]);
  });

  it('starts on a new line after a torn tail', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    writeFileSync(path, '{"schema":"sess', { mode: 0o600 });
    const { put } = loggerFor(path);
    await put({ prompt: 'a' });
    await put({ prompt: 'b' });
    const lines = linesOf(path);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe('{"schema":"sess');
    expect(lines.slice(1).map((line) => JSON.parse(line).prompt)).toEqual(['a', 'b']);
  });

  it('starts on a new line after a tail that another process left torn meanwhile', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const { put } = loggerFor(path);
    await put({ prompt: 'a' });
    writeFileSync(path, '{"torn', { flag: 'a' });
    await put({ prompt: 'b' });
    writeFileSync(path, '{"whole":1}\n', { flag: 'a' });
    await put({ prompt: 'c' });
    const lines = linesOf(path);
    expect([lines[1], lines[3]]).toEqual(['{"torn', '{"whole":1}']);
    expect(lines).toHaveLength(5);
  });

  it('leaves no blank line after a whole tail', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    await loggerFor(path).put();
    await loggerFor(path).put();
    expect(recordsOf(path)).toHaveLength(2);
  });

  it('starts on a new line when the file may not be read', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    writeFileSync(path, 'x', { mode: 0o600 });
    const { put } = loggerFor(path, {
      open: (file, flags, mode) => {
        if (flags & constants.O_RDWR) throw failure('EACCES');
        return real.open(file, flags, mode);
      },
    });
    expect(await put()).toBe(true);
    expect(linesOf(path)[0]).toBe('x');
  });

  it.each(['EAGAIN', 'EINTR'])('that is told to come again does: %s', async (code) => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let refusals = 3;
    const pauses: number[] = [];
    const { put, errors } = loggerFor(path, {
      write: (...args) => {
        if (refusals-- > 0) throw failure(code);
        return real.write(...args);
      },
      pause: (ms) => void pauses.push(ms),
    });
    expect(await put()).toBe(true);
    expect(pauses).toEqual([2, 4, 8]);
    expect(errors).toEqual([]);
    expect(recordsOf(path)).toHaveLength(1);
  });

  it('that is told so for ever is given up', async () => {
    const { lose, errors } = loggerFor(join(temporaryFolder(), 'sessions.jsonl'), {
      write: () => {
        throw failure('EAGAIN');
      },
      pause: () => {},
    });
    await lose();
    expect(errors[0]).toMatchObject({ code: 'EAGAIN' });
  });

  it.each([1, 40, 300, 1000, 1200])(
    'cut short by a full disk at byte %d loses nothing and glues nothing',
    async (kept) => {
      const path = join(temporaryFolder(), 'sessions.jsonl');
      let room = kept;
      const { logger, errors } = loggerFor(path, {
        write: (fd, buffer, offset, length) => {
          const written = real.write(fd, buffer, offset, Math.min(length, room));
          room = room > 0 ? 0 : Number.POSITIVE_INFINITY;
          return written;
        },
      });
      const prompts = ['first', 'second', 'third', 'fourth', 'fifth'];
      for (const prompt of prompts) logger.append(call({ prompt }));
      await logger.flush();
      expect(errors.map((error) => error.message)).toEqual([
        expect.stringMatching(/^short write: \d+ of \d+ bytes/),
      ]);
      expect(logger.stats()).toMatchObject({ written: 5, queued: 0, queuedBytes: 0, dropped: 0 });
      const good = linesOf(path).flatMap((line) => {
        try {
          return [JSON.parse(line).prompt];
        } catch {
          return [];
        }
      });
      expect(good).toEqual(prompts);
      expect(linesOf(path).length).toBeLessThanOrEqual(6);
    },
  );

  it('that lacks only its line feed counts, and the next one brings it', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let cut = 1;
    const { put, logger } = loggerFor(path, {
      write: (fd, buffer, offset, length) => real.write(fd, buffer, offset, length - cut),
    });
    expect(await put({ prompt: 'a' })).toBe(true);
    cut = 0;
    expect(await put({ prompt: 'b' })).toBe(true);
    expect(promptsOf(path)).toEqual(['a', 'b']);
    expect(logger.stats()).toMatchObject({ written: 2, dropped: 0 });
  });

  it('to a disk that stays full is dropped and counted; the next one stands alone', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let full = true;
    const { put, lose, logger } = loggerFor(path, {
      write: (fd, buffer, offset, length) =>
        real.write(fd, buffer, offset, full ? Math.min(length, 40) : length),
    });
    await lose({ prompt: 'lost' });
    full = false;
    expect(await put({ prompt: 'second' })).toBe(true);
    expect(await put({ prompt: 'third' })).toBe(true);
    expect(logger.stats()).toMatchObject({ written: 2, dropped: 1, droppedBy: { write_failed: 1 } });
    const lines = linesOf(path);
    expect(lines.slice(-2).map((line) => JSON.parse(line).prompt)).toEqual(['second', 'third']);
    expect(lines.slice(0, -2).every((line) => line.length <= 40)).toBe(true);
  });

  it('after an error starts with a line feed in the same write', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const written: string[] = [];
    let full = false;
    const { put, lose, logger } = loggerFor(path, {
      write: (fd, buffer, offset, length) => {
        if (full) throw failure('ENOSPC');
        written.push(Buffer.from(buffer.subarray(offset, offset + length)).toString());
        return real.write(fd, buffer, offset, length);
      },
    });
    await put();
    full = true;
    await lose();
    await lose();
    full = false;
    await put();
    await put();
    expect(written.map((text) => [text.startsWith('\n'), text.endsWith('}\n')])).toEqual([
      [false, true],
      [true, true],
      [false, true],
    ]);
    expect(logger.stats()).toMatchObject({ written: 3, dropped: 2 });
  });

  it('goes on when the folder may no longer be searched', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const { put } = loggerFor(path, {
      lstat: () => {
        throw failure('EACCES');
      },
    });
    await put();
    expect(await put()).toBe(true);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
  });

  it('goes on at the start of a file that was cut in place, and says that lines may be lost', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const { put, logger, errors } = loggerFor(path);
    await put({ prompt: 'a' });
    truncateSync(path);
    await put({ prompt: 'b' });
    await put({ prompt: 'c' });
    expect(promptsOf(path)).toEqual(['b', 'c']);
    expect(logger.stats()).toMatchObject({ reopened: 0, lastError: { name: 'CutInPlace' } });
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/sessions\.jsonl" was cut in place.*lost.*rename/),
    ]);
  });

  it('says nothing of a cut when others write to the file, or it is rotated by a rename', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const { put, errors } = loggerFor(path);
    await put({ prompt: 'a' });
    appendFileSync(path, '{}\n');
    await put({ prompt: 'b' });
    renameSync(path, `${path}.1`);
    writeFileSync(path, '', { mode: 0o600 });
    await put({ prompt: 'c' });
    expect(errors).toEqual([]);
  });
});

/** docs/SESSION_LOG.md, "Rotation": what each way of it loses, and its remedy. */
describe('a rotation in the middle of a write', () => {
  /** What happens between the look at the file and the write(2) to it. */
  function rotatedBy(rotate: (path: string) => void) {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let next = () => {};
    const made = loggerFor(path, {
      write: (...args) => {
        const now = next;
        next = () => {};
        now();
        return real.write(...args);
      },
    });
    const rotateInNextWrite = () => {
      next = () => rotate(path);
    };
    return { ...made, path, rotateInNextWrite };
  }

  const renamed = (path: string) => {
    renameSync(path, `${path}.1`);
    writeFileSync(path, '', { mode: 0o600 });
  };
  const compressed = (path: string) => {
    renamed(path);
    writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(`${path}.1`)));
    rmSync(`${path}.1`);
  };

  it.each<[string, (path: string) => void, string[]]>([
    ['by a rename writes the line again, where nobody can miss it', renamed, ['a', 'b', 'b', 'c']],
    ['that compresses at once loses nothing', compressed, ['a', 'b', 'c']],
  ])('%s', async (_, rotate, kept) => {
    const { path, put, logger, rotateInNextWrite } = rotatedBy(rotate);
    await put({ prompt: 'a' });
    rotateInNextWrite();
    await put({ prompt: 'b' });
    await put({ prompt: 'c' });
    const { gz, plain } = existsSync(`${path}.1.gz`)
      ? { gz: gunzipSync(readFileSync(`${path}.1.gz`)).toString(), plain: '' }
      : { gz: '', plain: readFileSync(`${path}.1`, 'utf8') };
    const lines = `${gz}${plain}${readFileSync(path, 'utf8')}`.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).prompt)).toEqual(kept);
    // Byte for byte the same: readers count such a line once.
    expect(new Set(lines).size).toBe(3);
    expect(logger.stats()).toMatchObject({ written: 3, queued: 0, dropped: 0, reopened: 1 });
  });

  it('that does not end is no reason to write for ever', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let writes = 0;
    const { put, logger } = loggerFor(path, {
      write: (...args) => {
        renameSync(path, `${path}.${++writes}`);
        return real.write(...args);
      },
    });
    expect(await put({ prompt: 'a' })).toBe(true);
    expect(writes).toBeLessThan(5);
    expect(logger.stats()).toMatchObject({ written: 1, queued: 0, dropped: 0 });
  });

  it('is not seen in a folder that may no longer be searched', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let looks = 0;
    const { put } = loggerFor(path, {
      lstat: () => {
        looks++;
        throw failure('EACCES');
      },
    });
    expect(await put({ prompt: 'a' })).toBe(true);
    expect(looks).toBe(1);
    expect(promptsOf(path)).toEqual(['a']);
  });

  it('by copytruncate loses what was written behind the copy; its hole shows, and the cut is said', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const { put, errors } = loggerFor(path);
    await put({ prompt: 'a' });
    copyFileSync(path, `${path}.1`);
    await put({ prompt: 'b' });
    truncateSync(path);
    await put({ prompt: 'c' });
    const records = [...recordsOf(`${path}.1`), ...recordsOf(path)];
    expect(records.map(({ prompt, seq }) => [prompt, seq])).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
    expect(errors.map(({ name }) => name)).toEqual(['CutInPlace']);
  });
});

describe('durability', () => {
  function syncsOf(durability: LoggerOptions['durability'], fsync?: () => void) {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const done: string[] = [];
    const made = loggerFor(
      path,
      {
        write: (...args) => {
          done.push('write');
          return real.write(...args);
        },
        fsync: (fd) => {
          done.push('fsync');
          fsync?.();
          real.fsync(fd);
        },
      },
      { ...(durability === undefined ? {} : { durability }) },
    );
    return { ...made, done };
  }

  it('os leaves the disk to the operating system', async () => {
    const { put, logger, done } = syncsOf(undefined);
    await put();
    await logger.close();
    expect(done).toEqual(['write']);
  });

  it('fsync syncs before flush resolves', async () => {
    const { put, done } = syncsOf('fsync');
    await put();
    await put();
    expect(done).toEqual(['write', 'fsync', 'write', 'fsync']);
  });

  it('interval syncs once for many writes, and what is left at close', async () => {
    const { put, logger, done } = syncsOf('interval');
    for (let i = 0; i < 5; i++) await put();
    expect(done).not.toContain('fsync');
    await logger.close();
    expect(done.slice(5)).toEqual(['fsync']);
    await put();
    await expect.poll(() => done.slice(7), { timeout: 5_000 }).toEqual(['fsync']);
  });

  it('that fails is told, and the line counts', async () => {
    const { put, errors } = syncsOf('fsync', () => {
      throw failure('EIO');
    });
    expect(await put()).toBe(true);
    expect(errors).toMatchObject([{ code: 'EIO' }]);
  });
});
