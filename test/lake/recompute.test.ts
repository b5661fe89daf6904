import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { hashOf, type OracleWorker, reasonFor, recompute } from '../oracle/recompute.mjs';
import fc from '../support/fast-check.js';
import { ask, asObjects, tempFolder } from '../support/lake.js';

const RUNS = process.env.LAKELOG_NIGHTLY === '1' ? 200 : 12;

/** Ids that a roster may have, and ids that it refuses; some are longer than a cell. */
const IDS = [
  'W-1',
  'W-2',
  'w-1',
  '33',
  'ünï',
  '日本',
  'W,4',
  'W"5',
  'W 6',
  'a-worker-with-a-very-long-id-0001',
];
const ODD = [' W-1', 'W-1 ', 'W-1\u0000', 'W\u200b-1', '', 'w_0123456789abcdef', '{"name":"Bob"}', 'null'];

const roster = fc
  .uniqueArray(fc.record({ id: fc.constantFrom(...IDS), active: fc.boolean() }), {
    minLength: 1,
    selector: ({ id }) => id,
  })
  // Somebody is active, or the gate cannot be tried.
  .map(([first, ...rest]) => [{ ...first!, active: true }, ...rest]);

const id = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...IDS) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD) },
);

const NAMES = [
  ...[
    'worker',
    'backup_worker',
    'assignedWorkers',
    'Worker ID',
    'worker_1',
    'coworker',
    'worker_note',
    'WORKER',
  ],
  ...[
    'workers',
    'worker_count',
    'wo\u00adrker',
    'wörker',
    'networkError',
    'network_error',
    'id',
    'ids',
    'Id',
    'shift',
  ],
  ...['assignments', 'deputy', '__proto__', '0'],
];

/** JSON texts, so that a member can stand twice. */
const { value: artifact } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: id.map((text) => JSON.stringify(text)) },
    { weight: 1, arbitrary: fc.constantFrom('null', 'true', 'false', '3', '33', '1.5', '-0', '{}', '[]') },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }).map((all) => `[${all.join(', ')}]`) },
    { weight: 4, arbitrary: tie('object') },
  ),
  object: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), tie('value')), {
      maxLength: 3,
      selector: ([name]) => name,
    })
    .map((all) => `{${all.map(([name, value]) => `${JSON.stringify(name)} : ${value}`).join(',')}}`),
}));

interface Call {
  readonly kind: string;
  readonly verdict: string;
  readonly stamp: boolean | null | undefined;
  /** Which roster; beyond them: one that nobody has, null, none. */
  readonly roster: number;
  readonly ids: readonly string[] | null | undefined;
  readonly artifact: string | undefined;
  readonly isTwice: boolean;
}

/** As `hashWorkerIds` leaves a record. */
const redacted = { ids: ['w_0123456789abcdef', 'w_fedcba9876543210'], artifact: undefined, isTwice: false };

const anyCall: fc.Arbitrary<Call> = fc.record({
  kind: fc.constantFrom('fill', 'fill', 'fill', 'email'),
  verdict: fc.constantFrom('accepted', 'accepted', 'accepted', 'max_iter_exhausted'),
  stamp: fc.constantFrom(true, true, true, false, null, undefined),
  roster: fc.nat({ max: 5 }),
  ids: fc.oneof(fc.array(id, { maxLength: 3 }), fc.constantFrom(null, undefined)),
  artifact: fc.oneof({ weight: 5, arbitrary: artifact }, { weight: 1, arbitrary: fc.constant(undefined) }),
  isTwice: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
});

/** What a service should write. */
const usual = { ids: ['W-1'], artifact: '{"assignments":[{"worker":"W-1"}]}', isTwice: false };

const call = fc.oneof(
  { weight: 9, arbitrary: anyCall },
  { weight: 1, arbitrary: anyCall.map((one): Call => ({ ...one, ...redacted })) },
  { weight: 2, arbitrary: anyCall.map((one): Call => ({ ...one, ...usual })) },
);

const twice = (text: string) => `{"worker":"W-404","worker":"W-1","rest":${text}}`;

function lineOf(call: Call, hashes: readonly string[], at: number): string {
  const artifact = call.isTwice ? twice(call.artifact ?? '1') : call.artifact;
  const hash = [...hashes, 'sha256:nobody-has-it', null][call.roster];
  const record = {
    ...{ schema: 'session.iterate.v1', session_id: `s-${at}`, timestamp: '2026-09-01T08:00:00Z' },
    ...{ kind: call.kind, model: 'm', iterations: 1, final_verdict: call.verdict },
    ...{ grounded_in_roster: call.stamp, roster_hash: hash, proposed_worker_ids: call.ids },
  };
  const text = JSON.stringify(record);
  return artifact === undefined ? text : `${text.slice(0, -1)},"artifact":${artifact}}`;
}

const engine = DuckDBInstance.create(':memory:', { threads: '1' });

async function writeRoster(file: string, workers: readonly OracleWorker[]): Promise<void> {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  if (file.endsWith('.csv')) {
    const rows = workers.map(({ id, active }) => `x,${quoted(id)},${active ? 'yes' : 'no'}`);
    writeFileSync(file, `\ufeffname,Worker_ID,Active\r\n${rows.join('\r\n')}\r\n`);
  } else if (file.endsWith('.jsonl')) {
    writeFileSync(
      file,
      workers.map(({ id, active }) => JSON.stringify({ worker_id: id, active })).join('\n'),
    );
  } else {
    const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
    const rows = workers.map(({ id, active }) => `(${literal(id)}, ${active})`).join(', ');
    const db = await (await engine).connect();
    await db.run(
      `COPY (SELECT * FROM (VALUES ${rows}) t(worker_id, active)) TO ${literal(file)} (FORMAT parquet)`,
    );
    db.closeSync();
  }
}

async function compare(
  rosters: readonly OracleWorker[][],
  files: readonly Call[][],
  form: string,
  asFolder: boolean,
) {
  const folder = tempFolder();
  const archive = path.join(folder, 'rosters');
  mkdirSync(archive);
  const hashes = rosters.map(hashOf);
  for (const [i, one] of rosters.entries()) {
    // The name of a file says its hash or anything else.
    const name = i % 2 === 0 ? hashes[i]!.replace(':', '-') : `of day ${i} *`;
    await writeRoster(path.join(archive, `${name}.${form}`), one);
  }
  const only = asFolder ? null : hashes[0]!;
  const file = path.join(archive, `${hashes[0]!.replace(':', '-')}.${form}`);
  const known = new Map(rosters.map((one, i) => [hashes[i]!, one]));
  const wanted = [];
  const outcomes = { right: 0, wrong: 0, not_at_hand: 0, hashed: 0, unread: 0, nobody: 0 };
  const requests = [];
  let contradicted = 0;
  for (const [f, calls] of files.entries()) {
    const log = path.join(folder, `${f}.jsonl`);
    requests.push({ path: log, as: 'any' as const });
    const lines = calls.map((one, i) => lineOf(one, hashes, f * 1000 + i));
    // Every line twice: the second is a duplicate, and counts for nothing.
    writeFileSync(log, [...lines, ...lines].map((line) => `${line}\n`).join(''));
    for (const [i, line] of lines.entries()) {
      const record = JSON.parse(line) as Record<string, unknown>;
      if (record.kind !== 'fill' || record.final_verdict !== 'accepted') continue;
      const answer = recompute(record, { rosters: known, only, isTwice: calls[i]!.isTwice });
      const reason = reasonFor(record.grounded_in_roster ?? null, answer);
      outcomes[answer.outcome]++;
      if (reason === 'contradicted') contradicted++;
      const phantoms = answer.phantoms.length === 0 ? null : answer.phantoms;
      if (reason !== null) wanted.push({ file: log, line: i + 1, reason, phantoms });
    }
  }
  const answer = await ask(
    'alarm',
    requests,
    {},
    {
      roster: { path: asFolder ? archive : file, from: 'arguments' },
      threads: { count: 2, above: 0, part: 600 },
    },
  );
  const rows = asObjects(answer).map(({ file, line, reason, phantoms }) => {
    return { file, line, reason, phantoms: phantoms === null ? null : JSON.parse(String(phantoms)) };
  });
  expect(rows).toEqual(wanted);
  expect(answer.recomputed).toMatchObject({ ...outcomes, contradicted });
  return outcomes;
}

test('random rosters and logs: the oracle finds the same phantoms', { timeout: 20_000 * RUNS }, async () => {
  const totals: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(roster, { minLength: 1, maxLength: 4, selector: hashOf }),
      fc.array(fc.array(call, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 2 }),
      fc.constantFrom('csv', 'jsonl', 'parquet'),
      fc.boolean(),
      async (rosters, files, form, asFolder) => {
        for (const [outcome, count] of Object.entries(await compare(rosters, files, form, asFolder)))
          totals[outcome] = (totals[outcome] ?? 0) + count;
      },
    ),
    { numRuns: RUNS },
  );
  // Or nothing was compared.
  for (const count of Object.values(totals)) expect(count).toBeGreaterThan(0);
  expect(Object.keys(totals)).toHaveLength(6);
});
