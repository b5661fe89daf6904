import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { openInput, resolveInputs, type SourceFile } from '../../src/lake/input/index.js';
import { tempFolder } from '../support/lake.js';

/** What happens behind the next listing of a folder, and behind each one. */
const between = vi.hoisted(() => ({ once: () => {}, each: () => {} }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const listed = ((...args: [string]) => {
    const entries = fs.readdirSync(...args);
    const { once, each } = between;
    between.once = () => {};
    once();
    each();
    return entries;
  }) as typeof fs.readdirSync;
  return { ...fs, readdirSync: listed };
});

const NOW = new Date();
const record = (session: string) => `{"schema":"session.iterate.v1","session_id":"${session}"}\n`;

/** `s.jsonl`, and what was rotated away before it. */
function rotated(older: number): string {
  const folder = tempFolder();
  writeFileSync(path.join(folder, 's.jsonl'), record('now'));
  for (let i = 1; i <= older; i++) writeFileSync(path.join(folder, `s.jsonl.${i}`), record(`${i} ago`));
  return folder;
}

/** As logrotate does it with `create`: the oldest first. */
function rotate(folder: string): void {
  const olds = readdirSync(folder).filter((name) => /\.\d+$/.test(name));
  const numbers = olds.map((name) => Number(name.split('.').at(-1))).sort((a, b) => b - a);
  for (const n of numbers) renameSync(`${folder}/s.jsonl.${n}`, `${folder}/s.jsonl.${n + 1}`);
  renameSync(`${folder}/s.jsonl`, `${folder}/s.jsonl.1`);
  writeFileSync(`${folder}/s.jsonl`, '');
}

const found = (folder: string, ...names: string[]) =>
  resolveInputs(
    (names.length === 0 ? [''] : names).map((name) => ({ path: path.join(folder, name), as: 'any' })),
    { cwd: folder, now: NOW },
  );

async function textOf(source: SourceFile): Promise<string> {
  const opened = await openInput(source, { stdin: Readable.from([]) });
  if (opened.kind === 'stream') {
    const parts: Uint8Array[] = [];
    for await (const part of opened.chunks) parts.push(part);
    return Buffer.concat(parts).toString();
  }
  const bytes = Buffer.alloc(opened.size);
  readSync(opened.fd, bytes, 0, opened.size, 0);
  opened.close();
  return bytes.toString();
}

const textsOf = async (files: readonly SourceFile[]) => (await Promise.all(files.map(textOf))).sort();

describe('a rotation between the listing of a folder and the look at its files', () => {
  test.each([
    ['a folder', ['']],
    ['a pattern', ['s.jsonl*']],
  ])('loses none of them: %s', async (_, names) => {
    const folder = rotated(2);
    between.once = () => rotate(folder);
    const { files, problems } = await found(folder, ...names);
    expect(problems).toEqual([]);
    expect(await textsOf(files)).toEqual(['', record('1 ago'), record('2 ago'), record('now')]);
  });

  test('that goes on and on cannot vouch', async () => {
    const folder = rotated(2);
    let isRotating = false;
    between.each = () => {
      if (isRotating) return;
      isRotating = true;
      rotate(folder);
      isRotating = false;
    };
    const { problems } = await found(folder).finally(() => {
      between.each = () => {};
    });
    expect(problems).toEqual([
      expect.objectContaining({ problem: 'unreadable', detail: expect.stringMatching(/renamed/) }),
    ]);
  });

  test('does not mind files that are new', async () => {
    const folder = rotated(1);
    let names = 0;
    between.each = () => writeFileSync(path.join(folder, `new-${names++}.jsonl`), record('new'));
    const { files, problems } = await found(folder).finally(() => {
      between.each = () => {};
    });
    expect(problems).toEqual([]);
    expect(files.map(({ name }) => path.basename(name))).toEqual(
      expect.arrayContaining(['s.jsonl', 's.jsonl.1']),
    );
  });
});

describe('a file that was found and moved on before it is opened', () => {
  test.each([
    ['in a folder', ['']],
    ['in a pattern', ['s.jsonl*']],
    ['named', ['s.jsonl', 's.jsonl.1', 's.jsonl.2']],
  ])('is read under its new name: %s', async (_, names) => {
    const folder = rotated(2);
    const { files } = await found(folder, ...names);
    rotate(folder);
    expect(await textsOf(files)).toEqual([record('1 ago'), record('2 ago'), record('now')]);
  });

  test('is read where nothing took its place', async () => {
    const folder = rotated(0);
    const { files } = await found(folder);
    renameSync(`${folder}/s.jsonl`, `${folder}/s.jsonl-20261120`);
    expect(await textsOf(files)).toEqual([record('now')]);
  });

  test.each<[string, (folder: string) => void]>([
    ['compressed', (folder) => compress(folder, 's.jsonl.1')],
    ['moved elsewhere', (folder) => moveAway(folder, 's.jsonl.1')],
    ['removed', (folder) => rmSync(path.join(folder, 's.jsonl.1'))],
    ['replaced', (folder) => replace(folder, 's.jsonl.1')],
    ['cut in place, as copytruncate does', (folder) => truncateSync(path.join(folder, 's.jsonl.1'))],
  ])('cannot vouch where it was %s', async (_, change) => {
    const folder = rotated(1);
    const { files } = await found(folder);
    change(folder);
    const gone = files.find(({ name }) => name.endsWith('.1'))!;
    await expect(textOf(gone)).rejects.toMatchObject({
      message: expect.stringContaining('since it was found'),
      next: 'run the same command again',
    });
  });

  test('what was appended meanwhile belongs to it', async () => {
    const folder = rotated(0);
    const { files } = await found(folder);
    writeFileSync(path.join(folder, 's.jsonl'), record('later'), { flag: 'a' });
    expect(await textsOf(files)).toEqual([record('now') + record('later')]);
  });
});

function compress(folder: string, name: string): void {
  const file = path.join(folder, name);
  writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
  rmSync(file);
}

function moveAway(folder: string, name: string): void {
  mkdirSync(path.join(folder, 'old'));
  renameSync(path.join(folder, name), path.join(folder, 'old', name));
}

function replace(folder: string, name: string): void {
  const file = path.join(folder, name);
  writeFileSync(`${file}.new`, record('other'));
  expect(statSync(`${file}.new`).ino).not.toBe(statSync(file).ino);
  renameSync(`${file}.new`, file);
}
