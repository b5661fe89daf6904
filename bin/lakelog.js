#!/usr/bin/env node
import module from 'node:module';

// Where the running Node has it (22.1 on), what was compiled once is compiled no more.
module.enableCompileCache?.();
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
