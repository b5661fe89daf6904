/**
 * Trino's HTTP protocol in front of DuckDB, which runs the very statements: what Trino calls otherwise are macros. Pages
 * are short, and whatever a real cluster does wrong can be done here.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api';
import { declarations } from '../../src/lake/declare.js';
import { BASE_TABLES } from '../../src/lake/tables/base.js';

export interface Asked {
  readonly sql: string;
  readonly headers: IncomingMessage['headers'];
}

type Answer = readonly (readonly unknown[])[];

/** What is done wrong, if anything. */
export interface Mischief {
  /** @returns true where the response was given. */
  post?(asked: Asked, response: ServerResponse, count: number): boolean;
  get?(path: string, response: ServerResponse, count: number): boolean;
  /** Rows as the engine gives them, by the statement. */
  rows?(sql: string, rows: Answer): Answer;
  /** An error of the engine in the place of an answer. */
  error?(
    sql: string,
  ): { readonly errorName: string; readonly errorType: string; readonly message: string } | null;
  /** Before a statement runs. */
  before?(sql: string, count: number): void;
}

interface Running {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  rows: Answer;
}

const PAGE = 37;

export class FakeTrino {
  readonly asked: Asked[] = [];
  readonly cancelled: string[] = [];
  mischief: Mischief = {};
  private readonly server: Server;
  private readonly db: DuckDBConnection;
  private readonly running = new Map<string, Running | { readonly error: object }>();
  private count = 0;
  private gets = 0;

  private constructor(db: DuckDBConnection) {
    this.db = db;
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
  }

  /** @param folder of Parquet; null: nothing is declared. */
  static async over(folder: string | null): Promise<FakeTrino> {
    const db = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    await db.run(`SET TimeZone = 'UTC';
      CREATE MACRO with_timezone(t, zone) AS t::TIMESTAMPTZ;
      CREATE MACRO at_timezone(t, zone) AS timezone(zone, t);
      -- It rounds to milliseconds.
      CREATE MACRO date_format(t, f) AS strftime(t + INTERVAL 500 MICROSECOND, replace(replace(f, '%x', '%G'), '%v', '%V'))`);
    const fake = new FakeTrino(db);
    if (folder !== null) await fake.declare(folder);
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  async declare(folder: string): Promise<void> {
    for (const one of declarations('duckdb', folder.replace(/\/$/, ''), false).split(';')) {
      const [, table, list] = /VIEW (\w+) AS\nSELECT ([^\n]*)/.exec(one) ?? [];
      await this.db.run(one).catch(async (error: Error) => {
        if (!/No files found/.test(error.message)) throw error;
        // Trino reads a folder without files as no row.
        const columns = list!.split(', ').map((name) => `NULL::${typeIn(table!, name)} AS ${name}`);
        await this.db.run(`CREATE OR REPLACE VIEW ${table} AS SELECT ${columns.join(', ')} WHERE FALSE`);
      });
    }
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get lake(): string {
    return `trino://somebody@127.0.0.1:${this.port}/hive/lakelog`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    this.db.closeSync();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!;
    if (request.method === 'DELETE') {
      this.cancelled.push(path);
      response.writeHead(204).end();
    } else if (request.method === 'POST') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const asked = { sql: Buffer.concat(chunks).toString(), headers: request.headers };
      if (this.mischief.post?.(asked, response, this.asked.length)) return;
      this.asked.push(asked);
      const id = `q${++this.count}`;
      this.running.set(id, await this.run(asked.sql));
      this.page(response, id, {});
    } else if (!this.mischief.get?.(path, response, this.gets++)) this.next(path, response);
  }

  private async run(sql: string): Promise<Running | { readonly error: object }> {
    this.mischief.before?.(sql, this.count);
    const wrong = this.mischief.error?.(sql);
    if (wrong) return { error: wrong };
    try {
      const reader = await this.db.runAndReadAll(sql);
      const types = reader.columnTypes().map(String);
      const columns = reader.columnNames().map((name, i) => ({ name, type: typeOf(types[i]!) }));
      const rows = reader.getRows().map((row) => row.map(plainOf));
      return { columns, rows: this.mischief.rows?.(sql, rows) ?? rows };
    } catch (error) {
      return {
        error: { errorName: 'SYNTAX_ERROR', errorType: 'USER_ERROR', message: (error as Error).message },
      };
    }
  }

  private page(response: ServerResponse, id: string, content: object, hasNext = true): void {
    const nextUri = `http://127.0.0.1:${this.port}/v1/statement/executing/${id}/${this.gets}`;
    const text = JSON.stringify({ id, ...(hasNext ? { nextUri } : {}), ...content }).replace(
      /"digits:(-?\d+)"/g,
      '$1',
    );
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(text);
  }

  private next(path: string, response: ServerResponse): void {
    const id = path.split('/')[4]!;
    const running = this.running.get(id);
    if (running === undefined) response.writeHead(404).end('no such query');
    else if ('error' in running) this.page(response, id, { error: running.error }, false);
    else {
      const data = running.rows.slice(0, PAGE);
      running.rows = running.rows.slice(PAGE);
      this.page(
        response,
        id,
        { columns: running.columns, ...(data.length > 0 ? { data } : {}) },
        running.rows.length > 0,
      );
    }
  }
}

function typeIn(table: string, column: string): string {
  const columns = Object.entries(BASE_TABLES).find(([name]) => `base_${name}` === table)?.[1] ?? [];
  return columns.find(({ name }) => name === column.replaceAll('"', ''))?.type ?? 'VARCHAR';
}

function typeOf(type: string): string {
  if (/^(BIGINT|HUGEINT|INTEGER|UBIGINT)$/.test(type)) return 'bigint';
  if (type.startsWith('TIMESTAMP')) return 'timestamp(6)';
  return type.toLowerCase();
}

function plainOf(value: unknown): unknown {
  if (typeof value === 'bigint') return `digits:${value}`;
  if (!(value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue)) return value;
  const rest = ((value.micros % 1000n) + 1000n) % 1000n;
  const ms = new Date(Number((value.micros - rest) / 1000n)).toISOString().slice(0, -1).replace('T', ' ');
  return `${ms}${String(rest).padStart(3, '0')}`;
}
