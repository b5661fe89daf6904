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
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

const VERSION = '476';
const PARTS = [
  { artifact: 'trino-server-core', packaging: 'tar.gz' },
  { artifact: 'trino-hive', packaging: 'zip' },
];
/** What this Trino needs. */
const LEAST_JAVA = 24;
/** A registry that is slower than this is away. */
const FETCH_MS = 150_000;

/** What the machine lacks, so that no cluster can be had; nothing is said of lakelog. */
export class Unavailable extends Error {}

/** @returns {string} */
export function findJava() {
  const roots = [
    process.env.JAVA_HOME,
    ...(existsSync('/usr/lib/jvm') ? readdirSync('/usr/lib/jvm').map((name) => `/usr/lib/jvm/${name}`) : []),
  ];
  const found = roots.find((root) => root && javaVersion(root) >= LEAST_JAVA);
  if (found) return found;
  throw new Unavailable(`there is no Java of version ${LEAST_JAVA} or later (JAVA_HOME names one)`);
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
  try {
    for (const part of PARTS) fetchPart(part, fresh, note);
    const server = path.join(fresh, 'unpacked', `trino-server-core-${VERSION}`);
    renameSync(path.join(fresh, 'unpacked', `trino-hive-${VERSION}`), path.join(server, 'plugin', 'hive'));
    renameSync(server, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return home;
}

function fetchPart({ artifact, packaging }, into, note) {
  note(`getting io.trino:${artifact}:${VERSION}:${packaging}`);
  const coordinates = `-Dartifact=io.trino:${artifact}:${VERSION}:${packaging}`;
  const goal = (name, ...args) =>
    tool('mvn', ['-q', '-B', `dependency:${name}`, coordinates, ...args], 'Trino could not be fetched');
  goal('get', '-Dtransitive=false');
  goal('copy', `-DoutputDirectory=${into}`);
  const file = path.join(into, `${artifact}-${VERSION}.${packaging}`);
  const [unpack, ...args] = packaging === 'zip' ? ['unzip', '-q', file, '-d'] : ['tar', '-xzf', file, '-C'];
  tool(unpack, [...args, path.join(into, 'unpacked')], 'Trino could not be unpacked');
  rmSync(file);
}

function tool(name, args, failure) {
  try {
    execFileSync(name, args, { stdio: 'ignore', timeout: FETCH_MS, killSignal: 'SIGKILL' });
  } catch (error) {
    const why = error.code ?? (error.status === null ? error.signal : `exit ${error.status}`);
    throw new Unavailable(`${failure}: ${name} ended with ${why}`);
  }
}

const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

/** One that is free on all addresses. @returns {Promise<number>} */
export async function freePort() {
  for (;;) {
    const port = await probe(0, ADDRESSES[0]);
    const others = await Promise.all(ADDRESSES.slice(1).map((address) => probe(port, address)));
    if (others.every((one) => one === port)) return port;
  }
}

/** @returns {Promise<number | null>} null where somebody listens there. */
function probe(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(new Unavailable(`nothing can listen on ${host}: ${error.code}`));
    });
    server.listen({ port, host }, () => {
      const { port: bound } = server.address();
      server.close(() => resolve(bound));
    });
  });
}

/** @param {number} port */
export const originOf = (port) => `http://${ADDRESSES[0]}:${port}`;

/**
 * @param {string} work where nodes keep their settings, and say what they do
 * @param {string} lakes what they may read
 */
export function startNodes({ home, java, work, lakes, port }) {
  const nodes = ADDRESSES.map((address, i) =>
    startNode({
      home,
      java,
      lakes,
      port,
      address,
      folder: path.join(work, `node${i}`),
      isCoordinator: i === 0,
    }),
  );
  return {
    /** In each the file `node.pid`. */
    folders: nodes.map(({ folder }) => folder),
    stop: () => Promise.all(nodes.map(stopNode)),
  };
}

function startNode({ home, java, lakes, port, address, folder, isCoordinator }) {
  for (const name of ['catalog', 'etc']) mkdirSync(path.join(folder, name), { recursive: true });
  writeSettings({ home, lakes, port, address, folder, isCoordinator });
  const log = openSync(path.join(folder, 'node.log'), 'w');
  const args = [
    '-Xmx1G',
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    // Much of what a short run does is to compile.
    '-XX:TieredStopAtLevel=1',
    '-Duser.timezone=UTC',
    '-cp',
    path.join(home, 'lib', '*'),
    '-Dnode.environment=lakelog',
    '-Dlog.enable-console=true',
    '-Dconfig=config.properties',
    'io.trino.server.TrinoServer',
  ];
  // It ends when its stdin does: with whoever started it, however that one ended.
  const script = '"$@" </dev/null & echo $! >node.pid; cat >/dev/null; kill -9 $!; wait';
  const child = spawn('sh', ['-c', script, 'sh', path.join(java, 'bin', 'java'), ...args], {
    cwd: folder,
    stdio: ['pipe', log, log],
    detached: true,
  });
  closeSync(log);
  return { child, folder };
}

function writeSettings({ home, lakes, port, address, folder, isCoordinator }) {
  const write = (name, settings) =>
    writeFileSync(
      path.join(folder, name),
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
  const ofCoordinator = {
    'node-scheduler.include-coordinator': false,
    'query.remote-task.max-error-duration': '5s',
    'retry-policy': 'QUERY',
    'query-retry-attempts': 2,
    'retry-initial-delay': '1s',
    'retry-max-delay': '2s',
    'access-control.config-files': 'access.properties',
  };
  write('config.properties', {
    'node.environment': 'lakelog',
    'node.id': path.basename(folder),
    'node.internal-address': address,
    'node.bind-ip': address,
    'http-server.http.port': port,
    coordinator: isCoordinator,
    ...(isCoordinator ? ofCoordinator : {}),
    'discovery.uri': originOf(port),
    'query.max-memory': '600MB',
    'query.max-memory-per-node': '300MB',
    'plugin.dir': path.join(home, 'plugin'),
    'catalog.config-dir': path.join(folder, 'catalog'),
    'catalog.management': 'static',
  });
  write('catalog/hive.properties', {
    'connector.name': 'hive',
    'hive.metastore': 'file',
    'hive.metastore.catalog.dir': 'local:///metastore',
    'fs.native-local.enabled': true,
    'local.location': lakes,
    'hive.non-managed-table-writes-enabled': true,
    'hive.timestamp-precision': 'MICROSECONDS',
  });
  // An answer beyond 32 MB, which a query that may be put again keeps until it is whole, goes there.
  write('etc/exchange-manager.properties', {
    'exchange-manager.name': 'filesystem',
    'exchange.base-directories': path.join(path.dirname(folder), 'exchange'),
  });
  write('access.properties', {
    'access-control.name': 'file',
    'security.config-file': path.join(folder, 'rules.json'),
  });
  writeFileSync(path.join(folder, 'rules.json'), JSON.stringify(RULES));
}

/** Whoever looks after the tables may do all; everybody else may SELECT from those that lakelog reads. */
const RULES = {
  catalogs: [
    { user: 'admin', allow: 'all' },
    { catalog: 'hive', allow: 'read-only' },
  ],
  schemas: [{ user: 'admin', owner: true }, { owner: false }],
  tables: [
    { user: 'admin', privileges: ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'OWNERSHIP'] },
    { catalog: 'hive', table: 'base_.*|batch_receipts|host_states', privileges: ['SELECT'] },
  ],
  procedures: [{ user: 'admin', privileges: ['EXECUTE'] }],
  system_session_properties: [{ user: 'admin', allow: true }, { allow: false }],
  catalog_session_properties: [{ user: 'admin', allow: true }, { allow: false }],
};

async function stopNode({ child }) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.end();
  await gone;
}
