/** What the product makes of a lake, in the shape in which the oracle says it. */
import path from 'node:path';
import { openLake } from '../../src/lake/lake.js';
import type { Told } from '../oracle/lake-oracle.mjs';
import { type Envelope, envelope } from '../support/cli.js';
import { runOptions } from '../support/lake.js';
import { lakelog } from '../support/program.js';

export interface Held extends Pick<Told, 'calls' | 'runs' | 'rows' | 'rejects' | 'accounts'> {
  readonly bytes: number;
}

/** Brings the lake up to date and tells what then stands in its tables. */
export async function syncAndList(lake: string, paths: readonly string[], cwd: string): Promise<Held> {
  const opened = await openLake({
    ...runOptions({ cwd, now: new Date(), pendingGraceS: 60 }),
    asks: ['SELECT 1'],
    gatedKinds: ['fill'],
    params: {},
    lake: { name: path.resolve(lake), lockTimeoutS: 10, sync: true, keepContent: false, rebuild: false },
  });
  try {
    const account = await opened.load(paths.map((one) => ({ path: one, as: 'any' as const })));
    const listed = async (sql: string) => (await opened.query(sql)).cells.map((row) => row.join(' ')).sort();
    const calls = await listed('SELECT line_sha256 FROM main.base_calls');
    const runs = await listed('SELECT line_sha256 FROM main.base_runs');
    return {
      calls: calls.length,
      runs: runs.length,
      rows: [...calls, ...runs].sort(),
      rejects: await listed('SELECT line_sha256, reason FROM main.base_rejects'),
      accounts: account.files
        .filter(({ bytes }) => bytes > 0)
        .map(accountOf)
        .sort(),
      bytes: account.lake!.new_bytes,
    };
  } finally {
    opened.close();
  }
}

type FileAccount = Envelope['receipt']['files'][number];

export function accountOf({ file, ...account }: FileAccount): string {
  const { bytes, lines, loaded, rejected, duplicates, blank, pending } = account;
  if (lines !== loaded + rejected + duplicates + blank + pending)
    throw new Error(`${file}: ${JSON.stringify(account)} does not add up`);
  return [bytes, lines, loaded + duplicates, rejected, blank, pending].join(' ');
}

export interface Said extends Omit<Told, 'rows' | 'rejects'> {
  readonly code: number | null;
  readonly isLoading: boolean;
}

/** What the gate says; null where it says why it cannot even look. */
export async function alarm(
  lake: string,
  paths: readonly string[],
  cwd: string,
  ...flags: readonly string[]
): Promise<Said | string> {
  const ran = await lakelog(['alarm', '--lake', lake, '--json', ...flags, ...paths], { cwd });
  if (ran.stdout === '') return `${ran.code}: ${ran.stderr}`;
  const { verdict, rows, receipt } = envelope(ran);
  const violations = rows.filter(({ reason }) => reason === 'ungrounded').length;
  return {
    code: ran.code,
    calls: receipt.calls_loaded,
    runs: receipt.replay_runs_loaded,
    violations,
    judged: receipt.judged!,
    conflicts: receipt.conflicts,
    broken: receipt.problems.filter(({ problem }) => problem === 'changed').length,
    accounts: receipt.files
      .filter(({ bytes }) => bytes > 0)
      .map(accountOf)
      .sort(),
    cannotVouch: [...new Set(verdict!.cannot_vouch.map(({ code }) => code))].sort(),
    isLoading: (receipt.lake as { loading: boolean }).loading,
  };
}
