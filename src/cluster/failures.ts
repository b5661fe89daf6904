/** What a failure of the engine means, and who can mend it. */
import { LakelogError } from '../errors.js';
import { EXIT } from '../schema/result.js';
import type { Address } from './address.js';

export interface TrinoError {
  readonly message: string;
  readonly errorName: string;
  readonly errorType: string;
}

/** Nothing was checked. */
export function unreachable({ name }: Address, why: string): LakelogError {
  return new LakelogError(`Trino cannot be asked: ${why}`, {
    where: name,
    next: 'see whether its coordinator runs and is reached from here, then run the same command again',
    exitCode: EXIT.cannotVouch,
  });
}

type Row = readonly [names: RegExp, next: string];

/** Mistakes of whoever asks; the first row that fits. */
const ADVICE: readonly Row[] = [
  [
    /^(TABLE|SCHEMA|CATALOG|COLUMN)_NOT_FOUND|^(MISSING_(SCHEMA|CATALOG)_NAME)/,
    'declare the tables: lakelog schema --dialect trino --lake PLACE; or correct catalog and schema in --lake',
  ],
  [
    /^PERMISSION_DENIED/,
    'let the user read: GRANT SELECT on the tables that start with base_, batch_receipts and host_states',
  ],
  [
    /^(SYNTAX_ERROR|FUNCTION_NOT_FOUND|TYPE_MISMATCH|AMBIGUOUS_NAME|NOT_SUPPORTED|INVALID_CAST_ARGUMENT)/,
    'write it in what DuckDB and Trino both understand; or ask the folder itself, if this machine sees it: --lake DIR/',
  ],
  [
    /^EXCHANGE_MANAGER_NOT_CONFIGURED/,
    'give the cluster, which has a retry-policy, an exchange manager for answers beyond 32 MB (exchange-manager.name=filesystem)',
  ],
  [/^(QUERY_TEXT_TOO_LARGE|EXCEEDED_)/, 'narrow it with the filters, or raise the limit of the cluster'],
];

/** A place in the statement that was composed, which nobody sees. */
const OF_STATEMENT = /^line \d+:\d+: /;

/** @returns exit 2 where the statement is wrong; 3 where the engine failed, for then nothing was checked. */
export function engineError({ message, errorName, errorType }: TrinoError, { name }: Address): LakelogError {
  const isOurs = errorType === 'USER_ERROR';
  const [, next] = ADVICE.find(([names]) => names.test(errorName)) ?? [];
  const again = 'run the same command again; if it says so again, ask whoever runs the cluster';
  return new LakelogError(
    `Trino ${isOurs ? 'refuses the statement' : 'failed'}: ${errorName}: ${message.split('\n', 1)[0]!.replace(OF_STATEMENT, '')}`,
    {
      where: name,
      next: next ?? (isOurs ? 'compare its names with: lakelog schema' : again),
      ...(isOurs ? {} : { exitCode: EXIT.cannotVouch }),
    },
  );
}
