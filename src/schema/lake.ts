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
   * `different`, `unreadable`: what the names say. `inconsistent`: the lake contradicts itself.
   */
  readonly status: 'same' | 'different' | 'absent' | 'unreadable' | 'inconsistent';
  readonly batches: number;
  /** In the lake. */
  readonly bytes: number;
  readonly head: string;
  readonly detail: string | null;
}
