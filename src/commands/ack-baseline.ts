/** Settling in one step all lines that keep gates from vouching now, so that only new ones do. */
import { holds, isExcusable, type KnownReject, placeOf, review } from '../gate/acks.js';
import { type Io, styleOf } from '../io.js';
import { appendAcks } from '../query/acks-file.js';
import type { Catalogue } from '../query/catalogue.js';
import { type Baseline, renderBaseline, renderNext } from '../render/index.js';
import type { Entry, Said } from '../schema/ack.js';
import type { ExitCode } from '../schema/result.js';
import { linesOf, rejectSubject } from './ack-target.js';
import { type LogFlags, withLogs } from './acks.js';
import { nextCommand } from './next.js';
import { pathsOf } from './options.js';

interface Given {
  readonly file: string;
  /** As somebody named it. */
  readonly named: string | undefined;
  readonly said: Pick<Said, 'reason' | 'author' | 'at' | 'expires'>;
  readonly entries: readonly Entry[];
}

/**
 * Settles every rejected line and every record of a conflict that is not settled yet, each by its hash. It asks no
 * gate, so it never settles a violation.
 * @returns 3 where an input was missing, unreadable or empty: not all was seen that was named.
 */
export async function baseline(
  paths: readonly string[],
  flags: LogFlags,
  { file, named, said, entries }: Given,
  { usualGate, folders }: Catalogue,
  io: Io,
): Promise<ExitCode> {
  return withLogs(paths, flags, {}, io, async ({ lake, account, exitCode }) => {
    const known = {
      calls: [],
      rejects: account.rejects.length > 0 ? await lake.rejects() : [],
      conflicts: account.conflicts > 0 ? await lake.conflicts() : [],
    };
    const settled = new Set<unknown>(
      review(entries, known, new Date(said.at)).flatMap((one) => (holds(one) ? [one.match] : [])),
    );
    const open = known.rejects.filter((reject) => !settled.has(reject));
    const rejects = open.filter(({ reason }) => isExcusable(reason));
    const conflicts = known.conflicts.filter((conflict) => !settled.has(conflict));
    const subjects = [
      ...rejects.map(rejectSubject),
      ...conflicts.map((conflict) => ({ what: 'conflict' as const, ...conflict })),
    ];
    if (subjects.length > 0) await appendAcks(file, linesOf(subjects, said, file, io.cwd), io.cwd);
    const unsettled = open.filter(({ reason }) => !isExcusable(reason));
    const what: Baseline = {
      ...said,
      file,
      rejects: countReasons(rejects),
      conflicts: conflicts.length,
      before: settled.size,
      left: unsettled.length === 0 ? null : { count: unsettled.length, first: placeOf(unsettled[0]!) },
    };
    await io.stdout.write(renderBaseline(what, styleOf(io.stdout, io.env)));
    const context = { inputs: pathsOf(paths, flags), folders, acks: named };
    if (usualGate)
      await io.stderr.write(
        renderNext([nextCommand(usualGate.name, [], context)], styleOf(io.stderr, io.env)),
      );
    return exitCode;
  });
}

/** By reason, the most frequent first. */
function countReasons(rejects: readonly KnownReject[]): [reason: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { reason } of rejects) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}
