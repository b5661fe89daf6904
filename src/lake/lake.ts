import { Readable } from 'node:stream';
import { LakelogError } from '../errors.js';
import type {
  Account,
  ArrivedCall,
  ArrivedReject,
  LoadedCall,
  LoadedConflict,
  LoadedHole,
  Reject,
} from '../schema/account.js';
import type { Block } from '../schema/block.js';
import type { Caller, Heard } from '../schema/expected.js';
import type { InputProblem } from '../schema/result.js';
import { openTempFolder, type TempFolder } from '../temp-folder.js';
import { type Checked, checkStatement, parseSql } from './box.js';
import { closeDatabase, type Export, runStatement } from './box-run.js';
import {
  type Blocks,
  type Database,
  openBeside,
  openDatabase,
  type Params,
  type Rows,
} from './duckdb/connection.js';
import { memoryLimit } from './duckdb/memory.js';
import { ident, quote } from './duckdb/sql.js';
import {
  absentValues,
  type Filters,
  filteredColumns,
  filterSql,
  resolveWindow,
  type TimeNames,
  type Window,
} from './filters.js';
import { isKnownHere, keepHere } from './folder/answers.js';
import type { Found } from './folder/found.js';
import { isCluster, isFolderLake } from './folder/layout.js';
import { type OpenFolder, openFolder } from './folder/open.js';
import { beginsWith } from './ids.js';
import { type InputRequest, resolveInputs, type SourceFile } from './input/index.js';
import { type Ledger, makeAccount, newestGated } from './load/account.js';
import { findAlike, REPEATED_IDS } from './load/duplicates.js';
import { heardOf } from './load/heard.js';
import { ledgerOf } from './load/ledger.js';
import { type LoadOptions, loadFiles } from './load/load.js';
import { canBeReadAgain, ensureSame, type LinePlace, readAgain } from './load/read-again.js';
import { rejectBlocks, rejectsIn } from './load/rejects.js';
import { holesIn } from './load/seqs.js';
import { explode } from './load/staging.js';
import { numberTwins } from './load/twins.js';
import { type Phantom, phantomsAmong, recompute } from './roster/recompute.js';
import { openRosters, type RosterProblem, type RosterRequest, type Rosters } from './roster/rosters.js';
import { isKnownAnswer, keepAnswer } from './store/answers.js';
import { lakeLedger } from './store/ledger.js';
import { lakeFileOf } from './store/open.js';
import { beginAtEnd, type LakeUse, openSynced, type Synced } from './store/sync.js';
import { type BaseName, baseTable } from './tables/base.js';
import { type Needs, needsOf, shippedNeeds } from './tables/needs.js';
import { type LoadPlan, loadPlan } from './tables/plan.js';
import { asksCallsAlone } from './tables/rowwise.js';
import { viewStatements } from './tables/views.js';

export { type Filters, NO_FILTERS } from './filters.js';
export type { Phantom } from './roster/recompute.js';
export type { RosterRequest, Rosters } from './roster/rosters.js';
export { fillSlots } from './tables/views.js';

export type ParamValue = Params[string];

export interface LakeOptions extends LoadOptions {
  /** All SQL that will be put to the lake: what it does not name is not loaded. */
  readonly asks: readonly string[];
  readonly filters: Filters;
  readonly gatedKinds: readonly string[];
  readonly params: Params;
  /** What the stamps are checked against; null: they are believed. */
  readonly roster?: RosterRequest | null | undefined;
  readonly showContent: boolean;
  /** How long after its last change a plain file may stand empty beside others. */
  readonly rotationGraceS: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The acknowledgements that somebody named. */
  readonly acks?: string | undefined;
  /** A store that outlives the run; without one it is in memory. */
  readonly lake?: LakeUse | undefined;
  /** More SQL, for `traced` alone: what only it names is read of one trace, where the logs can be read again. */
  readonly asksOfTrace?: readonly string[] | undefined;
  /** Columns of calls that are read beside what the SQL asks for. */
  readonly alsoColumns?: readonly string[] | undefined;
}

/** What came into a lake. */
export interface Arrivals {
  /** The last batch that was taken in. */
  readonly last: number;
  readonly calls: readonly ArrivedCall[];
  readonly rejects: readonly ArrivedReject[];
}

/** What names calls: their keys, the beginning of their key or trace, or where they stand. */
export type CallsBy =
  | { readonly keys: readonly string[] }
  | { readonly beginning: string }
  | { readonly file: string; readonly line: number };

/** What `calls` needs to be asked for. */
export const CALLS_SQL = 'SELECT call_key FROM sessions';
/** What is needed to match acknowledgements with what was loaded. */
export const MATCHES_ACKS = { everyReject: true, hashes: true } as const;

export const openLake = (options: LakeOptions): Promise<Lake> => openLakeAs(Lake, options);

/** A lake of another kind, which answers from elsewhere. */
export async function openLakeAs<T extends Lake>(
  Kind: new (...parts: ConstructorParameters<typeof Lake>) => T,
  options: LakeOptions,
): Promise<T> {
  const spill = openTempFolder(options.env);
  let opened: Database | undefined;
  try {
    const db = await openDatabase(spill.dir, memoryLimit(options.env.LAKELOG_MEMORY_LIMIT));
    opened = db;
    const window = await resolveWindow(db, options.filters, options.now);
    const { asks, asksOfTrace = [] } = options;
    const parse = (sql: string) => parseSql(db, sql);
    const needs = await needsOf([...asks, ...asksOfTrace], parse, shippedNeeds());
    const first = asksOfTrace.length === 0 ? needs : await needsOf(asks, parse, shippedNeeds());
    await prepare(db, options);
    const { roster, cwd } = options;
    const rosters = roster ? await openRosters(db, roster, { cwd, tempDir: spill.dir }) : null;
    return new Kind(db, options, window, { needs, first }, spill, rosters);
  } catch (error) {
    opened?.close();
    spill.remove();
    throw error;
  }
}

/** Makes the lake of the options, which takes what the logs hold now as read: what it will hold is what comes. */
export async function beginLakeAtEnd(
  options: LakeOptions & { readonly lake: LakeUse },
  requests: readonly InputRequest[],
): Promise<void> {
  const db = await openDatabase(null, memoryLimit(options.env.LAKELOG_MEMORY_LIMIT));
  try {
    await beginAtEnd(db, requests, { ...options, use: options.lake });
  } finally {
    db.close();
  }
}

/** The clock of `hour()` is the one of the column `day`; instants leave the engine in UTC whatever it is. */
async function prepare(db: Database, { params, filters: { tz } }: LakeOptions): Promise<void> {
  await db.run(`${tz === 'UTC' ? '' : `SET TimeZone = ${quote(tz)}; `}${paramsSql(params)}`);
}

/** Loads lines into tables, answers SQL over them, and is closed. */
export class Lake {
  private readonly db: Database;
  protected readonly options: LakeOptions;
  readonly window: Window;
  private needs: Needs;
  private plan: LoadPlan;
  /** What is needed before it is known which trace is asked for. */
  private readonly first: Needs;
  /** Null for one beside another. */
  private readonly spill: TempFolder | null;
  /** Null where none was named, or none can be used. */
  readonly rosters: Rosters | null;
  private readonly rosterProblem: RosterProblem | null;
  protected gatedKinds: readonly string[];
  private besides = 0;
  /** Names the file of a batch; nothing is loaded where there is none. */
  private ledger: Ledger | null = null;
  /** What makes the tables that queries see, and what the parameters are. */
  private views = '';
  private paramsMade: string;
  /** What was left out until it is known which trace is asked for. */
  private left: { readonly needs: Needs; readonly sources: readonly SourceFile[] } | null = null;
  private trace: Lake | null = null;
  /** The lake of many hosts, once it is open. */
  private folder: OpenFolder | null = null;

  constructor(
    db: Database,
    options: LakeOptions,
    window: Window,
    { needs, first }: { readonly needs: Needs; readonly first: Needs },
    spill: TempFolder | null,
    rosters: Rosters | RosterProblem | null,
  ) {
    this.db = db;
    this.window = window;
    this.needs = needs;
    this.first = first;
    this.spill = spill;
    this.rosters = rosters !== null && 'sample' in rosters ? rosters : null;
    this.rosterProblem = rosters !== null && 'why' in rosters ? rosters : null;
    this.plan = loadPlan(needs, this.uses(options));
    this.options = options;
    this.gatedKinds = options.gatedKinds;
    this.paramsMade = paramsSql(options.params);
  }

  /** Another lake of the same needs in the same engine; both load and answer at the same time. Closed first. */
  async beside(own: Pick<LakeOptions, 'params' | 'gatedKinds'>, needs = this.needs): Promise<Lake> {
    // A name is not free again when its database is closed.
    const db = await openBeside(this.db, `beside${this.besides++}`);
    const options = { ...this.options, ...own, lake: undefined, onProgress: undefined };
    await prepare(db, options);
    return new Lake(db, options, this.window, { needs, first: needs }, null, this.rosters);
  }

  /** A lake that holds the given lines alone, for this SQL; closed by whoever asked it. */
  async planted(
    name: string,
    lines: string,
    own: Pick<LakeOptions, 'params' | 'gatedKinds'> & { readonly sql: string },
  ): Promise<Pick<Lake, 'query' | 'askGate' | 'rosters' | 'close'>> {
    const beside = await this.beside(own);
    try {
      await beside.loadText(name, lines);
      return beside;
    } catch (error) {
      beside.close();
      throw error;
    }
  }

  /** Replaces what was loaded before; with a lake, reads what is new. */
  async load(requests: readonly InputRequest[]): Promise<Account> {
    const { db, options } = this;
    if (options.lake) ensureNoCluster(options.lake.name);
    // It may hold much.
    if (options.lake) await db.useAllThreads();
    if (options.lake && isFolderLake(options.lake.name, options.cwd)) return this.loadFolder(options.lake);
    const synced = options.lake ? await openSynced(db, requests, { ...options, use: options.lake }) : null;
    const ledger = synced ? await this.openLedger(synced) : await this.fillFrom(requests);
    return this.accountOf(ledger, synced && receiptOf(options.lake!, synced));
  }

  private async loadFolder({ name }: LakeUse): Promise<Account> {
    const { db, options, plan } = this;
    const folder = await openFolder(db, { ...options, name, plan, hasRoster: this.rosters !== null });
    this.folder = folder;
    await this.makeViews();
    return this.accountOf(folder.ledger, folder.receipt);
  }

  private async accountOf(ledger: Ledger, lake: Account['lake']): Promise<Account> {
    const { db, options, window, gatedKinds } = this;
    this.ledger = ledger;
    const { selects } = filterSql(options.filters, window);
    const account = await makeAccount(db, this.withRosters(ledger), { selects, gatedKinds });
    const absent = account.callsLoaded === 0 ? [] : await absentValues(db, options.filters);
    return { ...account, absent, window, lake };
  }

  /** The account of what was loaded, once it was answered from: a folder of files may have changed meanwhile. */
  afterwards(account: Account): Account | Promise<Account> {
    const problems = this.folder?.sinceThen() ?? [];
    return problems.length === 0 ? account : { ...account, problems: [...account.problems, ...problems] };
  }

  private withRosters(ledger: Ledger): Ledger {
    const problems = [...ledger.problems, ...problemsOf(this.rosterProblem)];
    return { ...ledger, problems, notices: [...ledger.notices, ...(this.rosters?.notices() ?? [])] };
  }

  /** What an account says to who asks no roster, though others do. */
  withoutRoster(account: Account): Account {
    const ofRosters = this.rosters?.notices() ?? [];
    return {
      ...account,
      problems: account.problems.filter(({ problem }) => problem !== 'roster'),
      notices: account.notices.filter((notice) => !ofRosters.includes(notice)),
    };
  }

  /** Loads lines that stand in no file of the user's, through the very same code; nobody asks for their account. */
  async loadText(name: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const { length } = bytes;
    const source = { name, path: '-', as: 'any', stats: null, length, maybeEmpty: false } as const;
    await this.fill([source], { ...this.options, stdin: Readable.from([bytes]) });
    await this.makeViews();
  }

  private async openLedger(synced: Synced): Promise<Ledger> {
    await this.makeViews();
    return lakeLedger(this.db, synced);
  }

  private async fillFrom(requests: readonly InputRequest[]): Promise<Ledger> {
    const { files, problems, notices } = await resolveInputs(requests, this.options);
    if (this.first !== this.needs && files.every(canBeReadAgain)) this.leaveOut(files);
    const { loaded, alike } = await this.fill(files, this.options);
    await this.makeViews();
    return ledgerOf(this.db, loaded, alike, { problems, notices });
  }

  /** What a trace alone is asked about is read when it is known which. */
  private leaveOut(sources: readonly SourceFile[]): void {
    const { needs } = this;
    this.needs = this.first;
    this.plan = loadPlan(this.needs, this.uses(this.options));
    this.left = { needs, sources };
  }

  /** A lake that answers what `asksOfTrace` asks about a trace; this one, where it holds that. Closed with it. */
  async traced(sessionId: string): Promise<Pick<Lake, 'query' | 'phantoms'>> {
    if (this.left === null) return this;
    const { needs, sources } = this.left;
    const { gatedKinds, options } = this;
    const own = await this.beside({ params: options.params, gatedKinds }, needs);
    this.trace = own;
    const lines = await this.linesOf(sessionId);
    const { loaded, alike } = await own.fill(await readAgain(lines, sources, options), own.options);
    await own.makeViews();
    await ledgerOf(own.db, loaded, alike, { problems: [], notices: [] });
    ensureSame(lines, await own.linesOf(sessionId));
    return own;
  }

  private linesOf(sessionId: string): Promise<LinePlace[]> {
    const select = (base: BaseName) => `SELECT b.file, s.batch, s.line, s.byte_offset
      FROM ${baseTable(base)} s JOIN ${baseTable('batches')} b USING (batch) WHERE session_id = ${quote(sessionId)}`;
    return this.db.objects<LinePlace>(`${select('calls')} UNION ALL ${select('runs')} ORDER BY batch, line`);
  }

  /** From files to the base tables. */
  private async fill(sources: readonly SourceFile[], options: LoadOptions) {
    const { db, plan } = this;
    const loaded = await loadFiles(db, plan, sources, options);
    if (loaded.files.reduce((sum, { counts }) => sum + counts.lines, 0) > FEW_LINES) await db.useAllThreads();
    const alike = await findAlike(db, loaded.files);
    const changed = plan.twins ? await numberTwins(db, sources, options) : [];
    await explode(db, plan);
    return { loaded: { ...loaded, unreadable: [...loaded.unreadable, ...changed] }, alike };
  }

  /** The tables that queries see. */
  private async makeViews(): Promise<void> {
    const { db, needs, plan, window } = this;
    const { gatedKinds } = this;
    const { filters } = this.options;
    if (plan.recomputed && this.rosters) await recompute(db, this.rosters, gatedKinds);
    const runOrder = this.folder?.orderOf('r');
    const slots = { needs, gatedKinds, runOrder, tz: filters.tz, ...filterSql(filters, window) };
    this.views = viewStatements({ ...this.uses(this.options), ...slots, temporary: true }).join('; ');
    await db.run(this.views);
  }

  private uses({ showContent, filters, alsoColumns = [] }: LakeOptions) {
    return {
      showContent,
      alsoColumns: [...filteredColumns(filters), ...alsoColumns],
      hasRoster: this.rosters !== null,
    };
  }

  /** Whom the calls of a trace name and their roster lacks; needs `roster_check` among the columns that are asked for. */
  async phantoms(sessionId: string): Promise<Phantom[]> {
    if (this.rosters === null) return [];
    return phantomsAmong(this.db, this.rosters, `s.session_id = ${quote(sessionId)}`);
  }

  query(sql: string): Promise<Rows> {
    return this.db.rows(sql);
  }

  /** Rows of a gate, which must not be fewer than there are. */
  async askGate(sql: string): Promise<Rows> {
    const { found, statement } = await this.foundBy(sql);
    return found ? found.rows(statement, () => this.query(sql)) : this.query(sql);
  }

  /** How many calls a gate judged, and how many are of kinds that it holds for gated. @param judges its condition. */
  async countJudged(judges: string): Promise<readonly number[]> {
    const ask = async (sql: string) => (await this.query(sql)).cells[0] as number[];
    // Every look at the calls of a folder opens all files anew: one look is better than two short ones.
    if (this.folder === null) return ask(judgedSql(judges));
    const sql = judgedAtOnceSql(judges);
    const { found, statement } = await this.foundBy(`SELECT 1 FROM sessions WHERE (${judges}\n)`);
    return found ? found.counts(statement, () => ask(sql)) : ask(sql);
  }

  /** What was found before by a statement that looks at each call alone, and all that it hangs on beside the calls. */
  private async foundBy(sql: string): Promise<{ found: Found | null; statement: string }> {
    const found = this.folder?.found ?? null;
    if (found === null || !asksCallsAlone(await parseSql(this.db, sql), Object.keys(this.options.params)))
      return { found: null, statement: sql };
    const { db, paramsMade, views, options } = this;
    const { cells } = await db.rows('SELECT version()');
    return { found, statement: JSON.stringify([cells, options.filters.tz, paramsMade, views, sql]) };
  }

  /**
   * What two such times mean, in its own zone and by its own clock.
   * @throws LakelogError (exit 2) for what is no time, or an empty window.
   */
  windowOf(since: string | undefined, until: string | undefined, names?: TimeNames): Promise<Window> {
    return resolveWindow(this.db, { ...this.options.filters, since, until }, this.options.now, names);
  }

  /** Puts other parameters in place of those it was opened with. */
  async setParams(params: Params): Promise<void> {
    this.paramsMade = paramsSql(params);
    await this.db.run(this.paramsMade);
  }

  /**
   * Puts other gated kinds in place of those before.
   * @param account as `load` gave it.
   * @returns the account that it would have given with these.
   */
  async gate(gatedKinds: readonly string[], account: Account): Promise<Account> {
    const { db, options, window, ledger } = this;
    if (!isSame(gatedKinds, this.gatedKinds)) {
      this.gatedKinds = gatedKinds;
      await this.makeViews();
    }
    if (ledger === null || isSame(gatedKinds, options.gatedKinds)) return account;
    const { selects } = filterSql(options.filters, window);
    return { ...account, newestSelectedGated: await newestGated(db, ledger, { selects, gatedKinds }) };
  }

  /** Loaded calls, whatever the filters, by key or by place; needs `call_key` among the columns that are asked for. */
  calls(which: CallsBy): Promise<LoadedCall[]> {
    const key = 'COALESCE(t.call_key, s.call_key_base)';
    const condition =
      'keys' in which
        ? `${key} IN (${which.keys.map(quote).join(', ') || 'NULL'})`
        : 'beginning' in which
          ? `${beginsWith('s.session_id', which.beginning)} OR ${beginsWith(key, which.beginning)}`
          : `b.file = ${quote(which.file)} AND s.line = ${which.line}`;
    return this.db.objects<LoadedCall>(
      `SELECT ${key} AS call_key, s.session_id, s."timestamp", s.kind, s.model, s.iterations, s.final_verdict,
         s.grounded_in_roster, b.file, s.line, COALESCE(s.line_sha256, '') AS line_sha256
       FROM main.base_calls s JOIN main.base_batches b ON b.batch = s.batch
       LEFT JOIN main.base_twins t ON t.batch = s.batch AND t.line = s.line
       WHERE ${condition} ORDER BY s.batch, s.line`,
    );
  }

  /** What a lake took in behind a batch of it, a line that has no end yet left out; calls only that pass the filters. */
  async arrivals(behind: number): Promise<Arrivals> {
    const { db, window, options } = this;
    const since = `FROM main.base_batches b JOIN main.lake_logs l ON l.log = b.log
      AND b.byte_from + b.bytes <= l.read_to AND b.batch > ${behind}`;
    const { cells } = await db.rows(`SELECT COALESCE(max(b.batch), ${behind}) ${since}`);
    const calls = await db.objects<ArrivedCall>(
      `SELECT s."timestamp", s.session_id, s.call_id, s.kind, s.model, s.iterations, s.final_verdict,
         s.grounded_in_roster, s.error, b.file, s.line
       ${since} JOIN main.base_calls s ON s.batch = b.batch
       WHERE ${filterSql(options.filters, window).selects} ORDER BY s."timestamp", s.batch, s.line`,
    );
    const rejects = await db.objects<ArrivedReject>(
      `SELECT b.file, r.line, r.reason, r.detail ${since} JOIN main.base_rejects r ON r.batch = b.batch
       ORDER BY r.batch, r.line`,
    );
    return { last: cells[0]![0] as number, calls, rejects };
  }

  /** Every loaded call whose call_id another one carries too, in the order of files and lines; needs the option `hashes`. */
  conflicts(): Promise<LoadedConflict[]> {
    return this.db.objects<LoadedConflict>(
      `SELECT s.call_id, b.file, s.line, s.line_sha256
       FROM main.base_calls s JOIN main.base_batches b ON b.batch = s.batch
       WHERE s.call_id IN (${this.options.lake ? 'SELECT call_id FROM main.base_conflicts' : REPEATED_IDS}) ORDER BY ${this.folder?.orderOf('s') ?? 's.batch'}, s.line`,
    );
  }

  /** Every hole in the numbers of writers, with the record behind it. */
  holes(): Promise<LoadedHole[]> {
    return holesIn(this.db);
  }

  /** The newest call of each caller, whatever the filters; needs the columns among `alsoColumns`. */
  heardOf(callers: readonly Caller[]): Promise<Heard[]> {
    return heardOf(this.db, callers);
  }

  /** Every reject with its place and reason; needs the option `everyReject`. */
  rejects(): Promise<Reject[]> {
    return rejectsIn(this.db, this.folder?.orderOf('b'));
  }

  /** The same by blocks, of as many as there may be; needs these columns of `rejects` among those that are asked for. */
  rejectBlocks(columns: readonly string[]): AsyncIterable<Block> {
    return rejectBlocks(this.db, columns, this.folder?.orderOf('b'));
  }

  /** Refuses somebody's own SQL unless it is one harmless SELECT or EXPLAIN; `where` names where it came from. */
  check(sql: string, where: string): Promise<Checked> {
    return checkStatement(this.db, sql, where, Object.keys(this.options.params));
  }

  private isClosed = false;

  /** Closes the database for everything but its tables and, the first time, the files it is to write; then answers. */
  async runBoxed(checked: Checked, to: Export): Promise<Blocks> {
    if (!this.isClosed) await closeDatabase(this.db, [...to.parquet, ...(this.folder?.files ?? [])]);
    this.isClosed = true;
    return runStatement(this.db, checked, this.options.params, to, this.options.showContent);
  }

  /**
   * Whether a gate found the same the last time that it was asked on this lake, and how to keep what it found now.
   * @returns null without a lake.
   */
  async lastAnswer(
    question: string,
    findings: string,
  ): Promise<{ isSame: boolean; keep(): Promise<void> } | null> {
    const { db } = this;
    const { lake, cwd, env } = this.options;
    if (!lake) return null;
    if (this.folder) {
      const { lake: place } = this.folder.state;
      const isSame = isKnownHere(place, env, question, findings);
      return { isSame, keep: async () => keepHere(place, env, question, findings) };
    }
    const isSame = await isKnownAnswer(db, question, findings);
    return {
      isSame,
      keep: () => keepAnswer(db, lakeFileOf(lake.name, cwd, lake.lockTimeoutS), question, findings),
    };
  }

  close(): void {
    this.trace?.close();
    this.db.close();
    this.spill?.remove();
  }
}

/** Conditions of their own, because the engine passes over what a WHERE leaves out; that of the gate may end in a comment. */
export const judgedSql = (judges: string) =>
  `SELECT (SELECT COUNT(*) FROM sessions WHERE (${judges}\n)), (SELECT COUNT(*) FROM sessions WHERE gated)`;

const judgedAtOnceSql = (judges: string) =>
  `SELECT COUNT(*) FILTER (WHERE is_judged), COUNT(*) FILTER (WHERE gated)
   FROM (SELECT (${judges}\n) AS is_judged, gated FROM sessions)`;

/** One thread does as well with the attempts of so many calls, or their reasons. */
const FEW_LINES = 30_000;

const isSame = (a: readonly string[], b: readonly string[]) => JSON.stringify(a) === JSON.stringify(b);

function receiptOf({ name }: LakeUse, synced: Synced): NonNullable<Account['lake']> {
  return {
    path: name,
    synced: synced.isSynced,
    last_sync: synced.lastSync,
    loading: synced.isLoading,
    known_logs: synced.usedKnown,
    not_looked_at: synced.unseen,
    new_bytes: synced.read.bytes,
    new_files: synced.read.files,
    earlier_bytes: synced.before.bytes,
    earlier_files: synced.before.files,
  };
}

/** An engine answers questions, and nothing else is asked of it. */
function ensureNoCluster(name: string): void {
  if (!isCluster(name)) return;
  throw new LakelogError('this command does not ask a cluster', {
    where: name,
    next: 'ask a question or `lakelog check`; or name the folder itself, if this machine sees it: --lake DIR/',
  });
}

const problemsOf = (problem: RosterProblem | null): InputProblem[] =>
  problem === null ? [] : [{ path: problem.where, problem: 'roster', detail: problem.why }];

function paramsSql(params: Params): string {
  const literal = (value: ParamValue) => {
    if (value === null) return 'NULL::VARCHAR';
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'boolean') return String(value);
    return Number.isInteger(value) ? `${value}::BIGINT` : `${value}::DOUBLE`;
  };
  const columns = Object.entries(params).map(([name, value]) => `${literal(value)} AS ${ident(name)}`);
  return `CREATE OR REPLACE TEMP TABLE params AS SELECT ${columns.join(', ') || 'NULL AS none'}`;
}
