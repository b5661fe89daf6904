import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { LakelogError } from '../../errors.js';
import type { InputProblem } from '../../schema/result.js';
import { contentOf } from './content.js';
import { parseGlob } from './glob.js';
import { headOf } from './head.js';
import { ACKS_NAME, isLogName } from './names.js';
import { identityOf, kernelPath, missingDetail, tryStat } from './paths.js';
import { NO_FILE, reasonOf } from './reasons.js';
import { type Clock, maybeEmptyAmong, sourceOfUnfinished } from './rotation.js';
import type { Assertion, InputRequest, ResolvedInputs } from './types.js';
import { type Found, type Place, type Search, walk } from './walk.js';

export interface ResolveOptions {
  readonly cwd: string;
  readonly now: Date;
  /** Seconds that a rotation may take. */
  readonly rotationGraceS?: number | undefined;
  /** Paths that are no logs wherever they are found, but for those named as inputs. */
  readonly notLogs?: readonly string[] | undefined;
}

export const ROTATION_GRACE_S = 3_600;

/** Turns paths, folders and globs into files, each once, in the order of the arguments. */
export async function resolveInputs(
  requests: readonly InputRequest[],
  options: ResolveOptions,
): Promise<ResolvedInputs> {
  const inputs = new Inputs(options);
  for (const request of requests) await inputs.take(request);
  return inputs.resolved();
}

interface Input extends Place {
  readonly as: Assertion;
  /** Nobody named it: it lies in a folder. */
  readonly inFolder: boolean;
  readonly stats: BigIntStats | null;
}

class Inputs {
  private readonly options: ResolveOptions;
  /** By what is the same under every name of a file. */
  private readonly inputs = new Map<string, Input>();
  private readonly problems: InputProblem[] = [];
  private readonly notices: string[] = [];
  private readonly acknowledgements: ReadonlySet<string>;
  /** What was found in folders and not read. */
  private readonly others: string[] = [];
  private readonly closed: string[] = [];
  private readonly special: string[] = [];

  constructor(options: ResolveOptions) {
    this.options = options;
    const stats = (options.notLogs ?? []).map((file) => tryStat(kernelPath(options.cwd, file)));
    this.acknowledgements = new Set(
      stats.flatMap((one) => (one === null || one instanceof Error ? [] : [identityOf(one)])),
    );
  }

  async take({ path: given, as }: InputRequest): Promise<void> {
    if (given === '')
      throw new LakelogError('an empty path was given', { next: 'name a file, a folder or -' });
    if (given === '-') {
      this.add({ name: '-', path: '-', as, stats: null, inFolder: false });
      return;
    }
    const place = { name: given, path: kernelPath(this.options.cwd, given) };
    const stats = tryStat(place.path);
    if (stats instanceof Error) this.problem(given, 'unreadable', stats.message);
    else if (stats === null) await this.takeGlob(place, as);
    else if (stats.isDirectory()) {
      if ((await this.search(place, null, 'any')) === 0)
        this.problem(given, 'no_logs', 'the folder holds no log: no .jsonl or .ndjson file, and no record');
    } else this.add({ ...place, as, stats, inFolder: false });
  }

  private async takeGlob(place: Place, as: Assertion): Promise<void> {
    const glob = parseGlob(place.name);
    if (glob === null) {
      this.problem(place.name, 'missing', missingDetail(place.path));
      return;
    }
    const folder = { name: glob.folder, path: kernelPath(this.options.cwd, glob.folder) };
    const stats = tryStat(folder.path);
    const found =
      stats !== null && !(stats instanceof Error) && stats.isDirectory()
        ? await this.search(folder, glob.search, as)
        : 0;
    if (found === 0) this.problem(place.name, 'missing', 'no file matches the pattern');
  }

  /** @returns how many logs and problems there were. */
  private async search(folder: Place, search: Search | null, as: Assertion): Promise<number> {
    const before = this.problems.length;
    const { found, problems } = walk(folder, search);
    this.problems.push(...problems);
    let logs = 0;
    for (const file of found) {
      if (!(await this.isLog(file))) continue;
      // What a file is said to hold is not said of those in a folder.
      this.add({ ...file, as: file.inFolder ? 'any' : as });
      logs++;
    }
    return logs + this.problems.length - before;
  }

  /** Decides what a file that nobody named is, and keeps account of what is none. */
  private async isLog({ name, path: file, stats, inFolder }: Found): Promise<boolean> {
    const isNamed = !inFolder || isLogName(name);
    if (!stats.isFile()) {
      // Nobody may ever write to a pipe; named, it is read.
      if (isNamed)
        this.problem(name, 'unreadable', stats.isFIFO() ? 'is a pipe: name it to have it read' : NO_FILE);
      else this.special.push(name);
      return false;
    }
    const isAcks = this.acknowledgements.has(identityOf(stats));
    const isNamedAcks = path.basename(name) === ACKS_NAME;
    if (!inFolder && !isNamedAcks && !isAcks) return true;
    try {
      const content = isAcks ? 'acks' : contentOf(await headOf(file));
      if (content === 'records') return true;
      if (content === 'acks' || isNamedAcks) {
        this.notices.push(`${name} holds acknowledgements and was not read as a log`);
        return false;
      }
      if (isNamed && content === 'unclear') return true;
      this.others.push(name);
    } catch (error) {
      if (isNamed) this.problem(name, 'unreadable', reasonOf(error));
      else this.closed.push(name);
    }
    return false;
  }

  private add(input: Input): void {
    const { name, stats, as, inFolder } = input;
    if (stats && !stats.isFile() && !stats.isFIFO()) {
      this.problem(name, 'unreadable', NO_FILE);
      return;
    }
    const id = stats === null ? '-' : identityOf(stats);
    const before = this.inputs.get(id);
    if (before === undefined) {
      this.inputs.set(id, input);
      return;
    }
    if (before.as !== as && !before.inFolder && !inFolder) {
      throw new LakelogError(`${name} and ${before.name} are one file, named as ${before.as} and as ${as}`, {
        where: name,
        next: 'name the file once',
      });
    }
    // What somebody said of a file holds of the one in the folder too.
    if (before.inFolder) this.inputs.set(id, { ...before, as, inFolder });
    this.notices.push(
      name === before.name
        ? `${name} was named twice and is read once`
        : `${name} is the same file as ${before.name} and is read once`,
    );
  }

  private problem(name: string, problem: InputProblem['problem'], detail: string): void {
    this.problems.push({ path: name, problem, detail });
  }

  resolved(): ResolvedInputs {
    const { now, rotationGraceS = ROTATION_GRACE_S } = this.options;
    const clock: Clock = { now, rotationGraceS };
    const unfinished: string[] = [];
    const files = [...this.inputs.values()].filter((input) => {
      const source = sourceOfUnfinished(input, (id) => this.inputs.has(id), clock);
      if (source !== null)
        unfinished.push(
          `${input.name} is being made from ${source}, which is read instead (logrotate at work)`,
        );
      return source === null;
    });
    const maybeEmpty = maybeEmptyAmong(files, clock);
    return {
      files: files.map((input) => ({
        name: input.name,
        path: input.path,
        as: input.as,
        stream: !input.stats?.isFile(),
        maybeEmpty: maybeEmpty(input),
      })),
      problems: this.problems,
      notices: [
        ...this.notices,
        ...unfinished,
        ...passedOver(this.others, 'not read: no log by name or by content'),
        ...passedOver(this.closed, 'not readable, and no log by name'),
        ...passedOver(this.special, 'not opened: a pipe, socket or device'),
      ],
    };
  }
}

const EXAMPLES = 3;

function passedOver(names: readonly string[], why: string): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length > EXAMPLES ? ', …' : '';
  const files = names.length === 1 ? '1 file in a folder was' : `${names.length} files in folders were`;
  return [`${files} ${why} (${names.slice(0, EXAMPLES).join(', ')}${more}); name what is to be read`];
}
