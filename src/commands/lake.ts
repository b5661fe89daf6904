import { readFile } from 'node:fs/promises';
import { LakelogError, messageOf, shellWord } from '../errors.js';
import { type Io, styleOf } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import { type InspectOptions, inspectLake, type ReceiptFile, verifyLakeFile } from '../lake/inspect.js';
import type { Settings } from '../query/settings.js';
import { renderLakeInfo, renderLogChecks } from '../render/index.js';
import type { LogCheck } from '../schema/lake.js';
import { EXIT, type ExitCode } from '../schema/result.js';

export interface LakeFlags {
  readonly lake?: string;
  readonly lockTimeout?: number;
  readonly json?: true;
}

export async function lakeInfo(flags: LakeFlags, settings: Settings, io: Io): Promise<ExitCode> {
  const info = await inspectLake(optionsOf(flags, settings, io));
  await io.stdout.write(
    flags.json ? `${JSON.stringify(info)}\n` : renderLakeInfo(info, styleOf(io.stdout, io.env)),
  );
  return EXIT.clear;
}

/** 3 where a log that is still there is not what was read of it. */
export async function verifyLake(
  { receipt, ...flags }: LakeFlags & { readonly receipt?: string },
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  const files = receipt === undefined ? null : await filesOf(receipt, io.cwd);
  const checks = await verifyLakeFile(optionsOf(flags, settings, io), files);
  await io.stdout.write(
    flags.json
      ? `${JSON.stringify({ logs: checks, same: isSame(checks, files !== null) })}\n`
      : renderLogChecks(checks, styleOf(io.stdout, io.env)),
  );
  return isSame(checks, files !== null) ? EXIT.clear : EXIT.cannotVouch;
}

/** What is not there to be compared proves nothing of a receipt; a lake outlives its logs. */
function isSame(checks: readonly LogCheck[], isReceipt: boolean): boolean {
  const fine: readonly LogCheck['status'][] = isReceipt ? ['same'] : ['same', 'absent'];
  return checks.length > 0 && checks.every(({ status }) => fine.includes(status));
}

function optionsOf({ lockTimeout = 10 }: LakeFlags, settings: Settings, io: Io): InspectOptions {
  const name = settings.get('lake');
  if (name === undefined) throw new LakelogError('no lake is named', { next: 'name it: --lake FILE' });
  return { name, lockTimeoutS: lockTimeout, cwd: io.cwd, env: io.env, stdin: io.stdin };
}

/** @throws LakelogError (exit 2) for what is no envelope of a run with a lake. */
async function filesOf(file: string, cwd: string): Promise<ReceiptFile[]> {
  const fail = (what: string) =>
    new LakelogError(what, {
      where: file,
      next: `name one that a gate wrote: lakelog alarm --lake FILE --output ${shellWord('alarm.json')}`,
    });
  let envelope: unknown;
  try {
    envelope = JSON.parse(await readFile(kernelPath(cwd, file), 'utf8'));
  } catch (error) {
    throw fail(`the receipt cannot be read: ${messageOf(error)}`);
  }
  const files = (envelope as { receipt?: { files?: unknown } } | null)?.receipt?.files;
  if (!Array.isArray(files) || files.length === 0) throw fail('this is no receipt');
  const read = (files as readonly Partial<ReceiptFile>[]).filter(({ bytes, head }) => bytes !== 0 || head);
  return read.map(({ file, head = '', bytes = 0, tail_sha256 }) => {
    if (typeof file !== 'string' || !/^[0-9a-f]{64}$/.test(head))
      throw fail('the receipt names no hashes of logs: it was given without a lake');
    return { file, head, bytes, tail_sha256 };
  });
}
