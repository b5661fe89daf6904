import type { Report } from '../../src/render/report.js';
import type { GateSpec } from '../../src/schema/gate.js';
import type { Cell, Finding } from '../../src/schema/result.js';
import { columns, report, verdict } from './sample.js';

export const GATE: GateSpec = {
  column: 'reason',
  fires: [{ value: 'ungrounded', note: 'accepted although a worker is not in the roster' }],
  cannotVouch: [
    { value: 'unjudged', note: 'accepted, but nobody checked the roster', unless: 'allow_unjudged' },
  ],
  judges: 'TRUE',
  canaries: [],
};

const SPEC = columns({
  session_id: 'text',
  timestamp: 'timestamp',
  model: 'text',
  reason: 'text',
  file: 'text',
  line: 'integer',
});

export function row(
  reason: string,
  line: number,
  over: { session?: string; model?: string; file?: string } = {},
): Cell[] {
  const { session = `trace-${line}`, model = 'gpt-4.1-mini', file = 'logs/a.jsonl' } = over;
  return [session, '2026-09-14T08:00:00.000Z', model, reason, file, line];
}

const VIOLATION: Finding = {
  code: 'violation',
  message: 'ungrounded calls: accepted although a worker is not in the roster',
  where: 'logs/a.jsonl:17',
  next: 'lakelog show trace-17',
};
const UNJUDGED: Finding = { code: 'unjudged', message: '1 unjudged call', where: 'logs/a.jsonl:20' };
export const REJECTS: Finding = {
  code: 'rejects',
  message: '2 lines could not be loaded: bad_json, 100% broken',
  where: 'logs/b, c.jsonl:4',
  next: 'lakelog validate logs',
};
const NOTICE: Finding = { code: 'pending', message: 'the last line is unfinished', where: 'logs/b.jsonl' };

export function gateReport(rows: Cell[][], over: Partial<Report> = {}): Report {
  const fires = rows.some((cells) => cells[3] === 'ungrounded');
  const doubts = rows.some((cells) => cells[3] === 'unjudged');
  return report(SPEC, rows, {
    gate: GATE,
    verdict: verdict({
      status: fires ? 'fired' : 'cannot_vouch',
      exit_code: fires ? 1 : 3,
      fired: fires ? [VIOLATION] : [],
      cannot_vouch: [...(doubts ? [UNJUDGED] : []), REJECTS],
      notices: [NOTICE],
    }),
    ...over,
  });
}

export const FIRED = gateReport([row('ungrounded', 17), row('unjudged', 20, { model: 'claude, 4: x' })]);
export const CLEAR = gateReport([], { verdict: verdict({ notices: [NOTICE] }) });
