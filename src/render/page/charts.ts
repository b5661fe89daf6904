/** Charts of the page as SVG, drawn without a browser. No style of theirs is inline: the page allows none. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Cell, Result } from '../../schema/result.js';
import { display } from '../display.js';
import { isInterval, rateIn } from '../fields.js';
import { clip } from '../wrap.js';

export type Drawing = 'intervals' | 'trend' | 'bars';

/** What changed on a day, marked on a trend by its number. */
export interface Mark {
  readonly day: string;
  readonly text: string;
}

/** @param label what the chart shows, for who cannot see it; its table tells the rest. */
export function drawChart(
  result: Result,
  drawing: Drawing,
  label: string,
  marks: readonly Mark[] = [],
): string {
  // Text of a scaled chart would be too small on a telephone.
  return [720, 330]
    .map((width) => {
      const svg = { intervals, trend, bars }[drawing](pointsOf(result, charsIn(width)), width, marks);
      return `<div class="chart ${width > 500 ? 'wide' : 'narrow'}">${withLabel(svg, label)}</div>`;
    })
    .join('');
}

interface Point {
  readonly label: string;
  /** The first name: of a trend the day. */
  readonly group: string;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

/** Of a label above a bar: most letters of 12 pixels are narrower than 6.8. */
const charsIn = (width: number) => Math.floor((width - 44) / 6.8);

function pointsOf({ columns, rows }: Result, most: number): Point[] {
  const { at, names } = rateIn(columns);
  return rows.flatMap((row) => {
    const rate = row[at];
    if (typeof rate !== 'number') return [];
    const end = (cell: Cell | undefined) => (typeof cell === 'number' ? cell : rate);
    const ends = isInterval(columns, at) ? [row[at + 1], row[at + 2]] : [];
    const words = names.map((i) => display(row[i], columns[i]!));
    return [
      {
        label: clip(words.join(' · '), most),
        group: words[0] ?? '',
        rate,
        low: end(ends[0]),
        high: end(ends[1]),
      },
    ];
  });
}

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** As much of the DOM as is used here; its types would make globals of a browser known everywhere. */
interface Svg {
  readonly outerHTML: string;
  querySelectorAll(selector: string): Iterable<Svg>;
  remove(): void;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
}

const plot = (options: Plot.PlotOptions): Svg =>
  Plot.plot({ ...options, document } as never) as unknown as Svg;
const INK = 'currentColor';
const ACCENT = 'var(--accent)';
const SOFT = 'var(--soft)';
const percentAxis = {
  percent: true,
  label: null,
  grid: true,
  tickFormat: (value: number) => `${value} %`,
} as const;
const WHOLE = { domain: [0, 100], clamp: true };

interface Lines {
  readonly x: Plot.ScaleOptions;
  readonly y?: Plot.ScaleOptions;
  /** Pixels from a line to its name. */
  readonly lift: number;
  readonly marks: (rows: readonly (Point & { readonly row: string })[]) => Plot.Markish[];
}

/** A line for each point, with its name above it, so that long ones cost no room. */
function lines(points: readonly Point[], width: number, { x, y, lift, marks }: Lines): Svg {
  const rows = points.map((point, i) => ({ ...point, row: String(i) }));
  const name = { text: 'label', dy: -lift, textAnchor: 'start', fill: INK, fontSize: 12 } as const;
  return plot({
    width,
    height: 34 * rows.length + 40,
    marginLeft: 22,
    marginRight: 22,
    x: { ...percentAxis, ...x },
    y: { domain: rows.map(({ row }) => row), axis: null, ...y },
    marks: [...marks(rows), Plot.text(rows, { x: 0, y: 'row', ...name })],
  });
}

function intervals(points: readonly Point[], width: number): Svg {
  return lines(points, width, {
    x: WHOLE,
    lift: 14,
    marks: (rows) => [
      Plot.link(rows, { x1: 'low', x2: 'high', y: 'row', stroke: SOFT, strokeWidth: 8 }),
      Plot.dot(rows, { x: 'rate', y: 'row', r: 5, fill: ACCENT }),
    ],
  });
}

function trend(points: readonly Point[], width: number, marks: readonly Mark[]): Svg {
  const days = points.map((point) => ({ ...point, day: new Date(`${point.group}T00:00:00Z`) }));
  // A change before what is drawn would pull the axis back to it.
  const changes = marks
    .map(({ day }, i) => ({ day: new Date(`${day}T00:00:00Z`), text: String(i + 1) }))
    .filter(({ day }) => days[0] !== undefined && day >= days[0].day);
  return plot({
    width,
    height: 260,
    marginLeft: 44,
    marginTop: 28,
    marginRight: 22,
    x: { type: 'utc', label: null, ticks: width > 500 ? 8 : 4 },
    y: { ...percentAxis, ...WHOLE },
    marks: [
      Plot.areaY(days, { x: 'day', y1: 'low', y2: 'high', fill: SOFT, fillOpacity: 0.6 }),
      Plot.lineY(days, { x: 'day', y: 'rate', stroke: ACCENT, strokeWidth: 2 }),
      Plot.dot(days, { x: 'day', y: 'rate', r: 2.5, fill: ACCENT }),
      Plot.ruleX(changes, { x: 'day', stroke: INK, strokeDasharray: '3,3' }),
      Plot.text(changes, { x: 'day', text: 'text', frameAnchor: 'top', dy: -14, fill: INK, fontSize: 11 }),
    ],
  });
}

function bars(points: readonly Point[], width: number): Svg {
  const most = Math.max(...points.map(({ rate }) => rate), 0.01) * 100;
  return lines(points, width, {
    x: { domain: [0, most] },
    y: { padding: 0.6 },
    lift: 10,
    marks: (rows) => [Plot.barX(rows, { x: 'rate', y: 'row', fill: ACCENT, insetTop: 6 })],
  });
}

/** An image to who listens, with one sentence; its parts say nothing. */
function withLabel(svg: Svg, label: string): string {
  for (const style of svg.querySelectorAll('style')) style.remove();
  svg.removeAttribute('class');
  for (const part of svg.querySelectorAll('[aria-label], [aria-hidden]')) {
    part.removeAttribute('aria-label');
    part.removeAttribute('aria-hidden');
  }
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.setAttribute('focusable', 'false');
  return svg.outerHTML;
}
