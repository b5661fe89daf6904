/** Trino's HTTP protocol: a statement is posted, and its pages are fetched one after the other until there is no next. */
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from '../at-end.js';
import { LakelogError, messageOf } from '../errors.js';
import type { Cell } from '../schema/result.js';
import { EXIT } from '../schema/result.js';
import { version } from '../version.js';
import type { Address } from './address.js';
import { engineError, type TrinoError, unreachable } from './failures.js';
import { cellOf, readJson } from './values.js';

export interface EngineRows {
  readonly names: readonly string[];
  /** As Trino names them. */
  readonly types: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
}

export interface EnginePages extends Omit<EngineRows, 'cells'> {
  readonly pages: AsyncIterable<EngineRows['cells']>;
}

export interface Patience {
  /** For one answer over the network, and for a coordinator that is busy or away. */
  readonly requestMs: number;
  readonly awayMs: number;
  /** For a whole statement. */
  readonly statementMs: number;
}

const PATIENCE: Patience = { requestMs: 60_000, awayMs: 20_000, statementMs: 900_000 };

interface Column {
  readonly name: string;
  readonly type: string;
}

interface Page {
  readonly nextUri?: string;
  readonly columns?: readonly Column[];
  readonly data?: readonly (readonly unknown[])[];
  readonly error?: TrinoError;
}

/** Codes of a coordinator, or of what stands before it, that is busy or begins. */
const BUSY = [429, 502, 503, 504];

export class Trino {
  private readonly address: Address;
  private readonly patience: Patience;
  private session: string;
  private readonly running = new Set<string>();
  private readonly forget: () => void;

  constructor(address: Address, patience: Partial<Patience> = {}) {
    this.address = address;
    this.patience = { ...PATIENCE, ...patience };
    // Instants of the Hive connector are cut to milliseconds else.
    this.session = `${address.catalog}.timestamp_precision=MICROSECONDS`;
    // Whoever stops the program stops what runs for it on the cluster.
    this.forget = atEnd(() => this.cancelAll());
  }

  /** @throws LakelogError (exit 3 where the engine failed, 2 where the statement or the user is wrong). */
  async query(sql: string): Promise<EngineRows> {
    const { names, types, pages } = await this.stream(sql);
    const cells: (readonly Cell[])[] = [];
    for await (const page of pages) for (const row of page) cells.push(row);
    return { names, types, cells };
  }

  /** The same page by page; who reads no further has the rest cancelled. */
  async stream(sql: string): Promise<EnginePages> {
    if (!/^\s*(--[^\n]*\n\s*)*(WITH|SELECT)\b/i.test(sql))
      throw new Error('only a SELECT is sent to a cluster');
    // Several begin at once, and each of them may be refused.
    const { session } = this;
    try {
      return await this.begin(sql);
    } catch (error) {
      if (!isOfSession(error) || session === '') throw error;
      // Only the Hive connector has it, and not everybody may set it; what is read is looked at anyway.
      this.session = '';
      return this.begin(sql);
    }
  }

  /** Until it is known which columns there are. */
  private async begin(sql: string): Promise<EnginePages> {
    const all = this.pagesOf(sql);
    for (;;) {
      const { value: page, done } = await all.next();
      if (done) return { names: [], types: [], pages: cellsOf({}, [], all) };
      const { columns } = page;
      if (columns === undefined) continue;
      return {
        names: columns.map(({ name }) => name),
        types: columns.map(({ type }) => type),
        pages: cellsOf(page, columns, all),
      };
    }
  }

  private async *pagesOf(sql: string): AsyncGenerator<Page, undefined> {
    const until = Date.now() + this.patience.statementMs;
    let next: string | undefined;
    try {
      for (let page = await this.post(sql); ; page = await this.get(next)) {
        if (next !== undefined) this.running.delete(next);
        next = page.nextUri;
        if (next !== undefined) this.running.add(next);
        if (page.error !== undefined) throw engineError(page.error, this.address);
        yield page;
        if (next === undefined) return;
        if (Date.now() > until) throw this.tooSlow();
      }
    } finally {
      if (next !== undefined) await this.cancel(next);
    }
  }

  private tooSlow(): LakelogError {
    return new LakelogError(
      `Trino did not answer within ${this.patience.statementMs / 1000} s, so nothing was checked`,
      {
        where: this.address.name,
        next: 'narrow it with --since and the other filters, or give the cluster more workers',
        exitCode: EXIT.cannotVouch,
      },
    );
  }

  private post(sql: string): Promise<Page> {
    const { catalog, schema } = this.address;
    const headers = {
      ...this.identity(),
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Trino-Catalog': encodeURIComponent(catalog),
      'X-Trino-Schema': encodeURIComponent(schema),
      'X-Trino-Time-Zone': 'UTC',
      'X-Trino-Source': 'lakelog',
      'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
      ...(this.session === '' ? {} : { 'X-Trino-Session': this.session }),
    };
    // One that got no answer may run: it is not put again.
    return this.request(`${this.address.origin}/v1/statement`, { method: 'POST', headers, body: sql }, false);
  }

  private get(uri: string | undefined): Promise<Page> {
    return this.request(this.ensureOurs(uri!), { headers: this.identity() }, true);
  }

  private identity(): Record<string, string> {
    const { user, password } = this.address;
    const basic = Buffer.from(`${user}:${password}`).toString('base64');
    return {
      'X-Trino-User': encodeURIComponent(user),
      'User-Agent': `lakelog/${version}`,
      ...(password === null ? {} : { Authorization: `Basic ${basic}` }),
    };
  }

  /** A password goes to nobody but whom it was given for, and never in clear. */
  private ensureOurs(uri: string): string {
    const { origin, password, name } = this.address;
    if (!URL.canParse(uri))
      throw unreachable(this.address, `its next page has no address: ${uri.slice(0, 80)}`);
    if (password === null || new URL(uri).origin === new URL(origin).origin) return uri;
    throw new LakelogError(
      `Trino names another place for its answer (${new URL(uri).origin}), which is not told the password`,
      {
        where: name,
        next: 'let the coordinator know its own address (http-server.process-forwarded=true behind a proxy)',
        exitCode: EXIT.cannotVouch,
      },
    );
  }

  private async request(uri: string, init: RequestInit, mayRepeat: boolean): Promise<Page> {
    const { requestMs, awayMs } = this.patience;
    const until = Date.now() + awayMs;
    for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
      const last = await this.once(uri, {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(requestMs),
      });
      if ('page' in last) return last.page;
      const isOver = Date.now() + pause > until || !(last.isBusy || mayRepeat);
      if (isOver) throw unreachable(this.address, last.why);
      await sleep(pause);
    }
  }

  private async once(
    uri: string,
    init: RequestInit,
  ): Promise<{ page: Page } | { why: string; isBusy: boolean }> {
    try {
      const response = await fetch(uri, init);
      const body = await response.text();
      if (response.status === 200) return { page: pageOf(body, this.address) };
      if (BUSY.includes(response.status)) return { why: `it says ${response.status}`, isBusy: true };
      throw this.refused(response.status, body);
    } catch (error) {
      if (error instanceof LakelogError) throw error;
      return { why: reasonOf(error, this.patience.requestMs), isBusy: false };
    }
  }

  private refused(status: number, body: string): LakelogError {
    const { user, password } = this.address;
    if (status !== 401 && status !== 403)
      return unreachable(this.address, `it says ${status}: ${firstLine(body)}`);
    const without = password === null ? ' without a password' : '';
    return new LakelogError(`Trino lets the user ${user} not in${without}: it says ${status}`, {
      where: this.address.name,
      next: 'correct the user in --lake, and the password in LAKELOG_TRINO_PASSWORD',
    });
  }

  /** What nobody waits for any more shall not go on. */
  private async cancel(uri: string): Promise<void> {
    this.running.delete(uri);
    const init = { method: 'DELETE', headers: this.identity(), signal: AbortSignal.timeout(3_000) };
    await fetch(uri, init).catch(() => {});
  }

  private async cancelAll(): Promise<void> {
    await Promise.all([...this.running].map((uri) => this.cancel(uri)));
  }

  close(): Promise<void> {
    this.forget();
    return this.cancelAll();
  }
}

async function* cellsOf(
  first: Page,
  columns: readonly Column[],
  rest: AsyncGenerator<Page, undefined>,
): AsyncGenerator<EngineRows['cells']> {
  const cells = ({ data = [] }: Page) =>
    data.map((row) => row.map((cell, i) => cellOf(columns[i]!.type, cell)));
  try {
    yield cells(first);
    for await (const page of rest) yield cells(page);
  } finally {
    // Who reads no further may have begun with the first.
    await rest.return(undefined);
  }
}

const isOfSession = (error: unknown) =>
  error instanceof LakelogError &&
  /INVALID_SESSION_PROPERTY|CATALOG_NOT_FOUND|PERMISSION_DENIED.*session property/.test(error.message);

const firstLine = (text: string) => text.trim().split('\n', 1)[0]!.slice(0, 200);

function pageOf(body: string, address: Address): Page {
  try {
    const page = readJson(body);
    if (typeof page === 'object' && page !== null && 'id' in page) return page as Page;
  } catch {
    // What it is instead is told.
  }
  throw unreachable(address, `its answer is none of Trino's: ${firstLine(body) || 'it is empty'}`);
}

/** Node tells why only in the cause. */
function reasonOf(error: unknown, requestMs: number): string {
  if ((error as Error).name === 'TimeoutError') return `no answer within ${requestMs / 1000} s`;
  const { cause } = error as { cause?: unknown };
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  const said = cause === undefined ? messageOf(error) : messageOf(cause);
  return said === '' ? (code ?? 'the connection failed') : said;
}
