/** How the values of settings are read, from text (options, environment) and from TOML. */
import path from 'node:path';
import { AGE_FORMS, parseAge } from '../instant.js';
import type { SettingType } from '../schema/policy.js';

export type SettingValue = string | number | readonly string[];

export interface Reading {
  /** What it takes, in words. */
  readonly takes: string;
  /** Undefined for what it does not take. */
  fromText(text: string): SettingValue | undefined;
  fromToml(value: unknown): SettingValue | undefined;
}

const text = (takes: string, fits: (text: string) => boolean): Reading => ({
  takes,
  fromText: (value) => (fits(value) ? value : undefined),
  fromToml: (value) => (typeof value === 'string' && fits(value) ? value : undefined),
});

/** @param separator between several in one text. */
const list = (takes: string, separator: string, isOne: (text: string) => boolean): Reading => {
  const fits = (all: unknown): all is readonly string[] =>
    Array.isArray(all) && all.length > 0 && all.every((one) => typeof one === 'string' && isOne(one));
  return {
    takes,
    fromText: (value) => {
      const all = value.split(separator).filter((one) => one !== '');
      return fits(all) ? all : undefined;
    },
    fromToml: (value) => {
      const all = typeof value === 'string' ? [value] : value;
      return fits(all) ? all : undefined;
    },
  };
};

const number = (takes: string, fits: (value: number) => boolean): Reading => {
  const checked = (value: unknown) =>
    typeof value === 'number' && Number.isFinite(value) && fits(value) ? value : undefined;
  return {
    takes,
    fromText: (value) => (value.trim() === '' ? undefined : checked(Number(value))),
    fromToml: checked,
  };
};

const isSomething = (value: string) => value.trim() !== '';

export const READINGS: Readonly<Record<SettingType, Reading>> = {
  path: text('a path', isSomething),
  paths: list('a path or a list of paths', path.delimiter, isSomething),
  folders: list('a folder or a list of folders', path.delimiter, isSomething),
  // As logs and --gated-kind have them: a kind of white space is one.
  kinds: list('a kind or a list of kinds', ',', (kind) => kind !== ''),
  count: number('a whole number of at least 0', (value) => Number.isSafeInteger(value) && value >= 0),
  duration: text(`a duration: ${AGE_FORMS}`, (value) => parseAge(value) !== null),
  zone: text('an IANA time zone such as Europe/Berlin or UTC', isZone),
  column: text('the name of a column', isSomething),
  'column or none': text('the name of a column, or empty', () => true),
  alpha: number('a number above 0 and at most 0.5', (value) => value > 0 && value <= 0.5),
  margin: number('a number from 0 to below 1', (value) => value >= 0 && value < 1),
};

function isZone(value: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}
