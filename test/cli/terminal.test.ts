import { execFileSync, spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { styleOf } from '../../src/io.js';
import {
  byDay,
  call,
  command,
  newFolder,
  nightly,
  root,
  lakelog as spawned,
  withoutColour,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { withoutProgress } from '../support/terminal.js';

const FIXTURES = path.join(root, 'fixtures');
const ESC = '\u001b';

describe('colour', () => {
  const commands: readonly (readonly string[])[] = [
    ['alarm', 'alarm/sessions.jsonl'],
    ['first-shot-rate', 'healthy'],
    ['validate', 'messy'],
    ['alarm', 'gone.jsonl'],
    ['alarm', '--since', 'x'],
    ['alarm', '--frob'],
    ['--help'],
    ['schema'],
  ];

  const ENVIRONMENTS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['nothing', {}],
    ['TERM and COLORTERM', { TERM: 'xterm-256color', COLORTERM: 'truecolor' }],
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['NO_COLOR over FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0' }],
    ['TERM=dumb', { TERM: 'dumb' }],
  ];

  test.each(ENVIRONMENTS)('piped, with %s: no escape byte in any output', async (name, env) => {
    // What a pipe is to Node.js is seen in the binary, and what is made of it here as well.
    const ask = (i: number) => (name === 'nothing' && (nightly || i % 4 === 0) ? spawned : lakelog);
    // By day each command in one of them.
    const turn = ENVIRONMENTS.findIndex(([one]) => one === name);
    const runs = commands.flatMap((args, i) =>
      nightly || (i + turn) % 6 === 0 ? [ask(i)(args, { cwd: FIXTURES, env })] : [],
    );
    for (const ran of await Promise.all(runs)) {
      expect.soft(ran.stdout + ran.stderr).not.toContain(ESC);
    }
  });

  const NONE = [
    ['--no-color', 'alarm', 'alarm/sessions.jsonl'],
    ['alarm', '--no-color', 'alarm/sessions.jsonl'],
    ['alarm', 'alarm/sessions.jsonl', '--no-color'],
    ['alarm', '--no-color', 'gone.jsonl'],
    ['alarm', '--since', 'x', '--no-color'],
    ['query', 'SELECT x', 'alarm', '--no-color'],
    ['show', '--no-color', 'nobody', 'alarm'],
  ];
  test.each(byDay(NONE, 3))('%s %s %s: none, whatever the environment wants', async (...args) => {
    const ran = await lakelog(args, { cwd: FIXTURES, env: { FORCE_COLOR: '1', CLICOLOR_FORCE: '1' } });
    expect(ran.stdout + ran.stderr).not.toContain(ESC);
    expect(ran.stderr).not.toContain('unknown option');
  });

  test('behind -- it is a file like any other', async () => {
    const ran = await lakelog(['alarm', '--', '--no-color'], { cwd: FIXTURES });
    expect(ran.stderr).toContain('(--no-color)');
  });

  const FORCED = [
    ['FORCE_COLOR', { FORCE_COLOR: '1' }],
    ['CLICOLOR_FORCE', { CLICOLOR_FORCE: '1' }],
  ] as const;
  test.each(byDay(FORCED, 2))('%s=1: colour although piped, and the same text', async (name, env) => {
    const ask = nightly || name === 'FORCE_COLOR' ? spawned : lakelog;
    const args = ['alarm', 'alarm/sessions.jsonl'];
    const plain = await ask(args, { cwd: FIXTURES });
    const forced = await ask(args, { cwd: FIXTURES, env: env as Record<string, string> });
    expect(forced.stdout).toContain(ESC);
    expect(forced.stderr).toContain(ESC);
    expect(withoutColour(forced.stdout)).toBe(plain.stdout);
    expect(withoutColour(forced.stderr)).toBe(plain.stderr);
  });

  test.each(byDay(['json', 'jsonl', 'csv', 'md'], 2))('FORCE_COLOR=1: %s has none', async (format) => {
    const ran = await lakelog(['alarm', 'alarm/sessions.jsonl', '--format', format], {
      cwd: FIXTURES,
      env: { FORCE_COLOR: '1' },
    });
    expect(ran.stdout).not.toContain(ESC);
  });
});

describe('what a stream is drawn with', () => {
  const stream = (isTTY: boolean) => ({ isTTY, columns: isTTY ? 90 : undefined, write: async () => {} });
  const none = { NO_COLOR: '1' };

  test.each<[boolean, Record<string, string>, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '' }, true],
    [true, none, false],
    [true, { ...none, FORCE_COLOR: '1' }, false],
    [true, { ...none, CLICOLOR_FORCE: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, { TERM: 'dumb', CLICOLOR_FORCE: '1' }, true],
    [true, { CLICOLOR: '0' }, false],
    [true, { CLICOLOR: '0', CLICOLOR_FORCE: '1' }, true],
    [false, { CLICOLOR: '1' }, false],
    [false, { CLICOLOR_FORCE: '0' }, false],
    [false, { CLICOLOR_FORCE: '' }, false],
    [false, { FORCE_COLOR: 'true' }, true],
    [true, { FORCE_COLOR: '0', CLICOLOR_FORCE: '1' }, false],
  ])('terminal %j, %j: colour %j', (isTTY, env, color) => {
    expect(styleOf(stream(isTTY), env).color).toBe(color);
  });

  test.each<[Record<string, string>, boolean]>([
    [{}, false],
    [{ LANG: '' }, false],
    [{ LANG: 'C.UTF-8' }, false],
    [{ LANG: 'de_DE.utf8' }, false],
    [{ LANG: 'C' }, true],
    [{ LANG: 'POSIX' }, true],
    [{ LANG: 'de_DE.ISO-8859-15@euro' }, true],
    [{ LANG: 'ja_JP.eucJP' }, true],
    [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, false],
    [{ LANG: 'C.UTF-8', LC_ALL: 'C', LC_CTYPE: 'C.UTF-8' }, true],
    [{ LANG: 'C', LC_ALL: 'en_US.UTF-8' }, false],
    [{ LANG: 'C.UTF-8', LC_ALL: '' }, false],
  ])('%j: ASCII %j', (env, ascii) => {
    expect(styleOf(stream(true), env).ascii).toBe(ascii);
  });
});

function has(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
}

const script = process.platform === 'linux' && has('script') && has('stty');

describe.skipIf(!script)(
  `on a terminal${script ? '' : ' (skipped: needs script and stty of util-linux)'}`,
  () => {
    function onTerminal(...of: Parameters<typeof sentTo>) {
      const { code, text } = sentTo(...of);
      return { code, text: withoutProgress(text) };
    }

    /** All that a terminal of that size is sent; stdout and stderr are one there. */
    function sentTo(columns: number, args: readonly string[], env: Record<string, string> = {}) {
      const { file, args: all, options } = command(args, { cwd: FIXTURES, env: { TERM: 'xterm', ...env } });
      const words = [file, ...all].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
      const log = path.join(newFolder(), 'screen');
      const ran = spawnSync('script', ['-qec', `stty cols ${columns} rows 40; ${words}`, log], {
        ...options,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return { code: ran.status, text: ran.stdout.replaceAll('\r\n', '\n') };
    }

    const commands: [code: number, args: string][] = [
      [1, 'alarm alarm'],
      [0, 'alarm healthy'],
      [3, 'alarm messy'],
      [3, 'alarm gone.jsonl'],
      [0, 'first-shot-rate healthy --by model --by kind --by daemon --by environment'],
      [0, 'first-shot-rate healthy'],
      [2, 'alarm --since x'],
      [3, 'validate messy'],
    ];

    /** The same of a terminal that this process makes up. */
    async function onScreen(columns: number, args: readonly string[], env: Record<string, string> = {}) {
      let text = '';
      const write = (part: string) => {
        text += part;
      };
      const { code } = await lakelog(args, {
        ...{ cwd: FIXTURES, env: { TERM: 'xterm', ...env } },
        screen: { columns, write },
      });
      return { code, text: withoutProgress(text) };
    }

    /** By day these are seen on a real one: an answer, and what is none. */
    const REAL = ['alarm alarm', 'alarm --since x'];
    const show = (columns: number, args: string) =>
      (nightly || (columns === 80 && REAL.includes(args)) ? onTerminal : onScreen)(columns, args.split(' '));

    for (const columns of [80, 120]) {
      test.each(byDay(commands, columns === 80 ? 2 : 4))(
        `${columns} columns: exit %i of %s`,
        async (code, args) => {
          const ran = await show(columns, args);
          expect(ran.code).toBe(code);
          expect(ran.text).toContain(`${ESC}[`);
          const wide = withoutColour(ran.text)
            .split('\n')
            // A command to copy stays on one line, however long (promise 7).
            .filter((line) => !/^ *(→ )?lakelog /.test(line))
            .filter((line) => stringWidth(line) > columns);
          expect(wide).toEqual([]);
        },
      );

      test.each(
        byDay(['--help', 'alarm --help', 'first-shot-rate --help', 'schema'], columns === 80 ? 2 : 4),
      )(`${columns} columns: %s is no wider`, async (args) => {
        const ran = await show(columns, args);
        expect(ran.code).toBe(0);
        expect(ran.text.split('\n').filter((line) => stringWidth(line) > columns)).toEqual([]);
      });
    }

    const NONE: [string, Record<string, string>][] = [
      ['NO_COLOR', { NO_COLOR: '1' }],
      ['TERM=dumb', { TERM: 'dumb' }],
      ['FORCE_COLOR=0', { FORCE_COLOR: '0' }],
    ];
    test.each(byDay(NONE, 2))('%s: none', async (_, env) => {
      const ask = nightly ? onTerminal : onScreen;
      const ran = await ask(80, ['alarm', 'alarm'], env);
      expect(ran.code).toBe(1);
      expect(ran.text).not.toContain(ESC);
    });

    test('a clear verdict and its receipt fit on one screen', async () => {
      const { text } = await onScreen(80, ['alarm', 'healthy']);
      expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
    });

    test('a long load shows progress and leaves no trace of it', () => {
      const cwd = newFolder();
      writeLines(cwd, 'log.jsonl', [call()]);
      writeLines(cwd, 'more.jsonl', [call()]);
      execFileSync('mkfifo', ['slow.jsonl'], { cwd });
      // Longer than what is not worth a word, from when the reader has opened it.
      spawn('bash', ['-c', 'exec >slow.jsonl; cat log.jsonl; sleep 1; cat more.jsonl'], { cwd });
      const { code, text } = sentTo(80, ['alarm', path.join(cwd, 'slow.jsonl')]);
      expect(code).toBe(0);
      expect(text).toContain(`\r${ESC}[2K`);
      const erased = text.split('\n').map((line) => line.split(`\r${ESC}[2K`).at(-1)!);
      expect(withoutColour(erased[0]!)).toMatch(/^CLEAR/);
      expect(erased.join('\n')).not.toMatch(/\r|\u001b\[2K/);
    });
  },
);
