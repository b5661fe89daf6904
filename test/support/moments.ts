/** What others do to files at a chosen moment of a run: between two of the questions that it puts to the file system. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const QUESTIONS = [
  ...(['statSync', 'lstatSync', 'fstatSync', 'readdirSync', 'openSync', 'readSync'] as const),
  ...(['closeSync', 'open', 'createReadStream'] as const),
];

type Question = (this: unknown, ...args: unknown[]) => unknown;

/** The question that comes next. */
export interface Moment {
  /** How many came before. */
  readonly n: number;
  readonly question: (typeof QUESTIONS)[number];
  /** The path that it is about, or a descriptor. */
  readonly of: unknown;
}

/**
 * Runs with the file system as it is, except that `before` may do to files what it likes.
 * @param before is called before each question; its own are not counted.
 */
export async function atMoments(before: (moment: Moment) => void, run: () => Promise<void>): Promise<void> {
  const table = fs as unknown as Record<string, Question>;
  const real = new Map(QUESTIONS.map((question) => [question, table[question]!]));
  let [n, isInside] = [0, false];
  for (const [question, ask] of real) {
    table[question] = Object.assign(function (this: unknown, ...args: unknown[]) {
      if (!isInside) {
        isInside = true;
        try {
          before({ n: n++, question, of: args[0] });
        } finally {
          isInside = false;
        }
      }
      return ask.apply(this, args);
    }, ask);
  }
  syncBuiltinESMExports();
  try {
    await run();
  } finally {
    for (const [question, ask] of real) table[question] = ask;
    syncBuiltinESMExports();
  }
}
