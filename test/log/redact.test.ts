import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashWorkerIds, type Redact, ReplayLogger, SessionLogger } from '../../src/log/index.js';
import { SESSION_FIELDS } from '../../src/schema/fields.js';
import { replayRecord, sessionRecord } from '../../src/schema/records.js';
import { fullReplay, fullSession } from '../schema/samples.js';
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
    const logger = new SessionLogger(path, { redact: hashWorkerIds({ salt: 'pepper', keep: ['team'] }) });
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
});
