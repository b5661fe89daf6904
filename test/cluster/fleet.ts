/** Random logs as many hosts have them: rotated, grown between two publications, shared, published twice; laid out on disk. */
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync } from 'node:fs';
import path from 'node:path';
import { publish, writeHostLogs } from '../folder/folder-lake.js';
import { randomLogs } from '../oracle/random-logs.mjs';
import fc from '../support/fast-check.js';
import { tempFolder } from '../support/lake.js';

/** A log and the batches that it is published in, one after the other. */
interface Log {
  readonly name: string;
  readonly parts: readonly Buffer[];
}

/** Hosts by their place, each with its logs. */
export type Fleet = readonly (readonly Log[])[];

/** Pieces of a log at the ends of lines, of which every one has its end: what has none yet is not published. */
function cutAt(bytes: Buffer, ...shares: readonly number[]): Buffer[] {
  const lines = bytes.length === 0 ? [] : bytes.toString('latin1').replace(/\n$/, '').split('\n');
  const ends = [0, ...shares.map((share) => Math.floor((lines.length * share) / 100)), lines.length];
  return ends.slice(1).map((end, i) =>
    Buffer.from(
      lines
        .slice(ends[i], end)
        .map((line) => `${line}\n`)
        .join(''),
      'latin1',
    ),
  );
}

function logsOf(sessions: Buffer, replays: Buffer, rotated: number, grown: number): Log[] {
  const [old, ...current] = cutAt(sessions, rotated, rotated + ((100 - rotated) * grown) / 100);
  return [
    { name: 'replay_runs.jsonl', parts: cutAt(replays, grown) },
    // Called so that it comes before the one that is written to, whatever follows the name.
    { name: 'sessions-20260831.jsonl', parts: [old!] },
    { name: 'sessions.jsonl', parts: current },
  ].filter(({ parts }) => parts.some(({ length }) => length > 0));
}

/**
 * Lines of the first host stand in the logs of all others too, but for blank ones: with the one that `inOrder` adds to
 * it, its log would be the first batch of theirs, which both then share (docs/LAKE.md) and memory cannot.
 */
function withShared(drawn: readonly Drawn[], shared: number): Fleet {
  const first = drawn[0]!.logs.sessions.toString('latin1').split('\n');
  const lent = first
    .slice(0, shared)
    .filter((line) => line.trim() !== '')
    .map((line) => `${line}\n`)
    .join('');
  return drawn.map(({ logs: { sessions, replays }, rotated, grown }, i) => {
    const own = cutAt(sessions)[0]!;
    return logsOf(i === 0 ? own : Buffer.concat([Buffer.from(lent, 'latin1'), own]), replays, rotated, grown);
  });
}

interface Drawn {
  readonly logs: { readonly sessions: Buffer; readonly replays: Buffer };
  readonly rotated: number;
  readonly grown: number;
}

const share = fc.constantFrom(0, 30, 60, 100);

export const fleets: fc.Arbitrary<Fleet> = fc
  .record({
    hosts: fc.array(
      fc.record({
        logs: randomLogs({ dirty: true, maxCalls: 25, maxRuns: 10 }),
        rotated: share,
        grown: share,
      }),
      { minLength: 2, maxLength: 4 },
    ),
    shared: fc.nat(9),
  })
  .map(({ hosts, shared }) => withShared(hosts, shared))
  .filter((fleet) => fleet.every((logs) => logs.length > 0));

/**
 * Of lines that stand in several batches the one in the batch of the lowest hash is kept, and in memory the first one:
 * a blank line at the end of each batch makes the order of the hashes that of hosts, logs and bytes.
 */
function inOrder(fleet: Fleet): Fleet {
  const count = fleet.flat().flatMap(({ parts }) => parts.filter(({ length }) => length > 0)).length;
  let place = 0;
  const next = (bytes: Buffer) => (bytes.length === 0 ? bytes : padded(bytes, place++, count));
  return fleet.map((logs) => logs.map(({ name, parts }) => ({ name, parts: parts.map(next) })));
}

/** @returns the bytes with a blank line whose hash falls into this one of so many equal ranges. */
function padded(bytes: Buffer, place: number, count: number): Buffer {
  for (let spaces = 0; ; spaces++) {
    const tried = Buffer.concat([bytes, Buffer.from(`${' '.repeat(spaces)}\n`)]);
    const start = createHash('sha256').update(tried).digest().readUInt32BE();
    if (Math.floor((start / 2 ** 32) * count) === place) return tried;
  }
}

export const hostOf = (i: number) => `h${String(i).padStart(2, '0')}`;

/** Writes and publishes it in two rounds, the logs of the first host by another one too. @returns the logs, in order. */
export async function publishFleet(lake: string, drawn: Fleet): Promise<string[]> {
  const fleet = inOrder(drawn);
  const folder = tempFolder();
  const files = fleet.map((logs, i) =>
    writeHostLogs(folder, hostOf(i), Object.fromEntries(logs.map(({ name, parts }) => [name, parts[0]!]))),
  );
  const copied = path.join(tempFolder(), hostOf(0));
  const publishAll = async () => {
    for (const [i, paths] of files.entries()) await publish(lake, hostOf(i), paths);
    // What another host published already, byte for byte: nothing new.
    cpSync(path.join(folder, hostOf(0)), copied, { recursive: true });
    const copies = files[0]!.map((file) => path.join(copied, path.basename(file)));
    await publish(lake, 'other', copies);
  };
  await publishAll();
  for (const [i, logs] of fleet.entries())
    for (const [k, { parts }] of logs.entries())
      for (const part of parts.slice(1)) appendFileSync(files[i]![k]!, part);
  await publishAll();
  return files.flat();
}
