import { existsSync, mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { SessionLogger } from '../../src/log/index.js';
import { sessionRecord } from '../../src/schema/records.js';
import { createApp } from '../../src/validatord/app.js';
import { parseConfig } from '../../src/validatord/config.js';
import { rosterFile } from '../../src/validatord/roster-file.js';
import { recordsOf } from '../log/support.js';
import { configText, ROSTER, setStage, startStage } from './support.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const ask = (scene: string, more: object = {}) => ({ kind: 'fill', prompt: `[${scene}] Fill C-1.`, ...more });

/** What the answers of the two endpoints may hold, as far as a test takes it out. */
interface Body {
  readonly session_id: string;
  readonly call_id: string;
  readonly calls_in_flight: number;
  readonly bodies_being_read: number;
  readonly session_log: unknown;
  readonly error: { readonly message: string };
}

const jsonOf = async (response: Response) => (await response.json()) as Body;

/** Waits for what a client cannot see. */
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000, interval: 10 });

describe('POST /v1/iterate', () => {
  it('answers 200 with an accepted fill and records the call', async () => {
    const { post, service, log } = await startStage();
    const response = await post(ask('retry'), { headers: { 'X-Lakehouse-Trace-Id': TRACE } });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-lakehouse-trace-id')).toBe(TRACE);
    const answer = await jsonOf(response);
    expect(answer).toMatchObject({
      session_id: TRACE,
      kind: 'fill',
      model: 'm-1',
      final_verdict: 'accepted',
      iterations: 2,
      grounded_in_roster: true,
      proposed_worker_ids: ['W-0001', 'W-0003'],
      artifact: { contract: 'C-1' },
      attempts: [
        { verdict: 'rejected', reasons: ['assignments[1]: worker "W-9999" is not in the roster'] },
        { verdict: 'accepted' },
      ],
    });
    await service.stop();
    const [record, ...others] = recordsOf(log);
    expect(others).toEqual([]);
    expect(sessionRecord.safeParse(record).error).toBeUndefined();
    expect(record).toMatchObject({
      session_id: TRACE,
      call_id: answer.call_id,
      daemon: 'validatord',
      environment: 'test',
      provider: 'scripted',
      response_model: 'm-1-2026-09',
      grounded_in_roster: true,
      roster_hash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      attempts: [{ input_tokens: 800 }, { output_tokens: 60, finish_reason: 'stop' }],
    });
    expect(statSync(log).mode & 0o777).toBe(0o600);
  });

  it('passes the trace on to the model, with the model asked for and the key', async () => {
    const { post, model } = await startStage(
      { modelKeys: 'api_key_env = "KEY"\nsystem_prompt = "Only JSON."' },
      { KEY: 'sk-secret' },
    );
    await post(ask('good', { model: 'm-2', max_iterations: 1 }), {
      headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
    });
    const [{ headers, body }] = model.asked as [(typeof model.asked)[0]];
    expect(headers).toMatchObject({ 'x-lakehouse-trace-id': TRACE, authorization: 'Bearer sk-secret' });
    expect(body).toMatchObject({
      model: 'm-2',
      messages: [
        { role: 'system', content: 'Only JSON.' },
        { role: 'user', content: '[good] Fill C-1.' },
      ],
    });
  });

  it.each<[string, string]>([
    ['phantom', 'rejected'],
    ['prose', 'no_candidate'],
  ])('answers 422 when the tries run out (%s)', async (scene, verdict) => {
    const { post, service, log } = await startStage();
    const response = await post(ask(scene, { max_iterations: 2 }));
    expect(response.status).toBe(422);
    expect(await jsonOf(response)).toMatchObject({
      final_verdict: 'max_iter_exhausted',
      attempts: [{ verdict }, { verdict }],
    });
    await service.stop();
    expect(recordsOf(log)).toMatchObject([{ final_verdict: 'max_iter_exhausted', iterations: 2 }]);
  });

  it.each<[string, string]>([
    ['down', 'model endpoint answered 503'],
    ['moved', 'model endpoint answered 302'],
    ['cut', 'model endpoint answered no whole JSON'],
    ['html', 'model endpoint answered no whole JSON'],
    ['empty', 'model endpoint answered without choices[0].message'],
    ['huge', 'model endpoint answered more than 7048576 bytes'],
  ])('answers 502 when the endpoint fails (%s)', async (scene, message) => {
    const { post, service, log } = await startStage(
      { limits: 'max_answer_bytes = 1000000', modelKeys: 'api_key_env = "KEY"' },
      { KEY: 'sk-secret' },
    );
    const response = await post(ask(scene));
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      final_verdict: 'infra_error',
      error: { type: 'ModelError', message },
    });
    await service.stop();
    const records = recordsOf(log);
    expect(records).toMatchObject([
      { final_verdict: 'infra_error', error: message, error_type: 'ModelError' },
    ]);
    expect(text + JSON.stringify(records)).not.toContain('sk-secret');
  });

  it('answers 502 when the endpoint is not there or does not answer in time', async () => {
    const gone = await startStage();
    await gone.model.close();
    expect(await (await gone.post(ask('good'))).json()).toMatchObject({
      error: { message: 'model endpoint not reachable: ECONNREFUSED' },
    });
    const slow = await startStage({ limits: 'attempt_timeout_ms = 50' });
    expect(await (await slow.post(ask('hang'))).json()).toMatchObject({
      error: { type: 'TimeoutError', message: 'attempt 1 took longer than 50 ms' },
    });
  });

  it('answers 409 without the artifact when a worker left while the model was thinking', async () => {
    const { post, service, log, told } = await startStage();
    const response = await post(ask('leaver'));
    expect(response.status).toBe(409);
    const answer = await jsonOf(response);
    expect(answer).toMatchObject({
      final_verdict: 'accepted',
      grounded_in_roster: false,
      proposed_worker_ids: ['W-0001', 'W-0002'],
      error: { type: 'Ungrounded' },
    });
    expect(answer).not.toHaveProperty('artifact');
    await service.stop();
    expect(recordsOf(log)).toMatchObject([{ final_verdict: 'accepted', grounded_in_roster: false }]);
    expect(told.filter((line) => line.includes(`ALARM: session ${answer.session_id}`))).toHaveLength(1);
  });

  it('answers 409 for a fill that nobody validated', async () => {
    const { post } = await startStage({ kinds: 'fill = "json"' });
    expect((await post(ask('phantom'))).status).toBe(409);
    expect((await post(ask('good'))).status).toBe(200);
  });

  it('records a roster that cannot be read as an infra error, and never as grounded', async () => {
    const { post, roster, service, log } = await startStage({ kinds: 'fill = "fill"\nplan = "json"' });
    rmSync(roster);
    expect((await post(ask('good'))).status).toBe(502);
    writeFileSync(roster, 'worker_id\n');
    expect(await (await post(ask('good'))).json()).toMatchObject({
      error: { type: 'RosterError', message: 'the roster has no worker' },
    });
    writeFileSync(roster, ROSTER);
    expect((await post(ask('good'))).status).toBe(200);
    expect(await (await post({ kind: 'plan', prompt: '[good] x' })).json()).toMatchObject({
      final_verdict: 'accepted',
      grounded_in_roster: null,
    });
    await service.stop();
    expect(recordsOf(log).map((record) => record.grounded_in_roster)).toEqual([
      undefined,
      undefined,
      true,
      null,
    ]);
  });

  it('takes a text for a kind whose rule is text', async () => {
    const { post } = await startStage();
    expect(await (await post({ kind: 'email', prompt: '[text] Write.' })).json()).toMatchObject({
      artifact: 'Dear Ms Worker, your shift begins at six.',
      grounded_in_roster: null,
    });
  });

  it('ends the call when the client goes away', async () => {
    const { post, service, log } = await startStage();
    const client = new AbortController();
    const gone = post(ask('hang'), { signal: client.signal });
    gone.catch(() => {});
    await eventually(async () => {
      const { calls_in_flight } = await jsonOf(await fetch(`${service.url}/healthz`));
      expect(calls_in_flight).toBe(1);
    });
    client.abort();
    await expect(gone).rejects.toThrow();
    await eventually(() => expect(existsSync(log) && recordsOf(log)).toHaveLength(1));
    expect(recordsOf(log)).toMatchObject([
      { final_verdict: 'infra_error', error: 'aborted: the client went away', error_type: 'AbortError' },
    ]);
  });
});

describe('what is refused', () => {
  it.each<[string, unknown, number, string]>([
    ['no JSON', '{"kind":', 400, 'the body is not JSON'],
    ['no object', '[]', 400, 'the body is not a JSON object'],
    ['no kind', { prompt: 'x' }, 400, 'kind: not one of fill, email, plan'],
    ['an unknown kind', { kind: 'Fill', prompt: 'x' }, 400, 'kind: not one of fill, email, plan'],
    ['no prompt', { kind: 'fill' }, 400, 'prompt: not a text'],
    ['a blank prompt', { kind: 'fill', prompt: ' \n' }, 400, 'prompt: not a text'],
    ['a number for a model', { kind: 'fill', prompt: 'x', model: 5 }, 400, 'model: not a name'],
    ['a line break in a model', { kind: 'fill', prompt: 'x', model: 'a\nb' }, 400, 'model: not a name'],
    ['too many tries', { kind: 'fill', prompt: 'x', max_iterations: 11 }, 400, 'not an integer from 1 to 10'],
    [
      'text for tries',
      { kind: 'fill', prompt: 'x', max_iterations: '3' },
      400,
      'not an integer from 1 to 10',
    ],
    ['an unknown field', { kind: 'fill', prompt: 'x', temperature: 1 }, 400, '"temperature": unknown field'],
    ['a long body', { kind: 'fill', prompt: 'x'.repeat(5000) }, 413, 'the body has more than 4096 bytes'],
  ])('%s', async (_, body, status, message) => {
    const { post, model, log } = await startStage({ limits: 'max_body_bytes = 4096' });
    const response = await post(body, { headers: { 'X-Lakehouse-Trace-Id': TRACE } });
    expect(response.status).toBe(status);
    expect(response.headers.get('x-lakehouse-trace-id')).toBe(TRACE);
    expect((await jsonOf(response)).error.message).toContain(message);
    expect(model.asked).toEqual([]);
    expect(existsSync(log)).toBe(false);
  });

  it('a body without a length that goes on and on', async () => {
    const { service } = await startStage({ limits: 'max_body_bytes = 4096' });
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${service.url}/v1/iterate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      });
      request.on('response', (response) => resolve(response.statusCode));
      request.on('error', reject);
      for (let i = 0; i < 10; i++) request.write('x'.repeat(1000));
      request.end();
    });
    expect(status).toBe(413);
  });

  it('a body that is not UTF-8, or not said to be JSON', async () => {
    const { post } = await startStage();
    expect((await post('', { body: new Uint8Array([0x7b, 0xff]) })).status).toBe(400);
    expect((await post(ask('good'), { headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  });

  it('other paths and methods', async () => {
    const { service } = await startStage();
    expect((await fetch(`${service.url}/v1/iterate`)).status).toBe(404);
    expect((await fetch(`${service.url}/`, { method: 'POST' })).status).toBe(404);
  });

  it('a call too many, until one has ended', async () => {
    const { post, model } = await startStage({ limits: 'max_concurrent = 2' });
    const waiting = [post(ask('wait')), post(ask('wait'))];
    await eventually(() => expect(model.asked).toHaveLength(2));
    const refused = await post(ask('good'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    model.release();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await post(ask('good'))).status).toBe(200);
  });
});

describe('GET /healthz', () => {
  it('tells of calls, roster and log', async () => {
    const { post, service, log } = await startStage();
    for (const scene of ['good', 'phantom', 'down', 'leaver']) await post(ask(scene));
    const health = await (await fetch(`${service.url}/healthz`)).json();
    expect(health).toMatchObject({
      status: 'ok',
      calls_in_flight: 0,
      calls_ended: { accepted: 1, ungrounded: 1, unjudged: 0, max_iter_exhausted: 1, infra_error: 1 },
      roster: { workers: 4, hash: expect.stringMatching(/^sha256:/) },
      session_log: { path: log, dropped: 0, last_error: null },
    });
    await eventually(async () => {
      const { session_log } = await jsonOf(await fetch(`${service.url}/healthz`));
      expect(session_log).toEqual({
        path: log,
        written: 4,
        queued: 0,
        queued_bytes: 0,
        dropped: 0,
        dropped_by: expect.objectContaining({ queue_full: 0, write_failed: 0 }),
        truncated: 0,
        bytes: statSync(log).size,
        reopened: 0,
        last_error: null,
      });
    });
  });

  it('shows a log that cannot be written, while calls go on', async () => {
    const { post, service, log, told } = await startStage();
    mkdirSync(log);
    expect((await post(ask('good'))).status).toBe(200);
    await eventually(async () => {
      const { session_log } = await jsonOf(await fetch(`${service.url}/healthz`));
      expect(session_log).toMatchObject({
        written: 0,
        queued: 1,
        last_error: expect.stringContaining('EISDIR'),
      });
    });
    expect(told.filter((line) => line.startsWith('session log: EISDIR'))).toHaveLength(1);
    await service.stop();
    expect(told.at(-1)).toBe('stopped; session log: 0 written, 1 dropped');
  });
});

describe('what should not happen', () => {
  it('is told to people, and to the client only that it did', async () => {
    const stage = await setStage();
    const onDefect = vi.fn();
    const app = createApp({
      config: parseConfig(configText(stage.model.url), stage.config, {}),
      logger: {
        stats() {
          throw new Error('/secret/path');
        },
      } as never,
      roster: rosterFile(parseConfig(configText(stage.model.url), stage.config, {}).roster, () => {}),
      ask: () => Promise.reject(new Error('not asked')),
      onWithheld: () => {},
      onDefect,
    });
    const response = await app.fetch(new Request('http://127.0.0.1/healthz'));
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: { type: 'Refused', message: 'internal error' } },
    ]);
    expect(onDefect.mock.calls).toEqual([[expect.objectContaining({ message: '/secret/path' })]]);
  });

  it('is not a client that leaves while it sends', async () => {
    const { service, told } = await startStage();
    const request = httpRequest(`${service.url}/v1/iterate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '1000' },
    });
    request.on('error', () => {});
    request.write('{"kind":');
    const inFlight = async () => (await jsonOf(await fetch(`${service.url}/healthz`))).bodies_being_read;
    await eventually(async () => expect(await inFlight()).toBe(1));
    request.destroy();
    await eventually(async () => expect(await inFlight()).toBe(0));
    expect(told.filter((line) => line.includes('internal error'))).toEqual([]);
  });
});

it('judges what it accepted although its client has left meanwhile', async () => {
  const stage = await setStage();
  const config = parseConfig(configText(stage.model.url), stage.config, {});
  const file = rosterFile(config.roster, () => {});
  const client = new AbortController();
  let looks = 0;
  const onWithheld = vi.fn();
  const logger = new SessionLogger(stage.log);
  const { fetch } = createApp({
    config,
    logger,
    // The first look is the validator's, the second one that of the check.
    roster: {
      current() {
        if (++looks === 2) client.abort();
        return file.current();
      },
    },
    ask: async () => ({ raw: '{"assignments":[{"worker":"W-0001"}]}' }),
    onWithheld,
    onDefect: () => {},
  });
  const body = JSON.stringify(ask('good'));
  const headers = { 'content-type': 'application/json' };
  await fetch(
    new Request('http://127.0.0.1/v1/iterate', { method: 'POST', body, headers, signal: client.signal }),
  );
  await logger.close();
  expect([looks, client.signal.aborted]).toEqual([2, true]);
  expect(recordsOf(stage.log)).toMatchObject([{ final_verdict: 'accepted', grounded_in_roster: true }]);
  expect(onWithheld).not.toHaveBeenCalled();
});

describe('stopping', () => {
  it('finishes the calls in flight, refuses new ones, and flushes', async () => {
    const { post, model, service, log } = await startStage();
    const waiting = post(ask('wait'));
    await eventually(() => expect(model.asked).toHaveLength(1));
    const stopped = service.stop();
    await expect(post(ask('good'))).rejects.toThrow();
    model.release();
    const response = await waiting;
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    await stopped;
    expect(recordsOf(log)).toMatchObject([{ final_verdict: 'accepted' }]);
  });

  it('is told by its process, not by a signal that the logger hears too', async () => {
    const listening = process.listenerCount('SIGTERM');
    const { post } = await startStage();
    await post(ask('good'));
    expect(process.listenerCount('SIGTERM')).toBe(listening);
  });

  it('waits until the log has what still waits', async () => {
    const { post, service, log, told } = await startStage();
    mkdirSync(log);
    await post(ask('good'));
    // After three tries the next one is further away than the end of a service without calls.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    rmdirSync(log);
    await service.stop();
    expect(told.at(-1)).toBe('stopped; session log: 1 written, 0 dropped');
    expect(recordsOf(log)).toHaveLength(1);
  });

  it.each<[string, string, boolean]>([
    ['after the grace', 'shutdown_grace_ms = 50', false],
    ['when asked again', 'shutdown_grace_ms = 600000', true],
  ])('ends what does not end %s as an infra error, and records it', async (_, limits, again) => {
    const { post, model, service, log } = await startStage({ limits });
    const waiting = post(ask('hang'));
    await eventually(() => expect(model.asked).toHaveLength(1));
    const stopped = service.stop();
    if (again) void service.stop();
    expect((await waiting).status).toBe(502);
    await stopped;
    expect(recordsOf(log)).toMatchObject([{ final_verdict: 'infra_error', error_type: 'AbortError' }]);
  });
});
