/** What a statement that looks at each call alone found in files that never change: a file that was asked once is not asked again. */
import { version } from '../../version.js';
import { sha256 } from '../store/fingerprint.js';
import type { PlacedFile } from './compactions.js';
import { cacheFile, isSettled, readCache, writeCache } from './hashes.js';
import type { FolderState } from './state.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Files, by the hashes of their content, and what the statement counted in all of them together. */
interface Counted {
  readonly files: readonly string[];
  readonly counts: readonly number[];
}

/** What is kept of a statement. */
interface Known {
  /** Of its rows. */
  readonly names: readonly string[];
  /** Hashes of files that have no row of it. */
  readonly without: readonly string[];
  readonly counted: readonly Counted[];
}

type Kept = Readonly<Record<string, Known>>;

/** As many statements are kept, the latest. */
const MOST_STATEMENTS = 16;
/** Of so many sets the smallest are put together. */
const MOST_SETS = 8;
const NOTHING: Known = { names: [], without: [], counted: [] };

export interface Rows {
  readonly names: readonly string[];
  readonly cells: readonly (readonly unknown[])[];
}

/**
 * Asks files of calls, each once. Whoever uses it has hashed these files, or found them untouched since, and asks
 * what hangs on nothing but a call: then rows of all files are those of each.
 */
export class Found {
  private readonly file: string | null;
  private readonly files: readonly PlacedFile[];
  /** Hashes of those that were not written just now, so that whoever changes them is noticed. */
  private readonly settled: ReadonlySet<string>;
  private readonly narrow: (files: readonly PlacedFile[]) => Promise<void>;
  private readonly before: Kept;
  private readonly now = new Map<string, Known>();

  /** @param narrow makes the calls those of these files alone. */
  constructor(state: FolderState, env: Env, narrow: (files: readonly PlacedFile[]) => Promise<void>) {
    this.file = cacheFile(state.lake, env, 'found');
    this.files = state.files.filter(({ table }) => table === 'base_calls');
    const { files: seen } = state.seen;
    this.settled = new Set(
      this.files.filter(({ path }) => isSettled(seen.get(path)!)).map(({ sha256: hash }) => hash),
    );
    this.narrow = narrow;
    this.before = readCache<Kept>(this.file) ?? {};
  }

  /** @param statement all that its answer hangs on beside the files. */
  async rows<T extends Rows>(statement: string, ask: () => Promise<T>): Promise<T> {
    const { key, known } = this.knownOf(statement);
    const without = new Set(known.without);
    const rest = this.files.filter(({ sha256: hash }) => !without.has(hash));
    if (rest.length === 0 && this.files.length > 0) return { names: known.names, cells: [] as unknown } as T;
    const found = await this.among(rest, ask);
    const { names } = found;
    const empty = found.cells.length === 0 ? rest : await this.emptyAmong(rest, ask);
    const there = this.files.filter(({ sha256: hash }) => without.has(hash));
    this.now.set(key, {
      ...known,
      names,
      without: hashesOf([...there, ...empty]).filter((hash) => this.settled.has(hash)),
    });
    return found;
  }

  /** Numbers that are sums over calls. */
  async counts(statement: string, count: () => Promise<readonly number[]>): Promise<number[]> {
    if (this.files.length === 0) return [...(await count())];
    const { key, known } = this.knownOf(statement);
    const there = new Set(this.files.map(({ sha256: hash }) => hash));
    let sets = known.counted.filter(({ files }) => files.every((hash) => there.has(hash)));
    const isCounted = new Set(sets.flatMap(({ files }) => files));
    const fresh = this.files.filter(({ sha256: hash }) => !isCounted.has(hash));
    if (fresh.length > 0) {
      sets = [...sets, { files: hashesOf(fresh), counts: await this.among(fresh, count) }];
      if (fresh.every(({ sha256: hash }) => this.settled.has(hash)))
        this.now.set(key, { ...known, counted: fewer(sets) });
    }
    return sets.map(({ counts }) => [...counts]).reduce(sumOf);
  }

  /** Nothing was touched since it was hashed: what was found is of these files. */
  keep(): void {
    if (this.now.size === 0) return;
    const others = Object.entries(this.before).filter(([key]) => !this.now.has(key));
    const all = [...others, ...this.now].slice(-MOST_STATEMENTS);
    writeCache(this.file, Object.fromEntries(all));
    this.now.clear();
  }

  private knownOf(statement: string): { readonly key: string; readonly known: Known } {
    const key = sha256(Buffer.from(`${version}\n${statement}`));
    return { key, known: this.now.get(key) ?? this.before[key] ?? NOTHING };
  }

  private async among<T>(files: readonly PlacedFile[], ask: () => Promise<T>): Promise<T> {
    if (files.length === this.files.length) return ask();
    await this.narrow(files);
    try {
      return await ask();
    } finally {
      await this.narrow(this.files);
    }
  }

  /** A few rows are in few files. */
  private async emptyAmong(files: readonly PlacedFile[], ask: () => Promise<Rows>): Promise<PlacedFile[]> {
    if (files.length <= PARTS) return [];
    const empty: PlacedFile[] = [];
    const size = Math.ceil(files.length / PARTS);
    for (let from = 0; from < files.length; from += size) {
      const part = files.slice(from, from + size);
      if ((await this.among(part, ask)).cells.length === 0) empty.push(...part);
    }
    return empty;
  }
}

const PARTS = 16;

const hashesOf = (files: readonly PlacedFile[]) => files.map(({ sha256: hash }) => hash);

const sumOf = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + b[i]!);

function fewer(sets: readonly Counted[]): Counted[] {
  if (sets.length <= MOST_SETS) return [...sets];
  const [a, b, ...others] = [...sets].sort((one, other) => one.files.length - other.files.length);
  return [...others, { files: [...a!.files, ...b!.files], counts: sumOf(a!.counts, b!.counts) }];
}
