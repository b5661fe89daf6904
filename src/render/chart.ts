/** Rates as bars with their intervals, and over time as sparklines: what a table shows, for who looks. */
import type { Cell, Column, Result } from '../schema/result.js';
import { display, interval, NULL } from './display.js';
import { isInterval, rateIn } from './fields.js';
import { padded, columns as widthOf } from './measure.js';
import { paintFor } from './paint.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { clip } from './wrap.js';

/** What is drawn of a row: a rate, and the ends of its interval where it has one. */
interface Drawn {
  readonly rate: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly text: string;
}

/** Columns that a result may be grouped by and that follow one another. */
const TIMES: ReadonlySet<string> = new Set(['hour', 'day', 'week', 'month']);

/** @returns '' where nothing can be drawn: there is no rate, or no row. */
export function renderChart(result: Result, style: Style): string {
  const { columns, rows } = result;
  const { at, names: all } = rateIn(columns);
  if (at < 0 || rows.length === 0) return '';
  const time = columns.findIndex(({ name }, i) => i < at && TIMES.has(name));
  const names = all.filter((i) => i !== time);
  const labelOf = (row: readonly Cell[]) => names.map((i) => display(row[i], columns[i]!)).join(' · ');
  const drawnOf = (row: readonly Cell[]) => drawn(columns, row, at);
  const title = sanitize(columns[at]!.label ?? columns[at]!.name);
  return time < 0
    ? bars(
        title,
        rows.map((row) => ({ label: labelOf(row), drawn: drawnOf(row) })),
        style,
      )
    : sparklines(
        title,
        rows.map((row) => ({
          label: labelOf(row),
          time: display(row[time], columns[time]!),
          drawn: drawnOf(row),
        })),
        style,
      );
}

function drawn(columns: readonly Column[], row: readonly Cell[], at: number): Drawn | null {
  const rate = row[at];
  if (typeof rate !== 'number') return null;
  if (!isInterval(columns, at)) return { rate, low: null, high: null, text: display(rate, columns[at]!) };
  const [low, high] = [row[at + 1], row[at + 2]];
  const end = (value: Cell | undefined) => (typeof value === 'number' ? value : null);
  return { rate, low: end(low), high: end(high), text: interval(rate, low, high) };
}

/** Signs of one column each, and what stands for them in another encoding. */
const signs = ({ ascii }: Style) =>
  ascii
    ? { sure: '#', likely: '=', possible: '-', levels: '_.,-~+*#'.split('') }
    : { sure: '█', likely: '▓', possible: '░', levels: '▁▂▃▄▅▆▇█'.split('') };

const USUAL_WIDTH = 100;
const LEAST_BAR = 10;

interface Bar {
  readonly label: string;
  readonly drawn: Drawn | null;
}

function bars(title: string, all: readonly Bar[], style: Style): string {
  const width = style.width ?? USUAL_WIDTH;
  const texts = Math.max(...all.map((bar) => widthOf(bar.drawn?.text ?? NULL)));
  const labels = Math.min(Math.max(...all.map(({ label }) => widthOf(label))), width - texts - LEAST_BAR - 4);
  const room = Math.min(Math.max(width - labels - texts - 4, LEAST_BAR), 50);
  const hasInterval = all.some((bar) => bar.drawn?.low != null);
  const sign = signs(style);
  const paint = paintFor(style);
  const lines = all.map(({ label, drawn: one }) => {
    const head = padded(clip(label, Math.max(labels, 1)), labels);
    return `${head}  ${one ? barOf(one, room, sign) : ' '.repeat(room)}  ${one?.text ?? NULL}`.trimEnd();
  });
  const legend = `${sign.sure} at least, ${sign.likely} the rate, ${sign.possible} at most (95 %)`;
  return [paint.strong(title), ...lines, ...(hasInterval ? [paint.faint(legend)] : []), ''].join('\n');
}

function barOf({ rate, low, high }: Drawn, room: number, sign: ReturnType<typeof signs>): string {
  const cells = (value: number) => Math.round(Math.min(Math.max(value, 0), 1) * room);
  // Of somebody's own question an interval may be anything.
  const [from = 0, to = 0, end = 0] = [low ?? rate, rate, high ?? rate].map(cells).sort((a, b) => a - b);
  return padded(
    sign.sure.repeat(from) + sign.likely.repeat(to - from) + sign.possible.repeat(end - to),
    room,
  );
}

interface Point extends Bar {
  readonly time: string;
}

/** A line per group; a time without a rate is a gap. */
function sparklines(title: string, points: readonly Point[], style: Style): string {
  const width = style.width ?? USUAL_WIDTH;
  const times = [...new Set(points.map(({ time }) => time))].sort();
  const groups = [...new Set(points.map(({ label }) => label))];
  const labels = Math.min(Math.max(...groups.map(widthOf), 0), Math.floor(width / 3));
  const shown = times.slice(-Math.max(width - labels - 20, LEAST_BAR));
  const { levels } = signs(style);
  const paint = paintFor(style);
  const lines = groups.map((group) => {
    const rates = new Map(points.filter(({ label }) => label === group).map((one) => [one.time, one.drawn]));
    const line = shown.map((time) => levelOf(rates.get(time)?.rate, levels)).join('');
    const [first, last] = [
      shown.map((time) => rates.get(time)).find(Boolean),
      shown.map((time) => rates.get(time)).findLast(Boolean),
    ];
    const ends = first && last ? `${percent(first.rate)} → ${percent(last.rate)}` : NULL;
    return `${padded(clip(group, Math.max(labels, 1)), labels)}${labels > 0 ? '  ' : ''}${line}  ${ends}`;
  });
  const span = shown.length > 1 ? `${shown[0]} … ${shown.at(-1)}` : shown[0]!;
  const legend = `${levels[0]} 0 %, ${levels.at(-1)} 100 %; ${sanitize(span)}`;
  return [paint.strong(title), ...lines, paint.faint(legend), ''].join('\n');
}

const levelOf = (rate: number | undefined, levels: readonly string[]): string =>
  rate === undefined ? ' ' : levels[Math.min(Math.floor(rate * levels.length), levels.length - 1)]!;
const percent = (rate: number) => `${(100 * rate).toFixed(0)} %`;
