import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fillValidator,
  hashWorkerIds,
  iterate,
  type Redact,
  ReplayLogger,
  rosterCheckFor,
  SessionLogger,
  workersFromCsv,
} from '../../src/log/index.js';
import { ATTEMPT_FIELDS, SESSION_FIELDS } from '../../src/schema/fields.js';
import { replayRecord, sessionRecord } from '../../src/schema/records.js';
import { fullReplay, fullSession } from '../schema/samples.js';
import fc from '../support/fast-check.js';
import { call, recordsOf, temporaryFolder } from './support.js';

const sessionNames = new Set(SESSION_FIELDS.map(({ name }) => name));
const newPath = () => join(temporaryFolder(), 'sessions.jsonl');

describe('a redact hook', () => {
  it('decides what is logged, and leaves the record of the host alone', async () => {
    const path = newPath();
    const logger = new SessionLogger(path, { redact: ({ prompt: _, ...rest }) => rest });
    const record = Object.freeze(call({ prompt: 'secret' }));
    logger.append(record);
    await logger.close();
    expect(recordsOf(path)).toMatchObject([{ kind: 'fill', seq: 1 }]);
    expect(readFileSync(path, 'utf8')).not.toContain('secret');
  });

  it('may drop a record, which is counted and leaves a gap, but is no error', async () => {
    const path = newPath();
    const errors: Error[] = [];
    const logger = new SessionLogger(path, {
      redact: (record) => (record.kind === 'email' ? null : record),
      onError: (error) => errors.push(error),
    });
    for (const kind of ['fill', 'email', 'fill']) logger.append(call({ kind }));
    await logger.close();
    expect(recordsOf(path).map((record) => record.seq)).toEqual([1, 3]);
    expect(logger.stats()).toMatchObject({ dropped: 1, droppedBy: { redacted: 1 } });
    expect(errors).toEqual([]);
  });

  it.each<[string, Redact]>([
    [
      'throws',
      (record) => {
        throw new Error(`cannot redact ${record.prompt}`);
      },
    ],
    ['gives a promise', (async (record: object) => record) as never],
    [
      'gives a promise that fails',
      (async () => {
        throw new Error('later');
      }) as never,
    ],
    ['gives no object', (() => 'text') as never],
    ['is none', 5 as never],
  ])('that %s drops the record rather than leak it', async (_, redact) => {
    const path = newPath();
    const errors: Error[] = [];
    const logger = new SessionLogger(path, { redact, onError: (error) => errors.push(error) });
    expect(logger.append(call({ prompt: 'secret' }))).toBe(false);
    await logger.close();
    expect(logger.stats()).toMatchObject({ written: 0, dropped: 1 });
    expect(errors).toHaveLength(1);
    expect(errors.map(String).join()).not.toContain('secret');
  });
});

describe('hashWorkerIds', () => {
  const redact = hashWorkerIds({ salt: 'pepper' });
  const redacted = (record: Record<string, unknown>) => redact(record) as Record<string, unknown>;

  it('wants a salt', () => {
    expect(() => hashWorkerIds({ salt: '' })).toThrow(TypeError);
    expect(() => hashWorkerIds({} as never)).toThrow(TypeError);
  });

  it('hashes ids, the same to the same, and lets neither content nor unknown fields through', async () => {
    const path = newPath();
    const logger = new SessionLogger(path, {
      redact: hashWorkerIds({
        salt: 'pepper',
        keep: ['team'],
        sentences: [
          'worker {} is not in the roster',
          '{} is booked',
          'worker {} is inactive',
          'time-out for {}',
        ],
      }),
    });
    const record = {
      ...call({
        prompt: 'find Maria',
        artifact: { worker: 'W-0033' },
        proposed_worker_ids: ['W-0033', 'Ann Lee'],
        error: 'time-out for W-0033',
        team: 'North',
        notes: 'W-0033 again',
      }),
      attempts: [
        {
          verdict: 'rejected',
          prompt: 'find Maria',
          raw: '{"worker":"W-0417"}',
          reasons: ['worker W-0417 is not in the roster', 'Ann Lee is booked', 'worker "Bo" is inactive'],
          secret: 'W-0417',
          input_tokens: 5,
        },
        { verdict: 'accepted' },
      ],
    };
    logger.append(record);
    await logger.close();
    const [line] = recordsOf(path);
    sessionRecord.parse(line);
    const text = readFileSync(path, 'utf8');
    for (const secret of ['W-0033', 'W-0417', 'Maria', 'Ann', 'Lee', 'Bo"', '"Bo'])
      expect(text).not.toContain(secret);
    const [first, second] = line!.proposed_worker_ids as string[];
    expect([first, second]).toEqual([
      expect.stringMatching(/^w_[0-9a-f]{16}$/),
      expect.stringMatching(/^w_/),
    ]);
    expect(line).toMatchObject({ kind: 'fill', team: 'North', error: `time-out for ${first}` });
    expect(line).not.toHaveProperty('notes');
    const [attempt] = line!.attempts as { reasons: string[] }[];
    expect(attempt).toMatchObject({ verdict: 'rejected', input_tokens: 5 });
    expect(Object.keys(attempt!)).not.toContain('secret');
    expect(attempt!.reasons[0]).toMatch(/^worker w_[0-9a-f]{16} is not in the roster$/);
    expect(attempt!.reasons[1]).toBe(`${second} is booked`);
    expect(attempt!.reasons[2]).toMatch(/^worker w_[0-9a-f]{16} is inactive$/);
  });

  it('gives other hashes under another salt', () => {
    const record = call({ proposed_worker_ids: ['W-1'] }) as Record<string, unknown>;
    expect(hashWorkerIds({ salt: 'a' })(record)).not.toEqual(hashWorkerIds({ salt: 'b' })(record));
    expect(redacted(record)).toEqual(redacted(record));
  });

  it('keeps every field that is no content', () => {
    const content = ['prompt', 'artifact'];
    const kept = Object.keys(redacted(fullSession as never)).sort();
    const declared = Object.keys(fullSession).filter(
      (name) => !content.includes(name) && sessionNames.has(name),
    );
    expect(kept).toEqual(declared.sort());
  });

  it('serves replay runs too', async () => {
    const path = newPath();
    const logger = new ReplayLogger(path, { redact });
    logger.append(fullReplay as never);
    await logger.close();
    const [line] = recordsOf(path);
    replayRecord.parse(line);
    for (const name of ['task', 'retrieval_query', 'output']) expect(line).not.toHaveProperty(name);
    const documents = line!.documents as { id: string }[];
    expect(documents).toHaveLength((fullReplay.documents as unknown[]).length);
    expect(documents[0]!.id).toMatch(/^w_/);
    expect(Object.keys(documents[0]!)).not.toContain('source');
  });

  it('never lets a proposed id through, wherever it stands', () => {
    const id = fc
      .string({ unit: 'grapheme', minLength: 3, maxLength: 12 })
      .filter((text) => text.trim().length > 2);
    const before = fc.constantFrom('worker ', '', '(', '"', 'x');
    fc.assert(
      fc.property(id, before, (worker, prefix) => {
        const text = `${prefix}${worker} is not in the roster`;
        const record = call({
          proposed_worker_ids: [worker],
          error: text,
          attempts: [{ verdict: 'rejected', reasons: [text], raw: worker }],
        });
        const { error, attempts, proposed_worker_ids } = redacted(record as never);
        const [reason] = (attempts as { reasons: string[] }[])[0]!.reasons;
        for (const masked of [error, reason, (proposed_worker_ids as string[])[0]]) {
          const rest = (masked as string)
            .replaceAll(/w_[0-9a-f]{16}/g, '')
            .replace(' is not in the roster', '');
          expect(rest).not.toContain(worker);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([[5], [{ a: 1 }], [[1]], ['text']])(
    'drops rather than leaks what it does not understand: %j',
    (odd) => {
      const logger = new SessionLogger(newPath(), { redact, onError: () => {} });
      expect(logger.append(call({ proposed_worker_ids: odd }))).toBe(false);
      expect(logger.stats().droppedBy.redact_failed).toBe(1);
    },
  );

  const NAME = 'Gonzalez';
  const LONG =
    'please take the tall one of the night shift in the north hall, as she asked for it last week, ';
  const roster = workersFromCsv('worker_id,active\nW-1,yes\nW-2,no\n');
  /** What a model may write where a worker stands. */
  const WORKERS: Record<string, unknown> = {
    plain: NAME,
    blank: `Maria ${NAME}`,
    'cut within quotes': `Maria ${NAME}, ${LONG}`,
    'cut within the name': `${'x'.repeat(75)}${NAME}`,
    'quotes, cut': `"${NAME}" '${NAME}' ${LONG}`,
    'quote at the end': `${NAME}"`,
    'an odd apostrophe': `O'${NAME} and D'Arc`,
    ellipsis: `${NAME}… ${NAME}`,
    backslashes: `\\${NAME}\\"`,
    'line feed': `a\n${NAME}`,
    'quotes of print': `“${NAME}” «${NAME}» ‘${NAME}’`,
    'a sentence of ours': `x" is not in the roster ${NAME}`,
    'the end of one of ours': `${NAME} is not in the roster`,
    'the start of one of ours': `assignments[0]: worker ${NAME}`,
    'a hole': `{} ${NAME} {n}`,
    object: { name: NAME },
    'a list': [NAME, { [NAME]: 1 }],
    'full width': 'Ｇｏｎｚａｌｅｚ Gonzalez',
    decomposed: 'Gonza\u0301lez Gonzalez',
  };

  it.each(Object.entries(WORKERS))('keeps what a model named, %s, out of a whole call', async (_, worker) => {
    const path = newPath();
    const errors: Error[] = [];
    const logger = new SessionLogger(path, { redact, onError: (error) => errors.push(error) });
    const base = {
      kind: 'fill',
      model: 'm',
      prompt: NAME,
      maxIterations: 2,
      logger,
      trace: { api: null },
    } as const;
    const generate = () => JSON.stringify({ assignments: [{ worker }, { worker }] });
    await iterate({ ...base, generate, validate: fillValidator(roster) });
    await iterate({ ...base, generate: () => `${NAME} said`, validate: fillValidator(roster) });
    await iterate({
      ...base,
      generate,
      validate: () => ({ accepted: true }) as const,
      rosterCheck: rosterCheckFor('fill', roster)!,
    });
    await iterate({
      ...base,
      generate: () => {
        throw Object.assign(new Error(`cannot serve ${JSON.stringify(worker)}`), {
          name: `Error of ${NAME}`,
        });
      },
      validate: fillValidator(roster),
    });
    await iterate({
      ...base,
      generate: () => ({ raw: generate(), finishReason: `${NAME} stopped` }),
      validate: () => ({ accepted: false, reasons: [`${JSON.stringify(worker)} is booked`, String(worker)] }),
    });
    await logger.close();
    expect(errors).toEqual([]);
    expect(recordsOf(path)).toHaveLength(5);
    for (const form of [NAME, 'onzal', 'Ｇｏｎ', 'Maria', 'tall one'])
      expect(readFileSync(path, 'utf8')).not.toContain(form);
  });

  it('keeps every sentence that our own validators write readable', async () => {
    const path = newPath();
    const logger = new SessionLogger(path, { redact });
    const answers = [
      '[]',
      '{"assignments":[]}',
      '{"assignments":[{}]}',
      '{"assignments":[{"worker":"W-1"},{"worker":"W-1"},{"worker":"W-2"},{"worker":"W-3"}]}',
      '{"team":[]}',
      '{"team":[{"who":7},{"who":"W-1"},{"who":"W-1"},{"who":"W-2"},{"who":"W-3"}]}',
      'Sure!',
      '"text"',
    ];
    for (const raw of answers) {
      const shape = raw.includes('team') ? { assignments: 'team', worker: 'who' } : {};
      const validate = fillValidator(roster, shape);
      await iterate({
        kind: 'fill',
        model: 'm',
        prompt: 'p',
        maxIterations: 1,
        generate: () => raw,
        validate,
        logger,
      });
    }
    await logger.close();
    const reasons = recordsOf(path).flatMap(
      ({ attempts }) => (attempts as { reasons: string[] }[])[0]!.reasons,
    );
    expect(reasons).toHaveLength(13);
    for (const reason of reasons) expect(reason).not.toMatch(/^w_[0-9a-f]{16}$/);
    const hash = (redacted({ ...call(), proposed_worker_ids: ['W-3'] }).proposed_worker_ids as string[])[0];
    expect(reasons).toContain(`assignments[3]: worker ${hash} is not in the roster`);
    expect(
      reasons.filter((reason) => reason.includes(`[4]: worker ${hash} is not in the roster`)),
    ).toHaveLength(1);
  });

  it('knows what is written of answers, by the library and by the daemon', () => {
    const sources = ['../../src/log/answer.ts', '../../src/validatord/model.ts'].map((file) =>
      readFileSync(join(import.meta.dirname, file), 'utf8'),
    );
    // An error's text, or a text that begins as a reason does.
    const written = /(?:Error\(|return )(['`])((?:the|model) [^'`]+)\1|super\((`)([^`]+)`\)/g;
    const texts = sources.flatMap((code) =>
      [...code.matchAll(written)].map((match) => (match[2] ?? match[4])!),
    );
    expect(texts.length).toBeGreaterThan(10);
    const unknown = texts
      .map((text) => text.replaceAll(/\$\{codeOf[^}]*\}/g, ': EPIPE').replaceAll(/\$\{[^}]*\}/g, '7'))
      .filter((error) => /^w_[0-9a-f]{16}$/.test(redacted(call({ error }) as never).error as string));
    expect(unknown).toEqual([]);
  });

  it.each<[string, string]>([
    ['connect ECONNREFUSED 10.0.0.7:8080', 'connect ECONNREFUSED #'],
    ['attempt 2 took longer than 300000 ms', 'attempt 2 took longer than 300000 ms'],
    ['aborted: Maria hung up', 'aborted: #'],
    ['fetch failed', 'fetch failed'],
    ['fetch failed for Maria', '#'],
    ['model endpoint answered 4171234567', 'model endpoint answered #'],
    ['worker W-3 is booked for 12 hours', 'worker # is booked for 12 hours'],
    ['worker W-3 is booked for 12 hours for 3 hours', '#'],
    ['worker W-3 is booked for many hours', '#'],
    ['', '#'],
  ])('of %j it leaves %j', (text, left) => {
    const redact = hashWorkerIds({ salt: 's', sentences: ['worker {} is booked for {n} hours'] });
    const { error } = redact(call({ error: text }) as never) as { error: string };
    expect(error.replaceAll(/w_[0-9a-f]{16}/g, '#')).toBe(left);
  });

  it('lets no value through that is not of its declared type, and loses no call for it', async () => {
    const path = newPath();
    const logger = new SessionLogger(path, { redact, onError: () => {} });
    for (const odd of [
      `Maria ${NAME}`,
      { [NAME]: NAME },
      [NAME],
      [[NAME]],
      [{ verdict: NAME, [NAME]: 1 }],
      7,
      true,
    ]) {
      const attempt = Object.fromEntries(ATTEMPT_FIELDS.map(({ name }) => [name, odd]));
      const strange = [
        'attempts',
        'documents',
        'error',
        'iterations',
        'duration_ms',
        'grounded_in_roster',
        'seq',
      ];
      for (const name of strange) expect(logger.append(call({ [name]: odd }))).toBe(true);
      const words = { ...attempt, span_id: 'a', prompt: odd };
      expect(logger.append(call({ attempts: [words, odd, null], proposed_worker_ids: null }))).toBe(true);
    }
    await logger.close();
    expect(readFileSync(path, 'utf8')).not.toContain(NAME);
    expect(logger.stats()).toMatchObject({ dropped: 0 });
  });

  it('takes a call for one, although it has a run_id', () => {
    expect(redacted(call({ run_id: 'r' }) as never)).toMatchObject({ final_verdict: 'accepted' });
  });

  it('takes time in line with the text', () => {
    const redact = hashWorkerIds({
      salt: 's',
      sentences: ['{}: {}, {} and {n} of {}', '{}{n}{}', '{}a{}b{}'],
    });
    const pieces = [
      '"',
      '9',
      'a',
      ' ',
      '…',
      '[',
      ']: worker ',
      ' is not in the roster',
      'connect ',
      '\\',
      'a, and 9 of ',
    ];
    for (const piece of pieces) {
      const text = piece.repeat(Math.ceil(2 ** 20 / piece.length));
      const started = performance.now();
      redact(
        call({ error: text, attempts: [{ verdict: 'rejected', reasons: [text, `"${text}`] }] }) as never,
      );
      expect(performance.now() - started).toBeLessThan(2_000);
    }
  });
});
