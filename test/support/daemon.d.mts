export interface Daemon {
  /** Where it listens. */
  readonly url: string;
  readonly pid: number;
  /** Everything it wrote to stderr so far. */
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts validatord and waits until it listens. @throws with its stderr when it ends before. */
export function startDaemon(
  packageRoot: string,
  config: string,
  env?: Readonly<Record<string, string>>,
): Promise<Daemon>;
