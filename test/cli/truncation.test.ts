import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, envelope, equation, newFolder, nightly, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

/** As a service writes it, with characters of two, three and four bytes that a tear can cut in half. */
const RECORD = Buffer.from(
  call({
    session_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    call_id: '5f0c7b1e-3f0a-4a5e-9d52-0c1b8e7f6a21',
    daemon: 'диспетчер',
    prompt: 'Besetze die Schicht für „Müller & Söhne“ 🏗️ am 1. Juni',
    artifact: { workers: ['Žofie Dvořáková', '山田 太郎'], note: 'ok\n\t"quoted" \\ \u2028' },
    proposed_worker_ids: ['W-0001', 'W-0002'],
    iterations: 2,
    attempts: [
      { verdict: 'rejected', reasons: ['worker “W-0009” is not in the roster'], duration_ms: 812.5 },
      { verdict: 'accepted', input_tokens: 934, output_tokens: 77 },
    ],
    duration_ms: 1934.25,
    writer_id: 'fill-dispatcher.production',
    seq: 7,
  }),
);
const POINTS = Array.from({ length: RECORD.length - 1 }, (_, i) => i + 1);
const cut = (point: number) => RECORD.subarray(0, point);

interface RejectRow {
  readonly file: string;
  readonly line: number;
  readonly byte_offset: number;
  readonly reason: string;
}

const places = (rows: readonly Record<string, unknown>[]) =>
  (rows as unknown as RejectRow[]).map(
    ({ file, line, byte_offset, reason }) => `${file}:${line} @${byte_offset} ${reason}`,
  );

describe('a record cut at every byte, as a line in the middle of a file', () => {
  let folder: string;
  let expected: string[];

  beforeAll(() => {
    folder = newFolder();
    const lines: (string | Buffer)[] = [];
    expected = [];
    let offset = 0;
    const add = (line: string | Buffer) => {
      lines.push(line);
      offset += Buffer.byteLength(line as string) + 1;
    };
    for (const point of POINTS) {
      add(call());
      expected.push(`cuts.jsonl:${lines.length + 1} @${offset} bad_json`);
      add(cut(point));
    }
    add(call());
    writeLines(folder, 'cuts.jsonl', lines);
    writeLines(
      folder,
      'violations.jsonl',
      POINTS.flatMap((point) => [
        cut(point),
        call({ session_id: `bad-${point}`, grounded_in_roster: false }),
      ]),
    );
  });

  test('all in one file: each cut is one reject with its line and offset, every neighbour is loaded', async () => {
    const ran = await lakelog(['validate', 'cuts.jsonl', '--json'], { cwd: folder });
    expect(ran.code).toBe(3);
    const { rows, receipt } = envelope(ran);
    expect(places(rows)).toEqual(expected);
    expect(equation(receipt.totals)).toBe(
      `${2 * POINTS.length + 1} = ${POINTS.length + 1} loaded + ${POINTS.length} rejected`,
    );
  });

  test('a violation right behind each cut is found', async () => {
    const ran = await lakelog(['alarm', 'violations.jsonl', '--json'], { cwd: folder });
    expect(ran.code).toBe(1);
    expect(envelope(ran).rows.map(({ session_id, line }) => `${session_id}:${line}`)).toEqual(
      POINTS.map((point, i) => `bad-${point}:${2 * i + 2}`),
    );
  });

  const step = nightly ? 1 : Math.ceil(POINTS.length / 40);
  const sampled = POINTS.filter((point) => point % step === 0 || point === POINTS.length);

  test(`${sampled.length} files of three lines: the line in the middle is the only reject`, async () => {
    const names = sampled.map((point) => {
      writeLines(folder, `three/${point}.jsonl`, [call(), cut(point), call()]);
      return `three/${point}.jsonl`;
    });
    const ran = await lakelog(['validate', '--json', ...names], { cwd: folder });
    expect(ran.code).toBe(3);
    const { rows, receipt } = envelope(ran);
    const first = Buffer.byteLength(call()) + 1;
    expect(places(rows)).toEqual(names.map((name) => `${name}:2 @${first} bad_json`));
    for (const file of receipt.files) expect(equation(file)).toBe('3 = 2 loaded + 1 rejected');
  });

  test('the file ends at each point, long ago: a torn tail, and the neighbour is loaded', async () => {
    const names = sampled.map((point) => {
      const file = path.join(folder, `tail-${point}.jsonl`);
      writeFileSync(file, Buffer.concat([Buffer.from(`${call()}\n`), cut(point)]));
      return path.basename(file);
    });
    const ran = await lakelog(['validate', '--pending-grace', '0', '--json', ...names], { cwd: folder });
    expect(ran.code).toBe(3);
    const { rows, receipt } = envelope(ran);
    const first = Buffer.byteLength(call()) + 1;
    expect(places(rows)).toEqual(names.map((name) => `${name}:2 @${first} torn_tail`));
    for (const file of receipt.files) expect(equation(file)).toBe('2 = 1 loaded + 1 rejected');
  });
});

test('nothing of the record: a blank line; all of it: a record', async () => {
  const folder = newFolder();
  writeLines(folder, 'sessions.jsonl', [call(), cut(0), call(), RECORD, call()]);
  const ran = await lakelog(['validate', 'sessions.jsonl', '--json'], { cwd: folder });
  expect(ran.code).toBe(0);
  expect(equation(envelope(ran).receipt.totals)).toBe('5 = 4 loaded + 1 blank');
});

test('a tear glued to the next record costs that line and no other', async () => {
  const folder = newFolder();
  const lines = POINTS.flatMap((point) => [call(), Buffer.concat([cut(point), Buffer.from(call())])]);
  writeLines(folder, 'sessions.jsonl', [...lines, call()]);
  const ran = await lakelog(['validate', 'sessions.jsonl', '--json'], { cwd: folder });
  const { rows, receipt } = envelope(ran);
  expect(rows.map(({ line }) => line)).toEqual(POINTS.map((_, i) => 2 * i + 2));
  expect(receipt.totals.loaded).toBe(POINTS.length + 1);
});
