import type { BlockingGroup, LoadedCall, Reject } from '../schema/account.js';
import type { AckLine, CallAck, RejectAck } from '../schema/ack.js';
import type { Finding } from '../schema/result.js';

/** An acknowledgement and the line of the file it stands in. */
export interface Entry<T extends AckLine = AckLine> {
  readonly ack: T;
  readonly line: number;
}

/** What acknowledgements take out of a verdict, and what is wrong with them. */
export interface Settled {
  /** `file:line` of the calls whose rows are settled, with the acknowledgement. */
  readonly calls: ReadonlyMap<string, CallAck>;
  readonly rejects: ReadonlySet<Reject>;
  /** All rejects that were looked at, settled or not. */
  readonly all: readonly Reject[];
  /** Every one of them, for the notices. */
  readonly used: readonly Entry[];
  /** Expired, or speaking of something that is not there: they silence nothing, so they are told and no more. */
  readonly findings: readonly Omit<Finding, 'code'>[];
}

/** A line with an unknown schema could be anything, a call too: nothing excuses it (design §3). */
export const isExcusable = (reason: string) => !/^(missing|type|value|duplicate_key):schema$/.test(reason);

export const placeOf = ({ file, line }: { readonly file: string; readonly line: number }) =>
  `${file}:${line}`;

/**
 * Matches acknowledgements with what was loaded. A call must have the key, the facts and the very bytes that the
 * acknowledgement recorded; a reject the very bytes, and one acknowledgement settles one line. Pure.
 */
export function settle(
  entries: readonly Entry[],
  gate: string,
  loaded: { readonly calls: readonly LoadedCall[]; readonly rejects: readonly Reject[] },
  now: Date,
  file: string,
): Settled {
  const calls = new Map<string, CallAck>();
  const rejects = new Set<Reject>();
  const used: Entry[] = [];
  const findings: Omit<Finding, 'code'>[] = [];
  const complain = ({ ack, line }: Entry, message: string, next: string) => {
    const what = ack.what === 'call' ? `call ${ack.call_key}` : `the line at ${placeOf(ack)}`;
    findings.push({
      message: `the acknowledgement of ${what} by ${ack.by} ${message}`,
      where: `${file}:${line}`,
      next,
    });
  };
  for (const entry of standing(entries, gate)) {
    const { ack } = entry;
    if (isExpired(ack, now)) {
      complain(
        entry,
        `expired at the end of ${ack.until}`,
        'look again: mend what it speaks of, or acknowledge it anew',
      );
      continue;
    }
    const match =
      ack.what === 'call' ? matchingCall(ack, loaded.calls) : matchingReject(ack, loaded.rejects, rejects);
    if (match === null) {
      complain(
        entry,
        `matches nothing (${ack.what === 'call' ? 'the record is gone or was changed' : 'the line is gone or was mended'}, or its log was not read)`,
        'take the line out, unless it speaks of a log that was not read',
      );
      continue;
    }
    used.push(entry);
    if ('blocks' in match) rejects.add(match);
    else calls.set(placeOf(match), ack as CallAck);
  }
  return { calls, rejects, all: loaded.rejects, used, findings };
}

/** The last word on each call and line: a later acknowledgement replaces an earlier one. */
function standing(entries: readonly Entry[], gate: string): Entry[] {
  const last = new Map<string, Entry>();
  for (const entry of entries) {
    const { ack } = entry;
    if (ack.what === 'call' && ack.gate !== gate) continue;
    const key = ack.what === 'call' ? `call ${ack.call_key}` : `reject ${ack.line_sha256} ${placeOf(ack)}`;
    last.set(key, entry);
  }
  return [...last.values()];
}

/** `until` is the last day it holds, in UTC. */
export function isExpired({ until }: Pick<AckLine, 'until'>, now: Date): boolean {
  return until !== null && now.getTime() >= Date.parse(`${until}T00:00:00Z`) + 86_400_000;
}

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

function matchingCall(ack: CallAck, calls: readonly LoadedCall[]): LoadedCall | null {
  return calls.find((call) => FACTS.every((fact) => call[fact] === ack[fact])) ?? null;
}

function matchingReject(
  ack: RejectAck,
  rejects: readonly Reject[],
  taken: ReadonlySet<Reject>,
): Reject | null {
  const same = rejects.filter(
    (reject) => reject.line_sha256 === ack.line_sha256 && isExcusable(reject.reason) && !taken.has(reject),
  );
  return same.find((reject) => reject.line === ack.line) ?? same[0] ?? null;
}

/** What remains of the rejects, by reason. */
export function remaining(rejects: readonly Reject[], settled: ReadonlySet<Reject>): BlockingGroup[] {
  const groups = new Map<string, BlockingGroup>();
  for (const reject of rejects) {
    if (settled.has(reject)) continue;
    const { blocks, reason, detail } = reject;
    const before = groups.get(`${blocks} ${reason}`);
    groups.set(`${blocks} ${reason}`, {
      reason,
      count: (before?.count ?? 0) + 1,
      first: before?.first ?? placeOf(reject),
      detail: before?.detail ?? detail,
      blocks,
    });
  }
  return [...groups.values()];
}

/** Who settled what, until when and why: nothing is silenced without a name, a date and a reason. */
export function describeAck({ ack }: Entry): string {
  const what = ack.what === 'call' ? `call ${ack.call_key}` : `line ${placeOf(ack)} (${ack.reject_reason})`;
  const until = ack.until === null ? '' : `, until ${ack.until}`;
  return `${what} acknowledged by ${ack.by} on ${ack.at.slice(0, 10)}${until}: ${ack.reason}`;
}
