import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { LakelogError } from '../../errors.js';
import type { InputProblem } from '../../schema/result.js';
import { contentIn } from './content.js';
import {
  type Found,
  identityOf,
  kernelPath,
  look,
  type Place,
  parseGlob,
  type Search,
  statOf,
  walk,
} from './find.js';
import { NO_FILE, reasonOf } from './reasons.js';
import { maybeEmptyAmong, sourceOfUnfinished } from './rotation.js';

/** What a file is said to hold; `any` = each line says it itself. */
export type Assertion = 'sessions' | 'replay_runs' | 'any';

export interface InputRequest {
  readonly path: string;
  readonly as: Assertion;
}

export interface SourceFile {
  /** As the user wrote it; what receipts and errors show. */
  readonly name: string;
  /** What is opened. */
  readonly path: string;
  readonly as: Assertion;
  /** `-`, a pipe or a process substitution: can be read once. */
  readonly stream: boolean;
  /** May hold no record beside files that hold some: just rotated. False again where the content is compressed. */
  readonly maybeEmpty: boolean;
}

export interface ResolvedInputs {
  readonly files: readonly SourceFile[];
  readonly problems: readonly InputProblem[];
  readonly notices: readonly string[];
}

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

/** What gates keep their acknowledgements in, often beside the logs. */
export const ACKS_NAME = 'lakelog-acks.jsonl';

/** A log by its name, or a rotated or compressed one. */
const LOG_NAME = /\.(jsonl|ndjson)/i;

class Inputs {
  private readonly options: ResolveOptions;
  /** By what is the same under every name of a file. */
  private readonly inputs = new Map<string, Input>();
  private readonly problems: InputProblem[] = [];
  private readonly notices: string[] = [];
  private readonly acknowledgements: ReadonlySet<string>;
  /** What was found in folders and not read, by the reason. */
  private readonly passed = new Map<string, string[]>();

  constructor(options: ResolveOptions) {
    this.options = options;
    const stats = (options.notLogs ?? []).map((file) => statOf(kernelPath(options.cwd, file)));
    this.acknowledgements = new Set(stats.flatMap((one) => (one ? [identityOf(one)] : [])));
  }

  async take({ path: given, as }: InputRequest): Promise<void> {
    if (given === '')
      throw new LakelogError('an empty path was given', { next: 'name a file, a folder or -' });
    if (given === '-') {
      this.add({ name: '-', path: '-', as, stats: null, inFolder: false });
      return;
    }
    const place = this.placeOf(given);
    const seen = look(place);
    const glob = 'problem' in seen && seen.problem === 'missing' ? parseGlob(given) : null;
    if (glob !== null) {
      const folder = this.placeOf(glob.folder);
      const found = statOf(folder.path)?.isDirectory() ? await this.search(folder, as, glob) : 0;
      if (found === 0) this.problem(given, 'missing', 'no file matches the pattern');
    } else if ('problem' in seen) this.problems.push(seen);
    else if (seen.stats.isDirectory()) {
      if ((await this.search(place, 'any')) === 0)
        this.problem(given, 'no_logs', 'the folder holds no log: no .jsonl or .ndjson file, and no record');
    } else this.add({ ...place, as, stats: seen.stats, inFolder: false });
  }

  private placeOf(given: string): Place {
    return { name: given, path: kernelPath(this.options.cwd, given) };
  }

  /** @returns how many logs and problems there were. */
  private async search(folder: Place, as: Assertion, search?: Search): Promise<number> {
    const before = this.problems.length;
    let logs = 0;
    for (const found of walk(folder, search)) {
      if ('problem' in found) this.problems.push(found);
      else if (await this.isLog(found)) {
        // What a file is said to hold is not said of those in a folder.
        this.add({ ...found, as: found.inFolder ? 'any' : as });
        logs++;
      }
    }
    return logs + this.problems.length - before;
  }

  /** Decides what a file that nobody named is, and keeps account of what is none. */
  private async isLog({ name, path: file, stats, inFolder }: Found): Promise<boolean> {
    const isNamed = !inFolder || LOG_NAME.test(path.posix.basename(name));
    if (!stats.isFile()) {
      // Nobody may ever write to a pipe; named, it is read.
      const detail = stats.isFIFO() ? 'is a pipe: name it to have it read' : NO_FILE;
      if (isNamed) this.problem(name, 'unreadable', detail);
      else this.pass(name, 'not opened: a pipe, socket or device');
      return false;
    }
    const isAcks = this.acknowledgements.has(identityOf(stats));
    const isNamedAcks = path.basename(name) === ACKS_NAME;
    if (!inFolder && !isNamedAcks && !isAcks) return true;
    try {
      const content = isAcks ? 'acks' : await contentIn(file);
      if (content === 'records') return true;
      if (content === 'acks' || isNamedAcks) {
        this.notices.push(`${name} holds acknowledgements and was not read as a log`);
        return false;
      }
      if (isNamed && content === 'unclear') return true;
      this.pass(name, 'not read: no log by name or by content');
    } catch (error) {
      if (isNamed) this.problem(name, 'unreadable', reasonOf(error));
      else this.pass(name, 'not readable, and no log by name');
    }
    return false;
  }

  private pass(name: string, why: string): void {
    const names = this.passed.get(why) ?? [];
    names.push(name);
    this.passed.set(why, names);
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
    const clock = { now, rotationGraceS };
    const files = [...this.inputs.values()].filter((input) => {
      const source = sourceOfUnfinished(input, (id) => this.inputs.has(id), clock);
      if (source === null) return true;
      this.notices.push(
        `${input.name} is being made from ${source}, which is read instead (logrotate at work)`,
      );
      return false;
    });
    const maybeEmpty = maybeEmptyAmong(files, clock);
    return {
      files: files.map((input) => {
        const { name, path, as, stats } = input;
        return { name, path, as, stream: !stats?.isFile(), maybeEmpty: maybeEmpty(input) };
      }),
      problems: this.problems,
      notices: [...this.notices, ...[...this.passed].map(passedOver)],
    };
  }
}

const EXAMPLES = 3;

function passedOver([why, names]: readonly [string, readonly string[]]): string {
  const more = names.length > EXAMPLES ? ', …' : '';
  const files = names.length === 1 ? '1 file in a folder was' : `${names.length} files in folders were`;
  return `${files} ${why} (${names.slice(0, EXAMPLES).join(', ')}${more}); name what is to be read`;
}
