import { describe, expect, it } from 'vitest';
import {
  buildReplayRecord,
  buildSessionRecord,
  type CallFacts,
  type CallInput,
} from '../../src/log/index.js';
import { replayRecord, sessionRecord } from '../../src/schema/records.js';
import { fullAttempt, fullReplay, fullSession } from '../schema/samples.js';
import fc from '../support/fast-check.js';

const facts: CallFacts = {
  sessionId: fullSession.session_id,
  kind: 'fill',
  model: 'gpt-4.1-mini',
  attempts: [
    { verdict: 'rejected', reasons: ['shift 3 has no worker'] },
    { verdict: 'accepted', raw: '{}' },
  ],
};
const timestamp = '2026-09-14T08:00:00Z';

describe('buildSessionRecord', () => {
  it('makes an accepted call', () => {
    expect(
      buildSessionRecord({ ...facts, outcome: 'accepted', artifact: { a: 1 }, groundedInRoster: true }),
    ).toEqual({
      schema: 'session.iterate.v1',
      session_id: fullSession.session_id,
      kind: 'fill',
      model: 'gpt-4.1-mini',
      iterations: 2,
      final_verdict: 'accepted',
      attempts: [
        { verdict: 'rejected', attempt_number: 1, reasons: ['shift 3 has no worker'] },
        { verdict: 'accepted', attempt_number: 2, raw: '{}' },
      ],
      artifact: { a: 1 },
      grounded_in_roster: true,
    });
  });

  it('makes a call that ran out of tries', () => {
    const record = buildSessionRecord({ ...facts, outcome: 'max_iter_exhausted', maxIterations: 2 });
    expect(record).toMatchObject({ final_verdict: 'max_iter_exhausted', iterations: 2, max_iterations: 2 });
  });

  it('makes an infra error of an Error, a string and anything else', () => {
    const failed = (error: unknown, errorType?: string) =>
      buildSessionRecord({ ...facts, attempts: [], outcome: 'infra_error', error, errorType });
    expect(failed(new TypeError('fetch failed'))).toMatchObject({
      error: 'fetch failed',
      error_type: 'TypeError',
      iterations: 0,
    });
    expect(failed('timed out', 'Timeout')).toMatchObject({ error: 'timed out', error_type: 'Timeout' });
    expect(failed(new Error('reset'), 'ECONNRESET')).toMatchObject({
      error: 'reset',
      error_type: 'ECONNRESET',
    });
    expect(failed(503)).toMatchObject({ error: '503' });
    expect(failed(undefined)).not.toHaveProperty('error');
  });

  it('has a place for every field of the record', () => {
    const input = {
      ...facts,
      attempts: [
        {
          verdict: 'accepted',
          prompt: fullAttempt.prompt as string,
          raw: fullAttempt.raw,
          reasons: [],
          spanId: fullAttempt.span_id,
          inputTokens: fullAttempt.input_tokens,
          outputTokens: fullAttempt.output_tokens,
          finishReason: 'stop',
          durationMs: fullAttempt.duration_ms,
          error: '',
        },
      ],
      outcome: 'accepted',
      timestamp: new Date('2026-09-14T06:00:00.500Z'),
      artifact: fullSession.artifact,
      groundedInRoster: true,
      proposedWorkerIds: ['W-0033'],
      daemon: fullSession.daemon,
      provider: fullSession.provider,
      responseModel: fullSession.response_model,
      environment: fullSession.environment,
      promptVersion: fullSession.prompt_version,
      validatorVersion: fullSession.validator_version,
      rosterHash: fullSession.roster_hash,
      maxIterations: 4,
      prompt: fullSession.prompt as string,
      durationMs: fullSession.duration_ms,
      callId: 'c-1',
      writerId: 'w-1',
      seq: 1,
      extra: { error: 'a declared field wins', error_type: 'too', team: 'North' },
    } satisfies CallInput;
    const { error: _, error_type: __, ...rest } = fullSession;
    expect(buildSessionRecord(input)).toEqual({
      ...rest,
      timestamp: '2026-09-14T06:00:00.500Z',
      team: 'North',
    });
  });

  it('leaves the input as it is', () => {
    const input = Object.freeze({
      ...facts,
      attempts: Object.freeze([Object.freeze({ verdict: 'accepted' })]),
    });
    const accepted = { ...input, outcome: 'accepted', artifact: 1 } as CallInput;
    expect(buildSessionRecord(accepted)).toEqual(buildSessionRecord(accepted));
  });

  it('makes valid records of any call that keeps its type', () => {
    const attempts = fc.array(
      fc.record(
        { verdict: fc.constantFrom('accepted', 'rejected', 'no_candidate', 'infra_error'), raw: fc.string() },
        { requiredKeys: ['verdict'] },
      ),
      { minLength: 1 },
    );
    const call = fc.record({
      outcome: fc.constantFrom('accepted', 'max_iter_exhausted', 'infra_error'),
      attempts,
      error: fc.oneof(fc.string(), fc.constant(new Error('x'))),
      prompt: fc.option(fc.string(), { nil: undefined }),
      durationMs: fc.option(fc.nat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(call, (input) => {
        const record = buildSessionRecord({ ...facts, ...input } as CallInput);
        sessionRecord.parse({ timestamp, ...record });
        expect(Object.values(record)).not.toContain(undefined);
      }),
    );
  });

  it.each(['acepted', 'Accepted', 'accepted ', 'rejected', '', 'x'.repeat(1000)])(
    'throws for the outcome %j, which TypeScript would not let pass',
    (outcome) => {
      const build = () => buildSessionRecord({ ...facts, attempts: [], outcome, artifact: 1 } as never);
      expect(build).toThrow(TypeError);
      expect(build).toThrow(
        /^outcome is "\w{0,40} ?", not one of accepted, max_iter_exhausted, infra_error$/,
      );
    },
  );

  it('throws nothing else, whatever it is called with', () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const revokedArray = Proxy.revocable([], {});
    revokedArray.revoke();
    const hostile = {
      get kind() {
        throw new Error('getter');
      },
      get extra() {
        throw new Error('getter');
      },
      attempts: revokedArray.proxy,
      error: revoked.proxy,
      timestamp: new Date(Number.NaN),
      sessionId: 's',
    };
    const { session_id, iterations } = buildSessionRecord(hostile as never);
    expect([session_id, iterations]).toEqual(['s', 0]);
    expect(() => buildSessionRecord(revoked.proxy as never)).not.toThrow();
    expect(() => buildReplayRecord(revoked.proxy as never)).not.toThrow();
    expect(buildSessionRecord({ attempts: [null, 5, revoked.proxy] } as never).iterations).toBe(3);
    expect(buildSessionRecord({ attempts: new Array(2 ** 32 - 1) } as never).iterations).toBe(2 ** 32 - 1);
    fc.assert(
      fc.property(fc.anything(), (input) => {
        buildSessionRecord(input as never);
        buildReplayRecord(input as never);
        buildSessionRecord({ attempts: [input], extra: input, error: input } as never);
      }),
    );
  });
});

describe('buildReplayRecord', () => {
  it('has a place for every field of the record', () => {
    const record = buildReplayRecord({
      sessionId: fullReplay.session_id,
      timestamp: fullReplay.timestamp,
      runId: fullReplay.run_id,
      taskId: fullReplay.task_id,
      task: fullReplay.task,
      kind: fullReplay.kind,
      model: fullReplay.model,
      provider: fullReplay.provider,
      retrievalQuery: fullReplay.retrieval_query,
      documents: fullReplay.documents,
      contextTokens: fullReplay.context_tokens,
      output: fullReplay.output,
      error: fullReplay.error,
      durationMs: fullReplay.duration_ms,
      inputTokens: fullReplay.input_tokens,
      outputTokens: fullReplay.output_tokens,
    });
    expect(record).toEqual(fullReplay);
  });

  it('keeps absent documents apart from none', () => {
    const input = { sessionId: 's', runId: 'r', timestamp };
    expect(buildReplayRecord(input)).not.toHaveProperty('documents');
    expect(replayRecord.parse(buildReplayRecord({ ...input, documents: [] })).documents).toEqual([]);
  });
});
