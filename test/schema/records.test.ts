import { describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import {
  ATTEMPT_FIELDS,
  CONTENT_COMMENT,
  DOCUMENT_FIELDS,
  type Field,
  REPLAY_FIELDS,
  SESSION_FIELDS,
} from '../../src/schema/fields.js';
import { type JsonSchema, jsonSchema } from '../../src/schema/json-schema.js';
import { replayRecord, sessionRecord } from '../../src/schema/records.js';
import type { ReplayRecord, SessionRecord } from '../../src/schema/types.js';
import { isValid } from './json-schema-view.js';
import { fullAttempt, fullDocument, fullReplay, fullSession } from './samples.js';

const names = (fields: readonly Field[]) => fields.map((field) => field.name);

/** A value of each type, to be put where it does not belong. */
const STRANGERS = [true, 1, 1.5, -1, 2 ** 53, '', 'text', '1', [], [1], [null], ['text'], {}, { id: 1 }];

const omit = (record: object, name: string) =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));

function* everyFieldWithEveryStranger(record: object): Generator<object> {
  for (const name of Object.keys(record)) {
    yield omit(record, name);
    for (const value of [null, ...STRANGERS]) yield { ...record, [name]: value };
  }
}

const GOOD_TIMESTAMPS = [
  '2026-09-14T08:00:00Z',
  '2026-09-14t08:00:00.123456789z',
  '2024-02-29T23:59:59+14:00',
  '2000-02-29T00:00:00-00:00',
];
const BAD_TIMESTAMPS = [
  '2026-09-14T08:00:00',
  '2026-09-14',
  '2026-09-14T24:00:00Z',
  '2026-09-14T08:00:60Z',
  '2026-9-14T08:00:00Z',
  '2026-09-14 08:00:00Z',
  '2026-09-14T08:00:00+0200',
  '2026-09-14T08:00:00 Europe/Prague',
  '2026-09-14T08:00:00Z\n',
  'infinity',
  'now',
];
/** They have the form, but there is no such day. */
const IMPOSSIBLE_DAYS = [
  '2026-13-01T08:00:00Z',
  '2026-00-01T08:00:00Z',
  '2026-09-00T08:00:00Z',
  '2026-02-29T08:00:00Z',
  '1900-02-29T08:00:00Z',
  '2026-04-31T08:00:00Z',
  '2026-01-32T08:00:00Z',
];

describe('types and tables', () => {
  it('name the same fields in the same order', () => {
    expect(Object.keys(fullSession)).toEqual(names(SESSION_FIELDS));
    expect(Object.keys(fullReplay)).toEqual(names(REPLAY_FIELDS));
    expect(Object.keys(fullAttempt)).toEqual(names(ATTEMPT_FIELDS));
    expect(Object.keys(fullDocument)).toEqual(names(DOCUMENT_FIELDS));
  });

  it('give the zod schemas their static types', () => {
    expectTypeOf<z.infer<typeof sessionRecord>>().toEqualTypeOf<SessionRecord>();
    expectTypeOf<z.infer<typeof replayRecord>>().toEqualTypeOf<ReplayRecord>();
  });
});

describe('sessionRecord', () => {
  const ok = (changes: object) => sessionRecord.safeParse({ ...fullSession, ...changes }).success;

  it('keeps what it does not know', () => {
    expect(sessionRecord.parse({ ...fullSession, team: 'North' })).toEqual({ ...fullSession, team: 'North' });
  });

  it('needs the required fields only', () => {
    for (const { name, required } of SESSION_FIELDS) {
      expect(sessionRecord.safeParse(omit(fullSession, name)).success, name).toBe(required !== true);
      expect(ok({ [name]: null }), name).toBe(required !== true);
    }
  });

  it.each(GOOD_TIMESTAMPS)('takes the timestamp %s', (timestamp) => expect(ok({ timestamp })).toBe(true));
  it.each([...BAD_TIMESTAMPS, ...IMPOSSIBLE_DAYS])('refuses the timestamp %j', (timestamp) =>
    expect(ok({ timestamp })).toBe(false),
  );

  it.each([
    { iterations: '1.7' },
    { iterations: 1.7 },
    { iterations: -1 },
    { iterations: 2 ** 53 },
    { iterations: 0 },
    { iterations: Number.NaN },
    { final_verdict: 'Accepted' },
    { final_verdict: 'timeout' },
    { grounded_in_roster: 'false' },
    { proposed_worker_ids: ['W-0033', null] },
    { duration_ms: Number.POSITIVE_INFINITY },
    { seq: 0 },
    { session_id: '' },
    { schema: 'replay.run.v1' },
  ])('refuses %j', (changes) => expect(ok(changes)).toBe(false));

  it.each([
    { iterations: 0, final_verdict: 'infra_error' },
    { iterations: 0, final_verdict: 'max_iter_exhausted' },
    { iterations: Number.MAX_SAFE_INTEGER },
    { call_id: '' },
    { kind: 'Fill' },
    { max_iterations: -1 },
  ])('takes %j', (changes) => expect(ok(changes)).toBe(true));

  it.each([
    { attempts: 7 },
    { attempts: 'accepted' },
    { attempts: {} },
    { attempts: [] },
    { attempts: [5, null, { verdict: 'weird' }] },
  ])('takes %j', (changes) => expect(ok(changes)).toBe(true));
});

describe('replayRecord', () => {
  const ok = (changes: object) => replayRecord.safeParse({ ...fullReplay, ...changes }).success;

  it.each([
    { documents: [] },
    { documents: [{}] },
    { documents: [{ id: null, page: 3 }] },
    { documents: null },
  ])('takes %j', (changes) => expect(ok(changes)).toBe(true));
  it.each([
    { documents: {} },
    { documents: [1] },
    { documents: [null] },
    { documents: [{ score: '0.9' }] },
    { documents: [{ rank: 1.5 }] },
    { run_id: '' },
    { context_tokens: '360' },
  ])('refuses %j', (changes) => expect(ok(changes)).toBe(false));
});

describe('jsonSchema', () => {
  const cases = [
    ['session', sessionRecord, fullSession],
    ['replay', replayRecord, fullReplay],
  ] as const;

  it.each(cases)('%s agrees with zod on records good and bad', (name, zodSchema, full) => {
    const schema = jsonSchema(name);
    const records: unknown[] = [
      ...everyFieldWithEveryStranger(full),
      ...[...GOOD_TIMESTAMPS, ...BAD_TIMESTAMPS].map((timestamp) => ({ ...full, timestamp })),
      { ...full, final_verdict: 'infra_error', iterations: 0 },
      { ...full, final_verdict: 'accepted', iterations: 0 },
      { ...full, documents: [{ score: '0.9' }] },
      { ...full, documents: [{ rank: 1.5 }, {}] },
      { ...full, team: 'North' },
      null,
      [],
      [full],
      42,
      'text',
      {},
    ];
    const verdicts = records.map((record) => zodSchema.safeParse(record).success);
    expect(records.map((record) => isValid(record, schema))).toEqual(verdicts);
    expect(new Set(verdicts)).toEqual(new Set([true, false]));
  });

  it.each(cases)('%s only annotates that the day exists', (name, zodSchema, full) => {
    for (const timestamp of IMPOSSIBLE_DAYS) {
      expect(zodSchema.safeParse({ ...full, timestamp }).success).toBe(false);
      expect(isValid({ ...full, timestamp }, jsonSchema(name))).toBe(true);
    }
  });

  it('describes every field and marks the content', () => {
    for (const [schema, fields] of [
      [jsonSchema('session'), SESSION_FIELDS],
      [jsonSchema('replay'), REPLAY_FIELDS],
    ] as const) {
      const properties = schema.properties as Record<string, JsonSchema>;
      expect(Object.keys(properties)).toEqual(names(fields));
      for (const { name, note, content } of fields) {
        expect(properties[name]!.description).toContain(note);
        expect(properties[name]!.$comment).toBe(content && CONTENT_COMMENT);
      }
      expect(schema.required).toEqual(names(fields.filter((field) => field.required)));
      expect(schema.additionalProperties).toBe(true);
      expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    }
  });

  it('describes an attempt without asking for it', () => {
    const { properties, $defs } = jsonSchema('session') as Record<string, Record<string, JsonSchema>>;
    expect(Object.keys(properties!.attempts!)).toEqual(['description']);
    expect(Object.keys($defs!.attempt!.properties as object)).toEqual(names(ATTEMPT_FIELDS));
    expect(isValid(fullAttempt, $defs!.attempt!)).toBe(true);
  });

  it('is plain JSON', () => {
    for (const name of ['session', 'replay'] as const) {
      expect(JSON.parse(JSON.stringify(jsonSchema(name)))).toEqual(jsonSchema(name));
    }
  });
});
