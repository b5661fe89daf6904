const { mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } = require('node:fs');
const path = require('node:path');

/**
 * Runs a bundle of dist/, with what V8 compiled of it when the same command ran before: that saves a quarter of a short run.
 * Node's own cache (22.1 on) saves a quarter of that, because it keeps little of what is compiled after the start.
 * It is kept in the package's own folder, if that can be written: nothing is left in folders of the user.
 *
 * @param file of dist/, a function in parentheses; ASCII.
 * @returns what it exports.
 */
module.exports = function runBundle(file) {
  const { Script } = require('node:vm');
  const { createRequire } = require('node:module');
  const { href } = require('node:url').pathToFileURL(file);
  const source = readFileSync(file, 'latin1');
  const cache = cacheOf(file, source);
  const cachedData = cache.read();
  const script = new Script(source, { filename: file, cachedData });
  // A command that is not known would leave a file for each.
  if (!cachedData || script.cachedDataRejected)
    process.on('exit', (code) => code !== 2 && cache.keep(script));
  const module = { exports: {} };
  script.runInThisContext()(module, module.exports, createRequire(file), href);
  return module.exports;
};

const DIGEST_BYTES = 32;

/** V8 itself compares versions, flags and the length of the source, and believes the rest. */
function cacheOf(file, source) {
  const [, , command = ''] = process.argv;
  const { version, arch } = process;
  const name = `${path.basename(file)}-${/^[a-z][a-z-]*$/.test(command) ? command : ''}-${version}-${arch}`;
  const folder = path.join(path.dirname(file), '.compile-cache');
  const at = path.join(folder, name);
  const digestOf = (code) => require('node:crypto').createHash('sha256').update(source).update(code).digest();
  return {
    read: () =>
      attempt(() => {
        const bytes = readFileSync(at);
        const code = bytes.subarray(DIGEST_BYTES);
        return digestOf(code).equals(bytes.subarray(0, DIGEST_BYTES)) ? code : undefined;
      }),
    keep(script) {
      // A name of its own: where a run was killed here, the next one may have the same process id.
      const draft = `${at}.${process.pid}-${Date.now().toString(36)}`;
      // Never dist itself, which a build may be about to replace.
      attempt(() => mkdirSync(folder));
      // Before the work of it: the folder may be somebody else's.
      const file = attempt(() => openSync(draft, 'wx'));
      if (file === undefined) return;
      attempt(() => {
        const code = script.createCachedData();
        writeFileSync(file, Buffer.concat([digestOf(code), code]));
        renameSync(draft, at);
      });
      attempt(() => unlinkSync(draft));
    },
  };
}

/** What fails here only makes a run slower. */
function attempt(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}
