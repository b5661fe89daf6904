import { z } from 'zod';
import {
  ACK_SCHEMA,
  ackLine,
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
import { looseRecord, replayRecord, sessionRecord } from './records.js';

export type RecordName = 'session' | 'replay';
export type EnvelopeName = 'result' | 'story' | 'ack' | 'error' | 'watch';

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { [keyword: string]: unknown };

/**
 * The published JSON Schema of a record, in keywords that every validator knows: strict ones refuse any other, and a
 * `format` that they were not taught. Two things it cannot say as strictly as the loader: that the day of a timestamp
 * exists, and that `1.0` is no integer.
 */
export function jsonSchema(name: RecordName | EnvelopeName): JsonSchema {
  switch (name) {
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
    case 'error':
      return closedSchema(
        ERROR_FORMAT,
        errorEnvelope,
        'What lakelog prints on stderr where it fails, with --json',
      );
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
