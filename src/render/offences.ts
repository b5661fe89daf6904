import type { GateRule } from '../schema/gate.js';
import type { Cell, Finding } from '../schema/result.js';
import { display } from './display.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';
import { clip } from './wrap.js';

/** One reason why a gate is not clear, at its place: a row, or a finding that is about no row. */
export interface Offence {
  /** `fired` = the rule is broken; `doubt` = it cannot be told. */
  readonly weight: 'fired' | 'doubt';
  /** The value of the gate's column, or the code of the finding. */
  readonly rule: string;
  readonly row: boolean;
  readonly message: string;
  readonly next: string | null;
  /** `model: gpt-4.1-mini`, a text a column; empty for a finding. */
  readonly facts: readonly string[];
  readonly sessionId: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

/** Findings that only count the rows of a value, and name the next step for the first of them. */
const COUNTS_ROWS: ReadonlySet<string> = new Set(['violation', 'unjudged']);
const LONGEST_FACT = 200;

/** What makes this run red, rows before findings, texts safe for a terminal; nothing where the gate is clear. */
export function offencesOf(report: Report): Offence[] {
  const { verdict } = report;
  if (verdict === undefined || verdict.status === 'clear') return [];
  const rows = rowOffences(report);
  const counted = new Set(rows.map((row) => row.weight));
  const untold = (weight: Offence['weight'], findings: readonly Finding[]) =>
    findings
      .filter(({ code }) => !(COUNTS_ROWS.has(code) && counted.has(weight)))
      .map((finding) => findingOffence(weight, finding));
  return [...rows, ...untold('fired', verdict.fired), ...untold('doubt', verdict.cannot_vouch)];
}

/** `path:12` apart; a path without a line is a path. */
export function placeOf(where: string | undefined): Pick<Offence, 'file' | 'line'> {
  if (where === undefined) return { file: null, line: null };
  const [, file, line] = /^(.+):(\d+)$/s.exec(where) ?? [];
  return file === undefined
    ? { file: sanitize(where), line: null }
    : { file: sanitize(file), line: Number(line) };
}

function rowOffences({ gate, result, verdict }: Report): Offence[] {
  if (gate === undefined) return [];
  const at = (name: string) => result.columns.findIndex((column) => column.name === name);
  const [value, file, line, session] = [at(gate.column), at('file'), at('line'), at('session_id')];
  const own = new Set([value, file, line]);
  const fires = new Map(gate.fires.map((rule) => [rule.value, rule]));
  const doubts = new Map<string, GateRule>(gate.cannotVouch.map((rule) => [rule.value, rule]));
  const steps = new Map(
    [...(verdict?.fired ?? []), ...(verdict?.cannot_vouch ?? [])]
      .filter(({ code }) => COUNTS_ROWS.has(code))
      .map(({ where, next }) => [where, next]),
  );
  return result.rows.map((row) => {
    const rule = String(row[value] ?? null);
    return {
      weight: fires.has(rule) ? 'fired' : 'doubt',
      rule: sanitize(rule),
      row: true,
      message: sanitize(
        (fires.get(rule) ?? doubts.get(rule))?.note ?? 'the header of the query does not name this value',
      ),
      next: stepOf(steps.get(`${row[file] ?? ''}:${row[line] ?? ''}`)),
      facts: result.columns.flatMap((column, i) =>
        own.has(i)
          ? []
          : [`${sanitize(column.label ?? column.name)}: ${clip(display(row[i], column), LONGEST_FACT)}`],
      ),
      sessionId: textOf(row[session]),
      file: textOf(row[file]),
      line: typeof row[line] === 'number' ? row[line] : null,
    };
  });
}

function findingOffence(weight: Offence['weight'], { code, message, where, next }: Finding): Offence {
  return {
    weight,
    rule: sanitize(code),
    row: false,
    message: sanitize(message),
    next: stepOf(next),
    facts: [],
    sessionId: null,
    ...placeOf(where),
  };
}

function stepOf(next: string | undefined): string | null {
  return next === undefined ? null : sanitize(next);
}

function textOf(cell: Cell | undefined): string | null {
  return typeof cell === 'string' && cell !== '' ? sanitize(cell) : null;
}
