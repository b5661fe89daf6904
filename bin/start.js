/**
 * Runs `main` of dist/NAME.cjs and ends with the exit code that it resolves to. Node's own exit code for whatever is
 * thrown, rejected or cannot be imported is 1, which only a fired gate may use: here it becomes 2, and a gate that
 * has fired stays fired. It is CommonJS in words that an old Node.js knows, so that one is told that it is too old,
 * and no damaged package.json keeps this file from being read.
 *
 * @param name lakelog or validatord.
 * @param wellKnown the answer to an only argument, where it needs no program.
 */
module.exports = function start(name, wellKnown) {
  const path = require('node:path');
  let ended = false;
  let describe = (error) =>
    `${name}: cannot start: ${String(Object(error).message || error).split('\n', 1)}\n→ next: ${nextStep(error)}\n`;
  const end = (code) => {
    ended = true;
    process.exitCode = code;
  };
  const fail = (error) => {
    const code = process.exitCode === 1 ? 1 : 2;
    end(code);
    // Its own failure can be told to nobody.
    process.stderr.on('error', () => {});
    process.stderr.write(describe(error), () => process.exit(code));
  };
  process.exitCode = 2;
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  process.on('beforeExit', () => ended || fail(new Error('nothing is left to wait for, and no answer came')));

  if (Number.parseInt(process.versions.node, 10) < 20) {
    describe = () =>
      `${name}: Node.js ${process.versions.node} is too old\n→ next: use Node.js 20 or newer: node --version\n`;
    return fail();
  }
  const known = wellKnown && process.argv.length === 3 ? wellKnown(process.argv[2]) : undefined;
  if (known !== undefined) {
    describe = (error) =>
      `${name}: cannot write to standard output: ${error.message}\n→ next: make room where it goes\n`;
    return print(Buffer.from(known)).then(() => end(0), fail);
  }
  return Promise.resolve(path.join(__dirname, `../dist/${name}.cjs`))
    .then((file) => require('./bundle.js')(file))
    .then((program) => {
      describe = program.describe || describe;
      return program.main(path.dirname(__dirname));
    })
    .then((code) => {
      if (!Number.isInteger(code)) throw new Error(`it ended with ${code} instead of an exit code`);
      end(code);
    })
    .catch(fail);
};

/** To the last byte: Node's stream for files takes a part that was written (the disk is full) for the whole. */
async function print(bytes) {
  const { writeSync } = require('node:fs');
  let at = 0;
  try {
    while (at < bytes.length) at += writeSync(1, bytes, at);
  } catch (error) {
    // A full pipe that must not be waited for here.
    if (error.code === 'EAGAIN') process.stdout.write(bytes.subarray(at));
    // A reader that left has read enough.
    else if (error.code !== 'EPIPE') throw error;
  }
}

function nextStep(error) {
  const { code, syscall } = Object(error);
  return syscall && code !== 'ENOENT'
    ? 'see what the system refuses it: ulimit -n, ulimit -v, rights; then run it again'
    : 'reinstall lakelog; in a checkout: npm install && npm run build';
}
