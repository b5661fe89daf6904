/** A lake that an engine over the network answers for: the folder of Parquet, asked with SELECT alone. */
import { LakelogError, messageOf } from '../errors.js';
import type { Checked } from '../lake/box.js';
import { absentAmong, filteredColumns, filterSql } from '../lake/filters.js';
import { holdersOf } from '../lake/folder/host-logs.js';
import type { Hosts } from '../lake/folder/hosts.js';
import { damage } from '../lake/folder/receipts.js';
import { beginsWith } from '../lake/ids.js';
import { type CallsBy, Lake, type LakeOptions, openLakeAs } from '../lake/lake.js';
import { composeOver, composeStatement, type ParamValues } from '../lake/tables/compose.js';
import { DUCKDB } from '../lake/tables/dialect.js';
import { TRINO } from '../lake/tables/dialects.js';
import { type Needs, needsOf, shippedNeeds } from '../lake/tables/needs.js';
import { loadPlan } from '../lake/tables/plan.js';
import { isRowWise } from '../lake/tables/rowwise.js';
import { ALL_LINES, type Lines } from '../lake/tables/sources.js';
import type { Account, LoadedCall, LoadedConflict, LoadedHole, Newest, Reject } from '../schema/account.js';
import type { BatchReceipt } from '../schema/batch.js';
import { type Block, type Blocks, rowsOf } from '../schema/block.js';
import type { Caller, Heard } from '../schema/expected.js';
import { CALLER_COLUMNS } from '../schema/expected.js';
import type { Cell, InputProblem } from '../schema/result.js';
import * as accounts from './account.js';
import { addressOf } from './address.js';
import * as counting from './counts.js';
import { literalRows } from './literals.js';
import { blocksOf, duckDbType, writtenFor } from './own-sql.js';
import { HOSTS_SQL, hostsFrom, RECEIPTS_SQL, receiptsFrom } from './receipts.js';
import { type EngineRows, Trino } from './trino.js';
import { precisionOf } from './values.js';

type Rows = Awaited<ReturnType<Lake['query']>>;
type Own = Pick<LakeOptions, 'params' | 'gatedKinds'>;

/** More of them are not named in every statement. */
const MOST_NAMED = 2_000;

/** @throws LakelogError (exit 2) for what an engine cannot be asked, 3 where it cannot be reached. */
export async function openClusterLake(
  options: LakeOptions & { readonly lake: NonNullable<LakeOptions['lake']> },
): Promise<ClusterLake> {
  const { name, keepContent, rebuild, lockTimeoutS } = options.lake;
  if (options.roster)
    throw new LakelogError('--roster is not asked of a cluster', {
      where: name,
      next: 'leave it out, and the stamps are believed; or ask the folder itself, if this machine sees it: --lake DIR/',
    });
  if (keepContent || rebuild)
    throw new LakelogError(
      `${keepContent ? '--keep-content' : '--rebuild'} is about a lake that is filled here`,
      {
        next: 'leave it out',
      },
    );
  const engine = new Trino(addressOf(name, options.env), { awayMs: lockTimeoutS * 1000 });
  const lake = await openLakeAs(ClusterLake, { ...options, lake: undefined });
  lake.connect(name, engine);
  return lake;
}

interface State {
  readonly receipts: readonly BatchReceipt[];
  readonly texts: readonly string[];
  readonly hosts: Hosts;
  readonly tables: readonly counting.Other[];
  readonly found: counting.Found;
  readonly strangers: readonly number[];
  /** Of the calls that are seen: each line once. */
  readonly counts: readonly counting.Count[];
  readonly names: accounts.Names;
  readonly lines: Lines;
}

/** What a gate was to find, and found in a statement of its own. */
interface Planted {
  readonly rows: NonNullable<Lines['planted']>;
  readonly ids: ReadonlySet<string>;
  readonly found: readonly (readonly Cell[])[];
}

export class ClusterLake extends Lake {
  private name = '';
  private engine!: Trino;
  private params: ParamValues = this.options.params;
  private state: State | null = null;
  private readonly plants = new Map<string, Planted>();
  /** Of newest calls, by what was asked for: several questions of a run judge by the same. */
  private readonly newestLines = new Map<string, Promise<Cell>>();
  private readonly needsOfSql = new Map<string, Promise<Needs>>();
  /** What went wrong after the question was asked: its rows are told all the same. */
  private readonly late: InputProblem[] = [];

  connect(name: string, engine: Trino): void {
    this.name = name;
    this.engine = engine;
  }

  override async load(): Promise<Account> {
    const { asks, gatedKinds, everyReject } = this.options;
    const named = (await Promise.all(asks.map((sql) => this.tablesOf(sql)))).flat();
    const tables = counting.othersAmong(new Set([...named, ...(everyReject ? ['rejects'] : [])]));
    // What a host says that it published is there by the time that receipts are read.
    const hostTexts = (await this.engine.query(HOSTS_SQL)).cells.map(([text]) => String(text));
    const texts = await this.receiptTexts();
    const { receipts, problems } = receiptsFrom(texts, this.name);
    const hosts = hostsFrom(hostTexts, receipts, this.name);
    const [raw, others] = await Promise.all([
      this.rawCounts(),
      this.engine.query(counting.othersSql(tables, TRINO)),
    ]);
    this.ensurePrecise(raw);
    const counted = counting.countsIn(raw.cells);
    const found = counting.foundIn(counted, others.cells, tables);
    const names = new Map(receipts.map(({ batch, file }) => [batch, file.name]));
    const batches = receipts.length > MOST_NAMED ? null : receipts.map(({ batch }) => batch);
    const copies = await this.copies({ ...ALL_LINES, batches });
    const lines = { ...ALL_LINES, batches, mayHaveCopies: copies.size > 0 };
    const known = counted.filter(({ batch }) => names.has(batch));
    const counts = copies.size === 0 ? known : await this.countsAgain(lines);
    const strangers = counting.strangersIn(receipts, found);
    this.state = { receipts, texts, hosts, tables, found, strangers, counts, names, lines };
    const wrong = counting.contradicted(receipts, found, this.name);
    const absent = counts.length === 0 ? [] : await this.absent();
    const account = await this.accountWith(copies, [...problems, ...wrong]);
    return {
      ...account,
      absent,
      window: this.window,
      lake: accounts.lakeReceipt(this.name, receipts, hosts),
      ...(await this.newests(gatedKinds)),
    };
  }

  private async receiptTexts(): Promise<string[]> {
    const { cells } = await this.engine.query(RECEIPTS_SQL);
    return [...new Set(cells.map(([text]) => String(text)))].sort();
  }

  private rawCounts(): Promise<EngineRows> {
    return this.engine.query(counting.countsSql('base_calls', this.selects, TRINO));
  }

  /** Instants that are cut would be other instants. */
  private ensurePrecise({ names, types }: EngineRows): void {
    const digits = precisionOf(types[names.indexOf('n_newest')] ?? '');
    if (digits !== null && digits >= 6) return;
    throw new LakelogError(
      `the engine reads instants as ${types[names.indexOf('n_newest')]}, and the lake has microseconds`,
      {
        where: this.name,
        next: 'declare the tables as `lakelog schema --dialect trino` prints them, and set hive.timestamp-precision=MICROSECONDS',
      },
    );
  }

  private get selects(): string {
    return filterSql(this.options.filters, this.window, TRINO).selects;
  }

  private over(reads: readonly string[], select: string, lines = this.state!.lines): Promise<EngineRows> {
    return this.engine.query(composeOver(reads, select, { dialect: TRINO, lines }));
  }

  /** How many lines of each batch stand in another one too. */
  private async copies(lines: Lines): Promise<Map<number, number>> {
    const reads = ['calls.line', 'runs.line'];
    const select = 'SELECT c.batch, COUNT(*) AS copies FROM lake_copies c GROUP BY c.batch';
    const { cells } = await this.over(reads, select, lines);
    return new Map(cells as unknown as [number, number][]);
  }

  private async countsAgain(lines: Lines): Promise<counting.Count[]> {
    const columns = [...counting.COUNTED_COLUMNS, ...filteredColumns(this.options.filters)];
    const reads = columns.map((name) => `calls.${name}`);
    const { cells } = await this.over(reads, counting.countsSql('lake_calls', this.selects, TRINO), lines);
    return counting.countsIn(cells);
  }

  private async accountWith(copies: ReadonlyMap<number, number>, problems: readonly InputProblem[]) {
    const { receipts, hosts, counts, names } = this.state!;
    const conflicts = await this.conflicts();
    const late = await this.lateAmong(copies);
    const of = accounts.accountsOf(receipts, copies, conflicts, late);
    const told = accounts.toldByReceipts(receipts, of, hosts);
    const loaded = told.files.reduce((sum, file) => sum + file.loaded, 0);
    const calls = accounts.sumOf(counts, 'calls');
    const holes = accounts.sumOf(counts, 'numbered') > 0 ? await this.holes() : [];
    const firsts = new Map([...holes].reverse().map((hole) => [hole.writer_id, `${hole.file}:${hole.line}`]));
    return {
      ...told,
      problems: [...problems, ...told.problems],
      callsLoaded: calls,
      replayRunsLoaded: Math.max(0, loaded - calls),
      callsSelected: accounts.sumOf(counts, 'selected'),
      kinds: accounts.kindsOf(counts, names),
      inconsistent: accounts.sumOf(counts, 'inconsistent'),
      notJudgeable: accounts.sumOf(counts, 'not_judgeable'),
      unjudgeable: accounts.unjudgeableOf(counts, names),
      conflicts: conflicts.length,
      firstConflict: accounts.firstConflict(conflicts),
      gaps: accounts.gapsOf(holes, firsts),
      unknownTraces: loaded > calls && calls > 0 ? await this.unknownTraces() : null,
      mayBeEmpty: [],
    };
  }

  /** Of batches of which lines fell out. */
  private async lateAmong(copies: ReadonlyMap<number, number>): Promise<Map<number, accounts.Late | null>> {
    const changed = this.state!.receipts.filter(
      ({ batch, account }) => account.late > 0 && copies.has(batch),
    );
    if (changed.length === 0) return new Map();
    const { cells } = await this.over(
      ['batches.late'],
      'SELECT n.batch, n.late, n.first_line FROM lake_late n',
    );
    const found = new Map(
      (cells as unknown as [number, number, number][]).map(([batch, late, line]) => [batch, { late, line }]),
    );
    return new Map(changed.map(({ batch }) => [batch, found.get(batch) ?? null]));
  }

  private async unknownTraces(): Promise<Account['unknownTraces']> {
    const { cells } = await this.over(
      ['calls.session_id', 'runs.session_id', 'batches.file'],
      `SELECT r.session_id, b.file, r.line FROM lake_runs r
       LEFT JOIN (SELECT DISTINCT c.session_id FROM lake_calls c) k ON k.session_id = r.session_id
       LEFT JOIN lake_batches b ON b.batch = r.batch
       WHERE k.session_id IS NULL ORDER BY b.file, r.line`,
    );
    const [first] = cells;
    if (first === undefined) return null;
    const traces = new Set(cells.map(([id]) => id)).size;
    return { traces, first: { session_id: String(first[0]), where: `${first[1]}:${first[2]}` } };
  }

  private async newests(gatedKinds: readonly string[]) {
    const [newestCall, newestSelected, newestSelectedGated] = await Promise.all([
      this.newest(this.latest('newest'), 'TRUE'),
      this.newest(this.latest('newest_selected'), this.selects),
      this.newestGated(gatedKinds),
    ]);
    return { newestCall, newestSelected, newestSelectedGated };
  }

  private newestGated(gatedKinds: readonly string[]): Promise<Newest | null> {
    const kinds = gatedKinds.map((kind) => TRINO.quote(kind)).join(', ') || 'NULL';
    const latest = this.latest('newest_selected', ({ kind }) => gatedKinds.includes(kind));
    return this.newest(latest, `(${this.selects}) AND s.kind IN (${kinds})`);
  }

  private latest(
    which: 'newest' | 'newest_selected',
    isMeant: (count: counting.Count) => boolean = () => true,
  ) {
    const { counts, names } = this.state!;
    return accounts.newestAmong(counts.filter(isMeant), names, which);
  }

  /** @param condition over a call `s`: of several at that instant the last one that meets it. */
  private async newest(found: ReturnType<typeof accounts.newestAmong>, condition: string) {
    if (found === null) return null;
    const { batch, time } = found;
    const at = `s.batch = ${batch} AND s.timestamp = ${TRINO.instant(time)} AND (${condition})`;
    const line = this.newestLines.get(at) ?? this.lastLine(at);
    this.newestLines.set(at, line);
    return { time, where: `${this.state!.names.get(batch) ?? batch}:${await line}` };
  }

  private async lastLine(condition: string): Promise<Cell> {
    const columns = ['timestamp', 'kind', ...filteredColumns(this.options.filters)];
    const select = `SELECT MAX(s.line) AS last_line FROM lake_calls s WHERE ${condition}`;
    const { cells } = await this.over(
      columns.map((name) => `calls.${name}`),
      select,
    );
    return cells[0]![0]!;
  }

  private async absent(): Promise<Account['absent']> {
    return absentAmong(this.options.filters, async (filter) => {
      const { cells } = await this.over(
        [`calls.${filter}`],
        `SELECT DISTINCT s.${filter} FROM lake_calls s WHERE s.${filter} IS NOT NULL ORDER BY s.${filter}`,
      );
      return cells.map(([value]) => String(value));
    });
  }

  /** Whether all is still as it was when the question was asked; what the engine fails at now is told beside the answer. */
  override async afterwards(account: Account): Promise<Account> {
    const problems = [...this.late, ...(await this.sinceThen().catch((error) => [this.failed(error)]))];
    return problems.length === 0 ? account : { ...account, problems: [...account.problems, ...problems] };
  }

  private failed(error: unknown): InputProblem {
    const next = error instanceof LakelogError ? error.next : undefined;
    return damage(
      this.name,
      `the lake could not be counted again after the question: ${messageOf(error)}`,
      next ?? AGAIN,
    );
  }

  private async sinceThen(): Promise<InputProblem[]> {
    const { receipts, texts, tables, found, strangers } = this.state!;
    const [raw, others, now] = await Promise.all([
      this.rawCounts(),
      this.engine.query(counting.othersSql(tables, TRINO)),
      this.receiptTexts(),
    ]);
    const again = counting.foundIn(counting.countsIn(raw.cells), others.cells, tables);
    const known = new Set(receipts.map(({ batch }) => batch));
    const isSame = counting.isSameFound(found, again, known) && texts.every((text) => now.includes(text));
    const grown = this.state!.lines.batches === null && now.length !== texts.length;
    const changed = isSame && !grown ? [] : [damage(this.name, 'the lake changed while it was asked', AGAIN)];
    const numbers = new Set(receiptsFrom(now, this.name).receipts.map(({ batch }) => batch));
    return [
      ...changed,
      ...counting.strange(
        strangers.filter((batch) => !numbers.has(batch)),
        this.name,
      ),
    ];
  }

  override async setParams(params: ParamValues): Promise<void> {
    this.params = params;
  }

  override async gate(gatedKinds: readonly string[], account: Account): Promise<Account> {
    this.gatedKinds = gatedKinds;
    if (this.state === null) return account;
    return { ...account, newestSelectedGated: await this.newestGated(gatedKinds) };
  }

  override query(sql: string): Promise<Rows> {
    return this.ask(sql, this.state!.lines, { params: this.params, gatedKinds: this.gatedKinds });
  }

  private async ask(sql: string, lines: Lines, own: Own): Promise<Rows> {
    return this.engine.query(await this.composed(sql, lines, own));
  }

  private async composed(sql: string, lines: Lines, own: Own): Promise<string> {
    const needs = await this.needsFor(sql);
    const { filters, showContent } = this.options;
    return composeStatement(sql, this.name, {
      ...{ ...own, needs, showContent, dialect: TRINO, lines, tz: filters.tz },
      alsoColumns: filteredColumns(filters),
      ...filterSql(filters, this.window, TRINO),
    });
  }

  /** Nothing has to be closed here: what the engine may do is the affair of its own rights, and it is sent a SELECT. */
  override async runBoxed(checked: Checked, { parquet }: Parameters<Lake['runBoxed']>[1]): Promise<Blocks> {
    const { params } = this;
    const statement = await this.composed(
      writtenFor(checked, params, parquet.length > 0),
      this.state!.lines,
      {
        params,
        gatedKinds: this.gatedKinds,
      },
    );
    const { names, types, pages } = await this.engine.stream(statement);
    return { names, types: types.map(duckDbType), blocks: blocksOf(pages) };
  }

  private serialized(sql: string): Promise<string> {
    return super
      .query(`SELECT json_serialize_sql(${DUCKDB.quote(sql)})`)
      .then(({ cells }) => String(cells[0]![0]));
  }

  private needsFor(sql: string): Promise<Needs> {
    const known = this.needsOfSql.get(sql) ?? needsOf([sql], (one) => this.serialized(one), shippedNeeds());
    this.needsOfSql.set(sql, known);
    return known;
  }

  private async tablesOf(sql: string): Promise<string[]> {
    const plan = loadPlan(await this.needsFor(sql), { showContent: this.options.showContent });
    return Object.keys(plan);
  }

  /** The records go through the same loading here, and stand as literals in the statement that the engine gets. */
  override async planted(name: string, text: string, own: Own & { readonly sql: string }) {
    const rows = await this.plantedRows(name, text, own);
    const lines: Lines = {
      ...ALL_LINES,
      batches: null,
      mayHaveCopies: false,
      planted: rows.literals,
      onlyPlanted: true,
    };
    const ask = async (sql: string) => {
      const answer = await this.ask(sql, lines, own);
      this.plants.set(own.sql, { rows: rows.literals, ids: rows.ids, found: answer.cells });
      return answer;
    };
    return { query: ask, askGate: ask, rosters: null, close() {} };
  }

  private async plantedRows(name: string, text: string, own: Own) {
    const beside = await this.beside(own);
    try {
      await beside.loadText(name, text);
      const { cells } = await beside.query('SELECT DISTINCT session_id FROM main.base_calls');
      return { literals: await literalRows(beside, TRINO), ids: new Set(cells.map(([id]) => String(id))) };
    } finally {
      beside.close();
    }
  }

  /** With the planted records among the real ones where that changes nothing of these: the very statement finds them. */
  override async askGate(sql: string): Promise<Rows> {
    const planted = this.plants.get(sql);
    if (planted === undefined || !isRowWise(await this.serialized(sql))) return this.query(sql);
    const lines = { ...this.state!.lines, planted: planted.rows };
    const { names, cells } = await this.ask(sql, lines, { params: this.params, gatedKinds: this.gatedKinds });
    const id = names.indexOf('session_id');
    const isPlanted = (row: readonly Cell[]) => planted.ids.has(String(row[id]));
    const said = (rows: readonly (readonly Cell[])[]) =>
      rows
        .map((row) => JSON.stringify(row))
        .sort()
        .join('\n');
    if (said(cells.filter(isPlanted)) !== said(planted.found)) {
      const found = cells.filter(isPlanted).length;
      const detail = `${planted.found.length} violations were planted in the statement, and the engine found ${found} of them as they are, so its answer cannot be believed`;
      this.late.push(damage(this.name, detail, AGAIN));
    }
    return { names, cells: cells.filter((row) => !isPlanted(row)) };
  }

  override async calls(which: CallsBy): Promise<LoadedCall[]> {
    const key = 'COALESCE(t.call_key, s.call_key_base)';
    const condition =
      'keys' in which
        ? `${key} IN (${which.keys.map((one) => TRINO.quote(one)).join(', ') || 'NULL'})`
        : 'beginning' in which
          ? `${beginsWith('s.session_id', which.beginning)} OR ${beginsWith(key, which.beginning)}`
          : `b.file = ${TRINO.quote(which.file)} AND s.line = ${which.line}`;
    const columns = [
      'session_id',
      'timestamp',
      'kind',
      'model',
      'iterations',
      'final_verdict',
      'grounded_in_roster',
    ];
    const list = columns.map((name) => `s.${name}`).join(', ');
    const { cells } = await this.over(
      [...columns, 'line_sha256', 'call_key_base']
        .map((name) => `calls.${name}`)
        .concat('batches.file', 'twins.call_key'),
      `SELECT ${key} AS call_key, ${list}, b.file, s.line, s.line_sha256
       FROM lake_calls s LEFT JOIN lake_batches b ON b.batch = s.batch
       LEFT JOIN lake_twins t ON t.batch = s.batch AND t.line = s.line
       WHERE ${condition} ORDER BY b.file, s.line`,
    );
    return objectsOf<LoadedCall>(['call_key', ...columns, 'file', 'line', 'line_sha256'], cells);
  }

  override async conflicts(): Promise<LoadedConflict[]> {
    const { cells } = await this.over(
      ['calls.call_id', 'calls.line_sha256', 'batches.file'],
      `SELECT s.call_id, b.file, s.line, s.line_sha256 FROM lake_calls s
       JOIN (SELECT c.call_id AS shared FROM lake_calls c WHERE c.call_id IS NOT NULL GROUP BY c.call_id HAVING COUNT(*) > 1) m
         ON m.shared = s.call_id
       LEFT JOIN lake_batches b ON b.batch = s.batch
       ORDER BY b.file, s.line`,
    );
    return objectsOf<LoadedConflict>(['call_id', 'file', 'line', 'line_sha256'], cells);
  }

  override async holes(): Promise<LoadedHole[]> {
    const { cells } = await this.engine.query('SELECT s.writer_id, s.first_seq, s.last_seq FROM base_seqs s');
    const islands = objectsOf<accounts.Island>(['writer_id', 'first', 'last'], cells);
    const holes = accounts.holesBetween(islands);
    if (holes.length === 0) return [];
    const behind = holes
      .slice(0, MOST_NAMED)
      .map(({ writer_id, to_seq }) => `(s.writer_id = ${TRINO.quote(writer_id)} AND s.seq = ${to_seq + 1})`);
    const places = await this.over(
      ['calls.writer_id', 'calls.seq', 'batches.file'],
      `SELECT s.writer_id, s.seq, b.file, s.line FROM lake_calls s LEFT JOIN lake_batches b ON b.batch = s.batch
       WHERE ${behind.join(' OR ')} ORDER BY b.file, s.line`,
    );
    const found = new Map(
      [...places.cells].reverse().map(([writer, seq, ...place]) => [`${writer} ${seq}`, place]),
    );
    return holes.map((hole) => {
      const [file = '', line = 0] = found.get(`${hole.writer_id} ${hole.to_seq + 1}`) ?? [];
      return { ...hole, file: String(file), line: Number(line) };
    });
  }

  override async heardOf(callers: readonly Caller[]): Promise<Heard[]> {
    const named = callers.flatMap((caller) => (caller === 'host' ? [] : [CALLER_COLUMNS[caller]]));
    const list = ['batch', ...named].map((name) => `s.${name}`).join(', ');
    const { cells } = await this.over(
      [...named, 'timestamp'].map((name) => `calls.${name}`),
      `SELECT MAX(s.timestamp) AS newest, ${list} FROM lake_calls s GROUP BY ${list}`,
    );
    const { receipts, hosts, names } = this.state!;
    const holders = holdersOf(receipts, hosts.states);
    const having = new Map(receipts.map((receipt) => [receipt.batch, holders(receipt)]));
    return cells.flatMap(([time, batch, ...values]) => {
      const known = having.get(batch as number) ?? [null];
      return (callers.includes('host') ? known : [null]).map((host) => {
        const rest = [...values];
        const of = callers.map((caller) => [caller, caller === 'host' ? host : rest.shift()]);
        const where = names.get(batch as number) ?? this.name;
        return { time: String(time), where, of: Object.fromEntries(of) };
      });
    });
  }

  override async rejects(): Promise<Reject[]> {
    const rejects: Reject[] = [];
    for await (const block of this.rejectBlocks(REJECT_COLUMNS))
      rejects.push(...objectsOf<Reject>(REJECT_COLUMNS, rowsOf(block)));
    return rejects;
  }

  override async *rejectBlocks(columns: readonly string[]): AsyncGenerator<Block> {
    const list = columns.map((name) => (name === 'file' ? 'b.file' : `r.${name}`)).join(', ');
    const { pages } = await this.engine.stream(
      `SELECT ${list} FROM base_rejects r
       LEFT JOIN (SELECT DISTINCT n.batch, n.file FROM base_batches n) b ON b.batch = r.batch
       WHERE r.batch IN (${[-1, ...this.state!.names.keys()].join(', ')})
       ORDER BY b.file, r.line`,
    );
    yield* blocksOf(pages);
  }

  override async lastAnswer(): Promise<never> {
    throw new LakelogError('--on-change remembers nothing of a cluster', {
      where: this.name,
      next: 'leave it out',
    });
  }

  override close(): void {
    void this.engine.close();
    super.close();
  }
}

const REJECT_COLUMNS = ['file', 'line', 'byte_offset', 'reason', 'detail', 'line_sha256', 'blocks'];

const AGAIN =
  'run the same command again; a lake that somebody publishes to or compacts comes to rest in a moment';

const objectsOf = <T>(names: readonly string[], cells: readonly (readonly Cell[])[]): T[] =>
  cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])) as T);
