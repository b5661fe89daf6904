import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { LakelogError, messageOf } from '../errors.js';
import { kernelPath } from '../kernel-path.js';
import { parseQuery, type Query } from './header.js';

/** All questions that can be asked, by name. */
export interface Catalogue {
  readonly queries: readonly Query[];
  /** The gate that is meant where none is named: the only one that ships. */
  readonly usualGate: Query | undefined;
  /** The user's own folders, as they were given. */
  readonly folders: readonly string[];
}

/**
 * The shipped questions and those of the user's own folders.
 * @param taken names of other subcommands.
 * @throws LakelogError (exit 2) for a name that stands twice or a header that is wrong.
 */
export function loadCatalogue(
  shippedFolder: string,
  folders: readonly string[],
  taken: readonly string[],
  cwd: string,
): Catalogue {
  const shipped = readCatalogue(shippedFolder);
  const queries = [...shipped];
  const names = new Map(shipped.map((query) => [query.name, 'a question that ships with lakelog']));
  for (const name of taken) names.set(name, 'a command of lakelog');
  for (const folder of folders) {
    for (const query of readCatalogue(folder, cwd)) {
      const holder = names.get(query.name);
      if (holder !== undefined) {
        throw new LakelogError(`the name "${query.name}" is taken: it is ${holder}`, {
          where: query.file,
          next: 'rename the file: its name is the subcommand',
        });
      }
      names.set(query.name, `the question in ${query.file}`);
      queries.push(query);
    }
  }
  const gates = shipped.filter((query) => query.gate !== null);
  return { queries, usualGate: gates.length === 1 ? gates[0] : undefined, folders };
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Every `.sql` file of a folder as a question. */
export function readCatalogue(folder: string, cwd = '.'): Query[] {
  let entries: string[];
  try {
    entries = readdirSync(kernelPath(cwd, folder));
  } catch (error) {
    throw new LakelogError(`the folder of queries cannot be read: ${messageOf(error)}`, {
      where: folder,
      next: 'correct --queries',
    });
  }
  const names = entries.filter((entry) => entry.endsWith('.sql')).map((entry) => entry.slice(0, -4));
  if (names.length === 0) {
    throw new LakelogError('the folder of queries holds no .sql file', {
      where: folder,
      next: 'correct --queries',
    });
  }
  return names.sort().map((name) => {
    const file = path.join(folder, `${name}.sql`);
    if (!NAME.test(name)) {
      throw new LakelogError(`"${name}" is no name for a subcommand`, {
        where: file,
        next: 'rename the file: lower-case letters, digits and single hyphens, such as slow-calls.sql',
      });
    }
    return parseQuery(file, name, readText(file, cwd));
  });
}

function readText(file: string, cwd: string): string {
  try {
    return readFileSync(kernelPath(cwd, file), 'utf8');
  } catch (error) {
    throw new LakelogError(`the query cannot be read: ${messageOf(error)}`, {
      where: file,
      next: 'make it readable',
    });
  }
}
