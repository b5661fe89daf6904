/** The file that names who must be heard of. */
import { readFileSync, statSync } from 'node:fs';
import { LakelogError, messageOf } from '../errors.js';
import { AGE_FORMS, parseAge } from '../instant.js';
import { kernelPath } from '../kernel-path.js';
import { CALLERS, type Expectation, type Expected } from '../schema/expected.js';
import { POLICY, readPolicy } from './policy.js';

/** The file that somebody named: --expect, else LAKELOG_EXPECT, else the policy. */
export async function namedExpect(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<string | undefined> {
  return given ?? (env.LAKELOG_EXPECT || (await readPolicy(cwd)).expect);
}

const EXAMPLE = 'write it as: [[expect]] and below it daemon = "staffing" and within = "2h"';

/**
 * @param usualMs the age for who has none of its own; null where there is no such age.
 * @throws LakelogError (exit 2) naming file, line and remedy: who is misread is not waited for.
 */
export async function readExpected(file: string, cwd: string, usualMs: number | null): Promise<Expected> {
  const text = textOf(file, cwd);
  const table = await tableIn(text, file);
  const placeOf = placesIn(text, file);
  const unknown = Object.keys(table).find((key) => key !== 'expect');
  if (unknown !== undefined)
    throw wrong(`"${unknown}" is no key of such a file`, placeOf(null, unknown), EXAMPLE);
  const { expect: entries } = table;
  if (!Array.isArray(entries) || entries.length === 0)
    throw wrong('it names nobody who must be heard of', placeOf(null, 'expect'), EXAMPLE);
  const named = new Map<string, string>();
  const all = entries.map((entry: unknown, i) => {
    const expectation = expectationOf(entry, usualMs, (key) => placeOf(i, key));
    const same = JSON.stringify(CALLERS.map((key) => expectation.of[key]));
    const before = named.get(same);
    if (before !== undefined)
      throw wrong(
        'it names the same as an entry before',
        expectation.where,
        `keep one; the other: ${before}`,
      );
    named.set(same, expectation.where);
    return expectation;
  });
  return { file, all };
}

const wrong = (what: string, where: string, next: string) =>
  new LakelogError(`who must be heard of cannot be read: ${what}`, { where, next });

function textOf(file: string, cwd: string): string {
  try {
    const target = kernelPath(cwd, file);
    // A pipe without a writer would hold cron up for ever.
    if (!statSync(target).isFile()) throw new Error('it is not a regular file');
    return readFileSync(target, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    throw wrong(
      messageOf(error),
      file,
      `correct --expect (or LAKELOG_EXPECT, or expect in ${POLICY}), or make the file readable`,
    );
  }
}

async function tableIn(text: string, file: string): Promise<Record<string, unknown>> {
  const { parse } = await import('smol-toml');
  try {
    return parse(text);
  } catch (error) {
    const { line } = error as { readonly line?: number };
    const what = messageOf(error)
      .split('\n')[0]!
      .replace(/^Invalid TOML document: /, '');
    throw wrong(`it is not TOML: ${what}`, line === undefined ? file : `${file}:${line}`, EXAMPLE);
  }
}

/** Where an entry stands, or one of its keys; the parser does not say. */
function placesIn(text: string, file: string) {
  const lines = text.split('\n');
  const heads = lines.flatMap((line, i) => (/^\s*\[\[\s*(["']?)expect\1\s*\]\]/.test(line) ? [i] : []));
  const lineOf = (key: string | null, from: number, end = lines.length) => {
    const isKey = (line: string) => {
      const bare = line.trim().replace(/^\[*\s*["']?/, '');
      return key !== null && bare.startsWith(key) && /^["']?\s*[\]=.]/.test(bare.slice(key.length));
    };
    return from + Math.max(lines.slice(from, end).findIndex(isKey), 0);
  };
  return (entry: number | null, key: string | null): string => {
    const head = entry === null ? 0 : (heads[entry] ?? lineOf('expect', 0));
    return `${file}:${lineOf(key, head, entry === null ? undefined : heads[entry + 1]) + 1}`;
  };
}

const KEYS = [...CALLERS, 'within'];

function expectationOf(
  entry: unknown,
  usualMs: number | null,
  placeOf: (key: string | null) => string,
): Expectation {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    throw wrong('an entry is no table', placeOf(null), EXAMPLE);
  const values = entry as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(values).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw wrong(`"${unknown}" is no key of an entry`, placeOf(unknown), hintFor(unknown));
  const notText = Object.keys(values).find((key) => typeof values[key] !== 'string' || values[key] === '');
  if (notText !== undefined) throw wrong(`"${notText}" must be a text`, placeOf(notText), EXAMPLE);
  const of = values as Expectation['of'] & { readonly within?: string };
  if (CALLERS.every((key) => of[key] === undefined))
    throw wrong(
      'an entry names nobody',
      placeOf(null),
      `name a ${CALLERS.join(', ')}, or several that go together`,
    );
  const within = of.within === undefined ? usualMs : parseAge(of.within);
  if (within !== null) return { of, withinMs: within, where: placeOf(null) };
  if (of.within !== undefined)
    throw wrong(`"${of.within}" is no duration`, placeOf('within'), `give within ${AGE_FORMS}`);
  throw wrong(
    'an entry says no age',
    placeOf(null),
    `add within = "2h" to it, or give --max-age for all that have none`,
  );
}

function hintFor(key: string): string {
  if (key !== 'host') return `use ${KEYS.join(', ')}`;
  return 'records carry no host: name the daemon that runs there, or the writer (writer_id) that it gives itself';
}
