import { distance } from 'fastest-levenshtein';

/**
 * What to do about the mistakes that people make most in SQL: habits of other engines, a clause in the wrong place, a
 * comparison of unlike things. One row a mistake, by what the engine says of it; the first that fits counts.
 */

export interface Mistake {
  /** First line of what the engine says. */
  readonly message: string;
  /** The SQL from where the engine stopped; all of it where that is nowhere. */
  readonly from: string;
  /** The SQL before that. */
  readonly before: string;
  /** Functions that are called nearly alike. */
  readonly candidates: string | undefined;
}

type Advice = string | ((found: RegExpExecArray, mistake: Mistake) => string | null);

interface Row {
  readonly says: RegExp;
  /** What must stand where the engine stopped, or right before it. */
  readonly from?: RegExp;
  readonly before?: RegExp;
  readonly advice: Advice;
}

export function mistakeAdvice(mistake: Mistake): string | null {
  for (const { says, from, before, advice } of MISTAKES) {
    const found = says.exec(mistake.message);
    if (found === null) continue;
    if (from !== undefined && !from.test(mistake.from)) continue;
    if (before !== undefined && !before.test(mistake.before)) continue;
    const told = typeof advice === 'string' ? advice : advice(found, mistake);
    if (told !== null) return told;
  }
  return null;
}

const QUANTILE = 'write quantile_cont(duration_ms, 0.9), or median(duration_ms)';
const AGE = 'write "timestamp" > now() - INTERVAL \'7 days\', or filter with --since 7d';

/** What functions of other engines are here. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  percentile: QUANTILE,
  percentile_cont:
    'write quantile_cont(duration_ms, 0.9), or percentile_cont(0.9) WITHIN GROUP (ORDER BY duration_ms)',
  percentile_disc: 'write quantile_disc(duration_ms, 0.9)',
  percentile_approx: 'write approx_quantile(duration_ms, 0.9)',
  approx_percentile: 'write approx_quantile(duration_ms, 0.9)',
  nvl: 'write coalesce(a, b)',
  nvl2: 'write CASE WHEN a IS NOT NULL THEN b ELSE c END',
  isnull: 'write a IS NULL, or coalesce(a, b)',
  iif: 'write CASE WHEN a THEN b ELSE c END',
  decode: 'write CASE a WHEN b THEN c ELSE d END',
  convert: 'write CAST(a AS VARCHAR)',
  to_char: 'write strftime("timestamp", \'%Y-%m-%d\')',
  date_format: 'write strftime("timestamp", \'%Y-%m-%d\')',
  format_date: 'write strftime("timestamp", \'%Y-%m-%d\')',
  format_timestamp: 'write strftime("timestamp", \'%Y-%m-%d\')',
  to_date: "write CAST('2026-09-01' AS DATE)",
  str_to_date: "write strptime(text, '%Y-%m-%d')",
  parse_date: "write strptime(text, '%Y-%m-%d')",
  to_number: 'write CAST(a AS DOUBLE)',
  getdate: 'write now()',
  sysdate: 'write now()',
  curdate: 'write current_date',
  dateadd: 'write "timestamp" + INTERVAL \'7 days\'',
  timestampadd: 'write "timestamp" + INTERVAL \'7 days\'',
  timestampdiff: "write date_diff('minute', a, b)",
  unix_timestamp: 'write epoch("timestamp")',
  from_unixtime: 'write to_timestamp(seconds)',
  regexp_like: "write regexp_matches(text, 'pattern')",
  regexp_contains: "write regexp_matches(text, 'pattern')",
  charindex: "write position('a' IN text)",
  locate: "write position('a' IN text)",
  substring_index: "write split_part(text, '-', 1)",
  json_value: "write extra->>'$.name'",
  get_json_object: "write extra->>'$.name'",
  safe_divide: 'write a / NULLIF(b, 0)',
  countdistinct: 'write COUNT(DISTINCT a)',
  count_distinct: 'write COUNT(DISTINCT a)',
  uniq: 'write COUNT(DISTINCT a)',
  sumif: 'write SUM(a) FILTER (WHERE b)',
  avgif: 'write AVG(a) FILTER (WHERE b)',
  collect_list: 'write list(a)',
  explode: 'write FROM sessions, UNNEST(list) AS u(part)',
  newid: 'write uuid()',
};

const unknownFunction: Advice = ([, name = ''], { candidates }) => {
  const own = name.toLowerCase();
  if (own.startsWith('`'))
    return 'names stand bare or in double quotes, texts in single quotes; backticks are no quotes here';
  if (/^p\d\d$/.test(own)) return QUANTILE;
  if (/^[!~]/.test(own))
    return "write regexp_matches(text, 'pattern'); with 'i' as third argument for any case";
  if (Object.hasOwn(FUNCTIONS, own)) return FUNCTIONS[own]!;
  const like = candidates?.split(',')[0]?.replace(/^main\./, '');
  return like ? `did you mean ${like}? (functions are DuckDB's)` : 'use a function of DuckDB';
};

const MISTAKES: readonly Row[] = [
  { says: /^\w+ Function with name (\S+) does not exist/, advice: unknownFunction },

  // Aggregates and what is grouped.
  {
    says: /types '(avg|sum|stddev\w*|var\w*|median|quantile\w*|round)\(VARCHAR/,
    advice: ([, name]) =>
      `${name} takes numbers and this is text: count rows with COUNT(*), or make it a number with TRY_CAST(… AS DOUBLE)`,
  },
  {
    says: /types '(avg|stddev\w*|var\w*)\(BOOLEAN/,
    advice: ([, name]) => `write ${name}(CAST(… AS INTEGER)): the share of what is true`,
  },
  { says: /types 'count\(.*,/, advice: 'count several together as one: COUNT(DISTINCT (kind, model))' },
  {
    says: /^column "?([^"]+?)"? must appear in the GROUP BY/,
    advice: ([, name]) =>
      `add ${name} to GROUP BY (GROUP BY ALL takes every column that is no aggregate), or take one value: any_value(${name})`,
  },
  {
    says: /^(WHERE|GROUP BY) clause cannot contain aggregates/,
    advice: ([, clause]) =>
      clause === 'WHERE'
        ? 'WHERE is about single rows: put conditions on aggregates behind GROUP BY, as HAVING COUNT(*) > 2'
        : 'group by columns, and leave the aggregate to the SELECT',
  },
  {
    says: /^(WHERE|HAVING) clause cannot contain window functions/,
    advice: 'put conditions on window functions at the end, as QUALIFY ROW_NUMBER() OVER (…) = 1',
  },
  {
    says: /^aggregate function calls cannot be nested/,
    advice: 'aggregate twice: SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM sessions GROUP BY kind)',
  },
  {
    says: /^UNNEST not supported here|^Cannot group on an UNNEST/,
    advice:
      "unnest in FROM: SELECT part, COUNT(*) FROM sessions, UNNEST(string_split(model, '-')) AS u(part) GROUP BY part",
  },

  // Time.
  {
    says: /types '(date_trunc|date_part)\((TIMESTAMP|DATE)|^extract specifier .* not recognized/,
    advice: 'the unit comes first, in single quotes: date_trunc(\'day\', "timestamp")',
  },
  {
    says: /types '(date_?diff|date_?sub)\(/,
    advice: ([, name]) =>
      name === 'date_sub' || name === 'datesub'
        ? "subtract an interval: \"timestamp\" - INTERVAL '7 days'; between two times: date_diff('hour', a, b)"
        : "it takes the unit and two times: date_diff('hour', a, b)",
  },
  {
    says: /types '[-+]\((TIMESTAMP|DATE).*(INTEGER|BIGINT)|function call "[-+]\((TIMESTAMP|DATE).*STRING_LITERAL/,
    advice: `a time moves by an interval: ${AGE}`,
  },
  {
    says: /^Cannot compare values of type TIMESTAMP.* and type (INTEGER|BIGINT|DOUBLE|DECIMAL)/,
    advice:
      'compare times with times: "timestamp" >= \'2026-09-01\', or to_timestamp(1700000000) for seconds since 1970',
  },
  {
    says: /^invalid (timestamp|date) field format/,
    advice: `a time is '2026-09-01' or '2026-09-01T08:00:00Z' in single quotes; for an age ${AGE}`,
  },

  // Unlike things.
  {
    says: /^Could not convert string '(.*?)' to (INT|UINT|DOUBLE|FLOAT|DECIMAL|BOOL)/,
    advice: ([, text, type]) =>
      `${JSON.stringify(text)} is no ${type === 'BOOL' ? 'truth value' : 'number'}: compare it with a text, or TRY_CAST(… AS ${type === 'BOOL' ? 'BOOLEAN' : 'DOUBLE'}) makes NULL of it`,
  },
  { says: /types '&&\(/, advice: 'write AND; || joins texts, so write OR too' },
  {
    says: /types '\+\((VARCHAR|STRING_LITERAL)|types '\+\(.*(VARCHAR|STRING_LITERAL)\)/,
    advice: 'texts are joined with ||',
  },
  {
    says: /^Malformed JSON/,
    advice:
      '-> and ->> read JSON texts such as extra and proposed_worker_ids; TRY_CAST(… AS JSON) makes NULL of other text',
  },
  {
    says: /^Cannot extract field '(\w+)' from expression "(\w+)"/,
    advice: ([, field, name]) =>
      `if ${name} is a table, name it in FROM (an alias takes the place of its name); of JSON text write ${name}->>'$.${field}'`,
  },
  {
    says: /^Referenced table "(\w+)" not found/,
    advice: ([, name], { before, from }) => {
      const alias = new RegExp(`\\b${name}\\s+(?:AS\\s+)?(\\w+)`, 'i').exec(
        `${before}${from}`.replace(/^[\s\S]*?\bFROM\b/i, ''),
      )?.[1];
      const isAlias =
        alias !== undefined &&
        !/^(where|join|on|group|order|limit|left|inner|cross|using|having)$/i.test(alias);
      return isAlias
        ? `${name} is called ${alias} here: write ${alias}. in front of its columns`
        : `name it in FROM: JOIN ${name} USING (call_key)`;
    },
  },
  {
    says: /^Ambiguous reference to column name "(\w+)" \(use: "([^"]+)"/,
    advice: ([, name, full]) =>
      `several tables have ${name}: say which, as ${full}, or join with USING (call_key)`,
  },
  {
    says: /^Set operations can only apply/,
    advice: 'both SELECTs of a UNION need the same number of columns, or write UNION ALL BY NAME',
  },
  { says: /^Subquery returns \d+ columns/, advice: 'select one column in the subquery' },
  {
    says: /^More than one row returned by a subquery/,
    advice: 'write IN instead of =, or make it one row: MAX(…), LIMIT 1',
  },

  // Syntax.
  {
    says: /^unterminated quoted string/,
    advice:
      "a single quote is missing; inside a text it stands twice: 'it''s'. The shell takes quotes away that it is not told to leave: put the SQL in double quotes, or in a file (-f)",
  },
  {
    says: /^unterminated quoted identifier/,
    advice: "a double quote is missing; texts stand in single quotes: 'fill'",
  },
  {
    says: /^unterminated \/\* comment/,
    advice: 'end the comment with */',
  },
  {
    says: /^syntax error at or near "(\w+)"/,
    before: /\b(LIMIT|OFFSET)\s+\S+\s*$/i,
    advice: ([, word = '']) =>
      /^(where|group|having|order)$/i.test(word)
        ? 'LIMIT comes last: … WHERE … GROUP BY … HAVING … ORDER BY … LIMIT 5'
        : null,
  },
  {
    says: /^syntax error at or near "(where|group|having|from|join)"/i,
    before: /\b(GROUP|ORDER)\s+BY\b/i,
    advice: 'the order is FROM … JOIN … WHERE … GROUP BY … HAVING … ORDER BY … LIMIT',
  },
  { says: /^syntax error/, before: /\bSELECT\s+TOP\s*$/i, advice: 'write LIMIT 5 at the end' },
  {
    says: /^syntax error/,
    before: /\b(GROUP|ORDER)\s*$/i,
    advice: (_, { before }) => `write ${/GROUP\s*$/i.test(before) ? 'GROUP' : 'ORDER'} BY`,
  },
  {
    says: /^syntax error/,
    from: /^`/,
    advice: 'names stand bare or in double quotes, texts in single quotes; backticks are no quotes here',
  },
  {
    says: /^syntax error/,
    before: /`/,
    advice: 'names stand bare or in double quotes, texts in single quotes; backticks are no quotes here',
  },
  {
    says: /^syntax error at or near ","/,
    advice: 'there is one comma too many, or something is missing before it',
  },
  {
    says: /^syntax error at or near "\)"/,
    advice: 'there is one closing bracket too many, or something is missing before it',
  },
  { says: /^syntax error at or near "SEPARATOR"/i, advice: "write string_agg(kind, ',')" },
  { says: /^syntax error at or near "(REGEXP|RLIKE)"/i, advice: "write regexp_matches(kind, 'pattern')" },
  {
    says: /^syntax error at or near "(OUTER|APPLY)"/i,
    from: /^(OUTER\s+)?APPLY/i,
    advice: 'write LEFT JOIN LATERAL (…) ON TRUE',
  },
  {
    says: /^syntax error/,
    before: /\bCASE\b(?:(?!\bEND\b)[\s\S])*$/i,
    advice: 'CASE ends with END: CASE WHEN gated THEN 1 ELSE 0 END',
  },
  {
    says: /^syntax error at or near "(FROM|WHERE|GROUP|ORDER|LIMIT)"/i,
    before: /\([^()]*$/,
    advice: 'a closing bracket is missing before it',
  },
  {
    says: /^syntax error at end of input/,
    before: /\bJOIN\s+\w+(\s+\w+)?\s*$/i,
    advice: 'say by what: JOIN attempts USING (call_key)',
  },
  { says: /^syntax error at end of input/, before: /\([^()]*$/, advice: 'a closing bracket is missing' },
  { says: /^syntax error at end of input/, advice: 'something is missing at the end' },
  {
    says: /^syntax error at or near "(lakelog|sqlite|psql|duckdb)"/i,
    advice: 'this is a command, not SQL: run it without `lakelog query`',
  },
  {
    says: /^syntax error/,
    advice: (_, { before, from }) => {
      const words = [...`${before.slice(-40)}`.matchAll(/\w+/g)].map(([word]) => word).slice(-2);
      const next = /^\w+/.exec(from)?.[0];
      const wrong = [...words, ...(next === undefined ? [] : [next])]
        .map(misspelt)
        .find((one) => one !== null);
      return wrong ? `did you mean ${wrong[1]} for ${wrong[0]}?` : null;
    },
  },
];

/** Words that people misspell, as they are. */
const KEYWORDS = [
  'SELECT',
  'DISTINCT',
  'FROM',
  'WHERE',
  'GROUP',
  'ORDER',
  'HAVING',
  'LIMIT',
  'JOIN',
  'USING',
  'BETWEEN',
];

function misspelt(word: string): readonly [word: string, keyword: string] | null {
  const upper = word.toUpperCase();
  if (upper.length < 4 || KEYWORDS.includes(upper)) return null;
  const keyword = KEYWORDS.find((one) => isSlip(upper, one));
  return keyword === undefined ? null : [word, keyword];
}

const letters = (word: string) => [...word].sort().join('');

/** One letter too many, too few or another, or two in the wrong order. */
const isSlip = (word: string, of: string) => distance(word, of) === 1 || letters(word) === letters(of);
