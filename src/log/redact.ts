import { createHmac } from 'node:crypto';
import {
  ATTEMPT_FIELDS,
  type Field,
  REPLAY_FIELDS,
  REPLAY_SCHEMA,
  SESSION_FIELDS,
} from '../schema/fields.js';

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
}

/** A word with a digit in it, as `reason_shape` has it, and anything in quotes. */
const ID_LIKE = /"[^"]*"|'[^']*'|`[^`]*`|[\p{L}\p{N}_-]*\p{N}[\p{L}\p{N}_-]*/gu;

const HASH_LENGTH = 16;

/**
 * A `redact` hook that lets verdicts, counts, times and versions through and nothing that a model or a person
 * wrote: content fields and unknown fields are dropped; each of `proposed_worker_ids` and each document's id
 * becomes `w_` and 16 hex digits of HMAC-SHA-256 under the salt, the same id the same hash; in reasons and errors
 * the proposed ids, words with a digit and quoted parts become such hashes. Other words of a reason stay: let
 * the validator write ids and not names, or drop the reasons in a hook of your own.
 *
 * @throws TypeError without a salt: a hash that anybody can turn back is none.
 */
export function hashWorkerIds(options: HashWorkerIdsOptions): Redact {
  const { salt, keep = [] } = options;
  if (typeof salt !== 'string' || salt === '') throw new TypeError('hashWorkerIds needs a salt');
  const hash = (id: string) =>
    `w_${createHmac('sha256', salt).update(id).digest('hex').slice(0, HASH_LENGTH)}`;

  return (record) => {
    const fields = record.schema === REPLAY_SCHEMA || 'run_id' in record ? REPLAY_FIELDS : SESSION_FIELDS;
    const ids = record.proposed_worker_ids;
    const mask = maskOf(Array.isArray(ids) ? ids : [], hash);
    return {
      ...pick(record, keep),
      ...withoutContent(record, fields, mask),
      ...changed(record, 'proposed_worker_ids', (value) => strings(value).map(hash)),
      ...changed(record, 'attempts', (value) => attempts(value, mask)),
      ...changed(record, 'documents', (value) => documents(value, hash)),
    };
  };
}

type Fields = Record<string, unknown>;
type Mask = (text: string) => string;

function maskOf(ids: readonly unknown[], hash: (id: string) => string): Mask {
  const proposed = ids.filter((id) => typeof id === 'string' && id !== '') as string[];
  const idLike = (text: string) => text.replace(ID_LIKE, (found) => hash(unquoted(found)));
  if (proposed.length === 0) return idLike;
  // The longest first, so that an id that is part of another one does not cut it.
  const alternatives = [...proposed].sort((a, b) => b.length - a.length).map(literal);
  const ours = new RegExp(`(${alternatives.join('|')})`, 'u');
  return (text) =>
    text
      .split(ours)
      .map((part, i) => (i % 2 === 1 ? hash(part) : idLike(part)))
      .join('');
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function unquoted(text: string): string {
  return /^(["'`]).*\1$/s.test(text) ? text.slice(1, -1) : text;
}

function pick(source: Readonly<Fields>, names: readonly string[]): Fields {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(source, name)).map((name) => [name, source[name]]),
  );
}

const FREE_TEXT = ['error'];

/** The declared fields that hold no content, their free text masked. */
function withoutContent(source: Readonly<Fields>, fields: readonly Field[], mask: Mask): Fields {
  const kept = fields.filter((field) => !field.content).map((field) => field.name);
  const copy = pick(source, kept);
  for (const name of FREE_TEXT) {
    const text = copy[name];
    if (text !== undefined && text !== null) copy[name] = mask(String(text));
  }
  return copy;
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

function attempts(value: unknown, mask: Mask): unknown[] {
  return (value as unknown[]).map((attempt) => {
    // A reader shows it as `other`, whatever it was.
    if (typeof attempt !== 'object' || attempt === null) return null;
    return {
      ...withoutContent(attempt as Fields, ATTEMPT_FIELDS, mask),
      ...changed(attempt as Fields, 'reasons', (reasons) => strings(reasons).map(mask)),
    };
  });
}

function documents(value: unknown, hash: (id: string) => string): unknown[] {
  return (value as Fields[]).map(({ id, score, rank }) => ({
    ...(typeof id === 'string' ? { id: hash(id) } : {}),
    score,
    rank,
  }));
}
