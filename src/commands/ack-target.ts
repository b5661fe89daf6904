/** What somebody names to settle: FILE:LINE as any output prints it, or a call by its key or trace. */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { LakelogError, shellWord } from '../errors.js';
import { isExcusable, type KnownChange, type KnownReject, type Place, placeOf } from '../gate/acks.js';
import { holesWithin, holeTarget, type KnownHole } from '../gate/holes.js';
import { kernelPath } from '../kernel-path.js';
import { foldId } from '../lake/ids.js';
import type { Lake } from '../lake/lake.js';
import type { Query } from '../query/header.js';
import type { Given } from '../query/params.js';
import { sanitize } from '../render/index.js';
import type { LoadedCall } from '../schema/account.js';
import type { AckLine, Said } from '../schema/ack.js';
import { changesIn, type Loaded } from './acks.js';
import { violationsOf } from './gates.js';

/** What an acknowledgement says of what it settles. */
export type Subject = AckLine extends infer A ? (A extends AckLine ? Omit<A, SaidLater> : never) : never;
type SaidLater = 'schema' | 'reason' | 'author' | 'at' | 'expires';

/** FILE:LINE of one of the files: as its argument was written, else as outputs print that, else by another path to it. */
export function placeNamed(target: string, files: readonly string[], cwd: string): Place | null {
  const [, name, line] = /^(.+):(\d+)$/s.exec(target) ?? [];
  if (name === undefined) return null;
  const real = realOf(name, cwd);
  const ways: readonly ((file: string) => boolean)[] = [
    (file) => file === name,
    (file) => sanitize(file) === name,
    (file) => file !== '-' && real !== null && realOf(file, cwd) === real,
  ];
  const [file, ...others] = ways.map((way) => files.filter(way)).find((found) => found.length > 0) ?? [];
  if (file === undefined) return null;
  if (others.length === 0) return { file, line: Number(line) };
  throw new LakelogError(`${JSON.stringify(name)} is how ${others.length + 1} files are printed`, {
    next: 'name the one that is meant as the only input',
  });
}

/** Numbers of a writer, as `WRITER:FROM-TO` names them. */
export function holeNamed(target: string): Pick<KnownHole, 'writer_id' | 'from_seq' | 'to_seq'> | null {
  const [, writer_id, from, to] = /^(.*):(\d{1,16})-(\d{1,16})$/s.exec(target) ?? [];
  return writer_id === undefined ? null : { writer_id, from_seq: Number(from), to_seq: Number(to) };
}

/** As records have it, or as outputs print that. */
export const isWriterNamed = (writer: string, name: string) => writer === name || sanitize(writer) === name;

/** The same for a file, or by another path to it. */
export function isFileNamed(file: string, name: string, cwd: string): boolean {
  if (file === name || sanitize(file) === name) return true;
  const real = file === '-' ? null : realOf(name, cwd);
  return real !== null && realOf(file, cwd) === real;
}

/** Null for what is not there. */
export function realOf(file: string, cwd: string): string | null {
  try {
    // The other one shortens `link/..` in the text first.
    return realpathSync.native(kernelPath(cwd, file));
  } catch {
    return null;
  }
}

/** One spelling per file: as it is seen from the folder of the acknowledgements. */
function seenFrom(acks: string, file: string, cwd: string): string {
  if (file === '-') return file;
  return path.relative(path.dirname(path.resolve(cwd, acks)), path.resolve(cwd, file)) || file;
}

/** Lines of the file `acks`. */
export function linesOf(
  subjects: readonly Subject[],
  said: Pick<Said, 'reason' | 'author' | 'at' | 'expires'>,
  acks: string,
  cwd: string,
): AckLine[] {
  return subjects.map((subject) => ({
    schema: 'lakelog.ack.v1',
    ...subject,
    ...said,
    file: seenFrom(acks, subject.file, cwd),
  }));
}

/**
 * All that the target names: a rejected line, a changed file, holes of a writer, or a call in the gate's answer.
 * @throws LakelogError (exit 2) where nothing or too much is named.
 */
export async function subjectsAt(
  target: string,
  { lake, account }: Pick<Loaded, 'lake' | 'account'>,
  asked: AskedGate,
  cwd: string,
): Promise<Subject[]> {
  const files = account.files.map((one) => one.file);
  const place = placeNamed(target, files, cwd);
  const reject = place && account.rejects.length > 0 ? rejectAt(place, await lake.rejects()) : null;
  if (reject !== null) return [rejectSubject(reject)];
  const changes = changesAt(target, changesIn(account), cwd);
  if (changes.length > 0) return changes;
  const holes = holeNamed(target) && account.gaps.length > 0 ? holesAt(target, await lake.holes()) : [];
  if (holes.length === 0) return callsAt(lake, target, place, asked);
  const calls = await lake.calls({ beginning: target });
  if (!calls.some((call) => isExact(call, target))) return holes;
  throw new LakelogError(`${JSON.stringify(target)} names a call and missing numbers of a writer`, {
    next: 'name the call by its FILE:LINE, the numbers by a smaller or larger range',
  });
}

const isExact = ({ call_key, session_id }: LoadedCall, target: string) =>
  [call_key, session_id].map(foldId).includes(foldId(target));

/** @throws LakelogError (exit 2) for a line that nothing settles. */
export function rejectAt(place: Place, rejects: readonly KnownReject[]): KnownReject | null {
  const found = rejects.find((reject) => placeOf(reject) === placeOf(place));
  if (!found) return null;
  if (isExcusable(found.reason)) return found;
  throw new LakelogError(
    `a line with an unknown schema could be anything, so nothing settles it: ${found.detail}`,
    {
      where: placeOf(place),
      next: 'take the line out of the log, or keep records of other formats in a file of their own',
    },
  );
}

export function rejectSubject({ file, line, reason, line_sha256 }: KnownReject): Subject {
  return { what: 'reject', line_sha256, reject_reason: reason, file, line };
}

/**
 * One for each hole among the numbers that the target names, so that what is lost there later is not settled too.
 * @throws LakelogError (exit 2) where such a writer has holes, but none there.
 */
export function holesAt(target: string, holes: readonly KnownHole[]): Subject[] {
  const named = holeNamed(target);
  if (named === null) return [];
  const ofWriter = holes.filter(({ writer_id }) => isWriterNamed(writer_id, named.writer_id));
  const found = holesWithin(ofWriter, named);
  const [first] = ofWriter;
  if (first === undefined || found.length > 0) return found.map((hole) => ({ what: 'hole', ...hole }));
  throw new LakelogError(
    `no number from ${named.from_seq} to ${named.to_seq} is missing from writer ${JSON.stringify(first.writer_id)}`,
    {
      where: placeOf(first),
      next: `name one that is, e.g. ${shellWord(holeTarget(first.writer_id, { from: first.from_seq, to: first.to_seq }))}`,
    },
  );
}

/** The file that the target names, where it was changed. */
export function changesAt(target: string, changes: readonly KnownChange[], cwd: string): Subject[] {
  return changes
    .filter(({ path }) => isFileNamed(path, target, cwd))
    .flatMap(({ path, fingerprint }) =>
      fingerprint === undefined ? [] : [{ what: 'changed_file', file: path, head_sha256: fingerprint }],
    );
}

/** A gate that is asked, and the command that asks it again. */
export interface AskedGate {
  readonly gate: Query;
  readonly given: Given;
  readonly again: string;
}

/**
 * The one call in the gate's answer that the target names; where it names none, the records that share its call_id.
 * @throws LakelogError (exit 2) where nothing or too much is named.
 */
export async function callsAt(
  lake: Lake,
  target: string,
  place: Place | null,
  asked: AskedGate,
): Promise<Subject[]> {
  const { gate, given, again } = asked;
  const meant = await callsMeant(lake, target, place, again);
  const violations = await violationsOf(lake, gate, given);
  const open = meant.filter((call) => violations.has(placeOf(call)));
  const [only, ...others] = open;
  if (only === undefined) return conflictsAmong(lake, meant, target, asked);
  if (others.length > 0) throw ambiguous(`in the answer of ${gate.name}`, target, open);
  return [{ what: 'call', gate: gate.name, ...only, values: violations.get(placeOf(only)) ?? [] }];
}

/** What is named whole is meant, however many others begin with it. */
async function callsMeant(
  lake: Lake,
  target: string,
  place: Place | null,
  again: string,
): Promise<LoadedCall[]> {
  if (target === '') {
    throw new LakelogError('the target is empty', {
      next: 'give a session_id, a call_id, FILE:LINE or WRITER:FROM-TO',
    });
  }
  const named = [
    ...(place === null ? [] : await lake.calls(place)),
    ...(await lake.calls({ beginning: target })),
  ];
  if (named.length === 0) {
    throw new LakelogError(
      `${JSON.stringify(target)} is no loaded call, no line that was rejected and no hole of a writer`,
      {
        next: `give a session_id, a call_id, FILE:LINE or WRITER:FROM-TO as this prints them: ${again}`,
      },
    );
  }
  const isWhole = (call: LoadedCall) =>
    isExact(call, target) || (place !== null && placeOf(call) === placeOf(place));
  const meant = named.some(isWhole) ? named.filter(isWhole) : named;
  return [...new Map(meant.map((call) => [placeOf(call), call])).values()];
}

async function conflictsAmong(
  lake: Lake,
  meant: readonly LoadedCall[],
  target: string,
  { gate, again }: AskedGate,
): Promise<Subject[]> {
  const places = new Set(meant.map(placeOf));
  const shared = (await lake.conflicts()).filter((conflict) => places.has(placeOf(conflict)));
  if (shared.length === 0) {
    const what = meant.length === 1 ? placeOf(meant[0]!) : `any of the ${meant.length} calls`;
    throw new LakelogError(`${gate.name} has nothing against ${what}, so there is nothing to settle`, {
      next: `see what it found: ${again}; if its kinds differ, name them with --gated-kind`,
    });
  }
  if (new Set(shared.map(({ call_id }) => call_id)).size > 1) {
    const among = new Set(shared.map(placeOf));
    throw ambiguous(
      'that share a call_id',
      target,
      meant.filter((call) => among.has(placeOf(call))),
    );
  }
  return shared.map((conflict) => ({ what: 'conflict', ...conflict }));
}

function ambiguous(which: string, target: string, calls: readonly LoadedCall[]): LakelogError {
  return new LakelogError(`${calls.length} calls ${which} begin with ${JSON.stringify(target)}`, {
    detail: calls
      .slice(0, 5)
      .map((call) => `${call.call_key}  ${call.timestamp}  ${placeOf(call)}`)
      .join('\n'),
    next: 'settle them one by one, each by its key',
  });
}
