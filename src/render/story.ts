import type { Story, StoryEvent } from '../schema/story.js';
import { webAddress } from './address.js';
import { instant } from './display.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { callLines } from './story-call.js';
import { flow, INDENT, type Pen, paragraph, penOf } from './story-lines.js';
import { runLines } from './story-run.js';
import { plural } from './units.js';

/** The story of a trace for people, events in time order. Ids, paths and addresses are never broken. */
export function renderStory(story: Story, style: Style): string {
  const pen = penOf(style);
  const parts = [
    [...heading(story, style, pen), ...overview(story, pen)],
    ...story.events.map((event) => [...title(event, pen), ...told(event, story.show_content, pen)]),
    ...(story.show_content ? [] : [paragraph(LEFT_OUT, '', pen, pen.paint.faint)]),
  ];
  return parts.map((lines) => lines.map((line) => `${line}\n`).join('')).join('\n');
}

const LEFT_OUT = 'Prompts and outputs are left out; --show-content loads them.';

function heading({ session_id, trace_url }: Story, style: Style, { paint }: Pen): string[] {
  const id = paint.strong(sanitize(session_id));
  if (trace_url === null) return [`Trace ${id}`];
  const address = webAddress(trace_url);
  if (style.hyperlinks === true && address !== null) return [`Trace ${hyperlink(address, id)}`];
  return [`Trace ${id}`, sanitize(trace_url)];
}

// https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
function hyperlink(address: string, text: string): string {
  return `\x1b]8;;${address}\x1b\\${text}\x1b]8;;\x1b\\`;
}

function overview({ events }: Story, pen: Pen): string[] {
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) return ['(nothing is recorded of it)'];
  const calls = events.filter((event) => event.event === 'call');
  const violations = calls.reduce((total, call) => total + call.violations.length, 0);
  const [from, to] = [instant(first.timestamp), instant(last.timestamp)];
  const counts = [
    plural(calls.length, 'call'),
    plural(events.length - calls.length, 'replay run'),
    from === to ? from : `${from} to ${to}`,
  ];
  return [
    ...paragraph(counts.join(', '), '', pen),
    ...(violations === 0 ? [] : [pen.paint.bad(plural(violations, 'violation'))]),
  ];
}

function title(event: StoryEvent, pen: Pen): string[] {
  const words = event.event === 'call' ? ['call', event.kind, event.model] : ['replay run', event.run_id];
  const [first = '', ...rest] = flow([instant(event.timestamp), ...words.map(sanitize)], '', INDENT, pen);
  return [pen.paint.strong(first), ...rest];
}

function told(event: StoryEvent, showContent: boolean, pen: Pen): string[] {
  return event.event === 'call' ? callLines(event, showContent, pen) : runLines(event, showContent, pen);
}
