import { createHash } from 'node:crypto';
import os from 'node:os';
import { LakelogError } from '../errors.js';
import { NOTHING_KNOWN, type Settled, settle } from '../gate/acks.js';
import { judge } from '../gate/judge.js';
import { acknowledged } from '../gate/row-rules.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import type { Io } from '../io.js';
import { exportToFolder, isFolderLake } from '../lake/export.js';
import { NO_FILTERS, openLake } from '../lake/lake.js';
import { type AckFile, readAcks } from '../query/acks.js';
import { receiptOf } from '../query/receipt.js';
import type { RunOptions } from '../query/run.js';
import { DEFAULT_GATED_KINDS, type Settings } from '../query/settings.js';
import { chooseSources, namingDefaults, type Sources } from '../query/sources.js';
import { filesResult } from '../render/accounting.js';
import { formatNames } from '../render/format-names.js';
import type { Account } from '../schema/account.js';
import type { ExitCode } from '../schema/result.js';
import { changesIn, type LogFlags } from './acks.js';
import { copiesOf } from './copies.js';
import { inputEvidence } from './evidence.js';
import { settledEvidence } from './judging.js';
import { type OutputFlags, pathsOf, runOptionsOf } from './options.js';
import { showRows } from './output.js';
import { progressOn } from './terminal.js';

export type SyncFlags = OutputFlags & LogFlags & { readonly host?: string; readonly from?: string };

/** Brings a lake up to date and says what it holds of every log. */
export async function sync(
  paths: readonly string[],
  flags: SyncFlags,
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  const inputs = pathsOf(paths, flags);
  const copies = copiesOf(flags, formatNames);
  const sources = chooseSources(inputs, settings, io.cwd, true);
  const progress = progressOn(io);
  const options = runOptionsOf(flags, settings, NO_FILTERS, io, progress.report);
  if (options.lake === undefined || !options.lake.sync)
    throw new LakelogError('no lake is named that could be brought up to date', {
      next: 'name it: --lake FILE, or --lake DIR/',
    });
  const acks = await readAcks(options.acks, io.cwd);
  try {
    const account = namingDefaults(await bring(sources, options, options.lake, flags), sources);
    await progress.end();
    const receipt = receiptOf({
      account,
      query: { name: 'sync', sha256: createHash('sha256').update('').digest('hex') },
      from: sources.from,
      gatedKinds: DEFAULT_GATED_KINDS,
      now: options.now,
    });
    // What is to be done next is done to a folder, which is told no logs.
    const isFolder = isFolderLake(options.lake.name, options.cwd);
    const then = isFolder ? { ...inputs, paths: [], sessions: [], replayRuns: [] } : inputs;
    const evidence = inputEvidence(account, then, options.now);
    const settled = settledIn(account, acks, options.now);
    const verdict = judge({ ...evidence, ...(settled && settledEvidence(evidence, settled)) }, RULES);
    const query = { name: 'sync', title: 'What the lake holds of every log' };
    const report = { query, params: {}, result: filesResult(receipt), receipt };
    return await showRows(report, verdict, flags, copies, io, report);
  } finally {
    await progress.end();
  }
}

const RULES = [...LENIENT_INPUT_RULES, acknowledged];

/** What became of logs, or could not be read, and was explained: who syncs every minute is told of it once. */
function settledIn(account: Account, acks: AckFile | null, now: Date): Settled | null {
  if (acks === null) return null;
  const known = { ...NOTHING_KNOWN, changes: changesIn(account) };
  const settled = settle(acks.entries, 'sync', known, now, acks.file);
  // What matches nothing is the affair of gates.
  return { ...settled, findings: [] };
}

function ensureOneSource(file: string | undefined, from: Sources['from']): void {
  if (file === undefined || from !== 'arguments') return;
  throw new LakelogError('logs and a lake file are named, and one of them is to be published', {
    where: file,
    next: 'name logs, or a lake file: --from FILE',
  });
}

async function bring(
  { requests, from: sourcesFrom }: Sources,
  options: RunOptions,
  use: NonNullable<RunOptions['lake']>,
  { host, from }: SyncFlags,
): Promise<Account> {
  if (isFolderLake(use.name, options.cwd)) {
    ensureOneSource(from, sourcesFrom);
    return exportToFolder(requests, { ...options, use, from, host: host ?? os.hostname() });
  }
  if (host !== undefined || from !== undefined)
    throw new LakelogError('--host and --from are about a folder of Parquet, and the lake is a file', {
      where: use.name,
      next: 'name a folder, with a / at its end: --lake DIR/',
    });
  const lake = await openLake({ ...options, asks: [], gatedKinds: DEFAULT_GATED_KINDS, params: {} });
  try {
    return await lake.load(requests);
  } finally {
    lake.close();
  }
}
