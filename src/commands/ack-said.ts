/** What a person says when settling something: why, who, and until when. */
import { LakelogError } from '../errors.js';
import { isDay, isExpired } from '../gate/acks.js';
import { AGE_FORMS, parseAge } from '../instant.js';
import type { Io } from '../io.js';
import { authorOf } from '../query/acks.js';
import type { Said } from '../schema/ack.js';

export interface SaidFlags {
  readonly reason?: string;
  readonly expires?: string;
  readonly author?: string;
}

/** @throws LakelogError (exit 2) for no reason, nobody, or an end that is none or is over. */
export function saidBy(
  { reason, author, expires }: SaidFlags,
  { env }: Io,
  now: Date,
): Pick<Said, 'reason' | 'author' | 'at' | 'expires'> {
  return {
    reason: reasonOf(reason),
    author: authorOf(author, env),
    at: now.toISOString(),
    expires: expires === undefined ? null : expiresOf(expires, now),
  };
}

function reasonOf(reason = ''): string {
  const words = reason.trim();
  if (!['', '…', '...'].includes(words)) return words;
  throw new LakelogError('an acknowledgement needs a reason', {
    next: 'say why it is settled: --reason "called the client, worker replaced, ticket 4711"',
  });
}

const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i;

/** A date stays one, the last day it holds; a duration and an instant become RFC 3339 in UTC. */
function expiresOf(text: string, now: Date): string {
  const age = parseAge(text);
  const day = isDay(text) ? text : INSTANT.exec(text)?.[1];
  const isReal = day !== undefined && isCalendarDay(day);
  const end = age === null ? (isReal ? new Date(text) : null) : new Date(now.getTime() + age);
  if (end === null || Number.isNaN(end.getTime()) || end.getUTCFullYear() > 9999) {
    throw new LakelogError(`--expires ${text} is no duration, no date and no instant`, {
      next: `give a duration (${AGE_FORMS}), the last day it holds (2026-12-31, UTC) or an instant (2026-12-31T18:00:00Z)`,
    });
  }
  // Whole seconds: it is read in notices, over and over.
  const expires = isDay(text)
    ? text
    : new Date(Math.ceil(end.getTime() / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
  // Rounded up, what is over would last a moment more.
  if (isDay(text) ? isExpired({ expires }, now) : end <= now) {
    throw new LakelogError(`--expires ${text} is in the past`, { next: 'give a time that is still to come' });
  }
  return expires;
}

/** Date.parse takes 30 February for 2 March. */
function isCalendarDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}
