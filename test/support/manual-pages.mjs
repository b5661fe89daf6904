/** The pages of docs/commands as the commands make them. */

import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../..');

export async function manualPages() {
  // In the checkout, so that packages are found from there.
  const folder = mkdtempSync(path.join(root, 'node_modules/.manual-'));
  try {
    const outfile = path.join(folder, 'manual.mjs');
    await build({
      entryPoints: [path.join(root, 'src/shipped-manual.ts')],
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      define: { LAKELOG_BUNDLED: 'false' },
      outfile,
    });
    return (await import(pathToFileURL(outfile).href)).manualPages(root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
