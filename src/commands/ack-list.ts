/** Looking through the acknowledgements: what each settles, whether it still does, and taking out what does not. */
import path from 'node:path';
import { LakelogError } from '../errors.js';
import { type Known, placeOf, type Reviewed, review, subjectOf } from '../gate/acks.js';
import { type Io, styleOf } from '../io.js';
import { DEFAULT_ACKS, readAcks } from '../query/acks.js';
import { removeAcks } from '../query/acks-file.js';
import type { Settings } from '../query/settings.js';
import { type AckState, renderAckList, renderRemoved, sanitize } from '../render/index.js';
import type { Account } from '../schema/account.js';
import { type AckLine, driftTarget, type Entry, type HoleAck, hashOf, placeOfAck } from '../schema/ack.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { holeNamed, isFileNamed, isWriterNamed, placeNamed, realOf } from './ack-target.js';
import { knownTo, type LogFlags, withLogs } from './acks.js';

/** Lists every acknowledgement and what became of it. */
export async function listAcks(
  paths: readonly string[],
  flags: LogFlags & { readonly json?: true },
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  const style = styleOf(io.stdout, io.env);
  const found = await entriesOf(settings, io);
  const { file, entries } = found;
  if (entries.length === 0) {
    await io.stdout.write(renderAckList([], flags.json === true, style));
    await io.stderr.write(`no acknowledgements in ${sanitize(file)}\n`);
    return EXIT.clear;
  }
  return withLogs(paths, flags, entries, {}, settings, io, async ({ lake, account, exitCode }) => {
    const states = statesOf(found, await knownTo(entries, account, lake), account, io);
    await io.stdout.write(renderAckList(states, flags.json === true, style));
    return exitCode;
  });
}

/** Takes out those that match nothing, unless the log that they speak of was not read. */
export async function pruneAcks(
  paths: readonly string[],
  flags: LogFlags,
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  const found = await entriesOf(settings, io);
  const { file, entries } = found;
  if (entries.length === 0) {
    await io.stdout.write(renderRemoved([], file, styleOf(io.stdout, io.env)));
    return EXIT.clear;
  }
  return withLogs(paths, flags, entries, {}, settings, io, async ({ lake, account, exitCode }) => {
    // What could not be looked at is not gone.
    if (exitCode !== EXIT.clear) {
      throw new LakelogError('not all logs could be read, so nothing was taken out', {
        where: file,
        next: 'name logs that can be read, or take single ones out: lakelog ack rm N',
        exitCode,
      });
    }
    const states = statesOf(found, await knownTo(entries, account, lake), account, io);
    const idle = new Set(states.filter(isIdle).map(({ entry }) => JSON.stringify(entry.ack)));
    const removed = await removeAcks(file, io.cwd, (now) =>
      withReplaced(
        now,
        now.filter(({ ack }) => idle.has(JSON.stringify(ack))),
      ),
    );
    await io.stdout.write(renderRemoved(removed, file, styleOf(io.stdout, io.env)));
    const unread = states.filter(({ state }) => state === 'not read').length;
    if (unread > 0)
      await io.stderr.write(`${unread} more match nothing, but their log is there and was not read\n`);
    return EXIT.clear;
  });
}

const isIdle = ({ match, state }: AckState) => match === null && state !== 'not read';

/** Takes out what is named by its number, the hash of its line, its call or FILE:LINE. */
export async function removeNamed(targets: readonly string[], settings: Settings, io: Io): Promise<ExitCode> {
  const { file, entries: before } = await entriesOf(settings, io);
  if (before.length === 0)
    throw new LakelogError('there are no acknowledgements', {
      where: file,
      next: 'name their file with --acks',
    });
  const removed = await removeAcks(file, io.cwd, (entries) =>
    withReplaced(
      entries,
      targets.flatMap((target) => named(target.replace(/^ (?=-:)/, ''), entries, file, io.cwd)),
    ),
  );
  await io.stdout.write(renderRemoved(removed, file, styleOf(io.stdout, io.env)));
  return EXIT.clear;
}

interface Found {
  readonly file: string;
  readonly entries: readonly Entry[];
}

async function entriesOf(settings: Settings, io: Io): Promise<Found> {
  const given = settings.get('acks');
  return (await readAcks(given, io.cwd)) ?? { file: given ?? DEFAULT_ACKS, entries: [] };
}

function statesOf({ file, entries }: Found, known: Known, account: Account, io: Io): AckState[] {
  const read = new Set(account.files.map((one) => realOf(one.file, io.cwd) ?? one.file));
  return review(entries, known, io.now()).map((reviewed) => {
    const place = seenFromHere(reviewed.entry.ack, file, io.cwd);
    return { ...reviewed, place: placeOfAck(place), state: stateOf(reviewed, place.file, read, io.cwd) };
  });
}

function stateOf(
  { replacedBy, expired, match }: Reviewed,
  log: string,
  read: ReadonlySet<string>,
  cwd: string,
): AckState['state'] {
  const real = log === '-' ? log : realOf(log, cwd);
  if (match === null && real !== null && !read.has(real)) return 'not read';
  if (replacedBy !== null) return 'replaced';
  if (expired) return 'expired';
  return match === null ? 'matches nothing' : 'holds';
}

/** The same, with its file as it is called from the working folder. */
function seenFromHere(ack: AckLine, acks: string, cwd: string): AckLine {
  if (ack.file === '-') return ack;
  const whole = path.resolve(cwd, path.dirname(acks), ack.file);
  return { ...ack, file: path.relative(cwd, whole) || ack.file };
}

/** What an acknowledgement had replaced goes with it, or it would count again. */
function withReplaced(entries: readonly Entry[], chosen: readonly Entry[]): Set<number> {
  const last = new Map(chosen.map(({ ack, line }) => [subjectOf(ack), line] as const));
  for (const { ack, line } of chosen) last.set(subjectOf(ack), Math.max(line, last.get(subjectOf(ack)) ?? 0));
  const lines = entries.filter(({ ack, line }) => line <= (last.get(subjectOf(ack)) ?? 0));
  return new Set(lines.map(({ line }) => line));
}

const NUMBER = /^\d{1,7}$/;
const HASH = /^[0-9a-f]{8,64}$/i;

/** @throws LakelogError (exit 2) where nothing is named, or where one hash is the beginning of several. */
function named(target: string, entries: readonly Entry[], file: string, cwd: string): Entry[] {
  const ways: (() => Entry[])[] = [
    () => (NUMBER.test(target) ? entries.filter(({ line }) => line === Number(target)) : []),
    () => {
      const place = placeNamed(target, [file], cwd);
      return entries.filter(({ line }) => line === place?.line);
    },
    () => placed(target, entries, ({ ack }) => seenFromHere(ack, file, cwd), cwd),
    () => placed(target, entries, ({ ack }) => ack, cwd),
    () => entries.filter(({ ack }) => ack.what === 'call' && ack.call_key === target),
    () => entries.filter(({ ack }) => ack.what === 'hole' && isWithin(ack, target)),
    () => entries.filter(({ ack }) => ack.what === 'drift' && driftTarget(ack) === target),
    () =>
      entries.filter(
        ({ ack }) =>
          ack.what === 'changed_file' && isFileNamed(seenFromHere(ack, file, cwd).file, target, cwd),
      ),
    () =>
      HASH.test(target) ? entries.filter(({ ack }) => hashOf(ack)?.startsWith(target.toLowerCase())) : [],
  ];
  const found = ways.map((way) => way()).find((some) => some.length > 0);
  if (found === undefined) {
    throw new LakelogError(`${JSON.stringify(target)} names no acknowledgement`, {
      where: file,
      next: 'give its number, its hash or its place as `lakelog ack list` prints them',
    });
  }
  if (new Set(found.map(({ ack }) => hashOf(ack))).size === 1 || !HASH.test(target)) return found;
  throw new LakelogError(`${found.length} acknowledgements begin with ${JSON.stringify(target)}`, {
    where: file,
    next: 'give more of the hash, or the number',
  });
}

function placed(
  target: string,
  entries: readonly Entry[],
  seen: (entry: Entry) => AckLine,
  cwd: string,
): Entry[] {
  const files = [...new Set(entries.map((entry) => seen(entry).file))];
  const place = placeNamed(target, files, cwd);
  return place === null ? [] : entries.filter((entry) => placeOfAck(seen(entry)) === placeOf(place));
}

function isWithin(ack: HoleAck, target: string): boolean {
  const hole = holeNamed(target);
  if (hole === null || !isWriterNamed(ack.writer_id, hole.writer_id)) return false;
  return hole.from_seq <= ack.from_seq && ack.to_seq <= hole.to_seq;
}
