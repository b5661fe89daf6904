import os from 'node:os';
import { LakelogError, messageOf } from '../errors.js';
import { kernelPath } from '../kernel-path.js';
import { ACKS_NAME } from '../lake/input/index.js';
import type { AckLine, Entry } from '../schema/ack.js';
import { POLICY } from './policy.js';
import { readRegularFile } from './regular-file.js';

export const DEFAULT_ACKS = ACKS_NAME;

export interface AckFile {
  /** As it is named to the user. */
  readonly file: string;
  readonly entries: readonly Entry[];
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
    text = readRegularFile(kernelPath(cwd, file))
      .toString('utf8')
      .replace(/^\ufeff/, '');
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new LakelogError(`the acknowledgements cannot be read: ${messageOf(error)}`, {
      where: file,
      next: `correct --acks (or LAKELOG_ACKS, or acks in ${POLICY}), or make the file readable`,
    });
  }
  const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 }));
  const written = lines.filter(({ line }) => line !== '');
  if (written.length === 0) return { file, entries: [] };
  const { ackLine } = await import('../schema/envelope.js');
  const entries = written.map(({ line, number }) => {
    const value = json(line);
    const parsed = ackLine.safeParse(value);
    const wrong =
      value === undefined ? 'it is not JSON (torn?)' : (firstIssue(parsed.error) ?? doubled(line));
    if (wrong === null) return { ack: parsed.data as AckLine, line: number };
    throw new LakelogError(`this is no acknowledgement: ${wrong}`, {
      where: `${file}:${number}`,
      next: 'correct the line or take it out; `lakelog ack` writes such lines, `lakelog schema --json-schema ack` describes them',
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

/** As zod has it. */
interface Issues {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

/** What is wrong with an acknowledgement; null where nothing is. */
export function firstIssue(error: Issues | undefined): string | null {
  const issue = error?.issues[0];
  if (issue === undefined) return null;
  return `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`;
}

/** Of a field that stands twice neither value counts. Only of an object without others inside, as these lines are. */
function doubled(line: string): string | null {
  const strings = [...line.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)];
  const keys = strings
    .filter(([, colon]) => colon)
    .map(([text]) => JSON.parse(text.replace(/\s*:$/, '')) as string);
  const key = keys.find((one, i) => keys.indexOf(one) < i);
  return key === undefined ? null : `${JSON.stringify(key)} stands more than once`;
}

/** Who acknowledges: --author, LAKELOG_ACK_AUTHOR, else the name of the account. */
export function authorOf(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const name = given ?? env.LAKELOG_ACK_AUTHOR ?? accountName() ?? env.USER ?? '';
  if (name.trim() !== '') return name.trim();
  throw new LakelogError('nobody acknowledges', { next: 'say who you are: --author NAME' });
}

function accountName(): string | undefined {
  try {
    return os.userInfo().username;
  } catch {
    return undefined;
  }
}
