import path from 'node:path';
import { CommanderError, Option, Command as Parser } from 'commander';
import type { Command, Context } from './commands/command.js';
import { COMMANDS } from './commands/commands.js';
import { helpText, helpWidth, PROGRAM_EXAMPLES } from './commands/help.js';
import { ensureOwnNames, questionCommand } from './commands/question-command.js';
import { LakelogError } from './errors.js';
import { type Io, styleOf } from './io.js';
import { type Catalogue, loadCatalogue } from './query/catalogue.js';
import { NO_POLICY, readPolicy } from './query/policy.js';
import { foldersOf, Settings } from './query/settings.js';
import { inAscii } from './render/ascii.js';
import { EXIT, type ExitCode } from './schema/result.js';
import { version } from './version.js';

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
  let code: ExitCode = EXIT.error;
  let hasRun = false;
  try {
    code = await runArguments(given, packageRoot, io, box, () => {
      hasRun = true;
    });
    return code;
  } finally {
    if (code === EXIT.error && given.some((one) => one.endsWith('prom'))) {
      await (await import('./commands/monitoring.js')).tellMonitoring(given, hasRun, io);
    }
  }
}

async function runArguments(
  given: readonly string[],
  packageRoot: string,
  io: Io,
  box: Context['box'],
  onRan: () => void,
): Promise<ExitCode> {
  // Before anything is parsed: each of their files is a subcommand.
  const { argv, folders: queries } = takeQueryFolders(given);
  // Once, for it may be a pipe; one that is not understood stops whoever asks it, and nobody who only wants help.
  const policy = await readPolicy(io.cwd).catch((error: unknown) => ({ error }));
  const settings = (flags: object) => {
    if ('error' in policy) throw policy.error;
    return new Settings({ ...flags, ...(queries.length > 0 && { queries }) }, io.env, policy);
  };
  const taken = [...COMMANDS.map(({ name }) => name), 'help'];
  const catalogue = loadCatalogue(
    path.join(packageRoot, 'queries'),
    foldersOf(queries, io.env, 'error' in policy ? NO_POLICY : policy),
    taken,
    io.cwd,
    ensureOwnNames,
  );
  await tellBroken(catalogue, argv, io);
  const commands = [...catalogue.queries.map(questionCommand), ...COMMANDS];
  ensureHelpTopic(argv, commands);

  let outcome: ExitCode = EXIT.clear;
  const writes: Promise<void>[] = [];
  const program = parserOf(io, writes);
  for (const command of commands) {
    addTo(program, command, argv.includes(command.name), async (chosen, args, flags) => {
      outcome = await chosen.run(args as never, flags as never, {
        catalogue,
        commands,
        packageRoot,
        settings,
        box,
        io,
      });
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    onRan();
    return outcome;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander's own exit code for a usage error is 1, which here only a fired gate may use.
    if (error.exitCode === 0) return EXIT.clear;
    // `lakelog help alarm` is asked for; plain `lakelog` is not.
    if (error.code === 'commander.help' && argv[0] === 'help') return EXIT.clear;
    if (error.code === 'commander.unknownCommand' && 'error' in policy) throw policy.error;
    if (error.code !== 'commander.help') throw usageError(error, argv, commands);
    await io.stderr.write(readable('→ next: lakelog alarm --help\n', io));
    return EXIT.error;
  } finally {
    await Promise.all(writes);
  }
}

function readable(text: string, { stderr, env }: Io): string {
  return styleOf(stderr, env).ascii ? inAscii(text) : text;
}

/** `error: unknown option '--jsno'`, perhaps with `(Did you mean --json?)` on a line of its own. */
function usageError({ message }: CommanderError, argv: readonly string[], commands: readonly Command[]) {
  const [, what = message, meant] =
    /^(?:error: )?([\s\S]*?)(?:\n(\(Did you mean .*\)))?$/.exec(message) ?? [];
  const command = commands.find(({ name }) => name === argv[0]);
  const sub = command?.subcommands?.find(({ name }) => name === argv[1]);
  const words = ['lakelog', command?.name, sub?.name, '--help'].filter((word) => word !== undefined);
  return new LakelogError(what, { detail: meant, next: words.join(' ') });
}

function parserOf(io: Io, writes: Promise<void>[]): Parser {
  const parser = new Parser('lakelog')
    .description(
      'Loads the logs of validate-and-retry loops with full accounting and answers questions about them.',
    )
    .option('--queries <dir>', 'folder of your own questions, each .sql file a subcommand (repeatable)')
    .option('--no-color', 'without colours, as NO_COLOR=1 has it')
    .helpCommand('help [command]', 'display help for a command')
    // So that options of `ack list` are its own and not those of `ack`.
    .enablePositionalOptions()
    .configureHelp({ subcommandTerm: (command) => command.name(), minWidthToWrap: 16 })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void writes.push(io.stdout.write(readable(text, io))),
      writeErr: (text) => void writes.push(io.stderr.write(readable(text, io))),
      // The one place that tells of failures does it, as text or as JSON.
      outputError: () => {},
      getOutHelpWidth: () => helpWidth(io.stdout.columns),
      getErrHelpWidth: () => helpWidth(io.stderr.columns),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  addHelp(parser, { examples: PROGRAM_EXAMPLES });
  return addVersion(parser, false);
}

/** Wherever it stands. */
function addVersion(parser: Parser, hidden: boolean): Parser {
  parser.addOption(new Option('-V, --version', 'output the version number, as -v does').hideHelp(hidden));
  parser.addOption(new Option('-v').hideHelp());
  for (const name of ['version', 'v']) {
    parser.on(`option:${name}`, () => {
      parser.configureOutput().writeOut?.(`${version}\n`);
      throw new CommanderError(0, 'commander.version', version);
    });
  }
  return parser;
}

function addHelp(parser: Parser, command: Pick<Command, 'examples' | 'notes'>): void {
  parser.addHelpText('after', ({ error }) => {
    const { getErrHelpWidth, getOutHelpWidth } = parser.configureOutput();
    return helpText(command, (error ? getErrHelpWidth : getOutHelpWidth)?.() ?? helpWidth(undefined));
  });
}

type Run = (command: Command, args: readonly unknown[], flags: object) => Promise<void>;

/** @param asked whether it is the command that will run, and needs its options. */
function addTo(program: Parser, command: Command, asked: boolean, run: Run): void {
  const parser = program.command(command.name, { hidden: command.hidden === true }).summary(command.summary);
  if (asked) setUp(parser, command, run);
}

function setUp(parser: Parser, command: Command, run: Run): void {
  parser.description(command.description).summary(command.summary).enablePositionalOptions();
  for (const [name, note] of command.args) parser.argument(name, note);
  for (const { heading, options } of command.options()) {
    if (heading !== null) parser.optionsGroup(heading);
    for (const option of options) parser.addOption(option);
  }
  addHelp(addVersion(parser, true), command);
  parser.action((...given: unknown[]) => {
    ensureNoneBefore(parser);
    return run(command, given.slice(0, -2), given.at(-2) as object);
  });
  for (const sub of command.subcommands ?? []) setUp(parser.command(sub.name), sub, run);
}

/** `ack --acks FILE list` would lose the file. */
function ensureNoneBefore(parser: Parser): void {
  const before = parser.parent?.options.find(
    (option) => parser.parent?.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (before === undefined) return;
  const words = `${parser.parent?.name()} ${parser.name()}`;
  throw new LakelogError(`options of "${words}" stand behind it, and ${before.long} stands before`, {
    next: `lakelog ${words} --help`,
  });
}

/** A broken question breaks itself alone, whoever asks for another hears of it. */
async function tellBroken({ broken }: Catalogue, argv: readonly string[], io: Io): Promise<void> {
  const [command, topic, name] = argv;
  // There each of them is a part, in error.
  if (broken.length === 0 || command === 'check') return;
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
