export function withPolicyTables(
  document: string,
  policy: typeof import('../../src/schema/policy.js'),
): string;
