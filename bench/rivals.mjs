import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { copyFile, empty, folderOf, tally } from './folder.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const here = (...parts) => path.join(ROOT, 'bench/rivals', ...parts);
// Inside node_modules, so that the native binding is found from there and nothing is committed.
const BUNDLES = path.join(ROOT, 'node_modules/.cache/lakelog-bench');

/** What a checkout of lakelog must have to be run. */
export const BUILT = ['bin/lakelog.js', 'dist'];

/**
 * What a user would run instead. `command` gets the question's name, the log, the files that the question reads, and
 * the arguments of lakelog; `probe` says its version, or null where it is not here, `absent` in what words; `upTo` bounds the log's size (in bytes) where a rival takes minutes, unless the run is told to be slow.
 */
export const RIVALS = {
  before: {
    what: 'another checkout of lakelog (`--before`), usually the release or commit that a change is measured against',
    absent: 'no --before',
    probe: ({ before }) => before && (commitOf(before) ?? 'without a commit'),
    command: ({ before, args }) => lakelogIn(before, args),
  },
  node: {
    what: 'Node starting and doing nothing: `node -e 0`',
    command: () => [process.execPath, '-e', '0'],
  },
  bare: {
    what: 'bundled and minified `@duckdb/node-api` that opens a database and runs `SELECT 1`',
    command: () => [process.execPath, path.join(BUNDLES, 'bare.mjs')],
  },
  script: {
    what: 'the script one writes by hand: `@duckdb/node-api` as published, `read_json_auto`, the same question in SQL',
    command: ({ question, log }) =>
      byHand([process.execPath, here('script.mjs')], here('sql', `${question}.sql`), log),
  },
  scan: {
    what: 'the same script, bundled, reading only the columns it needs with their types given',
    command: ({ question, log }) =>
      byHand([process.execPath, path.join(BUNDLES, 'script.mjs')], here('sql', `${question}-typed.sql`), log),
  },
  table: {
    what: 'the same bundle, `CREATE TABLE` in a new file, of the columns that a lake keeps with their types given',
    command: ({ question, log }) =>
      byHand([process.execPath, path.join(BUNDLES, 'table.mjs')], here('sql', `${question}.sql`), log),
  },
  parquet: {
    what: 'the same bundle over the Parquet files of the folder (`read_parquet`), the question in SQL',
    command: ({ question, log, lake }) =>
      byHand([process.execPath, path.join(BUNDLES, 'script.mjs')], here('sql', `${question}-parquet.sql`), {
        sessions: `${folderOf(log, lake)}base_calls/*/*.parquet`,
      }),
  },
  'copy-same-files': copier(
    'same-files',
    'a file for each batch and day, rows sorted by time: the very files that lakelog writes',
  ),
  'copy-by-day': copier('by-day', 'a file for each day, rows sorted by time'),
  'copy-unsorted': copier('unsorted', 'a file for each day, rows as they come'),
  grep: {
    what: '`grep -F` for the id',
    command: ({ log }) => ['grep', '-hF', log.sample, log.sessions, log.replays],
  },
  jq: {
    what: '`jq` 1.x with a filter per question',
    upTo: 100e6,
    probe: () => version('jq', ['--version']),
    command: ({ question, log, reads, slurps }) => [
      ...['jq', slurps ? '-nc' : '-c', '--arg', 'id', log.sample, '-f', here('jq', `${question}.jq`)],
      ...reads.map((file) => log[file]),
    ],
  },
  'python-duckdb': {
    what: "Python's `duckdb`, `read_json_auto`, the SQL of the script",
    probe: ({ python }) => version(python, ['-c', 'import duckdb; print(duckdb.__version__)']),
    command: ({ question, log, python }) =>
      byHand([python, here('python-duckdb.py')], here('sql', `${question}.sql`), log),
  },
  chdb: {
    what: "ClickHouse's embedded engine in Python, `file(…, JSONEachRow)`, the same question in its SQL",
    probe: ({ python }) => version(python, ['-c', 'import chdb; print(chdb.__version__)']),
    command: ({ question, log, python }) =>
      byHand([python, here('python-chdb.py')], here('clickhouse', `${question}.sql`), log),
  },
};

/** Asks what the Parquet files hold that somebody wrote; see `made` in cases.mjs. */
export const tallyOf = (log, who) => tally(log, [process.execPath, path.join(BUNDLES, 'tally.mjs')], who);

function copier(how, what) {
  return {
    what: `bundled \`@duckdb/node-api\`: the tables of a lake file by DuckDB's own COPY, partitioned, zstd; ${what}`,
    begin: (log) => empty(log, `copy-${how}`),
    command: ({ log }) => copyFile(log, [process.execPath, path.join(BUNDLES, 'copy.mjs')], how),
  };
}

export function lakelogIn(checkout, args) {
  return [process.execPath, path.join(checkout, 'bin/lakelog.js'), ...args];
}

function byHand(program, sql, log) {
  return [...program, sql, log.sessions, log.replays, log.sample];
}

/** @returns {Record<string, string | null>} version per rival that has one; null where it is not installed */
export function probeRivals(names, context) {
  const probed = names.filter((name) => RIVALS[name].probe);
  return Object.fromEntries(probed.map((name) => [name, RIVALS[name].probe(context) ?? null]));
}

/** @returns {string | null} */
export function commitOf(checkout) {
  return version('git', ['-C', checkout, 'rev-parse', '--short', 'HEAD']);
}

function version(program, args) {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim().replace(/^jq-/, '') : null;
}

/** As the CLI is built, so that the rival has what we have. */
export async function bundleRivals() {
  await build({
    entryPoints: ['bare', 'script', 'table', 'copy', 'tally'].map((name) => here(`${name}.mjs`)),
    outdir: BUNDLES,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minify: true,
    legalComments: 'none',
    logLevel: 'error',
    external: ['@duckdb/node-bindings'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}
