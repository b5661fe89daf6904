/** Files that the engine makes are readable by their owner only (promise 5): the lake, and what it writes ahead. */
export async function asOwnFiles<T>(write: () => Promise<T>): Promise<T> {
  const before = process.umask(0o077);
  try {
    return await write();
  } finally {
    process.umask(before);
  }
}
