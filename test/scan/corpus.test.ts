/** The public corpus of JSON texts, in every place of a log where JSON may stand. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  call,
  envelope,
  exceptByDay,
  newFolder,
  nightly,
  lakelog as spawned,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { fateOf, startsWithMark } from './checker.mjs';
import { type CorpusFile, corpus } from './corpus.mjs';
import { type Reject, select, validate } from './product.js';

const violation = () => call({ grounded_in_roster: false });

/** The record of a call that ends in one member more, written as it stands in the corpus. */
function holding(before: string, { bytes }: CorpusFile, after = ''): Buffer {
  const text = call({ attempts: undefined }).replace(/}$/, `,${before}`);
  return Buffer.concat([Buffer.from(text), bytes, Buffer.from(`${after}}`)]);
}

const PLACES: Readonly<Record<string, (file: CorpusFile) => Buffer>> = {
  'an unknown field': (file) => holding('"note":', file),
  'an unknown field in front of others': (file) => holding('"note":', file, ',"writer_id":"w"'),
  artifact: (file) => holding('"artifact":', file),
  prompt: (file) => holding('"prompt":', file),
  attempts: (file) => holding('"attempts":[{"verdict":"accepted"},', file, ']'),
};

interface Named {
  readonly name: string;
  readonly byte_offset: number;
  readonly reason: string;
}

/** What each corpus file must give, on the lines of a file between a first and a last one of ours. */
function wanted(lines: readonly Buffer[], reasonOf: (file: CorpusFile) => string | null): Named[] {
  let next = 0;
  return lines.flatMap((line, at) => {
    const file = corpus[at - 1];
    const byte_offset = next + (startsWithMark(line) ? 3 : 0);
    next += line.length + 1;
    const reason = file ? reasonOf(file) : null;
    return file && reason ? [{ name: file.name, byte_offset, reason }] : [];
  });
}

function found(rejects: readonly Reject[]): Named[] {
  return rejects.map(({ line, byte_offset, reason }) => ({
    name: corpus[line - 2]?.name ?? `line ${line}`,
    byte_offset,
    reason,
  }));
}

async function alarmed(...args: string[]): Promise<{ file: string; line: number }[]> {
  const ran = await (nightly ? spawned : lakelog)(['alarm', '--json', ...args]);
  expect(ran.code, ran.stderr).toBe(1);
  return envelope(ran).rows.map(({ file, line }) => ({ file: String(file), line: Number(line) }));
}

test('holds the whole suite', () => {
  const kinds = corpus.map(({ name }) => name[0]).join('');
  expect([...'yni'].map((kind) => kinds.split(kind).length - 1)).toEqual([95, 188, 35]);
});

describe('the checker', () => {
  test.each(Object.entries(PLACES))('as %s', (_place, place) => {
    for (const file of corpus) {
      const fate = fateOf(place(file));
      const valid = fate.fate === 'call' || (fate.fate === 'reject' && fate.reason !== 'bad_json');
      expect({ name: file.name, valid }).toEqual({ name: file.name, valid: file.validAsValue });
    }
  });

  test('as a line', () => {
    for (const { name, bytes, asLine } of corpus) {
      const fate = fateOf(bytes);
      expect({ name, fate: fate.fate === 'reject' ? fate.reason : fate.fate }).toEqual({
        name,
        fate: asLine,
      });
    }
  });
});

const SOME = exceptByDay(Object.entries(PLACES), ['an unknown field in front of others']);

describe.each(SOME)('as %s', (name, place) => {
  const lines = [Buffer.from(call()), ...corpus.map(place), Buffer.from(violation())];
  const kept = corpus.filter(({ validAsValue }) => validAsValue);
  const file = writeLines(newFolder(), 'sessions.jsonl', lines);

  test('invalid ones are one reject each', async () => {
    const { rejects, totals } = await validate(file);
    expect(found(rejects)).toEqual(wanted(lines, ({ validAsValue }) => (validAsValue ? null : 'bad_json')));
    expect(totals).toMatchObject({
      lines: lines.length,
      loaded: kept.length + 2,
      blank: 0,
      duplicates: 0,
    });
  });

  test('valid ones load as they are', async () => {
    const column = { artifact: 'artifact', prompt: 'prompt', attempts: 'inconsistent' }[name] ?? 'extra';
    const rows = await select(
      `SELECT line, CAST(${column} AS VARCHAR) AS value FROM sessions ORDER BY line`,
      file,
    );
    const values = new Map(
      rows.map(({ line, value }) => [corpus[Number(line) - 2]?.name ?? `line ${line}`, value]),
    );
    const names = ['line 1', ...kept.map((entry) => entry.name), `line ${lines.length}`];
    expect([...values.keys()]).toEqual(names);
    for (const entry of kept) {
      const value = values.get(entry.name);
      if (column === 'inconsistent') {
        expect({ name: entry.name, value }).toEqual({ name: entry.name, value: 'true' });
        continue;
      }
      const json = value === null ? null : (JSON.parse(String(value)) as Record<string, unknown>);
      expect({ name: entry.name, stored: column === 'extra' ? json?.note : json }).toEqual({
        name: entry.name,
        stored: JSON.parse(entry.bytes.toString()) as unknown,
      });
    }
  });

  test('the violation behind them is found', async () => {
    expect(await alarmed(file)).toEqual([{ file, line: lines.length }]);
  });
});

describe('as a line', () => {
  const lines = [Buffer.from(call()), ...corpus.map(({ bytes }) => bytes), Buffer.from(violation())];

  test('each has its own fate', async () => {
    const file = writeLines(newFolder(), 'sessions.jsonl', lines);
    const { rejects, totals } = await validate(file);
    expect(found(rejects)).toEqual(wanted(lines, ({ asLine }) => (asLine === 'blank' ? null : asLine)));
    expect(totals).toMatchObject({
      lines: lines.length,
      loaded: 2,
      blank: corpus.filter(({ asLine }) => asLine === 'blank').length,
    });
    expect(await alarmed(file)).toEqual([{ file, line: lines.length }]);
  });

  test('between a good line and a violation, each in a file of its own, it hides nothing', async () => {
    const folder = path.join(newFolder(), 'logs');
    mkdirSync(folder);
    const files = corpus.map(({ bytes }, at) =>
      writeLines(folder, `${String(at).padStart(3, '0')}.jsonl`, [call(), bytes, violation()]),
    );
    const alarms = await alarmed(folder);
    expect(alarms.toSorted((a, b) => (a.file < b.file ? -1 : 1))).toEqual(
      files.map((file) => ({ file, line: 3 })),
    );
    const { rejects } = await validate(folder);
    const names = new Map(files.map((file, at) => [file, corpus[at]!.name]));
    expect(rejects.map(({ file, line, reason }) => ({ name: names.get(file), line, reason }))).toEqual(
      corpus.flatMap(({ name, asLine }) => (asLine === 'blank' ? [] : [{ name, line: 2, reason: asLine }])),
    );
  });
});
