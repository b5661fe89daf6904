/** SQL at a prompt: logs are loaded once, and every statement runs in the same box as that of `lakelog query`. */
import { createHash } from 'node:crypto';
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { describe } from '../ending.js';
import { judge } from '../gate/judge.js';
import { LENIENT_INPUT_RULES } from '../gate/rules.js';
import { type Io, styleOf } from '../io.js';
import { publishedTables } from '../lake/tables/published.js';
import type { BoxJob } from '../query/box-protocol.js';
import type { BoxProcess } from '../query/boxed.js';
import { looseParams } from '../query/params.js';
import { receiptOf } from '../query/receipt.js';
import { DEFAULT_GATED_KINDS, type Settings } from '../query/settings.js';
import { chooseAsked, namingDefaults, type Sources } from '../query/sources.js';
import { renderFindings } from '../render/index.js';
import { duration, plural } from '../render/units.js';
import type { Account } from '../schema/account.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { mostRows } from './copies.js';
import { inputEvidence } from './evidence.js';
import { showLimited } from './limit.js';
import { filtersOf, pathsOf, runOptionsOf } from './options.js';
import { jobOf, type QueryFlags } from './query-job.js';
import { tablesText } from './schema.js';
import { type History, MOST_STATEMENTS, openHistory } from './shell-history.js';
import { completionsOf, isWhole, SHELL_HELP } from './shell-words.js';
import { progressOn } from './terminal.js';

/** @param box opens one more: what was stopped is gone with all that it had loaded. */
export async function shell(
  paths: readonly string[],
  flags: QueryFlags,
  box: () => Promise<BoxProcess>,
  settings: Settings,
  io: Io,
): Promise<ExitCode> {
  const inputs = pathsOf(paths, flags);
  const sources = chooseAsked(inputs, settings, io.cwd, true);
  const progress = progressOn(io);
  const options = runOptionsOf(flags, settings, filtersOf(flags, settings), io, progress.report);
  const gatedKinds = settings.get('gated_kinds') ?? DEFAULT_GATED_KINDS;
  const job: BoxJob = {
    ...jobOf(options),
    ...{ sql: '', where: 'query', maxRows: 0, exports: [], stays: true },
    ...{ requests: sources.requests, gatedKinds, params: looseParams(flags.param ?? []) },
  };
  const prompt = new Prompt({ job, sources, flags, box, io });
  try {
    const account = await prompt.load(() => progress.end());
    const verdict = judge(inputEvidence(account, inputs, options.now), LENIENT_INPUT_RULES);
    await io.stderr.write(renderFindings(verdict, styleOf(io.stderr, io.env)));
    if (account.callsLoaded + account.replayRunsLoaded === 0) return verdict.exit_code;
    await prompt.run(openHistory(io));
    return EXIT.clear;
  } finally {
    await progress.end();
    await prompt.close();
  }
}

interface Asked {
  readonly job: BoxJob;
  readonly sources: Sources;
  readonly flags: QueryFlags;
  readonly box: () => Promise<BoxProcess>;
  readonly io: Io;
}

const PROMPT = 'lakelog> ';
const GOES_ON = '    ...> ';

class Prompt {
  private readonly of: Asked;
  private box: BoxProcess | null = null;
  /** Lines of a statement that has no end yet. */
  private begun = '';
  private isRunning = false;
  private isLeaving = false;
  private readonly lines: string[] = [];
  private wake = () => {};

  constructor(of: Asked) {
    this.of = of;
  }

  async load(onEnd: () => Promise<void> = async () => {}): Promise<Account> {
    const { box, job, flags, sources, io } = this.of;
    this.box ??= await box();
    const progress = progressOn(io);
    const { about } = await this.box
      .talk(job, { timeoutMs: flags.timeout * 1_000, onProgress: progress.report })
      .finally(() => progress.end());
    await onEnd();
    const account = namingDefaults(about.account, sources);
    const { callsLoaded: calls, replayRunsLoaded: runs, files } = account;
    await io.stdout.write(
      `${plural(calls, 'call')} and ${plural(runs, 'replay run')} of ${plural(files.length, 'file')}; .help says what can be asked\n`,
    );
    return account;
  }

  async close(): Promise<void> {
    await this.box?.end();
    this.box = null;
  }

  async run(history: History): Promise<void> {
    const lines = this.open(history);
    lines.prompt();
    while (!this.isLeaving) {
      const line = this.lines.shift();
      if (line === undefined) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        continue;
      }
      await this.take(line);
      lines.setPrompt(this.begun === '' ? PROMPT : GOES_ON);
      // Of lines that were pasted only the last is waited behind.
      if (!this.isLeaving && this.lines.length === 0) lines.prompt();
    }
    lines.close();
  }

  private open(history: History): Interface {
    const { io } = this.of;
    const lines = createInterface({
      input: io.stdin,
      output: terminalOf(io),
      terminal: true,
      prompt: PROMPT,
      history: history.statements,
      historySize: MOST_STATEMENTS,
      removeHistoryDuplicates: true,
      completer: (line: string) => completionsOf(line, publishedTables()),
    });
    let kept = [...history.statements];
    // Lines of a statement that is still being typed; what runs may lag behind.
    let typed = '';
    lines.on('history', (all: string[]) => {
      // A statement of several lines comes back as one.
      const [line = '', before] = all;
      if (typed !== '' && before === oneLine(typed)) all.splice(0, 2, oneLine(typed + line));
      kept = [...all];
    });
    lines.on('line', (line) => {
      typed = isWhole(typed + line) || /^\s*(\.|$)/.test(typed + line) ? '' : `${typed}${line}\n`;
      this.lines.push(line);
      this.wake();
    });
    lines.on('SIGINT', () => void this.interrupt(lines));
    lines.on('close', () => {
      this.isLeaving = true;
      history.keep(kept);
      this.wake();
    });
    return lines;
  }

  /** What runs can only be killed; it is loaded again for the next statement. */
  private async interrupt(lines: Interface): Promise<void> {
    if (this.isRunning) return this.close();
    this.begun = '';
    this.lines.length = 0;
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    await this.of.io.stdout.write('\n');
    lines.setPrompt(PROMPT);
    lines.prompt();
  }

  private async take(line: string): Promise<void> {
    if (this.begun === '' && line.trim() === '') return;
    if (this.begun === '' && /^\s*\./.test(line)) return this.command(line.trim());
    this.begun += `${line}\n`;
    if (!isWhole(this.begun)) return;
    const sql = this.begun.trim().replace(/;$/, '');
    this.begun = '';
    await this.guarded(() => this.answer(sql));
  }

  private async command(line: string): Promise<void> {
    const { io } = this.of;
    const [word, name] = line.split(/\s+/);
    const tables = publishedTables();
    if (word === '.quit' || word === '.exit') this.isLeaving = true;
    else if (word === '.help') await io.stdout.write(SHELL_HELP);
    else if (word === '.tables') await io.stdout.write(`${tables.map((table) => table.name).join('  ')}\n`);
    else if (word === '.reload') await this.guarded(() => this.close());
    else if (word === '.schema') {
      const chosen = tables.filter((table) => name === undefined || table.name === name);
      await io.stdout.write(
        chosen.length > 0 ? tablesText(styleOf(io.stdout, io.env), chosen) : `there is no table ${name}\n`,
      );
    } else await io.stdout.write(`there is no ${word}\n\n${SHELL_HELP}`);
  }

  /** An error ends a statement, and not the shell. */
  private async guarded(work: () => Promise<void>): Promise<void> {
    const { io } = this.of;
    this.isRunning = true;
    try {
      await work();
    } catch (error) {
      await io.stderr.write(this.box === null ? 'stopped\n' : describe(error, io));
    }
    try {
      if (this.box?.isGone) await this.close();
      if (this.box === null) await this.load();
    } catch (error) {
      await io.stderr.write(describe(error, io));
    } finally {
      this.isRunning = false;
    }
  }

  private async answer(sql: string): Promise<void> {
    const { flags, job, sources, io } = this.of;
    if (this.box === null) await this.load();
    const begun = performance.now();
    const { about, rows, truncated } = await this.box!.talk(
      { sql, where: 'query', maxRows: mostRows(flags.limit, [], io) },
      { timeoutMs: flags.timeout * 1_000 },
    );
    const took = performance.now() - begun;
    const query = { name: 'query', sha256: createHash('sha256').update(sql).digest('hex') };
    const { account, columns, notices } = about;
    const { gatedKinds } = job;
    const report = {
      ...{
        query: { name: 'query', title: 'Ad-hoc query' },
        params: {},
        truncated,
        result: { columns, rows },
      },
      receipt: receiptOf({ account, query, from: sources.from, gatedKinds, now: io.now() }),
    };
    const verdict = { status: 'clear', exit_code: EXIT.clear, fired: [], cannot_vouch: [], notices } as const;
    await showLimited(flags.limit, report, verdict, {}, [], io);
    await io.stdout.write(
      `${plural(rows.length, 'row')}${truncated ? ' and more' : ''}, ${duration(took)}\n`,
    );
  }
}

const oneLine = (text: string) => text.trim().replace(/\s*\n\s*/g, ' ');

/** Where readline draws the line that is being typed. */
function terminalOf({ stdout }: Io): Writable & { columns?: number | undefined } {
  const stream = new Writable({
    // Handed on at once: an answer that is written meanwhile would stand before what was typed.
    write: (chunk: Buffer, _, done) => {
      void stdout.write(chunk);
      done();
    },
  });
  return Object.defineProperty(stream, 'columns', { get: () => stdout.columns });
}
