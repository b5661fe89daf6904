/** What makes a JSON object a record: required fields, declared types and values, in the order in which they are reported. */
import { escaped, present, twice } from './json';
import { finalVerdictKey, iterationsKey, KINDS, schemaKey, schemaWords } from './fields';
import { KIND, SPANS, VALUES } from './layout';
import { only } from './settings';
import { choice, faultOfValue, OK, TYPE, VALUE } from './values';

export const BAD_JSON: u32 = 1;
export const NOT_OBJECT: u32 = 2;
export const DUPLICATE_KEY: u32 = 3;
export const MISSING: u32 = 4;
export const TOO_LONG: u32 = 7;
export const WRONG_KIND: u32 = 8;
export const TORN_TAIL: u32 = 9;

/** 0 sessions, 1 replay runs, 2 neither. */
export let kind: u32 = 0;

@inline export function startOf(key: u32): usize {
  return load<u32>(SPANS + (<usize>key << 3));
}
@inline export function endOf(key: u32): usize {
  return load<u32>(SPANS + (<usize>key << 3), 4);
}
@inline export function has(keys: u64, key: u32): bool {
  return ((keys >> <u64>key) & 1) != 0;
}

/** Why the parsed object is no record: a code and a key, or OK. */
export function faultOfObject(): u32 {
  kind = 2;
  if (has(twice, schemaKey)) return DUPLICATE_KEY | (schemaKey << 8);
  if (!has(present, schemaKey)) return MISSING | (schemaKey << 8);
  const p = startOf(schemaKey);
  if (load<u8>(p) != 0x22) return TYPE | (schemaKey << 8);
  const found = choice(p + 1, endOf(schemaKey) - 1, has(escaped, schemaKey), schemaWords, 2);
  if (found < 0) return VALUE | (schemaKey << 8);
  kind = <u32>found;
  if (only >= 0 && only != found) return WRONG_KIND;
  const fault = faultOfKeys();
  return fault != OK ? fault : faultOfFields();
}

/** A key of the kind that stands twice, or a required one that does not stand there. */
function faultOfKeys(): u32 {
  const at = KINDS + KIND * kind;
  const required = load<u64>(at, 8);
  if (twice == 0 && (present & required) == required) return OK;
  const count = load<u32>(at);
  for (let i: u32 = 0; i < count; i++) {
    const key: u32 = load<u8>(at + 16 + 2 * i);
    if (has(twice, key)) return DUPLICATE_KEY | (key << 8);
  }
  for (let i: u32 = 0; i < count; i++) {
    const key: u32 = load<u8>(at + 16 + 2 * i);
    if (has(required & ~present, key)) return MISSING | (key << 8);
  }
  return OK;
}

function faultOfFields(): u32 {
  const at = KINDS + KIND * kind;
  const count = load<u32>(at);
  let badValue: u32 = OK;
  for (let i: u32 = 0; i < count; i++) {
    const key: u32 = load<u8>(at + 16 + 2 * i);
    if (!has(present, key)) continue;
    const type: i32 = load<u8>(at + 16 + 2 * i, 1);
    const fault = faultOfValue(type, startOf(key), endOf(key), has(escaped, key), VALUES + (<usize>key << 3));
    if (fault == TYPE) return TYPE | (key << 8);
    // Types count before values, whatever the order of the fields.
    if (fault == VALUE && badValue == OK) badValue = VALUE | (key << 8);
  }
  if (badValue != OK) return badValue;
  const accepted = kind == 0 && valueOf(finalVerdictKey) == 0;
  return accepted && valueOf(iterationsKey) == 0 ? VALUE | (iterationsKey << 8) : OK;
}

@inline export function valueOf(key: u32): i64 {
  return load<i64>(VALUES + (<usize>key << 3));
}
