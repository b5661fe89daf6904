import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Prompt } from '../../src/log/index.js';
import { chatCompletions, ModelBusy } from '../../src/validatord/model.js';

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

type Handler = (request: IncomingMessage, response: ServerResponse, number: number) => void;

interface AskOptions {
  readonly attemptTimeoutMs?: number;
  readonly maxAnswerBytes?: number;
  readonly signal?: AbortSignal;
  readonly prompt?: Prompt;
  readonly systemPrompt?: string;
}

/** An endpoint with these answers, and a client of it. */
async function endpoint(handler: Handler) {
  const bodies: unknown[] = [];
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
    handler(request, response, bodies.length);
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`);
  const clients = new Map<string, ReturnType<typeof chatCompletions>>();
  const ask = (options: AskOptions = {}) => {
    const { attemptTimeoutMs = 60_000, maxAnswerBytes = 1_000_000, systemPrompt } = options;
    const key = JSON.stringify([attemptTimeoutMs, maxAnswerBytes, systemPrompt]);
    const model = { url, name: 'm', provider: undefined, apiKey: undefined, systemPrompt };
    const client = clients.get(key) ?? chatCompletions(model, { attemptTimeoutMs, maxAnswerBytes });
    clients.set(key, client);
    const signal = options.signal ?? new AbortController().signal;
    return client('m', options.prompt ?? 'p', { number: 1, sessionId: 's', headers: {}, signal });
  };
  return { ask, bodies };
}

const send = (response: ServerResponse, value: unknown) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));

const completion = (message: object, choice: object = {}, more: object = {}) => ({
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop', ...choice }],
  ...more,
});

async function answerTo(value: unknown) {
  const { ask, bodies } = await endpoint((_, response) => send(response, value));
  const outcome = await ask().catch((error: unknown) => error as Error);
  expect(bodies).toHaveLength(1);
  return outcome;
}

const text = (part: string) => ({ type: 'text', text: part });

describe('an answer in parts', () => {
  it.each<[string, unknown, string]>([
    ['one text', [text('{}')], '{}'],
    ['several texts', [text('{"a'), text('":1'), text('}')], '{"a":1}'],
    ['thoughts before it', [{ type: 'thinking', thinking: [text('hm {"b":2}')] }, text('{}')], '{}'],
    [
      'hidden thoughts behind it',
      [text('{}'), { type: 'redacted_thinking', data: 'x' }, { type: 'reasoning', text: 'y' }],
      '{}',
    ],
    ['the text of another API', [{ type: 'output_text', text: '{}', annotations: [] }], '{}'],
    ['an empty text', [text('')], ''],
  ])('%s', async (_, content, raw) => {
    expect(await answerTo(completion({ content }))).toMatchObject({ raw, finishReason: 'stop' });
  });
});

describe('an answer that is not understood is an error, never one without a candidate', () => {
  it.each<[string, unknown, string]>([
    ['null for content', completion({ content: null }), 'the model answered without content'],
    ['no content', completion({}), 'the model answered without content'],
    ['an object for content', completion({ content: {} }), 'the model answered without content'],
    ['no part', completion({ content: [] }), 'the model answered without text'],
    ['thoughts alone', completion({ content: [{ type: 'thinking' }] }), 'the model answered without text'],
    ['an image', completion({ content: [text('{}'), { type: 'image_url' }] }), 'not understood: image_url'],
    ['a part that refuses', completion({ content: [{ type: 'refusal', refusal: 'no' }] }), ': refusal'],
    ['a text that is none', completion({ content: [{ type: 'text', text: 5 }] }), 'not understood: text'],
    ['a part without a type', completion({ content: ['{}'] }), 'not understood: without a type'],
    ['a refusal', completion({ content: null, refusal: 'I cannot.' }), 'the model refused to answer'],
    ['a refusal beside text', completion({ content: '{}', refusal: 'I cannot.' }), 'refused'],
    ['a tool call', completion({ content: null, tool_calls: [{}] }), 'answered with tool_calls'],
    ['a tool call beside text', completion({ content: '{}', tool_calls: [{}] }), 'answered with tool_calls'],
    ['a function call', completion({ content: '', function_call: {} }), 'answered with function_call'],
    ['an answer cut off', completion({ content: '{}' }, { finish_reason: 'length' }), 'finish_reason length'],
    [
      'an answer cut off, as Mistral says it',
      completion({ content: '{}' }, { finish_reason: 'model_length' }),
      'finish_reason model_length',
    ],
    [
      'an answer that was filtered',
      completion({ content: 'Dear' }, { finish_reason: 'content_filter' }),
      'finish_reason content_filter',
    ],
    ['an end nobody knows', completion({ content: '{}' }, { finish_reason: 'Err<o>r' }), 'not understood'],
    ['an end that is no word', completion({ content: '{}' }, { finish_reason: 5 }), 'not understood'],
    ['an error with status 200', { error: { message: 'overloaded: sk-1' } }, 'answered an error'],
    ['an error beside choices', completion({ content: '{}' }, {}, { error: 'x' }), 'answered an error'],
    ['no choice', { choices: [] }, 'without choices[0].message'],
    ['no object', 'text', 'without choices[0].message'],
  ])('%s', async (_, value, message) => {
    const outcome = await answerTo(value);
    expect(outcome).toMatchObject({ name: 'ModelError', message: expect.stringContaining(message) });
    expect((outcome as Error).message).not.toContain('sk-1');
  });

  it.each<[string, unknown]>([
    ['an empty list of tool calls', completion({ content: '{}', tool_calls: [], refusal: null })],
    ['no reason to finish', completion({ content: '{}' }, { finish_reason: null })],
    ['the reason of another API', completion({ content: '{}' }, { finish_reason: 'END_TURN' })],
    ['no error', completion({ content: '{}' }, {}, { error: null })],
  ])('but %s is fine', async (_, value) => {
    expect(await answerTo(value)).toMatchObject({ raw: '{}' });
  });
});

describe('an endpoint that asks for patience', () => {
  const busy = (status: number, after: string, times = 1): Handler => {
    return (_, response, number) => {
      if (number > times) send(response, completion({ content: '{}' }));
      else response.writeHead(status, { 'retry-after': after }).end('{"error":"slow down"}');
    };
  };

  it.each<[string, number, string]>([
    ['seconds', 429, '1'],
    ['seconds', 503, ' 0 '],
    ['a date', 503, new Date(Date.now() + 1000).toUTCString()],
    ['a date of the past', 429, 'Wed, 21 Oct 2015 07:28:00 GMT'],
  ])('gets it: %s, %i', async (_, status, after) => {
    const { ask, bodies } = await endpoint(busy(status, after, 2));
    const started = performance.now();
    expect(await ask()).toMatchObject({ raw: '{}' });
    expect(bodies).toHaveLength(3);
    expect(performance.now() - started).toBeGreaterThan(after === '1' ? 1900 : 450);
  });

  it.each<[string, number, string]>([
    ['more than the attempt has', 429, '61'],
    ['as much', 503, '60'],
    ['days', 503, new Date(Date.now() + 86_400_000).toUTCString()],
  ])('and is told to the client when it is %s', async (_, status, after) => {
    const { ask, bodies } = await endpoint(busy(status, after));
    const error = await ask().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelBusy);
    expect(error).toMatchObject({ name: 'ModelError', status });
    expect((error as ModelBusy).retryAfterSeconds).toBeGreaterThanOrEqual(60);
    expect(bodies).toHaveLength(1);
  });

  it('does not get more of it than the attempt has in all', async () => {
    const { ask, bodies } = await endpoint(busy(503, '0', 1000));
    await expect(ask({ attemptTimeoutMs: 1000 })).rejects.toBeInstanceOf(ModelBusy);
    expect(bodies.length).toBeLessThan(6);
  });

  it.each<[string, number, Record<string, string>]>([
    ['429 without a time', 429, {}],
    ['503 with nonsense', 503, { 'retry-after': 'soon' }],
    ['503 with a negative time', 503, { 'retry-after': '-5' }],
    ['500 with a time', 500, { 'retry-after': '1' }],
    ['301', 301, { location: 'http://127.0.0.1:1/', 'retry-after': '1' }],
  ])('%s is an error at once', async (_, status, headers) => {
    const { ask, bodies } = await endpoint((_request, response) => response.writeHead(status, headers).end());
    await expect(ask()).rejects.toThrow(`model endpoint answered ${status}`);
    expect(bodies).toHaveLength(1);
  });

  it('is left when the call is aborted', async () => {
    const { ask } = await endpoint(busy(503, '30'));
    const host = new AbortController();
    setTimeout(() => host.abort(new Error('enough')), 50);
    await expect(ask({ signal: host.signal })).rejects.toThrow('enough');
  });

  it('whose refusal never ends holds nobody up', async () => {
    const { ask } = await endpoint((_, response) => response.writeHead(500).write('x'));
    await expect(ask()).rejects.toThrow('model endpoint answered 500');
  });
});

describe('a connection that was kept alive and that the endpoint has closed meanwhile', () => {
  const resetOn = (...numbers: number[]): Handler => {
    return (request, response, number) => {
      if (numbers.includes(number)) request.socket.resetAndDestroy();
      else send(response, completion({ content: '{}' }));
    };
  };

  it('is tried once more', async () => {
    const { ask, bodies } = await endpoint(resetOn(2));
    await ask();
    expect(await ask()).toMatchObject({ raw: '{}' });
    expect(bodies).toHaveLength(3);
    expect(bodies[2]).toEqual(bodies[1]);
  });

  it('and not for ever', async () => {
    const { ask, bodies } = await endpoint(resetOn(2, 3));
    await ask();
    await expect(ask()).rejects.toThrow('model endpoint not reachable: ECONNRESET');
    expect(bodies).toHaveLength(3);
  });

  it('but a fresh one that is reset is a failure', async () => {
    const { ask, bodies } = await endpoint(resetOn(1));
    await expect(ask()).rejects.toThrow('model endpoint not reachable: ECONNRESET');
    expect(bodies).toHaveLength(1);
  });

  it('nor one that breaks in the middle of its answer', async () => {
    const { ask, bodies } = await endpoint((request, response, number) => {
      if (number === 1) return send(response, completion({ content: '{}' }));
      response.writeHead(200, { 'content-length': '100' }).write('{');
      setTimeout(() => request.socket.resetAndDestroy(), 20);
    });
    await ask();
    await expect(ask()).rejects.toThrow('model endpoint answered no whole JSON');
    expect(bodies).toHaveLength(2);
  });
});

it('sends the messages of a chat as they are, behind the prompt of the operator', async () => {
  const { ask, bodies } = await endpoint((_, response) => send(response, completion({ content: '{}' })));
  const chat = [
    { role: 'user', content: [{ type: 'text', text: 'p' }], name: 'Ann' },
    { role: 'assistant', content: 'q' },
  ];
  await ask({ prompt: chat, systemPrompt: 'Only JSON.' });
  expect(bodies).toEqual([
    { model: 'm', messages: [{ role: 'system', content: 'Only JSON.' }, ...chat], stream: false },
  ]);
});

it.skipIf(process.env.LAKELOG_NIGHTLY !== '1')('waits for longer than 300 s where it may', async () => {
  const { ask } = await endpoint((_, response) =>
    setTimeout(() => send(response, completion({ content: '{}' })), 310_000),
  );
  expect(await ask({ attemptTimeoutMs: 600_000 })).toMatchObject({ raw: '{}' });
});
