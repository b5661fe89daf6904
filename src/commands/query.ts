import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text as readText } from 'node:stream/consumers';
import { LakelogError, messageOf, shellWord } from '../errors.js';
import { judge } from '../gate/judge.js';
import { INPUT_RULES, LENIENT_INPUT_RULES } from '../gate/rules.js';
import type { Io } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import type { BoxAbout } from '../query/box-protocol.js';
import type { BoxProcess } from '../query/boxed.js';
import { looseParams } from '../query/params.js';
import { receiptOf } from '../query/receipt.js';
import { DEFAULT_GATED_KINDS, type Settings } from '../query/settings.js';
import { chooseAsked, namingDefaults, readsReplays } from '../query/sources.js';
import type { Report } from '../render/report.js';
import type { Account } from '../schema/account.js';
import type { ExitCode, Result } from '../schema/result.js';
import { questionEvidence } from './evidence.js';
import { filtersOf, pathsOf, runOptionsOf } from './options.js';
import { jobOf, type QueryFlags } from './query-job.js';
import { planOutputs } from './query-output.js';
import { progressOn } from './terminal.js';

/** Somebody's own SELECT over the tables, in a box. */
export async function query(
  args: readonly string[],
  flags: QueryFlags,
  openBox: () => Promise<BoxProcess>,
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  if (wantsShell(args, flags, io))
    return (await import('./shell.js')).shell(args, flags, openBox, settings, io);
  const box = await openBox();
  const { sql, where, paths } = await sqlOf(args, flags.file, io);
  const inputs = pathsOf(paths, flags);
  const params = looseParams(flags.param ?? []);
  const gatedKinds = settings.get('gated_kinds') ?? DEFAULT_GATED_KINDS;
  const sources = chooseAsked(inputs, settings, io.cwd, readsReplays(sql));
  const progress = progressOn(io);
  const options = runOptionsOf(flags, settings, filtersOf(flags, settings), io, progress.report);
  const { now, onProgress } = options;
  const outputs = await planOutputs(flags, io);
  const { maxRows, exports } = outputs;
  const job = {
    ...jobOf(options),
    maxRows,
    exports,
    sql,
    where,
    requests: sources.requests,
    gatedKinds,
    params,
  };
  try {
    const receiptFor = (account: Account) =>
      receiptOf({
        account,
        query: { name: 'query', sha256: createHash('sha256').update(sql).digest('hex') },
        from: sources.from,
        gatedKinds,
        now,
      });
    const reportOf = (
      { account, columns }: BoxAbout,
      rows: Result['rows'] = [],
      truncated = false,
    ): Report => ({
      ...{ query: { name: 'query', title: 'Ad-hoc query' }, params, result: { columns, rows }, truncated },
      receipt: receiptFor(namingDefaults(account, sources)),
    });
    const asking = box.ask(job, {
      ...{ timeoutMs: flags.timeout * 1_000, onProgress },
      onBytes: (bytes, about) => outputs.onBytes(bytes, () => reportOf(about)),
    });
    // Loaded while the box works.
    const [{ about, rows, truncated }] = await Promise.all([asking, import('./output.js')]);
    await progress.end();
    const judged = judge(
      questionEvidence(namingDefaults(about.account, sources), inputs, now, null, {
        gated: gatedKinds,
        named: settings.get('gated_kinds') ?? [],
      }),
      flags.strict ? INPUT_RULES : LENIENT_INPUT_RULES,
    );
    const verdict = { ...judged, notices: [...judged.notices, ...about.notices] };
    return await outputs.show(reportOf(about, rows, truncated), verdict);
  } finally {
    await progress.end();
    await outputs.end();
  }
}

interface GivenSql {
  readonly sql: string;
  readonly where: string;
  readonly paths: readonly string[];
}

/** Somebody sits at a terminal and names no SQL; whatever is named are logs. */
function wantsShell(args: readonly string[], { file, output, format, json }: QueryFlags, io: Io): boolean {
  const isTerminal = io.stdin.isTTY === true && io.stdout.isTTY;
  const isPlain = file === undefined && output === undefined && format === undefined && json === undefined;
  const isLog = (one: string) => !one.endsWith('.sql') && existsSync(kernelPath(io.cwd, one));
  return isTerminal && isPlain && args.every(isLog);
}

/** The SQL is the first argument, a file, or stdin. */
async function sqlOf(args: readonly string[], file: string | undefined, io: Io): Promise<GivenSql> {
  const [first, ...rest] = args;
  if (file !== undefined && file !== '-') {
    try {
      // It may be a pipe that nobody writes to, which must not keep signals waiting.
      return { sql: await readFile(kernelPath(io.cwd, file), 'utf8'), where: file, paths: args };
    } catch (error) {
      throw new LakelogError(`the SQL cannot be read: ${messageOf(error)}`, {
        where: file,
        next: 'correct the path after -f',
      });
    }
  }
  if (file === '-' || first === '-' || (first === undefined && io.stdin.isTTY !== true)) {
    const paths = file === '-' ? args : rest;
    if (paths.includes('-')) {
      throw new LakelogError('stdin cannot hold both the SQL and a log', {
        next: 'put the SQL into a file: lakelog query -f FILE -',
      });
    }
    return { sql: await readText(io.stdin), where: 'stdin', paths };
  }
  if (first === undefined) {
    throw new LakelogError('no SQL was given', {
      next: 'lakelog query "SELECT kind, COUNT(*) AS calls FROM sessions GROUP BY kind"',
    });
  }
  if (
    rest.length > 0 &&
    /^(select|with|from|describe|summarize|show|pivot|unpivot|explain|values|table)$/i.test(first)
  ) {
    throw new LakelogError(
      `the shell split the SQL into ${args.length} words, and made file names of every *`,
      {
        next: 'put it into quotes: lakelog query "SELECT kind, COUNT(*) AS calls FROM sessions GROUP BY kind"',
      },
    );
  }
  if (!/\s/.test(first) && existsSync(kernelPath(io.cwd, first))) {
    const named = shellWord(first);
    throw new LakelogError(`the first argument is the SQL, and ${JSON.stringify(first)} is a file`, {
      next: first.endsWith('.sql')
        ? `lakelog query -f ${named}`
        : `lakelog query "SELECT kind, COUNT(*) AS calls FROM sessions GROUP BY kind" ${named}`,
    });
  }
  return { sql: first.replace(/^ (?=--)/, ''), where: 'query', paths: rest };
}
