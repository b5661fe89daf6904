/** Entry of the process in which somebody's own SQL runs: it may be killed at any moment. */
import { asLakelogError } from './errors.js';
import { SqlFault } from './lake/box.js';
import { startEngine } from './lake/duckdb/connection.js';
import { openLake } from './lake/lake.js';
import type { BoxFailure, BoxJob, BoxMessage } from './query/box-protocol.js';
import { columnsOf } from './query/columns.js';
import { explained, NARROW_IT, noticesOf } from './query/sql-error.js';
import { EXIT } from './schema/result.js';

const ROWS_PER_MESSAGE = 1_000;
const WATCH_MS = 25;

const say = (message: BoxMessage) =>
  new Promise<void>((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });

/** `repeat('x', 3000000000)` asks the allocator, not DuckDB, so DuckDB's own limit does not see it. */
function watchMemory(): void {
  const limit = Number(process.env.LAKELOG_BOX_RSS);
  setInterval(() => {
    if (process.memoryUsage.rss() <= limit) return;
    const message = `the query needs more than ${Math.round(limit / 1e9)} GB of memory`;
    void say({ say: 'failed', failure: { ...tooMuch, message } }).then(() => process.exit(EXIT.error));
  }, WATCH_MS);
}

const tooMuch: Omit<BoxFailure, 'message'> = { next: NARROW_IT, exitCode: EXIT.error };

async function answer(job: BoxJob): Promise<void> {
  const lake = await openLake({
    ...job,
    asks: [job.sql],
    env: process.env,
    now: new Date(job.now),
    stdin: process.stdin,
    onProgress: job.watchProgress ? (done, total) => void say({ say: 'progress', done, total }) : undefined,
  });
  try {
    await say({ say: 'phase', phase: 'checking' });
    const checked = await lake.check(job.sql, job.where);
    await say({ say: 'phase', phase: 'loading' });
    const account = await lake.load(job.requests);
    await say({ say: 'phase', phase: 'running' });
    const { names, types, cells, more } = await lake.runBoxed(checked, job.maxRows);
    for (let i = 0; i < cells.length; i += ROWS_PER_MESSAGE) {
      await say({ say: 'rows', rows: cells.slice(i, i + ROWS_PER_MESSAGE) });
    }
    await say({
      say: 'done',
      account,
      columns: columnsOf(names, types),
      truncated: more,
      notices: noticesOf(checked),
    });
  } finally {
    lake.close();
  }
}

function failureOf(error: unknown): BoxFailure {
  const told = error instanceof SqlFault ? explained(error) : asLakelogError(error);
  const { message, where, next, detail, exitCode } = told;
  return { message, where, next, detail, exitCode };
}

startEngine();
// The parent went away: nobody is left to stop the query.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.once('message', (job: BoxJob) => {
  watchMemory();
  answer(job)
    .catch((error) => say({ say: 'failed', failure: failureOf(error) }))
    .finally(() => process.exit());
});
