/** Inputs: from paths to files, and from files to bytes. */
export { compressionOf, gunzipBeginning } from './decompress.js';
export { type Assertion, absolutePath, type InputRequest, identityOf, REPLACED, statOf } from './find.js';
export { CHANGED, type OpenedInput, openInput, type PlainInput, type StreamInput } from './open.js';
export { predecessorsOf } from './predecessors.js';
export { Changed, cannotBeRead, isPassing, problemOf, Unreadable, whileReading } from './reasons.js';
export { ACKS_NAME, type ResolveOptions, resolveInputs, type SourceFile } from './resolve.js';
export {
  isCompressed,
  isRotatedName,
  isSaidCompressed,
  mayBeOneLog,
  plainName,
  predecessorNames,
} from './rotation.js';
