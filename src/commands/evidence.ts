import type { Evidence } from '../gate/rules.js';
import type { Account } from '../lake/lake.js';
import type { GivenPaths } from '../query/sources.js';
import { nextCommand } from './next.js';
import { asArguments } from './options.js';

/** What an account says to the rules; a gate adds what it judged. */
export function inputEvidence(account: Account, inputs: GivenPaths, now: Date): Evidence {
  return {
    gate: null,
    values: new Map(),
    allowed: new Set(),
    judged: 0,
    selected: null,
    gatedKinds: [],
    readsGatedKinds: false,
    files: account.files,
    problems: account.problems,
    inputNotices: account.notices,
    rejects: account.rejects,
    conflicts: account.conflicts,
    firstConflict: account.firstConflict,
    kinds: account.kinds,
    gaps: account.gaps,
    newest:
      account.newestCall === null ? null : { time: account.newestCall, where: account.newestCallWhere ?? '' },
    now,
    minJudged: 0,
    maxRejects: 0,
    maxAgeMs: null,
    acknowledgements: { used: [], findings: [] },
    showTrace: (sessionId) => nextCommand('show', [sessionId], { inputs, folders: [] }),
    lacksReplayRuns: false,
    listRejects: `lakelog validate${asArguments(inputs)}`,
  };
}
