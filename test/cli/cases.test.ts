/** Inputs that went wrong, found in the field and by attack, by the kind of fault: each kind has siblings here, for the next one to be found by. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { EMPTY, raw, SKIPPABLE } from '../lake-input/zst-samples.js';
import { byDay, call, command, newFolder, nightly, replayRun, unwrapped } from '../support/cli.js';
import { lakelog } from '../support/program.js';
import { needsShell, wordsOf } from '../support/terminal.js';

interface Case {
  /** What is true of it. */
  readonly name: string;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** A line of bash in a folder of its own, in which `lakelog` is the built binary. */
  readonly line: string;
  readonly exit: readonly number[];
  /** Looked for in what it wrote to stdout and stderr together. */
  readonly has?: readonly RegExp[];
  readonly not?: readonly RegExp[];
}

const line = (changes: object = {}) => `${call({ ...changes })}\n`;
/** With a member more, as it is written. */
const plus = (member: string, record = line()) => record.replace(/\}\n$/, `,${member}}\n`);
const GOOD = line();
const BAD = line({ session_id: 'the-violation', grounded_in_roster: false });
const unstamped = (changes: object) => line({ grounded_in_roster: undefined, ...changes });
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const MARK = '\ufeff';
const wide = (text: string) => Buffer.from(text, 'utf16le');

const KINDS: Readonly<Record<string, readonly Case[]>> = {
  'SQL and rules judge the same text': [
    {
      name: 'a kind that begins with U+FEFF',
      files: { 's.jsonl': GOOD + line({ kind: `${MARK}fill`, grounded_in_roster: false }) },
      line: 'lakelog alarm s.jsonl',
      exit: [1, 3],
    },
    {
      name: 'such a kind is gated where it was named',
      files: { 's.jsonl': GOOD + line({ kind: `${MARK}fill`, grounded_in_roster: false }) },
      line: `lakelog alarm --gated-kind fill --gated-kind '${MARK}fill' s.jsonl`,
      exit: [1],
    },
    {
      name: 'a verdict of other letters is no verdict',
      files: { 's.jsonl': GOOD + line({ final_verdict: `accepted${MARK}`, grounded_in_roster: false }) },
      line: 'lakelog alarm s.jsonl',
      exit: [3],
      has: [/value:final_verdict/],
    },
    {
      name: 'a text keeps its first character',
      files: { 's.jsonl': line({ model: `${MARK}m` }) + line({ model: 'm' }) },
      line: 'lakelog query "SELECT model, LENGTH(model) AS n FROM sessions ORDER BY n" s.jsonl --format json',
      exit: [0],
      has: [/"(\ufeff|\\ufeff)m"/i],
    },
  ],
  'paths are what the kernel opens': [
    ...[
      ['an argument', 'lakelog alarm link/../sessions.jsonl'],
      ['a folder', 'lakelog alarm link/..'],
      ['a pattern', "lakelog alarm 'link/../*.jsonl'"],
      ['the environment', 'LAKELOG_SESSIONS=link/../sessions.jsonl lakelog alarm'],
      ['an option', 'lakelog alarm --sessions link/../sessions.jsonl'],
    ].map(([name, run]) => ({
      name: name!,
      files: { 'real/sub/keep.txt': '', 'real/sessions.jsonl': BAD, 'sessions.jsonl': GOOD },
      line: `ln -s real/sub link; ${run}`,
      exit: [1],
      has: [/the-violation/],
    })),
  ],
  'what is empty cannot vouch': [
    {
      name: 'a .gz of 0 bytes',
      files: { 'a.jsonl': GOOD, 'b.jsonl.gz': '' },
      line: 'lakelog alarm a.jsonl b.jsonl.gz',
      exit: [3],
    },
    {
      name: 'a .zst of 0 bytes',
      files: { 'a.jsonl': GOOD, 'b.jsonl.zst': '' },
      line: 'lakelog alarm a.jsonl b.jsonl.zst',
      exit: [3],
    },
    {
      name: 'an archive of nothing',
      files: { 'a.jsonl': GOOD, 'b.jsonl.gz': gzipSync('') },
      line: 'lakelog alarm a.jsonl b.jsonl.gz',
      exit: [3],
    },
    { name: 'stdin', files: { 'a.jsonl': GOOD }, line: 'lakelog alarm a.jsonl - </dev/null', exit: [3] },
    {
      name: 'an old file',
      files: { 'a.jsonl': GOOD, 'b.jsonl': '' },
      line: 'touch -d "2 days ago" b.jsonl; lakelog alarm a.jsonl b.jsonl',
      exit: [3],
    },
    { name: 'all there is', files: { 'b.jsonl': '' }, line: 'lakelog alarm b.jsonl', exit: [3] },
    {
      name: 'but for a file that was just rotated',
      files: { 'a.jsonl': GOOD, 'b.jsonl': '' },
      line: 'lakelog alarm a.jsonl b.jsonl',
      exit: [0],
      has: [/notice/],
    },
  ],
  'a size of 0 may be a lie': [
    ...['alarm a.jsonl $F', 'alarm $F', 'alarm --sessions $F'].map((args) => ({
      name: args,
      files: { 'a.jsonl': GOOD, 'b.jsonl': BAD },
      line: `bash -c 'exec -a "$0" sleep 15' "$(cat b.jsonl)
" & P=$!; sleep .3; F=/proc/$P/cmdline; lakelog ${args}; R=$?; kill $P; exit $R`,
      exit: [1],
      has: [/the-violation/],
    })),
  ],
  'content decides what is a log': [
    {
      name: 'another name',
      files: { 'd/a.jsonl': GOOD, 'd/part-00000.json': BAD },
      line: 'lakelog alarm d',
      exit: [1],
    },
    {
      name: 'no ending at all, in a folder below',
      files: { 'd/a.jsonl': GOOD, 'd/e/f/LOG': BAD },
      line: 'lakelog alarm d',
      exit: [1, 3],
    },
    {
      name: 'another name, compressed',
      files: { 'd/a.jsonl': GOOD, 'd/part-00000': gzipSync(BAD) },
      line: 'lakelog alarm d',
      exit: [1],
    },
    {
      name: 'a first line that is torn',
      files: { 'd/a.jsonl': GOOD, 'd/b.jsonl': `{"schema":"session.it\n${BAD}` },
      line: 'lakelog alarm d',
      exit: [1],
    },
    {
      name: 'a first line of NUL bytes',
      files: { 'd/a.jsonl': GOOD, 'd/b.jsonl': `${'\0'.repeat(512)}\n${BAD}` },
      line: 'lakelog alarm d',
      exit: [1],
    },
    {
      name: 'another object first',
      files: { 'd/a.jsonl': GOOD, 'd/b.jsonl': `{"a":1}\n${BAD}` },
      line: 'lakelog alarm d',
      exit: [1],
    },
    {
      name: 'a result beside the logs is none',
      files: { 'd/a.jsonl': GOOD },
      line: 'lakelog first-shot-rate d -o d/report.jsonl >/dev/null && lakelog alarm d',
      exit: [0],
    },
    {
      name: "other people's JSON is none",
      files: {
        'd/a.jsonl': GOOD,
        'd/package.json': '{\n "name": "x"\n}\n',
        'd/events.jsonl': '{"event":1}\n{"event":2}\n',
      },
      line: 'lakelog alarm d',
      exit: [0],
    },
    {
      name: 'a pipe is never opened',
      files: { 'd/a.jsonl': GOOD },
      line: 'mkfifo d/p.jsonl; timeout 10 lakelog alarm d',
      exit: [0, 3],
      has: [/p\.jsonl|pipe|notice/],
    },
  ],
  'rotation at work does not flap': [
    {
      name: 'a half-written .gz beside its plain file',
      files: { 'd/s.jsonl': GOOD, 'd/s.jsonl.1': line(), 'd/s.jsonl.1.gz': gzipSync(line()).subarray(0, 40) },
      line: 'lakelog alarm d',
      exit: [0],
    },
    {
      name: 'an old half-written .gz is damaged',
      files: { 'd/s.jsonl': GOOD, 'd/s.jsonl.1': line(), 'd/s.jsonl.1.gz': gzipSync(line()).subarray(0, 40) },
      line: 'touch -d "2 days ago" d/s.jsonl.1.gz; lakelog alarm d',
      exit: [3],
    },
    {
      name: 'a half-written .gz alone is damaged',
      files: { 'd/s.jsonl': GOOD, 'd/s.jsonl.1.gz': gzipSync(line()).subarray(0, 40) },
      line: 'lakelog alarm d',
      exit: [3],
    },
  ],
  '--max-age judges what was selected': [
    {
      name: 'by a filter',
      files: { 's.jsonl': line({ daemon: 'A' }) + line({ daemon: 'B', timestamp: minutesAgo(1) }) },
      line: 'lakelog alarm --daemon A --max-age 26h s.jsonl',
      exit: [3],
    },
    {
      name: 'by the same filter, of today',
      files: { 's.jsonl': line({ daemon: 'A' }) + line({ daemon: 'B', timestamp: minutesAgo(1) }) },
      line: 'lakelog alarm --daemon B --max-age 26h s.jsonl',
      exit: [0],
    },
    {
      name: 'by the gate',
      files: { 's.jsonl': GOOD + unstamped({ kind: 'email', timestamp: minutesAgo(1) }) },
      line: 'lakelog alarm --max-age 26h s.jsonl',
      exit: [3],
    },
    {
      name: 'whatever the replay runs',
      files: { 's.jsonl': `${GOOD}${replayRun({ timestamp: minutesAgo(1) })}\n` },
      line: 'lakelog alarm --max-age 26h s.jsonl',
      exit: [3],
    },
  ],
  'instants beyond four digits of a year': [
    {
      name: 'are in the future',
      files: { 's.jsonl': line({ timestamp: '9999-12-31T23:59:59-23:59' }) + unstamped({ kind: 'email' }) },
      line: 'lakelog alarm s.jsonl',
      exit: [3],
      has: [/9999-12-31T23:59:59/],
    },
    {
      name: 'are too old',
      files: { 's.jsonl': line({ timestamp: '0000-01-01T00:00:00+23:59' }) },
      line: 'lakelog alarm --max-age 26h s.jsonl',
      exit: [3],
    },
    {
      name: 'violate like others',
      files: { 's.jsonl': BAD.replace('2025-06-01T08:00:00Z', '0000-01-01T00:00:00+23:59') },
      line: 'lakelog alarm s.jsonl',
      exit: [1],
    },
  ],
  'kinds that a person reads as a gated one': [
    ...['f\u0456ll', 'FILL', 'fíll', 'fi\u200bll', 'ﬁll', 'fill '].map((kind) => ({
      name: JSON.stringify(kind),
      files: { 's.jsonl': GOOD + unstamped({ kind }) },
      line: 'lakelog alarm s.jsonl',
      exit: [3],
    })),
    {
      name: 'not another word',
      files: { 's.jsonl': GOOD + unstamped({ kind: 'bill' }) },
      line: 'lakelog alarm s.jsonl',
      exit: [0],
    },
  ],
  'what is no JSON does not load': [
    ...[
      ['NaN', plus('"x":NaN')],
      ['infinity in what nobody reads', plus('"artifact":{"a":[-Infinity]}')],
      ['a trailing comma', line().replace(/\}\n$/, ',}\n')],
      ['a trailing comma within', plus('"artifact":[1,]')],
      ['a comment', plus('"x":1 /* y */')],
      ['single quotes', plus("'x':1")],
      ['half a surrogate pair', plus('"x":"\\ud800"')],
      ['two records on a line', line().replace('\n', '') + line()],
    ].map(([name, bad]) => ({
      name: name!,
      files: { 's.jsonl': GOOD + bad },
      line: 'lakelog validate s.jsonl',
      exit: [3],
      has: [/bad_json/],
    })),
    ...[
      ['a field twice', plus('"artifact":{"w":1},"artifact":{"w":2}')],
      ['a field twice, once escaped', plus('"daemo\\u006e":"b"')],
    ].map(([name, bad]) => ({
      name: name!,
      files: { 's.jsonl': GOOD + bad },
      line: 'lakelog alarm s.jsonl',
      exit: [3],
      has: [/duplicate_key/],
    })),
  ],
  'reasons in true words': [
    {
      name: 'the digits of a number',
      files: { 's.jsonl': plus('"writer_id":"w","seq":9007199254740993') },
      line: 'lakelog validate s.jsonl',
      exit: [3],
      has: [/9007199254740993/],
      not: [/9007199254740992/],
    },
    {
      name: 'more digits',
      files: { 's.jsonl': plus('"max_iterations":-123456789012345678901') },
      line: 'lakelog validate s.jsonl',
      exit: [3],
      has: [/-123456789012345678901/, /2\^53/],
    },
    {
      name: 'a run of NUL bytes',
      files: { 's.jsonl': `${GOOD}${'\0'.repeat(64)}\n${line()}` },
      line: 'lakelog validate s.jsonl',
      exit: [3],
      has: [/64 NUL bytes/],
    },
    {
      name: 'UTF-16 without a mark',
      files: { 's.jsonl': wide(GOOD + line()) },
      line: 'lakelog validate s.jsonl',
      exit: [3],
      has: [/UTF-16/],
    },
    {
      name: 'UTF-16 with one',
      files: { 's.jsonl': wide(MARK + GOOD + line()) },
      line: 'lakelog validate s.jsonl',
      exit: [3],
      has: [/UTF-16/],
    },
    {
      name: 'a leap second',
      files: { 's.jsonl': line({ timestamp: '2016-12-31T23:59:60Z' }) },
      line: 'lakelog validate s.jsonl',
      exit: [3],
      has: [/leap second/],
    },
    {
      name: 'a mark in the middle',
      files: { 's.jsonl': `${GOOD}${MARK}${line()}` },
      line: 'lakelog alarm s.jsonl',
      exit: [0],
      has: [/byte order mark.*s\.jsonl:2/],
    },
    {
      name: 'none of a mark in front',
      files: { 's.jsonl': `${MARK}${GOOD}${line()}` },
      line: 'lakelog alarm s.jsonl',
      exit: [0],
      not: [/byte order mark/],
    },
  ],
  'parts of an archive': [
    {
      name: 'members of a .gz',
      files: { 's.jsonl.gz': Buffer.concat([gzipSync(GOOD), gzipSync(BAD)]) },
      line: 'lakelog alarm s.jsonl.gz',
      exit: [1],
    },
    {
      name: 'members that are empty',
      files: { 's.jsonl.gz': Buffer.concat([GOOD, '', BAD, ''].map((text) => gzipSync(text))) },
      line: 'lakelog alarm s.jsonl.gz',
      exit: [1],
    },
    {
      name: 'frames of a .zst',
      files: { 's.jsonl.zst': Buffer.concat([raw(GOOD), raw(BAD)]) },
      line: 'lakelog alarm s.jsonl.zst',
      exit: [1],
    },
    {
      name: 'frames that are empty or to be skipped',
      files: { 's.jsonl.zst': Buffer.concat([SKIPPABLE, raw(GOOD), EMPTY, SKIPPABLE, raw(BAD), SKIPPABLE]) },
      line: 'lakelog alarm s.jsonl.zst',
      exit: [1],
    },
    {
      name: 'a line that goes on in the next',
      files: { 's.jsonl.gz': Buffer.concat([gzipSync(BAD.slice(0, 99)), gzipSync(BAD.slice(99))]) },
      line: 'lakelog alarm s.jsonl.gz',
      exit: [1],
    },
    {
      name: 'garbage behind them',
      files: { 's.jsonl.gz': Buffer.concat([gzipSync(GOOD), Buffer.from(BAD)]) },
      line: 'lakelog alarm s.jsonl.gz',
      exit: [3],
    },
  ],
  '1 is for gates that fired and for nothing else': [
    {
      name: 'the folder is gone',
      files: { 's.jsonl': GOOD },
      line: 'P=$PWD; mkdir w; cd w; rmdir ../w; lakelog alarm $P/s.jsonl',
      exit: [0, 2],
      not: [/uv_cwd|node:internal/],
    },
    {
      name: 'the folder is gone, and no file named',
      line: 'mkdir w; cd w; rmdir ../w; lakelog alarm',
      exit: [2, 3],
      not: [/uv_cwd|node:internal/],
    },
    { name: 'no command', line: 'lakelog', exit: [0, 2] },
    { name: 'a command that is none', line: 'lakelog alram', exit: [2] },
    {
      name: 'SQL that is none',
      files: { 's.jsonl': GOOD },
      line: 'lakelog query "SELEC" s.jsonl',
      exit: [2],
    },
    {
      name: 'a copy into a pipe that nobody reads',
      files: { 's.jsonl': GOOD },
      line: 'mkfifo f.xml; timeout -k 2 8 lakelog alarm s.jsonl --output f.xml',
      exit: [2],
    },
    {
      name: 'a clear gate into a full disk',
      files: { 's.jsonl': GOOD },
      line: 'lakelog alarm s.jsonl --json >/dev/full',
      exit: [2],
    },
  ],
  'a gate that fired ends with 1': [
    ...[
      ['stdout is full', 'lakelog alarm s.jsonl >/dev/full'],
      ['stderr is full', 'lakelog alarm s.jsonl 2>/dev/full'],
      ['nobody reads', `lakelog alarm s.jsonl | true; exit \${PIPESTATUS[0]}`],
      ['stdout is closed', 'lakelog alarm s.jsonl >&-'],
      ['the copy has no place', 'lakelog alarm s.jsonl --output none/r.xml'],
      ['the copy is a folder', 'mkdir r.xml; lakelog alarm s.jsonl --output r.xml'],
      ['there is no place to write', 'TMPDIR=/nonexistent lakelog alarm s.jsonl'],
      ['there is no home', 'HOME=/nonexistent lakelog alarm s.jsonl'],
      ['another input is missing', 'lakelog alarm s.jsonl none.jsonl'],
    ].map(([name, run]) => ({
      name: name!,
      files: { 's.jsonl': BAD },
      line: run!,
      exit: [1],
      not: [/defect of lakelog/],
    })),
    {
      name: 'long lines stand beside',
      files: {
        's.jsonl': `${line({ prompt: 'y'.repeat(2_000_000) })}${BAD}${line({ prompt: 'z'.repeat(2_000_000) })}null\n`,
      },
      line: 'lakelog alarm s.jsonl',
      exit: [1],
    },
  ],
  'folders in environment and configuration mean what they mean as arguments': [
    {
      name: 'the environment',
      files: { 'd/sessions.jsonl': GOOD, 'd/replay_runs.jsonl': `${replayRun()}\n` },
      line: 'LAKELOG_SESSIONS=$PWD/d lakelog alarm',
      exit: [0],
    },
    {
      name: 'the configuration',
      files: {
        'd/sessions.jsonl': BAD,
        'd/replay_runs.jsonl': `${replayRun()}\n`,
        'lakelog.toml': 'sessions = ["d/"]\n',
      },
      line: 'lakelog alarm',
      exit: [1],
    },
    {
      name: 'an option',
      files: { 'd/sessions.jsonl': GOOD, 'd/replay_runs.jsonl': `${replayRun()}\n` },
      line: 'lakelog alarm --sessions d',
      exit: [0],
    },
  ],
  'statements that mean every column': [
    ...[
      'TABLE sessions',
      'SELECT DISTINCT ON (kind) * FROM sessions',
      'SELECT s FROM sessions s',
      "SELECT COLUMNS('prov.*') FROM sessions",
      'FROM sessions',
      'SELECT * EXCLUDE (model) FROM sessions',
    ].map((sql) => ({
      name: sql,
      files: { 's.jsonl': line({ provider: 'acme' }) },
      line: `lakelog query "${sql}" s.jsonl --format json`,
      exit: [0],
      has: [/acme/],
    })),
  ],
  'hexadecimal ids whatever their spelling': [
    ...[
      '4BF92F35-77B3-4DA6-A3CE-929D0E0E4736',
      '4bf92f3577b34da6a3ce929d0e0e4736',
      '4BF92F35',
      '4bf92f35-77b3',
    ].map((id) => ({
      name: id,
      files: {
        's.jsonl': line({ session_id: '4bf92f3577b34da6a3ce929d0e0e4736' }) + line({ session_id: 'other' }),
      },
      line: `lakelog show ${id} s.jsonl`,
      exit: [0],
      has: [/4bf92f3577b34da6a3ce929d0e0e4736/],
    })),
    {
      name: 'of a log that spells it with dashes',
      files: { 's.jsonl': line({ session_id: '4BF92F35-77B3-4DA6-A3CE-929D0E0E4736' }) },
      line: 'lakelog show 4bf92f3577b34da6a3ce929d0e0e4736 s.jsonl',
      exit: [0],
    },
  ],
};

let bin: string;
beforeAll(() => {
  bin = newFolder();
  const { file, args } = command([]);
  const wrapper = path.join(bin, 'lakelog');
  writeFileSync(wrapper, `#!/bin/sh\nexec '${file}' '${args[0]}' "$@"\n`);
  chmodSync(wrapper, 0o755);
});

/** A line that needs words of a shell only is run in this process, which takes a third of the time. */
const isPlain = (line: string) => !nightly && /^lakelog\b/.test(line) && !needsShell(line);

async function play({ files = {}, line }: Case): Promise<{ code: number | null; text: string }> {
  const cwd = newFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true });
    writeFileSync(path.join(cwd, name), content);
  }
  if (isPlain(line)) {
    const { code, stdout, stderr } = await lakelog(wordsOf(line, cwd), { cwd });
    return { code, text: `${stdout}\n${stderr}` };
  }
  const { options } = command([]);
  const env = { ...options.env, PATH: `${bin}:${options.env.PATH}` };
  const ran = spawnSync('bash', ['-c', line], { cwd, env, encoding: 'utf8', input: '', timeout: 40_000 });
  if (ran.error) throw ran.error;
  return { code: ran.status, text: `${ran.stdout}\n${ran.stderr}` };
}

describe.each(Object.entries(KINDS))('%s', (_kind, cases) => {
  test.each(byDay(cases, 2))('$name', async (one) => {
    const { code, text } = await play(one);
    expect(code, text).toBeOneOf([...one.exit]);
    for (const pattern of one.has ?? []) expect(unwrapped(text)).toMatch(pattern);
    for (const pattern of one.not ?? []) expect(text).not.toMatch(pattern);
  });
});
