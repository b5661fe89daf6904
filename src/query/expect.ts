/** The file that names who must be heard of. */
import { LakelogError, messageOf } from '../errors.js';
import { AGE_FORMS, parseAge } from '../instant.js';
import { kernelPath } from '../kernel-path.js';
import { CALLERS, type Expectation, type Expected } from '../schema/expected.js';
import { POLICY } from './policy.js';
import { readRegularFile } from './regular-file.js';
import { parseToml } from './toml.js';

const EXAMPLE = 'write it as: [[expect]] and below it daemon = "staffing" and within = "2h"';

export interface Known {
  /** The age for who has none of its own; null where there is no such age. */
  readonly usualMs: number | null;
  /** What is asked knows which host published a call. */
  readonly hasHosts: boolean;
}

/** @throws LakelogError (exit 2) naming file, line and remedy: who is misread is not waited for. */
export async function readExpected(file: string, cwd: string, known: Known): Promise<Expected> {
  const text = textOf(file, cwd);
  const { values: table, lineOf } = await parseToml(text, file, (what, where) =>
    wrong(`it is ${what}`, where, EXAMPLE),
  );
  const placeOf = (entry: number | null, key: string | null) => {
    const path = [...(entry === null ? [] : ['expect', entry]), ...(key === null ? [] : [key])];
    const line = lineOf(path) ?? (entry === null ? null : lineOf(['expect', entry]));
    return `${file}:${line ?? 1}`;
  };
  const unknown = Object.keys(table).find((key) => key !== 'expect');
  if (unknown !== undefined)
    throw wrong(`"${unknown}" is no key of such a file`, placeOf(null, unknown), EXAMPLE);
  const { expect: entries } = table;
  if (!Array.isArray(entries) || entries.length === 0)
    throw wrong('it names nobody who must be heard of', placeOf(null, 'expect'), EXAMPLE);
  const named = new Map<string, string>();
  const all = entries.map((entry: unknown, i) => {
    const expectation = expectationOf(entry, known, (key) => placeOf(i, key));
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
    return readRegularFile(kernelPath(cwd, file))
      .toString('utf8')
      .replace(/^\ufeff/, '');
  } catch (error) {
    throw wrong(
      messageOf(error),
      file,
      `correct --expect (or LAKELOG_EXPECT, or expect in ${POLICY}), or make the file readable`,
    );
  }
}

const KEYS = [...CALLERS, 'within'];

function expectationOf(
  entry: unknown,
  { usualMs, hasHosts }: Known,
  placeOf: (key: string | null) => string,
): Expectation {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    throw wrong('an entry is no table', placeOf(null), EXAMPLE);
  const values = entry as Readonly<Record<string, unknown>>;
  const isKnown = (key: string) => KEYS.includes(key) && (key !== 'host' || hasHosts);
  const unknown = Object.keys(values).find((key) => !isKnown(key));
  if (unknown !== undefined)
    throw wrong(`"${unknown}" is no key of an entry`, placeOf(unknown), hintFor(unknown, hasHosts));
  const notText = Object.keys(values).find((key) => typeof values[key] !== 'string' || values[key] === '');
  if (notText !== undefined) throw wrong(`"${notText}" must be a text`, placeOf(notText), EXAMPLE);
  const of = values as Expectation['of'] & { readonly within?: string };
  if (CALLERS.every((key) => of[key] === undefined))
    throw wrong(
      'an entry names nobody',
      placeOf(null),
      `name a ${CALLERS.filter((one) => one !== 'host' || hasHosts).join(', ')}, or several that go together`,
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

function hintFor(key: string, hasHosts: boolean): string {
  if (key !== 'host') return `use ${KEYS.filter((one) => one !== 'host' || hasHosts).join(', ')}`;
  return 'records carry no host, and only a lake that is a folder knows who published them: name the daemon that runs there, or the writer (writer_id) that it gives itself';
}
