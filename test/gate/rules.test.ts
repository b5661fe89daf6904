import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../src/gate/evidence.js';
import { judge } from '../../src/gate/judge.js';
import { INPUT_RULES, LENIENT_INPUT_RULES, RULES } from '../../src/gate/rules.js';
import { FUTURE_TOLERANCE_MS } from '../../src/gate/time-rules.js';
import type { Newest } from '../../src/schema/account.js';
import type { Verdict } from '../../src/schema/result.js';
import { nightly } from '../support/cli.js';
import fc from '../support/fast-check.js';
import {
  at,
  type Changes,
  evidence,
  fileAccount,
  gap,
  kind,
  kinds,
  problem,
  recomputed,
  reject,
  rows,
} from './evidence.js';

const LAKE = {
  ...{ path: 'lake.duckdb', synced: true, last_sync: null, loading: false, known_logs: true },
  ...{ new_bytes: 0, new_files: 0, earlier_bytes: 1, earlier_files: 1, not_looked_at: [] },
};

const MINUTE = 60_000;
const empty = fileAccount({ file: 'new.jsonl', loaded: 0 });
const newest = (ms: number): Newest => ({ time: at(ms), where: 'sessions.jsonl:3' });
/** What no clock writes, and what must not compare as false. */
const UNREADABLE = ['infinity', '', '292278-01-01T00:00:00Z', '2026-09-02T12:00:60'];

/** Somebody who must be heard of within a minute, and the last call of theirs. */
const expected = (last: Newest | null): Evidence['calls']['awaited'][number] => ({
  of: { daemon: 'staffing' },
  withinMs: MINUTE,
  where: 'expect.toml:1',
  last,
  nearest: {},
});

/** Evidence in which one rule, and only that one, has something to say. */
const CASES: readonly { readonly code: string; readonly when: string; readonly given: Changes }[] = [
  { code: 'violation', when: 'a row fires', given: { gate: { values: rows('ungrounded') } } },
  {
    code: 'acknowledgements',
    when: 'one of them expired',
    given: {
      acknowledgements: {
        used: [],
        findings: [{ message: 'expired', where: 'acks.jsonl:1', next: 'look again' }],
      },
    },
  },
  {
    code: 'acknowledged',
    when: 'one of them took a row out',
    given: { acknowledgements: { used: ['call a acknowledged by b'], findings: [] } },
  },
  {
    code: 'no_replay_runs',
    when: 'the question rests on replay runs and none was loaded',
    given: { inputs: { lacksReplayRuns: true } },
  },
  {
    code: 'unjudgeable',
    when: 'the question rests on attempts that are not understood',
    given: { calls: { unjudgeable: { calls: 1, first: 'sessions.jsonl:2' } } },
  },
  {
    code: 'misspelt_filter',
    when: 'a value of a filter occurs nowhere, and one like it does',
    given: { calls: { absent: [{ filter: 'model', value: 'gtp', meant: ['gpt'] }] } },
  },
  {
    code: 'absent_filter_value',
    when: 'a value of a filter occurs nowhere, nor one like it',
    given: { calls: { absent: [{ filter: 'model', value: 'x', meant: null }] } },
  },
  {
    code: 'missing_input',
    when: 'a path is not there',
    given: { inputs: { problems: [problem('missing', 'b.jsonl')] } },
  },
  {
    code: 'unreadable_input',
    when: 'a copy is damaged',
    given: { inputs: { problems: [problem('unreadable', 'b.gz')] } },
  },
  {
    code: 'unusable_roster',
    when: 'the roster that stamps are to be checked against looks odd',
    given: { inputs: { problems: [problem('roster', 'roster.csv:3')] } },
  },
  {
    code: 'other_roster',
    when: 'calls were stamped by another roster than the one that is asked',
    given: { gate: { recomputed: recomputed({ other_roster: 2 }) } },
  },
  {
    code: 'no_logs',
    when: 'a folder holds no log',
    given: { inputs: { problems: [problem('no_logs', 'logs')] } },
  },
  {
    code: 'no_records',
    when: 'no line of a file could be loaded',
    given: {
      inputs: {
        files: [fileAccount(), fileAccount({ file: 'b.jsonl', loaded: 0, rejected: 2 })],
        problems: [problem('no_records', 'b.jsonl')],
        mayBeEmpty: new Set(['b.jsonl']),
      },
    },
  },
  {
    code: 'no_records',
    when: 'the only file is empty',
    given: { inputs: { files: [empty], problems: [problem('no_records', empty.file)] } },
  },
  {
    code: 'no_records',
    when: 'all files are empty',
    given: {
      inputs: {
        files: [empty, fileAccount({ loaded: 0, blank: 3 })],
        problems: [problem('no_records', empty.file), problem('no_records', 'sessions.jsonl')],
        mayBeEmpty: new Set([empty.file, 'sessions.jsonl']),
      },
    },
  },
  {
    code: 'no_records',
    when: 'an empty file that nobody rotates stands beside one with records',
    given: {
      inputs: {
        files: [fileAccount(), empty],
        problems: [problem('no_records', empty.file)],
        mayBeEmpty: new Set(),
      },
    },
  },
  { code: 'too_few_judged', when: 'nothing was judged', given: { gate: { judged: 0 } } },
  {
    code: 'too_few_judged',
    when: 'one fewer than asked for',
    given: { gate: { judged: 4 }, limits: { minJudged: 5 } },
  },
  {
    code: 'nothing_selected',
    when: 'no call passes the filters',
    given: { gate: null, calls: { selected: { calls: 0, of: 3 } } },
  },
  {
    code: 'nothing_selected',
    when: 'no call was loaded',
    given: { gate: null, calls: { selected: { calls: 0, of: 0 } } },
  },
  { code: 'unjudged', when: 'nobody checked a row', given: { gate: { values: rows('unjudged') } } },
  {
    code: 'unjudged',
    when: 'another flag is set',
    given: { gate: { values: rows('unjudged'), allowed: new Set(['allow_other']) } },
  },
  {
    code: 'unnamed_value',
    when: 'a row breaks a rule that the header does not name',
    given: { gate: { values: rows('worse') } },
  },
  { code: 'rejects', when: 'a line is rejected', given: { inputs: { rejects: [reject('bad_json')] } } },
  {
    code: 'rejects',
    when: 'one over the budget',
    given: { inputs: { rejects: [reject('bad_json', 4)] }, limits: { maxRejects: 3 } },
  },
  {
    code: 'rejects',
    when: 'two reasons are over the budget together',
    given: {
      inputs: { rejects: [reject('bad_json', 2), reject('type:iterations', 2)] },
      limits: { maxRejects: 3 },
    },
  },
  { code: 'conflicts', when: 'a call_id has two records', given: { calls: { conflicts: 2 } } },
  {
    code: 'conflicts',
    when: 'one over the budget',
    given: { calls: { conflicts: 4 }, limits: { maxRejects: 3 } },
  },
  ...['missing:schema', 'type:schema', 'value:schema'].map((reason) => ({
    code: 'unknown_record',
    when: `${reason}, whatever the budget`,
    given: { inputs: { rejects: [reject(reason)] }, limits: { maxRejects: 1_000_000 } },
  })),
  ...['missing:final_verdict', 'type:final_verdict', 'value:final_verdict'].map((reason) => ({
    code: 'unknown_record',
    when: `${reason}, whatever the budget`,
    given: { inputs: { rejects: [reject(reason)] }, limits: { maxRejects: 1_000_000 } },
  })),
  {
    code: 'holes',
    when: 'a running number is in no log that the lake has read',
    given: { calls: { gaps: [gap('w-1')] }, inputs: { lake: LAKE } },
  },
  {
    code: 'not_synced',
    when: 'nobody looked at the logs',
    given: { inputs: { lake: { ...LAKE, synced: false } } },
  },
  {
    code: 'not_looked_at',
    when: 'a log that the lake knows was not looked at',
    given: { inputs: { lake: { ...LAKE, not_looked_at: ['other.jsonl'] } } },
  },
  {
    code: 'still_loading',
    when: 'the first loading of the lake was stopped',
    given: { inputs: { lake: { ...LAKE, loading: true } } },
  },
  {
    code: 'damaged_lake',
    when: 'a file of a lake is not what its receipt says',
    given: { inputs: { problems: [problem('lake', 'lake/base_calls/x.parquet')], lake: LAKE } },
  },
  {
    code: 'changed_input',
    when: 'a file was changed where it had been read',
    given: { inputs: { problems: [problem('changed', 'sessions.jsonl')], lake: LAKE } },
  },
  {
    code: 'near_miss_kind',
    when: 'a kind reads like a gated one',
    given: kinds([kind('fill'), kind('Fill')], ['fill'], new Map([['Fill', 'fill']])),
  },
  {
    code: 'near_miss_kind',
    when: 'no call of it passes the filters',
    given: kinds([kind('fill'), kind('Fill', { selected: 0 })], ['fill'], new Map([['Fill', 'fill']])),
  },
  {
    code: 'counts_disagree',
    when: 'the SQL judged a kind as another one than the rules read',
    given: { gate: { gatedKinds: { names: ['fill'], calls: 2, lookAlikes: new Map() } } },
  },
  {
    code: 'counts_disagree',
    when: 'the SQL gated calls of a kind that the rules read as another',
    given: { gate: { gatedKinds: { names: ['fill'], calls: 4, lookAlikes: new Map() } } },
  },
  {
    code: 'counts_disagree',
    when: 'the kinds are not all calls that were selected',
    given: { calls: { selected: { calls: 4, of: 4 } } },
  },
  {
    code: 'counts_disagree',
    when: 'it is not known how many were selected',
    given: { calls: { selected: null } },
  },
  {
    code: 'ungrounded_elsewhere',
    when: 'an accepted call of another kind is stamped false',
    given: kinds([kind('fill'), kind('email', { calls: 9, accepted_false: 1 })]),
  },
  {
    code: 'stale',
    when: 'one millisecond too old',
    given: { limits: { maxAgeMs: MINUTE }, calls: { newestAsked: newest(-MINUTE - 1) } },
  },
  {
    code: 'stale',
    when: 'it is asked of no call, however young others are',
    given: { limits: { maxAgeMs: MINUTE }, calls: { newestAsked: null } },
  },
  ...UNREADABLE.map((time) => ({
    code: 'stale',
    when: `the newest call it is asked of is of ${JSON.stringify(time)}`,
    given: { limits: { maxAgeMs: MINUTE }, calls: { newestAsked: { time, where: 'sessions.jsonl:3' } } },
  })),
  {
    code: 'silent',
    when: 'the last call of somebody is one millisecond too old',
    given: { calls: { awaited: [expected({ time: at(-MINUTE - 1), where: 'sessions.jsonl:3' })] } },
  },
  {
    code: 'silent',
    when: 'somebody was never heard of',
    given: { calls: { awaited: [expected(null)] } },
  },
  ...UNREADABLE.map((time) => ({
    code: 'silent',
    when: `the last call of somebody is of ${JSON.stringify(time)}`,
    given: { calls: { awaited: [expected({ time, where: 'sessions.jsonl:3' })] } },
  })),
  {
    code: 'future',
    when: 'one millisecond beyond the tolerance',
    given: { calls: { newest: newest(FUTURE_TOLERANCE_MS + 1) } },
  },
  ...['9999-12-31T23:59:59Z', '9999-12-31T23:59:59-23:59', '+010000-01-01T23:58:59Z', ...UNREADABLE].map(
    (time) => ({
      code: 'future',
      when: `the newest record is of ${JSON.stringify(time)}`,
      given: { calls: { newest: { time, where: 'sessions.jsonl:3' } } },
    }),
  ),
  {
    code: 'allowed',
    when: 'the flag accepts unjudged calls',
    given: { gate: { values: rows('unjudged'), allowed: new Set(['allow_unjudged']) } },
  },
  {
    code: 'rejects_within_budget',
    when: 'rejects and conflicts reach the budget',
    given: {
      inputs: { rejects: [reject('bad_json', 1)] },
      calls: { conflicts: 2 },
      limits: { maxRejects: 3 },
    },
  },
  {
    code: 'replay_rejects',
    when: 'a replay run could not be loaded',
    given: { inputs: { rejects: [reject('missing:run_id', 1, false)] } },
  },
  {
    code: 'just_rotated',
    when: 'an empty file stands beside one with records',
    given: { inputs: { files: [fileAccount(), empty], problems: [problem('no_records', empty.file)] } },
  },
  {
    code: 'just_rotated',
    when: 'a file of blank lines stands beside one with records',
    given: {
      inputs: {
        files: [fileAccount({ file: 'new.jsonl', loaded: 0, blank: 2 }), fileAccount()],
        problems: [problem('no_records', 'new.jsonl')],
      },
    },
  },
  {
    code: 'pending',
    when: 'the last line is being written',
    given: { inputs: { files: [fileAccount({ pending: 1 })] } },
  },
  {
    code: 'gaps',
    when: 'a running number is missing',
    given: { calls: { gaps: [gap('w-1')] } },
  },
  {
    code: 'unknown_traces',
    when: 'a trace was replayed and never logged',
    given: {
      calls: { unknownTraces: { traces: 1, first: { session_id: 't', where: 'replay_runs.jsonl:1' } } },
    },
  },
  {
    code: 'late',
    when: 'a record stands behind a much newer one',
    given: { inputs: { files: [fileAccount({ late: 1 })] }, calls: { firstLate: 'sessions.jsonl:3' } },
  },
  {
    code: 'hosts_unnamed',
    when: 'many hosts fill the lake, and nobody says which',
    given: { inputs: { lake: { ...LAKE, hosts: 2 } } },
  },
  {
    code: 'inputs',
    when: 'a file was named twice',
    given: { inputs: { notices: ['b.jsonl is the same file'] } },
  },
];

const codes = ({ fired, cannot_vouch, notices }: Verdict) =>
  [...fired, ...cannot_vouch, ...notices].map(({ code }) => code);
const statusOf = (...changes: readonly Changes[]) => judge(evidence(...changes)).status;

test('the base of all cases is clear and silent', () => {
  expect(judge(evidence())).toEqual({
    status: 'clear',
    exit_code: 0,
    fired: [],
    cannot_vouch: [],
    notices: [],
  });
});

describe('each rule is needed: with it the case is found, without it the same evidence passes', () => {
  test.each(CASES)('$code: $when', ({ code, given }) => {
    const rule = RULES.find((candidate) => candidate.code === code)!;
    const others = RULES.filter((candidate) => candidate !== rule);
    const verdict = judge(evidence(given));
    expect(new Set(codes(verdict))).toEqual(new Set([code]));
    expect(verdict.status).toBe(rule.weight === 'notice' ? 'clear' : rule.weight);
    expect(verdict.exit_code).toBe({ fired: 1, cannot_vouch: 3, notice: 0 }[rule.weight]);

    const mutant = judge(evidence(given), others);
    expect(mutant).toEqual({ status: 'clear', exit_code: 0, fired: [], cannot_vouch: [], notices: [] });
  });

  test('every rule has a case, so a new one without a case fails here', () => {
    const covered = new Set(CASES.map(({ code }) => code));
    expect(RULES.map(({ code }) => code).filter((code) => !covered.has(code))).toEqual([]);
    expect([...covered].filter((code) => !RULES.some((rule) => rule.code === code))).toEqual([]);
  });

  test('codes are unique, because machines tell findings apart by them', () => {
    expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length);
  });
});

describe('the rules about inputs alone, for commands that are no gate', () => {
  const codesOf = (rules: typeof RULES, given: Changes) => codes(judge(evidence(given), rules));
  const aboutInputs = new Set(INPUT_RULES.map(({ code }) => code));
  /** Told as a notice by a question without --strict. */
  const aboutLines = ['nothing_selected', 'rejects', 'unknown_record', 'conflicts', 'unjudgeable', 'holes'];
  const aboutTheGate = [
    'violation',
    'not_synced',
    'not_looked_at',
    'still_loading',
    'too_few_judged',
    'unjudged',
    'unnamed_value',
    'counts_disagree',
    'acknowledgements',
    'near_miss_kind',
    'ungrounded_elsewhere',
    'stale',
    'silent',
    'future',
    'allowed',
    'acknowledged',
    'other_roster',
    'rejects_within_budget',
    'hosts_unnamed',
  ];

  test('are all but those about what a gate judges', () => {
    expect(RULES.map(({ code }) => code).filter((code) => !aboutInputs.has(code))).toEqual(aboutTheGate);
  });

  test.each(CASES)('$code: $when', ({ code, given }) => {
    const strict = judge(evidence(given), INPUT_RULES);
    const lenient = judge(evidence(given), LENIENT_INPUT_RULES);
    if (!aboutInputs.has(code)) {
      expect([...codes(strict), ...codes(lenient)]).toEqual([]);
    } else if (aboutLines.includes(code)) {
      expect(strict.status).toBe('cannot_vouch');
      expect(lenient).toEqual({
        status: 'clear',
        exit_code: 0,
        fired: [],
        cannot_vouch: [],
        notices: strict.cannot_vouch,
      });
    } else {
      expect(strict).toEqual(judge(evidence(given)));
      expect(lenient).toEqual(strict);
    }
  });

  test('a notice about lines does not hide that an input is missing', () => {
    const given = { inputs: { rejects: [reject('bad_json')], problems: [problem('missing', 'b.jsonl')] } };
    expect(codesOf(LENIENT_INPUT_RULES, given)).toEqual(['missing_input', 'rejects']);
    expect(judge(evidence(given), LENIENT_INPUT_RULES).exit_code).toBe(3);
  });
});

describe('findings say what, where and the next step (promise 7)', () => {
  test.each(CASES)('$code: $when', ({ code, given }) => {
    const { fired, cannot_vouch, notices } = judge(evidence(given));
    const [finding] = [...fired, ...cannot_vouch, ...notices].filter((candidate) => candidate.code === code);
    expect(finding!.message).toMatch(/\S/);
    expect(finding!.message).not.toMatch(/undefined|NaN|\[object/);
    if (fired.length + cannot_vouch.length > 0) expect(finding!.next).toMatch(/\S/);
  });

  test('the next step of a violation shows its trace with the same inputs, or its line where there is none', () => {
    const at = (firstSession: string) =>
      judge(
        evidence({
          gate: {
            values: new Map([['ungrounded', { count: 1, first: "logs/it's here.jsonl:12", firstSession }]]),
          },
          commands: { showTrace: (id) => `lakelog show ${id} 'my logs'` },
        }),
      ).fired[0]!;
    expect(at('abc').where).toBe("logs/it's here.jsonl:12");
    expect(at('abc').next).toBe("lakelog show abc 'my logs'");
    expect(at('').next).toBe("read it: sed -n '12p' 'logs/it'\\''s here.jsonl'");
  });

  test('the next step of a near miss is an option that a shell takes as it stands', () => {
    const [finding] = judge(
      evidence(kinds([kind(" fi'll")], ["fi'll"], new Map([[" fi'll", "fi'll"]]))),
    ).cannot_vouch;
    expect(finding!.next).toContain("--gated-kind ' fi'\\''ll'");
  });

  test('the next step after rejects names the inputs of this run', () => {
    const [finding] = judge(
      evidence({
        inputs: { rejects: [reject('bad_json')] },
        commands: { listRejects: 'lakelog validate --sessions a.jsonl' },
      }),
    ).cannot_vouch;
    expect(finding!.next).toBe('lakelog validate --sessions a.jsonl');
    expect(finding!.where).toBe('sessions.jsonl:2');
  });
});

describe('the budget of --max-rejects', () => {
  const both = (count: number, conflicts: number, maxRejects: number) =>
    judge(
      evidence({
        inputs: { rejects: count === 0 ? [] : [reject('bad_json', count)] },
        calls: { conflicts },
        limits: { maxRejects },
      }),
    );

  test.each([
    { count: 3, conflicts: 0, maxRejects: 3, status: 'clear' },
    { count: 4, conflicts: 0, maxRejects: 3, status: 'cannot_vouch' },
    { count: 0, conflicts: 3, maxRejects: 3, status: 'clear' },
    { count: 0, conflicts: 4, maxRejects: 3, status: 'cannot_vouch' },
    { count: 1, conflicts: 2, maxRejects: 3, status: 'clear' },
    { count: 2, conflicts: 2, maxRejects: 3, status: 'cannot_vouch' },
  ])('$count rejects and $conflicts conflicts within $maxRejects: $status', (row) => {
    expect(both(row.count, row.conflicts, row.maxRejects).status).toBe(row.status);
  });

  test('rejects and conflicts that exceed it together are both named', () => {
    expect(codes(both(2, 2, 3))).toEqual(['rejects', 'conflicts']);
  });

  test('a reject that is never excused does not use it up, and is not covered by it', () => {
    const rejects = [reject('bad_json', 3), reject('value:final_verdict', 1)];
    const verdict = judge(evidence({ inputs: { rejects }, limits: { maxRejects: 3 } }));
    expect(verdict.cannot_vouch.map(({ code }) => code)).toEqual(['unknown_record']);
    expect(verdict.notices.map(({ code }) => code)).toEqual(['rejects_within_budget']);
  });

  test('rejects of replay runs neither use it up nor block', () => {
    const rejects = [reject('bad_json', 50, false), reject('bad_json', 1)];
    expect(statusOf({ inputs: { rejects }, limits: { maxRejects: 1 } })).toBe('clear');
  });

  test('a line without a schema in a file of replay runs hides no call', () => {
    const verdict = judge(evidence({ inputs: { rejects: [reject('missing:schema', 1, false)] } }));
    expect(verdict.status).toBe('clear');
    expect(codes(verdict)).toEqual(['replay_rejects']);
  });

  test('other reasons about like-named things are excusable', () => {
    for (const reason of ['value:schema_version', 'missing:kind', 'value:iterations', 'torn_tail']) {
      expect(statusOf({ inputs: { rejects: [reject(reason)] }, limits: { maxRejects: 1 } })).toBe('clear');
    }
  });
});

describe('an empty file', () => {
  const beside = (file: Evidence['inputs']['files'][number], ...problems: Evidence['inputs']['problems']) =>
    evidence({ inputs: { files: [fileAccount(), file], problems, mayBeEmpty: new Set([file.file]) } });

  test('with only a pending line, beside records, is just rotated', () => {
    const file = fileAccount({ file: 'new.jsonl', loaded: 0, pending: 1 });
    const verdict = judge(beside(file, problem('no_records', file.file)));
    expect(verdict.status).toBe('clear');
    expect(codes(verdict)).toEqual(['just_rotated', 'pending']);
  });

  test('is not excused by its neighbours when one of its lines was rejected', () => {
    const file = fileAccount({ file: 'new.jsonl', loaded: 0, blank: 4, rejected: 1 });
    expect(judge(beside(file, problem('no_records', file.file))).status).toBe('cannot_vouch');
  });

  test.each(['unreadable', 'missing', 'no_logs'] as const)('that is %s is not excused', (what) => {
    expect(judge(beside(empty, problem(what, empty.file))).status).toBe('cannot_vouch');
  });

  test('does not excuse a missing one', () => {
    const verdict = judge(
      beside(empty, problem('no_records', empty.file), problem('missing', 'other.jsonl')),
    );
    expect(verdict.status).toBe('cannot_vouch');
    expect(codes(verdict)).toEqual(['missing_input', 'just_rotated']);
  });

  test('of replay runs alone does not show that the service still logs', () => {
    const verdict = judge(
      evidence(kinds([]), { inputs: beside(empty, problem('no_records', empty.file)).inputs }),
    );
    expect(codes(verdict)).toEqual(['no_records']);
  });
});

describe('kinds', () => {
  test('a near miss that is gated too is none', () => {
    expect(
      statusOf(
        kinds([kind('fill', { accepted_false: 1 }), kind('Fill', { accepted_false: 1 })], ['fill', 'Fill']),
      ),
    ).toBe('clear');
  });

  test('a false stamp within the gated kinds is the affair of the rows, not of this rule', () => {
    expect(statusOf(kinds([kind('fill', { accepted_false: 1 })]))).toBe('clear');
  });

  test('a gate without gated kinds does not look at kinds', () => {
    const given = kinds([kind('Fill', { accepted_false: 1 }), kind('email', { accepted_false: 1 })]);
    expect(statusOf(given)).toBe('cannot_vouch');
    expect(statusOf({ ...given, gate: { gatedKinds: null } })).toBe('clear');
  });

  test('what cannot be seen in a kind is told by its number', () => {
    const found = (name: string) =>
      judge(evidence(kinds([kind(name)], ['fill'], new Map([[name, 'fill']])))).cannot_vouch[0]!.message;
    expect(found('FILL')).toBe('1 call of kind "FILL", which reads like the gated kind "fill"');
    expect(found('f\u0456ll')).toContain('(with U+0456)');
    expect(found('\u{1d487}i\u200bll\u00ad')).toContain('(with U+1D487, U+200B, U+00AD)');
  });
});

describe('edges', () => {
  const aged = (ms: number, limits: Changes['limits'] = {}) =>
    statusOf({ calls: { newest: newest(ms), newestAsked: newest(ms) }, limits });

  test('exactly --max-age is fresh', () => {
    expect(aged(-MINUTE, { maxAgeMs: MINUTE })).toBe('clear');
  });

  test('without --max-age no age is too old', () => {
    expect(aged(-20 * 365 * 24 * 60 * MINUTE)).toBe('clear');
  });

  test('--max-age cannot be met by no call at all: who demands fresh data gets no green without any', () => {
    expect(
      statusOf(kinds([]), {
        calls: { newest: null, newestAsked: null },
        limits: { maxAgeMs: MINUTE, minJudged: 0 },
      }),
    ).toBe('cannot_vouch');
  });

  test('an old call that nobody asked about is not stale, nor does a young one help', () => {
    const [old, young] = [newest(-60 * MINUTE), newest(-1)];
    const limits = { maxAgeMs: MINUTE };
    expect(statusOf({ calls: { newest: young, newestAsked: old }, limits })).toBe('cannot_vouch');
    expect(statusOf({ calls: { newest: young, newestAsked: young }, limits })).toBe('clear');
  });

  test('exactly five minutes ahead is a clock that is off, not the future', () => {
    expect(FUTURE_TOLERANCE_MS).toBe(5 * MINUTE);
    expect(aged(FUTURE_TOLERANCE_MS)).toBe('clear');
  });

  test('a record of the future is not fresh', () => {
    expect(aged(60 * MINUTE, { maxAgeMs: MINUTE })).toBe('cannot_vouch');
  });

  test('exactly --min-judged is enough, and 0 asks for nothing', () => {
    expect(statusOf({ gate: { judged: 5 }, limits: { minJudged: 5 } })).toBe('clear');
    expect(statusOf({ gate: { judged: 0 }, limits: { minJudged: 0 } })).toBe('clear');
  });
});

describe('rows', () => {
  test('a fired gate outranks one that cannot vouch, and both are kept', () => {
    const verdict = judge(
      evidence({
        gate: { values: rows('ungrounded', 'unjudged') },
        inputs: { rejects: [reject('bad_json')] },
      }),
    );
    expect(verdict.status).toBe('fired');
    expect(verdict.exit_code).toBe(1);
    expect(verdict.fired.map(({ code }) => code)).toEqual(['violation']);
    expect(verdict.cannot_vouch.map(({ code }) => code)).toEqual(['unjudged', 'rejects']);
  });

  test('a flag that allows unjudged rows allows no violation', () => {
    const verdict = judge(
      evidence({
        gate: { values: rows('ungrounded', 'unjudged'), allowed: new Set(['allow_unjudged']) },
      }),
    );
    expect(codes(verdict)).toEqual(['violation', 'allowed']);
  });

  test('a rule of the gate without "unless" cannot be allowed', () => {
    const spec = {
      ...evidence().gate!.spec,
      cannotVouch: [{ value: 'unjudged', note: 'nobody checked' }],
    };
    const given = { spec, values: rows('unjudged'), allowed: new Set(['allow_unjudged']) };
    const verdict = judge(evidence({ gate: given }));
    expect(codes(verdict)).toEqual(['unjudged']);
  });

  test.each(['worse', 'null', 'Ungrounded', ''])(
    'a row whose value %j no rule of the gate names is never clear',
    (value) => {
      expect(statusOf({ gate: { values: rows(value) } })).not.toBe('clear');
    },
  );
});

describe('properties', () => {
  const count = fc.nat({ max: 3 });
  const kindName = fc.constantFrom('fill', 'Fill', ' fill', 'email', 'playbook');
  const reason = fc.constantFrom(
    'bad_json',
    'type:iterations',
    'value:schema',
    'value:final_verdict',
    'torn_tail',
  );
  const path = fc.constantFrom('a.jsonl', 'b.jsonl', 'c.jsonl');
  const anyFile = fc
    .record({ file: path, loaded: count, rejected: count, duplicates: count, blank: count, pending: count })
    .map(fileAccount);
  const anyProblem = fc
    .tuple(fc.constantFrom('missing', 'unreadable', 'no_logs', 'no_records', 'roster' as const), path)
    .map(([kind, where]) => problem(kind, where));
  const anyReject = fc
    .tuple(reason, fc.integer({ min: 1, max: 3 }), fc.boolean())
    .map((parts) => reject(...parts));
  const anyKind = fc
    .record({ name: kindName, calls: fc.integer({ min: 1, max: 9 }), accepted_false: count })
    .map(({ name, ...counts }) => kind(name, { ...counts, selected: counts.calls }));

  const anyInputs = fc.record({
    files: fc.uniqueArray(anyFile, { selector: ({ file }) => file, maxLength: 3 }),
    problems: fc.array(anyProblem, { maxLength: 2 }),
    rejects: fc.array(anyReject, { maxLength: 2 }),
    mayBeEmpty: fc.subarray(['a.jsonl', 'b.jsonl', 'c.jsonl']).map((names) => new Set(names)),
  });
  const anyKinds = fc
    .tuple(
      fc.uniqueArray(anyKind, { selector: (one) => one.kind, maxLength: 3 }),
      fc.subarray(['fill', 'Fill', 'email'], { minLength: 1 }),
      fc.subarray<[string, string]>([
        ['Fill', 'fill'],
        [' fill', 'fill'],
      ]),
    )
    .map(([all, gated, alike]) =>
      kinds(all, gated, new Map(alike.filter(([name]) => !gated.includes(name)))),
    );
  const anyGate = fc.record({
    values: fc.subarray(['ungrounded', 'unjudged']).map((values) => rows(...values)),
    allowed: fc.subarray(['allow_unjudged']).map((flags) => new Set(flags)),
    judged: count,
  });
  const anyNewest = fc.option(fc.integer({ min: -20, max: 20 }).map((minutes) => newest(minutes * MINUTE)));
  const anyLimits = fc.record({
    maxAgeMs: fc.option(fc.constant(10 * MINUTE)),
    minJudged: count,
    maxRejects: count,
  });
  const anyEvidence = fc
    .record({
      kinds: anyKinds,
      inputs: anyInputs,
      calls: fc.record({ conflicts: count, newest: anyNewest, newestAsked: anyNewest }),
      gate: fc.option(anyGate),
      readsKinds: fc.boolean(),
      limits: anyLimits,
    })
    .map(({ kinds, gate, readsKinds, ...rest }) =>
      evidence(kinds, rest, { gate: gate && (readsKinds ? gate : { ...gate, gatedKinds: null }) }),
    );

  /** Worse news about the same inputs. */
  const trouble: fc.Arbitrary<(before: Evidence) => Evidence> = fc.oneof(
    fc.constantFrom('ungrounded', 'unjudged').map((value) => (e: Evidence) => ({
      ...e,
      gate: e.gate && { ...e.gate, values: new Map([...e.gate.values, ...rows(value)]) },
    })),
    anyProblem.map((added) => (e: Evidence) => ({
      ...e,
      inputs: { ...e.inputs, problems: [...e.inputs.problems, added] },
    })),
    anyReject.map((added) => (e: Evidence) => ({
      ...e,
      inputs: { ...e.inputs, rejects: [...e.inputs.rejects, added] },
    })),
    fc.integer({ min: 1, max: 3 }).map((added) => (e: Evidence) => ({
      ...e,
      calls: { ...e.calls, conflicts: e.calls.conflicts + added },
    })),
    count.map((fewer) => (e: Evidence) => ({
      ...e,
      gate: e.gate && { ...e.gate, judged: Math.max(0, e.gate.judged - fewer) },
    })),
    // Of calls that the SQL holds for gated, some are lost.
    fc.constant((e: Evidence) => ({
      ...e,
      gate: e.gate?.gatedKinds
        ? { ...e.gate, gatedKinds: { ...e.gate.gatedKinds, calls: e.gate.gatedKinds.calls - 1 } }
        : e.gate,
    })),
    fc.integer({ min: 1, max: 60 }).map((minutes) => (e: Evidence) => ({
      ...e,
      calls: { ...e.calls, newest: newest(FUTURE_TOLERANCE_MS + minutes * MINUTE) },
    })),
    fc.constantFrom(...UNREADABLE).map((time) => (e: Evidence) => ({
      ...e,
      calls: { ...e.calls, newest: { time, where: 'a.jsonl:1' }, newestAsked: { time, where: 'a.jsonl:1' } },
    })),
    fc.constant((e: Evidence) => ({ ...e, calls: { ...e.calls, newestAsked: null } })),
    fc.constant((e: Evidence) => ({ ...e, inputs: { ...e.inputs, mayBeEmpty: new Set<string>() } })),
    fc.constant((e: Evidence) => ({
      ...e,
      calls: { ...e.calls, gaps: [...e.calls.gaps, gap('w')] },
    })),
    fc.constant((e: Evidence) => ({
      ...e,
      inputs: {
        ...e.inputs,
        files: [...e.inputs.files, fileAccount({ file: 'd.jsonl', pending: 1, loaded: 0 })],
        notices: [...e.inputs.notices, 'something'],
      },
    })),
  );

  test('more trouble never turns a verdict that is not clear into a clear one, nor a fired one into less', () => {
    const rank = { clear: 0, cannot_vouch: 1, fired: 2 };
    fc.assert(
      fc.property(anyEvidence, fc.array(trouble, { minLength: 1, maxLength: 4 }), (before, troubles) => {
        const after = troubles.reduce((e, add) => add(e), before);
        expect(rank[judge(after).status]).toBeGreaterThanOrEqual(rank[judge(before).status]);
      }),
      { numRuns: nightly ? 3_000 : 1_000 },
    );
  });

  test('exit code 0 only without a finding, 1 only when fired, 3 only when it cannot vouch', () => {
    fc.assert(
      fc.property(anyEvidence, (e) => {
        const { status, exit_code, fired, cannot_vouch } = judge(e);
        const expected = fired.length > 0 ? 'fired' : cannot_vouch.length > 0 ? 'cannot_vouch' : 'clear';
        expect(status).toBe(expected);
        expect(exit_code).toBe({ clear: 0, fired: 1, cannot_vouch: 3 }[expected]);
      }),
      { numRuns: nightly ? 3_000 : 1_000 },
    );
  });
});
