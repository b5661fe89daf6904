import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import picomatch from 'picomatch';
import { LakelogError } from '../errors.js';
import type { InputProblem } from '../schema/result.js';
import type { Kind } from './read-sql.js';

/** What a file is said to hold; `any` = each line says it itself. */
export type Assertion = Kind | 'any';

export interface InputRequest {
  readonly path: string;
  readonly as: Assertion;
}

export interface SourceFile {
  /** As the user wrote it; what receipts and errors show. */
  readonly name: string;
  readonly path: string;
  readonly as: Assertion;
  /** `-`, a pipe or a process substitution: can be read once. */
  readonly stream: boolean;
}

export interface ResolvedInputs {
  readonly files: readonly SourceFile[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
}

/** Files that a folder is searched for: logs, rotated logs and their compressed copies. */
const LOG_NAME = /\.(jsonl|ndjson)/i;
/** What gates keep their acknowledgements in, often beside the logs. */
export const ACKS_NAME = 'lakelog-acks.jsonl';
/** Passed over, but not without a word. */
const LIKE_A_LOG = /session|replay|\.log\b|\.jl\b/i;

interface Search {
  /** A file of this name is read. */
  matches(name: string): boolean;
  /** Something below this folder may match. */
  enters(name: string): boolean;
  /** A folder of a matching name is read whole, as it is where the shell spells out the pattern. */
  readonly foldersToo: boolean;
}

const WHOLE_FOLDER: Search = {
  matches: (name) => LOG_NAME.test(path.basename(name)),
  enters: () => true,
  foldersToo: false,
};

/**
 * Turns paths, folders and globs into files, each once. Resolved here and not by DuckDB, which skips an
 * unreadable folder and a dangling link silently and takes `a[1].jsonl` for a pattern.
 */
export function resolveInputs(
  requests: readonly InputRequest[],
  cwd: string,
  notLogs: readonly string[] = [],
): ResolvedInputs {
  const seen = new Map<string, SourceFile>();
  const files: SourceFile[] = [];
  const problems: InputProblem[] = [];
  const notices: string[] = [];

  const add = (name: string, absolute: string, as: Assertion, stats: Stats | null) => {
    const stream = stats === null || stats.isFIFO();
    if (stats && !stats.isFile() && !stats.isFIFO()) {
      problems.push({ path: name, problem: 'unreadable', detail: 'is neither a file, a folder nor a pipe' });
      return;
    }
    const id = stats === null || stream ? absolute : identity(absolute);
    const before = seen.get(id);
    if (before && before.as !== as) {
      throw new LakelogError(`${name} and ${before.name} are one file, named as ${before.as} and as ${as}`, {
        where: name,
        next: 'name the file once',
      });
    }
    if (before) {
      notices.push(
        name === before.name
          ? `${name} was named twice and is read once`
          : `${name} is the same file as ${before.name} and is read once`,
      );
      return;
    }
    const file = { name, path: absolute, as, stream };
    seen.set(id, file);
    files.push(file);
  };

  const walk = (name: string, absolute: string, as: Assertion, search: Search) => {
    const before = files.length + notices.length + problems.length;
    walkFolder(name, absolute, search, new Set(), {
      problem: (one) => problems.push(one),
      found: (child, childPath, stats) => {
        if (!notLogs.includes(childPath) && path.basename(childPath) !== ACKS_NAME)
          add(child, childPath, as, stats);
        else notices.push(`${child} holds acknowledgements and was not read as a log`);
      },
      passedOver: (child) =>
        notices.push(`${child} was passed over: no .jsonl or .ndjson in its name; name it to have it read`),
    });
    return files.length + notices.length + problems.length > before;
  };

  for (const request of requests) {
    const { path: given, as } = request;
    if (given === '')
      throw new LakelogError('an empty path was given', { next: 'name a file, a folder or -' });
    if (given === '-') {
      add('-', '-', as, null);
      continue;
    }
    const absolute = path.resolve(cwd, given);
    const stats = tryStat(absolute);
    if (stats === null && picomatch.scan(given).isGlob) {
      const { base } = picomatch.scan(given);
      const folder = base === '' ? '.' : base;
      const matcher = picomatch(path.posix.normalize(given), { dot: false });
      const search: Search = {
        matches: (name) => matcher(path.posix.normalize(name)),
        enters: reaches(given),
        foldersToo: true,
      };
      const exists = tryStat(path.resolve(cwd, folder));
      if (
        !(exists instanceof Error) &&
        exists?.isDirectory() &&
        walk(folder, path.resolve(cwd, folder), as, search)
      )
        continue;
      problems.push({ path: given, problem: 'missing', detail: 'no file matches the pattern' });
    } else if (stats === null) {
      problems.push({ path: given, problem: 'missing', detail: danglingDetail(absolute) });
    } else if (stats instanceof Error) {
      problems.push({ path: given, problem: 'unreadable', detail: stats.message });
    } else if (stats.isDirectory()) {
      if (!walk(given, absolute, as, WHOLE_FOLDER)) {
        problems.push({
          path: given,
          problem: 'no_logs',
          detail: 'the folder holds no .jsonl or .ndjson file',
        });
      }
    } else {
      add(given, absolute, as, stats);
    }
  }
  return { files, problems, notices };
}

/** Whether a glob can match anything below a folder; one it cannot reach is none of its business. */
function reaches(glob: string): (folder: string) => boolean {
  const parts = path.posix.normalize(glob).split('/');
  // Alternatives may hold slashes, and ** any number of folders.
  if (/[{(]|\*\*/.test(glob)) return () => true;
  return (folder) => {
    const depth = path.posix.normalize(folder).split('/').length;
    return depth < parts.length && picomatch(parts.slice(0, depth).join('/'))(path.posix.normalize(folder));
  };
}

interface Findings {
  problem(problem: InputProblem): void;
  found(name: string, absolute: string, stats: Stats): void;
  passedOver(name: string): void;
}

function walkFolder(
  name: string,
  absolute: string,
  search: Search,
  /** Real paths of the folders on the way here. */
  above: ReadonlySet<string>,
  findings: Findings,
): void {
  let entries: string[];
  let here: ReadonlySet<string>;
  try {
    // A link back up would be walked for ever.
    const real = realpathSync(absolute);
    if (above.has(real)) return;
    here = new Set(above).add(real);
    entries = readdirSync(absolute).sort();
  } catch (error) {
    findings.problem({ path: name, problem: 'unreadable', detail: reasonOf(error) });
    return;
  }
  for (const entry of entries) {
    const child = name === '.' ? entry : path.join(name, entry);
    const childPath = path.join(absolute, entry);
    const stats = tryStat(childPath);
    if (stats instanceof Error || stats === null) {
      // It may be a folder full of logs.
      if (search.matches(child) || search.enters(child)) {
        findings.problem({
          path: child,
          problem: stats === null ? 'missing' : 'unreadable',
          detail: stats === null ? danglingDetail(childPath) : stats.message,
        });
      }
    } else if (stats.isDirectory()) {
      if (search.foldersToo && search.matches(child))
        walkFolder(child, childPath, WHOLE_FOLDER, here, findings);
      else if (search.enters(child)) walkFolder(child, childPath, search, here, findings);
    } else if (!search.matches(child)) {
      if (search === WHOLE_FOLDER && LIKE_A_LOG.test(entry)) findings.passedOver(child);
    } else if (stats.isFIFO()) {
      // Nobody may ever write to it; named, it is read.
      findings.problem({ path: child, problem: 'unreadable', detail: 'is a pipe: name it to have it read' });
    } else {
      findings.found(child, childPath, stats);
    }
  }
}

/** 64-bit inodes do not fit a number. */
function identity(absolute: string): string {
  const { dev, ino } = statSync(absolute, { bigint: true });
  return `${dev}:${ino}`;
}

/** Stats, null where nothing is, an Error with a plain reason where it cannot be known. */
function tryStat(absolute: string): Stats | Error | null {
  try {
    return statSync(absolute);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    return new Error(reasonOf(error));
  }
}

function danglingDetail(absolute: string): string {
  try {
    lstatSync(absolute);
    return 'is a link to a file that does not exist';
  } catch {
    return 'no such file or folder';
  }
}

/** A system error in words, without the path that stands beside it anyway. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    ENOENT: 'no such file or folder',
    ELOOP: 'too many links',
    EISDIR: 'is a folder',
    EMFILE: 'too many open files',
    EIO: 'input/output error',
  };
  return (code && known[code]) ?? (error instanceof Error ? error.message : String(error));
}
