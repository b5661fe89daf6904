import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { root } from '../support/cli.js';
import { startStage } from './support.js';

const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const block = (mark: string) =>
  new RegExp(`<!-- ${mark} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(readme)![1]!;

it("the README's curl lines get the answer that it shows", async () => {
  const { service } = await startStage();
  const script = block('curl').replaceAll('http://127.0.0.1:8743', service.url);
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script]);
  const health = JSON.parse(stdout.slice(0, stdout.indexOf('}{') + 1)) as object;
  const answer = JSON.parse(stdout.slice(stdout.indexOf('}{') + 1)) as Record<string, unknown>;
  expect(health).toHaveProperty('status');
  const shown = JSON.parse(block('answer')) as Record<string, unknown>;
  expect(Object.keys(answer)).toEqual(Object.keys(shown));
  for (const id of ['session_id', 'call_id']) {
    const form = (text: unknown) => String(text).replaceAll(/[0-9a-f]/g, '0');
    expect(form(answer[id])).toBe(form(shown[id]));
  }
  expect(answer).toMatchObject({
    ...shown,
    session_id: answer.session_id,
    call_id: answer.call_id,
    model: 'm-1',
  });
});
