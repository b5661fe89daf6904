/** Who says what holds: an option, else the environment, else lakelog.toml, else the default. */
import { LakelogError } from '../errors.js';
import { SETTINGS, type SettingKey, type SettingRow } from '../schema/policy.js';
import type { WeakerValue } from '../schema/result.js';
import { POLICY, type Policy, type PolicyEntry } from './policy.js';
import { READINGS, type SettingValue } from './setting-types.js';

/** Undefined where nobody names one and there is no default that holds for every question. */
export interface SettingValues {
  readonly sessions: readonly string[];
  readonly replay_runs: readonly string[];
  readonly lake: string | undefined;
  readonly queries: readonly string[];
  readonly tz: string;
  readonly gated_kinds: readonly string[] | undefined;
  readonly min_judged: number;
  readonly max_rejects: number;
  readonly max_age: string | undefined;
  readonly acks: string | undefined;
  readonly expect: string | undefined;
  readonly roster: string | undefined;
  readonly roster_column: string | undefined;
  readonly roster_active_column: string | undefined;
  readonly alpha: number | undefined;
  readonly margin: number;
}

const DEFAULTS: Partial<SettingValues> = {
  ...{ sessions: [], replay_runs: [], queries: [], tz: 'UTC', min_judged: 1, max_rejects: 0, margin: 0.1 },
};

/** The kinds that are gated where nobody names any. */
export const DEFAULT_GATED_KINDS = ['fill'] as const;
/** Of all decisions of one check together, and of one comparison. */
export const DEFAULT_ALPHA = 0.025;

type Weaker = { readonly [K in SettingKey]?: (value: NonNullable<SettingValues[K]>) => boolean };

/** What lets a gate vouch for less than it would by default. */
const WEAKER: Weaker = {
  gated_kinds: (kinds) => DEFAULT_GATED_KINDS.some((kind) => !kinds.includes(kind)),
  min_judged: (count) => count < DEFAULTS.min_judged!,
  max_rejects: (count) => count > DEFAULTS.max_rejects!,
  roster_active_column: (name) => name === '',
  alpha: (alpha) => alpha > DEFAULT_ALPHA,
  margin: (margin) => margin > DEFAULTS.margin!,
};

export interface Origin {
  readonly from: 'flag' | 'environment' | 'policy' | 'default';
  /** `--max-age`, `LAKELOG_MAX_AGE`, `lakelog.toml:3`; empty for the default. */
  readonly where: string;
}

/** One setting as it holds. */
export interface Held {
  readonly row: SettingRow;
  readonly value: SettingValue | undefined;
  readonly origin: Origin;
  readonly isWeaker: boolean;
}

/** Options as the parser has them, by their camelCase names. */
export type SettingFlags = object;
type Env = Readonly<Record<string, string | undefined>>;

interface Named {
  readonly value: SettingValue;
  readonly from: Exclude<Origin['from'], 'default'>;
  /** A line takes time to find. */
  readonly where: () => string;
}

/** Whoever names one of these names all: logs of two places are no one's log. */
const INPUTS: readonly SettingKey[] = ['sessions', 'replay_runs'];
const SOURCES = ['flag', 'environment', 'policy'] as const;

/** What the verdict of a gate rests on. */
export const GATE_SETTINGS: readonly SettingKey[] = [
  'gated_kinds',
  'min_judged',
  'max_rejects',
  'roster_active_column',
];

export class Settings {
  private readonly named: ReadonlyMap<SettingKey, Named>;
  readonly entries: readonly PolicyEntry[];

  /** @throws LakelogError (exit 2) for a value that is none, and where it stands. */
  constructor(flags: SettingFlags, env: Env, policy: Policy) {
    this.entries = policy.entries;
    const found = new Map<SettingKey, Named>();
    const bySource = SETTINGS.map((row) => ({
      row,
      flag: fromFlag(row, flags),
      environment: fromEnvironment(row, env),
      policy: fromPolicy(row, policy),
    }));
    const inputsFrom = SOURCES.find((source) =>
      bySource.some(({ row, [source]: named }) => INPUTS.includes(row.key) && named),
    );
    for (const { row, ...named } of bySource) {
      const sources = INPUTS.includes(row.key) ? (inputsFrom ? [inputsFrom] : []) : SOURCES;
      const all = sources.flatMap((source) => named[source] ?? []);
      const one = row.type === 'folders' ? together(all) : all[0];
      if (one) found.set(row.key, one);
    }
    this.named = found;
  }

  get<K extends SettingKey>(key: K): SettingValues[K] {
    const value = this.named.get(key)?.value ?? DEFAULTS[key];
    return value as SettingValues[K];
  }

  originOf(key: SettingKey): Origin {
    return { from: this.sourceOf(key), where: this.named.get(key)?.where() ?? '' };
  }

  sourceOf(key: SettingKey): Origin['from'] {
    return this.named.get(key)?.from ?? 'default';
  }

  /** As receipts tell it since there are any. */
  fromOf(key: SettingKey): string {
    const from = this.sourceOf(key);
    if (from === 'flag') return 'arguments';
    return from === 'policy' ? `config (${POLICY})` : `environment (${this.originOf(key).where})`;
  }

  all(): Held[] {
    return SETTINGS.map((row) => ({
      row,
      value: this.get(row.key),
      origin: this.originOf(row.key),
      isWeaker: this.isWeaker(row.key),
    }));
  }

  /** What of these settings is weaker than its default; a pull request can edit the policy. */
  weaker(keys: readonly SettingKey[]): WeakerValue[] {
    return SETTINGS.filter(({ key }) => keys.includes(key) && this.isWeaker(key)).map(({ key, usual }) => ({
      name: key,
      value: this.get(key)!,
      instead_of: usual,
      from: this.originOf(key).where,
    }));
  }

  private isWeaker(key: SettingKey): boolean {
    const value = this.named.get(key)?.value;
    const test = WEAKER[key] as ((value: SettingValue) => boolean) | undefined;
    return value === undefined ? false : (test?.(value) ?? false);
  }
}

/** A folder of somebody's own questions, and how whoever named it says so. */
export interface QueryFolder {
  readonly folder: string;
  readonly from: Origin['from'];
  readonly where: () => string;
}

/** Those of options, environment and lakelog.toml add up: a gate that one of them names is never lost by another. */
export function foldersOf(given: readonly string[], env: Env, policy: Policy): QueryFolder[] {
  const row = SETTINGS.find(({ key }) => key === 'queries')!;
  const flags = given.length > 0 ? { queries: given } : {};
  const named = [fromFlag(row, flags), fromEnvironment(row, env), fromPolicy(row, policy)];
  return named.flatMap((one) =>
    one === undefined
      ? []
      : (one.value as readonly string[]).map((folder) => ({ folder, from: one.from, where: one.where })),
  );
}

const together = (all: readonly Named[]): Named | undefined =>
  all.length === 0
    ? undefined
    : {
        value: [...new Set(all.flatMap(({ value }) => value as readonly string[]))],
        from: all[0]!.from,
        where: () => all.map(({ where }) => where()).join(', '),
      };

const camel = (flag: string) =>
  flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function fromFlag({ flag, type }: SettingRow, flags: SettingFlags): Named | undefined {
  if (flag === null || !Object.hasOwn(flags, camel(flag))) return undefined;
  const given = flags[camel(flag) as keyof typeof flags] as SettingValue | undefined;
  if (given === undefined) return undefined;
  const named = (value: SettingValue): Named => ({ value, from: 'flag', where: () => flag });
  if (typeof given !== 'string') return named(given);
  const { takes, fromText } = READINGS[type];
  // The engine knows its zones better.
  const value = type === 'zone' ? given : fromText(given);
  if (value !== undefined) return named(value);
  const next = `give ${flag} ${takes}`;
  if (given === '') throw new LakelogError(`${flag} is empty`, { next });
  throw new LakelogError(`${flag} takes ${takes}, not "${given}"`, { next });
}

/** A variable that is empty is one that nobody set, save where that is a value. */
function fromEnvironment({ env: name, type }: SettingRow, env: Env): Named | undefined {
  const given = env[name];
  if (given === undefined || (given === '' && type !== 'column or none')) return undefined;
  const { takes, fromText } = READINGS[type];
  const value = fromText(given);
  if (value !== undefined) return { value, from: 'environment', where: () => name };
  throw new LakelogError(`${name} takes ${takes}, not "${given}"`, { next: 'correct it, or unset it' });
}

function fromPolicy({ key }: { readonly key: SettingKey }, policy: Policy): Named | undefined {
  const value = policy.settings.get(key);
  return value === undefined ? undefined : { value, from: 'policy', where: () => policy.where([key]) };
}
