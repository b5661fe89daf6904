/**
 * The seal of a lake: a file beside it that says which block stands where. The engine puts a checksum into each block
 * that does not cover its place, so that blocks which changed places, or came back from an earlier time, would be read
 * as if they were right.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { LakelogError } from '../../errors.js';
import { sha256 } from './fingerprint.js';

const sealOf = (lake: string): string => `${lake}.seal`;

/**
 * Three heads come first, which name the database and count its states, and then blocks, each of which begins with its
 * checksum. Their size stands in a head.
 */
const HEADS = { bytes: 3 * 4096, blockSize: 4096 + 40 };
const CHECKSUM = 8;
const BLOCK = { least: 16_384, most: 262_144 };

/** What a lake is at rest: its state, and the blocks of it. */
interface Picture {
  readonly heads: string;
  readonly blocks: string;
}

function pictureOf(lake: string): Picture {
  const fd = openSync(lake, 'r');
  try {
    const heads = Buffer.alloc(HEADS.bytes);
    readSync(fd, heads, 0, heads.length, 0);
    const said = Number(heads.readBigUInt64LE(HEADS.blockSize));
    const size = said >= BLOCK.least && said <= BLOCK.most ? said : BLOCK.most;
    const count = Math.ceil(Math.max(0, fstatSync(fd).size - HEADS.bytes) / size);
    const checksums = Buffer.alloc(CHECKSUM * count);
    for (let n = 0; n < count; n++) readSync(fd, checksums, CHECKSUM * n, CHECKSUM, HEADS.bytes + size * n);
    return { heads: sha256(heads), blocks: sha256(checksums) };
  } finally {
    closeSync(fd);
  }
}

function lineOf({ heads, blocks }: Picture): string {
  const told = `lakelog.seal.v1 ${heads} ${blocks}`;
  return `${told} ${sha256(Buffer.from(told))}\n`;
}

/** A seal is a line. */
const SEAL_BYTES = 4096;

/** Null for what is no seal: a pipe would be waited for. */
function readSeal(lake: string): string | null {
  try {
    const fd = openSync(sealOf(lake), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      return stats.isFile() && stats.size <= SEAL_BYTES ? readFileSync(fd, 'utf8') : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

/** Whether a lake is what the seal says; one of another state, or that is damaged itself, says nothing against it. */
function fits(seal: string, lake: string): boolean {
  const [, heads = '', blocks = ''] = seal.split(' ');
  if (seal !== lineOf({ heads, blocks })) return true;
  try {
    const picture = pictureOf(lake);
    return picture.heads !== heads || picture.blocks === blocks;
  } catch {
    // The engine says what is wrong with a file that cannot be read.
    return true;
  }
}

/** How long somebody who has just begun to write has to say so. */
const PAUSE_MS = 50;

/**
 * Whether blocks of a lake are not those that its last writer left there. Not to be asked while this process has it
 * open: its lock falls when any descriptor of the process closes.
 */
export function isBroken(lake: string): boolean {
  const seal = readSeal(lake);
  if (seal === null || fits(seal, lake)) return false;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  return readSeal(lake) === seal && !fits(seal, lake);
}

/**
 * Breaks the seal for who holds the lake and is going to write to it: blocks that are not in use yet may be written
 * before the state is another, and stay so when the run is killed.
 * @returns seals the lake; to be called when it is closed. Whoever holds it by then seals it himself.
 */
export function unseal(lake: string): () => void {
  const mark = `lakelog.seal.v1 ${randomUUID()}\n`;
  const write = (text: string, file: string) => writeFileSync(file, text, { mode: 0o600 });
  const unlessItFails = (how: () => void) => {
    try {
      how();
    } catch {
      // Without a seal a lake is as good as the engine's own checks.
    }
  };
  removeSeal(lake);
  unlessItFails(() => write(mark, sealOf(lake)));
  return () =>
    unlessItFails(() => {
      if (readSeal(lake) !== mark) return;
      const line = lineOf(pictureOf(lake));
      const draft = `${sealOf(lake)}-${process.pid}`;
      try {
        write(line, draft);
        if (readSeal(lake) === mark) renameSync(draft, sealOf(lake));
      } finally {
        rmSync(draft, { force: true });
      }
    });
}

/** @throws LakelogError for what stands in its place and cannot be removed. */
export function removeSeal(lake: string): void {
  try {
    rmSync(sealOf(lake), { force: true });
  } catch (error) {
    throw new LakelogError(
      'the seal of the lake has its place there, and what stands there cannot be removed',
      {
        where: sealOf(lake),
        next: 'move it away, and run the same command again',
        cause: error,
      },
    );
  }
}
