import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { nightly, root } from './support/cli.js';
import { tempFolder } from './support/lake.js';

/** A project that has the packed package and @types/node, and nothing else of ours. */
let project: string;

beforeAll(() => {
  project = tempFolder();
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', project];
  const name = execFileSync('npm', pack, { cwd: root, encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', name], { cwd: project });
  mkdirSync(path.join(project, 'node_modules'));
  renameSync(path.join(project, 'package'), path.join(project, 'node_modules/lakelog'));
  symlinkSync(path.join(root, 'node_modules/@types'), path.join(project, 'node_modules/@types'));
});

/** Before require took ES modules, in 20.19 and 22.12, there was no such option. */
const OLD_REQUIRE = [...process.allowedNodeEnvironmentFlags].includes('--experimental-require-module')
  ? ['--no-experimental-require-module']
  : [];

function run(folder: string, file: string) {
  const ran = spawnSync(process.execPath, [...OLD_REQUIRE, file], { cwd: folder, encoding: 'utf8' });
  const log = path.join(folder, 'sessions.jsonl');
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').length : 0;
  return { status: ran.status, stderr: ran.stderr, lines };
}

const RAN = { status: 0, stderr: '', lines: 1 };

const BODY = `
const options: LoggerOptions = { immediate: true, redact: hashWorkerIds({ salt: 's', sentences: ['{} is booked'] }) };
const logger = new SessionLogger('sessions.jsonl', options);
const record: Unstamped<SessionRecord> = buildSessionRecord({
  outcome: 'accepted', sessionId: 's', kind: 'fill', model: 'm', attempts: [{ verdict: 'accepted' }], artifact: {},
});
const kept: boolean = logger.append({ ...record, prompt: [{ role: 'user', content: 'p' }] });
if (!kept) throw new Error('dropped');
// @ts-expect-error the declarations were found, and are no any
const wrong = (): boolean => logger.append({ kind: 5 });
// @ts-expect-error the outcome is misspelt
const misspelt = () => buildSessionRecord({ outcome: 'acepted', sessionId: 's', kind: 'fill', model: 'm', attempts: [] });
const workers: WorkerLookup = workersFromCsv('worker_id\\nW-1\\n');
try { workersFromCsv(''); } catch (error) { if (!(error instanceof RosterError)) throw error; }
void logger.close();
`;
const NAMES = 'buildSessionRecord, hashWorkerIds, RosterError, SessionLogger, workersFromCsv';
const TYPES = 'LoggerOptions, SessionRecord, Unstamped, WorkerLookup';
const IMPORT = `import { ${NAMES} } from 'lakelog'; import type { ${TYPES} } from 'lakelog';`;
const REQUIRE = `import lakelog = require('lakelog'); const { ${NAMES} } = lakelog;
  type LoggerOptions = lakelog.LoggerOptions; type SessionRecord = lakelog.SessionRecord;
  type Unstamped<R extends { schema: string; timestamp: string }> = lakelog.Unstamped<R>; type WorkerLookup = lakelog.WorkerLookup;`;
const SCHEMA = `import schema from 'lakelog/schema/session.iterate.v1.json' with { type: 'json' };
  if (schema.title !== 'session.iterate.v1') throw new Error(schema.title);`;

interface Consumer {
  readonly name: string;
  readonly file: string;
  readonly head: string;
  readonly type: 'commonjs' | 'module';
  readonly options: readonly string[];
}

const CONSUMERS: readonly Consumer[] = [
  { name: 'CommonJS', file: 'main.ts', head: IMPORT, type: 'commonjs', options: ['--module', 'commonjs'] },
  {
    name: 'CommonJS, import =',
    file: 'main.ts',
    head: REQUIRE,
    type: 'commonjs',
    options: ['--module', 'commonjs'],
  },
  {
    name: 'NodeNext in a CommonJS package',
    file: 'main.ts',
    head: IMPORT,
    type: 'commonjs',
    options: ['--module', 'nodenext'],
  },
  {
    name: 'NodeNext, .cts',
    file: 'main.cts',
    head: REQUIRE,
    type: 'module',
    options: ['--module', 'nodenext', '--verbatimModuleSyntax'],
  },
  {
    name: 'NodeNext in an ES package',
    file: 'main.ts',
    head: IMPORT + SCHEMA,
    type: 'module',
    options: ['--module', 'nodenext'],
  },
  {
    name: 'NodeNext, .mts',
    file: 'main.mts',
    head: IMPORT,
    type: 'commonjs',
    options: ['--module', 'nodenext', '--verbatimModuleSyntax'],
  },
  {
    name: 'Node16 in a CommonJS package',
    file: 'main.ts',
    head: IMPORT,
    type: 'commonjs',
    options: ['--module', 'node16'],
  },
  {
    name: 'a bundler, preserved',
    file: 'main.ts',
    head: IMPORT + SCHEMA,
    type: 'module',
    options: ['--module', 'preserve', '--moduleResolution', 'bundler', '--resolveJsonModule'],
  },
  {
    name: 'a bundler, ES modules',
    file: 'main.ts',
    head: IMPORT,
    type: 'module',
    options: ['--module', 'esnext', '--moduleResolution', 'bundler'],
  },
];

/** By day one of each way: an import of either with its declarations, and a schema. The latter is bundled too. */
const BY_DAY = ['NodeNext, .cts', 'NodeNext in an ES package'];

describe.each(CONSUMERS.filter(({ name }) => nightly || BY_DAY.includes(name)))(
  'TypeScript under $name',
  ({ name, file, head, type, options }) => {
    it('compiles with the declarations checked, and runs', async () => {
      const folder = path.join(project, name.replaceAll(/\W+/g, '-'));
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type }));
      writeFileSync(path.join(folder, file), `${head}\n${BODY}`);
      const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
      const more = [
        '--ignoreConfig',
        '--strict',
        '--exactOptionalPropertyTypes',
        '--target',
        'es2022',
        '--types',
        'node',
      ];
      const compiled = spawnSync(
        process.execPath,
        [tsc, ...options, ...more, '--skipLibCheck', 'false', file],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      );
      expect(compiled.stdout + compiled.stderr).toBe('');
      const script = file.replace('ts', 'js');
      const isBundled = name.includes('bundler');
      if (!isBundled) expect(run(folder, script)).toEqual(RAN);
      if (!isBundled && (nightly || name !== 'NodeNext in an ES package')) return;
      rmSync(path.join(folder, 'sessions.jsonl'), { force: true });
      const outfile = path.join(folder, 'bundle.cjs');
      await build({
        entryPoints: [path.join(folder, script)],
        bundle: true,
        platform: 'node',
        outfile,
        logLevel: 'error',
      });
      expect(run(folder, outfile)).toEqual(RAN);
    }, 60_000);
  },
);

it('gives require and import the same names, and the copies write to one file', () => {
  const folder = path.join(project, 'both');
  mkdirSync(folder);
  const script = `const required = require('lakelog'); const fs = require('node:fs');
    import('lakelog').then(async (imported) => {
      if (Object.keys(required).sort().join() !== Object.keys(imported).filter((n) => n !== 'default').sort().join()) throw new Error('names');
      const call = { session_id: 's', kind: 'fill', model: 'm', iterations: 1, final_verdict: 'accepted' };
      const loggers = [required, imported].map(({ SessionLogger }) => new SessionLogger('sessions.jsonl'));
      for (const logger of loggers) for (let i = 0; i < 50; i++) logger.append(call);
      await Promise.all(loggers.map((logger) => logger.close()));
    });`;
  writeFileSync(path.join(folder, 'main.cjs'), script);
  expect(run(folder, 'main.cjs')).toEqual({ ...RAN, lines: 100 });
});

it('ships what its exports name', () => {
  const packed = path.join(project, 'node_modules/lakelog');
  const { exports, main, types } = JSON.parse(readFileSync(path.join(packed, 'package.json'), 'utf8'));
  const entry = exports['.'];
  for (const file of [main, types, ...Object.values(entry.import), ...Object.values(entry.require)]) {
    expect([file, existsSync(path.join(packed, file as string))]).toEqual([file, true]);
  }
});
