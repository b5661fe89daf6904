import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { copyPackage, newFolder, root } from '../support/cli.js';

const [, tour] =
  /<!-- tour -->\n```sh\n([\s\S]*?)\n```/.exec(readFileSync(path.join(root, 'README.md'), 'utf8')) ?? [];

/** A clone after `npm ci`, with `lakelog` on the path. */
function clone() {
  const folder = copyPackage();
  cpSync(path.join(root, 'test/support'), path.join(folder, 'test/support'), { recursive: true });
  const bin = path.join(newFolder(), 'bin');
  mkdirSync(bin);
  symlinkSync(path.join(folder, 'bin/lakelog.js'), path.join(bin, 'lakelog'));
  return { folder, env: { PATH: `${bin}:${process.env.PATH}`, HOME: folder } };
}

it("the README's tour: from 200 answers of a model to the rows of the alarm", () => {
  const { folder, env } = clone();
  const run = (line: string) =>
    spawnSync('bash', ['-c', line], {
      cwd: folder,
      env: { ...env, npm_config_loglevel: 'silent' },
      encoding: 'utf8',
    });
  const [smoke, ...questions] = tour!.split('\n');

  const { status, stdout, stderr } = run(smoke!);
  expect(stderr).toBe('');
  const lines = stdout.trimEnd().split('\n');
  const probes = lines.filter((line) => /^ok \d+ - /.test(line));
  expect(lines.filter((line) => !probes.includes(line))).toEqual([
    `# what was written is in ${path.join(folder, 'demo')}`,
    `1..${probes.length}`,
  ]);
  expect(probes.length).toBeGreaterThanOrEqual(6);
  expect(status).toBe(0);

  expect(questions.length).toBeGreaterThanOrEqual(3);
  for (const line of questions) {
    const ran = run(line);
    const [, code = '0', judged] = /# exit (\d)(?:: (\d+) fills judged)?/.exec(line) ?? [];
    expect({ line, status: ran.status }).toEqual({ line, status: Number(code) });
    if (judged) expect(ran.stderr).toContain(`alarm judged ${judged} calls`);
    if (code === '1') expect(ran.stdout.match(/ungrounded/g)).toHaveLength(10);
    if (!line.includes(' alarm ')) expect(ran.stdout).not.toBe('');
  }
});
