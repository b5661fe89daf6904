/** The numbers that writers gave their records, as islands: what lies between two islands of a writer is lost. */
import type { LoadedHole } from '../../schema/account.js';
import { FEW_HOLES, type Gap } from '../../schema/gap.js';
import type { Database } from '../duckdb/connection.js';
import { baseTable } from '../tables/base.js';

/** Numbers of a block: a bit each, in an integer that has room for one more. */
const BLOCK = 60;

/**
 * SELECT of the islands of some rows with `writer_id` and `seq`, in any order, each number once or more often. Rows
 * become bits of blocks before anything is sorted: what is sorted is as many blocks, where few numbers are missing.
 * @param more further islands, as a SELECT of `writer_id`, `first_seq`, `last_seq`; they may overlap.
 */
export function islandsOf(from: string, more: string | null): string {
  const isOneRun = 'bits & (bits + low) = 0';
  const byNumber = 'OVER (PARTITION BY writer_id ORDER BY first_seq';
  return `WITH blocks AS (
      SELECT writer_id, seq // ${BLOCK} * ${BLOCK} AS start, bit_or(1::BIGINT << (seq % ${BLOCK})) AS bits
      FROM ${from} WHERE writer_id IS NOT NULL AND seq IS NOT NULL GROUP BY ALL),
    lowest AS (SELECT *, bits & -bits AS low FROM blocks),
    runs AS (
      SELECT writer_id, start + bit_count(low - 1) AS first_seq, start + bit_count(low - 1) + bit_count(bits) - 1 AS last_seq
      FROM lowest WHERE ${isOneRun}
      UNION ALL SELECT writer_id, start + i, start + i FROM lowest, range(${BLOCK}) numbers(i)
      WHERE NOT (${isOneRun}) AND bits & (1::BIGINT << i) <> 0
      ${more === null ? '' : `UNION ALL ${more}`}),
    marked AS (SELECT *, first_seq - 1 > max(last_seq) ${byNumber} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
      AS begins FROM runs),
    -- Runs that begin alike are of one island, whichever of them comes first.
    counted AS (SELECT *, sum(CASE WHEN begins THEN 1 ELSE 0 END) ${byNumber} RANGE UNBOUNDED PRECEDING) AS island
      FROM marked)
    SELECT writer_id, min(first_seq) AS first_seq, max(last_seq) AS last_seq
    FROM counted GROUP BY writer_id, island`;
}

/** Makes base_seqs of all loaded calls. */
export async function fillSeqs(db: Database): Promise<void> {
  await db.run(`CREATE OR REPLACE TABLE ${baseTable('seqs')} AS ${islandsOf(baseTable('calls'), null)}`);
}

/**
 * Adds the numbers of newly loaded calls to base_seqs. Only islands that change are written, and only writers that
 * stand in the new rows are looked at; the same rows once more change nothing.
 * @param from the new rows, e.g. `stage.main.base_calls`.
 */
export async function mergeSeqs(db: Database, from: string): Promise<void> {
  const all = baseTable('seqs');
  const writers = `SELECT DISTINCT writer_id FROM ${from} WHERE writer_id IS NOT NULL AND seq IS NOT NULL`;
  const known = `SELECT writer_id, first_seq, last_seq FROM ${all} WHERE writer_id IN (${writers})`;
  const isSame = 's.writer_id = m.writer_id AND s.first_seq = m.first_seq AND s.last_seq = m.last_seq';
  await db.run(
    [
      `CREATE OR REPLACE TEMP TABLE merged_seqs AS ${islandsOf(from, known)}`,
      `DELETE FROM ${all} s WHERE s.writer_id IN (SELECT writer_id FROM temp.merged_seqs)
         AND NOT EXISTS (SELECT 1 FROM temp.merged_seqs m WHERE ${isSame})`,
      `INSERT INTO ${all} SELECT writer_id, first_seq, last_seq FROM temp.merged_seqs m
         WHERE NOT EXISTS (SELECT 1 FROM ${all} s WHERE ${isSame})`,
      'DROP TABLE temp.merged_seqs',
    ].join('; '),
  );
}

const HOLES = `SELECT writer_id, last_seq + 1 AS from_seq, behind - 1 AS to_seq FROM
    (SELECT *, lead(first_seq) OVER (PARTITION BY writer_id ORDER BY first_seq) AS behind FROM ${baseTable('seqs')})
  WHERE behind IS NOT NULL`;

/** Every hole with the place of the record behind it, by writer and number. */
export function holesIn(db: Database): Promise<LoadedHole[]> {
  return placesOf(db, HOLES);
}

/** Of records with the same number it is the first, in the order of files and lines. */
function placesOf(db: Database, holes: string): Promise<LoadedHole[]> {
  return db.objects<LoadedHole>(
    `SELECT h.writer_id, h.from_seq, h.to_seq, b.file, c.line
     FROM (${holes}) h JOIN ${baseTable('calls')} c ON c.writer_id = h.writer_id AND c.seq = h.to_seq + 1
     JOIN ${baseTable('batches')} b ON b.batch = c.batch
     QUALIFY row_number() OVER (PARTITION BY h.writer_id, h.from_seq ORDER BY c.batch, c.line) = 1
     ORDER BY h.writer_id, h.from_seq`,
  );
}

interface GapRow {
  readonly writer_id: string;
  readonly missing: number;
  readonly holes: number;
  readonly last: number;
  readonly from_seq: number;
  readonly to_seq: number;
}

/** What is lost of each writer, most first; base_seqs and base_batches are filled. */
export async function gapsOf(db: Database): Promise<Gap[]> {
  const number = 'row_number() OVER (PARTITION BY writer_id ORDER BY from_seq)';
  const rows = await db.objects<GapRow>(
    `SELECT writer_id, from_seq, to_seq, count(*) OVER (PARTITION BY writer_id) AS holes,
       max(to_seq) OVER (PARTITION BY writer_id) AS last,
       CAST(sum(to_seq - from_seq + 1) OVER (PARTITION BY writer_id) AS BIGINT) AS missing
     FROM (${HOLES}) QUALIFY ${number} <= ${FEW_HOLES} ORDER BY missing DESC, writer_id, from_seq`,
  );
  if (rows.length === 0) return [];
  const firsts = await placesOf(db, `SELECT * FROM (${HOLES}) QUALIFY ${number} = 1`);
  const places = new Map(firsts.map(({ writer_id, file, line }) => [writer_id, `${file}:${line}`]));
  const byWriter = new Map<string, GapRow[]>();
  for (const row of rows) byWriter.set(row.writer_id, [...(byWriter.get(row.writer_id) ?? []), row]);
  return [...byWriter].map(([writer_id, ranges]) => ({
    writer_id,
    missing: ranges[0]!.missing,
    ranges: ranges.map(({ from_seq: from, to_seq: to }) => ({ from, to })),
    more: ranges[0]!.holes - ranges.length,
    last: ranges[0]!.last,
    where: places.get(writer_id) ?? null,
  }));
}
