/**
 * By day test files share a few processes, which saves the start of each and that it loads and compiles the program
 * anew. Some need a process to themselves; at night every file has one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { LONG } from './sequencer.js';

/** What would be found by the next file: mocks, another working folder or environment, hooks that come with an import. */
const LASTS =
  /\bvi\.|\bprocess\.(chdir|umask|on|once)\(|process\.env\.\w+ = |delete process\.env|fractionsMayDiffer|@opentelemetry|\/support\.js'/;

/** What they leave behind costs more than a start. */
const LONGEST = LONG.slice(0, 30);

const tests = path.resolve(import.meta.dirname, '..');

/** Paths from the root. Long ones leave much behind in memory, and save little. */
export function needOwnProcess(): string[] {
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll(path.sep, '/'))
    .filter((name) => name.endsWith('.test.ts'));
  const isLong = (name: string) => LONGEST.includes(name.slice(0, -'.test.ts'.length));
  return files
    .filter((name) => isLong(name) || LASTS.test(readFileSync(path.join(tests, name), 'utf8')))
    .map((name) => `test/${name}`);
}
