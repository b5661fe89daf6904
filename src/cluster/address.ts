/** Where an engine is reached: `trino://user@host:port/catalog/schema`. */
import { LakelogError } from '../errors.js';

export interface Address {
  /** As it was named, which holds no secret. */
  readonly name: string;
  /** `https://host:port`. */
  readonly origin: string;
  readonly user: string;
  readonly password: string | null;
  readonly catalog: string;
  readonly schema: string;
}

type Env = Readonly<Record<string, string | undefined>>;

const PASSWORD = 'LAKELOG_TRINO_PASSWORD';
const FORM = 'write it as: trino://user@host:8080/catalog/schema';

/** @throws LakelogError (exit 2) for what is none, and for a password where everybody reads it. */
export function addressOf(name: string, env: Env): Address {
  const fail = (what: string, next = FORM) => new LakelogError(`--lake: ${what}`, { next });
  const url = URL.canParse(name) ? new URL(name) : null;
  if (url === null || !name.toLowerCase().startsWith('trino://') || url.hostname === '')
    throw fail('this is no address of Trino');
  if (url.password !== '')
    throw fail(
      'a password in an address is seen in lists of processes',
      `set it in the environment: ${PASSWORD}`,
    );
  const [catalog = '', schema = '', ...rest] = url.pathname.slice(1).split('/').map(decoded);
  if (
    catalog === '' ||
    schema === '' ||
    rest.some((part) => part !== '') ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw fail('the address names no catalog and schema, or more than these');
  if (url.username === '') throw fail('the address names no user');
  const password = env[PASSWORD] || null;
  const isSafe = password !== null || url.port === '443';
  return {
    ...{ name, catalog, schema, password, user: decoded(url.username) },
    origin: `${isSafe ? 'https' : 'http'}://${url.hostname}:${url.port || (isSafe ? '443' : '8080')}`,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
