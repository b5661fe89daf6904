/** @returns calls */
export function writeLogs(folder: string, host: string, seed: number, bytes: number): number;
