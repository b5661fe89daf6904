/** How old the records are, by clocks that may be wrong. */
import type { Newest } from '../schema/account.js';
import { CALLERS } from '../schema/expected.js';
import type { Evidence } from './evidence.js';
import { type Found, gateRule } from './rule.js';
import { type Awaited, wasHeard } from './silent.js';

export const FUTURE_TOLERANCE_MS = 5 * 60_000;

/** Of those that a gate is asked about: a call of another service or kind does not show that these are still logged. */
export const stale = gateRule('stale', 'cannot_vouch', (_, { calls, limits }) => {
  if (limits.maxAgeMs === null) return [];
  const next = 'check that the service runs and logs to this file';
  const newest = calls.newestAsked;
  if (newest === null) {
    const what = calls.newest === null ? 'record at all' : 'call of these kinds that passes the filters';
    return [
      {
        message: `there is no ${what}, so none is as young as --max-age demands`,
        ...(calls.newest === null ? {} : { where: calls.newest.where }),
        next,
      },
    ];
  }
  const age = limits.now.getTime() - Date.parse(newest.time);
  if (Number.isNaN(age)) return [unreadable(newest)];
  if (age <= limits.maxAgeMs) return [];
  return [
    {
      message: `the newest call it judges by is of ${newest.time}, ${ageText(age)} old, and --max-age allows ${ageText(limits.maxAgeMs)}: the writer may have stopped`,
      where: newest.where,
      next,
    },
  ];
});

/** Who does not write is in no log, so nothing but this notices it. */
export const silent = gateRule('silent', 'cannot_vouch', (_, { calls, limits }) =>
  calls.awaited.filter((one) => !wasHeard(one, limits.now)).map((one) => silence(one, limits.now)),
);

function silence(one: Awaited, now: Date): Found[number] {
  const { of, last, nearest, where, withinMs } = one;
  const who = CALLERS.flatMap((caller) => {
    const name = of[caller];
    return name === undefined ? [] : [`${caller} ${JSON.stringify(name)}`];
  }).join(', ');
  if (last === null) {
    const meant = CALLERS.flatMap((caller) => {
      const name = nearest[caller];
      return name === undefined ? [] : [`${caller} = ${JSON.stringify(name)}`];
    });
    return {
      message: `nothing was heard of ${who}: no loaded call is of it`,
      where,
      next:
        meant.length > 0
          ? `did you mean ${meant.join(', ')}? correct it there`
          : 'check that it runs and that its log is among the inputs, or take it out there',
    };
  }
  if (Number.isNaN(Date.parse(last.time))) return unreadable(last, `the last call of ${who}`);
  const old = ageText(now.getTime() - Date.parse(last.time));
  return {
    message: `${who} fell silent: its last call is of ${last.time}, ${old} old, and ${where} allows ${ageText(withinMs)}`,
    where: last.where,
    next: 'check that it runs, and that it still logs to what is read here',
  };
}

/** Exact where it is one number, as limits are. */
function ageText(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const;
  const [size, unit] = units.find(([size]) => ms % size === 0 && ms >= size) ??
    units.find(([size]) => ms >= 2 * size) ?? [1_000, 's'];
  return `${Math.floor(ms / size)} ${unit}`;
}

export const future = gateRule(
  'future',
  'cannot_vouch',
  (_, { calls: { newest }, limits }: Evidence): Found => {
    if (newest === null) return [];
    const ahead = Date.parse(newest.time) - limits.now.getTime();
    if (Number.isNaN(ahead)) return [unreadable(newest)];
    if (ahead <= FUTURE_TOLERANCE_MS) return [];
    return [
      {
        message: `the newest record is of ${newest.time}, which is in the future: a clock is wrong, and windows and ages cannot be trusted`,
        where: newest.where,
        next: 'check the clock of the writer and of this machine',
      },
    ];
  },
);

/** What cannot be compared must not compare as false. */
function unreadable({ time, where }: Newest, what = 'the newest record') {
  return {
    message: `${what} is of ${time}, which is no instant that can be compared with others`,
    where,
    next: 'check the clock of the writer',
  };
}
