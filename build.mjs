/** Builds dist/: the CLI bundle, the daemon's bundle, the ingest-side library, its types, the JSON Schemas, and the licences. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';
import { build } from 'esbuild';

const root = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
process.chdir(root);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
// Built beside the old one and then put in its place, so that a failed build leaves what worked.
const out = 'dist.new';
rmSync(out, { recursive: true, force: true });

/** Packages that are bundled ask for Node's modules in the old way. */
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  legalComments: 'none',
  metafile: true,
};

/**
 * string-width compiles a regular expression of all emoji: when it is loaded (25 ms), and the old one in cli-table3
 * whenever it first measures (20 ms). Most texts are ASCII, and cli-table3 is given nothing else but U+E000.
 */
const lazyStringWidth = {
  name: 'lazy-string-width',
  setup(builder) {
    builder.onResolve({ filter: /^string-width$/ }, ({ importer, kind, path: name, resolveDir }) => {
      if (kind === 'import-statement' && importer.includes(`${path.sep}src${path.sep}`)) {
        return { path: name, namespace: 'lazy', pluginData: { resolveDir } };
      }
      return kind === 'require-call' && importer.includes(`${path.sep}cli-table3${path.sep}`)
        ? { path: name, namespace: 'plain-first', pluginData: { resolveDir } }
        : undefined;
    });
    builder.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ pluginData }) => ({
      contents: `let width; export default (text) => (width ??= require('string-width').default)(text);`,
      resolveDir: pluginData.resolveDir,
    }));
    builder.onLoad({ filter: /.*/, namespace: 'plain-first' }, ({ pluginData }) => ({
      contents: `module.exports = (text) => /^[ -~\\ue000]*$/.test(text) ? text.length : require('string-width')(text);`,
      resolveDir: pluginData.resolveDir,
    }));
  },
};

/** What only the build runs. */
const SHIPPED = ['shipped-tables', 'shipped-needs', 'shipped-questions', 'shipped-manual'];

/** What most runs do not need and takes long to load; none of it holds state or errors that others look at. */
const APART = {
  envelope: 'src/schema/envelope.ts',
  page: 'src/render/page/index.ts',
  confusables: 'src/gate/confusables.ts',
  'any-result': 'src/lake/duckdb/any-result.ts',
  picomatch: 'picomatch',
  toml: 'smol-toml',
  zstd: 'zstddec/stream',
};

const apart = {
  name: 'apart',
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, ({ kind, path: name, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const file = path.relative(root, path.resolve(resolveDir, name)).replace(/\.js$/, '.ts');
      const found = Object.keys(APART).find((key) => [name, file].includes(APART[key]));
      return found && { path: `./${found}.cjs`, external: true };
    });
    // Loaded by whoever first opens a database, and not when the program starts.
    builder.onResolve({ filter: /^@duckdb\/node-bindings$/ }, ({ kind, path: name, resolveDir }) =>
      kind === 'import-statement'
        ? { path: name, namespace: 'when-needed', pluginData: { resolveDir } }
        : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'when-needed' }, ({ path: name, pluginData }) => ({
      contents: `module.exports = require(${JSON.stringify(name)});`,
      resolveDir: pluginData.resolveDir,
    }));
  },
};

await compileScanner();
const program = {
  ...common,
  outdir: out,
  minify: true,
  // The native binding ships as a package of its own and is the only thing that stays outside.
  external: ['@duckdb/node-bindings'],
  define: { LAKELOG_VERSION: JSON.stringify(version), LAKELOG_BUNDLED: 'true' },
  banner: { js: REQUIRE },
};
const commonJs = { ...program, format: 'cjs', outExtension: { '.js': '.cjs' }, banner: {} };
/** What bin/bundle.js runs: a script, which has no `import()` on Node 20. */
const bundle = {
  ...commonJs,
  supported: { 'dynamic-import': false },
  define: { ...program.define, 'import.meta.url': 'bundleUrl' },
  banner: { js: '(function (module, exports, require, bundleUrl) {' },
  footer: { js: '})' },
};
// Each process is one file: of fifty shared ones, finding, compiling and linking them took a sixth of a short run.
const plugins = [lazyStringWidth, apart];
const cli = [
  await build({ ...bundle, entryPoints: { lakelog: 'src/main.ts' }, plugins }),
  await build({ ...program, entryPoints: { box: 'src/box.ts', worker: 'src/scan/worker.ts' }, plugins }),
  await build({ ...commonJs, entryPoints: APART }),
];
const daemon = await build({ ...bundle, entryPoints: { validatord: 'src/validatord/main.ts' } });
for (const name of ['lakelog.cjs', 'box.js', 'worker.js', 'validatord.cjs']) ensureAscii(`${out}/${name}`);
await writeShipped();
await buildLibrary();

writeCompletion();

const { jsonSchema } = await exportsOf('src/schema/json-schema.ts');
mkdirSync(`${out}/schema`, { recursive: true });
for (const [record, name] of [
  ['session', 'session.iterate.v1'],
  ['replay', 'replay.run.v1'],
  ['result', 'lakelog.result.v1'],
  ['story', 'lakelog.story.v1'],
  ['ack', 'lakelog.ack.v1'],
  ['error', 'lakelog.error.v1'],
  ['watch', 'lakelog.watch.v1'],
  ['baseline', 'lakelog.baseline.v1'],
  ['batch', 'lakelog.batch.v1'],
  ['check', 'lakelog.check.v1'],
  ['config', 'lakelog.config.v1'],
  ['policy', 'lakelog.policy.v1'],
  ['acks', 'lakelog.acks.v1'],
  ['compact', 'lakelog.compact.v1'],
  ['lake', 'lakelog.lake.v1'],
  ['verify', 'lakelog.verify.v1'],
  ['queries', 'lakelog.queries.v1'],
]) {
  writeFileSync(`${out}/schema/${name}.json`, `${JSON.stringify(jsonSchema(record), null, 2)}\n`);
}

rmSync('dist', { recursive: true, force: true });
renameSync(out, 'dist');
// There is none in the new dist yet, so this is the program's own answer.
const help = spawnSync(process.execPath, ['bin/lakelog.js', '--help'], { encoding: 'utf8' });
if (help.status !== 0) throw new Error(`lakelog --help failed: ${help.stderr}`);
writeFileSync('dist/help.txt', help.stdout);
writeFileSync(
  'THIRD-PARTY-LICENSES.txt',
  licences([
    ...[...cli, daemon].flatMap(({ metafile }) => Object.keys(metafile.inputs)),
    'node_modules/@pnpm/tabtab/package.json',
  ]),
);

/** What a file of src that only the build runs exports. */
async function exportsOf(file) {
  const { outputFiles } = await build({ ...common, entryPoints: [file], write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** V8 holds and compiles a file at two bytes a character where one is beyond Latin-1; esbuild escapes all but regular expressions. */
function ensureAscii(file) {
  const [found] = /.{0,40}[^\0-\x7f].{0,40}/u.exec(readFileSync(file, 'utf8')) ?? [];
  if (found !== undefined) throw new Error(`write it as \\u…, for it is not ASCII: ${found}`);
}

/** src/scan/wasm and the record formats → scan.wasm: no runtime, no imports but those of its host. */
async function compileScanner() {
  const { fieldsModule } = await exportsOf('src/shipped-scanner.ts');
  const made = { 'src/scan/wasm/fields.ts': fieldsModule() };
  const { error, stderr } = await asc.main(
    [
      ...['src/scan/wasm/scan.ts', '--outFile', `${out}/scan.wasm`, '-O3', '--enable', 'simd', '--noAssert'],
      ...['--runtime', 'stub', '--initialMemory', '16', '--use', 'abort='],
    ],
    {
      stdout: asc.createMemoryStream(),
      readFile: (name) => made[name] ?? (existsSync(name) ? readFileSync(name, 'utf8') : null),
    },
  );
  if (error) throw new Error(`the scanner does not compile: ${error.message}\n${stderr}`);
}

/**
 * The tables that queries see → tables.json; what the SQL that ships needs to be loaded → needs.json; the questions →
 * questions.json; the man page.
 */
async function writeShipped() {
  // In the folder of the build, so that the binding is found from there.
  await build({
    ...common,
    entryPoints: SHIPPED.map((name) => `src/${name}.ts`),
    outdir: out,
    external: ['@duckdb/node-bindings'],
    define: { LAKELOG_BUNDLED: 'true' },
    banner: { js: REQUIRE },
  });
  const made = (name) => import(pathToFileURL(path.resolve(out, name)).href);
  const { readTables } = await made('shipped-tables.js');
  writeFileSync(`${out}/tables.json`, JSON.stringify(readTables('queries/tables')));
  const { makeNeeds } = await made('shipped-needs.js');
  writeFileSync(`${out}/needs.json`, JSON.stringify(await makeNeeds('.')));
  const { builtQuestions } = await made('shipped-questions.js');
  writeFileSync(`${out}/questions.json`, JSON.stringify(builtQuestions('queries')));
  const { manPage } = await made('shipped-manual.js');
  mkdirSync(`${out}/man`, { recursive: true });
  writeFileSync(`${out}/man/lakelog.1`, manPage(root, version));
  for (const name of SHIPPED) rmSync(`${out}/${name}.js`);
}

/**
 * The ingest side as log.js, and once more in cjs/ for `require`, which takes no ES module on every Node that is
 * served. Types come with both: TypeScript tells by the nearest package.json what a declaration belongs to.
 */
async function buildLibrary() {
  const library = { ...common, entryPoints: { log: 'src/log/index.ts' } };
  await build({ ...library, outdir: out });
  await build({ ...library, format: 'cjs', outdir: `${out}/cjs` });
  writeFileSync(`${out}/cjs/package.json`, '{ "type": "commonjs" }\n');
  const options = [
    ...[
      '--noEmit',
      'false',
      '--declaration',
      '--emitDeclarationOnly',
      '--ignoreConfig',
      '--strict',
      '--skipLibCheck',
    ],
    ...['--outDir', `${out}/types`, '--rootDir', 'src', '--module', 'nodenext', '--target', 'es2022'],
    ...['--types', 'node', 'src/log/index.ts'],
  ];
  const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', ...options], {
    stdio: 'inherit',
  });
  if (tsc.status !== 0) throw new Error('the types of the library do not compile');
  cpSync(`${out}/types`, `${out}/cjs/types`, { recursive: true });
}

/** What shells ask the program with. That of PowerShell comes from a library, whose others are not careful enough. */
function writeCompletion() {
  mkdirSync(`${out}/completion`, { recursive: true });
  for (const shell of ['bash', 'zsh', 'fish'])
    cpSync(`src/commands/completion.${shell}`, `${out}/completion/lakelog.${shell}`);
  const script = readFileSync('node_modules/@pnpm/tabtab/lib/templates/completion.ps1', 'utf8');
  writeFileSync(`${out}/completion/lakelog.pwsh`, script.replaceAll(/\{(pkgname|completer)\}/g, 'lakelog'));
}

/** The licence text of every package that ended up in the bundle. */
function licences(inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) folders.add(found[1]);
  }
  const texts = [...folders].sort().map((folder) => {
    const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    const text = file
      ? readFileSync(path.join(folder, file), 'utf8').trim()
      : `(${manifest.license}; the package ships no licence file)`;
    return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${text}\n`;
  });
  return `lakelog bundles the packages below; each keeps its own licence.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
