import { shellWord } from '../errors.js';
import type { GateSpec } from '../schema/gate.js';
import type { FileAccount, Finding, InputProblem, RejectGroup } from '../schema/result.js';

/** All that a verdict rests on. */
export interface Evidence {
  /** Null where only the inputs are examined. */
  readonly gate: GateSpec | null;
  /** How many rows carry which value of the gate's column, and where the first of them stands. */
  readonly values: ReadonlyMap<string, { count: number; first: string; firstSession: string }>;
  /** Flags of the query that are set. */
  readonly allowed: ReadonlySet<string>;
  readonly judged: number;
  /** Calls that pass the filters, and all calls; null where nothing was asked of them. */
  readonly selected: { readonly calls: number; readonly of: number } | null;
  readonly gatedKinds: readonly string[];
  /** False for a gate that has no notion of gated kinds. */
  readonly readsGatedKinds: boolean;
  readonly files: readonly FileAccount[];
  readonly problems: readonly InputProblem[];
  readonly inputNotices: readonly string[];
  readonly rejects: readonly (RejectGroup & { readonly blocks: boolean })[];
  readonly conflicts: number;
  readonly firstConflict: string | null;
  readonly kinds: readonly {
    kind: string;
    calls: number;
    accepted_false: number;
    first?: string;
    first_false?: string | null;
  }[];
  readonly gaps: readonly { writer_id: string; missing: number }[];
  readonly newest: { readonly time: string; readonly where: string } | null;
  readonly now: Date;
  readonly minJudged: number;
  readonly maxRejects: number;
  readonly maxAgeMs: number | null;
  /** What was settled, in words, and which acknowledgements no longer hold. */
  readonly acknowledgements: {
    readonly used: readonly string[];
    readonly findings: readonly Omit<Finding, 'code'>[];
  };
  /** The command that shows one trace of the same inputs. */
  readonly showTrace: (sessionId: string) => string;
  /** The question rests on replay runs, and none was loaded. */
  readonly lacksReplayRuns: boolean;
  /** The command that lists every reject of the same inputs. */
  readonly listRejects: string;
}

export type Weight = 'fired' | 'cannot_vouch' | 'notice';

export interface Rule {
  readonly code: string;
  readonly weight: Weight;
  /** What is wrong, or nothing. */
  check(evidence: Evidence): readonly Omit<Finding, 'code'>[];
}

export const FUTURE_TOLERANCE_MS = 5 * 60_000;

const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** A failed schema or verdict check could hide an accepted call: no budget covers it. */
const NEVER_EXCUSED = /^(missing|type|value|duplicate_key):(schema|final_verdict)$/;

const excusable = (e: Evidence) =>
  e.rejects.filter((reject) => reject.blocks && !NEVER_EXCUSED.test(reject.reason));
const overBudget = (e: Evidence) =>
  excusable(e).reduce((sum, reject) => sum + reject.count, 0) + e.conflicts > e.maxRejects;

/** One finding for a list of rejects; the receipt lists them by reason. */
function summed(rejects: Evidence['rejects'], what: string, next: string): readonly Omit<Finding, 'code'>[] {
  const [first] = rejects;
  if (!first) return [];
  const count = rejects.reduce((sum, reject) => sum + reject.count, 0);
  const reasons = rejects.length === 1 ? '' : ` for ${rejects.length} reasons, the first`;
  return [
    {
      message: `${plural(count, 'line')} ${what}${reasons}: ${first.reason}, ${first.detail}`,
      where: first.first,
      next,
    },
  ];
}

/** The option replaces the default, so the whole set is spelt out. */
const gating = (e: Evidence, kind: string) =>
  [...e.gatedKinds, kind].map((gated) => `--gated-kind ${shellWord(gated)}`).join(' ');

const folded = (kind: string) =>
  kind
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]+/gu, '');
const isEmpty = (e: Evidence, problem: InputProblem) => {
  const file = e.files.find((candidate) => candidate.file === problem.path);
  return file !== undefined && file.lines === file.blank + file.pending;
};
/** A gate rests on calls: replay runs beside an empty log do not show that the service still logs. */
const othersHoldRecords = (e: Evidence) =>
  e.files.some((file) => file.loaded > 0) && (e.gate === null || e.kinds.length > 0);
/** A log that was just rotated is empty while its neighbours hold the records. */
const isJustRotated = (e: Evidence, problem: InputProblem) =>
  problem.problem === 'no_records' && isEmpty(e, problem) && othersHoldRecords(e);

const ofProblem =
  (kind: InputProblem['problem'], message: (problem: InputProblem) => string, next: string) =>
  (e: Evidence) =>
    e.problems
      .filter((problem) => problem.problem === kind && !isJustRotated(e, problem))
      .map((problem) => ({ message: message(problem), where: problem.path, next }));

export const RULES: readonly Rule[] = [
  {
    code: 'violation',
    weight: 'fired',
    check: (e) =>
      (e.gate?.fires ?? []).flatMap(({ value, note }) => {
        const rows = e.values.get(value);
        if (!rows) return [];
        const next = rows.firstSession ? e.showTrace(rows.firstSession) : readLine(rows.first);
        return [{ message: `${plural(rows.count, `${value} call`)}: ${note}`, where: rows.first, next }];
      }),
  },
  {
    code: 'missing_input',
    weight: 'cannot_vouch',
    check: ofProblem(
      'missing',
      (p) => `the input is missing: ${p.detail}`,
      'correct the path, or find out why nothing was written there',
    ),
  },
  {
    code: 'unreadable_input',
    weight: 'cannot_vouch',
    check: ofProblem(
      'unreadable',
      (p) => `the input cannot be read: ${p.detail}`,
      'make it readable for this user, or replace the damaged copy',
    ),
  },
  {
    code: 'no_logs',
    weight: 'cannot_vouch',
    check: ofProblem('no_logs', (p) => p.detail, 'name the folder that the service logs to'),
  },
  {
    code: 'no_records',
    weight: 'cannot_vouch',
    check: ofProblem(
      'no_records',
      (p) => `the input holds no record: ${p.detail}`,
      'name the file that the service logs to, or find out why it is empty',
    ),
  },
  {
    code: 'no_replay_runs',
    weight: 'cannot_vouch',
    check: (e) =>
      e.lacksReplayRuns
        ? [
            {
              message: 'no replay run was loaded, so there is nothing to compare the calls with',
              next: 'name the log of the replay tool, or find out why it is empty',
            },
          ]
        : [],
  },
  {
    code: 'too_few_judged',
    weight: 'cannot_vouch',
    check: (e) =>
      e.judged >= e.minJudged
        ? []
        : [
            {
              message:
                e.judged === 0
                  ? 'no call was judged: a check of nothing proves nothing'
                  : `${plural(e.judged, 'call')} judged, and --min-judged asks for ${e.minJudged}`,
              next:
                e.kinds.length === 0
                  ? 'name a log that holds session records'
                  : 'widen --since/--until and the other filters, or check --gated-kind against the kinds in the receipt',
            },
          ],
  },
  {
    code: 'nothing_selected',
    weight: 'cannot_vouch',
    check: ({ selected, problems }) => {
      if (selected === null || selected.calls > 0 || (selected.of === 0 && problems.length > 0)) return [];
      return [
        selected.of === 0
          ? { message: 'no session record was loaded', next: 'name a log that holds session records' }
          : {
              message: `none of ${plural(selected.of, 'loaded call')} passes the filters`,
              next: 'widen --since and --until, and check the names in the other filters',
            },
      ];
    },
  },
  {
    code: 'unjudged',
    weight: 'cannot_vouch',
    check: (e) =>
      (e.gate?.cannotVouch ?? []).flatMap(({ value, note, unless }) => {
        const rows = e.values.get(value);
        if (!rows || (unless !== undefined && e.allowed.has(unless))) return [];
        const allow = unless === undefined ? '' : `, or accept them with --${unless.replaceAll('_', '-')}`;
        return [
          {
            message: `${plural(rows.count, `${value} call`)}: ${note}`,
            where: rows.first,
            next: `have the service stamp every accepted call${allow}`,
          },
        ];
      }),
  },
  {
    code: 'unnamed_value',
    weight: 'cannot_vouch',
    check: (e) => {
      if (e.gate === null) return [];
      const { column, fires, cannotVouch } = e.gate;
      const named = new Set([...fires, ...cannotVouch].map((rule) => rule.value));
      return [...e.values]
        .filter(([value]) => !named.has(value))
        .map(([value, rows]) => ({
          message: `${plural(rows.count, 'row')} with ${column} = ${JSON.stringify(value)}, which the header of the query does not name`,
          where: rows.first,
          next: `name the value in a "fires" or "cannot-vouch" line of the query`,
        }));
    },
  },
  {
    code: 'rejects',
    weight: 'cannot_vouch',
    check: (e) => (overBudget(e) ? summed(excusable(e), 'could not be loaded', e.listRejects) : []),
  },
  {
    code: 'unknown_record',
    weight: 'cannot_vouch',
    check: (e) =>
      summed(
        e.rejects.filter((reject) => reject.blocks && NEVER_EXCUSED.test(reject.reason)),
        'with an unknown schema or final verdict, which nothing excuses',
        e.listRejects,
      ),
  },
  {
    code: 'conflicts',
    weight: 'cannot_vouch',
    check: (e) =>
      e.conflicts === 0 || !overBudget(e)
        ? []
        : [
            {
              message: `${plural(e.conflicts, 'call')} share a call_id with a different record: one of them may have been rewritten`,
              ...(e.firstConflict === null ? {} : { where: e.firstConflict }),
              next: 'compare the lines with that call_id',
            },
          ],
  },
  {
    code: 'acknowledgements',
    weight: 'cannot_vouch',
    check: (e) => e.acknowledgements.findings,
  },
  {
    code: 'near_miss_kind',
    weight: 'cannot_vouch',
    check: (e) => {
      if (!e.readsGatedKinds) return [];
      const gated = new Map(e.gatedKinds.map((kind) => [folded(kind), kind]));
      return e.kinds
        .filter(({ kind }) => !e.gatedKinds.includes(kind) && gated.has(folded(kind)))
        .map(({ kind, calls, first }) => ({
          message: `${plural(calls, 'call')} of kind ${JSON.stringify(kind)}, which differs from the gated kind ${JSON.stringify(gated.get(folded(kind)))} only by case or white space`,
          ...(first === undefined ? {} : { where: first }),
          next: `correct the writer, or gate it too: ${gating(e, kind)}`,
        }));
    },
  },
  {
    code: 'ungrounded_elsewhere',
    weight: 'cannot_vouch',
    check: (e) =>
      e.readsGatedKinds
        ? e.kinds
            .filter(({ kind, accepted_false }) => !e.gatedKinds.includes(kind) && accepted_false > 0)
            .map(({ kind, accepted_false, first_false }) => ({
              message: `${plural(accepted_false, 'accepted call')} of kind ${JSON.stringify(kind)} stamped grounded_in_roster = false, outside the gated kinds`,
              ...(first_false == null ? {} : { where: first_false }),
              next: `gate it too: ${gating(e, kind)}`,
            }))
        : [],
  },
  {
    code: 'stale',
    weight: 'cannot_vouch',
    check: (e) => {
      if (e.maxAgeMs === null) return [];
      if (e.newest === null) {
        return [
          {
            message: 'there is no record at all, so none is as young as --max-age demands',
            next: 'check that the service runs and logs to this file',
          },
        ];
      }
      const age = e.now.getTime() - Date.parse(e.newest.time);
      if (age <= e.maxAgeMs) return [];
      return [
        {
          message: `the newest record is of ${e.newest.time}, ${Math.round(age / 3_600_000)} h old, and --max-age allows ${Math.round(e.maxAgeMs / 3_600_000)} h: the writer may have stopped`,
          where: e.newest.where,
          next: 'check that the service runs and logs to this file',
        },
      ];
    },
  },
  {
    code: 'future',
    weight: 'cannot_vouch',
    check: (e) =>
      e.newest !== null && Date.parse(e.newest.time) > e.now.getTime() + FUTURE_TOLERANCE_MS
        ? [
            {
              message: `the newest record is of ${e.newest.time}, which is in the future: a clock is wrong, and windows and ages cannot be trusted`,
              where: e.newest.where,
              next: 'check the clock of the writer and of this machine',
            },
          ]
        : [],
  },
  {
    code: 'allowed',
    weight: 'notice',
    check: (e) =>
      (e.gate?.cannotVouch ?? []).flatMap(({ value, unless }) => {
        const rows = e.values.get(value);
        return rows && unless !== undefined && e.allowed.has(unless)
          ? [
              {
                message: `${plural(rows.count, `${value} call`)} accepted by --${unless.replaceAll('_', '-')}`,
                where: rows.first,
              },
            ]
          : [];
      }),
  },
  {
    code: 'acknowledged',
    weight: 'notice',
    check: (e) => e.acknowledgements.used.map((message) => ({ message })),
  },
  {
    code: 'rejects_within_budget',
    weight: 'notice',
    check: (e) => {
      const count = excusable(e).reduce((sum, reject) => sum + reject.count, 0);
      return overBudget(e) || count + e.conflicts === 0
        ? []
        : [
            {
              message: `${plural(count, 'reject')} and ${plural(e.conflicts, 'conflict')} within --max-rejects ${e.maxRejects}`,
              next: e.listRejects,
            },
          ];
    },
  },
  {
    code: 'replay_rejects',
    weight: 'notice',
    check: (e) =>
      summed(
        e.rejects.filter((reject) => !reject.blocks),
        'of replay runs could not be loaded',
        e.listRejects,
      ),
  },
  {
    code: 'just_rotated',
    weight: 'notice',
    check: (e) =>
      e.problems
        .filter((problem) => isJustRotated(e, problem))
        .map((problem) => ({
          message: 'the file holds no finished line; others hold records (just rotated?)',
          where: problem.path,
        })),
  },
  {
    code: 'pending',
    weight: 'notice',
    check: (e) =>
      e.files
        .filter((file) => file.pending > 0)
        .map((file) => ({
          message:
            'the last line is unfinished and the file was just written to: it belongs to the next run (where nothing writes any more: --pending-grace 0)',
          where: file.file,
        })),
  },
  {
    code: 'gaps',
    weight: 'notice',
    check: (e) =>
      e.gaps.map(({ writer_id, missing }) => ({
        message: `${plural(missing, 'record')} of writer ${JSON.stringify(writer_id)} ${missing === 1 ? 'is' : 'are'} missing between its first and last seq`,
        next: 'look for a rotated file that was not named; a writer that drops records says so in its own log',
      })),
  },
  {
    code: 'inputs',
    weight: 'notice',
    check: (e) => e.inputNotices.map((message) => ({ message })),
  },
];

/** The line of `file:line` on the screen. */
function readLine(place: string): string {
  const at = place.lastIndexOf(':');
  return `read it: sed -n '${place.slice(at + 1)}p' ${shellWord(place.slice(0, at))}`;
}

const ABOUT_INPUTS = new Set([
  'no_replay_runs',
  'nothing_selected',
  'missing_input',
  'unreadable_input',
  'no_logs',
  'no_records',
  'rejects',
  'unknown_record',
  'conflicts',
  'replay_rejects',
  'just_rotated',
  'pending',
  'gaps',
  'inputs',
]);

/** What is wrong with the inputs, whatever is asked of them. */
export const INPUT_RULES: readonly Rule[] = RULES.filter((rule) => ABOUT_INPUTS.has(rule.code));

const ABOUT_LINES = new Set(['nothing_selected', 'rejects', 'unknown_record', 'conflicts']);

/** The same for a question that is no gate: lines that could not be loaded are told, and do not stop it. */
export const LENIENT_INPUT_RULES: readonly Rule[] = INPUT_RULES.map((rule) =>
  ABOUT_LINES.has(rule.code) ? { ...rule, weight: 'notice' } : rule,
);
