/** TOML with the lines that its keys stand on, which the parser does not tell. */
import { LakelogError, messageOf } from '../errors.js';

/** A key, or the number of an entry of a list. */
export type TomlPath = readonly (string | number)[];

export interface Toml {
  readonly values: Readonly<Record<string, unknown>>;
  /** From 1; null where it cannot be told. */
  lineOf(path: TomlPath): number | null;
}

/**
 * @param fail makes of what is wrong an error that names the place.
 * @throws LakelogError for what is no TOML.
 */
export async function parseToml(
  text: string,
  file: string,
  fail: (what: string, where: string) => LakelogError,
): Promise<Toml> {
  const { parse } = await import('smol-toml');
  const read = (one: string): Record<string, unknown> | null => {
    try {
      return parse(one);
    } catch {
      return null;
    }
  };
  try {
    return { values: parse(text), lineOf: (path) => lineOf(text, path, read) };
  } catch (error) {
    if (error instanceof LakelogError) throw error;
    const { line } = error as { readonly line?: number };
    const what = messageOf(error)
      .split('\n')[0]!
      .replace(/^Invalid TOML document: /, '');
    throw fail(`not TOML: ${what}`, line === undefined ? file : `${file}:${line}`);
  }
}

type Read = (text: string) => Record<string, unknown> | null;

/**
 * A key stands where it must be renamed so that the parser no longer finds it. That is slow, and right for every way
 * in which TOML lets a key be written; it is asked for what is told to somebody, which is little.
 */
function lineOf(text: string, path: TomlPath, read: Read): number | null {
  const last = path.at(-1);
  if (typeof last === 'number') return headOf(text, path.slice(0, -1), last, read);
  if (last === undefined || last === '') return null;
  for (const [at, renamed] of renamings(text, last)) {
    const values = read(renamed);
    if (values !== null && valueAt(values, path) === undefined) return lineAt(text, at);
  }
  return null;
}

/** Of the entry with this number in a list of tables; of the list where they stand in one value. */
function headOf(text: string, list: TomlPath, entry: number, read: Read): number | null {
  const name = list.at(-1);
  const all = valueAt(read(text) ?? {}, list);
  if (typeof name !== 'string' || !Array.isArray(all)) return null;
  let before = 0;
  for (const [at, renamed] of renamings(text, name)) {
    const left = valueAt(read(renamed) ?? { [name]: all }, list);
    if (left === undefined && all.length > 1) return lineAt(text, at);
    const isHead = left === undefined || (Array.isArray(left) && left.length === all.length - 1);
    if (isHead && before++ === entry) return lineAt(text, at);
  }
  return null;
}

function* renamings(text: string, name: string): Generator<[at: number, renamed: string]> {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    yield [at, `${text.slice(0, at + name.length)}_${text.slice(at + name.length)}`];
  }
}

function valueAt(values: unknown, path: TomlPath): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    values,
  );
}

const lineAt = (text: string, at: number) => text.slice(0, at).split('\n').length;
