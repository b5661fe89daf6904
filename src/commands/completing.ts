/** What a word on a command line of lakelog may become. Pure: values of logs come from whoever asks. */
import type { Option } from 'commander';
import type { Command } from './command.js';

export interface Candidate {
  readonly word: string;
  readonly note: string;
}

/** Values that only a lake knows. */
export type LakeValue = 'model' | 'kind' | 'daemon' | 'environment' | 'session_id';

export type Completion =
  | { readonly of: 'words'; readonly words: readonly Candidate[] }
  | { readonly of: 'lake'; readonly value: LakeValue; readonly before: string }
  | { readonly of: 'files' };

const FILES: Completion = { of: 'files' };
const OF_LAKE: Readonly<Record<string, LakeValue>> = {
  '--model': 'model',
  '--kind': 'kind',
  '--gated-kind': 'kind',
  '--daemon': 'daemon',
  '--environment': 'environment',
};
const GLOBAL: readonly Candidate[] = [
  { word: '--queries', note: 'folder of your own questions' },
  { word: '--no-color', note: 'without colours' },
  { word: '--version', note: 'the version number' },
  { word: '--help', note: 'help' },
];

/** A word of a shell, the last perhaps with a quote that is still open. */
const WORD = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$))+/gs;
const QUOTED = /\\(.)|"((?:[^"\\]|\\.)*)"?|'([^']*)'?/gs;

/**
 * What was typed so far, as a shell cuts it into words; nothing in them is evaluated.
 * @returns the words between `lakelog` and the one that is being typed, and that one.
 */
export function wordsOf(line: string): { readonly before: readonly string[]; readonly begun: string } {
  const words = line.match(WORD) ?? [];
  const all = (/(^|[^\\])\s$/.test(line) && !isOpen(words.at(-1)) ? [...words, ''] : words).map(unquoted);
  const command = all.findIndex((word) => !/^\w+=/.test(word));
  return { before: all.slice(command + 1, -1), begun: all.at(-1) ?? '' };
}

/** A blank behind an open quote is of the word. */
const isOpen = (word = '') => word.replace(/\\.|"(?:[^"\\]|\\.)*"|'[^']*'/gs, '').search(/["']/) >= 0;

const unquoted = (word: string) =>
  word.replace(
    QUOTED,
    (_, escaped?: string, double?: string, single?: string) =>
      escaped ?? single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? '',
  );

/** What may stand before the name of a command. */
function withoutGlobals(words: readonly string[]): readonly string[] {
  const [first] = words;
  if (first === '--queries') return withoutGlobals(words.slice(2));
  return first === '--no-color' || first?.startsWith('--queries=') ? withoutGlobals(words.slice(1)) : words;
}

/**
 * @param words what stands between `lakelog` and the word that is being typed.
 * @param begun that word, perhaps empty.
 */
export function completionOf(
  words: readonly string[],
  begun: string,
  commands: readonly Command[],
): Completion {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  if (words.at(-1) === '--queries') return FILES;
  const [name, ...behind] = withoutGlobals(words);
  if (name === undefined)
    return ofWords(begun.startsWith('-') ? GLOBAL : [...namesOf(shown), { word: 'help', note: 'help' }]);
  if (name === 'help') return ofWords(namesOf(shown));
  const top = shown.find((command) => command.name === name);
  if (top === undefined) return FILES;
  const sub = top.subcommands?.find((command) => command.name === behind[0]);
  const command = sub ?? top;
  const given = sub ? behind.slice(1) : behind;
  const options = command.options().flatMap((group) => group.options);
  const [, flag, value] = /^(--[\w-]+)=(.*)$/s.exec(begun) ?? [];
  if (flag !== undefined && value !== undefined) return argumentOf(flag, options, shown, `${flag}=`);
  const before = options.find((option) => takesValue(option) && isNamed(option, given.at(-1)));
  if (before) return argumentOf(before.long!, options, shown, '');
  if (begun.startsWith('-')) return ofWords(optionsOf(options));
  return positionalOf(command, given, options, shown);
}

function positionalOf(
  command: Command,
  given: readonly string[],
  options: readonly Option[],
  shown: readonly Command[],
): Completion {
  const isFirst = given.every((word, i) => word.startsWith('-') || isValue(options, given[i - 1]));
  if (isFirst && command.subcommands) return ofWords(namesOf(command.subcommands));
  if (isFirst && command.name === 'show' && command.args[0]?.[0] === '<id>')
    return { of: 'lake', value: 'session_id', before: '' };
  if (isFirst && command.args[0]?.[0] === '<name>') return ofWords(namesOf(shown));
  if (isFirst && command.args[0]?.[0] === '[shell]')
    return ofWords(SHELLS.map((word) => ({ word, note: '' })));
  return FILES;
}

export const SHELLS = ['bash', 'zsh', 'fish', 'pwsh'] as const;

function argumentOf(
  flag: string,
  options: readonly Option[],
  shown: readonly Command[],
  before: string,
): Completion {
  const option = options.find(({ long }) => long === flag);
  const lake = OF_LAKE[flag];
  if (lake) return { of: 'lake', value: lake, before };
  if (flag === '--gate') return ofWords(namesOf(shown), before);
  const choices = option?.argChoices ?? setOf(option);
  return choices
    ? ofWords(
        choices.map((word) => ({ word, note: '' })),
        before,
      )
    : FILES;
}

/** `model, provider, kind: what to group by`, as options of questions say it. */
function setOf(option: Option | undefined): string[] | undefined {
  const [, list] = /^([a-z_]+(?:, [a-z_]+)+):/.exec(option?.description ?? '') ?? [];
  return list?.split(', ');
}

const ofWords = (words: readonly Candidate[], before = ''): Completion => ({
  of: 'words',
  words: words.map(({ word, note }) => ({ word: before + word, note })),
});
const namesOf = (commands: readonly Command[]): Candidate[] =>
  commands.map(({ name, summary }) => ({ word: name, note: summary }));
const optionsOf = (options: readonly Option[]): Candidate[] => [
  ...options.flatMap(({ long, description, hidden }) =>
    long && !hidden ? [{ word: long, note: description }] : [],
  ),
  { word: '--help', note: 'help' },
];
const takesValue = ({ required, optional }: Option) => required || optional;
const isNamed = ({ long, short }: Option, word: string | undefined) =>
  word !== undefined && (word === long || word === short);
const isValue = (options: readonly Option[], word: string | undefined) =>
  options.some((option) => takesValue(option) && isNamed(option, word));
