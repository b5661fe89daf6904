import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { call, envelope, newFolder } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { NOW, publish, writeHostLogs } from './folder-lake.js';

const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));

let lake: string;

/** Four logs of three batches each; every batch has lines that are none, and a call_id that all logs have. */
beforeAll(async () => {
  lake = path.join(newFolder(), 'lake/');
  const logs = newFolder();
  for (const round of [1, 2, 3]) {
    for (const host of ['web1', 'web2']) {
      const paths = ['a.jsonl', 'b.jsonl'].map((name) => {
        const bytes = lines(`no ${host} ${name} ${round}`, call({ call_id: `c${round}` }), `nor ${round}`);
        if (round === 1) return writeHostLogs(logs, host, { [name]: bytes })[0]!;
        const file = path.join(logs, host, name);
        appendFileSync(file, bytes);
        return file;
      });
      await publish(lake, host, paths);
    }
  }
});

const sorted = (places: readonly (readonly [string, number])[]) =>
  [...places].sort(([a, i], [b, j]) => (a === b ? i - j : a < b ? -1 : 1));

test('rejects are listed by log and line', async () => {
  const ran = await lakelog(['validate', '--lake', lake, '--json'], { now: () => NOW });
  const places = envelope(ran).rows.map(({ file, line }) => [String(file), Number(line)] as const);
  expect(places).toHaveLength(24);
  expect(places).toEqual(sorted(places));
});

test('the conflict that is named first is the first by log and line', async () => {
  const ran = await lakelog(['alarm', '--lake', lake, '--json'], { now: () => NOW });
  const { cannot_vouch } = envelope(ran).verdict!;
  const where = cannot_vouch.find(({ code }) => code === 'conflicts')?.where;
  expect(where).toMatch(/^web1:.*b\.jsonl@[0-9a-f]{8}:2$/);
});
