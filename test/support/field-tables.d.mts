import type { Field } from '../../src/schema/fields.js';

interface Fields {
  readonly SESSION_FIELDS: readonly Field[];
  readonly REPLAY_FIELDS: readonly Field[];
  readonly ATTEMPT_FIELDS: readonly Field[];
  readonly DOCUMENT_FIELDS: readonly Field[];
}

/** The document with its generated parts made anew. */
export function withFieldTables(document: string, fields: Fields): string;

export function fillGenerated(document: string, parts: Readonly<Record<string, string>>): string;
