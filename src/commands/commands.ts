import { Option } from 'commander';
import { formatNames, queryFormatNames } from '../render/format-names.js';
import type { AckFlags } from './ack.js';
import type { Command } from './command.js';
import { filterOptions, inputOptions, outputOptions, PATHS, repeatable, wholeNumber } from './options.js';
import type { QueryFlags } from './query.js';
import { SCHEMA_NAMES, type SchemaName } from './schema-names.js';
import type { ShowFlags } from './show.js';
import type { ValidateFlags } from './validate.js';

type Paths = readonly string[];

const gatedKind = () =>
  repeatable(
    '--gated-kind <kind>',
    'kinds whose accepted calls must be grounded; replaces the default (fill)',
  );

const query: Command = {
  name: 'query',
  summary: 'Run your own SELECT over the tables, boxed in',
  description:
    'Runs one SELECT over the tables that `lakelog schema` prints, in a process of its own without files, network or settings.',
  args: [['[sql]', 'the SELECT; - or nothing reads it from stdin'], PATHS],
  options: () => [
    {
      heading: 'Query:',
      options: [
        new Option('-f, --file <file>', 'read the SQL from a file; every argument is then an input'),
        repeatable(
          '-p, --param <name=value>',
          'what $name stands for, and a column of the table params (repeatable)',
        ),
        gatedKind(),
        new Option('--timeout <seconds>', 'stop the query after this time, loading not counted')
          .argParser(wholeNumber(1, 86_400))
          .default(30),
        new Option(
          '--max-rows <n>',
          'no more rows than this (default: 10000 on a terminal, all of them in files and pipes)',
        ).argParser(wholeNumber(1)),
        new Option('--strict', 'exit 3 on any reject or conflict, or when no call passes the filters'),
      ],
    },
    filterOptions(),
    inputOptions(),
    outputOptions(queryFormatNames),
  ],
  run: async ([first, rest]: [string | undefined, Paths], flags: QueryFlags, { box, io }) => {
    const { query } = await import('./query.js');
    return query(first === undefined ? rest : [first, ...rest], flags, await box(), io);
  },
};

const show: Command = {
  name: 'show',
  summary: 'Tell the story of one trace: its calls, attempts and replay runs',
  description:
    'Tells the story of one trace in time order: its calls with every attempt, verdict and reason, and its replay runs with their documents.',
  args: [['<id>', 'session_id or call_id; its beginning is enough'], PATHS],
  options: () => [
    {
      heading: 'Story:',
      options: [
        new Option(
          '--show-content',
          'with prompts, raw outputs and what changed between them (may hold personal data)',
        ),
        new Option(
          '--trace-url <template>',
          'address of a trace, with {session_id} in it (default: LAKELOG_TRACE_URL)',
        ),
        gatedKind(),
        repeatable('-p, --param <name=value>', 'a parameter of the gates (repeatable)'),
        new Option('--acks <file>', 'acknowledgements (default: LAKELOG_ACKS, else lakelog-acks.jsonl here)'),
        new Option('--json', 'as JSON'),
      ],
    },
    inputOptions(),
  ],
  run: async ([id, paths]: [string, Paths], flags: ShowFlags, { catalogue, io }) =>
    (await import('./show.js')).show(id, paths, flags, catalogue, io),
};

const ack: Command = {
  name: 'ack',
  summary: 'Settle one violation or one rejected line, with reason, name and date',
  description:
    'Settles one violation of a gate, or one line that could not be loaded: appends it with reason, name and date to a file that gates read.',
  args: [['<target>', 'session_id, call_id (the beginning is enough) or FILE:LINE'], PATHS],
  options: () => [
    {
      heading: 'Acknowledgement:',
      options: [
        new Option('--reason <text>', 'why it is settled').makeOptionMandatory(),
        new Option('--until <date>', 'last day it holds, YYYY-MM-DD (UTC)'),
        new Option('--by <name>', 'who settles it (default: LAKELOG_ACK_BY, else your account)'),
        new Option(
          '--acks <file>',
          'file to append to (default: LAKELOG_ACKS, else lakelog-acks.jsonl here)',
        ),
        new Option('--gate <name>', 'the gate whose violation it is (default: the one that ships)'),
        gatedKind(),
        repeatable('-p, --param <name=value>', 'a parameter of the gate (repeatable)'),
      ],
    },
    inputOptions(),
  ],
  run: async ([target, paths]: [string, Paths], flags: AckFlags, { catalogue, io }) =>
    (await import('./ack.js')).ack(target, paths, flags, catalogue, io),
};

const validate: Command = {
  name: 'validate',
  summary: 'Account for every line and list those that cannot be loaded',
  description: 'Accounts for every line of the files and lists those that cannot be loaded; exit 0 or 3.',
  args: [PATHS],
  options: () => [inputOptions(), outputOptions(formatNames)],
  run: async ([paths]: [Paths], flags: ValidateFlags, { io }) =>
    (await import('./validate.js')).validate(paths, flags, io),
};

const queries: Command = {
  name: 'queries',
  summary: 'List the questions, or print the SQL of one',
  description: 'Lists every question with its title and options, those of --queries too.',
  args: [],
  options: () => [{ heading: null, options: [new Option('--json', 'as JSON')] }],
  subcommands: [
    {
      name: 'show',
      summary: 'Print the SQL of one question, header and all.',
      description: 'Prints the SQL of one question, header and all.',
      args: [['<name>', '']],
      options: () => [],
      run: async ([name]: [string], _: object, { catalogue, io }) =>
        (await import('./queries.js')).showQuery(catalogue, name, io),
    },
  ],
  run: async (_: [], { json }: { json?: true }, { catalogue, io }) =>
    (await import('./queries.js')).listQueries(catalogue, json === true, io),
};

const schema: Command = {
  name: 'schema',
  summary: 'Print the tables that queries see, or a published JSON Schema',
  description:
    'Prints the tables that queries see with a sentence per column, or the JSON Schema of a record or of an output.',
  args: [],
  options: () => [
    {
      heading: null,
      options: [
        new Option(
          '--json <name>',
          'JSON Schema of a record format, an output, or an acknowledgement',
        ).choices([...SCHEMA_NAMES]),
      ],
    },
  ],
  run: async (_: [], { json }: { json?: SchemaName }, { packageRoot, io }) =>
    (await import('./schema.js')).schema(json, packageRoot, io),
};

/** The commands that are no questions, in the order in which the help lists them. */
export const COMMANDS: readonly Command[] = [query, show, ack, validate, queries, schema];
