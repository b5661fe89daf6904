import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  emptyLake,
  type FoundFile,
  holds,
  look,
  type ModelLake,
  sync,
  type Told,
} from '../oracle/lake-oracle.mjs';
import { lakelog as binary, newFolder, nightly, start, tries } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { lakelog as inProcess } from '../support/program.js';
import { alarm, type Said, syncAndList } from './product.js';
import { LAKE, LINES, type LineKind, LOGS, World } from './world.js';

const RUNS = tries(60, 500);

/** Weights of what happens next. */
const HAPPENINGS = {
  append: 9,
  tear: 4,
  'give up': 1,
  'rotate create': 2,
  'rotate rename': 2,
  'rotate copytruncate': 3,
  'rotate date': 2,
  'rotate gzip': 3,
  'append to rotated': 2,
  gzip: 4,
  'begin gzip': 2,
  'end gzip': 2,
  truncate: 2,
  cut: 2,
  edit: 2,
  delete: 4,
  'reuse inode': 2,
  copy: 2,
  link: 1,
  restore: 2,
  'hours pass': 3,
  'clock back': 1,
  sync: 6,
  kill: 2,
  'two at once': 1,
  read: 2,
  'sync one log': 2,
} as const;

interface Step {
  readonly what: keyof typeof HAPPENINGS;
  readonly which: number;
  readonly lines: readonly LineKind[];
}

const linesOf = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<LineKind>('call') },
    { weight: 2, arbitrary: fc.constantFrom(...LINES) },
  ),
  { minLength: 1, maxLength: 5 },
);

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    ...Object.entries(HAPPENINGS).map(([what, weight]) => ({
      weight,
      arbitrary: fc.constant(what as Step['what']),
    })),
  ),
  which: fc.nat(999),
  lines: linesOf,
});

/** Little can become of logs that nobody ever saw. */
const BEGINNING: readonly Step[] = (['append', 'tear', 'sync'] as const).map((what, which) => ({
  ...{ what, which: which + 1, lines: ['call', 'numbered', 'again'] },
}));

const schedule = fc.record({
  request: fc.constantFrom('names', 'names', 'folder'),
  beginning: fc.nat(3).map((steps) => BEGINNING.slice(0, steps === 1 ? 0 : 3)),
  steps: fc.array(step, { minLength: nightly ? 3 : 1, maxLength: nightly ? 30 : 3, size: 'max' }),
});

class Trial {
  private readonly folder = newFolder();
  private readonly world: World;
  private readonly lake: string;
  private readonly paths: readonly string[];
  /** What the lake may be: more than one after a sync was killed. */
  private models: ModelLake[] = [];
  private spawnMs = 400;

  constructor(request: 'names' | 'folder') {
    const cwd = newFolder();
    this.world = new World(cwd);
    this.lake = path.join(request === 'names' ? this.folder : cwd, LAKE);
    this.paths = request === 'names' ? LOGS : ['.'];
  }

  private get cwd(): string {
    return this.world.folder;
  }

  private models0(): ModelLake[] {
    return this.models.length > 0 ? this.models : [emptyLake()];
  }

  async take({ what, which, lines }: Step): Promise<void> {
    const { world } = this;
    const log = LOGS[which % 5 === 0 ? 1 : 0]!;
    const names = world.names();
    const any = names[which % Math.max(1, names.length)] ?? log;
    const rotated = world.rotatedOf(log);
    const old = rotated[which % Math.max(1, rotated.length)];
    if (what === 'append') world.append(log, lines, 'finish');
    else if (what === 'tear') world.append(log, lines, 'tear');
    else if (what === 'give up') world.append(log, lines, 'give up');
    else if (what.startsWith('rotate ')) world.rotate(log, what.slice(7) as Parameters<World['rotate']>[1]);
    else if (what === 'append to rotated') {
      if (old && !old.endsWith('.gz')) world.append(old, lines, 'finish');
    } else if (what === 'gzip') world.gzip(old ?? log);
    else if (what === 'begin gzip') {
      if (old) world.beginGzip(old);
    } else if (what === 'end gzip') world.endGzip();
    else if (what === 'truncate') this.destroy(log, () => world.truncate(log, lines));
    else if (what === 'cut') {
      const size = Math.floor((world.sizeOf(log) * (which % 10)) / 10);
      this.destroy(log, () => world.cutTo(log, size), size);
    } else if (what === 'edit') {
      const at = world.editable(any);
      if (at !== null) this.destroy(any, () => world.edit(any, at), at);
    } else if (what === 'delete') this.destroy(any, () => world.delete(any));
    else if (what === 'reuse inode') this.destroy(any, () => world.reuseInode(any, lines));
    else if (what === 'copy' || what === 'link' || what === 'restore') world.copy(any, what);
    else if (what === 'hours pass') world.age(2);
    else if (what === 'clock back') world.age(-3);
    else if (what === 'sync') await this.sync();
    else if (what === 'sync one log') await this.sync(this.paths.length === 1 ? this.paths : [log]);
    else if (what === 'kill') await this.kill(which / 1_000);
    else if (what === 'two at once') await this.two();
    else await this.read();
  }

  /**
   * Nobody can know what went with a file that no look saw, or that nobody wrote to for long, nor what was cut off
   * behind all that was read; nor what a log held beyond a copy that now stands for it.
   */
  private destroy(name: string, how: () => void, kept = 0): void {
    const { world } = this;
    const all = world.contents();
    const file = all.find((one) => one.name === name);
    how();
    if (file === undefined) return;
    const isThere = world.contents().some(({ path, id }) => path === file.path && id === file.id);
    const isKnown = this.models0().every((model) =>
      model.logs.some(
        (log) =>
          // Numbers of files are used again.
          log.id === file.id &&
          // Else it was cut before that, and what stands there now is of no log yet.
          file.bytes.subarray(0, log.content.length).equals(log.content) &&
          log.state === 'here' &&
          !log.settled &&
          log.content.length > kept &&
          !all.some((other) => other.id !== file.id && standsFor(other, log, model, isThere)),
      ),
    );
    if (!isKnown) world.excuse(file);
  }

  private found(paths: readonly string[] = this.paths) {
    return this.world.found(paths, Date.now());
  }

  async sync(paths: readonly string[] = this.paths): Promise<void> {
    const now = Date.now();
    const found = this.found(paths);
    const ends = this.models0().map((model) => sync(model, found, { now }));
    const said = await alarm(this.lake, paths, this.cwd);
    if (typeof said === 'string') throw new Error(said);
    const matching = ends.filter(({ told }) => isEqual(saidOf(told), plain(said)));
    if (matching.length === 0) expect(plain(said)).toEqual(saidOf(ends[0]!.told));
    expect(said.code).toBe(said.violations > 0 ? 1 : said.cannotVouch.length > 0 ? 3 : 0);
    this.models = matching.map(({ lake }) => lake);
    for (const { told } of paths === this.paths ? matching : []) {
      const held = new Set([...told.rows, ...told.rejects.map((reject) => reject.slice(0, 64))]);
      if (this.world.lost(held).length > 0) expect(said.cannotVouch, 'lines are lost').not.toEqual([]);
    }
  }

  /** Answers from the lake as it is. */
  private async read(): Promise<void> {
    const said = await alarm(this.lake, this.paths, this.cwd, '--no-sync');
    if (this.models.length === 0) expect(said).toMatch(/^3: .*there is no lake/s);
    else this.narrow(this.models, said as Said);
  }

  /** Which of the lakes it may be that answers so. */
  private narrow(models: readonly ModelLake[], said: Said | string): void {
    const matching = models.filter(
      (model) =>
        typeof said !== 'string' &&
        model.isLoading === said.isLoading &&
        isEqual(saidOf(look(model)), plain(said)),
    );
    if (matching.length === 0) expect(said).toEqual({ ...saidOf(look(models[0]!)) });
    this.models = matching;
  }

  private async kill(part: number): Promise<void> {
    const now = Date.now();
    const found = this.found();
    const child = start(['sync', '--lake', this.lake, ...this.paths], { cwd: this.cwd });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const ms = this.spawnMs * (0.3 + part);
    await Promise.race([sleep(ms), ended]);
    child.kill('SIGKILL');
    await ended;
    const after = this.models0().flatMap((model) => sync(model, found, { now }).stages);
    const said = await alarm(this.lake, this.paths, this.cwd, '--no-sync');
    // It was killed before there was a lake.
    if (typeof said === 'string' && /^3: .*there is no lake/s.test(said) && this.models.length === 0) return;
    this.narrow([...this.models0(), ...after], said);
  }

  private async two(): Promise<void> {
    const now = Date.now();
    const found = this.found();
    const begun = Date.now();
    const ran = await Promise.all(
      [0, 1].map(() => binary(['sync', '--lake', this.lake, ...this.paths], { cwd: this.cwd })),
    );
    this.spawnMs = Date.now() - begun;
    for (const { code, stderr } of ran) expect([0, 3], stderr).toContain(code);
    const after = this.models0().map((model) => sync(model, found, { now }).lake);
    this.narrow(after, await alarm(this.lake, this.paths, this.cwd, '--no-sync'));
  }

  /** The last sync, after which the lake must hang together. By day a life in six is looked at in each of two more ways. */
  async end(life: number): Promise<void> {
    if (nightly || life % 6 === 0) await this.list();
    await this.sync();
    if (nightly || life % 6 === 1) await this.verify();
  }

  /** All that stands in the lake. */
  private async list(): Promise<void> {
    const found = this.found();
    const ends = this.models0().map((model) => heldOf(sync(model, found, { now: Date.now() }).told));
    const { bytes: _, ...held } = await syncAndList(this.lake, this.paths, this.cwd);
    if (!ends.some((one) => isEqual(one, held))) expect(held).toEqual(ends[0]);
  }

  private async verify(): Promise<void> {
    const ran = await inProcess(['lake', 'verify', '--lake', this.lake, '--json'], { cwd: this.cwd });
    const { logs } = JSON.parse(ran.stdout) as { logs: { file: string; status: string; bytes: number }[] };
    // What is being made, or is damaged, was not looked at, and may be anything by now.
    const unknown = this.found().files.filter(({ form }) => form === 'unfinished' || form === 'damaged');
    const isKnown = (file: string) => unknown.every(({ name }) => name !== path.basename(file));
    const expected = this.models.map(({ logs: known }) =>
      known
        .filter((log) => isKnown(log.path))
        .map(({ state, content }) => `${content.length} ${VERIFIED[state]}`)
        .sort(),
    );
    const verified = logs
      .filter(({ file }) => isKnown(file))
      .map(({ bytes, status }) => `${bytes} ${status}`);
    expect(expected).toContainEqual(verified.sort());
  }

  /** For who looks into a failure. */
  story(): string {
    const logs = this.models.map((model) =>
      model.logs.map(({ content, ...log }) => ({ ...log, bytes: content.length })),
    );
    return JSON.stringify({ folder: this.world.names(), logs });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
    rmSync(this.cwd, { recursive: true });
  }
}

/**
 * A copy cannot be told from a file that was moved there, nor from that of copytruncate where the log was cut; but one
 * that a look saw beside the log is not where the log went.
 */
function standsFor(
  { id, form, bytes }: FoundFile,
  log: ModelLake['logs'][number],
  { logs }: ModelLake,
  isThere: boolean,
): boolean {
  if ((form !== 'plain' && form !== 'archive') || !holds(bytes, log)) return false;
  const lengthOf = ({ content, rest }: typeof log) => content.length + rest;
  const wasBeside = logs.some(
    (other) => other.state === 'here' && other.id === id && lengthOf(other) >= lengthOf(log),
  );
  return isThere || !wasBeside;
}

const VERIFIED = { here: 'same', gone: 'absent', lost: 'different', changed: 'different' } as const;

const isEqual = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

const heldOf = ({ calls, runs, rows, rejects, accounts }: Told) => ({ calls, runs, rows, rejects, accounts });

const saidOf = ({ calls, runs, violations, judged, conflicts, broken, accounts, cannotVouch }: Told) => ({
  ...{ calls, runs, violations, judged, conflicts, broken, accounts },
  cannotVouch,
});

const plain = ({ code: _, isLoading: __, ...said }: Said) => saidOf(said as unknown as Told);

let lives = 0;

test(
  'whatever becomes of the logs, a lake holds what was written, once, and says what it could not see',
  async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async ({ request, beginning, steps }) => {
        const trial = new Trial(request as 'names' | 'folder');
        try {
          for (const one of [...beginning, ...steps]) await trial.take(one);
          await trial.end(lives++);
        } catch (error) {
          (error as Error).message += `\n${trial.story()}`;
          throw error;
        } finally {
          trial.remove();
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  nightly ? 7_200_000 : 300_000,
);
