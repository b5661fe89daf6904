import type { Report, Style } from '../../src/render/report.js';
import type {
  Cell,
  Column,
  ColumnType,
  FileAccount,
  Finding,
  Receipt,
  Verdict,
} from '../../src/schema/result.js';

export const PIPE: Style = { color: false, width: null };

export function terminal(width: number): Style {
  return { color: false, width };
}

export function account(file: string, over: Partial<FileAccount> = {}): FileAccount {
  const base = {
    bytes: 1_234_567,
    lines: 612,
    loaded: 610,
    rejected: 0,
    duplicates: 0,
    blank: 2,
    pending: 0,
  };
  return { file, ...base, conflicts: 0, late: 0, newest_record: '2026-09-01T08:00:00.000Z', ...over };
}

export function receipt(over: Partial<Receipt> = {}): Receipt {
  const { file: _, ...totals } = account('');
  return {
    version: '0.1.0',
    query: { name: 'alarm', sha256: '0123456789abcdef'.repeat(4) },
    inputs_from: 'arguments',
    files: [account('healthy/sessions.jsonl')],
    totals,
    problems: [],
    rejects: [],
    calls_loaded: 610,
    replay_runs_loaded: 0,
    calls_selected: 610,
    judged: 412,
    gated_kinds: ['fill'],
    kinds_not_gated: [
      { kind: 'email', calls: 120 },
      { kind: 'playbook', calls: 78 },
    ],
    inconsistent: 0,
    not_judgeable: 0,
    conflicts: 0,
    gaps: [],
    window: { since: null, until: null, tz: 'UTC' },
    newest_record: '2026-09-01T08:00:00.000Z',
    newest_record_age_s: 3 * 3600 + 20,
    canary: { planted: 3, found: 3 },
    acknowledged: { calls: 0, rejects: 0, conflicts: 0, missing: 0, changed_files: 0, file: null },
    recomputed: null,
    expected: null,
    unknown_traces: null,
    ...over,
  };
}

export function verdict(over: Partial<Verdict> = {}): Verdict {
  return { status: 'clear', exit_code: 0, fired: [], cannot_vouch: [], notices: [], ...over };
}

export function columns(spec: Record<string, ColumnType>): Column[] {
  return Object.entries(spec).map(([name, type]) => ({ name, type }));
}

export function report(
  spec: Record<string, ColumnType> | Column[],
  rows: Cell[][],
  over: Partial<Report> = {},
): Report {
  return {
    query: { name: 'alarm', title: 'Accepted fills that are not grounded' },
    params: { min_n: 30 },
    result: { columns: Array.isArray(spec) ? spec : columns(spec), rows },
    receipt: receipt(),
    ...over,
  };
}

/** A receipt that has too much of everything, each text as hostile as `text`. */
export function monster(text = 'x', most = Number.POSITIVE_INFINITY): { receipt: Receipt; verdict: Verdict } {
  const many = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: Math.min(count, most) }, (_, i) => make(i));
  const path = (i: number) => `/var/lib/${'very-long-folder/'.repeat(8)}${text}-${i}.jsonl`;
  const { file: _, ...totals } = account('');
  const finding = (i: number): Finding => ({
    code: 'rejects',
    message: `${i} lines ${'that nobody could read at all '.repeat(20)}${text}`,
    where: `${path(i)}:${i}`,
    next: `lakelog validate ${path(i)} ${path(i + 1)} ${path(i + 2)}`,
  });
  const files = many(300, (i) =>
    account(path(i), { rejected: 123_456, pending: 7, conflicts: 12_345, bytes: 9e12, lines: 9e9 }),
  );
  return {
    receipt: receipt({
      query: { name: `alarm-${text}`.repeat(10), sha256: 'f'.repeat(64) },
      files,
      totals: {
        ...totals,
        lines: 123_456_789_012,
        loaded: 123_456_789_012,
        rejected: 123_456_789,
        duplicates: 123_456_789,
        blank: 123_456_789,
        pending: 123_456_789,
      },
      problems: many(40, (i) => ({ path: path(i), problem: 'missing', detail: `${text} is missing` })),
      rejects: many(90, (i) => ({
        reason: `type:${text}${i}`,
        count: 1000 + i,
        first: `${path(i)}:${i}`,
        detail: `${text} is wrong `.repeat(30),
      })),
      calls_loaded: 123_456_789,
      replay_runs_loaded: 123_456_789,
      calls_selected: 123_456_789,
      judged: 123_456_789,
      gated_kinds: many(50, (i) => `gated-${text}-${i}`),
      kinds_not_gated: many(500, (i) => ({ kind: `kind-${text}-${i}`, calls: 100_000 + i })),
      inconsistent: 1_234_567,
      not_judgeable: 1_234_567,
      conflicts: 1_234_567,
      gaps: many(500, (i) => ({
        writer_id: `writer-${text}-${i}`,
        missing: i + 1,
        ranges: [{ from: 2, to: i + 2 }],
        more: 0,
        last: i + 2,
        where: `${text}:${i + 1}`,
      })),
      window: { since: '2026-01-01T00:00:00.000Z', until: '2026-09-01T00:00:00.000Z', tz: `Mars/${text}` },
      acknowledged: {
        calls: 123_456,
        rejects: 123_456,
        conflicts: 123_456,
        missing: 0,
        changed_files: 0,
        file: path(0),
      },
    }),
    verdict: verdict({
      status: 'fired',
      exit_code: 1,
      fired: many(10, finding),
      cannot_vouch: many(30, finding),
      notices: many(30, finding),
    }),
  };
}
