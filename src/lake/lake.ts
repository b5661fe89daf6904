import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { LakelogError, messageOf } from '../errors.js';
import type { CallFacts } from '../schema/ack.js';
import type { FileAccount, InputProblem, RejectGroup } from '../schema/result.js';
import { parseAge } from './age.js';
import { checkSelect, explainSqlError } from './box.js';
import {
  type Connected,
  type Database,
  ident,
  openDatabase,
  quote,
  type Rows,
  type TypedRows,
} from './duckdb.js';
import { type InputRequest, resolveInputs, type SourceFile } from './inputs.js';
import { comparable } from './instant.js';
import {
  createStaging,
  type LoadedFile,
  type LoadOptions,
  type LoadSizes,
  loadFile,
  markDuplicates,
  Unreadable,
} from './load.js';
import { memoryLimit } from './memory.js';
import { ELSEWHERE, FORMATS, type Kind } from './read-sql.js';
import { findRejects, hashLines, type Reject } from './rejects.js';
import { openSpool, type Spool } from './spool.js';
import { CALL_KEYS, type Needs, viewSql } from './tables.js';

export interface Filters {
  /** RFC 3339, a date (in tz) or an age such as `24h` or `7d`. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly tz: string;
  readonly model: readonly string[];
  readonly kind: readonly string[];
  readonly daemon: readonly string[];
  readonly environment: readonly string[];
}

export const NO_FILTERS: Filters = { tz: 'UTC', model: [], kind: [], daemon: [], environment: [] };

export type ParamValue = string | number | boolean | null;

export interface LakeOptions {
  readonly needs: Needs;
  readonly filters: Filters;
  readonly gatedKinds: readonly string[];
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly showContent: boolean;
  readonly maxLineBytes: number;
  readonly pendingGraceS: number;
  /** How long after its last change a plain file may stand empty beside others. */
  readonly rotationGraceS: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: Date;
  readonly stdin: Readable;
  /** Files that a folder or pattern may hold and that are no logs, as absolute paths. */
  readonly notLogs?: readonly string[] | undefined;
  /** @internal For tests: what large files are treated to, on small ones. */
  readonly sizes?: LoadSizes | undefined;
  /** Bytes read and bytes known so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface KindCount {
  readonly kind: string;
  /** All loaded calls of the kind. */
  readonly calls: number;
  /** Those that pass the filters. */
  readonly selected: number;
  /** All loaded accepted calls stamped false. */
  readonly accepted_false: number;
  /** file:line of the first call, and of the first accepted one stamped false. */
  readonly first: string;
  readonly first_false: string | null;
}

/** An instant, RFC 3339, and the file:line it stands in. */
export interface Newest {
  readonly time: string;
  readonly where: string;
}

/** What was read, and what is known of it whatever the filters. */
export interface Account {
  readonly files: readonly FileAccount[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
  readonly rejects: readonly (RejectGroup & { readonly blocks: boolean })[];
  readonly callsLoaded: number;
  readonly replayRunsLoaded: number;
  readonly callsSelected: number;
  readonly kinds: readonly KindCount[];
  readonly inconsistent: number;
  readonly notJudgeable: number;
  readonly conflicts: number;
  readonly firstConflict: string | null;
  readonly gaps: readonly { writer_id: string; missing: number }[];
  readonly newestCall: string | null;
  readonly newestCallWhere: string | null;
  /** Of the calls that pass the filters, and of those among them whose kind is gated. */
  readonly newestSelected: Newest | null;
  readonly newestSelectedGated: Newest | null;
  /** Files that may hold no record without keeping a gate from vouching, where others hold some (just rotated). */
  readonly mayBeEmpty: readonly string[];
  readonly window: { since: string | null; until: string | null; tz: string };
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
  /** Loaded calls, whatever the filters, by key or by place. */
  calls(which: CallsBy): Promise<LoadedCall[]>;
  /** SHA-256 of the bytes of loaded lines, by `file:line`; reads their files once more. */
  lineHashes(
    places: readonly { readonly file: string; readonly line: number }[],
  ): Promise<Map<string, string>>;
  /** Every reject with its place and reason; reads the files with rejects once more. */
  rejects(): Promise<Reject[]>;
  readonly window: { since: string | null; until: string | null; tz: string };
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

export interface Box {
  /** Refuses whatever is not one harmless SELECT; `where` names where the SQL came from. */
  check(sql: string, where: string): Promise<void>;
  /** Closes the database for everything but its tables, then answers with at most `most` rows. */
  run(sql: string, where: string, most: number): Promise<TypedRows>;
}

/** What a query may spill to disk. */
const BOX_TEMP = '4GB';

export async function openLake(options: LakeOptions): Promise<Lake> {
  const spool = await openSpool(options.env);
  let db: Database | undefined;
  try {
    db = await openDatabase({
      tempDir: spool.dir,
      memoryLimit: memoryLimit(options.env.LAKELOG_MEMORY_LIMIT),
      watchProgress: options.onProgress !== undefined,
    });
    const window = await resolveWindow(db, options);
    await db.run(paramsSql(options.params));
    return new DuckLake(db, db, spool, options, window);
  } catch (error) {
    db?.close();
    spool.remove();
    throw error;
  }
}

class DuckLake implements Lake {
  private loaded: LoadedFile[] = [];
  private sources: readonly SourceFile[] = [];
  /** No call shares its call_id with another. */
  private ownIds = false;
  private readonly db: Connected;
  /** Null for one that is beside another. */
  private readonly engine: Database | null;
  private readonly spool: Spool;
  private readonly options: LakeOptions;
  readonly window: { since: string | null; until: string | null; tz: string };

  constructor(
    db: Connected,
    engine: Database | null,
    spool: Spool,
    options: LakeOptions,
    window: DuckLake['window'],
  ) {
    this.db = db;
    this.engine = engine;
    this.spool = spool;
    this.options = options;
    this.window = window;
  }

  async beside(): Promise<Lake> {
    if (this.engine === null) throw new Error('a lake beside another has none beside it');
    const db = await this.engine.beside();
    await db.run(paramsSql(this.options.params));
    return new DuckLake(db, null, this.spool, { ...this.options, onProgress: undefined }, this.window);
  }

  async loadText(name: string, text: string): Promise<void> {
    const path = await this.spool.text(text);
    await this.loadFiles({ files: [{ name, path, as: 'any', stream: false }], problems: [], notices: [] });
  }

  async load(requests: readonly InputRequest[]): Promise<Account> {
    const inputs = resolveInputs(requests, this.options.cwd, this.options.notLogs);
    const problems = await this.loadFiles(inputs);
    const account = await this.account(problems, inputs.notices);
    if (this.options.needs.tables.has('files')) await this.fillFiles(account.files);
    if (this.options.needs.tables.has('rejects')) await this.fillRejects();
    return account;
  }

  private async loadFiles(inputs: ReturnType<typeof resolveInputs>): Promise<InputProblem[]> {
    const { db, spool, options } = this;
    const problems = [...inputs.problems];
    this.sources = inputs.files;
    const loadOptions: LoadOptions = {
      maxLineBytes: options.maxLineBytes,
      pendingGraceS: options.pendingGraceS,
      attemptFields: options.needs.attemptFields,
      keep: options.needs.keep,
      withExtra: options.needs.withExtra,
      now: options.now,
      stdin: options.stdin,
      sizes: options.sizes,
    };
    await createStaging(db, loadOptions);
    this.loaded = [];
    const stopWatching = this.watch(inputs.files);
    try {
      for (const [fileNo, file] of inputs.files.entries()) {
        try {
          this.loaded.push(await loadFile(db, spool, file, fileNo, loadOptions));
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error;
          problems.push({ path: file.name, problem: 'unreadable', detail: error.message });
        }
      }
    } finally {
      stopWatching();
    }
    this.ownIds = await markDuplicates(db, this.loaded);
    await this.defineTables();
    return problems;
  }

  /** Reports bytes of finished files plus the share of the one that DuckDB is reading. */
  private watch(files: readonly SourceFile[]): () => void {
    const { onProgress } = this.options;
    if (!onProgress) return () => {};
    const sizes = files.map((file) =>
      file.stream ? 0 : (statSync(file.path, { throwIfNoEntry: false })?.size ?? 0),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    // A file that is read in pieces, or a second time, does not make less of what was done.
    let most = 0;
    const timer = setInterval(() => {
      const finished = sizes.slice(0, this.loaded.length).reduce((sum, size) => sum + size, 0);
      most = Math.max(most, finished + (sizes[this.loaded.length] ?? 0) * this.db.progress());
      onProgress(most, total);
    }, 100);
    return () => clearInterval(timer);
  }

  private async defineTables(): Promise<void> {
    const { db, options } = this;
    const files = this.loaded.map(
      (file) =>
        `(${file.fileNo}, ${quote(file.name)}, ${file.base.sessions ?? 'NULL'}, ${file.base.replay_runs ?? 'NULL'})`,
    );
    const shifts = this.loaded.flatMap((file) =>
      file.scan.shifts.map(([ordinal, blanks]) => `(${file.fileNo}, ${ordinal}, ${blanks})`),
    );
    await db.run(
      'CREATE OR REPLACE TABLE raw.source_files (file_no INTEGER, name VARCHAR, session_base BIGINT, replay_base BIGINT)',
    );
    await insertValues(db, 'raw.source_files', files);
    if (shifts.length > 0) {
      await db.run(
        'CREATE OR REPLACE TABLE raw.line_shifts (file_no INTEGER, ordinal BIGINT, blanks BIGINT)',
      );
      await insertValues(db, 'raw.line_shifts', shifts);
    }
    const { since, until } = this.window;
    const within = (alias: string) => [
      ...(since === null ? [] : [`${alias}."timestamp" >= TIMESTAMPTZ ${quote(since)}`]),
      ...(until === null ? [] : [`${alias}."timestamp" < TIMESTAMPTZ ${quote(until)}`]),
    ];
    const oneOf = (['model', 'kind', 'daemon', 'environment'] as const)
      .filter((name) => options.filters[name].length > 0)
      .map((name) => `s.${name} IN (${options.filters[name].map(quote).join(', ')})`);
    const statements = viewSql({
      needs: options.needs,
      showContent: options.showContent,
      gatedKinds: options.gatedKinds,
      tz: options.filters.tz,
      selects: [...within('s'), ...oneOf].join(' AND ') || 'TRUE',
      selectsRun: within('r').join(' AND ') || 'TRUE',
      shifted: shifts.length > 0,
    });
    await db.run(statements.join(';\n'));
  }

  private async account(problems: InputProblem[], notices: readonly string[]): Promise<Account> {
    const { db, loaded } = this;
    const read = (['sessions', 'replay_runs'] as const).filter((kind) =>
      loaded.some((file) => file.base[kind] !== undefined),
    );
    const outcomes =
      read.length === 0
        ? []
        : await db.objects<Outcome>(
            read
              .map(
                (kind) => `SELECT file_no, '${kind}' AS kind, reason, count(*) AS count, min(rowid) AS row,
                    max("timestamp") FILTER (reason IS NULL) AS newest
                  FROM ${FORMATS[kind].table} GROUP BY file_no, reason`,
              )
              .join(' UNION ALL '),
          );
    const repeated = `SELECT call_id FROM raw.session_lines WHERE reason IS NULL AND call_id IS NOT NULL
      GROUP BY call_id HAVING count(*) > 1`;
    const conflicts = this.ownIds
      ? []
      : await db.objects<{ file_no: number; count: number }>(
          `SELECT file_no, count(*) AS count FROM raw.session_lines
           WHERE reason IS NULL AND call_id IN (${repeated}) GROUP BY file_no`,
        );
    const [firstConflict] =
      conflicts.length === 0
        ? []
        : await db.objects<{ place: string }>(
            `SELECT file || ':' || line AS place FROM raw.all_calls WHERE call_id IN (${repeated})
             QUALIFY row_number() OVER (PARTITION BY call_id ORDER BY row) = 2 ORDER BY row LIMIT 1`,
          );
    const counted = await db.objects<CountedKind>(
      `SELECT kind, count(*) AS calls, count(*) FILTER (selected) AS selected, min(row) AS row,
         count(*) FILTER (final_verdict = 'accepted' AND NOT grounded_in_roster) AS accepted_false,
         min(row) FILTER (final_verdict = 'accepted' AND NOT grounded_in_roster) AS false_row,
         count(*) FILTER (selected AND inconsistent) AS inconsistent,
         count(*) FILTER (selected AND not_judgeable) AS not_judgeable,
         count(seq) AS numbered, max("timestamp") AS newest, arg_max(row, {t: "timestamp", r: row}) AS newest_row,
         max("timestamp") FILTER (selected) AS newest_selected,
         arg_max(row, {t: "timestamp", r: row}) FILTER (selected) AS newest_selected_row
       FROM raw.all_calls GROUP BY kind ORDER BY calls DESC, kind`,
    );
    const sum = (name: 'selected' | 'inconsistent' | 'not_judgeable' | 'numbered') =>
      counted.reduce((total, kind) => total + kind[name], 0);
    const latest = counted.reduce<CountedKind | null>(
      (best, kind) => (best === null || isLater(kind, best) ? kind : best),
      null,
    );
    const rows = counted.flatMap(({ row, false_row }) => (false_row === null ? [row] : [row, false_row]));
    const selectedRows = counted.flatMap(({ newest_selected_row: row }) => (row === null ? [] : [row]));
    const places = await this.places([
      ...rows,
      ...selectedRows,
      ...(latest === null ? [] : [latest.newest_row]),
    ]);
    const newestOf = (some: readonly CountedKind[]) =>
      some.reduce<Newest | null>((best, { newest_selected: time, newest_selected_row: row }) => {
        if (time === null || (best !== null && comparable(best.time) >= comparable(time))) return best;
        return { time, where: places.get(row!)! };
      }, null);
    const kinds: KindCount[] = counted.map(({ kind, calls, selected, accepted_false, row, false_row }) => ({
      kind,
      calls,
      selected,
      accepted_false,
      first: places.get(row)!,
      first_false: false_row === null ? null : places.get(false_row)!,
    }));
    const gaps =
      sum('numbered') === 0
        ? []
        : await db.objects<{ writer_id: string; missing: number }>(
            `SELECT writer_id, max(seq) - min(seq) + 1 - count(DISTINCT seq) AS missing FROM raw.all_calls
             WHERE writer_id IS NOT NULL AND seq IS NOT NULL GROUP BY writer_id
             HAVING max(seq) - min(seq) + 1 > count(DISTINCT seq) ORDER BY missing DESC, writer_id`,
          );

    const files: FileAccount[] = loaded.map((file) => {
      const counts = outcomes.filter((outcome) => outcome.file_no === file.fileNo);
      const sum = (accept: (reason: string | null) => boolean) =>
        counts.filter(({ reason }) => accept(reason)).reduce((total, { count }) => total + count, 0);
      return {
        file: file.name,
        bytes: file.snapshot.size,
        lines: file.scan.lines,
        loaded: sum((reason) => reason === null),
        rejected: sum(isReject),
        duplicates: sum((reason) => reason === 'duplicate'),
        blank: file.scan.blank,
        pending: sum((reason) => reason === 'pending'),
        conflicts: conflicts.find((conflict) => conflict.file_no === file.fileNo)?.count ?? 0,
        newest_record: latestOf(counts.map(({ newest }) => newest)),
      };
    });
    for (const file of files) {
      const sum = file.loaded + file.rejected + file.duplicates + file.blank + file.pending;
      if (sum !== file.lines) {
        throw new LakelogError(`the account does not add up: ${file.lines} lines, ${sum} accounted for`, {
          where: file.file,
          next: 'this is a defect of lakelog: please report it with the file',
        });
      }
      // A copy of lines that were read before holds records, if no new ones.
      if (file.loaded === 0 && file.duplicates === 0) {
        problems.push({
          path: file.file,
          problem: 'no_records',
          detail: file.bytes === 0 ? 'the file is empty' : 'no line of the file could be loaded',
        });
      }
    }
    const total = (kind: Kind) =>
      outcomes.filter((o) => o.kind === kind && o.reason === null).reduce((sum, o) => sum + o.count, 0);
    return {
      files,
      problems,
      notices,
      rejects: await this.groupRejects(outcomes.filter(({ reason }) => isReject(reason))),
      callsLoaded: total('sessions'),
      replayRunsLoaded: total('replay_runs'),
      callsSelected: sum('selected'),
      kinds,
      inconsistent: sum('inconsistent'),
      notJudgeable: sum('not_judgeable'),
      conflicts: conflicts.reduce((sum, { count }) => sum + count, 0),
      firstConflict: firstConflict?.place ?? null,
      gaps,
      newestCall: latest?.newest ?? null,
      newestCallWhere: latest === null ? null : places.get(latest.newest_row)!,
      newestSelected: newestOf(counted),
      newestSelectedGated: newestOf(counted.filter(({ kind }) => this.options.gatedKinds.includes(kind))),
      mayBeEmpty: this.sources.filter((file) => this.mayBeEmpty(file)).map(({ name }) => name),
      window: this.window,
    };
  }

  /** A plain file that changed lately, or whose rotated predecessor was read too. */
  private mayBeEmpty({ name, path, stream }: SourceFile): boolean {
    if (stream || /\.(gz|zst)$/i.test(name)) return false;
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const isPredecessor = (other: SourceFile) => /^[.-]\d/.test(other.path.slice(path.length));
    return (
      changed > this.options.now.getTime() - this.options.rotationGraceS * 1_000 ||
      this.sources.some((other) => other.path.startsWith(path) && isPredecessor(other))
    );
  }

  /** file:line of calls by their row. */
  private async places(rows: readonly number[]): Promise<Map<number, string>> {
    if (rows.length === 0) return new Map();
    const found = await this.db.objects<{ row: number; place: string }>(
      `SELECT row, file || ':' || line AS place FROM raw.all_calls WHERE row IN (${rows.join(', ')})`,
    );
    return new Map(found.map(({ row, place }) => [row, place]));
  }

  /** Groups by reason; only the first line of each group and file is looked up again. */
  private async groupRejects(
    outcomes: readonly { file_no: number; kind: Kind; reason: string | null; count: number; row: number }[],
  ): Promise<Account['rejects']> {
    const groups = new Map<string, RejectGroup & { blocks: boolean }>();
    for (const file of this.loaded) {
      const mine = outcomes.filter((outcome) => outcome.file_no === file.fileNo);
      if (mine.length === 0) continue;
      const rows = mine.map(({ row, reason, kind }) => ({
        ordinal: row - file.base[kind]!,
        reason: reason!,
        kind,
      }));
      const found = await findRejects(file, rows, this.options.maxLineBytes);
      const counts = new Map(rows.map((row, i) => [row.ordinal, { ...row, count: mine[i]!.count }]));
      const ordinals = rows.map(({ ordinal }) => ordinal).sort((a, b) => a - b);
      for (const [i, reject] of found.entries()) {
        const { count } = counts.get(ordinals[i]!)!;
        const { blocks } = reject;
        const key = `${blocks} ${reject.reason}`;
        const before = groups.get(key);
        groups.set(key, {
          reason: reject.reason,
          count: (before?.count ?? 0) + count,
          first: before?.first ?? `${reject.file}:${reject.line}`,
          detail: before?.detail ?? reject.detail,
          blocks,
        });
      }
    }
    return [...groups.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  }

  async rejects(): Promise<Reject[]> {
    const found: Reject[][] = [];
    for (const file of this.loaded) {
      const rows: { ordinal: number; reason: string; kind: Kind }[] = [];
      for (const kind of Object.keys(file.base) as Kind[]) {
        const lines = await this.db.objects<{ row: number; reason: string }>(
          `SELECT rowid AS row, reason FROM ${FORMATS[kind].table}
           WHERE file_no = ${file.fileNo} AND reason NOT IN (${ELSEWHERE.map(quote).join(', ')}) ORDER BY rowid`,
        );
        for (const { row, reason } of lines) rows.push({ ordinal: row - file.base[kind]!, reason, kind });
      }
      if (rows.length > 0) found.push(await findRejects(file, rows, this.options.maxLineBytes));
    }
    return found.flat();
  }

  private async fillFiles(files: readonly FileAccount[]): Promise<void> {
    await this.db.run(`CREATE OR REPLACE TABLE main.files (file VARCHAR, bytes BIGINT, lines BIGINT, loaded BIGINT,
      rejected BIGINT, duplicates BIGINT, blank BIGINT, pending BIGINT, conflicts BIGINT, newest_record TIMESTAMPTZ)`);
    await insertValues(
      this.db,
      'main.files',
      files.map(
        (
          f,
        ) => `(${quote(f.file)}, ${f.bytes}, ${f.lines}, ${f.loaded}, ${f.rejected}, ${f.duplicates}, ${f.blank},
          ${f.pending}, ${f.conflicts}, ${f.newest_record === null ? 'NULL' : quote(f.newest_record)})`,
      ),
    );
  }

  private async fillRejects(): Promise<void> {
    await this.db.run(`CREATE OR REPLACE TABLE main.rejects (file VARCHAR, line BIGINT, byte_offset BIGINT,
      reason VARCHAR, detail VARCHAR, line_sha256 VARCHAR)`);
    await insertValues(
      this.db,
      'main.rejects',
      (await this.rejects()).map(
        (r) =>
          `(${quote(r.file)}, ${r.line}, ${r.byte_offset}, ${quote(r.reason)}, ${quote(r.detail)}, ${quote(r.line_sha256)})`,
      ),
    );
  }

  query(sql: string): Promise<Rows> {
    return this.db.rows(sql);
  }

  async setParams(params: Readonly<Record<string, ParamValue>>): Promise<void> {
    await this.db.run(paramsSql(params));
  }

  async calls(which: CallsBy): Promise<LoadedCall[]> {
    await this.db.run(CALL_KEYS);
    const keys = (list: readonly string[]) => list.map(quote).join(', ') || 'NULL';
    const condition =
      'keys' in which
        ? `k.call_key IN (${keys(which.keys)})`
        : 'beginning' in which
          ? `starts_with(s.session_id, ${quote(which.beginning)}) OR starts_with(k.call_key, ${quote(which.beginning)})`
          : `s.file = ${quote(which.file)} AND s.line = ${which.line}`;
    return this.db.objects<LoadedCall>(
      `SELECT k.call_key, s.session_id, s."timestamp", s.kind, s.model, s.iterations, s.final_verdict,
         s.grounded_in_roster, s.file, s.line
       FROM raw.all_calls s JOIN raw.call_keys k ON k.row = s.row WHERE ${condition} ORDER BY s.row`,
    );
  }

  async lineHashes(places: readonly { readonly file: string; readonly line: number }[]) {
    const hashes = new Map<string, string>();
    for (const file of this.loaded) {
      const lines = places.filter((place) => place.file === file.name).map(({ line }) => line);
      if (lines.length === 0) continue;
      for (const [line, hash] of await hashLines(file.snapshot, lines))
        hashes.set(`${file.name}:${line}`, hash);
    }
    return hashes;
  }

  get box(): Box {
    const { db, options } = this;
    return {
      check: (sql, where) => checkSelect(db, sql, where),
      run: async (sql, where, most) => {
        await db.run(`SET errors_as_json = true; SET max_temp_directory_size = '${BOX_TEMP}'`);
        await db.run('SET enable_external_access = false; SET lock_configuration = true');
        return db.rowsUpTo(sql, most).catch((error) => {
          throw explainSqlError(error, sql, where, options.showContent);
        });
      },
    };
  }

  close(): void {
    this.db.close();
    if (this.engine !== null) this.spool.remove();
  }
}

/** Lines of one file, format and fate. */
interface Outcome {
  readonly file_no: number;
  readonly kind: Kind;
  readonly reason: string | null;
  readonly count: number;
  readonly row: number;
  readonly newest: string | null;
}

interface CountedKind extends Omit<KindCount, 'first' | 'first_false'> {
  readonly row: number;
  readonly false_row: number | null;
  readonly inconsistent: number;
  readonly not_judgeable: number;
  /** Calls that carry a running number. */
  readonly numbered: number;
  readonly newest: string;
  readonly newest_row: number;
  readonly newest_selected: string | null;
  readonly newest_selected_row: number | null;
}

function isLater(a: CountedKind, b: CountedKind): boolean {
  const [left, right] = [comparable(a.newest), comparable(b.newest)];
  return left > right || (left === right && a.newest_row > b.newest_row);
}

function latestOf(instants: readonly (string | null)[]): string | null {
  return instants.reduce(
    (best, one) => (one !== null && (best === null || comparable(one) > comparable(best)) ? one : best),
    null,
  );
}

function isReject(reason: string | null): boolean {
  return reason !== null && !(ELSEWHERE as readonly string[]).includes(reason);
}

const BATCH = 5_000;

async function insertValues(db: Connected, table: string, tuples: readonly string[]): Promise<void> {
  for (let i = 0; i < tuples.length; i += BATCH) {
    await db.run(`INSERT INTO ${table} VALUES ${tuples.slice(i, i + BATCH).join(', ')}`);
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

const YEAR_ONE = Date.parse('0001-01-01T00:00:00Z');
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const LOCAL = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/;

async function resolveWindow(db: Connected, options: LakeOptions): Promise<DuckLake['window']> {
  const { filters } = options;
  if (filters.tz !== 'UTC') {
    await db.rows(`SELECT timezone(${quote(filters.tz)}, now())`).catch(() => {
      throw new LakelogError(`--tz ${filters.tz} is not a time zone`, {
        next: 'use an IANA name such as Europe/Berlin or UTC',
      });
    });
  }
  const resolve = async (flag: string, value: string | undefined): Promise<string | null> => {
    if (value === undefined) return null;
    const age = parseAge(value);
    const from = age === null ? Number.NaN : options.now.getTime() - age;
    if (from >= YEAR_ONE) return new Date(from).toISOString();
    const local = DATE.test(value) || LOCAL.test(value);
    const instant = local
      ? `timezone(${quote(filters.tz)}, CAST(${quote(value)} AS TIMESTAMP))`
      : `CAST(${quote(value)} AS TIMESTAMPTZ)`;
    const wellFormed = local || /^\d{4}-\d{2}-\d{2}[T ].*(Z|[+-]\d{2}:\d{2})$/i.test(value);
    try {
      if (!wellFormed) throw new Error('not a time');
      const { cells } = await db.rows(`SELECT ${instant}`);
      return cells[0]![0] as string;
    } catch (error) {
      throw new LakelogError(`${flag} ${value} is not a time`, {
        next: `use a date (2026-09-01), RFC 3339 (2026-09-01T08:00:00Z) or an age (24h, 7d)`,
        cause: messageOf(error),
      });
    }
  };
  const since = await resolve('--since', filters.since);
  const until = await resolve('--until', filters.until);
  if (since !== null && until !== null && since >= until) {
    throw new LakelogError(`--since ${since} is not before --until ${until}, so the window is empty`, {
      next: 'swap the two',
    });
  }
  return { since, until, tz: filters.tz };
}
