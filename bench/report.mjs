import { limitText } from './goals.mjs';

const MEGABYTE = 1e6;

/** The measurements of one case at one size as lines of cells; shared by the terminal and RESULTS.md. */
export function rowsOf(measured) {
  return measured.commands.map((command) => [
    command.name,
    milliseconds(command.median_ms),
    `${milliseconds(command.min_ms)} – ${milliseconds(command.max_ms)}`,
    command.cpu_ms === null ? '' : milliseconds(command.cpu_ms),
    ratio(measured.ratios[command.name]),
    ratio(measured.cpu_ratios[command.name]),
    command.peak_mb === null ? '' : command.peak_mb.toFixed(0),
    goalText(measured.goals.filter(({ rival }) => (rival ?? 'lakelog') === command.name)),
  ]);
}

export const HEADINGS = [
  'command',
  'median',
  'min – max',
  'cpu',
  'lakelog / it',
  'cpu / its',
  'peak MB',
  'goal',
];

export function titleOf({ case: name, size, log }) {
  if (!log) return name;
  return `${name}, ${size}: ${log.calls.toLocaleString('en')} calls, ${(log.bytes / MEGABYTE).toFixed(1)} MB`;
}

export function tableText(measured) {
  return `${titleOf(measured)}\n${aligned([HEADINGS, ...rowsOf(measured)])}`;
}

export function aligned(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, i) => cell.padEnd(widths[i]))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function milliseconds(ms) {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

/** Of lakelog itself there is none, and none of CPU time without GNU time. */
function ratio(value) {
  return value === undefined || value === null ? '' : value.toFixed(2);
}

function goalText(goals) {
  return goals.map((goal) => `${limitText(goal)} ${goal.met ? 'met' : 'MISSED'}`).join(', ');
}
