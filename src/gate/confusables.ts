/**
 * Whether a person would read two texts as the same: by case, accents, look-alike letters, invisible characters or
 * white space. What looks like what is from Unicode's table of confusables (UTS 39), its normal forms, and the
 * collation of the letters and digits of all scripts; the first comes as data of the package unhomoglyph, the others
 * with Node.
 */
import LOOKS from 'unhomoglyph/data.json' with { type: 'json' };
import { BLANK, HIDDEN } from '../schema/unseen.js';

const looks = new Map(Object.entries(LOOKS));

/** Not those that make another letter of one in scripts of their own, such as Devanagari, nor of Kana. */
const ACCENTS = /(?![\u3099\u309a])(?=\p{M})\p{Script=Inherited}/gu;
const UNSEEN = new RegExp(`[${HIDDEN}${BLANK}]`, 'gu');
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
/** Alphabets that neither the table nor the collation takes for the usual one. */
const STYLED = ['ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ', '🇦🇧🇨🇩🇪🇫🇬🇭🇮🇯🇰🇱🇲🇳🇴🇵🇶🇷🇸🇹🇺🇻🇼🇽🇾🇿'].map((alphabet) => [...alphabet]);
const collator = new Intl.Collator('en', { sensitivity: 'base' });

const seen = (text: string) => text.normalize('NFD').replace(ACCENTS, '').replace(UNSEEN, '');
/** ẞ becomes ß, and that ss; one by one, because a Σ at the end of a word has a small letter of its own. */
const folded = (text: string) =>
  text
    .toLowerCase()
    .toUpperCase()
    .replace(/./gsu, (character) => character.toLowerCase());
const look = (text: string) => seen([...text].map((character) => looks.get(character) ?? character).join(''));

/** By the table alone. */
export const lookOf = (character: string): string => looks.get(character) ?? character;

/** Of all that is read alike whatever its case, one text. */
function plain(text: string): string {
  const small = folded(seen(text));
  const next = folded(look(small));
  return next === small ? small : plain(next);
}

/** Texts that a character can be read as wherever it stands; the first is its own. */
function readingsOf(character: string): readonly string[] {
  if (/^[a-zA-Z]$/.test(character)) return [plain(character)];
  const alike = LETTERS.filter(
    (letter, i) =>
      collator.compare(character, letter) === 0 || STYLED.some((alphabet) => alphabet[i] === character),
  );
  // What stands in brackets of its own: ⒡.
  const compatible = character.normalize('NFKC').replace(/^\((.)\)$/u, '$1');
  const others = [look(character), look(character.toUpperCase()), compatible, ...alike].map(plain);
  // A stroke is an I as much as an l.
  const stroke = [plain(character), ...others].includes('l') ? ['i'] : [];
  return [...new Set([plain(character), ...others.filter((reading) => reading !== ''), ...stroke])];
}

const known = new Map<string, readonly string[]>();

/** A capital I among small letters is read as l too, and a small l among capitals as I. */
function readingsIn(character: string, capitals: boolean): readonly string[] {
  if (character === 'I' && !capitals) return ['i', 'l'];
  if (character === 'l' && capitals) return ['l', 'i'];
  const readings = known.get(character) ?? readingsOf(character);
  known.set(character, readings);
  return readings;
}

function isInCapitals(text: string): boolean {
  const others = text.replace(/[Il]/g, '');
  return others !== others.toLowerCase() && others === others.toUpperCase();
}

type Readings = readonly (readonly string[])[];

function readingsOfText(text: string): Readings {
  const capitals = isInCapitals(text);
  return [...text].map((character) => readingsIn(character, capitals));
}

const textOf = (readings: Readings) => readings.map(([own]) => own).join('');

/** Whether a text, each character in one of its readings, is the other one as it is read itself. */
function canBeRead(text: Readings, as: Readings): boolean {
  const wanted = textOf(as);
  let ends = new Set([0]);
  for (const readings of text) {
    const next = [...ends].flatMap((at) =>
      readings.filter((reading) => wanted.startsWith(reading, at)).map((reading) => at + reading.length),
    );
    if (next.length === 0) return false;
    ends = new Set(next);
  }
  return ends.has(wanted.length);
}

/** The same, whatever order the screen puts the characters in. */
function canBeMadeOf(text: Readings, as: Readings): boolean {
  let rests = new Set([[...textOf(as)].sort().join('')]);
  for (const readings of text) {
    const next = [...rests].flatMap((rest) => readings.map((reading) => without(rest, reading)));
    rests = new Set(next.filter((rest) => rest !== null));
    if (rests.size === 0) return false;
  }
  return rests.has('');
}

/** Null where one of the characters is not there. */
function without(text: string, characters: string): string | null {
  let rest = text;
  for (const character of characters) {
    const at = rest.indexOf(character);
    if (at < 0) return null;
    rest = rest.slice(0, at) + rest.slice(at + character.length);
  }
  return rest;
}

/** @param inOrder false where one of them has characters that reorder others on a screen: any order may be seen. */
export function readAlike(one: string, other: string, inOrder = true): boolean {
  const [a, b] = [seen(one), seen(other)];
  // No character is read as so many, and a kind may be a megabyte.
  if (a.length > 8 * b.length || b.length > 8 * a.length) return false;
  const [left, right] = [readingsOfText(a), readingsOfText(b)];
  const fits = inOrder ? canBeRead : canBeMadeOf;
  return fits(left, right) || fits(right, left);
}
