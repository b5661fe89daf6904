/** Where the rows of a query go: many are streamed by the box as text, others pass as cells and are drawn here. */
import os from 'node:os';
import path from 'node:path';
import { LakelogError } from '../errors.js';
import type { Io } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import type { Export, StreamFormat } from '../query/box-protocol.js';
import { queryFormatNames } from '../render/format-names.js';
import type { Format, Report, TextFormat } from '../render/index.js';
import { envelopeOf } from '../render/json.js';
import { isRowFormat } from '../render/stream.js';
import { EXIT, type ExitCode, type Verdict } from '../schema/result.js';
import { type Copy, copiesOf, mostRows } from './copies.js';
import { formatOf } from './options.js';
import { type Draft, openDraft, piecesOf } from './write-file.js';

export interface QueryOutputFlags {
  readonly format?: Format;
  readonly json?: true;
  readonly output?: readonly string[];
  readonly limit?: number;
}

interface File {
  readonly copy: Copy<Format>;
  /** What the box writes to, or why there is nothing to write to. */
  readonly draft: Draft | Error;
}

export interface Outputs {
  /** What the box is asked for. */
  readonly maxRows: number | null;
  readonly exports: readonly Export[];
  /** @param reportOf tells all but the rows. */
  readonly onBytes: (bytes: Uint8Array, reportOf: () => Report) => Promise<boolean>;
  /** Prints and places what there is by now. */
  show(report: Report, verdict: Verdict): Promise<ExitCode>;
  end(): Promise<void>;
}

/** @throws LakelogError (exit 2) for a name or a place that does not fit a format. */
export async function planOutputs(flags: QueryOutputFlags, io: Io): Promise<Outputs> {
  const most = flags.limit ?? null;
  const copies = copiesOf(flags, queryFormatNames);
  const format = formatOf<Format>(flags);
  if (format === 'parquet' && io.stdout.isTTY) {
    throw new LakelogError('Parquet is not for a terminal', { next: 'write it to a file: -o rows.parquet' });
  }
  // What is cut passes as cells, which are counted here; Parquet is the engine's own affair.
  const streams = (one: Format) => one === 'parquet' || (isRowFormat(one) && most === null);
  const toPipe = streams(format) && !io.stdout.isTTY;
  const files = await Promise.all(
    copies.filter((copy) => streams(copy.format)).map((copy) => draftOf(copy, io)),
  );
  const stdoutDraft = format === 'parquet' ? await openDraft(path.join(os.tmpdir(), 'stdout')) : null;
  const exports = [
    ...files.flatMap(({ copy, draft }) =>
      draft instanceof Error ? [] : [{ format: copy.format as StreamFormat, file: draft.path, most }],
    ),
    ...(toPipe ? [{ format: format as StreamFormat, file: stdoutDraft?.path ?? null, most }] : []),
  ];
  // Stands before the first row, and at the latest before what stands behind the last.
  let head = toPipe && format === 'json' ? 0 : 1;
  const begin = async (reportOf: () => Report) => {
    if (head++ === 0) await io.stdout.write(envelopeOf(reportOf())[0]);
  };
  const drawn = copies.filter((copy): copy is Copy => !streams(copy.format));
  return {
    // With a limit, cells tell whether there are more.
    maxRows: toPipe && drawn.length === 0 && most === null ? null : mostRows(flags.limit, drawn, io),
    exports,
    onBytes: async (bytes, reportOf) => {
      await begin(reportOf);
      await io.stdout.write(bytes);
      return io.stdout.hasLeft !== true;
    },
    show: async (report, verdict) => {
      if (toPipe && format === 'json') {
        await begin(() => report);
        await io.stdout.write(envelopeOf(report)[1]);
      }
      return show({ report, verdict, flags, toPipe, stdoutDraft, drawn, files, io });
    },
    end: async () => {
      const drafts = [...files.map(({ draft }) => draft), stdoutDraft];
      for (const draft of drafts) if (draft !== null && !(draft instanceof Error)) await draft.discard();
    },
  };
}

async function draftOf(copy: Copy<Format>, io: Io): Promise<File> {
  try {
    return { copy, draft: await openDraft(kernelPath(io.cwd, copy.file)) };
  } catch (error) {
    return { copy, draft: error as Error };
  }
}

interface Showing {
  readonly report: Report;
  readonly verdict: Verdict;
  readonly flags: QueryOutputFlags;
  /** Stdout has its rows, or has them in a file. */
  readonly toPipe: boolean;
  readonly stdoutDraft: Draft | null;
  readonly drawn: readonly Copy[];
  readonly files: readonly File[];
  readonly io: Io;
}

async function show(showing: Showing): Promise<ExitCode> {
  const { report, verdict, flags, toPipe, stdoutDraft, drawn, files, io } = showing;
  const [{ placeCopy }, { showLimited }] = await Promise.all([import('./output.js'), import('./limit.js')]);
  let all = true;
  for (const { copy, draft } of files) all = (await placeCopy(report, copy, draft, io)) && all;
  if (stdoutDraft !== null) {
    for await (const bytes of piecesOf(stdoutDraft.path)) await io.stdout.write(bytes);
  }
  const format = formatOf<Format>(flags) as TextFormat;
  const elsewhere = { stdout: toPipe, files: files.length };
  const code = await showLimited(flags.limit, report, verdict, { format }, drawn, io, elsewhere);
  return all ? code : EXIT.error;
}
