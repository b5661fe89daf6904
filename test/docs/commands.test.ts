import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, withoutColour } from '../support/cli.js';
import { manualPages } from '../support/manual-pages.mjs';

const pages: Record<string, string> = await manualPages();

test('every command has a page, as the command is now (npm run docs)', () => {
  const folder = path.join(root, 'docs/commands');
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(pages).toSorted());
  for (const [name, text] of Object.entries(pages)) {
    expect(readFileSync(path.join(folder, name), 'utf8'), name).toBe(text);
  }
});

test('the man page is what the build made of the same commands, and a formatter has no word against it', () => {
  const file = path.join(root, 'dist/man/lakelog.1');
  const man = readFileSync(file, 'utf8');
  for (const name of Object.keys(pages).filter((one) => one !== 'README.md')) {
    expect(man).toContain(`.SS "lakelog ${name.replace('.md', '').replaceAll('-', '\\-')}`);
  }
  const ran = spawnSync('groff', ['-man', '-Tutf8', '-ww', file], { encoding: 'utf8' });
  // A machine without groff formats none.
  if (ran.error) return;
  expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: '' });
  // Bold is a letter over itself, or an escape.
  expect(withoutColour(ran.stdout).replaceAll(/.\u0008/g, '')).toMatch(/[-−‐]{2}gated[-−‐]kind/);
});
