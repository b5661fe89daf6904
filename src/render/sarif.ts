/**
 * SARIF 2.1.0, which code scanning services show at the lines of files: a result for each violation and each reason
 * why a gate cannot vouch. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
import type { ExitCode } from '../schema/result.js';
import { type CheckReport, isWarning, type Part } from './check.js';
import { type Offence, offencesOf, placeOf } from './offences.js';
import type { Report } from './report.js';
import { escapeJson, sanitize } from './sanitize.js';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const HOME = 'https://lakelog.dev';

interface SarifResult {
  /** Of the rule, with the gate that has it. */
  readonly id: string;
  readonly about: string;
  readonly level: 'error' | 'warning';
  readonly text: string;
  readonly file: string | null;
  readonly line: number | null;
}

export function renderSarif(report: Report): string {
  const code = report.verdict?.exit_code ?? 0;
  return logOf(resultsOf(report, sanitize(report.query.name), false), report.receipt.version, code);
}

export function renderCheckSarif({ parts, receipt, exitCode }: CheckReport): string {
  return logOf(parts.flatMap(partResults), receipt.version, exitCode);
}

function partResults(part: Part): SarifResult[] {
  const { name, report, error } = part;
  if (report !== null) return resultsOf(report, name, isWarning(part));
  const text = [error?.what ?? '', ...(error?.next === undefined ? [] : [`→ ${error.next}`])].map(sanitize);
  const place = placeOf(error?.where);
  return [
    {
      id: `${name}/error`,
      about: 'It could not be judged.',
      level: 'error',
      text: text.join('\n'),
      ...place,
    },
  ];
}

function resultsOf(report: Report, name: string, warns: boolean): SarifResult[] {
  return offencesOf(report).map((offence) => ({
    id: `${name}/${offence.rule}`,
    // The sentence of a finding has numbers in it.
    about: offence.row
      ? offence.message
      : `${name} ${offence.weight === 'fired' ? 'fired' : 'cannot vouch'}.`,
    level: warns || (offence.row && offence.weight === 'doubt') ? 'warning' : 'error',
    text: textOf(offence),
    file: offence.file,
    line: offence.line,
  }));
}

function textOf({ message, facts, sessionId, next }: Offence): string {
  return [
    message,
    ...(sessionId === null ? [] : [`session_id: ${sessionId}`]),
    ...facts.filter((fact) => !fact.startsWith('session_id: ')),
    ...(next === null ? [] : [`→ ${next}`]),
  ].join('\n');
}

function logOf(results: readonly SarifResult[], version: string, exitCode: ExitCode): string {
  const rules = [...new Map(results.map(({ id, about }) => [id, about]))];
  const places = new Map(rules.map(([id], i) => [id, i]));
  const run = {
    tool: {
      driver: {
        name: 'lakelog',
        ...{ version, informationUri: HOME },
        rules: rules.map(([id, about]) => ({ id, shortDescription: { text: about } })),
      },
    },
    // What could not be checked is not checked.
    invocations: [{ executionSuccessful: exitCode === 0 || exitCode === 1, exitCode }],
    columnKind: 'utf16CodeUnits',
    results: results.map((result) => ({
      ruleId: result.id,
      ruleIndex: places.get(result.id),
      level: result.level,
      message: { text: result.text },
      ...locationsOf(result),
      partialFingerprints: { 'lakelog/v1': fingerprint(result) },
    })),
  };
  return `${escapeJson(JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }))}\n`;
}

/** The standard input is no place. */
function locationsOf({ file, line }: SarifResult) {
  if (file === null || file === '-') return {};
  const region = line === null || line < 1 ? {} : { region: { startLine: line } };
  return { locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } }] };
}

/** A path as a relative or absolute reference: what is no letter of one is escaped, and no colon makes it a scheme. */
function uriOf(file: string): string {
  const escaped = file
    .replace(/^(\.\/+)+/, '')
    .split('/')
    .map(encodeURIComponent)
    .join('/');
  return file.startsWith('/') ? `file://${escaped}` : escaped;
}

/** The same violation tomorrow is the same result; numbers in sentences of findings are not what it is about. */
function fingerprint({ id, file, line, text }: SarifResult): string {
  const about = line === null ? text.split('\n', 1)[0]!.replace(/\d+/g, '#') : String(line);
  return [id, file ?? '', about].join(' ');
}
