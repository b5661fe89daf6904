/** The cluster that was started for these tests, and the lakes that it reads. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { declarations } from '../../../src/lake/declare.js';
import { publish } from '../../folder/folder-lake.js';
import { lakelog } from '../../support/program.js';

interface Cluster {
  readonly origin: string;
  /** The folder of all lakes. */
  readonly lakes: string;
  /** Of the coordinator and the workers, each with its `node.pid`. */
  readonly nodes: readonly string[];
  readonly isFull: boolean;
  /** Of generated logs. */
  readonly megabytes: number;
}

/** @throws outside of `npm run cluster`, which starts one. */
export const cluster = JSON.parse(process.env.LAKELOG_CLUSTER!) as Cluster;

export const folderOf = (name: string) => `${path.join(cluster.lakes, name)}/`;
export const trinoOf = (name: string) => `${cluster.origin.replace('http://', 'trino://ci@')}/hive/${name}`;

/** An hour after which the fixtures are not too old. */
export const NOW = new Date('2026-10-01T00:00:00Z');
export const asks = (args: readonly string[], env: Record<string, string> = {}) =>
  lakelog(args, { now: () => NOW, env });
export const askTrino = (name: string, args: readonly string[]) => asks([...args, '--lake', trinoOf(name)]);
export const askFolder = (name: string, args: readonly string[]) => asks([...args, '--lake', folderOf(name)]);

export interface Told {
  readonly rows: readonly unknown[];
  readonly receipt: Record<string, unknown>;
  readonly verdict: Record<'fired' | 'cannot_vouch' | 'notices', readonly Finding[]>;
}
interface Finding {
  readonly code: string;
  readonly message: string;
}
export const toldBy = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout) as Told;

interface Page {
  readonly error?: { readonly errorName: string; readonly message: string };
  readonly data?: readonly (readonly unknown[])[];
  readonly nextUri?: string;
}

/** One of whoever looks after the tables; lakelog itself sends none but SELECT, as `ci`. */
export async function statement(sql: string, user = 'admin'): Promise<unknown[][]> {
  const headers = { 'X-Trino-User': user, 'X-Trino-Catalog': 'hive', 'X-Trino-Schema': 'information_schema' };
  const rows: unknown[][] = [];
  for (
    let next: string | undefined = `${cluster.origin}/v1/statement`, isFirst = true;
    next;
    isFirst = false
  ) {
    const response: Response = await fetch(next, isFirst ? { method: 'POST', headers, body: sql } : {});
    const page = (await response.json()) as Page;
    if (page.error) throw new Error(`${page.error.errorName}: ${page.error.message}: ${sql.slice(0, 200)}`);
    for (const row of page.data ?? []) rows.push([...row]);
    next = page.nextUri;
  }
  return rows;
}

/** What the coordinator tells of a statement. */
export interface Query {
  readonly queryId: string;
  readonly queryType?: string;
  readonly session: { readonly user: string; readonly source?: string };
  readonly queryStats: { readonly totalCpuTime: string; readonly createTime: string };
}

/** Those of one source that it remembers. */
export async function queriesOf(source: string): Promise<Query[]> {
  const response = await fetch(`${cluster.origin}/v1/query`, { headers: { 'X-Trino-User': 'admin' } });
  const all = (await response.json()) as Query[];
  return all.filter(({ session }) => session.source === source);
}

export async function untilActive(): Promise<void> {
  const until = Date.now() + 400_000;
  for (;;) {
    const found = await statement(`SELECT COUNT(*) FROM system.runtime.nodes WHERE state = 'active'`).catch(
      () => null,
    );
    if (found?.[0]?.[0] === cluster.nodes.length) return;
    if (Date.now() > until) throw new Error(`the cluster does not begin:\n${logOf(cluster.nodes[0]!)}`);
    await sleep(1_000);
  }
}

const logOf = (node: string) =>
  readFileSync(path.join(node, 'node.log'), 'utf8').split('\n').slice(-20).join('\n');

/** As `lakelog schema` says, in a schema of the lake's own name. */
export async function declare(name: string): Promise<void> {
  const text = declarations('trino', `local:///${name}`, false).replaceAll('lakelog', name);
  const all = text
    .split(/;\n/)
    .map((one) => one.replaceAll(/^--.*$/gm, '').trim())
    .filter((one) => one !== '');
  const [schema, rest] = [
    all.filter((one) => /^CREATE SCHEMA/.test(one)),
    all.filter((one) => !/^CREATE SCHEMA/.test(one)),
  ];
  const tables = rest.filter((one) => !one.startsWith('CALL'));
  for (const some of [schema, tables, rest.filter((one) => one.startsWith('CALL'))])
    await Promise.all(some.map((one) => statement(one)));
}

/** Logs by host, published and declared. */
export async function fill(name: string, hosts: Readonly<Record<string, readonly string[]>>): Promise<void> {
  for (const [host, logs] of Object.entries(hosts)) await publish(folderOf(name), host, logs);
  await untilActive();
  await declare(name);
}

export const fixture = (scenario: string): string[] =>
  ['sessions.jsonl', 'replay_runs.jsonl'].map((name) => path.resolve('fixtures', scenario, name));
