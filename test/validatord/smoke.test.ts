import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { copyPackage, root } from '../support/cli.js';

it('from 200 answers of a model to the rows of the alarm', () => {
  const script = path.join(root, 'test/support/smoke.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--package', copyPackage()], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => !/^ok \d+ - /.test(line))).toEqual([`1..${lines.length - 1}`]);
  expect(lines.length - 1).toBeGreaterThanOrEqual(6);
  expect(status).toBe(0);
});
