/**
 * What lakelog.toml may say, as data: the settings and the entries of `lakelog check`. Options, environment
 * variables, the JSON Schema for editors, `lakelog config` and docs/CHECK.md are made from it.
 */

export const POLICY_FORMAT = 'lakelog.policy.v1';

/** How a value is written and what it may be. */
export type SettingType =
  | 'path'
  | 'paths'
  | 'folders'
  | 'kinds'
  | 'count'
  | 'duration'
  | 'zone'
  | 'column'
  | 'column or none'
  | 'alpha'
  | 'margin';

export interface SettingRow {
  /** In lakelog.toml. */
  readonly key: string;
  readonly type: SettingType;
  /** Null where it differs from command to command. */
  readonly flag: string | null;
  readonly env: string;
  /** What holds where nobody says anything, in words. */
  readonly usual: string;
  /** Which values are weaker than the default, in words; null where none can be. */
  readonly weaker: string | null;
  readonly note: string;
  /** As it stands behind `key =`. */
  readonly example: string;
}

const row = <K extends string>(
  key: K,
  type: SettingType,
  [flag, env]: readonly [string | null, string],
  [usual, weaker]: readonly [string, string | null],
  note: string,
  example: string,
) => ({ key, type, flag, env, usual, weaker, note, example }) satisfies SettingRow;

export const SETTINGS = [
  row(
    'sessions',
    'paths',
    ['--sessions', 'LAKELOG_SESSIONS'],
    ['./sessions.jsonl', null],
    'Where to look for logs; each line says itself what it is.',
    '["logs/"]',
  ),
  row(
    'replay_runs',
    'paths',
    ['--replay-runs', 'LAKELOG_REPLAY_RUNS'],
    ['./replay_runs.jsonl', null],
    'More places to look for logs.',
    '["replay_runs.jsonl"]',
  ),
  row(
    'lake',
    'path',
    ['--lake', 'LAKELOG_LAKE'],
    ['none', null],
    'The file that keeps what was read.',
    '"lakelog.duckdb"',
  ),
  row(
    'queries',
    'folders',
    ['--queries', 'LAKELOG_QUERIES'],
    ['none', null],
    'Folders of your own questions; those of options, environment and file add up.',
    '["queries/"]',
  ),
  row(
    'tz',
    'zone',
    ['--tz', 'LAKELOG_TZ'],
    ['UTC', null],
    'Time zone of dates and of the column day.',
    '"Europe/Berlin"',
  ),
  row(
    'gated_kinds',
    'kinds',
    ['--gated-kind', 'LAKELOG_GATED_KINDS'],
    ['fill', 'without a kind that is gated by default'],
    'Kinds whose accepted calls must be grounded; replaces the default of every question.',
    '["fill"]',
  ),
  row(
    'min_judged',
    'count',
    ['--min-judged', 'LAKELOG_MIN_JUDGED'],
    ['1', 'less'],
    'A gate cannot vouch with fewer judged calls.',
    '100',
  ),
  row(
    'max_rejects',
    'count',
    ['--max-rejects', 'LAKELOG_MAX_REJECTS'],
    ['0', 'more'],
    'Rejects and conflicts that do not keep a gate from vouching.',
    '0',
  ),
  row(
    'max_age',
    'duration',
    ['--max-age', 'LAKELOG_MAX_AGE'],
    ['none', null],
    'A gate cannot vouch when the newest call it judges by is older.',
    '"26h"',
  ),
  row(
    'acks',
    'path',
    ['--acks', 'LAKELOG_ACKS'],
    ['./lakelog-acks.jsonl', null],
    'The file of acknowledgements.',
    '"lakelog-acks.jsonl"',
  ),
  row(
    'expect',
    'path',
    ['--expect', 'LAKELOG_EXPECT'],
    ['none', null],
    'The file that names who must be heard of.',
    '"expect.toml"',
  ),
  row(
    'roster',
    'path',
    ['--roster', 'LAKELOG_ROSTER'],
    ['none', null],
    'What stamps are checked against: a roster, or a folder of them by hash.',
    '"roster.csv"',
  ),
  row(
    'roster_column',
    'column',
    ['--roster-column', 'LAKELOG_ROSTER_COLUMN'],
    ['worker_id', null],
    'Its column of worker ids.',
    '"worker_id"',
  ),
  row(
    'roster_active_column',
    'column or none',
    ['--roster-active-column', 'LAKELOG_ROSTER_ACTIVE'],
    ['active, where there is one', 'none: everybody is active'],
    'Its column that says who is active; empty = there is none.',
    '"active"',
  ),
  row(
    'alpha',
    'alpha',
    ['--alpha', 'LAKELOG_ALPHA'],
    ['.025; .01 for drift', 'more'],
    'How often a decision may be wrong. In `lakelog check`, of all compare and drift entries together: of m entries each gets a share of alpha / m.',
    '0.025',
  ),
  row(
    'margin',
    'margin',
    [null, 'LAKELOG_MARGIN'],
    ['.10', 'more'],
    'How much worse still passes, for entries that have no margin of their own.',
    '0.10',
  ),
] as const;

export type SettingKey = (typeof SETTINGS)[number]['key'];

/** What a verdict of an entry is worth in `lakelog check`. */
export const LEVELS = ['fail', 'warn'] as const;
export type Level = (typeof LEVELS)[number];

export type EntryKind = 'gates' | 'compare' | 'drift';

export interface EntryKey {
  readonly key: string;
  readonly type: 'text' | 'name' | 'margin' | 'level' | 'params';
  readonly required: boolean;
  readonly note: string;
  readonly example: string;
}

const LEVEL_KEYS: readonly EntryKey[] = [
  {
    key: 'level',
    type: 'level',
    required: false,
    note: 'warn: whatever it finds adds 0 to the exit code. Never of the alarm.',
    example: '"fail"',
  },
  {
    key: 'undecided',
    type: 'level',
    required: false,
    note: 'warn: where it cannot vouch it adds 0. Never of the alarm.',
    example: '"fail"',
  },
];

/** As the names of gates: they stand side by side in every output. */
export const ENTRY_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const NAME: EntryKey = {
  key: 'name',
  type: 'name',
  required: true,
  note: 'What it is called in every output.',
  example: '"new-prompt"',
};
const METRIC: EntryKey = {
  key: 'metric',
  type: 'text',
  required: false,
  note: 'What is compared.',
  example: '"first-shot-rate"',
};

/** `[gates.NAME]`, and each `[[compare]]` and `[[drift]]`. */
export const ENTRIES: Readonly<Record<EntryKind, readonly EntryKey[]>> = {
  gates: [
    ...LEVEL_KEYS,
    {
      key: 'params',
      type: 'params',
      required: false,
      note: 'Parameters of the gate, also where it is asked alone; an option goes before.',
      example: '{ allow_unjudged = true }',
    },
  ],
  compare: [
    NAME,
    {
      key: 'baseline',
      type: 'text',
      required: true,
      note: 'Which calls are compared with: a selection, or a file of --save-baseline.',
      example: '"prompt_version=v12"',
    },
    {
      key: 'candidate',
      type: 'text',
      required: true,
      note: 'Which calls are judged.',
      example: '"prompt_version=v13"',
    },
    METRIC,
    {
      key: 'not_worse_than',
      type: 'margin',
      required: false,
      note: 'How much worse still passes; margin where it is left out.',
      example: '0.10',
    },
    ...LEVEL_KEYS,
  ],
  drift: [
    NAME,
    {
      key: 'change_at',
      type: 'text',
      required: false,
      note: 'Since when: a date or RFC 3339.',
      example: '"2026-09-01"',
    },
    {
      key: 'since_change',
      type: 'text',
      required: false,
      note: 'Since the last change of a version.',
      example: '"prompt_version"',
    },
    METRIC,
    {
      key: 'margin',
      type: 'margin',
      required: false,
      note: 'The largest fall that need not be excluded; margin of the file where it is left out.',
      example: '0.10',
    },
    ...LEVEL_KEYS,
  ],
};
