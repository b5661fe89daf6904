import path from 'node:path';
import { IS_PIPE, LakelogError, NO_FILE, shellWord, whyUnreadable } from '../../errors.js';
import { kernelPath } from '../../kernel-path.js';
import type { InputProblem } from '../../schema/result.js';
import { contentIn } from './content.js';
import { type Candidate, findSettled, type InputRequest, identityOf, statOf } from './find.js';
import { mayBeMadeFrom } from './made-from.js';
import { problemOf, Unreadable } from './reasons.js';
import { mayBeOneLog, maybeEmptyAmong, plainName, sourceOfUnfinished } from './rotation.js';

/** A file to be read; a pipe, and `-`, can be read once. */
export interface SourceFile extends Omit<Candidate, 'found'> {
  /** Path of the request that led to it, as it was given. */
  readonly request?: string;
  /** Bytes of what can be read once, where they are known before. */
  readonly length?: number;
  /** May hold no record beside files that hold some: just rotated. False again where the content is compressed. */
  readonly maybeEmpty: boolean;
  /** A file that it may still be made from, byte for byte as far as it goes, and which is read too. */
  readonly madeFrom?: string | null;
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
  /** The acknowledgements that gates apply: those of the working folder, if nobody named others. No log in a folder. */
  readonly acks?: string | undefined;
  /** Path of a lake that is open: whoever opens it once more takes its lock away. */
  readonly lakePath?: string | undefined;
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

/** What gates keep their acknowledgements in, often beside the logs. */
export const ACKS_NAME = 'lakelog-acks.jsonl';

const MOVE = 'move it out of the folder, or name the files that are to be read';

/** A log by its name, or a rotated or compressed one. */
const LOG_NAME = /\.(jsonl|ndjson)/i;

const NO_LOG = 'not read: no log by name or by content';

/** What a run writes to its end before it takes the name that was asked for. */
const DRAFT_NAME = /^\.lakelog-\d+-[\da-z]+\.tmp$/;

class Inputs {
  private readonly options: ResolveOptions;
  /** By what is the same under every name of a file. */
  private readonly inputs = new Map<string, Candidate & { readonly request: string }>();
  private readonly problems: InputProblem[] = [];
  private readonly notices: string[] = [];
  /** Identity of the acknowledgements that gates apply. */
  private readonly applied: string | undefined;
  /** No logs by their names, and nobody knows what they hold. */
  private readonly unread: (Candidate & { readonly request: string })[] = [];
  /** What was found in folders and not read, by the reason. */
  private readonly passed = new Map<string, string[]>();

  constructor(options: ResolveOptions) {
    this.options = options;
    const stats = statOf(kernelPath(options.cwd, options.acks ?? ACKS_NAME));
    this.applied = stats ? identityOf(stats) : undefined;
  }

  async take(request: InputRequest): Promise<void> {
    if (request.path === '')
      throw new LakelogError('an empty path was given', { next: 'name a file, a folder or -' });
    const { found, ifNone } = await findSettled(request, this.options.cwd);
    const before = this.problems.length;
    let logs = 0;
    for (const one of found) {
      if ('problem' in one) this.problems.push(one);
      else if (await this.isAppliedByName(one)) {
        this.notices.push(noLogButAcks(one.name, true));
        logs++;
      } else {
        const input = { ...one, request: request.of ?? request.path };
        if (!(await this.isLog(input))) continue;
        this.add(input);
        logs++;
      }
    }
    if (logs + this.problems.length === before) this.problems.push(ifNone);
  }

  /** Keeps account of what is none. */
  private async isLog(input: Candidate & { readonly request: string }): Promise<boolean> {
    const { name, path: file, stats, found } = input;
    if (this.isOfLake(file, stats)) {
      if (found === 'named') throw noLogButLake(name);
      return false;
    }
    if (found === 'named') return !stats || stats.isFile() || stats.isFIFO();
    if (DRAFT_NAME.test(path.basename(name))) return false;
    const isNamed = found === 'matched' || LOG_NAME.test(path.posix.basename(name));
    if (!stats?.isFile()) {
      // Nobody may ever write to a pipe; named, it is read.
      const why = new Unreadable(stats?.isFIFO() ? IS_PIPE : NO_FILE, { next: MOVE });
      if (isNamed) this.problems.push(problemOf(name, why));
      else this.pass(name, 'not opened: a pipe, socket or device');
      return false;
    }
    const isApplied = identityOf(stats) === this.applied;
    const isAcks = isApplied || path.basename(name) === ACKS_NAME;
    if (found === 'matched' && !isAcks) return true;
    try {
      const content = await contentIn(file, stats);
      if (content === 'records') return true;
      if (isNamed && !isAcks && (content === 'unclear' || content === 'unread')) return true;
      if (content === 'unread' && !isAcks) this.unread.push(input);
      else if (isAcks || content === 'acks') this.notices.push(noLogButAcks(name, isApplied));
      else this.pass(name, isNamed ? 'not read: other JSON objects, whatever the name' : NO_LOG);
    } catch (error) {
      // It has another name by now, under which it is opened.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
      if (isNamed) this.problems.push({ path: name, problem: 'unreadable', detail: whyUnreadable(error) });
      else this.pass(name, 'not readable, and no log by name');
    }
    return false;
  }

  /** The shell spells out a pattern: then nobody named what gates apply as acknowledgements. */
  private async isAppliedByName({ path: file, stats, found }: Candidate): Promise<boolean> {
    if (found !== 'named' || !stats?.isFile() || identityOf(stats) !== this.applied) return false;
    return (await contentIn(file, stats)) === 'acks';
  }

  /** The lake, and what stands beside it while it is written to. */
  private isOfLake(file: string, stats: Candidate['stats']): boolean {
    const { lakePath } = this.options;
    if (lakePath === undefined || stats === null) return false;
    const lake = statOf(lakePath);
    return (
      [`${lakePath}.`, `${lakePath}/`].some((start) => file.startsWith(start)) ||
      (lake !== undefined && identityOf(lake) === identityOf(stats))
    );
  }

  private pass(name: string, why: string): void {
    const names = this.passed.get(why) ?? [];
    names.push(name);
    this.passed.set(why, names);
  }

  /** Each file once, whatever its names. */
  private add(input: Candidate & { readonly request: string }): void {
    const { name, stats, as, found } = input;
    const id = stats === null ? '-' : identityOf(stats);
    const before = this.inputs.get(id);
    if (before === undefined) {
      this.inputs.set(id, input);
      return;
    }
    if (before.as !== as && before.found !== 'inFolder' && found !== 'inFolder') {
      throw new LakelogError(`${name} and ${before.name} are one file, named as ${before.as} and as ${as}`, {
        where: name,
        next: 'name the file once',
      });
    }
    // What somebody said of a file holds of the one in the folder too.
    if (before.found === 'inFolder') this.inputs.set(id, { ...before, as, found });
    const other = name === before.name ? 'was named twice' : `is the same file as ${before.name}`;
    this.notices.push(`${name} ${other} and is read once`);
  }

  /** What cannot be read and is called as a log was, before that was rotated (perhaps into a folder of its own), is one. */
  private addArchives(): void {
    const logs = [...this.inputs.values()];
    for (const one of this.unread) {
      if (logs.some((log) => mayBeOneLog(log.path, one.path))) this.add(one);
      else this.pass(one.name, NO_LOG);
    }
  }

  async resolved(): Promise<ResolvedInputs> {
    this.addArchives();
    const { now, rotationGraceS = ROTATION_GRACE_S } = this.options;
    const clock = { now, rotationGraceS };
    const files = [...this.inputs.values()];
    const maybeEmpty = maybeEmptyAmong(files, clock);
    const all: SourceFile[] = [];
    for (const input of files) {
      const source = sourceOfUnfinished(input, (id) => this.inputs.has(id), clock);
      const isMade = source !== null && (await mayBeMadeFrom(input.path, plainName(input.path)));
      all.push({ ...input, maybeEmpty: maybeEmpty(input), madeFrom: isMade ? source : null });
    }
    return {
      files: all,
      problems: this.problems,
      notices: [...this.notices, ...[...this.passed].map(passedOver)],
    };
  }
}

const noLogButLake = (name: string) =>
  new LakelogError('this is the lake, not a log', {
    where: name,
    next: 'name the logs that fill it',
  });

/** Whoever writes the logs must not bring exemptions of his own, so those beside them are only named. */
function noLogButAcks(name: string, isApplied: boolean): string {
  const hint = `; gates apply it with --acks ${shellWord(name)}, or LAKELOG_ACKS`;
  return `${name} holds acknowledgements and was not read as a log${isApplied ? '' : hint}`;
}

const EXAMPLES = 3;

function passedOver([why, names]: readonly [string, readonly string[]]): string {
  const more = names.length > EXAMPLES ? ', …' : '';
  const files = names.length === 1 ? '1 file in a folder was' : `${names.length} files in folders were`;
  return `${files} ${why} (${names.slice(0, EXAMPLES).join(', ')}${more}); name what is to be read`;
}
