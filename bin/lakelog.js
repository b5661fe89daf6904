#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const [only, ...others] = process.argv.slice(2);
if (others.length === 0 && (only === '--version' || only === '-V')) {
  // Scripts ask this often, and nothing else has to be loaded for it.
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${version}\n`);
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
