/**
 * The shapes that machine output is made of (promise 4: they are an API). A leaf: lake and query fill them in,
 * gate judges them, render writes them.
 */

import type { Gap } from './gap.js';

export type { Gap };

/** JSON-like cell of a result; a bigint beyond 2^53 arrives as a decimal string. */
export type Cell = string | number | boolean | null | readonly Cell[] | { readonly [key: string]: Cell };

export type ColumnType = 'text' | 'integer' | 'number' | 'fraction' | 'boolean' | 'timestamp' | 'json';

export interface Column {
  /** Name in machine formats. */
  readonly name: string;
  readonly type: ColumnType;
  /** Heading in tables; the name where absent. */
  readonly label?: string;
  /** One sentence. */
  readonly note?: string;
  /** Leaves first where a terminal is too narrow for the table. */
  readonly minor?: boolean;
}

/** Rows of a query: cells in the order of the columns, fractions 0–1 and unrounded, timestamps RFC 3339 UTC. */
export interface Result {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Exit codes of design §5, the same for every command. */
export const EXIT = { clear: 0, fired: 1, error: 2, cannotVouch: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Why a gate fired, why it cannot vouch, or what the reader should know all the same. */
export interface Finding {
  /** Stable identifier, e.g. `rejects`, `missing_input`. */
  readonly code: string;
  /** What, in one sentence without a final full stop. */
  readonly message: string;
  /** file:line or path, where there is one. */
  readonly where?: string;
  /** The next command to run or thing to do. */
  readonly next?: string;
}

export interface Verdict {
  readonly status: 'clear' | 'fired' | 'cannot_vouch';
  readonly exit_code: ExitCode;
  readonly fired: readonly Finding[];
  readonly cannot_vouch: readonly Finding[];
  readonly notices: readonly Finding[];
}

/** The account of one file. Always `lines = loaded + rejected + duplicates + blank + pending`. */
export interface FileAccount {
  readonly file: string;
  /** Bytes read, uncompressed. */
  readonly bytes: number;
  readonly lines: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly blank: number;
  readonly pending: number;
  /** Loaded calls whose call_id another loaded line with other bytes carries too. */
  readonly conflicts: number;
  /** Loaded records more than LATE_MINUTES older than one that stands before them in the file. */
  readonly late: number;
  /** RFC 3339 UTC, or null where nothing loaded. */
  readonly newest_record: string | null;
  /** With a lake: the hash of all that was read of the log, batch by batch. */
  readonly head?: string;
  /** With a lake: of what stands behind the last line end, and is in no batch yet. */
  readonly tail_sha256?: string;
}

export const LATE_MINUTES = 15;

/** Traces that have replay runs and no call. */
export interface UnknownTraces {
  readonly traces: number;
  readonly first: { readonly session_id: string; readonly where: string };
}

export interface RejectGroup {
  /** `bad_json`, `missing:kind`, `type:iterations`, `value:final_verdict`, … */
  readonly reason: string;
  readonly count: number;
  /** file:line of the first one. */
  readonly first: string;
  /** What is wrong with the first one, for a person; never holds content fields. */
  readonly detail: string;
}

export interface InputProblem {
  readonly path: string;
  readonly problem: 'missing' | 'unreadable' | 'no_logs' | 'no_records' | 'changed' | 'roster' | 'lake';
  readonly detail: string;
  /** What to do about it, where that is not the same for all of the kind. */
  readonly next?: string;
  /**
   * Of one that a lake read before and that changed since: the hash of all that was read of it; of what could not be
   * read at the last look: that of place and reason.
   */
  readonly fingerprint?: string;
}

/** The account a run gives of what it read and judged. */
export interface Receipt {
  readonly version: string;
  /** Name and sha-256 of the SQL that ran. */
  readonly query: { readonly name: string; readonly sha256: string };
  /** Where the inputs came from: `arguments`, `environment`, `config`, `default`. */
  readonly inputs_from: string;
  readonly files: readonly FileAccount[];
  readonly totals: Omit<FileAccount, 'file'>;
  readonly problems: readonly InputProblem[];
  /** With --lake: what was read now and what earlier. */
  readonly lake?: LakeReceipt;
  readonly rejects: readonly RejectGroup[];
  /** Loaded rows per record format, unfiltered. */
  readonly calls_loaded: number;
  readonly replay_runs_loaded: number;
  /** Calls that pass the filters. */
  readonly calls_selected: number;
  /** Rows the gate judged; null for a query that is no gate. */
  readonly judged: number | null;
  readonly gated_kinds: readonly string[];
  /** Kinds outside the gated ones and how many selected calls each has. */
  readonly kinds_not_gated: readonly { readonly kind: string; readonly calls: number }[];
  /** Selected calls whose attempts disagree with `iterations` or are not understood. */
  readonly inconsistent: number;
  /** Selected calls with iterations but without recorded attempts. */
  readonly not_judgeable: number;
  readonly conflicts: number;
  /** Lines lost between a writer's smallest and largest seq; whatever is acknowledged. */
  readonly gaps: readonly Gap[];
  /** Null where there are none, or no call at all. */
  readonly unknown_traces: UnknownTraces | null;
  /** Half-open, RFC 3339 UTC; null = unbounded. */
  readonly window: { readonly since: string | null; readonly until: string | null; readonly tz: string };
  /** Of all loaded calls, unfiltered. */
  readonly newest_record: string | null;
  readonly newest_record_age_s: number | null;
  /** The canary: lines that were planted and found before anything else was believed; null for no gate. */
  readonly canary: { readonly planted: number; readonly found: number } | null;
  /** What acknowledgements took out of this verdict; null for no gate. */
  readonly acknowledged: Acknowledged | null;
  /** What rosters say of the stamps; null where nobody asked them. */
  readonly recomputed: Recomputed | null;
  /** Of those who must be heard of, how many were; null where nobody must be. */
  readonly expected: { readonly file: string; readonly named: number; readonly heard: number } | null;
  /** Of `drift`: since when calls are judged, by whose acknowledgement; absent where there is none. */
  readonly epoch?: Epoch;
  /** Absent where nothing is. */
  readonly weaker?: readonly WeakerValue[];
  /** With --prices. */
  readonly prices?: PricesReceipt;
}

/** Calls before it are not judged any more. */
export interface Epoch {
  /** RFC 3339 UTC. */
  readonly since: string;
  readonly author: string;
  /** YYYY-MM-DD or RFC 3339; null = without end. */
  readonly expires: string | null;
  readonly reason: string;
}

/** What lets a verdict vouch for less than it would by default. */
export interface WeakerValue {
  /** Of a setting as lakelog.toml has it, or of a key of one of its entries. */
  readonly name: string;
  readonly value: string | number | readonly string[];
  /** The default, in words. */
  readonly instead_of: string;
  /** `--max-rejects`, `LAKELOG_MAX_REJECTS`, `lakelog.toml:3`. */
  readonly from: string;
}

/** The price list that money rests on, and of which models it was asked. */
export interface PricesReceipt {
  readonly file: string;
  readonly sha256: string;
  readonly priced: readonly string[];
  /** Their money is unknown, and nowhere in a sum. */
  readonly unknown: readonly string[];
  /** Models among the priced ones that cost something else for long prompts; the price of short ones was taken. */
  readonly tiered: readonly string[];
}

/** What became of the accepted calls of gated kinds that pass the filters. */
export interface Recomputed {
  /** File or folder, as it was named, and where its name came from. */
  readonly roster: string;
  readonly from: string;
  /** Of the only roster; null for a folder, of which each call has its own. */
  readonly hash: string | null;
  readonly workers: number | null;
  /** Every worker is in its roster; one is not. */
  readonly right: number;
  readonly wrong: number;
  /** Its roster is not in the folder. */
  readonly not_at_hand: number;
  /** Its ids are hashed; whom its artifact names could not be told; nobody is named. */
  readonly hashed: number;
  readonly unread: number;
  readonly nobody: number;
  /** Of those that are wrong, stamped true. */
  readonly contradicted: number;
  /** Stamped by another roster than the only one. */
  readonly other_roster: number;
}

export interface LakeReceipt {
  /** As it was named. */
  readonly path: string;
  /** False with --no-sync: nobody looked at the logs. */
  readonly synced: boolean;
  /** RFC 3339 UTC: when that was done last. */
  readonly last_sync: string | null;
  /** The first loading is not at its end. */
  readonly loading: boolean;
  /** Nobody named logs: the lake's own were looked at. */
  readonly known_logs: boolean;
  /** Known logs that were not looked at, because others were named. */
  readonly not_looked_at: readonly string[];
  /** Read by this run. */
  readonly new_bytes: number;
  readonly new_files: number;
  /** Read by earlier ones, and of how many logs that is known to stand there still. */
  readonly earlier_bytes: number;
  readonly earlier_files: number;
  /** Of a folder that many hosts fill: batches, and hosts that published them. */
  readonly batches?: number;
  readonly hosts?: number;
}

export interface Acknowledged {
  /** Rows of the gate. */
  readonly calls: number;
  readonly rejects: number;
  readonly conflicts: number;
  /** Missing numbers of writers. */
  readonly missing: number;
  readonly changed_files: number;
  /** Falls of rates, of `drift` alone. */
  readonly drifts?: number;
  /** The file of acknowledgements; null where there is none. */
  readonly file: string | null;
}
