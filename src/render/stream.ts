/** Formats that are made block by block: of many rows no more than a block is ever held. */
import { type Block, rowsOf } from '../schema/block.js';
import type { Column } from '../schema/result.js';
import { CsvBytes } from './csv-bytes.js';
import { envelopeOf, jsonLines, objects } from './json.js';
import { markdownHead, markdownRows, NO_ROWS } from './md.js';
import type { Format, Report } from './report.js';

const ROW_FORMATS = ['json', 'jsonl', 'csv', 'tsv', 'md'] as const satisfies readonly Format[];
export type RowFormat = (typeof ROW_FORMATS)[number];

export const isRowFormat = (format: Format): format is RowFormat => ROW_FORMATS.some((one) => one === format);

type Piece = string | Uint8Array;

/** The rows of a document; what stands around those of JSON is told by `envelopeOf`. */
export interface RowWriter {
  header(): Piece;
  /** Valid until the next call. */
  block(block: Block): Piece;
  end(): Piece;
}

export function rowWriter(format: RowFormat, columns: readonly Column[]): RowWriter {
  if (format === 'csv' || format === 'tsv') return new CsvBytes(columns, format === 'tsv' ? '\t' : ',');
  const resultOf = (block: Block) => ({ columns, rows: rowsOf(block) });
  let isEmpty = true;
  /** @param first what stands before the first row, and `next` what stands before those of a later block. */
  const after = (first: string, next: string, rows: string) => {
    const before = isEmpty ? first : next;
    isEmpty = false;
    return before + rows;
  };
  const plain = { header: () => '', end: () => '' };
  switch (format) {
    case 'jsonl':
      return { ...plain, block: (block) => jsonLines(resultOf(block)) };
    case 'json':
      return { ...plain, block: (block) => after('', ',', objects(resultOf(block)).join(',')) };
    case 'md':
      return {
        ...plain,
        block: (block) => after(markdownHead(columns), '', markdownRows(resultOf(block))),
        end: () => (isEmpty ? NO_ROWS : ''),
      };
  }
}

/** A whole document whose rows come in blocks; those of the report are not looked at. */
export async function* documentOf(
  format: RowFormat,
  report: Report,
  blocks: AsyncIterable<Block>,
): AsyncGenerator<Piece> {
  const rows = rowWriter(format, report.result.columns);
  async function* pieces() {
    yield rows.header();
    for await (const block of blocks) yield rows.block(block);
    yield rows.end();
  }
  yield* format === 'json' ? inEnvelope(report, pieces()) : pieces();
}

/** @param rows as `rowWriter` writes them as JSON. */
export async function* inEnvelope(report: Report, rows: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  const [head, tail] = envelopeOf(report);
  yield head;
  yield* rows;
  yield tail;
}
