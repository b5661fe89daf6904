import { z } from 'zod';
import {
  CONTENT_COMMENT,
  DOCUMENT_FIELDS,
  FINAL_VERDICTS,
  type Field,
  REPLAY_FIELDS,
  REPLAY_SCHEMA,
  SESSION_FIELDS,
  SESSION_SCHEMA,
  TIMESTAMP_PATTERN,
} from './fields.js';
import type { ReplayRecord, SessionRecord } from './types.js';

/** RFC 3339 leaves the length of the month to the reader: 2026-02-30 matches the pattern. */
function isCalendarDay(timestamp: string): boolean {
  const [year = 0, month = 0, day = 0] = timestamp.slice(0, 10).split('-').map(Number);
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= lengths[month - 1]!;
}

const timestamp = z
  .string()
  .regex(new RegExp(TIMESTAMP_PATTERN), { error: 'not RFC 3339 with offset', abort: true })
  .refine(isCalendarDay, { error: 'no such calendar day' });

function valueSchema(field: Field, schema: string): z.ZodType {
  switch (field.type) {
    case 'schema':
      return z.literal(schema);
    case 'string':
      return z.string();
    case 'nonempty':
      return z.string().min(1);
    case 'timestamp':
      return timestamp;
    case 'integer':
      return z.int();
    case 'count':
      return z.int().min(0);
    case 'positive':
      return z.int().min(1);
    case 'number':
      return z.number();
    case 'boolean':
      return z.boolean();
    case 'strings':
      return z.array(z.string());
    case 'verdict':
      return z.enum(FINAL_VERDICTS);
    case 'documents':
      return z.array(looseRecord(DOCUMENT_FIELDS, schema));
    case 'any':
    case 'attempts':
      return z.unknown();
  }
}

function optional(value: z.ZodType): z.ZodType {
  // `unknown` already covers null; nullish() would publish it as anyOf [{}, null].
  return value instanceof z.ZodUnknown ? value.optional() : value.nullish();
}

/** Loose object of a table's fields: a required one must be there, any other may be absent or null. */
export function looseRecord(fields: readonly Field[], schema: string) {
  const shape = fields.map((field) => {
    const value = valueSchema(field, schema);
    return [
      field.name,
      (field.required ? value : optional(value)).meta({
        description: field.note,
        ...(field.content ? { $comment: CONTENT_COMMENT } : {}),
      }),
    ];
  });
  return z.looseObject(Object.fromEntries(shape) as Record<string, z.ZodType>);
}

/** One line of `sessions.jsonl`, parsed: design §3, and an accepted call has at least one iteration. */
export const sessionRecord = looseRecord(SESSION_FIELDS, SESSION_SCHEMA).refine(
  (record) => record.final_verdict !== 'accepted' || record.iterations !== 0,
  { path: ['iterations'], error: 'accepted with 0 iterations' },
) as z.ZodType as z.ZodType<SessionRecord>;

/** One line of `replay_runs.jsonl`, parsed: design §3. */
export const replayRecord = looseRecord(REPLAY_FIELDS, REPLAY_SCHEMA) as z.ZodType as z.ZodType<ReplayRecord>;
