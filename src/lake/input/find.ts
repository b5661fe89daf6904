import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { LakelogError, NO_FILE, whyUnreadable } from '../../errors.js';
import { kernelPath } from '../../kernel-path.js';
import type { InputProblem } from '../../schema/result.js';
import { Changed, problemOf, Unreadable } from './reasons.js';

/**
 * From what a user wrote to what stands there. By ourselves and not by DuckDB, which skips an unreadable folder and a
 * dangling link silently and takes `a[1].jsonl` for a pattern.
 */

/** What a file is said to hold; `any` = each line says it itself. */
export type Assertion = 'sessions' | 'replay_runs' | 'any';

export interface InputRequest {
  readonly path: string;
  readonly as: Assertion;
  /** Path of the request of a log whose predecessor it is. */
  readonly of?: string;
  /** Nobody named it: it stands in a usual place. */
  readonly isDefault?: boolean;
}

export interface Place {
  /** As the user wrote it, with what was found below it; what receipts and errors show. */
  readonly name: string;
  /** What is opened. */
  readonly path: string;
}

export interface Candidate extends Place {
  readonly as: Assertion;
  /** As it was found, to be known again under another name; null for stdin. */
  readonly stats: BigIntStats | null;
  /** By its own name, by a pattern, or because it lies in a folder that is read whole, where its content decides. */
  readonly found: 'named' | 'matched' | 'inFolder';
}

export interface Findings {
  /** Everything but folders, in order of names. */
  readonly found: readonly (Candidate | InputProblem)[];
  /** What is wrong where no log is among them. */
  readonly ifNone: InputProblem;
}

const NO_LOG = new Unreadable(NO_FILE, { next: 'name the file that the service logs to' });

/** A rotation renames files for some milliseconds, and then no more. */
const LOOKS = 5;

/**
 * What a request means. A rotation during the look at a folder could carry a file from a name that is still to be
 * looked at to one that was not listed, so that nobody reads it: the folder is looked at until no name has changed.
 */
export async function findSettled(request: InputRequest, cwd: string): Promise<Findings> {
  let before = await find(request, cwd);
  if (before.found.every((one) => 'problem' in one || one.found === 'named')) return before;
  for (let looks = 1; looks < LOOKS; looks++) {
    const now = await find(request, cwd);
    const names = new Set(now.found.map(whichUnderName));
    if (before.found.every((one) => names.has(whichUnderName(one)))) return now;
    before = now;
  }
  const moving = new Changed('its files were renamed each time that they were looked at');
  return { ...before, found: [problemOf(request.path, moving)] };
}

function whichUnderName(one: Candidate | InputProblem): string {
  if ('problem' in one) return `${one.path}\0${one.problem}`;
  return `${one.name}\0${one.stats ? identityOf(one.stats) : '-'}`;
}

async function find({ path: given, as }: InputRequest, cwd: string): Promise<Findings> {
  const place = { name: given, path: kernelPath(cwd, given) };
  const none = (problem: InputProblem['problem'], detail: string) => ({ path: given, problem, detail });
  const seen = given === '-' ? { stats: null } : look(place);
  if ('problem' in seen) {
    const glob = seen.problem === 'missing' ? await parseGlob(given) : null;
    if (glob === null) return { found: [], ifNone: seen };
    const folder = { name: glob.folder, path: kernelPath(cwd, glob.folder) };
    const found = statOf(folder.path)?.isDirectory() ? all(walk(folder, as, glob), given) : [];
    return { found, ifNone: none('missing', 'no file matches the pattern') };
  }
  if (seen.stats?.isDirectory()) {
    const detail = 'the folder holds no log: no .jsonl or .ndjson file, and no record';
    return { found: all(walk(place, as), given), ifNone: none('no_logs', detail) };
  }
  const named = {
    ...place,
    path: given === '-' ? '-' : place.path,
    as,
    stats: seen.stats,
    found: 'named',
  } as const;
  return { found: [named], ifNone: problemOf(given, NO_LOG) };
}

/** A folder of more files was hardly meant (`/`, `/proc`), and their names alone would fill the memory. */
const MOST_FILES = 200_000;

function all<T>(found: Iterable<T>, given: string): T[] {
  const gathered: T[] = [];
  for (const one of found) {
    if (gathered.push(one) <= MOST_FILES) continue;
    throw new LakelogError(`more than ${MOST_FILES} files lie below the folder`, {
      where: given,
      next: 'name the folder or the files that hold the logs',
    });
  }
  return gathered;
}

/** Of a request or of what it led to; `-` is no path. */
export const absolutePath = (given: string, cwd: string): string =>
  given === '-' ? given : kernelPath(cwd, given);

export function statOf(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** None of a folder that cannot be read. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Names of one file have one. 64-bit inodes do not fit a number. */
export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** What stands at a place, or why that cannot be known. */
function look({ name, path: place }: Place): { readonly stats: BigIntStats } | InputProblem {
  try {
    const stats = statSync(place, { bigint: true });
    // Nobody can tell which of two was meant.
    return isNoText(place) ? problemOf(name, NO_TEXT) : { stats };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    if (isMissing && isNoText(place)) return problemOf(name, NO_TEXT);
    const detail =
      isMissing && isLink(place) ? 'is a link to a file that does not exist' : whyUnreadable(error);
    return { path: name, problem: isMissing ? 'missing' : 'unreadable', detail };
  }
}

const NO_TEXT = new Unreadable('its name is not UTF-8, so that it cannot be opened', { next: 'rename it' });

/** What a name shows that is not UTF-8; no other file can be told from it. */
export const REPLACED = '\ufffd';

/** Something stands there whose name, or that of a folder above it, only looks so. */
function isNoText(file: string): boolean {
  if (!file.includes(REPLACED)) return false;
  const [name, folder] = [path.basename(file), path.dirname(file)];
  try {
    const names = name.includes(REPLACED) ? readdirSync(folder, { encoding: 'buffer' }) : [];
    if (names.some((raw) => raw.toString() === name && !raw.equals(Buffer.from(name)))) return true;
  } catch {}
  return folder !== file && isNoText(folder);
}

function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
}

/** What is looked for below a folder; paths are relative to it. */
interface Search {
  matches(relative: string): boolean;
  /** Something below may match. */
  enters(relative: string): boolean;
}

const EVERYTHING: Search = { matches: () => true, enters: () => true };

/** Everything below a folder that is looked for. */
function* walk(
  folder: Place,
  as: Assertion,
  search: Search = EVERYTHING,
  relative = '',
  above: ReadonlySet<string> = new Set(),
): Generator<Candidate | InputProblem> {
  let entries: string[];
  let here: ReadonlySet<string>;
  try {
    // A link back up would be walked for ever. Two folders may have paths that look alike.
    const identity = identityOf(statSync(folder.path, { bigint: true }));
    if (above.has(identity)) return;
    here = new Set(above).add(identity);
    entries = readdirSync(folder.path).sort();
  } catch (error) {
    yield { path: folder.name, problem: 'unreadable', detail: whyUnreadable(error) };
    return;
  }
  for (const [i, entry] of entries.entries()) {
    const below = relative + entry;
    const matches = search.matches(below);
    if (!matches && !search.enters(below)) continue;
    const child = { name: childOf(folder.name, entry), path: `${folder.path}/${entry}` };
    // Of two names that look alike one is not UTF-8.
    const seen = entry === entries[i - 1] ? problemOf(child.name, NO_TEXT) : look(child);
    // It may be a folder full of logs.
    if ('problem' in seen) yield seen;
    // A folder of a matching name is read whole, as it is where the shell spells out the pattern.
    else if (seen.stats.isDirectory())
      yield* walk(child, as, matches ? EVERYTHING : search, `${below}/`, here);
    // What a file is said to hold is not said of those in a folder.
    else if (matches && search === EVERYTHING)
      yield { ...child, as: 'any', stats: seen.stats, found: 'inFolder' };
    else if (matches) yield { ...child, as, stats: seen.stats, found: 'matched' };
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
async function parseGlob(text: string): Promise<(Search & { readonly folder: string }) | null> {
  const { default: picomatch } = await import('picomatch');
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
