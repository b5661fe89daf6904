import { BLANK, HIDDEN } from '../schema/unseen.js';

/** What kinds usually are. */
const WORD = /^[\w.-]+$/;

/** Words that differ in this cannot be mistaken for one another, so that the table of look-alikes is not needed. */
const outline = (word: string) =>
  word.toLowerCase().replaceAll('m', 'rn').replaceAll('0', 'o').replace(/[1l]/g, 'i');

/** Quotes of Markdown, and what tags and assignments are written with, are no punctuation to Unicode. */
const SIGN = new RegExp(String.raw`[\p{P}\p{Sk}<>=~|${HIDDEN}${BLANK}]`, 'u');
/** Bullets, ticks and the like; letters in circles are read as letters before. A + behind a word is another word. */
const SYMBOL = /(?!\+)\p{S}/u;
const REORDERS = /\p{Bidi_Control}/u;

const ASCII = /^[\0-\x7f]*$/;

const isNoSign = (character: string) => !SIGN.test(character);

/** Without the quotes, stops and dashes that a template or a list leaves around a word, and what shows nothing; itself where it is only those. */
export function bareWord(word: string, isPart = isNoSign): string {
  const characters = [...word];
  const first = characters.findIndex(isPart);
  return first < 0 ? word : characters.slice(first, characters.findLastIndex(isPart) + 1).join('');
}

async function areAlike(one: string, other: string): Promise<boolean> {
  const [kind, gated] = [bareWord(one), bareWord(other)];
  const inOrder = !REORDERS.test(one) && !REORDERS.test(other);
  const isPlain = (word: string) => ASCII.test(word) && !word.includes('|');
  const areWords = WORD.test(kind) && WORD.test(gated) && isPlain(one) && isPlain(other);
  if (inOrder && areWords && outline(kind) !== outline(gated)) return false;
  const { lookOf, readAlike } = await import('./confusables.js');
  // ʼ is a letter by its class, and a quote to who reads it; ‖ a sign, and two strokes.
  const looksLikePart = (character: string) => isNoSign(lookOf(character));
  const isNoSymbol = (character: string) => isNoSign(character) && !SYMBOL.test(character);
  const bare = [looksLikePart, isNoSymbol].map((isPart) => [bareWord(one, isPart), bareWord(other, isPart)]);
  const others = bare.filter(([a, b]) => a !== kind || b !== gated);
  return [[kind, gated], ...others].some(([a, b]) => readAlike(a!, b!, inOrder));
}

/** Kinds outside the gated ones that a person would read as one of them, with that one. */
export async function lookAlikesOf(
  kinds: readonly string[],
  gatedKinds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const kind of kinds) {
    if (gatedKinds.includes(kind)) continue;
    for (const gated of gatedKinds) {
      if (await areAlike(kind, gated)) found.set(kind, gated);
    }
  }
  return found;
}
