import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const src = path.join(root, 'src');

/** What an import statement, a re-export or an `import()` names; types count as much as code. */
const IMPORT =
  /(?:^|[\n;])\s*(?:import|export)\b(?:[^;'"`]*?\bfrom)?\s*(['"])([^'"\n]+)\1|\bimport\s*\(\s*(['"`])([^'"`]+)\3/g;

function importsIn(code: string): string[] {
  return [...code.matchAll(IMPORT)].map((match) => (match[2] ?? match[4])!);
}

interface Import {
  /** e.g. `gate/judge.ts`. */
  readonly from: string;
  /** e.g. `schema/result.ts` for our own, else the specifier. */
  readonly to: string;
}

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(path.sep).join('/'))
  .sort();
/** AssemblyScript, another language with the same ending. */
const isWasm = (file: string) => file.startsWith('scan/wasm/');
const files = sources.filter((file) => !isWasm(file));

const imports: readonly Import[] = files.flatMap((from) =>
  importsIn(readFileSync(path.join(src, from), 'utf8')).map((specifier) => ({
    from,
    to: specifier.startsWith('.')
      ? path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '.ts')
      : specifier,
  })),
);

/** The folder, of the lake the room, of a file beside them its name. */
const partOf = (file: string) => /^(lake\/\w+|[^/]+)\//.exec(file)?.[1] ?? file.replace(/\.ts$/, '');
const isOurs = (to: string) => files.includes(to);
const isNode = (to: string) => to.startsWith('node:') && isBuiltin(to);

/** Per part: the parts, single files and packages that it may import; `node:*` stands for Node's own modules. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  schema: ['zod'],
  stats: [],
  roster: ['node:*'],
  log: ['roster', 'schema', 'node:*'],
  errors: ['schema'],
  artifact: [],
  instant: [],
  'kernel-path': ['node:*'],
  'make-folder': ['node:*'],
  'draft-name': [],
  'at-end': [],
  'temp-folder': ['at-end', 'node:*'],
  version: [],
  io: ['node:*'],
  ending: ['render', 'schema', 'errors', 'io'],
  gate: ['schema', 'stats', 'errors', 'unhomoglyph/data.json'],
  render: [
    ...['schema', 'version', 'chalk', 'cli-table3', 'diff', 'string-width'],
    ...['@observablehq/plot', 'linkedom', 'node:crypto'],
  ],
  scan: ['artifact', 'roster', 'schema', 'node:*'],
  'lake/input': ['draft-name', 'kernel-path', 'schema', 'errors', 'picomatch', 'zstddec/stream', 'node:*'],
  'lake/duckdb': [
    'instant',
    'scan',
    'schema',
    'errors',
    '@duckdb/node-api',
    // Not exported by the package's own entry.
    '@duckdb/node-api/lib/vectors/dataAccessors.js',
    '@duckdb/node-bindings',
  ],
  'lake/tables': [
    'artifact',
    'scan',
    'schema',
    'errors',
    'lake/duckdb/sql.ts',
    'lake/sql-tokens.ts',
    'node:*',
  ],
  'lake/load': ['lake/input', 'lake/tables', 'lake/duckdb', 'scan', 'schema', 'errors', 'instant', 'node:*'],
  'lake/store': [
    'kernel-path',
    'lake/input',
    'lake/load',
    'lake/tables',
    'lake/duckdb',
    'schema',
    'errors',
    'instant',
    'version',
    'node:*',
  ],
  'lake/folder': [
    ...['kernel-path', 'make-folder', 'lake/store', 'lake/input', 'lake/load', 'lake/tables', 'lake/duckdb'],
    ...['schema', 'errors', 'instant', 'version', 'node:*'],
  ],
  'lake/roster': ['lake/duckdb', 'roster', 'kernel-path', 'errors', 'node:*'],
  lake: [
    'temp-folder',
    'lake/store',
    'lake/folder',
    'lake/input',
    'lake/load',
    'lake/roster',
    'lake/tables',
    'lake/duckdb',
    'schema',
    'errors',
    'instant',
    'node:*',
  ],
  cluster: [
    'at-end',
    'lake',
    'lake/folder',
    'lake/tables',
    'schema',
    'errors',
    'instant',
    'version',
    'node:*',
  ],
  query: [
    'artifact',
    'draft-name',
    'kernel-path',
    'cluster',
    'lake',
    'lake/input',
    'lake/tables/published.ts',
    'lake/duckdb/memory.ts',
    'temp-folder',
    'lake/duckdb/sql.ts',
    'stats',
    'schema',
    'errors',
    'instant',
    'version',
    'fastest-levenshtein',
    'smol-toml',
    'node:*',
  ],
  commands: [
    'at-end',
    'draft-name',
    'kernel-path',
    'make-folder',
    'query',
    'gate',
    'stats',
    'render',
    'lake',
    'lake/tables/published.ts',
    'schema',
    'ending',
    'errors',
    'instant',
    'io',
    'version',
    'commander',
    'node:*',
  ],
  program: ['commands', 'query', 'schema', 'render', 'errors', 'io', 'version', 'commander', 'node:*'],
  box: [
    ...['box-streams', 'query', 'lake', 'lake/duckdb/connection.ts', 'lake/tables/published.ts'],
    ...['schema', 'errors', 'node:*'],
  ],
  'box-streams': ['query', 'render', 'schema', 'node:*'],
  'head-start': ['query', 'lake/duckdb/connection.ts', 'io', 'node:*'],
  // Run by the build alone.
  'shipped-needs': ['query', 'lake', 'lake/tables/needs.ts', 'lake/duckdb/connection.ts'],
  'shipped-questions': ['query'],
  'shipped-manual': ['commands', 'query', 'commander'],
  'shipped-tables': ['lake/tables', 'schema', 'node:*'],
  'shipped-scanner': ['schema'],
  main: ['program', 'head-start', 'ending', 'schema', 'errors', 'io'],
  validatord: [
    'log',
    'render',
    'ending',
    'schema',
    'errors',
    'io',
    'version',
    'hono',
    '@hono/node-server',
    'prom-client',
    'smol-toml',
    'node:*',
  ],
};

const ORDER =
  'bin → main → program → commands → {query, gate, stats, render} → {lake, cluster} → scan → schema';

describe(`imports run one way: ${ORDER}`, () => {
  test('the imports were found', () => {
    expect(files.length).toBeGreaterThan(40);
    expect(imports.length).toBeGreaterThan(150);
    const odd = imports.filter(
      ({ to }) => !isOurs(to) && !isNode(to) && !/^(@[\w-]+\/)?[\w-]+(\/[\w.-]+)*$/.test(to),
    );
    expect(odd).toEqual([]);
  });

  test('every part of src has a rule', () => {
    expect([...new Set(files.map(partOf))].sort()).toEqual(Object.keys(MAY).sort());
  });

  test.each(Object.entries(MAY))('%s imports only itself and %j', (part, allowed) => {
    const wrong = imports.filter(
      ({ from, to }) =>
        partOf(from) === part &&
        !(isOurs(to) && [part, ...allowed].some((one) => one === partOf(to) || one === to)) &&
        !(isNode(to) && allowed.includes('node:*')) &&
        !(!isOurs(to) && allowed.includes(to)),
    );
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('and nothing is allowed that nobody needs', () => {
    const needs = (part: string, one: string) =>
      imports.some(
        ({ from, to }) =>
          partOf(from) === part &&
          (one === 'node:*' ? isNode(to) : one === to || (isOurs(to) && one === partOf(to))),
      );
    const unused = Object.entries(MAY).flatMap(([part, allowed]) =>
      allowed.filter((one) => !needs(part, one)).map((one) => `${part} → ${one}`),
    );
    expect(unused).toEqual([]);
  });

  test.each<[string, RegExp, readonly string[]]>([
    ['commands', /^commands\//, ['program', 'commands', 'shipped-manual']],
    ['chalk and cli-table3', /^(chalk|cli-table3)$/, ['render']],
    ['DuckDB', /^@duckdb\//, ['lake/duckdb']],
    ['zstddec', /^zstddec\//, ['lake/input']],
    ['scan', /^scan\//, ['scan', 'lake/load', 'lake/tables', 'lake/duckdb']],
    ['lake/load', /^lake\/load\//, ['lake/load', 'lake/store', 'lake/folder', 'lake']],
    ['AssemblyScript', /^scan\/wasm\//, []],
    ['what only the build runs', /^shipped-(manual|needs|questions|tables|scanner)\.ts$/, []],
    ['commander', /^commander$/, ['program', 'commands', 'shipped-manual']],
    ['zod', /^zod$/, ['schema']],
    ['prom-client', /^prom-client$/, ['validatord']],
    ['hono', /^(@hono\/.*|hono)$/, ['validatord']],
    ['validatord', /^validatord\//, ['validatord']],
  ])('nobody else imports %s', (_, to, owners) => {
    const wrong = imports.filter((one) => to.test(one.to) && !owners.includes(partOf(one.from)));
    expect(wrong.map((one) => `${one.from} → ${one.to}`)).toEqual([]);
  });

  test('the AssemblyScript of the scanner imports only its own folder', () => {
    const wasm = sources.filter(isWasm);
    const outside = wasm.flatMap((file) =>
      importsIn(readFileSync(path.join(src, file), 'utf8'))
        // What the build makes of the record formats.
        .filter((specifier) => specifier !== './fields')
        .filter((specifier) => !wasm.includes(`${path.posix.join('scan/wasm', specifier)}.ts`))
        .map((specifier) => `${file} → ${specifier}`),
    );
    expect(wasm).toContain('scan/wasm/scan.ts');
    expect(outside).toEqual([]);
  });

  test('no file imports itself by a round', () => {
    const next = new Map(
      files.map((file) => [
        file,
        imports.filter(({ from, to }) => from === file && isOurs(to)).map(({ to }) => to),
      ]),
    );
    const rounds: string[] = [];
    const walk = (file: string, trail: readonly string[]) => {
      if (trail.includes(file)) {
        rounds.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
        return;
      }
      if (!done.has(file)) for (const to of next.get(file)!) walk(to, [...trail, file]);
      done.add(file);
    };
    const done = new Set<string>();
    for (const file of files) walk(file, []);
    expect(rounds).toEqual([]);
  });

  test('the records a logger writes need no zod at run time', () => {
    const reached = new Set<string>();
    const walk = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { from, to } of imports) if (from === file && isOurs(to)) walk(to);
    };
    walk('log/index.ts');
    expect([...reached].filter((file) => !/^(log|roster|schema)\//.test(file))).toEqual([]);
    expect(imports.filter(({ from, to }) => reached.has(from) && to === 'zod')).toEqual([]);
  });
});

describe('what every command loads', () => {
  test('is no zod: half of the program would be for what most runs never do', () => {
    const holders = new Set(imports.filter(({ to }) => to === 'zod').map(({ from }) => from));
    const loaded = files
      .filter((file) => !holders.has(file))
      .flatMap((file) => {
        const code = readFileSync(path.join(src, file), 'utf8');
        const atOnce = [...code.matchAll(IMPORT)].flatMap(([text, , specifier]) =>
          specifier === undefined || /\bimport type\b/.test(text) ? [] : [specifier],
        );
        return atOnce.map((specifier) => ({
          file,
          to: path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts'),
        }));
      })
      .filter(({ to }) => holders.has(to));
    expect(holders.size).toBeGreaterThan(1);
    expect(loaded.map(({ file, to }) => `${file} → ${to}`)).toEqual([]);
  });
});

describe('what a file may touch', () => {
  const uses = (pattern: RegExp) =>
    files.filter((file) => pattern.test(readFileSync(path.join(src, file), 'utf8')));

  test('only io and the two mains know the process of the command line, and box its own', () => {
    const own = uses(/\bprocess\.(argv|stdout|stderr|stdin|exitCode|exit\()/).filter(
      (file) => !file.startsWith('log/'),
    );
    expect(own).toEqual(['box.ts', 'io.ts', 'main.ts', 'validatord/main.ts']);
  });

  test('computing never prints', () => {
    expect(uses(/\bconsole\.\w+\(/)).toEqual([]);
  });

  test('the gate is pure: no clock, no randomness, no files', () => {
    const impure = uses(/\bDate\.now\(|new Date\(\)|Math\.random|\bprocess\./).filter((file) =>
      file.startsWith('gate/'),
    );
    expect(impure).toEqual([]);
  });

  test('nothing in the gate knows a question by name', () => {
    expect(uses(/\balarm\b/i).filter((file) => file.startsWith('gate/'))).toEqual([]);
  });
});

describe('the built package', () => {
  const dist = (name: string) => readFileSync(path.join(root, 'dist', name), 'utf8');

  test('the library entry imports Node and nothing else', () => {
    const code = dist('log.js');
    const named = importsIn(code);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !isNode(name))).toEqual([]);
    expect(code).not.toMatch(/\brequire\s*\(/);
    expect(code).not.toMatch(/duckdb|commander|\bzod\b/i);
  });

  test('the optional OpenTelemetry is looked for by the first call, and not by the import', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'lakelog-entry-'));
    const api = path.join(folder, 'node_modules/@opentelemetry/api');
    mkdirSync(api, { recursive: true });
    writeFileSync(path.join(api, 'package.json'), '{"name":"@opentelemetry/api","main":"index.js"}');
    writeFileSync(path.join(api, 'index.js'), "process.stdout.write('loaded')");
    writeFileSync(path.join(folder, 'log.mjs'), dist('log.js'));
    const use = (code: string) =>
      execFileSync(
        process.execPath,
        ['--input-type=module', '-e', `const { iterate } = await import('./log.mjs'); ${code}`],
        { cwd: folder, encoding: 'utf8' },
      );
    try {
      expect(use('')).toBe('');
      const call =
        "{ kind: 'k', model: 'm', prompt: 'p', generate: () => '{}', validate: () => ({ accepted: true }) }";
      expect(use(`await iterate(${call})`)).toBe('loaded');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("the daemon's bundle imports Node and nothing else", () => {
    const code = dist('validatord.cjs');
    const named = importsOf('validatord.cjs');
    expect(named).toContain('node:http');
    expect(named.filter((name) => !isBuiltin(name))).toEqual([]);
    // Only the table of advice names the binding.
    expect(code).not.toMatch(/\bduckdb[._]|\bcommander\b/i);
  });

  test('its types name no file that is not shipped and no package', () => {
    const folder = path.join(root, 'dist/types');
    const types = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.d.ts'),
    );
    expect(types).toContain(path.join('log', 'index.d.ts'));
    for (const name of types) {
      for (const specifier of importsIn(readFileSync(path.join(folder, name), 'utf8'))) {
        if (isNode(specifier)) continue;
        const file = path.join(folder, path.dirname(name), specifier.replace(/\.js$/, '.d.ts'));
        expect(existsSync(file), `${name} imports ${specifier}`).toBe(true);
      }
    }
  });

  /** Of the command line. */
  const bundles = readdirSync(path.join(root, 'dist')).filter(
    (name) => /\.c?js$/.test(name) && !['log.js', 'validatord.cjs'].includes(name),
  );
  const importsOf = (name: string) =>
    [
      ...dist(name).matchAll(
        /(?<!")\bfrom\s*"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"|\b(?:__)?require\("([\w@/:.-]+)"\)/g,
      ),
    ].map((match) => (match[1] ?? match[2] ?? match[3])!);

  test('of the packages only the native binding stays outside the bundle', () => {
    expect(bundles).toEqual(expect.arrayContaining(['lakelog.cjs', 'box.js', 'worker.js']));
    const outside = bundles.flatMap(importsOf).filter((name) => !name.startsWith('./') && !isBuiltin(name));
    // Vega does without a canvas.
    expect(outside.filter((name) => !/^(@duckdb\/node-bindings.*|canvas)$/.test(name))).toEqual([]);
    // It is required when a database is opened, and not at every start.
    expect(dist('lakelog.cjs')).toMatch(
      /=\w+\(\(?\w+,\w+\)?=>\{\w+\.exports=require\("@duckdb\/node-bindings"\)/,
    );
  });

  test('a thread that scans loads the scanner and neither DuckDB nor the command line', () => {
    const reached = new Set<string>();
    const walk = (name: string) => {
      if (reached.has(name)) return;
      reached.add(name);
      for (const one of importsOf(name)) if (one.startsWith('./')) walk(one.slice(2));
    };
    walk('worker.js');
    const named = [...reached].flatMap(importsOf);
    expect(named).toContain('node:worker_threads');
    expect(named.filter((name) => !name.startsWith('./') && !isBuiltin(name))).toEqual([]);
    // The whole of the command line is some 40 times as much.
    expect([...reached].reduce((bytes, name) => bytes + dist(name).length, 0)).toBeLessThan(60_000);
  });
});

describe('docs/ARCHITECTURE.md', () => {
  const page = readFileSync(path.join(root, 'docs/ARCHITECTURE.md'), 'utf8');
  const named = [...page.matchAll(/`((?:bin|src|queries|test|fixtures|dist)\/[^`\s]*)`/g)].map(
    (match) => match[1]!,
  );

  test('every path that it names exists', () => {
    expect(named.length).toBeGreaterThan(50);
    const known = ['src', 'queries'].flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name.split(path.sep).join('/')}`,
      ),
    );
    const fits = (name: string) => {
      if (!/[*]|NAME/.test(name)) return existsSync(path.join(root, name));
      const pattern = name.replaceAll('.', '\\.').replace(/\*|NAME/g, '[\\w-]+');
      return known.some((file) => new RegExp(`^${pattern}$`).test(file));
    };
    expect(named.filter((name) => !fits(name))).toEqual([]);
  });

  test('it names every room and every file beside them', () => {
    const rooms = Object.keys(MAY).map((part) =>
      existsSync(path.join(src, part)) ? `src/${part}/` : `src/${part}.ts`,
    );
    expect(rooms.filter((room) => !named.includes(room))).toEqual([]);
  });

  test('it tells the order of imports that is tested here', () => {
    expect(page).toContain(`Imports run one way: ${ORDER}.`);
  });
});

test.each<[string, readonly string[]]>([
  ["import a from 'b';", ['b']],
  ["import { a,\n  type B } from './c.js';\nimport 'd';", ['./c.js', 'd']],
  ["import type { A } from 'b';\nexport type { C } from './d.js';\nexport * from 'e';", ['b', './d.js', 'e']],
  ["const { a } = await import('b');", ['b']],
  ["type A = typeof import('b');", ['b']],
  ["export const a = 'from';\nconst b = \"import('c\";", []],
  ["export function a() { return 'x'; }\nimport b from 'c';", ['c']],
])('the imports of %j', (code, expected) => {
  expect(importsIn(code)).toEqual(expected);
});
