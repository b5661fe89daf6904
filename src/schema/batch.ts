/** The receipt of a batch in a folder lake: what became of the lines of one byte range of one log, and where its rows are. */

export const BATCH_FORMAT = 'lakelog.batch.v1';
export const COMPACTION_FORMAT = 'lakelog.compaction.v1';
export const FOLDER_FORMAT = 'lakelog.folder.v1';

/** `lakelog.json`, made first: what stays as it is for the life of a folder lake. */
export interface FolderMaking {
  readonly schema: typeof FOLDER_FORMAT;
  /** Of the layout; a higher one is refused. */
  readonly format: number;
  /** Random; receipts of another lake are none of this one. */
  readonly lake_id: string;
  readonly keeps_content: boolean;
  readonly max_line_bytes: number;
  /** Version of lakelog. */
  readonly made_by: string;
}

/** A Parquet file. */
export interface DataFile {
  /** From the lake's folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly rows: number;
  readonly sha256: string;
}

/** A whole number; beyond 2^53 its digits. */
export type Sum = number | string;

/** What a batch has of a base table. */
export interface TableReceipt {
  readonly rows: number;
  readonly sums: Readonly<Record<string, Sum>>;
  readonly files: readonly DataFile[];
}

/** Calls of one kind. */
export interface KindSums {
  readonly kind: string;
  readonly calls: number;
  readonly accepted: number;
  /** With a stamp, true or false; and with true. */
  readonly judged: number;
  readonly grounded: number;
  readonly accepted_false: number;
  readonly inconsistent: number;
  readonly not_judgeable: number;
  readonly unjudgeable: number;
  /** With a running number of their writer. */
  readonly numbered: number;
  /** Lines of the first call, of the first accepted one stamped false, and of the first that cannot be judged by its attempts. */
  readonly first: number;
  readonly first_false: number | null;
  readonly first_unjudgeable: number | null;
  /** RFC 3339 UTC. */
  readonly newest: string;
}

/** Rejects of one reason, and whether they could hide a call. */
export interface RejectSums {
  readonly reason: string;
  readonly count: number;
  /** Line of the first, and what is wrong with it. */
  readonly line: number;
  readonly detail: string;
  readonly blocks: boolean;
}

export interface BatchReceipt {
  readonly schema: typeof BATCH_FORMAT;
  /** SHA-256 of the bytes of the batch; where another place has this name, see `nameBehind`. */
  readonly id: string;
  /** Its first 13 digits as a number: the column `batch`. */
  readonly batch: number;
  readonly lake: string;
  readonly host: string;
  readonly version: string;
  /** RFC 3339 UTC. */
  readonly made_at: string;
  readonly file: BatchPlace;
  readonly account: BatchAccount;
  /** RFC 3339 UTC; null where nothing loaded. */
  readonly newest_record: string | null;
  readonly rejects: readonly RejectSums[];
  readonly kinds: readonly KindSums[];
  /** What a person should know of it. */
  readonly notices: readonly string[];
  /** By the name of the base table; those of which it has rows. */
  readonly tables: Readonly<Record<string, TableReceipt>>;
  /** SHA-256 of the text of the line before this member. */
  readonly checksum: string;
}

/** Where the bytes of a batch stood. */
export interface BatchPlace {
  /** Names the log in every table: host, path, and the log's first batch. */
  readonly name: string;
  readonly path: string;
  readonly kind: 'any' | 'sessions' | 'replay_runs';
  readonly form: 'plain' | 'archive' | 'stream';
  readonly byte_from: number;
  readonly byte_to: number;
  readonly lines_before: number;
  /** The batch before it in the same log; null for the first. */
  readonly before: string | null;
  /** The first batch of the log. */
  readonly root: string;
  /** Of all batches of the log up to this one, one after the other. */
  readonly head: string;
  /** Of the first and the last bytes of the log up to the end of the batch: how it is known again. */
  readonly start_sha256: string;
  readonly end_sha256: string;
}

export interface BatchAccount {
  readonly bytes: number;
  readonly lines: number;
  readonly loaded: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly blank: number;
  /** Whole lines only are in a batch. */
  readonly pending: number;
  /** Found when it is asked, among all batches. */
  readonly conflicts: number;
  readonly late: number;
  readonly late_line: number | null;
}

/** What a compaction puts in the place of what. */
export interface Move {
  /** e.g. `base_calls`. */
  readonly table: string;
  readonly files: readonly DataFile[];
  /** Paths of files that are no longer read. */
  readonly replaces: readonly string[];
}

/** The commit of a compaction: rows keep batch and line, and stand in other files. */
export interface CompactionReceipt {
  readonly schema: typeof COMPACTION_FORMAT;
  readonly id: string;
  readonly lake: string;
  readonly version: string;
  readonly made_at: string;
  readonly moves: readonly Move[];
  readonly checksum: string;
}
