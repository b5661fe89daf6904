/** What is asked of every random fleet: by turns, so that each question meets each kind of option several times. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Given } from '../../src/query/params.js';
import type { Query } from '../../src/query/question.js';
import { ALL_QUESTIONS } from '../dialect/cases.js';
import { TABLES } from '../folder/everything.js';
import { GROUPINGS } from '../oracle/random-logs.mjs';
import fc from '../support/fast-check.js';
import { tempFolder } from '../support/lake.js';
import { type Fleet, fleets } from './fleet.js';

export const KINDS_OF_OPTIONS = [
  ...['tz', 'since', 'until', 'model', 'kind', 'daemon', 'environment', 'gated_kind', 'params'],
] as const;
type Option = (typeof KINDS_OF_OPTIONS)[number];

const someOf = (...values: string[]) => fc.subarray(values, { minLength: 2 });

/** Each a value of the command line, or several. */
const options = fc.record({
  tz: fc.constantFrom(
    ...['Europe/Berlin', 'America/Chicago', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Auckland'],
  ),
  since: fc.constantFrom(
    '2026-09-01',
    '2026-09-02',
    '2026-08-31T23:59:59.999999Z',
    '2026-09-01T00:00:00+02:00',
  ),
  until: fc.constantFrom(
    '2026-09-08',
    '2026-09-07',
    '2026-09-08T00:00:00.000001Z',
    '2026-10-25T03:30:00+01:00',
  ),
  model: someOf('qwen3:8b', 'gemma', 'gpt "x"', 'back\\slash', 'модель', '🦆', "o'neill"),
  kind: someOf('fill', 'email', ' fill', 'playbook', 'Fill'),
  daemon: someOf('staffing', 'mailer', ''),
  environment: someOf('prod', 'staging', 'prod ', ''),
  gated_kind: someOf('fill', 'email', 'Fill', "e'mail\\"),
});
type Values = typeof options extends fc.Arbitrary<infer T> ? T : never;

/** Parameters of a question, each of which may stay as it is. */
const ofQuestion = (query: Query): fc.Arbitrary<Given> =>
  fc.record(
    Object.fromEntries(
      query.params
        .filter(({ of }) => of.type !== 'kinds')
        .map(({ name, of }) => [name, of.type === 'flag' ? fc.constant(true) : textsOf(of.type)]),
    ),
  );

const textsOf = (type: string): fc.Arbitrary<readonly string[]> =>
  type === 'set'
    ? fc.shuffledSubarray<string>([...GROUPINGS], { minLength: 1, maxLength: 3 })
    : type === 'text'
      ? fc.constantFrom("it's \\", 'a "b"', '模型', "' OR 1=1 --").map((text) => [text])
      : fc.constantFrom('1', '2', '5').map((text) => [text]);

/** SELECTs of somebody's own, for `lakelog query -f`, with their `-p`. */
const OWN: readonly (readonly [sql: string, ...params: string[]])[] = [
  [
    `SELECT s.kind, s.model, COUNT(*) AS calls, SUM(s.iterations) AS tries, AVG(s.duration_ms) AS mean_ms, MAX(s.timestamp) AS newest
FROM sessions s GROUP BY s.kind, s.model ORDER BY s.kind, s.model`,
  ],
  [
    `-- of a model that $who names
SELECT $who AS who, s.session_id, s.timestamp, s.day, s.gated, s.grounded_in_roster, s.iterations * 1e0 / $parts AS share
FROM sessions s WHERE s.model <> $who ORDER BY s.timestamp, s.file, s.line`,
    "who=o'neill\\ 🦆",
    'parts=7',
  ],
  [
    `SELECT a.verdict, a.kind, COUNT(*) AS attempts, SUM(a.output_tokens) AS tokens, MIN(a.timestamp) AS first_time
FROM attempts a GROUP BY a.verdict, a.kind ORDER BY a.verdict, a.kind`,
  ],
  [
    `WITH told AS (SELECT r.reason_shape, COUNT(*) AS times FROM attempt_reasons r GROUP BY r.reason_shape)
SELECT t.reason_shape, t.times, ROW_NUMBER() OVER (ORDER BY t.times DESC, t.reason_shape) AS place
FROM told t CROSS JOIN params p WHERE t.times >= p.least ORDER BY t.times DESC, t.reason_shape`,
    'least=1',
  ],
  [
    `SELECT r.reason, r.file, COUNT(*) AS lines, MIN(r.line) AS first_line FROM rejects r
GROUP BY r.reason, r.file ORDER BY r.reason, r.file`,
  ],
  [
    `SELECT r.session_id, r.run_id, r.timestamp, r.document_count, s.call_key, s.first_shot
FROM replay_runs r LEFT JOIN sessions s ON s.session_id = r.session_id AND s.timestamp <= r.timestamp
ORDER BY r.file, r.line, s.call_key NULLS LAST`,
  ],
  [
    `SELECT t.session_id, t.calls, t.replay_runs, t.first_time, t.any_ungrounded FROM traces t
WHERE t.in_window ORDER BY t.session_id DESC`,
  ],
];

function ownFiles(): string[] {
  const folder = path.join(tempFolder(), 'own');
  mkdirSync(folder);
  return OWN.map(([sql], i) => {
    const file = path.join(folder, `own-${i}.sql`);
    writeFileSync(file, `${sql}\n`);
    return file;
  });
}

export interface Asked {
  readonly fleet: Fleet;
  readonly values: Partial<Values>;
  readonly questions: readonly Query[];
  /** By the names of questions. */
  readonly given: Readonly<Record<string, Given>>;
  readonly tables: readonly string[];
  /** Arguments of `lakelog`, without inputs. */
  readonly own: readonly string[];
}

const QUESTIONS = 2;
/** `some` of them from the i-th group on, around. */
const turn = <T>(all: readonly T[], i: number, some: number): T[] =>
  Array.from({ length: some }, (_, k) => all[(i * some + k) % all.length]!);

const bitsOf = (n: number) => [...n.toString(2)].filter((digit) => digit === '1').length;
/** Each option in half of sixteen turns, and any two of them together in a quarter. */
export const has = (i: number, option: Option): boolean =>
  bitsOf((i % 16) & (KINDS_OF_OPTIONS.indexOf(option) + 1)) % 2 === 1;

/** The questions of a turn. */
export const questionsOf = (i: number): Query[] => turn(ALL_QUESTIONS, i, QUESTIONS);

/** So many of them, as the seed has it. */
export function drawn(count: number, seed: number): Asked[] {
  const files = ownFiles();
  const all = fc.record({
    fleet: fleets,
    values: options,
    given: fc.record(Object.fromEntries(ALL_QUESTIONS.map((query) => [query.name, ofQuestion(query)]))),
  });
  return fc.sample(all, { numRuns: count, seed }).map(({ fleet, values, given }, i) => {
    const chosen = Object.fromEntries(Object.entries(values).filter(([name]) => has(i, name as Option)));
    const [, ...params] = OWN[i % OWN.length]!;
    return {
      ...{ fleet, values: chosen, questions: questionsOf(i), tables: turn(TABLES, i, 1) },
      given: has(i, 'params') ? (given as Record<string, Given>) : {},
      own: [
        'query',
        '-f',
        files[i % files.length]!,
        ...params.flatMap((one) => ['-p', one]),
        ...flags(chosen),
      ],
    };
  });
}

const flags = (values: Partial<Values>): string[] =>
  Object.entries(values).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => [`--${name.replace('_', '-')}`, one]),
  );
