/** The page: one file without a request or a script, which a log full of tags cannot change. */
import { createHash } from 'node:crypto';
import type { Cell } from '../../schema/result.js';
import { fieldsOf } from '../fields.js';
import { KINDS, WORDS } from '../findings.js';
import { outcomeOf } from '../outcome.js';
import { renderReceipt, withoutVerdict } from '../receipt.js';
import type { Report } from '../report.js';
import { sanitize } from '../sanitize.js';
import { grouped, plural } from '../units.js';
import { drawChart } from './charts.js';
import type { Page, Part } from './model.js';
import { STYLE } from './style.js';

/** Rows of a table; a page is looked at. */
const MOST_ROWS = 200;
/** Of a chart with a bar for each row. */
const MOST_BARS = 40;
/** Of a chart over time: more than a year. */
const MOST_DAYS = 400;

export function renderPage(page: Page): string {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>lakelog report, ${escapeHtml(page.madeAt.slice(0, 10))}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>lakelog report</h1>
<p>${escapeHtml(page.rests)}</p>
<p class="faint">${escapeHtml(page.window)}; made ${escapeHtml(page.madeAt)} by lakelog ${escapeHtml(page.lakelog)}</p>
</header>
<nav aria-label="Sections"><ul>
<li><a href="#gates">Gates</a></li>
${page.parts.map(({ id, report }) => `<li><a href="#${escapeHtml(id)}">${escapeHtml(report.query.title)}</a></li>`).join('\n')}
</ul></nav>
<main>
<section id="gates" aria-labelledby="gates-title">
<h2 id="gates-title">Gates</h2>
${page.gates.map((gate) => gateHtml(gate, page)).join('\n')}
</section>
${page.parts.map((part) => partHtml(part, page)).join('\n')}
</main>
</body>
</html>
`;
}

const STATUS = { clear: 'clear', fired: 'fired', cannot_vouch: 'cannot vouch' } as const;

function gateHtml(report: Report, page: Page): string {
  const { verdict, query } = report;
  const status = verdict?.status ?? 'cannot_vouch';
  const findings = KINDS.flatMap((kind) =>
    (verdict?.[kind] ?? []).map(
      ({ message, where, next }) =>
        `<li class="${kind}"><strong>${escapeHtml(WORDS[kind])}</strong> ${escapeHtml(message)}${
          where === undefined ? '' : ` <span class="faint">(${escapeHtml(where)})</span>`
        }${next === undefined ? '' : `<br><code>${escapeHtml(next)}</code>`}</li>`,
    ),
  );
  return `<article class="gate ${status}" aria-labelledby="gate-${escapeHtml(query.name)}">
<h3 id="gate-${escapeHtml(query.name)}"><span class="status">${STATUS[status].toUpperCase()}</span> ${escapeHtml(query.title)}</h3>
<p>${escapeHtml(outcomeOf(report))}.</p>
${findings.length > 0 ? `<ul class="findings">${findings.join('')}</ul>` : ''}
${report.result.rows.length > 0 ? tableHtml(report, page, `What ${query.name} found`) : ''}
<details><summary>Receipt of ${escapeHtml(query.name)}</summary>
<pre tabindex="0">${escapeHtml(renderReceipt(withoutVerdict(report), { color: false, width: 100 }))}</pre></details>
</article>`;
}

function partHtml(part: Part, page: Page): string {
  const { id, report, question, drawing, marks = [], says, findings, leaves = [] } = part;
  const { rows } = report.result;
  const title = report.query.title;
  const ofTime = drawing === 'trend';
  const table = tableHtml(report, page, title, ofTime);
  const drawn = ofTime ? newest(report.result, MOST_DAYS) : first(report.result, MOST_BARS);
  const label = `${title}: ${question} The table below has the numbers.`;
  const chart = drawing === null || rows.length === 0 ? '' : drawChart(drawn, drawing, label, marks);
  return `<section id="${escapeHtml(id)}" aria-labelledby="${escapeHtml(id)}-title">
<h2 id="${escapeHtml(id)}-title">${escapeHtml(title)}</h2>
<p class="faint">${escapeHtml(question)}</p>
${listHtml('ul', says)}
${findings.map(({ message }) => `<p class="notice">${escapeHtml(message)}</p>`).join('\n')}
${chart}
${listHtml(
  'ol',
  marks.map(({ day, text }) => `${day}: ${text}`),
)}
${[...leaves, ...leftOut(chart === '' ? rows.length : drawn.rows.length, rows.length, ofTime)].map((one) => `<p class="faint">${escapeHtml(one)}</p>`).join('\n')}
${rows.length === 0 ? '<p>(no rows)</p>' : chart === '' && rows.length <= 20 ? table : `<details><summary>Numbers: ${escapeHtml(title)}</summary>${table}</details>`}
</section>`;
}

const listHtml = (kind: 'ul' | 'ol', items: readonly string[]) =>
  items.length === 0
    ? ''
    : `<${kind}>${items.map((one) => `<li>${escapeHtml(one)}</li>`).join('')}</${kind}>`;

type Result = Report['result'];

const first = (result: Result, most: number): Result => ({ ...result, rows: result.rows.slice(0, most) });
/** Days come in their order, and the question is what becomes of the rate. */
const newest = (result: Result, most: number): Result => ({ ...result, rows: result.rows.slice(-most) });

/** Whoever looks at a part must not take it for all. */
function leftOut(drawn: number, all: number, ofTime: boolean): string[] {
  if (drawn === all) return [];
  return [`Drawn are the ${ofTime ? 'newest' : 'first'} ${grouped(drawn)} of ${plural(all, 'row')}.`];
}

/** Names of columns that hold a trace. */
const TRACES: ReadonlySet<string> = new Set(['session_id', 'trace_id', 'example_session']);

function tableHtml({ result, gate }: Report, page: Page, label: string, ofTime = false): string {
  const { rows } = ofTime ? newest(result, MOST_ROWS) : first(result, MOST_ROWS);
  const fields = fieldsOf({ columns: result.columns, rows }, gate);
  const traces = result.columns.findIndex(({ name }) => TRACES.has(name));
  const head = fields.map((field) => `<th scope="col"${classOf(field.role)}>${escapeHtml(field.label)}</th>`);
  const body = rows.map((row, i) => {
    const cells = fields.map((field) => {
      const text = field.cells[i] ?? '';
      const isTrace = TRACES.has(field.name) && typeof row[traces] === 'string';
      return `<td${classOf(field.role, text)}>${isTrace ? traceHtml(row[traces]!, page) : escapeHtml(text)}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  const left = result.rows.length - rows.length;
  return `<div class="scroll" role="region" aria-label="Table: ${escapeHtml(label)}" tabindex="0"><table><thead><tr>${head.join('')}</tr></thead>
<tbody>${body.join('\n')}</tbody></table></div>${left > 0 ? `<p>… and ${plural(left, ofTime ? 'earlier row' : 'more row')}</p>` : ''}`;
}

/** A date in two lines and a sentence of one word a line are what a browser makes of a narrow table. */
function classOf(role: string, text?: string): string {
  if (role === 'number') return ' class="number"';
  if (text === undefined) return '';
  return text.length > 48 ? ' class="long"' : text.length <= 24 ? ' class="short"' : '';
}

/** The id leads to the trace where there is a service for it, and below to the command that tells its story. */
function traceHtml(cell: Cell, { traceUrl, show }: Page): string {
  const id = String(cell);
  const address = traceUrl?.(id) ?? null;
  const name =
    address === null
      ? escapeHtml(id)
      : `<a href="${escapeHtml(address)}" rel="noreferrer">${escapeHtml(id)}</a>`;
  return `${name}<br><code class="small">${escapeHtml(show(id))}</code>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Controls, direction marks and lone surrogates become visible first, but for line ends. */
export function escapeHtml(text: string): string {
  const safe = text.split('\n').map(sanitize).join('\n');
  return safe.replaceAll(/[&<>"']/g, (char) => ENTITIES[char]!);
}
