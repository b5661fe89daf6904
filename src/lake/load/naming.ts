/** Whom accepted calls name, from what the scanner found into base_named_workers. */
import type { Database } from '../duckdb/connection.js';

/** What was found in a block is one cell: a cell for each worker would take longer than to find them. */
export const NAMING_TABLE = 'CREATE OR REPLACE TABLE main.base_naming (found VARCHAR, line_base BIGINT)';

/** As NamingCall has it. */
const FOUND = JSON.stringify([
  {
    ...{ batch: 'BIGINT', line: 'BIGINT', unread: 'VARCHAR' },
    ...{ ids: ['VARCHAR'], texts: ['VARCHAR'], others: ['VARCHAR'] },
  },
]);

/** A worker a row; what is no text is nobody's id. */
const TAKE_APART = `INSERT INTO main.base_named_workers
  WITH calls AS (
    SELECT c.batch AS batch, c.line + line_base AS line, c.ids AS ids, c.texts AS texts, c.others AS others,
      c.unread AS unread
    FROM (SELECT line_base, unnest(from_json(found, '${FOUND}')) AS c FROM main.base_naming)
  ), named AS (
    SELECT batch, line, unnest(ids) AS worker, TRUE AS is_text, 'ids' AS source FROM calls
    UNION ALL SELECT batch, line, unnest(texts), TRUE, 'artifact' FROM calls
    UNION ALL SELECT batch, line, unnest(others), FALSE, 'artifact' FROM calls
    UNION ALL SELECT batch, line, unread, FALSE, 'unread' FROM calls WHERE unread IS NOT NULL
  )
  SELECT batch, line, worker, CASE WHEN is_text THEN worker END, source FROM named`;

export function namingAppender(db: Database) {
  const rows = db.rowAppender('base_naming');
  return {
    /** @param lineBase lines of the file before the first of the block. */
    add: (found: string, lineBase: number): void => rows.add([found, lineBase]),
    async end(): Promise<void> {
      rows.close();
      await db.run(`${TAKE_APART}; DROP TABLE main.base_naming`);
    },
  };
}
