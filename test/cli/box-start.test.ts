import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { call, copyPackage, lakelog, newFolder, root, writeLines } from '../support/cli.js';
import { inShell } from '../support/terminal.js';

describe('a query whose process cannot be started, or not whole', () => {
  const query = 'lakelog query "SELECT 1" sessions.jsonl';
  const prepared = () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [call()]);
    return cwd;
  };

  // With fewer the program itself does not start, and with 26 there may be enough.
  test.each([20, 21, 22, 24])('with %i open files', (files) => {
    // The shell is of the same process group: no signal that was meant for the child may reach it.
    const ran = inShell(`ulimit -n ${files}; ${query}; echo "ended with $?"`, { cwd: prepared() });
    expect(ran.stdout, ran.stderr).toBe('ended with 2\n');
    expect(ran.stderr).toMatch(/\n {2}→ raise the limit of open files: ulimit -n 1024\n$/);
  });

  test('without the native binding', () => {
    const packageRoot = copyPackage();
    unlinkSync(path.join(packageRoot, 'node_modules'));
    mkdirSync(path.join(packageRoot, 'node_modules/@duckdb'), { recursive: true });
    const named = 'node_modules/@duckdb/node-bindings';
    cpSync(path.join(root, named), path.join(packageRoot, named), { recursive: true });
    const ran = inShell(query, { cwd: prepared(), packageRoot });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(
      /the DuckDB binding cannot be loaded: [\s\S]*\n {2}→ npm install [\s\S]*optional/,
    );
  });

  test('settings that are a pipe are refused at once, and not waited for', async () => {
    const cwd = prepared();
    execFileSync('mkfifo', ['lakelog.toml'], { cwd });
    const ran = await lakelog(['query', 'SELECT 1'], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('lakelog.toml');
  });
});
