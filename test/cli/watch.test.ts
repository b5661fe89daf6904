import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { jsonSchema } from '../../src/schema/json-schema.js';
import { call, newFolder, nightly, lakelog as spawned, start, writeLines } from '../support/cli.js';
import { hold } from '../support/lake-holder.js';
import { lakelog as inProcess } from '../support/program.js';

/** What is asked beside what is watched is no affair of the binary. */
const lakelog = nightly ? spawned : inProcess;

const id = (n: number) => n.toString(16).padStart(32, '0');

/** The binary at work, and what it has said. */
async function watching(args: readonly string[], cwd: string) {
  const child = start(['watch', ...args], { cwd });
  let [out, err] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const until = async (isDone: (out: string, err: string) => boolean) => {
    for (let waits = 0; !isDone(out, err); waits++) {
      if (waits > 400 || child.exitCode !== null) throw new Error(`waited in vain: ${out}\n${err}`);
      await sleep(50);
    }
    return out;
  };
  const end = async (signal: NodeJS.Signals = 'SIGINT') => {
    child.kill(signal);
    const [code, by] = await once(child, 'exit');
    return { code, by, out, err };
  };
  return { until, end };
}

/** Nothing says that it began to look: a first line does. */
async function begun(watch: Awaited<ReturnType<typeof watching>>, log: string): Promise<void> {
  for (let n = 0; ; n++) {
    appendFileSync(log, `${call({ session_id: `begin-${n}` })}\n`);
    const seen = await Promise.race([watch.until((out) => out.includes('begin-')), sleep(1_500)]);
    if (seen !== undefined) return;
  }
}

// These wait more than they compute.
test.concurrent('2,000 calls under rotation: each is told once, in every form of rotation', async () => {
  const cwd = newFolder();
  const log = writeLines(cwd, 'sessions.jsonl', [
    call({ session_id: 'before' }),
    call({ session_id: 'before' }),
  ]);
  const watch = await watching(['sessions.jsonl', '--json'], cwd);
  await begun(watch, log);
  for (let n = 0; n < 2_000; n++) {
    appendFileSync(log, `${call({ session_id: id(n), grounded_in_roster: n % 500 !== 7 })}\n`);
    if (n % 100 === 0) await sleep(120);
    if (n % 250 !== 249) continue;
    const form = (n + 1) / 250;
    if (form % 3 === 0) renameSync(log, `${log}-2025010${form}`);
    else if (form % 3 === 1) {
      renameSync(log, `${log}.${form}`);
      execFileSync('gzip', [`${log}.${form}`]);
    } else {
      // What is written between the two is lost by copytruncate itself, and here nothing is.
      copyFileSync(log, `${log}.${form}`);
      truncateSync(log);
    }
  }
  // A look may come in the midst of a rotation, and the next one tells what it could not see.
  await watch.until((out) => out.split('\n').length > 2_000);
  const { code, out, err } = await watch.end();
  // Of two looks that rotations spoil one behind the other it says so, and of nothing else.
  expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^(looking again: .*\n)*$/) });
  const events = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const told = events.map(({ session_id }) => session_id).filter((one) => !one.startsWith('begin-'));
  expect(told.toSorted()).toEqual(Array.from({ length: 2_000 }, (_, n) => id(n)).toSorted());
  const violations = events.filter((event) => event.violations.length > 0);
  expect(violations.map(({ session_id }) => session_id).toSorted()).toEqual([7, 507, 1_007, 1_507].map(id));
  const isValid = new Ajv2020({ strict: true }).compile(jsonSchema('watch'));
  for (const event of events) expect(isValid(event), JSON.stringify(isValid.errors)).toBe(true);
});

test.concurrent('a call is told when its line ends, and what cannot be loaded is told as well', async () => {
  const cwd = newFolder();
  const log = writeLines(cwd, 'sessions.jsonl', [call()]);
  const watch = await watching(['sessions.jsonl'], cwd);
  await begun(watch, log);
  const line = call({ session_id: 'half', grounded_in_roster: false, model: 'm\u001b[31m' });
  appendFileSync(log, line);
  appendFileSync(path.join(cwd, 'other.txt'), 'nothing');
  await sleep(1_500);
  expect(await watch.until(() => true)).not.toContain('half');
  appendFileSync(log, `\nnot json\n`);
  const out = await watch.until((text) => text.includes('cannot be loaded'));
  expect(out).toMatch(/VIOLATION at once +fill +m.*alarm: ungrounded +half +sessions\.jsonl:\d+/);
  expect(out).toMatch(/cannot be loaded .*sessions\.jsonl:\d+$/m);
  expect(out).not.toContain('\u001b');
  expect(await watch.end('SIGTERM')).toMatchObject({ code: 0, by: null });
});

test.concurrent('filters, a lake that holds the history already, and a log that is not there yet', async () => {
  const cwd = newFolder();
  const log = writeLines(cwd, 'sessions.jsonl', [call({ session_id: 'old' })]);
  expect((await lakelog(['sync', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd })).code).toBe(0);
  const watch = await watching(['--lake', 'L.duckdb', '--kind', 'fill', '--json'], cwd);
  await begun(watch, log);
  appendFileSync(log, `${call({ session_id: 'mail', kind: 'email' })}\n${call({ session_id: 'new' })}\n`);
  const out = await watch.until((text) => text.includes('"new"'));
  expect(out).not.toMatch(/"old"|"mail"/);
  await watch.end();
  // What was watched is in the lake.
  const asked = await lakelog(
    [
      'query',
      "SELECT COUNT(*) AS n FROM sessions WHERE session_id = 'new'",
      '--lake',
      'L.duckdb',
      '--no-sync',
      '--format',
      'csv',
    ],
    { cwd },
  );
  expect(asked.stdout).toBe('n\n1\n');
  rmSync(log);
  const late = await watching(['sessions.jsonl', '--json'], cwd);
  await late.until((_, err) => err.includes('sessions.jsonl'));
  appendFileSync(log, `${call({ session_id: 'born' })}\n`);
  await late.until((text) => text.includes('born'));
  await late.end();
});

test.concurrent('rotation in the midst of looks ends nothing: each call is told once', async () => {
  const cwd = newFolder();
  const log = writeLines(cwd, 'logs/sessions.jsonl', []);
  const watch = await watching(['logs', '--json'], cwd);
  await begun(watch, log);
  const times = nightly ? 200 : 50;
  let next = 0;
  for (let form = 0; form < times; form++) {
    const lines = Array.from({ length: 1 + (form % 7) * 5 }, () => call({ session_id: id(next++) }));
    appendFileSync(log, `${lines.join('\n')}\n`);
    // So often that some fall between the finding of a file and its opening.
    await sleep(25);
    const old = path.join(cwd, `logs/old-${form}.jsonl`);
    copyFileSync(log, old);
    if (form % 2 === 0) rmSync(log);
    else truncateSync(log);
    await sleep(15);
  }
  appendFileSync(log, `${call({ session_id: 'last' })}\n`);
  await watch.until((out) => out.includes('"last"'));
  const { code, out } = await watch.end();
  expect(code).toBe(0);
  const told = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).session_id as string)
    .filter((one) => !/^(begin-|last)/.test(one));
  expect(told.toSorted()).toEqual(Array.from({ length: next }, (_, n) => id(n)).toSorted());
});

test.concurrent('a lake that another run holds is looked at again when it is free', async () => {
  const cwd = newFolder();
  const log = writeLines(cwd, 'sessions.jsonl', [call({ session_id: 'old' })]);
  expect((await lakelog(['sync', '--lake', 'L.duckdb', 'sessions.jsonl'], { cwd })).code).toBe(0);
  const watch = await watching(['--lake', 'L.duckdb', '--lock-timeout', '1s', '--json'], cwd);
  await begun(watch, log);
  const holder = await hold(path.join(cwd, 'L.duckdb'), 'write');
  appendFileSync(log, `${call({ session_id: 'meanwhile' })}\n`);
  await watch.until((_, err) => err.includes('L.duckdb'));
  await holder.release();
  await watch.until((out) => out.includes('"meanwhile"'));
  expect((await watch.end()).code).toBe(0);
});

test.concurrent('a copy of what was there before is no news, plain or compressed', async () => {
  const cwd = newFolder();
  const log = writeLines(cwd, 'logs/sessions.jsonl', [
    call({ session_id: 'old-1' }),
    call({ session_id: 'old-2' }),
  ]);
  const watch = await watching(['logs', '--json'], cwd);
  await begun(watch, log);
  copyFileSync(log, path.join(cwd, 'logs/backup.jsonl'));
  execFileSync('gzip', ['-k', path.join(cwd, 'logs/backup.jsonl')]);
  appendFileSync(path.join(cwd, 'logs/backup.jsonl'), `${call({ session_id: 'behind' })}\n`);
  appendFileSync(log, `${call({ session_id: 'last' })}\n`);
  const out = await watch.until((text) => text.includes('"last"') && text.includes('"behind"'));
  expect(out).not.toContain('old-');
  await watch.end();
});

test.concurrent('what is read once cannot be followed', async () => {
  const ran = await lakelog(['watch', '-'], { stdin: '' });
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('stdin is read once');
});
