/** What the box does with a statement, in the test's process: a box of its own takes four times as long as all the rest. */
import { asLakelogError, type LakelogError } from '../../src/errors.js';
import { SqlFault } from '../../src/lake/box.js';
import { openLake } from '../../src/lake/lake.js';
import { columnsOf } from '../../src/query/columns.js';
import { explained, noticesOf } from '../../src/query/sql-error.js';
import { objects } from '../../src/render/json.js';
import { rowsOf } from '../../src/schema/block.js';
import type { Finding } from '../../src/schema/result.js';
import { runOptions } from './lake.js';

export interface Boxed {
  /** As they stand in JSON. */
  readonly rows: readonly object[];
  /** Of the statement. */
  readonly notices: readonly Finding[];
}

/** @throws LakelogError as the box would tell it. */
export const boxed = (sql: string, logs: string): Promise<Boxed> =>
  answer(sql, logs).catch((error) => {
    throw error instanceof SqlFault ? explained(error) : asLakelogError(error);
  });

async function answer(sql: string, logs: string): Promise<Boxed> {
  const lake = await openLake({
    ...runOptions(),
    ...{ asks: [sql], gatedKinds: ['fill'], params: {} },
  });
  try {
    const checked = await lake.check(sql, 'query');
    await lake.load([{ path: logs, as: 'any' }]);
    const { names, types, blocks } = await lake.runBoxed(checked, { parquet: [], most: null });
    const columns = columnsOf(names, types);
    const cells = [];
    for await (const block of blocks) cells.push(...rowsOf(block));
    const rows = objects({ columns, rows: cells }).map((text) => JSON.parse(text));
    return { rows, notices: noticesOf(checked) };
  } finally {
    lake.close();
  }
}

/** All that is said of a statement that does not run, on lines of its own. */
export const refusal = (sql: string, logs: string): Promise<string> =>
  boxed(sql, logs).then(
    () => {
      throw new Error(`it ran: ${sql}`);
    },
    ({ message, where, detail, next }: LakelogError) =>
      [`error: ${message}`, `  at ${where}`, detail, `  → ${next}`, ''].join('\n'),
  );
