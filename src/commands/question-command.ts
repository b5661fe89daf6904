import { InvalidArgumentError, Option } from 'commander';
import { LakelogError } from '../errors.js';
import { type Given, optionName } from '../query/params.js';
import type { Param, Query } from '../query/question.js';
import { formatNames, gateFormatNames } from '../render/format-names.js';
import type { Command } from './command.js';
import {
  chartOption,
  filterOptions,
  gateOptions,
  limitOption,
  logOptions,
  type OptionGroup,
  outputOptions,
  PATHS,
  repeatable,
} from './options.js';
import type { QuestionFlags } from './question.js';

/**
 * The subcommand that a question is.
 * @throws LakelogError (exit 2) when its options are made, for a parameter that is called like an option of lakelog's.
 */
export function questionCommand(query: Query): Command {
  return {
    name: query.name,
    summary: query.title,
    description: query.question,
    notes: columnNotes(query),
    examples: examplesOf(query),
    args: [PATHS],
    options: () => {
      ensureOwnNames(query);
      const own = { heading: 'Question:', options: query.params.map(paramOption) };
      return [own, ...questionOptions(query)];
    },
    run: async ([paths]: [readonly string[]], flags: QuestionFlags, context) => {
      const given: Given = Object.fromEntries(
        query.params.map(({ name }) => [name, ownFlag(flags, camel(name)) as Given[string]]),
      );
      const { question } = await import('./question.js');
      return question(query, given, paths, flags, context);
    },
  };
}

/** The options that every question has, or every gate. */
function questionOptions(query: Query): readonly OptionGroup[] {
  const { gate } = query;
  const strict = new Option(
    '--strict',
    'exit 3 on any reject, conflict or call that cannot be judged, or when no call passes the filters',
  );
  return [
    gate ? gateOptions() : { heading: 'Question:', options: [chartOption(), limitOption(), strict] },
    ...(query.money.length > 0 ? [moneyOptions(query)] : []),
    filterOptions(),
    ...logOptions(),
    outputOptions(gate ? gateFormatNames : formatNames),
  ];
}

const moneyOptions = ({ worth }: Query): OptionGroup => ({
  heading: 'Money:',
  options: [
    new Option('--prices <file>', 'prices of tokens, in the format of LiteLLM (JSON): shows what they cost'),
    ...(worth.length === 0
      ? []
      : [
          new Option(
            '--worth <money>',
            'what an accepted call is worth, in the currency of the prices: recommends a limit',
          ).argParser(positive),
        ]),
  ],
});

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It takes a number above 0.');
}

/** A parameter called like an option of lakelog's would silently be that option. */
export function ensureOwnNames(query: Query): void {
  const options = questionOptions(query).flatMap((group) => group.options);
  const taken = new Set(['--help', '--version', '--queries', '--param', ...options.map(({ long }) => long)]);
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

function columnNotes({ columns }: Query): NonNullable<Command['notes']> {
  const shown = columns.filter(({ hidden }) => !hidden);
  return { heading: 'Columns:', items: shown.map(({ name, note }) => [name, note ?? '']) };
}

function examplesOf({ name, gate }: Query): readonly string[] {
  return gate
    ? [`lakelog ${name} sessions.jsonl`, `lakelog ${name} logs/ --max-age 26h --output ${name}.xml`]
    : [`lakelog ${name} sessions.jsonl`, `lakelog ${name} logs/ --since 7d --output ${name}.csv`];
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
