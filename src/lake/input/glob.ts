import picomatch from 'picomatch';
import type { Search } from './walk.js';

export interface Glob {
  /** The folder that the pattern begins in, as it was written. */
  readonly folder: string;
  readonly search: Search;
}

// An exclamation mark is a character of the name, as in a shell.
const OPTIONS = { dot: false, nonegate: true } as const;

/** Null where the text holds no pattern. */
export function parseGlob(text: string): Glob | null {
  const { isGlob, base, glob } = picomatch.scan(text, OPTIONS);
  if (!isGlob) return null;
  const pattern = glob.replace(/\/+$/, '').replace(/\/(\.?\/)+/g, '/');
  const matches = picomatch(pattern, OPTIONS);
  return {
    folder: base === '' ? '.' : base.replace(/\\(.)/g, '$1'),
    search: { matches: (name) => matches(name), enters: reaches(pattern) },
  };
}

/** Whether a pattern can match anything below a folder; one it cannot reach is none of its business. */
function reaches(pattern: string): (folder: string) => boolean {
  // Alternatives may hold slashes, and ** any number of folders.
  if (/[{(]|\*\*/.test(pattern)) return () => true;
  const parts = pattern.split('/');
  return (folder) => {
    const depth = folder.split('/').length;
    return depth < parts.length && picomatch(parts.slice(0, depth).join('/'), OPTIONS)(folder);
  };
}
