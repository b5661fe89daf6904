export interface LakeFlags {
  readonly lake?: string;
  readonly lockTimeout?: number;
  readonly json?: true;
}

import type { Io } from '../io.js';
export async function lakeInfo(_flags: LakeFlags, _io: Io): Promise<0> {
  return 0;
}
export async function verifyLake(_flags: LakeFlags, _io: Io): Promise<0> {
  return 0;
}
