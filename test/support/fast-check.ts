/**
 * fast-check, which by day draws the same cases in every run: what fails then is what was changed. By night it draws new
 * ones; LAKELOG_SEED repeats those of a failure.
 */
import fc from 'fast-check';

const SURROGATES = 0x800;

const { LAKELOG_NIGHTLY, LAKELOG_SEED } = process.env;

if (LAKELOG_SEED !== undefined) fc.configureGlobal({ seed: Number(LAKELOG_SEED) });
else if (LAKELOG_NIGHTLY !== '1') fc.configureGlobal({ seed: 2 });

/**
 * Any character, as a unit of strings. fast-check's own 'binary' makes a map of all million of them in each process, for
 * a second of CPU, and garbage is collected around it from then on.
 */
export const character = fc.integer({ min: 0, max: 0x10ffff - SURROGATES }).map(
  (n) => String.fromCodePoint(n < 0xd800 ? n : n + SURROGATES),
  (text) => {
    const [n = -1, ...others] = [...String(text)].map((one) => one.codePointAt(0)!);
    if (others.length > 0 || n < 0 || (n >= 0xd800 && n < 0xe000)) throw new Error('not a character');
    return n < 0xd800 ? n : n - SURROGATES;
  },
);

export default fc;
