/** Completion in shells: the script that asks, and the answers. */
import { readFileSync } from 'node:fs';
import { LakelogError } from '../errors.js';
import type { Io } from '../io.js';
import { NO_FILTERS, openLake } from '../lake/lake.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import type { Context } from './command.js';
import {
  type Candidate,
  type Completion,
  completionOf,
  type LakeValue,
  SHELLS,
  wordsOf,
} from './completing.js';

/** How a shell is told of the script. */
const INSTALL: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `echo 'source <(lakelog completion bash)' >> ~/.bashrc`,
  zsh: `echo 'source <(lakelog completion zsh)' >> ~/.zshrc`,
  fish: 'lakelog completion fish > ~/.config/fish/completions/lakelog.fish',
  pwsh: 'lakelog completion pwsh >> $PROFILE',
};

/** Prints the script for a shell, and on a terminal how to have it in every shell. */
export async function completion(shell: string | undefined, packageRoot: string, io: Io): Promise<ExitCode> {
  const known = SHELLS.find((one) => one === shell);
  if (known === undefined) {
    throw new LakelogError(
      shell === undefined ? 'no shell was named' : `there is no completion for ${shell}`,
      {
        next: `lakelog completion ${SHELLS.join('|')}`,
      },
    );
  }
  if (io.stdout.isTTY) await io.stderr.write(`# in every shell from now on: ${INSTALL[known]}\n`);
  await io.stdout.write(readFileSync(`${packageRoot}/dist/completion/lakelog.${known}`, 'utf8'));
  return EXIT.clear;
}

/** Answers a shell: COMP_LINE is what was typed, COMP_POINT where the cursor stands. */
export async function answerShell({ commands, settings, io }: Context): Promise<ExitCode> {
  const line = io.env.COMP_LINE ?? '';
  const point = Number(io.env.COMP_POINT || line.length);
  const { before, begun } = wordsOf(line.slice(0, Number.isNaN(point) ? line.length : point));
  const found = completionOf(before, begun, commands);
  const answers = found.of === 'lake' ? await ofLake(found, atHome(lakeIn(before, settings), io), io) : found;
  await io.stdout.write(
    answers.of === 'files' ? '__tabtab_complete_files__\n' : told(answers.words, begun, io),
  );
  return EXIT.clear;
}

type Answers = Exclude<Completion, { of: 'lake' }>;

/** What came out of a log must not become a command: a shell gets plain words only. */
const PLAIN = /^[\w@.:/+,-]+$/;
const MOST = 500;

async function ofLake(
  { value, before }: { value: LakeValue; before: string },
  name: string | undefined,
  io: Io,
): Promise<Answers> {
  if (name === undefined) return { of: 'files' };
  const sql =
    value === 'session_id'
      ? `SELECT session_id FROM sessions GROUP BY session_id ORDER BY MAX(timestamp) DESC LIMIT ${MOST}`
      : `SELECT DISTINCT ${value} FROM sessions WHERE ${value} IS NOT NULL ORDER BY 1 LIMIT ${MOST}`;
  const cells = await valuesIn(name, sql, io).catch(() => []);
  const plain = cells.map(String).filter((one) => PLAIN.test(one));
  return { of: 'words', words: plain.map((one) => ({ word: before + one, note: '' })) };
}

/** A policy that cannot be read is the affair of the command itself. */
function lakeIn(words: readonly string[], settings: Context['settings']): string | undefined {
  const at = words.indexOf('--lake');
  if (at >= 0) return words[at + 1];
  const named = words.find((word) => word.startsWith('--lake='));
  if (named !== undefined) return named.slice('--lake='.length);
  try {
    return settings({}).get('lake');
  } catch {
    return undefined;
  }
}

/** The shell would have put it there before the program is run. */
const atHome = (name: string | undefined, { env }: Io) =>
  name?.startsWith('~/') && env.HOME ? `${env.HOME}${name.slice(1)}` : name;

async function valuesIn(name: string, sql: string, io: Io): Promise<readonly unknown[]> {
  const { cwd, env, stdin } = io;
  const lake = await openLake({
    ...{ asks: [sql], filters: NO_FILTERS, gatedKinds: [], params: {}, showContent: false, cwd, env, stdin },
    ...{ now: io.now(), maxLineBytes: 16_777_216, pendingGraceS: 0, rotationGraceS: 0 },
    lake: { name, sync: false, keepContent: false, rebuild: false, lockTimeoutS: 0 },
  });
  try {
    await lake.load([]);
    return (await lake.query(sql)).cells.map(([cell]) => cell);
  } finally {
    lake.close();
  }
}

/** As the scripts read it: bash takes words, zsh `word:note`, the others `word<tab>note`. */
function told(words: readonly Candidate[], begun: string, { env }: Io): string {
  const shell = env.SHELL ?? 'bash';
  return words
    .filter(({ word }) => word.startsWith(begun))
    .map(({ word, note }) => {
      const plain = note.replaceAll(/\s+/g, ' ');
      if (shell.endsWith('zsh'))
        return `${word.replaceAll(':', '\\:')}${plain && `:${plain.replaceAll(':', '\\:')}`}\n`;
      return shell.endsWith('fish') || shell.endsWith('pwsh')
        ? `${word}${plain && `\t${plain}`}\n`
        : `${word}\n`;
    })
    .join('');
}
