import type { Call, Run } from '../scan/checker.mjs';

export interface FoundFile {
  readonly name: string;
  readonly path: string;
  /** Device and inode, which are used again, and when it was made. */
  readonly id: string;
  readonly born: bigint;
  /** `damaged` cannot be read to its end, `unfinished` is being made, `empty` holds no byte. */
  readonly form: 'plain' | 'archive' | 'damaged' | 'unfinished' | 'empty';
  /** As they stand there, and uncompressed. */
  readonly raw: Buffer;
  readonly bytes: Buffer;
  readonly mtimeMs: number;
}

/** What a look at the folder finds. */
export interface Found {
  readonly files: readonly FoundFile[];
  /** Named files that are not there, and were not just rotated. */
  readonly gone: readonly { readonly name: string; readonly path: string }[];
  readonly noLogs: boolean;
  /** Names of the logs that were asked for, and whether by their names. */
  readonly bases: readonly string[];
  readonly isNamed: boolean;
}

interface Log {
  readonly number: number;
  readonly id: string;
  readonly path: string;
  readonly form: FoundFile['form'];
  readonly mtimeMs: number;
  readonly state: 'here' | 'gone' | 'lost' | 'changed';
  readonly settled: boolean;
  /** Bytes behind it that were seen. */
  readonly rest: number;
  /** All that was read of it. */
  readonly content: Buffer;
}

export interface ModelLake {
  readonly logs: readonly Log[];
  /** By the hash of the line. */
  readonly rows: ReadonlyMap<string, Call | Run>;
  readonly rejects: readonly { readonly sha256: string; readonly reason: string; readonly blocks: boolean }[];
  /** What could not be read when somebody looked there last, by the log that was asked for. */
  readonly unread: readonly {
    readonly base: string;
    readonly code: string;
    readonly file?: FoundFile;
    readonly isLost?: true;
  }[];
  readonly isLoading: boolean;
}

/** What a gate says and what it rests on. */
export interface Told {
  readonly calls: number;
  readonly runs: number;
  readonly violations: number;
  readonly judged: number;
  readonly conflicts: number;
  /** Logs that were lost or changed. */
  readonly broken: number;
  /** Hashes of lines; of rejects with the reason. */
  readonly rows: readonly string[];
  readonly rejects: readonly string[];
  /** Of every log: bytes, lines, good ones, rejects, blank and pending ones. */
  readonly accounts: readonly string[];
  /** Codes of the rules. */
  readonly cannotVouch: readonly string[];
}

export function hashOf(line: Buffer): string;
export function emptyLake(): ModelLake;
/** Whether all that was read and seen of a log stands at the beginning of the bytes, and the log may go on in them. */
export function holds(bytes: Buffer, log: ModelLake['logs'][number]): boolean;
/** @returns what a sync may leave behind that is killed, in order, and what it leaves and says at its end. */
export function sync(
  lake: ModelLake,
  found: Found,
  clock: { readonly now: number },
): { readonly stages: readonly ModelLake[]; readonly lake: ModelLake; readonly told: Told };
export function look(lake: ModelLake): Told;
