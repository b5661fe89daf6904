/** What `lakelog lake` prints. */
import type { LakeInfo, LogCheck } from '../schema/lake.js';
import type { Result } from '../schema/result.js';
import { instant } from './display.js';
import { entry } from './paragraph.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { tableOf } from './table.js';
import { bytes, grouped, plural } from './units.js';

export function renderLakeInfo(info: LakeInfo, style: Style): string {
  const { calls, replay_runs, rejects, batches, logs, last_sync, newest_record } = info;
  const facts: readonly (readonly [string, string])[] = [
    ['lake', `${sanitize(info.path)}, ${bytes(info.bytes)}`],
    ['made by', `lakelog ${sanitize(info.made_by)}, format ${info.format}`],
    ['content', info.keeps_content ? 'kept' : 'not kept (--keep-content)'],
    ['holds', `${grouped(calls)} calls, ${grouped(replay_runs)} replay runs, ${grouped(rejects)} rejects`],
    [
      'read',
      `${bytes(logs.reduce((sum, log) => sum + log.read_to, 0))} of ${plural(logs.length, 'log')} in ${plural(batches, 'batch').replace(/batchs$/, 'batches')}`,
    ],
    ['newest', newest_record === null ? 'no record' : instant(newest_record)],
    [
      'synced',
      last_sync === null ? 'never' : instant(last_sync) + (info.is_loading ? ', and not to its end' : ''),
    ],
  ];
  const lines = facts.flatMap(([label, text]) => entry(label, text, style));
  return `${lines.join('\n')}\n\n${tableOf(logsResult(info), style)}\n${programs(info.path)}`;
}

function logsResult({ logs }: LakeInfo): Result {
  return {
    columns: [
      { name: 'log', type: 'text' },
      { name: 'state', type: 'text' },
      { name: 'read', type: 'text' },
      { name: 'lines', type: 'integer' },
      { name: 'head', type: 'text', minor: true },
    ],
    rows: logs.map(({ name, state, read_to, lines, head }) => [
      name,
      state,
      bytes(read_to),
      lines,
      head.slice(0, 12),
    ]),
  };
}

/** Whole lines, to be copied: nothing is cut or wrapped. */
function programs(path: string): string {
  const word = /^[\w./:@%+=,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  const text = JSON.stringify(path);
  const connect = `duckdb.connect(${text}, read_only=True)`;
  return [
    'The tables that `lakelog schema` prints, in other programs:',
    `  DuckDB's shell   duckdb -readonly ${word} -c 'FROM sessions LIMIT 5'`,
    `  DuckDB's page    duckdb -readonly -ui ${word}`,
    `  Python           python3 -c 'import duckdb; print(${connect.replaceAll("'", "'\\''")}.sql("FROM sessions LIMIT 5"))'`,
    `  a notebook       import duckdb; ${connect}.sql("FROM sessions").df()`,
    '',
  ]
    .map((line) => sanitize(line))
    .join('\n');
}

export function renderLogChecks(checks: readonly LogCheck[], style: Style): string {
  return tableOf(
    {
      columns: [
        { name: 'log', type: 'text' },
        { name: 'status', type: 'text' },
        { name: 'read', type: 'text' },
        { name: 'batches', type: 'integer' },
        { name: 'detail', type: 'text' },
      ],
      rows: checks.map(({ file, status, bytes: count, batches, detail }) => [
        file,
        status,
        bytes(count),
        batches,
        detail ?? '',
      ]),
    },
    style,
  );
}
