/** What stands below the options in every help: columns of a question, examples, exit codes. */
import { hanging } from '../render/paragraph.js';
import type { Command } from './command.js';

const WIDEST = 100;

/** Longer lines are tiring to read. */
export const helpWidth = (columns: number | undefined): number => Math.min(columns ?? WIDEST, WIDEST);

export const PROGRAM_EXAMPLES = [
  'lakelog alarm sessions.jsonl',
  'lakelog first-shot-rate logs/ --by model --since 7d',
];

export const EXIT_CODES = [
  ['0', 'clear / done'],
  ['1', 'a gate fired'],
  ['2', 'usage, configuration or internal error'],
  [
    '3',
    'cannot vouch: an input is missing, unreadable or empty, nothing was judged, a line was rejected, a stamp is missing, …',
  ],
] as const;

export function helpText({ notes, examples }: Pick<Command, 'notes' | 'examples'>, width: number): string {
  const blocks = [
    ...(notes === undefined ? [] : [[notes.heading, ...items(notes.items, width)]]),
    // Whole, so that they can be copied.
    ['Examples:', ...examples.map((line) => `  ${line}`)],
    ['Exit codes, the same for every command:', ...items(EXIT_CODES, width)],
  ];
  return blocks.map((lines) => `\n${lines.join('\n')}`).join('\n');
}

function items(all: readonly (readonly [string, string])[], width: number): string[] {
  const names = Math.max(...all.map(([name]) => name.length));
  const indent = ' '.repeat(names + 4);
  return all.flatMap(([name, note]) => {
    // The head is no word that could end a line.
    const [first = '', ...rest] = hanging(note, '', Math.max(width - indent.length, 20));
    return [`  ${name.padEnd(names)}  ${first}`.trimEnd(), ...rest.map((line) => indent + line)];
  });
}
