import { type BigIntStats, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import picomatch from 'picomatch';
import type { InputProblem } from '../../schema/result.js';
import { reasonOf } from './reasons.js';

/**
 * From what a user wrote to what stands there. By ourselves and not by DuckDB, which skips an unreadable folder and a
 * dangling link silently and takes `a[1].jsonl` for a pattern.
 */

export interface Place {
  /** As the user wrote it, with what was found below it. */
  readonly name: string;
  readonly path: string;
}

/**
 * The path that the kernel is given for what a user wrote. Nothing is shortened in the text: `link/../x` lies beside
 * what the link leads to, where `path.resolve` looks beside the link.
 */
export function kernelPath(cwd: string, given: string): string {
  return path.isAbsolute(given) ? given : `${cwd}${path.sep}${given}`;
}

export function statOf(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Names of one file have one. 64-bit inodes do not fit a number. */
export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** What stands at a place, or why that cannot be known. */
export function look({ name, path }: Place): { readonly stats: BigIntStats } | InputProblem {
  try {
    return { stats: statSync(path, { bigint: true }) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    const detail = isMissing && isLink(path) ? 'is a link to a file that does not exist' : reasonOf(error);
    return { path: name, problem: isMissing ? 'missing' : 'unreadable', detail };
  }
}

function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
}

/** What is looked for below a folder; paths are relative to it. */
export interface Search {
  matches(relative: string): boolean;
  /** Something below may match. */
  enters(relative: string): boolean;
}

const EVERYTHING: Search = { matches: () => true, enters: () => true };

export interface Found extends Place {
  readonly stats: BigIntStats;
  /** It lies in a folder that is read whole, where its content decides; else a pattern matched its name. */
  readonly inFolder: boolean;
}

/** Everything below a folder that is looked for, but folders themselves, in order of names. */
export function* walk(
  folder: Place,
  search: Search = EVERYTHING,
  relative = '',
  above: ReadonlySet<string> = new Set(),
): Generator<Found | InputProblem> {
  let entries: string[];
  let here: ReadonlySet<string>;
  try {
    // A link back up would be walked for ever. Not Node's own realpath, which shortens `link/..` in the text.
    const real = realpathSync.native(folder.path);
    if (above.has(real)) return;
    here = new Set(above).add(real);
    entries = readdirSync(folder.path).sort();
  } catch (error) {
    yield { path: folder.name, problem: 'unreadable', detail: reasonOf(error) };
    return;
  }
  for (const entry of entries) {
    const below = relative + entry;
    const matches = search.matches(below);
    if (!matches && !search.enters(below)) continue;
    const child = { name: childOf(folder.name, entry), path: `${folder.path}/${entry}` };
    const seen = look(child);
    // It may be a folder full of logs.
    if ('problem' in seen) yield seen;
    // A folder of a matching name is read whole, as it is where the shell spells out the pattern.
    else if (seen.stats.isDirectory()) yield* walk(child, matches ? EVERYTHING : search, `${below}/`, here);
    else if (matches) yield { ...child, stats: seen.stats, inFolder: search === EVERYTHING };
  }
}

/** The name of an entry, with the folder as it was written in front of it. */
function childOf(folder: string, entry: string): string {
  const bare = folder.replace(/\/+$/, '');
  return bare === '.' ? entry : `${bare}/${entry}`;
}

// An exclamation mark is a character of the name, as in a shell.
const OPTIONS = { dot: false, nonegate: true } as const;

/** The folder that a pattern begins in, as it was written, and what it looks for there; null where the text holds none. */
export function parseGlob(text: string): (Search & { readonly folder: string }) | null {
  const { isGlob, base, glob } = picomatch.scan(text, OPTIONS);
  if (!isGlob) return null;
  const pattern = glob.replace(/\/+$/, '').replace(/\/(\.?\/)+/g, '/');
  const matches = picomatch(pattern, OPTIONS);
  const steps = pattern.split('/');
  // Alternatives may hold slashes, and ** any number of folders.
  const isOpen = /[{(]|\*\*/.test(pattern);
  return {
    folder: base === '' ? '.' : base.replace(/\\(.)/g, '$1'),
    matches: (relative) => matches(relative),
    enters: (relative) => {
      const depth = relative.split('/').length;
      return (
        isOpen || (depth < steps.length && picomatch(steps.slice(0, depth).join('/'), OPTIONS)(relative))
      );
    },
  };
}
