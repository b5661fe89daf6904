import { LakelogError } from '../errors.js';
import type { Io } from '../io.js';
import { formatOfFile } from '../render/format-names.js';
import type { Format } from '../render/index.js';
import type { OutputFlags } from './options.js';

/** A file to write besides stdout. */
export interface Copy {
  readonly file: string;
  readonly format: Format;
}

/** @throws LakelogError (exit 2) for an extension that names no format, before anything is read. */
export function copiesOf(flags: OutputFlags, names: readonly Format[]): readonly Copy[] {
  return (flags.output ?? []).map((file) => {
    const format = formatOfFile(file);
    if (format !== null && names.includes(format)) return { file, format };
    throw new LakelogError(`--output ${file} has no extension that names a format`, {
      next: `use .json, .jsonl, .csv, .md, .txt${names.includes('junit') ? ' or .xml (JUnit)' : ''}`,
    });
  });
}

/** As many as anybody scrolls through. */
const SCREEN_ROWS = 10_000;

/** How many rows are needed of an answer: files and pipes get all, unless less is asked for. */
export function mostRows(limit: number | undefined, copies: readonly Copy[], io: Io): number {
  return limit ?? (copies.length > 0 || !io.stdout.isTTY ? Number.MAX_SAFE_INTEGER : SCREEN_ROWS);
}
