/** A Trino of a coordinator and two workers on three loopback addresses, from the Maven registry; each a process of its own. */
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const VERSION = '476';
const PARTS = [
  { artifact: 'trino-server-core', packaging: 'tar.gz' },
  { artifact: 'trino-hive', packaging: 'zip' },
];
/** What this Trino needs. */
const LEAST_JAVA = 24;

/** @returns {string} */
export function findJava() {
  const roots = [
    process.env.JAVA_HOME,
    ...(existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').map((name) => `/usr/lib/jvm/${name}`) : []),
  ];
  const found = roots.find((root) => root && javaVersion(root) >= LEAST_JAVA);
  if (found) return found;
  throw new Error(`no Java of version ${LEAST_JAVA} or later: set JAVA_HOME`);
}

function javaVersion(root) {
  const release = path.join(root, 'release');
  if (!existsSync(release)) return 0;
  return Number(/JAVA_VERSION="(\d+)/.exec(readFileSync(release, 'utf8'))?.[1] ?? 0);
}

/** Gets and unpacks it, once. @returns {string} its folder */
export function install(note) {
  const home = path.join(os.tmpdir(), `lakelog-trino-${VERSION}`);
  if (existsSync(home)) return home;
  const fresh = `${home}.${process.pid}`;
  mkdirSync(path.join(fresh, 'unpacked'), { recursive: true });
  for (const { artifact, packaging } of PARTS) {
    note(`getting io.trino:${artifact}:${VERSION}:${packaging}`);
    const coordinates = `-Dartifact=io.trino:${artifact}:${VERSION}:${packaging}`;
    execFileSync('mvn', ['-q', '-B', 'dependency:get', coordinates, '-Dtransitive=false'], {
      stdio: 'ignore',
    });
    execFileSync('mvn', ['-q', '-B', 'dependency:copy', coordinates, `-DoutputDirectory=${fresh}`], {
      stdio: 'ignore',
    });
    const file = path.join(fresh, `${artifact}-${VERSION}.${packaging}`);
    const [unpack, ...args] = packaging === 'zip' ? ['unzip', '-q', file, '-d'] : ['tar', '-xzf', file, '-C'];
    execFileSync(unpack, [...args, path.join(fresh, 'unpacked')]);
    rmSync(file);
  }
  const server = path.join(fresh, 'unpacked', `trino-server-core-${VERSION}`);
  renameSync(path.join(fresh, 'unpacked', `trino-hive-${VERSION}`), path.join(server, 'plugin', 'hive'));
  renameSync(server, home);
  rmSync(fresh, { recursive: true });
  return home;
}

const PORT = 18_476;
const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
export const ORIGIN = `http://${ADDRESSES[0]}:${PORT}`;

/** @param {string} work where nodes keep their settings and say what they do @param {string} lakes what they may read */
export function startNodes(home, java, work, lakes) {
  const nodes = ADDRESSES.map((address, i) =>
    startNode({ home, java, lakes, address, folder: path.join(work, `node${i}`), isCoordinator: i === 0 }),
  );
  return { nodes, stop: () => Promise.all(nodes.map(stopNode)) };
}

function startNode({ home, java, lakes, address, folder, isCoordinator }) {
  mkdirSync(path.join(folder, 'catalog'), { recursive: true });
  const settings = {
    'node.environment': 'lakelog',
    'node.id': path.basename(folder),
    'node.internal-address': address,
    'node.bind-ip': address,
    'http-server.http.port': PORT,
    coordinator: isCoordinator,
    ...(isCoordinator
      ? {
          'node-scheduler.include-coordinator': false,
          'query.remote-task.max-error-duration': '5s',
          'retry-policy': 'QUERY',
        }
      : {}),
    'discovery.uri': ORIGIN,
    'query.max-memory': '600MB',
    'query.max-memory-per-node': '300MB',
    'plugin.dir': path.join(home, 'plugin'),
    'catalog.config-dir': path.join(folder, 'catalog'),
    'catalog.management': 'static',
  };
  const hive = {
    'connector.name': 'hive',
    'hive.metastore': 'file',
    'hive.metastore.catalog.dir': 'local:///metastore',
    'fs.native-local.enabled': true,
    'local.location': lakes,
    'hive.non-managed-table-writes-enabled': true,
  };
  writeFileSync(path.join(folder, 'config.properties'), properties(settings));
  writeFileSync(path.join(folder, 'catalog', 'hive.properties'), properties(hive));
  const log = openSync(path.join(folder, 'node.log'), 'w');
  const args = [
    '-Xmx1G',
    '-XX:+UseG1GC',
    '-XX:+ExitOnOutOfMemoryError',
    '-Duser.timezone=UTC',
    '-cp',
    path.join(home, 'lib', '*'),
    '-Dnode.environment=lakelog',
    '-Dlog.enable-console=true',
    '-Dconfig=config.properties',
    'io.trino.server.TrinoServer',
  ];
  const child = spawn('nice', ['-n', '12', path.join(java, 'bin', 'java'), ...args], {
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

const properties = (settings) =>
  `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;

/** @param {import('node:child_process').ChildProcess} child */
export async function stopNode(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** A statement of whoever looks after the cluster; lakelog sends none but SELECT. */
export async function statement(sql, schema = 'lakelog') {
  const headers = {
    'X-Trino-User': 'admin',
    'X-Trino-Catalog': 'hive',
    'X-Trino-Schema': schema,
    'X-Trino-Session': 'hive.timestamp_precision=MICROSECONDS',
  };
  let page = await (await fetch(`${ORIGIN}/v1/statement`, { method: 'POST', headers, body: sql })).json();
  const rows = [];
  for (;;) {
    if (page.error) throw new Error(`${page.error.errorName}: ${page.error.message}: ${sql.slice(0, 200)}`);
    rows.push(...(page.data ?? []));
    if (!page.nextUri) return { rows, stats: page.stats };
    page = await (await fetch(page.nextUri)).json();
  }
}

/** @param {number} workers */
export async function untilActive(workers, note) {
  const until = Date.now() + 240_000;
  for (;;) {
    try {
      const { rows } = await statement(`SELECT COUNT(*) FROM system.runtime.nodes WHERE state = 'active'`);
      if (rows[0][0] >= workers + 1) return;
    } catch {
      // Not yet.
    }
    if (Date.now() > until) throw new Error('the cluster does not begin within 240 s');
    note('waiting for the cluster');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  }
}
