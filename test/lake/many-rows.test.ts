/** Rows that leave block by block: whatever their blocks, they are those that stand in the tables, in their order. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/lake/duckdb/connection.js';
import { openLake } from '../../src/lake/lake.js';
import { type Block, rowsOf } from '../../src/schema/block.js';
import { newFolder } from '../support/cli.js';
import { runOptions } from '../support/lake.js';

test('long texts come in several blocks, each value in its row', async () => {
  const db = await openDatabase(null, '1GB');
  const sql = `SELECT i, i % 3 = 0 AS third, CASE WHEN i % 7 > 0 THEN i % 5 = 0 END AS fifth,
      CASE WHEN i % 4 > 0 THEN repeat('é', 300000 + i::INTEGER) END AS text FROM range(77) r(i)`;
  const blocks: Block[] = [];
  for await (const block of (await db.blocks(sql, {})).blocks) blocks.push(block);
  db.close();
  expect(blocks.length).toBeGreaterThan(5);
  for (const { rows } of blocks) expect(rows).toBeLessThan(20);
  const wanted = Array.from({ length: 77 }, (_, i) => [
    ...[i, i % 3 === 0, i % 7 > 0 ? i % 5 === 0 : null],
    i % 4 > 0 ? 300_000 + i : null,
  ]);
  const found = blocks
    .flatMap(rowsOf)
    .map(([i, third, fifth, text]) => [i, third, fifth, text === null ? null : String(text).length]);
  expect(found).toEqual(wanted);
});

test('rejects of files that are scanned in threads, read whole and too many to be sorted', async () => {
  const folder = newFolder();
  const sizes = { 'a.jsonl': 70_000, 'b.jsonl.gz': 9, 'c.jsonl': 3, 'd.jsonl': 70_000, 'e.jsonl.gz': 2 };
  for (const [name, lines] of Object.entries(sizes)) {
    const text = 'null\n'.repeat(lines);
    writeFileSync(path.join(folder, name), name.endsWith('.gz') ? gzipSync(text) : text);
  }
  const threads = { count: 2, above: 0, part: 50_000 };
  const asked = { asks: ['SELECT file, line FROM rejects'], gatedKinds: ['fill'], params: {}, threads };
  const lake = await openLake({ ...runOptions({ cwd: folder }), ...asked });
  try {
    await lake.load([{ path: folder, as: 'any' }]);
    const found: string[] = [];
    for await (const block of lake.rejectBlocks(['file', 'line']))
      for (const [file, line] of rowsOf(block)) found.push(`${path.basename(String(file))}:${line}`);
    const wanted = Object.entries(sizes).flatMap(([name, lines]) =>
      Array.from({ length: lines }, (_, i) => `${name}:${i + 1}`),
    );
    expect(found.length).toBe(wanted.length);
    expect(found.every((place, i) => place === wanted[i])).toBe(true);
  } finally {
    lake.close();
  }
});
