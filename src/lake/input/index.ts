/** Inputs: from paths to files, and from files to bytes. */
export { type Compression, compressionOf } from './compression.js';
export { decompress } from './decompress.js';
export { ACKS_NAME, damagedIfEmpty } from './names.js';
export { type OpenedInput, openInput, type PlainInput, type StreamInput } from './open.js';
export { kernelPath } from './paths.js';
export { reasonOf, Unreadable } from './reasons.js';
export { type ResolveOptions, ROTATION_GRACE_S, resolveInputs } from './resolve.js';
export type { Assertion, InputRequest, ResolvedInputs, SourceFile } from './types.js';
