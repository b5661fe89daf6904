/** How old the records are, by clocks that may be wrong. */
import type { Newest } from '../schema/account.js';
import type { Evidence } from './evidence.js';
import { type Found, gateRule } from './rule.js';

export const FUTURE_TOLERANCE_MS = 5 * 60_000;

const HOUR_MS = 3_600_000;

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
  const hours = (ms: number) => `${Math.round(ms / HOUR_MS)} h`;
  return [
    {
      message: `the newest call it judges by is of ${newest.time}, ${hours(age)} old, and --max-age allows ${hours(limits.maxAgeMs)}: the writer may have stopped`,
      where: newest.where,
      next,
    },
  ];
});

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
function unreadable({ time, where }: Newest) {
  return {
    message: `the newest record is of ${time}, which is no instant that can be compared with others`,
    where,
    next: 'check the clock of the writer',
  };
}
