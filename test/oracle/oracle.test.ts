import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { expectedFor, scenarioFolders } from './make-expected.mjs';
import {
  alarm,
  attemptHealth,
  derive,
  deriveReplay,
  firstShotRate,
  formatInstant,
  judged,
  type Log,
  type LogInput,
  loadLog,
  parseInstant,
  type SessionRow,
  sessionReplays,
  traces,
} from './oracle.mjs';
import { badLine, goodLine, randomBy, randomFilters, randomGatedKinds, randomLogs } from './random-logs.mjs';

const NOW = Date.UTC(2026, 8, 2);

function session(fields: object = {}): string {
  return JSON.stringify({
    schema: 'session.iterate.v1',
    session_id: 'trace-1',
    timestamp: '2026-09-01T08:00:00Z',
    kind: 'fill',
    model: 'qwen',
    iterations: 1,
    final_verdict: 'accepted',
    ...fields,
  });
}

function replay(fields: object = {}): string {
  return JSON.stringify({
    schema: 'replay.run.v1',
    session_id: 'trace-1',
    timestamp: '2026-09-01T09:00:00Z',
    run_id: 'batch-1',
    ...fields,
  });
}

function load(content: string | Buffer, input: Partial<LogInput> = {}, options: object = {}): Log {
  return loadLog([{ file: 'log.jsonl', bytes: Buffer.from(content), as: 'any', ...input }], {
    now: NOW,
    ...options,
  });
}

function loadLines(...lines: string[]): Log {
  return load(lines.map((line) => `${line}\n`).join(''));
}

function reasonOf(line: string | Buffer): string | undefined {
  return load(Buffer.concat([Buffer.from(line), Buffer.from('\n')])).rejects[0]?.reason;
}

function sessionRow(fields: object): SessionRow {
  const log = loadLines(session(fields));
  expect(log.rejects).toEqual([]);
  return log.sessions[0]!;
}

describe('lines', () => {
  it('counts physical lines, blanks and an unterminated last line', () => {
    const log = load(`\n${session()}\r\n \t\v\f\r\nnot json\n${session({ model: 'b' })}`);
    expect(log.files[0]).toEqual({
      file: 'log.jsonl',
      bytes: 1 + session().length + 2 + 6 + 9 + session({ model: 'b' }).length,
      lines: 5,
      loaded: 2,
      rejected: 1,
      duplicates: 0,
      blank: 2,
      pending: 0,
      conflicts: 0,
    });
    expect(log.sessions.map((row) => row.line)).toEqual([2, 5]);
    expect(log.rejects).toEqual([
      { file: 'log.jsonl', line: 4, byte_offset: 1 + session().length + 2 + 6, reason: 'bad_json' },
    ]);
  });

  it.each([
    ['', 0, 0],
    ['\ufeff', 0, 0],
    ['\n', 1, 1],
    ['\n\n', 2, 2],
    [' ', 1, 1],
    ['\n ', 2, 2],
    ['\r\n', 1, 1],
    ['\u00a0\n', 1, 0],
  ])('%j has %i lines, %i of them blank', (content, lines, blank) => {
    expect(load(content).files[0]).toMatchObject({ lines, blank });
  });

  it('strips a BOM at the start of the file only, and counts it in offsets', () => {
    const log = load(`\ufeff${session()}\n\ufeff${session({ model: 'b' })}\n`);
    expect(log.sessions).toHaveLength(1);
    expect(log.rejects).toEqual([
      { file: 'log.jsonl', line: 2, byte_offset: 3 + session().length + 1, reason: 'bad_json' },
    ]);
  });

  it('counts bytes, not characters', () => {
    const line = session({ model: '🦆' });
    const log = load(`${line}\n5\n`);
    expect(log.rejects[0]).toMatchObject({ line: 2, byte_offset: line.length + 2 + 1 });
  });

  it('rejects lines over the limit before looking inside', () => {
    const line = session();
    expect(load(`${line}\n`, {}, { maxLineBytes: line.length }).rejects).toEqual([]);
    for (const content of [`${line}\n`, line, 'x'.repeat(line.length)])
      expect(load(content, { mtimeMs: NOW }, { maxLineBytes: line.length - 1 }).rejects[0]?.reason).toBe(
        'too_long',
      );
  });
});

describe('the end of a file', () => {
  const torn = `${session()}\n{"schema":"session`;

  it('loads an unterminated last line that parses', () => {
    expect(load(`${session()}\n${session({ model: 'b' })}`).sessions).toHaveLength(2);
  });

  it.each([
    ['fresh', { mtimeMs: NOW - 60_000 }, 1],
    ['old', { mtimeMs: NOW - 60_001 }, 0],
    ['of unknown age', {}, 0],
    ['compressed', { mtimeMs: NOW, compressed: true }, 0],
  ])('a torn tail in a file that is %s', (_name, input, pending) => {
    const log = load(torn, input);
    expect(log.files[0]).toMatchObject({ lines: 2, loaded: 1, pending, rejected: 1 - pending });
    expect(log.rejects.map(({ reason }) => reason)).toEqual(pending ? [] : ['torn_tail']);
  });

  it('never takes a terminated or a whole but wrong line for a pending one', () => {
    expect(load('{"schema":"ses\n', { mtimeMs: NOW }).rejects[0]?.reason).toBe('bad_json');
    expect(load('12', { mtimeMs: NOW }).rejects[0]?.reason).toBe('not_object');
    expect(load('{}', { mtimeMs: NOW }).rejects[0]?.reason).toBe('missing:schema');
  });

  it.each(Array.from({ length: session({ model: 'm' }).length - 1 }, (_, at) => at + 1))(
    'a record cut after %i bytes costs exactly its line',
    (length) => {
      const cut = session({ model: 'm' }).slice(0, length);
      const log = load(`${session({ model: 'a' })}\n${cut}\n${session({ model: 'b' })}\n`);
      expect(log.sessions.map(({ model }) => model)).toEqual(['a', 'b']);
      expect(log.rejects).toEqual([
        {
          file: 'log.jsonl',
          line: 2,
          byte_offset: session({ model: 'a' }).length + 1,
          reason: 'bad_json',
        },
      ]);
    },
  );
});

describe('reject reasons', () => {
  it.each([
    ['', '"session_id":"x"'],
    ['duplicate_key:session_id', '"session_id":"trace-1"'],
    ['duplicate_key:session_id', '"session\\u005fid":"x"'],
    ['duplicate_key:schema', '"session_id":"x","schema":"session.iterate.v1"'],
    ['duplicate_key:attempts', '"attempts":null,"attempts" : []'],
    ['', '"unknown":1,"unknown":2'],
    ['', '"run_id":"1","run_id":"2"'],
    ['', '"artifact":{"kind":"x","kind":"y"}'],
    ['', '"error":"\\"kind\\":"'],
    ['', '"prompt":"kind","error":"kind"'],
  ])('%j for a record with %s added', (reason, member) => {
    const isFirst = reason === '' && member.startsWith('"session_id"');
    const line = isFirst
      ? session().replace('"session_id":"trace-1"', member)
      : session().replace(/}$/, `,${member}}`);
    expect(reasonOf(line) ?? '').toBe(reason);
  });

  it.each([
    ['bad_json', '{'],
    ['bad_json', 'null,'],
    ['bad_json', session() + session()],
    ['bad_json', session().replace('qwen', '\\ud800')],
    ['bad_json', session({ x: 1 }).replace('"x"', '"\\udc00"')],
    ['bad_json', session().replace('qwen', 'q\twen')],
    ['bad_json', session().replace(/}$/, ',}')],
    ['not_object', 'null'],
    ['not_object', '[{"schema":"session.iterate.v1"}]'],
    ['not_object', 'NaN'],
    ['missing:schema', '{}'],
    ['missing:schema', '{"Schema":"session.iterate.v1"}'],
    ['type:schema', '{"schema":1}'],
    ['value:schema', '{"schema":"session.iterate.v2"}'],
    ['missing:session_id', '{"schema":"session.iterate.v1"}'],
    ['missing:run_id', session({ schema: 'replay.run.v1' })],
    ['type:duration_ms', session({ duration_ms: 'slow' })],
    ['type:duration_ms', session({ duration_ms: 0 }).replace(':0}', ':NaN}')],
    ['type:grounded_in_roster', session({ grounded_in_roster: 'false' })],
    ['type:grounded_in_roster', session({ grounded_in_roster: 0 })],
    ['type:iterations', session({ iterations: 1.7 })],
    ['type:iterations', session({ iterations: '3' })],
    ['type:iterations', session({ iterations: true })],
    ['type:seq', session().replace(/}$/, ',"seq":9007199254740992}')],
    ['type:proposed_worker_ids', session({ proposed_worker_ids: ['W-1', null] })],
    ['type:documents', replay({ documents: [{ score: 'high' }] })],
    ['type:documents', replay({ documents: [null] })],
    ['value:session_id', session({ session_id: '' })],
    ['value:timestamp', session({ timestamp: '2026-02-30T08:00:00Z' })],
    ['value:iterations', session({ iterations: -1 })],
    ['value:iterations', session({ iterations: 0 })],
    ['value:final_verdict', session({ final_verdict: 'Accepted' })],
    ['value:seq', session({ seq: 0 })],
  ])('%s: %s', (reason, line) => {
    expect(reasonOf(line)).toBe(reason);
  });

  it.each([
    ['all missing before any type', 'missing:final_verdict', { session_id: 5, final_verdict: null }],
    ['the first missing in field order', 'missing:kind', { kind: null, final_verdict: null }],
    ['all types before any value', 'type:seq', { kind: '', seq: 'x' }],
    ['the first value in field order', 'value:kind', { kind: '', final_verdict: '' }],
    ['accepted with 0 last', 'value:seq', { iterations: 0, seq: 0 }],
    ['the schema before everything else', 'value:schema', { schema: 'x', session_id: null }],
  ])('%s', (_name, reason, fields) => {
    expect(reasonOf(session(fields))).toBe(reason);
  });

  it('rejects invalid UTF-8, also in fields that nobody declared', () => {
    const [before, after] = session({ note: '@' }).split('@');
    for (const raw of [[0xff], [0xed, 0xa0, 0x80], [0xc0, 0x80]])
      expect(reasonOf(Buffer.concat([Buffer.from(before!), Buffer.from(raw), Buffer.from(after!)]))).toBe(
        'bad_json',
      );
  });

  it('asserted files reject the other kind, and only then', () => {
    const both = `${session()}\n${replay()}\n`;
    const of = (as: LogInput['as']) => load(both, { as }).rejects.map(({ line, reason }) => [line, reason]);
    expect(of('any')).toEqual([]);
    expect(of('sessions')).toEqual([[2, 'wrong_kind']]);
    expect(of('replay')).toEqual([[1, 'wrong_kind']]);
    expect(load(`${replay({ run_id: null })}\n`, { as: 'sessions' }).rejects[0]?.reason).toBe('wrong_kind');
  });

  it.each([
    ['3.0', 3],
    ['3e0', 3],
    ['30e-1', 3],
    ['-0', 0],
    ['9007199254740991', 9007199254740991],
  ])('iterations %s is the integer %i', (text, value) => {
    const line = session({ final_verdict: 'infra_error' }).replace('"iterations":1', `"iterations":${text}`);
    expect(loadLines(line).sessions[0]?.iterations).toBe(value);
  });

  it.each(['5', '{}', '"x"', 'false', '[5]', 'NaN'])('attempts %s never rejects a line', (text) => {
    expect(reasonOf(session().replace(/}$/, `,"attempts":${text}}`))).toBeUndefined();
  });

  it('keeps unknown fields and takes an empty call_id for an absent one', () => {
    expect(sessionRow({ color: [1], call_id: '' })).toMatchObject({ extra: { color: [1] }, call_id: null });
  });

  it('survives nesting of 1,000,000', () => {
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
    expect(reasonOf(session().replace(/}$/, `,"attempts":${deep}}`))).toBeUndefined();
  });
});

describe('timestamps', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0n, '1970-01-01T00:00:00.000Z'],
    ['1970-01-01t02:00:00.5+02:00', 500_000n, '1970-01-01T00:00:00.500Z'],
    ['1969-12-31T19:00:00.000001-05:00', 1n, '1970-01-01T00:00:00.000001Z'],
    ['1970-01-01T00:00:00.0000019z', 1n, '1970-01-01T00:00:00.000001Z'],
    ['1969-12-31T23:59:59.999999Z', -1n, '1969-12-31T23:59:59.999999Z'],
    ['2026-09-01T08:00:00.123456+05:45', 1788228900123456n, '2026-09-01T02:15:00.123456Z'],
    ['2024-02-29T00:00:00-00:00', 1709164800000000n, '2024-02-29T00:00:00.000Z'],
  ])('%s', (text, micros, formatted) => {
    expect(parseInstant(text)).toBe(micros);
    expect(formatInstant(micros)).toBe(formatted);
  });

  it.each([
    'infinity',
    '2026-09-01',
    '2026-09-01T08:00:00',
    '2026-09-01 08:00:00Z',
    '2026-09-01T24:00:00Z',
    '2026-09-01T08:00:60Z',
    '2026-09-01T08:00:00.Z',
    '2026-09-01T08:00:00+24:00',
    '2026-09-01T08:00:00 Europe/Berlin',
    '2026-02-29T08:00:00Z',
    '2026-04-31T08:00:00Z',
    '2026-13-01T08:00:00Z',
    '2026-00-01T08:00:00Z',
    '2026-01-00T08:00:00Z',
    '2026-09-01T08:00:00Z\n',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeNull();
  });

  it.each([
    ['2026-09-01T22:30:00Z', 'UTC', '2026-09-01'],
    ['2026-09-01T22:30:00Z', 'Europe/Berlin', '2026-09-02'],
    ['2026-09-01T04:59:59.999999Z', 'America/Chicago', '2026-08-31'],
    ['2026-09-01T05:00:00Z', 'America/Chicago', '2026-09-01'],
    ['1969-12-31T23:59:59.999999Z', 'UTC', '1969-12-31'],
  ])('%s in %s is on %s', (timestamp, tz, day) => {
    expect(derive(sessionRow({ timestamp }), { tz }).day).toBe(day);
  });
});

describe('duplicates and conflicts', () => {
  it('loads the first of byte-identical lines, over all files and line ends', () => {
    const line = session();
    const log = loadLog(
      [
        { file: 'a', bytes: Buffer.from(`\ufeff${line}\r\n${line}\n`), as: 'any' },
        { file: 'b', bytes: Buffer.from(`${replay()}\n ${line}\n${replay()}\n${line}`), as: 'any' },
      ],
      { now: NOW },
    );
    expect(log.files.map(({ loaded, duplicates }) => [loaded, duplicates])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(log.sessions.map(({ file, line: at }) => [file, at])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  it('never takes a bad line for a duplicate', () => {
    expect(loadLines('{', '{').files[0]).toMatchObject({ rejected: 2, duplicates: 0 });
  });

  it('a line that one file may not hold still loads from the next', () => {
    const bytes = Buffer.from(`${session()}\n`);
    const log = loadLog(
      [
        { file: 'a', bytes, as: 'replay' },
        { file: 'b', bytes, as: 'sessions' },
      ],
      { now: NOW },
    );
    expect(log.files.map(({ loaded, rejected }) => [loaded, rejected])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it('counts every carrier of a repeated call_id in its own file', () => {
    const of = (call_id: string, model: string) => `${session({ call_id, model })}\n`;
    const log = loadLog(
      [
        {
          file: 'a',
          bytes: Buffer.from(of('c1', '1') + of('c1', '2') + of('', '3') + of('', '4')),
          as: 'any',
        },
        {
          file: 'b',
          bytes: Buffer.from(of('c1', '1') + of('c1', '5') + of('C1', '6') + of('c2', '7') + of('c2', '8')),
          as: 'any',
        },
      ],
      { now: NOW },
    );
    expect(log.files.map(({ conflicts, duplicates }) => [conflicts, duplicates])).toEqual([
      [2, 0],
      [3, 1],
    ]);
  });
});

describe('derived columns', () => {
  const A = { verdict: 'accepted' };
  const N = { verdict: 'no_candidate' };
  const I = { verdict: 'infra_error' };
  const R = (...reasons: unknown[]) => ({ verdict: 'rejected', reasons });
  const other = { verdict: 'Rejected', reasons: ['unseen'] };

  it.each([
    // attempts, iterations, rejections, rejection run, failure run, reasons
    [[A], 1, 0, 0, 0, null],
    [[R('a'), A], 2, 1, 1, 1, 'a'],
    [[R('a'), R('b', 'c'), A], 3, 2, 2, 2, 'a | b | c'],
    [[R('a'), I, R('b'), A], 4, 2, 2, 2, 'a | b'],
    [[R('a'), N, R('b'), A], 4, 2, 1, 3, 'a'],
    [[R('a'), A, R('b'), R('c')], 4, 3, 2, 2, 'b | c'],
    [[R('a'), A, R('b')], 3, 2, 1, 1, 'a'],
    [[N, N, R('a'), N], 4, 1, 1, 4, 'a'],
    [[N, N], 2, 0, 0, 2, null],
    [[I, I], 2, 0, 0, 0, null],
    [[R(), R()], 2, 2, 2, 2, ''],
    [
      [R(5, 'a', null, ['b']), { verdict: 'rejected', reasons: 'x' }, { verdict: 'rejected' }],
      3,
      3,
      3,
      3,
      'a',
    ],
    [[R('', '')], 1, 1, 1, 1, ' | '],
    [[], 0, 0, 0, 0, null],
    [undefined, 0, 0, 0, 0, null],
    [null, 0, 0, 0, 0, null],
  ])('of attempts %j', (attempts, iterations, rejections, rejectionRun, failureRun, reasons) => {
    const row = sessionRow({ attempts, iterations, final_verdict: 'max_iter_exhausted' });
    expect(derive(row)).toMatchObject({
      rejections,
      longest_rejection_run: rejectionRun,
      longest_failure_run: failureRun,
      run_reasons: reasons,
      inconsistent: false,
      not_judgeable: false,
    });
  });

  it.each([
    [[R('a'), other, R('b')], 3, 2, 1, 1, 'a'],
    [[R('a'), null, R('b'), R('c')], 4, 3, 2, 2, 'b | c'],
    [[N, 'rejected', N], 3, 0, 0, 1, null],
    [[[R('a')]], 1, 0, 0, 0, null],
    [[{}], 1, 0, 0, 0, null],
    [[{ verdict: ['rejected'] }], 1, 0, 0, 0, null],
    [[R('a')], 2, 1, 1, 1, 'a'],
    [[R('a'), A], 1, 1, 1, 1, 'a'],
    [[R('a')], 0, 1, 1, 1, 'a'],
  ])('of inconsistent attempts %j', (attempts, iterations, rejections, rejectionRun, failureRun, reasons) => {
    const row = sessionRow({ attempts, iterations, final_verdict: 'infra_error' });
    expect(derive(row)).toMatchObject({
      rejections,
      longest_rejection_run: rejectionRun,
      longest_failure_run: failureRun,
      run_reasons: reasons,
      inconsistent: true,
      not_judgeable: false,
    });
  });

  it.each([
    [undefined, 1, false],
    [null, 2, false],
    [[], 1, true],
    [5, 1, true],
    [{}, 0, true],
    ['rejected', 0, true],
    [false, 3, true],
  ])(
    'of attempts %j with %i iterations: not judgeable, inconsistent %s',
    (attempts, iterations, inconsistent) => {
      const row = sessionRow({ attempts, iterations, final_verdict: 'infra_error' });
      expect(derive(row)).toMatchObject({
        rejections: null,
        longest_rejection_run: null,
        longest_failure_run: null,
        run_reasons: null,
        inconsistent,
        not_judgeable: true,
      });
    },
  );

  it.each([
    ['accepted', 1, true, true],
    ['accepted', 2, true, false],
    ['max_iter_exhausted', 1, true, false],
    ['infra_error', 1, false, false],
  ])('%s after %i', (final_verdict, iterations, answered, firstShot) => {
    expect(derive(sessionRow({ final_verdict, iterations }))).toMatchObject({
      answered,
      first_shot: firstShot,
    });
  });

  it('gated is an exact match', () => {
    const gated = (kind: string) => derive(sessionRow({ kind })).gated;
    expect(['fill', 'Fill', ' fill', 'fills'].map(gated)).toEqual([true, false, false, false]);
    expect(derive(sessionRow({ kind: 'email' }), { gatedKinds: ['x', 'email'] }).gated).toBe(true);
  });

  it('counts what cannot be trusted', () => {
    const log = loadLines(session(), session({ attempts: [] }), session({ attempts: [A, A] }));
    expect(attemptHealth(log)).toEqual({ inconsistent: 2, not_judgeable: 2 });
  });

  it.each([
    [undefined, null, null],
    [[], 0, null],
    [[{ id: 'd' }, {}], 2, null],
    [[{ score: -3 }, { score: null }, { score: -2.5 }], 3, -2.5],
  ])('of a replay run with documents %j', (documents, document_count, best_score) => {
    const log = loadLines(replay({ documents }));
    expect(deriveReplay(log.replays[0]!)).toEqual({ document_count, best_score });
  });
});

describe('first-shot-rate', () => {
  const calls = (count: number, fields: object) =>
    Array.from({ length: count }, (_, at) => session({ ...fields, call: at }));

  it('by model, with the Wilson interval', () => {
    const log = loadLines(
      ...calls(8, { model: 'qwen' }),
      ...calls(1, { model: 'qwen', iterations: 3 }),
      ...calls(1, { model: 'qwen', iterations: 5, final_verdict: 'max_iter_exhausted' }),
      ...calls(4, { model: 'qwen', iterations: 9, final_verdict: 'infra_error' }),
      ...calls(2, { model: 'Gemma', iterations: 0, final_verdict: 'infra_error' }),
    );
    const [gemma, qwen, ...others] = firstShotRate(log, { minN: 10 });
    expect(others).toEqual([]);
    expect(gemma).toEqual({
      model: 'Gemma',
      calls: 2,
      answered: 0,
      infra_errors: 2,
      first_shots: 0,
      first_shot_rate: null,
      rate_low: null,
      rate_high: null,
      acceptance_rate: null,
      mean_attempts: null,
      small_sample: true,
    });
    expect(qwen).toEqual({
      model: 'qwen',
      calls: 14,
      answered: 10,
      infra_errors: 4,
      first_shots: 8,
      first_shot_rate: 0.8,
      // Newcombe 1998 and R's prop.test(8, 10, correct = FALSE).
      rate_low: expect.closeTo(0.4901625, 6),
      rate_high: expect.closeTo(0.9433178, 6),
      acceptance_rate: 0.9,
      mean_attempts: 1.6,
      small_sample: false,
    });
    expect(firstShotRate(log)[1]?.small_sample).toBe(true);
  });

  it.each([
    [0, 10, 0, 0.2775328],
    [10, 10, 0.7224672, 1],
    [1, 1, 0.2065493, 1],
  ])('%i of %i', (firstShots, answered, low, high) => {
    const log = loadLines(...calls(firstShots, {}), ...calls(answered - firstShots, { iterations: 2 }));
    const [row] = firstShotRate(log);
    expect(row?.rate_low).toBeCloseTo(low, 6);
    expect(row?.rate_high).toBeCloseTo(high, 6);
    expect(row?.rate_low).toBeGreaterThanOrEqual(0);
    expect(row?.rate_high).toBeLessThanOrEqual(1);
  });

  it('groups by several columns in byte order, nulls last and apart from empty strings', () => {
    const daemons = ['ﬀ', '🦆', 'a', '', undefined, null, 'B'];
    const log = loadLines(
      ...daemons.map((daemon, at) => session({ daemon, at })),
      session({ daemon: 'a', timestamp: '2026-08-31T22:00:00Z' }),
    );
    const rows = firstShotRate(log, { by: ['daemon', 'day'] });
    expect(rows.map(({ daemon, day, calls: count }) => [daemon, day, count])).toEqual([
      ['', '2026-09-01', 1],
      ['B', '2026-09-01', 1],
      ['a', '2026-08-31', 1],
      ['a', '2026-09-01', 1],
      ['ﬀ', '2026-09-01', 1],
      ['🦆', '2026-09-01', 1],
      [null, '2026-09-01', 2],
    ]);
    expect(Object.keys(rows[0]!).slice(0, 3)).toEqual(['daemon', 'day', 'calls']);
    expect(firstShotRate(log, { by: ['day'], filters: { tz: 'Europe/Berlin' } })).toHaveLength(1);
  });

  it('filters half-open, by instant, and by any of the listed values', () => {
    const at = (timestamp: string, fields: object = {}) =>
      session({ timestamp, model: timestamp, ...fields });
    const log = loadLines(
      at('2026-08-31T23:59:59.999999Z'),
      at('2026-09-01T02:00:00+02:00'),
      at('2026-09-01T23:59:59.999999Z', { environment: 'prod' }),
      at('2026-09-02T00:00:00Z'),
    );
    const models = (filters: object) => firstShotRate(log, { filters }).map(({ model }) => model);
    const day = { since: Date.UTC(2026, 8, 1), until: Date.UTC(2026, 8, 2) };
    expect(models(day)).toEqual(['2026-09-01T02:00:00+02:00', '2026-09-01T23:59:59.999999Z']);
    expect(models({ ...day, environment: ['test', 'prod'] })).toEqual(['2026-09-01T23:59:59.999999Z']);
    expect(models({ kind: ['Fill'] })).toEqual([]);
    expect(models({ kind: ['fill'], daemon: [] })).toHaveLength(4);
  });
});

describe('alarm', () => {
  const log = loadLines(
    session({ session_id: 'late', grounded_in_roster: false, timestamp: '2026-09-01T10:00:00+01:00' }),
    session({ session_id: 'null', grounded_in_roster: null, daemon: 'staffing' }),
    session({ session_id: 'true', grounded_in_roster: true }),
    session({ session_id: 'absent', timestamp: '2026-09-01T08:00:00.000001Z' }),
    session({ session_id: 'email', kind: 'email', grounded_in_roster: false }),
    session({ session_id: 'Fill', kind: 'Fill', grounded_in_roster: false }),
    session({ session_id: 'failed', final_verdict: 'max_iter_exhausted', grounded_in_roster: false }),
    session({ session_id: 'early', grounded_in_roster: false, timestamp: '2026-09-01T08:00:00.000Z' }),
  );

  it('names accepted gated calls that are not stamped true, by time and place', () => {
    const common = { daemon: null, kind: 'fill', model: 'qwen', file: 'log.jsonl' };
    const eight = '2026-09-01T08:00:00.000Z';
    expect(alarm(log)).toEqual([
      { ...common, session_id: 'null', timestamp: eight, daemon: 'staffing', reason: 'unjudged', line: 2 },
      { ...common, session_id: 'early', timestamp: eight, reason: 'ungrounded', line: 8 },
      {
        ...common,
        session_id: 'absent',
        timestamp: '2026-09-01T08:00:00.000001Z',
        reason: 'unjudged',
        line: 4,
      },
      { ...common, session_id: 'late', timestamp: '2026-09-01T09:00:00.000Z', reason: 'ungrounded', line: 1 },
    ]);
    expect(judged(log)).toBe(3);
  });

  it('takes the gated kinds and the filters as given', () => {
    const ids = (options: object) => alarm(log, options).map(({ session_id }) => session_id);
    expect(ids({ gatedKinds: ['email', 'Fill'] })).toEqual(['email', 'Fill']);
    expect(ids({ gatedKinds: [] })).toEqual([]);
    expect(ids({ filters: { since: Date.UTC(2026, 8, 1, 9) } })).toEqual(['late']);
    expect(judged(log, { filters: { since: Date.UTC(2026, 8, 1, 9) } })).toBe(1);
    expect(judged(log, { gatedKinds: ['email'] })).toBe(1);
  });

  it('sees a violation right behind a torn line', () => {
    const torn = loadLines('{"schema":"session', session({ grounded_in_roster: false }));
    expect(alarm(torn)).toMatchObject([{ line: 2, reason: 'ungrounded' }]);
  });
});

describe('traces and session_replays', () => {
  const log = loadLog(
    [
      {
        file: 'a',
        bytes: Buffer.from(
          [
            session({ session_id: 'good', grounded_in_roster: true }),
            session({ session_id: 'good', kind: 'email', timestamp: '2026-09-03T08:00:00Z' }),
            session({ session_id: 'mixed', grounded_in_roster: true, iterations: 2 }),
            session({ session_id: 'mixed', kind: 'email', grounded_in_roster: false }),
            session({ session_id: 'unjudged' }),
            replay({ session_id: 'good', run_id: 'first', timestamp: '2026-09-05T00:00:00Z' }),
            replay({ session_id: 'good', run_id: 'old', timestamp: '2026-09-04T00:00:00Z', documents: [] }),
          ].join('\n'),
        ),
        as: 'any',
      },
      {
        file: 'b',
        bytes: Buffer.from(
          `${replay({ session_id: 'good', run_id: 'tie', timestamp: '2026-09-05T02:00:00+02:00' })}\n` +
            replay({ session_id: 'lonely' }),
        ),
        as: 'replay',
      },
    ],
    { now: NOW },
  );
  const filters = { since: Date.UTC(2026, 8, 2) };

  it('judges a trace over all its calls', () => {
    const eight = '2026-09-01T08:00:00.000Z';
    expect(traces(log, { filters })).toEqual([
      {
        session_id: 'good',
        first_time: eight,
        last_time: '2026-09-03T08:00:00.000Z',
        calls: 2,
        replay_runs: 3,
        all_first_shot: true,
        has_real_candidate: true,
        any_ungrounded: false,
        in_window: true,
      },
      {
        session_id: 'lonely',
        first_time: null,
        last_time: null,
        calls: 0,
        replay_runs: 1,
        all_first_shot: false,
        has_real_candidate: false,
        any_ungrounded: false,
        in_window: false,
      },
      {
        session_id: 'mixed',
        first_time: eight,
        last_time: eight,
        calls: 2,
        replay_runs: 0,
        all_first_shot: false,
        has_real_candidate: true,
        any_ungrounded: true,
        in_window: false,
      },
      {
        session_id: 'unjudged',
        first_time: eight,
        last_time: eight,
        calls: 1,
        replay_runs: 0,
        all_first_shot: true,
        has_real_candidate: false,
        any_ungrounded: true,
        in_window: false,
      },
    ]);
  });

  it('a stamp on a call that failed makes no candidate', () => {
    const failed = loadLines(session({ final_verdict: 'max_iter_exhausted', grounded_in_roster: true }));
    expect(traces(failed)[0]?.has_real_candidate).toBe(false);
  });

  it('takes gated kinds into account', () => {
    const ungrounded = traces(log, { gatedKinds: ['email'] }).filter((trace) => trace.any_ungrounded);
    expect(ungrounded.map(({ session_id }) => session_id)).toEqual(['good', 'mixed']);
  });

  it('gives a selected call all runs of its trace, the latest marked, ties to the later position', () => {
    const rows = sessionReplays(log, { filters });
    expect(rows).toEqual([
      expect.objectContaining({ line: 2, run_id: 'old', is_latest: false, document_count: 0 }),
      expect.objectContaining({ line: 2, run_id: 'first', is_latest: false, document_count: null }),
      {
        session_id: 'good',
        file: 'a',
        line: 2,
        has_replay: true,
        is_latest: true,
        run_id: 'tie',
        run_timestamp: '2026-09-05T00:00:00.000Z',
        run_file: 'b',
        run_line: 1,
        document_count: null,
        best_score: null,
      },
    ]);
  });

  it('keeps a call without runs', () => {
    expect(sessionReplays(log, { filters: { model: ['qwen'] } })).toHaveLength(3 + 3 + 3);
    expect(sessionReplays(log).filter(({ has_replay }) => !has_replay)).toEqual([
      expect.objectContaining({ session_id: 'mixed', line: 3, is_latest: true, run_id: null }),
      expect.objectContaining({ session_id: 'mixed', line: 4, is_latest: true, run_id: null }),
      expect.objectContaining({ session_id: 'unjudged', line: 5, is_latest: true, run_id: null }),
    ]);
  });
});

describe('random logs', () => {
  const formats = ['sessions', 'replay'] as const;
  const asserted = (bytes: Buffer, as: (typeof formats)[number]) =>
    load(Buffer.concat([bytes, Buffer.from('\n')]), { as });

  it.each(formats)('good lines of %s load', (format) => {
    fc.assert(
      fc.property(goodLine(format), (bytes) => {
        expect(asserted(bytes, format).rejects).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it.each(formats)('bad lines of %s are rejected for what was broken in them', (format) => {
    fc.assert(
      fc.property(badLine(format), ({ bytes, reason }) => {
        const rejected = asserted(bytes, format).rejects.map((reject) => reject.reason);
        expect(rejected).toEqual([reason ?? expect.any(String)]);
      }),
      { numRuns: 2000 },
    );
  });

  const loadRandom = ({ sessions, replays }: { sessions: Buffer; replays: Buffer }) =>
    loadLog(
      [
        { file: 's', bytes: sessions, as: 'sessions' },
        { file: 'r', bytes: replays, as: 'replay' },
      ],
      { now: NOW },
    );

  it.each([true, false])('account for every line (dirty: %s)', (dirty) => {
    fc.assert(
      fc.property(randomLogs({ dirty }), (random) => {
        const log = loadRandom(random);
        for (const file of log.files)
          expect(file.lines).toBe(file.loaded + file.rejected + file.duplicates + file.blank + file.pending);
        expect(log.files.map(({ loaded }) => loaded)).toEqual([log.sessions.length, log.replays.length]);
        if (!dirty) expect(log.rejects).toEqual([]);
        for (const [file, bytes] of [
          ['s', random.sessions],
          ['r', random.replays],
        ] as const)
          for (const reject of log.rejects.filter((candidate) => candidate.file === file)) {
            const before = bytes.subarray(0, reject.byte_offset);
            expect(before.filter((byte) => byte === 0x0a).length).toBe(reject.line - 1);
          }
      }),
    );
  });

  it('answers hang together', () => {
    fc.assert(
      fc.property(
        randomLogs({ dirty: true }),
        randomFilters(),
        randomGatedKinds(),
        randomBy(),
        (random, filters, gatedKinds, by) => {
          const log = loadRandom(random);
          const rows = firstShotRate(log, { by, filters });
          const whole = firstShotRate(log, { by: [], filters });
          expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(whole[0]?.calls ?? 0);
          for (const row of rows) {
            expect(row.answered + row.infra_errors).toBe(row.calls);
            if (row.first_shot_rate === null) continue;
            expect(row.rate_low).toBeLessThanOrEqual(row.first_shot_rate + 1e-12);
            expect(row.rate_high).toBeGreaterThanOrEqual(row.first_shot_rate - 1e-12);
            expect(row.mean_attempts).toBeGreaterThanOrEqual(row.first_shots > 0 ? 0.1 : 0);
          }

          const ungrounded = alarm(log, { gatedKinds, filters }).filter((row) => row.reason === 'ungrounded');
          expect(ungrounded.length).toBeLessThanOrEqual(judged(log, { gatedKinds, filters }));
          const flagged = traces(log, { gatedKinds, filters }).filter((trace) => trace.any_ungrounded);
          for (const row of ungrounded)
            expect(flagged.map(({ session_id }) => session_id)).toContain(row.session_id);

          const latest = sessionReplays(log, { filters }).filter((row) => row.is_latest);
          expect(latest).toHaveLength(whole[0]?.calls ?? 0);
        },
      ),
    );
  });

  it('cover what they promise to cover', () => {
    const logs = fc.sample(randomLogs({ dirty: true }), { numRuns: 200, seed: 7 }).map(loadRandom);
    const sessions = logs.flatMap((log) => log.sessions);
    const total = (column: 'duplicates' | 'conflicts' | 'blank' | 'rejected') =>
      logs.flatMap((log) => log.files).reduce((sum, file) => sum + file[column], 0);
    for (const column of ['duplicates', 'conflicts', 'blank', 'rejected'] as const)
      expect(total(column), column).toBeGreaterThan(100);
    expect(total('rejected')).toBeLessThan(sessions.length / 2);

    const derived = sessions.map((row) => derive(row));
    expect(derived.filter((row) => row.inconsistent).length).toBeGreaterThan(200);
    expect(derived.filter((row) => row.not_judgeable).length).toBeGreaterThan(100);
    expect(derived.filter((row) => (row.longest_rejection_run ?? 0) >= 3).length).toBeGreaterThan(100);
    expect(
      derived.filter((row) => row.longest_failure_run !== row.longest_rejection_run).length,
    ).toBeGreaterThan(100);
    expect(new Set(sessions.map(({ instant }) => instant)).size).toBeLessThan(sessions.length);
    expect(
      sessions.filter((row) => row.kind !== 'fill' && row.grounded_in_roster === false).length,
    ).toBeGreaterThan(50);
    expect(logs.some((log) => log.rejects.some(({ reason }) => reason === 'torn_tail'))).toBe(true);
    const fanOut = logs
      .flatMap((log) => traces(log))
      .filter((trace) => trace.calls > 1 && trace.replay_runs > 1);
    expect(fanOut.length).toBeGreaterThan(200);
  });
});

describe('golden files', () => {
  const script = fileURLToPath(new URL('./make-expected.mjs', import.meta.url));
  const { CI: _ci, ...withoutCi } = process.env;

  it('are never written in CI', () => {
    const out = join(tmpdir(), 'lakelog-goldens-never-written');
    const run = spawnSync(process.execPath, [script, '--out', out], {
      env: { ...withoutCi, CI: 'true' },
      encoding: 'utf8',
    });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('CI is set');
    expect(existsSync(out)).toBe(false);
  });

  it('are written elsewhere with --out', () => {
    const out = mkdtempSync(join(tmpdir(), 'lakelog-goldens-'));
    try {
      const run = spawnSync(process.execPath, [script, '--out', out], { env: withoutCi, encoding: 'utf8' });
      expect(run).toMatchObject({ status: 0, stderr: '' });
      for (const folder of scenarioFolders())
        expect(existsSync(join(out, basename(folder), 'expected', 'alarm.json'))).toBe(true);
    } finally {
      rmSync(out, { recursive: true });
    }
  });

  const written = scenarioFolders().filter((folder) => existsSync(join(folder, 'expected')));
  test.each(written.map((folder) => [basename(folder), folder]))(
    'of %s are what the oracle says',
    (_name, folder) => {
      for (const [name, answer] of Object.entries(expectedFor(folder)))
        expect(JSON.parse(readFileSync(join(folder, 'expected', name), 'utf8')), name).toEqual(answer);
    },
  );
});
