import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { CallAck, RejectAck } from '../../src/schema/ack.js';
import { call, type Envelope, envelope, type Options } from './cli.js';
import { lakelog } from './program.js';

export const DEFAULT_ACKS = 'lakelog-acks.jsonl';

/** A line of the file of acknowledgements, as it was written. */
export type WrittenAck = CallAck | RejectAck;

export function acksIn(folder: string, name = DEFAULT_ACKS): WrittenAck[] {
  const file = path.join(folder, name);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WrittenAck);
}

/** An accepted fill whose stamp is false: what the alarm exists for. */
export function violation(changes: Readonly<Record<string, unknown>> = {}): string {
  return call({ session_id: 'bad', grounded_in_roster: false, ...changes });
}

/** What a gate says, as far as acknowledgements can change it. */
export interface Said {
  readonly code: number | null;
  readonly rows: Envelope['rows'];
  readonly acknowledged: unknown;
  readonly cannotVouch: readonly { code: string; message: string; where?: string }[];
  readonly notices: readonly string[];
  /** Where the acknowledgements stand that silence nothing. */
  readonly idle: readonly (string | undefined)[];
  readonly stderr: string;
}

export async function ask(args: readonly string[], options: Options): Promise<Said> {
  const ran = await lakelog([...args, '--json'], options);
  if (ran.stdout === '') throw new Error(`exit ${ran.code}: ${ran.stderr}`);
  const { verdict, rows, receipt } = envelope(ran);
  return {
    code: ran.code,
    rows,
    acknowledged: receipt.acknowledged,
    cannotVouch: verdict?.cannot_vouch ?? [],
    idle: (verdict?.notices ?? []).flatMap(({ code, where }) => (code === 'acknowledgements' ? [where] : [])),
    notices: (verdict?.notices ?? []).map(({ message }) => message),
    stderr: ran.stderr,
  };
}

export const alarm = (options: Options, ...args: readonly string[]) => ask(['alarm', ...args], options);

/** The commands that a run tells its reader to run next, in order. */
export function commandsIn(text: string): string[] {
  return text
    .split('\n')
    .map((line) => /^\s*→ (?:next: )?(lakelog .*)$/.exec(line.trimEnd())?.[1])
    .filter((command) => command !== undefined);
}

/** The header and SQL of a gate over all kinds: calls that took longer than `--limit` are slow. */
export function ownGate(parts: { header?: readonly string[]; sql?: string; canary?: string } = {}): string {
  const {
    header = ['-- param: limit number = 1000 -- longest duration in ms'],
    canary = '{"duration_ms": 1e300}',
    sql = `SELECT s.session_id, 'slow' AS reason, s.file, s.line
FROM sessions s CROSS JOIN params p WHERE s.duration_ms > p.limit ORDER BY s.file, s.line`,
  } = parts;
  return `${[
    '-- title: Slow calls',
    '-- question: Which calls took too long?',
    ...header,
    '-- column: session_id text -- Trace of the call.',
    '-- column: reason text -- slow.',
    '-- column: file text -- File.',
    '-- column: line integer -- Line.',
    '-- gate: reason',
    '-- fires: slow -- it took longer than the limit',
    '-- judges: duration_ms IS NOT NULL',
    `-- canary: slow ${canary}`,
  ].join('\n')}\n\n${sql}\n`;
}
