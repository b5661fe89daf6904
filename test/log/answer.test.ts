import { describe, expect, it } from 'vitest';
import { tooLarge } from '../../src/log/answer.js';
import { parseJsonAnswer } from '../../src/log/index.js';

const F = '```';
const answer = { a: 1, b: ['x'] };
const json = '{"a":1,"b":["x"]}';
const lines = '{\n  "a": 1,\n  "b": [\n    "x"\n  ]\n}';

describe('a fenced answer', () => {
  it.each<[string, string]>([
    ['none', json],
    ['of one line', `${F}json ${json} ${F}`],
    ['of one line, without an info string', `${F}${json}${F}`],
    ['with an info string glued to the content', `${F}json${json}${F}`],
    ['with the content beginning on its line', `${F}json ${lines}\n${F}`],
    ['with a blank before the info string', `${F} json\n${lines}\n${F}`],
    ['with the closing fence glued', `${F}json\n${lines}${F}`],
    ['indented as a whole', `   ${F}json\n   ${lines}\n   ${F}`],
    ['with the closing fence indented', `${F}json\n${lines}\n  ${F}`],
    ['of tildes', `~~~json\n${lines}\n~~~`],
    ['of five tildes', `~~~~~\n${lines}\n~~~~~`],
    ['of four backticks', `${F}\`json\n${lines}\n${F}\``],
    ['closed with more than it was opened with', `${F}json\n${lines}\n${F}\``],
    ['that is not closed, as a stop sequence leaves it', `${F}json\n${lines}\n`],
    ['with attributes', `${F}json title="x.json" {linenos=true}\n${lines}\n${F}`],
    ['with attributes alone', `${F}{.json #fill}\n${lines}\n${F}`],
    ['with another language', `${F}application/json5\r\n${lines}\r\n${F}\r\n`],
    ['of one backtick', `\`${json}\``],
    ['behind a byte order mark', `\ufeff${F}json\n${lines}\n${F}`],
  ])('%s', (_, raw) => {
    expect(parseJsonAnswer(raw)).toEqual(answer);
  });

  it('keeps fences inside of texts', () => {
    const text = { c: `x ${F}json y${F} ~~~ z` };
    expect(parseJsonAnswer(`${F}json\n${JSON.stringify(text)}\n${F}`)).toEqual(text);
    expect(parseJsonAnswer(JSON.stringify(text))).toEqual(text);
  });

  it.each<[string, string]>([
    ['prose in front', `Here it is:\n${F}json\n${json}\n${F}`],
    ['prose behind', `${F}json\n${json}\n${F}\nI hope that helps.`],
    ['two blocks', `${F}json\n${json}\n${F}\n${F}json\n${json}\n${F}`],
    ['two values in one block', `${F}\n${json}\n${json}\n${F}`],
    ['a list that is not closed', `${F}\n[\n${json}\n${F}`],
    ['a value behind a value', `${F}[1]\n${json}${F}`],
    ['a fence and nothing', `${F}json\n${F}`],
    ['fences only', F.repeat(1000)],
    ['a number', `${F}json\n5\n${F}`],
    ['nothing', ''],
  ])('and %s is refused: what was meant would be a guess', (_, raw) => {
    expect(() => parseJsonAnswer(raw)).toThrow(SyntaxError);
  });

  it('takes no time over a megabyte of marks', () => {
    const started = performance.now();
    for (const part of ['`', '~', '` ', '`{', 'json ', '{.']) {
      expect(() => parseJsonAnswer(`\`${part.repeat(500_000)}`)).toThrow(SyntaxError);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('the bounds of an answer', () => {
  const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  const cycle: unknown[] = [];
  cycle.push(cycle);

  it.each<[string, string, unknown, string | undefined]>([
    ['small', '{}', {}, undefined],
    ['as deep as it may be', '', nested(90), undefined],
    ['too deep', '', nested(91), 'the answer is nested deeper than 90 levels'],
    ['far too deep', '', nested(1_000_000), 'the answer is nested deeper than 90 levels'],
    ['too deep in objects', '', JSON.parse(`${'{"a":'.repeat(91)}1${'}'.repeat(91)}`), 'nested deeper'],
    ['as many values as it may have', '', Array(99_999).fill(0), undefined],
    ['too many values', '', Array(100_000).fill(0), 'the answer has more than 100000 values'],
    ['too many in small parts', '', Array(50_001).fill([0]), 'the answer has more than 100000 values'],
    ['a list of holes', '', new Array(2 ** 32 - 1), 'the answer has more than 100000 values'],
    ['a cycle', '', cycle, 'the answer is nested deeper than 90 levels'],
    ['too many bytes', 'é'.repeat(2 ** 21 + 1), undefined, 'the answer has more than 4194304 bytes'],
    ['text in all its bytes', 'é'.repeat(2 ** 21), undefined, undefined],
  ])('%s', (_, raw, candidate, why) => {
    const said = tooLarge(raw, candidate);
    if (why === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(why);
  });

  it('can be drawn closer, and never wider than a check can follow', () => {
    expect(tooLarge('abc', undefined, { bytes: 2 })).toBe('the answer has more than 2 bytes');
    expect(tooLarge('', [1, 2], { values: 2 })).toBe('the answer has more than 2 values');
    expect(tooLarge('', [[]], { depth: 1 })).toBe('the answer is nested deeper than 1 levels');
    const wide = { values: Number.POSITIVE_INFINITY, depth: Number.POSITIVE_INFINITY };
    expect(tooLarge('', Array(100_000).fill(0), wide)).toBeDefined();
    expect(tooLarge('', nested(91), wide)).toBeDefined();
  });
});
