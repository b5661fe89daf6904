/** Reads lakelog.toml of the working folder: the settings, and the entries of `lakelog check`. */
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { LakelogError, messageOf } from '../errors.js';
import {
  ENTRIES,
  ENTRY_NAME,
  type EntryKind,
  LEVELS,
  type Level,
  SETTINGS,
  type SettingKey,
} from '../schema/policy.js';
import { nearestOf } from './nearest.js';
import { readRegularFile } from './regular-file.js';
import { READINGS, type SettingValue } from './setting-types.js';
import { parseToml, type Toml, type TomlPath } from './toml.js';

export const POLICY = 'lakelog.toml';

/** `[gates.NAME]`, `[[compare]]` or `[[drift]]`, as it stands there. */
export interface PolicyEntry {
  readonly kind: EntryKind;
  readonly name: string;
  readonly level: Level;
  readonly undecided: Level;
  /** The rest of its keys. */
  readonly values: Readonly<Record<string, string | number>>;
  /** Of a gate. */
  readonly params: Readonly<Record<string, ParamText>>;
  /** lakelog.toml:line, of the entry or of one of its keys. */
  where(key?: string): string;
}

/** A value of a parameter, as it stands there. */
export type ParamText = string | number | boolean | readonly string[];

export interface Policy {
  readonly settings: ReadonlyMap<SettingKey, SettingValue>;
  readonly entries: readonly PolicyEntry[];
  /** `lakelog.toml:3`; without a line where it cannot be told. */
  where(path: TomlPath): string;
}

export const NO_POLICY: Policy = { settings: new Map(), entries: [], where: () => POLICY };

/** validatord reads its own section, and its own alone. */
const KEYS = [...SETTINGS.map(({ key }) => key), ...Object.keys(ENTRIES)];
const OTHERS = ['validatord'];

/** @throws LakelogError (exit 2) for what is no TOML, an unknown key or a value of another type. */
export async function readPolicy(cwd: string): Promise<Policy> {
  const file = path.join(cwd, POLICY);
  if (!lstatSync(file, { throwIfNoEntry: false })) return NO_POLICY;
  const toml = await tomlIn(file);
  const reader = new PolicyReader(toml, file);
  reader.ensureKnown([], toml.values, [...KEYS, ...OTHERS], KEYS);
  return {
    settings: reader.settings(),
    entries: reader.allEntries(),
    where: (where) => reader.where(where, POLICY),
  };
}

async function tomlIn(file: string): Promise<Toml> {
  let text: string;
  try {
    text = readRegularFile(file).toString('utf8');
  } catch (error) {
    throw new LakelogError(`${POLICY} cannot be read: ${messageOf(error)}`, {
      where: file,
      next: 'make it readable, or take it away',
    });
  }
  return parseToml(
    text.replace(/^\ufeff/, ''),
    file,
    (what, where) => new LakelogError(`${POLICY} is ${what}`, { where, next: 'correct it' }),
  );
}

class PolicyReader {
  private readonly toml: Toml;
  private readonly file: string;

  constructor(toml: Toml, file: string) {
    this.toml = toml;
    this.file = file;
  }

  where(path: TomlPath, file = this.file): string {
    const line = this.toml.lineOf(path);
    return line === null ? file : `${file}:${line}`;
  }

  private fail(what: string, path: TomlPath, next: string): LakelogError {
    return new LakelogError(what, { where: this.where(path), next });
  }

  /** A misspelt key would silently leave a default in its place. */
  ensureKnown(at: TomlPath, values: object, known: readonly string[], told = known): void {
    const unknown = Object.keys(values).find((key) => !known.includes(key));
    if (unknown === undefined) return;
    const nearest = nearestOf(unknown, told);
    const next =
      nearest === null
        ? `use ${told.slice(0, -1).join(', ')} and ${told.at(-1)}`
        : `did you mean ${nearest}?`;
    const of = at.length === 0 ? POLICY : `[${at.filter((part) => typeof part === 'string').join('.')}]`;
    throw this.fail(`"${unknown}" is no key of ${of}`, [...at, unknown], next);
  }

  settings(): Map<SettingKey, SettingValue> {
    const found = new Map<SettingKey, SettingValue>();
    for (const { key, type, example } of SETTINGS) {
      const value = this.toml.values[key];
      if (value === undefined) continue;
      const { takes, fromToml } = READINGS[type];
      const read = fromToml(value);
      if (read === undefined)
        throw this.fail(`"${key}" must be ${takes}`, [key], `write it as: ${key} = ${example}`);
      found.set(key, read);
    }
    return found;
  }

  allEntries(): PolicyEntry[] {
    const all = (Object.keys(ENTRIES) as EntryKind[]).flatMap((kind) => this.entries(kind));
    const decisions = all.filter(({ kind }) => kind !== 'gates');
    const again = decisions.find(({ name }, i) => decisions.findIndex((one) => one.name === name) < i);
    if (again === undefined) return all;
    throw new LakelogError(`two entries are called "${again.name}"`, {
      where: again.where('name'),
      next: 'give one of them another name',
    });
  }

  private entries(kind: EntryKind): PolicyEntry[] {
    const given = this.toml.values[kind];
    if (given === undefined) return [];
    return kind === 'gates' ? this.gates(given) : this.decisions(kind, given);
  }

  private gates(given: unknown): PolicyEntry[] {
    if (!isTable(given)) throw this.fail('"gates" must be a table', ['gates'], 'write it as: [gates.alarm]');
    return Object.entries(given).map(([name, values]) => this.entry('gates', ['gates', name], values, name));
  }

  private decisions(kind: 'compare' | 'drift', given: unknown): PolicyEntry[] {
    if (!Array.isArray(given))
      throw this.fail(`"${kind}" must be a list of tables`, [kind], `write it as: [[${kind}]]`);
    return given.map((values, i) => this.entry(kind, [kind, i], values));
  }

  private entry(kind: EntryKind, at: TomlPath, given: unknown, named?: string): PolicyEntry {
    if (!isTable(given)) throw this.fail(`an entry of ${kind} is no table`, at, `see docs/CHECK.md`);
    const keys = ENTRIES[kind];
    this.ensureKnown(
      at,
      given,
      keys.map(({ key }) => key),
    );
    for (const { key, type, required, example } of keys) {
      const value = given[key];
      const next = `write it as: ${key} = ${example}`;
      if (value === undefined && required) throw this.fail(`an entry of ${kind} has no "${key}"`, at, next);
      if (value !== undefined && !ENTRY_TYPES[type].fits(value))
        throw this.fail(`"${key}" must be ${ENTRY_TYPES[type].takes}`, [...at, key], next);
    }
    const { name = named, level = 'fail', undecided = 'fail', params = {}, ...values } = given;
    return {
      ...{ kind, name: name as string, level: level as Level, undecided: undecided as Level },
      values: values as PolicyEntry['values'],
      params: params as PolicyEntry['params'],
      where: (key) => this.where(key === undefined ? at : [...at, key], POLICY),
    };
  }
}

const ENTRY_TYPES = {
  text: { takes: 'a text', fits: (value: unknown) => typeof value === 'string' && value.trim() !== '' },
  margin: {
    takes: READINGS.margin.takes,
    fits: (value: unknown) => READINGS.margin.fromToml(value) !== undefined,
  },
  name: {
    takes: 'lower-case letters, digits and single hyphens',
    fits: (value: unknown) => typeof value === 'string' && ENTRY_NAME.test(value),
  },
  params: {
    takes: 'a table of texts, numbers, booleans and lists of texts',
    fits: (value: unknown) => isTable(value) && Object.values(value).every(isParamText),
  },
  level: {
    takes: LEVELS.map((level) => `"${level}"`).join(' or '),
    fits: (value: unknown) => LEVELS.some((level) => level === value),
  },
};

function isParamText(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((one) => typeof one === 'string');
  return ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
