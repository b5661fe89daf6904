import { type BigIntStats, readdirSync, realpathSync } from 'node:fs';
import type { InputProblem } from '../../schema/result.js';
import { childOf, missingDetail, tryStat } from './paths.js';
import { reasonOf } from './reasons.js';

export interface Place {
  readonly name: string;
  readonly path: string;
}

/** What is looked for below a folder; names are relative to where the search began. */
export interface Search {
  matches(relative: string): boolean;
  /** Something below this folder may match. */
  enters(relative: string): boolean;
}

export interface Found extends Place {
  readonly stats: BigIntStats;
  /** It lies in a folder that is read whole, where its content decides; else a pattern matched its name. */
  readonly inFolder: boolean;
}

export interface Findings {
  /** Everything but folders, in order of names. */
  readonly found: Found[];
  readonly problems: InputProblem[];
}

/**
 * Finds what lies below a folder: all of it, or what a pattern matches. By ourselves and not by DuckDB, which skips an
 * unreadable folder and a dangling link silently and takes `a[1].jsonl` for a pattern.
 */
export function walk(folder: Place, search: Search | null): Findings {
  const findings: Findings = { found: [], problems: [] };
  walkFolder({ ...folder, relative: '' }, search, new Set(), findings);
  return findings;
}

interface Folder extends Place {
  readonly relative: string;
}

function walkFolder(
  folder: Folder,
  search: Search | null,
  /** Real paths of the folders on the way here. */
  above: ReadonlySet<string>,
  findings: Findings,
): void {
  let entries: string[];
  let here: ReadonlySet<string>;
  try {
    // A link back up would be walked for ever. Not Node's own realpath, which shortens `link/..` in the text.
    const real = realpathSync.native(folder.path);
    if (above.has(real)) return;
    here = new Set(above).add(real);
    entries = readdirSync(folder.path).sort();
  } catch (error) {
    findings.problems.push({ path: folder.name, problem: 'unreadable', detail: reasonOf(error) });
    return;
  }
  for (const entry of entries) {
    const child: Folder = {
      name: childOf(folder.name, entry),
      path: `${folder.path}/${entry}`,
      relative: folder.relative === '' ? entry : `${folder.relative}/${entry}`,
    };
    const stats = tryStat(child.path);
    const matches = search === null || search.matches(child.relative);
    const enters = search === null || search.enters(child.relative);
    if (stats === null || stats instanceof Error) {
      // It may be a folder full of logs.
      if (matches || enters) findings.problems.push(notThere(child, stats));
    } else if (stats.isDirectory()) {
      // A folder of a matching name is read whole, as it is where the shell spells out the pattern.
      if (matches || enters) walkFolder(child, matches ? null : search, here, findings);
    } else if (matches) {
      findings.found.push({ name: child.name, path: child.path, stats, inFolder: search === null });
    }
  }
}

function notThere({ name, path }: Place, stats: Error | null): InputProblem {
  return stats === null
    ? { path: name, problem: 'missing', detail: missingDetail(path) }
    : { path: name, problem: 'unreadable', detail: stats.message };
}
