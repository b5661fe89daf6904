import { InvalidArgumentError, Option } from 'commander';
import { LakelogError, shellWord } from '../errors.js';
import { AGE_FORMS, parseAge } from '../instant.js';
import type { Io } from '../io.js';
import type { Filters } from '../lake/lake.js';
import type { RunOptions } from '../query/run.js';
import type { Settings } from '../query/settings.js';
import type { GivenPaths } from '../query/sources.js';
import type { Format, TextFormat } from '../render/index.js';
import { SETTINGS, type SettingKey } from '../schema/policy.js';

/** Options as commander hands them over, for every command that reads logs. */
export interface ReadFlags {
  readonly sessions?: readonly string[];
  readonly replayRuns?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly tz?: string;
  readonly model?: readonly string[];
  readonly kind?: readonly string[];
  readonly daemon?: readonly string[];
  readonly environment?: readonly string[];
  readonly showContent?: true;
  readonly maxLineBytes: number;
  readonly pendingGrace: number;
  readonly rotationGrace: number;
  readonly lake?: string;
  /** False where the logs are not to be looked at. */
  readonly sync?: boolean;
  readonly keepContent?: true;
  readonly lockTimeout?: number;
  readonly rebuild?: true;
}

export interface OutputFlags {
  readonly format?: TextFormat;
  readonly json?: true;
  readonly output?: readonly string[];
  readonly chart?: true;
}

const collect = (value: string, before: readonly string[] = []) => [...before, value];

/** What holds where the option is not given. */
export function usually(key: SettingKey): string {
  const { env, usual } = SETTINGS.find((row) => row.key === key)!;
  return `(default: ${env}, ${key} of lakelog.toml${usual === 'none' ? '' : `, ${usual}`})`;
}

export function repeatable(flags: string, note: string): Option {
  return new Option(flags, note).argParser(collect);
}

/** Its value is in seconds; a bare 0 is the same in every unit. */
export function durationOption(
  flags: string,
  note: string,
  usual: string,
  [least, most] = ['0', ''],
): Option {
  const seconds = (text: string) => (text === '0' ? 0 : (parseAge(text) ?? Number.NaN)) / 1_000;
  const parse = (text: string) => {
    const value = seconds(text);
    if (Number.isNaN(value)) throw new InvalidArgumentError(`It takes a duration: ${AGE_FORMS}.`);
    if (value >= seconds(least) && (most === '' || value <= seconds(most))) return value;
    throw new InvalidArgumentError(`It takes a duration from ${least} to ${most}.`);
  };
  return new Option(flags, note).argParser(parse).default(parse(usual), usual);
}

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < min || number > max) {
      const upTo = max === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${max}`;
      throw new InvalidArgumentError(`It takes a whole number of at least ${min}${upTo}.`);
    }
    return number;
  };
}

/** Options under one heading of the help; under the usual one where it has none. */
export interface OptionGroup {
  readonly heading: string | null;
  readonly options: readonly Option[];
}

export type Argument = readonly [name: string, note: string];

export const PATHS: Argument = [
  '[paths...]',
  'log files, folders, globs or - (stdin); each line says itself what it is',
];

const inputOptions = (): OptionGroup => ({
  heading: 'Inputs:',
  options: [
    repeatable('--sessions <path>', 'file, folder or glob that holds session records only (repeatable)'),
    repeatable('--replay-runs <path>', 'file, folder or glob that holds replay runs only (repeatable)'),
    new Option('--max-line-bytes <bytes>', 'longer lines are rejects')
      .argParser(wholeNumber(512, 256 << 20))
      .default(16_777_216),
    durationOption(
      '--pending-grace <duration>',
      'how long an unfinished last line may wait for its end',
      '60s',
    ),
    durationOption(
      '--rotation-grace <duration>',
      'how long a rotated log may stand empty beside others',
      '1h',
    ),
  ],
});

const lakeOptions = (): OptionGroup => ({
  heading: 'Lake:',
  options: [
    new Option(
      '--lake <path>',
      `keep what was read in this file, and read only what is new; a folder, or a path that ends with /, is a lake of Parquet that many hosts fill, and trino://HOST/CATALOG/SCHEMA a Trino that reads such a folder ${usually('lake')}`,
    ),
    new Option('--no-sync', 'answer from the lake without a look at the logs'),
    new Option('--keep-content', 'a lake that is made now keeps prompts and artifacts too'),
    durationOption('--lock-timeout <duration>', 'how long to wait for another run on the lake', '10s'),
  ],
});

/** Of who only looks into a lake. */
export const ofOneLake = (): readonly Option[] =>
  lakeOptions().options.filter(({ long }) => long === '--lake' || long === '--lock-timeout');

/** Where lines come from. */
export const logOptions = (): readonly OptionGroup[] => [inputOptions(), lakeOptions()];

export const acksOption = (what: string): Option => new Option('--acks <file>', `${what} ${usually('acks')}`);

export const gatedKindOption = (): Option =>
  repeatable(
    '--gated-kind <kind>',
    `kinds whose accepted calls must be grounded; replaces the default ${usually('gated_kinds')}`,
  );

export const rosterOptions = (): Option[] => [
  new Option(
    '--roster <path>',
    `check the stamps against this roster, or a folder of them by hash ${usually('roster')}`,
  ),
  new Option('--roster-column <name>', `its column of worker ids ${usually('roster_column')}`),
  new Option(
    '--roster-active-column <name>',
    `its column that says who is active; "" = there is none ${usually('roster_active_column')}`,
  ),
];

/** @param own what only some gates take. */
export const gateOptions = (own: readonly Option[] = []): OptionGroup => ({
  heading: 'Gate:',
  options: [
    ...own,
    new Option('--min-judged <n>', `cannot vouch with fewer judged calls ${usually('min_judged')}`).argParser(
      wholeNumber(0),
    ),
    new Option(
      '--max-rejects <n>',
      `rejects and conflicts that do not keep the gate from vouching ${usually('max_rejects')}`,
    ).argParser(wholeNumber(0)),
    acksOption('acknowledgements'),
    ...rosterOptions(),
    new Option(
      '--max-age <duration>',
      `cannot vouch when the newest call it judges by is older, e.g. 36h ${usually('max_age')}`,
    ),
    new Option(
      '--expect <file>',
      `TOML that names daemons and writers that must be heard of, each within an age of its own or --max-age ${usually('expect')}`,
    ),
    new Option('-q, --quiet', 'print nothing on exit 0'),
    new Option('--on-change', 'with a lake: print only what differs from the run before'),
  ],
});

/** Engines that lakelog writes SQL for. */
export const dialectOption = (): Option =>
  new Option('--dialect <engine>', 'for this engine').choices(['trino', 'clickhouse', 'spark', 'duckdb']);

/** Of a question that is no gate; what a gate found is never cut. */
export const limitOption = (): Option =>
  new Option(
    '--limit <n>',
    'no more rows than this (default: 10000 on a terminal, all of them in files and pipes)',
  ).argParser(wholeNumber(1));

export const chartOption = (): Option =>
  new Option('--chart', 'draw the rates below the table, with their intervals').conflicts(['json', 'format']);

/** No record is without one: what is empty is a variable of the shell that nobody set. */
const named = (what: string) => (value: string, before?: readonly string[]) => {
  if (value.trim() === '') throw new InvalidArgumentError(`It takes the name of a ${what}.`);
  return collect(value, before);
};

export const filterOptions = (): OptionGroup => ({
  heading: 'Filters:',
  options: [
    new Option(
      '--since <time>',
      'only calls from this time on: a date, RFC 3339, or a duration before now: 90s, 26h, 7d',
    ),
    new Option('--until <time>', 'only calls before this time'),
    new Option('--tz <zone>', `time zone of dates and of hour, day, week and month ${usually('tz')}`),
    repeatable('--model <name>', 'only calls of this model (repeatable, as the next three)').argParser(
      named('model'),
    ),
    repeatable('--kind <name>', 'only calls of this kind').argParser(named('kind')),
    repeatable('--daemon <name>', 'only calls of this daemon'),
    repeatable('--environment <name>', 'only calls of this environment'),
    new Option('--show-content', 'load prompts and artifacts too, which may hold personal data'),
  ],
});

export const outputOptions = (names: readonly Format[]): OptionGroup => ({
  heading: 'Output:',
  options: [
    new Option('--format <format>', 'how to print the rows').choices([...names]),
    new Option('--json', 'the same as --format json').conflicts('format'),
    repeatable(
      '-o, --output <file>',
      'write them to a file too, in the format of its extension (repeatable)',
    ),
  ],
});

export function formatOf<F extends Format = TextFormat>(flags: {
  readonly json?: true;
  readonly format?: F;
}): F | 'json' | 'table' {
  return flags.json ? 'json' : (flags.format ?? 'table');
}

export function pathsOf(
  paths: readonly string[],
  flags: Pick<ReadFlags, 'sessions' | 'replayRuns' | 'lake'>,
): GivenPaths {
  const { sessions = [], replayRuns = [], lake } = flags;
  return { paths, sessions, replayRuns, ...(lake === undefined ? {} : { lake }) };
}

export function filtersOf(flags: ReadFlags, settings: Settings): Filters {
  const { since, until, model = [], kind = [], daemon = [], environment = [] } = flags;
  return { since, until, tz: settings.get('tz'), model, kind, daemon, environment };
}

/** @throws LakelogError (exit 2) for options of a lake where none is named. */
export function runOptionsOf(
  flags: Pick<ReadFlags, 'showContent' | 'maxLineBytes' | 'pendingGrace' | 'rotationGrace' | LakeFlag>,
  settings: Settings,
  filters: Filters,
  io: Io,
  onProgress: RunOptions['onProgress'],
): RunOptions {
  return {
    filters,
    showContent: flags.showContent === true,
    maxLineBytes: flags.maxLineBytes,
    pendingGraceS: flags.pendingGrace,
    rotationGraceS: flags.rotationGrace,
    cwd: io.cwd,
    env: io.env,
    now: io.now(),
    stdin: io.stdin,
    onProgress,
    acks: settings.get('acks'),
    lake: lakeOf(flags, settings),
  };
}

/** Flags of every command that reads logs. */
export type LogFlag =
  | 'sessions'
  | 'replayRuns'
  | 'maxLineBytes'
  | 'pendingGrace'
  | 'rotationGrace'
  | LakeFlag;

export type LakeFlag = 'lake' | 'sync' | 'keepContent' | 'lockTimeout' | 'rebuild';

function lakeOf(flags: Pick<ReadFlags, LakeFlag>, settings: Settings): RunOptions['lake'] {
  const name = settings.get('lake');
  const { sync = true, keepContent = false, rebuild = false, lockTimeout = 10 } = flags;
  if (name !== undefined) return { name, sync, keepContent, rebuild, lockTimeoutS: lockTimeout };
  const needy = !sync ? '--no-sync' : keepContent ? '--keep-content' : rebuild ? '--rebuild' : null;
  if (needy === null) return undefined;
  throw new LakelogError(`${needy} is about a lake, and none is named`, { next: 'name it: --lake FILE' });
}

/** The named inputs as they would stand on a command line, with a leading space; empty for the defaults. */
export function asArguments(given: GivenPaths): string {
  return [
    ...given.paths.map(shellWord),
    ...given.sessions.map((path) => `--sessions ${shellWord(path)}`),
    ...given.replayRuns.map((path) => `--replay-runs ${shellWord(path)}`),
    ...(given.lake === undefined ? [] : [`--lake ${shellWord(given.lake)}`]),
  ]
    .map((argument) => ` ${argument}`)
    .join('');
}
