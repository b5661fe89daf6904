import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { byDay, call, command, newFolder, root, writeLines } from '../support/cli.js';

const FOLDER = path.join(root, 'docs/run');
const read = (name: string) => readFileSync(path.join(FOLDER, name), 'utf8');
const run = promisify(execFile);

let cwd: string;
let env: Record<string, string>;

/** A machine with lakelog on the path, and logs where the files have them. */
beforeAll(() => {
  cwd = newFolder();
  const { file, args } = command([]);
  const bin = path.join(cwd, 'bin');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'lakelog'), `#!/bin/sh\nexec '${file}' '${args[0]}' "$@"\n`);
  // Neither installs nor fetches anything here.
  writeFileSync(path.join(bin, 'npm'), '#!/bin/sh\nexit 0\n');
  writeFileSync(path.join(bin, 'npx'), '#!/bin/sh\nshift\nexec "$@"\n');
  for (const name of ['lakelog', 'npm', 'npx']) chmodSync(path.join(bin, name), 0o755);
  env = { PATH: `${bin}:${process.env.PATH}`, HOME: cwd, TMPDIR: cwd };
});

/** @param grounded what the newest of many calls is stamped with. */
function logs(name: string, grounded: boolean): string {
  const folder = path.join(cwd, name);
  mkdirSync(folder, { recursive: true });
  const lines = Array.from({ length: 120 }, (_, n) =>
    call({
      timestamp: new Date(Date.now() - n * 1_000).toISOString(),
      grounded_in_roster: n > 0 || grounded,
    }),
  );
  writeLines(folder, 'sessions.jsonl', lines);
  return folder;
}

/** Runs a command line of a file over logs of ours. */
async function sh(line: string, folder: string): Promise<{ code: number; out: string }> {
  const here = line
    .replaceAll('/var/lib/lakehouse/validator', folder)
    .replaceAll('/var/lib/lakelog', folder)
    .replaceAll('artifacts/', `${folder}/`);
  const ran = await run('sh', ['-c', here], { cwd: folder, env }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout + stderr }),
    (error) => ({ code: error.code as number, out: `${error.stdout}${error.stderr}` }),
  );
  return ran;
}

describe('cron', () => {
  const jobs = read('crontab')
    .split('\n')
    .flatMap((line) => /^((?:[\d*/,-]+\s+){5})(.*)$/.exec(line)?.slice(1, 3) ?? []);

  it('mails nothing where all is clear, and an alarm once', async () => {
    const [, alarm] = jobs;
    const folder = logs('cron', true);
    expect(await sh(alarm!, folder)).toEqual({ code: 0, out: '' });
    writeLines(folder, 'more.jsonl', [
      call({ timestamp: new Date().toISOString(), grounded_in_roster: false }),
    ]);
    const first = await sh(alarm!, folder);
    expect(first.code).toBe(1);
    expect(first.out).toContain('ungrounded');
    expect(await sh(alarm!, folder)).toEqual({ code: 1, out: '' });
  });

  it('verifies what it read', async () => {
    expect(jobs).toHaveLength(4);
    expect((await sh(jobs[3]!, path.join(cwd, 'cron'))).code).toBe(0);
  });
});

describe('systemd', () => {
  it('runs the alarm in a unit that systemd takes', async () => {
    const unit = read('lakelog-alarm.service');
    const [, line] = /^ExecStart=(.*)$/m.exec(unit)!;
    expect((await sh(line!, logs('unit', true))).code).toBe(0);
    expect((await sh(line!, logs('unit-fired', false))).code).toBe(1);
    const folder = newFolder();
    for (const name of ['lakelog-alarm.service', 'lakelog-alarm.timer'])
      writeFileSync(path.join(folder, name), read(name));
    const [bare] = [unit.replace(/^OnFailure=.*$/m, '')];
    writeFileSync(path.join(folder, 'lakelog-alarm.service'), bare);
    const ran = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', path.join(folder, 'lakelog-alarm.timer')],
      {
        encoding: 'utf8',
      },
    );
    if (ran.error) return;
    expect(ran.stderr.split('\n').filter((one) => one.includes('lakelog-alarm'))).toEqual([]);
  });
});

it('logrotate takes its file', () => {
  const folder = logs('rotated', true);
  const conf = path.join(cwd, 'logrotate.conf');
  writeFileSync(
    conf,
    read('logrotate.conf')
      .replaceAll('/var/lib/lakehouse/validator', folder)
      .replace(/pkill.*/, 'true'),
    { mode: 0o644 },
  );
  const ran = spawnSync('logrotate', ['--force', '--state', path.join(cwd, 'state'), conf], {
    encoding: 'utf8',
    env: { ...env, PATH: `${env.PATH}:/usr/sbin` },
  });
  if (ran.error) return;
  expect({ status: ran.status, stderr: ran.stderr }).toEqual({ status: 0, stderr: '' });
  expect(readdirSync(folder).toSorted()).toEqual([
    expect.stringMatching(/^sessions\.jsonl$/),
    expect.stringMatching(/^sessions\.jsonl-\d{8}-\d+$/),
  ]);
});

describe('a dead man’s switch', () => {
  const pings: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      pings.push(`${request.url} ${body}`);
      response.end('OK');
    });
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void server.close());

  it.each([
    [true, 0, '/x lakelog alarm ended with 0'],
    [false, 1, '/x/fail lakelog alarm ended with 1'],
  ])('hears how it ended: %s', async (grounded, code, ping) => {
    const folder = logs(`ping-${code}`, grounded);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    const ran = await sh(`PING_URL=${url} ${FOLDER}/healthcheck.sh --max-age 26h ${folder}`, folder);
    expect(ran.code, ran.out).toBe(code);
    expect(pings.at(-1)).toBe(ping);
  });

  it('nobody who answers changes nothing of what was found', async () => {
    const ran = await sh(
      `PING_URL=http://127.0.0.1:9 ${FOLDER}/healthcheck.sh ${logs('ping-gone', false)}`,
      cwd,
    );
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('did not answer');
  });
});

describe('in CI', () => {
  const steps: readonly string[] = parse(read('github-actions.yml')).jobs.alarm.steps.flatMap(
    ({ run: line }: { run?: string }) => line ?? [],
  );
  const script: readonly string[] = parse(read('gitlab-ci.yml')).lakelog.script;

  const PIPELINES: [string, readonly string[]][] = [
    ['GitHub Actions', steps],
    ['GitLab CI', script],
  ];
  it.each(byDay(PIPELINES, 2))(
    '%s: every step passes on clear logs, and the last fails on a violation',
    async (name, lines) => {
      expect(lines).toHaveLength(3);
      const clear = logs(`${name} clear`.replaceAll(' ', '-'), true);
      for (const line of lines) expect(await sh(line, clear), line).toMatchObject({ code: 0 });
      expect((await sh(lines.at(-1)!, logs(`${name} fired`.replaceAll(' ', '-'), false))).code).toBe(1);
      expect(readFileSync(path.join(clear, 'alarm.xml'), 'utf8')).toContain('<testsuite');
    },
  );
});

it('the image runs without root, and its root file system may be read-only', () => {
  const file = read('Containerfile');
  const stage = file.slice(file.lastIndexOf('\nFROM '));
  const user = /^USER (\S+)$/m.exec(stage)?.[1];
  expect(Number(user)).toBeGreaterThan(0);
  expect(stage.indexOf('USER')).toBeLessThan(stage.indexOf('ENTRYPOINT'));
  expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(stage)![1]!)).toEqual(['lakelog']);
  expect(JSON.parse(/^CMD (.*)$/m.exec(stage)![1]!)).toContain('alarm');
  expect(file).toContain('--read-only --tmpfs /tmp');
});
