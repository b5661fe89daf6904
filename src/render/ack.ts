import { type AckLine, type Entry, hashOf, placeOfAck, type Said } from '../schema/ack.js';
import { rangeText } from '../schema/gap.js';
import { instant } from './display.js';
import { encode } from './json.js';
import { paintFor } from './paint.js';
import { hanging } from './paragraph.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';
import { plural } from './units.js';

type Who = Pick<Said, 'author' | 'at' | 'expires' | 'reason'>;

/**
 * What was settled, by whom, until when and why, and where that is written down.
 * @param already what of it stood there before.
 */
export function renderAck(
  acks: readonly AckLine[],
  already: readonly Entry[],
  file: string,
  style: Style,
): string {
  const settled = acks.flatMap((ack) => [
    ...hanging(`settled: ${sanitize(whole(ack))}`, '  ', style.width),
    `  at ${sanitize(placeOfAck(ack))}`,
  ]);
  const first = acks.slice(0, 1).flatMap((ack) => [...said(ack, style), written(file)]);
  return text([...settled, ...first, ...settledBefore(already, file, style)]);
}

function settledBefore(already: readonly Entry[], file: string, style: Style): string[] {
  const shown = already
    .slice(0, FEW)
    .flatMap(({ ack, line }) => [
      ...hanging(`settled already: ${sanitize(whole(ack))}`, '  ', style.width),
      `  in ${sanitize(file)}:${line}`,
      ...said(ack, style),
    ]);
  const more = already.length - FEW;
  return more > 0 ? [...shown, `${more} more of it are settled already`] : shown;
}

/** All lines that were settled in one step. */
export interface Baseline extends Who {
  readonly file: string;
  readonly rejects: readonly (readonly [reason: string, count: number])[];
  readonly conflicts: number;
  /** Numbers of writers that no record has. */
  readonly missing: number;
  /** How many had been settled before. */
  readonly before: number;
  /** What nothing settles. */
  readonly left: { readonly count: number; readonly first: string } | null;
  /** Files that only their own names settle. */
  readonly changed: readonly string[];
}

const FEW = 5;

export function renderBaseline(baseline: Baseline, style: Style): string {
  const { rejects, conflicts, missing, before, left, changed, file } = baseline;
  const lines = rejects.reduce((sum, [, count]) => sum + count, 0);
  const named = rejects.slice(0, FEW).map(([reason, count]) => `${count} × ${reason}`);
  const reasons = [...named, ...(rejects.length > FEW ? [`${rejects.length - FEW} more reasons`] : [])].join(
    ', ',
  );
  const what = [
    ...(lines === 0 ? [] : [`${plural(lines, 'rejected line')} (${sanitize(reasons)})`]),
    ...(conflicts === 0 ? [] : [`${plural(conflicts, 'conflicting record')}`]),
    ...(missing === 0 ? [] : [`${plural(missing, 'missing record')} of writers that number theirs`]),
  ];
  const wrapped = (sentence: string) => hanging(sentence, '  ', style.width);
  const rest = [
    ...(before === 0 ? [] : wrapped(`  ${before} more had been settled before`)),
    ...(left === null
      ? []
      : wrapped(
          `  not settled: ${plural(left.count, 'line')} with an unknown schema, which could be anything, first ${sanitize(left.first)}`,
        )),
    ...changed.flatMap((one) =>
      wrapped(
        `  not settled: ${sanitize(one)} was changed where it had been read, which is settled by its name`,
      ),
    ),
  ];
  if (what.length === 0)
    return text(['nothing to settle: no line is in the way of a gate that could be', ...rest]);
  return text([
    ...wrapped(`settled: ${what.join(' and ')}`),
    ...said(baseline, style),
    ...rest,
    written(file),
  ]);
}

/** An acknowledgement with what became of it. */
export interface AckState {
  readonly entry: Entry;
  readonly state: 'holds' | 'expired' | 'matches nothing' | 'not read' | 'replaced';
  readonly replacedBy: Entry | null;
  readonly match: unknown;
  /** FILE:LINE where it stood, as its file is called from the working folder. */
  readonly place: string;
}

/** All of them, each with its number, the beginning of its hash, and whether it still settles something. */
export function renderAckList(states: readonly AckState[], asJson: boolean, style: Style): string {
  if (asJson) {
    const objects = states.map(({ entry: { ack, line: number }, state }) =>
      encode({ number, state, ...ack }),
    );
    return `[${objects.join(',')}]\n`;
  }
  const room = Math.max(0, ...states.map(({ entry }) => String(entry.line).length));
  const indent = ' '.repeat(room + 2);
  const paint = paintFor(style);
  return text(
    states.flatMap((one) => {
      const { entry, place } = one;
      const hash = hashOf(entry.ack);
      const words = stateOf(one);
      const brush = one.state === 'holds' ? paint.good : paint.doubtful;
      const [first = '', ...rest] = hanging(
        `${words}: ${sanitize(whole(entry.ack))}`,
        indent,
        style.width === null ? null : style.width - indent.length,
      );
      return [
        `${String(entry.line).padStart(room)}  ${brush(words)}${first.slice(words.length)}`,
        ...rest,
        `${indent}at ${sanitize(place)}${hash === null ? '' : `, hash ${hash.slice(0, 12)}`}`,
        ...hanging(`${indent}${who(entry.ack)}`, indent, style.width),
      ];
    }),
  );
}

function stateOf({ state, replacedBy }: AckState): string {
  if (state === 'not read') return 'its log was not read';
  return state === 'replaced' && replacedBy !== null ? `replaced by ${replacedBy.line}` : state;
}

/** What was taken out of the file. */
export function renderRemoved(removed: readonly Entry[], file: string, style: Style): string {
  if (removed.length === 0) return text([`nothing to take out of ${sanitize(file)}`]);
  return text([
    ...removed.flatMap(({ ack, line }) => [
      ...hanging(`taken out: ${line}, ${sanitize(whole(ack))}`, '  ', style.width),
      ...hanging(`  ${who(ack)}`, '  ', style.width),
    ]),
    `  of ${sanitize(file)}`,
  ]);
}

/** What is settled, with all that it is known by. */
function whole(ack: AckLine): string {
  switch (ack.what) {
    case 'call': {
      const stamp = { true: 'grounded', false: 'NOT grounded', null: 'not checked' }[
        `${ack.grounded_in_roster}`
      ];
      return `call ${ack.call_key} (${ack.kind}, ${ack.final_verdict}, ${stamp}, ${instant(ack.timestamp)}) in gate ${ack.gate}`;
    }
    case 'reject':
      return `rejected line (${ack.reject_reason})`;
    case 'conflict':
      return `record that shares the call_id ${ack.call_id}`;
    case 'hole':
      return `seq ${rangeText({ from: ack.from_seq, to: ack.to_seq })} missing from writer ${JSON.stringify(ack.writer_id)}`;
    case 'changed_file':
      return `changed file, now ${ack.head_sha256.slice(0, 12)}`;
    case 'drift':
      return `fall of the ${ack.metric} (${ack.selection}): a new epoch begins at ${instant(ack.changed_at)}`;
  }
}

function said(ack: Who, style: Style): string[] {
  return hanging(`  ${who(ack)}`, '  ', style.width);
}

function who({ author, at, expires, reason }: Who): string {
  return `by ${sanitize(author)} on ${at.slice(0, 10)}, ${limit(expires)}: ${sanitize(reason)}`;
}

function limit(expires: string | null): string {
  if (expires === null) return 'until it no longer matches';
  return expires.length > 10 ? `until ${instant(expires)}` : `until the end of ${expires} (UTC)`;
}

const written = (file: string) => `  written to ${sanitize(file)}`;

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
