import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './rivals.mjs';

/** What `npm install` puts on the disk, for lakelog as packed and for DuckDB's package alone. Needs the registry. */
export function installedSizes(scratch) {
  const { devDependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const driver = `@duckdb/node-api@${devDependencies['@duckdb/node-api']}`;
  // Packed as built: building again would swap dist/ under whoever is measuring.
  const packed = npm(ROOT, ['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch]).trim();
  return [
    { what: 'lakelog', ...installed(scratch, 'lakelog', path.join(scratch, packed)) },
    { what: driver, ...installed(scratch, 'driver', driver) },
  ];
}

function installed(scratch, name, spec) {
  const folder = path.join(scratch, `install-${name}`);
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
  npm(folder, ['install', '--silent', '--no-audit', '--no-fund', spec]);
  const modules = path.join(folder, 'node_modules');
  const files = readdirSync(modules, { recursive: true }).map((file) => path.join(modules, file));
  const { packages } = JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8'));
  const isHere = (where) => where !== '' && files.includes(path.join(folder, where));
  return {
    mb:
      files
        .map((file) => lstatSync(file))
        .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0) / 1e6,
    packages: Object.keys(packages).filter(isHere).length,
  };
}

function npm(cwd, args) {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`);
  return stdout;
}
