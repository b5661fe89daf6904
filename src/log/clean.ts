import { types } from 'node:util';

/**
 * A copy of whatever a host hands over that JSON.stringify cannot fail on: plain, finite, acyclic, well-formed.
 * The rules are those of JSON.stringify (toJSON is honoured, undefined is left out, NaN becomes null) where it
 * writes what the value says. Sets, maps, errors and the like, which it writes as {}, get a form that can be read;
 * where it would throw or never come back, a marker takes the place of the value. Whatever is not what it was is
 * named in a note.
 */

/** JSON.stringify handles more, but Ruby stops at 100 levels, serde_json at 128 and jq 1.6 at 256. */
export const MAX_DEPTH = 100;

/** What one note names; beyond, it is long enough. */
const MAX_NOTES = 5;

/** Values of one record; beyond, a shared subtree or an endless proxy could keep the host busy for ever. */
const MAX_VALUES = 250_000;

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export class TooLarge extends Error {}

export interface Cleaner {
  /** The clean copy, or undefined where JSON has no such value. Throws TooLarge only. */
  clean(value: unknown, depth?: number): Json | undefined;
  /** What of the last `clean` is not what it was; undefined when all is. */
  takeNote(): string | undefined;
}

/** @param maxChars characters of all strings together, above which `clean` throws TooLarge. */
export function cleaner(maxChars: number): Cleaner {
  let values = 0;
  let chars = 0;
  const notes = new Set<string>();
  const ancestors = new Set<object>();

  function note(reason: string): void {
    if (notes.size < MAX_NOTES) notes.add(reason);
  }

  function marker(reason: string): string {
    note(reason);
    return `[lakelog: ${reason}]`;
  }

  function text(value: string): string {
    chars += value.length;
    if (chars > maxChars) throw new TooLarge('too many characters');
    return wellFormed(value);
  }

  function clean(given: unknown, depth: number, key: string): Json | undefined {
    if (++values > MAX_VALUES) throw new TooLarge('too many values');
    let value = given;
    try {
      value = unwrap(value, key);
    } catch {
      return marker('unreadable');
    }
    switch (typeof value) {
      case 'string':
        return text(value);
      case 'boolean':
        return value;
      case 'number':
        return number(value);
      case 'bigint':
        return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value))
          ? Number(value)
          : String(value);
      case 'object':
        return value === null ? null : container(value, depth);
      case 'undefined':
        return undefined;
      default:
        note(`a ${typeof value} left out`);
        return undefined;
    }
  }

  function number(value: number): number | null {
    if (!Number.isFinite(value)) note(`${value} written as null`);
    else if (Math.abs(value) > Number.MAX_SAFE_INTEGER) note('a number beyond 2^53, digits may be lost');
    return Number.isFinite(value) ? value : null;
  }

  function container(value: object, depth: number): Json {
    if (ancestors.has(value)) return marker('cycle');
    if (depth >= MAX_DEPTH) return marker('nested too deep');
    ancestors.add(value);
    try {
      if (Array.isArray(value)) return array(value, depth);
      const form = readable(value);
      if (typeof form === 'string') return text(form);
      if (form === undefined) return object(value, depth);
      return Array.isArray(form) ? array(form, depth) : object(form, depth);
    } catch (error) {
      if (error instanceof TooLarge) throw error;
      return marker('unreadable');
    } finally {
      ancestors.delete(value);
    }
  }

  function array(value: unknown[], depth: number): Json[] {
    const copy: Json[] = [];
    const length = value.length;
    for (let i = 0; i < length; i++) copy.push(member(value, i, depth) ?? null);
    return copy;
  }

  function object(value: object, depth: number): Json {
    // Without a prototype, a key named __proto__ is a key like any other.
    const copy: { [key: string]: Json } = Object.create(null);
    if (isOpaque(value)) note(`${nameOf(value)} written as {}`);
    for (const key of Object.keys(value)) {
      const cleaned = member(value, key, depth);
      if (cleaned !== undefined) copy[text(key)] = cleaned;
    }
    return copy;
  }

  function member(value: object, key: string | number, depth: number): Json | undefined {
    let given: unknown;
    try {
      given = (value as Record<string | number, unknown>)[key];
    } catch {
      return marker('unreadable');
    }
    return clean(given, depth + 1, String(key));
  }

  return {
    clean: (value, depth = 0) => clean(value, depth, ''),
    takeNote() {
      const taken = notes.size === 0 ? undefined : [...notes].join(', ');
      notes.clear();
      return taken;
    },
  };
}

/** Object or array with the members of a value that has none of its own; a text; undefined for any other value. */
function readable(value: object): object | string | undefined {
  if (types.isSet(value)) return firstOf(Set.prototype.values.call(value));
  if (types.isMap(value)) {
    const entries = firstOf(Map.prototype.entries.call(value)) as [unknown, unknown][];
    return entries.every(([key]) => typeof key === 'string') ? fromEntries(entries) : entries;
  }
  if (types.isNativeError(value) || value instanceof Error) return errorForm(value as Error);
  if (types.isRegExp(value)) return String(value);
  if (types.isTypedArray(value)) return firstOf(value.values() as Iterator<unknown>);
  if (types.isAnyArrayBuffer(value)) return firstOf(new Uint8Array(value).values());
  const { entries } = value as { entries?: unknown };
  // Headers, FormData and other people's collections.
  return typeof entries === 'function' && isOpaque(value) ? firstOf(entries.call(value)) : undefined;
}

/** As many as the count of values will take, and one more that it will not. */
function firstOf(all: Iterator<unknown>): unknown[] {
  const first: unknown[] = [];
  for (let next = all.next(); !next.done && first.length <= MAX_VALUES; next = all.next())
    first.push(next.value);
  return first;
}

function fromEntries(entries: readonly [unknown, unknown][]): object {
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) object[key as string] = value;
  return object;
}

/** What an error says and what was added to it; the stack is for people who have the code. */
function errorForm(error: Error): object {
  const { name, message, cause } = error;
  const form: Record<string, unknown> = Object.assign(Object.create(null), { name, message }, error);
  if (cause !== undefined) form.cause = cause;
  if (error instanceof AggregateError) form.errors = error.errors;
  return form;
}

/** Whether what an object holds is none of its members. */
function isOpaque(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return !plain && Object.keys(value).length === 0;
}

function nameOf(value: object): string {
  const { name } = (value.constructor ?? {}) as { name?: unknown };
  return typeof name === 'string' && name !== '' ? wellFormed(name.slice(0, MAX_NAME_CHARS)) : 'an object';
}

const MAX_NAME_CHARS = 40;

function unwrap(given: unknown, key: string): unknown {
  let value = given;
  if ((typeof value === 'object' && value !== null) || typeof value === 'bigint') {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') value = toJSON.call(value, key);
  }
  return value instanceof Number || value instanceof String || value instanceof Boolean
    ? value.valueOf()
    : value;
}

/** A lone surrogate has no UTF-8; DuckDB refuses its escape and with it the line. */
export function wellFormed(value: string): string {
  return value.replace(/\p{Surrogate}/gu, '\ufffd');
}
