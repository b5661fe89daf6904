import { describe, expect, test } from 'vitest';
import { parseQuery } from '../../src/query/header.js';
import { bindParams, type Given, optionName } from '../../src/query/params.js';
import { DEFAULT_GATED_KINDS } from '../../src/query/settings.js';
import { catalogue } from '../support/lake.js';

const HEADER = ['-- title: T', '-- question: Q?', '-- column: n integer'];
const withParams = (...params: readonly string[]) =>
  parseQuery('q.sql', 'q', [...HEADER, ...params.map((param) => `-- param: ${param}`)].join('\n'));
const bind = (param: string, given: Given = {}) => bindParams(withParams(param), given);

describe('set', () => {
  const BY = 'by set(model|kind|day) = model';
  test.each<[string, Given, readonly string[]]>([
    ['the default', {}, ['model']],
    ['an option that was not given', { by: [] }, ['model']],
    ['one', { by: ['day'] }, ['day']],
    ['several', { by: ['kind', 'day'] }, ['kind', 'day']],
    ['a comma list', { by: ['day,kind'] }, ['day', 'kind']],
    ['both, with repeats', { by: ['day,kind', 'kind', 'day'] }, ['day', 'kind']],
  ])('%s', (_, given, chosen) => {
    const { columns, meant } = bind(BY, given);
    expect(meant).toEqual({ by: chosen });
    expect(columns).toEqual({
      by_model: chosen.includes('model'),
      by_kind: chosen.includes('kind'),
      by_day: chosen.includes('day'),
    });
  });

  test.each([
    ['colour'],
    [''],
    ['model,'],
    [',model'],
    ['model, kind'],
    ['Model'],
    ['by_model'],
    ['__proto__'],
  ])('refuses %j', (text) => {
    expect(() => bind(BY, { by: ['kind', text] })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^--by takes one of model, kind, day, not "/),
        next: expect.stringMatching(/--by/),
        exitCode: 2,
      }),
    );
  });
});

describe('kinds', () => {
  test.each<[string, Given, readonly string[]]>([
    ['the default is a comma list', {}, ['fill', 'email']],
    ['repeated', { kind: ['fill', 'sms'] }, ['fill', 'sms']],
    ['a kind may hold a comma or a space', { kind: ['a,b', ' c '] }, ['a,b', ' c ']],
    ['twice is once', { kind: ['fill', 'fill'] }, ['fill']],
  ])('%s', (_, given, kinds) => {
    const { gatedKinds, meant, columns } = bind('kind kinds = fill,email', given);
    expect(gatedKinds).toEqual(kinds);
    expect(meant).toEqual({ kind: kinds });
    expect(columns).toEqual({ kind: kinds.join(',') });
  });

  test('an empty kind is refused', () => {
    expect(() => bind('kind kinds = fill', { kind: ['fill', ''] })).toThrow(/--kind takes a kind, not ""/);
  });

  test('a question without gated kinds has the default ones, which the tables need', () => {
    expect(bind('a flag = false').gatedKinds).toEqual(DEFAULT_GATED_KINDS);
    expect(DEFAULT_GATED_KINDS).toEqual(['fill']);
  });
});

describe('flag', () => {
  test.each<[string, Given, boolean]>([
    ['a flag = false', {}, false],
    ['a flag = false', { a: true }, true],
    ['a flag = false', { a: undefined }, false],
    ['a flag = true', {}, true],
    ['a flag = true', { a: false }, false],
  ])('%s with %j', (param, given, value) => {
    expect(bind(param, given)).toMatchObject({ columns: { a: value }, meant: { a: value } });
  });
});

describe('numbers', () => {
  test.each<[string, readonly string[], number]>([
    ['n integer(0) = 30', [], 30],
    ['n integer(0) = 30', ['0'], 0],
    ['n integer(0) = 30', ['7', '8'], 8],
    ['n integer(-5) = 0', ['-5'], -5],
    ['n integer = 0', ['-9007199254740991'], -9007199254740991],
    ['n number = 0.5', [], 0.5],
    ['n number = 0.5', ['-1.25'], -1.25],
    ['n number = 0.5', ['2'], 2],
  ])('%s given %j', (param, given, value) => {
    expect(bind(param, { n: given })).toMatchObject({ columns: { n: value }, meant: { n: value } });
  });

  test.each<[string, string, RegExp]>([
    ['n integer(0) = 30', '-1', /--n takes an integer of at least 0, not "-1"/],
    ['n integer(0) = 30', '1.5', /an integer of at least 0/],
    ['n integer(0) = 30', '', /an integer/],
    ['n integer(0) = 30', ' ', /an integer/],
    ['n integer(0) = 30', 'many', /an integer/],
    ['n integer(0) = 30', '1,000', /an integer/],
    ['n integer = 0', '9007199254740993', /an integer/],
    ['n number = 0', 'Infinity', /a number, not "Infinity"/],
    ['n number = 0', 'NaN', /a number/],
    ['n number = 0', '1e999', /a number/],
    ['n number = 0', '0.5%', /a number/],
  ])('%s refuses %j', (param, text, message) => {
    expect(() => bind(param, { n: [text] })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(message),
        next: expect.stringMatching(/^give --n an?/),
        exitCode: 2,
      }),
    );
  });
});

describe('choice and text', () => {
  test('the last one given counts', () => {
    expect(bind('o choice(up|down) = up').columns).toEqual({ o: 'up' });
    expect(bind('o choice(up|down) = up', { o: ['up', 'down'] }).columns).toEqual({ o: 'down' });
    expect(bind('t text = word').columns).toEqual({ t: 'word' });
    expect(bind('t text = word', { t: ['a', "it's -- b"] }).columns).toEqual({ t: "it's -- b" });
    expect(bind('t text = word', { t: [''] }).columns).toEqual({ t: '' });
  });

  test('a choice is one of its values', () => {
    expect(() => bind('o choice(up|down) = up', { o: ['up,down'] })).toThrow(/--o takes one of up, down/);
  });
});

test('a bad default of the header is refused as a bad option is', () => {
  expect(() => bind('n integer(0) = few')).toThrow(/--n takes an integer of at least 0, not "few"/);
  expect(() => bind('by set(a|b) = c')).toThrow(/--by takes one of a, b, not "c"/);
});

test('options are the names with hyphens', () => {
  const { params } = withParams('min_judged_n integer = 1');
  expect(optionName(params[0]!)).toBe('--min-judged-n');
});

test('the shipped questions, without any option', () => {
  const bound = Object.fromEntries(catalogue.map((query) => [query.name, bindParams(query, {})]));
  expect(bound.alarm).toEqual({
    columns: { gated_kind: 'fill', allow_unjudged: false },
    meant: { gated_kind: ['fill'], allow_unjudged: false },
    gatedKinds: ['fill'],
  });
  expect(bound['first-shot-rate']).toEqual({
    columns: {
      by_model: true,
      by_response_model: false,
      by_provider: false,
      by_kind: false,
      by_daemon: false,
      by_environment: false,
      by_prompt_version: false,
      by_validator_version: false,
      by_month: false,
      by_week: false,
      by_day: false,
      by_hour: false,
      min_n: 30,
    },
    meant: { by: ['model'], min_n: 30 },
    gatedKinds: ['fill'],
  });
});
