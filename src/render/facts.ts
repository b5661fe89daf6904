import { LATE_MINUTES, type LakeReceipt, type Receipt } from '../schema/result.js';
import { instant } from './display.js';
import { columns } from './measure.js';
import { sanitize } from './sanitize.js';
import { age, bytes, grouped, plural } from './units.js';
import { clip } from './wrap.js';

/** What a receipt says in a line each, lists cut to what fits `room` columns; lines that would say nothing are left out. */
export function facts(receipt: Receipt, room: number): [label: string, text: string][] {
  const { newest_record, newest_record_age_s, query, version, window } = receipt;
  const old = newest_record_age_s === null ? '' : `, ${age(newest_record_age_s)}`;
  const all: [string, string][] = [
    ['lake', lake(receipt)],
    ['judged', judged(receipt, room)],
    ['not gated', notGated(receipt, room)],
    ['roster', roster(receipt, room)],
    ['stamps', stamps(receipt)],
    ['calls', calls(receipt)],
    ['gaps', gaps(receipt, room)],
    ['traces', unknownTraces(receipt, room)],
    ['late', late(receipt)],
    ['epoch', epoch(receipt)],
    ['window', range(window)],
    ['newest', newest_record === null ? 'no record' : instant(newest_record) + old],
    ['heard of', heardOf(receipt, room)],
    ['canary', canaryText(receipt)],
    ['acked', acknowledged(receipt, room)],
    ...weaker(receipt),
    [
      'query',
      `${clip(sanitize(query.name), 30)} ${sanitize(query.sha256.slice(0, 12))}, lakelog ${sanitize(version)}`,
    ],
  ];
  return all.filter(([, text]) => text !== '');
}

function lake({ lake }: Receipt): string {
  if (!lake) return '';
  const { synced, last_sync, new_bytes, new_files, earlier_bytes, earlier_files } = lake;
  if (lake.hosts !== undefined) return folderFact(lake);
  const before = `${bytes(earlier_bytes)} of ${plural(earlier_files, 'file')} read before`;
  if (!synced)
    return `${before}, not looked at now; last sync ${last_sync === null ? 'never' : instant(last_sync)}`;
  const fresh = new_bytes === 0 ? 'nothing new' : `${bytes(new_bytes)} new in ${plural(new_files, 'file')}`;
  const rest = lake.not_looked_at.length === 0 ? '' : `, ${lake.not_looked_at.length} not looked at`;
  return earlier_bytes === 0 ? fresh : `${fresh}; ${before}, fingerprints unchanged${rest}`;
}

function folderFact({
  batches = 0,
  hosts = 0,
  earlier_bytes,
  earlier_files,
  last_sync,
}: LakeReceipt): string {
  const some = batches === 1 ? '1 batch' : `${grouped(batches)} batches`;
  const last = last_sync === null ? '' : `, published last ${instant(last_sync)}`;
  return `${some} of ${plural(hosts, 'host')}, ${bytes(earlier_bytes)} of ${plural(earlier_files, 'log')}${last}`;
}

/** Calls of gated kinds that were not judged were not accepted, or carry no stamp. */
function judged({ judged, gated_kinds, calls_selected, kinds_not_gated }: Receipt, room: number): string {
  // Each of several questions judged calls of its own.
  if (judged === null) return '';
  const calls = plural(judged, 'call');
  if (gated_kinds.length === 0) return calls;
  const gated = kinds_not_gated.reduce((rest, kind) => rest - kind.calls, calls_selected);
  return list(`${judged} of ${plural(gated, 'call')} of gated kinds: `, gated_kinds, room);
}

function roster({ recomputed }: Receipt, room: number): string {
  if (recomputed === null) return '';
  const { roster, from, hash, workers } = recomputed;
  const which = workers === null ? 'each call by its own' : plural(workers, 'worker');
  const id = hash === null ? '' : `, ${sanitize(hash.slice(0, 'sha256:'.length + 12))}`;
  const text = `${which}${id}, from ${sanitize(from)}: `;
  return text + clip(sanitize(roster), Math.max(room - text.length, SHORTEST_FILE));
}

/** Every outcome of a call that was looked up; what is most often 0 is left out then. */
function stamps({ recomputed }: Receipt): string {
  if (recomputed === null) return '';
  const { right, wrong, contradicted, not_at_hand, hashed, unread, nobody, other_roster } = recomputed;
  const rare: readonly (readonly [number, string])[] = [
    [hashed, 'with hashed ids'],
    [unread, 'not told by the artifact'],
    [nobody, 'naming nobody'],
  ];
  const seldom = rare.filter(([count]) => count > 0).map(([count, words]) => `, ${count} ${words}`);
  const others = other_roster === 0 ? '' : `, ${other_roster} of another roster`;
  return `${right} right, ${wrong} wrong, ${not_at_hand} not at hand${seldom.join('')}; ${contradicted} contradicted${others}`;
}

function notGated({ kinds_not_gated, gated_kinds }: Receipt, room: number): string {
  if (gated_kinds.length === 0) return '';
  const kinds = kinds_not_gated.map(
    ({ kind, calls }) => `${/\s/.test(kind) ? JSON.stringify(kind) : kind} ${calls}`,
  );
  return list('', kinds, room);
}

function calls(receipt: Receipt): string {
  const { calls_loaded, calls_selected, replay_runs_loaded, inconsistent, not_judgeable, conflicts } =
    receipt;
  const replays = replay_runs_loaded === 0 ? '' : `, ${plural(replay_runs_loaded, 'replay run')}`;
  const doubts = `${inconsistent} inconsistent, ${not_judgeable} not judgeable, ${conflicts} conflicts`;
  return `${calls_loaded} loaded${replays}, ${calls_selected} selected; ${doubts}`;
}

function heardOf({ expected }: Receipt, room: number): string {
  if (expected === null) return '';
  const text = `${expected.heard} of ${expected.named} who must be`;
  return `${text} (${clip(sanitize(expected.file), Math.max(room - text.length - 3, SHORTEST_FILE))})`;
}

const SHORTEST_FILE = 12;

/** Always there for a gate: what was silenced must be seen to be little. */
function acknowledged({ acknowledged }: Receipt, room: number): string {
  if (acknowledged === null) return '';
  const { calls, rejects, conflicts, missing, changed_files, drifts = 0, file } = acknowledged;
  const kinds = [
    [calls, 'call'],
    [rejects, 'reject'],
    [conflicts, 'conflict'],
    [missing, 'missing record'],
    [changed_files, 'changed file'],
    [drifts, 'drift'],
  ] as const;
  const named = kinds.flatMap(([count, noun]) => (count > 0 ? [plural(count, noun)] : [])).join(', ');
  const total = `${kinds.reduce((sum, [count]) => sum + count, 0)} acknowledged`;
  const whole = named === '' ? total : `${total}: ${named}`;
  // Where both do not fit, the file is what is looked for.
  const text = file !== null && whole.length + 3 + SHORTEST_FILE > room ? total : whole;
  return file === null
    ? text
    : `${text} (${clip(sanitize(file), Math.max(room - text.length - 3, SHORTEST_FILE))})`;
}

/** Whoever reads the receipt of a pull request must see what it made easier. */
function weaker({ weaker = [] }: Receipt): [string, string][] {
  return weaker.map(({ name, value, instead_of, from }, i) => {
    const held = [value].flat().join(', ');
    const text = `${name} = ${held === '' ? '""' : held} instead of ${instead_of}, from ${from}`;
    return [i === 0 ? 'weaker' : '', clip(sanitize(text), LONGEST_WEAKER)];
  });
}

const LONGEST_WEAKER = 300;

function gaps({ gaps }: Receipt, room: number): string {
  const lost = gaps.reduce((total, gap) => total + gap.missing, 0);
  if (lost === 0) return '';
  const writers = gaps.map(({ writer_id, missing }) => `${writer_id} ${missing}`);
  return list(`${plural(lost, 'line')} lost, by writer: `, writers, room);
}

function unknownTraces({ unknown_traces }: Receipt, room: number): string {
  if (unknown_traces === null) return '';
  const { traces, first } = unknown_traces;
  const text = `${traces} with replay runs and no call, first `;
  return text + clip(sanitize(`${first.session_id} (${first.where})`), Math.max(room - text.length, 12));
}

/** Decisions have no rows of which one could be planted, and no gated kinds. */
function canaryText({ canary, gated_kinds }: Receipt): string {
  if (canary !== null) return `${canary.planted} planted, ${canary.found} found`;
  return gated_kinds.length === 0 ? '' : 'none planted';
}

/** Calls before it count no more, because somebody took note of what changed then. */
function epoch({ epoch }: Receipt): string {
  if (epoch === undefined) return '';
  const { since, author, expires, reason } = epoch;
  const until = expires === null ? '' : `, until ${sanitize(expires)}`;
  return `since ${instant(since)}, acknowledged by ${sanitize(author)}${until}: ${sanitize(reason)}`;
}

function late({ totals }: Receipt): string {
  if (totals.late === 0) return '';
  const stand = totals.late === 1 ? 'stands' : 'stand';
  return `${plural(totals.late, 'record')} ${stand} behind one more than ${LATE_MINUTES} minutes newer`;
}

function range({ since, until, tz }: Receipt['window']): string {
  const zone = `(${clip(sanitize(tz), 40)})`;
  if (since !== null && until !== null) return `${instant(since)} to before ${instant(until)} ${zone}`;
  if (since !== null) return `since ${instant(since)} ${zone}`;
  return until === null ? `all time ${zone}` : `before ${instant(until)} ${zone}`;
}

/** As many of a list as fit the line, and how many more there are. */
function list(before: string, items: readonly string[], room: number): string {
  const width = Math.max(room - columns(before) - ' and 9999 more'.length, 12);
  let text = '';
  for (const [i, item] of items.map(sanitize).entries()) {
    const next = text === '' ? clip(item, width) : `${text}, ${item}`;
    if (columns(next) > width) return `${before}${text} and ${items.length - i} more`;
    text = next;
  }
  return before + text;
}
