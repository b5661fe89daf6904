import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { wordsOf } from '../../src/commands/completing.js';
import { byDay, call, command, newFolder, root, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { has, terminals } from '../support/terminal.js';

let cwd: string;

/** A name that is a program for whoever evaluates it. */
const ODD = "odd $(touch pwned);`touch pwned`'.jsonl";

beforeAll(async () => {
  cwd = newFolder();
  writeLines(cwd, 'my log.jsonl', [
    call({ session_id: 'trace-1', model: 'gpt-4.1-mini' }),
    call({ session_id: 'trace-2', model: '$(touch pwned)', kind: 'e-mail' }),
    call({ session_id: 'ab:cd:1', model: 'mistral:7b' }),
    call({ session_id: '*', model: 'two words' }),
    call({ session_id: 'tr;touch pwned', model: '`touch pwned`' }),
  ]);
  expect((await lakelog(['sync', '--lake', 'L.duckdb', 'my log.jsonl'], { cwd })).code).toBe(0);
  copyFileSync(path.join(cwd, 'L.duckdb'), path.join(cwd, 'a lake.duckdb'));
  // A word in the place of which an earlier script put the name of a file that begins with a number.
  for (const name of ['2025.jsonl', ODD]) writeLines(cwd, name, [call()]);
});

/** What the program answers to a shell. */
async function offered(line: string, env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const { code, stdout } = await lakelog(['completion-server'], {
    cwd,
    env: { SHELL: 'bash', COMP_LINE: line, ...env },
  });
  expect(code).toBe(0);
  return stdout.trimEnd().split('\n').filter(Boolean);
}

const OFFERED: readonly [string, string[]][] = [
  ['lakelog al', ['alarm']],
  ['lakelog ack p', ['prune']],
  ['lakelog alarm --max-', ['--max-rejects', '--max-age', '--max-line-bytes']],
  ['lakelog alarm --format j', ['json', 'jsonl', 'junit']],
  ['lakelog alarm --format=ju', ['--format=junit']],
  ['lakelog first-shot-rate --by da', ['daemon', 'day']],
  ['lakelog lake v', ['verify']],
  ['lakelog queries show corp', ['corpus']],
  ['lakelog completion z', ['zsh']],
  ['lakelog --no-color --queries my al', ['alarm']],
  ['FOO=1 lakelog al', ['alarm']],
  [' lakelog "al', ['alarm']],
  ['lakelog --queries ', ['__tabtab_complete_files__']],
];

test.each(byDay(OFFERED, 2))('%s offers %j', async (line, words) => {
  expect(await offered(line)).toEqual(words);
});

test.each([
  ['', [], ''],
  ['lakelog', [], 'lakelog'],
  ['lakelog ', [], ''],
  ['A=1 B="x y" ./lakelog a b', ['a'], 'b'],
  ['lakelog "a b" \'c d\' e\\ f ', ['a b', 'c d', 'e f'], ''],
  ['lakelog x "a b', ['x'], 'a b'],
  ['lakelog x "a ', ['x'], 'a '],
  ['lakelog x a\\ ', ['x'], 'a '],
  ['lakelog "a \\" \\$(b) c" d', ['a " $(b) c'], 'd'],
  ['lakelog --lake="a b"c \'"\'', ['--lake=a bc'], '"'],
])('%s is read as %j and %j', (line, before, begun) => {
  expect(wordsOf(line)).toEqual({ before, begun });
});

test('a lake knows models, kinds and traces; what a shell would read otherwise than as a word is not offered', async () => {
  const env = { LAKELOG_LAKE: 'L.duckdb' };
  expect(await offered('lakelog alarm --model ', env)).toEqual(['gpt-4.1-mini', 'mistral:7b']);
  expect(await offered('lakelog alarm --kind e', env)).toEqual(['e-mail']);
  expect((await offered('lakelog show ', env)).toSorted()).toEqual(['ab:cd:1', 'trace-1', 'trace-2']);
  for (const lake of [
    '--lake L.duckdb',
    '--lake="a lake.duckdb"',
    '--lake a\\ lake.duckdb',
    '--lake ~/L.duckdb',
  ])
    expect(await offered(`lakelog alarm ${lake} --model mis`, { HOME: cwd })).toEqual(['mistral:7b']);
});

const SETUP = {
  bash: ['bash --norc --noprofile -i', 'source <(lakelog completion bash)'],
  zsh: ['zsh -f -i', 'autoload -Uz compinit; compinit -u; source <(lakelog completion zsh)'],
  fish: ['fish --no-config -i', 'lakelog completion fish | source'],
} as const;

/** A shell on a terminal, in which `lakelog` answers the shell and otherwise notes what it was called with. */
function typing(shell: keyof typeof SETUP) {
  const folder = newFolder();
  const { file, args, options } = command([]);
  const noted = path.join(folder, 'noted');
  writeFileSync(noted, '');
  mkdirSync(path.join(folder, 'bin'));
  const script = `#!/bin/sh
case $1 in completion*) exec '${file}' '${args[0]}' "$@";; esac
for arg; do printf '%s\\0' "$arg"; done >> '${noted}'; printf '\\n\\0' >> '${noted}'\n`;
  writeFileSync(path.join(folder, 'bin/lakelog'), script);
  chmodSync(path.join(folder, 'bin/lakelog'), 0o755);
  const [start, setup] = SETUP[shell];
  const env = {
    ...{
      HOME: folder,
      ZDOTDIR: folder,
      XDG_CONFIG_HOME: folder,
      XDG_DATA_HOME: folder,
      TMPDIR: options.env.TMPDIR,
    },
    ...{
      PATH: `${folder}/bin:${process.env.PATH}`,
      TERM: 'xterm',
      LANG: 'C.UTF-8',
      LAKELOG_LAKE: 'L.duckdb',
    },
  };
  const child = spawn('script', ['-qec', `stty cols 100; exec ${start}`, '/dev/null'], { cwd, env });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    screen += text;
  });
  let calls = 0;
  /** @returns the words that a line was when it was entered. */
  const entered = async (keys: string): Promise<string[]> => {
    child.stdin.write(`${keys}\r`);
    const all = () => readFileSync(noted, 'utf8').split('\n\0').slice(0, -1);
    for (let waits = 0; all().length <= calls; waits++) {
      if (waits > 400) throw new Error(`waited in vain for ${keys}: ${screen}`);
      await sleep(25);
    }
    return all()[calls++]!.split('\0').slice(0, -1);
  };
  const begin = async () => {
    child.stdin.write(`${setup}\r`);
    expect(await entered('lakelog ready')).toEqual(['ready']);
  };
  return {
    begin,
    type: (keys: string) => child.stdin.write(keys),
    entered,
    end: () => child.kill('SIGKILL'),
  };
}

/** To the begin of the line, and all of it deleted: a stop would stop the completion. */
const TAKEN_BACK = '\u0001\u000b';

/** What is typed, a tab in it, and what the shell makes of it. */
const TYPED: readonly (readonly [string, readonly string[]])[] = [
  ['lakelog al\t', ['alarm']],
  ['true; lakelog alarm --mo\tmis\t', ['alarm', '--model', 'mistral:7b']],
  ['lakelog alarm --model=mis\t', ['alarm', '--model=mistral:7b']],
  ['lakelog show ab:\t', ['show', 'ab:cd:1']],
  ['lakelog show "ab:\t', ['show', 'ab:cd:1']],
  ['lakelog alarm my\t', ['alarm', 'my log.jsonl']],
  ['lakelog alarm odd\t', ['alarm', ODD]],
  [
    'lakelog alarm --lake "a lake.duckdb" --kind e\t',
    ['alarm', '--lake', 'a lake.duckdb', '--kind', 'e-mail'],
  ],
  ["lakelog show 'x $(touch pwned)' --no-s\t", ['show', 'x $(touch pwned)', '--no-sync']],
];

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test.skipIf(!terminals || !has(shell))(
    `${shell} completes what is typed, and evaluates neither that nor what stands in a log`,
    { concurrent: true },
    async () => {
      const terminal = typing(shell);
      try {
        await terminal.begin();
        for (const [keys, words] of byDay(TYPED, 2))
          expect(await terminal.entered(keys), keys).toEqual(words);
        for (const typed of ['$(touch pwned)', '`touch pwned`'])
          terminal.type(`lakelog show ${typed} --no-s\t${TAKEN_BACK}`);
        expect(await terminal.entered('lakelog done')).toEqual(['done']);
        expect(existsSync(path.join(cwd, 'pwned'))).toBe(false);
      } finally {
        terminal.end();
      }
    },
  );
}

test.each(byDay(['bash', 'zsh', 'fish', 'pwsh'], 3))('%s has a script, in the package too', async (shell) => {
  const ran = await lakelog(['completion', shell]);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toBe(readFileSync(path.join(root, `dist/completion/lakelog.${shell}`), 'utf8'));
  expect(ran.stdout).not.toMatch(/\{(pkgname|completer)\}/);
});

test.each([[[]], [['tcsh']]])('completion %j says which there are', async (args) => {
  const ran = await lakelog(['completion', ...args]);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('bash|zsh|fish|pwsh');
});

test('no help lists what answers shells', async () => {
  expect((await lakelog(['--help'])).stdout).not.toContain('completion-server');
});
