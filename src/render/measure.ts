import stringWidth from 'string-width';

// Making one takes 10 ms, and most texts never need it.
let graphemes: Intl.Segmenter | undefined;

/** One column a code unit, no grapheme of two: printable ASCII, Latin letters, and the signs that lakelog draws. */
export const NARROW = /^[ -~\u00a0-\u02ff\u2013-\u201d\u2026\u2192\u2264\u2265\u2500-\u257f]*$/;

// Each step of Intl.Segmenter copies the whole text (Node 20: 20,000 characters take 0.3 s, 80,000 all memory), and
// string-width uses it. In pieces of this length the cost grows with the text.
const PIECE = 256;

/** Columns that a sanitised text takes on a terminal. */
export function columns(text: string): number {
  if (NARROW.test(text)) return text.length;
  let total = 0;
  for (const piece of pieces(text)) total += NARROW.test(piece) ? piece.length : stringWidth(piece);
  return total;
}

/** Spaces behind a text up to a width; a wider one stays as it is. */
export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - columns(text)));

/** What a reader takes for single characters. */
export function* characters(text: string): Iterable<string> {
  for (const piece of pieces(text)) {
    if (NARROW.test(piece)) yield* piece;
    else {
      graphemes ??= new Intl.Segmenter();
      for (const { segment } of graphemes.segment(piece)) yield segment;
    }
  }
}

function* pieces(text: string): Iterable<string> {
  for (let start = 0; start < text.length; ) {
    const end = boundary(text, start);
    yield text.slice(start, end);
    start = end;
  }
}

/** Before a printable ASCII character, where a new grapheme begins; else at least not inside a surrogate pair. */
function boundary(text: string, start: number): number {
  const most = start + PIECE;
  if (most >= text.length) return text.length;
  for (let end = most; end > start; end -= 1) {
    if (isAscii(text.charCodeAt(end))) return end;
  }
  return (text.charCodeAt(most) & 0xfc00) === 0xdc00 ? most - 1 : most;
}

function isAscii(code: number): boolean {
  return code >= 0x20 && code <= 0x7e;
}
