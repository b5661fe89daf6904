/** The same questions to the logs in memory, a lake file, the folder, and an engine over it: rows alike, in the same order. */
import path from 'node:path';
import { expect } from 'vitest';
import { ALL_QUESTIONS } from '../dialect/cases.js';
import { everything } from '../folder/everything.js';
import { lakeUse, NOW, sameNames } from '../folder/folder-lake.js';
import { filtersFrom, tempFolder } from '../support/lake.js';
import { lakelog } from '../support/program.js';
import type { Asked } from './asked.js';

const isFraction = (value: unknown) => typeof value === 'number' && !Number.isInteger(value);

/** Fractions, whose last bits hang on the order in which they were added. */
export function fractionsMayDiffer(): void {
  expect.addEqualityTesters([
    (a: unknown, b: unknown) =>
      typeof a === 'number' && typeof b === 'number' && (isFraction(a) || isFraction(b))
        ? Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b))
        : undefined,
  ]);
}

interface Place {
  readonly lake: string | null;
  readonly paths: readonly string[];
}

/** @param paths the logs, of which the folder and the engine have all. */
export async function expectAlike(
  asked: Asked,
  {
    paths,
    folder,
    engine,
  }: { readonly paths: readonly string[]; readonly folder: string; readonly engine: string },
): Promise<void> {
  const places: Readonly<Record<string, Place>> = {
    memory: { lake: null, paths },
    file: { lake: path.join(tempFolder(), 'lake.duckdb'), paths },
    folder: { lake: folder, paths: [] },
  };
  const there = await answersOf(asked, { lake: engine, paths: [] });
  for (const [name, place] of Object.entries(places)) {
    const here = await answersOf(asked, place);
    const [a, b] = name === 'folder' ? [there, here] : [there, here].map(withoutOwn);
    expect(a, `the engine, and the ${name}`).toEqual(b);
  }
}

/** Whoever publishes a log counts the late lines of a batch before anybody knows which of them another host has too. */
const OF_PUBLISHING = new Set(['late', 'firstLate', 'mayBeEmpty']);
const LATE = ALL_QUESTIONS.find(({ name }) => name === 'own-files')!.columns.findIndex(
  ({ name }) => name === 'late',
);
const withoutOwn = (answers: unknown) =>
  JSON.parse(
    JSON.stringify(answers, (name, value) => {
      if (OF_PUBLISHING.has(name)) return undefined;
      if (name !== 'own-files') return value;
      return { ...value, rows: value.rows.map((row: readonly unknown[]) => row.toSpliced(LATE, 1)) };
    }),
  );

async function answersOf(asked: Asked, place: Place) {
  return { everything: await ofQuestions(asked, place), own: await ofOwn(asked, place) };
}

function ofQuestions({ values, questions, tables, given }: Asked, { lake, paths }: Place) {
  const { gated_kind: gated = ['fill'], since, until, ...others } = values;
  const filters = { ...filtersFrom(others), since, until };
  const options = lake === null ? { filters } : { filters, lake: lakeUse(lake) };
  return everything({ options, paths }, gated, questions, tables, given);
}

async function ofOwn({ own }: Asked, { lake, paths }: Place) {
  const args = [...own, ...paths, ...(lake === null ? [] : ['--lake', lake]), '--json'];
  const ran = await lakelog(args, { now: () => NOW });
  const said = ran.stdout === '' ? null : (JSON.parse(sameNames(ran.stdout)) as Record<string, unknown>);
  return {
    code: ran.code,
    columns: said?.columns,
    rows: said?.rows,
    refused: said === null ? ran.stderr : '',
  };
}
