#!/usr/bin/env node
// What cannot even be loaded would end with Node's exit code 1, which only a fired gate may use.
try {
  require('./start.js')('lakelog', wellKnown);
} catch (error) {
  process.exitCode = 2;
  process.stderr.write(
    `lakelog: cannot start: ${error}\n→ next: reinstall lakelog, and see that Node.js is 20 or newer\n`,
  );
}

/** What scripts ask often, and what nothing has to be loaded for; undefined where it is not at hand. */
function wellKnown(only) {
  const { readFileSync } = require('node:fs');
  const file = (name) => readFileSync(`${__dirname}/../${name}`, 'utf8');
  try {
    if (only === '--version' || only === '-V') {
      const { version } = JSON.parse(file('package.json'));
      return version && `${version}\n`;
    }
    // On a terminal the text depends on its width.
    const asksForHelp = only === '--help' || only === '-h';
    if (asksForHelp && !require('node:tty').isatty(1) && !hasOwnQuestions()) return file('dist/help.txt');
  } catch {
    // The program itself knows it too, or says what is wrong.
  }
  return undefined;
}

/** They stand in the list of commands, and lakelog.toml may name some. */
function hasOwnQuestions() {
  return process.env.LAKELOG_QUERIES || require('node:fs').existsSync('lakelog.toml');
}
