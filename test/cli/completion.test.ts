import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { call, command, lakelog, newFolder, root, writeLines } from '../support/cli.js';

let cwd: string;

beforeAll(async () => {
  cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [
    call({ session_id: 'trace-1', model: 'gpt-4.1-mini' }),
    call({ session_id: 'trace-2', model: '$(touch pwned)', kind: 'e-mail' }),
    call({ session_id: '*', model: 'mistral:7b' }),
  ]);
  expect((await lakelog(['sync', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd })).code).toBe(0);
  const { file, args } = command([]);
  writeFileSync(path.join(cwd, 'lakelog'), `#!/bin/sh\nexec '${file}' '${args[0]}' "$@"\n`);
  chmodSync(path.join(cwd, 'lakelog'), 0o755);
});

/** What bash would offer, by the script that it was given. */
function offered(line: string, env: Readonly<Record<string, string>> = {}): string[] {
  const script = `source <(lakelog completion bash)
COMP_LINE=$1 COMP_POINT=\${#1}; read -ra COMP_WORDS <<< "$1"; [[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _lakelog_completion; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', script, 'bash', line], {
    cwd,
    env: { PATH: `${cwd}:${process.env.PATH}`, HOME: cwd, ...env },
    encoding: 'utf8',
  });
  return out.trimEnd().split('\n').filter(Boolean);
}

test.each([
  ['lakelog al', ['alarm']],
  ['lakelog ack p', ['prune']],
  ['lakelog alarm --max-', ['--max-rejects', '--max-age', '--max-line-bytes']],
  ['lakelog alarm --format j', ['json', 'jsonl', 'junit']],
  ['lakelog alarm --format=ju', ['--format=junit']],
  ['lakelog first-shot-rate --by da', ['daemon', 'day']],
  ['lakelog lake v', ['verify']],
  ['lakelog queries show corp', ['corpus']],
  ['lakelog completion z', ['zsh']],
])('%s offers %j', (line, words) => {
  expect(offered(line)).toEqual(words);
});

test('a lake knows models, kinds and traces; what a shell would read otherwise than as a word is not offered', () => {
  const env = { LAKELOG_LAKE: 'L.duckdb' };
  expect(offered('lakelog alarm --model ', env)).toEqual(['gpt-4.1-mini', 'mistral:7b']);
  expect(offered('lakelog alarm --kind e', env)).toEqual(['e-mail']);
  expect(offered('lakelog show tra', env).toSorted()).toEqual(['trace-1', 'trace-2']);
  expect(offered('lakelog alarm --lake L.duckdb --model mis')).toEqual(['mistral:7b']);
  expect(existsSync(path.join(cwd, 'pwned'))).toBe(false);
});

test('what is typed is never run', () => {
  offered('lakelog show $(touch pwned) --');
  expect(existsSync(path.join(cwd, 'pwned'))).toBe(false);
});

test.each(['bash', 'zsh', 'fish', 'pwsh'])('%s has a script, in the package too', async (shell) => {
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
