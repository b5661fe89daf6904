import { type Field, REPLAY_FIELDS, REPLAY_SCHEMA, SESSION_FIELDS, SESSION_SCHEMA } from './fields.js';

/** What a line is a record of, and what its format declares. */
export type Kind = 'sessions' | 'replay_runs';

/** In the scanner's order: 0 sessions, 1 replay runs. */
export const KINDS: readonly Kind[] = ['sessions', 'replay_runs'];

export const FORMATS: Readonly<Record<Kind, { readonly schema: string; readonly fields: readonly Field[] }>> =
  {
    sessions: { schema: SESSION_SCHEMA, fields: SESSION_FIELDS },
    replay_runs: { schema: REPLAY_SCHEMA, fields: REPLAY_FIELDS },
  };

/** Declared names of both formats; a key is a position in this list. */
export const KEYS: readonly string[] = [
  ...new Set([...SESSION_FIELDS, ...REPLAY_FIELDS].map((field) => field.name)),
];
