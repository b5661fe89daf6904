/** What was asked at the prompt before: for its owner alone, because SQL may name people. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Io } from '../io.js';
import { makeFolder } from '../make-folder.js';

/** Statements that are kept. */
export const MOST_STATEMENTS = 1_000;

export interface History {
  /** Newest first, as readline has it. */
  readonly statements: string[];
  keep(statements: readonly string[]): void;
}

/** LAKELOG_HISTORY, else the place of https://specifications.freedesktop.org/basedir-spec; an empty name keeps none. */
export function openHistory({ env }: Pick<Io, 'env'>): History {
  const state = env.XDG_STATE_HOME || path.join(env.HOME || os.homedir(), '.local', 'state');
  const file = env.LAKELOG_HISTORY ?? path.join(state, 'lakelog', 'history');
  if (file === '') return { statements: [], keep: () => {} };
  return {
    statements: read(file),
    keep: (statements) => {
      try {
        makeFolder(path.dirname(file), 0o700);
        const oldestFirst = statements.slice(0, MOST_STATEMENTS).toReversed();
        writeFileSync(file, oldestFirst.map((one) => `${one}\n`).join(''), { mode: 0o600 });
        chmodSync(file, 0o600);
      } catch {
        // A prompt without a memory is one all the same.
      }
    },
  };
}

function read(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).toReversed().slice(0, MOST_STATEMENTS);
  } catch {
    return [];
  }
}
