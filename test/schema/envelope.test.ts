import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { baselineText } from '../../src/query/baseline-file.js';
import { renderErrorJson } from '../../src/render/error.js';
import { formats, renderStoryJson } from '../../src/render/index.js';
import { NOTHING } from '../../src/schema/counts.js';
import {
  type AckLine,
  ackLine,
  baselineFile,
  batchReceipt,
  checkEnvelope,
  configEnvelope,
  errorEnvelope,
  resultEnvelope,
  storyEnvelope,
  watchEvent,
} from '../../src/schema/envelope.js';
import { type EnvelopeName, type JsonSchema, jsonSchema } from '../../src/schema/json-schema.js';
import { CLEAR, FIRED } from '../render/gate-sample.js';
import { monster, PIPE, receipt, report } from '../render/sample.js';
import { call, run, story, storyWithContent } from '../render/story-sample.js';

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });

const published = {
  result: ajv.compile(jsonSchema('result')),
  story: ajv.compile(jsonSchema('story')),
  ack: ajv.compile(jsonSchema('ack')),
  error: ajv.compile(jsonSchema('error')),
  watch: ajv.compile(jsonSchema('watch')),
  check: ajv.compile(jsonSchema('check')),
  config: ajv.compile(jsonSchema('config')),
  baseline: ajv.compile(jsonSchema('baseline')),
  batch: ajv.compile(jsonSchema('batch')),
};
const zods = {
  ...{ result: resultEnvelope, story: storyEnvelope, ack: ackLine, error: errorEnvelope },
  ...{ check: checkEnvelope, config: configEnvelope, baseline: baselineFile, watch: watchEvent },
  batch: batchReceipt,
};

function check(name: keyof typeof published, value: unknown) {
  const valid = published[name](value);
  return { valid, errors: published[name].errors ?? [] };
}

function expectValid(name: keyof typeof published, value: unknown) {
  expect(check(name, value)).toEqual({ valid: true, errors: [] });
  expect(zods[name].safeParse(value).error).toBeUndefined();
}

function expectInvalid(name: keyof typeof published, value: unknown, what: string) {
  expect(check(name, value).valid, what).toBe(false);
  expect(zods[name].safeParse(value).success, what).toBe(false);
}

type Json = { [key: string]: unknown };
type Place = readonly (string | number)[];

/** The place of every object in a JSON value. */
function objectsIn(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.entries(value).flatMap(([key, one]) => objectsIn(one, [...place, key]));
  return Array.isArray(value) ? below : [place, ...below];
}

function changedAt(value: unknown, place: Place, change: (object: Json) => void): unknown {
  const copy = structuredClone(value);
  change(place.reduce<Json>((at, key) => at[key] as Json, copy as Json));
  return copy;
}

const callAck: AckLine = {
  schema: 'lakelog.ack.v1',
  what: 'call',
  gate: 'alarm',
  call_key: 'c-1',
  session_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  timestamp: '2026-09-14T08:00:00.000Z',
  kind: 'fill',
  model: 'gpt-4.1-mini',
  iterations: 3,
  final_verdict: 'accepted',
  grounded_in_roster: false,
  values: ['ungrounded'],
  line_sha256: 'c'.repeat(64),
  file: 'logs/sessions.jsonl',
  line: 17,
  reason: 'the roster was late',
  author: 'anna',
  at: '2026-09-14T09:10:00Z',
  expires: '2026-10-01',
};
const rejectAck: AckLine = {
  schema: 'lakelog.ack.v1',
  what: 'reject',
  line_sha256: '0123456789abcdef'.repeat(4),
  reject_reason: 'torn_tail',
  file: 'logs/sessions.jsonl',
  line: 18,
  reason: 'the disk was full',
  author: 'anna',
  at: '2026-09-14T09:10:00+02:00',
  expires: null,
};
const conflictAck: AckLine = {
  schema: 'lakelog.ack.v1',
  what: 'conflict',
  call_id: 'c-1',
  line_sha256: '0123456789abcdef'.repeat(4),
  file: 'logs/sessions.jsonl',
  line: 19,
  reason: 'written twice by a retry',
  author: 'anna',
  at: '2026-09-14T09:10:00Z',
  expires: null,
};

const gate = JSON.parse(formats.json(FIRED, PIPE)) as Json;
const withContent = JSON.parse(renderStoryJson(storyWithContent())) as Json;

/** Present only where there is something to say, or only with --show-content. */
const OPTIONAL = new Set(['where', 'next', 'prompt', 'artifact', 'raw', 'output']);
/** Keys come from the question. */
const OPEN = new Set(['rows', 'params', 'artifact', 'prompt']);

describe('what is printed', () => {
  it.each([
    ['a fired gate', FIRED],
    ['a clear gate', CLEAR],
    ['a question', report({ a: 'text', b: 'json' }, [['x', '{"c":[1]}']])],
    ['an answer that was cut', report({ a: 'text' }, [['x']], { truncated: true })],
    [
      'no canary, no acknowledgement, no window',
      report({}, [], { receipt: receipt({ canary: null, acknowledged: null, judged: null }) }),
    ],
    ['everything at once', report({ a: 'text' }, [], monster('\x1b\u202e'))],
  ])('for %s is a lakelog.result.v1', (_, made) => {
    expectValid('result', JSON.parse(formats.json(made, PIPE)));
  });

  it.each([
    ['without content', story()],
    ['with content', storyWithContent()],
    ['of nothing', story({ events: [], trace_url: null })],
    [
      'of unknowns',
      story({
        events: [
          call({ attempts: [], grounded_in_roster: null, proposed_worker_ids: null, max_iterations: null }),
          run({ documents: null, best_score: null, model: null }),
          run({ documents: [{ id: null, source: null, score: null, rank: null }] }),
        ],
      }),
    ],
  ])('of a story %s is a lakelog.story.v1', (_, made) => {
    expectValid('story', JSON.parse(renderStoryJson(made)));
  });

  it.each(['2026-02-30T00:00:00Z', '2026-10-01T24:30:00Z', '2026-10-01T23:59:60Z'])(
    'never is an end that no clock reaches: %s',
    (expires) => expect(ackLine.safeParse({ ...callAck, expires }).success).toBe(false),
  );

  it('is an acknowledgement of each kind', () => {
    expectValid('ack', callAck);
    expectValid('ack', { ...callAck, grounded_in_roster: null, expires: null });
    expectValid('ack', { ...callAck, expires: '2026-10-01T18:00:00Z' });
    expectValid('ack', rejectAck);
    expectValid('ack', conflictAck);
  });
});

describe('a failure', () => {
  it.each([
    [{ what: 'no' }, 2],
    [{ what: 'a\nb\u202e', where: 'f:1', next: 'lakelog', detail: 'x\ny' }, 3],
  ] as const)('%j is a lakelog.error.v1 on one line', (failure, exitCode) => {
    const text = renderErrorJson(failure, exitCode);
    expect(text.trimEnd()).not.toMatch(/[\n\u202e]/);
    const made = JSON.parse(text);
    expectValid('error', made);
    expect(made).toMatchObject({ exit_code: exitCode, error: failure.what });
    for (const key of Object.keys(made)) expectInvalid('error', { ...made, [key]: 1 }, key);
    expectInvalid('error', { ...made, more: 1 }, 'more');
  });
});

describe('the envelopes', () => {
  it.each([
    ['result', gate],
    ['story', withContent],
    ['ack', callAck],
    ['ack', rejectAck],
  ] as const)('are closed: no key of %s may be missing, and none may be added', (name, sample) => {
    const closed = objectsIn(sample).filter((place) => !place.some((key) => OPEN.has(String(key))));
    expect(closed.length).toBeGreaterThan(0);
    for (const place of closed) {
      const at = place.join('.');
      const object = place.reduce<Json>((value, key) => value[key] as Json, sample as unknown as Json);
      expectInvalid(
        name,
        changedAt(sample, place, (one) => Object.assign(one, { extra: 1 })),
        `${at}.extra`,
      );
      for (const key of Object.keys(object)) {
        const without = changedAt(sample, place, (one) => delete one[key]);
        if (OPTIONAL.has(key)) expectValid(name, without);
        else expectInvalid(name, without, `${at} without ${key}`);
        expectInvalidUnlessAny(
          name,
          changedAt(sample, place, (one) => Object.assign(one, { [key]: { odd: [] } })),
          key,
        );
      }
    }
  });

  function expectInvalidUnlessAny(name: keyof typeof published, value: unknown, key: string) {
    if (!OPEN.has(key)) expectInvalid(name, value, key);
  }

  it.each([
    { reason: '' },
    { reason: ' \t' },
    { author: '' },
    { line: 0 },
    { line: 1.5 },
    { expires: '2026-02-30' },
    { expires: '2026-10-01T00:00:00' },
    { expires: '90d' },
    { expires: '' },
    { at: '2026-09-14T09:10:00' },
    { at: '2026-09-14' },
    { at: 'infinity' },
    { schema: 'lakelog.ack.v2' },
    { what: 'gate' },
    { gate: '' },
    { call_key: '' },
    { iterations: -1 },
    { final_verdict: 'fine' },
    { grounded_in_roster: 'false' },
  ])('refuse the acknowledgement with %j', (change) => {
    expectInvalid('ack', { ...callAck, ...change }, JSON.stringify(change));
  });

  it.each(['ABCDEF'.repeat(11).slice(0, 64), '0'.repeat(63), '0'.repeat(65), `${'0'.repeat(63)}g`])(
    'refuse the hash %s',
    (line_sha256) => expectInvalid('ack', { ...rejectAck, line_sha256 }, line_sha256),
  );

  it('refuse a call that is settled by a hash, and a line settled by a key', () => {
    expectInvalid('ack', { ...rejectAck, what: 'call' }, 'call');
    expectInvalid('ack', { ...callAck, what: 'reject' }, 'reject');
  });

  it('give acknowledgements their static type', () => {
    const parsed: z.infer<typeof ackLine> = ackLine.parse(callAck);
    const typed: AckLine = parsed;
    expect(typed).toEqual(callAck);
  });
});

describe('the published files', () => {
  const names = {
    ...{ result: 'lakelog.result.v1', story: 'lakelog.story.v1', ack: 'lakelog.ack.v1' },
    ...{ check: 'lakelog.check.v1', config: 'lakelog.config.v1' },
    watch: 'lakelog.watch.v1',
    ...{ acks: 'lakelog.acks.v1', lake: 'lakelog.lake.v1' },
    ...{ verify: 'lakelog.verify.v1', compact: 'lakelog.compact.v1', queries: 'lakelog.queries.v1' },
  } as const;

  it.each(Object.entries(names) as [EnvelopeName, string][])('%s describes every field', (name, title) => {
    const schema = jsonSchema(name);
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `https://lakelog.dev/schema/${title}.json`,
      title,
    });
    expect(schema.description).toMatch(/\.$/);
    const bare: string[] = [];
    const walk = (one: unknown, at: string) => {
      if (typeof one !== 'object' || one === null) return;
      const { properties } = one as { properties?: Record<string, JsonSchema> };
      for (const [key, property] of Object.entries(properties ?? {})) {
        if (typeof property.description !== 'string') bare.push(`${at}.${key}`);
      }
      for (const [key, below] of Object.entries(one)) walk(below, `${at}.${key}`);
    };
    walk(schema, '');
    expect(bare).toEqual([]);
  });

  it.each(Object.entries(names) as [EnvelopeName, string][])('%s is shipped as built', (name, title) => {
    const file = path.resolve(import.meta.dirname, `../../dist/schema/${title}.json`);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(jsonSchema(name));
  });
});

describe('lakelog.baseline.v1', () => {
  const text = baselineText({
    lakelog: '0.1.0',
    saved_at: '2026-09-01T08:00:00.000Z',
    selection: 'model=m,since=2026-08-01T00:00:00.000Z',
    filters: ['--kind fill'],
    sample: ['0123456789abcdef'],
    counts: {
      kinds: [{ kind: 'fill', ...NOTHING, calls: 2 }],
      all: { ...NOTHING, calls: 2 },
      versions: [{ field: 'model', value: 'm', calls: 2 }],
      oldest: '2026-08-01T00:00:00.000Z',
      newest: null,
    },
  });

  it('is what is written', () => {
    expectValid('baseline', JSON.parse(text));
  });

  it('has nothing more, nothing less and nothing else', () => {
    const made = JSON.parse(text) as Json;
    for (const key of Object.keys(made)) {
      const { [key]: _, ...less } = made;
      expectInvalid('baseline', less, `without ${key}`);
      expectInvalid('baseline', { ...made, [key]: { odd: true } }, key);
    }
    expectInvalid('baseline', { ...made, more: 1 }, 'more');
    expectInvalid('baseline', { ...made, all: { ...(made.all as Json), calls: -1 } }, 'fewer than none');
    expectInvalid('baseline', { ...made, all: { ...(made.all as Json), calls: 1.5 } }, 'half a call');
  });
});
