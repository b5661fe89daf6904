#!/usr/bin/env node
// A failed import would end with Node's exit code 1, which in this package only a fired gate may use.
import('../dist/validatord.js').then(
  ({ main }) => main(),
  (error) => {
    process.exitCode = 2;
    process.stderr.write(
      `validatord: cannot start: ${error?.message ?? error}\n→ next: npm run build, or reinstall lakelog\n`,
    );
  },
);
