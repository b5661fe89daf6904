import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { shellWord, stepWith } from '../src/errors.js';
import { sanitize } from '../src/render/index.js';
import fc, { character } from './support/fast-check.js';

const SHELLS = ['bash', 'zsh'].filter((shell) =>
  ['/bin', '/usr/bin', '/usr/local/bin'].some((folder) => existsSync(`${folder}/${shell}`)),
);

/** What the shell makes of words that are pasted into it. */
function readBy(shell: string, words: readonly string[], locale = 'C.UTF-8'): string[] {
  const input = `printf '%s\\0' ${words.join(' ')}\n`;
  const env = { ...process.env, LC_ALL: locale };
  const args = shell === 'zsh' ? ['-f'] : ['--norc'];
  return execFileSync(shell, args, { input, env, encoding: 'utf8' }).split('\0').slice(0, -1);
}

test.each([
  ['fill', 'fill'],
  ['', "''"],
  ['a b', "'a b'"],
  ["it's", "'it'\\''s'"],
  ['fill\t', "$'fill\\t'"],
  ['f\u200bill', "$'f\\xe2\\x80\\x8bill'"],
  ['\ufefffill', "$'\\xef\\xbb\\xbffill'"],
  ["\u202e'!\\", "$'\\xe2\\x80\\xae\\x27\\x21\\\\'"],
  ['fill\u00a0', "$'fill\\xc2\\xa0'"],
  ['fill\u2800', "$'fill\\xe2\\xa0\\x80'"],
  ['##[error]x', "$'#\\x23[error]x'"],
  ['::error::x', "'::error::x'"],
  ['=ls', "'=ls'"],
  ['F\u0130LL', "'F\u0130LL'"],
])('%j is printed as %s', (text, word) => {
  expect(shellWord(text)).toBe(word);
});

test('a step names nothing that holds a NUL', () => {
  const step = (word: string) => `--kind ${word}`;
  expect(stepWith(['fill\t'], step)).toBe("--kind $'fill\\t'");
  expect(stepWith(['email', 'fill\0'], step)).toMatch(/^correct the writer/);
});

describe.each(SHELLS)('words that are pasted into %s', (shell) => {
  const odd = fc.constantFrom(
    ...'\\\'"`$!#[]{}()*?~=%^&|;<> :-x0\n\r\t\u0001\u007f\u001b\u200b\u202e\ufeff\u2800\u00a0',
  );
  const word = fc
    .string({ unit: fc.oneof(odd, character), maxLength: 12 })
    .filter((text) => !text.includes('\0'));

  test.each(['C.UTF-8', 'C'])(
    'are the texts again, in %s, and the terminal shows them as they are',
    (locale) => {
      fc.assert(
        fc.property(fc.array(word, { minLength: 100, maxLength: 300 }), (texts) => {
          const words = texts.map(shellWord);
          for (const one of words) expect(sanitize(one)).toBe(one);
          expect(readBy(shell, words, locale)).toEqual(texts);
        }),
        { numRuns: 8 },
      );
    },
  );
});
