import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import { parseConfig } from '../../src/validatord/config.js';
import { type Service, startService } from '../../src/validatord/serve.js';
import { type ScriptedModel, startScriptedModel } from '../support/scripted-model.mjs';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

export const ROSTER =
  'worker_id,name,active\r\nW-0001,Ann,yes\r\nW-0002,Bo,yes\r\nW-0003,Cy,yes\r\nW-0009,Di,no\r\n';

export interface Stage {
  readonly folder: string;
  readonly log: string;
  readonly roster: string;
  readonly config: string;
  readonly model: ScriptedModel;
}

export interface StageOptions {
  /** Lines for sections `[validatord]`, `[validatord.limits]`, `[validatord.kinds]`, `[validatord.model]`. */
  readonly top?: string;
  readonly limits?: string;
  readonly kinds?: string;
  readonly modelKeys?: string;
  readonly rosterKeys?: string;
  /** Content of the roster's file. */
  readonly roster?: string;
  /** What happens to the roster while the model thinks about a scene of somebody who leaves. */
  readonly leave?: (roster: string) => void;
}

/** A folder with roster and configuration, and a scripted model; all of it goes away after the test. */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lakelog-validatord-'));
  const roster = path.join(folder, 'roster.csv');
  const { leave = (file) => writeFileSync(file, ROSTER.replace('W-0002,Bo,yes', 'W-0002,Bo,no')) } = options;
  const model = await startScriptedModel(() => leave(roster));
  endings.push(async () => {
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  });
  writeFileSync(roster, options.roster ?? ROSTER);
  const config = path.join(folder, 'validatord.toml');
  writeFileSync(config, configText(model.url, options));
  return { folder, log: path.join(folder, 'sessions.jsonl'), roster, config, model };
}

export function configText(modelUrl: string, options: StageOptions = {}): string {
  const {
    top = '',
    limits = '',
    kinds = 'fill = "fill"\nemail = "text"\nplan = "json"',
    modelKeys = '',
    rosterKeys = '',
  } = options;
  return `[validatord]
listen = "127.0.0.1:0"
session_log_path = "sessions.jsonl"
environment = "test"
${top}

[validatord.roster]
path = "roster.csv"
${rosterKeys}

[validatord.model]
url = "${modelUrl}"
name = "m-1"
provider = "scripted"
${modelKeys}

[validatord.kinds]
${kinds}

[validatord.limits]
${limits}
`;
}

export interface Running extends Stage {
  readonly service: Service;
  /** What the service told people. */
  readonly told: string[];
  post(body: unknown, init?: RequestInit): Promise<Response>;
}

/** The service in this process. */
export async function startStage(
  options: StageOptions = {},
  env: Record<string, string> = {},
): Promise<Running> {
  const stage = await setStage(options);
  const told: string[] = [];
  const config = parseConfig(configText(stage.model.url, options), stage.config, env);
  const service = await startService(config, (line) => told.push(line));
  endings.push(() => {
    stage.model.release();
    return Promise.all([service.stop(), service.stop()]);
  });
  return { ...stage, service, told, post: (body, init) => postTo(service.url, body, init) };
}

export function postTo(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/v1/iterate`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
}
