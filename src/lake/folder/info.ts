/** What a folder lake holds, as its commits say: nothing is read but them. */
import { microsOf } from '../../instant.js';
import type { FolderInfo, HostInfo } from '../../schema/lake.js';
import { readCompactions } from './compactions.js';
import type { FolderLake } from './making.js';
import { type FolderState, lookInto } from './state.js';

export function infoOf(lake: FolderLake): FolderInfo {
  const state = lookInto(lake, { env: {}, hashed: () => false });
  const { receipts, files, problems } = state;
  const { format, lake_id, made_by, keeps_content } = lake.making;
  const sum = (table: string) =>
    receipts.reduce((total, { tables }) => total + (tables[table]?.rows ?? 0), 0);
  const { commits } = readCompactions(lake.place, lake_id, (name) => name);
  const replaced = commits.flatMap(({ moves }) => moves.flatMap(({ replaces }) => replaces));
  return {
    ...{ path: lake.place.path, format, lake_id, made_by, keeps_content, batches: receipts.length },
    ...{ calls: sum('base_calls'), replay_runs: sum('base_runs'), rejects: sum('base_rejects') },
    ...{ files: files.length, bytes: files.reduce((total, { bytes }) => total + bytes, 0) },
    replaced: replaced.filter((name) => lake.place.has(name)).length,
    newest_record: newest(receipts.map(({ newest_record }) => newest_record)),
    hosts: hostsOf(state),
    problems: problems.map(({ path, detail, next = null }) => ({ path, detail, next })),
  };
}

function hostsOf({ receipts, hosts }: FolderState): HostInfo[] {
  const names = [...new Set([...receipts.map(({ host }) => host), ...hosts.map(({ host }) => host)])].sort();
  return names.map((host) => {
    const own = receipts.filter((receipt) => receipt.host === host);
    const state = hosts.find((one) => one.host === host);
    return {
      host,
      last_export: newest(own.map(({ made_at }) => made_at)),
      last_sync: state?.synced_at ?? null,
      batches: own.length,
      logs: new Set(own.map(({ file }) => file.name)).size,
      lines: own.reduce((sum, { account }) => sum + account.lines, 0),
      newest_record: newest(own.map(({ newest_record }) => newest_record)),
    };
  });
}

const newest = (times: readonly (string | null)[]): string | null =>
  times.reduce<string | null>(
    (last, time) => (time !== null && (last === null || microsOf(time) > microsOf(last)) ? time : last),
    null,
  );
