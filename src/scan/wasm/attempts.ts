/** The attempts of the line at hand: a letter for each, where its reasons stand, and what else is wanted of it. */
import {
  ATTEMPT_TYPES, attemptVerdictCount, attemptVerdictWords, fieldCount, fieldWords, reasonsField,
} from './fields';
import { ATTEMPT_SPANS, CODES, NOWHERE, PROJECTION, REASONS } from './layout';
import { wantedFields } from './settings';
import {
  colonBehind, copyWord, guessWord, isAnyWord, isWord, NONE, noteFollower, sawEscape, skipSpace, skipString,
  wordLength,
} from './text';
import { faultOfValue, OK, skipValue } from './values';

/** a(ccepted) r(ejected) n(o candidate) i(nfra error), in the order of the words. */
const LETTERS: u32 = 0x696e7261;
const OTHER: u8 = 0x6f;
/** The type of a field that may be any JSON. */
const ANY: u8 = 0;

/** The attempts are an array. */
export let attemptsListed: bool = false;
export let codesEnd: usize = 0;
export let projectionEnd: usize = 0;

let field: i32 = NONE;
let before: i32 = NONE;
let seen: u32 = 0;
let twice: u32 = 0;
/** Fields that are understood and not null. */
let good: u32 = 0;
/** The attempt at hand has a field of another type; its reasons are a list that holds texts and other things. */
let isOdd: bool = false;
let isMixed: bool = false;
let letter: u8 = OTHER;

export function forgetAttempts(): void {
  attemptsListed = false;
  codesEnd = CODES;
  projectionEnd = PROJECTION;
}

/** A value of the key begins; of a key that stands twice the last one would count, had the line not to be refused. */
export function beginAttempts(): void {
  forgetAttempts();
  forgetAttempt();
  if (wantedFields != 0) store<u8>(projectionEnd++, 0x5b);
}

function forgetAttempt(): void {
  field = NONE;
  seen = 0;
  twice = 0;
  good = 0;
  isOdd = false;
  isMixed = false;
  letter = OTHER;
}

/** @param p a quote. @returns the address of the value. */
export function nextAttemptKey(p: usize): usize {
  const from = p + 1;
  const guess = guessWord(before, fieldWords);
  let word: i32 = guess;
  if (isWord(from, guess)) p = from + wordLength(guess) + 1;
  else {
    p = skipString(from);
    if (p == 0) return 0;
    const found = isAnyWord(from, p - 1, fieldWords, fieldCount);
    word = found == NONE ? NONE : <i32>fieldWords + found;
    if (word != NONE && before != NONE) noteFollower(before, word);
  }
  p = colonBehind(p);
  field = NONE;
  if (word == NONE) return p;
  before = word;
  field = word - <i32>fieldWords;
  const bit = (<u32>1) << field;
  twice |= seen & bit;
  seen |= bit;
  store<u32>(ATTEMPT_SPANS + ((<usize>field) << 3), <u32>p);
  return p;
}

/** The value of the last key ends at p. */
export function endAttemptValue(p: usize): void {
  if (field == NONE) return;
  const span = ATTEMPT_SPANS + ((<usize>field) << 3);
  const start = <usize>load<u32>(span);
  store<u32>(span, <u32>p, 4);
  const first = load<u8>(start);
  if (first == 0x6e) return;
  if (field == 0 && first == 0x22) {
    const which = isAnyWord(start + 1, p - 1, attemptVerdictWords, attemptVerdictCount);
    letter = which < 0 ? OTHER : <u8>(LETTERS >> ((<u32>which) << 3));
  }
  const type = load<u8>(ATTEMPT_TYPES + field);
  const fits = faultOfValue(type, start, p, sawEscape, NOWHERE) == OK;
  isOdd = isOdd || !fits;
  isMixed = isMixed || (!fits && field == reasonsField && first == 0x5b);
  if (fits || (isMixed && field == reasonsField)) good |= (<u32>1) << field;
}

export function endAttempt(): void {
  // Of a field that stands twice neither value is believed.
  good &= ~twice;
  store<u8>(codesEnd, isOdd || twice != 0 ? OTHER : letter);
  const reasons = REASONS + ((codesEnd - CODES) << 3);
  const given = reasonsField != NONE && (good >> reasonsField) & 1;
  store<u64>(reasons, given ? load<u64>(ATTEMPT_SPANS + ((<usize>reasonsField) << 3)) : 0);
  codesEnd++;
  if (wantedFields != 0) project();
  forgetAttempt();
}

export function endAttempts(): void {
  attemptsListed = true;
  if (wantedFields == 0) return;
  if (load<u8>(projectionEnd - 1) == 0x2c) projectionEnd--;
  store<u8>(projectionEnd++, 0x5d);
}

/** The wanted fields of the attempt at hand as one JSON object, and a comma. */
function project(): void {
  let to = projectionEnd;
  store<u8>(to++, 0x7b);
  for (let fields = good & wantedFields; fields != 0; fields &= fields - 1) {
    const at = ctz(fields);
    const span = ATTEMPT_SPANS + ((<usize>at) << 3);
    const start = <usize>load<u32>(span);
    const length = <usize>load<u32>(span, 4) - start;
    if (load<u8>(to - 1) != 0x7b) store<u8>(to++, 0x2c);
    store<u8>(to++, 0x22);
    to += copyWord(to, fieldWords + at);
    store<u8>(to++, 0x3a);
    if (load<u8>(ATTEMPT_TYPES + at) == ANY) to = quoteText(start, start + length, to);
    else if (isMixed && <i32>at == reasonsField) to = copyTexts(start, to);
    else {
      memory.copy(to, start, length);
      to += length;
    }
  }
  store<u8>(to, 0x7d);
  store<u8>(to, 0x2c, 1);
  projectionEnd = to + 2;
}

/** JSON text as a JSON string, so that no reader writes it anew. */
function quoteText(p: usize, end: usize, to: usize): usize {
  store<u8>(to++, 0x22);
  for (; p < end; p++) {
    const c = load<u8>(p);
    // Of control characters a valid line has tabs and returns only, where white space may stand.
    if (c == 0x22 || c == 0x5c) store<u8>(to++, 0x5c);
    store<u8>(to++, c < 0x20 ? 0x20 : c);
  }
  store<u8>(to, 0x22);
  return to + 1;
}

/** An array without what is no text in it. */
function copyTexts(p: usize, to: usize): usize {
  store<u8>(to++, 0x5b);
  for (p = skipSpace(p + 1); load<u8>(p) != 0x5d; ) {
    const end = skipValue(p);
    if (load<u8>(p) == 0x22) {
      if (load<u8>(to - 1) != 0x5b) store<u8>(to++, 0x2c);
      memory.copy(to, p, end - p);
      to += end - p;
    }
    p = skipSpace(end);
    if (load<u8>(p) == 0x2c) p = skipSpace(p + 1);
  }
  store<u8>(to, 0x5d);
  return to + 1;
}
