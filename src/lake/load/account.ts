/** The account of what was loaded: every line, every file, and what is known of the calls whatever the filters. */
import { LakelogError } from '../../errors.js';
import { rfc3339 } from '../../instant.js';
import type { Account, BlockingGroup, KindCount, Newest } from '../../schema/account.js';
import type { FileAccount, InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import { BASE_TABLES } from '../tables/base.js';
import type { Alike } from './duplicates.js';
import { lateIn, mayBeLate } from './late.js';
import type { Loaded, LoadedFile } from './load.js';
import { blocksGates } from './rejects.js';
import { fillSeqs, gapsOf } from './seqs.js';
import { unknownTraces } from './traces.js';

export interface AccountParts {
  readonly loaded: Loaded;
  readonly alike: Alike;
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
  /** Condition over a call `s`. */
  readonly selects: string;
  readonly gatedKinds: readonly string[];
}

/** All but what the filters alone decide; base_batches is filled on the way. */
export async function makeAccount(
  db: Database,
  parts: AccountParts,
): Promise<Omit<Account, 'absent' | 'window'>> {
  const { alike, selects, loaded } = parts;
  const behind = loaded.files.filter(({ counts }) => mayBeLate(counts.lag));
  const late = await lateIn(
    db,
    behind.map(({ batch }) => ({ batch, newest: null })),
  );
  const files = loaded.files.map((file) => fileAccount(file, alike, late.get(file.batch)?.late ?? 0));
  fillBatches(db, loaded, files);
  const total = (name: 'loaded' | 'conflicts') => files.reduce((sum, file) => sum + file[name], 0);
  const hasCalls = loaded.files.some(({ counts }) => counts.loadedCalls > 0);
  const counted = hasCalls ? await countKinds(db, selects) : [];
  const sum = (name: 'calls' | 'selected' | 'inconsistent' | 'not_judgeable' | 'unjudgeable' | 'numbered') =>
    counted.reduce((total, kind) => total + kind[name], 0);
  const whereIs = (place: number) => placeName(loaded.files, place);
  const [newestCall, newestSelected, newestSelectedGated] = await newestOf(db, counted, parts, whereIs);
  if (sum('numbered') > 0) await fillSeqs(db);
  const gaps = sum('numbered') > 0 ? await gapsOf(db) : [];
  const runsLoaded = total('loaded') - sum('calls');
  const [firstLate] = behind.flatMap(({ batch }) => {
    const line = late.get(batch)?.line;
    return line === undefined ? [] : [{ batch, line }];
  });
  const firstUnjudgeable = counted.flatMap(({ first_unjudgeable: place }) => (place === null ? [] : [place]));
  return {
    files,
    problems: [...parts.problems, ...unreadable(loaded), ...files.flatMap(withoutRecords)],
    notices: [...parts.notices, ...unfinished(loaded), ...loaded.files.flatMap(markNotice)],
    rejects: groupRejects(loaded.files),
    callsLoaded: sum('calls'),
    replayRunsLoaded: runsLoaded,
    callsSelected: sum('selected'),
    kinds: counted.map(({ kind, calls, selected, accepted_false, first, first_false }) => ({
      ...{ kind, calls, selected, accepted_false, first: whereIs(first) },
      first_false: first_false === null ? null : whereIs(first_false),
    })),
    inconsistent: sum('inconsistent'),
    notJudgeable: sum('not_judgeable'),
    unjudgeable:
      firstUnjudgeable.length === 0
        ? null
        : { calls: sum('unjudgeable'), first: whereIs(Math.min(...firstUnjudgeable)) },
    conflicts: total('conflicts'),
    firstConflict: alike.firstConflict && nameOf(loaded.files, alike.firstConflict),
    gaps,
    unknownTraces: hasCalls && runsLoaded > 0 ? await unknownTraces(db) : null,
    firstLate: firstLate === undefined ? null : nameOf(loaded.files, firstLate),
    newestCall,
    newestSelected,
    newestSelectedGated,
    mayBeEmpty: loaded.files.filter(({ maybeEmpty }) => maybeEmpty).map(({ source }) => source.name),
  };
}

/** Its columns are called as an account of a file calls them. */
function fillBatches(db: Database, { files: loaded }: Loaded, files: readonly FileAccount[]): void {
  const batches = db.rowAppender('base_batches');
  for (const [i, file] of files.entries()) {
    const row = { ...file, batch: loaded[i]!.batch };
    batches.add(BASE_TABLES.batches.map(({ name }) => row[name as keyof typeof row]));
  }
  batches.close();
}

function fileAccount({ batch, source, bytes, counts }: LoadedFile, alike: Alike, late: number): FileAccount {
  const duplicates = alike.duplicates.get(batch) ?? 0;
  const file = {
    file: source.name,
    bytes,
    lines: counts.lines,
    loaded: counts.loadedCalls + counts.loadedRuns - duplicates,
    rejected: counts.rejected,
    duplicates,
    blank: counts.blank,
    pending: counts.pending,
    conflicts: alike.conflicts.get(batch) ?? 0,
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

function unreadable(loaded: Loaded): InputProblem[] {
  const damaged = loaded.unreadable.filter(({ source }) => !source.madeFrom);
  return damaged.map(({ source: { name: path }, why }) => ({ path, problem: 'unreadable', detail: why }));
}

function unfinished(loaded: Loaded): string[] {
  return loaded.unreadable.flatMap(({ source: { name, madeFrom } }) =>
    madeFrom ? [`${name} is being made from ${madeFrom}, which is read instead (logrotate at work)`] : [],
  );
}

/** A copy of lines that were read before holds records, if no new ones. */
function withoutRecords({ file, bytes, loaded, duplicates }: FileAccount): InputProblem[] {
  if (loaded + duplicates > 0) return [];
  const detail = bytes === 0 ? 'the file is empty' : 'no line of the file could be loaded';
  return [{ path: file, problem: 'no_records', detail }];
}

/** Windows writes one at the start of a file; elsewhere it shows that files were joined. */
function markNotice({ source, counts: { marks, firstMark } }: LoadedFile): string[] {
  if (marks === 0 || (marks === 1 && firstMark === 1)) return [];
  const lines = marks === 1 ? '1 line begins' : `${marks} lines begin`;
  const first = marks === 1 ? `${source.name}:${firstMark}` : `the first is ${source.name}:${firstMark}`;
  return [`${lines} with a byte order mark (U+FEFF), which is no part of a record (joined files?): ${first}`];
}

/** Lines of a file are fewer than that. */
const LINES = 2 ** 33;
/** Names a row by one number, in the order of files and lines. */
const PLACE = `batch * ${LINES} + line`;

const nameOf = (files: readonly LoadedFile[], { batch, line }: { batch: number; line: number }) =>
  `${files.find((file) => file.batch === batch)!.source.name}:${line}`;
const placeName = (files: readonly LoadedFile[], place: number) =>
  nameOf(files, { batch: Math.floor(place / LINES), line: place % LINES });

interface CountedKind extends Omit<KindCount, 'first' | 'first_false'> {
  readonly first: number;
  readonly first_false: number | null;
  /** Selected calls, as are the next two. */
  readonly inconsistent: number;
  readonly not_judgeable: number;
  /** One or the other, and the first of them. */
  readonly unjudgeable: number;
  readonly first_unjudgeable: number | null;
  /** Calls that carry a running number. */
  readonly numbered: number;
  /** Microseconds since 1970 of the latest call, and of the latest one that passes the filters. */
  readonly newest: number | string;
  readonly newest_selected: number | string | null;
}

/** Binding an expression costs more than a hundred rows, so the filters are bound only where there are some. */
function countKinds(db: Database, selects: string): Promise<CountedKind[]> {
  const ungrounded = `final_verdict = 'accepted' AND NOT grounded_in_roster`;
  const isAll = selects === 'TRUE';
  const only = isAll ? '' : ' FILTER (chosen)';
  const also = (condition: string) => ` FILTER (${isAll ? '' : 'chosen AND '}(${condition}))`;
  const unjudgeable = also('inconsistent OR not_judgeable');
  return db.objects<CountedKind>(
    `SELECT kind, count(*) AS calls, count(*)${only} AS selected, min(place) AS first,
       count(*) FILTER (${ungrounded}) AS accepted_false, min(place) FILTER (${ungrounded}) AS first_false,
       count(*)${also('inconsistent')} AS inconsistent, count(*)${also('not_judgeable')} AS not_judgeable,
       count(*)${unjudgeable} AS unjudgeable, min(place)${unjudgeable} AS first_unjudgeable,
       count(seq) AS numbered, epoch_us(max("timestamp")) AS newest,
       epoch_us(max("timestamp")${only}) AS newest_selected
     FROM (SELECT *, ${PLACE} AS place${isAll ? '' : `, ${selects} AS chosen`} FROM main.base_calls s)
     GROUP BY kind ORDER BY calls DESC, kind`,
  );
}

type Newests = [calls: Newest | null, selected: Newest | null, selectedGated: Newest | null];

/** Of all calls, of those that pass the filters, and of those among them whose kind is gated; of equal ones the last. */
async function newestOf(
  db: Database,
  kinds: readonly CountedKind[],
  { selects, gatedKinds }: AccountParts,
  whereIs: (place: number) => string,
): Promise<Newests> {
  if (kinds.length === 0) return [null, null, null];
  const isGated = `kind IN (${['NULL', ...gatedKinds.map(quote)].join(', ')})`;
  const gated = kinds.filter(({ kind }) => gatedKinds.includes(kind));
  const asked = [
    [latest(kinds, 'newest'), 'TRUE'],
    [latest(kinds, 'newest_selected'), selects],
    [latest(gated, 'newest_selected'), `${selects} AND ${isGated}`],
  ] as const;
  const places = asked.map(([time, condition]) =>
    time === null
      ? 'NULL'
      : `(SELECT max(${PLACE}) FROM main.base_calls s WHERE "timestamp" = make_timestamptz(${time}) AND ${condition})`,
  );
  const { cells } = await db.rows(`SELECT ${places.join(', ')}`);
  return asked.map(([time], i) =>
    time === null ? null : { time: rfc3339(time), where: whereIs(cells[0]![i] as number) },
  ) as Newests;
}

function latest(kinds: readonly CountedKind[], which: 'newest' | 'newest_selected'): bigint | null {
  const times = kinds.flatMap(({ [which]: time }) => (time === null ? [] : [BigInt(time)]));
  return times.reduce<bigint | null>((last, time) => (last === null || time > last ? time : last), null);
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
