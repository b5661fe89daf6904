import { EXIT, type ExitCode } from './schema/result.js';
import { BLANK, HIDDEN } from './schema/unseen.js';

export interface ErrorParts {
  /** file:line or path. */
  readonly where?: string | undefined;
  /** The next command to run or thing to do. */
  readonly next?: string | undefined;
  /** More, on lines of its own. */
  readonly detail?: string | undefined;
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/** Every failure a user can meet: what, where and the next step (promise 7). */
export class LakelogError extends Error {
  readonly where: string | undefined;
  readonly next: string | undefined;
  readonly detail: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'LakelogError';
    this.where = parts.where;
    this.next = parts.next;
    this.detail = parts.detail;
    this.exitCode = parts.exitCode ?? EXIT.error;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What an error of the system or of the installation means, and who can mend it. */
export interface Advice {
  readonly what: string;
  readonly where: string | undefined;
  readonly next: string;
}

type Row = readonly [fits: RegExp, next: string, what?: (reason: string) => string];

/** The first row that fits `CODE: message`, without what is quoted in it, counts. All that lakelog knows of such errors. */
const ADVICE: readonly Row[] = [
  [/\buv_cwd\b/, 'cd to a folder that exists and run it again', () => 'the working folder no longer exists'],
  [/\b(ENOSPC|EDQUOT)\b|no space left/i, 'make room where it is written, or write it elsewhere'],
  [/\bEFBIG\b/, 'raise the limit of file sizes (ulimit -f), or write it elsewhere'],
  [/\bE[MN]FILE\b|too many open files/i, 'raise the limit of open files: ulimit -n 1024'],
  [
    /\bWebAssembly\b.*allocate/,
    'give it more address space, of which it uses little: ulimit -v unlimited, or NODE_OPTIONS=--disable-wasm-trap-handler',
    (reason) => `there is not enough address space: ${reason}`,
  ],
  [
    /\bENOMEM\b|_OUT_OF_MEMORY\b|allocation fail|bad.?alloc|(cannot|could not) allocate memory|map segment from shared object(?!.*permitted)/i,
    'raise the memory that the process may have (ulimit -v, the limit of its container)',
    (reason) => `there is not enough memory: ${reason}`,
  ],
  [
    /\bOut of Memory Error\b/,
    'set LAKELOG_MEMORY_LIMIT to more than the 1GB it is by default, e.g. 4GB',
    (reason) => `DuckDB needs more memory: ${reason}`,
  ],
  [/\bEAGAIN\b/, 'raise the limit of processes (ulimit -u), or run it when less is running'],
  [/\bEROFS\b/, 'mount it for writing, or write elsewhere'],
  [/\bE(ACCES|PERM)\b/, 'see who may read and write there: ls -ld'],
  [/\bENXIO\b/, 'start its reader first, or name a file', () => 'it is a pipe or socket that nobody reads'],
  [/\bEPIPE\b/, 'let its reader read to the end', () => 'its reader left'],
  [/\bEIO\b/, 'look after the device: dmesg'],
  [/\bE(NOENT|NOTDIR|ISDIR|LOOP|NAMETOOLONG|EXIST)\b/, 'correct the path'],
  [
    /\bERR_DLOPEN_FAILED\b|@duckdb\/|duckdb native binding|libduckdb/,
    'npm install again on this machine, with optional dependencies (no --omit=optional, no node_modules from elsewhere)',
    (reason) => `the DuckDB binding cannot be loaded: ${reason}`,
  ],
  [
    /MODULE_NOT_FOUND\b|\bERR_INVALID_PACKAGE_CONFIG\b|\bMODULE_DAMAGED\b/,
    'reinstall lakelog; in a checkout: npm install && npm run build',
    (reason) => `a part of lakelog is missing or damaged: ${reason}`,
  ],
  [
    /\bERR_STRING_TOO_LONG\b|Invalid string length/,
    'narrow it with the filters, or ask for fewer rows',
    () => 'the answer is too long for one text',
  ],
];

/** Null for what is a defect, as far as anybody knows. */
export function adviceFor(error: unknown): Advice | null {
  const message = messageOf(error).split('\n', 1)[0]!;
  const { code, path, stack = '' } = (error ?? {}) as NodeJS.ErrnoException;
  const damaged = error instanceof SyntaxError && stack.includes('node:internal/modules/');
  const text = `${damaged ? 'MODULE_DAMAGED' : (code ?? '')}: ${message.replaceAll(/'(?!@duckdb)[^']*'/g, '')}`;
  const row = ADVICE.find(([fits]) => fits.test(text));
  if (row === undefined) return null;
  const [, next, what = (reason: string) => reason] = row;
  return { what: what(reasonOf(message)), where: path, next };
}

/** Whatever was thrown, as a failure that a user can be told of. */
export function asLakelogError(error: unknown): LakelogError {
  if (error instanceof LakelogError) return error;
  const { what, ...parts } = adviceFor(error) ?? {
    what: `internal error: ${messageOf(error)}`,
    next: 'this is a defect of lakelog: please report it with what stands above',
  };
  return new LakelogError(what, { ...parts, cause: error });
}

/** `ENOSPC: no space left on device, write '/x'` is for programs. */
export function reasonOf(message: string): string {
  return message.replace(/^E[A-Z0-9]+: (.+?), \w+(?: '.*')?$/, '$1');
}

export const NO_FILE = 'is neither a file, a folder nor a pipe';
export const IS_PIPE = 'is a pipe';

/** Of files that are to be read: where the system's own words would mislead. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'no such file or folder',
  ENXIO: NO_FILE,
  EISDIR: 'is a folder',
  ESTALE: 'the network file system lost it (stale file handle)',
};

/** Why a file cannot be read, without the path that stands beside it anyway. */
export function whyUnreadable(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return WORDS[code ?? ''] ?? reasonOf(messageOf(error));
}

// zsh reads `=ls` as the path of ls; a CI runner obeys `::command::` where a line begins, and `##[command]` anywhere.
const BARE = /^(?!=|::)[\w./:@%+=,-]+$/;
const UNSHOWN = `(?! )[${HIDDEN}${BLANK}]|(?<=#)#(?=\\[)`;
const IS_UNSHOWN = new RegExp(UNSHOWN, 'u');
/** An old bash looks for its history behind an exclamation mark even there. */
const UNTYPED = new RegExp(`${UNSHOWN}|[\\\\'!]`, 'gu');

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** Bytes, because what bash and zsh make of `\u200b` hangs on their locale. */
const asBytes = (text: string) =>
  Array.from(Buffer.from(text), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');

/**
 * A word of a command line that a next step tells the user to paste: what any terminal shows as it is, and bash and
 * zsh read as the text. No argument can hold a NUL: see `stepWith`.
 */
export function shellWord(text: string): string {
  if (BARE.test(text)) return text;
  if (!IS_UNSHOWN.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  return `$'${text.replace(UNTYPED, (character) => SHORT[character] ?? asBytes(character))}'`;
}

/** What nobody pastes. */
const MOST_TYPED = 1_000;

/** A step that names what stands in a log. */
export function stepWith(texts: readonly string[], step: (...words: string[]) => string): string {
  if (texts.some((text) => text.includes('\0')))
    return 'correct the writer: it writes a NUL, which no argument can hold';
  const long = texts.find(({ length }) => length > MOST_TYPED);
  if (long !== undefined) return `correct the writer: it writes a text of ${long.length} characters`;
  return step(...texts.map(shellWord));
}
