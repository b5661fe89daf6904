/** The account of what was loaded: every line, every file, and what is known of the calls whatever the filters. */
import { rfc3339 } from '../../instant.js';
import type { Account, BlockingGroup, KindCount, Newest } from '../../schema/account.js';
import type { FileAccount, InputProblem } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import { gapsOf } from './seqs.js';

/** What became of the lines of every file, as whoever loaded them knows it. */
export interface Ledger {
  readonly files: readonly FileAccount[];
  readonly rejects: readonly BlockingGroup[];
  readonly hasCalls: boolean;
  /** The table that holds a summary of the calls of each batch; null where they are few enough to be counted. */
  readonly summary: string | null;
  readonly firstConflict: Place | null;
  /** The first record that came late. */
  readonly firstLate: Place | null;
  /** Traces that only replay runs know. */
  unknownTraces(): Promise<Account['unknownTraces']>;
  /** Fills base_seqs, where that was not done before. @returns false where no number is missing, and nothing was filled. */
  fillSeqs(): Promise<boolean>;
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
  readonly mayBeEmpty: readonly string[];
  /** Where the number of a batch is too large to name a place by: SQL of a smaller one of a call `s`, which `nameOf` takes too. */
  readonly ordinal?: string;
  /** Where the calls of an instant (microseconds since 1970) stand, if that is less than all of them. */
  readonly callsAt?: (time: bigint) => string;
  /** Of the file of a batch. */
  nameOf(batch: number): string;
}

export interface Place {
  readonly batch: number;
  readonly line: number;
}

export interface AccountParts {
  /** Condition over a call `s`. */
  readonly selects: string;
  readonly gatedKinds: readonly string[];
}

/** All but what the filters alone decide. */
export async function makeAccount(
  db: Database,
  ledger: Ledger,
  parts: AccountParts,
): Promise<Omit<Account, 'absent' | 'window' | 'lake'>> {
  const { files, hasCalls, firstConflict, firstLate } = ledger;
  const total = (name: 'loaded' | 'conflicts') => files.reduce((sum, file) => sum + file[name], 0);
  const counted = hasCalls ? await countKinds(db, parts.selects, ledger) : [];
  const sum = (name: 'calls' | 'selected' | 'inconsistent' | 'not_judgeable' | 'unjudgeable' | 'numbered') =>
    counted.reduce((total, kind) => total + kind[name], 0);
  const whereIs = (place: number) =>
    nameOf(ledger, { batch: Math.floor(place / LINES), line: place % LINES });
  const [newestCall, newestSelected, newestSelectedGated] = await newestOf(
    db,
    counted,
    parts,
    ledger,
    whereIs,
  );
  const gaps = sum('numbered') > 0 && (await ledger.fillSeqs()) ? await gapsOf(db) : [];
  const runsLoaded = total('loaded') - sum('calls');
  const firstUnjudgeable = counted.flatMap(({ first_unjudgeable: place }) => (place === null ? [] : [place]));
  return {
    files,
    problems: ledger.problems,
    notices: ledger.notices,
    rejects: ledger.rejects,
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
    firstConflict: firstConflict && nameOf(ledger, firstConflict),
    gaps,
    unknownTraces: hasCalls && runsLoaded > 0 ? await ledger.unknownTraces() : null,
    firstLate: firstLate && nameOf(ledger, firstLate),
    newestCall,
    newestSelected,
    newestSelectedGated,
    mayBeEmpty: ledger.mayBeEmpty,
  };
}

/** Lines of a file are fewer than that. */
const LINES = 2 ** 33;
/** Names a call `s` by one number, in the order of files and lines. */
const placeSql = ({ ordinal = 's.batch' }: Pick<Ledger, 'ordinal'>) => `${ordinal} * ${LINES} + s.line`;

const callsAt = (ledger: Ledger, time: bigint) => ledger.callsAt?.(time) ?? 'main.base_calls';

const nameOf = (ledger: Ledger, { batch, line }: Place) => `${ledger.nameOf(batch)}:${line}`;

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

/** The name of each sum or least of a kind, and how it is made of calls; what is counted of selected ones has `only`. */
function kindColumns(
  only: string,
  also: (condition: string) => string,
): readonly (readonly [string, string])[] {
  const ungrounded = `final_verdict = 'accepted' AND NOT grounded_in_roster`;
  const unjudgeable = also('inconsistent OR not_judgeable');
  return [
    ['calls', 'count(*)'],
    ['selected', `count(*)${only}`],
    ['first', 'min(place)'],
    ['accepted_false', `count(*) FILTER (${ungrounded})`],
    ['first_false', `min(place) FILTER (${ungrounded})`],
    ['inconsistent', `count(*)${also('inconsistent')}`],
    ['not_judgeable', `count(*)${also('not_judgeable')}`],
    ['unjudgeable', `count(*)${unjudgeable}`],
    ['first_unjudgeable', `min(place)${unjudgeable}`],
    ['numbered', 'count(seq)'],
    ['newest', 'epoch_us(max("timestamp"))'],
    ['newest_selected', `epoch_us(max("timestamp")${only})`],
  ];
}

const listed = (columns: readonly (readonly [string, string])[]) =>
  columns.map(([name, sql]) => `${sql} AS ${name}`).join(', ');
const ALL_CALLS = kindColumns('', (condition) => ` FILTER (${condition})`);

/** The columns of a summary of the calls of each batch, all of them BIGINT, and the SELECT that makes it. */
export const SUMMARY_COLUMNS: readonly string[] = ALL_CALLS.map(([name]) => name);
export const summarySql = (calls: string, batch: string): string =>
  `SELECT ${batch} AS batch, kind, ${listed(ALL_CALLS)}
   FROM (SELECT *, (${batch}) * ${LINES} + line AS place FROM ${calls}) GROUP BY ALL`;

/** Binding an expression costs more than a hundred rows, so the filters are bound only where there are some. */
function countKinds(db: Database, selects: string, ledger: Ledger): Promise<CountedKind[]> {
  const { summary } = ledger;
  const isAll = selects === 'TRUE';
  if (isAll && summary !== null) {
    const sums = ALL_CALLS.map(([name]): [string, string] => {
      const how = name.startsWith('first') ? 'min' : name.startsWith('newest') ? 'max' : 'sum';
      return [name, `CAST(${how}(${name}) AS BIGINT)`];
    });
    return db.objects(`SELECT kind, ${listed(sums)} FROM ${summary} GROUP BY kind ORDER BY calls DESC, kind`);
  }
  const only = isAll ? '' : ' FILTER (chosen)';
  const also = (condition: string) => ` FILTER (${isAll ? '' : 'chosen AND '}(${condition}))`;
  return db.objects<CountedKind>(
    `SELECT kind, ${listed(kindColumns(only, also))}
     FROM (SELECT s.*, ${placeSql(ledger)} AS place${isAll ? '' : `, ${selects} AS chosen`} FROM main.base_calls s)
     GROUP BY kind ORDER BY calls DESC, kind`,
  );
}

type Newests = [calls: Newest | null, selected: Newest | null, selectedGated: Newest | null];

/** Of all calls, of those that pass the filters, and of those among them whose kind is gated; of equal ones the last. */
async function newestOf(
  db: Database,
  kinds: readonly CountedKind[],
  { selects, gatedKinds }: AccountParts,
  ledger: Ledger,
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
      : `(SELECT max(${placeSql(ledger)}) FROM ${callsAt(ledger, time)} s WHERE "timestamp" = make_timestamptz(${time}) AND ${condition})`,
  );
  // Without filters two of them are the same.
  const different = [...new Set(places)];
  const { cells } = await db.rows(`SELECT ${different.join(', ')}`);
  const placeOf = (sql: string) => cells[0]![different.indexOf(sql)] as number;
  return asked.map(([time], i) =>
    time === null ? null : { time: rfc3339(time), where: whereIs(placeOf(places[i]!)) },
  ) as Newests;
}

/** The same of the last of them, for other gated kinds than the account is about. */
export async function newestGated(
  db: Database,
  ledger: Ledger,
  { selects, gatedKinds }: AccountParts,
): Promise<Newest | null> {
  if (!ledger.hasCalls) return null;
  const isGated = `kind IN (${['NULL', ...gatedKinds.map(quote)].join(', ')})`;
  const among = (calls: string) => `FROM ${calls} s WHERE (${selects}) AND ${isGated}`;
  const { cells } = await db.rows(`SELECT epoch_us(max("timestamp")) ${among('main.base_calls')}`);
  const time = cells[0]![0] as number | string | null;
  if (time === null) return null;
  const { cells: last } = await db.rows(
    `SELECT max(${placeSql(ledger)}) ${among(callsAt(ledger, BigInt(time)))} AND "timestamp" = make_timestamptz(${time})`,
  );
  const place = last[0]![0] as number;
  const where = nameOf(ledger, { batch: Math.floor(place / LINES), line: place % LINES });
  return { time: rfc3339(BigInt(time)), where };
}

function latest(kinds: readonly CountedKind[], which: 'newest' | 'newest_selected'): bigint | null {
  const times = kinds.flatMap(({ [which]: time }) => (time === null ? [] : [BigInt(time)]));
  return times.reduce<bigint | null>((last, time) => (last === null || time > last ? time : last), null);
}
