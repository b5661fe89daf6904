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
  /** session_id → value of the gate's column. */
  readonly expected: ReadonlyMap<string, string>;
}

export interface CanaryContext {
  readonly gatedKinds: readonly string[];
  readonly model: string | undefined;
  readonly daemon: string | undefined;
  readonly environment: string | undefined;
  /** RFC 3339, inside the window. */
  readonly timestamp: string;
}

export function plantCanary(gate: GateSpec, context: CanaryContext): Canary {
  const expected = new Map<string, string>();
  const lines = context.gatedKinds.flatMap((kind, k) =>
    gate.canaries.map(({ value, fields }, i) => {
      const sessionId = `canary-${k}-${i}`;
      expected.set(sessionId, value);
      return JSON.stringify({
        schema: SESSION_SCHEMA,
        session_id: sessionId,
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
