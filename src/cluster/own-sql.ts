/** Somebody's own SELECT, which DuckDB's parser looked into, as a cluster gets it, and its rows as they come. */
import { LakelogError } from '../errors.js';
import type { Checked } from '../lake/box.js';
import { edited, tokensOf } from '../lake/sql-tokens.js';
import { literalOf, type ParamValues } from '../lake/tables/compose.js';
import { TRINO } from '../lake/tables/dialects.js';
import type { Block } from '../schema/block.js';
import type { EnginePages } from './trino.js';

/**
 * @param isParquet somebody wants Parquet of it.
 * @throws LakelogError (exit 2) for what DuckDB alone does.
 */
export function writtenFor(checked: Checked, params: ParamValues, isParquet: boolean): string {
  const { isExplain, types, text, where } = checked;
  const refused = isParquet
    ? 'Parquet is written by DuckDB'
    : isExplain
      ? 'EXPLAIN shows a plan of DuckDB'
      : types.length > 0
        ? 'PIVOT is written anew for DuckDB'
        : null;
  if (refused !== null)
    throw new LakelogError(`${refused}, which a cluster is not`, {
      where,
      next: 'ask the folder itself, if this machine sees it: --lake DIR/; or as rows: --format jsonl',
    });
  return filledIn(text, checked.placeholders, params);
}

/** Values in the place of `$name`. */
function filledIn(text: string, placeholders: readonly string[], params: ParamValues): string {
  const tokens = tokensOf(text);
  const edits = tokens.flatMap((token, i) => {
    const name = tokens[i + 1];
    if (token.text !== '$' || name?.from !== token.to || !name.isWord) return [];
    if (!placeholders.some((one) => one.toLowerCase() === name.text)) return [];
    return [{ from: token.from, to: name.to, text: literalOf(params[name.text] ?? null, TRINO) }];
  });
  return edited(text, edits).text;
}

const DUCKDB_TYPES: readonly (readonly [RegExp, string])[] = [
  [/^(tiny|small|big)?int(eger)?$/, 'BIGINT'],
  [/^(double|real|decimal)/, 'DOUBLE'],
  [/^boolean$/, 'BOOLEAN'],
  [/^timestamp/, 'TIMESTAMP WITH TIME ZONE'],
  [/^(json$|array|map|row)/, 'JSON'],
];

/** @param type as Trino names it; lists and the like come as texts of JSON. */
export const duckDbType = (type: string): string =>
  DUCKDB_TYPES.find(([pattern]) => pattern.test(type))?.[1] ?? 'VARCHAR';

export async function* blocksOf(pages: EnginePages['pages']): AsyncGenerator<Block> {
  for await (const rows of pages) {
    if (rows.length === 0) continue;
    yield {
      rows: rows.length,
      columns: rows[0]!.map((_, i) => ({ of: 'cells' as const, cells: rows.map((row) => row[i]!) })),
    };
  }
}
