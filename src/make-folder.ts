/** A folder with those above it. Node's own `recursive` never ends where one is there and none can be made in it (/proc). */
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** @throws an error of the system. */
export function makeFolder(folder: string, mode = 0o777): void {
  if (isFolder(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent, mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Somebody else made it.
    if (!isFolder(folder)) throw error;
  }
}

const isFolder = (name: string) => statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
