/** Matching acknowledgements with what was loaded. Pure. */
import {
  type AckLine,
  type CallAck,
  type CallFacts,
  type ConflictAck,
  type DriftAck,
  type Entry,
  type HoleAck,
  placeOfAck,
  type RejectAck,
} from '../schema/ack.js';
import { rangeText } from '../schema/gap.js';
import type { Finding, InputProblem, RejectGroup } from '../schema/result.js';
import { groupBy } from './group-by.js';
import { gapsOf, holesWithin, type KnownHole, missingIn, openHoles } from './holes.js';
import { METRIC_WORDS } from './words.js';

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A loaded call, as far as an acknowledgement speaks of it. */
export interface KnownCall extends CallFacts, Place {
  readonly line_sha256: string;
}

export interface KnownReject extends Place {
  readonly reason: string;
  readonly detail: string;
  readonly line_sha256: string;
  /** It could hide a call. */
  readonly blocks: boolean;
}

/** A loaded call whose call_id another one carries too. */
export interface KnownConflict extends Place {
  readonly call_id: string;
  readonly line_sha256: string;
}

/** A file that was changed where it had been read, or could not be read when it was looked at last. */
export type KnownChange = Pick<InputProblem, 'path' | 'fingerprint'>;

/** What acknowledgements may speak of. */
export interface Known {
  readonly calls: readonly KnownCall[];
  readonly rejects: readonly KnownReject[];
  readonly conflicts: readonly KnownConflict[];
  readonly holes: readonly KnownHole[];
  readonly changes: readonly KnownChange[];
}

export const NOTHING_KNOWN: Known = { calls: [], rejects: [], conflicts: [], holes: [], changes: [] };

type Matched = KnownCall | KnownReject | KnownConflict | KnownChange | readonly KnownHole[];

/** An acknowledgement and what became of it. */
export interface Reviewed {
  readonly entry: Entry;
  /** The later acknowledgement of the same thing, which counts in its place. */
  readonly replacedBy: Entry | null;
  readonly expired: boolean;
  /** Null where it matches nothing. */
  readonly match: Matched | null;
}

export const holds = ({ replacedBy, expired, match }: Reviewed) =>
  replacedBy === null && !expired && match !== null;

/** What acknowledgements take out of a verdict, and what is wrong with them. */
export interface Settled {
  /** `file:line` of the calls whose rows are settled, with the acknowledgement. */
  readonly calls: ReadonlyMap<string, CallAck>;
  readonly rejects: ReadonlySet<KnownReject>;
  readonly conflicts: ReadonlySet<KnownConflict>;
  /** Those that hold: what is missing within them is settled. */
  readonly holes: readonly HoleAck[];
  readonly changes: ReadonlySet<KnownChange>;
  /** All that was looked at, settled or not. */
  readonly known: Known;
  /** Every one of them, for the notices. */
  readonly used: readonly Entry[];
  /** Expired, or speaking of something that is not there: they silence nothing, so they are told and no more. */
  readonly findings: readonly Omit<Finding, 'code'>[];
}

/** A line with an unknown schema could be anything, a call too: nothing excuses it (design §3). */
export const isExcusable = (reason: string) => !/^(missing|type|value|duplicate_key):schema$/.test(reason);

export const placeOf = ({ file, line }: Place) => `${file}:${line}`;

/** Matches the acknowledgements of one gate, and of lines whatever the gate, with what was loaded. */
export function settle(
  entries: readonly Entry[],
  gate: string,
  known: Known,
  now: Date,
  file: string,
): Settled {
  const own = entries.filter(({ ack }) => (ack.what === 'call' ? ack.gate === gate : ack.what !== 'drift'));
  const standing = review(own, known, now).filter(({ replacedBy }) => replacedBy === null);
  const calls = new Map<string, CallAck>();
  const rejects = new Set<KnownReject>();
  const conflicts = new Set<KnownConflict>();
  const holes: HoleAck[] = [];
  const changes = new Set<KnownChange>();
  const used: Entry[] = [];
  for (const reviewed of standing) {
    const { entry, match } = reviewed;
    if (!holds(reviewed) || match === null) continue;
    used.push(entry);
    const { ack } = entry;
    if (ack.what === 'call') calls.set(placeOf(match as KnownCall), ack);
    else if (ack.what === 'reject') rejects.add(match as KnownReject);
    else if (ack.what === 'conflict') conflicts.add(match as KnownConflict);
    else if (ack.what === 'hole') holes.push(ack);
    else if (ack.what === 'changed_file') changes.add(match as KnownChange);
  }
  return { calls, rejects, conflicts, holes, changes, known, used, findings: complaints(standing, file) };
}

/** Where the present epoch of a rate begins, and what is to be told of its acknowledgements. */
export interface SettledDrift {
  /** The latest one that holds; null where none does. */
  readonly epoch: DriftAck | null;
  readonly used: readonly Entry[];
  readonly findings: Settled['findings'];
}

/** Matches the acknowledgements of falls of one rate of the same calls. */
export function settleDrift(
  entries: readonly Entry[],
  of: Pick<DriftAck, 'metric' | 'selection'>,
  calls: readonly KnownCall[],
  now: Date,
  file: string,
): SettledDrift {
  const own = entries.filter(
    ({ ack }) => ack.what === 'drift' && ack.metric === of.metric && ack.selection === of.selection,
  );
  const standing = review(own, { ...NOTHING_KNOWN, calls }, now).filter(
    ({ replacedBy }) => replacedBy === null,
  );
  const holding = standing.filter(holds).map(({ entry }) => entry as Entry<DriftAck>);
  const latest = [...holding].sort((a, b) => Date.parse(b.ack.changed_at) - Date.parse(a.ack.changed_at))[0];
  return {
    epoch: latest?.ack ?? null,
    used: latest === undefined ? [] : [latest],
    findings: complaints(standing, file),
  };
}

/**
 * What became of each acknowledgement, in their order. A call must have the key, the facts and the very bytes that
 * the acknowledgement recorded; a rejected or conflicting line the very bytes, and one settles one line.
 */
export function review(entries: readonly Entry[], known: Known, now: Date): Reviewed[] {
  const last = new Map(entries.map((entry) => [subjectOf(entry.ack), entry]));
  const find = matcher(known);
  return entries.map((entry) => {
    const { ack } = entry;
    const standing = last.get(subjectOf(ack))!;
    const replacedBy = standing === entry ? null : standing;
    const expired = isExpired(ack, now);
    return { entry, replacedBy, expired, match: find(ack, replacedBy === null && !expired) };
  });
}

/** The same for all acknowledgements of one thing, of which the last one counts. */
export function subjectOf(ack: AckLine): string {
  switch (ack.what) {
    case 'call':
      return JSON.stringify(['call', ack.gate, ack.call_key]);
    case 'reject':
      return JSON.stringify(['reject', ack.line_sha256, placeOf(ack)]);
    case 'conflict':
      return JSON.stringify(['conflict', ack.call_id, ack.line_sha256]);
    case 'hole':
      return JSON.stringify(['hole', ack.writer_id, ack.from_seq, ack.to_seq]);
    case 'changed_file':
      return JSON.stringify(['changed_file', ack.head_sha256]);
    case 'drift':
      return JSON.stringify(['drift', ack.metric, ack.selection, ack.changed_at]);
  }
}

/** A date is the last day it holds, in UTC. */
export function isExpired({ expires }: Pick<AckLine, 'expires'>, now: Date): boolean {
  if (expires === null) return false;
  const end = isDay(expires) ? Date.parse(`${expires}T00:00:00Z`) + 86_400_000 : Date.parse(expires);
  return now.getTime() >= end;
}

export const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text);

const FACTS = [
  'call_key',
  'session_id',
  'timestamp',
  'kind',
  'model',
  'iterations',
  'final_verdict',
  'grounded_in_roster',
  'line_sha256',
] as const;

/** @returns what an acknowledgement speaks of; `takes` it, so that another one of the same bytes gets another line. */
function matcher({ calls, rejects, conflicts, holes, changes }: Known) {
  const callsOf = groupBy(calls, ({ line_sha256 }) => line_sha256);
  const conflictsOf = groupBy(conflicts, ({ line_sha256 }) => line_sha256);
  const rejectsOf = groupBy(
    rejects.filter(({ reason }) => isExcusable(reason)),
    ({ line_sha256 }) => line_sha256,
  );
  const reject = (ack: RejectAck, takes: boolean) => {
    const same = rejectsOf.get(ack.line_sha256) ?? [];
    const at = Math.max(
      same.findIndex(({ line }) => line === ack.line),
      0,
    );
    return (takes ? same.splice(at, 1)[0] : same[at]) ?? null;
  };
  const call = (ack: CallAck) =>
    callsOf.get(ack.line_sha256)?.find((one) => FACTS.every((fact) => one[fact] === ack[fact])) ?? null;
  const conflict = (ack: ConflictAck) =>
    conflictsOf.get(ack.line_sha256)?.find(({ call_id }) => call_id === ack.call_id) ?? null;
  const holesOf = groupBy(holes, ({ writer_id }) => writer_id);
  const missing = (ack: HoleAck) => {
    const found = holesWithin(holesOf.get(ack.writer_id) ?? [], ack);
    return found.length === 0 ? null : found;
  };
  return (ack: AckLine, takes: boolean): Reviewed['match'] => {
    switch (ack.what) {
      case 'call':
        return call(ack);
      case 'reject':
        return reject(ack, takes);
      case 'conflict':
        return conflict(ack);
      case 'hole':
        return missing(ack);
      case 'changed_file':
        return changes.find(({ fingerprint }) => fingerprint === ack.head_sha256) ?? null;
      case 'drift':
        return callsOf.get(ack.line_sha256)?.find(({ call_key }) => call_key === ack.call_key) ?? null;
    }
  };
}

/** What remains of the rejects, by reason. */
export function remainingRejects({
  known,
  rejects,
}: Pick<Settled, 'known' | 'rejects'>): (RejectGroup & { readonly blocks: boolean })[] {
  const left = known.rejects.filter((reject) => !rejects.has(reject));
  return [...groupBy(left, ({ blocks, reason }) => `${blocks} ${reason}`).values()].map((group) => {
    const [first] = group as [KnownReject];
    const { reason, detail, blocks } = first;
    return { reason, count: group.length, first: placeOf(first), detail, blocks };
  });
}

/** What remains of the conflicts: those whose own line nobody settled, and where one stands that is not the first of its call_id. */
export function remainingConflicts({ known, conflicts }: Pick<Settled, 'known' | 'conflicts'>): {
  readonly conflicts: number;
  readonly firstConflict: string | null;
} {
  const left = known.conflicts.filter((conflict) => !conflicts.has(conflict));
  const heads = new Set(
    [...groupBy(known.conflicts, ({ call_id }) => call_id).values()].map(([head]) => head),
  );
  const first = left.find((conflict) => !heads.has(conflict)) ?? left[0];
  return { conflicts: left.length, firstConflict: first === undefined ? null : placeOf(first) };
}

/** What remains of the holes, by writer. */
export const remainingGaps = ({ known, holes }: Pick<Settled, 'known' | 'holes'>) =>
  gapsOf(openHoles(known.holes, holes));

/** How many missing numbers are settled. */
export const settledMissing = ({ known, holes }: Pick<Settled, 'known' | 'holes'>) =>
  missingIn(known.holes) - missingIn(openHoles(known.holes, holes));

/** Who settled what, until when and why: nothing is silenced without a name, a date and a reason. */
export function describeAcks(used: readonly Entry[]): string[] {
  return together(used, ({ ack }) => ack).map((group) => {
    const [{ ack }] = group as [Entry];
    const expires = ack.expires === null ? '' : `, until ${ack.expires}`;
    return `${subjects(group)} acknowledged by ${ack.author} on ${ack.at.slice(0, 10)}${expires}: ${ack.reason}`;
  });
}

function complaints(standing: readonly Reviewed[], file: string): Omit<Finding, 'code'>[] {
  const expired = standing.filter((one) => one.expired);
  const idle = standing.filter((one) => !one.expired && one.match === null);
  const sections = [
    {
      all: expired,
      message: ({ ack }: Entry) => `expired ${isDay(ack.expires!) ? 'at the end of' : 'at'} ${ack.expires}`,
      next: 'look again: mend what it speaks of, or acknowledge it anew',
    },
    {
      all: idle,
      message: ({ ack }: Entry, one: boolean) =>
        `matches nothing (${one ? GONE[ack.what] : 'they are gone or were changed, or their log'} was not read)`,
      next: 'take the line out with `lakelog ack prune`, unless it speaks of a log that was not read',
    },
  ];
  return sections.flatMap(({ all, message, next }) =>
    together(all, ({ entry }) => entry.ack).map((group) => {
      const [{ entry }] = group as [Reviewed];
      const alone = group.length === 1 && entry.ack.what === 'reject';
      const what = alone ? `the line at ${placeOfAck(entry.ack)}` : subjects(group.map((one) => one.entry));
      return {
        message: `the acknowledgement of ${what} by ${entry.ack.author} ${message(entry, group.length === 1)}`,
        where: `${file}:${entry.line}`,
        next,
      };
    }),
  );
}

/** Why one matches nothing. */
const GONE: Readonly<Record<AckLine['what'], string>> = {
  call: 'the record is gone or was changed, or its log',
  reject: 'the line is gone or was mended, or its log',
  conflict: 'the line is gone or was changed, or its log',
  hole: 'the records turned up, or the log of their writer',
  changed_file: 'the file is as it was, or was changed anew, or',
  drift: 'the first record of its epoch is gone or was changed, or its log',
};

/** What was said of many lines in one step (`--baseline`) is told in one sentence; every call and every drift has a sentence of its own. */
function together<T>(all: readonly T[], ackOf: (one: T) => AckLine): T[][] {
  const groups = groupBy(all, (one) => {
    const ack = ackOf(one);
    const { author, at, expires, reason } = ack;
    return ack.what === 'call' || ack.what === 'drift' ? one : JSON.stringify([author, at, expires, reason]);
  });
  return [...groups.values()];
}

/** What acknowledgements speak of: one by its place, many by their number. */
function subjects(group: readonly Entry[]): string {
  const [{ ack }, ...others] = group as [Entry, ...Entry[]];
  if (others.length === 0) return subject(ack);
  const count = (what: AckLine['what'], noun: string) => {
    const { length } = group.filter((one) => one.ack.what === what);
    return length === 0 ? [] : [`${length} ${noun}${length === 1 ? '' : 's'}`];
  };
  const words = [
    ...count('reject', 'rejected line'),
    ...count('conflict', 'conflicting record'),
    ...count('hole', 'hole'),
    ...count('changed_file', 'changed file'),
  ];
  return `${words.join(' and ')} (the first ${placeOfAck(ack)})`;
}

function subject(ack: AckLine): string {
  switch (ack.what) {
    case 'call':
      return `call ${ack.call_key}`;
    case 'reject':
      return `line ${placeOf(ack)} (${ack.reject_reason})`;
    case 'conflict':
      return `the record at ${placeOf(ack)}, which shares the call_id ${ack.call_id},`;
    case 'hole':
      return `seq ${rangeText({ from: ack.from_seq, to: ack.to_seq })} missing from writer ${JSON.stringify(ack.writer_id)}`;
    case 'changed_file':
      return `the changed file ${ack.file}`;
    case 'drift':
      return `the fall of the ${METRIC_WORDS[ack.metric]} at ${ack.changed_at}${ack.selection === 'all' ? '' : ` (${ack.selection})`}`;
  }
}
