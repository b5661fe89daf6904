/**
 * Memory of whole processes: it follows what is answered, never what is read. Some megabytes here, a gigabyte each
 * night; a small log takes less than it may, so that growth with the input is looked for too.
 */
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { atNight, byDay, call, newFolder, nightly, writeLines } from '../support/cli.js';
import { canMeasure, measured, writeLog } from '../support/memory.js';

const MB = 1e6;
const SIZE = nightly ? 1000 * MB : 40 * MB;
const MOST = 400;
const MOST_LONG = 500;

/** Records are as long as those of the benchmark: memory grows with the calls that load, not with their bytes. */
const PROMPT = 'Assign two certified forklift operators to the early shift. '.repeat(24);
const record = call({ prompt: PROMPT, session_id: 'SESSION' });
const good = (number: number) => record.replace('SESSION', number.toString(16).padStart(32, '0'));

const KINDS_OF_BAD: Readonly<Record<string, (number: number) => string>> = {
  'with a faulty field': (number) => good(number).replace('"fill"', '5'),
  'that are torn': (number) => good(number).slice(0, -9),
  'that are short': () => 'null',
  'of NUL bytes': () => '\0'.repeat(4_000),
  'that are too long': () => 'x'.repeat(20_000),
};

let file = '';
afterEach(() => rmSync(file, { force: true }));

function write(size: number, line: (number: number) => string): string {
  rmSync(file, { force: true });
  ({ file } = writeLog(size, line));
  return file;
}

describe.skipIf(!canMeasure)('of an alarm', () => {
  test('over a clean log', () => {
    const { code, peakMB, stderr } = measured(['alarm', write(SIZE, good)]);
    expect(code, stderr).toBe(0);
    expect(peakMB).toBeLessThan(MOST);
  });

  // By day the two of which most is kept: a row for each reject, and lines that are many.
  const kinds = Object.entries(KINDS_OF_BAD).filter(([name]) => nightly || /faulty|short/.test(name));
  test.each(kinds)('over lines %s only', (name, line) => {
    const args = name.includes('long') ? ['--max-line-bytes', '10000'] : [];
    // Short lines are so many that fewer bytes show it.
    const size = !nightly && name.includes('short') ? SIZE / 4 : SIZE;
    const small = measured(['alarm', write(size / 4, line), ...args]);
    const large = measured(['alarm', write(size, line), ...args]);
    expect([small.code, large.code]).toEqual([3, 3]);
    expect(large.peakMB).toBeLessThan(MOST);
    // Threads, of which a small log has none, take some.
    expect(large.peakMB - small.peakMB).toBeLessThan(nightly ? 100 : 60);
  });

  atNight('over good lines with a torn one among each hundred', () => {
    const log = write(SIZE, (number) => (number % 100 === 0 ? good(number).slice(0, 99) : good(number)));
    const { code, peakMB } = measured(['alarm', log]);
    expect(code).toBe(3);
    expect(peakMB).toBeLessThan(MOST);
  });

  test('over a line that never ends', () => {
    const log = write(1, () => 'x'.repeat(nightly ? 500 * MB : SIZE));
    const { code, peakMB } = measured(['alarm', log]);
    expect(code).toBe(3);
    expect(peakMB).toBeLessThan(MOST);
  });
});

describe.skipIf(!canMeasure)('where every reject is wanted', () => {
  const log = (size = nightly ? 60 * MB : SIZE) => write(size, KINDS_OF_BAD['with a faulty field']!);
  const options = () => ({ cwd: newFolder() });

  const formats = nightly ? ['json', 'jsonl', 'csv', 'tsv', 'md', 'table'] : ['json'];
  test.each(formats)('validate as %s', (format) => {
    // Of short lines two megabytes hold as many as a large log of usual ones: to hold their rows takes 70 MB and more.
    const bad = nightly ? log(SIZE) : write(2 * MB, () => '{"schema":0}');
    const copy = format === 'json' ? 'copy.csv' : 'copy.json';
    const args = ['validate', '--format', format, '-o', copy, bad];
    const { code, peakMB, stderr } = measured(args, options());
    expect(code, stderr).toBe(3);
    expect(peakMB).toBeLessThan(nightly ? MOST : 230);
  });

  atNight('query', () => {
    const sql = 'SELECT reason, COUNT(*) AS n FROM rejects GROUP BY reason';
    const { code, peakMB, stderr } = measured(['query', sql, log(SIZE)], options());
    expect(code, stderr).toBe(3);
    expect(peakMB).toBeLessThan(MOST);
  });

  test('one of them is acknowledged', () => {
    const [bad, inFolder] = [log(), options()];
    const ack = measured(['ack', `${bad}:7`, '--reason', 'seen', bad], inFolder);
    expect(ack.code, ack.stderr).toBe(0);
    expect(ack.peakMB).toBeLessThan(MOST);
    // Over such lines it is measured above.
    if (!nightly) return;
    const alarm = measured(['alarm', bad], inFolder);
    expect(alarm.code, alarm.stderr).toBe(3);
    expect(alarm.peakMB).toBeLessThan(MOST);
  });
});

describe.skipIf(!canMeasure)('of long lines', () => {
  const long = (bytes: number) => call({ prompt: 'y'.repeat(bytes) });

  const BAD: readonly (readonly [string, () => string])[] = [
    ['alarm', () => 'null'],
    ['validate', () => long(15 * MB).slice(0, -5)],
    ['query', () => long(15 * MB).replace('"fill"', '5')],
  ];

  test.each(byDay(BAD, 3))('four of 15 MB beside a bad one: %s', (name, bad) => {
    const log = writeLines(newFolder(), 'log.jsonl', [...[1, 2, 3, 4].map(() => long(15 * MB)), bad()]);
    const question = name === 'query' ? ['SELECT COUNT(*) AS n, MAX(line) AS line FROM sessions'] : [];
    const { peakMB, stderr } = measured([name, ...question, log]);
    rmSync(log);
    expect(stderr).toContain('1 line could not be loaded');
    expect(peakMB).toBeLessThan(MOST_LONG);
  });

  // By day the one that keeps most: those in which a row is written differ little, and Parquet is written by DuckDB.
  const formats = nightly ? ['json', 'jsonl', 'csv', 'tsv', 'md', 'parquet', 'table'] : ['json'];
  test.each(formats)('50 MB of them, and every column, content too, as %s', (format) => {
    const log = write(50 * MB, () => long(1 * MB));
    const args = ['SELECT * FROM sessions', log, '--show-content', '--format', format];
    const { code, peakMB, stderr } = measured(['query', ...args]);
    expect(code, stderr).toBe(0);
    expect(peakMB).toBeLessThan(MOST_LONG);
  });

  test('the story of one call among them', () => {
    const log = write(50 * MB, (number) => call({ session_id: `trace-${number}`, prompt: 'y'.repeat(MB) }));
    const { code, peakMB, stderr } = measured(['show', 'trace-7', log]);
    expect(code, stderr).toBe(0);
    expect(peakMB).toBeLessThan(MOST_LONG);
  });
});
