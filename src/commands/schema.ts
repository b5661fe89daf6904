import { readFileSync } from 'node:fs';
import { LakelogError } from '../errors.js';
import { type Io, type StreamStyle, styleOf } from '../io.js';
import { kernelPath } from '../kernel-path.js';
import { declarations } from '../lake/declare.js';
import type { DialectName } from '../lake/printed.js';
import { publishedTables, type Table } from '../lake/tables/published.js';
import { inAscii } from '../render/ascii.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { SCHEMA_FILES, type SchemaName } from './schema-names.js';

export interface SchemaFlags {
  readonly jsonSchema?: SchemaName;
  readonly dialect?: DialectName;
  readonly lake?: string;
  readonly showContent?: true;
}

/** Prints the tables that queries see, the JSON Schema of a record format, or what declares the base tables to an engine. */
export async function schema(flags: SchemaFlags, packageRoot: string, io: Io): Promise<ExitCode> {
  await io.stdout.write(schemaText(flags, packageRoot, io));
  return EXIT.clear;
}

function schemaText(flags: SchemaFlags, packageRoot: string, io: Io): string {
  const { jsonSchema: name, dialect, lake, showContent = false } = flags;
  if (dialect !== undefined) return declarationsFor(dialect, lake, showContent, io);
  if (lake !== undefined || showContent) {
    throw new LakelogError(
      `${lake === undefined ? '--show-content' : '--lake'} is about tables for an engine, and none is named`,
      {
        next: 'name it: --dialect duckdb',
      },
    );
  }
  return name === undefined
    ? tablesText(styleOf(io.stdout, io.env))
    : readFileSync(`${packageRoot}/dist/schema/${SCHEMA_FILES[name]}`, 'utf8');
}

function declarationsFor(
  dialect: DialectName,
  lake: string | undefined,
  showContent: boolean,
  io: Io,
): string {
  if (lake !== undefined) return declarations(dialect, placeOf(lake, io.cwd), showContent);
  throw new LakelogError('nobody says where the folder of Parquet lies', {
    next: `name it as the engine knows it: lakelog schema --dialect ${dialect} --lake s3://bucket/lake/`,
  });
}

/** An engine has a working folder of its own; an address is what it is. */
function placeOf(lake: string, cwd: string): string {
  const place = /^[a-z][a-z0-9+.-]*:\/\//i.test(lake) ? lake : kernelPath(cwd, lake.replace(/^(\.\/+)+/, ''));
  return place.replace(/\/+$/, '');
}

export function tablesText(
  { width: columns, ascii }: StreamStyle,
  tables: readonly Table[] = publishedTables(),
): string {
  const width = columns ?? 110;
  const blocks = (ascii ? inAscii(tables) : tables).map((table) => {
    const names = Math.max(0, ...table.columns.map((column) => column.name.length));
    const types = Math.max(0, ...table.columns.map((column) => column.type.length));
    const lines = table.columns.map((column) => {
      const note = column.content ? `${column.note} Only with --show-content.` : column.note;
      const head = `  ${column.name.padEnd(names)}  ${column.type.padEnd(types)}  `;
      return wrap(head, note, width);
    });
    return [wrap(`${table.name}: `, table.note, width, 2), ...lines].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

/** `head` and then the words, continued under their own column. */
function wrap(head: string, words: string, width: number, indent = head.length): string {
  const lines = [head];
  for (const word of words.split(' ')) {
    const line = lines[lines.length - 1]!;
    const begun = line.length > (lines.length === 1 ? head.length : indent);
    if (begun && line.length + 1 + word.length > width) lines.push(' '.repeat(indent) + word);
    else lines[lines.length - 1] = begun ? `${line} ${word}` : line + word;
  }
  return lines.join('\n');
}
