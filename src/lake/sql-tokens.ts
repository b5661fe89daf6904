/** The words of a SQL text, for who looks for a clause in it; never to decide what may run: that takes the engine's own parse. */
export interface Token {
  /** As it stands; words in lower case. */
  readonly text: string;
  /** A bare name or keyword: no literal, no quoted name, no sign. */
  readonly isWord: boolean;
  /** In UTF-16 units of the text, the end exclusive. */
  readonly from: number;
  readonly to: number;
  /** Open brackets around it. */
  readonly depth: number;
}

const SPACE = /(?:\s|--[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const TOKEN =
  /[eE]'(?:\\[\s\S]|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|(\$[\p{L}_]?[\p{L}\p{N}_]*\$)[\s\S]*?\1|([\p{L}_][\p{L}\p{N}_$]*)|\d[\w.]*|[\s\S]/uy;

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  for (let at = 0; at < sql.length; ) {
    SPACE.lastIndex = at;
    if (SPACE.test(sql)) at = SPACE.lastIndex;
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(sql);
    if (found === null) break;
    const [text, , word] = found;
    if (/^[)\]}]$/.test(text)) depth--;
    const isWord = word !== undefined;
    tokens.push({ text: isWord ? text.toLowerCase() : text, isWord, from: at, to: TOKEN.lastIndex, depth });
    if (/^[([{]$/.test(text)) depth++;
    at = TOKEN.lastIndex;
  }
  return tokens;
}

/** A text with some of its parts replaced, which remembers where everything stood. */
export interface Edited {
  readonly text: string;
  /** From a byte of the new text to the byte of the old one that it came from. */
  origin(byte: number): number;
}

export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** @param edits in order, none within another. */
export function edited(sql: string, edits: readonly Edit[]): Edited {
  /** Pieces that were kept, and where they begin in both texts, in bytes. */
  const kept: { readonly old: number; readonly now: number; readonly bytes: number }[] = [];
  let [text, now, old, at] = ['', 0, 0, 0];
  const keep = (to: number) => {
    const piece = sql.slice(at, to);
    const bytes = Buffer.byteLength(piece);
    kept.push({ old, now, bytes });
    text += piece;
    old += bytes;
    now += bytes;
    at = to;
  };
  for (const edit of edits) {
    keep(edit.from);
    text += edit.text;
    now += Buffer.byteLength(edit.text);
    old += Buffer.byteLength(sql.slice(edit.from, edit.to));
    at = edit.to;
  }
  keep(sql.length);
  return {
    text,
    origin: (byte) => {
      const piece = kept.findLast((one) => one.now <= byte) ?? kept[0]!;
      return piece.old + Math.min(byte - piece.now, piece.bytes);
    },
  };
}
