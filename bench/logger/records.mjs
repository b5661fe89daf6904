const WORDS =
  'fill the shift at the north depot with three workers two of them need a forklift licence and none may work over forty hours reply as json'.split(
    ' ',
  );

/** Calls as a staffing service logs them: each about 2 KB of JSON, prompts with line breaks, raw output with quotes. */
export function makeRecords(count) {
  return Array.from({ length: count }, (_, i) => makeRecord(i));
}

function makeRecord(i) {
  const worker = `W-${String(i % 10_000).padStart(4, '0')}`;
  const raw = JSON.stringify({ shift: '2026-09-20', workers: [{ id: worker, reason: prose(i, 20) }] });
  return {
    session_id: i.toString(16).padStart(32, '0'),
    kind: 'fill',
    model: 'claude-sonnet-4-5',
    iterations: 2,
    final_verdict: 'accepted',
    attempts: [
      {
        verdict: 'rejected',
        attempt_number: 1,
        prompt: `${prose(i, 60)}\n${prose(i + 1, 20)}`,
        raw,
        reasons: [`worker ${worker} is not in the roster`],
        input_tokens: 512 + (i % 100),
        output_tokens: 60,
        duration_ms: 812.5,
      },
      {
        verdict: 'accepted',
        attempt_number: 2,
        prompt: `${prose(i + 2, 60)}\n${prose(i + 3, 20)}`,
        raw,
        input_tokens: 540,
        output_tokens: 61 + (i % 10),
        duration_ms: 700,
      },
    ],
    grounded_in_roster: true,
    daemon: 'fill-dispatcher',
    provider: 'anthropic',
    environment: 'production',
    max_iterations: 3,
    prompt: prose(i, 35),
    artifact: { shift: '2026-09-20', workers: [worker] },
    proposed_worker_ids: [worker],
    duration_ms: 1512.5,
  };
}

function prose(from, words) {
  return Array.from({ length: words }, (_, i) => WORDS[(from + i) % WORDS.length]).join(' ');
}
