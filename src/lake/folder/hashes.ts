/** Hashes of files that were read whole before and stand there untouched: a gate reads whole only what is new to it. */
import { type BigIntStats, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../../make-folder.js';
import { sha256 } from '../store/fingerprint.js';
import { hashFile } from './hash-file.js';
import type { FolderLake } from './making.js';
import { sealed, unsealed } from './seal.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Size, inode, times of the last change of content and of anything: nobody sets the last of them back. */
export type Identity = string;
export const identityOf = ({ size, ino, mtimeNs, ctimeNs }: BigIntStats): Identity =>
  `${size} ${ino} ${mtimeNs} ${ctimeNs}`;

/** What was changed within so long before it was read may be changed once more without another time. */
const SETTLED_MS = 2_000;
export const isSettled = (identity: Identity): boolean => {
  const [, , mtimeNs, ctimeNs] = identity.split(' ').map(Number) as [number, number, number, number];
  return Date.now() - Math.max(mtimeNs, ctimeNs) / 1e6 > SETTLED_MS;
};

/** Where what is known of a lake outlives a run; null where there is no such place. */
export function cacheFile({ place, making }: FolderLake, env: Env, what: string): string | null {
  const base = env.XDG_CACHE_HOME || (env.HOME ? path.join(env.HOME, '.cache') : null);
  if (base === null) return null;
  const key = sha256(Buffer.from(`${making.lake_id} ${place.path}`)).slice(0, 16);
  return path.join(base, 'lakelog', `${what}-${key}.json`);
}

export function readCache<T>(file: string | null): T | null {
  if (file === null) return null;
  try {
    const content = unsealed<T>(readFileSync(file));
    return typeof content === 'string' ? null : content;
  } catch {
    return null;
  }
}

/** Without it the next run does more. */
export function writeCache(file: string | null, content: object): boolean {
  if (file === null) return false;
  try {
    makeFolder(path.dirname(file), 0o700);
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, sealed(content), { mode: 0o600 });
    renameSync(draft, file);
    return true;
  } catch {
    return false;
  }
}

interface Cached {
  readonly files: Readonly<Record<string, readonly [Identity, string]>>;
}

/** Hashes files, each once as long as nobody touches it. */
export class Hashes {
  private readonly lake: FolderLake;
  private readonly file: string | null;
  private readonly known: Map<string, readonly [Identity, string]>;
  private isChanged = false;

  constructor(lake: FolderLake, env: Env) {
    this.lake = lake;
    this.file = cacheFile(lake, env, 'hashes');
    this.known = new Map(Object.entries(readCache<Cached>(this.file)?.files ?? {}));
  }

  /** @param stats as the file was found. @throws an error of the system. */
  of(name: string, stats: BigIntStats): string {
    const identity = identityOf(stats);
    const known = this.known.get(name);
    if (known?.[0] === identity) return known[1];
    const hash = hashFile(this.lake.place.at(name));
    if (isSettled(identity)) {
      this.known.set(name, [identity, hash]);
      this.isChanged = true;
    }
    return hash;
  }

  /** @param named files that the lake has; of others nothing is kept. */
  keep(named: ReadonlySet<string>): void {
    if (!this.isChanged) return;
    const files = Object.fromEntries([...this.known].filter(([name]) => named.has(name)));
    writeCache(this.file, { files });
  }
}
