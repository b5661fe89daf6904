import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { LakelogError } from '../errors.js';
import { isExcusable, isExpired, placeOf } from '../gate/acks.js';
import { judge } from '../gate/judge.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import { type Io, styleOf } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import { foldId } from '../lake/ids.js';
import { CALLS_SQL, type Lake, MATCHES_ACKS, NO_FILTERS, openLake } from '../lake/lake.js';
import { acknowledger, appendAck, DEFAULT_ACKS, readAcks } from '../query/acks.js';
import type { Catalogue } from '../query/catalogue.js';
import type { Query } from '../query/header.js';
import { bindParams, type Given } from '../query/params.js';
import { chooseSources } from '../query/sources.js';
import { renderAck, renderFindings, renderNext, sanitize } from '../render/index.js';
import type { LoadedCall, Reject } from '../schema/account.js';
import type { AckLine } from '../schema/ack.js';
import { EXIT, type ExitCode, type FileAccount } from '../schema/result.js';
import { namedAcks } from './acks.js';
import { inputEvidence } from './evidence.js';
import { gateNamed, givenOf, violationsOf } from './gates.js';
import { asOptions, chosenParams, nextCommand } from './next.js';
import { pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { progressOn } from './terminal.js';

export interface AckFlags
  extends Pick<ReadFlags, 'sessions' | 'replayRuns' | 'maxLineBytes' | 'pendingGrace' | 'rotationGrace'> {
  readonly reason: string;
  readonly until?: string;
  readonly by?: string;
  readonly acks?: string;
  readonly gate?: string;
  readonly gatedKind?: readonly string[];
  readonly param?: readonly string[];
}

/** Settles one violation of a gate, or one line that cannot be loaded, with reason, name and date. */
export async function ack(
  given: string,
  paths: readonly string[],
  flags: AckFlags,
  catalogue: Catalogue,
  io: Io,
): Promise<ExitCode> {
  const target = given.replace(/^ (?=-:)/, '');
  const inputs = pathsOf(paths, flags);
  const gate = gateNamed(catalogue, flags.gate);
  const named = namedAcks(flags.acks, io.env);
  const file = named ?? DEFAULT_ACKS;
  const now = io.now();
  const said = saidBy(flags, io, now);
  // A file that gates cannot read would silence nothing and stop them all.
  if (existsSync(kernelPath(io.cwd, file))) await readAcks(file, io.cwd);
  const sources = await chooseSources(inputs, io.env, io.cwd, true);
  const chosen = givenOf(gate, flags.gatedKind, flags.param ?? []);
  const params = bindParams(gate, chosen);
  const progress = progressOn(io);
  const lake = await openLake({
    ...runOptionsOf(flags, NO_FILTERS, io, progress.report),
    ...MATCHES_ACKS,
    asks: [gate.sql, CALLS_SQL],
    gatedKinds: params.gatedKinds,
    params: params.columns,
  });
  try {
    const account = await lake.load(sources.requests);
    await progress.end();
    if (account.problems.length > 0) {
      const verdict = judge(inputEvidence(account, inputs, now), LENIENT_INPUT_RULES);
      await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
    }
    const context = { inputs, folders: catalogue.folders, gatedKinds: params.gatedKinds, acks: named };
    const again = nextCommand(gate.name, [], context, asOptions(gate, chosenParams(gate, params)));
    const place = placeNamed(target, account.files, io.cwd);
    const reject = place && account.rejects.length > 0 ? rejectAt(place, await lake.rejects()) : null;
    const schema = 'lakelog.ack.v1';
    const line: AckLine =
      reject === null
        ? {
            schema,
            what: 'call',
            gate: gate.name,
            ...(await callOf(lake, { target, place }, gate, chosen, again)),
            ...said,
          }
        : { schema, what: 'reject', ...linesOf(reject), ...said };
    await appendAck(file, { ...line, file: seenFrom(file, line.file, io.cwd) }, io.cwd);
    await io.stdout.write(renderAck(line, file, styleOf(io.stdout, io.env)));
    await io.stderr.write(renderNext([again]));
    return EXIT.clear;
  } finally {
    await progress.end();
    lake.close();
  }
}

function saidBy({ reason, by, until }: AckFlags, { env }: Io, now: Date) {
  return {
    reason: reasonOf(reason),
    by: acknowledger(by, env),
    at: now.toISOString(),
    until: untilOf(until, now),
  };
}

function reasonOf(reason: string): string {
  const words = reason.trim();
  if (words !== '' && words !== '…') return words;
  throw new LakelogError('an acknowledgement needs a reason', {
    next: 'say why it is settled: --reason "called the client, worker replaced, ticket 4711"',
  });
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

function untilOf(until: string | undefined, now: Date): string | null {
  if (until === undefined) return null;
  const time = DAY.test(until) ? Date.parse(`${until}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== until) {
    throw new LakelogError(`--until ${until} is no date`, {
      next: 'write it as YYYY-MM-DD; it is the last day it holds',
    });
  }
  if (isExpired({ until }, now)) {
    throw new LakelogError(`--until ${until} is in the past`, { next: 'give a day that is still to come' });
  }
  return until;
}

interface Place {
  readonly file: string;
  readonly line: number;
}

/** FILE:LINE of a loaded file: as its argument was written, else as outputs print that, else by another path to it. */
function placeNamed(target: string, files: readonly FileAccount[], cwd: string): Place | null {
  const [, name, line] = /^(.+):(\d+)$/s.exec(target) ?? [];
  if (name === undefined) return null;
  const real = realOf(name, cwd);
  const ways: readonly ((file: string) => boolean)[] = [
    (file) => file === name,
    (file) => sanitize(file) === name,
    (file) => file !== '-' && real !== null && realOf(file, cwd) === real,
  ];
  const names = files.map(({ file }) => file);
  const [file, ...others] = ways.map((way) => names.filter(way)).find((found) => found.length > 0) ?? [];
  if (file === undefined) return null;
  if (others.length === 0) return { file, line: Number(line) };
  throw new LakelogError(`${JSON.stringify(name)} is how ${others.length + 1} files are printed`, {
    next: 'name the one that is meant as the only input',
  });
}

/** Null for what is not there. */
function realOf(file: string, cwd: string): string | null {
  try {
    // The other one shortens `link/..` in the text first.
    return realpathSync.native(kernelPath(cwd, file));
  } catch {
    return null;
  }
}

function rejectAt(place: Place, rejects: readonly Reject[]): Reject | null {
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

/** One spelling per file: as it is seen from the folder of the acknowledgements. */
function seenFrom(acks: string, file: string, cwd: string): string {
  if (file === '-') return file;
  return path.relative(path.dirname(path.resolve(cwd, acks)), path.resolve(cwd, file)) || file;
}

function linesOf({ file, line, reason, line_sha256 }: Reject) {
  return { line_sha256, reject_reason: reason, file, line };
}

/** The one call in the gate's answer that the target names. */
async function callOf(
  lake: Lake,
  { target, place }: { readonly target: string; readonly place: Place | null },
  gate: Query,
  given: Given,
  again: string,
): Promise<LoadedCall & { values: readonly string[] }> {
  if (target === '') {
    throw new LakelogError('the target is empty', { next: 'give a session_id, a call_id or FILE:LINE' });
  }
  const named = [
    ...(place === null ? [] : await lake.calls(place)),
    ...(await lake.calls({ beginning: target })),
  ];
  if (named.length === 0) {
    throw new LakelogError(`${JSON.stringify(target)} is no loaded call, and no line that was rejected`, {
      next: `give a session_id, a call_id or FILE:LINE as this prints them: ${again}`,
    });
  }
  const violations = await violationsOf(lake, gate, given);
  // What is named whole is meant, however many others begin with it.
  const isExact = (call: LoadedCall) =>
    [call.call_key, call.session_id].map(foldId).includes(foldId(target)) ||
    (place !== null && placeOf(call) === placeOf(place));
  const meant = named.some(isExact) ? named.filter(isExact) : named;
  const open = [...new Map(meant.map((call) => [placeOf(call), call])).values()].filter((call) =>
    violations.has(placeOf(call)),
  );
  const [only, ...others] = open;
  if (only === undefined) {
    throw new LakelogError(
      `${gate.name} has nothing against ${named.length === 1 ? placeOf(named[0]!) : `any of the ${named.length} calls`}, so there is nothing to settle`,
      {
        next: `see what it found: ${again}; if its kinds differ, name them with --gated-kind`,
      },
    );
  }
  const values = violations.get(placeOf(only)) ?? [];
  if (others.length === 0) return { ...only, values };
  throw new LakelogError(
    `${open.length} calls in the answer of ${gate.name} begin with ${JSON.stringify(target)}`,
    {
      detail: open
        .slice(0, 5)
        .map((call) => `${call.call_key}  ${call.timestamp}  ${placeOf(call)}`)
        .join('\n'),
      next: 'settle them one by one, each by its key',
    },
  );
}
