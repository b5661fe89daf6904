import { LakelogError } from '../errors.js';
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
  ['table', '.txt'],
];
