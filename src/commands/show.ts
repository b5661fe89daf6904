import { existsSync } from 'node:fs';
import path from 'node:path';
import { LakelogError, shellWord } from '../errors.js';
import { NOTHING_KNOWN, settle } from '../gate/acks.js';
import { judge } from '../gate/judge.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import { styleOf } from '../io.js';
import { MATCHES_ACKS, NO_FILTERS } from '../lake/lake.js';
import { type AckFile, readAcks } from '../query/acks.js';
import type { Catalogue } from '../query/catalogue.js';
import type { Query } from '../query/header.js';
import { openAnyLake } from '../query/open.js';
import { namedRoster, type RosterFlags } from '../query/roster.js';
import { DEFAULT_GATED_KINDS } from '../query/settings.js';
import { chooseAsked, type GivenPaths, namingDefaults } from '../query/sources.js';
import { storySql, TRACE_SQL, tellStory, traceOf, traceUrl } from '../query/story.js';
import { renderFindings, renderNext, renderStory, renderStoryJson } from '../render/index.js';
import type { LoadedCall } from '../schema/account.js';
import type { ExitCode } from '../schema/result.js';
import type { Story, StoryCall } from '../schema/story.js';
import type { Context as CommandContext } from './command.js';
import { inputEvidence } from './evidence.js';
import { allViolations, paramsOf } from './gates.js';
import { type Context, nextCommand, rosterFlagsOf } from './next.js';
import { asArguments, type LogFlag, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { progressOn } from './terminal.js';

export interface ShowFlags extends RosterFlags, Pick<ReadFlags, LogFlag | 'showContent'> {
  readonly gatedKind?: readonly string[];
  readonly traceUrl?: string;
  readonly acks?: string;
  readonly param?: readonly string[];
  readonly json?: true;
}

/** The story of one trace, found by the beginning of its id or of a call's. */
export async function show(
  id: string,
  paths: readonly string[],
  flags: ShowFlags,
  { catalogue, settings: settingsOf, io }: CommandContext,
): Promise<ExitCode> {
  const inputs = pathsOf(paths, flags);
  const template = flags.traceUrl ?? io.env.LAKELOG_TRACE_URL;
  traceUrl(template, '');
  const settings = settingsOf(flags);
  const sources = chooseAsked(inputs, settings, io.cwd, true);
  const named = settings.get('gated_kinds');
  const gatedKinds = named ?? DEFAULT_GATED_KINDS;
  const progress = progressOn(io);
  const options = runOptionsOf(flags, settings, NO_FILTERS, io, progress.report);
  const acks = await readAcks(options.acks, io.cwd);
  const roster = namedRoster(settings);
  const gates = catalogue.queries.filter((query) => query.gate !== null);
  const lake = await openAnyLake({
    ...options,
    ...(acks === null ? {} : MATCHES_ACKS),
    asks: [...TRACE_SQL, ...gates.map((gate) => gate.sql)],
    asksOfTrace: storySql(options.showContent),
    gatedKinds,
    params: {},
    roster,
  });
  try {
    const account = namingDefaults(await lake.load(sources.requests), sources);
    await progress.end();
    const empty = account.callsLoaded + account.replayRunsLoaded === 0;
    const forgotten = isLog(id, io.cwd) ? forgottenId(id, inputs) : null;
    // Without its id the command read another place than was meant, which is no news.
    if (empty && forgotten !== null) throw forgotten;
    const verdict = judge(inputEvidence(account, inputs, options.now), LENIENT_INPUT_RULES);
    await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
    if (empty) return verdict.exit_code;
    const trace = await traceOf(lake, id, () => forgotten ?? unknownId(id, inputs));
    const calls = await lake.calls({ beginning: trace });
    const story = await tellStory(await lake.traced(trace), trace, {
      showContent: options.showContent,
      traceUrl: traceUrl(template, trace),
      keys: new Map(calls.map(({ file, line, call_key }) => [`${file}:${line}`, call_key])),
      violations: await allViolations(lake, gates, settings, flags.param ?? []),
      acknowledged: acknowledgedOf(calls, gates, acks, options.now),
    });
    const style = styleOf(io.stdout, io.env);
    const hyperlinks = io.stdout.isTTY && io.env.TERM !== 'dumb';
    await io.stdout.write(flags.json ? renderStoryJson(story) : renderStory(story, { ...style, hyperlinks }));
    const context = {
      inputs,
      folders: catalogue.folders,
      gatedKinds: named,
      acks: options.acks,
      roster: rosterFlagsOf(flags),
    };
    await io.stderr.write(
      renderNext(nextSteps(story, catalogue, context, flags.param ?? []), styleOf(io.stderr, io.env)),
    );
    return verdict.exit_code;
  } finally {
    await progress.end();
    lake.close();
  }
}

const isLog = (id: string, cwd: string) => id === '-' || (id !== '' && existsSync(path.resolve(cwd, id)));

function unknownId(id: string, inputs: GivenPaths): LakelogError {
  return new LakelogError(`no loaded call, trace or replay run begins with ${JSON.stringify(id)}`, {
    next: `check the ID and the inputs; a line that could not be loaded has none: lakelog validate${asArguments(inputs)}`,
  });
}

/** The first argument is a log. */
function forgottenId(log: string, inputs: GivenPaths): LakelogError {
  const what = log === '-' ? 'stdin' : 'a file or folder';
  const all = asArguments({ ...inputs, paths: [log, ...inputs.paths] });
  return new LakelogError(`the first argument is the id, and ${JSON.stringify(log)} is ${what}`, {
    next: `name a session_id or call_id before the logs: lakelog show ID${all}`,
  });
}

function acknowledgedOf(
  calls: readonly LoadedCall[],
  gates: readonly Query[],
  acks: AckFile | null,
  now: Date,
): Map<string, StoryCall['acknowledged'][number][]> {
  const found = new Map<string, StoryCall['acknowledged'][number][]>();
  if (acks === null) return found;
  for (const gate of gates) {
    const settled = settle(acks.entries, gate.name, { ...NOTHING_KNOWN, calls }, now, acks.file);
    for (const [place, { author, at, expires, reason }] of settled.calls) {
      found.set(place, [...(found.get(place) ?? []), { gate: gate.name, author, at, expires, reason }]);
    }
  }
  return found;
}

/** A violation that nobody has settled yet leads to the command that settles it. */
function nextSteps(
  story: Story,
  { queries, usualGate }: Catalogue,
  context: Context,
  params: readonly string[],
): readonly string[] {
  return story.events.flatMap((event) => {
    if (event.event !== 'call') return [];
    const open = event.violations.filter(
      ({ gate }) => !event.acknowledged.some((settled) => settled.gate === gate),
    );
    return [...new Set(open.map(({ gate }) => gate))].map((name) => {
      const gate = queries.find((query) => query.name === name)!;
      const named = name === usualGate?.name ? [] : [`--gate ${shellWord(name)}`];
      const own = ['--reason "…"', ...named];
      return nextCommand('ack', [event.call_key], { ...context, params: paramsOf(gate, params) }, own);
    });
  });
}
