import * as otel from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IterateOptions, iterate, type OtelApi, traceIdOf } from '../../src/log/index.js';
import { type ReceivedSpan, type Receiver, startReceiver } from './otlp.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`;

function call(changes: Partial<IterateOptions<unknown>> = {}) {
  return iterate({
    kind: 'fill',
    model: 'm-1',
    provider: 'openai',
    prompt: 'Fill one shift.',
    generate: (_, { number }) => ({
      raw: `{"worker":"W-${number}"}`,
      inputTokens: 800 + number,
      outputTokens: 60,
      finishReason: 'stop',
      responseModel: 'm-1-2026',
    }),
    validate: (fill) =>
      (fill as { worker: string }).worker === 'W-2'
        ? { accepted: true }
        : { accepted: false, reasons: ['worker "W-1" is not in the roster'] },
    ...changes,
  });
}

const withHeaders = (headers: Record<string, string>, api?: OtelApi | null) =>
  call({ trace: { headers, ...(api === undefined ? {} : { api }) } });

describe('with the OpenTelemetry SDK and its OTLP exporter', () => {
  let receiver: Receiver;
  let provider: BasicTracerProvider;

  beforeEach(async () => {
    receiver = await startReceiver();
    provider = new BasicTracerProvider({
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: receiver.url }))],
    });
    otel.trace.setGlobalTracerProvider(provider);
    otel.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });

  afterEach(async () => {
    await provider.shutdown();
    otel.trace.disable();
    otel.context.disable();
    await receiver.close();
  });

  /** The spans that reached the collector, by name. */
  async function received(): Promise<Record<string, ReceivedSpan>> {
    await provider.forceFlush();
    return Object.fromEntries(receiver.spans.map((span) => [span.name, span]));
  }

  it('a call is a span with one child per attempt, found by the record', async () => {
    const { sessionId, record } = await call();
    const spans = await received();
    expect(Object.keys(spans).sort()).toEqual(['iterate', 'iterate.attempt[1]', 'iterate.attempt[2]']);
    const [root, first, second] = Object.keys(spans)
      .sort()
      .map((name) => spans[name]!);
    expect(new Set(receiver.spans.map((span) => span.traceId))).toEqual(new Set([sessionId]));
    expect([first!.parentSpanId, second!.parentSpanId]).toEqual([root!.spanId, root!.spanId]);
    expect(record.attempts).toMatchObject([{ span_id: first!.spanId }, { span_id: second!.spanId }]);
    expect(root!.attributes).toEqual({
      'gen_ai.request.model': 'm-1',
      'gen_ai.provider.name': 'openai',
      'lakelog.kind': 'fill',
      'lakelog.max_iterations': 3,
      'lakelog.final_verdict': 'accepted',
      'lakelog.iterations': 2,
      'lakelog.call_id': record.call_id,
    });
    expect(second!.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'm-1',
      'gen_ai.provider.name': 'openai',
      'gen_ai.response.model': 'm-1-2026',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 802,
      'gen_ai.usage.output_tokens': 60,
      'lakelog.attempt_number': 2,
      'lakelog.verdict': 'accepted',
    });
    expect(first!.attributes['lakelog.verdict']).toBe('rejected');
  });

  it('carries content only when asked', async () => {
    await call();
    expect(JSON.stringify(await received())).not.toMatch(/Fill one shift|W-1/);
    receiver.spans.length = 0;
    await call({ trace: { content: true } });
    const { attributes } = (await received())['iterate.attempt[1]']!;
    expect(JSON.parse(attributes['gen_ai.input.messages'] as string)).toEqual([
      { role: 'user', parts: [{ type: 'text', content: 'Fill one shift.' }] },
    ]);
    expect(JSON.parse(attributes['gen_ai.output.messages'] as string)).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: '{"worker":"W-1"}' }], finish_reason: 'stop' },
    ]);
    expect(attributes['lakelog.reasons']).toEqual(['worker "W-1" is not in the roster']);
  });

  it('joins the active trace, whatever the headers say', async () => {
    const { sessionId } = await otel.trace.getTracer('host').startActiveSpan('request', async (span) => {
      const result = await withHeaders({ traceparent: TRACEPARENT, 'X-Lakehouse-Trace-Id': TRACE });
      expect(result.sessionId).toBe(span.spanContext().traceId);
      span.end();
      return result;
    });
    const spans = await received();
    expect(spans.iterate).toMatchObject({ traceId: sessionId, parentSpanId: spans.request!.spanId });
  });

  it('makes the attempt the parent of what the generator does', async () => {
    await call({
      generate: async (_, { number, headers }) => {
        const active = otel.trace.getSpan(otel.context.active())!.spanContext();
        expect(headers.traceparent).toBe(`00-${active.traceId}-${active.spanId}-01`);
        otel.trace.getTracer('host').startSpan(`http ${number}`).end();
        return `{"worker":"W-${number}"}`;
      },
    });
    const spans = await received();
    expect(spans['http 2']!.parentSpanId).toBe(spans['iterate.attempt[2]']!.spanId);
  });

  it('continues the trace of the headers', async () => {
    expect((await withHeaders({ traceparent: TRACEPARENT })).sessionId).toBe(TRACE);
    expect((await received()).iterate).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
    receiver.spans.length = 0;
    expect((await withHeaders({ 'x-lakehouse-trace-id': TRACE })).sessionId).toBe(TRACE);
    expect((await received()).iterate).toMatchObject({ traceId: TRACE });
  });

  it('marks what failed', async () => {
    await call({ generate: () => Promise.reject(new TypeError('fetch failed')) });
    const spans = await received();
    for (const name of ['iterate', 'iterate.attempt[1]']) {
      expect(spans[name]!.status).toEqual({ code: 2, message: 'fetch failed' });
    }
    expect(spans.iterate!.attributes).toMatchObject({
      'error.type': 'TypeError',
      'lakelog.final_verdict': 'infra_error',
    });
  });

  it('tells the verdict of each attempt and of the roster as evaluations, without content', async () => {
    const stamp = { groundedInRoster: false, proposedWorkerIds: ['W-2'], rosterHash: null };
    await call({ rosterCheck: () => stamp });
    const spans = await received();
    const named = (name: string, label: string, score: number) => ({
      name: 'gen_ai.evaluation.result',
      attributes: {
        'gen_ai.evaluation.name': name,
        'gen_ai.evaluation.score.label': label,
        'gen_ai.evaluation.score.value': score,
      },
    });
    expect(spans['iterate.attempt[1]']!.events).toEqual([named('lakelog.validation', 'rejected', 0)]);
    expect(spans['iterate.attempt[2]']!.events).toEqual([named('lakelog.validation', 'accepted', 1)]);
    expect(spans.iterate!.events).toEqual([named('lakelog.roster', 'ungrounded', 0)]);
  });

  it.each<[string, Partial<IterateOptions<unknown>>, string, Record<string, unknown>]>([
    [
      'reasons, where content is asked for',
      { maxIterations: 1, trace: { content: true } },
      'iterate.attempt[1]',
      { 'gen_ai.evaluation.explanation': 'worker "W-1" is not in the roster' },
    ],
    [
      'a check that failed',
      { rosterCheck: () => Promise.reject(new Error('gone')), trace: { content: true } },
      'iterate',
      {
        'gen_ai.evaluation.score.label': 'unjudged',
        'gen_ai.evaluation.explanation': 'gone',
        'error.type': 'roster_check_error',
      },
    ],
    [
      'an answer without a candidate',
      { maxIterations: 1, generate: () => 'prose' },
      'iterate.attempt[1]',
      { 'gen_ai.evaluation.score.label': 'no_candidate', 'gen_ai.evaluation.score.value': 0 },
    ],
    [
      'an attempt that something else ended',
      { generate: () => Promise.reject(new Error('down')) },
      'iterate.attempt[1]',
      { 'gen_ai.evaluation.score.label': 'infra_error', 'error.type': 'infra_error' },
    ],
  ])('an evaluation carries %s', async (_, changes, span, attributes) => {
    await call(changes);
    const [event, ...more] = (await received())[span]!.events;
    expect(more).toEqual([]);
    expect(event!.attributes).toMatchObject(attributes);
    const failed = 'error.type' in attributes;
    expect('gen_ai.evaluation.score.value' in event!.attributes).toBe(!failed);
  });

  it('tells of no roster where none was asked', async () => {
    await call();
    await call({ rosterCheck: () => null, generate: () => 'prose' });
    await received();
    expect(receiver.spans.filter(({ name }) => name === 'iterate').flatMap(({ events }) => events)).toEqual(
      [],
    );
  });

  it('runs the callbacks of the host inside of the call', async () => {
    const inside: Record<string, string> = {};
    const note = (name: string) => {
      inside[name] = otel.trace.getSpan(otel.context.active())!.spanContext().spanId;
    };
    await call({
      feedback: (prompt) => {
        note('feedback');
        return prompt;
      },
      rosterCheck: async () => {
        await Promise.resolve();
        note('rosterCheck');
        return null;
      },
      logger: { append: () => note('logger') },
      validate: (fill) => {
        note('validate');
        return (fill as { worker: string }).worker === 'W-2'
          ? { accepted: true }
          : { accepted: false, reasons: [] };
      },
    });
    const spans = await received();
    const { spanId } = spans.iterate!;
    expect(inside).toEqual({
      feedback: spanId,
      rosterCheck: spanId,
      logger: spanId,
      validate: spans['iterate.attempt[2]']!.spanId,
    });
  });

  it('hands tracestate on', async () => {
    const sent: Readonly<Record<string, string>>[] = [];
    await call({
      trace: { headers: { traceparent: TRACEPARENT, tracestate: 'vendor=a, other=b:1' } },
      generate: (_, { headers, number }) => {
        sent.push(headers);
        return `{"worker":"W-${number}"}`;
      },
    });
    expect(sent.map(({ tracestate }) => tracestate?.replaceAll(' ', ''))).toEqual([
      'vendor=a,other=b:1',
      'vendor=a,other=b:1',
    ]);
    expect((await received()).iterate!.traceState?.replaceAll(' ', '')).toBe('vendor=a,other=b:1');
  });

  it('names no parent that nobody exports: the header names a trace only', async () => {
    const { sessionId, record } = await withHeaders({ 'x-lakehouse-trace-id': TRACE });
    const { iterate: root, 'iterate.attempt[1]': first } = await received();
    expect([sessionId, root!.traceId]).toEqual([TRACE, TRACE]);
    expect(root!.parentSpanId ?? '').toBe('');
    expect(first!.parentSpanId).toBe(root!.spanId);
    expect(record.attempts).toMatchObject([{ span_id: first!.spanId }, {}]);
  });

  it('names no span in the record that the sampler leaves out', async () => {
    const sent: Readonly<Record<string, string>>[] = [];
    const { record } = await call({
      trace: { headers: { traceparent: TRACEPARENT.replace(/01$/, '00'), tracestate: 'vendor=a' } },
      generate: (_, { headers, number }) => {
        sent.push(headers);
        return `{"worker":"W-${number}"}`;
      },
    });
    expect(await received()).toEqual({});
    expect(record.attempts).toEqual([
      expect.not.objectContaining({ span_id: expect.anything() }),
      expect.not.objectContaining({ span_id: expect.anything() }),
    ]);
    // The one that is upstream, and that it is not sampled.
    expect(sent[0]).toMatchObject({
      traceparent: TRACEPARENT.replace(/01$/, '00'),
      tracestate: 'vendor=a',
    });
  });

  it('runs calls side by side without mixing their traces', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => call()));
    expect(new Set(results.map(({ sessionId }) => sessionId)).size).toBe(20);
    await provider.forceFlush();
    for (const { sessionId, record } of results) {
      const own = receiver.spans.filter(({ traceId }) => traceId === sessionId);
      expect(own).toHaveLength(3);
      const ids = (record.attempts as { span_id: string }[]).map(({ span_id }) => span_id);
      expect(own.map(({ spanId }) => spanId)).toEqual(expect.arrayContaining(ids));
    }
  });
});

describe.each<[string, OtelApi | null | undefined]>([
  ['without OpenTelemetry', null],
  ['with its API and no SDK', undefined],
  ['with an API that is handed over, and no SDK', otel],
])('%s', (_, api) => {
  it.each<[string, Record<string, string>, string]>([
    ['X-Lakehouse-Trace-Id', { 'X-Lakehouse-Trace-Id': TRACE }, TRACE],
    ['its upper case', { 'x-lakehouse-trace-id': TRACE.toUpperCase() }, TRACE],
    ['a UUID', { 'x-lakehouse-trace-id': '4bf92f35-77b3-4da6-a3ce-929d0e0e4736' }, TRACE],
    ['traceparent', { traceparent: TRACEPARENT }, TRACE],
    ['a later version of traceparent', { traceparent: `01-${TRACE}-${PARENT}-01-more` }, TRACE],
    [
      'the first of the two',
      { traceparent: TRACEPARENT, 'X-Lakehouse-Trace-Id': 'ab'.repeat(16) },
      'ab'.repeat(16),
    ],
  ])('takes the session id from %s', async (__, headers, expected) => {
    expect((await withHeaders(headers, api)).sessionId).toBe(expected);
  });

  it.each<[string, Record<string, string>]>([
    ['no header', {}],
    ['zeros', { 'X-Lakehouse-Trace-Id': '0'.repeat(32) }],
    ['free text', { 'X-Lakehouse-Trace-Id': 'my trace\n' }],
    ['a version that is forbidden', { traceparent: `ff-${TRACE}-${PARENT}-01` }],
    ['version 00 with more', { traceparent: `${TRACEPARENT}-more` }],
    ['no span', { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` }],
    ['upper case, which W3C forbids', { traceparent: TRACEPARENT.toUpperCase() }],
  ])('makes a fresh one for %s', async (__, headers) => {
    const ids = [await withHeaders(headers, api), await withHeaders(headers, api)].map(
      (one) => one.sessionId,
    );
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(new Set(ids).size).toBe(2);
    expect(ids).not.toContain(TRACE);
  });

  it('names no span that nobody made, and sends the session id on', async () => {
    const sent: Readonly<Record<string, string>>[] = [];
    const { record } = await call({
      trace: { headers: { traceparent: TRACEPARENT }, ...(api === undefined ? {} : { api }) },
      generate: (_, { headers }) => {
        sent.push(headers);
        return '{"worker":"W-2"}';
      },
    });
    expect(record.attempts).toEqual([expect.not.objectContaining({ span_id: expect.anything() })]);
    expect(sent[0]).toMatchObject({ 'X-Lakehouse-Trace-Id': TRACE });
  });
});

it('passes on what came in where no span of ours stands between', async () => {
  const sentWith = async (headers: Record<string, string | string[]>, api?: OtelApi | null) => {
    let sent: Readonly<Record<string, string>> = {};
    await call({
      maxIterations: 1,
      trace: { headers, ...(api === undefined ? {} : { api }) },
      generate: (_, attempt) => {
        sent = attempt.headers;
        return '{}';
      },
    });
    return sent;
  };
  for (const api of [null, undefined, otel]) {
    expect(await sentWith({ traceparent: TRACEPARENT, tracestate: ['a=1', 'b=2'] }, api)).toEqual({
      'X-Lakehouse-Trace-Id': TRACE,
      traceparent: TRACEPARENT,
      tracestate: 'a=1,b=2',
    });
    expect(await sentWith({ 'x-lakehouse-trace-id': TRACE, tracestate: 'a=1' }, api)).toEqual({
      'X-Lakehouse-Trace-Id': TRACE,
    });
    const other = { 'x-lakehouse-trace-id': 'ab'.repeat(16), traceparent: TRACEPARENT, tracestate: 'a=1' };
    expect(await sentWith(other, api)).toEqual({ 'X-Lakehouse-Trace-Id': 'ab'.repeat(16) });
    expect(Object.keys(await sentWith({ tracestate: 'a=1' }, api))).toEqual(['X-Lakehouse-Trace-Id']);
  }
});

it('reads Headers as well as plain objects', async () => {
  expect(
    (await call({ trace: { api: null, headers: new Headers({ traceparent: TRACEPARENT }) } })).sessionId,
  ).toBe(TRACE);
  expect((await call({ trace: { api: null, headers: { traceparent: [TRACEPARENT] } } })).sessionId).toBe(
    TRACE,
  );
});

it('calls the same way when OpenTelemetry throws at every turn', async () => {
  const broken = () => {
    throw new Error('telemetry');
  };
  const context = { active: () => ({}), with: broken };
  const span = {
    spanContext: () => ({ traceId: TRACE, spanId: PARENT, traceFlags: 1 }),
    setAttribute: () => {},
    setStatus: broken,
    recordException: broken,
    end: broken,
  };
  const trace = {
    getTracer: () => ({ startSpan: () => span }),
    getSpanContext: () => undefined,
    setSpan: () => ({}),
    setSpanContext: () => ({}),
  };
  const apis: OtelApi[] = [
    { context, trace },
    { context: { ...context, active: broken }, trace },
    { context, trace: { ...trace, getTracer: broken } },
    { context, trace: { ...trace, getTracer: () => ({ startSpan: broken }) } },
    { context, trace: { ...trace, setSpan: broken } },
    { context: { ...context, with: () => undefined }, trace },
    { context: { ...context, with: (_, run) => [run(), run()] }, trace },
    {} as OtelApi,
  ];
  for (const api of apis) {
    const result = await call({ trace: { api } });
    expect(result).toMatchObject({ outcome: 'accepted', attempts: [{ verdict: 'rejected' }, {}] });
    expect(await call({ trace: { api }, generate: broken })).toMatchObject({
      outcome: 'infra_error',
      error: { message: 'telemetry' },
    });
  }
});

it('runs on without headers that cannot be read', async () => {
  const hostile = {
    get() {
      throw new Error('gone');
    },
  };
  for (const headers of [hostile, { get: () => 5 as never }, null as never, 'text' as never]) {
    expect(await call({ trace: { api: null, headers } })).toMatchObject({ outcome: 'accepted' });
  }
});

it.each([undefined, '', 'xyz', `${TRACE}0`, '0'.repeat(32)])('no trace id is in %j', (text) => {
  expect(traceIdOf(text)).toBeUndefined();
});
