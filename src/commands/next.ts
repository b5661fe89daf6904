import { shellWord } from '../errors.js';
import type { Query } from '../query/header.js';
import { type BoundParams, bindParams, optionName } from '../query/params.js';
import type { RosterFlags } from '../query/roster.js';
import { DEFAULT_GATED_KINDS } from '../query/settings.js';
import type { GivenPaths } from '../query/sources.js';

/** What the next command needs to see the same as this one. */
export interface Context {
  readonly inputs: GivenPaths;
  /** Folders of --queries, as they were given. */
  readonly folders: readonly string[];
  readonly gatedKinds?: readonly string[] | undefined;
  readonly acks?: string | undefined;
  /** As the command line had it: environment and policy hold for the next command by themselves. */
  readonly roster?: RosterFlags | undefined;
  /** `name=value` of parameters of gates. */
  readonly params?: readonly string[] | undefined;
}

/**
 * A command line that can be pasted as it stands.
 * @param own options of the command, already as words of a shell.
 */
export function nextCommand(
  verb: string,
  ids: readonly string[],
  context: Context,
  own: readonly string[] = [],
): string {
  const { inputs, folders, gatedKinds = DEFAULT_GATED_KINDS, acks, roster = {}, params = [] } = context;
  const kinds = gatedKinds.join() === DEFAULT_GATED_KINDS.join() ? [] : gatedKinds;
  const options = [
    ...inputs.sessions.map((path) => `--sessions ${shellWord(path)}`),
    ...inputs.replayRuns.map((path) => `--replay-runs ${shellWord(path)}`),
    ...(inputs.lake === undefined ? [] : [`--lake ${shellWord(inputs.lake)}`]),
    ...kinds.map((kind) => `--gated-kind ${shellWord(kind)}`),
    ...params.map((param) => `-p ${shellWord(param)}`),
    ...(acks === undefined ? [] : [`--acks ${shellWord(acks)}`]),
    ...rosterWords(roster),
    ...folders.map((folder) => `--queries ${shellWord(folder)}`),
  ];
  const words = [...ids, ...inputs.paths];
  // Whatever begins with a hyphen is an option to a parser that was not told better.
  const dashed = words.some((word) => word.startsWith('-') && word !== '-');
  const parts = dashed
    ? [...own, ...options, '--', ...words.map(shellWord)]
    : [...ids.map(shellWord), ...own, ...inputs.paths.map(shellWord), ...options];
  return ['lakelog', verb, ...parts].join(' ');
}

export function rosterFlagsOf({ roster, rosterColumn, rosterActiveColumn }: RosterFlags): RosterFlags {
  return {
    ...(roster === undefined ? {} : { roster }),
    ...(rosterColumn === undefined ? {} : { rosterColumn }),
    ...(rosterActiveColumn === undefined ? {} : { rosterActiveColumn }),
  };
}

function rosterWords({ roster, rosterColumn, rosterActiveColumn }: RosterFlags): string[] {
  return Object.entries({
    '--roster': roster,
    '--roster-column': rosterColumn,
    '--roster-active-column': rosterActiveColumn,
  }).flatMap(([option, value]) => (value === undefined ? [] : [`${option} ${shellWord(value)}`]));
}

/** Of an acknowledgement, for its author to fill in. */
export const REASON: readonly string[] = ['--reason "…"'];

/** `name=value` of the parameters that are not at their default; kinds travel as --gated-kind. */
export function chosenParams(query: Query, { meant }: BoundParams): string[] {
  const usual = bindParams(query, {}).meant;
  return query.params
    .filter(
      ({ of, name }) => of.type !== 'kinds' && JSON.stringify(meant[name]) !== JSON.stringify(usual[name]),
    )
    .map(({ name }) => `${name}=${[meant[name]].flat().join(',')}`);
}

/** The same as options of the question's own subcommand. */
export function asOptions(query: Query, params: readonly string[]): string[] {
  return params.map((one) => {
    const name = one.slice(0, one.indexOf('='));
    const param = query.params.find((candidate) => candidate.name === name)!;
    return param.of.type === 'flag'
      ? optionName(param)
      : `${optionName(param)} ${shellWord(one.slice(name.length + 1))}`;
  });
}
