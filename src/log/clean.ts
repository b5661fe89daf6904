/**
 * A copy of whatever a host hands over that JSON.stringify cannot fail on: plain, finite, acyclic, well-formed.
 * The rules are those of JSON.stringify (toJSON is honoured, undefined is left out, NaN becomes null); where it
 * would throw or never come back, a marker takes the place of the value and a note says why.
 */

/** JSON.stringify handles more, but Ruby stops at 100 levels, serde_json at 128 and jq 1.6 at 256. */
export const MAX_DEPTH = 100;

/** Values of one record; beyond, a shared subtree or an endless proxy could keep the host busy for ever. */
const MAX_VALUES = 250_000;

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export class TooLarge extends Error {}

export interface Cleaner {
  /** The clean copy, or undefined where JSON has no such value. Throws TooLarge only. */
  clean(value: unknown, depth?: number): Json | undefined;
  /** Why something of the last `clean` was replaced; undefined when nothing was. */
  takeNote(): string | undefined;
}

/** @param maxChars characters of all strings together, above which `clean` throws TooLarge. */
export function cleaner(maxChars: number): Cleaner {
  let values = 0;
  let chars = 0;
  let note: string | undefined;
  const ancestors = new Set<object>();

  function marker(reason: string): string {
    note ??= reason;
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
        return Number.isFinite(value) ? value : null;
      case 'bigint':
        return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value))
          ? Number(value)
          : String(value);
      case 'object':
        return value === null ? null : container(value, depth);
      default:
        return undefined;
    }
  }

  function container(value: object, depth: number): Json {
    if (ancestors.has(value)) return marker('cycle');
    if (depth >= MAX_DEPTH) return marker('nested too deep');
    ancestors.add(value);
    try {
      return Array.isArray(value) ? array(value, depth) : object(value, depth);
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
      const taken = note;
      note = undefined;
      return taken;
    },
  };
}

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
