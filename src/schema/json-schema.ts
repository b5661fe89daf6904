import { z } from 'zod';
import { BATCH_FORMAT } from './batch.js';
import { BASELINE_FORMAT } from './counts.js';
import {
  ACK_SCHEMA,
  ackLine,
  baselineFile,
  batchReceipt,
  CHECK_FORMAT,
  CONFIG_FORMAT,
  checkEnvelope,
  configEnvelope,
  ERROR_FORMAT,
  errorEnvelope,
  RESULT_FORMAT,
  resultEnvelope,
  STORY_FORMAT,
  storyEnvelope,
  WATCH_FORMAT,
  watchEvent,
} from './envelope.js';
import { ATTEMPT_FIELDS, REPLAY_SCHEMA, SESSION_SCHEMA } from './fields.js';
import {
  ACKS_FORMAT,
  ackList,
  COMPACT_FORMAT,
  compacted,
  LAKE_FORMAT_NAME,
  lakeChecks,
  lakeInfo,
  QUERIES_FORMAT,
  questionList,
  VERIFY_FORMAT,
} from './listings.js';
import {
  ENTRIES,
  ENTRY_NAME,
  type EntryKey,
  type EntryKind,
  LEVELS,
  POLICY_FORMAT,
  SETTINGS,
  type SettingType,
} from './policy.js';
import { looseRecord, replayRecord, sessionRecord } from './records.js';

export type RecordName = 'session' | 'replay';
export type EnvelopeName =
  | ('batch' | 'check' | 'config' | 'result' | 'story' | 'ack' | 'error' | 'baseline' | 'watch')
  | ('lake' | 'verify' | 'compact' | 'queries' | 'acks');

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { [keyword: string]: unknown };

/**
 * The published JSON Schema of a record, in keywords that every validator knows: strict ones refuse any other, and a
 * `format` that they were not taught. Two things it cannot say as strictly as the loader: that the day of a timestamp
 * exists, and that `1.0` is no integer.
 */
export function jsonSchema(name: RecordName | EnvelopeName | 'policy'): JsonSchema {
  switch (name) {
    case 'policy':
      return policySchema();
    case 'batch':
      return closedSchema(BATCH_FORMAT, batchReceipt, 'The receipt of a batch in a folder lake');
    case 'check':
      return closedSchema(CHECK_FORMAT, checkEnvelope, 'What lakelog check prints with --json');
    case 'config':
      return closedSchema(CONFIG_FORMAT, configEnvelope, 'What lakelog config prints with --json');
    case 'session':
      return sessionSchema();
    case 'replay':
      return replaySchema();
    case 'result':
      return closedSchema(RESULT_FORMAT, resultEnvelope, 'What lakelog prints for a question with --json');
    case 'story':
      return closedSchema(STORY_FORMAT, storyEnvelope, 'What lakelog show prints with --json');
    case 'watch':
      return closedSchema(WATCH_FORMAT, watchEvent, 'A line that lakelog watch prints with --json');
    case 'lake':
      return closedSchema(LAKE_FORMAT_NAME, lakeInfo, 'What lakelog lake info prints with --json');
    case 'verify':
      return closedSchema(VERIFY_FORMAT, lakeChecks, 'What lakelog lake verify prints with --json');
    case 'compact':
      return closedSchema(COMPACT_FORMAT, compacted, 'What lakelog lake compact prints with --json');
    case 'queries':
      return closedSchema(QUERIES_FORMAT, questionList, 'What lakelog queries prints with --json');
    case 'acks':
      return closedSchema(ACKS_FORMAT, ackList, 'What lakelog ack list prints with --json');
    case 'error':
      return closedSchema(
        ERROR_FORMAT,
        errorEnvelope,
        'What lakelog prints on stderr where it fails, with --json',
      );
    case 'baseline':
      return closedSchema(BASELINE_FORMAT, baselineFile, 'What lakelog compare writes with --save-baseline');
    case 'ack':
      return closedSchema(
        ACK_SCHEMA,
        ackLine,
        'One acknowledgement: one line of lakelog-acks.jsonl, JSON Lines in UTF-8, terminated by \\n',
      );
  }
}

/** What lakelog itself writes: nothing but the keys that are named, except where a shape is open. */
function closedSchema(title: string, schema: z.ZodType, what: string): JsonSchema {
  const { $schema, description, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    reused: 'inline',
    override: ({ jsonSchema }) => {
      // zod writes the equivalent {}, which reads like an omission.
      if (isEmpty(jsonSchema.additionalProperties)) jsonSchema.additionalProperties = true;
      // Its pattern says the same, and is known to every validator.
      delete jsonSchema.format;
    },
  });
  return {
    $schema,
    $id: `https://lakelog.dev/schema/${title}.json`,
    title,
    description: description === undefined ? `${what}.` : `${what}. ${description}`,
    ...rest,
  };
}

function isEmpty(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && Object.keys(schema).length === 0;
}

/** For editors; what it refuses lakelog refuses too, and says where. */
function policySchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `https://lakelog.dev/schema/${POLICY_FORMAT}.json`,
    title: POLICY_FORMAT,
    description: 'lakelog.toml: settings of lakelog, and what lakelog check judges beside all gates.',
    type: 'object',
    properties: {
      ...Object.fromEntries(
        SETTINGS.map(({ key, type, note, usual }) => [
          key,
          { description: `${note} Default: ${usual}.`, ...VALUE_SCHEMAS[type] },
        ]),
      ),
      gates: {
        description: 'What the verdict of a gate is worth in lakelog check, and its parameters, by its name.',
        type: 'object',
        additionalProperties: entrySchema('gates'),
      },
      compare: {
        description: 'Comparisons that lakelog check judges.',
        type: 'array',
        items: entrySchema('compare'),
      },
      drift: {
        description: 'Falls that lakelog check looks for.',
        type: 'array',
        items: entrySchema('drift'),
      },
      validatord: { description: 'The daemon reads this section, and nobody else.', type: 'object' },
    },
    additionalProperties: false,
  };
}

const SOME_TEXT: JsonSchema = { type: 'string', pattern: '\\S' };
const someOf = (one: JsonSchema): JsonSchema => ({
  anyOf: [one, { type: 'array', items: one, minItems: 1 }],
});

const VALUE_SCHEMAS: Readonly<Record<SettingType, JsonSchema>> = {
  path: SOME_TEXT,
  paths: someOf(SOME_TEXT),
  folders: someOf(SOME_TEXT),
  kinds: someOf({ type: 'string', minLength: 1 }),
  count: { type: 'integer', minimum: 0 },
  duration: { type: 'string', pattern: '^\\d+(s|m|h|d|w)$' },
  zone: SOME_TEXT,
  column: SOME_TEXT,
  'column or none': { type: 'string' },
  alpha: { type: 'number', exclusiveMinimum: 0, maximum: 0.5 },
  margin: { type: 'number', minimum: 0, exclusiveMaximum: 1 },
};

const ENTRY_SCHEMAS: Readonly<Record<EntryKey['type'], JsonSchema>> = {
  text: SOME_TEXT,
  name: { type: 'string', pattern: ENTRY_NAME.source },
  margin: VALUE_SCHEMAS.margin,
  level: { enum: [...LEVELS] },
  params: {
    type: 'object',
    additionalProperties: {
      anyOf: [
        { type: 'string' },
        { type: 'number' },
        { type: 'boolean' },
        { type: 'array', items: { type: 'string' }, minItems: 1 },
      ],
    },
  },
};

function entrySchema(kind: EntryKind): JsonSchema {
  const keys = ENTRIES[kind];
  const required = keys.filter((key) => key.required).map(({ key }) => key);
  return {
    type: 'object',
    properties: Object.fromEntries(
      keys.map(({ key, type, note }) => [key, { description: note, ...ENTRY_SCHEMAS[type] }]),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function sessionSchema(): JsonSchema {
  const { $schema, properties, ...rest } = objectSchema(sessionRecord);
  const attempts = (properties as { attempts: JsonSchema }).attempts;
  attempts.description = `${attempts.description} Recommended shape of each: #/$defs/attempt.`;
  return {
    $schema,
    $id: `https://lakelog.dev/schema/${SESSION_SCHEMA}.json`,
    title: SESSION_SCHEMA,
    description:
      'One iterate call (a generate, validate, retry loop): one line of sessions.jsonl, JSON Lines in UTF-8, terminated by \\n. ' +
      'Fields that are not required may be absent or null; unknown fields are kept.',
    properties,
    ...rest,
    if: { properties: { final_verdict: { const: 'accepted' } }, required: ['final_verdict'] },
    // biome-ignore lint/suspicious/noThenProperty: the JSON Schema keyword.
    then: { properties: { iterations: { type: 'integer', minimum: 1 } } },
    $defs: { attempt: attemptSchema() },
  };
}

function replaySchema(): JsonSchema {
  const { $schema, properties, ...rest } = objectSchema(replayRecord);
  return {
    $schema,
    $id: `https://lakelog.dev/schema/${REPLAY_SCHEMA}.json`,
    title: REPLAY_SCHEMA,
    description:
      'One replayed task: one line of replay_runs.jsonl, JSON Lines in UTF-8, terminated by \\n. ' +
      'Fields that are not required may be absent or null; unknown fields are kept.',
    properties,
    ...rest,
  };
}

function attemptSchema(): JsonSchema {
  const { $schema: _, ...rest } = objectSchema(looseRecord(ATTEMPT_FIELDS, ''));
  return {
    description:
      'Recommended shape of an element of `attempts`. Nothing refers to it: an attempt of another shape is shown ' +
      'as verdict "other" and never rejects the line.',
    ...rest,
  };
}

function objectSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    reused: 'inline',
    override: ({ jsonSchema }) => {
      // zod writes the equivalent {}, which reads like an omission.
      if (jsonSchema.type === 'object') jsonSchema.additionalProperties = true;
    },
  });
}
