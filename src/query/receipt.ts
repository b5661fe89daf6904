import type { Account } from '../schema/account.js';
import type { FileAccount, Receipt, WeakerValue } from '../schema/result.js';
import { version } from '../version.js';

export interface ReceiptParts {
  readonly account: Account;
  readonly query: { readonly name: string; readonly sha256: string };
  readonly from: string;
  readonly gatedKinds: readonly string[];
  /** Of a gate, as are the next four. */
  readonly judged?: number | null;
  readonly canary?: Receipt['canary'];
  readonly acknowledged?: Receipt['acknowledged'];
  readonly recomputed?: Receipt['recomputed'];
  readonly expected?: Receipt['expected'];
  readonly weaker?: readonly WeakerValue[];
  readonly prices?: Receipt['prices'];
  readonly now: Date;
}

/** The account of a run, as the receipt states it. */
export function receiptOf(parts: ReceiptParts): Receipt {
  const { account, query, from, gatedKinds, now, weaker = [] } = parts;
  const { judged = null, canary = null, acknowledged = null, recomputed = null, expected = null } = parts;
  const newest = account.newestCall?.time ?? null;
  return {
    version,
    query,
    inputs_from: account.lake?.known_logs || account.lake?.synced === false ? 'lake' : from,
    files: account.files,
    ...(account.lake ? { lake: account.lake } : {}),
    totals: totalsOf(account.files, newest),
    problems: account.problems,
    rejects: account.rejects.map(({ blocks: _, ...group }) => group),
    calls_loaded: account.callsLoaded,
    replay_runs_loaded: account.replayRunsLoaded,
    calls_selected: account.callsSelected,
    judged,
    gated_kinds: gatedKinds,
    kinds_not_gated: account.kinds
      .filter(({ kind, selected }) => selected > 0 && !gatedKinds.includes(kind))
      .map(({ kind, selected }) => ({ kind, calls: selected })),
    inconsistent: account.inconsistent,
    not_judgeable: account.notJudgeable,
    conflicts: account.conflicts,
    gaps: account.gaps,
    unknown_traces: account.unknownTraces,
    window: account.window,
    newest_record: newest,
    newest_record_age_s: newest === null ? null : Math.round((now.getTime() - Date.parse(newest)) / 1000),
    canary,
    acknowledged,
    recomputed,
    expected,
    ...(weaker.length > 0 && { weaker }),
    ...(parts.prices ? { prices: parts.prices } : {}),
  };
}

function totalsOf(files: readonly FileAccount[], newest: string | null): Receipt['totals'] {
  const sum = (pick: (file: FileAccount) => number) => files.reduce((total, file) => total + pick(file), 0);
  return {
    bytes: sum((file) => file.bytes),
    lines: sum((file) => file.lines),
    loaded: sum((file) => file.loaded),
    rejected: sum((file) => file.rejected),
    duplicates: sum((file) => file.duplicates),
    blank: sum((file) => file.blank),
    pending: sum((file) => file.pending),
    conflicts: sum((file) => file.conflicts),
    late: sum((file) => file.late),
    newest_record: newest,
  };
}
