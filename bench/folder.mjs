/** What the cases of folder lakes need beside logs of hosts: a folder that all of them published into, merged or not. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HOSTS } from './hosts.mjs';
import { lakelogIn, ROOT } from './rivals.mjs';

/** What decides how a batch is written: a lake that other code published is made anew. */
const WRITERS = ['layout', 'publish', 'data-file', 'export', 'compact'].map(
  (name) => `src/lake/folder/${name}.ts`,
);

/** @param form `published`, or `merged` by `lake compact` */
export const folderOf = (log, form = 'published') => `${path.join(log.folder, form)}/`;
/** What a user keeps of lakes from run to run: hashes of files that nobody touched. */
export const cacheOf = (log) => ({ XDG_CACHE_HOME: path.join(log.folder, 'cache') });
export const forget = (log) => rmSync(cacheOf(log).XDG_CACHE_HOME, { recursive: true, force: true });

const fileOf = (log) => path.join(log.folder, 'lake.duckdb');
const targetOf = (log, who) => path.join(log.folder, `target-${who}`);

export function prepareFolder(log, form = 'published') {
  const folder = folderOf(log, form);
  onceFor(log, form, () => {
    rmSync(folder, { recursive: true, force: true });
    if (form === 'published')
      for (const host of HOSTS) lakelog(log, ['sync', '--lake', folder, '--host', host, log.hostLog(host)]);
    else {
      prepareFolder(log);
      cpSync(folderOf(log), folder, { recursive: true });
      lakelog(log, ['lake', 'compact', '--lake', folder, '--grace', '0']);
    }
  });
}

/** The logs of all hosts in a lake file, which is published by those who would. */
export function prepareFile(log) {
  onceFor(log, 'file', () => {
    rmSync(fileOf(log), { force: true });
    lakelog(log, ['sync', '--lake', fileOf(log), ...HOSTS.map(log.hostLog)]);
  });
}

export const publishFile = (log) => [
  ...['sync', '--json', '--lake', `${targetOf(log, 'lakelog')}/`, '--host', 'bench'],
  ...['--from', fileOf(log)],
];
/** @param how see rivals/copy.mjs */
export const copyFile = (log, program, how) => [...program, fileOf(log), targetOf(log, `copy-${how}`), how];
export const publishLogs = (log) => [
  ...['sync', '--json', '--lake', `${targetOf(log, 'lakelog')}/`, '--host', 'bench'],
  ...HOSTS.map(log.hostLog),
];
export const empty = (log, who) => rmSync(targetOf(log, who), { recursive: true, force: true });
/** Asks what was made by `who`. */
export const tally = (log, program, who) => [...program, targetOf(log, who)];

function onceFor(log, what, make) {
  const stamp = path.join(log.folder, `${what}.stamp`);
  const code = createHash('sha256');
  for (const file of WRITERS) code.update(readFileSync(path.join(ROOT, file)));
  const now = code.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  make();
  writeFileSync(stamp, now);
}

function lakelog(log, args) {
  const [program, ...rest] = lakelogIn(ROOT, args);
  const { status, stderr } = spawnSync(program, rest, {
    encoding: 'utf8',
    env: { ...process.env, ...cacheOf(log) },
  });
  if (status !== 0) throw new Error(`lakelog ${args[0]} failed: ${stderr}`);
}
