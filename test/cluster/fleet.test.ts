/** Random logs of several hosts over an engine that speaks Trino's protocol: a few of what the real one is asked nightly. */
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ALL_QUESTIONS } from '../dialect/cases.js';
import { NOW } from '../folder/folder-lake.js';
import { byDay, call, nightly } from '../support/cli.js';
import { tempFolder } from '../support/lake.js';
import { lakelog } from '../support/program.js';
import { expectAlike, fractionsMayDiffer } from './alike.js';
import { drawn, has, KINDS_OF_OPTIONS, questionsOf } from './asked.js';
import { FakeTrino } from './fake-trino.js';
import { type Fleet, publishFleet } from './fleet.js';

fractionsMayDiffer();

let trino: FakeTrino | null = null;
afterEach(() => trino?.close());

test('each question meets each kind of option several times in fifty turns', () => {
  for (const { name } of ALL_QUESTIONS)
    for (const option of KINDS_OF_OPTIONS) {
      const turns = Array.from({ length: 50 }, (_, i) => i).filter(
        (i) => has(i, option) && questionsOf(i).some((query) => query.name === name),
      );
      expect(turns.length, `${name} ${option}`).toBeGreaterThanOrEqual(4);
    }
});

/** What the engine says, beside what the folder says. */
const bothAnswers = async (fleet: Fleet, args: readonly string[]) => (await published(fleet))(args);

async function published(fleet: Fleet) {
  const folder = path.join(tempFolder(), 'lake/');
  await publishFleet(folder, fleet);
  const engine = await FakeTrino.over(folder);
  trino = engine;
  const over = async (lake: string, args: readonly string[]) => {
    const ran = await lakelog([...args, '--json', '--lake', lake], { now: () => NOW });
    expect(ran.stdout, ran.stderr).not.toBe('');
    return JSON.parse(ran.stdout) as Envelope;
  };
  return async (args: readonly string[]) => ({
    there: await over(engine.lake, args),
    here: await over(folder, args),
  });
}

interface Envelope {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly verdict: Readonly<Record<'cannot_vouch' | 'notices', readonly Finding[]>>;
}

interface Finding {
  readonly code: string;
  readonly message: string;
  readonly where?: string;
}

const logOf = (...lines: string[]) => ({
  name: 'sessions.jsonl',
  parts: [Buffer.from(lines.map((line) => `${line}\n`).join(''))],
});

test.each(byDay(['America/New_York', 'UTC', 'Asia/Kathmandu'], 3))(
  'a microsecond before the next year is in the old one, and its month, week, day and hour (%s)',
  async (tz) => {
    const times = ['2025-12-31T23:59:59.999999', '1969-12-31T23:59:59.9996', '2024-02-29T23:59:59.999501'];
    const offset = { UTC: 'Z', 'Asia/Kathmandu': '+05:45', 'America/New_York': '-05:00' }[tz]!;
    const calls = times.map((time) =>
      call({ timestamp: `${time}${time < '1970' && tz !== 'UTC' ? 'Z' : offset}` }),
    );
    const asked = ['first-shot-rate', '--by', 'month,week,day,hour', '--tz', tz];
    const { there, here } = await bothAnswers([[logOf(...calls)]], asked);
    expect(there.rows).toEqual(here.rows);
    expect(there.rows.map(({ day, hour }) => [day, hour])).toEqual(
      expect.arrayContaining([
        ['2025-12-31', '2025-12-31T23'],
        ['2024-02-29', '2024-02-29T23'],
      ]),
    );
  },
);

test('a late line that another host has too is not late: it counts where it is kept', async () => {
  const [early, other] = ['2025-06-01T08:00:00Z', '2025-06-01T08:00:01Z'].map((timestamp) =>
    call({ timestamp }),
  );
  const noon = call({ timestamp: '2025-06-01T12:00:00Z' });
  const logs = [
    [[noon, early!, other!], [expect.stringMatching(/^1 record stands behind/)]],
    [[noon, early!], []],
  ] as const;
  for (const [lines, late] of byDay(logs, 2)) {
    const { there, here } = await bothAnswers([[logOf(early!)], [logOf(...lines)]], ['alarm']);
    const told = ({ verdict: { notices } }: Envelope) =>
      notices.filter(({ code }) => code === 'late').map(({ message }) => message);
    expect(told(there)).toEqual(late);
    expect(told(here)).toEqual(late);
  }
});

test('the newest call by which a gate judges is one that it selects, whatever else has that instant', async () => {
  const timestamp = '2025-06-01T08:00:00.000001Z';
  const calls = ['fill', 'email', 'fill', 'email'].map((kind, i) =>
    call({ timestamp, kind, model: i < 2 ? 'one' : 'other' }),
  );
  const lines = { one: { fill: 1, email: 2 }, other: { fill: 3, email: 4 } };
  const answers = await published([[logOf(...calls)]]);
  for (const model of ['one', 'other'] as const)
    for (const kind of ['fill', 'email'] as const) {
      if (!nightly && (model === 'one') === (kind === 'fill')) continue;
      const asked = ['alarm', '--model', model, '--gated-kind', kind, '--max-age', '1h'];
      const { there, here } = await answers(asked);
      const told = ({ verdict }: Envelope) =>
        verdict.cannot_vouch.find(({ code }) => code === 'stale')?.where;
      expect(told(there)).toBe(told(here));
      expect(told(there)).toMatch(new RegExp(`:${lines[model][kind]}$`));
    }
});

const seed = Number(process.env.LAKELOG_SEED ?? (nightly ? Date.now() % 2 ** 31 : 2));

describe(`LAKELOG_SEED=${seed}`, () => {
  test.each(drawn(nightly ? 50 : 1, seed).map((one, i) => [i, one] as const))(
    'logs of several hosts %i: the engine answers as memory, file and folder do',
    async (_, asked) => {
      const folder = path.join(tempFolder(), 'lake/');
      const paths = await publishFleet(folder, asked.fleet);
      trino = await FakeTrino.over(folder);
      await expectAlike(asked, { paths, folder, engine: trino.lake });
    },
    300_000,
  );
});
