import { beforeAll, describe, expect, test } from 'vitest';
import { call, newFolder, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

describe('a value of a filter that occurs nowhere', () => {
  let cwd: string;
  beforeAll(() => {
    cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [
      call({ model: 'claude-sonnet-4-5', environment: 'production', daemon: 'A' }),
      call({ model: 'Gemini 2', environment: 'staging', daemon: 'B', kind: 'email' }),
    ]);
  });
  const rate = (...args: readonly string[]) => lakelog(['first-shot-rate', ...args], { cwd });

  test.each([
    ['--model', 'claude-sonet-4-5', 'claude-sonnet-4-5'],
    ['--model', 'CLAUDE-SONNET-4-5', 'claude-sonnet-4-5'],
    ['--model', 'claude', 'claude-sonnet-4-5'],
    ['--model', 'gemini2', "'Gemini 2'"],
    ['--kind', 'fil', 'fill'],
    ['--kind', 'emails', 'email'],
    ['--environment', 'prod', 'production'],
    ['--environment', 'stagging', 'staging'],
    ['--daemon', 'a', 'A'],
  ])('%s %s: exit 3 and the nearest', async (option, value, nearest) => {
    const ran = await rate(option, value);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain(`cannot vouch: no loaded call has the ${option.slice(2)} "${value}"`);
    expect(ran.stderr).toContain(`  → did you mean ${option} ${nearest}?\n`);
  });

  test.each([
    ['--model', 'gpt-4.1-mini'],
    ['--kind', 'sms'],
    ['--daemon', 'C'],
    ['--environment', 'x'],
  ])('%s %s is like none: a warning', async (option, value) => {
    const ran = await rate(option, value);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain(`notice: no loaded call has the ${option.slice(2)} "${value}"`);
    expect(ran.stderr).not.toContain('did you mean');
  });

  test.each([
    ['alarm', '--model', ''],
    ['alarm', '--kind', ''],
    ['first-shot-rate', '--model', ' '],
    ['query', '--kind', ''],
  ])('%s %s "%s", a variable that nobody set, is a usage error', async (command, option, value) => {
    const ran = await lakelog([command, option, value], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(`It takes the name of a ${option.slice(2)}.`);
    expect(ran.stderr).not.toContain('self-test');
  });

  test('beside one that occurs is told too', async () => {
    const ran = await rate('--model', 'claude-sonnet-4-5', '--model', 'claude-sonet-4-5');
    expect(ran.code).toBe(3);
    expect((await rate('--model', 'claude-sonnet-4-5')).stderr).toBe('');
  });

  test('is none where only the window leaves it out', async () => {
    const ran = await rate('--model', 'claude-sonnet-4-5', '--since', '2026-01-01');
    expect(ran.stderr).not.toContain('no loaded call has');
  });

  test('is told by a gate, by query and in the envelope', async () => {
    const alarm = await lakelog(['alarm', '--daemon', 'B', '--daemon', 'a', '--json'], { cwd });
    expect(alarm.code).toBe(3);
    expect(JSON.parse(alarm.stdout).verdict.cannot_vouch).toContainEqual(
      expect.objectContaining({ code: 'misspelt_filter', next: 'did you mean --daemon B --daemon A?' }),
    );
    const query = await lakelog(['query', 'SELECT 1 AS n FROM sessions', '--kind', 'fil'], { cwd });
    expect(query.code, query.stderr).toBe(3);
    expect(query.stderr).toContain('did you mean --kind fill?');
  });

  const ALARM = ['alarm', '--allow-unjudged', '--min-judged', '0'];
  test.each([
    ['alarm', [...ALARM, '--gated-kind', 'fill', '--gated-kind', 'emial'], 'fill', 'email'],
    ['alarm that judges nothing', [...ALARM, '--gated-kind', 'emails'], 'email'],
    ['alarm of a list', [...ALARM, '--gated-kind', 'fill, email'], 'fill', 'email'],
    [
      'a list beside a kind',
      [...ALARM, '--gated-kind', 'fill', '--gated-kind', 'sms,email'],
      'fill',
      'sms',
      'email',
    ],
    ['first-shot', ['first-shot', '--gated-kind', 'Email'], 'email'],
    ['query', ['query', 'SELECT 1 AS n FROM sessions', '--gated-kind', 'emial'], 'email'],
  ])('is as wrong in --gated-kind, which would gate nothing: %s', async (_, args, ...meant) => {
    const ran = await lakelog(args, { cwd });
    expect(ran.code).toBe(3);
    // It replaces what was named before: to name one alone would gate less.
    expect(ran.stderr).toContain(
      `  → did you mean ${meant.map((kind) => `--gated-kind ${kind}`).join(' ')}?\n`,
    );
  });

  test('is named in its whole list wherever that was said, and so are values of a filter', async () => {
    const env = { LAKELOG_GATED_KINDS: 'fill, email' };
    expect((await lakelog(ALARM, { cwd, env })).stderr).toContain(
      'did you mean --gated-kind fill --gated-kind email?',
    );
    const kinds = ['--kind', 'fill', '--kind', 'emial'];
    expect((await lakelog(['first-shot', ...kinds], { cwd })).stderr).toContain(
      'did you mean --kind fill --kind email?',
    );
  });

  test.each([
    ['beside the kind that it is like', ['--gated-kind', 'fill', '--gated-kind', 'fills'], '"fills"'],
    ['like none', ['--gated-kind', 'fill', '--gated-kind', 'sms'], '"sms"'],
  ])('a gated kind that did not occur, %s: a warning', async (_, kinds, named) => {
    const ran = await lakelog([...ALARM, ...kinds], { cwd });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain(`notice: no loaded call has the kind ${named} that --gated-kind names`);
  });
});
