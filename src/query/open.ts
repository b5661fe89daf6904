/** Opens a lake of any kind: in memory, of a file, of a folder, or that an engine over the network answers for. */
import { isCluster } from '../lake/export.js';
import { type Lake, type LakeOptions, openLake } from '../lake/lake.js';

export async function openAnyLake(options: LakeOptions): Promise<Lake> {
  const { lake } = options;
  if (!lake || !isCluster(lake.name)) return openLake(options);
  return (await import('../cluster/lake.js')).openClusterLake({ ...options, lake });
}
