import { LakelogError } from '../errors.js';
import { SESSION_SCHEMA } from '../schema/fields.js';
import type { GateSpec } from '../schema/gate.js';
import type { Result } from '../schema/result.js';

/**
 * A gate that finds nothing is believed only after it found what was planted. The canary's lines go through the
 * very code and SQL that the logs will, filters included; what comes back must be exactly what was planted.
 */
export interface Canary {
  readonly lines: string;
  /** session_id → value of the gate's column; what else is planted must not be found. */
  readonly expected: ReadonlyMap<string, string>;
}

/** What stamps are checked against. */
export interface CanaryRoster {
  /** A folder holds several. */
  readonly isFolder: boolean;
  readonly hash: string;
  /** An id that it has; null where nobody in it is active. */
  readonly worker: string | null;
  /** An id that no roster has. */
  readonly phantom: string;
}

export interface CanaryContext {
  readonly gatedKinds: readonly string[];
  readonly model: string | undefined;
  readonly daemon: string | undefined;
  readonly environment: string | undefined;
  /** Null where stamps are believed. */
  readonly roster: CanaryRoster | null;
  /** RFC 3339, inside the window. */
  readonly timestamp: string;
  /** What no record of anybody else has in its ids. */
  readonly nonce: string;
}

export function plantCanary(gate: GateSpec, context: CanaryContext): Canary {
  const expected = new Map<string, string>();
  const lines = context.gatedKinds.flatMap((kind, k) =>
    plantsOf(gate, context.roster).map(({ value, fields }, i) => {
      const sessionId = `canary-${context.nonce}-${k}-${i}`;
      if (value !== null) expected.set(sessionId, value);
      return JSON.stringify({
        schema: SESSION_SCHEMA,
        session_id: sessionId,
        call_id: sessionId,
        timestamp: context.timestamp,
        kind,
        model: context.model ?? 'canary',
        daemon: context.daemon ?? 'canary',
        environment: context.environment ?? 'canary',
        iterations: 1,
        final_verdict: 'accepted',
        attempts: [{ verdict: 'accepted' }],
        ...fields,
      });
    }),
  );
  return { lines: `${lines.join('\n')}\n`, expected };
}

/** Null: it must not be found. */
type Plant = { readonly value: string | null; readonly fields: object };

/** A roster that knows nobody would find every phantom, so a real worker is looked up in the place of each. */
function plantsOf({ canaries }: GateSpec, roster: CanaryRoster | null): Plant[] {
  return canaries.flatMap(({ value, fields, against }): Plant[] => {
    if (against === undefined) return [{ value, fields }];
    if (roster === null || (against === 'rosters' && !roster.isFolder)) return [];
    const planted = { value, fields: filled(fields, roster, roster.phantom) };
    return against === 'rosters' || roster.worker === null
      ? [planted]
      : [planted, { value: null, fields: filled(fields, roster, roster.worker) }];
  });
}

function filled(fields: object, { hash, worker, phantom }: CanaryRoster, stranger: string): object {
  const texts = new Map<unknown, string>([
    ['{roster_hash}', hash],
    ['{worker}', worker ?? phantom],
    ['{phantom}', stranger],
  ]);
  return JSON.parse(JSON.stringify(fields), (_, value) => texts.get(value) ?? value) as object;
}

/** @throws LakelogError (exit 2) when the planted lines are not found as they must be. */
export function proveCanary(
  canary: Canary,
  gate: GateSpec,
  result: Result,
  where: string,
): { planted: number; found: number } {
  const id = result.columns.findIndex((column) => column.name === 'session_id');
  const value = result.columns.findIndex((column) => column.name === gate.column);
  const right = result.rows.filter((row) => canary.expected.get(String(row[id])) === row[value]);
  // A row that stands twice must not make up for one that is lost.
  const found = new Set(right.map((row) => row[id])).size;
  const planted = canary.expected.size;
  if (found !== planted || result.rows.length !== planted) {
    throw new LakelogError(
      `the self-test failed: ${planted} violations were planted, ${found} were found among ${result.rows.length} rows, so no answer of this gate can be believed`,
      { where, next: 'reinstall lakelog; if the query is your own, run it on its canary lines and compare' },
    );
  }
  return { planted, found };
}

/** RFC 3339 has no later one in UTC. */
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/** An instant inside the half-open window. */
export function instantInside(window: { since: string | null; until: string | null }, now: Date): string {
  if (window.since !== null) return window.since;
  if (window.until === null) return now.toISOString();
  return new Date(Math.min(Date.parse(window.until) - 1, LAST)).toISOString();
}
