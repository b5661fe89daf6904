/** The manual, made of the commands: run by the build (a man page) and by `npm run docs` (a page each). */
import type { Option } from 'commander';
import type { Command } from './commands/command.js';
import { COMMANDS } from './commands/commands.js';
import { EXIT_CODES, PROGRAM_EXAMPLES } from './commands/help.js';
import { questionCommand } from './commands/question-command.js';
import { readCatalogue } from './query/catalogue.js';

/** Questions first, then the other commands, as help lists them. */
function commandsIn(packageRoot: string): readonly Command[] {
  return [...readCatalogue(`${packageRoot}/queries`).map(questionCommand), ...COMMANDS].filter(
    ({ hidden }) => hidden !== true,
  );
}

/** Each with its subcommands behind it: `ack`, `ack list`, … */
function withSubcommands(command: Command, before = ''): readonly { name: string; command: Command }[] {
  const name = `${before}${command.name}`;
  return [
    { name, command },
    ...(command.subcommands ?? []).flatMap((sub) => withSubcommands(sub, `${name} `)),
  ];
}

/** Pages in Markdown by file name. */
export function manualPages(packageRoot: string): Readonly<Record<string, string>> {
  const commands = commandsIn(packageRoot);
  const list = commands.map(({ name, summary }) => `| [\`${name}\`](${name}.md) | ${cell(summary)} |`);
  const index = [
    '# Commands',
    GENERATED,
    ['| command | does |', '| --- | --- |', ...list].join('\n'),
    `Exit codes, the same for every command:\n\n${EXIT_CODES.map(([code, note]) => `- \`${code}\`: ${note}`).join('\n')}`,
  ];
  const pages = commands.map((command) => [
    `${command.name}.md`,
    document([
      `# lakelog ${command.name}`,
      GENERATED,
      ...withSubcommands(command).flatMap(({ name, command: one }) => page(name, one)),
    ]),
  ]);
  return { 'README.md': document(index), ...Object.fromEntries(pages) };
}

const GENERATED = '<!-- Made by `npm run docs` from the commands themselves. -->';
const document = (blocks: readonly string[]) => `${blocks.join('\n\n')}\n`;

function page(name: string, { description, args, notes, examples, options, subcommands }: Command): string[] {
  const usage = ['lakelog', name, '[options]', ...args.map(([argument]) => argument)].join(' ');
  return [
    ...(name.includes(' ') ? [`## lakelog ${name}`] : []),
    prose(description),
    `\`\`\`\n${usage}\n\`\`\``,
    ...(args.length > 0 && args.some(([, note]) => note !== '')
      ? [args.map(([argument, note]) => `- \`${argument}\`: ${prose(note)}`).join('\n')]
      : []),
    ...(notes
      ? [
          `${notes.heading}\n\n${notes.items.map(([item, note]) => `- \`${item}\`: ${prose(note)}`).join('\n')}`,
        ]
      : []),
    ...(subcommands
      ? [subcommands.map(({ name: sub, summary }) => `- \`${sub}\`: ${prose(summary)}`).join('\n')]
      : []),
    ...options().map(({ heading, options: group }) =>
      [
        `| ${cell((heading ?? 'Options').replace(/:$/, ''))} | |`,
        '| --- | --- |',
        ...group
          .filter(({ hidden }) => !hidden)
          .map((option) => `| \`${option.flags.replaceAll('|', '\\|')}\` | ${cell(noteOf(option))} |`),
      ].join('\n'),
    ),
    `\`\`\`sh\n${examples.join('\n')}\n\`\`\``,
  ];
}

/** As help has it. */
function noteOf({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const choices = argChoices ? ` (${argChoices.join(', ')})` : '';
  const usual = defaultValueDescription ?? defaultValue;
  const isTold = usual !== undefined && typeof usual !== 'boolean';
  return `${description}${choices}${isTold ? ` (default: ${usual})` : ''}`;
}

const cell = (text: string) => prose(text).replaceAll('|', '\\|');
/** A name in angle brackets would be a tag. */
const prose = (text: string) => text.replaceAll('<', '&lt;').replaceAll(/([*_])/g, '\\$1');

/** One page for man(1), in the macros of man(7). */
export function manPage(packageRoot: string, version: string): string {
  const commands = commandsIn(packageRoot).flatMap((command) => withSubcommands(command));
  return [
    `.TH LAKELOG 1 "" "lakelog ${roff(version)}" "User Commands"`,
    '.SH NAME',
    'lakelog \\- questions and an alarm over the logs of validate-and-retry loops',
    '.SH SYNOPSIS',
    '.B lakelog',
    roff('COMMAND [options] [paths...]'),
    '.SH DESCRIPTION',
    roff('Loads the logs of validate-and-retry loops with full accounting and answers questions about them.'),
    '.SH COMMANDS',
    ...commands.flatMap(({ name, command }) => manual(name, command)),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([code, note]) => ['.TP', `.B ${code}`, roff(note)]),
    '.SH EXAMPLES',
    ...PROGRAM_EXAMPLES.flatMap((line) => ['.PP', '.nf', roff(line), '.fi']),
    '',
  ].join('\n');
}

function manual(name: string, { description, args, options, notes, examples }: Command): string[] {
  return [
    `.SS "${roff(['lakelog', name, ...args.map(([argument]) => argument)].join(' ')).replaceAll('"', '\\(dq')}"`,
    roff(description),
    ...args.flatMap(([argument, note]) => (note === '' ? [] : ['.TP', `.I ${roff(argument)}`, roff(note)])),
    ...options().flatMap(({ options: group }) =>
      group
        .filter(({ hidden }) => !hidden)
        .flatMap((option) => ['.TP', `.B ${roff(option.flags)}`, roff(noteOf(option))]),
    ),
    ...(notes?.items ?? []).flatMap(([item, note]) => ['.TP', `.I ${roff(item)}`, roff(note)]),
    ...examples.flatMap((line) => ['.PP', '.nf', roff(line), '.fi']),
  ];
}

/** A backslash, a hyphen that is to be copied, what is not ASCII, and a line that would be a request. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(
      /[^\0-\x7f]/gu,
      (char) => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^([.'])/, '\\&$1');
