/** Filled in by the build from package.json; tests that run the sources see the fallback. */
declare const LAKELOG_VERSION: string | undefined;

export const version = typeof LAKELOG_VERSION === 'string' ? LAKELOG_VERSION : '0.0.0-source';
