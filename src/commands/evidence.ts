import type { Evidence } from '../gate/evidence.js';
import { optionOf } from '../gate/rule.js';
import { meantBy } from '../query/nearest.js';
import type { Need } from '../query/question.js';
import type { GivenPaths } from '../query/sources.js';
import type { Account } from '../schema/account.js';
import { nextCommand, REASON } from './next.js';
import { asArguments } from './options.js';

/** What an account says to the rules; whoever asks more of it puts other groups in the place of these. */
export function inputEvidence(account: Account, inputs: GivenPaths, now: Date): Evidence {
  return {
    inputs: {
      files: account.files,
      problems: account.problems,
      notices: account.notices,
      rejects: account.rejects,
      mayBeEmpty: new Set(account.mayBeEmpty),
      lake: account.lake,
      lacksReplayRuns: false,
    },
    calls: {
      selected: null,
      absent: account.absent.map(({ filter, value, named, present }) => ({
        filter,
        value,
        meant: meantBy(value, { named, present, others: present }),
      })),
      unjudgeable: null,
      kinds: account.kinds,
      conflicts: account.conflicts,
      firstConflict: account.firstConflict,
      gaps: account.gaps,
      unknownTraces: account.unknownTraces,
      firstLate: account.firstLate,
      newest: account.newestCall,
      newestAsked: account.newestSelected,
      awaited: [],
    },
    gate: null,
    limits: { now, minJudged: 0, maxRejects: 0, maxAgeMs: null },
    acknowledgements: { used: [], findings: [] },
    commands: {
      showTrace: (sessionId) => nextCommand('show', [sessionId], { inputs, folders: [] }),
      settle: (target) => nextCommand('ack', [target], { inputs, folders: [] }, REASON),
      allow: optionOf,
      listRejects: `lakelog validate${asArguments(inputs)}`,
    },
  };
}

/** Kinds that are gated, and those of them that somebody named. */
export interface GatedKinds {
  readonly gated: readonly string[];
  readonly named: readonly string[];
}

/** A misspelt one gates nothing, and what was meant stays ungated; that is none of those that are gated too. */
function absentKinds(account: Account, { gated, named }: GatedKinds): Evidence['calls']['absent'] {
  if (account.callsLoaded === 0) return [];
  const present = account.kinds.map(({ kind }) => kind);
  const others = present.filter((kind) => !gated.includes(kind));
  return named
    .filter((kind) => !present.includes(kind))
    .map((value) => ({
      filter: 'gated-kind',
      value,
      meant: meantBy(value, { named: gated, present, others }),
    }));
}

/** The same for a question, which is asked of the calls that pass the filters. */
export function questionEvidence(
  account: Account,
  inputs: GivenPaths,
  now: Date,
  needs: Need | null,
  kinds: GatedKinds,
): Evidence {
  const evidence = inputEvidence(account, inputs, now);
  return {
    ...evidence,
    inputs: {
      ...evidence.inputs,
      lacksReplayRuns: needs === 'replay_runs' && account.replayRunsLoaded === 0,
    },
    calls: {
      ...evidence.calls,
      absent: [...evidence.calls.absent, ...absentKinds(account, kinds)],
      selected: { calls: account.callsSelected, of: account.callsLoaded },
      unjudgeable: needs === 'attempts' ? account.unjudgeable : null,
    },
  };
}
