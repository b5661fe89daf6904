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
    SELECT line_base, unnest(from_json(found, '${FOUND}')) AS c FROM main.base_naming
  ), named AS (
    SELECT c, line_base, 'ids' AS source, unnest(c.ids) AS worker, TRUE AS is_text FROM calls
    UNION ALL SELECT c, line_base, 'artifact', unnest(c.texts), TRUE FROM calls
    UNION ALL SELECT c, line_base, 'artifact', unnest(c.others), FALSE FROM calls
    UNION ALL SELECT c, line_base, 'unread', c.unread, FALSE FROM calls WHERE c.unread IS NOT NULL
  )
  SELECT c.batch, c.line + line_base, worker, CASE WHEN is_text THEN worker END, source FROM named`;

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
