/** Could not check is not checked; and the daemon always stops. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { workersFromJsonl } from '../../src/log/index.js';
import { recordsOf } from '../log/support.js';
import { ROSTER, type Running, type StageOptions, startStage } from './support.js';

const sockets: net.Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

const fill = '{"assignments":[{"worker":"W-0001"}]}';
const say = (answer: string, more: object = {}) => ({ kind: 'fill', prompt: `[say] ${answer}`, ...more });

interface Body {
  readonly session_id: string;
  readonly artifact?: unknown;
  readonly final_verdict: string;
  readonly grounded_in_roster?: boolean | null;
  readonly error?: { readonly type: string; readonly message: string };
  readonly attempts?: readonly { readonly verdict: string; readonly reasons?: readonly string[] }[];
}

const jsonOf = async (response: Response) => (await response.json()) as Body;

/** Withheld: 409, no artifact, one alarm, and a record that keeps the gate from vouching. */
async function expectWithheld(
  { post, told, service, log }: Running,
  request: object,
  grounded: boolean | null,
  why: string,
) {
  const response = await post(request);
  const body = await jsonOf(response);
  expect([response.status, body.final_verdict, body.grounded_in_roster]).toEqual([409, 'accepted', grounded]);
  expect(body).not.toHaveProperty('artifact');
  expect(body.error!.type).toBe(grounded === null ? 'Unjudged' : 'Ungrounded');
  const alarms = told.filter((line) => line.includes('ALARM'));
  expect(alarms).toEqual([expect.stringContaining(`ALARM: session ${body.session_id}: `)]);
  expect(alarms[0]).toContain(why);
  await service.stop();
  expect(recordsOf(log)).toMatchObject([{ final_verdict: 'accepted', grounded_in_roster: grounded }]);
}

describe('an accepted fill that could not be checked is withheld', () => {
  it.each<[string, (file: string) => void, string]>([
    ['is deleted', (file) => rmSync(file), 'ENOENT'],
    [
      'shrinks to its header',
      (file) => writeFileSync(file, 'worker_id,active\n'),
      'the roster has no worker',
    ],
    ['shrinks to nothing', (file) => writeFileSync(file, ''), 'the roster has no worker'],
    [
      'gets a status that is misspelt',
      (file) => writeFileSync(file, 'worker_id,actve\nW-0001,yes\n'),
      'actve',
    ],
    ['is torn', (file) => writeFileSync(file, `${ROSTER}"W-00`), 'a quote that is never closed'],
    ['is no text', (file) => writeFileSync(file, Buffer.from([0x77, 0xff])), 'not UTF-8'],
    [
      'becomes a folder',
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
      'not a regular file',
    ],
  ])('when the roster %s while the model thinks', async (_, leave, why) => {
    const stage = await startStage({ leave });
    const request = { kind: 'fill', prompt: `[leave] ${fill}` };
    await expectWithheld(stage, request, null, `could not be checked against the roster: `);
    expect(stage.told.join('\n')).toContain(why);
    // Where the daemon looks for it is the operator's business.
    const health = await fetch(`${stage.service.url}/healthz`).catch(() => null);
    expect(health).toBeNull();
  });

  it('when it names nobody, whatever the rule', async () => {
    const stage = await startStage({ kinds: 'fill = "json"' });
    await expectWithheld(stage, say('{"contract":"C-1"}'), null, 'it names no worker');
  });

  it('when its kind has another name and its rule is fill', async () => {
    const stage = await startStage({ kinds: 'shift = "fill"', leave: (file) => rmSync(file) });
    await expectWithheld(stage, { kind: 'shift', prompt: `[leave] ${fill}` }, null, 'ENOENT');
  });

  it('and one of another kind, which nobody checks, is not', async () => {
    const { post, told } = await startStage();
    const response = await post({ kind: 'plan', prompt: `[say] ${fill}` });
    expect([response.status, (await jsonOf(response)).grounded_in_roster]).toEqual([200, null]);
    expect(told.join()).not.toContain('ALARM');
  });

  it('and is counted by itself', async () => {
    const { post, service } = await startStage({ kinds: 'fill = "json"' });
    await post(say('{"contract":"C-1"}'));
    const health = await (await fetch(`${service.url}/healthz`)).json();
    expect(health).toMatchObject({ calls_ended: { accepted: 0, ungrounded: 0, unjudged: 1 } });
  });
});

describe('who is not in the roster is found', () => {
  it.each<[string, StageOptions, string]>([
    ['under another member', {}, '{"assignments":[{"worker":"W-0001","backup_worker":"W-404"}]}'],
    ['beside the assignments', {}, '{"assignments":[{"worker":"W-0001"}],"Reserve Worker":{"id":"W-404"}}'],
    ['as somebody inactive', {}, '{"assignments":[{"worker":"W-0001","leadWorkerId":"W-0009"}]}'],
    [
      'under any name, where asked for',
      { rosterKeys: 'any_id = true' },
      '{"assignments":[{"worker":"W-0001","deputy":"W-404"}]}',
    ],
  ])('%s', async (_, options, answer) => {
    await expectWithheld(await startStage(options), say(answer), false, 'is not in the roster');
  });

  it('any_id with a roster that it cannot work with is refused at the start', async () => {
    const options = { rosterKeys: 'any_id = true', leave: () => {} };
    const stage = startStage({ ...options, roster: 'worker_id\nann\n' });
    await expect(stage).rejects.toThrow('cannot use the roster: anyId: the id "ann" has no digit');
  });
});

describe('an answer that is too large to be judged is a rejected attempt', () => {
  it.each<[string, string, string]>([
    ['values', `{"assignments":[{"worker":"W-0001"}],"x":[${'0,'.repeat(100_000)}0]}`, '100000 values'],
    [
      'depth',
      `{"assignments":[{"worker":"W-0001"}],"x":${'['.repeat(40_000)}${']'.repeat(40_000)}}`,
      '90 levels',
    ],
    ['bytes', `{"assignments":[{"worker":"W-0001"}],"x":"${'é'.repeat(200_000)}"}`, '400000 bytes'],
  ])('by its %s; response and record agree', async (_, answer, reason) => {
    for (const kind of ['fill', 'plan']) {
      const { post, service, log } = await startStage({
        limits: 'max_answer_bytes = 400000\nmax_body_bytes = 4000000',
      });
      const response = await post(say(answer, { kind, max_iterations: 2 }));
      const { final_verdict, attempts } = await jsonOf(response);
      expect([response.status, final_verdict]).toEqual([422, 'max_iter_exhausted']);
      expect(attempts).toMatchObject([{ verdict: 'rejected' }, { verdict: 'rejected' }]);
      expect(attempts![0]!.reasons![0]).toContain(reason);
      await service.stop();
      expect(recordsOf(log)).toMatchObject([{ final_verdict, iterations: 2 }]);
    }
  });
});

describe('a chat for a prompt', () => {
  const chat = [
    { role: 'system', content: 'Only JSON.' },
    { role: 'user', content: `[say] ${fill}` },
  ];

  it('goes to the model and into the record as it is', async () => {
    const { post, model, service, log } = await startStage();
    expect((await post({ kind: 'fill', prompt: chat })).status).toBe(200);
    expect(model.asked[0]!.body.messages).toEqual(chat);
    await service.stop();
    expect(recordsOf(log)).toMatchObject([{ prompt: chat }]);
  });

  it.each<[string, unknown, string]>([
    ['no message', [], 'prompt: an array without a message'],
    ['an object', { role: 'user', content: 'x' }, 'prompt: not a text, and not an array of chat messages'],
    ['a text in an array', ['x'], 'prompt[0].role: not one of'],
    ['null in an array', [chat[0], null], 'prompt[1].role: not one of'],
    ['no role', [{ content: 'x' }], 'prompt[0].role: not one of'],
    ['a strange role', [{ role: 'root', content: 'x' }], 'prompt[0].role: not one of'],
    ['no content', [{ role: 'user' }], 'prompt[0].content: neither'],
    ['a number for content', [{ role: 'user', content: 5 }], 'prompt[0].content: neither'],
    ['parts that are none', [{ role: 'user', content: ['x'] }], 'prompt[0].content: neither'],
    [
      'parts nested without end',
      [{ role: 'user', content: [{ type: 'text', x: 0 }] }],
      'prompt: nested too deep',
    ],
  ])('%s is refused', async (_, prompt, message) => {
    const { post, model } = await startStage();
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const text = JSON.stringify({ kind: 'fill', prompt });
    const response = await post(message.includes('deep') ? text.replace('"x":0', `"x":${deep}`) : text);
    expect(response.status).toBe(400);
    expect((await jsonOf(response)).error!.message).toContain(message);
    expect(model.asked).toEqual([]);
  });
});

it.each([429, 503])('hands a %i with its Retry-After on, and records an infra error', async (status) => {
  const { post, service, log } = await startStage();
  const response = await post({ kind: 'fill', prompt: `[busy] ${status}` });
  expect([response.status, response.headers.get('retry-after')]).toEqual([status, '3600']);
  const { final_verdict, error } = await jsonOf(response);
  expect([final_verdict, error!.type]).toEqual(['infra_error', 'ModelError']);
  await service.stop();
  expect(recordsOf(log)).toMatchObject([{ final_verdict: 'infra_error', error_type: 'ModelError' }]);
});

/** A request whose body does not end, and what comes back. */
async function stall(url: string, head = 'content-length: 60', part = '{"kind":"fi') {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
  sockets.push(socket);
  let received = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    received += chunk;
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await new Promise<void>((resolve) => socket.on('connect', resolve));
  socket.write(
    `POST /v1/iterate HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${head}\r\n\r\n${part}`,
  );
  return { socket, received: () => received, closed };
}

async function bodiesBeingRead(url: string): Promise<number> {
  const health = (await (await fetch(`${url}/healthz`)).json()) as { bodies_being_read: number };
  return health.bodies_being_read;
}

const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 20_000, interval: 10 });

/** Far below the graces of ten minutes that the tests set, far above what a busy machine takes. */
const ended = (work: Promise<unknown>) =>
  Promise.race([
    work.then(() => true),
    new Promise((resolve) => {
      setTimeout(resolve, 20_000, false).unref();
    }),
  ]);

const STALLS: [string, string, string][] = [
  ['a body that stops', 'content-length: 60', '{"kind":"fi'],
  ['a body that never begins', 'content-length: 60', ''],
  ['chunks that stop', 'transfer-encoding: chunked', 'b\r\n{"kind":"fi\r\n'],
];

describe.each(STALLS)('%s', (_, head, part) => {
  it('is nobody else’s trouble, and ends with 408', async () => {
    const { service, post } = await startStage({ limits: 'max_concurrent = 1\nbody_timeout_ms = 400' });
    const stalled = await Promise.all([1, 2, 3].map(() => stall(service.url, head, part)));
    await eventually(async () => expect(await bodiesBeingRead(service.url)).toBe(3));
    expect((await post(say(fill))).status).toBe(200);
    for (const { closed, received } of stalled) {
      expect(await ended(closed)).toBe(true);
      expect(received()).toContain('HTTP/1.1 408');
      expect(received()).toContain('the body did not come within 400 ms');
    }
    await eventually(async () => expect(await bodiesBeingRead(service.url)).toBe(0));
  });

  it('is aborted at once when the service stops', async () => {
    const { service } = await startStage({ limits: 'shutdown_grace_ms = 600000\nbody_timeout_ms = 600000' });
    const { received, closed } = await stall(service.url, head, part);
    await eventually(async () => expect(await bodiesBeingRead(service.url)).toBe(1));
    expect(await ended(service.stop())).toBe(true);
    await closed;
    expect(received()).toContain('HTTP/1.1 503');
    expect(received().toLowerCase()).toContain('retry-after: 5');
  });
});

it('a body that comes drop by drop is not waited for either', async () => {
  const { service } = await startStage({ limits: 'body_timeout_ms = 300' });
  const { socket, received, closed } = await stall(service.url);
  const drops = setInterval(() => socket.write(' '), 20);
  expect(await ended(closed)).toBe(true);
  clearInterval(drops);
  expect(received()).toContain('HTTP/1.1 408');
});

it('stops although a client does not read its answer, and another one never sends a request', async () => {
  const { service, post } = await startStage({
    limits: 'max_answer_bytes = 8000000\nmax_body_bytes = 9000000\nshutdown_grace_ms = 600000',
  });
  sockets.push(net.connect(Number(new URL(service.url).port), '127.0.0.1'));
  const body = JSON.stringify({ kind: 'email', prompt: `[say] ${'x'.repeat(3_900_000)}` });
  const { socket } = await stall(service.url, `content-length: ${Buffer.byteLength(body)}`, body);
  socket.pause();
  await eventually(async () => {
    const health = await (await fetch(`${service.url}/healthz`)).json();
    expect(health).toMatchObject({ calls_ended: { accepted: 1 } });
  });
  const stopped = service.stop();
  await expect(post(say(fill))).rejects.toThrow();
  expect(await ended(stopped)).toBe(true);
});

it('a second stop waits for nobody', async () => {
  const { service, model, post } = await startStage({ limits: 'shutdown_grace_ms = 600000' });
  post({ kind: 'fill', prompt: '[hang] x' }).catch(() => {});
  await stall(service.url);
  await eventually(() => expect(model.asked).toHaveLength(1));
  const stopped = service.stop();
  void service.stop();
  expect(await ended(stopped)).toBe(true);
});

describe('the names it is called by', () => {
  async function statusFor(url: string, host: string, more: IncomingHttpHeaders = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(`${url}/healthz`, { headers: { ...more, host } });
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.end();
    });
  }

  it.each<[string, number]>([
    ['127.0.0.1', 200],
    ['localhost:8743', 200],
    ['LocalHost.', 200],
    ['[::1]:1', 200],
    ['api.example:443', 200],
    ['API.EXAMPLE', 200],
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost.evil.example:8743', 421],
    ['xapi.example', 421],
    ['[::2]', 421],
    ['10.0.0.1', 421],
  ])('%s: %i', async (host, status) => {
    const { service } = await startStage({ top: 'hosts = ["api.example"]' });
    expect(await statusFor(service.url, host)).toBe(status);
  });

  it('are asked before anything is read or run', async () => {
    const { service, model } = await startStage();
    const response = await new Promise((resolve) => {
      const request = httpRequest(`${service.url}/v1/iterate`, {
        method: 'POST',
        headers: { host: 'evil.example', 'content-type': 'application/json' },
      });
      request.on('response', ({ statusCode }) => resolve(statusCode));
      request.end(JSON.stringify(say(fill)));
    });
    expect(response).toBe(421);
    expect(model.asked).toEqual([]);
  });
});

describe('GET /metrics', () => {
  it('tells Prometheus what the service did', async () => {
    const { service, post, log } = await startStage({ top: 'metrics_listen = "127.0.0.1:0"' });
    await post({ kind: 'fill', prompt: '[retry] x' });
    await post({ kind: 'fill', prompt: '[prose] x', max_iterations: 1 });
    await post({ kind: 'fill', prompt: '[down] x' });
    await eventually(() => expect(recordsOf(log)).toHaveLength(3));
    const response = await fetch(`${service.metricsUrl}/metrics`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    const text = await response.text();
    for (const line of [
      '# TYPE validatord_calls_total counter',
      'validatord_calls_total{outcome="accepted"} 1',
      'validatord_calls_total{outcome="unjudged"} 0',
      'validatord_calls_total{outcome="max_iter_exhausted"} 1',
      'validatord_calls_total{outcome="infra_error"} 1',
      'validatord_attempts_total{verdict="accepted"} 1',
      'validatord_attempts_total{verdict="rejected"} 1',
      'validatord_attempts_total{verdict="no_candidate"} 1',
      '# TYPE validatord_calls_in_flight gauge',
      'validatord_calls_in_flight 0',
      'validatord_log_written_total 3',
      'validatord_log_dropped_total{cause="queue_full"} 0',
      'validatord_log_queued 0',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    // Every line is a comment or a number, and every number has a help and a type.
    for (const line of text.trimEnd().split('\n').filter(Boolean)) {
      expect(line).toMatch(/^# (?:HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(?:\{[a-z]+="[^"\\]*"\})? \d+$/);
    }
    expect((await fetch(`${service.metricsUrl}/`)).status).toBe(404);
    expect((await fetch(`${service.metricsUrl}/v1/iterate`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
  });

  it('counts the same however often it is asked', async () => {
    const { service, post } = await startStage({ top: 'metrics_listen = "127.0.0.1:0"' });
    await post(say(fill));
    const scrape = async () => (await fetch(`${service.metricsUrl}/metrics`)).text();
    expect((await scrape()).match(/validatord_calls_total.* 1/g)).toHaveLength(1);
    expect((await scrape()).match(/validatord_calls_total.* 1/g)).toHaveLength(1);
  });

  it('an address that is taken is refused at the start', async () => {
    const taken = await startStage({ top: 'metrics_listen = "127.0.0.1:0"' });
    const { port } = new URL(taken.service.metricsUrl!);
    await expect(startStage({ top: `metrics_listen = "127.0.0.1:${port}"` })).rejects.toThrow('EADDRINUSE');
  });
});

describe('the archive of rosters', () => {
  it('keeps each one that was judged by, under its hash, so that it can be read again', async () => {
    const { post, folder, roster, service, log } = await startStage({
      rosterKeys: 'archive = "old/rosters"',
    });
    await post(say(fill));
    writeFileSync(roster, ROSTER.replace('W-0001,Ann,yes', 'W-0001,Ann,no'));
    await post(say(fill));
    writeFileSync(roster, ROSTER);
    await post(say(fill));
    await service.stop();
    const archive = path.join(folder, 'old/rosters');
    const files = readdirSync(archive);
    expect(files).toHaveLength(2);
    expect(statSync(archive).mode & 0o777).toBe(0o700);
    for (const name of files) {
      expect(statSync(path.join(archive, name)).mode & 0o777).toBe(0o600);
      const { hash, size } = workersFromJsonl(readFileSync(path.join(archive, name), 'utf8'));
      expect([name, size]).toEqual([`${hash!.replace(':', '-')}.jsonl`, 4]);
    }
    const judgedBy = recordsOf(log).flatMap(({ roster_hash }) => roster_hash ?? []) as string[];
    for (const hash of judgedBy) expect(files).toContain(`${hash.replace(':', '-')}.jsonl`);
  });

  it('that cannot be written is told, and holds no call up', async () => {
    const { post, told } = await startStage({ rosterKeys: 'archive = "roster.csv"' });
    expect((await post(say(fill))).status).toBe(200);
    expect((await post(say(fill))).status).toBe(200);
    expect(told.filter((line) => line.includes('is not in the archive: '))).toHaveLength(1);
  });
});

it('many calls at a time warn of no leak', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`);
  process.on('warning', onWarning);
  const { post, model } = await startStage({ limits: 'max_concurrent = 40' });
  const waiting = Array.from({ length: 30 }, () => post({ kind: 'fill', prompt: '[wait] x' }));
  await eventually(() => expect(model.asked).toHaveLength(30));
  model.release();
  expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([200]));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
