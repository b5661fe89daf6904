/** Folders with logs, own gates and a lakelog.toml, for tests of `lakelog check`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { call, newFolder } from '../support/cli.js';

export type Files = Readonly<Record<string, string | readonly string[]>>;

export function folderOf(files: Files): string {
  const cwd = newFolder();
  put(cwd, files);
  return cwd;
}

export function put(cwd: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
    writeFileSync(path.join(cwd, name), typeof text === 'string' ? text : `${text.join('\n')}\n`);
  }
}

export interface OwnGate {
  readonly param?: string;
  readonly fires?: string;
  readonly doubts?: string;
  readonly judges?: string;
  readonly canary?: string;
  readonly needs?: string;
  readonly select?: string;
}

/** A gate of somebody's own: calls that took longer than a second. */
export function ownGate({
  param,
  fires = 'slow',
  doubts,
  judges = 'duration_ms IS NOT NULL',
  canary = '{"duration_ms": 90000}',
  needs,
  select = "SELECT s.session_id, 'slow' AS reason, s.file, s.line FROM sessions s WHERE s.duration_ms > 1000 ORDER BY s.file, s.line",
}: OwnGate = {}): string {
  const lines = [
    '-- title: A gate of my own',
    '-- question: Is there any?',
    ...(needs === undefined ? [] : [`-- needs: ${needs}`]),
    ...(param === undefined ? [] : [`-- param: ${param}`]),
    ...['session_id text', 'reason text', 'file text', 'line integer'].map(
      (column) => `-- column: ${column} -- c.`,
    ),
    '-- gate: reason',
    `-- fires: ${fires} -- it is ${fires}`,
    ...(doubts === undefined ? [] : [`-- cannot-vouch: ${doubts} -- nobody knows`]),
    `-- judges: ${judges}`,
    `-- canary: ${fires} ${canary}`,
  ];
  return `${lines.join('\n')}\n${select}\n`;
}

/** Calls of one arm, one a second from a day on, of which `rate` tenths are first shots, spread evenly. */
export function arm(version: string, tenths: number, count: number, day: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const isFirst = (i * 7) % 10 < tenths;
    const accepted = { verdict: 'accepted' };
    return call({
      timestamp: new Date(Date.UTC(2026, 8, day, 8, 0, i)).toISOString(),
      prompt_version: version,
      iterations: isFirst ? 1 : 2,
      attempts: isFirst ? [accepted] : [{ verdict: 'rejected', reasons: ['not in the roster'] }, accepted],
      duration_ms: 100,
    });
  });
}
