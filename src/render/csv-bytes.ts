import { type Block, type BlockColumn, hasValue } from '../schema/block.js';
import type { Column } from '../schema/result.js';
import { csvField, csvHeader, type Separator } from './csv.js';

const [QUOTE, SPACE, NEWLINE] = [0x22, 0x20, 0x0a];

/** More than a separator, a number, or the ends of a field or record take. */
const LONGEST_PLAIN = 64;

/** Kinds of bytes: 0 stands as it is, and what else there is decides about the whole field. */
const SPLITS = 1;
const ODD = 2;

/** Not printable, not ASCII, or what a CI runner may take for a command (`##[`). */
const KIND = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  if (byte < SPACE || byte > 0x7e || char === '#') return ODD;
  return '",;|'.includes(char) ? SPLITS : 0;
});

/** What may make a formula or a command of a text when it stands first, or lets one stand behind. */
const FIRST = Uint8Array.from(KIND, (kind, byte) =>
  ' =+-@"\'`:'.includes(String.fromCharCode(byte)) ? ODD : kind,
);

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * CSV as bytes, block by block, equal to what `csv.ts` makes of the same rows. Whatever is plain is copied as it is;
 * the rest goes through the rules there, so that there is one place for them.
 */
export class CsvBytes {
  private readonly columns: readonly Column[];
  private readonly separator: Separator;
  private out = new Uint8Array(1 << 20);
  private at = 0;

  constructor(columns: readonly Column[], separator: Separator) {
    this.columns = columns;
    this.separator = separator;
  }

  header(): string {
    return csvHeader(this.columns, this.separator);
  }

  end(): string {
    return '';
  }

  /** Valid until the next call. */
  block({ rows, columns }: Block): Uint8Array {
    this.at = 0;
    const separator = this.separator.charCodeAt(0);
    for (let row = 0; row < rows; row++) {
      const start = this.at;
      for (let i = 0; i < columns.length; i++) {
        this.ensure(LONGEST_PLAIN);
        if (i > 0) this.out[this.at++] = separator;
        this.field(columns[i]!, this.columns[i]!, row);
      }
      this.ensure(LONGEST_PLAIN);
      // A record of one empty field would be a blank line, which most parsers skip.
      if (this.at === start) this.raw('""');
      this.out[this.at++] = NEWLINE;
    }
    return this.out.subarray(0, this.at);
  }

  private ensure(more: number): void {
    if (this.at + more <= this.out.length) return;
    const larger = new Uint8Array(2 * (this.at + more));
    larger.set(this.out.subarray(0, this.at));
    this.out = larger;
  }

  private field(values: BlockColumn, column: Column, row: number): void {
    if (values.of === 'texts') this.textField(values, column, row);
    else if (values.of === 'cells') this.raw(csvField(values.cells[row], column));
    else if (hasValue(values.valid, row)) {
      if (values.of === 'booleans') this.ascii(values.values[row] === 0 ? 'false' : 'true');
      else this.ascii(String(values.values[row]!));
    }
  }

  private raw(text: string): void {
    this.ensure(3 * text.length + LONGEST_PLAIN);
    this.at += encoder.encodeInto(text, this.out.subarray(this.at)).written;
  }

  /** Short, and of which room is made already. */
  private ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.out[this.at++] = text.charCodeAt(i);
  }

  private textField(
    { bytes, starts, lengths }: BlockColumn & { of: 'texts' },
    column: Column,
    row: number,
  ): void {
    const [start, length] = [starts[row]!, lengths[row]!];
    if (length < 0) return;
    this.ensure(2 * length + LONGEST_PLAIN);
    const { out, at } = this;
    let kinds = length === 0 ? ODD : FIRST[bytes[start]!]!;
    for (let i = 0; i < length; i++) {
      const byte = bytes[start + i]!;
      kinds |= KIND[byte]!;
      out[at + i] = byte;
    }
    if (column.type !== 'text' && column.type !== 'timestamp') kinds |= ODD;
    if (bytes[start + length - 1] === SPACE) kinds |= ODD;
    if (kinds === 0) this.at = at + length;
    else if ((kinds & ODD) === 0) this.quoted(bytes, start, length);
    else this.raw(csvField(utf8.decode(bytes.subarray(start, start + length)), column));
  }

  private quoted(bytes: Uint8Array, start: number, length: number): void {
    let { out, at } = this;
    out[at++] = QUOTE;
    for (let i = 0; i < length; i++) {
      const byte = bytes[start + i]!;
      if (byte === QUOTE) out[at++] = QUOTE;
      out[at++] = byte;
    }
    out[at++] = QUOTE;
    this.at = at;
  }
}
