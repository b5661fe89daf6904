import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { ATTEMPT_FIELDS, REPLAY_FIELDS, SESSION_FIELDS } from '../../src/schema/fields.js';
import { type Call, type Fate, fateOf, type Run, startsWithMark, stripped } from './checker.mjs';
import { mutatedLines } from './mutate.mjs';
import { type Row, type Scanned, scanBytes } from './support.js';

const NIGHTLY = process.env.LAKELOG_NIGHTLY === '1';
const COUNT = Number(process.env.LAKELOG_LINES ?? (NIGHTLY ? 2_000_000 : 20_000));
const PER_LOG = 2_000;

const declared = (fields: readonly { name: string }[]) =>
  fields.map(({ name }) => name).filter((name) => name !== 'schema');
const CALLS = [
  'line',
  'byte_offset',
  'line_key',
  'line_sha256',
  'codes',
  'extra',
  'rejections',
  'longest_rejection_run',
  'longest_failure_run',
  'inconsistent',
  'not_judgeable',
  'answered',
  'first_shot',
  'run_reasons',
  'failure_run_reasons',
  ...declared(SESSION_FIELDS),
];
const RUNS = [
  'line',
  'byte_offset',
  'line_key',
  'line_sha256',
  'extra',
  'document_count',
  'best_score',
  ...declared(REPLAY_FIELDS),
];
const ALL = { calls: CALLS, runs: RUNS, attemptFields: ATTEMPT_FIELDS.map(({ name }) => name) };

test(
  'mutated lines: fate, place, reason and every value are those of the checker',
  () => {
    const seed = Number(process.env.LAKELOG_SEED ?? 20_261_125);
    for (let done = 0; done < COUNT; done += PER_LOG) {
      const lines = [...mutatedLines(seed + done, Math.min(PER_LOG, COUNT - done))];
      const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
      compare(lines, scanBytes(bytes, ALL), `seed ${seed + done}`);
    }
  },
  NIGHTLY ? 7_200_000 : 120_000,
);

function compare(lines: readonly Buffer[], scanned: Scanned, seed: string): void {
  const calls = new Map(scanned.calls.map((row) => [row.line, row]));
  const runs = new Map(scanned.runs.map((row) => [row.line, row]));
  const rejects = new Map(scanned.rejects.map((reject) => [reject.line, reject]));
  const keys = new Map<unknown, string>();
  let offset = 0;
  let blank = 0;
  for (const [i, line] of lines.entries()) {
    const at = { seed, line: i + 1, text: line.toString('latin1').slice(0, 2_000) };
    const fate = fateOf(line);
    const row = calls.get(i + 1) ?? runs.get(i + 1);
    const mine = calls.has(i + 1)
      ? 'call'
      : runs.has(i + 1)
        ? 'run'
        : (rejects.get(i + 1)?.reason ?? 'blank');
    const name = fate.fate === 'reject' ? fate.reason : fate.fate;
    if (mine !== name) expect({ ...at, fate: mine }).toEqual({ ...at, fate: name });
    const start = offset + (startsWithMark(line) ? 3 : 0);
    if (fate.fate === 'blank') blank++;
    if (fate.fate === 'reject') {
      const sha256 = createHash('sha256').update(stripped(line)).digest('hex');
      const told = { byteOffset: start, sha256, kind: fate.named ?? null };
      const reject = rejects.get(i + 1) as Readonly<Record<string, unknown>> | undefined;
      if (Object.entries(told).some(([key, value]) => reject?.[key] !== value))
        expect({ ...at, ...reject }).toMatchObject({ ...at, ...told });
    }
    if (row) {
      const [got, wanted] = [canonical(shown(row)), canonical(expected(fate, i + 1, start, line))];
      // What is the same is seen sooner so, and what is not is told below.
      if (!isDeepStrictEqual(got, wanted)) expect({ ...at, row: got }).toEqual({ ...at, row: wanted });
      const text = stripped(line).toString('latin1');
      if ((keys.get(row.line_key) ?? text) !== text) expect(keys.get(row.line_key)).toBe(text);
      keys.set(row.line_key, text);
    }
    offset += line.length + 1;
  }
  expect(new Set(keys.values()).size).toBe(keys.size);
  expect(scanned.counts).toMatchObject({
    lines: lines.length,
    blank,
    pending: 0,
    rejected: rejects.size,
    loadedCalls: calls.size,
    loadedRuns: runs.size,
    marks: lines.filter(startsWithMark).length,
  });
  const counted = new Map<string, number>();
  for (const { reason, kind } of scanned.rejects) {
    counted.set(`${reason} ${kind}`, (counted.get(`${reason} ${kind}`) ?? 0) + 1);
  }
  expect(
    new Map(scanned.counts.groups.map(({ reason, kind, count }) => [`${reason} ${kind}`, count])),
  ).toEqual(counted);
}

const JSON_COLUMNS = new Set(['extra', 'attempts']);

/** One text per value, however deep; it has no -0, which no column has either. */
function canonical(row: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (typeof value !== 'object' || value === null) return [name, value];
      const sorted = Array.isArray(value)
        ? value
        : Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
      return [name, textOf(sorted)];
    }),
  );
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return 'deeper than JSON.stringify goes';
  }
}

function shown({ line_key: _, ...row }: Row) {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (!JSON_COLUMNS.has(name) || value === null) return [name, value];
      const parsed = JSON.parse(String(value));
      return [name, name === 'attempts' ? parsed.map(withoutNothing) : parsed];
    }),
  );
}

function expected(fate: Fate, line: number, byteOffset: number, bytes: Buffer): Record<string, unknown> {
  const { values, instant, texts, extra, ...rest } = fate as Call | Run;
  const { schema: _, ...fields } = values;
  const common = {
    ...fields,
    ...Object.fromEntries(
      Object.keys(fields)
        .filter((name) => name in texts)
        .map((name) => [name, texts[name]]),
    ),
    timestamp: instant,
    line,
    byte_offset: byteOffset,
    line_sha256: createHash('sha256').update(stripped(bytes)).digest('hex'),
    extra: Object.keys(extra).length === 0 ? null : extra,
  };
  return rest.fate === 'call'
    ? { ...common, ...ofCall(fate as Call) }
    : { ...common, ...ofRun(fate as Run, texts) };
}

function ofRun(run: Run, texts: Readonly<Record<string, string>>) {
  const documents = run.values.documents as { score?: number | null }[] | null;
  const scores = (documents ?? []).map(({ score }) => score ?? null).filter((score) => score !== null);
  return {
    documents: texts.documents ?? null,
    document_count: documents === null ? null : documents.length,
    best_score: scores.length === 0 ? null : Math.max(...scores) + 0,
  };
}

/** In the order of the fields, as the scanner writes them; no reasons are as good as none given. */
function withoutNothing(attempt: Readonly<Record<string, unknown>>) {
  const members = ATTEMPT_FIELDS.map(({ name }) => [name, attempt[name] ?? null] as const);
  return Object.fromEntries(
    members.filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)),
  );
}

function ofCall(call: Call) {
  const { iterations, final_verdict } = call.values as { iterations: number; final_verdict: string };
  const list = Array.isArray(call.attempts) ? (call.attempts as Exclude<Call['attempts'], '!' | null>) : null;
  const judgeable =
    list !== null ? list.length > 0 || iterations === 0 : call.attempts === null && iterations === 0;
  const counted = (list ?? []).filter(({ letter }) => letter !== 'i');
  const longest = (letters: string) => {
    let best: (typeof counted)[number][] = [];
    let now: (typeof counted)[number][] = [];
    for (const attempt of counted) {
      now = letters.includes(attempt.letter) ? [...now, attempt] : [];
      if (now.length > best.length) best = now;
    }
    return best;
  };
  const reasons = (run: typeof counted) =>
    judgeable && run.length > 0 ? run.flatMap((attempt) => attempt.reasons).join(' | ') : null;
  return {
    codes: call.letters === '!' ? null : call.letters,
    attempts:
      list === null
        ? null
        : list.map(({ values, promptText, reasons }) =>
            // Of a list of reasons that holds other things too, the texts are kept.
            withoutNothing({
              ...values,
              prompt: promptText?.replaceAll(/[\t\r]/g, ' '),
              reasons: values.reasons ?? reasons,
            }),
          ),
    rejections: judgeable ? counted.filter(({ letter }) => letter === 'r').length : null,
    longest_rejection_run: judgeable ? longest('r').length : null,
    longest_failure_run: judgeable ? longest('rn').length : null,
    run_reasons: reasons(longest('r')),
    failure_run_reasons: reasons(longest('rn')),
    inconsistent: call.inconsistent,
    not_judgeable: !judgeable,
    answered: final_verdict !== 'infra_error',
    first_shot: final_verdict === 'accepted' && iterations === 1,
  };
}
