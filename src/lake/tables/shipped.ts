import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { artifact } from '../../scan/artifact.js';
import type { NeedsTable } from './needs.js';
import { templatesIn } from './templates.js';

/** The views that ship with the package. */
export const shippedTemplates = templatesIn(fileURLToPath(artifact('../queries/tables')));

let needs: NeedsTable | undefined;

/** Needs of the questions that ship, found when the package was built. */
export function shippedNeeds(): NeedsTable {
  needs ??= JSON.parse(readFileSync(artifact('needs.json'), 'utf8')) as NeedsTable;
  return needs;
}
