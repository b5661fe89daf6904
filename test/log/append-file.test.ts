import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AppendFs } from '../../src/log/append-file.js';
import { SessionLogger } from '../../src/log/index.js';
import { call, failure, faultyFs, linesOf, recordsOf, temporaryFolder } from './support.js';

/** A logger whose errors are collected. */
function loggerFor(path: string, faults: Partial<AppendFs> = {}) {
  const errors: Error[] = [];
  const logger = new SessionLogger(path, {
    fs: faultyFs(faults),
    ids: () => 'id',
    clock: () => new Date('2026-09-14T08:00:00Z'),
    onError: (error) => errors.push(error),
  });
  return { logger, errors };
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('files and folders', () => {
  it('are created for their owner only', () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    const { logger } = loggerFor(join(folder, 'sessions.jsonl'));
    expect(logger.append(call())).toBe(true);
    expect(modeOf(join(folder, 'sessions.jsonl'))).toBe('600');
    expect(modeOf(folder)).toBe('700');
    expect(modeOf(join(folder, '..'))).toBe('700');
  });

  it('that exist keep their mode', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    writeFileSync(path, '', { mode: 0o640 });
    loggerFor(path).logger.append(call());
    expect(modeOf(path)).toBe('640');
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
  ])('refuses %s', (what, make, reason) => {
    const folder = temporaryFolder();
    const path = what.startsWith('a path') ? join(folder, 'file', 'sessions.jsonl') : join(folder, 's.jsonl');
    make(path);
    const { logger, errors } = loggerFor(path);
    expect(logger.append(call())).toBe(false);
    expect(logger.stats()).toMatchObject({ written: 0, dropped: 1, lastError: errors[0] });
    expect(errors[0]!.message).toMatch(reason);
  });

  it('refuses a FIFO with a reader, and closes it', () => {
    const path = join(temporaryFolder(), 'fifo');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const opened: number[] = [];
    const { logger, errors } = loggerFor(path, {
      openSync: (...args) => {
        opened.push(openSync(...args));
        return opened.at(-1)!;
      },
      closeSync: (fd) => {
        opened.splice(opened.indexOf(fd), 1);
        closeSync(fd);
      },
    });
    expect(logger.append(call())).toBe(false);
    expect(errors[0]!.message).toMatch(/not a regular file/);
    expect(opened).toEqual([]);
    closeSync(reader);
  });

  it('refuses a device', () => {
    const { logger, errors } = loggerFor('/dev/null');
    expect(logger.append(call())).toBe(false);
    expect(errors[0]!.message).toMatch(/not a regular file/);
  });

  it('refuses a path with a NUL', () => {
    expect(loggerFor('a\0b').logger.append(call())).toBe(false);
  });

  it.skipIf(process.getuid?.() === 0)('drops in a folder that may not be written', () => {
    const folder = join(temporaryFolder(), 'closed');
    mkdirSync(folder, { mode: 0o500 });
    expect(loggerFor(join(folder, 's.jsonl')).logger.append(call())).toBe(false);
  });

  it('recovers when a failure to open passes', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let denied = true;
    const { logger, errors } = loggerFor(path, {
      openSync: (...args) => {
        if (denied) throw failure('EACCES');
        return openSync(...args);
      },
    });
    expect(logger.append(call())).toBe(false);
    denied = false;
    expect(logger.append(call())).toBe(true);
    expect(errors).toHaveLength(1);
    expect(linesOf(path)).toHaveLength(1);
  });
});

describe('a write', () => {
  it('is one for each line, whatever its size', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const sizes: number[] = [];
    const { logger } = loggerFor(path, {
      writeSync: (fd, buffer) => {
        sizes.push(buffer.length);
        return writeSync(fd, buffer);
      },
    });
    logger.append(call());
    logger.append(call({ prompt: 'x'.repeat(3_000_000) }));
    expect(sizes).toEqual(linesOf(path).map((line) => Buffer.byteLength(line) + 1));
  });

  it('starts on a new line after a torn tail', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    writeFileSync(path, '{"schema":"sess');
    const { logger } = loggerFor(path);
    logger.append(call());
    logger.append(call());
    const lines = linesOf(path);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe('{"schema":"sess');
    expect(lines.slice(1).map((line) => JSON.parse(line).kind)).toEqual(['fill', 'fill']);
  });

  it('leaves no blank line after a whole tail', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    loggerFor(path).logger.append(call());
    loggerFor(path).logger.append(call());
    expect(recordsOf(path)).toHaveLength(2);
  });

  it('starts on a new line when the tail cannot be read', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    writeFileSync(path, 'x');
    const { logger } = loggerFor(path, {
      openSync: (file, flags, mode) => {
        if (!(flags & constants.O_WRONLY)) throw failure('EACCES');
        return openSync(file, flags, mode);
      },
    });
    expect(logger.append(call())).toBe(true);
    expect(linesOf(path)[0]).toBe('x');
  });

  it.each([1, 40, -1])(
    'that is short by a full disk is dropped, and the next one stands alone: %d',
    (kept) => {
      const path = join(temporaryFolder(), 'sessions.jsonl');
      let full = true;
      const { logger, errors } = loggerFor(path, {
        writeSync: (fd, buffer) => writeSync(fd, full ? buffer.subarray(0, kept) : buffer),
      });
      expect(logger.append(call({ prompt: 'first' }))).toBe(false);
      full = false;
      expect(logger.append(call({ prompt: 'second' }))).toBe(true);
      expect(logger.append(call({ prompt: 'third' }))).toBe(true);
      expect(errors.map((error) => error.message)).toEqual([
        expect.stringMatching(/^short write: \d+ of \d+ bytes/),
      ]);
      expect(logger.stats()).toMatchObject({ written: 2, dropped: 1 });
      const lines = linesOf(path);
      expect(lines).toHaveLength(3);
      expect(lines.slice(1).map((line) => JSON.parse(line).prompt)).toEqual(['second', 'third']);
    },
  );

  it('after an error starts with a line feed in the same write', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const written: string[] = [];
    let full = false;
    const { logger } = loggerFor(path, {
      writeSync: (fd, buffer) => {
        if (full) throw failure('ENOSPC');
        written.push(Buffer.from(buffer).toString());
        return writeSync(fd, buffer);
      },
    });
    logger.append(call());
    full = true;
    expect(logger.append(call())).toBe(false);
    expect(logger.append(call())).toBe(false);
    full = false;
    logger.append(call());
    logger.append(call());
    expect(written.map((text) => [text.startsWith('\n'), text.endsWith('}\n')])).toEqual([
      [false, true],
      [true, true],
      [false, true],
    ]);
    expect(logger.stats()).toMatchObject({ written: 3, dropped: 2 });
    expect(logger.stats().lastError).toMatchObject({ code: 'ENOSPC' });
  });

  it('goes on when the folder may no longer be searched', () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    const { logger } = loggerFor(path, {
      lstatSync: () => {
        throw failure('EACCES');
      },
    });
    logger.append(call());
    expect(logger.append(call())).toBe(true);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
  });
});
