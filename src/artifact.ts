declare const LAKELOG_BUNDLED: boolean | undefined;

/** What the build makes besides the bundle stands beside it; code that runs from source finds it in the built package. */
export function artifact(name: string): URL {
  const folder = typeof LAKELOG_BUNDLED === 'undefined' ? '../dist/' : './';
  return new URL(folder + name, import.meta.url);
}
