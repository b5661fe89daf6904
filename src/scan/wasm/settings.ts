/** What the host tells by name (src/scan/machine.ts), each an exported global: once before the first line, or with each part. */
/** Numbers of keys; the keys are the words from 0. */
export let keyCount: u32 = 0;
export let schemaKey: u32 = 0;
export let timestampKey: u32 = 0;
export let iterationsKey: u32 = 0;
export let finalVerdictKey: u32 = 0;
export let attemptsKey: i32 = 0;
export let documentsKey: u32 = 0;
/** The first of the words of a list, and how many they are where that is not fixed. */
export let schemaWords: u32 = 0;
export let finalVerdictWords: u32 = 0;
export let finalVerdictCount: u32 = 0;
export let documentWords: u32 = 0;
/** The fields of an attempt, the verdict first. */
export let fieldWords: u32 = 0;
export let fieldCount: u32 = 0;
export let attemptVerdictWords: u32 = 0;
export let attemptVerdictCount: u32 = 0;
export let reasonsField: i32 = 0;
/** Fields of an attempt that go into the projection, a bit each. */
export let wantedFields: u32 = 0;
/** Keys that each kind of record declares, a bit each. */
export let declaredByCalls: u64 = 0;
export let declaredByRuns: u64 = 0;
export let callColumns: u32 = 0;
export let runColumns: u32 = 0;
/** A column needs the letters of the attempts walked. */
export let derivesCalls: bool = false;
export let maxLineBytes: u32 = 0;
/** Every reject is handed over, not only the first of each reason. */
export let everyReject: bool = false;

/** Of the part at hand: the number of its file, and the only kind that is let in (-1 = each line says it itself). */
export let batch: u32 = 0;
export let only: i32 = -1;
/** The host fills in the hashes of its lines. */
export let digests: bool = false;
