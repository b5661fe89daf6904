import type { BigIntStats } from 'node:fs';
import path from 'node:path';
import { isDraftName } from '../../draft-name.js';
import { IS_PIPE, LakelogError, NO_FILE, shellWord, whyUnreadable } from '../../errors.js';
import { kernelPath } from '../../kernel-path.js';
import type { InputProblem } from '../../schema/result.js';
import { type Content, contentIn } from './content.js';
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
const OTHER_OBJECTS = 'not read: other JSON objects, whatever the name';

/** A file that a request led to. */
type Input = Candidate & { readonly request: string };

type Fate =
  /** Unread: no log by its name, and nobody knows what it holds. */
  | { readonly is: 'log' | 'unread' | 'nothing' }
  | { readonly is: 'acks'; readonly isApplied: boolean }
  | { readonly is: 'passed'; readonly why: string }
  | { readonly is: 'problem'; readonly problem: InputProblem };

class Inputs {
  private readonly options: ResolveOptions;
  /** By what is the same under every name of a file. */
  private readonly inputs = new Map<string, Input>();
  private readonly problems: InputProblem[] = [];
  private readonly notices: string[] = [];
  /** Identity of the acknowledgements that gates apply. */
  private readonly applied: string | undefined;
  private readonly unread: Input[] = [];
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
    let taken = 0;
    for (const one of found) {
      if ('problem' in one) this.problems.push(one);
      else {
        const input = { ...one, request: request.of ?? request.path };
        if (this.keep(input, await this.fateOf(input))) taken++;
      }
    }
    if (taken + this.problems.length === before) this.problems.push(ifNone);
  }

  /** @returns whether it is what its request asks for. */
  private keep(input: Input, fate: Fate): boolean {
    if (fate.is === 'log') this.add(input);
    else if (fate.is === 'unread') this.unread.push(input);
    else if (fate.is === 'passed') this.pass(input.name, fate.why);
    else if (fate.is === 'problem') this.problems.push(fate.problem);
    else if (fate.is === 'acks') this.notices.push(noLogButAcks(input.name, fate.isApplied));
    return fate.is === 'log' || (fate.is === 'acks' && input.found === 'named');
  }

  private async fateOf(input: Input): Promise<Fate> {
    const { name, path: file, stats, found } = input;
    if (this.isOfLake(file, stats)) {
      if (found === 'named') throw noLogButLake(name);
      return { is: 'nothing' };
    }
    if (found === 'named') {
      if (await this.isAppliedByName(input)) return { is: 'acks', isApplied: true };
      return { is: !stats || stats.isFile() || stats.isFIFO() ? 'log' : 'nothing' };
    }
    if (isDraftName(path.basename(name))) return { is: 'nothing' };
    const isNamed = found === 'matched' || LOG_NAME.test(path.posix.basename(name));
    if (!stats?.isFile()) {
      // Nobody may ever write to a pipe; named, it is read.
      const why = new Unreadable(stats?.isFIFO() ? IS_PIPE : NO_FILE, { next: MOVE });
      return isNamed
        ? { is: 'problem', problem: problemOf(name, why) }
        : { is: 'passed', why: 'not opened: a pipe, socket or device' };
    }
    try {
      return await this.fateByContent(input, stats, isNamed);
    } catch (error) {
      // It has another name by now, under which it is opened.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { is: 'log' };
      const problem = { path: name, problem: 'unreadable', detail: whyUnreadable(error) } as const;
      return isNamed ? { is: 'problem', problem } : { is: 'passed', why: 'not readable, and no log by name' };
    }
  }

  /** Of a file that nobody named. @throws the system's error. */
  private async fateByContent(
    { name, path: file, found }: Input,
    stats: BigIntStats,
    isNamed: boolean,
  ): Promise<Fate> {
    const isApplied = identityOf(stats) === this.applied;
    const isAcks = isApplied || path.basename(name) === ACKS_NAME;
    if (found === 'matched' && !isAcks) return { is: 'log' };
    const passed: readonly Content[] = isAcks ? ['acks', 'objects', 'unclear'] : ['acks', 'objects'];
    const content = await contentIn(file, stats, isNamed ? passed : []);
    if (content === 'records') return { is: 'log' };
    if (isAcks || content === 'acks') return { is: 'acks', isApplied };
    if (content === 'objects') return { is: 'passed', why: isNamed ? OTHER_OBJECTS : NO_LOG };
    if (isNamed) return { is: 'log' };
    return content === 'unread' ? { is: 'unread' } : { is: 'passed', why: NO_LOG };
  }

  /** The shell spells out a pattern: then nobody named what gates apply as acknowledgements. */
  private async isAppliedByName({ path: file, stats, found }: Candidate): Promise<boolean> {
    if (found !== 'named' || !stats?.isFile() || identityOf(stats) !== this.applied) return false;
    return (await contentIn(file, stats, ['acks'])) === 'acks';
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
  private add(input: Input): void {
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
