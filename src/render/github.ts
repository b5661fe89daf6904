import { type Offence, offencesOf, placeOf } from './offences.js';
import { outcomeOf } from './outcome.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';
import { clip } from './wrap.js';

type Level = 'error' | 'warning' | 'notice';

interface Annotation {
  readonly level: Level;
  readonly about: string;
  readonly lines: readonly string[];
  readonly file: string | null;
  readonly line: number | null;
}

// https://docs.github.com/actions/reference/limits: 10 annotations of each level per step, the rest is dropped unsaid.
const MOST = 10;
const LONGEST_LINE = 2000;

/** Workflow commands: an annotation for each violation and each reason why the gate cannot vouch. */
export function renderGithub(report: Report): string {
  const annotations = annotationsOf(report);
  return (['error', 'warning', 'notice'] as const)
    .flatMap((level) =>
      atMost(
        annotations.filter((one) => one.level === level),
        level,
      ),
    )
    .map((one) => command(one, `lakelog ${sanitize(report.query.name)}`))
    .join('');
}

function annotationsOf(report: Report): Annotation[] {
  const { verdict } = report;
  const notices = (verdict?.notices ?? []).map(
    ({ code, message, where, next }): Annotation => ({
      level: 'notice',
      about: sanitize(code),
      lines: [sanitize(message), ...(next === undefined ? [] : [`→ ${sanitize(next)}`])],
      ...placeOf(where),
    }),
  );
  if (verdict !== undefined && verdict.status !== 'clear') {
    return [...offencesOf(report).map(annotationOf), ...notices];
  }
  const outcome = { level: 'notice', about: '', lines: [outcomeOf(report)], file: null, line: null } as const;
  return [outcome, ...notices];
}

/** A row that only casts doubt is a warning; a finding turns the run red, so it is an error. */
function annotationOf({ weight, row, rule, message, facts, next, file, line }: Offence): Annotation {
  return {
    level: row && weight === 'doubt' ? 'warning' : 'error',
    about: rule,
    lines: [message, ...facts, ...(next === null ? [] : [`→ ${next}`])],
    file,
    line,
  };
}

function atMost(annotations: readonly Annotation[], level: Level): readonly Annotation[] {
  if (annotations.length <= MOST) return annotations;
  const left = annotations.slice(MOST - 1);
  const counts = new Map<string, number>();
  for (const { about } of left) counts.set(about, (counts.get(about) ?? 0) + 1);
  const kinds = [...counts].map(([about, count]) => `${count} × ${about || 'verdict'}`).join(', ');
  const more: Annotation = {
    level,
    about: '',
    lines: [
      `${left.length} more: ${kinds}`,
      `GitHub shows ${MOST} annotations of a kind; --format table prints them all`,
    ],
    file: null,
    line: null,
  };
  return [...annotations.slice(0, MOST - 1), more];
}

function command({ level, about, lines, file, line }: Annotation, subject: string): string {
  const properties = [
    ...(file === null ? [] : [`file=${property(file)}`]),
    ...(file === null || line === null ? [] : [`line=${line}`]),
    `title=${property(clip(about === '' ? subject : `${subject}: ${about}`, LONGEST_LINE))}`,
  ];
  const message = lines.map((text) => data(clip(text, LONGEST_LINE))).join('%0A');
  return `::${level} ${properties.join(',')}::${message}\n`;
}

// As the toolkit does: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
