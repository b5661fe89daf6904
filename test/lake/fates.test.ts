/**
 * The fate of a line depends on nothing but the line: not on its neighbours and their order, on what is asked, on the
 * file that it stands in, or on the number of threads. What is about neighbours by its nature is left out: equal lines,
 * the unfinished last line, files that are named as one kind, and --max-line-bytes.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openLake } from '../../src/lake/lake.js';
import { publishedTables } from '../../src/lake/tables/published.js';
import { fateOf, stripped } from '../scan/checker.mjs';
import { goodLines, mutatedLines, randomFrom } from '../scan/mutate.mjs';
import { byDay, newFolder, nightly } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { catalogue, root, rowsOf, runOptions } from '../support/lake.js';

const RUNS = nightly ? 300 : 8;

const PLACES = ['SELECT file, line FROM sessions', 'SELECT file, line FROM replay_runs'];
const QUESTIONS = catalogue.map(({ sql }) => [sql]);
const EVERYTHING = publishedTables()
  .filter(({ columns }) => columns.length > 0)
  .map(({ name }) => `SELECT * FROM ${name}`);
/** From nothing to everything. */
const ASKS = [[], PLACES, EVERYTHING, ['SELECT 1'], ['SELECT count(*) AS n FROM traces'], ...QUESTIONS];

interface Log {
  /** Lines of each file. */
  readonly files: readonly (readonly Buffer[])[];
  readonly compressed: readonly boolean[];
}

interface Way {
  readonly asks: readonly string[];
  readonly threads: number;
  /** Bytes of a part. */
  readonly part: number;
  readonly hashes: boolean;
  readonly showContent: boolean;
}

/** Lines by their bytes, no two of them alike. */
function distinct(lines: readonly Buffer[]): Buffer[] {
  return [...new Map(lines.map((line) => [stripped(line).toString('latin1'), line])).values()];
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const random = randomFrom(seed);
  const rest = [...list];
  return list.map(() => rest.splice(random.below(rest.length), 1)[0]!);
}

function cut<T>(list: readonly T[], into: number): T[][] {
  const each = Math.ceil(list.length / into);
  return Array.from({ length: into }, (_, i) => list.slice(i * each, (i + 1) * each)).filter(
    (part) => part.length > 0,
  );
}

/** What a lake says of every line: its reason, or that it loaded as whatever it is. */
async function fatesOf({ files, compressed }: Log, { asks, threads, part, ...way }: Way) {
  const folder = newFolder();
  const names = files.map((_, i) => path.join(folder, `${i}.jsonl${compressed[i] ? '.gz' : ''}`));
  for (const [i, lines] of files.entries()) {
    const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
    writeFileSync(names[i]!, compressed[i] ? gzipSync(bytes) : bytes);
  }
  const lake = await openLake({
    ...runOptions(),
    ...way,
    asks,
    everyReject: true,
    gatedKinds: ['fill'],
    params: {},
    threads: { count: threads, above: 0, part },
  });
  try {
    const account = await lake.load(names.map((name) => ({ path: name, as: 'any' as const })));
    const rejects = new Map(
      (await lake.rejects()).map(({ file, line, reason }) => [`${file}:${line}`, reason]),
    );
    const loaded = asks === PLACES ? await loadedPlaces(lake) : null;
    const fates = files.flatMap((lines, i) =>
      lines.map((line, at) => {
        const place = `${names[i]}:${at + 1}`;
        const rejected = rejects.get(place);
        if (rejected !== undefined || loaded === null) return [line, rejected ?? 'fine'] as const;
        return [line, loaded.get(place) ?? 'blank'] as const;
      }),
    );
    const sum = (name: 'lines' | 'loaded' | 'rejected' | 'blank') =>
      account.files.reduce((total, file) => total + file[name], 0);
    return {
      fates,
      counts: { lines: sum('lines'), loaded: sum('loaded'), rejected: sum('rejected'), blank: sum('blank') },
      calls: account.callsLoaded,
    };
  } finally {
    lake.close();
  }
}

async function loadedPlaces(lake: Parameters<typeof rowsOf>[0]): Promise<Map<string, string>> {
  const places = async (sql: string, fate: string) =>
    (await rowsOf(lake, sql)).map(({ file, line }) => [`${file}:${line}`, fate] as const);
  return new Map([...(await places(PLACES[0]!, 'call')), ...(await places(PLACES[1]!, 'run'))]);
}

test(
  'any order, any question, any number of threads, any split into files',
  async () => {
    const way = fc.record({
      asks: fc.oneof(fc.constantFrom(...ASKS), fc.constant(PLACES)),
      threads: fc.integer({ min: 1, max: 4 }),
      part: fc.integer({ min: 20, max: 20_000 }),
      hashes: fc.boolean(),
      showContent: fc.boolean(),
    });
    const cases = fc.record({
      seed: fc.nat(),
      count: fc.integer({ min: 1, max: 200 }),
      order: fc.nat(),
      into: fc.integer({ min: 1, max: 4 }),
      compressed: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      way,
    });
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, count, order, into, compressed, way }) => {
        const lines = distinct([
          Buffer.from(' \t'),
          ...goodLines(seed, count >> 2),
          ...mutatedLines(seed, count),
        ]);
        const log = { files: cut(shuffled(lines, order), into), compressed };
        const { fates, counts, calls } = await fatesOf(log, way);
        const wanted = fates.map(([line]) => {
          const fate = fateOf(line);
          return fate.fate === 'reject' ? fate.reason : way.asks === PLACES ? fate.fate : 'fine';
        });
        expect(fates.map(([, fate]) => fate)).toEqual(wanted);
        const all = lines.map((line) => fateOf(line).fate);
        const number = (...some: string[]) => all.filter((fate) => some.includes(fate)).length;
        expect({ ...counts, calls }).toEqual({
          lines: lines.length,
          loaded: number('call', 'run'),
          rejected: number('reject'),
          blank: number('blank'),
          calls: number('call'),
        });
        for (const fate of wanted) seen.set(fate, (seen.get(fate) ?? 0) + 1);
      }),
      { numRuns: RUNS },
    );
    // Or little was compared.
    for (const fate of ['call', 'run', 'blank', 'bad_json', 'fine'])
      expect(seen.get(fate) ?? 0, fate).toBeGreaterThan(0);
  },
  nightly ? 7_200_000 : 120_000,
);

test('a compressed file beside plain ones changes no text of any row, whatever is asked', async () => {
  const lines = distinct([...goodLines(31, 60)]);
  const folder = newFolder();
  const files = cut(lines, 5).map((some, i) => {
    const bytes = Buffer.concat(some.flatMap((line) => [line, Buffer.from('\n')]));
    writeFileSync(path.join(folder, `${i}.jsonl`), bytes);
    writeFileSync(path.join(folder, `${i}.jsonl.gz`), gzipSync(bytes));
    return i;
  });
  const rows = async (asks: readonly string[], hashes: boolean, ends: readonly string[]) => {
    const lake = await openLake({ ...runOptions(), asks, hashes, gatedKinds: ['fill'], params: {} });
    try {
      await lake.load(files.map((i) => ({ path: path.join(folder, `${i}.jsonl${ends[i]}`), as: 'any' })));
      const all = await rowsOf(lake, 'SELECT * FROM main.base_calls ORDER BY batch, line');
      return all.map(({ line_sha256: _, line_key: __, ...row }) => row);
    } finally {
      lake.close();
    }
  };
  const plain = ['', '', '', '', ''];
  const ENDS = [
    ['.gz', '', '.gz', '', '.gz'],
    ['', '.gz', '', '', '.gz'],
  ];
  for (const asks of [EVERYTHING, ...byDay(QUESTIONS, QUESTIONS.length)])
    for (const hashes of [false, true]) {
      const wanted = await rows(asks, hashes, plain);
      for (const ends of byDay(ENDS, 2)) expect(await rows(asks, hashes, ends)).toEqual(wanted);
    }
});

test('threads, whatever their number, find what one finds: the account, every reject, every row of every table', async () => {
  const lines = [...goodLines(21, 150), ...mutatedLines(22, 300), ...goodLines(21, 20)];
  const again = JSON.parse(String(lines[0])) as object;
  lines.push(Buffer.from(JSON.stringify({ ...again, call_id: 'twice', note: 1 })));
  lines.push(Buffer.from(JSON.stringify({ ...again, call_id: 'twice', note: 2 })));
  const folder = newFolder();
  const files = cut(shuffled(lines, 23), 4).map((some, i) => {
    const bytes = Buffer.concat(some.flatMap((line) => [line, Buffer.from(i === 1 ? '\r\n' : '\n')]));
    const file = path.join(folder, i === 2 ? 'log.jsonl.gz' : `log-${i}.jsonl`);
    writeFileSync(file, i === 2 ? gzipSync(bytes) : i === 3 ? bytes.subarray(0, -9) : bytes);
    return { path: file, as: 'any' as const };
  });
  const all = async (count: number, part: number, asks = EVERYTHING, everyReject = true) => {
    const threads = { count, above: 0, part };
    const lake = await openLake({
      ...runOptions({ cwd: root, showContent: true }),
      ...{ asks, gatedKinds: ['fill'], params: {}, threads, hashes: true, everyReject },
    });
    try {
      const account = await lake.load(files);
      const rows = [];
      for (const sql of asks)
        rows.push((await rowsOf(lake, `${sql} ORDER BY ALL`)).map((row) => JSON.stringify(row)));
      return { account, rejects: everyReject ? await lake.rejects() : [], rows };
    } finally {
      lake.close();
    }
  };
  const alone = await all(1, 1_000);
  const { files: accounts, conflicts, notices } = alone.account;
  expect(accounts.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBeGreaterThan(9);
  expect(conflicts).toBe(2);
  expect(notices.join(' ')).toContain('byte order mark');
  expect(alone.rejects.some(({ reason }) => reason === 'torn_tail')).toBe(true);
  const WAYS = [
    [3, 137],
    [2, 1_000],
    [4, 1_000],
    [4, 50_000],
  ] as const;
  for (const [count, part] of byDay(WAYS, 2)) expect(await all(count, part)).toEqual(alone);
  // The first reject of each reason is the same one, though more of them were handed over.
  const withoutRejects = EVERYTHING.filter((sql) => !sql.endsWith(' rejects'));
  for (const count of nightly ? [1, 4] : [4])
    expect((await all(count, 1_000, withoutRejects, false)).account).toEqual(alone.account);
});
