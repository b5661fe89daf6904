import { CUT, damaged, TRAILING, Unreadable } from './reasons.js';

const INPUT = 128 << 10;
const OUTPUT = 512 << 10;
/** `{ void* data; size_t size; size_t position }`: how zstd.h describes a buffer. */
const BUFFER = 12;

/** Numbers of zstd_errors.h that have words of their own; the rest is damage. */
const ERRORS: Readonly<Record<number, string>> = {
  16: 'the compressed data need more than 128 MiB of memory (written with --long or --ultra)',
  20: damaged('corrupted block'),
  22: damaged('wrong checksum'),
  32: 'the compressed data need a dictionary',
  64: 'the compressed data need more memory than there is',
};
const REMEDIES: Readonly<Record<number, string>> = {
  16: 'decompress the file: zstd -d --rm --long=31',
  32: 'decompress the file: zstd -d --rm -D DICTIONARY',
};
const UNKNOWN_PREFIX = 10;

/** What zstddec's WebAssembly offers: functions of zstd.h. Pointers and sizes are 32 bits; errors are negative. */
interface Zstd {
  /** Its buffer is another one whenever it has grown. */
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  free(pointer: number): void;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  /** 0 = a frame ended and all of it was handed out. */
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

let loading: Promise<Zstd> | undefined;

/**
 * The package's own loop does not look at errors and would turn for ever on damaged data, so only its WebAssembly is
 * used; it is handed to the method that a subclass can see.
 */
async function load(): Promise<Zstd> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  return new Promise((resolve, reject) => {
    class Exposed extends ZSTDDecoder {
      override _init(result: Parameters<InstanceType<typeof ZSTDDecoder>['_init']>[0]): void {
        super._init(result);
        resolve((result as { instance: { exports: unknown } }).instance.exports as Zstd);
      }
    }
    new Exposed().init().catch(reject);
  });
}

/**
 * All frames of a .zst as one, skippable ones passed over, by the reference decoder compiled to WebAssembly: the same
 * on every Node. Node's own, from 22.15 on, ends without an error after one frame and at data that stop early, and is
 * no faster.
 * @throws Error with a plain reason.
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  loading ??= load();
  const zstd = await loading;
  const context = zstd.ZSTD_createDCtx();
  const [input, output] = [zstd.malloc(INPUT + BUFFER), zstd.malloc(OUTPUT + BUFFER)];
  // Each with its description behind it.
  const [read, made] = [input + INPUT, output + OUTPUT];
  const describe = (buffer: number, data: number, size: number) =>
    new Uint32Array(zstd.memory.buffer, buffer, 3).set([data, size, 0]);
  const positionIn = (buffer: number) => new Uint32Array(zstd.memory.buffer, buffer, 3)[2]!;
  let frames = 0;
  let isInFrame = true;
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += INPUT) {
        const bytes = chunk.subarray(at, at + INPUT);
        new Uint8Array(zstd.memory.buffer).set(bytes, input);
        describe(read, input, bytes.length);
        // A full output may leave more behind; called again after the end of a frame, it would begin another.
        do {
          describe(made, output, OUTPUT);
          const left = zstd.ZSTD_decompressStream(context, made, read);
          if (left < 0) throw errorOf(-left, frames);
          if (positionIn(made) > 0) {
            yield new Uint8Array(zstd.memory.buffer).slice(output, output + positionIn(made));
          }
          isInFrame = left !== 0;
          if (!isInFrame) frames++;
        } while (positionIn(read) < bytes.length || (isInFrame && positionIn(made) === OUTPUT));
      }
    }
    if (isInFrame) throw new Error(CUT);
  } finally {
    zstd.ZSTD_freeDCtx(context);
    zstd.free(input);
    zstd.free(output);
  }
}

function errorOf(code: number, frames: number): Error {
  if (code === UNKNOWN_PREFIX && frames > 0) return new Error(TRAILING);
  const why = ERRORS[code] ?? damaged(`zstd error ${code}`);
  const next = REMEDIES[code];
  return next === undefined ? new Error(why) : new Unreadable(why, { next });
}
