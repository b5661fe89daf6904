import { createHmac } from 'node:crypto';
import { constants } from 'node:os';
import {
  ATTEMPT_FIELDS,
  ATTEMPT_VERDICTS,
  DOCUMENT_FIELDS,
  type Field,
  REPLAY_FIELDS,
  REPLAY_SCHEMA,
  SESSION_FIELDS,
  SESSION_SCHEMA,
} from '../schema/fields.js';
import { FITS } from './fits.js';
import { OWN_SENTENCES, sentence } from './sentences.js';

/**
 * What may leave the process of a record: the record to log instead, or null to log nothing. It must not change
 * the record it is given, which belongs to the host.
 */
export type Redact = (record: Readonly<Record<string, unknown>>) => object | null | undefined;

export interface HashWorkerIdsOptions {
  /** Secret of the deployment: whoever knows it can find the id behind a hash by trying all ids. */
  salt: string;
  /** Unknown fields to keep as they are; all others are dropped. */
  keep?: readonly string[];
  /**
   * Sentences of your own validators and errors, which stay readable in reasons and errors: `{}` where any value
   * stands, which is hashed, `{n}` where a number does, which stays. E.g. `worker {} is booked for {n} hours`.
   */
  sentences?: readonly string[];
}

const HASH_LENGTH = 16;

/**
 * A `redact` hook that lets verdicts, counts, times, names of your system and versions through and nothing that a
 * model or a person wrote: content fields, unknown fields and values of a wrong type are dropped; each of
 * `proposed_worker_ids` and each document's id becomes `w_` and 16 hex digits of HMAC-SHA-256 under the salt, the
 * same id the same hash. Of reasons and errors only known sentences stay, those of this package and `sentences`,
 * each value in them such a hash; any other text is one hash as a whole.
 *
 * @throws TypeError without a salt: a hash that anybody can turn back is none.
 */
export function hashWorkerIds(options: HashWorkerIdsOptions): Redact {
  const { salt, keep = [], sentences = [] } = options;
  if (typeof salt !== 'string' || salt === '') throw new TypeError('hashWorkerIds needs a salt');
  const hash = (id: string) =>
    `w_${createHmac('sha256', salt).update(id).digest('hex').slice(0, HASH_LENGTH)}`;
  const mask = maskOf([...sentences, ...OWN_SENTENCES], hash);

  return (record) => ({
    ...pick(record, keep),
    ...withoutContent(record, isReplay(record) ? REPLAY_FIELDS : SESSION_FIELDS, mask),
    ...changed(record, 'proposed_worker_ids', (value) => strings(value).map(hash)),
    ...changed(record, 'attempts', (value) => arrayOf(value, (attempt) => withoutWords(attempt, mask))),
    ...changed(record, 'documents', (value) => arrayOf(value, (one) => withoutSource(one, hash))),
  });
}

function isReplay(record: Readonly<Record<string, unknown>>): boolean {
  if (record.schema === REPLAY_SCHEMA || record.schema === SESSION_SCHEMA)
    return record.schema === REPLAY_SCHEMA;
  return 'run_id' in record && !('final_verdict' in record);
}

type Fields = Record<string, unknown>;
type Mask = (text: string) => string;

function maskOf(templates: readonly string[], hash: Mask): Mask {
  const known = templates.map(sentence);
  const value = (text: string) => (Object.hasOwn(constants.errno, text) ? text : hash(unquoted(text)));
  return (text) => {
    for (const read of known) {
      const masked = read(text, value);
      if (masked !== undefined) return masked;
    }
    return value(text);
  };
}

/** What a validator quoted as JSON, so that an id has one hash wherever it stands. */
function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

function pick(source: Readonly<Fields>, names: readonly string[]): Fields {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(source, name)).map((name) => [name, source[name]]),
  );
}

const FREE_TEXT = new Set(['error', 'reasons']);
/** Words of a list that is not ours, which are kept in the form of one. */
const CODES = new Set(['error_type', 'finish_reason']);
const CODE = /^[A-Za-z_][\w.-]{0,63}$/;

/** The declared fields that hold no content and are what they are declared to be, their free text masked. */
function withoutContent(source: Readonly<Fields>, fields: readonly Field[], mask: Mask): Fields {
  const copy: Fields = {};
  for (const { name, type, content } of fields) {
    const value = Object.hasOwn(source, name) ? source[name] : undefined;
    if (content || type === 'attempts' || type === 'documents' || value === undefined) continue;
    if (FREE_TEXT.has(name)) copy[name] = masked(value, mask);
    else if (value === null) copy[name] = value;
    else if (!FITS[type](value)) continue;
    else copy[name] = CODES.has(name) && !CODE.test(value as string) ? mask(value as string) : value;
  }
  return copy;
}

function masked(value: unknown, mask: Mask): unknown {
  if (value === null) return null;
  return Array.isArray(value) ? value.map((member) => mask(String(member))) : mask(String(value));
}

function changed(source: Readonly<Fields>, name: string, change: (value: unknown) => unknown): Fields {
  const value = source[name];
  return value === undefined || value === null ? {} : { [name]: change(value) };
}

function strings(value: unknown): string[] {
  return (value as unknown[]).map((member) => {
    if (typeof member !== 'string') throw new TypeError('not an array of strings');
    return member;
  });
}

/** What is no array is left out; a member that is no object is null, which a reader shows as one. */
function arrayOf(value: unknown, change: (member: Fields) => Fields): unknown {
  if (!Array.isArray(value)) return undefined;
  return value.map((member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) ? change(member as Fields) : null,
  );
}

function withoutWords(attempt: Fields, mask: Mask): Fields {
  const { verdict } = attempt;
  const known = (ATTEMPT_VERDICTS as readonly unknown[]).includes(verdict);
  return { ...withoutContent(attempt, ATTEMPT_FIELDS, mask), verdict: known ? verdict : 'other' };
}

function withoutSource(document: Fields, hash: Mask): Fields {
  const { id, source: _, ...rest } = withoutContent(document, DOCUMENT_FIELDS, hash);
  return { ...(typeof id === 'string' ? { id: hash(id) } : {}), ...rest };
}
