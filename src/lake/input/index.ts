/** Inputs: from paths to files, and from files to bytes. */
export { changedWhileRead, type OpenedInput, openInput, type PlainInput, type StreamInput } from './open.js';
export { Unreadable } from './reasons.js';
export {
  ACKS_NAME,
  type Assertion,
  type InputRequest,
  type ResolveOptions,
  resolveInputs,
  type SourceFile,
} from './resolve.js';
