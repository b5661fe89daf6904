/** Rotation at any moment of a look: each line is told once, and where a line is lost, that is said. */
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { LakelogError } from '../../src/errors.js';
import { beginLakeAtEnd, openLake } from '../../src/lake/lake.js';
import { call, newFolder, nightly, writeLines } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { runOptions } from '../support/lake.js';
import { atMoments, type Moment } from '../support/moments.js';

const LOG = 'sessions.jsonl';

/** A folder with a log that is written to and rotated. */
class Rotated {
  readonly cwd = newFolder();
  readonly written: string[] = [];

  constructor() {
    writeLines(this.cwd, LOG, [call({ session_id: 'before' })]);
  }

  at(name: string): string {
    return path.join(this.cwd, name);
  }

  write(count = 3): void {
    for (let i = 0; i < count; i++) {
      const session_id = `line-${this.written.length}`;
      this.written.push(session_id);
      appendFileSync(this.at(LOG), `${call({ session_id })}\n`);
    }
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
  }

  copy(to: string): void {
    copyFileSync(this.at(LOG), this.at(to));
  }

  cut(): void {
    truncateSync(this.at(LOG));
  }

  /** gzip(1) in its steps. */
  gzip(name: string): (() => void)[] {
    const to = () => this.at(`${name}.gz`);
    const all = () => gzipSync(readFileSync(this.at(name)));
    return [
      () => writeFileSync(to(), ''),
      () => writeFileSync(to(), all().subarray(0, all().length >> 1)),
      () => writeFileSync(to(), all()),
      () => {
        const { atime, mtime } = statSync(this.at(name));
        utimesSync(to(), atime, mtime);
      },
      () => rmSync(this.at(name)),
    ];
  }

  compress(name: string): void {
    for (const step of this.gzip(name)) step();
  }
}

type Steps = readonly (() => void)[];

const FORMS: Readonly<Record<string, (world: Rotated) => Steps>> = {
  'renamed, created': (w) => [() => w.rename(LOG, `${LOG}.1`), () => w.write()],
  'renamed, created, compressed': (w) => [
    () => w.rename(LOG, `${LOG}-20250103`),
    () => w.write(),
    ...w.gzip(`${LOG}-20250103`),
  ],
  'renamed, compressed, created': (w) => [
    () => w.rename(LOG, `${LOG}.1`),
    ...w.gzip(`${LOG}.1`),
    () => w.write(),
  ],
  'copied, truncated': (w) => [() => w.copy(`${LOG}.1`), () => w.cut(), () => w.write()],
  'copied, removed, created': (w) => [
    () => w.copy(`${LOG}-20250103`),
    () => rmSync(w.at(LOG)),
    () => w.write(),
  ],
  'copied, truncated, compressed': (w) => [
    () => w.copy(`${LOG}-20250103`),
    () => w.cut(),
    ...w.gzip(`${LOG}-20250103`),
    () => w.write(),
  ],
  'twice, each compressed': (w) => [
    () => w.rename(LOG, `${LOG}.1`),
    () => w.write(),
    ...w.gzip(`${LOG}.1`),
    () => w.rename(`${LOG}.1.gz`, `${LOG}.2.gz`),
    () => w.rename(LOG, `${LOG}.1`),
    () => w.write(),
    ...w.gzip(`${LOG}.1`),
  ],
  'compressed, then copied and truncated': (w) => [
    () => w.rename(LOG, `${LOG}-20250103`),
    () => w.write(),
    ...w.gzip(`${LOG}-20250103`),
    () => w.copy(`${LOG}-20250104`),
    () => w.cut(),
    () => w.write(),
  ],
};

interface Looking {
  /** The log itself or the folder. */
  readonly request: string;
  /** As `watch` looks, or as `sync` does. */
  readonly follows: boolean;
}

class Looks {
  readonly told: string[] = [];
  readonly rejects: string[] = [];
  /** What the last look says of its inputs. */
  problems: string[] = [];
  /** Why looks came to nothing. */
  readonly failed: string[] = [];
  private last = -1;
  private readonly cwd: string;
  private readonly looking: Looking;

  constructor(cwd: string, looking: Looking) {
    this.cwd = cwd;
    this.looking = looking;
  }

  private get options() {
    const { follows } = this.looking;
    const use = { name: 'lake.duckdb', lockTimeoutS: 10, sync: true, keepContent: false, rebuild: false };
    return {
      ...runOptions({ cwd: this.cwd, now: new Date() }),
      ...{ asks: ['SELECT session_id FROM sessions'], gatedKinds: ['fill'], params: {}, everyReject: true },
      lake: follows ? { ...use, follows } : use,
    } as const;
  }

  private get requests() {
    return [{ path: this.looking.request, as: 'any' }] as const;
  }

  async begin(): Promise<void> {
    if (this.looking.follows) await beginLakeAtEnd(this.options, this.requests);
    else await this.look();
  }

  /** One that comes to nothing is told by the next, as `watch` does it and as `sync` says. */
  async look(): Promise<void> {
    const lake = await openLake(this.options);
    try {
      const { problems } = await lake.load(this.requests);
      // A log may be empty for a moment, and a lake that follows has no line of before.
      const other = problems.filter(({ problem }) => problem !== 'no_records');
      this.problems = other.map((one) => `${one.path} ${one.problem}: ${one.detail}`);
      const arrivals = await lake.arrivals(this.last);
      this.last = arrivals.last;
      this.told.push(...arrivals.calls.map(({ session_id }) => session_id!));
      this.rejects.push(...arrivals.rejects.map(({ file, line, reason }) => `${file}:${line} ${reason}`));
    } catch (error) {
      if (!(error instanceof LakelogError) || error.exitCode !== 3) throw error;
      this.failed.push(error.message);
    } finally {
      lake.close();
    }
  }

  /** All that was told, but for what stood there before. */
  get said() {
    const told = this.told.filter((id) => id !== 'before');
    return { told: told.toSorted(), rejects: this.rejects, problems: this.problems };
  }
}

async function begun(looking: Looking) {
  const world = new Rotated();
  const looks = new Looks(world.cwd, looking);
  await looks.begin();
  return { world, looks };
}

const toldOnce = ({ written }: Rotated) => ({ told: written.toSorted(), rejects: [], problems: [] });

/** @param moments of the steps, in their order. */
async function rotatedAt(form: string, looking: Looking, moments: readonly number[]): Promise<void> {
  const { world, looks } = await begun(looking);
  world.write();
  await looks.look();
  world.write();
  const steps = FORMS[form]!(world);
  let next = 0;
  const until = (n: number) => {
    while (next < steps.length && (moments[next] ?? 0) <= n) steps[next++]!();
  };
  await atMoments(
    ({ n }) => until(n),
    () => looks.look(),
  );
  until(Number.POSITIVE_INFINITY);
  await looks.look();
  await looks.look();
  expect(looks.said, looks.failed.join('\n')).toEqual(toldOnce(world));
  rmSync(world.cwd, { recursive: true });
}

/** Steps come in up to four goes, of which the first is often over before the look. */
const moments = fc
  .tuple(
    fc.array(fc.nat(150), { maxLength: 3 }),
    fc.array(fc.nat(12), { minLength: 3, maxLength: 3 }),
    fc.constantFrom(0, 0, 20),
  )
  .map(([goes, cuts, first]) => {
    const at = [first, ...goes.map((n) => n + first)].sort((a, b) => a - b);
    const ends = cuts.slice(0, goes.length).sort((a, b) => a - b);
    return Array.from({ length: 16 }, (_, step) => at[ends.filter((end) => end <= step).length]!);
  });

test('each line is told once, whenever a rotation comes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(FORMS)),
      fc.record({ request: fc.constantFrom(LOG, LOG, '.'), follows: fc.boolean() }),
      moments,
      rotatedAt,
    ),
    { numRuns: nightly ? 200 : 2, endOnFailure: true },
  );
});

/** Does it once, when the file is opened for the n-th time. */
function whenOpened(name: string, nth: number, act: () => void): (moment: Moment) => void {
  let times = 0;
  return ({ question, of }) => {
    if (question === 'open' && path.basename(String(of)) === name && ++times === nth) act();
  };
}

/** A new log is surveyed twice, by a reader and by the writer, asked for what was taken as read, and then read. */
const whenRead = ({ follows }: Looking, act: () => void) => whenOpened(LOG, follows ? 4 : 3, act);

/** As `sync` looks and as `watch` does; by day one of them, by turns. */
const either = (byDay: boolean) =>
  [false, true]
    .filter((follows) => nightly || follows === byDay)
    .map((follows) => ({ request: '.', follows }));

test.each(either(true))(
  'the end of an archive is read though another log is cut meanwhile, which is told: %j',
  async (looking) => {
    const { world, looks } = await begun(looking);
    world.write();
    world.rename(LOG, `${LOG}-20250103`);
    world.compress(`${LOG}-20250103`);
    world.write();
    const second = () => {
      world.copy(`${LOG}-20250104`);
      world.cut();
    };
    await atMoments(whenRead(looking, second), () => looks.look());
    expect(looks.problems).toEqual([
      expect.stringMatching(/sessions\.jsonl unreadable: it was cut in place/),
    ]);
    expect(looks.told.filter((id) => id !== 'before').toSorted()).toEqual(
      world.written.slice(0, 3).toSorted(),
    );
    await looks.look();
    expect(looks.said).toEqual(toldOnce(world));
    expect(looks.failed).toEqual([]);
  },
);

test('an archive whose end no look came to is missed when it is gone', async () => {
  const looking = { request: LOG, follows: false };
  const { world, looks } = await begun(looking);
  world.write();
  world.rename(LOG, `${LOG}.1`);
  world.compress(`${LOG}.1`);
  world.write();
  await atMoments(
    whenOpened(`${LOG}.1.gz`, 5, () => rmSync(world.at(`${LOG}.1.gz`))),
    () => looks.look(),
  );
  expect(looks.problems.join()).toMatch(/sessions\.jsonl\.1\.gz unreadable: it was removed/);
  await looks.look();
  expect(looks.problems.join()).toMatch(
    /changed: it is gone, with \d+ bytes behind byte \d+ that were never read/,
  );
});

test.each(either(false))(
  'a copy that is compressed after its log was cut is the copy, and the log lost nothing: %j',
  async (looking) => {
    const { world, looks } = await begun(looking);
    world.write();
    world.copy(`${LOG}-20250103`);
    await looks.look();
    world.cut();
    world.compress(`${LOG}-20250103`);
    world.write();
    await looks.look();
    expect(looks.said, looks.failed.join('\n')).toEqual(toldOnce(world));
  },
);

test.each(either(true))(
  'a log goes on in its copy, though it was removed while both were looked at: %j',
  async (looking) => {
    const { world, looks } = await begun(looking);
    world.write();
    await looks.look();
    world.write();
    world.copy(`${LOG}-20250103`);
    await atMoments(
      whenOpened(LOG, 1, () => rmSync(world.at(LOG))),
      () => looks.look(),
    );
    world.write();
    await looks.look();
    expect(looks.said, looks.failed.join('\n')).toEqual(toldOnce(world));
  },
);

test('a copy that goes while it is compared is said, and ends nothing', async () => {
  const { world, looks } = await begun({ request: LOG, follows: false });
  world.write();
  world.copy(`${LOG}.1`);
  world.cut();
  world.write();
  const go = () => world.rename(`${LOG}.1`, '../moved-away');
  await atMoments(whenOpened(`${LOG}.1`, 2, go), () => looks.look());
  expect(looks.problems.join()).toContain(`${LOG}.1 unreadable: it was removed`);
  world.rename('../moved-away', `${LOG}.1`);
  await looks.look();
  expect(looks.said).toEqual(toldOnce(world));
});

test.each(either(false))(
  'a log that is cut and written to since its lines were counted out is read whole: %j',
  async (looking) => {
    const { world, looks } = await begun(looking);
    world.rename(LOG, `${LOG}.1`);
    world.write(2);
    const again = () => {
      world.copy(`${LOG}.2`);
      world.cut();
      appendFileSync(world.at(LOG), '{"schema":"session.iterate.v1"}\n');
      world.cut();
      for (const id of ['a-longer-one', 'another-longer-one'].map((id) => id.repeat(9))) {
        world.written.push(id);
        appendFileSync(world.at(LOG), `${call({ session_id: id })}\n`);
      }
    };
    await atMoments(whenRead(looking, again), () => looks.look());
    expect(looks.problems).toEqual([
      expect.stringMatching(/sessions\.jsonl unreadable: it changed while it was read: what was read of it/),
    ]);
    await looks.look();
    expect(looks.said).toEqual(toldOnce(world));
    expect(looks.failed).toEqual([]);
  },
);

test('a copy of a followed log is known again when it is compressed, blank lines or not', async () => {
  const { world, looks } = await begun({ request: '.', follows: true });
  appendFileSync(world.at(LOG), '\n');
  await looks.look();
  world.write();
  await looks.look();
  appendFileSync(world.at(LOG), ' \n');
  await looks.look();
  world.copy('backup.jsonl');
  await looks.look();
  world.compress('backup.jsonl');
  await looks.look();
  world.rename('backup.jsonl.gz', 'older.jsonl.gz');
  await looks.look();
  expect(looks.said).toEqual(toldOnce(world));
  expect(looks.told).not.toContain('before');
});
