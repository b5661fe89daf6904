export function withQuestionTables(
  document: string,
  grammar: typeof import('../../src/query/header-keys.js'),
): string;
