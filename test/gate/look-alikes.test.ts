import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import looks from 'unhomoglyph/data.json' with { type: 'json' };
import { describe, expect, test } from 'vitest';
import { readAlike } from '../../src/gate/confusables.js';
import { bareWord, lookAlikesOf } from '../../src/gate/look-alikes.js';
import { nightly, root } from '../support/cli.js';
import fc, { character } from '../support/fast-check.js';

const alikes: Readonly<Record<string, readonly string[]>> = {
  'another case': ['Fill', 'FILL', 'fILL'],
  'the dotless and the dotted i of Turkish': ['f\u0131ll', 'F\u0130LL', 'fi\u0307ll'],
  accents: ['f\u00edll', 'fi\u0142\u0142', '\u1e1f\u00ef\u1e37\u1e3d', 'f\u0301i\u0302l\u0303l\u0304'],
  'letters of other scripts': [
    'f\u0456ll',
    'f\u0406LL',
    '\u03dd\u03b9ll',
    'f\u04c0ll',
    'f\u04cfll',
    '\ua799ill',
  ],
  'fullwidth letters': ['\uff46\uff49\uff4c\uff4c', '\uff26\uff29\uff2c\uff2c'],
  'mathematical letters': ['\u{1d487}\u{1d48a}\u{1d48d}\u{1d48d}', '\u{1d41f}\u{1d422}\u{1d55d}\u{1d5c5}'],
  'Roman numerals': ['f\u2170ll', 'f\u2160ll', '\ufb01\u216c\u216c'],
  ligatures: ['\ufb01ll'],
  'a long s, which looks like an f': ['\u017fill'],
  'letters in circles, brackets and squares': [
    '\u24d5\u24d8\u24db\u24db',
    '\u24a1\u24a4\u24a7\u24a7',
    '\u{1f175}\u{1f178}\u{1f17b}\u{1f17b}',
    '\u{1f155}\u{1f158}\u{1f15b}\u{1f15b}',
    '\u{1f1eb}\u{1f1ee}\u{1f1f1}\u{1f1f1}',
  ],
  'small capitals and raised letters': ['\ua730\u026a\u029f\u029f', '\u1da0\u1d62\u2097\u2097'],
  'digits and strokes': ['f1ll', 'fi11', 'f|ll', 'f\u2223ll', 'fi\u0661\u0661', 'f\u{1d7cf}ll'],
  'bullets and ticks': [
    '\u25cf fill',
    '\u25e6 fill',
    '$fill',
    '\x24{fill}',
    '\u2713 fill',
    'fill\u2122',
    '\u2192fill',
  ],
  'quotes that are no punctuation to Unicode': [
    '`fill`',
    '\u00b4fill\u00b4',
    '\u02bbfill\u02bc',
    '<fill>',
    '=fill',
    '|fill|',
    '\u02c8fi\u2016\u02c8',
  ],
  'letters that are signs by their class': [
    'fi\u2016',
    'fi\u05c0\u05c0',
    'fi\u05c0l',
    '\u201cfi\u2016\u201d',
    '-FI\u2016.',
  ],
  'I for l, and l for I': ['fiII', 'fIIl', 'FlLL', 'F1LL'],
  'white space': [' fill', 'fill ', 'fi ll', 'fill\n', '\tfill', 'fi\u00a0ll', 'fi\u3000ll', 'fi\u2028ll'],
  'invisible characters': [
    'fi\u200bll',
    'fi\u200dll',
    'fi\u2060ll',
    '\ufefffill',
    'fi\u00adll',
    'fi\u034fll',
    'fill\ufe0f',
    'fill\u{e0100}',
    'fi\u{e0041}ll',
    'fi\u115fll',
    'fi\u3164ll',
    'fi\uffa0ll',
    'fi\u2800ll',
    'fi\u0000ll',
    'fill\u007f',
    'fill\u{1d159}',
    'f\u{1d173}ill',
    'fill\u{1d17a}',
    'fill\u1160',
    'fill\uffff',
  ],
  'signs around it': [
    'fill.',
    'fill:',
    '"fill"',
    "'fill'",
    '(Fill)',
    'fill_',
    '-fill',
    '\u201cfill\u201d',
    'fill\u00b7',
    ' fill, ',
    'fill.\u2800',
    '"fill"\u3164',
    '\u0000fill.\ufe0f',
  ],
  'bidi marks': ['\u202efill', 'fill\u202c', 'fi\u200ell', '\u2067fill\u2069', 'fi\u061cll'],
  'other orders that bidi controls turn into it': [
    '\u202ellif',
    '\u202eLLIF\u202c',
    'f\u202elli',
    'f\u202elli\u202c.',
    '\u200fll\u200ffi',
    '\u2067ll\u2069\u2067fi',
    '\u202e11\u0456f',
    '\u202ell\ufb01',
  ],
};

describe('kinds that a person would read as fill', () => {
  const cases = Object.entries(alikes).flatMap(([why, kinds]) => kinds.map((kind) => [why, kind] as const));
  test.each(cases)('%s: %j', async (_, kind) => {
    expect(await lookAlikesOf([kind, 'email'], ['fill'])).toEqual(new Map([[kind, 'fill']]));
  });

  test.each([
    'email',
    'playbook',
    'fil',
    'fills',
    'refill',
    'fill-v2',
    'fill_2',
    'fi-ll',
    'fi_ll',
    '.',
    '--',
    'flll',
    'fiil',
    'file',
    'till',
    'full',
    'fill1',
    'f',
    '',
    ' ',
    'llif',
    '\u202erefill',
    '\u202efil',
    '\u202eemail',
    '\u0444\u0438\u043b\u043b',
    '\u586b\u5145',
    '\u0645\u0644\u0621',
    '\u200f\u05de\u05d9\u05dc\u05d5\u05d9\u200f',
  ])('%j is none', async (kind) => {
    expect(await lookAlikesOf([kind], ['fill'])).toEqual(new Map());
  });
});

test.each([
  ['stra\u00dfe', 'STRASSE'],
  ['stra\u1e9ee', 'strasse'],
  ['\u039f\u0394\u039f\u03a3', '\u03bf\u03b4\u03bf\u03c2'],
  ['\u03bf\u03b4\u03bf\u03c3', '\u03bf\u03b4\u03bf\u03c2'],
  ['\u043f\u043e\u0447\u0442\u0430', '\u041f\u041e\u0427\u0422\u0410'],
  ['email', '\u0435\u043c\u0430il'],
  ['form', 'forrn'],
  ['E-Mail', 'e-mail'],
  ['rosterIndex', 'rosterlndex'],
  ['r0ll', 'roll'],
  ['RO11', 'roll'],
])('%s is read as %s', (one, other) => {
  expect([readAlike(one, other), readAlike(other, one)]).toEqual([true, true]);
});

test.each([
  ['mail', 'mall'],
  ['MAIL', 'MALL'],
  ['Mail', 'Mall'],
  ['FAIL', 'FALL'],
  ['kind_1', 'kind_2'],
  ['\u0915\u093f', '\u0915\u0940'],
  ['\u304b', '\u304c'],
  ['\u586b\u5145', '\u586b\u7a7a'],
])('%s is not read as %s', (one, other) => {
  expect([readAlike(one, other), readAlike(other, one)]).toEqual([false, false]);
});

describe('properties', () => {
  /** All characters that Unicode maps to what it maps this one to. */
  const skeleton = (character: string) => (looks as Record<string, string>)[character] ?? character;
  const bySkeleton = new Map<string, string[]>();
  for (const [character, mapped] of Object.entries(looks)) {
    bySkeleton.set(mapped, [...(bySkeleton.get(mapped) ?? []), character]);
  }
  const compatible = new Map<string, string[]>();
  for (let code = 0x80; code < 0x20000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    const plain = character.normalize('NFKC');
    if (/^[a-z]$/i.test(plain)) compatible.set(plain, [...(compatible.get(plain) ?? []), character]);
  }

  const unseen = fc.constantFrom(
    ...'\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\ufe0e\u180e\u3164\u202e\u2066 \t\u00a0',
  );
  const accent = fc.constantFrom('\u0300', '\u0301', '\u0308', '\u0323', '\u0338');

  /** A letter, in some case and in the place of it whatever looks like it; I and l for one another have tests of their own. */
  const disguised = (letter: string) =>
    fc
      .constantFrom(letter, letter.toUpperCase())
      .chain((cased) =>
        fc.constantFrom(
          cased,
          ...(bySkeleton.get(skeleton(cased)) ?? []).filter((other) => !/[Il]/.test(other)),
          ...(compatible.get(cased) ?? []),
        ),
      );
  const anyDisguise = (kind: string) =>
    fc
      .tuple(
        ...[...kind].map((letter) =>
          fc.tuple(
            fc.option(unseen, { nil: '' }),
            disguised(letter),
            fc.option(accent, { nil: '' }),
            fc.option(unseen, { nil: '' }),
          ),
        ),
      )
      .map((letters) => letters.flat().join(''));

  const sign = fc.constantFrom('', '"', '\u00ab', '-', '.', '\u3002', '`', '\u02bc');

  test.each(['fill', 'email', 'shift_swap', 'roster-10'])(
    '%s in any disguise is read as itself',
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(sign, anyDisguise(kind), sign, async (before, disguise, after) => {
          const one = before + disguise + after;
          const found = await lookAlikesOf([one], [kind]);
          expect(found.has(one), JSON.stringify(one)).toBe(one !== kind);
        }),
        { numRuns: nightly ? 3_000 : 1_000 },
      );
    },
  );

  test('small letters are mistaken for one another as rn and m alone', () => {
    const word = fc.stringMatching(/^[a-z_.-]{1,6}$/);
    const near = fc.stringMatching(/^[rnm]{1,5}$/);
    fc.assert(
      fc.property(fc.oneof(fc.tuple(word, word), fc.tuple(near, near)), ([one, other]) => {
        expect(readAlike(one, other)).toBe(one.replaceAll('rn', 'm') === other.replaceAll('rn', 'm'));
      }),
      { numRuns: nightly ? 3_000 : 1_000 },
    );
  });

  test('words are told apart without the table as they are with it', async () => {
    const word = fc.stringMatching(/^[\w.-]{1,6}$/);
    const near = fc.stringMatching(/^[rnmMilIL10oO]{1,4}$/);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.tuple(word, word), fc.tuple(near, near)), async ([one, other]) => {
        const found = await lookAlikesOf([one], [other]);
        expect(found.has(one)).toBe(one !== other && readAlike(bareWord(one), bareWord(other)));
      }),
      { numRuns: nightly ? 5_000 : 1_666 },
    );
  });

  test('it is the same from either side, and every text is read as itself', () => {
    const text = fc.string({ unit: character, maxLength: 6 });
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(readAlike(one, one)).toBe(true);
        expect(readAlike(one, other)).toBe(readAlike(other, one));
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['', ''],
  ['.', '.'],
  ['"fill"', 'fill'],
  [' fill-2. ', 'fill-2'],
  ['f.i', 'f.i'],
  ['\u{1f642}!', '\u{1f642}'],
  [`${'.'.repeat(1_000_000)}f${'.'.repeat(1_000_000)}`, 'f'],
])('the bare word of %.20j', (word, bare) => {
  expect(bareWord(word)).toBe(bare);
});

test('a kind of a million characters is compared in no time worth mentioning', () => {
  const start = performance.now();
  expect(readAlike(`f${'\u0456'.repeat(1_000_000)}ll`, 'fill')).toBe(false);
  expect(readAlike(`f${'\u200b'.repeat(1_000_000)}ill`, 'fill')).toBe(true);
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('a gated kind is no look-alike of another gated one', async () => {
  expect(await lookAlikesOf(['fill', 'Fill', 'FILL'], ['fill', 'Fill'])).toEqual(new Map([['FILL', 'Fill']]));
});

test('the table is a chunk of its own, which is imported only when it is needed', () => {
  const dist = path.join(root, 'dist');
  const naming = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.c?js$/.test(name))
    .map((name) => readFileSync(path.join(dist, name), 'utf8'))
    .flatMap((code) => [...code.matchAll(/.{0,20}"[^"]*confusables(?:-\w+)?\.c?js"/g)])
    .map(([how]) => how);
  expect(naming).toEqual([expect.stringMatching(/then\(\(\)=>[\w$]+\(require\("\.\/confusables\.cjs"/)]);
});
