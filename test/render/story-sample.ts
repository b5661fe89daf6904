import type { Story, StoryAttempt, StoryCall, StoryRun } from '../../src/schema/story.js';

export function attempt(attempt_number: number, over: Partial<StoryAttempt> = {}): StoryAttempt {
  return {
    attempt_number,
    verdict: 'rejected',
    reasons: [],
    span_id: null,
    input_tokens: null,
    output_tokens: null,
    finish_reason: null,
    duration_ms: null,
    error: null,
    ...over,
  };
}

export function call(over: Partial<StoryCall> = {}): StoryCall {
  return {
    event: 'call',
    file: 'logs/coordinator/sessions.jsonl',
    line: 17,
    call_key: 'c-2f61aa04-7d3e-4a8e-9c4b-0d6a5f1f2b77',
    call_id: '2f61aa04-7d3e-4a8e-9c4b-0d6a5f1f2b77',
    timestamp: '2026-09-14T08:00:00.000Z',
    daemon: 'fill-dispatcher',
    kind: 'fill',
    model: 'gpt-4.1-mini',
    response_model: 'gpt-4.1-mini-2025-04-14',
    provider: 'openai',
    environment: 'production',
    prompt_version: 'fill@12',
    validator_version: '2.4.1',
    roster_hash: 'sha256:5f0c3a1e',
    iterations: 3,
    max_iterations: 4,
    final_verdict: 'accepted',
    grounded_in_roster: false,
    gated: true,
    roster_check: null,
    phantoms: [],
    proposed_worker_ids: ['W-0033', 'W-0099'],
    duration_ms: 4210,
    error: null,
    error_type: null,
    inconsistent: false,
    attempts: [
      attempt(1, {
        reasons: [
          'worker W-0098 is not in the roster of North, which holds W-0001 to W-0090 on that day',
          'shift 3 is double-booked',
        ],
        span_id: '00f067aa0ba902b7',
        input_tokens: 1204,
        output_tokens: 96,
        finish_reason: 'stop',
        duration_ms: 812,
      }),
      attempt(2, {
        verdict: 'no_candidate',
        finish_reason: 'length',
        duration_ms: 1920,
        output_tokens: 4096,
      }),
      attempt(3, { verdict: 'accepted', input_tokens: 1310, output_tokens: 101, duration_ms: 790 }),
    ],
    violations: [{ gate: 'alarm', value: 'ungrounded' }],
    acknowledged: [],
    ...over,
  };
}

export function run(over: Partial<StoryRun> = {}): StoryRun {
  return {
    event: 'replay_run',
    file: 'logs/replay_runs.jsonl',
    line: 3,
    timestamp: '2026-09-15T08:00:00.000Z',
    run_id: 'replay-2026-09-15',
    task_id: 'task-1',
    task: null,
    kind: 'fill',
    model: 'gpt-4.1-mini',
    provider: 'openai',
    retrieval_query: null,
    context_tokens: 1800,
    duration_ms: 900,
    input_tokens: 700,
    output_tokens: 30,
    error: null,
    documents: [
      { id: 'doc-001', source: 'rosters/north', score: 0.875, rank: 1 },
      { id: 'doc-0417', source: 'playbooks', score: 0.7, rank: 2 },
    ],
    best_score: 0.875,
    ...over,
  };
}

export function story(over: Partial<Story> = {}): Story {
  return {
    session_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    trace_url: 'https://traces.example.org/project/north/traces/4bf92f3577b34da6a3ce929d0e0e4736',
    show_content: false,
    events: [call(), run()],
    ...over,
  };
}

const raw = (...workers: string[]) =>
  JSON.stringify({ contract: 'K-7', fills: workers.map((worker, i) => ({ shift: i + 1, worker })) });

/** The same trace with everything that --show-content adds. */
export function storyWithContent(): Story {
  const [first, second, third] = call().attempts;
  return story({
    show_content: true,
    events: [
      call({
        prompt: 'Fill contract K-7 for week 38.\nUse only workers of the roster.\n',
        artifact: raw('W-0033', 'W-0099'),
        attempts: [
          {
            ...first!,
            prompt: 'Fill contract K-7 for week 38.\nUse only workers of the roster.\n',
            raw: raw('W-0033', 'W-0098'),
          },
          { ...second!, prompt: null, raw: 'Sorry,\tI cannot\u001b[31m.\n' },
          { ...third!, prompt: 'Worker W-0098 is not in the roster.', raw: raw('W-0033', 'W-0099') },
        ],
        acknowledged: [
          {
            gate: 'alarm',
            author: 'anna',
            at: '2026-09-14T09:10:00Z',
            expires: '2026-10-01',
            reason:
              'The roster of North was published an hour late; W-0099 started that day, HR confirmed it.',
          },
        ],
      }),
      run({
        task: 'Fill contract K-7.',
        retrieval_query: 'roster North week 38',
        output: 'W-0033 and W-0034.',
      }),
    ],
  });
}
