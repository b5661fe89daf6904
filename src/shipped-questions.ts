/** Run by the build: the questions that ship, understood, so that no run has to read their headers. */
import { type BuiltQuestions, readCatalogue } from './query/catalogue.js';

export function builtQuestions(folder: string): BuiltQuestions {
  return Object.fromEntries(readCatalogue(folder).map((query) => [query.name, query]));
}
