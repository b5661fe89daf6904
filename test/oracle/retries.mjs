/**
 * What retries buy, by walking each call attempt by attempt. As the oracle, it shares nothing with the product.
 */
import { derivedCalls, groupsOf, intervalOf } from './oracle.mjs';

const LAST = 100;

/** Of each attempt of the call, what the record says of `read`; null where one of them is silent. */
function everyAttempt(call, read) {
  if (!Array.isArray(call.attempts) || call.attempts.length !== call.iterations) return null;
  const said = call.attempts.map(({ values }) => read(values));
  return said.every((one) => one !== null) ? said : null;
}

const atLeastZero = (value) => (typeof value === 'number' && value >= 0 ? value : null);

function tokensOf(values) {
  const [input, output] = [atLeastZero(values.input_tokens), atLeastZero(values.output_tokens)];
  return input === null || output === null ? null : { input, output };
}

const total = (numbers) => numbers.reduce((sum, one) => sum + one, 0);

/** One call, told as what happened at each attempt. */
function walk(call) {
  const tokens = everyAttempt(call, tokensOf);
  const times = everyAttempt(call, (values) => atLeastZero(values.duration_ms));
  const steps = [];
  for (let number = 1; number <= Math.min(call.iterations, LAST); number += 1) {
    const isLast = number === call.iterations;
    steps.push({
      number,
      session_id: call.session_id,
      end: isLast ? call.final_verdict : 'went_on',
      tokens: tokens === null ? null : tokens[number - 1],
      ms: times === null ? null : times[number - 1],
    });
  }
  return steps;
}

const isRescue = ({ end }) => end === 'accepted';

/** Sums of what `has` holds for, up to each attempt and of it alone. */
function spending(steps, upTo, has) {
  const so = steps.filter((step) => step.number <= upTo && has(step));
  const now = so.filter((step) => step.number === upTo);
  return { now, rescuedNow: now.filter(isRescue).length, so, acceptedSo: so.filter(isRescue).length };
}

export function retries(log, { by = ['model'], minN = 30, filters = {}, prices = null, worth = null } = {}) {
  return groupsOf(derivedCalls(log, filters), by).flatMap(({ columns, calls }) => {
    const steps = calls.flatMap(walk);
    const most = Math.max(0, ...steps.map(({ number }) => number));
    const rows = Array.from({ length: most }, (_, at) => rowOf(steps, at + 1, { columns, minN, prices }));
    if (worth !== null) recommend(rows, worth);
    return rows.map(({ spent: _, ...row }) => row);
  });
}

function rowOf(steps, number, { columns, minN, prices }) {
  const here = steps.filter((step) => step.number === number);
  const ended = (end) => here.filter((step) => step.end === end).length;
  const tested = here.filter(({ end }) => end !== 'infra_error');
  const rescued = ended('accepted');
  const ends = intervalOf(tested, isRescue);
  const metered = spending(steps, number, ({ tokens }) => tokens !== null);
  const timed = spending(steps, number, ({ ms }) => ms !== null);
  const inputs = (list) => total(list.map(({ tokens }) => tokens.input));
  const outputs = (list) => total(list.map(({ tokens }) => tokens.output));
  const seconds = (list) => total(list.map(({ ms }) => ms)) / 1000;
  const over = (amount, count, known) => (known.length === 0 || count === 0 ? null : amount / count);
  const both = (list) => inputs(list) + outputs(list);
  const { now, so } = metered;
  const row = {
    ...columns,
    attempt: number,
    calls: here.length,
    rescued,
    went_on: ended('went_on'),
    exhausted: ended('max_iter_exhausted'),
    infra_errors: ended('infra_error'),
    rescue_rate: tested.length === 0 ? null : rescued / tested.length,
    rate_low: ends.low,
    rate_high: ends.high,
    small_sample: tested.length < minN,
    metered: now.length,
    input_tokens: now.length === 0 ? null : inputs(now),
    output_tokens: now.length === 0 ? null : outputs(now),
    tokens_per_extra: over(both(now), metered.rescuedNow, now),
    tokens_per_accepted: over(both(so), metered.acceptedSo, now),
    timed: timed.now.length,
    seconds_per_extra: over(seconds(timed.now), timed.rescuedNow, timed.now),
    seconds_per_accepted: over(seconds(timed.so), timed.acceptedSo, timed.now),
  };
  if (prices === null) return row;
  const price = prices[columns.model];
  const money = (list) => inputs(list) * price[0] + outputs(list) * price[1];
  const isKnown = price !== undefined && now.length > 0;
  return {
    ...row,
    cost: isKnown ? money(now) : null,
    cost_per_extra: isKnown ? over(money(now), metered.rescuedNow, now) : null,
    cost_per_accepted: isKnown ? over(money(so), metered.acceptedSo, now) : null,
    spent: { calls: now.length, rescued: metered.rescuedNow },
  };
}

/** Adds to each row whether its attempt pays, and to the rows of a group which limit earns most. */
function recommend(rows, worth) {
  for (const row of rows) {
    const breakEven = row.cost === null ? null : row.cost / row.spent.calls / worth;
    row.pays = 'cannot tell';
    if (breakEven !== null && row.rate_low !== null && row.rate_low > breakEven) row.pays = 'yes';
    if (breakEven !== null && row.rate_high !== null && row.rate_high < breakEven) row.pays = 'no';
  }
  const stop = rows.findIndex(({ cost }) => cost === null);
  const known = stop === -1 ? rows : rows.slice(0, stop);
  const earned = known.map((_, at) =>
    total(known.slice(0, at + 1).map(({ cost, spent }) => worth * spent.rescued - cost)),
  );
  const most = Math.max(0, ...earned);
  const best = most > 0 ? earned.indexOf(most) : -1;
  rows.forEach((row, at) => {
    row.recommended = known.length === 0 ? null : at === best;
  });
}
