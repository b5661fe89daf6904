import path from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import type { AckFlags } from './commands/ack.js';
import {
  addFilterOptions,
  addInputOptions,
  addOutputOptions,
  repeatable,
  wholeNumber,
} from './commands/options.js';
import type { QueryFlags } from './commands/query.js';
import type { QuestionFlags } from './commands/question.js';
import { SCHEMA_NAMES, type SchemaName } from './commands/schema-names.js';
import type { ShowFlags } from './commands/show.js';
import type { ValidateFlags } from './commands/validate.js';
import { LakelogError } from './errors.js';
import type { Io } from './io.js';
import type { BoxProcess } from './query/boxed.js';
import { loadCatalogue } from './query/catalogue.js';
import { optionName } from './query/params.js';
import type { Param, Query } from './query/question.js';
import { formatNames, gateFormatNames } from './render/format-names.js';
import { sanitize } from './render/sanitize.js';
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
  box: () => Promise<BoxProcess>,
): Promise<ExitCode> {
  // Before anything is parsed: each of their files is a subcommand.
  const { argv, folders } = takeQueryFolders(given);
  const catalogue = loadCatalogue(path.join(packageRoot, 'queries'), folders, COMMANDS, io.cwd);
  let outcome: ExitCode = EXIT.clear;
  const writes: Promise<void>[] = [];
  const program = new Command('lakelog')
    .description(
      'Loads the logs of validate-and-retry loops with full accounting and answers questions about them.',
    )
    .version(version, '-V, --version')
    .option('--queries <dir>', 'folder of your own questions, each .sql file a subcommand (repeatable)')
    .helpCommand('help [command]', 'display help for a command')
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('→ next: lakelog --help')
    .configureHelp({ subcommandTerm: (command) => command.name() })
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
  // Some 200 options: only those of the command that is asked for are set up.
  const subcommand = (name: string, summary: string, setUp: (command: Command) => unknown) => {
    const command = program
      .command(name)
      .summary(summary)
      .showHelpAfterError(`→ next: lakelog ${name} --help`)
      .addHelpText('after', EXIT_CODES);
    if (argv.includes(name)) setUp(command);
  };

  for (const query of catalogue.queries) {
    if (folders.length > 0) ensureOwnNames(query);
    subcommand(query.name, query.title, (command) =>
      addQuestion(command, query).action(async (paths: string[], flags: Record<string, unknown>) => {
        const given = Object.fromEntries(
          query.params.map(({ name }) => [name, ownFlag(flags, camel(name)) as never]),
        );
        const { question } = await import('./commands/question.js');
        const questionFlags = flags as unknown as QuestionFlags;
        outcome = await question(query, given, paths, questionFlags, catalogue.folders, io);
      }),
    );
  }
  subcommand('query', 'Run your own SELECT over the tables, boxed in', (command) =>
    adHocOptions(command).action(async (first: string | undefined, rest: string[], flags: QueryFlags) => {
      const { query } = await import('./commands/query.js');
      outcome = await query(first === undefined ? rest : [first, ...rest], flags, await box(), io);
    }),
  );
  subcommand('show', 'Tell the story of one trace: its calls, attempts and replay runs', (command) =>
    showOptions(command).action(async (id: string, paths: string[], flags: ShowFlags) => {
      const { show } = await import('./commands/show.js');
      outcome = await show(id, paths, flags, catalogue, io);
    }),
  );
  subcommand('ack', 'Settle one violation or one rejected line, with reason, name and date', (command) =>
    ackOptions(command).action(async (target: string, paths: string[], flags: AckFlags) => {
      const { ack } = await import('./commands/ack.js');
      outcome = await ack(target, paths, flags, catalogue, io);
    }),
  );
  subcommand('validate', 'Account for every line and list those that cannot be loaded', (command) =>
    addOutputOptions(addInputOptions(command), formatNames)
      .description('Accounts for every line of the files and lists those that cannot be loaded; exit 0 or 3.')
      .action(async (paths: string[], flags: ValidateFlags) => {
        const { validate } = await import('./commands/validate.js');
        outcome = await validate(paths, flags, io);
      }),
  );
  subcommand('queries', 'List the questions, or print the SQL of one', (command) => {
    command
      .description('Lists every question with its title and options, those of --queries too.')
      .option('--json', 'as JSON')
      .action(async (flags: { json?: true }) => {
        const { listQueries } = await import('./commands/queries.js');
        outcome = await listQueries(catalogue, flags.json === true, io);
      });
    command
      .command('show <name>')
      .description('Prints the SQL of one question, header and all.')
      .action(async (name: string) => {
        const { showQuery } = await import('./commands/queries.js');
        outcome = await showQuery(catalogue, name, io);
      });
  });
  subcommand('schema', 'Print the tables that queries see, or a published JSON Schema', (command) =>
    command
      .description(
        'Prints the tables that queries see with a sentence per column, or the JSON Schema of a record or of an output.',
      )
      .addOption(
        new Option(
          '--json <name>',
          'JSON Schema of a record format, an output, or an acknowledgement',
        ).choices([...SCHEMA_NAMES]),
      )
      .action(async (flags: { json?: SchemaName }) => {
        const { schema } = await import('./commands/schema.js');
        outcome = await schema(flags.json, packageRoot, io);
      }),
  );

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
  ensureOwnNames(query);
  command.description(`${query.question}\n\n${columnHelp(query)}`);
  command.optionsGroup('Question:');
  for (const param of query.params) command.addOption(paramOption(param));
  return addQuestionOptions(command, query);
}

/** The options that every question has. */
function addQuestionOptions(command: Command, query: Query): Command {
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
      .option('--acks <file>', 'acknowledgements (default: lakelog-acks.jsonl where it exists)')
      .option('--max-age <age>', 'cannot vouch when the newest call is older, e.g. 36h')
      .option('-q, --quiet', 'print nothing on exit 0');
  } else {
    command.option('--strict', 'exit 3 on any reject or conflict, or when no call passes the filters');
  }
  return addOutputOptions(
    addInputOptions(addFilterOptions(command)),
    query.gate ? gateFormatNames : formatNames,
  );
}

/** A parameter called like an option of lakelog's would silently be that option. */
function ensureOwnNames(query: Query): void {
  const taken = new Set(['--help', '--version', '--queries', '--param']);
  for (const { long } of addQuestionOptions(new Command(), query).options) if (long) taken.add(long);
  for (const param of query.params) {
    // The parser keeps options in an object that has these already.
    const ofEveryObject = camel(param.name) in {};
    if (!taken.has(optionName(param)) && !ofEveryObject) continue;
    const line = new RegExp(`^--\\s*param:\\s*${param.name}\\b`);
    const like = ofEveryObject ? 'a member of every object' : `the option ${optionName(param)}`;
    throw new LakelogError(`the parameter "${param.name}" is called like ${like}`, {
      where: `${query.file}:${query.sql.split('\n').findIndex((text) => line.test(text)) + 1}`,
      next: 'give it another name',
    });
  }
}

/** Names that a question of one's own cannot have. */
const COMMANDS = ['query', 'show', 'ack', 'validate', 'queries', 'schema', 'help'];

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

const GATED_KIND = () =>
  repeatable(
    '--gated-kind <kind>',
    'kinds whose accepted calls must be grounded; replaces the default (fill)',
  );

function adHocOptions(command: Command): Command {
  command
    .description(
      'Runs one SELECT over the tables that `lakelog schema` prints, in a process of its own without files, network or settings.',
    )
    .argument('[sql]', 'the SELECT; - or nothing reads it from stdin')
    .optionsGroup('Query:')
    .option('-f, --file <file>', 'read the SQL from a file; every argument is then an input')
    .addOption(repeatable('-p, --param <name=value>', 'a column of the table params (repeatable)'))
    .addOption(GATED_KIND())
    .addOption(
      new Option('--timeout <seconds>', 'stop the query after this time, loading not counted')
        .argParser(wholeNumber(1, 86_400))
        .default(30),
    )
    .addOption(
      new Option('--max-rows <n>', 'print no more rows than this').argParser(wholeNumber(1)).default(10_000),
    )
    .option('--strict', 'exit 3 on any reject or conflict, or when no call passes the filters');
  return addOutputOptions(addInputOptions(addFilterOptions(command)), formatNames);
}

function showOptions(command: Command): Command {
  command
    .description(
      'Tells the story of one trace in time order: its calls with every attempt, verdict and reason, and its replay runs with their documents.',
    )
    .argument('<id>', 'session_id or call_id; its beginning is enough')
    .optionsGroup('Story:')
    .option(
      '--show-content',
      'with prompts, raw outputs and what changed between them (may hold personal data)',
    )
    .option(
      '--trace-url <template>',
      'address of a trace, with {session_id} in it (default: LAKELOG_TRACE_URL)',
    )
    .addOption(GATED_KIND())
    .addOption(repeatable('-p, --param <name=value>', 'a parameter of the gates (repeatable)'))
    .option('--acks <file>', 'acknowledgements (default: lakelog-acks.jsonl where it exists)')
    .option('--json', 'as JSON');
  return addInputOptions(command);
}

function ackOptions(command: Command): Command {
  command
    .description(
      'Settles one violation of a gate, or one line that could not be loaded: appends it with reason, name and date to a file that gates read.',
    )
    .argument('<target>', 'session_id, call_id (the beginning is enough) or FILE:LINE')
    .optionsGroup('Acknowledgement:')
    .requiredOption('--reason <text>', 'why it is settled')
    .option('--until <date>', 'last day it holds, YYYY-MM-DD (UTC)')
    .option('--by <name>', 'who settles it (default: LAKELOG_ACK_BY, else your account)')
    .option('--acks <file>', 'file to append to (default: lakelog-acks.jsonl)')
    .option('--gate <name>', 'the gate whose violation it is (default: the one that ships)')
    .addOption(GATED_KIND())
    .addOption(repeatable('-p, --param <name=value>', 'a parameter of the gate (repeatable)'));
  return addInputOptions(command);
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

const ownFlag = (flags: object, name: string): unknown =>
  Object.hasOwn(flags, name) ? flags[name as keyof typeof flags] : undefined;

const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
