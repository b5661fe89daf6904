/** Changing the file of acknowledgements: several people at once lose nothing, and a planted link is not followed. */
import {
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { draftName } from '../draft-name.js';
import { LakelogError, messageOf, shellWord } from '../errors.js';
import { kernelPath } from '../kernel-path.js';
import { type AckLine, type Entry, placeOfAck } from '../schema/ack.js';
import { EXIT } from '../schema/result.js';
import { firstIssue, readAcks } from './acks.js';

// A planted link would have the line written somewhere else.
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const { O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;

/** Appends whole lines in one write; creates the file 0600. */
export async function appendAcks(file: string, acks: readonly AckLine[], cwd: string): Promise<void> {
  await ensureReadable(acks);
  const target = kernelPath(cwd, file);
  const text = acks.map((ack) => `${JSON.stringify(ack)}\n`).join('');
  await alone(file, target, 'may be refused', (locked) => {
    const fd = openSync(target, O_RDWR | O_APPEND | O_CREAT | SAFELY, 0o600);
    try {
      appendTo(fd, text, locked);
      // Whoever may not write to the folder cannot keep others from putting another file in the place of this one.
      if (!locked && statSync(target, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino)
        throw new Error('somebody put another file in its place meanwhile: try again');
    } finally {
      closeSync(fd);
    }
  });
}

/** Gates would refuse the file for good. */
async function ensureReadable(acks: readonly AckLine[]): Promise<void> {
  const { ackLine } = await import('../schema/envelope.js');
  for (const ack of acks) {
    const wrong = firstIssue(ackLine.safeParse(ack).error);
    if (wrong === null) continue;
    throw new LakelogError(`this cannot be acknowledged: ${wrong}`, {
      where: placeOfAck(ack),
      next: 'mend the record, or take it out of the log',
    });
  }
}

function appendTo(fd: number, text: string, locked: boolean): void {
  const { size } = regular(fstatSync(fd));
  const last = Buffer.alloc(1);
  const glued = size > 0 && (readSync(fd, last, 0, 1, size - 1) !== 1 || last[0] !== 10);
  const bytes = Buffer.from(`${glued ? '\n' : ''}${text}`);
  if (writeSync(fd, bytes) === bytes.length) return;
  // Half a line would keep every gate from reading the rest.
  if (locked) ftruncateSync(fd, size);
  throw new Error('the disk is full');
}

/**
 * Takes lines out and leaves all others byte for byte as they stand, in one rename.
 * @param choose numbers of lines, of what stands there once nobody else changes it.
 * @returns what was taken out.
 */
export async function removeAcks(
  file: string,
  cwd: string,
  choose: (entries: readonly Entry[]) => ReadonlySet<number>,
): Promise<readonly Entry[]> {
  const target = kernelPath(cwd, file);
  return alone(file, target, 'needed', async () => {
    const entries = (await readAcks(file, cwd))?.entries ?? [];
    const chosen = choose(entries);
    if (chosen.size > 0) rewrite(target, chosen);
    return entries.filter(({ line }) => chosen.has(line));
  });
}

function rewrite(target: string, without: ReadonlySet<number>): void {
  const stats = regular(lstatSync(target));
  const lines = readFileSync(target, 'latin1').split('\n');
  const kept = Buffer.from(lines.filter((_, i) => !without.has(i + 1)).join('\n'), 'latin1');
  const draft = path.join(path.dirname(target), draftName());
  try {
    const fd = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | SAFELY, 0o600);
    try {
      writeFileSync(fd, kept);
      fchmodSync(fd, stats.mode & 0o7777);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    keepOwner(draft, stats);
    renameSync(draft, target);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Root mends the files of others. */
function keepOwner(draft: string, { uid, gid }: Stats): void {
  const own = statSync(draft);
  if (own.uid !== uid || own.gid !== gid) chownSync(draft, uid, gid);
}

function regular(stats: Stats): Stats {
  if (stats.isSymbolicLink()) throw new Error(LINK);
  if (!stats.isFile()) throw new Error('it is not a regular file');
  return stats;
}

const LINK = 'it is a link, which is read but never written through';

/** @internal How long anybody waits; who has the lock needs milliseconds. */
export const WAIT = { ms: 10_000 };

/**
 * Does something while nobody else changes the file.
 * @param lock whether it may be done without, where the folder cannot be written to.
 * @throws LakelogError with exit 3 where another one never let go of it.
 */
async function alone<T>(
  file: string,
  target: string,
  lock: 'needed' | 'may be refused',
  work: (locked: boolean) => T | Promise<T>,
): Promise<T> {
  // No name of a log: it would be read as one where acknowledgements lie beside the logs.
  const name = path.join(path.dirname(target), `.${path.parse(target).name}.lock`);
  let locked = false;
  try {
    locked = await take(name, lock === 'needed');
    return await work(locked);
  } catch (error) {
    if (error instanceof LakelogError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new LakelogError(
      `the acknowledgement cannot be written: ${code === 'ELOOP' ? LINK : messageOf(error)}`,
      { where: file, next: 'name another file with --acks', cause: error },
    );
  } finally {
    if (locked) rmSync(name, { force: true });
  }
}

/** @returns false where the folder cannot be written to. */
async function take(name: string, needed: boolean): Promise<boolean> {
  for (const start = Date.now(); ; await sleep(15 + 20 * Math.random())) {
    try {
      const fd = openSync(name, O_WRONLY | O_CREAT | O_EXCL | SAFELY, 0o600);
      writeSync(fd, `process ${process.pid} on ${os.hostname()}\n`);
      closeSync(fd);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (!needed && (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')) return false;
      if (code !== 'EEXIST') throw error;
    }
    if (Date.now() - start < WAIT.ms) continue;
    throw new LakelogError(`${holderOf(name)} is changing the acknowledgements and does not finish`, {
      where: name,
      next: `try again; if it is gone: rm ${shellWord(name)}`,
      exitCode: EXIT.cannotVouch,
    });
  }
}

function holderOf(name: string): string {
  try {
    return readFileSync(name, 'utf8').trim() || 'another process';
  } catch {
    return 'another process';
  }
}
