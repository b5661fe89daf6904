/** Makes the generated parts of docs/SESSION_LOG.md anew: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { withFieldTables } from './field-tables.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const { outputFiles } = await build({
  entryPoints: [path.join(root, 'src/schema/fields.ts')],
  format: 'esm',
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const fields = await import(`data:text/javascript;base64,${code}`);
const file = path.join(root, 'docs/SESSION_LOG.md');
writeFileSync(file, withFieldTables(readFileSync(file, 'utf8'), fields));
