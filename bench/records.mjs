import { prosePool, randomFrom } from './random.mjs';

const SERVICES = [
  { kind: 'fill', daemon: 'fill-dispatcher', share: 0.7 },
  { kind: 'email', daemon: 'mail-writer', share: 0.18 },
  { kind: 'playbook', daemon: 'playbook-curator', share: 0.12 },
];
const MODELS = [
  { model: 'gpt-4.1-mini', provider: 'openai', firstShot: 0.78 },
  { model: 'claude-sonnet-4-5', provider: 'anthropic', firstShot: 0.84 },
  { model: 'mistral-large-2411', provider: 'mistral', firstShot: 0.7 },
  { model: 'llama-3.3-70b-instruct', provider: 'together', firstShot: 0.6 },
];
const REASONS = [
  (r) => `worker W-${r.between(10_000, 99_999)} is not in the roster`,
  (r) => `worker W-${r.between(10_000, 99_999)} is booked on contract C-${r.between(1000, 9999)}`,
  (r) => `shift ${r.between(1, 9)} has no worker`,
  () => 'no escalation contact is named',
  (r) => `rest time of ${r.between(1, 10)} h is below the minimum`,
];
const MAX_ITERATIONS = 4;
/** Far enough back, and close enough together, that 5 GB of calls end before today. */
const START = Date.parse('2025-01-01T00:00:00Z');

/**
 * Endless traces: `calls` and `runs` as records of design §3. Every accepted fill is grounded unless `flaws` is set,
 * so that the alarm is clear on what is measured.
 */
export function* traces(seed, flaws = false) {
  const random = randomFrom(seed);
  const prose = prosePool(random);
  const written = new Map();
  let clock = START;
  for (;;) {
    const sessionId = random.hex(32);
    const model = random.pick(MODELS);
    const calls = [];
    const count = random.chance(0.15) ? random.between(2, 3) : 1;
    for (let i = 0; i < count; i++) {
      clock += random.between(500, 7500);
      const call = makeCall(random, prose, sessionId, model, clock, written);
      if (flaws && call.kind === 'fill' && call.final_verdict === 'accepted' && random.chance(0.02)) {
        call.grounded_in_roster = random.chance(0.5) ? false : null;
      }
      calls.push(call);
    }
    const runs = random.chance(0.35)
      ? Array.from({ length: random.between(1, 3) }, (_, i) => makeRun(random, prose, calls[0], clock, i))
      : [];
    yield { calls, runs };
  }
}

function makeCall(random, prose, sessionId, { model, provider, firstShot }, clock, written) {
  const service = serviceFor(random.next());
  const verdicts = attemptVerdicts(random, firstShot);
  const last = verdicts.at(-1);
  const finalVerdict =
    last === 'accepted' ? 'accepted' : last === 'infra_error' ? 'infra_error' : 'max_iter_exhausted';
  const contract = `C-${random.between(1000, 9999)}`;
  const workers = Array.from({ length: random.between(2, 6) }, () => `W-${random.between(10_000, 99_999)}`);
  const artifact =
    service.kind === 'fill'
      ? { contract, assignments: workers.map((worker, i) => ({ shift: i + 1, worker })), note: prose(120) }
      : { subject: prose(40), body: prose(random.between(300, 700)) };
  const seq = (written.get(service.daemon) ?? 0) + 1;
  written.set(service.daemon, seq);
  const attempts = verdicts.map((verdict, i) =>
    makeAttempt(random, prose, verdict, i + 1, verdict === 'accepted' ? JSON.stringify(artifact) : null),
  );
  return {
    schema: 'session.iterate.v1',
    session_id: sessionId,
    timestamp: new Date(clock).toISOString(),
    kind: service.kind,
    model,
    iterations: verdicts.length,
    final_verdict: finalVerdict,
    attempts,
    ...(service.kind === 'fill' && finalVerdict !== 'infra_error'
      ? { grounded_in_roster: finalVerdict === 'accepted' || random.chance(0.3) }
      : {}),
    daemon: service.daemon,
    provider,
    response_model: model,
    environment: 'production',
    prompt_version: `${service.kind}@12`,
    validator_version: '2.4.1',
    roster_hash: `sha256:${random.hex(16)}`,
    max_iterations: MAX_ITERATIONS,
    prompt: `Fill the open shifts of contract ${contract}. ${prose(random.between(300, 900))}`,
    ...(finalVerdict === 'accepted' ? { artifact } : {}),
    ...(finalVerdict === 'accepted' && service.kind === 'fill' ? { proposed_worker_ids: workers } : {}),
    ...(finalVerdict === 'infra_error' ? { error: 'socket hang up', error_type: 'ECONNRESET' } : {}),
    duration_ms: attempts.reduce((sum, attempt) => sum + attempt.duration_ms, 0),
    call_id: random.hex(32),
    writer_id: `${service.daemon}.production`,
    seq,
  };
}

function serviceFor(share) {
  let reached = 0;
  for (const service of SERVICES) {
    reached += service.share;
    if (share < reached) return service;
  }
  return SERVICES[0];
}

function attemptVerdicts(random, firstShot) {
  if (random.chance(firstShot)) return ['accepted'];
  const verdicts = [];
  while (verdicts.length < MAX_ITERATIONS) {
    verdicts.push(random.chance(0.85) ? 'rejected' : random.pick(['no_candidate', 'infra_error']));
    if (verdicts.length < MAX_ITERATIONS && random.chance(0.45)) return [...verdicts, 'accepted'];
  }
  return verdicts;
}

function makeAttempt(random, prose, verdict, number, raw) {
  return {
    verdict,
    attempt_number: number,
    ...(number > 1 ? { prompt: `Your last answer was rejected. ${prose(random.between(80, 240))}` } : {}),
    ...(verdict === 'infra_error'
      ? { error: 'socket hang up' }
      : { raw: raw ?? `{"contract": ${prose(random.between(200, 600))}` }),
    ...(verdict === 'rejected'
      ? { reasons: Array.from({ length: random.between(1, 2) }, () => random.pick(REASONS)(random)) }
      : {}),
    span_id: random.hex(16),
    input_tokens: random.between(500, 4000),
    output_tokens: random.between(20, 400),
    finish_reason: 'stop',
    duration_ms: random.between(300, 9000),
  };
}

function makeRun(random, prose, call, clock, position) {
  const documents = Array.from({ length: random.below(14) }, (_, i) => ({
    id: `doc-${random.hex(8)}`,
    source: random.pick(['rosters', 'contracts', 'playbooks', 'mail-archive']),
    score: Math.round((0.95 - 0.05 * i - 0.04 * random.next()) * 1000) / 1000,
    rank: i + 1,
  }));
  return {
    schema: 'replay.run.v1',
    session_id: call.session_id,
    timestamp: new Date(clock + 3_600_000 + position * 60_000).toISOString(),
    run_id: `replay-${random.hex(8)}`,
    task_id: `task-${random.hex(8)}`,
    task: prose(random.between(100, 300)),
    kind: call.kind,
    model: call.model,
    provider: call.provider,
    retrieval_query: prose(60),
    documents,
    context_tokens: random.between(200, 4000),
    output: prose(random.between(200, 800)),
    duration_ms: random.between(300, 9000),
    input_tokens: random.between(500, 4000),
    output_tokens: random.between(20, 400),
  };
}
