/** What zstddec's WebAssembly offers: functions of zstd.h. Pointers and sizes are 32 bits; errors are negative. */
export interface Zstd {
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
export function loadZstd(): Promise<Zstd> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Zstd> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  let zstd: Zstd | undefined;
  class Exposed extends ZSTDDecoder {
    override _init(result: Parameters<InstanceType<typeof ZSTDDecoder>['_init']>[0]): void {
      super._init(result);
      zstd = (result as { instance: { exports: unknown } }).instance.exports as Zstd;
    }
  }
  await new Exposed().init();
  if (zstd === undefined) throw new Error('the zstd decoder cannot be loaded');
  return zstd;
}
