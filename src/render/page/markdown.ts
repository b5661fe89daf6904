/** The page as Markdown: the same parts, without charts. */
import { KINDS, WORDS } from '../findings.js';
import { codeSpan, escapeMarkdown, fenced, renderMarkdown } from '../md.js';
import { outcomeOf } from '../outcome.js';
import { renderReceipt, withoutVerdict } from '../receipt.js';
import type { Report } from '../report.js';
import { sanitize } from '../sanitize.js';
import type { Page, Part } from './model.js';

export function renderPageMarkdown(page: Page): string {
  const blocks = [
    '# lakelog report',
    prose(page.rests),
    `${prose(page.window)}; made ${prose(page.madeAt)} by lakelog ${prose(page.lakelog)}`,
    '## Gates',
    ...page.gates.flatMap(gateBlocks),
    ...page.parts.flatMap(partBlocks),
  ];
  return `${blocks.map((block) => block.trimEnd()).join('\n\n')}\n`;
}

function gateBlocks(report: Report): string[] {
  const { verdict, query, result } = report;
  const status = (verdict?.status ?? 'cannot_vouch').replace('_', ' ').toUpperCase();
  const findings = KINDS.flatMap((kind) =>
    (verdict?.[kind] ?? []).map(({ message, where, next }) => {
      const place = where === undefined ? '' : ` (${codeSpan(sanitize(where))})`;
      const step = next === undefined ? '' : `: ${codeSpan(sanitize(next))}`;
      return `- **${WORDS[kind]}** ${prose(message)}${place}${step}`;
    }),
  );
  return [
    `### ${status}: ${prose(query.title)}`,
    `${prose(outcomeOf(report))}.`,
    ...(findings.length > 0 ? [findings.join('\n')] : []),
    ...(result.rows.length > 0 ? [renderMarkdown(report)] : []),
    fenced(renderReceipt(withoutVerdict(report), { color: false, width: 100 })),
  ];
}

function partBlocks({ report, question, marks = [], says, findings, leaves = [] }: Part): string[] {
  return [
    `## ${prose(report.query.title)}`,
    prose(question),
    ...list(says),
    ...list(marks.map(({ day, text }) => `${day}: ${text}`)),
    ...leaves.map(prose),
    ...findings.map(({ message }) => `> ${prose(message)}`),
    renderMarkdown(report),
  ];
}

const list = (items: readonly string[]) =>
  items.length === 0 ? [] : [items.map((one) => `- ${prose(one)}`).join('\n')];
const prose = (text: string) => escapeMarkdown(sanitize(text));
