/** What gates found on a folder lake when they were printed last by this user: the lake may be one that nobody here writes to. */
import { cacheFile, readCache, writeCache } from './hashes.js';
import type { FolderLake } from './making.js';

type Env = Readonly<Record<string, string | undefined>>;
type Answers = Readonly<Record<string, string>>;

/** Whether the same was found the last time. @param question names it with all that was asked. */
export function isKnownHere(lake: FolderLake, env: Env, question: string, findings: string): boolean {
  return readCache<Answers>(cacheFile(lake, env, 'answers'))?.[question] === findings;
}

/** Where nothing can be kept, all is news the next time too. */
export function keepHere(lake: FolderLake, env: Env, question: string, findings: string): void {
  const file = cacheFile(lake, env, 'answers');
  writeCache(file, { ...readCache<Answers>(file), [question]: findings });
}
