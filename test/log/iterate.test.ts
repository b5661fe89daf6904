import { describe, expect, it, vi } from 'vitest';
import {
  buildSessionRecord,
  type FailedAttempt,
  feedbackPrompt,
  type IterateOptions,
  type IterateResult,
  iterate,
  SessionLogger,
} from '../../src/log/index.js';
import { sessionRecord } from '../../src/schema/records.js';
import fc from '../support/fast-check.js';
import { recordsOf, temporaryFolder } from './support.js';

interface Fill {
  assignments: { worker: string }[];
}

const good: Fill = { assignments: [{ worker: 'W-1' }] };
const HEX_32 = /^[0-9a-f]{32}$/;

/** A call that is accepted at once, unless the test says otherwise. */
function call(changes: Partial<IterateOptions<Fill>> = {}): Promise<IterateResult<Fill>> {
  return iterate<Fill>({
    kind: 'fill',
    model: 'm-1',
    prompt: 'Fill one shift.',
    generate: () => JSON.stringify(good),
    validate: () => ({ accepted: true }),
    trace: { api: null },
    ...changes,
  });
}

/** A generator that gives these answers in turn and remembers its prompts. */
function answers(...raws: string[]) {
  const prompts: string[] = [];
  const generate = (prompt: string) => {
    prompts.push(prompt);
    return raws[prompts.length - 1]!;
  };
  return { prompts, generate };
}

const never = () => new Promise<never>(() => {});

/** What does not differ from run to run. */
function stable(result: IterateResult<Fill>) {
  const { sessionId: _, callId: __, record, attempts, ...rest } = result;
  const {
    session_id: ___,
    call_id: ____,
    timestamp: _____,
    duration_ms: ______,
    attempts: _______,
    ...fields
  } = record;
  return { ...rest, fields, attempts: attempts.map(({ durationMs: _, ...attempt }) => attempt) };
}

describe('a call that is accepted', () => {
  it('at the first attempt', async () => {
    const result = await call();
    expect(result).toMatchObject({ outcome: 'accepted', artifact: good, groundedInRoster: null });
    expect(result.sessionId).toMatch(HEX_32);
    expect(result.record).toMatchObject({
      schema: 'session.iterate.v1',
      session_id: result.sessionId,
      call_id: result.callId,
      final_verdict: 'accepted',
      iterations: 1,
      max_iterations: 3,
      prompt: 'Fill one shift.',
      artifact: good,
    });
    expect(result.record.attempts).toEqual([
      { attempt_number: 1, verdict: 'accepted', raw: JSON.stringify(good), duration_ms: expect.any(Number) },
    ]);
  });

  it('after a rejection and an answer without a candidate, each fed back', async () => {
    const { prompts, generate } = answers('{"assignments":[]}', 'I would rather not.', JSON.stringify(good));
    const result = await call({
      generate,
      validate: ({ assignments }) =>
        assignments.length > 0 ? { accepted: true } : { accepted: false, reasons: ['shift 1 has no worker'] },
    });
    expect(result.outcome).toBe('accepted');
    expect(result.attempts.map(({ verdict }) => verdict)).toEqual(['rejected', 'no_candidate', 'accepted']);
    expect(prompts[0]).toBe('Fill one shift.');
    expect(prompts[1]).toContain('Fill one shift.');
    expect(prompts[1]).toContain('- shift 1 has no worker');
    expect(prompts[2]).toContain('could not be read');
    expect(prompts[2]).not.toContain('shift 1 has no worker');
    const [first, second] = result.record.attempts as Record<string, unknown>[];
    expect(first).not.toHaveProperty('prompt');
    expect(first).toMatchObject({ reasons: ['shift 1 has no worker'] });
    expect(second).toMatchObject({ prompt: prompts[1], raw: 'I would rather not.' });
  });

  it('with tokens, the model that answered, and the facts of the host in the record', async () => {
    const { record } = await call({
      generate: () => ({
        raw: JSON.stringify(good),
        inputTokens: 812,
        outputTokens: 64,
        finishReason: 'stop',
        responseModel: 'm-1-2026-09',
      }),
      daemon: 'd',
      provider: 'p',
      environment: 'test',
      promptVersion: 'fill@1',
      validatorVersion: '2',
      extra: { team: 'North' },
      clock: () => new Date('2026-09-14T08:00:00Z'),
    });
    expect(record).toMatchObject({
      response_model: 'm-1-2026-09',
      daemon: 'd',
      provider: 'p',
      environment: 'test',
      prompt_version: 'fill@1',
      validator_version: '2',
      team: 'North',
      timestamp: '2026-09-14T08:00:00.000Z',
      attempts: [{ input_tokens: 812, output_tokens: 64, finish_reason: 'stop' }],
    });
  });

  it('and no validator that says so in other words', async () => {
    for (const word of [undefined, null, true, [], {}, { accepted: 1 }, { accepted: 'true' }]) {
      const result = await call({ validate: () => word as never });
      expect(result).toMatchObject({ outcome: 'infra_error', attempts: [{ verdict: 'infra_error' }] });
    }
  });
});

describe('a call that runs out of tries', () => {
  it('keeps every rejection', async () => {
    const result = await call({
      maxIterations: 2,
      validate: () => ({ accepted: false, reasons: ['no', 'never'] }),
    });
    expect(result).toMatchObject({ outcome: 'max_iter_exhausted', reasons: ['no', 'never'] });
    expect(result.record).toMatchObject({
      final_verdict: 'max_iter_exhausted',
      iterations: 2,
      max_iterations: 2,
    });
    expect(result.record).not.toHaveProperty('artifact');
    expect(result.record).not.toHaveProperty('grounded_in_roster');
  });

  it('uses the feedback of the host, which sees all attempts', async () => {
    const seen: (readonly FailedAttempt[])[] = [];
    const { prompts, generate } = answers('null', '{"assignments":[]}', '[]');
    await call({
      generate,
      validate: () => ({ accepted: false, reasons: ['no'] }),
      feedback: (prompt, failed) => {
        seen.push([...failed]);
        return `${prompt} (${failed.length})`;
      },
    });
    expect(prompts).toEqual(['Fill one shift.', 'Fill one shift. (1)', 'Fill one shift. (2)']);
    expect(seen[1]!.map(({ number, verdict }) => [number, verdict])).toEqual([
      [1, 'no_candidate'],
      [2, 'rejected'],
    ]);
  });
});

describe('a call that something else ends', () => {
  it.each([1, 2, 3])('at attempt %i', async (failing) => {
    const result = await call({
      generate: (_, { number }) => {
        if (number === failing) throw new TypeError('fetch failed');
        return '{"assignments":[]}';
      },
      validate: () => ({ accepted: false, reasons: ['no'] }),
    });
    expect(result).toMatchObject({ outcome: 'infra_error', error: { message: 'fetch failed' } });
    expect(result.attempts.map(({ verdict }) => verdict)).toEqual([
      ...Array(failing - 1).fill('rejected'),
      'infra_error',
    ]);
    expect(result.record).toMatchObject({
      final_verdict: 'infra_error',
      iterations: failing,
      error: 'fetch failed',
      error_type: 'TypeError',
    });
  });

  it.each<[string, Partial<IterateOptions<Fill>>]>([
    [
      'a validator that throws',
      {
        validate: () => {
          throw new Error('roster down');
        },
      },
    ],
    ['a validator that rejects', { validate: () => Promise.reject(new Error('roster down')) }],
    ['a generator that rejects', { generate: () => Promise.reject('roster down') }],
    [
      'a feedback that throws',
      {
        validate: () => ({ accepted: false, reasons: [] }),
        feedback: () => {
          throw new Error('roster down');
        },
      },
    ],
  ])('%s is an infra error', async (_, changes) => {
    const result = await call(changes);
    expect(result).toMatchObject({ outcome: 'infra_error', error: { message: 'roster down' } });
    expect(result.attempts).toHaveLength(1);
  });

  it('keeps what the model said when the validator fails', async () => {
    const { attempts } = await call({ validate: () => Promise.reject(new Error('down')) });
    expect(attempts).toMatchObject([{ verdict: 'infra_error', raw: JSON.stringify(good), error: 'down' }]);
  });

  it('is not hung by a generator or a validator that never settles', async () => {
    for (const stuck of [{ generate: never }, { validate: never }]) {
      const result = await call({ ...stuck, attemptTimeoutMs: 20 });
      expect(result).toMatchObject({
        outcome: 'infra_error',
        error: { name: 'TimeoutError', message: 'attempt 1 took longer than 20 ms' },
      });
      expect(result.record).toMatchObject({ error_type: 'TimeoutError', iterations: 1 });
    }
  });

  it('ends when the host aborts, whether the generator listens or not', async () => {
    for (const listens of [true, false]) {
      const host = new AbortController();
      let told = false;
      const result = await call({
        signal: host.signal,
        generate: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              told = true;
              if (listens) reject(signal.reason);
            });
            queueMicrotask(() => host.abort(new Error('shutting down')));
          }),
      });
      expect(told).toBe(true);
      expect(result).toMatchObject({
        outcome: 'infra_error',
        error: { name: 'AbortError', message: 'aborted: shutting down' },
        attempts: [{ verdict: 'infra_error' }],
      });
    }
  });

  it('records a call that was aborted before its first attempt', async () => {
    const generate = vi.fn();
    const result = await call({ signal: AbortSignal.abort(), generate });
    expect(generate).not.toHaveBeenCalled();
    expect(result.record).toMatchObject({
      final_verdict: 'infra_error',
      iterations: 0,
      error_type: 'AbortError',
    });
  });

  it('stops between attempts when the host aborts', async () => {
    const host = new AbortController();
    const result = await call({
      signal: host.signal,
      validate: () => {
        host.abort('enough');
        return { accepted: false, reasons: ['no'] };
      },
    });
    expect(result).toMatchObject({ outcome: 'infra_error', error: { message: 'aborted: enough' } });
    expect(result.attempts).toHaveLength(1);
  });

  it('takes no listener and no timer along', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const host = new AbortController();
    const add = vi.spyOn(host.signal, 'addEventListener');
    const remove = vi.spyOn(host.signal, 'removeEventListener');
    await call({ signal: host.signal, validate: () => ({ accepted: false, reasons: [] }) });
    expect(add).toHaveBeenCalledTimes(3);
    expect(remove).toHaveBeenCalledTimes(3);
    expect(timers()).toBe(before);
  });
});

describe('the roster check', () => {
  const stampOf = (groundedInRoster: boolean | null) => ({
    groundedInRoster,
    proposedWorkerIds: ['W-1'],
    rosterHash: 'sha256:1',
  });

  it.each([true, false, null])('stamps %s', async (groundedInRoster) => {
    const result = await call({ rosterCheck: () => stampOf(groundedInRoster) });
    expect(result).toMatchObject({ outcome: 'accepted', groundedInRoster, proposedWorkerIds: ['W-1'] });
    expect(result.record).toMatchObject({
      grounded_in_roster: groundedInRoster,
      proposed_worker_ids: ['W-1'],
      roster_hash: 'sha256:1',
    });
  });

  it.each<[string, NonNullable<IterateOptions<Fill>['rosterCheck']>, string | undefined]>([
    [
      'throws',
      () => {
        throw new Error('gone');
      },
      'gone',
    ],
    ['rejects', () => Promise.reject(new Error('gone')), 'gone'],
    ['never settles', never, 'the roster check took longer than 30 ms'],
    ['gives nothing', () => undefined, undefined],
    ['gives "true"', () => stampOf('true' as never), undefined],
  ])('that %s leaves the call accepted and unjudged', async (_, rosterCheck, said) => {
    const result = await call({ rosterCheck, attemptTimeoutMs: 30 });
    expect(result).toMatchObject({ outcome: 'accepted', groundedInRoster: null });
    expect(result.record.grounded_in_roster).toBeNull();
    expect(result.record.roster_check_error).toBe(said);
  });

  it.each<[string, NonNullable<IterateOptions<Fill>['rosterCheck']>, string]>([
    ['throws', () => Promise.reject(new Error('gone')), 'gone'],
    ['never settles', never, 'the roster check took longer than 30 ms'],
    ['gives nothing', () => null, 'the roster check gave no verdict'],
    ['gives no object', () => 'yes' as never, 'the roster check gave no verdict'],
    ['gives "true"', () => stampOf('true' as never), 'the roster check gave no verdict'],
    ['gives 1', () => stampOf(1 as never), 'the roster check gave no verdict'],
  ])('that %s tells the host why', async (_, rosterCheck, why) => {
    const result = await call({ rosterCheck, attemptTimeoutMs: 30 });
    expect(result).toMatchObject({ outcome: 'accepted', groundedInRoster: null, rosterCheckError: why });
  });

  it('and says nothing where it judged, or nobody was named', async () => {
    for (const verdict of [true, false, null]) {
      expect(await call({ rosterCheck: () => stampOf(verdict) })).toMatchObject({ rosterCheckError: null });
    }
    expect(await call()).toMatchObject({ groundedInRoster: null, rosterCheckError: null });
  });

  it('is ended by the signal of the host, and hears of it', async () => {
    const host = new AbortController();
    let told: unknown;
    const result = await call({
      signal: host.signal,
      rosterCheck: (_, { signal }) => {
        signal.addEventListener('abort', () => {
          told = signal.reason;
        });
        setTimeout(() => host.abort(new Error('shutting down')), 10);
        return never();
      },
    });
    expect(told).toMatchObject({ name: 'AbortError' });
    expect(result).toMatchObject({
      outcome: 'accepted',
      groundedInRoster: null,
      rosterCheckError: 'aborted: shutting down',
    });
    expect(result.record.roster_check_error).toBe('aborted: shutting down');
  });

  it('is not asked about what was not accepted', async () => {
    const rosterCheck = vi.fn(() => stampOf(true));
    await call({ rosterCheck, validate: () => ({ accepted: false, reasons: [] }) });
    await call({ rosterCheck, generate: () => Promise.reject(new Error('down')) });
    expect(rosterCheck).not.toHaveBeenCalled();
  });
});

describe('an answer that is too large to be judged', () => {
  const large = {
    'more values than a check can follow': `{"assignments":[{"worker":"W-1"}],"x":[${'0,'.repeat(100_000)}0]}`,
    'deeper than a record can hold': `{"assignments":[{"worker":"W-1"}],"x":${'['.repeat(95)}${']'.repeat(95)}}`,
    'more bytes than the bound': JSON.stringify({ assignments: [{ worker: 'W-1' }], x: 'é'.repeat(2 ** 21) }),
    'more bytes, in prose': 'x'.repeat(2 ** 22 + 1),
  };

  it.each(Object.entries(large))('%s: is rejected before anybody judges it', async (_, raw) => {
    const validate = vi.fn(() => ({ accepted: true }) as const);
    const { prompts, generate } = answers(raw, JSON.stringify(good));
    const result = await call({ generate, validate });
    expect(result).toMatchObject({ outcome: 'accepted', artifact: good });
    expect(result.attempts.map(({ verdict }) => verdict)).toEqual(['rejected', 'accepted']);
    expect(validate).toHaveBeenCalledTimes(1);
    expect(prompts[1]).toContain('Your previous answer was rejected:\n- the answer ');
  });

  it('is so by what the parser of the host makes of it, too', async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const result = await call({ parse: () => cycle as never, maxIterations: 1 });
    expect(result).toMatchObject({ outcome: 'max_iter_exhausted', attempts: [{ verdict: 'rejected' }] });
  });

  it('by bounds that the host may draw closer', async () => {
    const result = await call({ answerBounds: { bytes: 10 }, maxIterations: 1 });
    expect(result).toMatchObject({ reasons: ['the answer has more than 10 bytes'] });
  });
});

describe('a chat for a prompt', () => {
  const chat = [
    { role: 'system', content: 'Only JSON.' },
    { role: 'user', content: [{ type: 'text', text: 'Fill one shift.' }] },
  ];

  it('goes on with the wrong answer and what was wrong with it, and is recorded as it is', async () => {
    const asked: unknown[] = [];
    const { record } = await iterate<Fill>({
      kind: 'fill',
      model: 'm-1',
      prompt: chat,
      trace: { api: null },
      generate: (prompt, { number }) => {
        asked.push(prompt);
        return ['', '[]', JSON.stringify(good)][number - 1]!;
      },
      validate: (fill) =>
        Array.isArray(fill) ? { accepted: false, reasons: ['no object'] } : { accepted: true },
    });
    expect(asked).toEqual([
      chat,
      [
        ...chat,
        { role: 'assistant', content: '(no answer)' },
        { role: 'user', content: expect.stringContaining('could not be read') },
      ],
      [
        ...chat,
        { role: 'assistant', content: '[]' },
        { role: 'user', content: expect.stringContaining('- no object') },
      ],
    ]);
    expect(record.prompt).toEqual(chat);
    expect((record.attempts as { prompt?: unknown }[]).map(({ prompt }) => prompt)).toEqual([
      undefined,
      asked[1],
      asked[2],
    ]);
    expect(sessionRecord.safeParse(JSON.parse(JSON.stringify(record))).error).toBeUndefined();
  });

  it.each([[[]], [['text']], [[null]], [{}], [5]])('is not %j', async (prompt) => {
    await expect(call({ prompt: prompt as never })).rejects.toThrow('iterate: prompt is neither');
  });
});

it('warns of no leak with many calls on one signal, however they end', async () => {
  const warnings: unknown[] = [];
  const onWarning = (warning: Error) => warnings.push(warning.name);
  process.on('warning', onWarning);
  const host = new AbortController();
  const many = () =>
    Array.from({ length: 40 }, () =>
      call({
        signal: host.signal,
        rosterCheck: () => ({ groundedInRoster: true, proposedWorkerIds: [], rosterHash: null }),
        generate: () => new Promise((resolve) => setTimeout(resolve, 20, JSON.stringify(good))),
      }),
    );
  expect((await Promise.all(many())).map(({ outcome }) => outcome)).toEqual(Array(40).fill('accepted'));
  const aborted = many();
  host.abort();
  expect((await Promise.all(aborted)).map(({ outcome }) => outcome)).toEqual(Array(40).fill('infra_error'));
  // A warning comes with the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

describe('the logger', () => {
  const ways: Record<string, Partial<IterateOptions<Fill>>> = {
    accepted: {
      rosterCheck: () => ({ groundedInRoster: true, proposedWorkerIds: ['W-1'], rosterHash: null }),
    },
    exhausted: { validate: () => ({ accepted: false, reasons: ['no'] }) },
    'infra error': { generate: () => Promise.reject(new Error('down')) },
    aborted: { signal: AbortSignal.abort() },
  };

  const broken: Record<string, IterateOptions<Fill>['logger']> = {
    throws: {
      append() {
        throw new Error('disk full');
      },
    },
    rejects: { append: () => Promise.reject(new Error('disk full')) },
    'changes what it gets': {
      append(record) {
        for (const name of Object.keys(record)) delete record[name];
      },
    },
    'is no logger': {} as never,
    'is null': null,
    'does nothing': new SessionLogger(''),
  };

  it.each(Object.keys(ways))('changes nothing about a call that ends %s', async (way) => {
    const log = temporaryFolder();
    const working = new SessionLogger(`${log}/sessions.jsonl`);
    const expected = stable(await call({ ...ways[way], logger: working }));
    await working.close();
    for (const logger of [...Object.values(broken), undefined]) {
      expect(stable(await call({ ...ways[way], logger }))).toEqual(expected);
    }
    const [line] = recordsOf(`${log}/sessions.jsonl`);
    expect(sessionRecord.safeParse(line).error).toBeUndefined();
    expect(line).toMatchObject({ kind: 'fill', final_verdict: expected.outcome });
  });

  it('gets the record of the result', async () => {
    const append = vi.fn();
    const { record } = await call({ logger: { append } });
    expect(append.mock.calls).toEqual([[record]]);
  });
});

it.each<[string, Partial<IterateOptions<Fill>>]>([
  ['kind', { kind: '' }],
  ['model', { model: undefined as never }],
  ['prompt', { prompt: 1 as never }],
  ['generate', { generate: null as never }],
  ['validate', { validate: null as never }],
  ['signal', { signal: {} as never }],
  ['maxIterations', { maxIterations: 0 }],
  ['maxIterations', { maxIterations: 1.5 }],
  ['attemptTimeoutMs', { attemptTimeoutMs: Number.NaN }],
])('refuses a bad %s before it asks the model', async (name, changes) => {
  const generate = vi.fn(() => '{}');
  await expect(call({ generate, ...changes })).rejects.toThrow(name);
  expect(generate).not.toHaveBeenCalled();
});

it('takes a time longer than a timer can hold', async () => {
  const slow = () => new Promise<string>((resolve) => setTimeout(() => resolve(JSON.stringify(good)), 20));
  for (const attemptTimeoutMs of [Number.POSITIVE_INFINITY, 2 ** 40]) {
    expect(await call({ attemptTimeoutMs, generate: slow })).toMatchObject({ outcome: 'accepted' });
  }
});

it('bounds the feedback, whatever the reasons', () => {
  const failed = [
    { number: 1, verdict: 'rejected' as const, raw: '', reasons: Array(1000).fill('x'.repeat(10_000)) },
  ];
  const prompt = feedbackPrompt('Task.', failed);
  expect(prompt.length).toBeLessThan(30_000);
  expect(prompt).toContain('and 950 more reasons');
});

it('ends every script of answers, verdicts and faults in a record that loads and counts right', async () => {
  const step = fc.constantFrom('reject', 'prose', 'accept', 'fault', 'bad-verdict', 'no-text');
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 5 }),
      fc.integer({ min: 1, max: 5 }),
      async (script, max) => {
        const at = (number: number) => script[number - 1] ?? 'reject';
        let number = 0;
        const result = await call({
          maxIterations: max,
          generate: (_, attempt) => {
            number = attempt.number;
            if (at(number) === 'fault') throw new Error('fault');
            if (at(number) === 'no-text') return undefined as never;
            return at(number) === 'prose' ? 'prose' : JSON.stringify(good);
          },
          validate: () => {
            if (at(number) === 'accept') return { accepted: true };
            return at(number) === 'bad-verdict' ? (1 as never) : { accepted: false, reasons: ['no'] };
          },
        });
        const last = Array.from({ length: max }, (_, i) => at(i + 1)).findIndex(
          (one) => one !== 'reject' && one !== 'prose',
        );
        const end = last < 0 ? 'max_iter_exhausted' : at(last + 1) === 'accept' ? 'accepted' : 'infra_error';
        expect(result.outcome).toBe(end);
        expect(result.attempts).toHaveLength(last < 0 ? max : last + 1);
        const loaded = JSON.parse(JSON.stringify(result.record));
        expect(sessionRecord.safeParse(loaded).error).toBeUndefined();
        expect(loaded.iterations).toBe(loaded.attempts.length);
        expect(buildSessionRecord({ ...loaded, outcome: end }).final_verdict).toBe(end);
      },
    ),
  );
});
