import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseQuery, type Query } from './header.js';

/** Every `.sql` file of a folder as a question, by name. */
export function readCatalogue(folder: string): Query[] {
  return readdirSync(folder)
    .filter((entry) => entry.endsWith('.sql'))
    .sort()
    .map((entry) => {
      const file = path.join(folder, entry);
      return parseQuery(file, entry.slice(0, -4), readFileSync(file, 'utf8'));
    });
}
