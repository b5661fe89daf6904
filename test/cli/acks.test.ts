import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ackLine } from '../../src/schema/envelope.js';
import { acksIn, alarm, ask, commandsIn, DEFAULT_ACKS, ownGate, violation } from '../support/acks.js';
import {
  atNight,
  byDay,
  call,
  copiesOf,
  exceptByDay,
  newFolder,
  nightly,
  replayRun,
  lakelog as spawned,
  start,
  writeLines,
} from '../support/cli.js';
import { lakelog } from '../support/program.js';

const TORN = '{"schema":"session.iterate.v1","session_id":"to';

/** A folder whose sessions.jsonl holds a sound call and the given lines. */
function logs(...lines: readonly string[]): string {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call(), ...lines]);
  return cwd;
}

async function ack(cwd: string, target: string, ...args: readonly string[]) {
  const ran = await lakelog(['ack', target, '--reason', 'looked at it', '--author', 'ops', ...args], { cwd });
  return { ...ran, acks: acksIn(cwd) };
}

async function acked(cwd: string, target: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await ack(cwd, target, ...args);
  expect(code, stderr).toBe(0);
}

const clear = { code: 0, rows: [], cannotVouch: [] };

describe('a call', () => {
  test('that is settled no longer fires, and every output says so', async () => {
    const cwd = logs(violation({ call_id: 'k1' }));
    expect((await alarm({ cwd })).code).toBe(1);
    const { acks, code, stdout } = await ack(cwd, 'k1', '--expires', '2999-12-31');
    expect(code).toBe(0);
    expect(stdout).toContain('sessions.jsonl:2');
    expect(acks).toMatchObject([
      {
        schema: 'lakelog.ack.v1',
        what: 'call',
        gate: 'alarm',
        call_key: 'k1',
        session_id: 'bad',
        grounded_in_roster: false,
        reason: 'looked at it',
        author: 'ops',
        expires: '2999-12-31',
        file: 'sessions.jsonl',
        line: 2,
      },
    ]);
    expect(ackLine.safeParse(acks[0]).success).toBe(true);
    expect(statSync(path.join(cwd, DEFAULT_ACKS)).mode & 0o777).toBe(0o600);
    const said = await alarm({ cwd });
    expect(said).toMatchObject({
      ...clear,
      acknowledged: { calls: 1, rejects: 0, file: DEFAULT_ACKS },
      notices: [
        expect.stringMatching(
          /^call k1 acknowledged by ops on \d{4}-\d\d-\d\d, until 2999-12-31: looked at it$/,
        ),
      ],
    });
    const table = await lakelog(['alarm'], { cwd });
    expect(table.stderr).toContain('1 acknowledged');
    expect(table.stderr).toContain('acknowledged by ops');
    for (const format of byDay(['github', 'junit'], 2)) {
      const ran = await lakelog(['alarm', '--format', format], { cwd });
      expect(ran.code).toBe(0);
      expect(ran.stdout).toContain('1 acknowledged');
    }
  });

  test.each(byDay(['ba', 'k', 'sessions.jsonl:2', 'bad', 'k1'], 5))('is named by %s', async (target) => {
    const cwd = logs(violation({ call_id: 'k1' }));
    await acked(cwd, target);
    expect(await alarm({ cwd })).toMatchObject(clear);
  });

  test('without a call_id is named by the key that show prints', async () => {
    const cwd = logs(violation());
    const { stdout } = await lakelog(['show', 'bad', '--json'], { cwd });
    const [{ call_key: key }] = JSON.parse(stdout).events;
    expect(key).toMatch(/^h:[0-9a-f]{16}$/);
    await acked(cwd, key);
    expect(await alarm({ cwd })).toMatchObject(clear);
  });

  test('an ambiguous beginning settles nothing and lists what it may mean', async () => {
    const cwd = logs(violation({ call_id: 'k1' }), violation({ call_id: 'k2', session_id: 'bad2' }));
    const { code, stderr, acks } = await ack(cwd, 'k');
    expect(code).toBe(2);
    expect(acks).toEqual([]);
    expect(stderr).toMatch(/k1 .*sessions\.jsonl:2\n.*k2 .*sessions\.jsonl:3/);
  });

  atNight('settled for one leaves the other', async () => {
    const cwd = logs(violation({ call_id: 'k1' }), violation({ call_id: 'k2' }));
    await acked(cwd, 'k1');
    const said = await alarm({ cwd });
    expect(said).toMatchObject({ code: 1, acknowledged: { calls: 1 }, rows: [{ line: 3 }] });
  });

  const NOTHING = [
    ['nothing against it', 'good'],
    ['none of that name', 'nobody'],
    ['a line that is not there', 'sessions.jsonl:99'],
    ['a line of a sound call', 'sessions.jsonl:2'],
  ] as const;
  test.each(byDay(NOTHING, 2))('%s: nothing is settled', async (_, target) => {
    const cwd = logs(call({ call_id: 'good' }), violation({ call_id: 'k1' }));
    const { code, acks, stderr } = await ack(cwd, target);
    expect(code).toBe(2);
    expect(acks).toEqual([]);
    expect(stderr).toContain('→ ');
  });

  test('once unjudged and then known to be false under the same call_id fires', async () => {
    const cwd = logs(violation({ call_id: 'k1', grounded_in_roster: null }));
    expect((await alarm({ cwd })).code).toBe(3);
    await acked(cwd, 'k1');
    expect(await alarm({ cwd })).toMatchObject(clear);
    writeLines(cwd, 'sessions.jsonl', [call(), violation({ call_id: 'k1' })]);
    const said = await alarm({ cwd });
    expect(said).toMatchObject({
      code: 1,
      acknowledged: { calls: 0 },
      cannotVouch: [],
      idle: [`${DEFAULT_ACKS}:1`],
    });
  });

  const FACTS: readonly (readonly [string, unknown])[] = [
    ['session_id', 'other'],
    ['timestamp', '2025-06-01T08:00:00.000001Z'],
    ['kind', 'email'],
    ['model', 'other'],
    ['iterations', 2],
    ['grounded_in_roster', null],
  ];
  test.each(byDay(FACTS, 6))('whose %s was changed is not settled', async (fact, value) => {
    const cwd = logs(violation({ call_id: 'k1' }));
    await acked(cwd, 'k1');
    writeLines(cwd, 'sessions.jsonl', [call(), violation({ call_id: 'k1', [fact]: value })]);
    const { code, acknowledged, idle } = await alarm({ cwd });
    expect(code).not.toBe(0);
    expect(acknowledged).toMatchObject({ calls: 0 });
    expect(idle).toEqual([`${DEFAULT_ACKS}:1`]);
  });

  test('whose line was written anew is another line, and the violation fires again', async () => {
    const cwd = logs(violation({ call_id: 'k1' }));
    await acked(cwd, 'k1');
    writeLines(cwd, 'sessions.jsonl', [
      call(),
      violation({ call_id: 'k1', timestamp: '2025-06-01T10:00:00+02:00' }),
    ]);
    const ran = await alarm({ cwd });
    expect(ran.code).toBe(1);
    expect(ran.idle).toEqual([`${DEFAULT_ACKS}:1`]);
  });

  test('of two calls alike in all but the workers, one settled does not settle the other', async () => {
    const alike = (worker: string) => violation({ proposed_worker_ids: [worker] });
    const cwd = logs(alike('W-1'), alike('W-2'));
    await acked(cwd, 'sessions.jsonl:2');
    expect((await alarm({ cwd })).code).toBe(1);
    // The first is rotated away, and the second takes over its key.
    writeLines(cwd, 'sessions.jsonl', [call(), alike('W-2')]);
    const ran = await alarm({ cwd });
    expect(ran.code).toBe(1);
    expect(ran.acknowledged).toMatchObject({ calls: 0 });
  });

  test('a second record with its call_id is a conflict all the same', async () => {
    const cwd = logs(violation({ call_id: 'k1' }));
    await acked(cwd, 'k1');
    appendFileSync(
      path.join(cwd, 'sessions.jsonl'),
      `${violation({ call_id: 'k1', session_id: 'second' })}\n`,
    );
    const { code, rows, cannotVouch } = await alarm({ cwd });
    expect(code).toBe(1);
    expect(rows).toMatchObject([{ session_id: 'second' }]);
    expect(cannotVouch.map((finding) => finding.code)).toContain('conflicts');
  });

  test('acknowledged for another gate fires in this one', async () => {
    const cwd = logs(violation({ call_id: 'k1', duration_ms: 5000 }));
    mkdirSync(path.join(cwd, 'q'));
    writeFileSync(path.join(cwd, 'q/slow.sql'), ownGate());
    await acked(cwd, 'k1', '--gate', 'slow', '--queries', 'q');
    expect(await ask(['slow', '--queries', 'q'], { cwd })).toMatchObject({
      ...clear,
      acknowledged: { calls: 1 },
    });
    expect(await alarm({ cwd })).toMatchObject({ code: 1, acknowledged: { calls: 0 }, notices: [] });
  });

  test('outside the window is not counted, and no finding says that it is gone', async () => {
    const cwd = logs(violation({ call_id: 'k1', timestamp: '2025-07-01T00:00:00Z' }));
    await acked(cwd, 'k1');
    expect(await alarm({ cwd }, '--until', '2025-06-15')).toMatchObject({
      ...clear,
      acknowledged: { calls: 0 },
    });
    expect(await alarm({ cwd }, '--since', '2025-06-15')).toMatchObject({
      ...clear,
      acknowledged: { calls: 1 },
    });
  });

  test('the canary is planted and found whatever is acknowledged', async () => {
    const cwd = logs(violation({ call_id: 'k1' }));
    await acked(cwd, 'k1');
    const [one] = acksIn(cwd);
    writeFileSync(
      path.join(cwd, 'forged.jsonl'),
      `${JSON.stringify({ ...one, session_id: 'canary-0-0', call_key: 'canary-0-0' })}\n${JSON.stringify(one)}\n`,
    );
    const said = await alarm({ cwd }, '--acks', 'forged.jsonl');
    expect(said).toMatchObject({ ...clear, acknowledged: { calls: 1 }, idle: ['forged.jsonl:1'] });
    const { receipt } = JSON.parse(
      (await lakelog(['alarm', '--acks', 'forged.jsonl', '--json'], { cwd })).stdout,
    );
    expect(receipt.canary).toEqual({ planted: 3, found: 3 });
  });

  test('settles nothing of what only casts doubt on kinds that are not gated', async () => {
    const cwd = logs(violation({ call_id: 'k1', kind: 'email' }));
    const { code, acks } = await ack(cwd, 'k1');
    expect({ code, acks }).toEqual({ code: 2, acks: [] });
    await acked(cwd, 'k1', '--gated-kind', 'fill', '--gated-kind', 'email');
    expect((await alarm({ cwd })).code).toBe(3);
    expect(await alarm({ cwd }, '--gated-kind', 'fill', '--gated-kind', 'email')).toMatchObject(clear);
  });

  test('that was all there was to judge leaves the alarm clear only when it was judged', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [violation({ call_id: 'k1', grounded_in_roster: null })]);
    await acked(cwd, 'k1');
    expect(await alarm({ cwd })).toMatchObject({ code: 3, cannotVouch: [{ code: 'too_few_judged' }] });
  });

  test('the whole id of a sound call never means a longer one that violates', async () => {
    const cwd = logs(call({ call_id: 'job-1' }), violation({ call_id: 'job-10' }));
    const { code, acks } = await ack(cwd, 'job-1');
    expect(acks).toEqual([]);
    expect(code).toBe(2);
  });

  atNight('the whole session_id of a sound trace never means a longer one that violates', async () => {
    const cwd = logs(call({ session_id: 'trace' }), violation({ session_id: 'trace-2' }));
    const { code, acks } = await ack(cwd, 'trace');
    expect(acks).toEqual([]);
    expect(code).toBe(2);
  });

  test('an empty target (an unset variable of a script) settles nothing', async () => {
    const cwd = logs(violation());
    const { code, acks } = await ack(cwd, '');
    expect(acks).toEqual([]);
    expect(code).toBe(2);
  });

  test.each(byDay(['9999-12-31T23:59:59-12:00', '0000-01-01T00:00:00+12:00'], 2))(
    'no line is written that gates cannot read: a call of %s',
    async (timestamp) => {
      const cwd = logs(violation({ call_id: 'k1', timestamp }));
      await ack(cwd, 'k1');
      for (const line of acksIn(cwd)) expect(ackLine.safeParse(line).error?.issues).toBeUndefined();
      expect((await lakelog(['alarm'], { cwd })).code).not.toBe(2);
    },
  );

  atNight('a call_id that holds U+0000 can be settled like every other', async () => {
    const cwd = logs(violation({ call_id: 'k\u0000z' }));
    await acked(cwd, 'sessions.jsonl:2');
    const ran = await lakelog(['alarm'], { cwd });
    expect(ran.stderr).not.toContain('internal error');
    expect(ran.code).toBe(0);
  });

  atNight('a missing input is named, not only that nothing was found', async () => {
    const cwd = logs(violation({ call_id: 'k1' }));
    const { stderr, acks } = await ack(cwd, 'k2', 'sessions.jsonl', 'gone.jsonl');
    expect(acks).toEqual([]);
    expect(stderr).toMatch(/missing|no such file/);
  });

  atNight('more than 10,000 acknowledgements all count', async () => {
    const cwd = newFolder();
    writeLines(cwd, 'sessions.jsonl', [violation({ call_id: 'k0', session_id: 's0' })]);
    await acked(cwd, 'k0');
    const [one] = acksIn(cwd);
    const lines = Array.from({ length: 10_001 }, (_, i) =>
      violation({ call_id: `k${i}`, session_id: `s${i}` }),
    );
    writeLines(cwd, 'sessions.jsonl', lines);
    const settled = lines.map((line, i) => ({
      ...one,
      call_key: `k${i}`,
      session_id: `s${i}`,
      line_sha256: createHash('sha256').update(line).digest('hex'),
    }));
    writeLines(
      cwd,
      DEFAULT_ACKS,
      settled.map((ack) => JSON.stringify(ack)),
    );
    const { code, acknowledged } = await alarm({ cwd });
    expect(acknowledged).toMatchObject({ calls: 10_001 });
    expect(code).toBe(0);
  });

  atNight('a beginning is ambiguous however many calls begin with it', async () => {
    const cwd = newFolder();
    const many = Array.from({ length: 10_001 }, (_, i) => call({ session_id: `s${i}` }));
    writeLines(cwd, 'sessions.jsonl', [
      violation({ session_id: 'sx' }),
      ...many,
      violation({ session_id: 'sy' }),
    ]);
    const { code, acks } = await ack(cwd, 's');
    expect(acks).toEqual([]);
    expect(code).toBe(2);
  });

  atNight('a session_id that begins with a hyphen can be settled as show prints it', async () => {
    const cwd = logs(violation({ call_id: '-k1' }));
    const { stderr } = await lakelog(['show', 'bad'], { cwd });
    const [, command] = /→ next: lakelog (ack .*)/.exec(stderr) ?? [];
    expect(command).toBeDefined();
    const args = command!.split(' ').map((word) => word.replaceAll('"', '').replace('…', 'why'));
    const ran = await lakelog(args, { cwd });
    expect(ran.code, ran.stderr).toBe(0);
  });
});

describe('a rejected line', () => {
  test('that is settled is counted and named, and no longer keeps the gate from vouching', async () => {
    const cwd = logs(TORN);
    expect((await alarm({ cwd })).code).toBe(3);
    const { acks, code } = await ack(cwd, 'sessions.jsonl:2');
    expect(code).toBe(0);
    expect(acks).toMatchObject([
      { what: 'reject', reject_reason: 'bad_json', file: 'sessions.jsonl', line: 2 },
    ]);
    expect(await alarm({ cwd })).toMatchObject({
      ...clear,
      acknowledged: { calls: 0, rejects: 1 },
      notices: [expect.stringContaining('line sessions.jsonl:2 (bad_json) acknowledged by ops')],
    });
    const { receipt } = JSON.parse((await lakelog(['alarm', '--json'], { cwd })).stdout);
    expect(receipt.totals).toMatchObject({ lines: 2, loaded: 1, rejected: 1 });
  });

  test('two with the same bytes need two acknowledgements', async () => {
    const cwd = logs(TORN, TORN);
    await acked(cwd, 'sessions.jsonl:3');
    expect(await alarm({ cwd })).toMatchObject({ code: 3, acknowledged: { rejects: 1 } });
    await acked(cwd, 'sessions.jsonl:3');
    expect(await alarm({ cwd })).toMatchObject({ code: 3, acknowledged: { rejects: 1 } });
    await acked(cwd, 'sessions.jsonl:2');
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { rejects: 2 } });
  });

  atNight('acknowledged twice, its path written in two ways, settles no second line', async () => {
    const cwd = logs(TORN, TORN);
    await acked(cwd, 'sessions.jsonl:2', 'sessions.jsonl');
    await acked(cwd, './sessions.jsonl:2', './sessions.jsonl');
    expect((await alarm({ cwd })).code).toBe(3);
  });

  test('that was mended or removed is told, and keeps nobody from vouching', async () => {
    const cwd = logs(TORN);
    await acked(cwd, 'sessions.jsonl:2');
    writeLines(cwd, 'sessions.jsonl', [call(), call()]);
    expect(await alarm({ cwd })).toMatchObject({
      ...clear,
      acknowledged: { rejects: 0 },
      idle: [`${DEFAULT_ACKS}:1`],
      notices: [expect.stringMatching(/^the acknowledgement of the line at .* by ops matches nothing/)],
    });
    const { stderr } = await lakelog(['alarm'], { cwd });
    expect(stderr).toContain('take the line out');
  });

  atNight('counts again once its acknowledgement expired', async () => {
    const cwd = logs(TORN);
    await acked(cwd, 'sessions.jsonl:2');
    const [one] = acksIn(cwd);
    writeLines(cwd, DEFAULT_ACKS, [JSON.stringify({ ...one, expires: '2025-07-01' })]);
    const said = await alarm({ cwd });
    expect(said).toMatchObject({ code: 3, acknowledged: { rejects: 0 }, idle: [`${DEFAULT_ACKS}:1`] });
    expect(said.cannotVouch.map((finding) => finding.code)).toEqual(['rejects']);
  });

  test('that turned into another bad line is not settled', async () => {
    const cwd = logs(TORN);
    await acked(cwd, 'sessions.jsonl:2');
    writeLines(cwd, 'sessions.jsonl', [call(), `${TORN}r`]);
    const { code, cannotVouch, idle } = await alarm({ cwd });
    expect(code).toBe(3);
    expect(cannotVouch.map((finding) => finding.code)).toEqual(['rejects']);
    expect(idle).toEqual([`${DEFAULT_ACKS}:1`]);
  });

  test('is the same line in a copy: compressed, moved, with CRLF, behind a byte order mark', async () => {
    const cwd = logs(TORN);
    await acked(cwd, 'sessions.jsonl:2');
    const good = call();
    writeFileSync(path.join(cwd, 'crlf.jsonl'), `${good}\r\n\r\n${TORN}\r\n`);
    writeFileSync(path.join(cwd, 'bom.jsonl'), `\ufeff${TORN}\n${good}\n`);
    writeFileSync(path.join(cwd, 'zipped.jsonl.gz'), gzipSync(`${good}\n${TORN}\n`));
    for (const file of byDay(['crlf.jsonl', 'bom.jsonl', 'zipped.jsonl.gz'], 2)) {
      expect(await alarm({ cwd }, file), file).toMatchObject({ ...clear, acknowledged: { rejects: 1 } });
    }
    if (!nightly) return;
    const piped = await lakelog(['alarm', '-', '--json'], { cwd, stdin: `${good}\n${TORN}\n` });
    expect(piped.code, piped.stdout).toBe(0);
  });

  const UNKNOWN: readonly (readonly [string, string])[] = [
    ['an unknown schema', JSON.stringify({ schema: 'other.v9' })],
    ['no schema', JSON.stringify({ session_id: 'x' })],
    ['a schema that is no text', JSON.stringify({ schema: 1 })],
  ];
  test.each(byDay(UNKNOWN, 3))('with %s is settled by nothing', async (_, line) => {
    const cwd = logs(TORN, line);
    const { code, stderr, acks } = await ack(cwd, 'sessions.jsonl:3');
    expect({ code, acks }).toEqual({ code: 2, acks: [] });
    expect(stderr).toContain('sessions.jsonl:3');
    await acked(cwd, 'sessions.jsonl:2');
    const [one] = acksIn(cwd);
    const { stdout } = await lakelog(
      ['query', `SELECT line_sha256 FROM rejects WHERE line = 3`, '--format', 'jsonl'],
      { cwd },
    );
    appendFileSync(
      path.join(cwd, DEFAULT_ACKS),
      `${JSON.stringify({ ...one, ...JSON.parse(stdout), line: 3 })}\n`,
    );
    const said = await alarm({ cwd });
    expect(said.code).toBe(3);
    expect(said.cannotVouch.map((finding) => finding.code)).toEqual(['unknown_record']);
    expect(said.idle).toEqual([`${DEFAULT_ACKS}:2`]);
  });

  test('with two schemas is settled by nothing, as with one that is unknown', async () => {
    const cwd = logs(violation().replace('{', '{"schema":"other.v9",'));
    const { code, acks } = await ack(cwd, 'sessions.jsonl:2');
    expect({ code, acks }).toEqual({ code: 2, acks: [] });
  });

  test('too long is settled by all its bytes, not by those within the limit', async () => {
    const limit = ['--max-line-bytes', '1024'];
    const sound = call({ prompt: 'p'.repeat(2000), call_id: 'k1' });
    const cwd = logs(sound);
    await acked(cwd, 'sessions.jsonl:2', ...limit);
    expect(await alarm({ cwd }, ...limit)).toMatchObject(clear);
    writeLines(cwd, 'sessions.jsonl', [call(), sound.replace('"k1"', '"k2"')]);
    expect((await alarm({ cwd }, ...limit)).code).toBe(3);
  });

  test('what is settled does not use up --max-rejects, and what is left does', async () => {
    const cwd = logs(TORN, '{"x', '[]');
    await acked(cwd, 'sessions.jsonl:2');
    expect((await alarm({ cwd }, '--max-rejects', '1')).code).toBe(3);
    expect(await alarm({ cwd }, '--max-rejects', '2')).toMatchObject({
      code: 0,
      acknowledged: { rejects: 1 },
    });
    await acked(cwd, 'sessions.jsonl:3');
    expect(await alarm({ cwd }, '--max-rejects', '1')).toMatchObject({
      code: 0,
      acknowledged: { rejects: 2 },
    });
    expect((await alarm({ cwd })).code).toBe(3);
  });

  test('each kind of it can be settled, and then the rest of the file is as it was', async () => {
    const every = [
      TORN,
      'hello',
      '[1]',
      'null',
      call({ kind: 5 }),
      call({ iterations: 1.5 }),
      call({ timestamp: 'infinity' }),
      call({ final_verdict: 'maybe' }),
      call({ session_id: '' }),
      call().replace('{', '{"kind":"a",'),
      '{"a":"\\ud800"}',
    ];
    const bad = byDay(every, 6);
    const cwd = logs(...bad, violation());
    const all = await lakelog(['query', 'SELECT count(*) AS n FROM rejects', '--format', 'jsonl'], { cwd });
    expect(JSON.parse(all.stdout)).toEqual({ n: bad.length });
    for (const [i] of bad.entries()) await acked(cwd, `sessions.jsonl:${i + 2}`);
    const said = await alarm({ cwd });
    expect(said).toMatchObject({
      code: 1,
      acknowledged: { rejects: bad.length },
      cannotVouch: [],
      rows: [{ line: bad.length + 2 }],
    });
  }, 120_000);

  test('an end of file that is torn is settled while it is torn', async () => {
    const cwd = newFolder();
    const file = path.join(cwd, 'sessions.jsonl');
    const last = violation();
    writeFileSync(file, `${call()}\n${last.slice(0, -9)}`);
    const never = ['--pending-grace', '0'];
    await acked(cwd, 'sessions.jsonl:2', ...never);
    expect(await alarm({ cwd }, ...never)).toMatchObject(clear);
    writeFileSync(file, `${call()}\n${last}\n`);
    const said = await alarm({ cwd }, ...never);
    expect(said).toMatchObject({ code: 1, cannotVouch: [], idle: [`${DEFAULT_ACKS}:1`] });
  });

  atNight('of replay runs can be settled as well', async () => {
    const cwd = logs(replayRun({ run_id: 5 }));
    await acked(cwd, 'sessions.jsonl:2');
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { rejects: 1 } });
  });

  test('counts for every gate', async () => {
    const cwd = logs(TORN, call({ duration_ms: 1 }));
    mkdirSync(path.join(cwd, 'q'));
    writeFileSync(path.join(cwd, 'q/slow.sql'), ownGate());
    await acked(cwd, 'sessions.jsonl:2');
    expect(await ask(['slow', '--queries', 'q'], { cwd })).toMatchObject({
      ...clear,
      acknowledged: { rejects: 1 },
    });
  });

  test('FILE:LINE of the standard input can be given as it is printed', async () => {
    const cwd = newFolder();
    const ran = await lakelog(['ack', '-:2', '-', '--reason', 'r'], { cwd, stdin: `${call()}\n${TORN}\n` });
    expect(ran.code, ran.stderr).toBe(0);
  });
});

describe('FILE:LINE without a log', () => {
  test.each(
    exceptByDay(
      [
        ['logs/a.jsonl:2', 'alarm logs/a.jsonl'],
        ['./logs/../logs/a.jsonl:2', 'alarm ./logs/../logs/a.jsonl'],
      ],
      ['logs/a.jsonl:2'],
    ),
  )('%s: its file is the log', async (place, next) => {
    const cwd = newFolder();
    mkdirSync(path.join(cwd, 'logs'));
    writeLines(cwd, 'logs/a.jsonl', [call(), TORN, call()]);
    const ran = await ack(cwd, place);
    expect(ran).toMatchObject({ code: 0, acks: [{ what: 'reject', file: 'logs/a.jsonl', line: 2 }] });
    expect(ran.stderr).toBe(`→ next: lakelog ${next}\n`);
  });

  test('where a log is known it is that one', async () => {
    const cwd = logs();
    writeLines(cwd, 'other.jsonl', [call(), TORN]);
    const places = [
      ['other.jsonl:2', { LAKELOG_SESSIONS: 'sessions.jsonl' }],
      ['other.jsonl:2', {}],
    ] as const;
    for (const [place, env] of byDay(places, 2)) {
      const ran = await lakelog(['ack', place, '--reason', 'r'], { cwd, env });
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain('"other.jsonl:2" is no loaded call');
    }
  });

  test('that is not there is no log', async () => {
    const ran = await ack(newFolder(), 'none.jsonl:2');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('no input was named and none was found');
  });
});

describe('FILE:LINE as it is printed', () => {
  const ODD = 'o d\u202ed.jsonl';
  const folderOf = (...files: readonly string[]) => {
    const cwd = newFolder();
    mkdirSync(path.join(cwd, 'd'));
    for (const file of files) writeLines(cwd, `d/${file}`, [call(), violation({ call_id: file }), TORN]);
    return cwd;
  };

  test.each(exceptByDay([['a.jsonl'], [ODD]], ['a.jsonl']))(
    'by the alarm, of a call and of a rejected line: %j',
    async (file) => {
      const cwd = folderOf(file);
      const { stderr } = await lakelog(['alarm', './d'], { cwd });
      const places = [...stderr.matchAll(/\((\.\/d\/.*?:\d+)\)/g)].map(([, place]) => place!);
      expect(places.map((place) => place.replace(/.*:/, ''))).toEqual(['2', '3']);
      for (const place of places) await acked(cwd, place, './d');
      expect(await alarm({ cwd }, './d')).toMatchObject({ ...clear, acknowledged: { calls: 1, rejects: 1 } });
    },
  );

  atNight('by show', async () => {
    const cwd = folderOf(ODD);
    const { stdout } = await lakelog(['show', 'bad', 'd'], { cwd });
    const [place] = /d\/o d.*:2/.exec(stdout) ?? [];
    await acked(cwd, place!, 'd');
    expect((await alarm({ cwd }, 'd')).acknowledged).toMatchObject({ calls: 1 });
  });

  atNight('from another folder, whichever path leads to it', async () => {
    const cwd = folderOf('a.jsonl');
    const elsewhere = newFolder();
    const whole = path.join(cwd, 'd/a.jsonl');
    await acked(elsewhere, `${whole}:2`, path.join(cwd, 'd'));
    await acked(elsewhere, `${path.relative(elsewhere, whole)}:3`, path.join(cwd, 'd'));
    await acked(path.join(cwd, 'd'), `${whole}:3`, 'a.jsonl');
    expect(await alarm({ cwd: elsewhere }, path.join(cwd, 'd'))).toMatchObject(clear);
  });

  test('through a link, as the kernel follows it and not as the text reads', async () => {
    const cwd = newFolder();
    mkdirSync(path.join(cwd, 'e/f'), { recursive: true });
    symlinkSync('e/f', path.join(cwd, 'l'));
    for (const file of ['a.jsonl', 'e/a.jsonl'])
      writeLines(cwd, file, [call(), violation({ session_id: file })]);
    await acked(cwd, 'l/../a.jsonl:2', 'e/a.jsonl', 'a.jsonl');
    expect(acksIn(cwd)).toMatchObject([{ session_id: 'e/a.jsonl' }]);
  });

  atNight('alike for two files settles neither until one is named alone', async () => {
    const cwd = folderOf('x\u200by.jsonl', 'x\\u200by.jsonl');
    // The name that is written so goes before the one that is only printed so.
    await acked(cwd, 'd/x\\u200by.jsonl:2', 'd');
    expect(acksIn(cwd)).toMatchObject([{ file: 'd/x\\u200by.jsonl' }]);
    const twins = folderOf('\u200b\\u200b.jsonl', '\\u200b\u200b.jsonl');
    const { code, stderr, acks } = await ack(twins, 'd/\\u200b\\u200b.jsonl:2', 'd');
    expect({ code, acks }).toEqual({ code: 2, acks: [] });
    expect(stderr).toContain('2 files');
    await acked(twins, 'd/\\u200b\\u200b.jsonl:2', 'd/\u200b\\u200b.jsonl');
    expect(acksIn(twins)).toMatchObject([{ file: 'd/\u200b\\u200b.jsonl' }]);
  });

  test('of a line or a file that was not read settles nothing', async () => {
    const cwd = folderOf('a.jsonl', 'b.jsonl');
    for (const place of byDay(['d/b.jsonl:2', 'd/a.jsonl:1', 'd/a.jsonl:99', 'd/a.jsonl:', 'a.jsonl:2'], 2)) {
      const { code, acks } = await ack(cwd, place, 'd/a.jsonl');
      expect({ place, code, acks }).toEqual({ place, code: 2, acks: [] });
    }
  });
});

describe('what is said of it', () => {
  const NOT_SETTLED: readonly [string, string[]][] = [
    ['no reason', ['--reason', '']],
    ['the same in ASCII', ['--reason', '...']],
    ['white space', ['--reason', ' \t ']],
    ['the dots that show prints', ['--reason', '…']],
    ['no reason at all', []],
    ['a date that is no day', ['--reason', 'r', '--expires', '2999-02-30']],
    ['a month', ['--reason', 'r', '--expires', '2999-02']],
    ['an instant without offset', ['--reason', 'r', '--expires', '2999-02-01T00:00:00']],
    ['an instant of no day', ['--reason', 'r', '--expires', '2999-02-30T00:00:00Z']],
    ['an instant that is over', ['--reason', 'r', '--expires', '2020-02-01T00:00:00Z']],
    ['a number', ['--reason', 'r', '--expires', '7']],
    ['a duration of months', ['--reason', 'r', '--expires', '3mo']],
    ['a duration in words', ['--reason', 'r', '--expires', '7 days']],
    ['a duration beyond the calendar', ['--reason', 'r', '--expires', '999999w']],
    ['no duration at all', ['--reason', 'r', '--expires', '0s']],
    ['yesterday', ['--reason', 'r', '--expires', '2020-01-01']],
    ['nobody', ['--reason', 'r', '--author', ' ']],
    ['no gate', ['--reason', 'r', '--gate', 'first-shot-rate']],
    ['an unknown gate', ['--reason', 'r', '--gate', '__proto__']],
    ['an unknown parameter', ['--reason', 'r', '-p', 'nope=1']],
    ['a parameter without a value', ['--reason', 'r', '-p', 'allow_unjudged']],
  ];

  test.each(byDay(NOT_SETTLED, 7))('%s: exit 2, nothing is written', async (_, args) => {
    const cwd = logs(violation());
    const ran = await lakelog(['ack', 'bad', ...args], { cwd });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('→ ');
    expect(acksIn(cwd)).toEqual([]);
  });

  test.each(
    byDay(
      [
        ['90d', 90 * 86_400_000],
        ['26h', 26 * 3_600_000],
        ['90s', 90_000],
      ],
      3,
    ),
  )('for %s from now on', async (expires, ms) => {
    const cwd = logs(violation());
    await acked(cwd, 'bad', '--expires', expires);
    const [one] = acksIn(cwd);
    expect(one!.expires).toMatch(/T\d\d:\d\d:\d\dZ$/);
    const lasts = Date.parse(one!.expires!) - Date.parse(one!.at);
    expect(lasts - ms).toBeGreaterThanOrEqual(0);
    expect(lasts - ms).toBeLessThan(1_000);
    expect(await alarm({ cwd })).toMatchObject(clear);
    // The same, a moment after it ended.
    const ended = { ...one, expires: new Date(Date.now() - 1).toISOString() };
    writeLines(cwd, DEFAULT_ACKS, [JSON.stringify(ended)]);
    expect(await alarm({ cwd })).toMatchObject({ code: 1, idle: [`${DEFAULT_ACKS}:1`] });
  });

  atNight('until an instant of any offset, kept in UTC', async () => {
    const cwd = logs(violation());
    await acked(cwd, 'bad', '--expires', '2999-12-31T18:00:00+02:00');
    expect(acksIn(cwd)).toMatchObject([{ expires: '2999-12-31T16:00:00Z' }]);
    expect(await alarm({ cwd })).toMatchObject(clear);
  });

  const NO_OPTIONS = [
    ['--by', 'ops'],
    ['--until', '2999-12-31'],
  ];
  test.each(byDay(NO_OPTIONS, 2))('%s is no option of ack', async (...args) => {
    const cwd = logs(violation());
    const ran = await lakelog(['ack', 'bad', '--reason', 'r', ...args], { cwd });
    expect(ran.code).toBe(2);
    expect(acksIn(cwd)).toEqual([]);
  });

  test('today is a day that it holds', async () => {
    const cwd = logs(violation());
    const today = new Date().toISOString().slice(0, 10);
    // A day that ends between the two lines is the day after.
    await acked(cwd, 'bad', '--expires', today);
    expect(acksIn(cwd)).toMatchObject([{ expires: today }]);
  });

  test('who: --author, else LAKELOG_ACK_AUTHOR, else the account', async () => {
    const cwd = logs(violation());
    const named = (env: Record<string, string>, ...args: string[]) =>
      lakelog(['ack', 'bad', '--reason', 'r', ...args], { cwd, env });
    await named({ LAKELOG_ACK_AUTHOR: 'env' }, '--author', 'option');
    await named({ LAKELOG_ACK_AUTHOR: 'env' }, '--expires', '2d');
    await named({}, '--expires', '3d');
    const [option, env, account] = acksIn(cwd).map(({ author }) => author);
    expect([option, env]).toEqual(['option', 'env']);
    expect(account).toMatch(/\S/);
  });

  test('text of unknown origin never acts on a terminal, nor on GitHub', async () => {
    const evil = '\u001b]0;owned\u0007\u202e\r\n::error::forged%0A|<script>';
    const cwd = logs(violation({ session_id: `id${evil}`, call_id: `key${evil}`, model: evil }));
    const active = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
    const ran = await lakelog(
      [
        'ack',
        'sessions.jsonl:2',
        '--reason',
        `why${evil}`,
        '--author',
        `me${evil}`,
        '--acks',
        'a\u202e.jsonl',
      ],
      { cwd },
    );
    expect(ran.code, ran.stderr).toBe(0);
    expect(active.exec(ran.stdout + ran.stderr)).toBeNull();
    for (const format of byDay(['github', 'json', 'md', 'table', 'junit'], 3)) {
      const said = await lakelog(['alarm', '--acks', 'a\u202e.jsonl', '--format', format], { cwd });
      expect(said.code, said.stderr).toBe(0);
      expect(active.exec(said.stdout + said.stderr), format).toBeNull();
      expect(said.stdout).not.toMatch(/^::error/m);
      expect(said.stdout + said.stderr).toContain('acknowledged');
    }
    const story = await lakelog(['show', 'id', '--acks', 'a\u202e.jsonl'], { cwd });
    expect(story.stdout).toContain('acked');
    expect(active.exec(story.stdout + story.stderr)).toBeNull();
  });
});

describe('the file', () => {
  let spoiltLines = 0;

  const settledCopy = copiesOf(async () => {
    const cwd = logs(violation({ call_id: 'k1' }), violation({ call_id: 'k2' }));
    await acked(cwd, 'k1');
    await acked(cwd, 'k2');
    return cwd;
  });
  const settledFolder = async () => {
    const cwd = await settledCopy();
    return {
      cwd,
      file: path.join(cwd, DEFAULT_ACKS),
      lines: acksIn(cwd).map((line) => JSON.stringify(line)),
    };
  };

  test('is taken from --acks, else from the working folder', async () => {
    const { cwd, lines } = await settledFolder();
    expect((await alarm({ cwd })).code).toBe(0);
    writeLines(cwd, 'half.jsonl', [lines[0]!]);
    expect(await alarm({ cwd }, '--acks', 'half.jsonl')).toMatchObject({
      code: 1,
      acknowledged: { calls: 1, file: 'half.jsonl' },
    });
    const elsewhere = newFolder();
    const log = path.join(cwd, 'sessions.jsonl');
    expect(await alarm({ cwd: elsewhere }, log)).toMatchObject({
      code: 1,
      acknowledged: { calls: 0, rejects: 0, file: null },
    });
    const own = path.join(cwd, DEFAULT_ACKS);
    expect((await alarm({ cwd: elsewhere }, log, '--acks', own)).code).toBe(0);
  });

  test('is taken from LAKELOG_ACKS by whoever applies or writes it, and next commands name it', async () => {
    const { cwd, file } = await settledFolder();
    const elsewhere = newFolder();
    const log = path.join(cwd, 'sessions.jsonl');
    const from = { cwd: elsewhere, env: { LAKELOG_ACKS: file } };
    expect(await alarm(from, log)).toMatchObject({ ...clear, acknowledged: { calls: 2, file } });
    const { stderr } = await lakelog(['alarm', log], from);
    expect(stderr).toMatch(/acked +2 acknowledged: 2 calls \(.*lakelog-acks\.jsonl\)/);
    expect((await lakelog(['show', 'bad', log], from)).stdout).toContain('acked');
    appendFileSync(log, `${violation({ call_id: 'k3', session_id: 'bad3' })}\n`);
    const shown = await lakelog(['show', 'bad3', log], from);
    expect(commandsIn(shown.stderr)).toContainEqual(expect.stringContaining(`--acks ${file}`));
    const settled = await lakelog(['ack', 'k3', log, '--reason', 'r', '--author', 'ops'], from);
    expect(settled.code, settled.stderr).toBe(0);
    expect(acksIn(elsewhere)).toEqual([]);
    expect(await alarm(from, log)).toMatchObject({ ...clear, acknowledged: { calls: 3 } });
  });

  test('that --acks names goes before LAKELOG_ACKS, and that before the one of the working folder', async () => {
    const { cwd, lines } = await settledFolder();
    writeLines(cwd, 'half.jsonl', [lines[0]!]);
    writeFileSync(path.join(cwd, 'none.jsonl'), '');
    const used = async (env: Record<string, string>, ...args: string[]) =>
      (await alarm({ cwd, env }, ...args)).acknowledged;
    expect(await used({ LAKELOG_ACKS: 'none.jsonl' }, '--acks', 'half.jsonl')).toMatchObject({
      calls: 1,
      file: 'half.jsonl',
    });
    expect(await used({ LAKELOG_ACKS: 'half.jsonl' })).toMatchObject({ calls: 1, file: 'half.jsonl' });
    expect(await used({ LAKELOG_ACKS: '' })).toMatchObject({ calls: 2, file: DEFAULT_ACKS });
  });

  test('that LAKELOG_ACKS names and that is missing stops the gate', async () => {
    const ran = await lakelog(['alarm'], { cwd: logs(), env: { LAKELOG_ACKS: 'gone.jsonl' } });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('gone.jsonl');
    expect(ran.stderr).toContain('LAKELOG_ACKS');
  });

  test('beside the logs settles nothing, and is named with the option that applies it', async () => {
    const cwd = newFolder();
    mkdirSync(path.join(cwd, 'd d'));
    writeLines(cwd, 'd d/sessions.jsonl', [call(), violation({ call_id: 'k1' })]);
    await acked(cwd, 'k1', 'd d', '--acks', `d d/${DEFAULT_ACKS}`);
    const said = await alarm({ cwd }, 'd d');
    expect(said).toMatchObject({ code: 1, acknowledged: { calls: 0, rejects: 0, file: null } });
    const [hint] = said.notices;
    expect(hint).toContain(`--acks 'd d/${DEFAULT_ACKS}'`);
    expect(hint).toContain('LAKELOG_ACKS');
    const applied = await alarm({ cwd }, 'd d', '--acks', `d d/${DEFAULT_ACKS}`);
    expect(applied).toMatchObject({ ...clear, acknowledged: { calls: 1 } });
    expect(applied.notices.join()).not.toContain('--acks');
    const named = await alarm({ cwd, env: { LAKELOG_ACKS: `d d/${DEFAULT_ACKS}` } }, 'd d');
    expect(named).toMatchObject({ ...clear, acknowledged: { file: `d d/${DEFAULT_ACKS}` } });
    expect(named.notices.join()).not.toContain('--acks');
  });

  test('that is empty, or white space only, settles nothing', async () => {
    const { cwd, file } = await settledFolder();
    for (const text of byDay(['', '\n\r\n  \n', '\ufeff'], 2)) {
      writeFileSync(file, text);
      expect(await alarm({ cwd }), JSON.stringify(text)).toMatchObject({
        code: 1,
        acknowledged: { calls: 0, file: DEFAULT_ACKS },
      });
    }
  });

  test('may have CRLF, a byte order mark, blank lines and no end of its last line', async () => {
    const { cwd, file, lines } = await settledFolder();
    writeFileSync(file, `\ufeff\r\n${lines[0]}\r\n\r\n${lines[1]}`);
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { calls: 2 } });
    writeFileSync(
      file,
      `\ufeff\r\n${lines[0]}\r\n\r\n${JSON.stringify({ ...JSON.parse(lines[1]!), expires: '2025-07-01' })}`,
    );
    const said = await alarm({ cwd });
    expect(said).toMatchObject({ code: 1, idle: [`${DEFAULT_ACKS}:4`] });
  });

  const SPOILT: readonly [string, (line: string) => string][] = [
    ['torn', (line: string) => line.slice(0, -20)],
    ['two on one line', (line: string) => line + line],
    ['no object', () => '[]'],
    ['a number', () => '5'],
    ['another schema', (line: string) => line.replace('lakelog.ack.v1', 'lakelog.ack.v2')],
    ['no reason', (line: string) => line.replace('"looked at it"', '""')],
    ['a reason of white space', (line: string) => line.replace('"looked at it"', '" "')],
    ['nobody', (line: string) => line.replace('"ops"', 'null')],
    ['no gate', (line: string) => line.replace('"gate":"alarm",', '')],
    ['no limit', (line: string) => line.replace(',"expires":null', '')],
    ['a limit that is no day', (line: string) => line.replace('"expires":null', '"expires":"2025-02-30"')],
    [
      'a limit that is a number',
      (line: string) => line.replace('"expires":null', '"expires":99999999999999'),
    ],
    ['no stamp', (line: string) => line.replace('"grounded_in_roster":false,', '')],
    ['another thing', (line: string) => line.replace('"what":"call"', '"what":"*"')],
    ['a word too many', (line: string) => line.replace('{', '{"all":true,')],
    ['two limits', (line: string) => line.replace('{', '{"expires":"2025-07-01",')],
    ['two limits, spelt apart', (line: string) => line.replace('{', '{"expire\\u0073" :"2025-07-01",')],
  ];

  test.each(byDay(SPOILT, 5))('a line that is no acknowledgement stops the gate: %s', async (_, spoilt) => {
    const { cwd, file, lines } = await settledFolder();
    writeFileSync(file, `${lines[0]}\n\n${spoilt(lines[1]!)}\n`);
    // The three read it with the same function; by day each is seen to with some of the lines.
    const commands = [['alarm'], ['ack', 'k1', '--reason', 'r'], ['show', 'k1']];
    const turn = spoiltLines++ % commands.length;
    for (const command of nightly ? commands : [commands[0]!, ...(turn === 0 ? [] : [commands[turn]!])]) {
      const ran = await lakelog(command, { cwd });
      expect(ran.code, command[0]).toBe(2);
      expect(ran.stderr).toContain(`${DEFAULT_ACKS}:3`);
      expect(ran.stdout).toBe('');
    }
    expect(readFileSync(file, 'utf8')).toBe(`${lines[0]}\n\n${spoilt(lines[1]!)}\n`);
  });

  atNight('a reason may hold what looks like a field', async () => {
    const { cwd, file, lines } = await settledFolder();
    const reason = JSON.stringify('"expires":"2025-07-01", \\"expires\\": {}');
    writeFileSync(file, lines.map((line) => `${line.replace('"looked at it"', reason)}\n`).join(''));
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { calls: 2 } });
  });

  test('that is missing, a folder, or not readable stops the gate when it was named', async () => {
    const { cwd, file } = await settledFolder();
    chmodSync(cwd, 0o755);
    chmodSync(path.join(cwd, 'sessions.jsonl'), 0o644);
    mkdirSync(path.join(cwd, 'folder'));
    for (const name of byDay(['missing.jsonl', 'sessions.jsonl/x', 'folder', 'folder/', ''], 2)) {
      const ran = await lakelog(['alarm', '--acks', name], { cwd });
      expect(ran.code, name).toBe(2);
      expect(ran.stdout).toBe('');
    }
    chmodSync(file, 0o000);
    const root = process.getuid?.() === 0;
    const ran = await spawned(['alarm'], { cwd, ...(root ? { uid: 65534 } : {}) });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(DEFAULT_ACKS);
  });

  test('that exists as a folder or a link to nowhere is not the same as none', async () => {
    const cwd = logs();
    mkdirSync(path.join(cwd, DEFAULT_ACKS));
    expect((await lakelog(['alarm'], { cwd })).code).toBe(2);
    const linked = logs();
    symlinkSync('nowhere/acks.jsonl', path.join(linked, DEFAULT_ACKS));
    const ran = await lakelog(['ack', 'x', '--reason', 'r'], { cwd: linked });
    expect(ran.code).toBe(2);
  });

  test('is read through a link and never written through one', async () => {
    const { cwd, file } = await settledFolder();
    symlinkSync(DEFAULT_ACKS, path.join(cwd, 'link.jsonl'));
    expect((await alarm({ cwd }, '--acks', 'link.jsonl')).code).toBe(0);
    const before = readFileSync(file, 'utf8');
    const { code, stderr } = await ack(cwd, 'k1', '--acks', 'link.jsonl', '--expires', '2d');
    expect(code).toBe(2);
    expect(stderr).toContain('link.jsonl');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('in a folder that cannot be written to: exit 2 and nothing is said to be settled', async () => {
    const cwd = logs(violation());
    chmodSync(cwd, 0o555);
    const root = process.getuid?.() === 0;
    const ran = await spawned(['ack', 'bad', '--reason', 'r', '--author', 'ops'], {
      cwd,
      ...(root ? { uid: 65534 } : {}),
    });
    chmodSync(cwd, 0o755);
    expect(ran.code).toBe(2);
    expect(ran.stdout).not.toContain('settled');
    expect(ran.stderr).toContain(DEFAULT_ACKS);
    expect(acksIn(cwd)).toEqual([]);
  });

  test('never takes a log for itself', async () => {
    const cwd = logs(violation());
    const before = readFileSync(path.join(cwd, 'sessions.jsonl'), 'utf8');
    expect((await ack(cwd, 'bad', '--acks', 'sessions.jsonl')).code).toBe(2);
    expect((await lakelog(['alarm', '--acks', 'sessions.jsonl'], { cwd })).code).toBe(2);
    expect(readFileSync(path.join(cwd, 'sessions.jsonl'), 'utf8')).toBe(before);
  });

  test('whose last line has no end gets one before the next line', async () => {
    const { cwd, file, lines } = await settledFolder();
    writeFileSync(file, lines[0]!);
    await acked(cwd, 'k2');
    expect(acksIn(cwd)).toHaveLength(2);
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { calls: 2 } });
  });

  test('takes lines of several people at once', async () => {
    const many = Array.from({ length: nightly ? 8 : 3 }, (_, i) =>
      violation({ call_id: `k${i}`, session_id: `s${i}` }),
    );
    const cwd = logs(...many);
    await Promise.all(many.map((_, i) => acked(cwd, `k${i}`)));
    expect(acksIn(cwd)).toHaveLength(many.length);
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { calls: many.length } });
  });

  test('expired, or speaking of what is gone: silences nothing, and each line is named', async () => {
    const { cwd, file, lines } = await settledFolder();
    const gone = JSON.stringify({ ...JSON.parse(lines[0]!), call_key: 'gone' });
    const expired = JSON.stringify({ ...JSON.parse(lines[0]!), expires: '2025-07-01' });
    writeFileSync(file, `${lines[1]}\n${gone}\n${lines[0]}\n`);
    expect(await alarm({ cwd })).toMatchObject({ ...clear, idle: [`${DEFAULT_ACKS}:2`] });
    writeFileSync(file, `${lines[1]}\n${expired}\n`);
    const said = await alarm({ cwd });
    expect(said).toMatchObject({
      code: 1,
      rows: [{ line: 2 }],
      acknowledged: { calls: 1 },
      cannotVouch: [],
      idle: [`${DEFAULT_ACKS}:2`],
    });
    expect(said.stderr).toContain('2025-07-01');
    await acked(cwd, 'k1');
    expect(await alarm({ cwd })).toMatchObject({ ...clear, acknowledged: { calls: 2 } });
  });

  test.each(byDay(['validate', 'first-shot-rate', 'query'], 3))('is no option of %s', async (command) => {
    const ran = await lakelog([command, '--acks', 'x'], { cwd: logs() });
    expect(ran.code).toBe(2);
  });

  test('the receipt always says how much is acknowledged', async () => {
    const ran = await lakelog(['alarm'], { cwd: logs() });
    expect(ran.stderr).toMatch(/acked +0 acknowledged/);
  });

  test('beside the logs it is no log: the alarm on the folder stays settled', async () => {
    const cwd = logs(violation());
    await acked(cwd, 'bad', '.');
    const ran = await lakelog(['alarm', '.'], { cwd });
    expect(ran.code, ran.stderr).toBe(0);
  });

  test('a pipe without a writer does not hold cron up for ever', async () => {
    const cwd = logs();
    execFileSync('mkfifo', [path.join(cwd, DEFAULT_ACKS)]);
    const child = start(['alarm'], { cwd });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, 15_000, 'late'));
    const code = await Promise.race([ended, late]);
    child.kill('SIGKILL');
    expect(code).toBe(2);
  });
});
