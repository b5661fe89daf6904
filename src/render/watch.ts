/** A line per call as it comes, and per line that cannot be loaded; what breaks a gate stands out. */
import type { ArrivedCall, ArrivedReject } from '../schema/account.js';
import type { StoryCall } from '../schema/story.js';
import { encode } from './json.js';
import { columns, padded } from './measure.js';
import { type Paint, paintFor } from './paint.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { clip } from './wrap.js';

/** What is told of a log that is followed. */
export type WatchEvent =
  | {
      readonly event: 'call';
      readonly call: ArrivedCall;
      readonly violations: readonly StoryCall['violations'][number][];
    }
  | { readonly event: 'reject'; readonly reject: ArrivedReject };

export function renderWatchJson(events: readonly WatchEvent[]): string {
  return events
    .map((event) => {
      const told =
        event.event === 'call' ? { ...event.call, violations: event.violations } : { ...event.reject };
      return `${encode({ format: 'lakelog.watch.v1', event: event.event, ...told })}\n`;
    })
    .join('');
}

/** @param tz of the clock. */
export function renderWatch(events: readonly WatchEvent[], tz: string, style: Style): string {
  const paint = paintFor(style);
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: tz, timeStyle: 'medium' });
  return events
    .map((event) => {
      const { cells, brushes, rest } = piecesOf(event, clock, paint);
      const inColumns = cells.map((cell, i) => padded(cell, WIDTHS[i]!));
      const before = columns(inColumns.join(GAP) + GAP);
      const shown = inColumns.map((cell, i) => brushes[i]?.(cell) ?? cell).join(GAP);
      // On a terminal a call is a line.
      const end = style.width === null ? rest : clip(rest, Math.max(style.width - before, 1));
      return `${shown}${GAP}${end}\n`;
    })
    .join('');
}

/** What most need; a longer one moves what stands behind it. */
const WIDTHS = [8, 17, 8, 16];
const GAP = '  ';

type Brush = (text: string) => string;

interface Pieces {
  readonly cells: readonly string[];
  readonly brushes: readonly (Brush | undefined)[];
  /** Behind the columns: the trace and where it stands, or what is wrong. */
  readonly rest: string;
}

function piecesOf(event: WatchEvent, clock: Intl.DateTimeFormat, paint: Paint): Pieces {
  if (event.event === 'reject') {
    const { file, line, detail, reason } = event.reject;
    return {
      cells: ['', 'cannot be loaded', '', ''],
      brushes: [undefined, paint.bad],
      rest: sanitize(`${file}:${line}  ${detail || reason}`),
    };
  }
  const { call, violations } = event;
  const found = violations.map(({ gate, value }) => `${gate}: ${value}`).join(', ');
  const [what, brush] = outcome(call, found !== '', paint);
  const place = `${call.session_id}  ${call.file}:${call.line}`;
  return {
    cells: [timeOf(call, clock), what, sanitize(call.kind), sanitize(call.model)],
    brushes: [paint.faint, brush],
    rest: sanitize([found, call.error ?? '', place].filter((one) => one !== '').join('  ')),
  };
}

function outcome(
  { final_verdict, iterations }: ArrivedCall,
  isViolation: boolean,
  paint: Paint,
): [string, Brush] {
  const times = iterations === 1 ? 'at once' : `in ${iterations}`;
  if (isViolation) return [`VIOLATION ${times}`, paint.bad];
  if (final_verdict === 'accepted') return [`accepted ${times}`, paint.good];
  if (final_verdict === 'infra_error') return ['infra error', paint.faint];
  return [`exhausted in ${iterations}`, paint.doubtful];
}

/** An instant that no clock of JavaScript shows is left as it is. */
function timeOf({ timestamp }: ArrivedCall, clock: Intl.DateTimeFormat): string {
  const time = Date.parse(timestamp);
  return Number.isNaN(time) ? timestamp : clock.format(time);
}
