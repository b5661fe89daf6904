import { LakelogError } from '../errors.js';
import type { Io } from '../io.js';
import { formatOfFile } from '../render/format-names.js';
import type { Format } from '../render/index.js';

/** A file to write besides stdout. */
export interface Copy<F extends Format = Exclude<Format, 'parquet'>> {
  readonly file: string;
  readonly format: F;
}

/** @throws LakelogError (exit 2) for an extension that names no format, before anything is read. */
export function copiesOf<F extends Format>(
  { output = [] }: { readonly output?: readonly string[] },
  names: readonly F[],
): readonly Copy<F>[] {
  return output.map((file) => {
    const format = names.find((name) => name === formatOfFile(file));
    if (format !== undefined) return { file, format };
    const extensions = ALL.filter(([name]) => names.some((one) => one === name)).map(([, said]) => said);
    throw new LakelogError(`--output ${file} has no extension that names a format`, {
      next: `use ${extensions.slice(0, -1).join(', ')} or ${extensions.at(-1)}`,
    });
  });
}

const ALL: readonly (readonly [Format, string])[] = [
  ['json', '.json'],
  ['jsonl', '.jsonl'],
  ['csv', '.csv'],
  ['tsv', '.tsv'],
  ['parquet', '.parquet'],
  ['md', '.md'],
  ['junit', '.xml (JUnit)'],
  ['prom', '.prom (Prometheus)'],
  ['sarif', '.sarif'],
  ['table', '.txt'],
];

/** As many as anybody scrolls through. */
const SCREEN_ROWS = 10_000;

/** How many rows are needed of an answer: files and pipes get all, unless less is asked for. */
export function mostRows(limit: number | undefined, copies: readonly Copy[], io: Io): number {
  return limit ?? (copies.length > 0 || !io.stdout.isTTY ? Number.MAX_SAFE_INTEGER : SCREEN_ROWS);
}
