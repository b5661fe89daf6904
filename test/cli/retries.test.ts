import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultEnvelope } from '../../src/schema/envelope.js';
import { byDay, nightly, lakelog as spawned } from '../support/cli.js';
import { root, tempFolder } from '../support/lake.js';
import { lakelog as inProcess } from '../support/program.js';

const healthy = path.join(root, 'fixtures/healthy');
const cwd = tempFolder();
const lakelog = nightly ? spawned : inProcess;
const put = (name: string, value: unknown) => {
  writeFileSync(path.join(cwd, name), typeof value === 'string' ? value : JSON.stringify(value));
  return name;
};
const price = (input: unknown, output: unknown, more: object = {}) => ({
  ...{ input_cost_per_token: input, output_cost_per_token: output, litellm_provider: 'any', ...more },
});
const PRICES = put('prices.json', {
  sample_spec: { max_tokens: 'set to max output tokens', input_cost_per_token: 0, output_cost_per_token: 0 },
  'claude-sonnet-4-5': price(3e-6, 15e-6, { input_cost_per_token_above_200k_tokens: 6e-6 }),
  'gpt-4.1-mini': price(4e-7, 16e-7),
  'mistral-large-2411': price(2e-6, null),
  'dall-e-3': { output_cost_per_image: 0.04 },
});

type Row = Record<string, unknown>;

describe('money', () => {
  test('is told of models that have a price, and of others that it is not known', async () => {
    const ran = await spawned(['retries', healthy, '--prices', PRICES, '--worth', '0.02', '--json'], { cwd });
    expect(ran.code).toBe(0);
    const answer = JSON.parse(ran.stdout) as { rows: Row[]; receipt: Row };
    expect(resultEnvelope.safeParse(answer).error).toBeUndefined();
    expect(answer.receipt.prices).toEqual({
      file: PRICES,
      sha256: createHash('sha256')
        .update(readFileSync(path.join(cwd, PRICES)))
        .digest('hex'),
      priced: ['claude-sonnet-4-5', 'gpt-4.1-mini'],
      unknown: ['llama-3.3-70b-instruct', 'mistral-large-2411'],
      tiered: ['claude-sonnet-4-5'],
    });
    for (const row of answer.rows) {
      const isKnown = ['claude-sonnet-4-5', 'gpt-4.1-mini'].includes(String(row.model));
      const tokens = [row.input_tokens, row.output_tokens].map(Number) as [number, number];
      const [input, output] = row.model === 'gpt-4.1-mini' ? [4e-7, 16e-7] : [3e-6, 15e-6];
      if (isKnown) expect(row.cost).toBeCloseTo(tokens[0] * input + tokens[1] * output, 12);
      else expect([row.cost, row.cost_per_extra, row.cost_per_accepted]).toEqual([null, null, null]);
      if (!isKnown) expect([row.pays, row.recommended]).toEqual(['cannot tell', null]);
    }
    expect(answer.rows.filter(({ recommended }) => recommended === true).length).toBe(2);
    expect(ran.stderr).toMatch(/none for llama-3.3-70b-instruct, mistral-large-2411/);
    expect(ran.stderr).toMatch(/another price with claude-sonnet-4-5/);
  });

  test.each(byDay(['csv', 'md', 'jsonl', 'table'], 3))(
    'as %s; without prices there is no such column',
    async (format) => {
      const ask = (...more: string[]) => lakelog(['retries', healthy, '--format', format, ...more], { cwd });
      const [bare, priced] = [await ask(), await ask('--prices', PRICES)];
      expect(bare.stdout).not.toMatch(/cost|pays|recommended|best limit/);
      expect(priced.stdout).toMatch(/cost.per.(accepted|extra)|cost per/);
      expect(priced.stdout).not.toMatch(/pays|recommended|best limit/);
    },
  );

  test.each<[string, readonly string[], RegExp]>([
    ['a worth without prices', ['--worth', '1'], /--prices FILE/],
    ['rows of several models', ['--prices', PRICES, '--by', 'kind'], /--by model/],
    ['a worth of nothing', ['--prices', PRICES, '--worth', '0'], /above 0/],
    ['a negative worth', ['--prices', PRICES, '--worth=-1'], /above 0/],
    ['a worth that is no number', ['--prices', PRICES, '--worth', 'much'], /above 0/],
    ['a list that is not there', ['--prices', 'gone.json'], /gone\.json/],
    ['a list that is no file', ['--prices', '.'], /not a regular file/],
    ['a list that is no JSON', ['--prices', put('torn.json', '{"a":')], /no JSON/],
    ['a list of nothing', ['--prices', put('none.json', {})], /name no model/],
    ['an array', ['--prices', put('array.json', [price(1, 1)])], /name no model/],
    ['prices as text', ['--prices', put('text.json', { a: price('1e-6', '1e-6') })], /name no model/],
    ['negative prices', ['--prices', put('negative.json', { a: price(-1, 1) })], /name no model/],
  ])('is refused of %s', async (_, more, said) => {
    const ran = await lakelog(['retries', healthy, ...more], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr.replace(/\s+/g, ' ')).toMatch(said);
  });

  test('is no option of a question that tells of none', async () => {
    const ran = await lakelog(['first-shot-rate', healthy, '--prices', PRICES], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/--prices/);
  });

  test("is told by somebody's own question", async () => {
    const header = `-- title: Money per kind
-- question: What did each kind cost?
-- column: kind text "kind" -- Kind.
-- column: model text hidden -- Model.
-- column: input integer hidden -- Read.
-- column: output integer hidden -- Written.
-- column: cost number "cost" -- Money.
-- money: cost = price(model, input, output)
`;
    const select = `SELECT a.kind, a.model, SUM(a.input_tokens) AS input, SUM(a.output_tokens) AS output
FROM attempts a GROUP BY a.kind, a.model ORDER BY a.kind, a.model\n`;
    writeFileSync(path.join(cwd, 'spent.sql'), header.replace('text hidden', 'text "model"') + select);
    const ran = await lakelog(['spent', '--queries', '.', healthy, '--prices', PRICES, '--format', 'csv'], {
      cwd,
    });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/^kind,model,cost\r?\n/);
    expect(ran.stdout).toMatch(/gpt-4\.1-mini,0\.\d+/);
    expect(ran.stdout).toMatch(/mistral-large-2411,\r?\n/);
  });
});

test('a lake answers the same as the logs', async () => {
  const given = [
    '--by',
    'model,week',
    '--prices',
    PRICES,
    '--worth',
    '0.02',
    '--format',
    'csv',
    '--tz',
    'Asia/Tokyo',
  ];
  const logs = await lakelog(['retries', healthy, ...given], { cwd });
  for (let look = 0; look < (nightly ? 2 : 1); look += 1) {
    const lake = await lakelog(['retries', healthy, '--lake', 'calls.lake', ...given], { cwd });
    expect([lake.code, lake.stdout]).toEqual([0, logs.stdout]);
  }
});

test.each(byDay(['first-shot-rate', 'corpus', 'rejections'], 3))(
  'a lake groups %s by week, hour and version as the logs do',
  async (question) => {
    const given = [
      '--by',
      'week,hour',
      '--by',
      'prompt_version',
      '--format',
      'csv',
      '--tz',
      'America/Chicago',
    ];
    const logs = await lakelog([question, healthy, ...given], { cwd });
    const lake = await lakelog([question, healthy, '--lake', 'groups.lake', ...given], { cwd });
    expect(logs.stdout.split('\n').length).toBeGreaterThan(20);
    expect([lake.code, lake.stdout]).toEqual([0, logs.stdout]);
  },
);
