import { existsSync } from 'node:fs';
import { LakelogError, shellWord } from '../errors.js';
import { holds, type Reviewed, review, subjectOf } from '../gate/acks.js';
import { openHoles } from '../gate/holes.js';
import { type Io, styleOf } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import { DEFAULT_ACKS, readAcks } from '../query/acks.js';
import { appendAcks } from '../query/acks-file.js';
import { decisionQueries } from '../query/decision-sql.js';
import { bindParams } from '../query/params.js';
import { asksRoster, namedRoster, type RosterFlags } from '../query/roster.js';
import { DRIFT_TARGET, parseDriftTarget } from '../query/selection.js';
import type { Settings } from '../query/settings.js';
import { chooseAsked, knowsNone } from '../query/sources.js';
import { renderAck, renderNext } from '../render/index.js';
import type { AckLine } from '../schema/ack.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { baseline } from './ack-baseline.js';
import { driftAsks, driftAt } from './ack-drift.js';
import { type SaidFlags, saidBy } from './ack-said.js';
import { linesOf, realOf, type Subject, subjectsAt } from './ack-target.js';
import { knownTo, type Loaded, type LogFlags, withLogs } from './acks.js';
import type { Context } from './command.js';
import { gateNamed, givenOf } from './gates.js';
import { asOptions, chosenParams, nextCommand, rosterFlagsOf } from './next.js';
import { pathsOf } from './options.js';

export interface AckFlags extends LogFlags, SaidFlags, RosterFlags {
  readonly baseline?: true;
  readonly gate?: string;
  readonly gatedKind?: readonly string[];
  readonly param?: readonly string[];
}

/** FILE:LINE says which log is meant where nothing else does. */
async function logsFor(
  target: string,
  paths: readonly string[],
  flags: AckFlags,
  settings: Settings,
  io: Io,
): Promise<readonly string[]> {
  const [, file] = /^(.+):\d+$/s.exec(target) ?? [];
  if (file === undefined || realOf(file, io.cwd) === null) return paths;
  return knowsNone(chooseAsked(pathsOf(paths, flags), settings, io.cwd, true), io.cwd) ? [file] : paths;
}

/** Settles one violation of a gate or one line, or with --baseline all lines that are in the way now. */
export async function ack(
  given: string | undefined,
  paths: readonly string[],
  flags: AckFlags,
  context: Context,
): Promise<ExitCode> {
  const { catalogue, settings: settingsOf, io } = context;
  if (given === undefined && !flags.baseline) {
    throw new LakelogError('nothing was named to settle', {
      next: 'give a session_id, a call_id, FILE:LINE, WRITER:FROM-TO or a drift as it is printed, or --baseline for all lines that are in the way now',
    });
  }
  const settings = settingsOf(flags);
  const named = settings.get('acks');
  const file = named ?? DEFAULT_ACKS;
  const said = saidBy(flags, io, io.now());
  // A file that gates cannot read would silence nothing and stop them all.
  const before = existsSync(kernelPath(io.cwd, file)) ? await readAcks(file, io.cwd) : null;
  if (flags.baseline || given === undefined) {
    const all = given === undefined ? paths : [given, ...paths];
    return baseline(
      all,
      flags,
      { file, named, said, entries: before?.entries ?? [] },
      catalogue,
      settings,
      io,
    );
  }
  const target = given.replace(/^ (?=-:)/, '');
  const logs = await logsFor(target, paths, flags, settings, io);
  const inputs = pathsOf(logs, flags);
  const entries = before?.entries ?? [];
  const write = async (meant: readonly Subject[], again: string, { lake, account }: Loaded) => {
    const standing = review(entries, await knownTo(entries, account, lake), io.now()).filter(holds);
    const { lines, already } = parted(linesOf(meant, said, file, io.cwd), standing);
    if (lines.length > 0) await appendAcks(file, lines, io.cwd);
    await io.stdout.write(renderAck(lines, already, file, styleOf(io.stdout, io.env)));
    await io.stderr.write(renderNext([again], styleOf(io.stderr, io.env)));
    return EXIT.clear;
  };
  if (target.startsWith(DRIFT_TARGET)) {
    const queries = decisionQueries(context.packageRoot);
    const again = nextCommand(
      'drift',
      [],
      { inputs, folders: catalogue.folders, acks: named },
      driftOptions(target),
    );
    const asks = { asks: driftAsks(queries) };
    return withLogs(logs, flags, entries, asks, settings, io, async (loaded) =>
      write([await driftAt(target, loaded.lake, queries)], again, loaded),
    );
  }
  const gate = gateNamed(catalogue, flags.gate);
  const chosen = givenOf(gate, settings, flags.param ?? []);
  const params = bindParams(gate, chosen, settings.get('gated_kinds'));
  const roster = asksRoster(gate.sql) ? namedRoster(settings) : null;
  const next = {
    inputs,
    folders: catalogue.folders,
    gatedKinds: params.gatedKinds,
    acks: named,
    roster: rosterFlagsOf(flags),
  };
  const again = nextCommand(gate.name, [], next, asOptions(gate, chosenParams(gate, params)));
  const asks = { asks: [gate.sql], gatedKinds: params.gatedKinds, params: params.columns, roster };
  return withLogs(logs, flags, entries, asks, settings, io, async (loaded) => {
    const meant = await subjectsAt(target, loaded, { gate, given: chosen, again }, io.cwd);
    return write(meant, again, loaded);
  });
}

/** What is still to be settled, and what of it is. @param standing acknowledgements that hold. */
function parted(all: readonly AckLine[], standing: readonly Reviewed[]) {
  const by = (line: AckLine) => standing.find(({ entry }) => settles(entry.ack, line))?.entry;
  return {
    lines: all.filter((line) => by(line) === undefined),
    already: [...new Set(all.flatMap((line) => by(line) ?? []))],
  };
}

/** Whether it settles what that line would, and for as long. */
function settles(ack: AckLine, line: AckLine): boolean {
  if (ack.expires !== line.expires) return false;
  if (ack.what === 'hole' && line.what === 'hole') return openHoles([line], [ack]).length === 0;
  return subjectOf(ack) === subjectOf(line) && valuesOf(ack) === valuesOf(line);
}

/** What a gate has against a call. */
const valuesOf = (ack: AckLine) => (ack.what === 'call' ? String(ack.values) : '');

/** The same drift, as options. */
function driftOptions(target: string): string[] {
  const { metric, selection } = parseDriftTarget(target);
  const filters = Object.entries(selection.values).flatMap(([field, values]) =>
    values.map((value) => `--${field} ${shellWord(value)}`),
  );
  return [...(metric === 'first-shot-rate' ? [] : [`--metric ${metric}`]), ...filters];
}
