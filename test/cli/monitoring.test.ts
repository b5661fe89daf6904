import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { violation } from '../support/acks.js';
import { call, newFolder, root, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const NOW = new Date('2026-09-01T08:00:00.250Z');
const now = () => NOW;

interface Series {
  readonly type: string;
  readonly labels: string;
  readonly value: number;
}

/** Reads the text format as its specification has it, and refuses whatever is not. */
function parse(text: string): Record<string, Series> {
  expect(text.endsWith('\n')).toBe(true);
  const series: Record<string, Series> = {};
  let [help, type] = ['', ['', '']];
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (\S.*)$/.exec(line);
    if (comment?.[1] === 'HELP') help = comment[2]!;
    else if (comment) {
      expect(comment[2]).toBe(help);
      type = [comment[2]!, comment[3]!];
    } else {
      const [, name, labels, value] =
        /^([a-zA-Z_:][\w:]*)(\{(?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)*\}) (\S+)$/.exec(line)!;
      expect(name).toBe(type[0]);
      expect(series).not.toHaveProperty(name!);
      expect(Number.isFinite(Number(value))).toBe(true);
      series[name!] = { type: type[1]!, labels: labels!, value: Number(value) };
    }
  }
  return series;
}

const values = (text: string) =>
  Object.fromEntries(
    Object.entries(parse(text)).map(([name, { value }]) => [name.replace('lakelog_', ''), value]),
  );

function folder(...lines: string[]): string {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', lines);
  return cwd;
}

const read = (cwd: string, name = 'lakelog.prom') => readFileSync(path.join(cwd, name), 'utf8');
const runAt = NOW.getTime() / 1_000;
const newest = Date.parse('2025-06-01T08:00:00Z') / 1_000;

describe('what monitoring watches', () => {
  test.each([
    ['clear', [call(), call()], 0, { judged: 2, rejected: 0 }],
    ['fired', [call(), violation()], 1, { judged: 2, rejected: 0 }],
    ['cannot vouch', [call(), '{"x'], 3, { judged: 1, rejected: 1 }],
  ])('of a gate that is %s, on stdout and in a file', async (_, lines, code, counts) => {
    const cwd = folder(...lines);
    const ran = await lakelog(['alarm', '--format', 'prom', '-o', 'lakelog.prom', '--pending-grace', '0'], {
      cwd,
      now,
    });
    expect(ran.code).toBe(code);
    expect(values(ran.stdout)).toEqual({
      gate_exit: code,
      ...counts,
      newest_record_timestamp_seconds: newest,
      run_timestamp_seconds: runAt,
    });
    expect(read(cwd)).toBe(ran.stdout);
    // Another user reads it, and half a file is none.
    expect(statSync(path.join(cwd, 'lakelog.prom')).mode & 0o777).toBe(0o644);
    expect(readdirSync(cwd).sort()).toEqual(['lakelog.prom', 'sessions.jsonl']);
  });

  test('each series says its type and its gate', async () => {
    const ran = await lakelog(['alarm', '--format', 'prom'], { cwd: folder(call()) });
    for (const { type, labels } of Object.values(parse(ran.stdout))) {
      expect([type, labels]).toEqual(['gauge', '{gate="alarm"}']);
    }
  });

  test('nothing is loaded: no newest record, and 3', async () => {
    const ran = await lakelog(['alarm', 'gone.jsonl', '--format', 'prom'], { now });
    expect(values(ran.stdout)).toEqual({
      gate_exit: 3,
      judged: 0,
      rejected: 0,
      run_timestamp_seconds: runAt,
    });
  });

  test("of a question of one's own", async () => {
    const cwd = folder(call());
    mkdirSync(path.join(cwd, 'q'));
    writeFileSync(path.join(cwd, 'q/my-gate.sql'), readFileSync(path.join(root, 'queries/alarm.sql')));
    const args = ['--queries', 'q', 'my-gate', '-o', 'lakelog.prom'];
    expect((await lakelog(args, { cwd })).code).toBe(0);
    expect(read(cwd)).toContain('lakelog_gate_exit{gate="my-gate"} 0\n');
    expect((await lakelog([...args, '--max-age', 'x'], { cwd })).code).toBe(2);
    expect(read(cwd)).toContain('lakelog_gate_exit{gate="my-gate"} 2\n');
  });
});

describe('a run that fails leaves no green file', () => {
  test.each([
    ['a value that is none', ['--max-age', 'soon', '-o', 'lakelog.prom']],
    ['an option that there is not', ['--no-such', '--output', 'lakelog.prom']],
    ['an option without its value', ['-olakelog.prom', '--max-age']],
    ['filters that leave nothing', ['--output=lakelog.prom', '--kind', 'email']],
    ['another copy that cannot be written', ['-o', 'lakelog.prom', '-o', 'no/such/x.json']],
    ['a broken acknowledgement', ['-o', 'lakelog.prom', '--acks', 'broken.jsonl']],
  ])('%s', async (_, args) => {
    const cwd = folder(call());
    writeFileSync(path.join(cwd, 'broken.jsonl'), '{}\n');
    expect((await lakelog(['alarm', '-o', 'lakelog.prom'], { cwd })).code).toBe(0);
    expect(values(read(cwd))).toMatchObject({ gate_exit: 0 });
    expect((await lakelog(['alarm', ...args], { cwd, now })).code).toBe(2);
    expect(values(read(cwd))).toEqual({ gate_exit: 2, run_timestamp_seconds: runAt });
  });

  test('a gate that there is not', async () => {
    const cwd = folder(call());
    expect((await lakelog(['alarmm', '-o', 'lakelog.prom'], { cwd })).code).toBe(2);
    expect(read(cwd)).toContain('lakelog_gate_exit{gate="alarmm"} 2\n');
  });

  test('stdout says it too', async () => {
    for (const args of [
      ['--format', 'prom', '--max-age', 'x'],
      ['--format=prom', '--no-such'],
    ]) {
      const ran = await lakelog(['alarm', ...args], { cwd: folder(call()), now });
      expect(ran.code).toBe(2);
      expect(values(ran.stdout)).toEqual({ gate_exit: 2, run_timestamp_seconds: runAt });
    }
  });

  test('a log that is named by mistake stays', async () => {
    const cwd = newFolder();
    const file = writeLines(cwd, 'log.prom', [call()]);
    const before = readFileSync(file, 'utf8');
    expect((await lakelog(['alarm', 'log.prom', '-o', 'log.prom'], { cwd })).code).toBe(2);
    expect((await lakelog(['alarm', '--no-such', '-o', 'log.prom'], { cwd })).code).toBe(2);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

test('a question that is no gate has nothing to watch', async () => {
  const cwd = folder(call());
  for (const args of [['first-shot-rate'], ['query', 'SELECT 1 AS a'], ['validate']]) {
    expect((await lakelog([...args, '--format', 'prom'], { cwd })).code).toBe(2);
    expect((await lakelog([...args, '-o', 'x.parquet.prom'], { cwd })).code).toBe(2);
  }
  expect(existsSync(path.join(cwd, 'lakelog.prom'))).toBe(false);
});
