/** Random logs with versions, tokens and durations, of few values, so that traces and strata hold several calls. */
import fc from 'fast-check';

const START = Date.UTC(2026, 8, 1);
const pick = (...values) => fc.constantFrom(...values);

const attempt = (last) =>
  fc.record({
    verdict: last === null ? pick('rejected', 'no_candidate', 'infra_error') : fc.constant(last),
    input_tokens: pick(null, -1, 10, 250, 250),
    output_tokens: pick(null, 5, 60, 60),
  });

const call = fc
  .record({
    session: fc.integer({ min: 0, max: 25 }),
    kind: pick('fill', 'fill', 'email', 'swap'),
    model: pick('m1', 'm1', 'm2', 'odd, "one"'),
    prompt_version: pick(null, 'p1', 'p2', 'p3'),
    validator_version: pick(undefined, 'v1', 'v2'),
    response_model: pick(null, 'r1', 'r2'),
    provider: pick(null, 'a', 'b'),
    daemon: pick(null, 'd1', 'd2'),
    environment: pick('prod', 'test'),
    minutes: fc.oneof(fc.integer({ min: 0, max: 6 * 1440 }), pick(0, 1440, 2880)),
    final_verdict: pick('accepted', 'accepted', 'max_iter_exhausted', 'infra_error'),
    iterations: fc.integer({ min: 1, max: 3 }),
    duration_ms: pick(null, -1, 0, 1200.5, 800),
    bare: fc.integer({ min: 0, max: 7 }),
  })
  .chain((one) => {
    const last = { accepted: 'accepted', max_iter_exhausted: 'rejected', infra_error: 'infra_error' }[
      one.final_verdict
    ];
    const before = Array.from({ length: one.iterations - 1 }, () => attempt(null));
    return fc.tuple(...before, attempt(last)).map((attempts) => ({ ...one, attempts }));
  });

function lineOf({ session, minutes, bare, attempts, iterations, ...fields }, at) {
  return JSON.stringify({
    schema: 'session.iterate.v1',
    session_id: `trace-${session}`,
    call_id: `call-${at}`,
    timestamp: new Date(START + minutes * 60_000).toISOString(),
    ...fields,
    // An infra error may come before the first attempt.
    iterations: bare === 0 && fields.final_verdict === 'infra_error' ? 0 : iterations,
    ...(bare === 0 ? {} : { attempts: bare === 1 ? attempts.slice(1) : attempts }),
  });
}

/** The bytes of a `sessions.jsonl`. */
export const decisionLogs = () =>
  fc
    .array(call, { maxLength: 60 })
    .map((calls) => Buffer.from(calls.map((one, at) => `${lineOf(one, at)}\n`).join('')));

const time = fc.option(
  fc.integer({ min: -1, max: 7 }).map((day) => START + day * 86_400_000),
  { nil: undefined },
);

export const momentOf = () =>
  fc.integer({ min: -60, max: 6 * 1440 }).map((minutes) => START + minutes * 60_000);

/** `{ values, since, until }`, times in milliseconds. */
export const selections = () =>
  fc.record({
    values: fc
      .record(
        {
          model: fc.subarray(['m1', 'm2', 'odd, "one"', 'none'], { minLength: 1 }),
          kind: fc.subarray(['fill', 'email'], { minLength: 1 }),
          prompt_version: fc.subarray(['p1', 'p2', 'p3'], { minLength: 1 }),
          validator_version: fc.constant(['v1']),
          response_model: fc.constant(['r1']),
          provider: fc.constant(['a']),
          daemon: fc.constant(['d1']),
          environment: fc.constant(['prod']),
        },
        { requiredKeys: [] },
      )
      .map((values) => Object.fromEntries(Object.entries(values).filter((_, i) => i < 2))),
    since: time,
    until: time,
  });
