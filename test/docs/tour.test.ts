import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { newFolder, root } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
const FILE = path.join(root, 'docs/TOUR.md');

/** As a shell would take them apart. */
const wordsOf = (line: string) =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);

test('every output of the tour is what the command prints now (npx vitest run test/docs/tour.test.ts -u)', async () => {
  const cwd = newFolder();
  cpSync(path.join(root, 'fixtures'), path.join(cwd, 'fixtures'), { recursive: true });
  const page = readFileSync(FILE, 'utf8');
  const parts = page.split(/(?<=```console\n)([\s\S]*?)(?=```)/);
  for (let i = 1; i < parts.length; i += 2) {
    const commands = parts[i]!.split('\n').filter((line) => line.startsWith('$ '));
    const shown: string[] = [];
    for (const command of commands) {
      shown.push(`${command}\n`);
      const screen = { columns: 100, write: (text: string) => void shown.push(text) };
      const [, ...args] = wordsOf(command.slice(2));
      const env = { NO_COLOR: '1', LANG: 'C.UTF-8', LAKELOG_ACK_AUTHOR: 'ada' };
      const now = () => new Date('2026-10-01T12:00:00Z');
      const { code } = await lakelog(args, { cwd, env, screen, now });
      if (code !== 0) shown.push(`(exit ${code})\n`);
    }
    // A run from the source has no version.
    parts[i] = shown
      .join('')
      .replace(/[^\n]*\r\x1b\[2K/g, '')
      .replaceAll('0.0.0-source', version);
  }
  await expect(parts.join('')).toMatchFileSnapshot(FILE);
});
