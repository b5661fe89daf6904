/**
 * What is promised of a case: the makers of goals, and whether they were met. A goal stands `at` the sizes named, or at
 * all. One whose rival, or GNU time, is not here is reported as not measured, never as met.
 */
const KINDS = {
  wall: { of: (ours, rival) => ours.median_ms / rival.median_ms, digits: 2, unit: '×' },
  cpu: { of: (ours, rival) => over(ours.cpu_ms, rival.cpu_ms), digits: 2, unit: '× CPU' },
  peak: { of: ({ peak_mb }) => peak_mb, digits: 0, unit: 'MB' },
  share: { of: ({ share }) => share, digits: 3, unit: '× the log' },
  seconds: { of: ({ median_ms }) => median_ms / 1000, digits: 1, unit: 's' },
};

/** Wall time, `atMost` × the rival's median. */
export const wall = (rival, atMost, ...at) => ({ what: 'wall', rival, atMost, at });
/** CPU time (user and system, of all processes), `atMost` × the rival's median. */
export const cpu = (rival, atMost, ...at) => ({ what: 'cpu', rival, atMost, at });
/** Peak memory of the largest process, in MB (10^6 bytes). */
export const peak = (atMost, ...at) => ({ what: 'peak', rival: null, atMost, at });
/** Bytes of what is made, by those of the log. */
export const share = (atMost, ...at) => ({ what: 'share', rival: null, atMost, at });
/** Median wall time in seconds. */
export const seconds = (atMost, ...at) => ({ what: 'seconds', rival: null, atMost, at });

/** @returns {number | null} null where there is no GNU time, or too little to divide by */
export function over(ours, theirs) {
  return ours === null || !theirs ? null : ours / theirs;
}

/** @returns the goals at this size with what was measured: null where it could not be, and then not met */
export function judged(goals, size, [ours, ...rivals]) {
  return goals
    .filter(({ at }) => at.length === 0 || at.includes(size?.name))
    .map(({ what, rival, atMost }) => {
      const other = rivals.find(({ name }) => name === rival);
      const measured = rival !== null && other === undefined ? null : KINDS[what].of(ours, other);
      return { what, rival, at_most: atMost, measured, met: measured !== null && measured <= atMost };
    });
}

export function limitText({ what, at_most }) {
  return `≤ ${at_most} ${KINDS[what].unit}`;
}

export function measuredText({ what, measured }) {
  return measured === null ? 'not measured' : `${measured.toFixed(KINDS[what].digits)} ${KINDS[what].unit}`;
}
