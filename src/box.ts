/** Entry of the process in which somebody's own SQL runs: it may be killed at any moment. */
import { closeSync } from 'node:fs';
import { openStream } from './box-streams.js';
import { asLakelogError } from './errors.js';
import { SqlFault } from './lake/box.js';
import { startEngine } from './lake/duckdb/connection.js';
import type { Lake } from './lake/lake.js';
import { TABLE_NAMES } from './lake/tables/published.js';
import {
  type BoxFailure,
  type BoxJob,
  type BoxMessage,
  type BoxStatement,
  BYTES_FD,
} from './query/box-protocol.js';
import { columnsOf } from './query/columns.js';
import { openAnyLake } from './query/open.js';
import { explained, NARROW_IT, noticesOf } from './query/sql-error.js';
import type { Account } from './schema/account.js';
import { type Block, rowsOf } from './schema/block.js';
import { type Column, EXIT } from './schema/result.js';

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

const lakeFor = (job: BoxJob, asks: readonly string[]): Promise<Lake> =>
  openAnyLake({
    ...job,
    asks,
    env: process.env,
    now: new Date(job.now),
    stdin: process.stdin,
    onProgress: job.watchProgress ? (done, total) => void say({ say: 'progress', done, total }) : undefined,
  });

async function answer(job: BoxJob): Promise<void> {
  const lake = await lakeFor(job, [job.sql]);
  try {
    await say({ say: 'phase', phase: 'checking' });
    const checked = await lake.check(job.sql, job.where);
    await say({ say: 'phase', phase: 'loading' });
    const account = await lake.load(job.requests);
    await say({ say: 'phase', phase: 'running' });
    const parquet = job.exports.filter(({ format }) => format === 'parquet');
    const { names, types, blocks } = await lake.runBoxed(checked, {
      parquet: parquet.map(({ file }) => file!),
      most: parquet[0]?.most ?? null,
    });
    const columns = columnsOf(names, types);
    await say({ say: 'answer', about: { account, columns, notices: noticesOf(checked) } });
    const truncated = await handOut(blocks, columns, job);
    // Its reader ends at the end of it.
    closeSync(BYTES_FD);
    await say({ say: 'done', truncated });
  } finally {
    lake.close();
  }
}

/** Until who asks goes away. */
async function converse(job: BoxJob): Promise<never> {
  await say({ say: 'phase', phase: 'loading' });
  const lake = await lakeFor(
    job,
    TABLE_NAMES.map((name) => `FROM ${name}`),
  );
  const account = await lake.load(job.requests);
  await say({ say: 'answer', about: { account, columns: [], notices: [] } });
  await say({ say: 'done', truncated: false });
  for (;;) {
    const statement = await new Promise<BoxStatement>((resolve) => process.once('message', resolve));
    await answerOne(lake, account, { ...job, ...statement }).catch((error) =>
      say({ say: 'failed', failure: failureOf(error) }),
    );
  }
}

async function answerOne(lake: Lake, account: Account, job: BoxJob): Promise<void> {
  await say({ say: 'phase', phase: 'running' });
  const checked = await lake.check(job.sql, job.where);
  const { names, types, blocks } = await lake.runBoxed(checked, { parquet: [], most: null });
  const columns = columnsOf(names, types);
  await say({ say: 'answer', about: { account, columns, notices: noticesOf(checked) } });
  await say({ say: 'done', truncated: await handOut(blocks, columns, job) });
}

/** To the streams, and as cells as far as they are wanted. @returns whether there are more than those. */
async function handOut(blocks: AsyncIterable<Block>, columns: readonly Column[], job: BoxJob) {
  const texts = job.exports.flatMap(({ format, ...one }) =>
    format === 'parquet' ? [] : [{ format, ...one }],
  );
  const streams = await Promise.all(texts.map((one) => openStream(one, columns)));
  let wanted = job.maxRows ?? 0;
  let more = false;
  for await (const block of blocks) {
    for (const stream of streams) await stream.write(block);
    const some = Math.min(block.rows, wanted);
    if (some > 0) await say({ say: 'rows', rows: rowsOf({ ...block, rows: some }) });
    wanted -= some;
    more = some < block.rows;
    if (more && streams.every(({ isOver }) => isOver)) break;
  }
  await Promise.all(streams.map((stream) => stream.end()));
  return more && job.maxRows !== null;
}

function failureOf(error: unknown): BoxFailure {
  const told = error instanceof SqlFault ? explained(error) : asLakelogError(error);
  const { message, where, next, detail, exitCode } = told;
  return { message, where, next, detail, exitCode };
}

startEngine();
// The parent went away: nobody is left to stop the query.
process.once('disconnect', () =>
  // What runs for it elsewhere is cancelled on the way.
  process.kill(process.pid, process.listenerCount('SIGTERM') > 0 ? 'SIGTERM' : 'SIGKILL'),
);
process.once('message', (job: BoxJob) => {
  watchMemory();
  (job.stays ? converse : answer)(job)
    .catch((error) => say({ say: 'failed', failure: failureOf(error) }))
    .finally(() => process.exit());
});
