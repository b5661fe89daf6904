import path from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import {
  addFilterOptions,
  addInputOptions,
  addOutputOptions,
  repeatable,
  wholeNumber,
} from './commands/options.js';
import { type QuestionFlags, question } from './commands/question.js';
import { type SchemaName, schema } from './commands/schema.js';
import { type ValidateFlags, validate } from './commands/validate.js';
import { LakelogError } from './errors.js';
import type { Io } from './io.js';
import { readCatalogue } from './query/catalogue.js';
import type { Param, Query } from './query/header.js';
import { optionName } from './query/params.js';
import { sanitize } from './render/index.js';
import { EXIT, type ExitCode } from './schema/result.js';
import { version } from './version.js';

const EXIT_CODES = `
Exit codes, the same for every command:
  0  clear / done   1  a gate fired   2  usage, configuration or internal error
  3  cannot vouch: an input is missing, unreadable or empty, nothing was judged,
     a line was rejected, a stamp is missing, …`;

/** Parses the arguments, runs the command, and returns its exit code. */
export async function runProgram(argv: readonly string[], packageRoot: string, io: Io): Promise<ExitCode> {
  let outcome: ExitCode = EXIT.clear;
  const writes: Promise<void>[] = [];
  const program = new Command('lakelog')
    .description(
      'Loads the logs of validate-and-retry loops with full accounting and answers questions about them.',
    )
    .version(version, '-V, --version')
    .helpCommand('help [command]', 'display help for a command')
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('→ next: lakelog --help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void writes.push(io.stdout.write(text)),
      // commander quotes arguments as they came.
      writeErr: (text) => void writes.push(io.stderr.write(text.split('\n').map(sanitize).join('\n'))),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  const subcommand = (name: string, summary: string) =>
    program
      .command(name)
      .summary(summary)
      .showHelpAfterError(`→ next: lakelog ${name} --help`)
      .addHelpText('after', EXIT_CODES);

  for (const query of readCatalogue(path.join(packageRoot, 'queries'))) {
    addQuestion(subcommand(query.name, query.title), query).action(
      async (paths: string[], flags: Record<string, unknown>) => {
        const given = Object.fromEntries(
          query.params.map((param) => [param.name, flags[camel(param.name)] as never]),
        );
        outcome = await question(query, given, paths, flags as unknown as QuestionFlags, io);
      },
    );
  }
  addOutputOptions(
    addInputOptions(subcommand('validate', 'Account for every line and list those that cannot be loaded')),
  )
    .description('Accounts for every line of the files and lists those that cannot be loaded; exit 0 or 3.')
    .action(async (paths: string[], flags: ValidateFlags) => {
      outcome = await validate(paths, flags, io);
    });
  subcommand('schema', 'Print the tables that queries see, or the JSON Schema of a record')
    .description(
      'Prints the tables that queries see with a sentence per column, or the JSON Schema of a record.',
    )
    .addOption(
      new Option('--json <record>', 'JSON Schema of the record format').choices(['session', 'replay']),
    )
    .action(async (flags: { json?: SchemaName }) => {
      outcome = await schema(flags.json, packageRoot, io);
    });

  const [command, topic] = argv;
  if (
    command === 'help' &&
    topic !== undefined &&
    !program.commands.some((known) => known.name() === topic)
  ) {
    throw new LakelogError(`unknown command '${topic}'`, { next: 'lakelog --help' });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return outcome;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander's own exit code for a usage error is 1, which here only a fired gate may use.
    if (error.exitCode === 0) return EXIT.clear;
    // `lakelog help alarm` is asked for; plain `lakelog` is not.
    if (error.code === 'commander.help' && command === 'help') return EXIT.clear;
    if (error.code === 'commander.help') await io.stderr.write('→ next: lakelog alarm --help\n');
    return EXIT.error;
  } finally {
    await Promise.all(writes);
  }
}

function addQuestion(command: Command, query: Query): Command {
  command.description(`${query.question}\n\n${columnHelp(query)}`);
  command.optionsGroup('Question:');
  for (const param of query.params) command.addOption(paramOption(param));
  if (query.gate) {
    command
      .optionsGroup('Gate:')
      .addOption(
        new Option('--min-judged <n>', 'cannot vouch with fewer judged calls')
          .argParser(wholeNumber(0))
          .default(1),
      )
      .addOption(
        new Option('--max-rejects <n>', 'rejects and conflicts that do not keep the gate from vouching')
          .argParser(wholeNumber(0))
          .default(0),
      )
      .option('--max-age <age>', 'cannot vouch when the newest call is older, e.g. 36h')
      .option('-q, --quiet', 'print nothing on exit 0');
  } else {
    command.option('--strict', 'exit 3 on any reject or conflict, or when no call passes the filters');
  }
  return addOutputOptions(addInputOptions(addFilterOptions(command)));
}

function columnHelp(query: Query): string {
  const width = Math.max(...query.columns.map((column) => column.name.length));
  return [
    'Columns:',
    ...query.columns.map((column) => `  ${column.name.padEnd(width)}  ${column.note ?? ''}`),
  ].join('\n');
}

function paramOption(param: Param): Option {
  const flag = optionName(param);
  const note = `${param.note} (default: ${param.default})`;
  switch (param.of.type) {
    case 'flag':
      return new Option(flag, param.note);
    case 'set':
    case 'choice':
      return repeatable(`${flag} <name>`, `${param.of.values.join(', ')}: ${note}`);
    case 'kinds':
      return repeatable(
        `${flag} <kind>`,
        `${param.note}; repeatable, replaces the default (${param.default})`,
      );
    default:
      return repeatable(`${flag} <${param.of.type}>`, note);
  }
}

const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
