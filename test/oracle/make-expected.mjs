/**
 * Writes fixtures/expected/<scenario>/*.json from the oracle.
 *
 *   node test/oracle/make-expected.mjs [SCENARIO_FOLDER…] [--out DIR]
 *
 * With --out, the answers go to DIR/<scenario>/ and the fixtures stay untouched. They never lie in a scenario's
 * folder: whoever names that folder wants its logs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  alarm,
  attemptHealth,
  corpus,
  firstShot,
  firstShotRate,
  loadLog,
  rejections,
  tripleRejections,
} from './oracle.mjs';
import { retries } from './retries.mjs';

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const FILES = [
  { file: 'sessions.jsonl', as: 'sessions' },
  { file: 'replay_runs.jsonl', as: 'replay' },
];

/** Where the golden files of a scenario are. */
export const expectedFolder = (scenario, root = join(FIXTURES, 'expected')) => join(root, basename(scenario));

export function scenarioFolders(root = FIXTURES) {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name))
    .filter((folder) => existsSync(join(folder, 'sessions.jsonl')))
    .sort();
}

/** The answers for one scenario, by golden file name; files are named as seen from inside the folder. */
export function expectedFor(folder) {
  const inputs = FILES.filter(({ file }) => existsSync(join(folder, file))).map(({ file, as }) => ({
    file,
    as,
    bytes: readFileSync(join(folder, file)),
  }));
  // Without a modification time no tail is pending, so the answers do not depend on when a clone was made.
  const log = loadLog(inputs, { now: 0 });
  return {
    'first-shot-rate.json': firstShotRate(log),
    'alarm.json': alarm(log),
    'first-shot.json': firstShot(log),
    'triple-rejections.json': tripleRejections(log),
    'corpus.json': corpus(log),
    'rejections.json': rejections(log),
    'retries.json': retries(log),
    'accounting.json': {
      files: log.files,
      rejects: log.rejects,
      conflicts: log.files.reduce((sum, file) => sum + file.conflicts, 0),
      ...attemptHealth(log),
    },
  };
}

function writeExpected(folder, target) {
  mkdirSync(target, { recursive: true });
  for (const [name, answer] of Object.entries(expectedFor(folder))) {
    writeFileSync(join(target, name), `${JSON.stringify(answer, null, 2)}\n`);
    process.stdout.write(`${join(target, name)}\n`);
  }
}

function main() {
  if (process.env.CI) {
    process.stderr.write('make-expected: CI is set, and golden files are never rewritten in CI\n');
    process.exitCode = 2;
    return;
  }
  const { values, positionals } = parseArgs({
    options: { out: { type: 'string' } },
    allowPositionals: true,
  });
  const folders = positionals.length > 0 ? positionals : scenarioFolders();
  for (const folder of folders) writeExpected(folder, expectedFolder(folder, values.out));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
