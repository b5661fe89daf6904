/**
 * Mutated lines through the program and through the checker: the same fate for every line, the same values
 * for every line that loads. LAKELOG_SEED=N repeats a run.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { newFolder, nightly } from '../support/cli.js';
import {
  type Call,
  type Fate,
  FORMATS,
  fateOf,
  type Holds,
  linesOf,
  memberTexts,
  type Run,
  squeezed,
  stripped,
} from './checker.mjs';
import { mutatedLines } from './mutate.mjs';
import { select, validate } from './product.js';

const DAY_MS = 86_400_000;
const SEED = Number(process.env.LAKELOG_SEED ?? (nightly ? Math.floor(Date.now() / DAY_MS) : 1));
const FILES = nightly ? 100 : 4;
const LINES = nightly ? 20_000 : 5_000;
const SHOWN = 10;

interface Way {
  readonly args: readonly string[];
  readonly as: 'any' | Holds;
  readonly maxLineBytes?: number;
}

const WAYS: readonly Way[] = [
  { args: [], as: 'any' },
  { args: ['--sessions'], as: 'sessions' },
  { args: ['--replay-runs'], as: 'replay_runs' },
  { args: ['--max-line-bytes', '700'], as: 'any', maxLineBytes: 700 },
];

interface Judged {
  readonly number: number;
  readonly bytes: Buffer;
  readonly byteOffset: number;
  readonly fate: Fate;
}

interface Chunk {
  readonly file: string;
  readonly seed: number;
  readonly lines: readonly Judged[];
}

function chunkOf(seed: number, { as, maxLineBytes }: Way, count = LINES): Chunk {
  const bytes = Buffer.concat([...mutatedLines(seed, count)].flatMap((line) => [line, Buffer.from('\n')]));
  const file = path.join(newFolder(), 'mutated.jsonl');
  writeFileSync(file, bytes);
  const options = maxLineBytes === undefined ? { as } : { as, maxLineBytes };
  const lines = linesOf(bytes).map((line) => ({ ...line, fate: fateOf(line.bytes, options) }));
  return { file, seed, lines };
}

const readable = (bytes: Buffer) => {
  const text = bytes.toString('latin1');
  return text.length > 600 ? `${text.slice(0, 500)}… (${text.length} bytes)` : text;
};

let disagreements = 0;
afterAll(() => {
  if (disagreements > 0) process.stderr.write(`${disagreements} disagreements, LAKELOG_SEED=${SEED}\n`);
});

/** Of what differs, the first few, each with the line and where it came from. */
function differences<T>(
  chunk: Chunk,
  wanted: ReadonlyMap<number, T>,
  got: ReadonlyMap<number, T>,
): readonly object[] {
  const found = chunk.lines.filter(
    ({ number }) => JSON.stringify(wanted.get(number)) !== JSON.stringify(got.get(number)),
  );
  disagreements += found.length;
  return found.slice(0, SHOWN).map(({ number, bytes }) => ({
    seed: chunk.seed,
    number,
    wanted: wanted.get(number) ?? null,
    got: got.get(number) ?? null,
    bytes: readable(bytes),
  }));
}

const sum = (lines: readonly Judged[], fate: Fate['fate']) =>
  lines.filter((line) => line.fate.fate === fate).length;

/** Those that load, without the ones that stood before. */
function loadedOnce(lines: readonly Judged[]): Judged[] {
  const seen = new Set<string>();
  return lines.filter(({ bytes, fate }) => {
    if (fate.fate !== 'call' && fate.fate !== 'run') return false;
    const identity = stripped(bytes).toString('latin1');
    return !seen.has(identity) && seen.add(identity);
  });
}

describe.each(WAYS)('every line has the fate that the checker names: $args', (way) => {
  const seeds = Array.from({ length: FILES / WAYS.length }, (_, at) => SEED * 1000 + at * WAYS.length);
  test.each(seeds.map((seed) => seed + WAYS.indexOf(way)))('seed %i', async (seed) => {
    const chunk = chunkOf(seed, way);
    const { rejects, totals } = await validate(...way.args, chunk.file);
    const wanted = chunk.lines.flatMap(({ number, byteOffset, fate }) =>
      fate.fate === 'reject' ? [[number, { byte_offset: byteOffset, reason: fate.reason }] as const] : [],
    );
    const got = rejects.map(({ line, byte_offset, reason }) => [line, { byte_offset, reason }] as const);
    expect(differences(chunk, new Map(wanted), new Map(got))).toEqual([]);
    const loaded = loadedOnce(chunk.lines).length;
    expect(totals).toMatchObject({
      lines: LINES,
      loaded,
      rejected: wanted.length,
      duplicates: LINES - loaded - wanted.length - sum(chunk.lines, 'blank'),
      blank: sum(chunk.lines, 'blank'),
      pending: 0,
    });
  });
});

// ---------------------------------------------------------------- values

/** Of a key that stands twice the last counts; the order is not what is compared. */
function membersSpelled(members: readonly (readonly [string, string])[]): string | null {
  const sorted = [...new Map(members)].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? null : JSON.stringify(sorted);
}

function respelled(name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    JSON.parse(value);
    return name === 'extra' ? membersSpelled(memberTexts(value)) : squeezed(value);
  } catch {
    return value;
  }
}

const KEPT_AS_JSON = ['any', 'strings'];
const isColumn = (type: string) => type !== 'attempts' && type !== 'documents';

/** What the checker says of a record, in the shape of a row. */
function rowOf({ fate, values, texts, extraTexts, instant }: Call | Run): Record<string, unknown> {
  const { fields } = FORMATS[fate === 'call' ? 0 : 1];
  const row = fields
    .filter(([, type]) => isColumn(type))
    .map(([name, type]) => {
      if (type === 'timestamp') return [name, String(instant)];
      const text = texts[name];
      return [name, text === undefined ? values[name] : squeezed(text)];
    });
  const extra = membersSpelled(extraTexts.map(([key, text]) => [key, squeezed(text)]));
  return { ...Object.fromEntries(row), extra };
}

function columnsOf(fields: (typeof FORMATS)[number]['fields']): string {
  const columns = fields
    .filter(([, type]) => isColumn(type))
    .map(([name, type]) => {
      if (type === 'timestamp') return `CAST(epoch_us("${name}") AS VARCHAR) AS "${name}"`;
      return KEPT_AS_JSON.includes(type) ? `CAST("${name}" AS VARCHAR) AS "${name}"` : `"${name}"`;
    });
  return [...columns, 'CAST(extra AS VARCHAR) AS extra'].join(', ');
}

/** A row as it came out, with JSON in one spelling and without -0. */
function tidy(row: Readonly<Record<string, unknown>>, json: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      json.includes(name) ? respelled(name, value) : Object.is(value, -0) ? 0 : value,
    ]),
  );
}

const withoutLine = ({ line: _, ...row }: Record<string, unknown>) => row;

function byLine(rows: readonly Record<string, unknown>[], json: readonly string[]) {
  const lines = new Map<number, Record<string, unknown>[]>();
  for (const row of rows) {
    const line = Number(row.line);
    lines.set(line, [...(lines.get(line) ?? []), tidy(withoutLine(row), json)]);
  }
  return lines;
}

/** Per line the rows that its record must give; no entry where it gives none. */
function wantedRows<F extends 'call' | 'run'>(
  chunk: Chunk,
  kind: F,
  rowsOf: (record: Extract<Fate, { fate: F }>) => object[],
) {
  return new Map(
    loadedOnce(chunk.lines)
      .filter(({ fate }) => fate.fate === kind)
      .map(({ number, fate }) => [number, rowsOf(fate as Extract<Fate, { fate: F }>)] as const)
      .filter(([, rows]) => rows.length > 0),
  );
}

const jsonOf = (fields: (typeof FORMATS)[number]['fields']) => [
  ...fields.filter(([, type]) => KEPT_AS_JSON.includes(type)).map(([name]) => name),
  'extra',
];

describe('every line that loads has the values that the checker reads', () => {
  // The scanner's own test compares the values of many more by day.
  const chunk = chunkOf(SEED * 1000 + 999, WAYS[0]!, nightly ? LINES : 2_000);

  test('sessions', async () => {
    const { fields } = FORMATS[0];
    const rows = await select(
      `SELECT line, ${columnsOf(fields)}, inconsistent FROM sessions ORDER BY line`,
      chunk.file,
    );
    const wanted = wantedRows(chunk, 'call', (call) => [{ ...rowOf(call), inconsistent: call.inconsistent }]);
    expect(differences(chunk, wanted, byLine(rows, jsonOf(fields)))).toEqual([]);
  });

  test('attempts', async () => {
    const rows = await select(
      `SELECT s.line, a.attempt_number, a.verdict, a.reasons_text, CAST(a.prompt AS VARCHAR) AS prompt, a.raw,
         a.span_id, a.input_tokens, a.output_tokens, a.finish_reason, a.duration_ms, a.error
       FROM attempts a JOIN sessions s ON s.call_key = a.call_key ORDER BY s.line, a.attempt_number`,
      chunk.file,
    );
    const wanted = wantedRows(chunk, 'call', ({ attempts }) =>
      (Array.isArray(attempts) ? attempts : []).map(({ verdict, values, promptText: text, reasons }, at) => {
        const { verdict: _, reasons: __, attempt_number: ___, prompt: ____, raw, ...rest } = values;
        return {
          attempt_number: at + 1,
          verdict,
          reasons_text: reasons.join(' | ') || null,
          prompt: text === null ? null : squeezed(text),
          raw,
          ...rest,
        };
      }),
    );
    expect(differences(chunk, wanted, byLine(rows, ['prompt']))).toEqual([]);
  });

  test('replay runs', async () => {
    const { fields } = FORMATS[1];
    const rows = await select(
      `SELECT line, ${columnsOf(fields)}, document_count FROM replay_runs ORDER BY line`,
      chunk.file,
    );
    const wanted = wantedRows(chunk, 'run', (run) => [
      { ...rowOf(run), document_count: (run.values.documents as unknown[] | null)?.length ?? null },
    ]);
    expect(differences(chunk, wanted, byLine(rows, jsonOf(fields)))).toEqual([]);
  });

  test('documents', async () => {
    const rows = await select(
      'SELECT line, position, id, source, score, rank FROM replay_documents ORDER BY line, position',
      chunk.file,
    );
    const wanted = wantedRows(chunk, 'run', (run) =>
      ((run.values.documents ?? []) as Record<string, unknown>[]).map((document, at) => {
        const value = (name: string) => (Object.hasOwn(document, name) ? (document[name] ?? null) : null);
        const number = (name: string) => (Object.is(value(name), -0) ? 0 : value(name));
        return {
          position: at + 1,
          id: value('id'),
          source: value('source'),
          score: number('score'),
          rank: number('rank'),
        };
      }),
    );
    expect(differences(chunk, wanted, byLine(rows, []))).toEqual([]);
  });
});
