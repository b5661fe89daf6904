import { LakelogError } from '../errors.js';
import { type Io, styleOf } from '../io.js';
import type { DialectName } from '../lake/printed.js';
import type { Catalogue } from '../query/catalogue.js';
import { bindParams, optionName } from '../query/params.js';
import type { Query } from '../query/question.js';
import type { Settings } from '../query/settings.js';
import { renderList } from '../render/index.js';
import { EXIT, type ExitCode, type Result } from '../schema/result.js';
import type { Context } from './command.js';
import { givenOf } from './gates.js';
import { filtersOf, type ReadFlags } from './options.js';

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

export interface ShowQueryFlags extends ReadFlags {
  readonly dialect?: DialectName;
  readonly param?: readonly string[];
}

/** Prints the SQL of one question as it stands in its file, or as an engine gets it. */
export async function showQuery(
  name: string,
  flags: ShowQueryFlags,
  { catalogue, settings: settingsOf, io }: Context,
): Promise<ExitCode> {
  const query = catalogue.queries.find((candidate) => candidate.name === name);
  if (!query) {
    throw new LakelogError(`there is no question ${JSON.stringify(name)}`, { next: 'lakelog queries' });
  }
  const { dialect } = flags;
  if (dialect === undefined) ensureNoneGiven(flags);
  const sql =
    dialect === undefined ? query.sql : await statementFor(dialect, query, flags, settingsOf(flags), io);
  await io.stdout.write(sql.endsWith('\n') ? sql : `${sql}\n`);
  return EXIT.clear;
}

/** The file says what it says, whoever filters. */
function ensureNoneGiven(flags: ShowQueryFlags): void {
  const [given] = Object.keys(flags);
  if (given === undefined) return;
  const option = `--${given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new LakelogError(`${option} is about a statement for an engine, and none is named`, {
    next: 'name it: --dialect duckdb',
  });
}

async function statementFor(
  dialect: DialectName,
  query: Query,
  flags: ShowQueryFlags,
  settings: Settings,
  io: Io,
): Promise<string> {
  const { columns, gatedKinds } = bindParams(
    query,
    givenOf(query, settings, flags.param ?? []),
    settings.get('gated_kinds'),
  );
  // It loads the engine, which the list of questions does not need.
  const { DIALECTS, printedStatement } = await import('../lake/printed.js');
  const statement = await printedStatement(query.sql, query.file, {
    dialect: DIALECTS[dialect],
    filters: filtersOf(flags, settings),
    ...{ gatedKinds, params: columns },
    showContent: flags.showContent === true,
    now: io.now(),
  });
  return `-- ${query.title}\n${statement}`;
}
