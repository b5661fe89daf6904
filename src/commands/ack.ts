import { existsSync } from 'node:fs';
import path from 'node:path';
import { LakelogError, shellWord } from '../errors.js';
import { isExcusable, type KnownReject, placeOf } from '../gate/acks.js';
import { type Io, styleOf } from '../io.js';
import { type Lake, type LoadedCall, NO_FILTERS, openLake } from '../lake/lake.js';
import { needsOf } from '../lake/tables.js';
import { acknowledger, appendAck, DEFAULT_ACKS, readAcks } from '../query/acks.js';
import type { Catalogue } from '../query/catalogue.js';
import type { Query } from '../query/header.js';
import { bindParams, type Given } from '../query/params.js';
import { chooseSources } from '../query/sources.js';
import { renderAck, renderNext } from '../render/index.js';
import type { AckLine } from '../schema/ack.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { gateNamed, violationsOf } from './gates.js';
import { asArguments, pathsOf, type ReadFlags, runOptionsOf } from './options.js';
import { progressOn } from './terminal.js';

export interface AckFlags
  extends Pick<ReadFlags, 'sessions' | 'replayRuns' | 'maxLineBytes' | 'pendingGrace'> {
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
  target: string,
  paths: readonly string[],
  flags: AckFlags,
  catalogue: Catalogue,
  io: Io,
): Promise<ExitCode> {
  const inputs = pathsOf(paths, flags);
  const gate = gateNamed(catalogue, flags.gate);
  const file = flags.acks ?? DEFAULT_ACKS;
  const now = io.now();
  const said = {
    reason: reasonOf(flags.reason),
    by: acknowledger(flags.by, io.env),
    at: now.toISOString(),
    until: untilOf(flags.until, now),
  };
  // A file that gates cannot read would silence nothing and stop them all.
  if (existsSync(path.resolve(io.cwd, file))) await readAcks(file, io.cwd);
  const sources = await chooseSources(inputs, io.env, io.cwd, true);
  const given = givenOf(gate, flags);
  const params = bindParams(gate, given);
  const progress = progressOn(io);
  const lake = await openLake({
    ...runOptionsOf(flags, NO_FILTERS, io, progress.report),
    needs: needsOf(gate.sql, { showContent: false }),
    gatedKinds: params.gatedKinds,
    params: params.columns,
  });
  try {
    const account = await lake.load(sources.requests);
    await progress.end();
    const again = `lakelog ${gate.name}${asArguments(inputs)}${contextOf(flags)}`;
    const reject = account.rejects.length === 0 ? null : rejectAt(target, await lake.rejects());
    const line: AckLine =
      reject === null
        ? {
            schema: 'lakelog.ack.v1',
            what: 'call',
            gate: gate.name,
            ...(await callOf(lake, target, gate, given, inputs)),
            ...said,
          }
        : { schema: 'lakelog.ack.v1', what: 'reject', ...linesOf(reject), ...said };
    appendAck(file, line, io.cwd);
    await io.stdout.write(renderAck(line, file, styleOf(io.stdout, io.env)));
    await io.stderr.write(renderNext([again]));
    return EXIT.clear;
  } finally {
    await progress.end();
    lake.close();
  }
}

function contextOf({ gatedKind = [], acks }: AckFlags): string {
  const kinds = gatedKind.map((kind) => ` --gated-kind ${shellWord(kind)}`).join('');
  return kinds + (acks === undefined ? '' : ` --acks ${shellWord(acks)}`);
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
  if (time + 86_400_000 <= now.getTime()) {
    throw new LakelogError(`--until ${until} is in the past`, { next: 'give a day that is still to come' });
  }
  return until;
}

function givenOf(gate: Query, { gatedKind, param = [] }: AckFlags): Given {
  const given: Record<string, string[] | boolean> = {};
  for (const one of param) {
    const [, name, text] = /^(\w+)=([\s\S]*)$/.exec(one) ?? [];
    const known = gate.params.find((candidate) => candidate.name === name);
    if (name === undefined || text === undefined || known === undefined) {
      throw new LakelogError(`-p ${one} sets no parameter of ${gate.name}`, {
        next: `use name=value with one of ${gate.params.map((candidate) => candidate.name).join(', ')}`,
      });
    }
    if (known.of.type === 'flag') given[name] = text === 'true';
    else given[name] = [...((given[name] as string[] | undefined) ?? []), text];
  }
  const kinds = gate.params.find((candidate) => candidate.of.type === 'kinds');
  if (kinds && gatedKind) given[kinds.name] = [...gatedKind];
  return given;
}

function rejectAt(target: string, rejects: readonly KnownReject[]): KnownReject | null {
  const found = rejects.find((reject) => placeOf(reject) === target);
  if (!found) return null;
  if (isExcusable(found.reason)) return found;
  throw new LakelogError(
    `a line with an unknown schema could be anything, so nothing settles it: ${found.detail}`,
    {
      where: target,
      next: 'take the line out of the log, or keep records of other formats in a file of their own',
    },
  );
}

function linesOf({ file, line, reason, line_sha256 }: KnownReject) {
  return { line_sha256, reject_reason: reason, file, line };
}

/** The one call in the gate's answer that the target names. */
async function callOf(
  lake: Lake,
  target: string,
  gate: Query,
  given: Given,
  inputs: Parameters<typeof asArguments>[0],
): Promise<LoadedCall> {
  const [, file, line] = /^(.+):(\d+)$/.exec(target) ?? [];
  const named = [
    ...(file === undefined ? [] : await lake.calls({ file, line: Number(line) })),
    ...(await lake.calls({ beginning: target })),
  ];
  if (named.length === 0) {
    throw new LakelogError(`${JSON.stringify(target)} is no loaded call, and no line that was rejected`, {
      next: `give a session_id, a call_id or FILE:LINE as lakelog ${gate.name}${asArguments(inputs)} prints them`,
    });
  }
  const violations = await violationsOf(lake, gate, given);
  const open = named.filter((call) => violations.has(placeOf(call)));
  const exact = open.filter((call) => call.call_key === target || placeOf(call) === target);
  const [only, ...others] = exact.length > 0 ? exact : open;
  if (only === undefined) {
    throw new LakelogError(
      `${gate.name} has nothing against ${named.length === 1 ? placeOf(named[0]!) : `any of the ${named.length} calls`}, so there is nothing to settle`,
      {
        next: `see what it found: lakelog ${gate.name}${asArguments(inputs)}; if its kinds differ, name them with --gated-kind`,
      },
    );
  }
  if (others.length === 0) return only;
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
