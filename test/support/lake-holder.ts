/** Another process that holds a lake. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

export const bindings = createRequire(import.meta.url).resolve('@duckdb/node-bindings');

/** Holds the lock of a database until it is told to end, from a process of its own. */
const HOLDER = `
const duckdb = require(process.argv[1]);
(async () => {
  const config = duckdb.create_config();
  if (process.argv[3] === 'read') duckdb.set_config(config, 'access_mode', 'READ_ONLY');
  const db = await duckdb.open(process.argv[2], config);
  console.log('held');
  process.stdin.on('data', () => { duckdb.close_sync(db); process.exit(); });
})();`;

export async function hold(lake: string, mode: 'read' | 'write') {
  const child = spawn(process.execPath, ['-e', HOLDER, bindings, lake, mode], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return {
    pid: child.pid!,
    release: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.write('end\n');
      await ended;
    },
  };
}
