#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

const known = process.argv.length === 3 ? wellKnown(process.argv[2]) : undefined;
if (known !== undefined) {
  process.stdout.on('error', ({ code, message }) => {
    // A reader that left has read enough.
    if (code === 'EPIPE') return;
    process.exitCode = 2;
    process.stderr.write(`lakelog: cannot write: ${message}\n→ next: make room where the output goes\n`);
  });
  process.stdout.write(known);
} else {
  // Where the running Node has it (22.1 on), what was compiled once is compiled no more. In the package's own
  // folder, if that can be written: nothing is left in folders of the user.
  module.enableCompileCache?.(fileURLToPath(new URL('../dist/.compile-cache', import.meta.url)));
  // A failed import would end with Node's exit code 1, which only a fired gate may use.
  import('../dist/lakelog.js').then(
    ({ main }) => main(new URL('..', import.meta.url)),
    (error) => {
      process.exitCode = 2;
      process.stderr.write(
        `lakelog: cannot start: ${error?.message ?? error}\n→ next: npm run build, or reinstall lakelog\n`,
      );
    },
  );
}

/** What scripts ask often, and what nothing has to be loaded for. */
function wellKnown(only) {
  if (only === '--version' || only === '-V') {
    return `${JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version}\n`;
  }
  // On a terminal the text depends on its width.
  if ((only !== '--help' && only !== '-h') || isatty(1)) return undefined;
  try {
    return readFileSync(new URL('../dist/help.txt', import.meta.url), 'utf8');
  } catch {
    return undefined;
  }
}
