import { Option } from 'commander';
import { LakelogError } from '../errors.js';
import { formatNames, gateFormatNames, queryFormatNames } from '../render/format-names.js';
import type { AckFlags } from './ack.js';
import type { LogFlags } from './acks.js';
import type { CheckFlags } from './check.js';
import type { Command } from './command.js';
import type { CompareFlags } from './compare.js';
import {
  alphaOption,
  decisionOptions,
  familyAlphaOption,
  marginParser,
  metricOption,
} from './decision-options.js';
import type { DriftFlags } from './drift.js';
import type { CompactFlags, LakeFlags } from './lake.js';
import {
  acksOption,
  dialectOption,
  durationOption,
  filterOptions,
  gatedKindOption,
  gateOptions,
  limitOption,
  logOptions,
  ofOneLake,
  outputOptions,
  PATHS,
  repeatable,
  rosterOptions,
} from './options.js';
import type { ShowQueryFlags } from './queries.js';
import type { QueryFlags } from './query-job.js';
import type { ReportFlags } from './report.js';
import type { SchemaFlags } from './schema.js';
import { SCHEMA_NAMES } from './schema-names.js';
import { settingOptions } from './setting-options.js';
import type { ShowFlags } from './show.js';
import type { SyncFlags } from './sync.js';
import type { ValidateFlags } from './validate.js';
import type { WatchFlags } from './watch.js';

type Paths = readonly string[];

const query: Command = {
  name: 'query',
  summary: 'Run your own SELECT over the tables, boxed in',
  description:
    'Runs one SELECT over the tables that `lakelog schema` prints, in a process of its own without files, network or settings.',
  examples: [
    'lakelog query "SELECT kind, COUNT(*) FROM sessions GROUP BY kind" logs/',
    'lakelog query "SELECT file, line, reason FROM rejects" --format csv logs/',
  ],
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
        gatedKindOption(),
        durationOption('--timeout <duration>', 'stop the query after this time, loading not counted', '30s', [
          '1s',
          '24h',
        ]),
        limitOption(),
        new Option('--strict', 'exit 3 on any reject or conflict, or when no call passes the filters'),
      ],
    },
    filterOptions(),
    ...logOptions(),
    outputOptions(queryFormatNames),
  ],
  run: async ([first, rest]: [string | undefined, Paths], flags: QueryFlags, { box, io, settings }) => {
    const { query } = await import('./query.js');
    return query(first === undefined ? rest : [first, ...rest], flags, box, settings(flags), io);
  },
};

const show: Command = {
  name: 'show',
  summary: 'Tell the story of one trace: its calls, attempts and replay runs',
  description:
    'Tells the story of one trace in time order: its calls with every attempt, verdict and reason, and its replay runs with their documents.',
  examples: ['lakelog show 4bf92f35 logs/', 'lakelog show 4bf92f35 sessions.jsonl --show-content'],
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
        gatedKindOption(),
        repeatable('-p, --param <name=value>', 'a parameter of the gates (repeatable)'),
        acksOption('acknowledgements'),
        ...rosterOptions(),
        new Option('--json', 'as JSON'),
      ],
    },
    ...logOptions(),
  ],
  run: async ([id, paths]: [string, Paths], flags: ShowFlags, context) =>
    (await import('./show.js')).show(id, paths, flags, context),
};

const ack: Command = {
  name: 'ack',
  summary: 'Settle a violation, or lines that cannot be loaded, with reason, name and date',
  description:
    'Settles one violation of a gate, one line that could not be loaded, or one call_id that several records share: appends it with reason, name and date to a file that gates read. With --baseline, all such lines that are there now, and never a violation.',
  examples: [
    'lakelog ack 4bf92f35 --reason "client called, ticket 4711" --expires 90d logs/',
    'lakelog ack --baseline --reason "backlog before the writer was mended" logs/',
  ],
  args: [
    [
      '[target]',
      'session_id, call_id (the beginning is enough), FILE:LINE, WRITER:FROM-TO (missing seq) or a changed file',
    ],
    PATHS,
  ],
  options: () => [
    {
      heading: 'Acknowledgement:',
      options: [
        new Option('--reason <text>', 'why it is settled'),
        new Option(
          '--expires <when>',
          'how long it holds: a duration (90d), its last day (UTC) or an instant',
        ),
        new Option('--author <name>', 'who settles it (default: LAKELOG_ACK_AUTHOR, else your account)'),
        new Option(
          '--baseline',
          'every line that could not be loaded and every shared call_id of now; all arguments are logs',
        ).conflicts(['gate', 'gatedKind', 'param']),
        acksOption('file to append to'),
        ...rosterOptions(),
        new Option('--gate <name>', 'the gate whose violation it is (default: the one that ships)'),
        gatedKindOption(),
        repeatable('-p, --param <name=value>', 'a parameter of the gate (repeatable)'),
      ],
    },
    ...logOptions(),
  ],
  subcommands: [
    {
      name: 'list',
      summary: 'List them: what, by whom, until when, and whether it still matches',
      description:
        'Lists every acknowledgement with its number, its hash, what it settles, by whom, until when, and whether it still matches anything in the logs.',
      examples: ['lakelog ack list logs/', 'lakelog ack list --json sessions.jsonl'],
      args: [PATHS],
      options: () => [
        { heading: null, options: [acksOption('their file'), new Option('--json', 'as JSON')] },
        ...logOptions(),
      ],
      run: async ([paths]: [Paths], flags: LogFlags & { json?: true }, { io, settings }) =>
        (await import('./ack-list.js')).listAcks(paths, flags, settings(flags), io),
    },
    {
      name: 'rm',
      summary: 'Take some out, so that what they settled counts again',
      description:
        'Takes acknowledgements out of their file, and with each those of the same thing that it had replaced: what they settled counts again.',
      examples: ['lakelog ack rm 3', 'lakelog ack rm sessions.jsonl:1207'],
      args: [
        [
          '<targets...>',
          'number, hash (its beginning), FILE:LINE, call_id or WRITER:FROM-TO, as `ack list` prints them',
        ],
      ],
      options: () => [{ heading: null, options: [acksOption('their file')] }],
      run: async ([targets]: [readonly string[]], flags: Pick<LogFlags, 'acks'>, { io, settings }) =>
        (await import('./ack-list.js')).removeNamed(targets, settings(flags), io),
    },
    {
      name: 'prune',
      summary: 'Take out those that match nothing any more',
      description:
        'Takes out the acknowledgements that match nothing in the logs. Those whose log is there and was not named stay.',
      examples: ['lakelog ack prune logs/', 'lakelog ack prune sessions.jsonl --acks ops/acks.jsonl'],
      args: [PATHS],
      options: () => [{ heading: null, options: [acksOption('their file')] }, ...logOptions()],
      run: async ([paths]: [Paths], flags: LogFlags, { io, settings }) =>
        (await import('./ack-list.js')).pruneAcks(paths, flags, settings(flags), io),
    },
  ],
  run: async ([target, paths]: [string | undefined, Paths], flags: AckFlags, context) =>
    (await import('./ack.js')).ack(target, paths, flags, context),
};

const validate: Command = {
  name: 'validate',
  summary: 'Account for every line and list those that cannot be loaded',
  description: 'Accounts for every line of the files and lists those that cannot be loaded; exit 0 or 3.',
  examples: ['lakelog validate sessions.jsonl', 'lakelog validate logs/ --format jsonl'],
  args: [PATHS],
  options: () => [...logOptions(), outputOptions(formatNames)],
  run: async ([paths]: [Paths], flags: ValidateFlags, { io, settings }) =>
    (await import('./validate.js')).validate(paths, flags, settings(flags), io),
};

const report: Command = {
  name: 'report',
  summary: 'Write a page for people who look: gates first, then what the numbers say',
  description:
    'Writes one self-contained page (.html, or .md) from one loading: the state of all gates with their receipts, the first-shot rate per model against the window before, its trend with changes of versions and the verdict of drift, what retries buy, reasons of rejection, corpus, and triple rejections. No script, no request. Exit 0, or 3 where an input was missing, unreadable or empty: it is no gate.',
  examples: [
    'lakelog report -o report.html logs/',
    'lakelog report -o report.html -o report.md --since 2026-09-01 logs/',
  ],
  args: [PATHS],
  options: () => [
    {
      heading: 'Report:',
      options: [
        repeatable('-o, --output <file>', 'where to: .html or .md (repeatable)'),
        durationOption(
          '--window <duration>',
          'what the newest calls are compared with: as long a time before',
          '7d',
          ['1h', '365d'],
        ),
        new Option(
          '--trace-url <template>',
          'address of a trace, with {session_id} in it (default: LAKELOG_TRACE_URL)',
        ),
      ],
    },
    gateOptions([gatedKindOption(), familyAlphaOption()]),
    filterOptions(),
    ...logOptions(),
  ],
  run: async ([paths]: [Paths], flags: ReportFlags, context) =>
    (await import('./report.js')).report(paths, flags, context),
};

const watch: Command = {
  name: 'watch',
  summary: 'Follow logs or a lake: a line per call as it comes, violations standing out',
  description:
    'Follows logs, through rotation, and prints a line for every call that comes from now on, and for every line that cannot be loaded. Ctrl-C ends it, with exit 0 whatever it saw: it is no gate.',
  examples: ['lakelog watch sessions.jsonl', 'lakelog watch --lake lakelog.duckdb --json'],
  args: [PATHS],
  options: () => [
    {
      heading: 'Watch:',
      options: [
        durationOption('--interval <duration>', 'how often to look', '1s', ['1s', '24h']),
        gatedKindOption(),
        ...rosterOptions(),
        new Option('--json', 'a JSON object per line'),
      ],
    },
    filterOptions(),
    ...logOptions(),
  ],
  run: async ([paths]: [Paths], flags: WatchFlags, context) =>
    (await import('./watch.js')).watch(paths, flags, context),
};

const queries: Command = {
  name: 'queries',
  summary: 'List the questions, or print the SQL of one',
  description: 'Lists every question with its title and options, those of --queries too.',
  examples: ['lakelog queries --json', 'lakelog queries show alarm'],
  args: [],
  options: () => [{ heading: null, options: [new Option('--json', 'as JSON')] }],
  subcommands: [
    {
      name: 'show',
      summary: 'Print the SQL of one question, or the statement that another engine gets',
      description:
        'Prints the SQL of one question, header and all. With --dialect the whole statement for an engine that has the base tables (`lakelog schema --dialect`): the tables that the question reads, and all that filters and parameters say, are written out.',
      examples: [
        'lakelog queries show corpus > queries/corpus.sql',
        'lakelog queries show alarm --dialect trino --since 7d --gated-kind fill',
      ],
      args: [['<name>', '']],
      options: () => [
        {
          heading: 'Statement:',
          options: [
            dialectOption(),
            gatedKindOption(),
            repeatable('-p, --param <name=value>', 'a parameter of the question (repeatable)'),
          ],
        },
        filterOptions(),
      ],
      run: async ([name]: [string], flags: ShowQueryFlags, context) =>
        (await import('./queries.js')).showQuery(name, flags, context),
    },
  ],
  run: async (_: [], { json }: { json?: true }, { catalogue, io }) =>
    (await import('./queries.js')).listQueries(catalogue, json === true, io),
};

const schema: Command = {
  name: 'schema',
  summary: 'Print the tables that queries see, a JSON Schema, or what declares the tables to an engine',
  description:
    'Prints the tables that queries see with a sentence per column, or the JSON Schema of a record or of an output, or with --dialect the statements that declare the base tables of a folder of Parquet to another engine.',
  examples: [
    'lakelog schema --json-schema session > session.schema.json',
    'lakelog schema --dialect trino --lake s3://logs/lake/',
  ],
  args: [],
  options: () => [
    {
      heading: null,
      options: [
        new Option(
          '--json-schema <name>',
          'JSON Schema of a record format, an output, an acknowledgement, or of lakelog.toml (policy)',
        )
          .choices([...SCHEMA_NAMES])
          .conflicts('dialect'),
        dialectOption(),
        new Option('--lake <folder>', 'with --dialect: where the folder of Parquet lies for that engine'),
        new Option('--show-content', 'with --dialect: prompts and artifacts too, of a lake that keeps them'),
      ],
    },
  ],
  run: async (_: [], flags: SchemaFlags, { packageRoot, io }) =>
    (await import('./schema.js')).schema(flags, packageRoot, io),
};

const sync: Command = {
  name: 'sync',
  summary: 'Bring a lake up to date with its logs, and answer nothing',
  description:
    'Reads into a lake what the logs hold beyond what it has. Without logs, those that it knows. A lake that is a folder is a lake of Parquet, into which many hosts publish. Exit 0, or 3 where a log was missing, unreadable or not what was read of it before.',
  examples: [
    'lakelog sync --lake lakelog.duckdb logs/',
    'lakelog sync --lake /mnt/lake/ --host web1 /var/log/validator/sessions.jsonl',
  ],
  args: [PATHS],
  options: () => [
    {
      heading: null,
      options: [
        new Option('--rebuild', 'make the lake anew from the logs; the old file stays beside it as .damaged'),
        new Option(
          '--host <name>',
          'into a folder: under whose name the logs are published (default: this host)',
        ),
        new Option('--from <file>', 'into a folder: publish what a lake file holds'),
        acksOption('acknowledgements'),
      ],
    },
    ...logOptions(),
    outputOptions(formatNames),
  ],
  run: async ([paths]: [Paths], flags: SyncFlags, { io, settings }) =>
    (await import('./sync.js')).sync(paths, flags, settings(flags), io),
};

const lake: Command = {
  name: 'lake',
  summary: 'Look into a lake: what it holds, and whether the logs still say the same',
  description: 'Looks into a lake; compact alone changes something, and nothing of what is told of it.',
  examples: ['lakelog lake info --lake lakelog.duckdb', 'lakelog lake verify --lake lakelog.duckdb'],
  args: [],
  options: () => [],
  subcommands: [
    {
      name: 'info',
      summary: 'Say what it holds, and how other programs open it',
      description: 'Says what a lake holds, and prints the lines that open it in other programs.',
      examples: ['lakelog lake info --lake lakelog.duckdb', 'lakelog lake info --lake lakelog.duckdb --json'],
      args: [],
      options: () => [{ heading: null, options: [...ofOneLake(), new Option('--json', 'as JSON')] }],
      run: async (_: [], flags: LakeFlags, { io, settings }) =>
        (await import('./lake.js')).lakeInfo(flags, settings(flags), io),
    },
    {
      name: 'verify',
      summary: 'Read the logs that are still there again, and compare every batch',
      description:
        'Reads the logs that are still there again and compares the hash of every batch, or with --receipt those that a receipt rests on; of a folder every file is hashed. Exit 0, or 3 where something differs.',
      examples: [
        'lakelog lake verify --lake lakelog.duckdb',
        'lakelog lake verify --lake lakelog.duckdb --receipt alarm.json',
      ],
      args: [],
      options: () => [
        {
          heading: null,
          options: [
            ...ofOneLake(),
            new Option('--receipt <file>', 'a JSON envelope of a gate: whether the same logs still give it'),
            new Option('--host <name>', 'of a folder: whose logs are looked for here (default: this host)'),
            acksOption('what of the lake is settled'),
            new Option('--json', 'as JSON'),
          ],
        },
      ],
      run: async (_: [], flags: LakeFlags & { receipt?: string }, { io, settings }) =>
        (await import('./lake.js')).verifyLake(flags, settings(flags), io),
    },
    {
      name: 'compact',
      summary: 'Merge small files of a folder of Parquet, for days that are over',
      description:
        'Merges the small files of days that are over into few large ones, in a lake that is a folder; rows and receipts stay what they are. Who asks meanwhile is never told anything wrong: at worst to run the same command again. It may be stopped at any moment.',
      examples: [
        'lakelog lake compact --lake /mnt/lake/',
        'lakelog lake compact --lake /mnt/lake/ --grace 10m',
      ],
      args: [],
      options: () => [
        {
          heading: null,
          options: [
            ...ofOneLake(),
            durationOption('--grace <duration>', 'how long merged files stay for who reads them now', '60s'),
            acksOption('what of the lake is settled'),
            new Option('--json', 'as JSON'),
          ],
        },
      ],
      run: async (_: [], flags: CompactFlags, { io, settings }) =>
        (await import('./lake.js')).compactLake(flags, settings(flags), io),
    },
  ],
  run: async () => {
    throw new LakelogError('lake what?', {
      next: 'lakelog lake info, lakelog lake verify, or lakelog lake compact',
    });
  },
};

const completion: Command = {
  name: 'completion',
  summary: 'Print the script that completes commands, options and values in your shell',
  description:
    'Prints the script for bash, zsh, fish or PowerShell that completes commands, options and questions; with a lake (LAKELOG_LAKE, lake of lakelog.toml) also models, kinds and traces.',
  examples: ['lakelog completion bash >> ~/.bashrc', 'lakelog completion zsh > ~/.lakelog.zsh'],
  args: [['[shell]', 'bash, zsh, fish or pwsh']],
  options: () => [],
  run: async ([shell]: [string | undefined], _: object, { packageRoot, io }) =>
    (await import('./completion.js')).completion(shell, packageRoot, io),
};

const completionServer: Command = {
  name: 'completion-server',
  hidden: true,
  summary: 'Answer a shell',
  description: 'Answers the scripts that `lakelog completion` prints.',
  examples: ['lakelog completion-server', 'lakelog completion-server -- lakelog al'],
  args: [['[words...]', 'what was typed']],
  options: () => [],
  run: async (_: [Paths], __: object, context) => (await import('./completion.js')).answerShell(context),
};

const check: Command = {
  name: 'check',
  summary: 'Judge all gates and the decisions of lakelog.toml, with one exit code',
  description:
    'Judges every gate, shipped and own, and the compare and drift entries of lakelog.toml over one loading. It ends with the worst of what each of them would end with alone: 1, then 2, 3 and 0; one that is a warning in lakelog.toml adds 0.',
  examples: ['lakelog check logs/', 'lakelog check logs/ --format github -o check.xml -o check.sarif'],
  args: [PATHS],
  options: () => [
    gateOptions([gatedKindOption(), familyAlphaOption()]),
    filterOptions(),
    ...logOptions(),
    outputOptions(gateFormatNames),
  ],
  run: async ([paths]: [Paths], flags: CheckFlags, context) =>
    (await import('./check.js')).check(paths, flags, context),
};

const config: Command = {
  name: 'config',
  summary: 'Print every setting, and who says so',
  description:
    'Prints every setting with its value and its origin (an option, an environment variable, the line of lakelog.toml, or the default), and the entries of lakelog.toml. Settings that are weaker than their defaults are marked.',
  examples: ['lakelog config', 'lakelog config --json --max-age 26h'],
  args: [],
  options: () => [
    { heading: null, options: [new Option('--json', 'as JSON')] },
    { heading: 'Settings:', options: settingOptions() },
  ],
  run: async (_: [], flags: { json?: true }, context) => (await import('./config.js')).config(flags, context),
};

const SELECTION: NonNullable<Command['notes']> = {
  heading: 'Selections:',
  items: [
    ['all', 'every call that passes the filters'],
    [
      'KEY=VALUE,…',
      'calls that have it; keys: model, provider, kind, daemon, environment, prompt_version, validator_version, response_model, since, until',
    ],
    ['', 'a key twice means any of both; a comma in a value is written \\, or in quotes'],
    ['FILE', 'counts of an earlier --save-baseline'],
  ],
};

const compare: Command = {
  name: 'compare',
  summary: 'Say whether one arm of calls is better or worse than another',
  description:
    'Compares two arms of calls: rates and means with intervals, crude and in the same mix of kinds, and one verdict that may be looked at daily. With --not-worse-than it is a gate: 1 = worse by more is shown, 0 = that is excluded, 3 = cannot tell yet.',
  notes: SELECTION,
  examples: [
    'lakelog compare --baseline model=gpt-4.1 --candidate model=gpt-4.1-mini logs/',
    'lakelog compare --baseline kind=fill --save-baseline main.json logs/',
  ],
  args: [PATHS],
  options: () => [
    {
      heading: 'Comparison:',
      options: [
        new Option('--baseline <selection>', 'what is compared with: a selection or a file'),
        new Option('--candidate <selection>', 'what is judged'),
        metricOption(),
        new Option(
          '--not-worse-than <margin>',
          'be a gate: how much worse still passes, .10 = ten points (verdicts tell of .10 without it)',
        ).argParser(marginParser),
        alphaOption('.025'),
        new Option(
          '--save-baseline <file>',
          'keep the counts of the baseline; without --candidate do nothing else',
        ),
        new Option('--strict', 'no gate: exit 3 on any reject or conflict all the same'),
      ],
    },
    ...decisionOptions(),
  ],
  run: async ([paths]: [Paths], flags: CompareFlags, context) =>
    (await import('./compare.js')).compare(paths, flags, context),
};

const drift: Command = {
  name: 'drift',
  summary: 'Say whether a rate has fallen',
  description:
    'Says whether a rate has fallen: since a moment, since a change of version, or on any day. Kinds and models are judged each by itself, so that a change of mix never fires. It may be looked at daily: 1 = fallen, 0 = a fall by more than the margin is excluded, 3 = cannot tell yet.',
  examples: ['lakelog drift logs/', 'lakelog drift --since-change prompt_version logs/ --output drift.xml'],
  args: [PATHS],
  options: () => [
    {
      heading: 'Drift:',
      options: [
        metricOption(),
        new Option('--change-at <time>', 'since when: a date or RFC 3339'),
        new Option(
          '--since-change <version>',
          'since the last change of model, response_model, prompt_version or validator_version, of each kind',
        ),
        new Option(
          '--margin <margin>',
          'the largest fall that need not be excluded (default: LAKELOG_MARGIN, margin of lakelog.toml, .10)',
        ).argParser(marginParser),
        alphaOption('.01'),
      ],
    },
    ...decisionOptions(),
  ],
  run: async ([paths]: [Paths], flags: DriftFlags, context) =>
    (await import('./drift.js')).drift(paths, flags, context),
};

/** The commands that are no questions, in the order in which the help lists them. */
export const COMMANDS: readonly Command[] = [
  ...[check, compare, drift, report, query, show, ack, validate, watch, sync, lake, queries, schema, config],
  ...[completion, completionServer],
];
