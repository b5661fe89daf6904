import { LakelogError } from '../errors.js';
import { type Io, styleOf } from '../io.js';
import type { Catalogue } from '../query/catalogue.js';
import { optionName } from '../query/params.js';
import { renderList } from '../render/index.js';
import { EXIT, type ExitCode, type Result } from '../schema/result.js';

/** Lists every question with its title, parameters and place. */
export async function listQueries(catalogue: Catalogue, asJson: boolean, io: Io): Promise<ExitCode> {
  const result: Result = {
    columns: [
      { name: 'name', type: 'text', label: 'command' },
      { name: 'title', type: 'text', label: 'title' },
      { name: 'gate', type: 'boolean', label: 'gate' },
      { name: 'params', type: asJson ? 'json' : 'text', label: 'its options (default)' },
      ...(asJson
        ? ([
            { name: 'intervals', type: 'json' },
            { name: 'file', type: 'text' },
          ] as const)
        : []),
    ],
    rows: catalogue.queries.map((query) => [
      query.name,
      query.title,
      query.gate !== null,
      asJson
        ? query.params.map(({ name, of, default: fallback, note }) => ({
            name,
            type: of.type,
            default: fallback,
            note,
          }))
        : query.params
            .map((param) => `${optionName(param)}${param.of.type === 'flag' ? '' : ` (${param.default})`}`)
            .join(', '),
      ...(asJson ? [query.intervals.map(({ line: _, ...interval }) => interval), query.file] : []),
    ]),
  };
  await io.stdout.write(renderList(result, asJson, styleOf(io.stdout, io.env)));
  return EXIT.clear;
}

/** Prints the SQL of one question as it stands in its file. */
export async function showQuery(catalogue: Catalogue, name: string, io: Io): Promise<ExitCode> {
  const query = catalogue.queries.find((candidate) => candidate.name === name);
  if (!query) {
    throw new LakelogError(`there is no question ${JSON.stringify(name)}`, { next: 'lakelog queries' });
  }
  await io.stdout.write(query.sql.endsWith('\n') ? query.sql : `${query.sql}\n`);
  return EXIT.clear;
}
