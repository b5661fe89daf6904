import { sanitize } from './sanitize.js';

/** The commands to run next, each whole on a line of its own so that it can be copied. */
export function renderNext(commands: readonly string[]): string {
  return commands.map((command) => `→ next: ${sanitize(command)}\n`).join('');
}
