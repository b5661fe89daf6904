/** Where the files of a folder lake are written: few operations, so that an object store with conditional put can follow. */
import { randomBytes } from 'node:crypto';
import {
  type BigIntStats,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { LakelogError } from '../../errors.js';
import { makeFolder } from '../../make-folder.js';

/** Names are paths from the lake's folder, with `/`. */
export interface Place {
  /**
   * Makes a file of these bytes, or of a file of `stage`, which is one no more: whole or not at all.
   * @returns false where there is one of this name already, which stays as it is.
   */
  put(name: string, content: Uint8Array | { readonly staged: string }): boolean;
  /** The same of what nobody's truth rests on: what was there before is gone. */
  replace(name: string, content: Uint8Array): void;
  /** Names of all files below a folder; none where there is no such folder. */
  list(under: string): string[];
  has(name: string): boolean;
  /** @throws an error of the system, ENOENT where there is none. */
  read(name: string): Buffer;
  remove(name: string): void;
}

/** A folder that nobody reads, for files that are being made. */
export interface Stage {
  /** Absolute. */
  readonly path: string;
  remove(): void;
}

const STAGING = '.staging';
/** Whoever staged what is older was killed. */
const LEFT_MS = 24 * 3_600_000;

/** A local or mounted folder that has hard links. */
export class LocalPlace implements Place {
  /** Absolute. */
  readonly path: string;

  constructor(folder: string) {
    this.path = folder;
  }

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  put(name: string, content: Uint8Array | { readonly staged: string }): boolean {
    const target = this.at(name);
    makeFolder(path.dirname(target));
    if ('staged' in content) return moved(content.staged, target);
    const stage = this.stage();
    try {
      const staged = path.join(stage.path, 'content');
      writeFileSync(staged, content, { flush: true });
      return moved(staged, target);
    } finally {
      stage.remove();
    }
  }

  replace(name: string, content: Uint8Array): void {
    const target = this.at(name);
    makeFolder(path.dirname(target));
    const stage = this.stage();
    try {
      const staged = path.join(stage.path, 'content');
      writeFileSync(staged, content);
      renameSync(staged, target);
    } finally {
      stage.remove();
    }
  }

  list(under: string): string[] {
    try {
      return readdirSync(this.at(under), { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map(({ parentPath, name }) =>
          `${parentPath}/${name}`.slice(this.path.length + 1).replaceAll(path.sep, '/'),
        );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  has(name: string): boolean {
    return statSync(this.at(name), { throwIfNoEntry: false }) !== undefined;
  }

  read(name: string): Buffer {
    const file = this.at(name);
    // Nobody waits for who would write into a pipe.
    if (!statSync(file).isFile())
      throw new LakelogError('it is no file', { where: file, next: 'take it out of the lake', exitCode: 3 });
    return readFileSync(file);
  }

  /** As a file was found, or a link that leads nowhere; not there: none is. @throws an error of the system. */
  statsOf(name: string): BigIntStats | undefined {
    const link = lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false });
    if (!link?.isSymbolicLink()) return link;
    try {
      return statSync(this.at(name), { bigint: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ELOOP') return link;
      throw error;
    }
  }

  remove(name: string): void {
    rmSync(this.at(name), { force: true });
  }

  stage(): Stage {
    const folder = this.at(`${STAGING}/${randomBytes(8).toString('hex')}`);
    makeFolder(folder);
    return { path: folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
  }

  /**
   * Names of files that somebody is making now, or was killed while making.
   * @param now by the clock of who keeps the folder.
   */
  staged(now = Date.now()): { readonly name: string; readonly ageMs: number }[] {
    return this.list(STAGING).flatMap((name) => {
      const stats = statSync(this.at(name), { throwIfNoEntry: false });
      return stats ? [{ name: path.posix.basename(name), ageMs: now - stats.ctimeMs }] : [];
    });
  }

  /** Removes what was left behind long ago. */
  tidy(): void {
    const own = this.stage();
    const now = changedMs(own.path);
    own.remove();
    for (const name of readdirSync(this.at(STAGING), { encoding: 'utf8' })) {
      const folder = this.at(`${STAGING}/${name}`);
      const stats = statSync(folder, { throwIfNoEntry: false });
      if (stats && now - stats.ctimeMs > LEFT_MS) rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** A place as it is without some of its files. */
export class Without extends LocalPlace {
  private readonly hidden: ReadonlySet<string>;

  constructor(folder: string, hidden: ReadonlySet<string>) {
    super(folder);
    this.hidden = hidden;
  }

  override list(under: string): string[] {
    return super.list(under).filter((name) => !this.hidden.has(name));
  }

  override has(name: string): boolean {
    return !this.hidden.has(name) && super.has(name);
  }

  override statsOf(name: string): BigIntStats | undefined {
    return this.hidden.has(name) ? undefined : super.statsOf(name);
  }
}

/** By the clock of who keeps the folder, which may be another machine. */
export const changedMs = (file: string): number => statSync(file).ctimeMs;

function moved(from: string, to: string): boolean {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  // Later it would be a change of the file, by its ctime, to who has seen it by then.
  rmSync(from);
  return true;
}

/** What a commit names is on the disk before the commit is. All at once, because a disk writes many as fast as one. */
export async function allSynced(files: readonly string[]): Promise<void> {
  await Promise.all(
    files.map(async (file) => {
      const handle = await open(file, 'r+');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }),
  );
}

/**
 * Files get the permissions that the folder gives: who may not look into it may not look into them.
 * @throws what `write` throws; an error of the system that names no file names the folder.
 */
export async function asFilesOf<T>(folder: string, write: () => Promise<T>): Promise<T> {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0o700;
  const before = process.umask(~mode & 0o777);
  try {
    return await write();
  } catch (error) {
    const { syscall, path: named } = error as NodeJS.ErrnoException;
    if (syscall !== undefined && named === undefined) Object.assign(error as Error, { path: folder });
    throw error;
  } finally {
    process.umask(before);
  }
}
