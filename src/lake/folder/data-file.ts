/** How a file of rows is made: staged under a flat name, then known by its size and hash. */
import { statSync } from 'node:fs';
import path from 'node:path';
import type { DataFile } from '../../schema/batch.js';
import type { Database } from '../duckdb/connection.js';
import { quote } from '../duckdb/sql.js';
import { hashFile } from './hash-file.js';
import type { Stage } from './place.js';

const ROW_GROUP = 122_880;

/** A stage has no folders. @param name of the file in the lake. */
export const stagedAt = (stage: Stage, name: string): string =>
  path.join(stage.path, name.replaceAll('/', '-'));

export async function copyTo(db: Database, select: string, staged: string): Promise<void> {
  await db.run(
    `COPY (${select}) TO ${quote(staged)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`,
  );
}

/** What a commit says of a file that is staged. */
export const dataFile = (name: string, staged: string, rows: number): DataFile => ({
  path: name,
  bytes: statSync(staged).size,
  rows,
  sha256: hashFile(staged),
});
