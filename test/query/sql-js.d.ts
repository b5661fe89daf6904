/** The part of sql.js that the tests use; the package ships no types. */
declare module 'sql.js' {
  export type SqliteValue = string | number | null;

  export interface Database {
    run(sql: string): Database;
    exec(sql: string): { columns: string[]; values: SqliteValue[][] }[];
    prepare(sql: string): { run(values: readonly SqliteValue[]): void; free(): boolean };
    export(): Uint8Array;
    close(): void;
  }

  export default function initSqlJs(options?: {
    readonly useOldExtensionFunctions?: boolean;
  }): Promise<{ Database: new () => Database }>;
}
