/** What tables of a folder hold that many hosts write to, as the views read them: each line once, every key unique. */
import { LATE_MINUTES } from '../../schema/result.js';
import { BASE_TABLES, type BaseColumn, type BaseName } from './base.js';
import type { Dialect } from './dialect.js';

/** A named SELECT of a WITH. */
export interface Part {
  readonly name: string;
  readonly sql: string;
}

const NAMES = Object.keys(BASE_TABLES) as BaseName[];

/** Whose rows belong to lines, and the table that has their hashes. */
const LINES = {
  calls: 'calls',
  attempts: 'calls',
  attempt_reasons: 'calls',
  runs: 'runs',
  documents: 'runs',
} as const;
type LineTable = keyof typeof LINES;
const isOfLines = (name: BaseName): name is LineTable => Object.hasOwn(LINES, name);

/** A row of a base table as literals of a dialect, by its columns. */
export type LiteralRow = Readonly<Record<string, string>>;

/** Which rows are read. */
export interface Lines {
  /** By the numbers of their batches; null: of all. */
  readonly batches: readonly number[] | null;
  /** Whether a line may stand in several batches; who does not know says that it may. */
  readonly mayHaveCopies: boolean;
  /** Rows that stand in no file, beside all others or instead of them. */
  readonly planted: Readonly<Partial<Record<BaseName, readonly LiteralRow[]>>> | null;
  readonly onlyPlanted: boolean;
}

export const ALL_LINES: Lines = { batches: null, mayHaveCopies: true, planted: null, onlyPlanted: false };

/**
 * @param reads `calls.kind`: all columns that the views read.
 * @param ordered whether the number of a batch says which of two stands later.
 */
export function sourceParts(
  reads: ReadonlySet<string>,
  ordered: boolean,
  dialect: Dialect,
  lines: Lines = ALL_LINES,
): Part[] {
  const all = new Set(reads);
  const isRead = (base: BaseName) => [...all].some((column) => column.startsWith(`${base}.`));
  const countsConflicts = all.has('batches.conflicts') && !lines.onlyPlanted;
  if (countsConflicts) all.add('calls.call_id');
  if (isRead('twins'))
    for (const name of ['batch', 'line', 'call_key_base', 'line_sha256']) all.add(`calls.${name}`);
  const tables = NAMES.filter(isRead);
  const countsLate = all.has('batches.late');
  const countsLines = countsLate || ['loaded', 'duplicates'].some((name) => all.has(`batches.${name}`));
  const hashed = (['calls', 'runs'] as const).filter(
    (base) =>
      lines.mayHaveCopies &&
      !lines.onlyPlanted &&
      (countsLines || tables.some((name) => isOfLines(name) && LINES[name] === base)),
  );
  const hasCopies = hashed.length > 0;
  const how = { ordered, hasCopies, countsLines, countsLate, countsConflicts, lines, dialect };
  const columnsOf = (base: BaseName) =>
    BASE_TABLES[base].filter(({ name }) => name === 'batch' || name === 'line' || all.has(`${base}.${name}`));
  return [
    ...(hasCopies ? [{ name: 'lake_copies', sql: copiesSql(hashed, lines) }] : []),
    ...(hasCopies && countsLate ? [{ name: 'lake_late', sql: lateSql(lines, dialect) }] : []),
    ...(ordered && !lines.onlyPlanted ? [{ name: 'lake_order', sql: orderSql(dialect) }] : []),
    ...tables
      .filter((base) => base !== 'twins')
      .map((base) => ({ name: `lake_${base}`, sql: tableSql(base, columnsOf(base), how) })),
    ...(isRead('twins') ? [{ name: 'lake_twins', sql: twinsSql(dialect) }] : []),
  ];
}

/** Numbers of batches are hashes; in the order of logs and their bytes they say what is later. */
const orderSql = (
  dialect: Dialect,
) => `SELECT n.batch, CAST(ROW_NUMBER() OVER (ORDER BY n.file, n.byte_from, n.batch) AS ${dialect.type('BIGINT')}) AS place
FROM (SELECT DISTINCT batch, file, byte_from FROM base_batches) n`;

interface How {
  readonly ordered: boolean;
  readonly hasCopies: boolean;
  readonly countsLines: boolean;
  readonly countsLate: boolean;
  readonly countsConflicts: boolean;
  readonly lines: Lines;
  readonly dialect: Dialect;
}

function tableSql(base: BaseName, columns: readonly BaseColumn[], how: How): string {
  const { planted, onlyPlanted } = how.lines;
  const rows = planted?.[base] ?? [];
  const literals = rows.map(
    (row) => `SELECT ${columns.map(({ name }) => `${row[name]} AS ${name}`).join(', ')}`,
  );
  const stored = onlyPlanted ? [] : [storedSql(base, columns, how)];
  if (stored.length + literals.length > 0) return [...stored, ...literals].join('\nUNION ALL ');
  const none = columns.map(({ name, type }) => `CAST(NULL AS ${how.dialect.type(type)}) AS ${name}`);
  return `SELECT ${none.join(', ')} WHERE FALSE`;
}

function storedSql(base: BaseName, columns: readonly BaseColumn[], how: How): string {
  const { ordered, hasCopies, countsLines, lines } = how;
  const counts = base === 'batches' && countsLines && hasCopies;
  const conflicts = base === 'batches' && how.countsConflicts;
  const place = ordered ? 'COALESCE(o.place, b.batch)' : 'b.batch';
  const list = columns.map(({ name }) => {
    if (name === 'batch') return `${place} AS batch`;
    if (name === 'conflicts' && conflicts) return 'COALESCE(k.conflicts, 0) AS conflicts';
    // What two sides of a join have is called with its table in ClickHouse, where it gets no name.
    if (name === 'line') return 'b.line AS line';
    return (counts ? COUNTED[name] : undefined) ?? `b.${name}`;
  });
  const placed = hasCopies && isOfLines(base);
  const places = 'LEFT JOIN lake_copies d ON d.batch = b.batch AND d.line = b.line';
  const copies = [
    'LEFT JOIN (SELECT c.batch, COUNT(*) AS copies FROM lake_copies c GROUP BY c.batch) d ON d.batch = b.batch',
    ...(how.countsLate ? ['LEFT JOIN lake_late w ON w.batch = b.batch'] : []),
  ];
  const conditions = [
    ...(placed ? ['d.line IS NULL'] : []),
    ...(lines.batches === null ? [] : [`b.batch IN (${listed(lines.batches)})`]),
  ];
  return [
    // The row of a batch stands twice while files are being merged.
    `SELECT ${base === 'batches' ? 'DISTINCT ' : ''}${list.join(', ')}`,
    `FROM base_${base} b`,
    ...(ordered ? ['LEFT JOIN lake_order o ON o.batch = b.batch'] : []),
    ...(counts ? copies : placed ? [places] : []),
    ...(conflicts ? [`LEFT JOIN (${CONFLICTS}) k ON k.batch = ${place}`] : []),
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
  ].join('\n');
}

/** Calls whose call_id another one has too, be it of another host: no batch knows of these alone. */
const CONFLICTS = `
  SELECT c.batch, COUNT(*) AS conflicts FROM lake_calls c
  JOIN (SELECT i.call_id AS shared FROM lake_calls i GROUP BY i.call_id HAVING COUNT(*) > 1) m ON m.shared = c.call_id
  GROUP BY c.batch
`;

/** No batch has the number -1. */
const listed = (numbers: readonly number[]) => (numbers.length === 0 ? [-1] : numbers).join(', ');

/** What is counted of a batch is counted of it alone. */
const COUNTED: Readonly<Record<string, string>> = {
  loaded: 'b.loaded - COALESCE(d.copies, 0) AS loaded',
  duplicates: 'b.duplicates + COALESCE(d.copies, 0) AS duplicates',
  late: 'CASE WHEN d.copies IS NULL THEN b.late ELSE COALESCE(w.late, 0) END AS late',
};

/**
 * Lines that stand elsewhere too, byte for byte, all but the first. A row that two files hold while they are being
 * merged is no copy of itself: taken out, it would be in neither.
 */
function copiesSql(hashed: readonly ('calls' | 'runs')[], { batches }: Lines): string {
  const within = batches === null ? '' : ` WHERE batch IN (${listed(batches)})`;
  const lines = hashed
    .map((base) => `SELECT batch, line, line_sha256 FROM base_${base}${within}`)
    .join('\n    UNION ALL ');
  return `SELECT n.batch, n.line
FROM (
  SELECT l.batch, l.line, RANK() OVER (PARTITION BY l.line_sha256 ORDER BY l.batch, l.line) AS copy
  FROM (
    ${lines}
  ) l
  JOIN (
    SELECT h.line_sha256 AS twice FROM (
    ${lines}
    ) h
    GROUP BY h.line_sha256 HAVING COUNT(*) > 1
  ) m ON m.twice = l.line_sha256
) n
WHERE n.copy > 1`;
}

/**
 * Records that stand behind much newer ones, of batches of which lines fell out: who published them counted these too.
 * A batch goes on with the newest record of those before it in its log.
 */
function lateSql({ batches }: Lines, dialect: Dialect): string {
  const within = batches === null ? '' : ` WHERE batch IN (${listed(batches)})`;
  const isLate = (newer: string) => `${newer} > n.happened + INTERVAL '${LATE_MINUTES}' MINUTE`;
  return `SELECT n.batch, CAST(COUNT(*) AS ${dialect.type('BIGINT')}) AS late, MIN(n.line) AS first_line
FROM (
  SELECT r.batch AS batch, r.line AS line, r.timestamp AS happened, e.newest AS earlier,
    MAX(r.timestamp) OVER (PARTITION BY r.batch ORDER BY r.line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
  FROM (
    SELECT batch, line, timestamp FROM base_calls${within}
    UNION ALL SELECT batch, line, timestamp FROM base_runs${within}
  ) r
  JOIN (SELECT DISTINCT p.batch FROM lake_copies p) a ON a.batch = r.batch
  LEFT JOIN lake_copies d ON d.batch = r.batch AND d.line = r.line
  LEFT JOIN (
    SELECT b.batch, MAX(b.newest_record) OVER
      (PARTITION BY b.file ORDER BY b.byte_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
    FROM (SELECT DISTINCT batch, file, byte_from, newest_record FROM base_batches${within}) b
  ) e ON e.batch = r.batch
  WHERE d.line IS NULL
) n
WHERE ${isLate('n.newest')} OR ${isLate('n.earlier')}
GROUP BY n.batch`;
}

/** Calls that share a call_id and are not alike have keys of their own, by the hashes of their lines. */
const twinsSql = (
  dialect: Dialect,
) => `SELECT n.batch, n.line, n.call_key_base || '#' || ${dialect.text('n.twin')} AS call_key
FROM (
  SELECT c.batch, c.line, c.call_key_base,
    ROW_NUMBER() OVER (PARTITION BY c.call_key_base ORDER BY c.line_sha256) AS twin
  FROM lake_calls c
  JOIN (
    SELECT k.call_key_base AS shared FROM lake_calls k GROUP BY k.call_key_base HAVING COUNT(*) > 1
  ) m ON m.shared = c.call_key_base
) n
WHERE n.twin > 1`;
