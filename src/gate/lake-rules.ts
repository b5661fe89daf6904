/** What a lake must have done for a gate to rest on it. */
import { shellWord } from '../errors.js';
import { gateRule } from './rule.js';

export const notSynced = gateRule('not_synced', 'cannot_vouch', (_, { inputs: { lake }, limits }) =>
  lake === null || lake.synced || limits.maxAgeMs !== null
    ? []
    : [
        {
          message:
            'nobody looked at the logs (--no-sync), so what was written since the last sync is not judged',
          where: lake.path,
          next: 'leave out --no-sync, or say how old the newest call may be: --max-age 1h',
        },
      ],
);

export const notLookedAt = gateRule('not_looked_at', 'cannot_vouch', (_, { inputs: { lake }, limits }) => {
  const [first, ...others] = lake?.not_looked_at ?? [];
  if (first === undefined || limits.maxAgeMs !== null) return [];
  const some =
    others.length === 0
      ? '1 log that the lake knows was'
      : `${others.length + 1} logs that the lake knows were`;
  return [
    {
      message: `${some} not looked at, because others were named: what was written there since is not judged`,
      where: first,
      next: 'name no logs, so that all are looked at, or say how old the newest call may be: --max-age 1h',
    },
  ];
});

export const stillLoading = gateRule('still_loading', 'cannot_vouch', (_, { inputs: { lake } }) =>
  lake?.loading
    ? [
        {
          message: 'the last sync did not come to its end, so the lake does not hold all of the logs yet',
          where: lake.path,
          next: `let it: lakelog sync --lake ${shellWord(lake.path)}`,
        },
      ]
    : [],
);

/** Who stopped publishing is in no receipt. */
export const hostsUnnamed = gateRule('hosts_unnamed', 'notice', (_, { inputs: { lake }, calls, limits }) =>
  lake?.hosts === undefined || limits.maxAgeMs !== null || calls.awaited.length > 0
    ? []
    : [
        {
          message: 'nobody says which hosts must have published: one that stopped is not noticed',
          where: lake.path,
          next: 'name them (--expect FILE), or say how old the newest call may be: --max-age 26h',
        },
      ],
);
