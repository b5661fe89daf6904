/** Opening the file of a lake: never what is none, and never while another process writes to it. */
import {
  accessSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adviceFor, LakelogError, messageOf, shellWord, whyUnreadable } from '../../errors.js';
import { kernelPath } from '../../kernel-path.js';
import { EXIT } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import { isBroken, removeSeal, unseal } from './seal.js';
import { createLake, LAKE_FORMAT, type Making } from './tables.js';

export interface LakeFile {
  /** As the user named it, and where that is. */
  readonly name: string;
  readonly path: string;
  /** Seconds to wait for another process. */
  readonly lockTimeoutS: number;
}

/**
 * Links are followed: the engine puts what it writes ahead beside the name by which it opens a file, so that under
 * another name the last transaction of a run that was killed would be missing.
 */
export function lakeFileOf(name: string, cwd: string, lockTimeoutS: number): LakeFile {
  const given = kernelPath(cwd, name);
  try {
    return { name, path: realpathSync.native(given), lockTimeoutS };
  } catch {
    return { name, path: given, lockTimeoutS };
  }
}

/** Name of the catalog. */
export const CATALOG = 'lake';

/** What a DuckDB file begins with, behind a checksum, and its version after it. */
const MAGIC = { at: 8, text: 'DUCK', version: 12 };
/** Versions of the format that this engine reads. */
const OLDEST = 64n;
const NEWEST = 68n;

/** Only one that is damaged is put aside without a look at what it is. */
export class DamagedLake extends LakelogError {}

const damagedLake = ({ name }: Pick<LakeFile, 'name'>, detail: string): LakelogError =>
  new DamagedLake(`the lake is damaged: ${detail}`, {
    where: name,
    next: `make it anew from the logs, which remain the only truth: lakelog sync --lake ${shellWord(name)} --rebuild`,
    exitCode: EXIT.cannotVouch,
  });

const noLake = ({ name }: LakeFile, what: string, next = 'name another file: --lake FILE'): LakelogError =>
  new LakelogError(`${what}, and is left as it is`, { where: name, next });

/**
 * Looks at the file before the engine does, which would take a log for a database of its own or fetch an extension.
 * Closed again before it is opened there: a lock falls when any descriptor of the process closes.
 * @returns whether there is one.
 * @throws LakelogError for what is no lake.
 */
export function isThere(file: LakeFile): boolean {
  const head = Buffer.alloc(20);
  if (file.name.endsWith('/')) throw folder(file);
  try {
    const stats = statSync(file.path);
    if (stats.isDirectory()) throw folder(file);
    if (!stats.isFile()) throw noLake(file, 'this is no regular file, so no lake');
    ensureNoPipe(file);
    const fd = openSync(file.path, 'r');
    try {
      readSync(fd, head, 0, head.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof LakelogError) throw error;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing && !lstatSync(file.path, { throwIfNoEntry: false })) return false;
    if (isMissing) throw noLake(file, 'this is a link to a file that does not exist');
    throw new LakelogError(`the lake cannot be opened: ${whyUnreadable(error)}`, {
      where: file.name,
      next: 'make it readable for this user, or name another file',
    });
  }
  if (head.toString('latin1', MAGIC.at, MAGIC.version) !== MAGIC.text) {
    const isEmpty = head.every((byte) => byte === 0);
    throw noLake(file, isEmpty ? 'the file is empty, no lake' : 'this is no lake (a log?)');
  }
  const version = head.readBigUInt64LE(MAGIC.version);
  if (version < OLDEST || version > NEWEST) throw newer(file);
  return true;
}

/** The engine would wait for it. */
function ensureNoPipe(file: LakeFile): void {
  const wal = statSync(`${file.path}.wal`, { throwIfNoEntry: false });
  if (wal && !wal.isFile())
    throw new LakelogError('what stands where the lake has its log of changes is no regular file', {
      where: `${file.name}.wal`,
      next: 'move it away, and run the same command again',
    });
}

const folder = (file: LakeFile) =>
  noLake(file, 'this is a folder, and a lake is a file', 'name a file: --lake FILE');

const newer = (file: LakeFile) =>
  noLake(file, 'this lake was made by a newer version', 'update lakelog, or name another file: --lake FILE');

/** Attaches the lake and makes it the current catalog. @throws LakelogError (exit 3) where another process holds it. */
export async function attach(db: Database, file: LakeFile, mode: 'read' | 'write'): Promise<void> {
  if (mode === 'write') ensureWritable(file, [file.path, path.dirname(file.path)]);
  await whenFree(file, mode, async () => {
    if (mode === 'read' && isBroken(file.path))
      throw damagedLake(file, 'its blocks are not those that the last run left there');
    const how = mode === 'read' ? 'READ_ONLY' : `STORAGE_VERSION 'v1.5.0'`;
    await db.run(
      `SET checkpoint_threshold = '1GB'; SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
       ATTACH ${quote(file.path)} AS ${CATALOG} (TYPE duckdb, ${how}); USE ${CATALOG}`,
    );
  });
  db.explainFailures((error) => explained(error, file));
  try {
    await ensureLake(db, file);
  } catch (error) {
    await detach(db);
    throw error;
  }
  if (mode === 'write') db.whenClosed(unseal(file.path));
}

/** The engine's own words would name a file that nobody knows. */
function ensureWritable(file: LakeFile, places: readonly string[]): void {
  try {
    for (const place of places) accessSync(place, constants.W_OK);
  } catch (error) {
    throw new LakelogError(`the lake cannot be written to: ${whyUnreadable(error)}`, {
      where: file.name,
      next: 'let this user write to it and to its folder (ls -ld), or name another file: --lake FILE',
    });
  }
}

/** Whether a run was killed that had written ahead, which every other one has to go through until one may put it in. */
export function isLeftBehind({ path: lake }: LakeFile): boolean {
  try {
    for (const place of [`${lake}.wal`, lake, path.dirname(lake)]) accessSync(place, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export async function detach(db: Database): Promise<void> {
  await db.run(`USE memory; DETACH ${CATALOG}`);
}

async function ensureLake(db: Database, file: LakeFile): Promise<void> {
  const [lake] = await db.objects<{ format: number }>('SELECT format FROM main.lake').catch((error) => {
    if (!/^(Catalog|Binder) Error/.test(messageOf(error))) throw explained(error, file);
    throw noLake(file, 'this is another database, no lake');
  });
  if (lake === undefined) throw damagedLake(file, 'it does not say what it is');
  if (lake.format > LAKE_FORMAT) throw newer(file);
}

/**
 * Puts an empty lake where there is none, under a name of its own first, so that nobody ever sees half of one.
 * Whoever comes first wins.
 */
export async function create(db: Database, file: LakeFile, making: Making): Promise<void> {
  ensureWritable(file, [path.dirname(file.path)]);
  const draft = `${file.path}.new-${process.pid}`;
  db.explainFailures((error) => explained(error, file));
  try {
    await db.run(`ATTACH ${quote(draft)} AS draft (STORAGE_VERSION 'v1.5.0'); USE draft`);
    await createLake(db, making);
    await db.run('USE memory; DETACH draft');
    const ahead = `${file.path}.wal`;
    const stale = statSync(ahead, { throwIfNoEntry: false });
    linkSync(draft, file.path);
    // Of a lake that somebody deleted: it would be taken for that of the new one. Nobody else made one since.
    if (stale !== undefined && statSync(ahead, { throwIfNoEntry: false })?.ino === stale.ino) rmSync(ahead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotMake(error, file);
  } finally {
    for (const end of ['', '.wal']) rmSync(draft + end, { force: true });
  }
}

function cannotMake(error: unknown, { name }: LakeFile): unknown {
  if (error instanceof LakelogError) return error;
  const advice = adviceFor(error);
  const [, reason = 'it cannot be opened'] = /Cannot open file ".*": (.*)/.exec(messageOf(error)) ?? [];
  return new LakelogError(`the lake cannot be made: ${advice?.what ?? reason}`, {
    where: name,
    next: advice?.next ?? 'name a file in a folder that is there and may be written to: --lake FILE',
    cause: error,
  });
}

/**
 * Takes a lake out of the way, to be made anew; what was there stays beside it.
 * @throws LakelogError for what is no lake, and where another process holds it.
 */
export async function setAside(db: Database, file: LakeFile): Promise<void> {
  if (!isThere(file)) return;
  try {
    await attach(db, file, 'write');
    await detach(db);
  } catch (error) {
    if (!(error instanceof DamagedLake)) throw error;
  }
  removeSeal(file.path);
  const aside = freeName(`${file.path}.damaged`);
  for (const end of ['', '.wal']) {
    try {
      renameSync(file.path + end, aside + end);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Nothing that was put aside before is lost. */
function freeName(name: string): string {
  for (let n = 1; ; n++) {
    const free = n === 1 ? name : `${name}-${n}`;
    if (!lstatSync(free, { throwIfNoEntry: false })) return free;
  }
}

const RETRY_MS = 25;
/** A writer that waits longer than that has been killed. */
const WANT_MS = 10_000;

/** Readers one after the other would keep a writer out for ever, so it leaves word that it waits. */
async function whenFree(file: LakeFile, mode: 'read' | 'write', open: () => Promise<void>): Promise<void> {
  const want = `${file.path}.want`;
  const until = Date.now() + file.lockTimeoutS * 1_000;
  let waits = false;
  try {
    for (;;) {
      const isOver = Date.now() >= until;
      if (mode === 'read' && !isOver && isYoung(want)) {
        await sleep(RETRY_MS * (1 + Math.random()));
        continue;
      }
      try {
        return await open();
      } catch (error) {
        const held = /Could not set lock on file|Conflicting lock is held/.test(messageOf(error));
        if (!held) throw explained(error, file);
        if (isOver) throw stillHeld(error, file);
      }
      if (mode === 'write') {
        waits = true;
        touch(want);
      }
      await sleep(RETRY_MS * (1 + Math.random()));
    }
  } finally {
    if (waits) rmSync(want, { force: true });
  }
}

function isYoung(file: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) < WANT_MS;
}

function touch(file: string): void {
  try {
    const now = new Date();
    writeFileSync(file, '', { flag: 'a', mode: 0o600 });
    utimesSync(file, now, now);
  } catch {
    // Without it a writer waits its turn like anybody else.
  }
}

/** @param what came of it, in words that the holder is put into. */
export function stillHeld(
  error: unknown,
  { name, lockTimeoutS }: Pick<LakeFile, 'name' | 'lockTimeoutS'>,
  what = (holder: string) => `nothing was checked: ${holder} held the lake for ${lockTimeoutS} s`,
): LakelogError {
  const [, holder = 'another process'] = /(?:held in .*?)?\((PID \d+)\)/.exec(messageOf(error)) ?? [];
  return new LakelogError(what(holder), {
    where: name,
    next: `wait for it (--lock-timeout 5m), or see what it does: ps -fp ${/\d+/.exec(holder)?.[0] ?? 'PID'}`,
    exitCode: EXIT.cannotVouch,
  });
}

/** Every block carries a checksum; what is wrong in spite of it makes the engine give up. */
const DAMAGE =
  /^(FATAL|INTERNAL|Serialization) Error|^IO Error:.*(corrupt|checksum|could not read enough bytes|does not match|not a valid DuckDB|MetadataReader)|WAL file/i;

const noRoom = ({ name }: Pick<LakeFile, 'name'>, cause: unknown): LakelogError =>
  new LakelogError('there is no room left for the lake', {
    where: name,
    next: 'make room on its disk (df -h) and run the same command again; what the lake had is still there',
    cause,
  });

/** What the engine says of a file that it cannot read or write. */
export function explained(error: unknown, file: Pick<LakeFile, 'name'>): unknown {
  if (error instanceof LakelogError) return error;
  const message = messageOf(error).split('\n', 1)[0]!;
  // The last line says it where a checkpoint did not come to its end.
  if (/No space left|ENOSPC|Disk quota/i.test(messageOf(error))) return noRoom(file, error);
  if (/^Out of Memory/.test(message)) return error;
  return DAMAGE.test(message) ? damagedLake(file, message) : error;
}
