import path from 'node:path';
import { CommanderError, Command as Parser } from 'commander';
import type { Command, Context } from './commands/command.js';
import { COMMANDS } from './commands/commands.js';
import { ensureOwnNames, questionCommand } from './commands/question-command.js';
import { LakelogError } from './errors.js';
import { type Io, styleOf } from './io.js';
import { type Catalogue, loadCatalogue } from './query/catalogue.js';
import { inAscii } from './render/ascii.js';
import { sanitize } from './render/sanitize.js';
import { wrap } from './render/wrap.js';
import { EXIT, type ExitCode } from './schema/result.js';
import { version } from './version.js';

const EXIT_CODES = `
Exit codes, the same for every command:
  0  clear / done   1  a gate fired   2  usage, configuration or internal error
  3  cannot vouch: an input is missing, unreadable or empty, nothing was judged,
     a line was rejected, a stamp is missing, …`;

/**
 * Parses the arguments, runs the command, and returns its exit code.
 * @param box where `query` runs its SQL.
 */
export async function runProgram(
  given: readonly string[],
  packageRoot: string,
  io: Io,
  box: Context['box'],
): Promise<ExitCode> {
  // Before anything is parsed: each of their files is a subcommand.
  const { argv, folders } = takeQueryFolders(given);
  const taken = [...COMMANDS.map(({ name }) => name), 'help'];
  const catalogue = loadCatalogue(path.join(packageRoot, 'queries'), folders, taken, io.cwd, ensureOwnNames);
  await tellBroken(catalogue, argv, io);
  const commands = [...catalogue.queries.map(questionCommand), ...COMMANDS];
  ensureHelpTopic(argv, commands);

  let outcome: ExitCode = EXIT.clear;
  const writes: Promise<void>[] = [];
  const program = parserOf(io, writes);
  for (const command of commands) {
    addTo(program, command, argv.includes(command.name), async (chosen, args, flags) => {
      outcome = await chosen.run(args as never, flags as never, { catalogue, packageRoot, box, io });
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return outcome;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander's own exit code for a usage error is 1, which here only a fired gate may use.
    if (error.exitCode === 0) return EXIT.clear;
    // `lakelog help alarm` is asked for; plain `lakelog` is not.
    if (error.code === 'commander.help' && argv[0] === 'help') return EXIT.clear;
    if (error.code === 'commander.help')
      await io.stderr.write(readable('→ next: lakelog alarm --help\n', io));
    return EXIT.error;
  } finally {
    await Promise.all(writes);
  }
}

function readable(text: string, { stderr, env }: Io): string {
  return styleOf(stderr, env).ascii ? inAscii(text) : text;
}

/** Lines at word ends; what explains a word before it hangs in a column of its own. */
function wrapHelp(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const head = /^ +\S+ {2,}/.exec(line)?.[0] ?? '';
      const indent = ' '.repeat(head.length);
      const lines = wrap(line.slice(head.length), Math.max(width - head.length, 20));
      return lines.map((part, i) => (i === 0 ? head : indent) + part);
    })
    .join('\n');
}

function parserOf(io: Io, writes: Promise<void>[]): Parser {
  return new Parser('lakelog')
    .description(
      'Loads the logs of validate-and-retry loops with full accounting and answers questions about them.',
    )
    .version(version, '-V, --version')
    .option('--queries <dir>', 'folder of your own questions, each .sql file a subcommand (repeatable)')
    .option('--no-color', 'without colours, as NO_COLOR=1 has it')
    .helpCommand('help [command]', 'display help for a command')
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('→ next: lakelog --help')
    .configureHelp({ subcommandTerm: (command) => command.name(), boxWrap: wrapHelp })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void writes.push(io.stdout.write(readable(text, io))),
      // commander quotes arguments as they came.
      writeErr: (text) =>
        void writes.push(io.stderr.write(readable(text.split('\n').map(sanitize).join('\n'), io))),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

/** @param asked whether it is the command that will run, and needs its options. */
function addTo(
  program: Parser,
  command: Command,
  asked: boolean,
  run: (command: Command, args: readonly unknown[], flags: object) => Promise<void>,
): void {
  const parser = program
    .command(command.name)
    .summary(command.summary)
    .showHelpAfterError(`→ next: lakelog ${command.name} --help`)
    .addHelpText('after', EXIT_CODES);
  if (asked) setUp(parser, command, run);
}

function setUp(parser: Parser, command: Command, run: Parameters<typeof addTo>[3]): void {
  parser.description(command.description);
  for (const [name, note] of command.args) parser.argument(name, note);
  for (const { heading, options } of command.options()) {
    if (heading !== null) parser.optionsGroup(heading);
    for (const option of options) parser.addOption(option);
  }
  parser.action((...given: unknown[]) => run(command, given.slice(0, -2), given.at(-2) as object));
  for (const sub of command.subcommands ?? []) setUp(parser.command(sub.name), sub, run);
}

/** A broken question breaks itself alone, whoever asks for another hears of it. */
async function tellBroken({ broken }: Catalogue, argv: readonly string[], io: Io): Promise<void> {
  if (broken.length === 0) return;
  const [command, topic, name] = argv;
  const asked =
    command === 'help' ? (topic ?? command) : command === 'queries' && topic === 'show' ? name : command;
  const needed = broken.find((one) => one.name === asked);
  if (needed) throw needed.error;
  const { renderFindings } = await import('./render/index.js');
  const notices = broken.map(({ error: { message, where, next } }) => ({
    code: 'broken_query',
    message: `this question is left out: ${message}`,
    ...(where === undefined ? {} : { where }),
    ...(next === undefined ? {} : { next }),
  }));
  const verdict = { status: 'clear', exit_code: EXIT.clear, fired: [], cannot_vouch: [], notices } as const;
  await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
}

function ensureHelpTopic([command, topic]: readonly string[], commands: readonly Command[]): void {
  if (command !== 'help' || topic === undefined || commands.some(({ name }) => name === topic)) return;
  throw new LakelogError(`unknown command '${topic}'`, { next: 'lakelog --help' });
}

/** Takes `--queries DIR` out of the arguments, wherever it stands. */
function takeQueryFolders(given: readonly string[]): { argv: string[]; folders: string[] } {
  const argv: string[] = [];
  const folders: string[] = [];
  for (let i = 0; i < given.length; i++) {
    const one = given[i]!;
    if (one === '--') return { argv: [...argv, ...given.slice(i)], folders };
    if (one === '--queries') {
      const folder = given[++i];
      if (folder === undefined) throw new LakelogError('--queries names no folder', { next: 'give it one' });
      folders.push(folder);
    } else if (one.startsWith('--queries=')) folders.push(one.slice('--queries='.length));
    // SQL that begins with a comment is no option, nor is a line of the standard input.
    else argv.push(/^--\s|^-:\d+$/.test(one) ? ` ${one}` : one);
  }
  return { argv, folders };
}
