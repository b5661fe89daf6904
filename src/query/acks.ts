import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import { LakelogError, messageOf } from '../errors.js';
import { kernelPath } from '../kernel-path.js';
import { ACKS_NAME } from '../lake/input/index.js';
import type { AckLine } from '../schema/ack.js';

export const DEFAULT_ACKS = ACKS_NAME;

export interface AckFile {
  /** As it is named to the user. */
  readonly file: string;
  readonly entries: readonly { readonly ack: AckLine; readonly line: number }[];
}

/**
 * Reads the acknowledgements: the file that was named, else `lakelog-acks.jsonl` of the working folder where it
 * exists, else null.
 * @throws LakelogError (exit 2) naming file, line and remedy: half an acknowledgement must not silence anything.
 */
export async function readAcks(named: string | undefined, cwd: string): Promise<AckFile | null> {
  const file = named ?? DEFAULT_ACKS;
  let text: string;
  try {
    const target = kernelPath(cwd, file);
    // A pipe without a writer would hold cron up for ever.
    if (!statSync(target).isFile()) throw new Error('it is not a regular file');
    text = readFileSync(target, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new LakelogError(`the acknowledgements cannot be read: ${messageOf(error)}`, {
      where: file,
      next: 'correct --acks (or LAKELOG_ACKS), or make the file readable',
    });
  }
  const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 }));
  const written = lines.filter(({ line }) => line !== '');
  if (written.length === 0) return { file, entries: [] };
  const { ackLine } = await import('../schema/envelope.js');
  const entries = written.map(({ line, number }) => {
    const parsed = ackLine.safeParse(json(line));
    if (parsed.success) return { ack: parsed.data as AckLine, line: number };
    const [issue] = parsed.error.issues;
    const at = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
    throw new LakelogError(`this is no acknowledgement: ${at}${issue?.message ?? 'not understood'}`, {
      where: `${file}:${number}`,
      next: 'correct the line or take it out; `lakelog ack` writes such lines, `lakelog schema --json ack` describes them',
    });
  });
  return { file, entries };
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

// A planted link would have the line written somewhere else.
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Appends one acknowledgement, as one write of one whole line; creates the file 0600. */
export async function appendAck(file: string, ack: AckLine, cwd: string): Promise<void> {
  const { ackLine } = await import('../schema/envelope.js');
  const checked = ackLine.safeParse(ack);
  if (!checked.success) {
    // Gates would refuse the file for good.
    const [issue] = checked.error.issues;
    throw new LakelogError(`this cannot be acknowledged: ${issue?.path.join('.')}: ${issue?.message}`, {
      where: `${ack.file}:${ack.line}`,
      next: 'mend the record, or take it out of the log',
    });
  }
  const target = kernelPath(cwd, file);
  const fail = (why: string, cause?: unknown) =>
    new LakelogError(`the acknowledgement cannot be written: ${why}`, {
      where: file,
      next: 'name another file with --acks',
      cause,
    });
  let fd: number;
  try {
    fd = openSync(target, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | SAFELY, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw fail(
      code === 'ELOOP' ? 'it is a link, which is read but never written through' : messageOf(error),
      error,
    );
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw fail('it is not a regular file');
    const last = Buffer.alloc(1);
    const glued = stats.size > 0 && (readSync(fd, last, 0, 1, stats.size - 1) !== 1 || last[0] !== 10);
    const bytes = Buffer.from(`${glued ? '\n' : ''}${JSON.stringify(ack)}\n`);
    if (writeSync(fd, bytes) !== bytes.length) throw fail('the disk is full');
  } catch (error) {
    throw error instanceof LakelogError ? error : fail(messageOf(error), error);
  } finally {
    closeSync(fd);
  }
}

/** Who acknowledges: --by, LAKELOG_ACK_BY, else the name of the account. */
export function acknowledger(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const name = given ?? env.LAKELOG_ACK_BY ?? accountName() ?? env.USER ?? '';
  if (name.trim() !== '') return name.trim();
  throw new LakelogError('nobody acknowledges', { next: 'say who you are: --by NAME' });
}

function accountName(): string | undefined {
  try {
    return os.userInfo().username;
  } catch {
    return undefined;
  }
}
