import type { StoryAttempt, StoryCall } from '../schema/story.js';
import { instant } from './display.js';
import type { Paint } from './paint.js';
import { sanitize } from './sanitize.js';
import { artifactOf, attemptContent, promptOf } from './story-content.js';
import { DEEPER, fact, flow, INDENT, item, listed, named, type Pen, paragraph } from './story-lines.js';
import { duration, grouped, plural, tokens } from './units.js';

/** A call below its title: where it stands, what it broke, its facts, its attempts. */
export function callLines(call: StoryCall, showContent: boolean, pen: Pen): string[] {
  const { file, line, attempts } = call;
  return [
    ...standing(call, pen),
    `${INDENT}${sanitize(file)}:${line}`,
    ...violations(call, pen),
    ...phantoms(call, pen),
    ...facts(call, pen),
    ...(showContent ? promptOf(call, pen) : []),
    '',
    ...doubts(call, pen),
    ...attempts.flatMap((attempt, i) => [
      ...(showContent && i > 0 ? [''] : []),
      ...attemptLines(attempt, Math.max(call.iterations, attempts.length), pen),
      ...(showContent ? attemptContent(attempt, attempts.slice(0, i), call, pen) : []),
    ]),
    ...(showContent ? artifactOf(call, pen) : []),
  ];
}

interface Standing {
  readonly words: string;
  readonly brush: keyof Paint;
  readonly meaning?: string;
}

function standing(call: StoryCall, pen: Pen): string[] {
  const { words, brush, meaning } = standingOf(call);
  return [
    ...paragraph(words, INDENT, pen, pen.paint[brush]),
    ...(meaning === undefined ? [] : paragraph(meaning, INDENT, pen)),
  ];
}

function standingOf(call: StoryCall): Standing {
  const { final_verdict, gated, grounded_in_roster: grounded, roster_check } = call;
  const stamp = grounded === null ? 'grounding not checked' : grounded ? 'grounded' : 'NOT grounded';
  if (final_verdict !== 'accepted') {
    const stamped = grounded === null ? '' : `, stamped ${stamp}`;
    return { words: `${sanitize(final_verdict)}: nothing was accepted${stamped}`, brush: 'doubtful' };
  }
  if (!gated) {
    return { words: `accepted, kind not gated, ${stamp}`, brush: grounded === false ? 'doubtful' : 'strong' };
  }
  if (grounded === true) return checked(call);
  if (grounded === null && roster_check === 'right') {
    return { words: 'accepted, gated, not stamped; the roster has every worker', brush: 'good' };
  }
  return grounded === false || roster_check === 'wrong'
    ? {
        words: `accepted, gated, NOT grounded${grounded === null ? ' (not stamped)' : ''}`,
        brush: 'bad',
        meaning: 'It names a worker who is not in the roster: something bypassed the validator.',
      }
    : {
        words: 'accepted, gated, grounding NOT CHECKED',
        brush: 'doubtful',
        meaning: 'Nobody compared its workers with the roster, so nothing is known of them.',
      };
}

/** What the roster says of a stamp of true. */
function checked({ roster_check }: StoryCall): Standing {
  if (roster_check === 'wrong') {
    return {
      words: 'accepted, gated, stamped grounded, CONTRADICTED by the roster',
      brush: 'bad',
      meaning: 'It names a worker whom the roster lacks: the check that stamps is broken or was bypassed.',
    };
  }
  const why = roster_check === null ? undefined : UNCHECKED[roster_check];
  return why === undefined
    ? {
        words: `accepted, gated, grounded${roster_check === null ? '' : ', as the roster says'}`,
        brush: 'good',
      }
    : { words: 'accepted, gated, stamped grounded, NOT CHECKED', brush: 'doubtful', meaning: why };
}

const UNCHECKED: Readonly<Record<string, string>> = {
  not_at_hand: 'The roster that it was stamped by is not at hand.',
  hashed: 'Its worker ids are hashed, so that nobody can look them up.',
  unread: 'Its artifact is too large, or has a member twice: whom it names cannot be told.',
  nobody: 'It names nobody who could be looked up.',
};

function phantoms({ phantoms }: StoryCall, pen: Pen): string[] {
  return phantoms.flatMap(({ worker, named_in, standing }, i) => {
    const why = standing === null ? 'not in the roster' : 'in the roster, not active';
    const where = named_in === 'ids' ? '' : '; the artifact names it, proposed_worker_ids does not';
    return fact(i === 0 ? 'phantom' : '', `${sanitize(worker)}: ${why}${where}`, pen, pen.paint.bad);
  });
}

function violations({ violations, acknowledged }: StoryCall, pen: Pen): string[] {
  const settled = new Set(acknowledged.map(({ gate }) => gate));
  return [
    ...violations.flatMap(({ gate, value }) => {
      const broken = `${sanitize(gate)}: ${sanitize(value)}`;
      return settled.has(gate)
        ? fact('violates', broken, pen)
        : fact('violates', `${broken}, not acknowledged`, pen, pen.paint.bad);
    }),
    ...acknowledged.flatMap(({ gate, author, at, expires, reason }) => {
      const limit = expires === null ? 'without end' : `until ${sanitize(expires)}`;
      const who = `${sanitize(gate)}, by ${sanitize(author)} at ${instant(at)}, ${limit}`;
      return [...fact('acked', who, pen), ...fact('', sanitize(reason), pen)];
    }),
  ];
}

function facts(call: StoryCall, pen: Pen): string[] {
  const { model, response_model, proposed_worker_ids: workers } = call;
  const answered = response_model === model ? null : named('answered as', response_model);
  const versions = [
    named('prompt', call.prompt_version),
    named('validator', call.validator_version),
    named('roster', call.roster_hash),
  ];
  return [
    ...listed('service', [call.daemon, call.environment], pen),
    ...listed('provider', [call.provider, answered], pen),
    ...listed('versions', versions, pen),
    ...listed('took', [call.duration_ms === null ? null : duration(call.duration_ms), tries(call)], pen),
    ...listed('error', [call.error_type, call.error], pen),
    ...listed('workers', workers?.length === 0 ? ['none named'] : (workers ?? []), pen),
    ...(call.call_id ? listed('call id', [call.call_id], pen) : listed('call key', [call.call_key], pen)),
  ];
}

function tries({ iterations, max_iterations }: StoryCall): string {
  if (max_iterations === null) return plural(iterations, 'attempt');
  return `${grouped(iterations)} of at most ${plural(max_iterations, 'attempt')}`;
}

/** What stands between the record and its attempts. */
function doubts({ iterations, attempts, inconsistent }: StoryCall, pen: Pen): string[] {
  const doubt = (text: string) => paragraph(text, INDENT, pen, pen.paint.doubtful);
  const made = `${plural(iterations, 'attempt')} made`;
  if (attempts.length === 0) {
    return iterations === 0
      ? paragraph('No attempt was made.', INDENT, pen)
      : doubt(`${made}, none recorded: what was rejected, and why, is not known.`);
  }
  if (attempts.length !== iterations) {
    return doubt(`Inconsistent: ${made} by its own count, ${attempts.length} recorded.`);
  }
  return inconsistent ? doubt('Inconsistent: an attempt is not understood (verdict other).') : [];
}

function attemptLines(attempt: StoryAttempt, of: number, pen: Pen): string[] {
  const { attempt_number, reasons, span_id, finish_reason, duration_ms, error } = attempt;
  const verdict = sanitize(attempt.verdict);
  const heading = `${INDENT}attempt ${attempt_number} of ${of}`;
  const pieces = [
    `${heading}  ${verdict}`,
    duration_ms === null ? '' : duration(duration_ms),
    tokens(attempt),
    // Every end of an answer other than its own is worth a look.
    finish_reason === null || finish_reason === 'stop' ? '' : `finish ${sanitize(finish_reason)}`,
    span_id === null ? '' : `span ${sanitize(span_id)}`,
  ].filter((piece) => piece !== '');
  const [first = '', ...rest] = flow(pieces, '', DEEPER, pen);
  const brush = attempt.verdict === 'accepted' ? pen.paint.good : pen.paint.doubtful;
  const after = first.slice(heading.length + 2 + verdict.length);
  return [
    `${pen.paint.strong(heading)}  ${brush(verdict)}${after}`,
    ...rest,
    ...(error === null || error === '' ? [] : item(`error: ${sanitize(error)}`, pen)),
    ...reasons.flatMap((reason) => item(sanitize(reason), pen)),
    ...(attempt.verdict === 'rejected' && reasons.length === 0 ? item('(no reason recorded)', pen) : []),
  ];
}
