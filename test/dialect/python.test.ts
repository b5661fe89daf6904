/**
 * Spark and ClickHouse's embedded engine get the printed SQL, and give the rows of lakelog itself in its order. Nightly,
 * with LAKELOG_PYTHON a Python that has `pyspark` and `chdb`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { declarations } from '../../src/lake/declare.js';
import { DIALECTS } from '../../src/lake/printed.js';
import { tempFolder } from '../support/lake.js';
import { alike, batchesOf, CASES, ownRows, printedFor, type Rows, randomBatches } from './cases.js';
import { type Batch, copyLake } from './copied-lake.js';
import { HARD_TEXTS } from './texts.js';

const python = process.env.LAKELOG_PYTHON ?? 'python3';
const isNightly = process.env.LAKELOG_NIGHTLY === '1';
const has = (module: string) => isNightly && spawnSync(python, ['-c', `import ${module}`]).status === 0;

const ENGINES = [
  ['spark', 'pyspark'],
  ['clickhouse', 'chdb'],
] as const;
type EngineName = (typeof ENGINES)[number][0];

const seed = Number(process.env.LAKELOG_SEED ?? Date.now() % 2 ** 31);

const statementsIn = (text: string) =>
  text
    .replaceAll(/^--.*$/gm, '')
    .split(/;\n/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** Rows of each statement; a text where there are none. */
function askPython(
  engine: EngineName,
  folder: string | null,
  statements: readonly string[],
): (Rows | string)[] {
  const work = tempFolder();
  const [asked, answered] = [path.join(work, 'asked.json'), path.join(work, 'answered.json')];
  const declared = folder === null ? [] : statementsIn(declarations(engine, folder, false));
  writeFileSync(asked, JSON.stringify({ declarations: declared, statements }));
  const script = path.resolve(import.meta.dirname, 'ask.py');
  execFileSync(python, [script, engine, asked, answered], { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] });
  return JSON.parse(readFileSync(answered, 'utf8')) as (Rows | string)[];
}

describe.each(ENGINES)('%s, by the package %s', (engine, module) => {
  async function expectEqual(batches: readonly Batch[]): Promise<void> {
    const dir = path.join(tempFolder(), 'lake');
    await copyLake(dir, batches);
    const wanted = await ownRows(batches);
    const statements = await Promise.all(CASES.map((one) => printedFor(DIALECTS[engine], one)));
    for (const [i, rows] of askPython(engine, dir, statements).entries()) {
      const one = CASES[i]!;
      if (typeof rows === 'string') throw new Error(`${one.name}: ${rows}`);
      expect(alike(one, rows), one.name).toEqual(alike(one, wanted.get(one.name)!));
    }
  }

  test.skipIf(!has(module)).each(['healthy', 'alarm', 'messy'])('fixtures/%s', (scenario) =>
    expectEqual(batchesOf(scenario)),
  );

  test.skipIf(!has(module)).each([seed, seed + 1])('random logs (LAKELOG_SEED=%i)', (one) =>
    expectEqual(randomBatches(one)),
  );

  test.skipIf(!has(module))('texts come back as they are', () => {
    const texts = HARD_TEXTS;
    const chunks = Array.from({ length: Math.ceil(texts.length / 50) }, (_, i) =>
      texts.slice(i * 50, i * 50 + 50),
    );
    const rows = askPython(
      engine,
      null,
      chunks.map(
        (chunk) => `SELECT ${chunk.map((text, i) => `${DIALECTS[engine].quote(text)} AS c${i}`).join(', ')}`,
      ),
    );
    expect(rows.map((one) => (typeof one === 'string' ? one : one[0]))).toEqual(chunks);
  });
});
