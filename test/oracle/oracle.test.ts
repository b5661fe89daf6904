import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { nightly } from '../support/cli.js';
import fc from '../support/fast-check.js';
import { expectedFolder, expectedFor, scenarioFolders } from './make-expected.mjs';
import {
  alarm,
  attemptHealth,
  attempts,
  corpus,
  derive,
  deriveReplay,
  firstShot,
  firstShotRate,
  formatInstant,
  judged,
  type Log,
  type LogInput,
  loadLog,
  parseInstant,
  reasonShape,
  rejections,
  type SessionReplayRow,
  type SessionRow,
  sessionReplays,
  traces,
  tripleRejections,
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
      late: 0,
    });
    expect(log.sessions.map((row) => row.line)).toEqual([2, 5]);
    expect(log.rejects).toEqual([
      { file: 'log.jsonl', line: 4, byte_offset: 1 + session().length + 2 + 6, reason: 'bad_json' },
    ]);
  });

  it.each([
    ['', 0, 0],
    ['\ufeff', 0, 0],
    ['\n\ufeff', 1, 1],
    ['\ufeff\n', 1, 1],
    ['\n', 1, 1],
    ['\n\n', 2, 2],
    [' ', 1, 1],
    ['\n ', 2, 2],
    ['\r\n', 1, 1],
    ['\u00a0\n', 1, 0],
  ])('%j has %i lines, %i of them blank', (content, lines, blank) => {
    expect(load(content).files[0]).toMatchObject({ lines, blank });
  });

  it('skips a BOM at the start of any line, and counts it in offsets', () => {
    const line = session();
    const log = load(`\ufeff${line}\n\ufeff${session({ model: 'b' })}\n\ufeff\ufeff{}\n\ufeff \n\ufeff[]\n`);
    expect(log.sessions.map(({ model }) => model)).toEqual(['qwen', 'b']);
    expect(log.files[0]).toMatchObject({ lines: 5, loaded: 2, rejected: 2, blank: 1 });
    const third = 3 + line.length + 1 + 3 + session({ model: 'b' }).length + 1;
    expect(log.rejects).toEqual([
      { file: 'log.jsonl', line: 3, byte_offset: third + 3, reason: 'bad_json' },
      { file: 'log.jsonl', line: 5, byte_offset: third + 9 + 5 + 3, reason: 'not_object' },
    ]);
  });

  it('a BOM makes no other line of one that stood before', () => {
    const line = session();
    expect(load(`${line}\n\ufeff${line}\r\n\ufeff`).files[0]).toMatchObject({
      lines: 2,
      loaded: 1,
      duplicates: 1,
    });
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

  it.each(['}', '[', '"', '{"a":1}}', '{"a":01', 'nul', '{"a":NaN'])(
    'what no object begins with is never pending: %j',
    (text) => {
      expect(load(text, { mtimeMs: NOW }).rejects).toMatchObject([{ reason: 'torn_tail' }]);
    },
  );

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
    ['bad_json', 'NaN'],
    ['bad_json', '{"schema":NaN}'],
    ['bad_json', session({ note: 0 }).replace(':0}', ':-Infinity}')],
    ['missing:schema', '{}'],
    ['missing:schema', '{"Schema":"session.iterate.v1"}'],
    ['type:schema', '{"schema":1}'],
    ['value:schema', '{"schema":"session.iterate.v2"}'],
    ['missing:session_id', '{"schema":"session.iterate.v1"}'],
    ['missing:run_id', session({ schema: 'replay.run.v1' })],
    ['type:duration_ms', session({ duration_ms: 'slow' })],
    ['bad_json', session({ duration_ms: 0 }).replace(':0}', ':NaN}')],
    ['type:duration_ms', session({ duration_ms: 0 }).replace(':0}', ':1e400}')],
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

  it.each(['5', '{}', '"x"', 'false', '[5]', '[{"raw":1,"raw":2}]', '[1e400]'])(
    'attempts %s never rejects a line',
    (text) => {
      expect(reasonOf(session().replace(/}$/, `,"attempts":${text}}`))).toBeUndefined();
    },
  );

  it.each([
    ['"Fill 3 shifts"', '"Fill 3 shifts"'],
    ['[{"role":"user","content":"Fill"}]', '[{"role":"user","content":"Fill"}]'],
    ['{"n": 90071992547409931}', '{"n": 90071992547409931}'],
    ['null', null],
  ])('prompt %s is kept as the text %s', (text, kept) => {
    const line = session().replace(/}$/, `,"prompt":${text}}`);
    expect(loadLines(line).sessions[0]?.prompt).toBe(kept);
  });

  it('keeps lists and artifacts as they are written', () => {
    const line = session().replace(/}$/, ',"artifact":[1.0],"proposed_worker_ids":["W-\\u0031"]}');
    expect(loadLines(line).sessions[0]).toMatchObject({
      artifact: '[1.0]',
      proposed_worker_ids: '["W-\\u0031"]',
    });
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
    const derived = derive(sessionRow({ timestamp }), { tz });
    expect(derived.day).toBe(day);
    expect(derived.month).toBe(day.slice(0, 7));
  });

  it.each([
    ['2026-11-26T14:59:59.999999Z', 'UTC', '2026-11-26T14', '2026-W48'],
    ['2026-11-29T23:30:00Z', 'UTC', '2026-11-29T23', '2026-W48'],
    ['2026-11-29T23:30:00Z', 'Europe/Berlin', '2026-11-30T00', '2026-W49'],
    ['2026-11-26T14:10:00Z', 'Asia/Kathmandu', '2026-11-26T19', '2026-W48'],
    // The hour that comes twice.
    ['2026-10-25T00:30:00Z', 'Europe/Berlin', '2026-10-25T02', '2026-W43'],
    ['2026-10-25T01:30:00Z', 'Europe/Berlin', '2026-10-25T02', '2026-W43'],
    // Weeks that belong to another year than their days.
    ['2027-01-03T12:00:00Z', 'UTC', '2027-01-03T12', '2026-W53'],
    ['2027-01-04T00:00:00Z', 'UTC', '2027-01-04T00', '2027-W01'],
    ['2024-12-30T00:00:00Z', 'UTC', '2024-12-30T00', '2025-W01'],
    ['0099-01-01T00:00:00Z', 'UTC', '0099-01-01T00', '0099-W01'],
  ])('%s in %s is in hour %s of week %s', (timestamp, tz, hour, week) => {
    expect(derive(sessionRow({ timestamp }), { tz })).toMatchObject({ hour, week });
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

  type RunCase = [
    attempts: unknown,
    iterations: number,
    rejections: number,
    rejectionRun: number,
    failureRun: number,
    reasons: string | null,
    failureReasons?: string | null,
  ];

  it.each<RunCase>([
    // the last: reasons of the failure run where they are others
    [[A], 1, 0, 0, 0, null],
    [[R('a'), A], 2, 1, 1, 1, 'a'],
    [[R('a'), R('b', 'c'), A], 3, 2, 2, 2, 'a | b | c'],
    [[R('a'), I, R('b'), A], 4, 2, 2, 2, 'a | b'],
    [[R('a'), N, R('b'), A], 4, 2, 1, 3, 'a', 'a | b'],
    [[R('a'), I, { ...N, reasons: ['n'] }, I, R('b'), A], 6, 2, 1, 3, 'a', 'a | n | b'],
    [[N, A, R('a'), A, N], 5, 1, 1, 1, 'a', ''],
    [[R('a'), N, A, N, R('b')], 5, 2, 1, 2, 'a', 'a'],
    [[R('a'), R('b'), A, N, R('c'), I, N, A, R('d'), R('e')], 10, 5, 2, 3, 'a | b', 'c'],
    [[R('a'), A, R('b'), R('c')], 4, 3, 2, 2, 'b | c'],
    [[R('a'), A, R('b')], 3, 2, 1, 1, 'a'],
    [[N, N, R('a'), N], 4, 1, 1, 4, 'a'],
    [[N, N], 2, 0, 0, 2, null, ''],
    [[I, I], 2, 0, 0, 0, null],
    [[R(), R()], 2, 2, 2, 2, ''],
    [[{ verdict: 'rejected', reasons: null, raw: null }, { verdict: 'rejected' }], 2, 2, 2, 2, ''],
    [[R('', '')], 1, 1, 1, 1, ' | '],
    [[], 0, 0, 0, 0, null],
    [undefined, 0, 0, 0, 0, null],
    [null, 0, 0, 0, 0, null],
  ])(
    'of attempts %j',
    (attempts, iterations, rejections, rejectionRun, failureRun, reasons, failureReasons = reasons) => {
      const row = sessionRow({ attempts, iterations, final_verdict: 'max_iter_exhausted' });
      expect(derive(row)).toMatchObject({
        rejections,
        longest_rejection_run: rejectionRun,
        longest_failure_run: failureRun,
        run_reasons: reasons,
        failure_run_reasons: failureReasons,
        inconsistent: false,
        not_judgeable: false,
      });
    },
  );

  it.each<RunCase>([
    [[R('a'), other, R('b')], 3, 2, 1, 1, 'a'],
    [[R('a'), null, R('b'), R('c')], 4, 3, 2, 2, 'b | c'],
    [[N, 'rejected', N], 3, 0, 0, 1, null, ''],
    [[[R('a')]], 1, 0, 0, 0, null],
    [[{}], 1, 0, 0, 0, null],
    [[{ verdict: ['rejected'] }], 1, 0, 0, 0, null],
    [[R('a'), R('b', 5), R('c')], 3, 2, 1, 1, 'a'],
    [[R('a'), { verdict: 'rejected', reasons: 'x' }, R('c'), R('d')], 4, 3, 2, 2, 'c | d'],
    [[{ ...R('a'), attempt_number: 0 }], 1, 0, 0, 0, null],
    [[{ ...R('a'), raw: {} }], 1, 0, 0, 0, null],
    [[{ ...N, input_tokens: 1.5 }, N], 2, 0, 0, 1, null, ''],
    [[R('a')], 2, 1, 1, 1, 'a'],
    [[R('a'), A], 1, 1, 1, 1, 'a'],
    [[R('a')], 0, 1, 1, 1, 'a'],
  ])(
    'of inconsistent attempts %j',
    (attempts, iterations, rejections, rejectionRun, failureRun, reasons, failureReasons = reasons) => {
      const row = sessionRow({ attempts, iterations, final_verdict: 'infra_error' });
      expect(derive(row)).toMatchObject({
        rejections,
        longest_rejection_run: rejectionRun,
        longest_failure_run: failureRun,
        run_reasons: reasons,
        failure_run_reasons: failureReasons,
        inconsistent: true,
        not_judgeable: false,
      });
    },
  );

  it.each(['"verdict":"rejected"', '"r\\u0061w":"a"', '"output_tokens":9007199254740993'])(
    'an attempt with %s as well is not understood',
    (member) => {
      const attempt = `{"verdict":"rejected","raw":"a",${member}}`;
      const line = session().replace(/}$/, `,"attempts":[${attempt}]}`);
      const [row] = loadLines(line).sessions;
      expect(derive(row!)).toMatchObject({ rejections: 0, inconsistent: true });
    },
  );

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
        failure_run_reasons: null,
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
  /** Each in a trace of its own. */
  const traces = (count: number, fields: object) =>
    Array.from({ length: count }, (_, at) =>
      session({ ...fields, session_id: `${JSON.stringify(fields)} ${at}` }),
    );

  it('by model, with the Wilson interval where every trace has one call', () => {
    const log = loadLines(
      ...traces(8, { model: 'qwen' }),
      ...traces(1, { model: 'qwen', iterations: 3 }),
      ...traces(1, { model: 'qwen', iterations: 5, final_verdict: 'max_iter_exhausted' }),
      ...traces(4, { model: 'qwen', iterations: 9, final_verdict: 'infra_error' }),
      ...traces(2, { model: 'Gemma', iterations: 0, final_verdict: 'infra_error' }),
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
    const log = loadLines(...traces(firstShots, {}), ...traces(answered - firstShots, { iterations: 2 }));
    const [row] = firstShotRate(log);
    expect(row?.rate_low).toBeCloseTo(low, 6);
    expect(row?.rate_high).toBeCloseTo(high, 6);
    expect(row?.rate_low).toBeGreaterThanOrEqual(0);
    expect(row?.rate_high).toBeLessThanOrEqual(1);
  });

  it('takes calls of one trace for fewer', () => {
    const inTraces = (
      ...counts: readonly (readonly [trace: string, firstShots: number, retried: number])[]
    ) =>
      loadLines(
        ...counts.flatMap(([session_id, firstShots, retried]) => [
          ...calls(firstShots, { session_id }),
          ...calls(retried, { session_id, iterations: 2 }),
        ]),
      );
    const ends = (log: Log) => firstShotRate(log).map(({ rate_low, rate_high }) => [rate_low, rate_high]);
    const alone = (...made: string[]) => ends(loadLines(...made));
    // All ten calls say what their trace says: two calls' worth.
    const [[low, high] = []] = ends(inTraces(['a', 5, 0], ['b', 0, 5]));
    expect(low).toBeLessThan(alone(...traces(5, {}), ...traces(5, { iterations: 2 }))[0]![0]!);
    expect(high).toBeCloseTo(1 - low!, 12);
    // Traces that agree are luck: few of them still tell less than single calls.
    const [[agreeing] = []] = ends(inTraces(['a', 2, 2], ['b', 2, 2], ['c', 2, 2]));
    expect(agreeing).toBeLessThan(alone(...traces(6, {}), ...traces(6, { iterations: 2 }))[0]![0]!);
    // Nothing seen in three traces is three calls' worth.
    expect(ends(inTraces(['a', 0, 4], ['b', 0, 2], ['c', 0, 1]))).toEqual(
      alone(...traces(3, { iterations: 2 })),
    );
    expect(ends(inTraces(['a', 4, 3]))[0]![0]).toBeLessThan(0.2);
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

describe('first-shot', () => {
  const ids = (log: Log, options: object = {}) => firstShot(log, options).map(({ session_id }) => session_id);
  const real = { grounded_in_roster: true };

  it('lists traces by their last call, with all their calls and runs', () => {
    const log = loadLines(
      session({ session_id: 'b', ...real, timestamp: '2026-09-03T08:00:00Z' }),
      session({ session_id: 'b', kind: 'email', timestamp: '2026-09-01T10:00:00+02:00' }),
      session({ session_id: 'a', ...real, timestamp: '2026-09-03T08:00:00Z' }),
      session({ session_id: 'z', ...real }),
      replay({ session_id: 'b' }),
      replay({ session_id: 'b', run_id: 'batch-2' }),
    );
    const eight = '2026-09-01T08:00:00.000Z';
    const third = '2026-09-03T08:00:00.000Z';
    expect(firstShot(log)).toEqual([
      { session_id: 'z', calls: 1, replay_runs: 0, first_time: eight, last_time: eight },
      { session_id: 'a', calls: 1, replay_runs: 0, first_time: third, last_time: third },
      { session_id: 'b', calls: 2, replay_runs: 2, first_time: eight, last_time: third },
    ]);
    expect(Object.keys(firstShot(log)[0]!)).toEqual([
      'session_id',
      'calls',
      'replay_runs',
      'first_time',
      'last_time',
    ]);
  });

  it.each<[string, boolean, object[]]>([
    ['an email that nobody checked', true, [real, { kind: 'email' }]],
    ['an email stamped null', true, [real, { kind: 'email', grounded_in_roster: null }]],
    ['an email stamped false', false, [real, { kind: 'email', grounded_in_roster: false }]],
    ['a fill that nobody checked', false, [real, {}]],
    ['a fill stamped null', false, [real, { grounded_in_roster: null }]],
    ['a fill stamped false', false, [real, { grounded_in_roster: false }]],
    ['a retry', false, [real, { ...real, iterations: 2 }]],
    ['a call that ran out of tries', false, [real, { ...real, final_verdict: 'max_iter_exhausted' }]],
    ['an infra error', false, [real, { final_verdict: 'infra_error', iterations: 0 }]],
    ['only emails that nobody checked', false, [{ kind: 'email' }]],
    ['an email stamped true and no fill', true, [{ kind: 'email', ...real }]],
    ['no candidate but a stamp on a failure', false, [{ ...real, final_verdict: 'max_iter_exhausted' }]],
  ])('a trace with %s: %s', (_name, qualifies, calls) => {
    const log = loadLines(...calls.map((fields, at) => session({ ...fields, at })));
    expect(ids(log)).toEqual(qualifies ? ['trace-1'] : []);
  });

  it('judges every loaded call of a trace that has one in the window', () => {
    const log = loadLines(
      session({ session_id: 'in and out', ...real, timestamp: '2026-09-02T08:00:00Z' }),
      session({ session_id: 'in and out', ...real, timestamp: '2026-09-05T08:00:00Z', model: 'b' }),
      session({ session_id: 'retried outside', ...real, timestamp: '2026-09-02T08:00:00Z' }),
      session({ session_id: 'retried outside', ...real, timestamp: '2026-09-05T08:00:00Z', iterations: 2 }),
      session({ session_id: 'stamped outside', kind: 'email', timestamp: '2026-09-02T08:00:00Z' }),
      session({ session_id: 'stamped outside', ...real, timestamp: '2026-08-05T08:00:00Z' }),
      session({ session_id: 'out', ...real, timestamp: '2026-09-05T08:00:00Z' }),
      replay({ session_id: 'only replayed', timestamp: '2026-09-02T08:00:00Z' }),
    );
    const filters = { since: Date.UTC(2026, 8, 2), until: Date.UTC(2026, 8, 3) };
    expect(ids(log, { filters })).toEqual(['stamped outside', 'in and out']);
    expect(ids(log, { filters: { model: ['b'] } })).toEqual(['in and out']);
  });

  it('takes the gated kinds as given', () => {
    const log = loadLines(session(real), session({ kind: 'email' }));
    expect(ids(log, { gatedKinds: ['fill', 'email'] })).toEqual([]);
    expect(ids(loadLines(session(real), session({ at: 1 })), { gatedKinds: ['email'] })).toEqual(['trace-1']);
  });
});

const rejected = (...reasons: unknown[]) => ({ verdict: 'rejected', reasons });
const ACCEPTED = { verdict: 'accepted' };
const NO_CANDIDATE = { verdict: 'no_candidate' };
const INFRA_ERROR = { verdict: 'infra_error' };

function tried(attempts: readonly unknown[], fields: object = {}): string {
  return session({ attempts, iterations: attempts.length, final_verdict: 'max_iter_exhausted', ...fields });
}

describe('triple-rejections', () => {
  const log = loadLines(
    tried([rejected('a'), rejected('b'), rejected('c', 'd')], { session_id: 'three', daemon: 'staffing' }),
    tried([rejected('a'), rejected('b'), ACCEPTED, rejected('c')], { session_id: 'two' }),
    tried([rejected(), INFRA_ERROR, rejected(), rejected(), rejected()], { session_id: 'four' }),
    tried([rejected('x'), rejected('y'), NO_CANDIDATE, rejected('z'), ACCEPTED], {
      session_id: 'mixed',
      final_verdict: 'accepted',
      timestamp: '2026-09-01T07:00:00Z',
    }),
    tried([rejected('a'), rejected('a'), { verdict: 'REJECTED' }, rejected('a')], { session_id: 'other' }),
    session({ session_id: 'absent', iterations: 5, final_verdict: 'max_iter_exhausted' }),
    tried([rejected('a'), rejected('b'), rejected('c')], {
      session_id: 'earlier',
      timestamp: '2026-09-01T09:59:59+02:00',
    }),
  );
  const ids = (options: object) => tripleRejections(log, options).map((row) => row.session_id);

  it('names the calls by run, time and place', () => {
    const common = {
      daemon: null,
      kind: 'fill',
      model: 'qwen',
      final_verdict: 'max_iter_exhausted',
      file: 'log.jsonl',
    };
    const eight = '2026-09-01T08:00:00.000Z';
    expect(tripleRejections(log)).toEqual([
      {
        ...common,
        session_id: 'four',
        timestamp: eight,
        iterations: 5,
        run_length: 4,
        reasons: null,
        line: 3,
      },
      {
        ...common,
        session_id: 'earlier',
        timestamp: '2026-09-01T07:59:59.000Z',
        iterations: 3,
        run_length: 3,
        reasons: 'a | b | c',
        line: 7,
      },
      {
        ...common,
        session_id: 'three',
        timestamp: eight,
        daemon: 'staffing',
        iterations: 3,
        run_length: 3,
        reasons: 'a | b | c | d',
        line: 1,
      },
    ]);
    expect(Object.keys(tripleRejections(log)[0]!).join()).toBe(
      'session_id,timestamp,daemon,kind,model,iterations,final_verdict,run_length,reasons,file,line',
    );
  });

  it('takes the streak as given', () => {
    expect(ids({ streak: 4 })).toEqual(['four']);
    expect(ids({ streak: 5 })).toEqual([]);
    expect(ids({ streak: 2 })).toEqual(['four', 'earlier', 'three', 'mixed', 'two', 'other']);
    expect(ids({ streak: 1, filters: { daemon: ['staffing'] } })).toEqual(['three']);
  });

  it('counts attempts without a candidate when told, with the reasons of that run', () => {
    const rows = tripleRejections(log, { countNoCandidate: true });
    expect(rows.map(({ session_id, run_length, reasons }) => [session_id, run_length, reasons])).toEqual([
      ['mixed', 4, 'x | y | z'],
      ['four', 4, null],
      ['earlier', 3, 'a | b | c'],
      ['three', 3, 'a | b | c | d'],
    ]);
  });

  it('a reason without a character is none', () => {
    expect(tripleRejections(loadLines(tried([rejected('')])), { streak: 1 })[0]?.reasons).toBeNull();
    expect(tripleRejections(loadLines(tried([rejected('', '')])), { streak: 1 })[0]?.reasons).toBe(' | ');
  });

  it('breaks ties by the text of the file, then by line', () => {
    const at = (file: string, ...models: string[]) => ({
      file,
      bytes: Buffer.from(models.map((model) => tried([rejected()], { model })).join('\n')),
      as: 'any' as const,
    });
    const two = loadLog([at('b', 'first', 'second'), at('a', 'third')], { now: NOW });
    expect(tripleRejections(two, { streak: 1 }).map(({ model }) => model)).toEqual([
      'third',
      'first',
      'second',
    ]);
  });
});

describe('corpus', () => {
  const documents = (count: number, score?: number | null) =>
    Array.from({ length: count }, () => ({ score }));
  const retrieved = (session_id: string, found: unknown, fields: object = {}) =>
    replay({ session_id, documents: found, ...fields });

  it.each<[string, unknown]>([
    ['0', []],
    ['1–2', documents(1)],
    ['1–2', documents(2)],
    ['3–5', documents(3)],
    ['3–5', documents(5)],
    ['6–10', documents(6)],
    ['6–10', documents(10)],
    ['11+', documents(11)],
    ['11+', documents(40)],
    ['not recorded', undefined],
    ['not recorded', null],
  ])('%s: %j', (bucket, found) => {
    const log = loadLines(session(), retrieved('trace-1', found));
    expect(corpus(log).map((row) => [row.documents, row.calls])).toEqual([[bucket, 1]]);
  });

  it('gives every group its calls, rate, interval and mean best score', () => {
    const log = loadLines(
      ...Array.from({ length: 8 }, (_, at) => session({ session_id: `trace-${at}` })),
      session({ session_id: 'trace-8', iterations: 3 }),
      session({ session_id: 'trace-9', iterations: 5, final_verdict: 'max_iter_exhausted' }),
      session({ iterations: 0, final_verdict: 'infra_error' }),
      ...Array.from({ length: 10 }, (_, at) =>
        retrieved(`trace-${at}`, [{ score: 0.25 }, {}, { score: 0.75 }]),
      ),
    );
    expect(corpus(log, { minN: 10 })).toEqual([
      {
        model: 'qwen',
        documents: '3–5',
        calls: 11,
        answered: 10,
        first_shots: 8,
        first_shot_rate: 0.8,
        rate_low: expect.closeTo(0.4901625, 6),
        rate_high: expect.closeTo(0.9433178, 6),
        mean_best_score: 0.75,
        scored: 10,
        small_sample: false,
      },
    ]);
    expect(corpus(log, { minN: 11 })[0]?.small_sample).toBe(true);
  });

  it('takes the mean over answered calls with a score, and says of how many', () => {
    const log = loadLines(
      ...['one', 'two', 'unscored', 'failed'].map((session_id) =>
        session({ session_id, final_verdict: session_id === 'failed' ? 'infra_error' : 'accepted' }),
      ),
      session({ session_id: 'two', iterations: 2 }),
      retrieved('one', documents(1, 1)),
      retrieved('two', documents(2, -0.5)),
      retrieved('unscored', documents(1, null)),
      retrieved('failed', documents(1, 99)),
    );
    expect(corpus(log)).toEqual([
      {
        model: 'qwen',
        documents: '1–2',
        calls: 5,
        answered: 4,
        first_shots: 3,
        first_shot_rate: 0.75,
        rate_low: expect.any(Number),
        rate_high: expect.any(Number),
        mean_best_score: 0,
        scored: 3,
        small_sample: true,
      },
    ]);
  });

  it('keeps a group that nobody answered', () => {
    const log = loadLines(session({ final_verdict: 'infra_error' }), retrieved('trace-1', documents(1, 1)));
    expect(corpus(log, { minN: 0 })).toEqual([
      {
        model: 'qwen',
        documents: '1–2',
        calls: 1,
        answered: 0,
        first_shots: 0,
        first_shot_rate: null,
        rate_low: null,
        rate_high: null,
        mean_best_score: null,
        scored: 0,
        small_sample: false,
      },
    ]);
  });

  it('counts a call once, by the latest run of its trace, whatever the window', () => {
    const log = loadLines(
      session(),
      retrieved('trace-1', documents(3, 3), { timestamp: '2026-09-05T02:00:00+02:00', run_id: 'tie' }),
      retrieved('trace-1', documents(1, 1), { timestamp: '2026-09-05T00:00:00Z', run_id: 'later line' }),
      retrieved('trace-1', documents(9, 9), { timestamp: '2026-09-04T23:59:59Z' }),
      session({ model: 'other', timestamp: '2026-09-09T00:00:00Z' }),
    );
    const found = (options: object) =>
      corpus(log, options).map((row) => [row.model, row.documents, row.calls, row.mean_best_score]);
    expect(found({})).toEqual([
      ['other', '1–2', 1, 1],
      ['qwen', '1–2', 1, 1],
    ]);
    expect(found({ filters: { until: Date.UTC(2026, 8, 2) } })).toEqual([['qwen', '1–2', 1, 1]]);
  });

  it('orders by model, then by documents, and drops no call', () => {
    const found = [undefined, ...[12, 7, 3, 1, 0].map((count) => documents(count))];
    const log = loadLines(
      ...['a', 'B'].flatMap((model) => [
        session({ model, session_id: 'no run' }),
        ...found.map((_, at) => session({ model, session_id: `t${at}` })),
      ]),
      ...found.map((docs, at) => retrieved(`t${at}`, docs)),
    );
    const buckets = ['0', '1–2', '3–5', '6–10', '11+', 'not recorded', 'no replay run'];
    expect(corpus(log).map((row) => [row.model, row.documents])).toEqual([
      ...buckets.map((bucket) => ['B', bucket]),
      ...buckets.map((bucket) => ['a', bucket]),
    ]);
  });
});

describe('rejections', () => {
  it.each([
    ['worker W-17 is not in the roster', 'worker # is not in the roster'],
    ['shift 12 overlaps', 'shift # overlaps'],
    ['no digit-here_at-all', 'no digit-here_at-all'],
    ['Łódź-7, 九9, a1é', '#, #, #'],
    ['7/8 and -12.5e3', '#/# and #.#'],
    ['2026-09-01T08:00:00Z', '#:#:#'],
    ['٣ is a digit elsewhere, ³ is none', '٣ is a digit elsewhere, ³ is none'],
    ['#1##2', '#####'],
    ['W1\nW2\t"W3"', '#\n#\t"#"'],
    ['🦆1', '🦆#'],
    ['', ''],
  ])('the shape of %j is %j', (reason, shape) => {
    expect(reasonShape(reason)).toBe(shape);
  });

  it('ranks the shapes of each model', () => {
    const log = loadLines(
      tried(
        [rejected('worker W-1 is unknown', 'worker W-2 is unknown'), rejected('too long'), NO_CANDIDATE],
        {
          session_id: 'b',
        },
      ),
      tried([rejected('worker X9 is unknown', 'too long'), ACCEPTED], { session_id: 'a' }),
      tried([rejected('worker 7 is unknown'), rejected(), { verdict: 'rejected' }, rejected(5)], {
        session_id: 'B',
      }),
      tried([{ ...NO_CANDIDATE, reasons: ['not a rejection'] }, INFRA_ERROR], { session_id: 'c' }),
      tried([{ verdict: 'rejected' }], { session_id: 'z', model: 'gemma' }),
      tried([{ verdict: 'Rejected', reasons: ['other'] }, 5], { session_id: 'y', model: 'never rejected' }),
    );
    expect(rejections(log)).toEqual([
      {
        model: 'gemma',
        rank: 1,
        reason_shape: null,
        rejections: 1,
        share: 1,
        calls: 1,
        example_session: 'z',
      },
      {
        model: 'qwen',
        rank: 1,
        reason_shape: 'worker # is unknown',
        rejections: 3,
        share: 0.5,
        calls: 3,
        example_session: 'B',
      },
      {
        model: 'qwen',
        rank: 2,
        reason_shape: 'too long',
        rejections: 2,
        share: 2 / 6,
        calls: 2,
        example_session: 'a',
      },
      {
        model: 'qwen',
        rank: 3,
        reason_shape: null,
        rejections: 2,
        share: 2 / 6,
        calls: 1,
        example_session: 'B',
      },
    ]);
  });

  it('puts equal counts in byte order, no reason last, and cuts at the top', () => {
    const log = loadLines(tried([rejected('b', 'B', '', '🦆', 'ﬀ', 'a'), rejected()]));
    const shapes = (options: object) => rejections(log, options).map((row) => [row.rank, row.reason_shape]);
    expect(shapes({})).toEqual([
      [1, ''],
      [2, 'B'],
      [3, 'a'],
      [4, 'b'],
      [5, 'ﬀ'],
      [6, '🦆'],
      [7, null],
    ]);
    expect(shapes({ top: 2 })).toEqual([
      [1, ''],
      [2, 'B'],
    ]);
    const twelve = loadLines(tried([rejected(...'abcdefghijkl')]));
    expect(rejections(twelve)).toHaveLength(10);
    expect(rejections(twelve, { top: 99 })).toHaveLength(12);
  });

  it('the top is of each model, and two calls of a trace are two', () => {
    const log = loadLines(
      ...['m', 'n'].flatMap((model) => [
        tried([rejected('x')], { model }),
        tried([rejected('x'), rejected('x')], { model, daemon: 'second' }),
        tried([rejected('y')], { model, daemon: 'third' }),
      ]),
    );
    const common = { rank: 1, reason_shape: 'x', rejections: 3, share: 0.75, calls: 2 };
    expect(rejections(log, { top: 1 })).toEqual([
      { model: 'm', ...common, example_session: 'trace-1' },
      { model: 'n', ...common, example_session: 'trace-1' },
    ]);
    expect(rejections(log, { filters: { daemon: ['third'], model: ['m'] } })).toMatchObject([
      { reason_shape: 'y', share: 1 },
    ]);
  });

  it('attempts that are not a list hold none, and those not understood are other', () => {
    const log = loadLines(
      session({ attempts: { 0: rejected('x') } }),
      session({ attempts: [null, rejected('x', 5, 'y'), { ...rejected('z'), attempt_number: 9 }] }),
    );
    expect(
      attempts(log).map(({ call, attempt_number, verdict, reasons }) => [
        call.line,
        attempt_number,
        verdict,
        reasons,
      ]),
    ).toEqual([
      [2, 1, 'other', []],
      [2, 2, 'other', ['x', 'y']],
      [2, 3, 'rejected', ['z']],
    ]);
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
  const LOGS = nightly ? 100 : 10;
  const formats = ['sessions', 'replay'] as const;
  const asserted = (bytes: Buffer, as: (typeof formats)[number]) =>
    load(Buffer.concat([bytes, Buffer.from('\n')]), { as });

  it.each(formats)('good lines of %s load', (format) => {
    fc.assert(
      fc.property(goodLine(format), (bytes) => {
        expect(asserted(bytes, format).rejects).toEqual([]);
      }),
      { numRuns: nightly ? 500 : 200 },
    );
  });

  it.each(formats)('bad lines of %s are rejected for what was broken in them', (format) => {
    fc.assert(
      fc.property(badLine(format), ({ bytes, reason }) => {
        const rejected = asserted(bytes, format).rejects.map((reject) => reject.reason);
        expect(rejected).toEqual([reason ?? expect.any(String)]);
      }),
      { numRuns: nightly ? 2000 : 200 },
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
      { numRuns: LOGS },
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

          const total = (counted: { calls: number; answered: number; first_shots: number }[]) => [
            counted.reduce((sum, row) => sum + row.calls, 0),
            counted.reduce((sum, row) => sum + row.answered, 0),
            counted.reduce((sum, row) => sum + row.first_shots, 0),
          ];
          expect(total(corpus(log, { filters }))).toEqual(total(whole));
          const flagsOf = new Map(
            traces(log, { gatedKinds, filters }).map((trace) => [trace.session_id, trace]),
          );
          const qualifying = [...flagsOf.values()].filter(
            (trace) =>
              trace.in_window && trace.has_real_candidate && trace.all_first_shot && !trace.any_ungrounded,
          );
          expect(new Set(firstShot(log, { gatedKinds, filters }).map((row) => row.session_id))).toEqual(
            new Set(qualifying.map((trace) => trace.session_id)),
          );
          const rejectedAttempts = attempts(log, { filters }).filter(({ verdict }) => verdict === 'rejected');
          for (const row of rejections(log, { filters, top: 99 })) {
            const ofModel = rejectedAttempts.filter(({ call }) => call.model === row.model).length;
            expect(row.rejections).toBeLessThanOrEqual(ofModel);
            expect(row.share).toBeCloseTo(row.rejections / ofModel, 12);
            expect(row.calls).toBeLessThanOrEqual(row.rejections);
          }
          const shorter = tripleRejections(log, { streak: 2, countNoCandidate: true, filters });
          for (const row of tripleRejections(log, { streak: 2, filters }))
            expect(shorter.map(({ line }) => line)).toContain(row.line);
        },
      ),
      { numRuns: LOGS },
    );
  });

  const sameTime = (row: SessionReplayRow, other: SessionReplayRow | undefined) =>
    other?.line === row.line && other.run_timestamp === row.run_timestamp;
  const sameFood = (row: SessionReplayRow, other: SessionReplayRow | undefined) =>
    other?.document_count === row.document_count && other.best_score === row.best_score;

  it.skipIf(!nightly)('cover what they promise to cover', () => {
    const random = fc.sample(randomLogs({ dirty: true }), { numRuns: 200, seed: 7 });
    const logs = random.map(loadRandom);
    const sessions = logs.flatMap((log) => log.sessions);
    const total = (column: 'duplicates' | 'conflicts' | 'blank' | 'rejected') =>
      logs.flatMap((log) => log.files).reduce((sum, file) => sum + file[column], 0);
    for (const column of ['duplicates', 'conflicts', 'blank', 'rejected'] as const)
      expect(total(column), column).toBeGreaterThan(100);
    expect(total('rejected')).toBeLessThan(sessions.length / 2);

    const marks = random.map(
      ({ sessions }) => sessions.toString('latin1').split('\n\xef\xbb\xbf').length - 1,
    );
    expect(marks.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100);
    expect(sessions.filter(({ prompt }) => prompt?.startsWith('[')).length).toBeGreaterThan(100);
    const misread = sessions.flatMap(({ attempts: list }) =>
      Array.isArray(list)
        ? list.filter(({ letter, values }) => letter === 'o' && values.verdict === 'rejected')
        : [],
    );
    expect(misread.length).toBeGreaterThan(100);

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
    const torn = logs.filter((log) => log.rejects.some(({ reason }) => reason === 'torn_tail'));
    expect(torn.length).toBeGreaterThan(10);
    const fanOut = logs
      .flatMap((log) => traces(log))
      .filter((trace) => trace.calls > 1 && trace.replay_runs > 1);
    expect(fanOut.length).toBeGreaterThan(100);

    const firstShots = logs.flatMap((log) => firstShot(log));
    expect(firstShots.length).toBeGreaterThan(150);
    expect(firstShots.filter(({ calls }) => calls > 1).length).toBeGreaterThan(10);
    const triples = logs.flatMap((log) => tripleRejections(log, { streak: 2, countNoCandidate: true }));
    expect(triples.length).toBeGreaterThan(300);
    expect(triples.filter(({ reasons }) => reasons === null).length).toBeGreaterThan(20);
    const fed = logs.flatMap((log) => corpus(log));
    for (const bucket of ['0', '1–2', '3–5', '6–10', '11+', 'not recorded', 'no replay run'])
      expect(fed.filter((row) => row.documents === bucket).length, bucket).toBeGreaterThan(20);
    expect(fed.filter(({ scored }) => scored > 1).length).toBeGreaterThan(30);
    const undecidedByTime = logs
      .flatMap((log) => sessionReplays(log))
      .filter(
        (row, at, rows) => row.is_latest && sameTime(row, rows[at - 1]) && !sameFood(row, rows[at - 1]),
      );
    expect(undecidedByTime.length).toBeGreaterThan(20);
    const causes = logs.flatMap((log) => rejections(log, { top: 99 }));
    expect(causes.filter((row) => row.rejections > row.calls).length).toBeGreaterThan(100);
    expect(causes.filter((row) => row.reason_shape === null).length).toBeGreaterThan(100);
    expect(causes.filter((row) => row.rank > 3).length).toBeGreaterThan(100);
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

  it.skipIf(!nightly)('are written elsewhere with --out', () => {
    const out = mkdtempSync(join(tmpdir(), 'lakelog-goldens-'));
    try {
      const run = spawnSync(process.execPath, [script, '--out', out], { env: withoutCi, encoding: 'utf8' });
      expect(run).toMatchObject({ status: 0, stderr: '' });
      for (const folder of scenarioFolders())
        expect(existsSync(join(out, basename(folder), 'alarm.json'))).toBe(true);
    } finally {
      rmSync(out, { recursive: true });
    }
  });

  test.each(scenarioFolders().map((folder) => [basename(folder), folder]))(
    'of %s are what the oracle says',
    (_name, folder) => {
      for (const [name, answer] of Object.entries(expectedFor(folder)))
        expect(JSON.parse(readFileSync(join(expectedFolder(folder), name), 'utf8')), name).toEqual(answer);
    },
  );
});
