/**
 * The oracle: design.md read a second time, in plain JavaScript, sharing nothing with the product.
 * Slow and obvious on purpose; when it and the product disagree, one of the two misread the design.
 * What becomes of one line is said in test/scan/checker.mjs; here is what the lines of a log amount to.
 */
import { endOf, fateOf, linesOf, parseInstant, stripped, FORMATS as TABLES } from '../scan/checker.mjs';

export { parseInstant };

const formatFrom = ({ schema, fields }, holds) => ({
  schema,
  holds,
  required: fields.filter(([, , required]) => required).map(([name]) => name),
  fields: fields.map(([name, type]) => [name, type]),
});

export const FORMATS = {
  sessions: formatFrom(TABLES[0], 'sessions'),
  replay: formatFrom(TABLES[1], 'replay'),
};

// ---------------------------------------------------------------- time

/** Whole milliseconds at or before the instant, and the microseconds left over. */
function splitInstant(instant) {
  const rest = ((instant % 1000n) + 1000n) % 1000n;
  return { milliseconds: Number((instant - rest) / 1000n), micros: Number(rest) };
}

/** RFC 3339 UTC with milliseconds; six digits only where the instant has microseconds. */
export function formatInstant(instant) {
  const { milliseconds, micros } = splitInstant(instant);
  const iso = new Date(milliseconds).toISOString();
  return micros === 0 ? iso : iso.replace('Z', `${String(micros).padStart(3, '0')}Z`);
}

/** What a clock on the wall shows. */
function localClock(instant, tz) {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: tz,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    hourCycle: 'h23',
  });
  const parts = format.formatToParts(splitInstant(instant).milliseconds);
  const part = (type) => parts.find((candidate) => candidate.type === type).value;
  const month = `${part('year').padStart(4, '0')}-${part('month')}`;
  const day = `${month}-${part('day')}`;
  return { hour: `${day}T${part('hour')}`, day, week: isoWeek(day), month };
}

/** ISO 8601: the week with the year's first Thursday is its first, and it begins on Monday. */
function isoWeek(day) {
  const date = new Date(0);
  const [year, month, dayOfMonth] = day.split('-').map(Number);
  date.setUTCFullYear(year, month - 1, dayOfMonth);
  // 0 is Sunday, the last day of its week.
  date.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const newYear = new Date(date);
  newYear.setUTCMonth(0, 1);
  const week = 1 + Math.floor((date - newYear) / (7 * 86_400_000));
  return `${String(date.getUTCFullYear()).padStart(4, '0')}-W${String(week).padStart(2, '0')}`;
}

// ---------------------------------------------------------------- records

const KEPT_AS_TEXT = ['any', 'strings'];

/** Columns that are JSON hold the text as it stands in the line; documents and attempts are read. */
function rowOf({ fate, values, texts, extra, instant, attempts }, place) {
  const row = { ...place };
  const { fields } = fate === 'call' ? FORMATS.sessions : FORMATS.replay;
  for (const [name, type] of fields)
    row[name] = KEPT_AS_TEXT.includes(type) ? (texts[name] ?? null) : values[name];
  if (fate === 'call') row.attempts = attempts;
  return { ...row, extra, instant };
}

// ---------------------------------------------------------------- loading

/** A quarter of an hour. */
const LATE_US = 900_000_000n;

const DEFAULT_LOAD_OPTIONS = { pendingGraceS: 60, maxLineBytes: 16_777_216 };

export function loadLog(inputs, options) {
  const settings = { ...DEFAULT_LOAD_OPTIONS, ...options };
  const log = { files: [], rejects: [], sessions: [], replays: [] };
  const loadedLines = new Set();

  for (const [fileIndex, input] of inputs.entries()) {
    const account = {
      file: input.file,
      bytes: input.bytes.length,
      lines: 0,
      loaded: 0,
      rejected: 0,
      duplicates: 0,
      blank: 0,
      pending: 0,
      conflicts: 0,
      late: 0,
    };
    log.files.push(account);
    let newest = null;

    for (const line of linesOf(input.bytes)) {
      account.lines += 1;
      const fate = readLine(line, input, settings);
      if (fate.fate === 'blank' || fate.fate === 'pending') {
        account[fate.fate] += 1;
        continue;
      }
      if (fate.fate === 'reject') {
        const { reason } = fate;
        account.rejected += 1;
        log.rejects.push({ file: input.file, line: line.number, byte_offset: line.byteOffset, reason });
        continue;
      }
      const identity = stripped(line.bytes).toString('latin1');
      if (loadedLines.has(identity)) {
        account.duplicates += 1;
        continue;
      }
      loadedLines.add(identity);
      account.loaded += 1;
      const row = rowOf(fate, { file: input.file, fileIndex, line: line.number });
      (fate.fate === 'call' ? log.sessions : log.replays).push(row);
      if (newest !== null && newest - row.instant > LATE_US) account.late += 1;
      if (newest === null || row.instant > newest) newest = row.instant;
    }
  }
  countConflicts(log);
  return log;
}

/** What becomes of a line; one without a terminator may still be written. */
export function readLine({ bytes, terminated }, input, { now, pendingGraceS, maxLineBytes }) {
  const fate = fateOf(bytes, { as: input.as === 'replay' ? 'replay_runs' : input.as, maxLineBytes });
  if (terminated || fate.reason !== 'bad_json') return fate;
  const isFresh =
    !input.compressed && input.mtimeMs !== undefined && Math.abs(now - input.mtimeMs) <= pendingGraceS * 1000;
  return isFresh && endOf(bytes) === 'begun' ? { fate: 'pending' } : { fate: 'reject', reason: 'torn_tail' };
}

function countConflicts(log) {
  for (const session of log.sessions) {
    if (session.call_id === null) continue;
    const carriers = log.sessions.filter((other) => other.call_id === session.call_id);
    if (carriers.length > 1) log.files[session.fileIndex].conflicts += 1;
  }
}

// ---------------------------------------------------------------- derived columns

const DEFAULT_GATED_KINDS = ['fill'];

export function derive(session, { gatedKinds = DEFAULT_GATED_KINDS, tz = 'UTC' } = {}) {
  return {
    answered: ['accepted', 'max_iter_exhausted'].includes(session.final_verdict),
    first_shot: session.final_verdict === 'accepted' && session.iterations === 1,
    gated: gatedKinds.includes(session.kind),
    ...deriveFromAttempts(session.attempts, session.iterations),
    ...localClock(session.instant, tz),
  };
}

const NO_RUNS = {
  rejections: null,
  longest_rejection_run: null,
  longest_failure_run: null,
  run_reasons: null,
  failure_run_reasons: null,
};

function deriveFromAttempts(attempts, iterations) {
  if (attempts === null && iterations > 0) return { ...NO_RUNS, inconsistent: false, not_judgeable: true };
  if (attempts === '!') return { ...NO_RUNS, inconsistent: true, not_judgeable: true };
  if (attempts?.length === 0 && iterations > 0)
    return { ...NO_RUNS, inconsistent: true, not_judgeable: true };

  const recorded = attempts ?? [];
  const verdicts = recorded.map(({ verdict }) => verdict);
  const rejectionRun = longestRun(verdicts, ['rejected']);
  const failureRun = longestRun(verdicts, ['rejected', 'no_candidate']);
  return {
    rejections: verdicts.filter((verdict) => verdict === 'rejected').length,
    longest_rejection_run: rejectionRun.length,
    longest_failure_run: failureRun.length,
    run_reasons: reasonsOfRun(recorded, rejectionRun),
    failure_run_reasons: reasonsOfRun(recorded, failureRun),
    inconsistent: recorded.length !== iterations || verdicts.includes('other'),
    not_judgeable: false,
  };
}

function reasonsOfRun(recorded, run) {
  return run.length === 0 ? null : run.flatMap((position) => recorded[position].reasons).join(' | ');
}

/** Ids and numbers are words that hold an ASCII digit. */
export function reasonShape(reason) {
  return reason.replace(/[\p{L}\p{N}_-]+/gu, (word) => (/[0-9]/.test(word) ? '#' : word));
}

/** Positions of the attempts in the longest run of the counted verdicts, the earliest on ties. */
function longestRun(verdicts, counted) {
  let longest = [];
  let current = [];
  for (const [position, verdict] of verdicts.entries()) {
    if (verdict === 'infra_error') continue;
    current = counted.includes(verdict) ? [...current, position] : [];
    if (current.length > longest.length) longest = current;
  }
  return longest;
}

/** A run that recorded no documents has a null count; one that found none has 0. */
export function deriveReplay(replay) {
  const scores = (replay.documents ?? []).map((document) => document.score ?? null);
  const known = scores.filter((score) => score !== null);
  return {
    document_count: replay.documents === null ? null : replay.documents.length,
    best_score: known.length === 0 ? null : Math.max(...known),
  };
}

// ---------------------------------------------------------------- filters

export function isSelected(session, filters = {}) {
  const { since, until } = filters;
  if (since !== undefined && session.instant < BigInt(since) * 1000n) return false;
  if (until !== undefined && session.instant >= BigInt(until) * 1000n) return false;
  return ['model', 'kind', 'daemon', 'environment'].every((column) => {
    const wanted = filters[column] ?? [];
    return wanted.length === 0 || wanted.includes(session[column]);
  });
}

function selected(log, filters) {
  return log.sessions.filter((session) => isSelected(session, filters));
}

// ---------------------------------------------------------------- questions

const Z_95 = 1.959963984540054;

/** Wilson score interval, https://www.jstor.org/stable/2276774; the trials may be a fraction. */
function wilson(p, trials) {
  const z2 = Z_95 ** 2;
  const middle = p + z2 / (2 * trials);
  const margin = Z_95 * Math.sqrt((p * (1 - p)) / trials + z2 / (4 * trials ** 2));
  const scale = 1 + z2 / trials;
  return { low: Math.max(0, (middle - margin) / scale), high: Math.min(1, (middle + margin) / scale) };
}

/** Share of Student's distribution within ±t: Abramowitz and Stegun 26.7.3 and 26.7.4. */
function studentWithin(t, freedom) {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let power = isOdd ? 3 : 2; power <= freedom - 2; power += 2) {
    term *= ((power - 1) / power) * Math.cos(angle) ** 2;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

/** What 95 % of Student's distribution lie within, found by halving. */
function student95(freedom) {
  let [low, high] = [1, 13];
  while (high - low > 1e-13) {
    const middle = (low + high) / 2;
    if (studentWithin(middle, freedom) < 0.95) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Independent calls that would tell as much as these, which came in traces: the variance that calls drawn one by one
 * would have over the variance between traces, times the calls, less what a variance of few traces is itself a guess
 * (Korn and Graubard 1998).
 */
function effectiveCalls(calls, isSuccess, p) {
  const traces = byTrace(calls);
  if (traces.length === calls.length) return calls.length;
  if (p === 0 || p === 1 || traces.length === 1) return traces.length;
  const residuals = traces.map((own) => own.filter(isSuccess).length - p * own.length);
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  const between = (squares * traces.length) / (traces.length - 1) / calls.length ** 2;
  const alone = (p * (1 - p)) / (calls.length - 1);
  const few = (student95(calls.length - 1) / student95(traces.length - 1)) ** 2;
  // Traces that agree more than chance would have them are luck.
  return calls.length * Math.min(1, alone / between) * few;
}

function byTrace(calls) {
  const ids = new Set(calls.map((call) => call.session_id));
  return [...ids].map((id) => calls.filter((call) => call.session_id === id));
}

/** The interval of the share of calls that are a success, calls of one trace not taken for independent. */
export function intervalOf(calls, isSuccess) {
  if (calls.length === 0) return { low: null, high: null };
  const p = calls.filter(isSuccess).length / calls.length;
  return wilson(p, effectiveCalls(calls, isSuccess, p));
}

function compareText(a, b) {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareInstants(a, b) {
  if (a.instant === b.instant) return 0;
  return a.instant < b.instant ? -1 : 1;
}

function comparePositions(a, b) {
  return a.fileIndex - b.fileIndex || a.line - b.line;
}

const compareByTime = (a, b) => compareInstants(a, b) || comparePositions(a, b);

/** Calls with the same values in all the named columns, in the order of these. */
export function groupsOf(calls, by) {
  const groups = new Map();
  for (const call of calls) {
    const key = by.map((column) => call[column]);
    const identity = JSON.stringify(key);
    if (!groups.has(identity)) groups.set(identity, { key, calls: [] });
    groups.get(identity).calls.push(call);
  }
  const byKey = (a, b) =>
    a.key.map((value, at) => compareText(value, b.key[at])).find((order) => order !== 0) ?? 0;
  return [...groups.values()].sort(byKey).map(({ key, calls: own }) => ({
    columns: Object.fromEntries(by.map((column, at) => [column, key[at]])),
    calls: own,
  }));
}

export const derivedCalls = (log, filters) =>
  selected(log, filters).map((session) => ({ ...session, ...derive(session, { tz: filters.tz }) }));

export function firstShotRate(log, { by = ['model'], minN = 30, filters = {} } = {}) {
  return groupsOf(derivedCalls(log, filters), by).map(({ columns, calls }) => {
    const answered = calls.filter((call) => call.answered);
    const firstShots = answered.filter((call) => call.first_shot);
    const accepted = answered.filter((call) => call.final_verdict === 'accepted');
    const attemptsMade = answered.reduce((sum, call) => sum + call.iterations, 0);
    const perAnswered = (count) => (answered.length === 0 ? null : count / answered.length);
    const interval = intervalOf(answered, (call) => call.first_shot);
    return {
      ...columns,
      calls: calls.length,
      answered: answered.length,
      infra_errors: calls.filter((call) => call.final_verdict === 'infra_error').length,
      first_shots: firstShots.length,
      first_shot_rate: perAnswered(firstShots.length),
      rate_low: interval.low,
      rate_high: interval.high,
      acceptance_rate: perAnswered(accepted.length),
      mean_attempts: perAnswered(attemptsMade),
      small_sample: answered.length < minN,
    };
  });
}

function mustBeGrounded(session, gatedKinds) {
  return session.final_verdict === 'accepted' && gatedKinds.includes(session.kind);
}

export function alarm(log, { gatedKinds = DEFAULT_GATED_KINDS, filters = {} } = {}) {
  return selected(log, filters)
    .filter((session) => mustBeGrounded(session, gatedKinds) && session.grounded_in_roster !== true)
    .sort(compareByTime)
    .map((session) => ({
      session_id: session.session_id,
      timestamp: formatInstant(session.instant),
      daemon: session.daemon,
      kind: session.kind,
      model: session.model,
      reason: session.grounded_in_roster === false ? 'ungrounded' : 'unjudged',
      file: session.file,
      line: session.line,
    }));
}

export function judged(log, { gatedKinds = DEFAULT_GATED_KINDS, filters = {} } = {}) {
  return selected(log, filters).filter(
    (session) => mustBeGrounded(session, gatedKinds) && session.grounded_in_roster !== null,
  ).length;
}

/** Calls whose attempts are not to be trusted, as the receipt counts them. */
export function attemptHealth(log, { filters = {} } = {}) {
  const derived = selected(log, filters).map((session) => derive(session));
  return {
    inconsistent: derived.filter((columns) => columns.inconsistent).length,
    not_judgeable: derived.filter((columns) => columns.not_judgeable).length,
  };
}

function isGroundedEnough(call, gatedKinds) {
  return gatedKinds.includes(call.kind)
    ? call.grounded_in_roster === true
    : call.grounded_in_roster !== false;
}

/** Every loaded call of the trace counts, in the window or not. */
function isFirstShotTrace(calls, gatedKinds) {
  return (
    calls.some((call) => call.final_verdict === 'accepted' && call.grounded_in_roster === true) &&
    calls.every(
      (call) =>
        call.final_verdict === 'accepted' && call.iterations === 1 && isGroundedEnough(call, gatedKinds),
    )
  );
}

export function firstShot(log, { gatedKinds = DEFAULT_GATED_KINDS, filters = {} } = {}) {
  return [...new Set(selected(log, filters).map((session) => session.session_id))]
    .map((sessionId) => callsOf(log, sessionId))
    .filter((calls) => isFirstShotTrace(calls, gatedKinds))
    .sort(
      (a, b) => compareInstants(a.at(-1), b.at(-1)) || compareText(a.at(0).session_id, b.at(0).session_id),
    )
    .map((calls) => ({
      session_id: calls.at(0).session_id,
      calls: calls.length,
      replay_runs: runsOf(log, calls.at(0).session_id).length,
      first_time: formatInstant(calls.at(0).instant),
      last_time: formatInstant(calls.at(-1).instant),
    }));
}

export function tripleRejections(log, { streak = 3, countNoCandidate = false, filters = {} } = {}) {
  return selected(log, filters)
    .map((session) => {
      const derived = derive(session);
      const runLength = countNoCandidate ? derived.longest_failure_run : derived.longest_rejection_run;
      const reasons = countNoCandidate ? derived.failure_run_reasons : derived.run_reasons;
      return { session, runLength, reasons: reasons === '' ? null : reasons };
    })
    .filter(({ runLength }) => runLength !== null && runLength >= streak)
    .sort(
      (a, b) =>
        b.runLength - a.runLength ||
        compareInstants(a.session, b.session) ||
        compareText(a.session.file, b.session.file) ||
        a.session.line - b.session.line,
    )
    .map(({ session, runLength, reasons }) => ({
      session_id: session.session_id,
      timestamp: formatInstant(session.instant),
      daemon: session.daemon,
      kind: session.kind,
      model: session.model,
      iterations: session.iterations,
      final_verdict: session.final_verdict,
      run_length: runLength,
      reasons,
      file: session.file,
      line: session.line,
    }));
}

const DOCUMENT_BUCKETS = [
  { name: '0', holds: (run) => run?.document_count === 0 },
  { name: '1–2', holds: (run) => run?.document_count >= 1 && run.document_count <= 2 },
  { name: '3–5', holds: (run) => run?.document_count >= 3 && run.document_count <= 5 },
  { name: '6–10', holds: (run) => run?.document_count >= 6 && run.document_count <= 10 },
  { name: '11+', holds: (run) => run?.document_count >= 11 },
  { name: 'not recorded', holds: (run) => run?.document_count === null },
  { name: 'no replay run', holds: (run) => run === null },
];

export function corpus(log, { by = ['model'], minN = 30, filters = {} } = {}) {
  const all = derivedCalls(log, filters).map((call) => {
    const latest = runsOf(log, call.session_id).at(-1);
    return { ...call, run: latest ? deriveReplay(latest) : null };
  });
  return groupsOf(all, by).flatMap(({ columns, calls }) =>
    DOCUMENT_BUCKETS.flatMap(({ name, holds }) => {
      const group = calls.filter((call) => holds(call.run));
      if (group.length === 0) return [];
      const answered = group.filter((call) => call.answered);
      const firstShots = answered.filter((call) => call.first_shot);
      const scores = answered.map(({ run }) => run?.best_score ?? null).filter((score) => score !== null);
      const interval = intervalOf(answered, (call) => call.first_shot);
      return [
        {
          ...columns,
          documents: name,
          calls: group.length,
          answered: answered.length,
          first_shots: firstShots.length,
          first_shot_rate: answered.length === 0 ? null : firstShots.length / answered.length,
          rate_low: interval.low,
          rate_high: interval.high,
          mean_best_score:
            scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length,
          scored: scores.length,
          small_sample: answered.length < minN,
        },
      ];
    }),
  );
}

/** What a rejected attempt gives as its causes, each once; null stands for a rejection without a reason. */
function causesOf({ reasons }) {
  return reasons.length === 0 ? [null] : [...new Set(reasons.map(reasonShape))];
}

export function rejections(log, { by = ['model'], top = 10, filters = {} } = {}) {
  const rejected = attempts(log, { filters })
    .filter(({ verdict }) => verdict === 'rejected')
    .map((attempt) => ({ ...attempt.call, ...derive(attempt.call, { tz: filters.tz }), attempt }));
  return groupsOf(rejected, by).flatMap(({ columns, calls }) => {
    const tries = calls.map(({ attempt }) => attempt);
    return [...new Set(tries.flatMap(causesOf))]
      .map((shape) => ({ shape, giving: tries.filter((attempt) => causesOf(attempt).includes(shape)) }))
      .sort((a, b) => b.giving.length - a.giving.length || compareText(a.shape, b.shape))
      .slice(0, top)
      .map(({ shape, giving }, at) => ({
        ...columns,
        rank: at + 1,
        reason_shape: shape,
        rejections: giving.length,
        share: giving.length / tries.length,
        calls: new Set(giving.map(({ call }) => call)).size,
        example_session: giving.map(({ call }) => call.session_id).sort(compareText)[0],
      }));
  });
}

// ---------------------------------------------------------------- tables that join

function callsOf(log, sessionId) {
  return log.sessions.filter((session) => session.session_id === sessionId).sort(compareByTime);
}

function runsOf(log, sessionId) {
  return log.replays.filter((replay) => replay.session_id === sessionId).sort(compareByTime);
}

/** By call in the order of loading; `attempt_number` is the position from 1, whatever the record says. */
export function attempts(log, { filters = {} } = {}) {
  return selected(log, filters).flatMap((call) =>
    (Array.isArray(call.attempts) ? call.attempts : []).map((attempt, at) => ({
      call,
      attempt_number: at + 1,
      verdict: attempt.verdict,
      reasons: attempt.reasons,
    })),
  );
}

export function traces(log, { gatedKinds = DEFAULT_GATED_KINDS, filters = {} } = {}) {
  const ids = new Set([...log.sessions, ...log.replays].map((row) => row.session_id));
  return [...ids].sort(compareText).map((sessionId) => {
    const calls = callsOf(log, sessionId);
    return {
      session_id: sessionId,
      first_time: calls.length === 0 ? null : formatInstant(calls.at(0).instant),
      last_time: calls.length === 0 ? null : formatInstant(calls.at(-1).instant),
      calls: calls.length,
      replay_runs: runsOf(log, sessionId).length,
      all_first_shot: calls.length > 0 && calls.every((call) => derive(call).first_shot),
      has_real_candidate: calls.some(
        (call) => call.final_verdict === 'accepted' && call.grounded_in_roster === true,
      ),
      any_ungrounded: calls.some(
        (call) =>
          call.grounded_in_roster === false ||
          (mustBeGrounded(call, gatedKinds) && call.grounded_in_roster !== true),
      ),
      in_window: calls.some((call) => isSelected(call, filters)),
    };
  });
}

export function sessionReplays(log, { filters = {} } = {}) {
  return selected(log, filters).flatMap((call) => {
    const runs = runsOf(log, call.session_id);
    const candidates = runs.length === 0 ? [null] : runs;
    return candidates.map((run, at) => ({
      session_id: call.session_id,
      file: call.file,
      line: call.line,
      has_replay: run !== null,
      is_latest: at === candidates.length - 1,
      run_id: run?.run_id ?? null,
      run_timestamp: run ? formatInstant(run.instant) : null,
      run_file: run?.file ?? null,
      run_line: run?.line ?? null,
      document_count: run ? deriveReplay(run).document_count : null,
      best_score: run ? deriveReplay(run).best_score : null,
    }));
  });
}
