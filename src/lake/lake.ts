import os from 'node:os';
import { Readable } from 'node:stream';
import type { CallFacts } from '../schema/ack.js';
import { type AbsentValue, absentValues } from './absent.js';
import { type Checked, checkStatement, parseSql } from './box.js';
import { closeDatabase, type Export, runStatement } from './box-run.js';
import { type Blocks, type Connected, type Database, openDatabase, type Rows } from './duckdb/connection.js';
import { memoryLimit } from './duckdb/memory.js';
import { openSpill, type Spill } from './duckdb/spill.js';
import { ident, quote } from './duckdb/sql.js';
import { type Filters, filteredColumns, filterSql, resolveWindow, type Window } from './filters.js';
import { beginsWith } from './ids.js';
import { type InputRequest, resolveInputs, type SourceFile } from './input/index.js';
import { type Account as LoadAccount, makeAccount } from './load/account.js';
import { type Alike, findAlike, numberTwins, REPEATED_IDS, twins } from './load/duplicates.js';
import { hashLines } from './load/hashes.js';
import { type Loaded, type LoadOptions, loadFiles, type Threads } from './load/load.js';
import { type Reject, rejectsOf } from './load/rejects.js';
import { explode } from './load/staging.js';
import { type Needs, needsOf } from './tables/needs.js';
import { type LoadPlan, loadPlan } from './tables/plan.js';
import { shippedNeeds } from './tables/shipped.js';
import { viewStatements } from './tables/views.js';

export type { AbsentValue } from './absent.js';
export { type Filters, NO_FILTERS } from './filters.js';
export type { KindCount, Newest } from './load/account.js';
export type { Reject } from './load/rejects.js';

/** What was read, and what the filters made of it. */
export interface Account extends LoadAccount {
  /** Values of the filters that no loaded call has; none where no call was loaded. */
  readonly absent: readonly AbsentValue[];
}

export type ParamValue = string | number | boolean | null;

export interface LakeOptions {
  /** All SQL that will be put to the lake: what it does not name is not loaded. */
  readonly asks: readonly string[];
  readonly filters: Filters;
  readonly gatedKinds: readonly string[];
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly showContent: boolean;
  readonly maxLineBytes: number;
  readonly pendingGraceS: number;
  /** How long after its last change a plain file may stand empty beside others. */
  readonly rotationGraceS: number;
  /** Every reject is told, not only the first of each reason and file. */
  readonly everyReject?: boolean | undefined;
  /** `lineHashes` will be asked for calls. */
  readonly hashes?: boolean | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: Date;
  readonly stdin: Readable;
  /** The acknowledgements that somebody named. */
  readonly acks?: string | undefined;
  /** @internal For tests: what large files are treated to, on small ones. */
  readonly threads?: Threads | undefined;
  /** Bytes read and bytes known so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Lake {
  /** Replaces what was loaded before. */
  load(requests: readonly InputRequest[]): Promise<Account>;
  /** Loads lines that stand in no file of the user's, through the very same code; nobody asks for their account. */
  loadText(name: string, text: string): Promise<void>;
  /** Another lake of the same options in the same engine; both load and answer at the same time. Closed first. */
  beside(): Promise<Lake>;
  query(sql: string): Promise<Rows>;
  /** Somebody's own SQL: `check` before loading, `run` after it. Both throw LakelogError (exit 2). */
  readonly box: Box;
  /** Puts other parameters in place of those it was opened with. */
  setParams(params: Readonly<Record<string, ParamValue>>): Promise<void>;
  /** Loaded calls, whatever the filters, by key or by place; needs `call_key` among the columns that are asked for. */
  calls(which: CallsBy): Promise<LoadedCall[]>;
  /** Selected calls whose attempts are not all recorded or not understood; null where there are none. */
  unjudgeable(): Promise<Unjudgeable | null>;
  /** SHA-256 of loaded lines, by `file:line`; needs the option `hashes`. */
  lineHashes(
    places: readonly { readonly file: string; readonly line: number }[],
  ): Promise<Map<string, string>>;
  /** Every loaded call whose call_id another one carries too, in the order of files and lines; needs the option `hashes`. */
  conflicts(): Promise<LoadedConflict[]>;
  /** Every reject with its place and reason; needs the option `everyReject`. */
  rejects(): Promise<Reject[]>;
  readonly window: Window;
  close(): void;
}

/** What names calls: their keys, the beginning of their key or trace, or where they stand. */
export type CallsBy =
  | { readonly keys: readonly string[] }
  | { readonly beginning: string }
  | { readonly file: string; readonly line: number };

export interface LoadedCall extends CallFacts {
  readonly file: string;
  readonly line: number;
}

export interface LoadedConflict {
  readonly call_id: string;
  readonly file: string;
  readonly line: number;
  readonly line_sha256: string;
}

export interface Unjudgeable {
  readonly calls: number;
  /** file:line. */
  readonly first: string;
}

export interface Box {
  /** Refuses whatever is not one harmless SELECT or EXPLAIN; `where` names where the SQL came from. */
  check(sql: string, where: string): Promise<Checked>;
  /** Closes the database for everything but its tables, then answers. */
  run(checked: Checked, to: Export): Promise<Blocks>;
}

/** What `calls` needs to be asked for. */
export const CALLS_SQL = 'SELECT call_key FROM sessions';
/** What is needed to match acknowledgements with what was loaded. */
export const MATCHES_ACKS = { everyReject: true, hashes: true } as const;

/** Below, a thread would start later than the file is read. */
const THREADS: Threads = { count: Math.min(4, os.availableParallelism()), above: 48 << 20, part: 8 << 20 };

export async function openLake(options: LakeOptions): Promise<Lake> {
  const spill = openSpill(options.env);
  let db: Database | undefined;
  try {
    db = await openDatabase({
      tempDir: spill.dir,
      memoryLimit: memoryLimit(options.env.LAKELOG_MEMORY_LIMIT),
    });
    const connected = db;
    const window = await resolveWindow(db, options.filters, options.now);
    const needs = await needsOf(options.asks, (sql) => parseSql(connected, sql), shippedNeeds());
    await prepare(db, options);
    return new DuckLake(db, { db, spill }, options, window, needs);
  } catch (error) {
    db?.close();
    spill.remove();
    throw error;
  }
}

/** The clock of `hour()` is the one of the column `day`; instants leave the engine in UTC whatever it is. */
function prepare(db: Connected, { params, filters: { tz } }: LakeOptions): Promise<void> {
  return db.run(`${tz === 'UTC' ? '' : `SET TimeZone = ${quote(tz)}; `}${paramsSql(params)}`);
}

class DuckLake implements Lake {
  private loaded: Loaded = { files: [], unreadable: [] };
  private sources: readonly SourceFile[] = [];
  private readonly db: Connected;
  /** Null for one that is beside another. */
  private readonly engine: { readonly db: Database; readonly spill: Spill } | null;
  private readonly options: LakeOptions;
  private readonly needs: Needs;
  private readonly plan: LoadPlan;
  readonly window: Window;

  constructor(db: Connected, engine: DuckLake['engine'], options: LakeOptions, window: Window, needs: Needs) {
    this.db = db;
    this.engine = engine;
    this.options = options;
    this.window = window;
    this.needs = needs;
    this.plan = loadPlan(needs, this.uses);
  }

  private get uses() {
    const { showContent, filters } = this.options;
    return { showContent, alsoColumns: filteredColumns(filters) };
  }

  private get loadOptions(): LoadOptions {
    const { options, plan } = this;
    return {
      plan,
      maxLineBytes: options.maxLineBytes,
      pendingGraceS: options.pendingGraceS,
      hashes: options.hashes === true,
      everyReject: options.everyReject === true || plan.rejects !== undefined,
      now: options.now,
      stdin: options.stdin,
      threads: options.threads ?? THREADS,
      onProgress: options.onProgress,
    };
  }

  async beside(): Promise<Lake> {
    if (this.engine === null) throw new Error('a lake beside another has none beside it');
    const db = await this.engine.db.beside();
    await prepare(db, this.options);
    return new DuckLake(db, null, { ...this.options, onProgress: undefined }, this.window, this.needs);
  }

  async loadText(name: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await this.fill([{ name, path: '-', as: 'any', stream: true, stats: null, maybeEmpty: false }], {
      ...this.loadOptions,
      mostBytes: bytes.length,
      stdin: Readable.from([bytes]),
    });
  }

  async load(requests: readonly InputRequest[]): Promise<Account> {
    const { cwd, now, rotationGraceS, acks, gatedKinds } = this.options;
    const inputs = await resolveInputs(requests, { cwd, now, rotationGraceS, acks });
    const alike = await this.fill(inputs.files, this.loadOptions);
    const unreadable = this.loaded.unreadable.map(({ source, why }) => ({
      path: source.name,
      problem: 'unreadable' as const,
      detail: why,
    }));
    const account = await makeAccount(this.db, {
      files: this.loaded.files,
      alike,
      problems: [...inputs.problems, ...unreadable],
      notices: inputs.notices,
      selects: filterSql(this.options.filters, this.window).selects,
      gatedKinds,
      window: this.window,
    });
    this.fillBatches(account);
    const absent = account.callsLoaded === 0 ? [] : await absentValues(this.db, this.options.filters);
    return { ...account, absent };
  }

  /** From files to the tables that queries see. */
  private async fill(sources: readonly SourceFile[], options: LoadOptions): Promise<Alike> {
    const { db, plan } = this;
    this.sources = sources;
    this.loaded = await loadFiles(db, sources, options);
    const [calls, runs] = [0, 1].map((kind) =>
      this.loaded.files.reduce((sum, { counts }) => sum + counts.loaded[kind as 0 | 1], 0),
    ) as [number, number];
    const alike = await findAlike(db, calls, runs);
    if (plan.twins) await this.fillTwins();
    await explode(db, plan);
    const { filters, gatedKinds } = this.options;
    const { tz } = filters;
    await db.run(
      viewStatements({
        ...this.uses,
        needs: this.needs,
        gatedKinds,
        tz,
        ...filterSql(filters, this.window),
      }).join('; '),
    );
    return alike;
  }

  private async fillTwins(): Promise<void> {
    const found = await twins(this.db);
    if (found.length === 0) return;
    const missing = found.filter(({ line_sha256 }) => line_sha256 === null);
    const hashes = await hashLines(this.sources, missing, this.options);
    this.db.appendRows(
      'base_twins',
      numberTwins(
        found.map((twin) => ({
          ...twin,
          line_sha256: twin.line_sha256 ?? hashes.get(`${twin.batch}:${twin.line}`) ?? '',
        })),
      ),
    );
  }

  private fillBatches({ files }: LoadAccount): void {
    this.db.appendRows(
      'base_batches',
      // The account has the files in the order in which they were loaded.
      this.loaded.files.map(({ batch, counts }, i) => {
        const f = files[i]!;
        return [
          ...[batch, f.file, f.bytes, f.lines, f.loaded, f.rejected, f.duplicates, f.blank],
          ...[f.pending, f.conflicts, counts.newest],
        ];
      }),
    );
    if (!this.plan.rejects) return;
    this.db.appendRows(
      'base_rejects',
      this.loaded.files.flatMap(({ batch, rejects }) =>
        rejects.map(({ line, byteOffset, reason, detail, sha256 }) => [
          batch,
          line,
          byteOffset,
          reason,
          detail,
          sha256,
        ]),
      ),
    );
  }

  async rejects(): Promise<Reject[]> {
    return rejectsOf(this.loaded.files);
  }

  query(sql: string): Promise<Rows> {
    return this.db.rows(sql);
  }

  async setParams(params: Readonly<Record<string, ParamValue>>): Promise<void> {
    await this.db.run(paramsSql(params));
  }

  async calls(which: CallsBy): Promise<LoadedCall[]> {
    const key = 'COALESCE(t.call_key, s.call_key_base)';
    const condition =
      'keys' in which
        ? `${key} IN (${which.keys.map(quote).join(', ') || 'NULL'})`
        : 'beginning' in which
          ? `${beginsWith('s.session_id', which.beginning)} OR ${beginsWith(key, which.beginning)}`
          : `b.file = ${quote(which.file)} AND s.line = ${which.line}`;
    return this.db.objects<LoadedCall>(
      `SELECT ${key} AS call_key, s.session_id, s."timestamp", s.kind, s.model, s.iterations, s.final_verdict,
         s.grounded_in_roster, b.file, s.line
       FROM main.base_calls s JOIN main.base_batches b ON b.batch = s.batch
       LEFT JOIN main.base_twins t ON t.batch = s.batch AND t.line = s.line
       WHERE ${condition} ORDER BY s.batch, s.line`,
    );
  }

  async unjudgeable(): Promise<Unjudgeable | null> {
    const [found] = await this.db.objects<Unjudgeable>(
      `SELECT count(*) OVER () AS calls, b.file || ':' || s.line AS first
       FROM main.base_calls s JOIN main.base_batches b ON b.batch = s.batch
       WHERE (s.inconsistent OR s.not_judgeable) AND ${filterSql(this.options.filters, this.window).selects}
       ORDER BY s.batch, s.line LIMIT 1`,
    );
    return found ?? null;
  }

  async lineHashes(places: readonly { readonly file: string; readonly line: number }[]) {
    const batches = new Map(this.loaded.files.map(({ source, batch }) => [source.name, batch]));
    const wanted = places.flatMap(({ file, line }) => {
      const batch = batches.get(file);
      return batch === undefined ? [] : [`(${batch}, ${line})`];
    });
    if (wanted.length === 0) return new Map<string, string>();
    const found = await this.db.objects<{ place: string; line_sha256: string }>(
      `SELECT b.file || ':' || s.line AS place, s.line_sha256 FROM main.base_calls s
       JOIN main.base_batches b ON b.batch = s.batch WHERE (s.batch, s.line) IN (${wanted.join(', ')})`,
    );
    return new Map(found.map(({ place, line_sha256 }) => [place, line_sha256]));
  }

  conflicts(): Promise<LoadedConflict[]> {
    return this.db.objects<LoadedConflict>(
      `SELECT s.call_id, b.file, s.line, s.line_sha256
       FROM main.base_calls s JOIN main.base_batches b ON b.batch = s.batch
       WHERE s.call_id IN (${REPEATED_IDS}) ORDER BY s.batch, s.line`,
    );
  }

  get box(): Box {
    const { db, options } = this;
    return {
      check: (sql, where) => checkStatement(db, sql, where, Object.keys(options.params)),
      run: async (checked, to) => {
        await closeDatabase(db, to.parquet);
        return runStatement(db, checked, options.params, to, options.showContent);
      },
    };
  }

  close(): void {
    this.db.close();
    this.engine?.spill.remove();
  }
}

function paramsSql(params: Readonly<Record<string, ParamValue>>): string {
  const literal = (value: ParamValue) => {
    if (value === null) return 'NULL::VARCHAR';
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'boolean') return String(value);
    return Number.isInteger(value) ? `${value}::BIGINT` : `${value}::DOUBLE`;
  };
  const columns = Object.entries(params).map(([name, value]) => `${literal(value)} AS ${ident(name)}`);
  return `CREATE OR REPLACE TABLE main.params AS SELECT ${columns.join(', ') || 'NULL AS none'}`;
}
