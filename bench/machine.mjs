import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { commitOf, ROOT } from './rivals.mjs';

export function machine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memory_gb: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    load_at_start: Math.round(os.loadavg()[0] * 100) / 100,
  };
}

export function versions(rivals) {
  const { version, devDependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  return {
    lakelog: version,
    commit: commitOf(ROOT),
    node: process.versions.node,
    '@duckdb/node-api': devDependencies['@duckdb/node-api'],
    ...rivals,
  };
}
