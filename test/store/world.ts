/** A folder of logs and what a service, logrotate and people do to it; every line that was ever written is remembered. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { type Found, type FoundFile, hashOf } from '../oracle/lake-oracle.mjs';
import { linesOf } from '../scan/checker.mjs';
import { call, replayRun } from '../support/cli.js';

export const LOGS = ['sessions.jsonl', 'replay_runs.jsonl'] as const;
/** It may lie among the logs. */
export const LAKE = 'lake.duckdb';
const HOUR = 3_600_000;
/** Names under which rotation leaves a log. */
const ROTATED = /^(.+?)(\.\d{1,4}|-\d{8})?(\.gz)?$/;

export const LINES = [
  'call',
  'run',
  'violation',
  'unjudged',
  'other kind',
  'bad json',
  'bad verdict',
  'bad run',
  'again',
  'conflict',
  'blank',
  'marked',
  'crlf',
  'numbered',
  'skipped',
  'long',
] as const;
export type LineKind = (typeof LINES)[number];

const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export class World {
  readonly folder: string;
  private lines = 0;
  private seq = 0;
  private days = 0;
  private readonly written: string[] = [];
  /** Bytes of a line that was torn, by the inode's log. */
  private readonly unfinished = new Map<string, Buffer>();
  /** Hashes of whole lines that stood in a file at some time. */
  private readonly ever = new Set<string>();
  /** Those that went in a way that no look at the folder can show. */
  private readonly excused = new Set<string>();

  constructor(folder: string) {
    this.folder = folder;
    for (const name of LOGS) writeFileSync(this.at(name), '');
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  private text(kind: LineKind): Buffer {
    const n = this.lines++;
    const session_id = n.toString(16).padStart(32, '0');
    const made = {
      call: () => call({ session_id, call_id: `c${n}` }),
      run: () => replayRun({ session_id }),
      violation: () => call({ session_id, grounded_in_roster: false }),
      unjudged: () => call({ session_id, grounded_in_roster: null }),
      'other kind': () => call({ session_id, kind: 'email', prompt: 'ünïcode 🦆'.repeat(n % 50) }),
      'bad json': () => `not json ${n}`,
      'bad verdict': () => call({ session_id, final_verdict: 'maybe' }),
      'bad run': () => JSON.stringify({ schema: 'replay.run.v1', session_id, timestamp: 'never' }),
      again: () => this.written[(n * 7) % Math.max(1, this.written.length)] ?? call({ session_id }),
      conflict: () => call({ session_id, call_id: `c${(n * 5) % Math.max(1, n)}` }),
      blank: () => ' \t'.slice(0, n % 3),
      marked: () => call({ session_id }),
      crlf: () => call({ session_id, call_id: null }),
      // Longer than half of what is compared of a log at every look.
      long: () => call({ session_id, prompt: `${n} `.repeat(2_500 / String(n).length) }),
      numbered: () => call({ session_id, writer_id: 'w', seq: ++this.seq }),
      skipped: () => call({ session_id, writer_id: 'w', seq: ++this.seq * 2 }),
    }[kind]();
    if (!['blank', 'again'].includes(kind)) this.written.push(made);
    const bytes = Buffer.from(made);
    if (kind === 'marked') return Buffer.concat([MARK, bytes]);
    return kind === 'crlf' ? Buffer.concat([bytes, Buffer.from('\r')]) : bytes;
  }

  private bytesOf(kinds: readonly LineKind[]): Buffer {
    return Buffer.concat(kinds.flatMap((kind) => [this.text(kind), Buffer.from('\n')]));
  }

  /** As a service writes; a line that it left torn is finished first, or given up. */
  append(name: string, kinds: readonly LineKind[], how: 'finish' | 'give up' | 'tear'): void {
    const file = this.at(name);
    const rest = this.unfinished.get(name);
    this.unfinished.delete(name);
    const begun = how === 'finish' ? (rest ?? Buffer.alloc(0)) : Buffer.from(rest ? '\n' : '');
    let bytes = Buffer.concat([begun, this.bytesOf(kinds)]);
    if (how === 'tear' && kinds.length > 0) {
      // Anywhere in the last line, and often just before its end.
      const last = bytes.lastIndexOf(10, bytes.length - 2) + 1;
      const cut = last + 1 + ((this.lines * 37) % Math.max(1, bytes.length - last - 1));
      const at = this.lines % 3 === 0 ? bytes.length - 1 : cut;
      this.unfinished.set(name, bytes.subarray(at));
      bytes = bytes.subarray(0, at);
    }
    appendFileSync(file, bytes);
    this.note();
  }

  /** Every whole line that stands somewhere now. */
  private note(): void {
    for (const { bytes } of this.contents())
      for (const line of linesOf(bytes)) if (line.terminated) this.ever.add(hashOf(line.bytes));
  }

  rotatedOf(name: string): string[] {
    return readdirSync(this.folder)
      .filter((other) => other !== name && ROTATED.exec(other)?.[1] === name && other !== `${name}.gz`)
      .sort();
  }

  /** `.1` becomes `.2`, and so on. */
  private shift(name: string): void {
    const numbered = this.rotatedOf(name)
      .map((other) => /^\.(\d+)(\.gz)?$/.exec(other.slice(name.length)))
      .filter((found) => found !== null)
      .sort((a, b) => Number(b[1]) - Number(a[1]));
    for (const [end, number, gz = ''] of numbered)
      renameSync(this.at(name + end), this.at(`${name}.${Number(number) + 1}${gz}`));
  }

  rotate(name: string, how: 'create' | 'rename' | 'copytruncate' | 'date' | 'gzip'): void {
    if (!existsSync(this.at(name))) return;
    const dated = `${name}-${20260101 + this.days++}`;
    const to = how === 'date' || how === 'gzip' ? dated : `${name}.1`;
    if (to === `${name}.1`) this.shift(name);
    if (how === 'copytruncate') {
      copyFileSync(this.at(name), this.at(to));
      truncateSync(this.at(name));
    } else renameSync(this.at(name), this.at(to));
    if (how === 'gzip') this.gzip(to);
    // Who renames a log leaves what was torn in it.
    this.unfinished.delete(name);
    if (how === 'create') writeFileSync(this.at(name), '');
  }

  /** As gzip(1) does: under another name first, with the times of the file. */
  gzip(name: string, keepsPlain = false): void {
    if (name.endsWith('.gz') || !existsSync(this.at(name))) return;
    const { atime, mtime, size } = statSync(this.at(name));
    if (size === 0 || existsSync(this.at(`${name}.gz`))) return;
    const temporary = path.join(this.folder, '..', 'being-made');
    writeFileSync(temporary, gzipSync(readFileSync(this.at(name))));
    utimesSync(temporary, atime, mtime);
    renameSync(temporary, this.at(`${name}.gz`));
    if (!keepsPlain) rmSync(this.at(name));
  }

  /** Half of an archive beside what it is made from. */
  beginGzip(name: string): void {
    if (existsSync(this.at(`${name}.gz`))) return;
    this.gzip(name, true);
    const archive = this.at(`${name}.gz`);
    if (!existsSync(archive) || !existsSync(this.at(name))) return;
    truncateSync(archive, Math.floor(statSync(archive).size / 2));
    const { mtimeMs } = statSync(this.at(name));
    const later = new Date(Math.max(mtimeMs, Date.now()));
    utimesSync(archive, later, later);
  }

  endGzip(): void {
    for (const name of this.names().filter((one) => one.endsWith('.gz'))) {
      const plain = name.slice(0, -3);
      if (!existsSync(this.at(plain)) || !LOGS.some((log) => plain !== log)) continue;
      rmSync(this.at(name));
      this.gzip(plain);
    }
  }

  truncate(name: string, kinds: readonly LineKind[]): void {
    if (!existsSync(this.at(name))) return;
    this.unfinished.delete(name);
    truncateSync(this.at(name));
    this.append(name, kinds, 'finish');
  }

  sizeOf(name: string): number {
    return statSync(this.at(name), { throwIfNoEntry: false })?.size ?? 0;
  }

  cutTo(name: string, size: number): void {
    if (!existsSync(this.at(name))) return;
    this.unfinished.delete(name);
    truncateSync(this.at(name), size);
  }

  /**
   * Where somebody may change a line; null where none can be. Of a long file there are bytes that only `lake verify`
   * looks at.
   */
  editable(name: string): number | null {
    if (!existsSync(this.at(name)) || name.endsWith('.gz')) return null;
    const bytes = readFileSync(this.at(name));
    const at = bytes.lastIndexOf('gpt-4.1-mini');
    return at < 0 || bytes.length > 8_000 ? null : at;
  }

  edit(name: string, at: number): void {
    const bytes = readFileSync(this.at(name));
    bytes.write('gpt-4.2', at);
    writeFileSync(this.at(name), bytes);
    this.note();
  }

  names(): string[] {
    return readdirSync(this.folder)
      .filter((name) => !name.startsWith(LAKE))
      .sort();
  }

  /** What goes with a file of which no look can show that it went. */
  excuse({ bytes }: FoundFile): void {
    for (const line of linesOf(bytes)) if (line.terminated) this.excused.add(hashOf(line.bytes));
  }

  delete(name: string): void {
    if (!existsSync(this.at(name))) return;
    this.unfinished.delete(name);
    rmSync(this.at(name));
  }

  /** A new file under the number of an old one, where the file system gives it again. */
  reuseInode(name: string, kinds: readonly LineKind[]): void {
    if (!existsSync(this.at(name))) return;
    rmSync(this.at(name));
    this.unfinished.delete(name);
    this.append(name, kinds, 'finish');
  }

  copy(name: string, how: 'copy' | 'link' | 'restore'): void {
    if (!existsSync(this.at(name))) return;
    const base = ROTATED.exec(name)?.[1] ?? name;
    const to = this.at(`${base}-${20270101 + this.days++}${name.endsWith('.gz') ? '.gz' : ''}`);
    if (how === 'link') linkSync(this.at(name), to);
    else copyFileSync(this.at(name), to);
    // A copy that takes the place: the same bytes under another inode.
    if (how === 'restore') renameSync(to, this.at(name));
  }

  /** Hours pass, or a clock went wrong: the times of all files say so. */
  age(hours: number): void {
    for (const name of this.names()) {
      const then = new Date(statSync(this.at(name)).mtimeMs - hours * HOUR);
      utimesSync(this.at(name), then, then);
    }
  }

  /** All that stands in the folder, uncompressed. */
  contents(): FoundFile[] {
    return this.names().map((name) => {
      const file = this.at(name);
      const raw = readFileSync(file);
      const { dev, ino, mtimeMs } = statSync(file);
      const born = statSync(file, { bigint: true }).birthtimeNs;
      const found = { name, path: file, id: `${dev}:${ino}`, born, mtimeMs, raw };
      if (raw.length === 0 && name.endsWith('.gz')) return { ...found, form: 'damaged', bytes: raw };
      if (raw.length === 0) return { ...found, form: 'empty', bytes: raw };
      if (raw[0] !== 0x1f || raw[1] !== 0x8b) return { ...found, form: 'plain', bytes: raw };
      try {
        return { ...found, form: 'archive', bytes: gunzipSync(raw) };
      } catch {
        return { ...found, form: 'damaged', bytes: Buffer.alloc(0) };
      }
    });
  }

  /** What a run finds there that is told to read the logs by name, or the folder. */
  found(request: readonly string[], now: number): Found {
    const all = this.contents();
    const ids = new Set<string>();
    const isNamed = request[0] !== '.';
    const rotated = request.flatMap((log) => [...this.rotatedOf(log), `${log}.gz`]);
    const order = isNamed ? [...request, ...rotated] : this.names();
    const files = order.flatMap((name) => {
      const file = all.find((one) => one.name === name);
      if (!file || ids.has(file.id)) return [];
      ids.add(file.id);
      return [file];
    });
    const gone = request.filter((name) => !existsSync(this.at(name)));
    const isExcused = (name: string) =>
      [...this.rotatedOf(name), `${name}.gz`].some((other) => {
        if (!existsSync(this.at(other))) return false;
        const { ctimeMs, mtimeMs } = statSync(this.at(other));
        return Math.abs(now - Math.max(ctimeMs, mtimeMs)) <= HOUR;
      });
    return {
      files: files.map((file) => (isBeingMade(file, all, now) ? { ...file, form: 'unfinished' } : file)),
      gone: (isNamed ? gone : [])
        .filter((name) => !isExcused(name))
        .map((name) => ({ name, path: this.at(name) })),
      noLogs: !isNamed && files.length === 0,
      bases: isNamed ? request : LOGS,
      isNamed,
    };
  }

  /** Whole lines that are neither in the lake nor in any file, and of which something must be said. */
  lost(held: ReadonlySet<string>): string[] {
    const here = new Set(
      this.contents().flatMap(({ bytes }) => linesOf(bytes).map((line) => hashOf(line.bytes))),
    );
    const blank = new Set(['', ' ', '\t', ' \t'].map((text) => hashOf(Buffer.from(text))));
    return [...this.ever].filter(
      (hash) => !held.has(hash) && !here.has(hash) && !this.excused.has(hash) && !blank.has(hash),
    );
  }
}

/** An archive, or half of it, that holds what a file begins with that is read, under this name or another. */
function isBeingMade(file: FoundFile, files: readonly FoundFile[], now: number): boolean {
  if (!file.name.endsWith('.gz') || Math.abs(now - file.mtimeMs) > HOUR) return false;
  const source = files.find(({ name }) => name === file.name.slice(0, -3));
  if (source === undefined || source.bytes.length === 0 || source.mtimeMs - file.mtimeMs > 1_000)
    return false;
  if (file.raw.length === 0) return true;
  try {
    const text = gunzipSync(file.raw, { finishFlush: constants.Z_SYNC_FLUSH });
    const isWhole = file.form === 'archive';
    return (
      source.bytes.subarray(0, text.length).equals(text) && (isWhole || source.bytes.length > text.length)
    );
  } catch {
    return false;
  }
}
