import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { LakelogError, messageOf, shellWord } from '../errors.js';
import { orSettle } from '../gate/input-rules.js';
import { type Io, styleOf } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import { isCluster, isFolderLake } from '../lake/export.js';
import {
  type CareOptions,
  compactFolder,
  type InspectOptions,
  inspectFolder,
  inspectLake,
  type ReceiptFile,
  type Settle,
  verifyFolderLake,
  verifyFolderReceipt,
  verifyLakeFile,
} from '../lake/inspect.js';
import { readAcks } from '../query/acks.js';
import type { Settings } from '../query/settings.js';
import {
  renderCompacted,
  renderFilesCheck,
  renderFolderInfo,
  renderLakeInfo,
  renderLogChecks,
} from '../render/index.js';
import type { LogCheck } from '../schema/lake.js';
import { EXIT, type ExitCode, type InputProblem } from '../schema/result.js';
import { settledAmong } from './acks.js';
import { nextCommand, REASON } from './next.js';

export interface LakeFlags {
  readonly lake?: string;
  readonly acks?: string;
  readonly lockTimeout?: number;
  readonly json?: true;
  /** Whose logs are looked for. */
  readonly host?: string;
}

export async function lakeInfo(flags: LakeFlags, settings: Settings, io: Io): Promise<ExitCode> {
  const options = optionsOf(flags, settings, io);
  const style = styleOf(io.stdout, io.env);
  if (isFolderLake(options.name, io.cwd)) {
    const folder = inspectFolder(options);
    await io.stdout.write(flags.json ? `${JSON.stringify(folder)}\n` : renderFolderInfo(folder, style));
    return EXIT.clear;
  }
  const info = await inspectLake(options);
  await io.stdout.write(flags.json ? `${JSON.stringify(info)}\n` : renderLakeInfo(info, style));
  return EXIT.clear;
}

/** 3 where a log that is still there is not what was read of it. */
export async function verifyLake(
  { receipt, ...flags }: LakeFlags & { readonly receipt?: string },
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  const files = receipt === undefined ? null : await filesOf(receipt, io.cwd);
  const options = await settlingOf(flags, settings, io);
  if (isFolderLake(options.name, io.cwd) && files === null) return verifyFiles(options, flags, io);
  const checks = isFolderLake(options.name, io.cwd)
    ? verifyFolderReceipt(options, files!)
    : await verifyLakeFile(options, files);
  await io.stdout.write(
    flags.json
      ? `${JSON.stringify({ logs: checks, same: isSame(checks, files !== null) })}\n`
      : renderLogChecks(checks, styleOf(io.stdout, io.env)),
  );
  return isSame(checks, files !== null) ? EXIT.clear : EXIT.cannotVouch;
}

/** 3 where a file is not what its receipt says, or a log of this host is not what was published of it. */
async function verifyFiles(
  options: CareOptions,
  { json, host = os.hostname() }: LakeFlags,
  io: Io,
): Promise<ExitCode> {
  const { check, logs } = await verifyFolderLake(options, host);
  const same = check.problems.length === 0 && check.batches > 0 && isSame(logs, false);
  const style = styleOf(io.stdout, io.env);
  await io.stdout.write(
    json
      ? `${JSON.stringify({ ...check, logs, same })}\n`
      : `${renderFilesCheck(check, style)}${renderLogChecks(logs, style)}`,
  );
  return same ? EXIT.clear : EXIT.cannotVouch;
}

export interface CompactFlags extends LakeFlags {
  /** Seconds. */
  readonly grace: number;
}

export async function compactLake(flags: CompactFlags, settings: Settings, io: Io): Promise<ExitCode> {
  const options = await settlingOf(flags, settings, io);
  if (!isFolderLake(options.name, io.cwd))
    throw new LakelogError('this lake is a file, which has nothing to merge', {
      where: options.name,
      next: 'name a lake that is a folder: --lake DIR/',
    });
  const done = await compactFolder({ ...options, now: io.now(), graceS: flags.grace });
  await io.stdout.write(
    flags.json ? `${JSON.stringify(done)}\n` : renderCompacted(done, styleOf(io.stdout, io.env)),
  );
  return EXIT.clear;
}

/** What is not there to be compared proves nothing of a receipt; a lake outlives its logs. */
function isSame(checks: readonly LogCheck[], isReceipt: boolean): boolean {
  const fine: readonly LogCheck['status'][] = isReceipt ? ['same'] : ['same', 'absent', 'settled'];
  return checks.length > 0 && checks.every(({ status }) => fine.includes(status));
}

function optionsOf({ lockTimeout = 10 }: LakeFlags, settings: Settings, io: Io): InspectOptions {
  const name = settings.get('lake');
  if (name === undefined) throw new LakelogError('no lake is named', { next: 'name it: --lake FILE' });
  if (isCluster(name))
    throw new LakelogError('this command looks at files, which a cluster does not show', {
      where: name,
      next: 'name the folder itself, on a machine that sees it: --lake DIR/',
    });
  return { name, lockTimeoutS: lockTimeout, cwd: io.cwd, env: io.env, stdin: io.stdin };
}

/** The same, with what acknowledgements explain. */
async function settlingOf(flags: LakeFlags, settings: Settings, io: Io): Promise<CareOptions> {
  const options = optionsOf(flags, settings, io);
  const acks = settings.get('acks');
  const entries = (await readAcks(acks, io.cwd))?.entries ?? [];
  const inputs = { paths: [], sessions: [], replayRuns: [], lake: options.name };
  const told = (problem: InputProblem) => {
    const command = nextCommand('ack', [problem.path], { inputs, folders: [], acks }, REASON);
    return problem.fingerprint ? { ...problem, next: orSettle(problem.next!, command) } : problem;
  };
  const settle: Settle = (problems) => {
    const explained = settledAmong(problems, entries, io.now());
    const isSettled = (problem: InputProblem) => explained.has(problem);
    const open = problems.filter((problem) => !isSettled(problem)).map(told);
    return { settled: problems.filter(isSettled), open };
  };
  return { ...options, settle };
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
