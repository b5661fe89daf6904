import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SessionLogger } from '../../src/log/index.js';
import { withLake } from '../support/lake.js';
import { call, faultyFs, linesOf, real, temporaryFolder } from './support.js';

const mounts: string[] = [];
afterEach(() => {
  for (const folder of mounts.splice(0)) execFileSync('umount', ['-l', folder]);
});

function smallDisk(megabytes: number): string | undefined {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'lakelog-test', folder], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  mounts.push(folder);
  return folder;
}

function loaded(path: string) {
  return withLake('SELECT seq FROM sessions', [{ path, as: 'sessions' }], async (_, account) => ({
    ...account.files[0]!,
    missing: account.gaps.reduce((sum, gap) => sum + gap.missing, 0),
  }));
}

/** Fills a disk of 1 MB, makes room, goes on; what the file then holds must be what the logger says. */
async function fillAndRecover(logger: SessionLogger, path: string, makeRoom: () => void): Promise<void> {
  const prompt = 'x'.repeat(2_000);
  for (let i = 0; i < 1_000; i++) expect(logger.append(call({ prompt }))).toBe(true);
  await logger.flush();
  const full = logger.stats();
  expect(full).toMatchObject({ queued: 0 });
  expect(full.written).toBeGreaterThan(200);
  expect(full.droppedBy.write_failed).toBe(1_000 - full.written);
  expect(full.dropped).toBeGreaterThan(200);

  makeRoom();
  for (let i = 0; i < 100; i++) logger.append(call({ prompt: 'after' }));
  await logger.close();
  expect(logger.stats()).toMatchObject({ written: full.written + 100, dropped: full.dropped, queued: 0 });

  const file = await loaded(path);
  expect(file).toMatchObject({ loaded: full.written + 100, duplicates: 0, missing: full.dropped });
  expect(file.lines).toBe(file.loaded + file.rejected + file.blank);
  const good = linesOf(path).filter((line) => line.endsWith('}'));
  expect(good).toHaveLength(full.written + 100);
  for (const line of good) JSON.parse(line);
}

describe('a disk that fills up', () => {
  it('harms neither the host nor a line: tmpfs', async ({ skip }) => {
    const folder = smallDisk(1);
    if (!folder) return skip('mounting a tmpfs is not allowed here');
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(300_000));
    const path = join(folder, 'sessions.jsonl');
    const errors: Error[] = [];
    const logger = new SessionLogger(path, { deadlineMs: 500, onError: (error) => errors.push(error) });
    await fillAndRecover(logger, path, () => rmSync(ballast));
    expect(errors.map((error) => (error as NodeJS.ErrnoException).code ?? error.name)).toEqual(
      expect.arrayContaining(['ENOSPC', 'LostLines']),
    );
  });

  it('harms neither the host nor a line: short counts and ENOSPC from the file system', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let room = 700_000;
    const fs = faultyFs({
      write: (fd, buffer, offset, length) => {
        if (room === 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
        const written = real.write(fd, buffer, offset, Math.min(length, room));
        room -= written;
        return written;
      },
    });
    const logger = new SessionLogger(path, { fs, deadlineMs: 200, onError: () => {} });
    await fillAndRecover(logger, path, () => {
      room = Number.POSITIVE_INFINITY;
    });
  });

  it('loses nothing when room is made in time', async () => {
    const path = join(temporaryFolder(), 'sessions.jsonl');
    let room = 100_000;
    const fs = faultyFs({
      write: (fd, buffer, offset, length) => {
        const written = real.write(fd, buffer, offset, Math.min(length, room));
        room -= written;
        return written;
      },
    });
    const logger = new SessionLogger(path, { fs, onError: () => {} });
    for (let i = 0; i < 500; i++) logger.append(call({ prompt: 'x'.repeat(1_000) }));
    setTimeout(() => {
      room = Number.POSITIVE_INFINITY;
    }, 250);
    await logger.close();
    expect(logger.stats()).toMatchObject({ written: 500, dropped: 0 });
    // The half line that the full disk left is there, and its record again, whole.
    expect(await loaded(path)).toMatchObject({ loaded: 500, rejected: 1, missing: 0 });
  });
});
