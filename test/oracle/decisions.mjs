/** Counts of compare and drift, call by call in plain JavaScript; shares no code with src/. */
import { derive, formatInstant } from './oracle.mjs';

const ms = (call) => Number(call.instant) / 1000;

/** @param selection `{ values: { field: [value, …] }, since, until }`, times in milliseconds. */
export function takes({ values = {}, since, until }, call) {
  for (const [field, wanted] of Object.entries(values)) if (!wanted.includes(call[field])) return false;
  if (since !== undefined && ms(call) < since) return false;
  return until === undefined || ms(call) < until;
}

function inOrder(a, b) {
  if (a.instant !== b.instant) return a.instant < b.instant ? -1 : 1;
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}

const isAnswered = (call) => call.final_verdict !== 'infra_error';

/** The first answered call of each trace among these. */
function firstsAmong(calls) {
  const first = new Map();
  for (const call of [...calls].sort(inOrder)) {
    if (isAnswered(call) && !first.has(call.session_id)) first.set(call.session_id, call);
  }
  return new Set(first.values());
}

/** Null where the tokens of an attempt are not recorded, or not all attempts are. */
function tokensOf(call) {
  if (call.iterations === 0 && !Array.isArray(call.attempts)) return 0;
  if (!Array.isArray(call.attempts)) return null;
  let sum = 0;
  let isWhole = call.attempts.length > 0 && !derive(call).inconsistent;
  for (const { values } of call.attempts) {
    const [input, output] = [values.input_tokens ?? null, values.output_tokens ?? null];
    if (input === null || output === null || input < 0 || output < 0) isWhole = false;
    sum += (input ?? 0) + (output ?? 0);
  }
  return isWhole || call.iterations === 0 ? sum : null;
}

const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);

function tracesOf(calls) {
  const traces = new Map();
  for (const call of calls) traces.set(call.session_id, [...(traces.get(call.session_id) ?? []), call]);
  return [...traces.values()].map((own) => {
    const answered = own.filter(isAnswered);
    const priced = own.filter((call) => tokensOf(call) !== null);
    const timed = own.filter((call) => call.duration_ms !== null && call.duration_ms >= 0);
    const accepted = (list) => list.filter(({ final_verdict }) => final_verdict === 'accepted').length;
    return {
      n: answered.length,
      x: own.filter((call) => call.final_verdict === 'accepted' && call.iterations === 1).length,
      y: accepted(own),
      a: sum(answered, ({ iterations }) => iterations),
      tokenCalls: priced.length,
      tokenAccepted: accepted(priced),
      tokens: sum(priced, tokensOf),
      timedCalls: timed.length,
      timedAccepted: accepted(timed),
      seconds: sum(timed, ({ duration_ms }) => duration_ms),
    };
  });
}

const instants = (calls, pick) => {
  const answered = calls.filter(isAnswered).sort(inOrder);
  const one = pick === 'oldest' ? answered[0] : answered.at(-1);
  return one === undefined ? null : formatInstant(one.instant);
};

/** Rows of `compare`: by arm, all kinds first. */
export function compareCounts(log, { baseline, candidate }) {
  const arms = [
    ['baseline', log.sessions.filter((call) => baseline !== null && takes(baseline, call))],
    ['candidate', log.sessions.filter((call) => candidate !== null && takes(candidate, call))],
  ];
  const firsts = firstsAmong([...new Set(arms.flatMap(([, calls]) => calls))]);
  return arms.flatMap(([arm, calls]) => {
    const kinds = [...new Set(calls.map(({ kind }) => kind))].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    return (calls.length === 0 ? [] : [null, ...kinds]).map((kind) => {
      const own = calls.filter((call) => kind === null || call.kind === kind);
      const traces = tracesOf(own);
      const total = (of) => sum(traces, of);
      // One that both arms take counts once, for the baseline.
      const isTaken = (call) => arm === 'candidate' && arms[0][1].includes(call);
      const first = own.filter((call) => firsts.has(call) && !isTaken(call));
      return [
        arm,
        kind,
        traces.filter(({ n }) => n > 0).length,
        own.length,
        total(({ n }) => n),
        total(({ x }) => x),
        total(({ y }) => y),
        total(({ a }) => a),
        total(({ n }) => n * n),
        total(({ x }) => x * x),
        total(({ n, x }) => n * x),
        total(({ y }) => y * y),
        total(({ n, y }) => n * y),
        total(({ a }) => a * a),
        total(({ n, a }) => n * a),
        traces.filter(({ tokenCalls }) => tokenCalls > 0).length,
        total((t) => t.tokenCalls),
        total((t) => t.tokenAccepted),
        total((t) => t.tokens),
        total((t) => t.tokenAccepted ** 2),
        total((t) => t.tokens ** 2),
        total((t) => t.tokenAccepted * t.tokens),
        traces.filter(({ timedCalls }) => timedCalls > 0).length,
        total((t) => t.timedCalls),
        total((t) => t.timedAccepted),
        total((t) => t.seconds),
        total((t) => t.timedAccepted ** 2),
        total((t) => t.seconds ** 2),
        total((t) => t.timedAccepted * t.seconds),
        first.length,
        first.filter((call) => call.final_verdict === 'accepted' && call.iterations === 1).length,
        first.filter((call) => call.final_verdict === 'accepted').length,
        instants(own, 'oldest'),
        instants(own, 'newest'),
      ];
    });
  });
}

/** Rows of `versions`. */
export function versionCounts(log, { baseline, candidate }) {
  const fields = ['model', 'prompt_version', 'response_model', 'validator_version'];
  return [
    ['baseline', baseline],
    ['candidate', candidate],
  ].flatMap(([arm, selection]) =>
    fields.flatMap((field) => {
      const counts = new Map();
      for (const call of log.sessions) {
        if (!isAnswered(call) || !takes(selection, call)) continue;
        counts.set(call[field], (counts.get(call[field]) ?? 0) + 1);
      }
      const values = [...counts.keys()].sort((a, b) =>
        a === null ? -1 : b === null ? 1 : Buffer.compare(Buffer.from(a), Buffer.from(b)),
      );
      return values.map((value) => [arm, field, value, counts.get(value)]);
    }),
  );
}

/** The row of `overlap`, if there is one. */
export function overlapRow(log, { baseline, candidate }) {
  const both = log.sessions.filter((call) => takes(baseline, call) && takes(candidate, call));
  const [first] = both.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  return first === undefined ? [] : [[first.file, first.line, first.session_id, both.length]];
}

/** The row of `unrecorded`, if there is one. */
export function unrecordedRow(log, { baseline, candidate }) {
  const answered = log.sessions.filter(isAnswered);
  const isIn = (call) => takes(baseline, call) || takes(candidate, call);
  const kinds = answered.filter(isIn).map(({ kind }) => kind);
  const filledIn = ({ values = {} }, call) => ({
    ...call,
    ...Object.fromEntries(Object.keys(values).map((field) => [field, call[field] ?? values[field][0]])),
  });
  const mayBe = (arm, call) => takes(arm, filledIn(arm, call));
  const found = answered.filter(
    (call) => kinds.includes(call.kind) && !isIn(call) && (mayBe(baseline, call) || mayBe(candidate, call)),
  );
  const [first] = found.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  return first === undefined ? [] : [[found.length, first.file, first.line]];
}

const outcome = (calls) => [
  calls.length,
  calls.filter((call) => call.final_verdict === 'accepted' && call.iterations === 1).length,
  calls.filter((call) => call.final_verdict === 'accepted').length,
];

function grouped(calls, keyOf) {
  const groups = new Map();
  for (const call of calls) {
    const key = keyOf(call);
    const found = groups.get(JSON.stringify(key)) ?? { key, calls: [] };
    found.calls.push(call);
    groups.set(JSON.stringify(key), found);
  }
  const order = (a, b) => {
    if (a === b) return 0;
    if (typeof a === 'number') return a - b;
    return Buffer.compare(Buffer.from(a ?? ''), Buffer.from(b ?? ''));
  };
  return [...groups.values()].sort(
    (a, b) => a.key.map((one, i) => order(one, b.key[i])).find((one) => one !== 0) ?? 0,
  );
}

const epochOf = (log, epoch) =>
  [...firstsAmong(log.sessions)].filter((call) => epoch === undefined || ms(call) >= epoch);

/** Rows of `drift-days`, in UTC. @param epoch milliseconds; absent = all. */
export const driftDays = (log, epoch) =>
  grouped(epochOf(log, epoch), (call) => [call.kind, call.model, derive(call).day]).map(({ key, calls }) => [
    ...key,
    ...outcome(calls),
  ]);

/** Rows of `drift-moment`. */
export const driftMoment = (log, change, epoch) =>
  grouped(epochOf(log, epoch), (call) => [
    call.kind,
    call.model,
    derive(call).day,
    ms(call) < change ? 0 : 1,
  ]).map(({ key, calls }) => [...key, ...outcome(calls)]);

/** When the present version of a kind came: `{ version, at }`, or null where none is recorded. */
function changeIn(calls, field) {
  const sorted = calls.filter((call) => call[field] !== null).sort(inOrder);
  const version = sorted.at(-1)?.[field];
  if (version === undefined) return null;
  const isOther = (call) => call[field] !== version;
  const [first] = sorted;
  if (!sorted.some(isOther)) return { version, at: null };
  const firstOwn = sorted.find((call) => !isOther(call));
  // Calls of the same instant are neither before nor after one another.
  if (isOther(first) && first.instant < firstOwn.instant) return { version, at: firstOwn.instant };
  const lastOther = sorted.findLast(isOther);
  return {
    version,
    at: sorted.find((call) => !isOther(call) && call.instant > lastOther.instant)?.instant ?? null,
  };
}

/** Rows of `drift-version`. */
export function driftVersion(log, field, epoch) {
  const calls = epochOf(log, epoch);
  const kinds = new Map();
  for (const { kind } of calls) {
    if (!kinds.has(kind))
      kinds.set(
        kind,
        changeIn(
          calls.filter((call) => call.kind === kind),
          field,
        ),
      );
  }
  const partOf = (call) => {
    const change = kinds.get(call.kind);
    if (change !== null && change.at !== null && call.instant < change.at) return 0;
    if (change !== null && call[field] === change.version) return 1;
    return call[field] === null ? 3 : 2;
  };
  return grouped(calls, (call) => [call.kind, call.model, partOf(call)]).map(
    ({ key: [kind, model, part], calls: own }) => {
      const change = kinds.get(kind);
      const at = change === null || change.at === null ? null : formatInstant(change.at);
      return [kind, model, change?.version ?? null, at, part, ...outcome(own)];
    },
  );
}
