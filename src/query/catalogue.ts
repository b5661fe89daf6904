import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { artifact } from '../artifact.js';
import { asLakelogError, LakelogError, messageOf } from '../errors.js';
import { kernelPath } from '../kernel-path.js';
import { parseQuery, type Query } from './header.js';
import { readRegularFile } from './regular-file.js';
import type { QueryFolder } from './settings.js';

/** All questions that can be asked, by name. */
export interface Catalogue {
  readonly queries: readonly Query[];
  /** Files of the user's own folders that are left out. */
  readonly broken: readonly BrokenQuery[];
  /** The gate that is meant where none is named: the only one that ships. */
  readonly usualGate: Query | undefined;
  /** The user's own folders, as options gave them: environment and policy hold for the next command by themselves. */
  readonly folders: readonly string[];
}

/** A file of one of these folders that is no question. */
export interface BrokenQuery {
  readonly name: string;
  readonly error: LakelogError;
}

/**
 * The shipped questions and those of the user's own folders.
 * @param taken names of other subcommands.
 * @param check throws LakelogError for a question that cannot be a subcommand.
 * @throws LakelogError (exit 2) for a folder that cannot be read or holds none.
 */
export function loadCatalogue(
  shippedFolder: string,
  folders: readonly QueryFolder[],
  taken: readonly string[],
  cwd: string,
  check: (query: Query) => void,
): Catalogue {
  const shipped = readCatalogue(shippedFolder);
  const queries = [...shipped];
  const broken: BrokenQuery[] = [];
  const names = new Map(shipped.map((query) => [query.name, 'a question that ships with lakelog']));
  for (const name of taken) names.set(name, 'a command of lakelog');
  const read = new Set<string>();
  for (const { folder, where } of folders) {
    const real = realpathOf(kernelPath(cwd, folder));
    if (read.has(real)) continue;
    read.add(real);
    for (const name of namesIn(folder, cwd, where)) {
      try {
        const query = readQuery(folder, name, cwd);
        ensureFree(query, names.get(name));
        check(query);
        names.set(name, `the question in ${query.file}`);
        queries.push(query);
      } catch (error) {
        if (!(error instanceof LakelogError)) throw error;
        broken.push({ name, error });
      }
    }
  }
  const gates = shipped.filter((query) => query.gate !== null);
  const given = folders.filter(({ from }) => from === 'flag').map(({ folder }) => folder);
  return { queries, broken, usualGate: gates.length === 1 ? gates[0] : undefined, folders: given };
}

/** One that is not there is told of by whoever reads it. */
function realpathOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function ensureFree({ name, file }: Query, holder: string | undefined): void {
  if (holder === undefined) return;
  throw new LakelogError(`the name "${name}" is taken: it is ${holder}`, {
    where: file,
    next: 'rename the file: its name is the subcommand',
  });
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Every `.sql` file of a folder as a question. */
export function readCatalogue(folder: string, cwd = '.'): Query[] {
  return namesIn(folder, cwd).map((name) => readQuery(folder, name, cwd));
}

const ofOption = () => '--queries';

/** @param where who named it. */
function namesIn(folder: string, cwd: string, where = ofOption): string[] {
  let entries: string[];
  try {
    entries = readdirSync(kernelPath(cwd, folder));
  } catch (error) {
    throw cannotRead('the folder of queries', folder, `correct ${where()}`, error);
  }
  const names = entries.filter((entry) => entry.endsWith('.sql')).map((entry) => entry.slice(0, -4));
  if (names.length === 0) {
    throw new LakelogError('the folder of queries holds no .sql file', {
      where: folder,
      next: `correct ${where()}`,
    });
  }
  return names.sort();
}

function readQuery(folder: string, name: string, cwd: string): Query {
  const file = path.join(folder, `${name}.sql`);
  if (!NAME.test(name)) {
    throw new LakelogError(`"${name}" is no name for a subcommand`, {
      where: file,
      next: 'rename the file: lower-case letters, digits and single hyphens, such as slow-calls.sql',
    });
  }
  const sql = readText(file, cwd);
  built ??= readBuilt();
  const known = built[name];
  return known?.sql === sql ? { ...known, file } : parseQuery(file, name, sql);
}

/** Questions by name, as the build understood those that ship: reading all headers takes 4 ms of every run. */
export type BuiltQuestions = Readonly<Partial<Record<string, Query>>>;

let built: BuiltQuestions | undefined;

function readBuilt(): BuiltQuestions {
  try {
    return JSON.parse(readFileSync(artifact('questions.json'), 'utf8')) as BuiltQuestions;
  } catch {
    // It would only have been faster.
    return {};
  }
}

function readText(file: string, cwd: string): string {
  try {
    return readRegularFile(kernelPath(cwd, file)).toString('utf8');
  } catch (error) {
    throw cannotRead('the query', file, 'make it readable', error);
  }
}

/** A limit of the system is no mistake of whoever named the path. */
function cannotRead(what: string, where: string, next: string, error: unknown): LakelogError {
  if (/^E[MN]FILE$/.test((error as NodeJS.ErrnoException).code ?? '')) return asLakelogError(error);
  return new LakelogError(`${what} cannot be read: ${messageOf(error)}`, { where, next });
}
