/** Follows logs or a lake: what comes is taken in as a sync takes it, so that rotation misses and doubles nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LakelogError } from '../errors.js';
import { judge } from '../gate/judge.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import { type Io, styleOf } from '../io.js';
import { isFolderLake } from '../lake/export.js';
import { type Arrivals, beginLakeAtEnd, type LakeOptions, openLake } from '../lake/lake.js';
import type { Query } from '../query/header.js';
import { namedRoster, type RosterFlags } from '../query/roster.js';
import { DEFAULT_GATED_KINDS, type Settings } from '../query/settings.js';
import { chooseSources, type GivenPaths, namingDefaults, type Sources } from '../query/sources.js';
import { renderFindings, renderWatch, renderWatchJson, type WatchEvent } from '../render/index.js';
import type { Account } from '../schema/account.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import type { Context } from './command.js';
import { inputEvidence } from './evidence.js';
import { allViolations } from './gates.js';
import { filtersOf, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { changesOf, untilStopped } from './waiting.js';

export interface WatchFlags extends ReadFlags, RosterFlags {
  readonly gatedKind?: readonly string[];
  readonly interval: number;
  readonly json?: true;
}

/** Until somebody stops it; it is no gate. */
export async function watch(
  paths: readonly string[],
  flags: WatchFlags,
  { catalogue, settings: settingsOf, io }: Context,
): Promise<ExitCode> {
  const stop = untilStopped();
  const inputs = pathsOf(paths, flags);
  const settings = settingsOf(flags);
  const sources = chooseSources(inputs, settings, io.cwd, false);
  ensureCanBeFollowed(sources);
  ensureIsFile(settings.get('lake'), io.cwd);
  const options = runOptionsOf(flags, settings, filtersOf(flags, settings), io, undefined);
  const gates = catalogue.queries.filter((query) => query.gate !== null);
  const folder = options.lake === undefined ? newFolder(io) : null;
  const lake = options.lake ?? { ...OWN_LAKE, name: path.join(folder!, 'watch.duckdb') };
  const asked: LakeOptions & { lake: NonNullable<LakeOptions['lake']> } = {
    ...options,
    lake,
    asks: gates.map(({ sql }) => sql),
    gatedKinds: settings.get('gated_kinds') ?? DEFAULT_GATED_KINDS,
    params: {},
    roster: namedRoster(settings),
  };
  try {
    if (folder !== null) await beginLakeAtEnd(asked, sources.requests);
    const watching = { asked, sources, inputs, gates, settings, flags, io };
    return await new Watch(watching, folder !== null).run(stop);
  } finally {
    stop.end();
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

/** In which what comes is kept as long as it is watched. */
const OWN_LAKE = { sync: true, keepContent: false, rebuild: false, lockTimeoutS: 10, follows: true } as const;

interface Asked {
  readonly asked: LakeOptions;
  readonly sources: Sources;
  readonly inputs: GivenPaths;
  readonly gates: readonly Query[];
  readonly settings: Settings;
  readonly flags: WatchFlags;
  readonly io: Io;
}

class Watch {
  private readonly of: Asked;
  /** The last batch whose calls were told. */
  private last = -1;
  /** Whoever names a lake wants what comes into it, and not what it holds. */
  private tells: boolean;
  /** What was said of the inputs, so that it is said once. */
  private said = '';
  /** Why the last look came to nothing; null where it did not. */
  private failed: string | null = null;

  constructor(of: Asked, beganAtEnd: boolean) {
    this.of = of;
    this.tells = beganAtEnd;
  }

  async run(stop: ReturnType<typeof untilStopped>): Promise<ExitCode> {
    const { io, sources, flags } = this.of;
    const changes = changesOf(
      sources.requests.map(({ path }) => path),
      io.cwd,
    );
    await this.look();
    await this.greet();
    while (!(await stop.within(flags.interval * 1_000)) && !io.stdout.hasLeft) {
      if (changes.haveHappened() || this.failed !== null) await this.lookAgain();
    }
    return EXIT.clear;
  }

  private async greet(): Promise<void> {
    const { io, sources } = this.of;
    if (!io.stderr.isTTY) return;
    const names = sources.requests.map(({ path }) => path).join(', ');
    await io.stderr.write(`watching ${names}; Ctrl-C ends it\n`);
  }

  /** A log that is rotated in the midst of a look, and a lake that another run holds, are told by the next one. */
  private async lookAgain(): Promise<void> {
    try {
      await this.look();
      this.failed = null;
    } catch (error) {
      if (!(error instanceof LakelogError) || error.exitCode !== EXIT.cannotVouch) throw error;
      const { message, where } = error;
      const why = `looking again: ${message}${where === undefined ? '' : ` (${where})`}\n`;
      // Once is what a rotation does.
      const isNews = this.failed !== null && why !== this.said;
      this.failed = why;
      if (!isNews) return;
      await this.of.io.stderr.write(why);
      this.said = why;
    }
  }

  private async look(): Promise<void> {
    const { asked, sources, gates, settings, io } = this.of;
    const lake = await openLake({ ...asked, now: io.now() });
    try {
      const account = namingDefaults(await lake.load(sources.requests), sources);
      await this.tellNews(account);
      const arrivals = await lake.arrivals(this.last);
      this.last = arrivals.last;
      if (this.tells && arrivals.calls.length + arrivals.rejects.length > 0)
        await this.tell(eventsOf(arrivals, await allViolations(lake, gates, settings, [])));
      this.tells = true;
    } finally {
      lake.close();
    }
  }

  private async tell(events: readonly WatchEvent[]): Promise<void> {
    const { flags, settings, io } = this.of;
    const style = styleOf(io.stdout, io.env);
    await io.stdout.write(
      flags.json ? renderWatchJson(events) : renderWatch(events, settings.get('tz'), style),
    );
  }

  /** What is wrong with the inputs; what they held before nobody looked at. */
  private async tellNews(account: Account): Promise<void> {
    const { inputs, io } = this.of;
    const rules = LENIENT_INPUT_RULES.filter(({ about }) => about === 'inputs');
    const problems = account.problems.filter(({ problem }) => problem !== 'no_records');
    const verdict = judge(inputEvidence({ ...account, problems }, inputs, io.now()), rules);
    const findings = renderFindings({ ...verdict, notices: [] }, styleOf(io.stderr, io.env));
    if (findings !== this.said) await io.stderr.write(findings);
    this.said = findings;
  }
}

function eventsOf(
  { calls, rejects }: Arrivals,
  violations: Awaited<ReturnType<typeof allViolations>>,
): WatchEvent[] {
  return [
    ...calls.map(
      (call): WatchEvent => ({
        event: 'call',
        call,
        violations: violations.get(`${call.file}:${call.line}`) ?? [],
      }),
    ),
    ...rejects.map((reject): WatchEvent => ({ event: 'reject', reject })),
  ];
}

/** @throws LakelogError (exit 2) for what is read once. */
function ensureIsFile(lake: string | undefined, cwd: string): void {
  if (lake === undefined || !isFolderLake(lake, cwd)) return;
  throw new LakelogError('a lake that is a folder is not followed', {
    where: lake,
    next: 'follow the logs of a host, or ask the lake again: lakelog alarm --on-change',
  });
}

function ensureCanBeFollowed({ requests }: Sources): void {
  if (!requests.some(({ path }) => path === '-')) return;
  throw new LakelogError('stdin is read once, and cannot be followed', {
    next: 'name the log itself: lakelog watch sessions.jsonl',
  });
}

function newFolder({ env }: Io): string {
  const folder = mkdtempSync(path.join(env.TMPDIR || os.tmpdir(), 'lakelog-watch-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
