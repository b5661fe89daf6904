import { spawn } from 'node:child_process';
import path from 'node:path';

export function startDaemon(packageRoot, config, env = {}) {
  const child = spawn(process.execPath, [path.join(packageRoot, 'bin/validatord.js'), '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, ...env },
  });
  let stderr = '';
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      stderr += chunk;
      const [, url] = /listening on (\S+)\n/.exec(stderr) ?? [];
      if (url) resolve({ url, pid: child.pid, stderr: () => stderr, kill: (s) => child.kill(s), ended });
    });
    ended.then(({ code }) => reject(new Error(`validatord ended with ${code}: ${stderr}`)));
  });
}
