import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundleLogger, linesOf, temporaryFolder } from './support.js';

const PROCESSES = 4;
const EACH = 300;

it('imports nothing but node', async () => {
  const imports = await bundleLogger(join(temporaryFolder(), 'log.mjs'));
  expect(imports.length).toBeGreaterThan(0);
  expect(imports.filter((path) => !path.startsWith('node:'))).toEqual([]);
});

it('four processes append to one file without a torn line', async () => {
  const folder = temporaryFolder();
  const bundle = join(folder, 'log.mjs');
  await bundleLogger(bundle);
  const path = join(folder, 'sessions.jsonl');
  const script = `
    import { SessionLogger } from ${JSON.stringify(bundle)};
    const logger = new SessionLogger(${JSON.stringify(path)});
    const writer_id = process.argv[1];
    for (let seq = 1; seq <= ${EACH}; seq++) {
      const prompt = writer_id.repeat(seq % 50 === 0 ? 900_000 : 1 + (seq * 97) % 4000);
      const ok = logger.append({ session_id: 's', kind: 'fill', model: 'm', iterations: 0,
        final_verdict: 'infra_error', writer_id, seq, prompt });
      if (!ok) process.exitCode = 1;
    }`;
  const codes = await Promise.all(
    Array.from(
      { length: PROCESSES },
      (_, i) =>
        new Promise((done) => {
          const child = spawn(process.execPath, ['--input-type=module', '-e', script, String(i)], {
            stdio: 'inherit',
          });
          child.on('close', done);
        }),
    ),
  );
  expect(codes).toEqual(Array(PROCESSES).fill(0));
  // A writer that opens the file while another writes sees half a line and starts with a line feed: a blank line.
  const records = linesOf(path)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  expect(records).toHaveLength(PROCESSES * EACH);
  for (let i = 0; i < PROCESSES; i++) {
    const own = records.filter((record) => record.writer_id === String(i));
    expect(own.map((record) => record.seq)).toEqual(Array.from({ length: EACH }, (_, n) => n + 1));
    expect(own.every((record) => /^(\d)\1*$/.test(record.prompt as string))).toBe(true);
  }
});
