/** The rosters that stamps are checked against: one file for all calls, or a folder that has each by its hash. */
import { constants, type Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { whyUnreadable } from '../../errors.js';
import { kernelPath } from '../../kernel-path.js';
import {
  type RosterColumns,
  RosterError,
  rosterHash,
  type Workers,
  workersInCsv,
  workersInJsonl,
} from '../../roster/read.js';
import type { Database } from '../duckdb/connection.js';
import { isParquet, workersInParquet } from './parquet.js';

export interface RosterRequest extends RosterColumns {
  /** File or folder, as it was named, and for the receipt: where that stood. */
  readonly path: string;
  readonly from: string;
}

export interface Roster {
  /** `sha256:…`, found from its workers whatever its name says. */
  readonly hash: string;
  readonly workers: Workers;
}

/** Why there is no roster to check by. */
export interface RosterProblem {
  /** file:line, or path. */
  readonly where: string;
  readonly why: string;
}

export interface Rosters {
  readonly request: RosterRequest;
  /** The one for every call; null: each call has its own, by its `roster_hash`. */
  readonly only: Roster | null;
  /** One that can be used. */
  readonly sample: Roster;
  /** Those of these hashes that are at hand. */
  withHashes(hashes: readonly string[]): Promise<readonly Roster[]>;
  /** What is wrong with files of the folder. */
  notices(): readonly string[];
}

/** What reading needs besides. */
export interface RosterPlace {
  readonly cwd: string;
  /** For the engine, which reads Parquet; null: there is no place to write. */
  readonly tempDir: string | null;
}

/** A roster of more bytes is taken for something else. */
const MOST_BYTES = 256 << 20;
const ROSTER_NAME = /\.(csv|jsonl|ndjson|parquet)$/i;
/** As validatord names what it keeps. */
const HASH_NAME = /^sha256-([0-9a-f]{64})\./;

/** Reads the file, or looks through the folder. A roster that looks odd is no roster. */
export async function openRosters(
  db: Database,
  request: RosterRequest,
  place: RosterPlace,
): Promise<Rosters | RosterProblem> {
  const read = async (file: string) => readRoster(db, file, request, place);
  try {
    const { path: named } = request;
    const stats = await stat(kernelPath(place.cwd, named));
    return stats.isDirectory() ? await folderOf(request, place, read) : await fileOf(request, read);
  } catch (error) {
    return problemOf(request.path, error);
  }
}

type Read = (file: string) => Promise<Roster>;

async function fileOf(request: RosterRequest, read: Read): Promise<Rosters> {
  const only = await read(request.path);
  return { request, only, sample: only, withHashes: async () => [only], notices: () => [] };
}

/** The name of a file may say its hash, so that only those are read that somebody asks for; it is never believed. */
async function folderOf(request: RosterRequest, place: RosterPlace, read: Read): Promise<Rosters> {
  const folder = request.path;
  const entries = await readdir(kernelPath(place.cwd, folder), { withFileTypes: true });
  const names = entries.filter(isRosterName).map(({ name }) => name);
  const notices = new Map<string, string>();
  /** Null for what is no roster, or not the one that it says. */
  const readOne = async (name: string): Promise<Roster | null> => {
    const file = path.join(folder, name);
    try {
      const roster = await read(file);
      const said = HASH_NAME.exec(name)?.[1];
      if (said === undefined || roster.hash === `sha256:${said}`) return roster;
      notices.set(file, `${file} is not used: it holds another roster than its name says (${roster.hash})`);
      return null;
    } catch (error) {
      const { where, why } = problemOf(file, error);
      notices.set(file, `${where} is no roster that can be used: ${why}`);
      return null;
    }
  };
  const sample = await firstOf(names.toSorted(), readOne);
  if (sample === null) {
    const [first] = notices.values();
    throw new RosterError(
      names.length === 0
        ? 'the folder holds no roster (.csv, .jsonl, .ndjson or .parquet)'
        : `none of its ${names.length} files is a roster that can be used: ${first}`,
    );
  }
  return {
    request,
    only: null,
    sample,
    notices: () => [...notices.values()],
    async withHashes(hashes) {
      const wanted = new Set(hashes);
      const found = new Map<string, Roster>();
      for (const name of names) {
        const said = HASH_NAME.exec(name)?.[1];
        if (wanted.size === 0 || (said !== undefined && !wanted.has(`sha256:${said}`))) continue;
        const roster = await readOne(name);
        if (roster !== null && wanted.has(roster.hash)) found.set(roster.hash, roster);
      }
      return [...found.values()];
    },
  };
}

/** What is being written has a name that begins with a point. */
const isRosterName = (entry: Dirent) =>
  ROSTER_NAME.test(entry.name) && !entry.name.startsWith('.') && !entry.isDirectory();

async function firstOf<T, R>(all: readonly T[], find: (one: T) => Promise<R | null>): Promise<R | null> {
  for (const one of all) {
    const found = await find(one);
    if (found !== null) return found;
  }
  return null;
}

async function readRoster(
  db: Database,
  file: string,
  columns: RosterColumns,
  place: RosterPlace,
): Promise<Roster> {
  const bytes = await bytesOf(kernelPath(place.cwd, file));
  const workers = isParquet(bytes)
    ? await workersInParquet(db, bytes, columns, place.tempDir)
    : workersInText(file, bytes, columns);
  return { hash: rosterHash(workers.values()), workers };
}

async function bytesOf(file: string): Promise<Buffer> {
  // Whoever opens a pipe that nobody writes to waits for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size, ...stats } = await handle
      .stat()
      .then((found) => ({ size: found.size, isFile: found.isFile() }));
    if (!stats.isFile) throw new RosterError('it is not a regular file');
    if (size > MOST_BYTES) throw new RosterError(`it is larger than ${MOST_BYTES} bytes, so it is no roster`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** As the service that stamps reads it: JSON Lines by its name, else CSV. */
function workersInText(file: string, bytes: Buffer, columns: RosterColumns): Workers {
  if (/\.parquet$/i.test(file)) throw new RosterError('it is no Parquet');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RosterError('not UTF-8');
  }
  if (/\.(jsonl|ndjson)$/i.test(file)) return workersInJsonl(text, columns);
  if (/^\ufeff?\s*[[{]/.test(text))
    throw new RosterError('it is JSON, and a roster is CSV, JSON Lines (.jsonl) or Parquet', 1);
  return workersInCsv(text, columns);
}

function problemOf(file: string, error: unknown): RosterProblem {
  if (error instanceof RosterError) {
    return { where: error.line === null ? file : `${file}:${error.line}`, why: error.what };
  }
  if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  return { where: file, why: whyUnreadable(error) };
}
