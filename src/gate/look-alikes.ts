import { BLANK, HIDDEN } from '../schema/unseen.js';

/** What kinds usually are. */
const WORD = /^[\w.-]+$/;

/** Words that differ in this cannot be mistaken for one another, so that the table of look-alikes is not needed. */
const outline = (word: string) =>
  word.toLowerCase().replaceAll('m', 'rn').replaceAll('0', 'o').replace(/[1l]/g, 'i');

const SIGN = new RegExp(String.raw`[\p{P}${HIDDEN}${BLANK}]`, 'u');
const REORDERS = /\p{Bidi_Control}/u;

/** Without the quotes, stops and dashes that a template or a list leaves around a word, and what shows nothing; itself where it is only those. */
export function bareWord(word: string): string {
  const characters = [...word];
  const isPart = (character: string) => !SIGN.test(character);
  const first = characters.findIndex(isPart);
  return first < 0 ? word : characters.slice(first, characters.findLastIndex(isPart) + 1).join('');
}

async function areAlike(one: string, other: string): Promise<boolean> {
  const [kind, gated] = [bareWord(one), bareWord(other)];
  const inOrder = !REORDERS.test(one) && !REORDERS.test(other);
  if (inOrder && WORD.test(kind) && WORD.test(gated) && outline(kind) !== outline(gated)) return false;
  const { readAlike } = await import('./confusables.js');
  return readAlike(kind, gated, inOrder);
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
