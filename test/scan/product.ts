/** The program, at night the built one, as a black box that says what became of each line of a file. */
import { expect } from 'vitest';
import { lakelog as binary, type Envelope, envelope, nightly } from '../support/cli.js';
import { lakelog as inProcess } from '../support/program.js';

const lakelog = nightly ? binary : inProcess;

export interface Reject {
  readonly file: string;
  readonly line: number;
  readonly byte_offset: number;
  readonly reason: string;
}

export interface Verdicts {
  readonly rejects: readonly Reject[];
  readonly totals: Envelope['receipt']['totals'];
}

/** Every reject of the files, and their account in sum. */
export async function validate(...args: string[]): Promise<Verdicts> {
  const ran = await lakelog(['validate', '--json', ...args]);
  expect(ran.code, ran.stderr).toBeOneOf([0, 3]);
  const { rows, receipt } = envelope(ran);
  expect(rows).toHaveLength(receipt.totals.rejected);
  return { rejects: rows as unknown as Reject[], totals: receipt.totals };
}

/** Rows of a SELECT over the files, content and all. */
export async function select(sql: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const ran = await lakelog([
    ...['query', sql, '--show-content', '--format', 'jsonl', '--timeout', '10m'],
    ...args,
  ]);
  expect(ran.code, ran.stderr).toBe(0);
  return ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
