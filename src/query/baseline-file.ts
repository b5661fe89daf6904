/** Files of `--save-baseline`: the counts of an arm, so that it can be compared without its logs. */
import { createHash } from 'node:crypto';
import { LakelogError, messageOf } from '../errors.js';
import { kernelPath } from '../kernel-path.js';
import type { ArmCounts, BaselineFile, Counts } from '../schema/counts.js';
import { BASELINE_FORMAT, COUNTS } from '../schema/counts.js';
import { firstIssue } from './acks.js';
import { readRegularFile } from './regular-file.js';

/** As many keys as queries/decisions/sample.sql takes. */
const SAMPLED = 200;

/** Nobody needs the calls themselves. */
const digestOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 16);

export const sampleDigests = (keys: readonly string[]): string[] => keys.map(digestOf);

const checksum = (body: object) => createHash('sha256').update(JSON.stringify(body)).digest('hex');

export function baselineText(
  parts: Omit<BaselineFile, 'format' | 'sha256' | keyof ArmCounts> & { readonly counts: ArmCounts },
): string {
  const { counts, ...rest } = parts;
  const body = { format: BASELINE_FORMAT, ...rest, ...counts };
  return `${JSON.stringify({ ...body, sha256: checksum(body) }, null, 1)}\n`;
}

/**
 * @param role the arm that it was named for.
 * @throws LakelogError (exit 2) for what cannot be read, is damaged, something else, or of a newer lakelog.
 */
export async function readBaseline(file: string, cwd: string, role = 'baseline'): Promise<BaselineFile> {
  const refused = (
    why: string,
    next = 'save it anew: lakelog compare --baseline SELECTION --save-baseline FILE',
  ) => new LakelogError(`the ${role} ${why}`, { where: file, next });
  let text: string;
  try {
    text = readRegularFile(kernelPath(cwd, file)).toString('utf8');
  } catch (error) {
    throw refused(
      `cannot be read: ${messageOf(error)}`,
      'name a file of --save-baseline, or a selection: model=gpt-4.1,since=2026-09-01',
    );
  }
  const value = json(text);
  if (typeof value !== 'object' || value === null) throw refused('is damaged: it is not one JSON object');
  const { format } = value as { format?: unknown };
  if (format !== BASELINE_FORMAT) throw refused(otherFormat(format));
  const { baselineFile } = await import('../schema/envelope.js');
  const parsed = baselineFile.safeParse(value);
  const wrong = firstIssue(parsed.error);
  if (wrong !== null) throw refused(`is damaged: ${wrong}`);
  const { sha256, ...body } = value as BaselineFile;
  if (checksum(body) !== sha256) throw refused('is damaged or was changed: its checksum does not fit');
  const odd = contradictionIn(body);
  if (odd !== null) throw refused(`contradicts itself: ${odd}`);
  return value as BaselineFile;
}

function otherFormat(format: unknown): string {
  const version = /^lakelog\.baseline\.v(\d+)$/.exec(String(format))?.[1];
  if (version !== undefined) return `is of a newer lakelog (format ${version}, and this one reads 1)`;
  return typeof format === 'string'
    ? `is something else: ${JSON.stringify(format)}`
    : 'is something else: it has no format';
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Numbers of kinds that add up to those of all, whatever is in them. */
const ADDED = [
  'calls',
  'answered',
  'first_shots',
  'accepted',
  'attempts_made',
  'firsts',
  'firsts_first_shots',
  'firsts_accepted',
] as const;

function contradictionIn({
  kinds,
  all,
  sample,
}: Pick<BaselineFile, 'kinds' | 'all' | 'sample'>): string | null {
  const names = kinds.map(({ kind }) => kind);
  if (new Set(names).size < names.length) return 'a kind stands twice';
  const sum = ADDED.find((name) => kinds.reduce((total, one) => total + one[name], 0) !== all[name]);
  if (sum !== undefined) return `the ${sum} of its kinds do not add up`;
  // Without it nobody would notice that the other arm holds the same calls.
  if (sample.length !== Math.min(all.answered, SAMPLED)) return 'its sample is not of its calls';
  const odd = [all, ...kinds].find((one) => !isPossible(one));
  return odd === undefined ? null : 'more successes than calls';
}

const isPossible = (c: Counts): boolean =>
  COUNTS.every((name) => c[name] >= 0 || name === 'milliseconds' || name === 'timed_accepted_milliseconds') &&
  c.first_shots <= c.accepted &&
  c.accepted <= c.answered &&
  c.answered <= c.calls &&
  c.firsts <= c.traces &&
  c.traces <= c.answered &&
  c.firsts_first_shots <= c.firsts_accepted &&
  c.firsts_accepted <= c.firsts;
