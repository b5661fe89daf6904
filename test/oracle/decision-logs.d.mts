import type { Arbitrary } from 'fast-check';
import type { OracleSelection } from './decisions.mjs';

export function decisionLogs(): Arbitrary<Buffer>;
/** Milliseconds. */
export function momentOf(): Arbitrary<number>;
export function selections(): Arbitrary<OracleSelection>;
