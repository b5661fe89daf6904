import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startReceiver } from '../log/otlp.js';
import { recordsOf } from '../log/support.js';
import { byDay, copyPackage, nightly } from '../support/cli.js';
import { startDaemon } from '../support/daemon.mjs';
import { configText, postTo, setStage } from './support.js';

const installed = copyPackage();

function validatord(...args: string[]) {
  return spawnSync(process.execPath, [path.join(installed, 'bin/validatord.js'), ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '' },
  });
}

/** What an operator would write: the service itself knows no exporter. */
function otelSetup(url: string): string {
  const module = (name: string) => JSON.stringify(createRequire(import.meta.url).resolve(name));
  return `
    import api from ${module('@opentelemetry/api')};
    import sdk from ${module('@opentelemetry/sdk-trace-base')};
    import exporter from ${module('@opentelemetry/exporter-trace-otlp-http')};
    import hooks from ${module('@opentelemetry/context-async-hooks')};
    api.context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
    api.trace.setGlobalTracerProvider(new sdk.BasicTracerProvider({
      spanProcessors: [new sdk.SimpleSpanProcessor(new exporter.OTLPTraceExporter({ url: '${url}' }))],
    }));
  `;
}

describe('the process', () => {
  it('announces the session log, serves, and on SIGTERM finishes the call in flight and ends with 0', async () => {
    const { config, log, model, roster } = await setStage();
    const daemon = await startDaemon(installed, config);
    expect(daemon.stderr()).toContain(`validatord: session log: ${log}\n`);
    expect(daemon.stderr()).toContain(`validatord: roster: ${roster}, 4 workers, sha256:`);
    expect(daemon.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const waiting = postTo(daemon.url, { kind: 'fill', prompt: '[wait] Fill C-1.' });
    while (model.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    daemon.kill('SIGTERM');
    setTimeout(model.release, 100);
    expect((await waiting).status).toBe(200);
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
    expect(daemon.stderr()).toContain('stopped; session log: 1 written, 0 dropped');
    expect(recordsOf(log)).toMatchObject([{ final_verdict: 'accepted', grounded_in_roster: true }]);
  });

  it('serves metrics as it is shipped, though their library asks for modules in the old way', async () => {
    const { config } = await setStage({ top: 'metrics_listen = "127.0.0.1:0"' });
    const daemon = await startDaemon(installed, config);
    const [, url] = /metrics on (\S+)\n/.exec(daemon.stderr()) ?? [];
    expect(await (await fetch(`${url}`)).text()).toContain('validatord_calls_total{outcome="accepted"} 0\n');
    daemon.kill('SIGTERM');
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
  });

  it('ends the calls in flight when it is told twice', async () => {
    const { config, log, model } = await setStage();
    const daemon = await startDaemon(installed, config);
    const waiting = postTo(daemon.url, { kind: 'fill', prompt: '[hang] Fill C-1.' });
    while (model.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    daemon.kill('SIGTERM');
    daemon.kill('SIGINT');
    expect((await waiting).status).toBe(502);
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
    expect(recordsOf(log)).toMatchObject([{ final_verdict: 'infra_error' }]);
  });

  it.each<NodeJS.Signals>(byDay(['SIGINT', 'SIGQUIT', 'SIGUSR2'], 3))(
    'ends with %s and loses nothing',
    async (signal) => {
      const { config, log, model } = await setStage();
      const daemon = await startDaemon(installed, config);
      const waiting = postTo(daemon.url, { kind: 'fill', prompt: '[wait] Fill C-1.' });
      while (model.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      daemon.kill(signal);
      setTimeout(model.release, 100);
      expect((await waiting).status).toBe(200);
      expect(await daemon.ended).toEqual({ code: 0, signal: null });
      expect(recordsOf(log)).toMatchObject([{ final_verdict: 'accepted' }]);
    },
  );

  it('goes on after SIGHUP, in the middle of a call, with the log opened anew', async () => {
    const { config, log, model } = await setStage();
    const daemon = await startDaemon(installed, config);
    await postTo(daemon.url, { kind: 'fill', prompt: '[good] x' });
    const waiting = postTo(daemon.url, { kind: 'fill', prompt: '[wait] Fill C-1.' });
    while (model.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    while (!existsSync(log)) await new Promise((resolve) => setTimeout(resolve, 10));
    renameSync(log, `${log}.1`);
    daemon.kill('SIGHUP');
    while (!daemon.stderr().includes('opened anew')) await new Promise((resolve) => setTimeout(resolve, 10));
    model.release();
    expect((await waiting).status).toBe(200);
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    expect([recordsOf(`${log}.1`).length, recordsOf(log).length]).toEqual([1, 1]);
    expect(daemon.stderr()).toContain('stopped; session log: 2 written, 0 dropped');
  });

  it('is gone soon after a second signal, whoever stalls', async () => {
    const { config, model } = await setStage({ limits: 'shutdown_grace_ms = 600000' });
    const daemon = await startDaemon(installed, config);
    postTo(daemon.url, { kind: 'fill', prompt: '[hang] x' }).catch(() => {});
    const stalled = connect(Number(new URL(daemon.url).port), '127.0.0.1');
    stalled.on('error', () => {});
    stalled.write('POST /v1/iterate HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n');
    while (model.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    daemon.kill('SIGTERM');
    const isOpen = () => fetch(daemon.url).then(Boolean, () => false);
    while (await isOpen()) await new Promise((resolve) => setTimeout(resolve, 10));
    daemon.kill('SIGTERM');
    // Long before the ten minutes of grace.
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
    stalled.destroy();
  });

  /** Calls by eight clients until the daemon is gone; the ids of those that were answered. */
  async function callsUntil(
    daemon: { readonly url: string; kill(signal: NodeJS.Signals): void },
    signal: NodeJS.Signals,
  ) {
    const answered: unknown[] = [];
    const client = async () => {
      for (;;) {
        const response = await postTo(daemon.url, { kind: 'fill', prompt: '[good] x' });
        if (response.status === 200) answered.push(((await response.json()) as { call_id: string }).call_id);
      }
    };
    const clients = Array.from({ length: 8 }, () => client().catch(() => {}));
    while (answered.length < 50) await new Promise((resolve) => setTimeout(resolve, 10));
    daemon.kill(signal);
    await Promise.all(clients);
    return answered;
  }

  it('answers as many as it records when it is told to stop under load', async () => {
    const { config, log } = await setStage({ limits: 'max_concurrent = 64' });
    const daemon = await startDaemon(installed, config);
    const answered = await callsUntil(daemon, 'SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    expect(recordsOf(log).map(({ call_id }) => call_id)).toEqual(expect.arrayContaining(answered));
    expect(recordsOf(log)).toHaveLength(answered.length);
  });

  it('has recorded what it answered even when it is killed', async () => {
    for (let kills = 0; kills < (nightly ? 5 : 1); kills++) {
      const { config, log } = await setStage({ limits: 'max_concurrent = 64' });
      const daemon = await startDaemon(installed, config);
      const answered = await callsUntil(daemon, 'SIGKILL');
      expect((await daemon.ended).signal).toBe('SIGKILL');
      expect(recordsOf(log).map(({ call_id }) => call_id)).toEqual(expect.arrayContaining(answered));
    }
  }, 60_000);

  it.skipIf(!nightly)(
    'answers what came in one connection without a pause when it is told to stop',
    async () => {
      const { config, log, model } = await setStage();
      const daemon = await startDaemon(installed, config);
      const body = (prompt: string) => JSON.stringify({ kind: 'fill', prompt });
      const head = `POST /v1/iterate HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n`;
      const request = (text: string) => `${head}content-length: ${text.length}\r\n\r\n${text}`;
      const socket = connect(Number(new URL(daemon.url).port), '127.0.0.1');
      let answers = '';
      socket.on('data', (bytes) => {
        answers += bytes;
      });
      const closed = new Promise((resolve) => socket.on('close', resolve));
      // The middle one is ready first, and has to wait for the one before it.
      socket.write(['[wait] x', '[good] x', '[wait] x'].map((prompt) => request(body(prompt))).join(''));
      while (model.asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
      daemon.kill('SIGTERM');
      setTimeout(model.release, 100);
      await closed;
      expect((await daemon.ended).code).toBe(0);
      expect(answers.match(/HTTP\/1.1 200/g)).toHaveLength(3);
      expect(answers.match(/connection: close/gi)).toHaveLength(1);
      expect(recordsOf(log)).toHaveLength(3);
    },
  );

  it('says that nothing is logged, and logs nothing', async () => {
    const { config, log, model } = await setStage();
    writeFileSync(config, configText(model.url).replace('"sessions.jsonl"', '""'));
    const daemon = await startDaemon(installed, config);
    expect(daemon.stderr()).toContain('session log: disabled (session_log_path is empty)');
    expect((await postTo(daemon.url, { kind: 'fill', prompt: '[good] x' })).status).toBe(200);
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    expect(existsSync(log)).toBe(false);
  });

  it.skipIf(!existsSync('/dev/full'))('goes on when its messages find no room', async () => {
    const { config, log, model } = await setStage();
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    writeFileSync(config, configText(model.url).replace('127.0.0.1:0', `127.0.0.1:${port}`));
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [path.join(installed, 'bin/validatord.js'), '--config', config], {
      stdio: ['ignore', 'ignore', full],
    });
    closeSync(full);
    const ended = new Promise((resolve) => child.once('exit', (...how) => resolve(how)));
    const url = `http://127.0.0.1:${port}`;
    const isUp = () => fetch(`${url}/healthz`).then(Boolean, () => false);
    while (child.exitCode === null && !(await isUp()))
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await postTo(url, { kind: 'fill', prompt: '[good] x' })).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(recordsOf(log)).toHaveLength(1);
  });

  it('sends spans when OpenTelemetry is set up with --import', async () => {
    const receiver = await startReceiver();
    const { config, log, folder } = await setStage();
    const setup = path.join(folder, 'otel.mjs');
    writeFileSync(setup, otelSetup(receiver.url));
    const daemon = await startDaemon(installed, config, { NODE_OPTIONS: `--import=${setup}` });
    const answer = await (await postTo(daemon.url, { kind: 'fill', prompt: '[retry] Fill C-1.' })).json();
    daemon.kill('SIGTERM');
    await daemon.ended;
    await receiver.close();
    const { session_id } = answer as { session_id: string };
    expect(receiver.spans.map(({ name, traceId }) => [name, traceId]).sort()).toEqual([
      ['iterate', session_id],
      ['iterate.attempt[1]', session_id],
      ['iterate.attempt[2]', session_id],
    ]);
    const [first] = receiver.spans.filter(({ name }) => name === 'iterate.attempt[1]');
    expect(recordsOf(log)).toMatchObject([{ session_id, attempts: [{ span_id: first!.spanId }, {}] }]);
  });

  it('never tells the API key', async () => {
    const { config, log, model } = await setStage();
    writeFileSync(config, configText(model.url, { modelKeys: 'api_key_env = "KEY"' }));
    const daemon = await startDaemon(installed, config, { KEY: 'sk-secret' });
    const answers = [];
    for (const scene of ['good', 'down', 'cut']) {
      answers.push(await (await postTo(daemon.url, { kind: 'fill', prompt: `[${scene}] x` })).text());
    }
    answers.push(await (await fetch(`${daemon.url}/healthz`)).text());
    daemon.kill('SIGTERM');
    await daemon.ended;
    expect(model.asked[0]!.headers.authorization).toBe('Bearer sk-secret');
    expect(daemon.stderr() + answers.join() + readFileSync(log, 'utf8')).not.toContain('sk-secret');
  });
});

describe('what ends with 2, saying what, where and what next', () => {
  const REFUSED: [string, readonly string[], string][] = [
    ['no configuration', [], 'no configuration is named'],
    ['an unknown option', ['--port', '80'], "'--port'"],
    ['a file that is not there', ['--config', '/nowhere.toml'], 'ENOENT'],
  ];

  it.each(byDay(REFUSED, 3))('%s', (_, args, message) => {
    const { status, stdout, stderr } = validatord(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/→ /);
  });

  it.skipIf(!nightly)('a key that is wrong', async () => {
    const { config, model } = await setStage();
    writeFileSync(config, configText(model.url, { limits: 'max_concurrent = -1' }));
    const { status, stderr } = validatord('--config', config);
    expect(status).toBe(2);
    expect(stderr).toContain('validatord.limits.max_concurrent');
    expect(stderr).toContain(`at ${config}`);
  });

  it('a roster that cannot be used, with file and line', async () => {
    const { config, roster } = await setStage();
    writeFileSync(roster, 'worker_id\nW-1\nW-1\n');
    const { status, stderr } = validatord('--config', config);
    expect(status).toBe(2);
    expect(stderr).toContain('line 3: worker "W-1" is already on line 2');
    expect(stderr).toContain(`at ${roster}`);
  });

  it('an address that is taken', async () => {
    const { config, model } = await setStage();
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    writeFileSync(config, configText(model.url).replace('127.0.0.1:0', `127.0.0.1:${port}`));
    const { status, stderr } = validatord('--config', config);
    server.close();
    expect(status).toBe(2);
    expect(stderr).toContain('EADDRINUSE');
    expect(stderr).toContain(`at 127.0.0.1:${port}`);
  });
});

it.skipIf(!nightly)('checks a roster for any_id too, and leaves nothing in the archive', async () => {
  const { config, folder, roster, model } = await setStage();
  writeFileSync(config, configText(model.url, { rosterKeys: 'any_id = true\narchive = "old"' }));
  expect(validatord('--config', config, '--check').status).toBe(0);
  expect(existsSync(path.join(folder, 'old'))).toBe(false);
  writeFileSync(roster, 'worker_id\nann\n');
  const { status, stderr } = validatord('--config', config, '--check');
  expect(status).toBe(2);
  expect(stderr).toContain('the id "ann" has no digit');
});

it('answers --help, --version and --check with 0', async () => {
  const { config, roster } = await setStage();
  expect(validatord('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('POST /v1/iterate'),
  });
  const { version } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'));
  expect(validatord('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
  expect(validatord('--config', config, '--check')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/in order; session log: .*sessions\.jsonl; roster: .*4 workers/),
  });
  writeFileSync(roster, 'worker_id\n');
  expect(validatord('--config', config, '--check').status).toBe(2);
});
