/** The grammar of a question's header, as data: error messages and docs/QUESTIONS.md are made from it. */

import type { ColumnType } from '../schema/result.js';

export interface HeaderKey {
  readonly key: string;
  /** What stands behind `-- key:`. */
  readonly form: string;
  /** `gate` = needed by gates, and only they may have it. */
  readonly use: 'required' | 'optional' | 'gate' | 'optional in gates';
  readonly repeats: boolean;
  readonly note: string;
}

export const HEADER_KEYS: readonly HeaderKey[] = [
  {
    key: 'title',
    form: 'text',
    use: 'required',
    repeats: false,
    note: 'Stands above the answer and in the list of commands.',
  },
  {
    key: 'question',
    form: 'text',
    use: 'required',
    repeats: false,
    note: 'What it answers, in one sentence: the first words of its `--help`.',
  },
  {
    key: 'needs',
    form: 'replay_runs | attempts',
    use: 'optional',
    repeats: false,
    note: 'What the answer rests on besides calls. `replay_runs`: without a single one it ends with 3. `attempts`: calls whose attempts are not all recorded or not understood are counted, told on stderr, and 3 with `--strict`.',
  },
  {
    key: 'param',
    form: 'name type = default -- note',
    use: 'optional',
    repeats: true,
    note: 'A parameter: an option of the command (`min_n` is `--min-n`), and columns of the table `params`, which the SQL reads by CROSS JOIN. The types are below.',
  },
  {
    key: 'column',
    form: 'name type "label" minor when flag -- note',
    use: 'required',
    repeats: true,
    note: 'A column of the SELECT, all of them, by name. The label heads tables (without one, the name does); `minor` columns leave first where a terminal is too narrow for all; `hidden` in its place never shows it, for what only an interval reads; `when` shows the column only where that column of `params` is true, `when roster` only with `--roster`; the note stands in `--help` and in the JSON envelope.',
  },
  {
    key: 'interval',
    form: 'low high = function(column, …)',
    use: 'optional',
    repeats: true,
    note: 'Fills the two columns `low` and `high`, which the SELECT does not yield, with the ends of a 95 % interval of the counts that it does yield. The functions are below.',
  },
  {
    key: 'money',
    form: 'column = price(model, input_tokens, output_tokens, per_units)',
    use: 'optional',
    repeats: true,
    note: 'Gives the command the option `--prices` (a price list in the format of LiteLLM), with which the column, which the SELECT does not yield, is shown: the tokens of a row at the prices of its model, for each of `per_units` where that is named. Null where the model has no price.',
  },
  {
    key: 'worth',
    form: 'pays recommended = limit(attempt, calls, accepted, cost, rate_low, rate_high)',
    use: 'optional',
    repeats: true,
    note: 'Gives it the option `--worth` (of an accepted call), with which both columns are shown: whether the attempt of a row earns more than it costs, `yes`, `no` or `cannot tell`, and whether it is the limit at which the rows from `attempt` 1 on earn most.',
  },
  {
    key: 'gate',
    form: 'column',
    use: 'gate',
    repeats: false,
    note: 'Makes it a gate, whose rows are violations. The column says which rule a row breaks.',
  },
  {
    key: 'fires',
    form: 'value -- note',
    use: 'gate',
    repeats: true,
    note: 'Rows with this value make it fire: exit 1.',
  },
  {
    key: 'cannot-vouch',
    form: 'value unless flag -- note',
    use: 'optional in gates',
    repeats: true,
    note: 'Rows with this value keep it from vouching: exit 3. `unless` names a flag that allows them.',
  },
  {
    key: 'judges',
    form: 'condition',
    use: 'gate',
    repeats: false,
    note: 'SQL condition over `sessions` for the calls that it judges. Where it holds for fewer than `--min-judged` calls, it cannot vouch.',
  },
  {
    key: 'canary',
    form: 'value against roster {"field": …}',
    use: 'gate',
    repeats: true,
    note: 'A record that is planted before your logs are believed, with these fields, and must come back with this value; else the run ends with 2. `against roster` plants it only with `--roster` (`against rosters`: with a folder of them), and once more with a real worker in the place of the phantom, which must not come back; `{phantom}`, `{worker}` and `{roster_hash}` in its texts stand for an id that no roster has, one that it has, and the hash of the roster.',
  },
];

export interface ParamTypeForm {
  readonly type: string;
  readonly form: string;
  readonly option: string;
  /** Columns of `params` that it makes. */
  readonly columns: string;
}

export const PARAM_TYPES: readonly ParamTypeForm[] = [
  {
    type: 'set',
    form: 'set(a|b)',
    option: '`--name a,b`, or repeated',
    columns: '`name_a`, `name_b`: booleans',
  },
  { type: 'choice', form: 'choice(a|b)', option: '`--name a`', columns: '`name`: text, one of them' },
  {
    type: 'kinds',
    form: 'kinds',
    option: '`--name fill`, repeatable',
    columns: '`name`: text, joined by commas; also decides the column `gated` of `sessions`',
  },
  { type: 'flag', form: 'flag', option: '`--name`, `--no-name`', columns: '`name`: boolean' },
  {
    type: 'integer',
    form: 'integer(min)',
    option: '`--name 3`; `(min)` may be left out',
    columns: '`name`: integer',
  },
  { type: 'number', form: 'number', option: '`--name 0.5`', columns: '`name`: number' },
  { type: 'text', form: 'text', option: '`--name word`', columns: '`name`: text' },
];

export interface ColumnTypeForm {
  readonly type: ColumnType;
  /** How a table shows it; machine formats have the value as it is. */
  readonly shown: string;
}

export const COLUMN_TYPES: readonly ColumnTypeForm[] = [
  { type: 'text', shown: 'as it is, control characters made visible' },
  { type: 'integer', shown: 'to the right' },
  { type: 'number', shown: 'to the right, rounded' },
  { type: 'fraction', shown: 'as a percentage: 0.64 is 64 %' },
  { type: 'boolean', shown: 'yes or no' },
  { type: 'timestamp', shown: 'RFC 3339, UTC' },
  { type: 'json', shown: 'as JSON' },
];

export type IntervalFunctionName = 'wilson' | 'clustered_wilson';

export interface IntervalFunction {
  readonly name: IntervalFunctionName;
  readonly form: string;
  readonly counts: readonly string[];
  readonly note: string;
}

const intervalFunction = (
  name: IntervalFunctionName,
  counts: readonly string[],
  note: string,
): IntervalFunction => ({ name, counts, form: `${name}(${counts.join(', ')})`, note });

export const INTERVAL_FUNCTIONS: readonly IntervalFunction[] = [
  intervalFunction(
    'wilson',
    ['successes', 'n'],
    'Of `successes` among `n` that say nothing of each other, such as traces: E. B. Wilson, J. Am. Stat. Assoc. 22, 1927.',
  ),
  intervalFunction(
    'clustered_wilson',
    ['successes', 'n', 'traces', 'n_squared', 'successes_squared', 'n_times_successes'],
    "Of calls that come in traces: calls of one trace resemble each other, so that ten of one tell less than ten of ten. Count n and x in each trace first (those with n = 0 left out), then yield Σx, Σn, the traces, Σn², Σx² and Σnx. Wilson's interval at the effective n of E. L. Korn and B. I. Graubard, Survey Methodology 24, 1998; where every trace has one call, it is `wilson`.",
  ),
];
