import type { Finding } from '../schema/result.js';
import { type CheckReport, isWarning, sharedFindings, tallyOf } from './check.js';
import { type Offence, offencesOf, placeOf } from './offences.js';
import { outcomeOf } from './outcome.js';
import type { Report } from './report.js';
import { sanitize } from './sanitize.js';
import { clip } from './wrap.js';

type Level = 'error' | 'warning' | 'notice';

interface Annotation {
  readonly level: Level;
  /** The gate. */
  readonly subject: string;
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
  const { verdict } = report;
  const notices = (verdict?.notices ?? []).map((notice) => noticeOf(notice, report.query.name));
  if (verdict !== undefined && verdict.status !== 'clear')
    return commands([...annotationsOf(report, report.query.name, false), ...notices]);
  return commands([outcome(outcomeOf(report), report.query.name), ...notices]);
}

/** The same of several, whose notices are told once. */
export function renderCheckGithub(check: CheckReport): string {
  const found = check.parts.flatMap((part): Annotation[] => {
    const { name, report, error } = part;
    if (report !== null) return annotationsOf(report, name, isWarning(part));
    return [
      {
        ...{ level: 'error', subject: name, about: 'error', ...placeOf(error?.where) },
        lines: [
          sanitize(error?.what ?? ''),
          ...(error?.next === undefined ? [] : [`→ ${sanitize(error.next)}`]),
        ],
      },
    ];
  });
  const notices = sharedFindings(check)
    .filter(({ kind }) => kind === 'notices')
    .map(({ finding }) => noticeOf(finding, 'check'));
  return commands([...found, outcome(tallyOf(check), 'check'), ...notices]);
}

function commands(annotations: readonly Annotation[]): string {
  return (['error', 'warning', 'notice'] as const)
    .flatMap((level) =>
      atMost(
        annotations.filter((one) => one.level === level),
        level,
      ),
    )
    .map((one) => command(one, `lakelog ${sanitize(one.subject)}`))
    .join('');
}

function noticeOf({ code, message, where, next }: Finding, subject: string): Annotation {
  return {
    ...{ level: 'notice', subject, about: sanitize(code) },
    lines: [sanitize(message), ...(next === undefined ? [] : [`→ ${sanitize(next)}`])],
    ...placeOf(where),
  };
}

const outcome = (text: string, subject: string): Annotation => ({
  ...{ level: 'notice', subject, about: '', lines: [text], file: null, line: null },
});

function annotationsOf(report: Report, subject: string, warns: boolean): Annotation[] {
  return offencesOf(report).map((offence) => {
    const annotation = annotationOf(offence, subject);
    return warns ? { ...annotation, level: 'warning' } : annotation;
  });
}

/** A row that only casts doubt is a warning; a finding turns the run red, so it is an error. */
function annotationOf(
  { weight, row, rule, message, facts, next, file, line }: Offence,
  subject: string,
): Annotation {
  return {
    subject,
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
    subject: annotations[0]!.subject,
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
