#!/usr/bin/env node
// What cannot even be loaded would end with Node's exit code 1, which in this package only a fired gate may use.
try {
  require('./start.js')('validatord');
} catch (error) {
  process.exitCode = 2;
  process.stderr.write(
    `validatord: cannot start: ${error}\n→ next: reinstall lakelog, and see that Node.js is 20 or newer\n`,
  );
}
