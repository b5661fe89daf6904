import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { describe, test } from 'vitest';

export const root = path.resolve(import.meta.dirname, '../..');
export const nightly = process.env.LAKELOG_NIGHTLY === '1';

/** One more case of what other tests check by day, or a detail of it. */
export const atNight = test.skipIf(!nightly);
export const describeAtNight = describe.skipIf(!nightly);

/** Of siblings of one kind the first and then every so many; at night all. */
export const byDay = <T>(siblings: readonly T[], every: number): T[] =>
  siblings.filter((_, i) => nightly || i % every === 0);

/** Siblings but for some, by their names, each of which has one of its kind among the others; at night all. */
export function exceptByDay<T extends readonly [string, ...unknown[]]>(
  siblings: readonly T[],
  names: readonly string[],
): T[] {
  const gone = names.filter((name) => !siblings.some(([one]) => one === name));
  if (gone.length > 0) throw new Error(`no sibling is called ${gone.join(', ')}`);
  return siblings.filter(([name]) => nightly || !names.includes(name));
}

/** Of siblings the first of each kind; at night all. */
export function firstByDay<T>(siblings: readonly T[], kindOf: (sibling: T) => unknown): T[] {
  const known = new Set<unknown>();
  return siblings.filter((one) => {
    const isFirst = !known.has(kindOf(one));
    known.add(kindOf(one));
    return nightly || isFirst;
  });
}

/** How often something is tried, usually and at night; a night may be had in parts. */
export const tries = (usually: number, nightlong: number): number =>
  nightly ? Number(process.env.LAKELOG_RUNS ?? nightlong) : usually;

/** Everything a test file writes; other users may look in, so that a child can run as one. */
let scratch: string | undefined;
let folders = 0;

export function newFolder(): string {
  scratch ??= newScratch();
  const folder = path.join(scratch, String(folders++));
  mkdirSync(folder);
  return folder;
}

/** A folder that takes runs to make is made once for a test file; each test gets a copy. */
export function copiesOf(make: () => Promise<string>): () => Promise<string> {
  let made: Promise<string> | undefined;
  return async () => {
    made ??= make();
    const copy = newFolder();
    cpSync(await made, copy, { recursive: true, preserveTimestamps: true });
    return copy;
  };
}

function newScratch(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lakelog-cli-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** At the end of a test file; the next one may run in the same process. */
export function removeFolders(): void {
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  scratch = undefined;
  ownPackage = undefined;
}

/** Writes lines, each terminated, and returns the path. */
export function writeLines(folder: string, name: string, lines: readonly (string | Buffer)[]): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(
    file,
    Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')])),
  );
  return file;
}

let calls = 0;

/** A line of sessions.jsonl: an accepted, grounded fill long ago, with what the test changes. */
export function call(changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    schema: 'session.iterate.v1',
    session_id: (++calls).toString(16).padStart(32, '0'),
    timestamp: '2025-06-01T08:00:00Z',
    kind: 'fill',
    model: 'gpt-4.1-mini',
    iterations: 1,
    final_verdict: 'accepted',
    attempts: [{ verdict: 'accepted' }],
    grounded_in_roster: true,
    daemon: 'fill-dispatcher',
    ...changes,
  });
}

/** A line of replay_runs.jsonl. */
export function replayRun(changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    schema: 'replay.run.v1',
    session_id: (++calls).toString(16).padStart(32, '0'),
    timestamp: '2025-06-01T09:00:00Z',
    run_id: 'run-1',
    ...changes,
  });
}

/** Of what was compiled: all copies share it. */
const CACHE = 'dist/.compile-cache';
const isNoCache = (file: string) => path.basename(file) !== path.basename(CACHE);

/**
 * A copy of what the package ships. Tests run the binary from one, because a build that another test or person
 * starts replaces `dist/` for a second.
 */
export function copyPackage(): string {
  const types = path.join(root, 'dist/types/log/index.d.ts');
  const stamp = () => (existsSync(types) ? statSync(path.join(root, 'dist/lakelog.cjs')).mtimeMs : null);
  for (let tries = 0; tries < 20; tries++) {
    const folder = newFolder();
    const before = stamp();
    try {
      for (const part of ['bin', 'dist', 'queries', 'package.json']) {
        cpSync(path.join(root, part), path.join(folder, part), { recursive: true, filter: isNoCache });
      }
      mkdirSync(path.join(root, CACHE), { recursive: true });
      symlinkSync(path.join(root, CACHE), path.join(folder, CACHE));
      symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
      if (before !== null && stamp() === before) return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
  throw new Error('dist/ is missing or changes all the time: run `npm run build`');
}

let ownPackage: string | undefined;

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another installation than the built one. */
  readonly packageRoot?: string;
  /** User and group to run as; needs root. */
  readonly uid?: number;
}

export interface Options extends SpawnOptions {
  readonly stdin?: string | Buffer | Readable;
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the run left behind in its TMPDIR. */
  readonly leftovers: readonly string[];
}

/** The arguments of a spawn and the folder of its temporary files: only PATH, HOME and TMPDIR are set. */
export function command(args: readonly string[], options: SpawnOptions = {}) {
  ownPackage ??= copyPackage();
  const home = newFolder();
  const tmp = path.join(home, 'tmp');
  mkdirSync(tmp);
  chmodSync(tmp, 0o1777);
  return {
    file: process.execPath,
    args: [path.join(options.packageRoot ?? ownPackage, 'bin/lakelog.js'), ...args],
    options: {
      cwd: options.cwd ?? home,
      env: { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: tmp, ...options.env },
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    },
    tmp,
  };
}

/** Starts the built binary; nobody waits for it and nothing is read. */
export function start(args: readonly string[], options: SpawnOptions = {}): ChildProcess & { tmp: string } {
  const { file, args: all, options: spawnOptions, tmp } = command(args, options);
  return Object.assign(spawn(file, all, { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] }), { tmp });
}

/** Runs the built binary to its end, without a terminal. */
export function lakelog(args: readonly string[], options: Options = {}): Promise<Ran> {
  const { file, args: all, options: spawnOptions, tmp } = command(args, options);
  const { stdin } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, all, {
      ...spawnOptions,
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        code,
        signal,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
        leftovers: readdirSync(tmp),
      }),
    );
    if (stdin === undefined) return;
    // A run that ends before it read its input is the test's affair, not a crash of the test.
    child.stdin!.on('error', () => {});
    if (typeof stdin === 'string' || Buffer.isBuffer(stdin)) child.stdin!.end(stdin);
    else stdin.pipe(child.stdin!);
  });
}

export interface Envelope {
  readonly format: string;
  readonly params: Record<string, unknown>;
  readonly verdict: null | {
    readonly status: string;
    readonly exit_code: number;
    readonly fired: readonly Finding[];
    readonly cannot_vouch: readonly Finding[];
    readonly notices: readonly Finding[];
  };
  readonly columns: readonly { name: string; type: string; note: string | null }[];
  readonly rows: readonly Record<string, unknown>[];
  readonly receipt: {
    readonly files: readonly (Totals & { file: string })[];
    readonly totals: Totals;
    readonly problems: readonly { path: string; problem: string; detail: string }[];
    readonly rejects: readonly { reason: string; count: number; first: string; detail: string }[];
    readonly calls_loaded: number;
    readonly replay_runs_loaded: number;
    readonly calls_selected: number;
    readonly judged: number | null;
    readonly inconsistent: number;
    readonly conflicts: number;
    readonly inputs_from: string;
    readonly canary: null | { planted: number; found: number };
    readonly [key: string]: unknown;
  };
}

interface Finding {
  readonly code: string;
  readonly message: string;
  readonly where?: string;
  readonly next?: string;
}

interface Totals {
  readonly bytes: number;
  readonly lines: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly blank: number;
  readonly pending: number;
  readonly conflicts: number;
}

export function envelope(ran: Ran): Envelope {
  return JSON.parse(ran.stdout) as Envelope;
}

/** `3 = 2 loaded + 1 rejected`: promise 2, without the terms that are 0. */
export function equation(totals: Totals): string {
  const terms = (['loaded', 'rejected', 'duplicates', 'blank', 'pending'] as const)
    .filter((term) => totals[term] > 0)
    .map((term) => `${totals[term]} ${term}`);
  return `${totals.lines} = ${terms.join(' + ') || 0}`;
}

export function withoutColour(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

/** Sentences that were wrapped, on one line again; steps (`  → …`) stay on their own. */
export function unwrapped(text: string): string {
  return text.replace(/\n +(?! |→|-> )/g, ' ');
}
