/** What became of the lines of the files that a run loaded into memory. */
import { LakelogError } from '../../errors.js';
import { rfc3339 } from '../../instant.js';
import type { BlockingGroup } from '../../schema/account.js';
import type { FileAccount, InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { problemOf } from '../input/index.js';
import { BASE_TABLES, baseTable } from '../tables/base.js';
import type { Ledger } from './account.js';
import type { Alike } from './duplicates.js';
import { lateIn, mayBeLate } from './late.js';
import type { Loaded, LoadedFile } from './load.js';
import { blocksGates } from './rejects.js';
import { fillSeqs, missesNumbers } from './seqs.js';
import { unknownTraces } from './traces.js';

/** Fills base_batches on the way. */
export async function ledgerOf(
  db: Database,
  loaded: Loaded,
  alike: Alike,
  found: Pick<Ledger, 'problems' | 'notices'>,
): Promise<Ledger> {
  const behind = loaded.files.filter(({ counts }) => mayBeLate(counts.lag));
  const late = await lateIn(
    db,
    behind.map(({ batch }) => ({ batch, newest: null })),
  );
  const files = loaded.files.map((file) => fileAccount(file, alike, late.get(file.batch)?.late ?? 0));
  fillBatches(db, loaded, files);
  const [firstLate = null] = behind.flatMap(({ batch }) => {
    const line = late.get(batch)?.line;
    return line === undefined ? [] : [{ batch, line }];
  });
  return {
    firstLate,
    fillSeqs: async () => {
      const isFilled = await missesNumbers(db);
      if (isFilled) await fillSeqs(db);
      return isFilled;
    },
    unknownTraces: () => unknownTraces(db, baseTable('runs')),
    files,
    rejects: groupRejects(loaded.files),
    summary: null,
    hasCalls: loaded.files.some(({ counts }) => counts.loadedCalls > 0),
    firstConflict: alike.firstConflict,
    problems: [...found.problems, ...problemsOf(loaded), ...files.flatMap(withoutRecords)],
    notices: [...found.notices, ...unfinished(loaded), ...loaded.files.flatMap(markNotice)],
    mayBeEmpty: loaded.files.filter(({ maybeEmpty }) => maybeEmpty).map(({ source }) => source.name),
    nameOf: (batch) => loaded.files.find((file) => file.batch === batch)!.source.name,
  };
}

/** Its columns are called as an account of a file calls them. */
function fillBatches(db: Database, { files: loaded }: Loaded, files: readonly FileAccount[]): void {
  const batches = db.rowAppender('base_batches');
  for (const [i, file] of files.entries()) {
    const row = { ...file, batch: loaded[i]!.batch };
    batches.add(BASE_TABLES.batches.map(({ name }) => row[name as keyof typeof row] ?? null));
  }
  batches.close();
}

function fileAccount(file: LoadedFile, { duplicates, conflicts }: Alike, late: number): FileAccount {
  const { batch } = file;
  const among = { duplicates: duplicates.get(batch) ?? 0, conflicts: conflicts.get(batch) ?? 0, late };
  return accountOf(file, among);
}

/** @throws LakelogError where lines are not accounted for. */
export function accountOf(
  { source, bytes, counts }: LoadedFile,
  { duplicates, conflicts, late }: Pick<FileAccount, 'duplicates' | 'conflicts' | 'late'>,
): FileAccount {
  const file = {
    file: source.name,
    bytes,
    lines: counts.lines,
    loaded: counts.loadedCalls + counts.loadedRuns - duplicates,
    rejected: counts.rejected,
    duplicates,
    blank: counts.blank,
    pending: counts.pending,
    conflicts,
    late,
    newest_record: counts.newest === null ? null : rfc3339(counts.newest),
  };
  const sum = file.loaded + file.rejected + file.duplicates + file.blank + file.pending;
  if (sum !== file.lines) {
    throw new LakelogError(`the account does not add up: ${file.lines} lines, ${sum} accounted for`, {
      where: file.file,
      next: 'this is a defect of lakelog: please report it with the file',
    });
  }
  return file;
}

function problemsOf(loaded: Loaded): InputProblem[] {
  const damaged = loaded.unreadable.filter(({ source }) => !source.madeFrom);
  return damaged.map(({ source, error }) => problemOf(source.name, error));
}

function unfinished(loaded: Loaded): string[] {
  return loaded.unreadable.flatMap(({ source: { name, madeFrom } }) =>
    madeFrom ? [`${name} is being made from ${madeFrom}, which is read instead (logrotate at work)`] : [],
  );
}

/** A copy of lines that were read before holds records, if no new ones. */
export function withoutRecords({ file, bytes, loaded, duplicates }: FileAccount): InputProblem[] {
  if (loaded + duplicates > 0) return [];
  const detail = bytes === 0 ? 'the file is empty' : 'no line of the file could be loaded';
  return [{ path: file, problem: 'no_records', detail }];
}

/** Windows writes one at the start of a file; elsewhere it shows that files were joined. */
export function markNotice({ source, counts: { marks, firstMark } }: LoadedFile): string[] {
  if (marks === 0 || (marks === 1 && firstMark === 1)) return [];
  const lines = marks === 1 ? '1 line begins' : `${marks} lines begin`;
  const first = marks === 1 ? `${source.name}:${firstMark}` : `the first is ${source.name}:${firstMark}`;
  return [`${lines} with a byte order mark (U+FEFF), which is no part of a record (joined files?): ${first}`];
}

/** By reason, and by whether they could hide a call; the words are those of the first. */
function groupRejects(files: readonly LoadedFile[]): BlockingGroup[] {
  const groups = new Map<string, BlockingGroup>();
  for (const { source, counts } of files) {
    for (const { reason, kind, count, line, detail } of counts.groups) {
      const blocks = blocksGates(source.as, kind, reason);
      const key = `${blocks} ${reason}`;
      const before = groups.get(key) ?? { reason, count: 0, first: `${source.name}:${line}`, detail, blocks };
      groups.set(key, { ...before, count: before.count + count });
    }
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}
