import { existsSync } from 'node:fs';
import { LakelogError, shellWord } from '../errors.js';
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
import { EXIT, type ExitCode } from '../schema/result.js';
import { baseline } from './ack-baseline.js';
import { driftAsks, driftAt } from './ack-drift.js';
import { type SaidFlags, saidBy } from './ack-said.js';
import { linesOf, realOf, type Subject, subjectsAt } from './ack-target.js';
import { type LogFlags, withLogs } from './acks.js';
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
  const write = async (meant: readonly Subject[], again: string) => {
    const lines = linesOf(meant, said, file, io.cwd);
    await appendAcks(file, lines, io.cwd);
    await io.stdout.write(renderAck(lines, file, styleOf(io.stdout, io.env)));
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
    return withLogs(logs, flags, { asks: driftAsks(queries) }, settings, io, async ({ lake }) =>
      write([await driftAt(target, lake, queries)], again),
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
  return withLogs(logs, flags, asks, settings, io, async ({ lake, account }) => {
    const meant = await subjectsAt(target, { lake, account }, { gate, given: chosen, again }, io.cwd);
    return write(meant, again);
  });
}

/** The same drift, as options. */
function driftOptions(target: string): string[] {
  const { metric, selection } = parseDriftTarget(target);
  const filters = Object.entries(selection.values).flatMap(([field, values]) =>
    values.map((value) => `--${field} ${shellWord(value)}`),
  );
  return [...(metric === 'first-shot-rate' ? [] : [`--metric ${metric}`]), ...filters];
}
