export interface CsvRow {
  /** Physical line the row starts on, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export class CsvError extends Error {
  override name = 'CsvError';
  /** Physical line, from 1. */
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/**
 * The rows of a CSV text, by RFC 4180 and nothing looser: a quote inside an unquoted field, text after a closing
 * quote and an unclosed quote are errors, because a guess would shift the fields of every row behind it. Lines end
 * in LF or CRLF; a BOM and blank lines are skipped.
 *
 * @throws CsvError
 */
export function* csvRows(text: string): Generator<CsvRow> {
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const cells: string[] = [];
    for (let more = true; more; ) {
      let cell: string;
      if (text[at] === '"') {
        ({ cell, at, line } = quotedCell(text, at + 1, line));
      } else {
        const end = plainEnd(text, at);
        cell = text.slice(at, end);
        if (cell.includes('"')) throw new CsvError('a quote inside a field that is not quoted', line);
        at = end;
      }
      cells.push(cell);
      more = text[at] === ',';
      if (more) at++;
    }
    at = lineEnd(text, at, line);
    line++;
    if (cells.length > 1 || cells[0] !== '') yield { line: start, cells };
  }
}

function quotedCell(text: string, from: number, startLine: number) {
  let cell = '';
  let at = from;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new CsvError('a quote that is never closed', startLine);
    cell += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') return { cell, at, line: startLine + cell.split('\n').length - 1 };
    cell += '"';
    at++;
  }
}

function plainEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== ',' && text[at] !== '\n' && !text.startsWith('\r\n', at)) at++;
  return at;
}

function lineEnd(text: string, at: number, line: number): number {
  if (at === text.length) return at;
  if (text[at] === '\n') return at + 1;
  if (text.startsWith('\r\n', at)) return at + 2;
  throw new CsvError('text after a closing quote', line);
}
