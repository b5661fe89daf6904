/** The parts of docs/SESSION_LOG.md that are made from src/schema/fields.ts. Pure. */

const TYPES = {
  schema: 'string',
  string: 'string',
  nonempty: 'string, not empty',
  timestamp: 'string, RFC 3339 with offset',
  integer: 'integer',
  count: 'integer ≥ 0',
  positive: 'integer ≥ 1',
  number: 'number',
  boolean: 'boolean',
  strings: 'array of strings',
  verdict: '`accepted`, `max_iter_exhausted` or `infra_error`',
  any: 'any JSON',
  documents: 'array of objects',
  attempts: 'array of attempts',
};

const DUCKDB_TYPES = {
  timestamp: 'TIMESTAMPTZ',
  integer: 'BIGINT',
  count: 'BIGINT',
  positive: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  strings: 'VARCHAR[]',
  any: 'JSON',
  documents: 'JSON',
  attempts: 'JSON',
};

export function withFieldTables(document, fields) {
  const parts = {
    session: table(fields.SESSION_FIELDS),
    attempt: table(fields.ATTEMPT_FIELDS),
    replay: table(fields.REPLAY_FIELDS),
    document: table(fields.DOCUMENT_FIELDS),
    views: views(fields),
  };
  return fillGenerated(document, parts);
}

/** Puts parts between the marks `generated: NAME` and `/generated`. */
export function fillGenerated(document, parts) {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const place = new RegExp(`(<!-- generated: ${name} -->\n)[\\s\\S]*?(<!-- /generated -->)`);
    if (!place.test(text)) throw new Error(`no place for ${name}`);
    return text.replace(place, (_, start, end) => `${start}\n${part}\n\n${end}`);
  }, document);
}

function table(fields) {
  const rows = fields.map(({ name, type, required, content, note }) => {
    const shown = required ? `**${name}**` : name;
    return `| ${shown} | ${TYPES[type]} | ${content ? 'yes' : ''} | ${note.replaceAll('|', '\\|')} |`;
  });
  return ['| field | type | content | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function views({ SESSION_FIELDS, REPLAY_FIELDS }) {
  return [
    '```sql',
    "SET TimeZone = 'UTC';",
    '',
    view('sessions', 'sessions.jsonl', SESSION_FIELDS),
    '',
    view('replay_runs', 'replay_runs.jsonl', REPLAY_FIELDS),
    '```',
  ].join('\n');
}

function view(name, file, fields) {
  const columns = fields.map((field) => `    "${field.name}": '${DUCKDB_TYPES[field.type] ?? 'VARCHAR'}'`);
  return `CREATE OR REPLACE VIEW ${name} AS
SELECT *, row_number() OVER () AS position
FROM read_json('${file}', format = 'newline_delimited', maximum_object_size = 16777216,
  columns = {
${columns.join(',\n')}
  });`;
}
