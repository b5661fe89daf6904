import type { AckLine } from '../schema/ack.js';
import { instant } from './display.js';
import { hanging } from './paragraph.js';
import type { Style } from './report.js';
import { sanitize } from './sanitize.js';

/** What was settled, by whom, until when and why, and where that is written down. */
export function renderAck(ack: AckLine, file: string, style: Style): string {
  const stamp = ack.what === 'call' ? { true: 'grounded', false: 'NOT grounded', null: 'not checked' } : null;
  const what =
    ack.what === 'call' && stamp !== null
      ? `call ${ack.call_key} (${ack.kind}, ${ack.final_verdict}, ${stamp[`${ack.grounded_in_roster}`]}, ${instant(ack.timestamp)}) in gate ${ack.gate}`
      : `rejected line (${ack.what === 'reject' ? ack.reject_reason : ''})`;
  const until = ack.until === null ? 'until it no longer matches' : `until the end of ${ack.until} (UTC)`;
  return [
    ...hanging(`settled: ${sanitize(what)}`, '  ', style.width),
    `  at ${sanitize(`${ack.file}:${ack.line}`)}`,
    ...hanging(`  by ${sanitize(ack.by)}, ${until}: ${sanitize(ack.reason)}`, '  ', style.width),
    `  written to ${sanitize(file)}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
