import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from '../src/make-folder.js';
import { newFolder } from './support/cli.js';

test('a folder is made with those above it, or an error says why not', () => {
  const cwd = newFolder();
  const folder = path.join(cwd, 'a/b/c');
  for (const _twice of [1, 2]) makeFolder(folder, 0o700);
  expect([folder, path.dirname(folder)].map((name) => statSync(name).mode & 0o777)).toEqual([0o700, 0o700]);
  writeFileSync(path.join(cwd, 'file'), '');
  expect(() => makeFolder(path.join(cwd, 'file'))).toThrow('EEXIST');
  expect(() => makeFolder(path.join(cwd, 'file/below'))).toThrow();
  // There it is, and nothing can be made in it: Node tries for ever.
  expect(() => makeFolder('/proc/none/below')).toThrow();
});
