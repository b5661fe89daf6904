/** What a page tells: gates first, then what the numbers say. Filled by `lakelog report`. */
import type { Finding } from '../../schema/result.js';
import type { Report } from '../report.js';
import type { Drawing, Mark } from './charts.js';

export interface Page {
  /** RFC 3339 UTC. */
  readonly madeAt: string;
  readonly lakelog: string;
  /** What was read, in a sentence. */
  readonly rests: string;
  readonly window: string;
  readonly gates: readonly Report[];
  readonly parts: readonly Part[];
  /** `https://…/{session_id}`; null where nobody named a tracing service. */
  readonly traceUrl: ((sessionId: string) => string | null) | null;
  /** The command that tells the story of a trace. */
  readonly show: (sessionId: string) => string;
}

export interface Part {
  /** Of the section; also in links. */
  readonly id: string;
  readonly report: Report;
  /** What it answers. */
  readonly question: string;
  readonly drawing: Drawing | null;
  readonly marks?: readonly Mark[];
  /** What the chart leaves out, in sentences. */
  readonly leaves?: readonly string[];
  /** What the numbers come to, in sentences. */
  readonly says: readonly string[];
  readonly findings: readonly Finding[];
}
