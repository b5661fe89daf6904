/** What `lakelog config` prints: machine output, an API. */
import type { EntryKind, Level } from './policy.js';

export interface ConfigSetting {
  readonly key: string;
  /** Null where nothing holds for every question. */
  readonly value: string | number | readonly string[] | null;
  readonly origin: 'flag' | 'environment' | 'policy' | 'default';
  /** `--max-age`, `LAKELOG_MAX_AGE`, `lakelog.toml:3`; null for the default. */
  readonly where: string | null;
  /** In words. */
  readonly default: string;
  readonly weaker: boolean;
  readonly note: string;
}

export interface ConfigEntry {
  readonly kind: EntryKind;
  readonly name: string;
  readonly level: Level;
  readonly undecided: Level;
  readonly values: Readonly<Record<string, string | number | object>>;
  readonly where: string;
}
