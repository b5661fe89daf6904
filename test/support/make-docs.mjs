/** Makes the generated parts of docs/*.md anew: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { withFieldTables } from './field-tables.mjs';
import { withPolicyTables } from './policy-tables.mjs';
import { withQuestionTables } from './question-tables.mjs';

const root = path.resolve(import.meta.dirname, '../..');

for (const [page, source, fill] of [
  ['SESSION_LOG.md', 'src/schema/fields.ts', withFieldTables],
  ['QUESTIONS.md', 'src/query/header-keys.ts', withQuestionTables],
  ['CHECK.md', 'src/schema/policy.ts', withPolicyTables],
]) {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, source)],
    format: 'esm',
    write: false,
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  const data = await import(`data:text/javascript;base64,${code}`);
  const file = path.join(root, 'docs', page);
  writeFileSync(file, fill(readFileSync(file, 'utf8'), data));
}
