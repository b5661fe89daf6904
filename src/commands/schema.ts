import { readFileSync } from 'node:fs';
import { type Io, type StreamStyle, styleOf } from '../io.js';
import { publishedTables, type Table } from '../lake/tables/published.js';
import { inAscii } from '../render/ascii.js';
import { EXIT, type ExitCode } from '../schema/result.js';
import { SCHEMA_FILES, type SchemaName } from './schema-names.js';

/** Prints the tables that queries see, or the JSON Schema of a record format. */
export async function schema(name: SchemaName | undefined, packageRoot: string, io: Io): Promise<ExitCode> {
  await io.stdout.write(
    name === undefined
      ? tablesText(styleOf(io.stdout, io.env))
      : readFileSync(`${packageRoot}/dist/schema/${SCHEMA_FILES[name]}`, 'utf8'),
  );
  return EXIT.clear;
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
