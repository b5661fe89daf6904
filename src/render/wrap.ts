import { characters, columns, NARROW } from './measure.js';

/** Lines of at most `width` columns, broken at spaces, inside a word only where the word alone is too wide. */
export function wrap(text: string, width: number): string[] {
  return fill(
    text.split(' ').flatMap((word) => breakWord(word, width)),
    width,
  );
}

/** The same, with words that are too wide left whole: ids, paths and commands are there to be copied. */
export function wrapWhole(text: string, width: number): string[] {
  return fill(
    text.split(' ').map((word) => ({ text: word, width: columns(word) })),
    width,
  );
}

function fill(words: readonly Word[], width: number): string[] {
  const lines: string[] = [];
  let line: Word | null = null;
  for (const word of words) {
    if (line !== null && line.width + 1 + word.width <= width) {
      line = { text: `${line.text} ${word.text}`, width: line.width + 1 + word.width };
    } else {
      if (line !== null) lines.push(line.text);
      line = word;
    }
  }
  return [...lines, line?.text ?? ''];
}

export function longestWord(text: string): number {
  return widest(text.split(' '));
}

export function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, columns(text)), 0);
}

/** Cut in the middle, so that a path keeps its file and line, and a sentence its beginning. */
export function clip(text: string, width: number): string {
  if (columns(text) <= width) return text;
  const head = take(characters(text), Math.ceil((width - 1) / 2));
  // Far from the end of a long text no character matters; the first of the rest may be half a one.
  const end = [...characters(text.slice(-16 * width))].slice(1);
  const tail = take(end.reverse(), Math.floor((width - 1) / 2));
  return `${head.join('')}…${tail.reverse().join('')}`;
}

/** Cut at its end, where the beginning is what tells. */
export function cut(text: string, width: number): string {
  return columns(text) <= width ? text : `${take(characters(text), width - 1).join('')}…`;
}

/** Cut at its beginning, where the end is what tells. */
export function cutStart(text: string, width: number): string {
  if (columns(text) <= width) return text;
  // The first of the rest may be half a character.
  const end = [...characters(text.slice(-16 * width))].slice(1);
  return `…${take(end.reverse(), width - 1)
    .reverse()
    .join('')}`;
}

export function trimRight(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === ' ') end -= 1;
  return text.slice(0, end);
}

interface Word {
  readonly text: string;
  readonly width: number;
}

/** After one of these a word breaks without looking broken: paths, ids and names of models are full of them. */
const JOINTS = '/-_.:,;|=&';

function breakWord(word: string, width: number): Word[] {
  const whole = columns(word);
  if (whole <= width) return [{ text: word, width: whole }];
  const parts: Word[] = [];
  if (NARROW.test(word)) {
    // Cut, not put together: a text of megabytes has as many characters.
    let at = 0;
    while (word.length - at > width) {
      const end = jointOf(word.slice(at, at + width));
      parts.push({ text: word.slice(at, at + end), width: end });
      at += end;
    }
    return [...parts, { text: word.slice(at), width: word.length - at }];
  }
  let text = '';
  let used = 0;
  for (const character of characters(word)) {
    const next = columns(character);
    if (used + next > width && text !== '') {
      const end = jointOf(text);
      parts.push({ text: text.slice(0, end), width: columns(text.slice(0, end)) });
      text = text.slice(end);
      used = columns(text);
    }
    text += character;
    used += next;
  }
  return [...parts, { text, width: used }];
}

/** Where to break: behind a joint in the second half, else at the end. */
function jointOf(text: string): number {
  for (let end = text.length; end > text.length / 2; end -= 1) {
    if (JOINTS.includes(text[end - 1] ?? '')) return end;
  }
  return text.length;
}

function take(parts: Iterable<string>, width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const part of parts) {
    used += columns(part);
    if (used > width) break;
    taken.push(part);
  }
  return taken;
}
