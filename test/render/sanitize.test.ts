import { describe, expect, it } from 'vitest';
import {
  formats,
  gateFormatNames,
  type Report,
  renderAccounting,
  renderError,
  renderFindings,
  renderReceipt,
  renderStepSummary,
  sanitize,
} from '../../src/render/index.js';
import { tries } from '../support/cli.js';
import fc, { character } from '../support/fast-check.js';
import { monster, PIPE, report, terminal } from './sample.js';

/** Written apart from the product's pattern: what must never be in an output, line ends aside. */
function isUnsafe(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  const within = (from: number, to: number) => code >= from && code <= to;
  return (
    (within(0x00, 0x1f) && code !== 0x0a) ||
    within(0x7f, 0x9f) ||
    code === 0xad ||
    code === 0x61c ||
    within(0x200b, 0x200f) ||
    within(0x2028, 0x202e) ||
    within(0x2060, 0x206f) ||
    code === 0xfeff ||
    within(0xfff9, 0xfffb) ||
    within(0xd800, 0xdfff) ||
    within(0xe0000, 0xe007f)
  );
}

const NASTY = [
  '\x1b[31mred\x1b[0m',
  '\x1b]8;;https://evil.example\x07link\x1b]8;;\x07',
  '\x9b2J\x7f\x00\x07\b',
  'a\u202egnp.exe\u2069\u200f\u061c',
  'pass\u200b\u200c\u200d\u2060\ufeff\u00ad\u{e0041}\u{e007f}word',
  'one\r\ntwo\u2028three\u2029four\tfive',
  'lone \ud800 and \udc00',
  'ﷺ \ufff9x\ufffay\ufffb \u3164 \u{e0101}',
];

function everyOutput(text: string, styles = [PIPE, terminal(40)]): string[] {
  const columns = [
    { name: text, type: 'text' as const, label: text, note: text },
    { name: 'reason', type: 'text' as const },
    { name: 'at', type: 'timestamp' as const },
    { name: 'number', type: 'integer' as const },
    { name: 'json', type: 'json' as const },
    { name: 'more', type: 'json' as const },
  ];
  const { receipt, verdict } = monster(text, 2);
  const full: Report = {
    ...report(columns, [[text, text, text, text, JSON.stringify(text), { [text]: [text] }]]),
    query: { name: text, title: text },
    params: { [text]: text },
    receipt,
    ranAt: new Date(0),
    verdict,
  };
  const drawn = styles.flatMap((style) => [
    // Between its fields a TSV has tabs; that none is within one is tested where it is written.
    ...gateFormatNames.map((name) =>
      name === 'tsv' ? formats.tsv(full, style).replaceAll('\t', ' ') : formats[name](full, style),
    ),
    renderReceipt(full, style),
    renderAccounting(full, style),
    renderFindings(verdict, style),
    renderError({ what: text, where: text, next: text, detail: text }, style),
  ]);
  return [...drawn, renderStepSummary(full)];
}

describe('sanitize', () => {
  it.each([
    ['\x1b[0m', '\\x1b[0m'],
    ['a\nb\tc\rd', 'a\\nb\\tc\\rd'],
    ['\u202e\u{e0041}\ud800', '\\u202e\\u{e0041}\\ud800'],
    ['C:\\dir', 'C:\\dir'],
    ['Zoë 中文 😀 ☺️ ñ', 'Zoë 中文 😀 ☺️ ñ'],
    ['x\ufe0fx', 'x\\ufe0fx'],
    ['☺\ufe0f\ufe0f', '☺\ufe0f\\ufe0f'],
    ['a ##[add-mask]b', 'a #\\x23[add-mask]b'],
    ['  ::stop-commands::x', '  :\\x3astop-commands::x'],
    ['::error file=a::x', ':\\x3aerror file=a::x'],
    ['::1 and ::ffff:10.0.0.1', '::1 and ::ffff:10.0.0.1'],
    ['std::vector::at, ## [a]', 'std::vector::at, ## [a]'],
  ])('%j becomes %j', (raw, safe) => {
    expect(sanitize(raw)).toBe(safe);
  });

  it('leaves no dangerous character in any output', () => {
    for (const text of NASTY) {
      for (const output of everyOutput(text)) expect([...output].filter(isUnsafe)).toEqual([]);
    }
  });

  it('leaves none for any string', () => {
    const nasty = fc.constantFrom(...NASTY);
    const any = fc.oneof(
      fc.string({ unit: character }),
      fc.string({ unit: fc.integer({ max: 0xffff }).map(unit) }),
      nasty,
    );
    fc.assert(
      fc.property(any, (text) => {
        for (const output of everyOutput(text)) expect([...output].some(isUnsafe)).toBe(false);
      }),
      { numRuns: tries(20, 60) },
    );
  });
});

/** As GitHub's runner looks for commands in every line of stdout and stderr. */
function isCommand(line: string): boolean {
  return line.includes('##[') || /^\s*::[a-z-]+( [^:]*)?::/i.test(line);
}

describe('a CI runner', () => {
  it.each(['##[add-mask]x', '::stop-commands::x', ' ::add-mask::x', '\n::error::x', '::warning title=a::b'])(
    'is not given the command %j by any output but its own',
    (text) => {
      // A terminal, where long lines are wrapped, is no CI run, and the summary goes into a file.
      const printed = everyOutput(text, [PIPE]).slice(0, -1);
      const verbs = printed.flatMap((output) => output.split('\n').filter(isCommand));
      expect(verbs.filter((line) => !/^::(error|warning|notice) .*title=lakelog /.test(line))).toEqual([]);
    },
  );

  it('reads the same JSON', () => {
    const made = report({ a: 'text', b: 'json' }, [['##[x]##[', '{"##[k":"###["}']]);
    const json = formats.json(made, PIPE);
    expect(isCommand(json)).toBe(false);
    expect(JSON.parse(json).rows).toEqual([{ a: '##[x]##[', b: { '##[k': '###[' } }]);
  });
});

function unit(code: number): string {
  return String.fromCharCode(Math.abs(code));
}
