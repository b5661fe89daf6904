import path from 'node:path';

/**
 * The path that the kernel is given for what a user wrote. Nothing is shortened in the text: `link/../x` lies beside
 * what the link leads to, where `path.resolve` looks beside the link.
 */
export function kernelPath(cwd: string, given: string): string {
  return path.isAbsolute(given) ? given : `${cwd}${path.sep}${given}`;
}
