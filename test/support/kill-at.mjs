/**
 * `--import` of a process that is to be killed: SIGKILL falls in front of its n-th change of files below a folder, or
 * half-way through it where that is a file being written. Without a number it tells at its end how many there were.
 */
import fs, { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { LAKELOG_KILL_UNDER: under, LAKELOG_KILL_AT: at, LAKELOG_KILL_COUNT: told } = process.env;
let count = 0;
const isBelow = (file) => String(file).startsWith(under);

function change(half) {
  if (++count !== Number(at)) return;
  half?.();
  process.kill(process.pid, 'SIGKILL');
}

for (const name of ['linkSync', 'renameSync', 'rmSync', 'mkdirSync', 'unlinkSync', 'writeFileSync']) {
  const original = fs[name];
  fs[name] = (...args) => {
    const half = () => original(args[0], String(args[1]).slice(0, String(args[1]).length / 2));
    if (args.slice(0, 2).some(isBelow)) change(name === 'writeFileSync' ? half : undefined);
    return original(...args);
  };
}
const { open } = promises;
promises.open = async (...args) => {
  const handle = await open(...args);
  const sync = handle.sync.bind(handle);
  handle.sync = () => {
    if (isBelow(args[0])) change();
    return sync();
  };
  return handle;
};
syncBuiltinESMExports();
const { writeFileSync } = fs;
if (told) process.on('exit', () => writeFileSync(told, String(count)));
