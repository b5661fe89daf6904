import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { LakelogError, messageOf } from '../errors.js';

/** How the candidates of a kind are found and judged. */
export type KindRule =
  /** a JSON fill, checked against the roster */
  | 'fill'
  /** any JSON object or array */
  | 'json'
  /** any text that is not blank */
  | 'text';

export interface Config {
  /** The file it was read from. */
  readonly file: string;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Names of this service in Host headers, without a port, in lower case. */
  readonly hosts: readonly string[];
  /** Where GET /metrics is; null = nowhere. */
  readonly metrics: Address | null;
  /** Absolute; null = calls are not logged. */
  readonly sessionLogPath: string | null;
  readonly daemon: string;
  readonly environment: string | undefined;
  /** Attempts of a call that asks for no number. */
  readonly maxIterations: number;
  /** Prompts and answers go on spans. */
  readonly traceContent: boolean;
  readonly kinds: ReadonlyMap<string, KindRule>;
  readonly roster: {
    readonly path: string;
    readonly idColumn: string | undefined;
    /** Null: there is none, everybody is active. */
    readonly activeColumn: string | null | undefined;
    /** Any text in the form of an id must be one. */
    readonly anyId: boolean;
    /** Absolute; null = no roster is kept. */
    readonly archive: string | null;
  };
  readonly model: {
    readonly url: URL;
    readonly name: string;
    readonly provider: string | undefined;
    readonly apiKey: string | undefined;
    readonly systemPrompt: string | undefined;
  };
  readonly limits: Limits;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Limits {
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly maxConcurrent: number;
  readonly maxIterations: number;
  readonly attemptTimeoutMs: number;
  readonly shutdownGraceMs: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads section `[validatord]` of a TOML file. Paths in it are relative to the file.
 *
 * @throws LakelogError naming the file and the key, for anything unknown, missing or of a wrong type.
 */
export function readConfig(file: string, env: Env): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new LakelogError(`cannot read the configuration: ${messageOf(error)}`, {
      where: file,
      next: 'name a readable file with --config',
    });
  }
  return parseConfig(text, path.resolve(file), env);
}

/** As `readConfig`, for text that is already read. @param file absolute path, for relative paths and messages. */
export function parseConfig(text: string, file: string, env: Env): Config {
  const root = new Section(tomlOf(text, file), '', file);
  const top = root.table('validatord', true);
  const roster = top.table('roster', true);
  const model = top.table('model', true);
  const limits = top.table('limits', false);
  const kinds = top.table('kinds', false);
  const folder = path.dirname(file);
  const sessionLogPath = top.text('session_log_path') ?? '';
  const limit = {
    maxBodyBytes: limits.integer('max_body_bytes', 1, 256 * MIB) ?? MIB,
    bodyTimeoutMs: limits.integer('body_timeout_ms', 1, HOUR_MS) ?? 10_000,
    maxAnswerBytes: limits.integer('max_answer_bytes', 1, 256 * MIB) ?? 4 * MIB,
    maxConcurrent: limits.integer('max_concurrent', 1, 10_000) ?? 16,
    maxIterations: limits.integer('max_iterations', 1, 1000) ?? 10,
    attemptTimeoutMs: limits.integer('attempt_timeout_ms', 1, HOUR_MS) ?? 120_000,
    shutdownGraceMs: limits.integer('shutdown_grace_ms', 0, HOUR_MS) ?? 30_000,
  };
  const config: Config = {
    file,
    ...listenOf(top),
    hosts: hostsOf(top),
    metrics: metricsOf(top),
    sessionLogPath: sessionLogPath === '' ? null : path.resolve(folder, sessionLogPath),
    daemon: top.nonEmpty('daemon') ?? 'validatord',
    environment: top.nonEmpty('environment'),
    maxIterations: top.integer('max_iterations', 1, limit.maxIterations) ?? Math.min(3, limit.maxIterations),
    traceContent: top.flag('trace_content') ?? false,
    kinds: kindsOf(kinds),
    roster: rosterOf(roster, folder),
    model: modelOf(model, env),
    limits: limit,
  };
  for (const read of [top, roster, model, limits]) read.nothingElse();
  return config;
}

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const KIND_RULES: readonly KindRule[] = ['fill', 'json', 'text'];

function kindsOf(kinds: Section): ReadonlyMap<string, KindRule> {
  const names = kinds.keys();
  if (names.length === 0) return new Map([['fill', 'fill']]);
  return new Map(names.map((name) => [name, kinds.oneOf(name, KIND_RULES)]));
}

const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|localhost)$/;

function listenOf(top: Section): Address {
  const { host, port } = addressOf(top, 'listen', top.nonEmpty('listen') ?? '127.0.0.1:8743');
  if (!LOOPBACK.test(host)) {
    top.fail(
      'listen',
      `not a loopback address: ${JSON.stringify(host)}; there is no authentication, so nothing else is bound`,
      'listen on 127.0.0.1:PORT or [::1]:PORT, and put a proxy in front for other machines',
    );
  }
  return { host: bare(host), port };
}

function addressOf(top: Section, key: string, given: string): Address {
  const [, host = '', digits = ''] = /^(.*):(\d{1,5})$/.exec(given) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) top.fail(key, `not host:port: ${JSON.stringify(given)}`);
  return { host, port };
}

function bare(host: string): string {
  // What the name resolves to is up to the machine; only the literal is certainly loopback.
  return host === 'localhost' ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1');
}

/** Numbers are no secret, and who collects them is on another machine. */
function metricsOf(top: Section): Address | null {
  const given = top.nonEmpty('metrics_listen');
  if (given === undefined) return null;
  const { host, port } = addressOf(top, 'metrics_listen', given);
  if (host === '')
    top.fail('metrics_listen', 'no host', 'name an address, e.g. 127.0.0.1:9743 or 0.0.0.0:9743');
  return { host: bare(host), port };
}

const HOST_NAME = /^(?:[\w-]+(?:\.[\w-]+)*|\[[0-9a-f:.]+\])$/i;

/** Those of the loopback addresses, and what the file names. */
function hostsOf(top: Section): string[] {
  const named = top.texts('hosts') ?? [];
  const odd = named.find((name) => !HOST_NAME.test(name));
  if (odd !== undefined) top.fail('hosts', `not a host name without a port: ${JSON.stringify(odd)}`);
  const { host } = listenOf(top);
  const own = host.includes(':') ? `[${host}]` : host;
  return [...new Set(['localhost', '127.0.0.1', '[::1]', own, ...named.map((name) => name.toLowerCase())])];
}

function rosterOf(roster: Section, folder: string): Config['roster'] {
  const activeColumn = roster.text('active_column');
  const archive = roster.nonEmpty('archive');
  return {
    path: path.resolve(folder, roster.nonEmpty('path', true)),
    idColumn: roster.nonEmpty('id_column'),
    activeColumn: activeColumn === '' ? null : activeColumn,
    anyId: roster.flag('any_id') ?? false,
    archive: archive === undefined ? null : path.resolve(folder, archive),
  };
}

function modelOf(model: Section, env: Env): Config['model'] {
  const given = model.nonEmpty('url', true);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    model.fail(
      'url',
      'not an http or https URL',
      'give the whole URL, e.g. https://host/v1/chat/completions',
    );
  }
  if (url.username !== '' || url.password !== '') {
    model.fail(
      'url',
      'holds credentials',
      'put the key into an environment variable and name it in api_key_env',
    );
  }
  const variable = model.nonEmpty('api_key_env');
  const apiKey = variable === undefined ? undefined : env[variable];
  if (variable !== undefined && !apiKey) {
    model.fail('api_key_env', `environment variable ${variable} is not set`, `set ${variable}`);
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    model.fail(
      'api_key_env',
      `the value of ${variable} cannot stand in a header`,
      `set ${variable} to the key alone`,
    );
  }
  if (apiKey !== undefined && url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    model.fail('url', 'would send the API key over plain http', 'use https');
  }
  return {
    url,
    name: model.nonEmpty('name', true),
    provider: model.nonEmpty('provider'),
    apiKey,
    systemPrompt: model.nonEmpty('system_prompt'),
  };
}

type Table = Readonly<Record<string, unknown>>;

function tomlOf(text: string, file: string): Table {
  try {
    return parse(text);
  } catch (error) {
    const line = error instanceof TomlError ? `:${error.line}:${error.column}` : '';
    const [what] = messageOf(error).split('\n');
    throw new LakelogError(`not TOML: ${what}`, {
      where: `${file}${line}`,
      next: 'correct that line; https://toml.io has the grammar',
    });
  }
}

/** One table of the file. Every failure names the file and the key; keys that nobody asked for are one. */
class Section {
  readonly #table: Table;
  readonly #name: string;
  readonly #file: string;
  readonly #known: string[] = [];

  constructor(table: Table, name: string, file: string) {
    this.#table = table;
    this.#name = name;
    this.#file = file;
  }

  fail(key: string, what: string, next = `correct ${this.#dotted(key)}`): never {
    throw new LakelogError(`${this.#dotted(key)}: ${what}`, { where: this.#file, next });
  }

  keys(): string[] {
    return Object.keys(this.#table);
  }

  text(key: string): string | undefined {
    const found = this.#value(key);
    if (found !== undefined && typeof found !== 'string') this.fail(key, 'not a string');
    return found as string | undefined;
  }

  nonEmpty(key: string, required: true): string;
  nonEmpty(key: string): string | undefined;
  nonEmpty(key: string, required = false): string | undefined {
    const found = this.text(key);
    if (found === '') this.fail(key, 'empty');
    if (found === undefined && required) this.fail(key, 'missing', `add ${key} to section [${this.#name}]`);
    return found;
  }

  integer(key: string, min: number, max: number): number | undefined {
    const found = this.#value(key);
    if (found === undefined) return undefined;
    if (!Number.isSafeInteger(found) || (found as number) < min || (found as number) > max) {
      this.fail(key, `not an integer from ${min} to ${max}`);
    }
    return found as number;
  }

  flag(key: string): boolean | undefined {
    const found = this.#value(key);
    if (found !== undefined && typeof found !== 'boolean') this.fail(key, 'neither true nor false');
    return found as boolean | undefined;
  }

  texts(key: string): readonly string[] | undefined {
    const found = this.#value(key);
    if (found === undefined) return undefined;
    if (!Array.isArray(found) || !found.every((one) => typeof one === 'string')) {
      this.fail(key, 'not an array of strings');
    }
    return found;
  }

  oneOf<T extends string>(key: string, values: readonly T[]): T {
    const found = this.#value(key);
    return values.find((one) => one === found) ?? this.fail(key, `not one of ${values.join(', ')}`);
  }

  table(key: string, required: boolean): Section {
    const found = this.#value(key);
    if (found === undefined && required) this.fail(key, 'missing', `add section [${this.#dotted(key)}]`);
    if (found !== undefined && (typeof found !== 'object' || found === null || Array.isArray(found))) {
      this.fail(key, 'not a section');
    }
    return new Section((found ?? {}) as Table, this.#dotted(key), this.#file);
  }

  nothingElse(): void {
    const unknown = Object.keys(this.#table).find((key) => !this.#known.includes(key));
    if (unknown === undefined) return;
    const all = [...new Set(this.#known)].sort().join(', ');
    this.fail(unknown, 'unknown key', `section [${this.#name}] knows ${all}`);
  }

  #value(key: string): unknown {
    this.#known.push(key);
    return Object.hasOwn(this.#table, key) ? this.#table[key] : undefined;
  }

  #dotted(key: string): string {
    return this.#name === '' ? key : `${this.#name}.${key}`;
  }
}
