import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, envelope, newFolder, nightly, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { publish, writeHostLogs } from './folder-lake.js';

const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(''));
const now = () => new Date('2025-06-02T00:00:00Z');

let lake: string;
let folder: string;

/** web1 is young, web2 fell silent, web3 has what web1 has. */
beforeAll(async () => {
  lake = path.join(newFolder(), 'lake/');
  folder = newFolder();
  const young = lines(
    call({ timestamp: '2025-06-01T23:00:00Z', call_id: 'a', writer_id: 'w1' }),
    call({ timestamp: '2025-06-01T23:30:00Z', call_id: 'b', daemon: 'other' }),
  );
  const old = lines(call({ timestamp: '2025-05-30T08:00:00Z', call_id: 'c' }));
  await publish(lake, 'web1', writeHostLogs(folder, 'web1', { 'sessions.jsonl': young }));
  await publish(lake, 'web2', writeHostLogs(folder, 'web2', { 'sessions.jsonl': old }));
  await publish(lake, 'web3', writeHostLogs(folder, 'web3', { 'sessions.jsonl': young }));
});

async function expecting(entries: string, ...more: string[]) {
  const file = path.join(newFolder(), 'expect.toml');
  writeFileSync(file, entries);
  const args = ['alarm', '--lake', lake, '--expect', file, '--json', ...more];
  const ran = await lakelog(args, { now });
  if (ran.stdout === '') return { code: ran.code, says: [ran.stderr] };
  const { verdict } = envelope(ran);
  return {
    code: ran.code,
    says: verdict!.cannot_vouch.map(({ code, message, where }) => `${code}: ${message} (${where})`),
  };
}

const entry = (keys: Record<string, string>) =>
  `[[expect]]\n${Object.entries(keys)
    .map(([key, value]) => `${key} = "${value}"`)
    .join('\n')}\n`;

describe('hosts that must be heard of', () => {
  test('all are, each within its age: clear', async () => {
    const all = entry({ host: 'web1' }) + entry({ host: 'web2', within: '7d' }) + entry({ host: 'web3' });
    expect(await expecting(all, '--max-age', '26h')).toEqual({ code: 0, says: [] });
  });

  test('one that fell silent is named with its last call', async () => {
    const { code, says } = await expecting(
      entry({ host: 'web1' }) + entry({ host: 'web2' }),
      '--max-age',
      '26h',
    );
    expect(code).toBe(3);
    expect(says).toEqual([
      expect.stringMatching(
        /^silent: host "web2" fell silent: its last call is of 2025-05-30T08:00:00.*\(web2:.*sessions\.jsonl@[0-9a-f]{8}:1\)$/,
      ),
    ]);
  });

  test('one that never published is named, and who was meant', async () => {
    const { code, says } = await expecting(entry({ host: 'web11' }), '--max-age', '26h');
    expect(code).toBe(3);
    expect(says[0]).toMatch(/nothing was heard of host "web11"/);
  });

  test('a daemon on a host: both must stand in one call', async () => {
    expect(await expecting(entry({ host: 'web1', daemon: 'other', within: '26h' }))).toMatchObject({
      code: 0,
    });
    expect(await expecting(entry({ host: 'web2', daemon: 'other', within: '7d' }))).toMatchObject({
      code: 3,
    });
    expect(await expecting(entry({ host: 'web3', writer: 'w1', within: '26h' }))).toMatchObject({ code: 0 });
  });

  test.skipIf(!nightly)('without a folder nobody knows hosts', async () => {
    const file = path.join(newFolder(), 'expect.toml');
    writeFileSync(file, entry({ host: 'web1', within: '1d' }));
    const ran = await lakelog(['alarm', '--expect', file, path.join(folder, 'web1')], { now });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/records carry no host, and only a lake that is a folder knows/);
  });
});

describe('acknowledgements', () => {
  test('settle a violation, a reject and a conflict of a folder lake, and nothing beside them', async () => {
    const own = path.join(newFolder(), 'lake/');
    const logs = newFolder();
    const cwd = newFolder();
    const bad = call({ timestamp: '2025-06-01T10:00:00Z', call_id: 'v', grounded_in_roster: false });
    const fine = call({ timestamp: '2025-06-01T11:00:00Z', call_id: 'x' });
    const twin = call({ timestamp: '2025-06-01T12:00:00Z', call_id: 'x' });
    await publish(
      own,
      'web1',
      writeHostLogs(logs, 'web1', { 'sessions.jsonl': lines(bad, fine, 'no json') }),
    );
    await publish(own, 'web2', writeHostLogs(logs, 'web2', { 'sessions.jsonl': lines(twin) }));
    const run = (...args: string[]) => lakelog([...args, '--lake', own], { now, cwd });
    expect((await run('alarm')).code).toBe(1);
    expect((await run('ack', 'v', '--reason', 'known')).code).toBe(0);
    expect((await run('alarm')).code).toBe(3);
    expect((await run('ack', '--baseline', '--reason', 'known')).code).toBe(0);
    const after = await run('alarm', '--json');
    expect(envelope(after).verdict!.cannot_vouch).toEqual([]);
    expect(after.code).toBe(0);
    // Another violation, in a line of the same number of another log.
    const worse = call({ timestamp: '2025-06-01T13:00:00Z', call_id: 'w', grounded_in_roster: false });
    await publish(own, 'web3', writeHostLogs(logs, 'web3', { 'sessions.jsonl': lines(worse) }));
    const fired = await run('alarm', '--json');
    expect([fired.code, envelope(fired).rows.map(({ file }) => String(file).slice(0, 5))]).toEqual([
      1,
      ['web3:'],
    ]);
  });
});

test('a file without a record that was published by mistake can be settled, until more of it comes', async () => {
  const own = path.join(newFolder(), 'lake/');
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call({ timestamp: '2025-06-01T10:00:00Z' })]);
  writeLines(cwd, 'auth.log', ['sshd: accepted']);
  const run = (...args: string[]) => lakelog([...args, '--lake', own], { now, cwd });
  expect((await run('sync', '--host', 'a', 'sessions.jsonl', 'auth.log')).code).toBe(3);
  const told = async () => envelope(await run('alarm', '--json')).verdict!.cannot_vouch;
  const settle = async (where: string) => {
    const ran = await run('ack', where, '--reason', 'no log');
    expect(ran.code, ran.stderr).toBe(0);
  };
  const [none] = (await told()).filter(({ code }) => code === 'no_records');
  expect(none!.next).toContain('lakelog ack');
  await settle(none!.where!);
  await settle(`${none!.where}:1`);
  expect(await told()).toEqual([]);
  expect((await run('alarm')).code).toBe(0);
  writeLines(cwd, 'auth.log', ['sshd: accepted', 'sshd: again']);
  expect((await run('sync', '--host', 'a', 'auth.log')).code).toBe(3);
  expect((await told()).map(({ code }) => code)).toContain('no_records');
});

describe('a log that its host lost before it was read', () => {
  test('is settled by the command that sync prints, and no other log by that', async () => {
    const own = path.join(newFolder(), 'lake/');
    const logs = newFolder();
    const cwd = newFolder();
    const run = (...args: string[]) => lakelog([...args, '--lake', own], { now, cwd });
    const begun = { 'a.jsonl': lines(call({ call_id: 'a' })), 'b.jsonl': Buffer.from('{"schema":') };
    const lost = (host: string) => {
      const paths = writeHostLogs(logs, host, { ...begun, 'a.jsonl': lines(call()) });
      return { paths, sync: () => run('sync', '--host', host, ...paths) };
    };
    const [first, second] = [lost('web1'), lost('web2')];
    for (const { paths, sync } of [first, second]) {
      expect((await sync()).code).toBe(0);
      rmSync(paths[1]!);
    }
    const synced = [await first.sync(), await second.sync()];
    expect(synced.map(({ code }) => code)).toEqual([3, 3]);
    const changed = async () => {
      const ran = await run('alarm', '--json');
      const { verdict } = envelope(ran);
      return { code: ran.code, where: verdict!.cannot_vouch.map(({ where }) => where) };
    };
    const named = [`web1:${first.paths[1]}`, `web2:${second.paths[1]}`];
    expect(await changed()).toEqual({ code: 3, where: named });
    const [, words = ''] = /lakelog (ack \S+ --reason) "…" --lake/.exec(synced[0]!.stderr) ?? [];
    expect((await run(...words.split(' '), 'known')).code, synced[0]!.stderr).toBe(0);
    expect(await changed()).toEqual({ code: 3, where: [named[1]] });
    expect((await run('ack', named[1]!, '--reason', 'known')).code).toBe(0);
    expect(await changed()).toEqual({ code: 0, where: [] });
  });
});

describe('news', () => {
  test('one alarm is printed once for each who asks', async () => {
    const home = newFolder();
    const run = () => lakelog(['alarm', '--lake', lake, '--on-change'], { now, env: { HOME: home } });
    const [first, second] = [await run(), await run()];
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(first.stderr).not.toBe('');
    expect(second.stderr + second.stdout).toBe('');
    expect(readFileSync(path.join(folder, 'web1/sessions.jsonl'), 'utf8')).toMatch(/session/);
  });
});
