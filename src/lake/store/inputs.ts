/** From what was named to the logs that are read, and from a log to batches of its lines. */
import type { Readable } from 'node:stream';
import type { InputProblem } from '../../schema/result.js';
import {
  absolutePath,
  Changed,
  cannotBeRead,
  type InputRequest,
  openInput,
  predecessorsOf,
  problemOf,
  type ResolveOptions,
  resolveInputs,
  type SourceFile,
  statOf,
  Unreadable,
  whileReading,
} from '../input/index.js';
import { BATCH, type BatchReading, plainBatches, streamBatches } from './read.js';
import type { Task } from './survey.js';

/** As they are remembered: they mean the same from another folder. */
export const absolute = (requests: readonly InputRequest[], cwd: string): InputRequest[] =>
  requests.map((one) => ({ ...one, path: absolutePath(one.path, cwd) }));

/** A pipe is read once, and would be waited for. A usual place where nothing is was named by nobody. */
export function canBeLookedAtAgain({ path, isDefault }: InputRequest): boolean {
  const stats = path === '-' ? undefined : statOf(path);
  if (stats === undefined) return path !== '-' && !isDefault;
  return stats.isFile() || stats.isDirectory();
}

type Finding = ResolveOptions & { readonly now: Date; readonly rotationGraceS: number };

/** A log with its rotated predecessors, which hold what was written to it before. */
export async function resolveLogs(requests: readonly InputRequest[], options: Finding) {
  const inputs = await resolveInputs(requests, options);
  const { requests: more, vanished } = predecessorsOf(requests, inputs, {
    cwd: options.cwd,
    now: options.now,
    rotationGraceS: options.rotationGraceS,
  });
  if (more.length === 0) return inputs;
  const all = await resolveInputs([...requests, ...more], options);
  const problems = all.problems.filter(
    ({ path, problem }) => problem !== 'missing' || !vanished.includes(path),
  );
  const notices = vanished.map(
    (name) => `${name} is not there now; what was written to it before is read (just rotated?)`,
  );
  return { ...all, problems, notices: [...all.notices, ...notices] };
}

/**
 * @param most bytes after which the next line end ends a batch.
 * @throws Unreadable
 */
export async function* batchesOf(
  task: Task,
  options: { readonly stdin: Readable },
  most = BATCH,
): AsyncGenerator<BatchReading> {
  const input = await openInput(task.file, options);
  try {
    if (input.kind === 'plain') yield* plainBatches(task, input.fd, most);
    else yield* streamBatches(task, input.chunks, most);
  } catch (error) {
    throw whileReading(error);
  } finally {
    input.close();
  }
}

/**
 * What turns out to be damaged where it is read is told, and others are read all the same. Nothing of it is believed
 * that is not in the lake yet.
 * @param read takes all that is to be read of it.
 * @param tell is given what is wrong with it.
 * @returns whether it came to its end.
 */
export async function isReadable(
  tell: (error: Unreadable) => void,
  read: () => Promise<void>,
): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    tell(error);
    return false;
  }
}

/** Adds to problems what will be so at the next look too. @throws LakelogError (exit 3) for a file that changed. */
export const addTo = (problems: InputProblem[], file: SourceFile) => (error: Unreadable) => {
  if (error instanceof Changed) throw cannotBeRead(file.name, error.message);
  problems.push(problemOf(file.name, error));
};
