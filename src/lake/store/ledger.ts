/** What became of the lines of all logs of a lake, now and earlier. */
import type { BlockingGroup } from '../../schema/account.js';
import type { FileAccount } from '../../schema/result.js';
import type { Database } from '../duckdb/connection.js';
import type { Ledger } from '../load/account.js';
import { withoutRecords } from '../load/ledger.js';
import { unknownTraces } from '../load/traces.js';
import { NOTHING_READ } from './fingerprint.js';
import type { LogState } from './logs.js';
import type { Synced } from './sync.js';

export async function lakeLedger(db: Database, synced: Synced): Promise<Ledger> {
  const names = new Map(synced.logs.map(({ log, name }) => [log, name]));
  const { cells } = await db.rows('SELECT batch, log FROM main.base_batches');
  const logs = new Map(cells as readonly [number, number][]);
  const nameOf = (batch: number) => names.get(logs.get(batch)!)!;
  const accounts = await logAccounts(db, synced);
  const empty = synced.empty.map(emptyAccount);
  const files = [...accounts.map(({ account }) => account), ...empty];
  // Of what stands nowhere any more nobody could ever mend that it holds none; the rest nobody looked at.
  const present = accounts.filter(
    ({ account, state }) => synced.isSynced && state === 'here' && !synced.unseen.includes(account.file),
  );
  return {
    files,
    rejects: await rejectGroups(db, nameOf),
    summary: 'main.base_summary',
    hasCalls: await hasCalls(db),
    firstLate: files.some(({ late }) => late > 0) ? await firstLate(db) : null,
    // Each sync adds to it.
    fillSeqs: async () => true,
    unknownTraces: () => unknownTraces(db, 'main.base_unknown_traces'),
    firstConflict: files.some(({ conflicts }) => conflicts > 0) ? await firstConflict(db) : null,
    problems: [
      ...synced.problems,
      ...[...present.map(({ account }) => account), ...empty].flatMap(withoutRecords),
    ],
    notices: synced.notices,
    mayBeEmpty: synced.mayBeEmpty,
    nameOf,
  };
}

async function hasCalls(db: Database): Promise<boolean> {
  const { cells } = await db.rows('SELECT count(*) FROM main.base_summary');
  return (cells[0]![0] as number) > 0;
}

const emptyAccount = (file: string): FileAccount => ({
  ...{ file, bytes: 0, lines: 0, loaded: 0, rejected: 0, duplicates: 0, blank: 0, pending: 0, conflicts: 0 },
  late: 0,
  newest_record: null,
});

/** In the order in which they were read first. */
async function logAccounts(
  db: Database,
  { logs, tails }: Synced,
): Promise<{ readonly account: FileAccount; readonly state: LogState }[]> {
  const sums = ['bytes', 'lines', 'loaded', 'rejected', 'duplicates', 'blank', 'pending', 'conflicts', 'late']
    .map((name) => `CAST(sum(${name}) AS BIGINT) AS ${name}`)
    .join(', ');
  const rows = await db.objects<Omit<FileAccount, 'file'> & { log: number }>(
    `SELECT log, ${sums}, max(newest_record) AS newest_record FROM main.base_batches GROUP BY log ORDER BY log`,
  );
  return rows.map(({ log: number, ...account }) => {
    const { name, head, state } = logs.find(({ log }) => log === number)!;
    const tail = tails.get(number);
    const hashes = {
      head: head || NOTHING_READ.start_sha256,
      ...(tail === undefined ? {} : { tail_sha256: tail }),
    };
    return { account: { file: name, ...account, ...hashes }, state };
  });
}

/** No column is a struct: to read one a package is loaded, which takes longer than all that an idle run asks. */
async function rejectGroups(db: Database, nameOf: Ledger['nameOf']): Promise<BlockingGroup[]> {
  const rows = await db.objects<BlockingGroup & { readonly batch: number; readonly line: number }>(
    `SELECT reason, count, place.detail AS detail, blocks, place.batch AS batch, place.line AS line FROM (
       SELECT reason, blocks, count(*) AS count,
         arg_min({batch: batch, line: line, detail: detail}, {batch: batch, line: line}) AS place
       FROM main.base_rejects GROUP BY ALL) ORDER BY count DESC, reason, batch, line`,
  );
  return rows.map(({ reason, count, detail, blocks, batch, line }) => {
    return { reason, count, first: `${nameOf(batch)}:${line}`, detail, blocks };
  });
}

async function firstConflict(db: Database): Promise<Ledger['firstConflict']> {
  const [first = null] = await db.objects<{ batch: number; line: number }>(
    `SELECT batch, line FROM main.base_conflicts
     QUALIFY row_number() OVER (PARTITION BY call_id ORDER BY batch, line) = 2 ORDER BY batch, line LIMIT 1`,
  );
  return first;
}

async function firstLate(db: Database): Promise<Ledger['firstLate']> {
  const [first = null] = await db.objects<{ batch: number; line: number }>(
    'SELECT batch, late_line AS line FROM main.base_batches WHERE late > 0 ORDER BY batch LIMIT 1',
  );
  return first;
}
