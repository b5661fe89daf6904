/** Settling in one step all lines that keep gates from vouching now, so that only new ones do. */
import { holds, isExcusable, type KnownReject, NOTHING_KNOWN, placeOf, review } from '../gate/acks.js';
import { missingIn, openHoles } from '../gate/holes.js';
import { type Io, styleOf } from '../io.js';
import { appendAcks } from '../query/acks-file.js';
import type { Catalogue } from '../query/catalogue.js';
import type { Settings } from '../query/settings.js';
import { type Baseline, renderBaseline, renderNext } from '../render/index.js';
import type { Entry, Said } from '../schema/ack.js';
import type { ExitCode } from '../schema/result.js';
import { linesOf, rejectSubject } from './ack-target.js';
import { changesIn, type LogFlags, withLogs } from './acks.js';
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
 * Settles every rejected line and every record of a conflict that is not settled yet, each by its hash, and over a
 * lake every hole. It asks no gate, so it never settles a violation; and a changed file is settled by its name only,
 * since somebody changed it.
 * @returns 3 where an input was missing, unreadable or empty: not all was seen that was named.
 */
export async function baseline(
  paths: readonly string[],
  flags: LogFlags,
  { file, named, said, entries }: Given,
  { usualGate, folders }: Catalogue,
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  return withLogs(paths, flags, entries, {}, settings, io, async ({ lake, account, exitCode }) => {
    const known = {
      ...NOTHING_KNOWN,
      rejects: account.rejects.length > 0 ? await lake.rejects() : [],
      conflicts: account.conflicts > 0 ? await lake.conflicts() : [],
      // Without a lake they are in nobody's way.
      holes: account.lake && account.gaps.length > 0 ? await lake.holes() : [],
      changes: changesIn(account),
    };
    const standing = review(entries, known, new Date(said.at)).filter(holds);
    const settled = new Set<unknown>(standing.map(({ match }) => match));
    const open = known.rejects.filter((reject) => !settled.has(reject));
    const rejects = open.filter(({ reason }) => isExcusable(reason));
    const conflicts = known.conflicts.filter((conflict) => !settled.has(conflict));
    const acked = standing.flatMap(({ entry: { ack } }) => (ack.what === 'hole' ? [ack] : []));
    const holes = openHoles(known.holes, acked);
    const subjects = [
      ...rejects.map(rejectSubject),
      ...conflicts.map((conflict) => ({ what: 'conflict' as const, ...conflict })),
      ...holes.map((hole) => ({ what: 'hole' as const, ...hole })),
    ];
    if (subjects.length > 0) await appendAcks(file, linesOf(subjects, said, file, io.cwd), io.cwd);
    const unsettled = open.filter(({ reason }) => !isExcusable(reason));
    const what: Baseline = {
      ...said,
      file,
      rejects: countReasons(rejects),
      conflicts: conflicts.length,
      missing: missingIn(holes),
      before: settled.size,
      left: unsettled.length === 0 ? null : { count: unsettled.length, first: placeOf(unsettled[0]!) },
      changed: known.changes.filter((change) => !settled.has(change)).map(({ path }) => path),
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
