import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach } from 'vitest';
import { type FileCalls, type FileSystem, nodeFileSystem } from '../../src/log/file-system.js';
import type { SessionRecord, Unstamped } from '../../src/schema/types.js';

const folders: string[] = [];

/** A folder that goes away after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lakelog-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function linesOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  if (text !== '' && !text.endsWith('\n')) throw new Error(`torn tail: ${text.slice(-60)}`);
  return text.split('\n').slice(0, -1);
}

export function recordsOf(path: string): Record<string, unknown>[] {
  return linesOf(path).map((line) => JSON.parse(line));
}

/** A call with the required fields only. */
export function call(changes: Record<string, unknown> = {}): Unstamped<SessionRecord> {
  return {
    session_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    kind: 'fill',
    model: 'gpt-4.1-mini',
    iterations: 1,
    final_verdict: 'accepted',
    ...changes,
  };
}

/** node:fs with some of its calls replaced, in both of their forms. */
export function faultyFs(faults: Partial<FileCalls>): FileSystem {
  const later = Object.fromEntries(
    Object.entries(faults).map(([name, fault]) => [
      name,
      async (...args: unknown[]) => (fault as (...args: unknown[]) => unknown)(...args),
    ]),
  );
  return { now: { ...nodeFileSystem.now, ...faults }, later: { ...nodeFileSystem.later, ...later } };
}

/** The calls as node:fs makes them. */
export const real = nodeFileSystem.now;

export function failure(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** The package entry as one file, so that another process can load it before the build exists. */
export async function bundleLogger(outfile: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: ['src/log/index.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    metafile: true,
    logLevel: 'error',
  });
  return Object.values(metafile.outputs).flatMap((output) => output.imports.map((imported) => imported.path));
}
