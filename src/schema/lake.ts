/** What commands say of a lake: machine output, an API. */

export interface LakeInfo {
  readonly path: string;
  /** Of the file. */
  readonly bytes: number;
  readonly format: number;
  readonly made_by: string;
  readonly keeps_content: boolean;
  /** RFC 3339 UTC; null before the first. */
  readonly last_sync: string | null;
  readonly is_loading: boolean;
  readonly batches: number;
  readonly calls: number;
  readonly replay_runs: number;
  readonly rejects: number;
  /** RFC 3339 UTC. */
  readonly newest_record: string | null;
  readonly logs: readonly LakeLog[];
}

/** A log that a lake knows. */
export interface LakeLog {
  readonly name: string;
  readonly path: string;
  readonly form: 'plain' | 'archive' | 'stream';
  /** Where it stood at the last look: `gone` = read whole before, `lost` and `changed` = a gate cannot vouch. */
  readonly state: 'here' | 'gone' | 'lost' | 'changed';
  /** Bytes and lines that the lake has. */
  readonly read_to: number;
  readonly lines: number;
  /** The hash of these bytes, batch by batch. */
  readonly head: string;
}

export interface LogCheck {
  readonly file: string;
  /**
   * `same`: every batch stands in the log byte for byte. `absent`: the log is not there any more, or was a stream.
   * `different`, `unreadable`: what the names say. `inconsistent`: the lake contradicts itself. `settled`: it was lost
   * or changed, and an acknowledgement explains that.
   */
  readonly status: 'same' | 'different' | 'absent' | 'unreadable' | 'inconsistent' | 'settled';
  readonly batches: number;
  /** In the lake. */
  readonly bytes: number;
  readonly head: string;
  readonly detail: string | null;
}

/** What a folder lake holds, as its commits say. */
export interface FolderInfo {
  readonly path: string;
  readonly format: number;
  readonly lake_id: string;
  readonly made_by: string;
  readonly keeps_content: boolean;
  readonly batches: number;
  readonly calls: number;
  readonly replay_runs: number;
  readonly rejects: number;
  /** Parquet files that are read, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Files that were merged into others and stand there still. */
  readonly replaced: number;
  /** RFC 3339 UTC. */
  readonly newest_record: string | null;
  readonly hosts: readonly HostInfo[];
  /** What keeps a gate from vouching. */
  readonly problems: readonly {
    readonly path: string;
    readonly detail: string;
    readonly next: string | null;
  }[];
}

export interface HostInfo {
  readonly host: string;
  /** RFC 3339 UTC: when it published last, and when it looked at its logs last. */
  readonly last_export: string | null;
  readonly last_sync: string | null;
  readonly batches: number;
  readonly logs: number;
  readonly lines: number;
  readonly newest_record: string | null;
}

/** What `lakelog lake compact` did. */
export interface Compacted {
  readonly path: string;
  /** Files that were merged, and what they became. */
  readonly files: number;
  readonly into: number;
  readonly bytes_before: number;
  readonly bytes: number;
  /** Files that others took the place of before, and that are gone now. */
  readonly removed: number;
}

/** What `lakelog lake verify` found of the files of a folder lake. */
export interface FilesCheck {
  readonly files: number;
  readonly bytes: number;
  readonly batches: number;
  readonly problems: FolderInfo['problems'];
  /** What acknowledgements explain of it. */
  readonly settled: FolderInfo['problems'];
}
