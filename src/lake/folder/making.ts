/** What a folder lake is for its life: written first, by whoever comes first. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { adviceFor, LakelogError, messageOf, shellWord, whyUnreadable } from '../../errors.js';
import { kernelPath } from '../../kernel-path.js';
import { makeFolder } from '../../make-folder.js';
import { FOLDER_FORMAT, type FolderMaking } from '../../schema/batch.js';
import { EXIT } from '../../schema/result.js';
import { version } from '../../version.js';
import { BATCHES, HOSTS, LAYOUT, MAKING, PUBLISHED_NAMES, tableName } from './layout.js';
import { asFilesOf, LocalPlace } from './place.js';
import { CUT } from './receipts.js';

export interface FolderLake {
  /** As the user named it. */
  readonly name: string;
  readonly place: LocalPlace;
  readonly making: FolderMaking;
}

const fail = (name: string, what: string, next: string, exitCode: 2 | 3 = EXIT.error) =>
  new LakelogError(what, { where: name, next, exitCode });

/** @throws LakelogError where there is none. */
export function openFolderLake(name: string, cwd: string): FolderLake {
  const place = placeOf(name, cwd);
  const making = readMaking(name, place);
  if (making !== null) return { name, place, making };
  if (!isEmpty(place.path)) throw noLake(name, place, 'name the folder of a lake: --lake DIR/');
  throw fail(
    name,
    'there is no lake yet',
    `fill it: lakelog sync --lake ${shellWord(name)} LOGS`,
    EXIT.cannotVouch,
  );
}

/** The lake of this name, made where there is none. */
export async function makeFolderLake(
  name: string,
  cwd: string,
  own: Pick<FolderMaking, 'keeps_content' | 'max_line_bytes'>,
): Promise<FolderLake> {
  const place = placeOf(name, cwd);
  try {
    makeFolder(place.path, 0o700);
    accessSync(place.path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fail(
      name,
      `the lake cannot be written to: ${whyUnreadable(error)}`,
      adviceFor(error)?.next ?? 'see who may write there: ls -ld',
    );
  }
  const there = readMaking(name, place);
  if (there !== null) return { name, place, making: there };
  if (!isEmpty(place.path)) throw noLake(name, place, 'name a new folder, or an empty one');
  const making: FolderMaking = {
    ...{ schema: FOLDER_FORMAT, format: LAYOUT, lake_id: randomBytes(16).toString('hex') },
    ...{ ...own, made_by: version },
  };
  // Of several that make it at once, one does.
  await asFilesOf(place.path, async () => {
    place.put(MAKING, Buffer.from(`${JSON.stringify(making)}\n`));
    // Engines that are told of a folder want to find one.
    for (const folder of [BATCHES, HOSTS, ...PUBLISHED_NAMES.map(tableName)]) makeFolder(place.at(folder));
  });
  return { name, place, making: readMaking(name, place)! };
}

function noLake(name: string, place: LocalPlace, next: string): LakelogError {
  if ([...place.list(BATCHES), ...place.list(HOSTS)].length === 0)
    return fail(name, 'this folder is no lake, and holds other things', next);
  return fail(name, `the lake is damaged: ${MAKING} is missing`, CUT, EXIT.cannotVouch);
}

function placeOf(name: string, cwd: string): LocalPlace {
  const given = kernelPath(cwd, name);
  const stats = statSync(given, { throwIfNoEntry: false });
  if (stats === undefined) return new LocalPlace(given);
  if (!stats.isDirectory())
    throw fail(name, 'this is a file, and its name says that it is a folder', 'leave out the / at its end');
  return new LocalPlace(realpathSync.native(given));
}

const isEmpty = (folder: string): boolean => {
  try {
    return readdirSync(folder).every((entry) => entry.startsWith('.'));
  } catch {
    return true;
  }
};

function readMaking(name: string, place: LocalPlace): FolderMaking | null {
  if (!place.has(MAKING)) return null;
  const damaged = (why: string) =>
    fail(name, `the lake is damaged: ${MAKING} ${why}`, 'put it back as it was', EXIT.cannotVouch);
  let making: FolderMaking;
  try {
    making = JSON.parse(place.read(MAKING).toString()) as FolderMaking;
  } catch (error) {
    throw damaged(`cannot be read (${messageOf(error)})`);
  }
  if (making?.schema !== FOLDER_FORMAT) throw damaged(`does not say ${FOLDER_FORMAT}`);
  if (!(making.format <= LAYOUT))
    throw fail(name, 'this lake was made by a newer version', 'update lakelog, or name another folder');
  if (!/^[0-9a-f]{32}$/.test(making.lake_id)) throw damaged('does not say which lake it is');
  return making;
}
