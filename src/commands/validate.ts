import { createHash } from 'node:crypto';
import { isExcusable } from '../gate/acks.js';
import type { Evidence } from '../gate/evidence.js';
import { judge } from '../gate/judge.js';
import { INPUT_RULES } from '../gate/rules.js';
import { type Io, styleOf } from '../io.js';
import { NO_FILTERS } from '../lake/lake.js';
import { openAnyLake } from '../query/open.js';
import { receiptOf } from '../query/receipt.js';
import { DEFAULT_GATED_KINDS, type Settings } from '../query/settings.js';
import { chooseAsked, type GivenPaths, namingDefaults } from '../query/sources.js';
import { FEW_REJECTS } from '../render/accounting.js';
import { formatNames, type Report, renderAccounting, renderFindings } from '../render/index.js';
import { documentOf, isRowFormat } from '../render/stream.js';
import type { Account } from '../schema/account.js';
import { type Block, rowsOf } from '../schema/block.js';
import { type Cell, type Column, EXIT, type ExitCode } from '../schema/result.js';
import { copiesOf } from './copies.js';
import { inputEvidence } from './evidence.js';
import { nextCommand } from './next.js';
import {
  formatOf,
  type LogFlag,
  type OutputFlags,
  pathsOf,
  type ReadFlags,
  runOptionsOf,
} from './options.js';
import { writeCopies } from './output.js';
import { progressOn } from './terminal.js';

export type ValidateFlags = OutputFlags & Pick<ReadFlags, LogFlag>;

const COLUMNS: readonly Column[] = [
  { name: 'file', type: 'text', note: 'File the line stands in.' },
  { name: 'line', type: 'integer', note: 'Physical line, from 1.' },
  {
    name: 'byte_offset',
    type: 'integer',
    label: 'byte',
    minor: true,
    note: "Of the line's first byte, uncompressed.",
  },
  { name: 'reason', type: 'text', note: 'Why it is not loaded.' },
  { name: 'detail', type: 'text', note: 'The same in words.' },
];

const NAMES = COLUMNS.map(({ name }) => name);

/** Accounts for every line and lists those that cannot be loaded; exit 0 only when there is none. */
export async function validate(
  paths: readonly string[],
  flags: ValidateFlags,
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  const inputs = pathsOf(paths, flags);
  const copies = copiesOf(flags, formatNames);
  const sources = chooseAsked(inputs, settings, io.cwd, true);
  const progress = progressOn(io);
  const options = runOptionsOf(flags, settings, NO_FILTERS, io, progress.report);
  const lake = await openAnyLake({
    ...options,
    asks: [`SELECT ${NAMES.join(', ')} FROM rejects`],
    gatedKinds: DEFAULT_GATED_KINDS,
    params: {},
  });
  try {
    const account = namingDefaults(await lake.load(sources.requests), sources);
    const format = formatOf(flags);
    const count = account.rejects.reduce((sum, group) => sum + group.count, 0);
    const blocks = () => lake.rejectBlocks(NAMES);
    // A table needs them all at once; all else takes them block by block.
    const isTable = count <= FEW_REJECTS || copies.some((copy) => copy.format === 'table');
    const result = { columns: COLUMNS, rows: isTable ? await rowsIn(blocks()) : [] };
    await progress.end();
    const receipt = receiptOf({
      account,
      query: { name: 'validate', sha256: createHash('sha256').update('').digest('hex') },
      from: sources.from,
      gatedKinds: DEFAULT_GATED_KINDS,
      now: options.now,
    });
    const verdict = judge(evidenceOf(account, inputs, options.now), INPUT_RULES);
    const report: Report = {
      query: { name: 'validate', title: 'Accounting of the log files' },
      params: {},
      result,
      verdict,
      receipt,
    };
    const written = await writeCopies(report, copies, io, blocks);
    const pieces = isRowFormat(format)
      ? documentOf(format, report, blocks())
      : [renderAccounting(report, styleOf(io.stdout, io.env))];
    for await (const piece of pieces) {
      await io.stdout.write(piece);
      if (io.stdout.hasLeft) break;
    }
    await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
    return written ? verdict.exit_code : EXIT.error;
  } finally {
    await progress.end();
    lake.close();
  }
}

function evidenceOf(account: Account, inputs: GivenPaths, now: Date): Evidence {
  const evidence = inputEvidence(account, inputs, now);
  const { listRejects } = evidence.commands;
  const noneLoaded = account.callsLoaded + account.replayRunsLoaded === 0;
  const hint =
    noneLoaded && account.files.some(({ lines, blank }) => lines > blank)
      ? [
          'no line looks like a session.iterate.v1 or replay.run.v1 record: is this the right file? (lakelog schema --json-schema session)',
        ]
      : [];
  return {
    ...evidence,
    inputs: {
      ...evidence.inputs,
      // Here a line of a replay file weighs as much as any other.
      rejects: account.rejects.map((reject) => ({ ...reject, blocks: true })),
      notices: [...account.notices, ...hint],
    },
    commands: { ...evidence.commands, ...settling(account.rejects, inputs, listRejects) },
  };
}

/** One line is settled by its place, many in one step. */
function settling(rejects: Account['rejects'], inputs: GivenPaths, listRejects: string) {
  const asLines = `${listRejects} --format jsonl`;
  if (!rejects.some(({ reason }) => isExcusable(reason))) return { listRejects: asLines };
  const [only] = rejects;
  const settle = (ids: readonly string[], ...own: readonly string[]) =>
    nextCommand('ack', ids, { inputs, folders: [] }, [...own, '--reason "…"']);
  if (rejects.length === 1 && only?.count === 1) {
    const settleRejects = `mend the line, or settle it: ${settle([only.first])}`;
    return { listRejects: settleRejects, settleRejects };
  }
  const settleRejects = `mend the lines, or settle all of now: ${settle([], '--baseline')}`;
  return { listRejects: asLines, settleRejects };
}

async function rowsIn(blocks: AsyncIterable<Block>): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  for await (const block of blocks) for (const row of rowsOf(block)) rows.push(row);
  return rows;
}
