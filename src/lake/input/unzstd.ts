import { CUT, damaged, TRAILING } from './damage.js';
import { loadZstd, type Zstd } from './zstd-wasm.js';

const INPUT = 128 << 10;
const OUTPUT = 512 << 10;
/** `{ void* data; size_t size; size_t position }`: how zstd.h describes a buffer. */
const BUFFER = 12;

/** Numbers of zstd_errors.h that have words of their own; the rest is damage. */
const ERRORS: Readonly<Record<number, string>> = {
  16: 'the compressed data need more than 128 MiB of memory (written with --long or --ultra): decompress the file with zstd -d --long=31',
  20: damaged('corrupted block'),
  22: damaged('wrong checksum'),
  32: 'the compressed data need a dictionary: decompress the file with zstd -d -D',
  64: 'the compressed data need more memory than there is',
};
const UNKNOWN_PREFIX = 10;

/**
 * All frames of a .zst as one, skippable ones passed over, by the reference decoder compiled to WebAssembly: the same
 * on every Node. Node's own, from 22.15 on, ends without an error after one frame and at data that stop early, and is
 * no faster.
 * @throws Error with a plain reason.
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new Decoder(await loadZstd());
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += INPUT) yield* decoder.push(chunk.subarray(at, at + INPUT));
    }
    if (decoder.inFrame) throw new Error(CUT);
  } finally {
    decoder.free();
  }
}

/** Drives ZSTD_decompressStream; the memory of WebAssembly may move whenever it is called. */
class Decoder {
  /** The data so far do not end where a frame ends. */
  inFrame = true;
  private frames = 0;
  private readonly zstd: Zstd;
  private readonly context: number;
  private readonly input: number;
  private readonly output: number;
  /** The two descriptions, of input and output. */
  private readonly buffers: number;

  constructor(zstd: Zstd) {
    this.zstd = zstd;
    this.context = zstd.ZSTD_createDCtx();
    this.input = zstd.malloc(INPUT);
    this.output = zstd.malloc(OUTPUT);
    this.buffers = zstd.malloc(2 * BUFFER);
  }

  *push(bytes: Uint8Array): Generator<Uint8Array, void, void> {
    const { zstd, context, input, output, buffers } = this;
    new Uint8Array(zstd.memory.buffer).set(bytes, input);
    this.describe(buffers, input, bytes.length);
    for (;;) {
      this.describe(buffers + BUFFER, output, OUTPUT);
      const expected = zstd.ZSTD_decompressStream(context, buffers + BUFFER, buffers);
      if (expected < 0) throw new Error(this.wordsFor(-expected));
      const made = this.positionIn(buffers + BUFFER);
      if (made > 0) yield new Uint8Array(zstd.memory.buffer).slice(output, output + made);
      this.inFrame = expected !== 0;
      if (!this.inFrame) this.frames++;
      const usedUp = this.positionIn(buffers) === bytes.length;
      // A full output may leave more behind; called again after the end of a frame, it would begin another.
      if (usedUp && (made < OUTPUT || !this.inFrame)) return;
    }
  }

  free(): void {
    this.zstd.ZSTD_freeDCtx(this.context);
    for (const pointer of [this.input, this.output, this.buffers]) this.zstd.free(pointer);
  }

  private describe(buffer: number, data: number, size: number): void {
    new Uint32Array(this.zstd.memory.buffer, buffer, 3).set([data, size, 0]);
  }

  private positionIn(buffer: number): number {
    return new Uint32Array(this.zstd.memory.buffer, buffer, 3)[2]!;
  }

  private wordsFor(code: number): string {
    if (code === UNKNOWN_PREFIX && this.frames > 0) return TRAILING;
    return ERRORS[code] ?? damaged(`zstd error ${code}`);
  }
}
