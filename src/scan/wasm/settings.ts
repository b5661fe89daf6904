/** What the host tells by name (src/scan/machine.ts), each an exported global: once before the first line, or with each part. */
export let callColumns: u32 = 0;
export let runColumns: u32 = 0;
/** A column needs the letters of the attempts walked. */
export let derivesCalls: bool = false;
/** Fields of an attempt that go into the projection, a bit each. */
export let wantedFields: u32 = 0;
export let maxLineBytes: u32 = 0;
/** Every reject is handed over, not only the first of each reason. */
export let everyReject: bool = false;

/** Of the part at hand: the number of its file, and the only kind that is let in (-1 = each line says it itself). */
export let batch: u32 = 0;
export let only: i32 = -1;
/** Lines of the file that were read some other time, before the first of those at hand. */
export let linesBefore: u32 = 0;
/** The host fills in the hashes of its lines. */
export let digests: bool = false;
