import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { openInput, type PlainInput, type SourceFile, Unreadable } from '../../src/lake/input/index.js';
import { tempFile, tempFolder } from '../support/lake.js';
import { raw } from './zst-samples.js';

const LINES = '{"a":1}\n{"a":2}\n';

function source(file: string, more: Partial<SourceFile> = {}): SourceFile {
  return {
    name: path.basename(file),
    path: file,
    as: 'any',
    stats: null,
    maybeEmpty: true,
    ...more,
  };
}

const open = (file: SourceFile, stdin: Readable = Readable.from([])) => openInput(file, { stdin });

async function textOf(file: SourceFile, stdin?: Readable): Promise<string> {
  const opened = await open(file, stdin);
  if (opened.kind !== 'stream') throw new Error('no stream');
  const parts: Uint8Array[] = [];
  for await (const part of opened.chunks) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function plain(file: string): Promise<PlainInput> {
  const opened = await open(source(file));
  if (opened.kind !== 'plain') throw new Error('not plain');
  return opened;
}

/** Descriptors of this process that lead to a file, or to one of the folder. */
function openIn(folder: string): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return [];
    }
  });
}
const hasProc = existsSync('/proc/self/fd');

/** Node closes in a thread, and on a busy machine that takes its time. */
async function closesAll(folder: string): Promise<void> {
  if (!hasProc) return;
  await vi.waitFor(() => expect(openIn(folder)).toEqual([]), { timeout: 30_000, interval: 5 });
}

describe('a plain file', () => {
  test('is opened once, from its first byte', async () => {
    const file = tempFile(LINES);
    const opened = await plain(file);
    expect(opened).toMatchObject({
      size: LINES.length,
      mtimeMs: Math.floor(statSync(file).mtimeMs),
      maybeEmpty: true,
    });
    const bytes = Buffer.alloc(100);
    expect(readSync(opened.fd, bytes, 0, 100, null)).toBe(LINES.length);
    if (hasProc) expect(openIn(path.dirname(file))).toEqual([file]);
    opened.close();
    await closesAll(path.dirname(file));
  });

  test.each<[string, (file: string) => void]>([
    ['nothing', () => {}],
    ['more behind it', (file) => appendFileSync(file, 'more')],
    ['another name', (file) => renameSync(file, `${file}.1`)],
    [
      'another file in its place',
      (file) => {
        renameSync(file, `${file}.1`);
        writeFileSync(file, '');
      },
    ],
    ['another mode, so another ctime', (file) => chmodSync(file, 0o600)],
    ['a time of access', (file) => utimesSync(file, 1, statSync(file).mtimeMs / 1000)],
  ])('unchanged by: %s', async (_, change) => {
    const file = tempFile(LINES);
    utimesSync(file, 1_000_000, 1_000_000);
    const opened = await plain(file);
    change(file);
    expect(() => opened.ensureUnchanged()).not.toThrow();
    opened.close();
  });

  test.each<[string, (file: string) => void, RegExp]>([
    ['fewer bytes', (file) => truncateSync(file, 3), /16 bytes at the start, 3 now/],
    ['none', (file) => truncateSync(file), /0 now/],
    ['others of the same length', (file) => writeFileSync(file, LINES.replace('1', '7')), /was written to/],
  ])('changed by: %s', async (_, change, message) => {
    const file = tempFile(LINES);
    utimesSync(file, 1_000_000, 1_000_000);
    const opened = await plain(file);
    change(file);
    expect(() => opened.ensureUnchanged()).toThrow(
      expect.objectContaining({ next: 'run the same command again' }),
    );
    expect(() => opened.ensureUnchanged()).toThrow(Unreadable);
    expect(() => opened.ensureUnchanged()).toThrow(message);
    opened.close();
  });
});

describe('a stream', () => {
  test.each<[string, string | Buffer, string]>([
    ['a gz', gzipSync(LINES), LINES],
    ['a gz under the name of a log', gzipSync(LINES), LINES],
    ['a zst', raw(LINES), LINES],
    ['a gz of nothing', gzipSync(''), ''],
    ['an empty file', '', ''],
  ])('%s', async (_, bytes, expected) => {
    const file = tempFile(bytes);
    expect(await textOf(source(file))).toBe(expected);
    if (hasProc) expect(openIn(path.dirname(file))).toEqual([]);
  });

  test('only an empty file, and no archive, may be just rotated', async () => {
    const [empty, archive] = [await open(source(tempFile(''))), await open(source(tempFile(gzipSync(''))))];
    expect([empty.maybeEmpty, archive.maybeEmpty]).toEqual([true, false]);
    for (const opened of [empty, archive]) opened.close();
  });

  test.skipIf(!existsSync('/proc/self/cmdline'))('a file whose size reads 0 is read to its end', async () => {
    expect(statSync('/proc/self/cmdline').size).toBe(0);
    const expected = readFileSync('/proc/self/cmdline', 'utf8');
    expect(expected).not.toBe('');
    expect(await textOf(source('/proc/self/cmdline'))).toBe(expected);
  });

  test.skipIf(!existsSync('/proc/self/cmdline'))('and decompressed, if need be', async () => {
    const child = spawn('sleep', ['20'], { argv0: LINES });
    await new Promise((resolve) => child.once('spawn', resolve));
    // It is empty until the new program has begun.
    await vi.waitFor(() => expect(readFileSync(`/proc/${child.pid}/cmdline`)).not.toHaveLength(0));
    expect(await textOf(source(`/proc/${child.pid}/cmdline`))).toBe(`${LINES}\0${20}\0`);
    child.kill();
  });

  test.each<[string, readonly (string | Buffer)[], string]>([
    ['lines', [LINES, LINES], LINES + LINES],
    ['bytes one by one', [...gzipSync(LINES)].map((byte) => Buffer.of(byte)), LINES],
    ['three bytes', ['{"a'], '{"a'],
    ['nothing', [], ''],
  ])('stdin: %s', async (_, chunks, expected) => {
    const stdin = source('-', { path: '-', maybeEmpty: false });
    expect(await textOf(stdin, Readable.from(chunks.map((chunk) => Buffer.from(chunk as string))))).toBe(
      expected,
    );
  });

  test('a pipe waits for its writer without holding up anything else', async () => {
    const fifo = path.join(tempFolder(), 'p');
    execFileSync('mkfifo', [fifo]);
    const reading = textOf(source(fifo, { stats: statSync(fifo, { bigint: true }), maybeEmpty: false }));
    const turns: number[] = [];
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      turns.push(i);
    }
    expect(turns).toEqual([0, 1, 2]);
    const child = spawn('sh', ['-c', `printf '${LINES.replaceAll('\n', '\\n')}' > ${fifo}`]);
    expect(await reading).toBe(LINES);
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  });

  test('what is given up is closed', async () => {
    const file = tempFile(gzipSync(Buffer.alloc(1 << 20, 'a')));
    const opened = await open(source(file));
    if (opened.kind !== 'stream') throw new Error('no stream');
    for await (const _ of opened.chunks) break;
    await closesAll(path.dirname(file));
  });
});

describe('what cannot be read', () => {
  const fails = async (file: SourceFile, reason: RegExp, stdin?: Readable) => {
    const error = await textOf(file, stdin).catch((error) => error);
    expect(error).toBeInstanceOf(Unreadable);
    expect(error.message).toMatch(reason);
    if (file.path !== '-' && file.path !== '/dev/null') await closesAll(file.path);
  };

  test('a file that is gone', () => fails(source(path.join(tempFolder(), 'a')), /^no such file or folder$/));
  test('a folder', () => fails(source(tempFolder()), /^is a folder$/));
  test('a device', () => fails(source('/dev/null'), /^is no file any more$/));
  test('a pipe that took its place is not waited for', async () => {
    const fifo = path.join(tempFolder(), 'p');
    execFileSync('mkfifo', [fifo]);
    await fails(source(fifo), /^is no file any more$/);
  });
  test('a socket', async () => {
    const file = path.join(tempFolder(), 's');
    const server = net.createServer().listen(file);
    await new Promise((resolve) => server.once('listening', resolve));
    await fails(source(file), /^is neither a file/);
    server.close();
  });

  test.each<[string, string, string | Buffer, RegExp]>([
    ['an archive of 0 bytes', 'a.jsonl.gz', '', /is empty, and even nothing compresses to more/],
    ['another', 'a.ZST', '', /is empty/],
    [
      'half an archive',
      'a.gz',
      gzipSync(LINES).subarray(0, 20),
      /^the compressed data stop before their end/,
    ],
    [
      'one with lines behind it',
      'a',
      Buffer.concat([gzipSync(LINES), Buffer.from(LINES)]),
      /^holds other bytes/,
    ],
    ['one in another', 'a.gz.gz', gzipSync(gzipSync(LINES)), /^it is compressed twice$/],
  ])('%s', async (_, name, bytes, reason) => {
    await fails(source(tempFile(bytes, name)), reason);
  });

  test.skipIf(process.getuid?.() !== 0)('a file of somebody else', async () => {
    const file = tempFile(LINES);
    chmodSync(path.dirname(file), 0o755);
    chmodSync(file, 0o600);
    process.seteuid!(65534);
    await fails(source(file), /^permission denied$/).finally(() => process.seteuid!(0));
  });

  test('a pipe that is gone before anybody reads', async () => {
    const fifo = path.join(tempFolder(), 'p');
    execFileSync('mkfifo', [fifo]);
    const stats = statSync(fifo, { bigint: true });
    rmSync(fifo);
    const opened = await open(source(fifo, { stats }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (opened.kind !== 'stream') throw new Error('no stream');
    const [reading] = await Promise.allSettled([opened.chunks[Symbol.asyncIterator]().next()]);
    expect(reading).toMatchObject({ status: 'rejected', reason: { message: 'no such file or folder' } });
  });

  test('a stdin that is a folder', async () => {
    const { createReadStream } = await import('node:fs');
    const stdin = createReadStream('', { fd: openSync(tempFolder(), 'r') });
    await fails(source('-', { path: '-' }), /^is a folder$/, stdin);
  });
});

describe('what is compressed otherwise, or only called so, is no text', () => {
  const read = async (name: string, bytes: Buffer) => {
    const file = path.join(tempFolder(), name);
    writeFileSync(file, bytes);
    const named = source(file, { stats: statSync(file, { bigint: true }) });
    const opened = await open(named);
    opened.close();
    return opened.kind;
  };
  test.each([
    ['xz', 'fd377a585a000004', 'unxz'],
    ['bzip2', '425a683931415926', 'bunzip2'],
    ['lz4', '04224d1864404000', 'unlz4'],
    ['zip', '504b030414000000', 'unzip'],
    ['7z', '377abcaf271c0004', '7z x'],
  ])('%s', async (format, magic, by) => {
    for (const name of ['sessions.jsonl', 'sessions.jsonl.1.gz', 'sessions.jsonl.xz'])
      await expect(read(name, Buffer.from(magic, 'hex'))).rejects.toMatchObject({
        message: `it is compressed by ${format}, which is not read here`,
        next: expect.stringContaining(by),
      });
    await expect(
      textOf(source('-', { path: '-' }), Readable.from([Buffer.from(magic, 'hex')])),
    ).rejects.toThrow(format);
  });

  test('NUL bytes that are called compressed', async () => {
    for (const name of ['a.jsonl.gz', 'a.jsonl.zst', 'a.jsonl.1.XZ', 'a.br'])
      await expect(read(name, Buffer.alloc(2_000))).rejects.toThrow(/called compressed, and holds neither/);
    expect(await read('a.jsonl', Buffer.alloc(2_000))).toBe('plain');
  });

  test('a text is read, whatever it is called', async () => {
    for (const text of [LINES, ' {"a":1}', '\ufeff{"a":1}', '\n{', 'torn"}\n{"a":1}', 'B', 'BZ'])
      expect(await read('a.jsonl.gz', Buffer.from(text))).toBe('plain');
    expect(await read('a.xz', Buffer.from('\ufeff{"a":1}', 'utf16le'))).toBe('plain');
  });
});
