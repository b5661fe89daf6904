import { createHash } from 'node:crypto';
import { LakelogError } from '../errors.js';
import { judge } from '../gate/judge.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import type { Io } from '../io.js';
import { NO_FILTERS, openLake } from '../lake/lake.js';
import { receiptOf } from '../query/receipt.js';
import { DEFAULT_GATED_KINDS, type Settings } from '../query/settings.js';
import { chooseSources, namingDefaults } from '../query/sources.js';
import { filesResult } from '../render/accounting.js';
import { formatNames } from '../render/format-names.js';
import type { ExitCode } from '../schema/result.js';
import { copiesOf } from './copies.js';
import { inputEvidence } from './evidence.js';
import { type LogFlag, type OutputFlags, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { showRows } from './output.js';
import { progressOn } from './terminal.js';

export type SyncFlags = OutputFlags & Pick<ReadFlags, LogFlag>;

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
      next: 'name it: --lake FILE',
    });
  const lake = await openLake({ ...options, asks: [], gatedKinds: DEFAULT_GATED_KINDS, params: {} });
  try {
    const account = namingDefaults(await lake.load(sources.requests), sources);
    await progress.end();
    const receipt = receiptOf({
      account,
      query: { name: 'sync', sha256: createHash('sha256').update('').digest('hex') },
      from: sources.from,
      gatedKinds: DEFAULT_GATED_KINDS,
      now: options.now,
    });
    const verdict = judge(inputEvidence(account, inputs, options.now), LENIENT_INPUT_RULES);
    const query = { name: 'sync', title: 'What the lake holds of every log' };
    const report = { query, params: {}, result: filesResult(receipt), receipt };
    return await showRows(report, verdict, flags, copies, io, report);
  } finally {
    await progress.end();
    lake.close();
  }
}
