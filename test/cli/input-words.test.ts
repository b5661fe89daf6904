/** What is said of an input that cannot be read, and that its remedy leads back to 0. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { call, newFolder, unwrapped, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

function logs() {
  const cwd = newFolder();
  mkdirSync(path.join(cwd, 'd'));
  writeLines(cwd, 'd/ok.jsonl', [call()]);
  return cwd;
}

/** Over files, and over a lake, which remembers what it was told. */
const WAYS = [['files', ['d']] as const, ['a lake', ['d', '--lake', 'l.duckdb']] as const];

async function told(cwd: string, args: readonly string[]): Promise<string> {
  const ran = await lakelog(['alarm', ...args], { cwd });
  expect(ran.code, ran.stderr).toBe(3);
  return unwrapped(ran.stderr);
}

const isClear = async (cwd: string, args: readonly string[]) => {
  const ran = await lakelog(['alarm', ...args], { cwd });
  expect(ran.code, ran.stderr).toBe(0);
};

test.each(WAYS)('%s: a log that is compressed twice', async (_, args) => {
  const cwd = logs();
  const once = gzipSync(`${call()}\n`);
  const twice = path.join(cwd, 'd/a.jsonl.gz.gz');
  writeFileSync(twice, gzipSync(once));
  expect(await told(cwd, args)).toMatch(
    /it is compressed twice \(d\/a\.jsonl\.gz\.gz\)\n {2}→ decompress it once: gunzip/,
  );
  writeFileSync(twice, gunzipSync(gzipSync(once)));
  await isClear(cwd, args);
});

test('lines behind an archive are told as what they are', async () => {
  const cwd = logs();
  writeFileSync(
    path.join(cwd, 'd/a.jsonl.gz'),
    Buffer.concat([gzipSync(`${call()}\n`), Buffer.from(call())]),
  );
  expect(await told(cwd, ['d'])).toContain('holds other bytes after the end of the compressed data');
});

test('a device', async () => {
  expect(await told(newFolder(), ['/dev/null'])).toMatch(
    /is neither a file, a folder nor a pipe \(\/dev\/null\)\n {2}→ name the file that the service logs to/,
  );
});

test.each(WAYS)('%s: a pipe in a folder', async (_, args) => {
  const cwd = logs();
  const pipe = path.join(cwd, 'd/p.jsonl');
  execFileSync('mkfifo', [pipe]);
  expect(await told(cwd, args)).toMatch(
    /is a pipe \(d\/p\.jsonl\)\n {2}→ move it out of the folder, or name/,
  );
  renameSync(pipe, path.join(cwd, 'p.jsonl'));
  await isClear(cwd, args);
});

const latin1 = (text: string) => Buffer.from(text, 'latin1');

test.each(WAYS)('%s: a name that is not UTF-8', async (_, args) => {
  const cwd = logs();
  const name = latin1(`${cwd}/d/caf\xe9.jsonl`);
  writeFileSync(name, `${call()}\n`);
  expect(await told(cwd, args)).toMatch(
    /its name is not UTF-8, so that it cannot be opened .*\n {2}→ rename it/,
  );
  renameSync(name, path.join(cwd, 'd/café.jsonl'));
  await isClear(cwd, args);
});

test('a name that is not UTF-8 does not hide behind one that looks alike', async () => {
  const cwd = logs();
  writeFileSync(path.join(cwd, 'd/caf\ufffd.jsonl'), `${call()}\n`);
  await isClear(cwd, ['d']);
  writeFileSync(latin1(`${cwd}/d/caf\xe9.jsonl`), `${call({ grounded_in_roster: false })}\n`);
  expect(await told(cwd, ['d'])).toContain('its name is not UTF-8');
});
