/** Text comes out of the engine as it stands in the log, byte for byte, by whatever way it comes. */
import { describe, expect, test } from 'vitest';
import { publishedTables } from '../../src/lake/tables/published.js';
import { ATTEMPT_FIELDS, REPLAY_FIELDS, SESSION_FIELDS } from '../../src/schema/fields.js';
import { byDay, call, envelope, newFolder, replayRun, writeLines } from '../support/cli.js';
import { rowsOf, withLake } from '../support/lake.js';
import { lakelog } from '../support/program.js';

const MARK = '\ufeff';
/** Short ones stand in the cell, long ones elsewhere; the engine has C strings within, and these end none. */
const TEXTS = [
  `${MARK}`,
  `${MARK}m`,
  `${MARK}${MARK}a text of more than twelve bytes`,
  'a\0b',
  '\0',
  `\0${'x'.repeat(20)}\0`,
  '\u{1f600}',
  ' ',
  '\u2028\r\n',
];

const FIXED = ['schema', 'timestamp', 'final_verdict'];

/** A record whose every text is the given one. */
function filled(fields: readonly { name: string; type: string }[], text: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, type } of fields) {
    if (FIXED.includes(name)) continue;
    if (type === 'string' || type === 'nonempty') values[name] = text;
    if (type === 'any') values[name] = [text, { [text]: text }];
    if (type === 'strings') values[name] = [text, `${text}2`];
  }
  return values;
}

const TEXT_COLUMNS = publishedTables()
  .map(({ name, columns }) => ({
    name,
    columns: columns.filter(({ type, name: column }) => type === 'VARCHAR' && column !== 'file'),
  }))
  .filter(({ columns }) => columns.length > 0);

test('in lists and structures of a query', async () => {
  const file = writeLines(
    newFolder(),
    'log.jsonl',
    TEXTS.map((text) => call({ session_id: text, model: text, kind: text, daemon: text })),
  );
  const sql = `SELECT [model, kind] AS list, {a: model, b: [daemon]} AS struct, MAP {model: kind} AS map, model,
    length(model) AS n FROM sessions ORDER BY line`;
  const ran = await lakelog(['query', sql, file, '--format', 'jsonl']);
  expect(ran.code, ran.stderr).toBe(0);
  const rows = ran.stdout.trimEnd().split('\n');
  expect(rows.map((row) => JSON.parse(row))).toEqual(
    TEXTS.map((text) => ({
      list: [text, text],
      struct: { a: text, b: [text] },
      map: `{'${text}': '${text}'}`,
      model: text,
      n: [...text].length,
    })),
  );
});

describe.each(byDay(TEXTS, 2))('%j', (text) => {
  const folder = newFolder();
  const attempt = { ...filled(ATTEMPT_FIELDS, text), verdict: 'rejected' };
  const file = writeLines(folder, 'log.jsonl', [
    call({ ...filled(SESSION_FIELDS, text), seq: 1, attempts: [attempt, attempt], [`own ${text}`]: text }),
    replayRun({ ...filled(REPLAY_FIELDS, text), documents: [{ id: text, source: text, score: 1 }] }),
  ]);
  const inputs = [{ path: file, as: 'any' as const }];

  test('in every text column that a record fills', async () => {
    const asks = TEXT_COLUMNS.map(
      ({ name, columns }) => `SELECT ${columns.map((c) => `"${c.name}"`).join(', ')} FROM ${name}`,
    );
    await withLake(
      asks.join(';'),
      inputs,
      async (lake) => {
        const seen = new Set<string>();
        for (const [i, { name }] of TEXT_COLUMNS.entries()) {
          for (const row of await rowsOf(lake, asks[i]!)) {
            for (const [column, value] of Object.entries(row)) {
              if (value === text) seen.add(`${name}.${column}`);
              else if (typeof value === 'string' && /^[[{]/.test(value))
                expect(JSON.parse(value)).toBeTypeOf('object');
            }
          }
        }
        const plain = (fields: typeof SESSION_FIELDS) =>
          fields.filter(
            ({ name, type }) => !FIXED.includes(name) && (type === 'string' || type === 'nonempty'),
          );
        for (const { name } of plain(SESSION_FIELDS)) expect(seen).toContain(`sessions.${name}`);
        for (const { name } of plain(REPLAY_FIELDS)) expect(seen).toContain(`replay_runs.${name}`);
        for (const { name } of plain(ATTEMPT_FIELDS).filter(({ name }) => name !== 'verdict'))
          expect(seen).toContain(`attempts.${name}`);
        for (const place of [
          ...[
            'attempts.kind',
            'attempts.model',
            'attempt_reasons.reason',
            'replay_documents.id',
            'replay_documents.source',
          ],
          ...['traces.session_id', 'session_replays.session_id', 'sessions.trace_id', 'sessions.call_key'],
        ])
          expect(seen).toContain(place);
        const [json] = await rowsOf(
          lake,
          'SELECT prompt, artifact, proposed_worker_ids AS ids, extra FROM sessions',
        );
        expect(JSON.parse(String(json!.prompt))).toEqual([text, { [text]: text }]);
        expect(JSON.parse(String(json!.artifact))).toEqual([text, { [text]: text }]);
        expect(JSON.parse(String(json!.ids))).toEqual([text, `${text}2`]);
        expect(JSON.parse(String(json!.extra))).toEqual({ [`own ${text}`]: text });
      },
      { showContent: true },
    );
  });

  test('in the story of a call', async () => {
    const ran = await lakelog(['show', text, file, '--json', '--show-content']);
    expect(ran.code, ran.stderr).toBe(0);
    expect(JSON.stringify(JSON.parse(ran.stdout)).split(JSON.stringify(text)).length).toBeGreaterThan(5);
  });

  test('in rows of a gate', async () => {
    const bad = writeLines(newFolder(), 'bad.jsonl', [
      call({ session_id: text, daemon: text, model: text, grounded_in_roster: false }),
    ]);
    const ran = await lakelog(['alarm', bad, '--json']);
    expect(ran.code).toBe(1);
    expect(envelope(ran).rows).toMatchObject([{ session_id: text, daemon: text, model: text }]);
  });
});
