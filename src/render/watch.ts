/** A line per call as it comes, and per line that cannot be loaded; what breaks a gate stands out. */
import type { ArrivedCall, ArrivedReject } from '../schema/account.js';
import type { StoryCall } from '../schema/story.js';
import { encode } from './json.js';
import { columns, padded } from './measure.js';
import { type Paint, paintFor } from './paint.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { clip, cut, cutStart } from './wrap.js';

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
  return events.map((event) => linesOf(piecesOf(event, clock, paint), style.width)).join('');
}

/** What most need; on a terminal a longer one is clipped, and elsewhere moves what stands behind it. */
const WIDTHS = [8, 17, 8, 16];
const GAP = '  ';
/** Of a trace, that `show` may know it by its beginning. */
const LEAST_ID = 9;
/** What says more about a line stands below its outcome. */
const INDENT = ' '.repeat(WIDTHS[0]! + GAP.length);

type Brush = (text: string) => string;

interface Pieces {
  readonly cells: readonly string[];
  readonly brushes: readonly (Brush | undefined)[];
  /** The trace, where there is one, and FILE:LINE. */
  readonly id: string;
  readonly place: string;
  /** What is wrong with it. */
  readonly says: string;
}

const joined = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(GAP);

/** On a terminal one line, or two where what is wrong with it would not leave room for where it stands. */
function linesOf({ cells, brushes, id, place, says }: Pieces, width: number | null): string {
  const inColumns = cells.map((cell, i) =>
    padded(width === null ? cell : clip(cell, WIDTHS[i]!), WIDTHS[i]!),
  );
  const shown = inColumns.map((cell, i) => brushes[i]?.(cell) ?? cell).join(GAP) + GAP;
  const whole = joined(says, id, place);
  const room =
    width === null ? Number.POSITIVE_INFINITY : Math.max(width - columns(inColumns.join(GAP) + GAP), 1);
  if (columns(whole) <= room) return `${shown}${whole}\n`;
  const free = room - columns(joined(says, place)) - GAP.length;
  if (id !== '' && free >= LEAST_ID) return `${shown}${joined(says, cut(id, free), place)}\n`;
  const placed = cut(id, Math.max(LEAST_ID, room - columns(place) - GAP.length));
  const end =
    id === ''
      ? cutStart(place, room)
      : joined(placed, cutStart(place, Math.max(1, room - columns(placed) - GAP.length)));
  if (says === '') return `${shown}${end}\n`;
  return `${shown}${end}\n${INDENT}${clip(says, Math.max(1, width! - INDENT.length))}\n`;
}

function piecesOf(event: WatchEvent, clock: Intl.DateTimeFormat, paint: Paint): Pieces {
  if (event.event === 'reject') {
    const { file, line, detail, reason } = event.reject;
    return {
      cells: ['', 'cannot be loaded'],
      brushes: [undefined, paint.bad],
      ...{ id: '', place: sanitize(`${file}:${line}`), says: sanitize(detail || reason) },
    };
  }
  const { call, violations } = event;
  const found = violations.map(({ gate, value }) => `${gate}: ${value}`).join(', ');
  const [what, brush] = outcome(call, found !== '', paint);
  return {
    cells: [timeOf(call, clock), what, sanitize(call.kind), sanitize(call.model)],
    brushes: [paint.faint, brush],
    id: sanitize(call.session_id),
    place: sanitize(`${call.file}:${call.line}`),
    says: sanitize(joined(found, call.error ?? '')),
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
