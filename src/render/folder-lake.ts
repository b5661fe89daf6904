/** What `lakelog lake` prints of a lake that is a folder. */
import type { Compacted, FilesCheck, FolderInfo } from '../schema/lake.js';
import { instant } from './display.js';
import { stepLines } from './next.js';
import { entry, LABEL } from './paragraph.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { tableOf } from './table.js';
import { bytes, grouped, plural } from './units.js';

const batches = (count: number) => (count === 1 ? '1 batch' : `${grouped(count)} batches`);

export function renderFolderInfo(info: FolderInfo, style: Style): string {
  const { calls, replay_runs, rejects, files, newest_record, hosts, replaced } = info;
  const facts: readonly (readonly [string, string])[] = [
    ['lake', `${sanitize(info.path)}, a folder of Parquet: ${bytes(info.bytes)} in ${plural(files, 'file')}`],
    ['made by', `lakelog ${sanitize(info.made_by)}, format ${info.format}, id ${info.lake_id}`],
    ['content', info.keeps_content ? 'kept' : 'not kept (--keep-content)'],
    ['holds', `${grouped(calls)} calls, ${grouped(replay_runs)} replay runs, ${grouped(rejects)} rejects`],
    ['read', `${batches(info.batches)} of ${plural(hosts.length, 'host')}`],
    ['newest', newest_record === null ? 'no record' : instant(newest_record)],
    ...(replaced > 0
      ? [
          [
            'merged',
            `${plural(replaced, 'file')} that others took the place of: lakelog lake compact removes them`,
          ] as const,
        ]
      : []),
  ];
  const lines = facts.flatMap(([label, text]) => entry(label, text, style));
  return `${lines.join('\n')}\n\n${tableOf(hostsResult(info), style)}${problemsOf(info.problems, style)}\n${programs(info.path)}`;
}

function hostsResult({ hosts }: FolderInfo) {
  const when = (time: string | null) => (time === null ? '' : instant(time));
  return {
    columns: [
      { name: 'host', type: 'text' as const },
      { name: 'batches', type: 'integer' as const },
      { name: 'logs', type: 'integer' as const },
      { name: 'lines', type: 'integer' as const },
      { name: 'newest record', type: 'text' as const },
      { name: 'last export', type: 'text' as const },
      { name: 'last look', type: 'text' as const, minor: true },
    ],
    rows: hosts.map((host) => [
      ...[host.host, host.batches, host.logs, host.lines],
      ...[when(host.newest_record), when(host.last_export), when(host.last_sync)],
    ]),
  };
}

function problemsOf(problems: FolderInfo['problems'], style: Style, label = 'damage'): string {
  if (problems.length === 0) return '';
  const told = problems.flatMap(({ path, detail, next }) => [
    ...entry(label, `${sanitize(detail)} (${sanitize(path)})`, style),
    ...(next === null ? [] : stepLines(`${' '.repeat(LABEL)}→ `, next, style)),
  ]);
  return `\n${told.join('\n')}\n`;
}

/** Whole lines, to be copied. */
function programs(folder: string): string {
  const files = `${folder}/base_calls/*/*.parquet`.replaceAll("'", "''");
  const sql = `FROM read_parquet('${files}', hive_partitioning = false) LIMIT 5`;
  return [
    'The rows, in other programs; `lakelog schema --dialect NAME` declares the tables:',
    `  DuckDB's shell   duckdb -c "${sql}"`,
    '',
  ]
    .map((line) => sanitize(line))
    .join('\n');
}

export function renderFilesCheck(
  { files, bytes: size, batches: count, problems, settled }: FilesCheck,
  style: Style,
): string {
  const fine =
    problems.length === 0
      ? 'each of them is what its receipt says'
      : `${plural(problems.length, 'part')} cannot be believed`;
  const head = entry(
    'files',
    `${plural(files, 'file')} of ${batches(count)}, ${bytes(size)}: ${fine}`,
    style,
  );
  const explained = settled.map((one) => ({ ...one, next: null }));
  return `${head.join('\n')}\n${problemsOf(problems, style)}${problemsOf(explained, style, 'settled')}\n`;
}

export function renderCompacted(
  { files, into, bytes_before, bytes: size, removed }: Compacted,
  style: Style,
): string {
  const merged =
    files === 0
      ? 'nothing to merge: no two small files of a day that is over'
      : `${plural(files, 'file')} into ${grouped(into)}, ${bytes(bytes_before)} into ${bytes(size)}`;
  const lines = [...entry('merged', merged, style), ...entry('removed', plural(removed, 'file'), style)];
  return `${lines.join('\n')}\n`;
}
