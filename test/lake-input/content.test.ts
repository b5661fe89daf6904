import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { type Content, contentIn as contentAs, contentOf } from '../../src/lake/input/content.js';
import { statOf } from '../../src/lake/input/index.js';
import fc, { character } from '../support/fast-check.js';
import { tempFolder } from '../support/lake.js';

const RECORD = '{"schema":"session.iterate.v1","session_id":"a"}';
const ACK = '{"schema":"lakelog.ack.v1"}';
const of = (bytes: string | Buffer) => contentOf(Buffer.from(bytes as string));
const contentIn = (file: string, passed: readonly Content[] = ['acks', 'objects']) =>
  contentAs(file, statOf(file)!, passed);
const utf16 = (text: string) => Buffer.from(text, 'utf16le');

describe('a line says that it is a record', () => {
  test.each<[string, string | Buffer]>([
    ['the only one', RECORD],
    ['a replay run', '{"schema":"replay.run.v1"}\n'],
    ['of a later version', '{"schema":"session.iterate.v12"}\n'],
    ['the last of many others', `${'{"a":1}\n'.repeat(1000)}${RECORD}\n`],
    ['behind a torn one', `{"schema":"session.it\n${RECORD}\n`],
    ['behind a text that does not end', `{"a":"\n${RECORD}\n`],
    ['behind NUL bytes and a line feed', `${'\0'.repeat(512)}\n${RECORD}\n`],
    ['behind NUL bytes', `${'\0'.repeat(512)}${RECORD}\n`],
    ['behind bytes that are no UTF-8', Buffer.concat([Buffer.from([0xff, 0xc0, 10]), Buffer.from(RECORD)])],
    ['behind a byte order mark', `\ufeff${RECORD}\n`],
    ['in UTF-16', utf16(`{"a":1}\r\n${RECORD}\r\n`)],
    ['in UTF-16 with its mark', utf16(`\ufeff${RECORD}\r\n`)],
    ['in UTF-16, big end first', utf16(`\ufeff${RECORD}\r\n`).swap16()],
    ['between acknowledgements', `${ACK}\n${RECORD}\n${ACK}\n`],
    ['with a field in front', '{"a":{"b":[1,{"schema":"x"}]},"c":"}","schema":"replay.run.v1"}\n'],
    ['with spaces', ' { "schema" : "replay.run.v1" }\r\n'],
    ['in escapes', '{"sch\\u0065ma":"replay.run\\u002ev1"}\n'],
    ['twice', '{"schema":"replay.run.v1","schema":"other"}\n'],
    ['with a value that is no JSON', '{"x":NaN,"schema":"replay.run.v1","y":01,}\n'],
    ['behind a text with quotes', '{"t":"\\"{\\\\","schema":"replay.run.v1"}\n'],
    ['cut behind it', '{"schema":"session.iterate.v1","prompt":"aaaaaaa'],
  ])('%s', (_, bytes) => {
    expect(of(bytes)).toBe('records');
  });

  test.each<[string, string]>([
    ['in a text', JSON.stringify({ text: RECORD })],
    ['in a text that is cut', `{"text":"${RECORD.replaceAll('"', '\\"')}`],
    ['in an object inside', `{"record":${RECORD}}`],
    ['in a list', `[${RECORD}]`],
    ['in a list inside', `{"records":[${RECORD}]}`],
    ['as a name', '{"session.iterate.v1":"schema"}'],
    ['as another field', '{"format":"session.iterate.v1"}'],
    ['with more behind it', '{"schema":"session.iterate.v1x"}'],
    ['in prose', `INFO wrote ${RECORD}`],
    ['of another program', '{"schema":"session.iterate"}'],
    ['without quotes', '{schema:session.iterate.v1}'],
    ['as a member of nothing', '"schema":"session.iterate.v1"'],
  ])('but not %s', (_, line) => {
    expect(of(`${line}\n`)).not.toBe('records');
    expect(of(line)).not.toBe('records');
  });
});

describe('what else it may be', () => {
  test.each<[Content, string, string]>([
    ['acks', 'acknowledgements', `${ACK}\n${ACK}\n`],
    ['acks', 'acknowledgements, the last unfinished', `${ACK}\n\n{"schema":"lak`],
    ['unclear', 'acknowledgements and something else', `${ACK}\nnot json\n`],
    ['unclear', 'acknowledgements and an object', `${ACK}\n{"a":1}\n`],
    ['objects', 'objects', '{"a":1}\n{"b":{"schema":"x"}}\n'],
    ['objects', 'objects, the last cut', '{"a":1}\n{"b":'],
    ['objects', 'one object without a line feed', '{"a":1}'],
    ['objects', 'objects behind a byte order mark', '\ufeff{"a":1}\n'],
    ['objects', 'objects between blank lines', '\n \r\n{"a":1}\r\n'],
    ['unclear', 'nothing', ''],
    ['unclear', 'blank lines', '\n\n \n'],
    ['unclear', 'the beginning of a line', '{"a":"'],
    ['unclear', 'objects and a torn line between', '{"a":1}\n{"b":\n{"a":1}\n'],
    ['unclear', 'an object with another schema', '{"a":1}\n{"schema":"other"}\n'],
    ['unclear', 'an object with no text for a schema', '{"schema":5}\n'],
    ['unclear', 'lists', '[1]\n'],
    ['unclear', 'words', 'hello\n'],
    ['unclear', 'null', 'null\n'],
    ['unclear', 'objects, and NUL bytes', `{"a":1}\n${'\0'.repeat(4096)}`],
    ['unclear', 'objects, and what begins no object', `{"a":1}\nxx${RECORD}`],
  ])('%s: %s', (content, _, bytes) => {
    expect(of(bytes)).toBe(content);
  });
});

test('a record is found among any other lines, and none where there is none', () => {
  const other = fc.oneof(
    fc.json().filter((text) => !text.includes('\n')),
    fc.string({ unit: character }).map((text) => text.replaceAll('\n', '')),
    fc.json().map((text) => text.slice(0, text.length / 2)),
    fc.json().map((text) => JSON.stringify({ text: `${RECORD}${text}` })),
  );
  fc.assert(
    fc.property(
      fc.array(other),
      fc.array(other),
      fc.dictionary(fc.string(), fc.jsonValue()),
      (before, after, more) => {
        const { schema: _, ...rest } = more;
        const record = JSON.stringify({ ...rest, schema: 'session.iterate.v1' });
        expect(of([...before, record, ...after].join('\n'))).toBe('records');
        expect(of([...before, ...after].join('\n'))).not.toBe('records');
      },
    ),
  );
});

describe('a line that goes on beyond what is looked at', () => {
  const long = 'x'.repeat(70_000);
  /** Nobody can compress these. */
  const noise = Array.from({ length: 70_000 }, (_, i) => ((i * i * 31 + i * 17) % 89).toString(36)).join('');
  const record = (text: string) => JSON.stringify({ prompt: text, schema: 'session.iterate.v1' });
  const others = '{"a":1}\n'.repeat(8_191);

  test.each<[Content, string, string]>([
    ['records', 'a record behind another object', `{"started":true}\n${record(long)}\n`],
    ['records', 'more of it than one piece', `{"started":true}\n${record(noise.repeat(9))}\n{"a":1}\n`],
    ['records', 'without its end', `{"started":true}\n${record(long)}`],
    [
      'records',
      'one that begins with the last byte',
      `${'{"a":1}\n'.repeat(8_190)}{"b":12345678}\n${record(long)}\n`,
    ],
    ['records', 'the first one, which says so at its end', `${record(long)}\n{"a":1}\n`],
    ['records', 'behind what is no JSON', `hello\n${record(long)}\n`],
    ['records', 'behind an acknowledgement', `${ACK}\n${record(long)}\n`],
    [
      'acks',
      'one more acknowledgement',
      `${ACK}\n${JSON.stringify({ reason: long, schema: 'lakelog.ack.v1' })}\n`,
    ],
    ['objects', 'one that is none', `{"a":1}\n${JSON.stringify({ text: long })}\n{"a":1}\n`],
    ['objects', 'lines of others', others.repeat(3)],
    ['unclear', 'one that is cut', `{"a":1}\n${record(long).slice(0, -30)}`],
    ['unclear', 'one that is no JSON', `{"a":1}\n${long}\n`],
    [
      'unclear',
      'one that is longer than a line may be',
      `{"a":1}\n${JSON.stringify({ text: 'x'.repeat(17 << 20) })}\n`,
    ],
  ])('%s: %s', async (content, _, text) => {
    const file = path.join(tempFolder(), 'sessions.jsonl');
    for (const bytes of [text, gzipSync(text)]) {
      writeFileSync(file, bytes);
      expect(await contentIn(file)).toBe(content);
    }
  });
});

describe('an archive', () => {
  const header = '{"started":1}\n';
  const record = `${JSON.stringify({ prompt: 'y'.repeat(500), schema: 'session.iterate.v1' })}\n`;
  const kindOf = async (bytes: Buffer) => {
    const file = path.join(tempFolder(), 'sessions.jsonl.gz');
    writeFileSync(file, bytes);
    return contentIn(file);
  };

  test('cut anywhere in front of its record is never taken for other objects', async () => {
    const whole = gzipSync(header + record);
    for (let length = 2; length < whole.length; length++)
      expect(await kindOf(whole.subarray(0, length)), `${length}`).not.toBe('objects');
  });

  test.each<[string, Buffer]>([
    ['with bytes behind its end', Buffer.concat([gzipSync(header), Buffer.from(record)])],
    ['with zeros, and bytes behind these', Buffer.concat([gzipSync(header), Buffer.from(`\0${record}`)])],
    ['damaged behind other objects', Buffer.concat([gzipSync(header), gzipSync(record).fill(7, 12, 20)])],
  ])('%s', async (_, bytes) => expect(await kindOf(bytes)).toBe('unread'));

  const noise = Array.from({ length: 90_000 }, (_, i) =>
    String.fromCharCode(33 + ((i * 7919 + ((i * i) >> 3)) % 57)),
  )
    .join('')
    .replaceAll(/["\\]/g, '_');
  test.each<[string, Buffer]>([
    ['whose beginning is stored', gzipSync(header + record.repeat(99), { level: 0 })],
    [
      'whose text begins behind its head',
      Buffer.concat([...Array.from({ length: 4_000 }, () => gzipSync('')), gzipSync(record)]),
    ],
    [
      'of more members',
      Buffer.concat([gzipSync(header), gzipSync(JSON.stringify({ prompt: noise, schema: 'replay.run.v1' }))]),
    ],
  ])('%s is known as a log', async (_, bytes) => {
    expect(gunzipSync(bytes).length).toBeGreaterThan(500);
    expect(await kindOf(bytes)).toBe('records');
  });
});

test('what a text escapes is gone through once, whatever it is', () => {
  const head = `{"schema":"${'\\"'.repeat(32_000)}\\\rx`;
  for (let i = 0; i < 50; i++) expect(of(`${head}\n`)).toBe('unclear');
});

test('where another file took the name, or it was cut, whoever reads it finds out', async () => {
  const file = path.join(tempFolder(), 'sessions.jsonl');
  writeFileSync(file, `{"a":1}\n${RECORD}\n`);
  const found = statOf(file)!;
  expect(await contentAs(file, found, ['objects'])).toBe('records');
  writeFileSync(file, '{"a":1}\n');
  expect(await contentAs(file, found, ['objects'])).toBe('records');
  renameSync(file, `${file}.1`);
  writeFileSync(file, `{"a":1}\n${'{"b":2}\n'.repeat(99)}`);
  expect(await contentAs(file, found, ['objects'])).toBe('records');
});

test('a pipe that took the name is not waited for', async () => {
  const file = path.join(tempFolder(), 'sessions.jsonl');
  writeFileSync(file, '{"a":1}\n');
  const found = statOf(file)!;
  rmSync(file);
  execFileSync('mkfifo', [file]);
  expect(await contentAs(file, found, ['objects'])).toBe('records');
});

describe('a line of megabytes, which takes fifty times its room where it is parsed', () => {
  const numbers = (length: number) => `[${'0,'.repeat(length / 2)}0]`;
  test.each<[Content, string]>([
    ['objects', `{"a":${numbers(3 << 20)}}\n`],
    ['records', `{"a":${numbers(3 << 20)},"schema":"session.iterate.v1"}\n`],
    ['unclear', `{"a":${numbers(3 << 20)},"schema":"another"}\n`],
    ['records', `{"a":${numbers(3 << 20)},"sch\\u0065ma" : "session.it\\u0065rate\\u002Ev1"}\n`],
    ['records', `{"a":${numbers(3 << 20)},"schema":"replay.run.v\\u0031"}\n`],
    ['unclear', `{"a":${numbers(3 << 20)},"sch\\u0066ma":"session.iterate.v1"}\n`],
    ['unclear', `${numbers(3 << 20)}\n`],
  ])('%s', async (content, text) => {
    const file = path.join(tempFolder(), 'export');
    writeFileSync(file, text);
    const parse = vi.spyOn(JSON, 'parse');
    try {
      expect(await contentIn(file)).toBe(content);
      expect(Math.max(0, ...parse.mock.calls.map(([given]) => given.length))).toBeLessThan(1 << 20);
    } finally {
      parse.mockRestore();
    }
  });
});

describe('a first line that is longer than the head is judged as a short one is', () => {
  const long = 'x'.repeat(70_000);
  test.each<[Content, string, string]>([
    ['records', 'NUL bytes in front of it', `${'\0'.repeat(70_000)}${RECORD}\n`],
    ['records', 'a number that is none', `{"prompt":"${long}","score":NaN,"schema":"session.iterate.v1"}\n`],
    ['records', 'torn', `{"prompt":"${long}","schema":"session.iterate.v1","a\n`],
    ['unclear', 'it only speaks of one', `{"prompt":"${long}{\\"schema\\":\\"session.iterate.v1\\"}",NaN}\n`],
    ['unclear', 'text', `${long}\n`],
    ['objects', 'an object', `{"prompt":"${long}"}\n`],
  ])('%s: %s', async (content, _, text) => {
    const file = path.join(tempFolder(), 'export');
    writeFileSync(file, text);
    expect(await contentIn(file)).toBe(content);
  });
});

describe('what begins otherwise, and is a log at its end', () => {
  const head = `${'{"level":"info"}\n'.repeat(5_000)}`;
  test.each<[Content, string, string]>([
    ['records', 'objects of an earlier form', `${head}${RECORD}\n`],
    ['records', 'a text', `${'starting\n'.repeat(9_000)}${RECORD}\n{"schema":"session.it`],
    ['records', 'acknowledgements', `${`${ACK}\n`.repeat(3_000)}${RECORD}\n`],
    ['objects', 'objects all along', `${head}${head}`],
    ['objects', 'a text of it in the last one', `${head}{"a":${JSON.stringify(RECORD)}}\n`],
    ['acks', 'acknowledgements all along', `${ACK}\n`.repeat(9_000)],
  ])('%s: %s', async (content, _, text) => {
    expect(text.length).toBeGreaterThan(70_000);
    const file = path.join(tempFolder(), 'sessions.jsonl');
    writeFileSync(file, text);
    expect(await contentIn(file)).toBe(content);
  });
});

describe('what is called as a log, and begins and ends otherwise, is looked through', () => {
  const others = `${'{"level":"info","msg":"\\u003cservice>"}\n'.repeat(30_000)}`;
  const escaped = '{"sch\\u0065ma":"replay.run\\u002Ev1"}';
  const long = JSON.stringify({ prompt: 'x'.repeat(3 << 20), schema: 'session.iterate.v1' });
  const utf16 = Buffer.from(`${RECORD}\n`, 'utf16le').toString('latin1');
  const cases: readonly [Content, string, string][] = [
    ['records', 'a record in the midst', `${others}${RECORD}\n${others}`],
    ['records', 'one that is escaped', `${others}${escaped}\n${others}`],
    ['records', 'one of megabytes', `${others}${long}\n${others}`],
    ['records', 'one of two bytes a character', `${others}${utf16}${others}`],
    [
      'records',
      'one behind a line that is longer than a line may be',
      `${others}${'x'.repeat(17 << 20)}\n${RECORD}\n${others}`,
    ],
    [
      'records',
      'one that is longer than a line may be',
      `${others}{"schema":"replay.run.v1","x":"${'x'.repeat(17 << 20)}"}\n${others}`,
    ],
    ['objects', 'none', others.repeat(2)],
    [
      'objects',
      'what only speaks of one',
      `${others}${JSON.stringify({ text: RECORD })}\n{"a":${RECORD}}\n${others}`,
    ],
    ['acks', 'acknowledgements', `${ACK}\n`.repeat(60_000)],
  ];
  test.each(cases)('%s: %s', async (content, _, text) => {
    const file = path.join(tempFolder(), 'sessions.jsonl');
    for (const bytes of [Buffer.from(text, 'latin1'), gzipSync(Buffer.from(text, 'latin1'), { level: 1 })]) {
      writeFileSync(file, bytes);
      expect(await contentIn(file)).toBe(content);
    }
  });

  test('wherever it stands between the pieces that are read', async () => {
    const file = path.join(tempFolder(), 'sessions.jsonl');
    const line = '{"level":"info"}\n';
    for (const at of [0, 1, 20, 40, RECORD.length, RECORD.length + 1]) {
      const before = (1 << 20) - at;
      const fill = `${line.repeat(Math.floor(before / line.length) - 1)}`;
      const pad = `{"a":"${'x'.repeat(before - fill.length - 9)}"}\n`;
      writeFileSync(file, `${fill}${pad}${RECORD}\n${line.repeat(9_000)}`);
      expect(await contentIn(file), `${at}`).toBe('records');
    }
  });

  test('damage behind its head hides nothing', async () => {
    const file = path.join(tempFolder(), 'sessions.jsonl.gz');
    const noise = Array.from({ length: 40_000 }, (_, i) => `{"n":${(i * 7_919) % 100_003}}\n`).join('');
    const whole = gzipSync(`${noise}${RECORD}\n`);
    writeFileSync(file, whole);
    expect(await contentIn(file)).toBe('records');
    writeFileSync(file, whole.subarray(0, -40));
    expect(await contentIn(file)).toBe('unread');
    writeFileSync(file, Buffer.from(whole).fill(7, whole.length - 60, whole.length - 50));
    expect(await contentIn(file)).toBe('unread');
  });

  test('what is unclear too, where it is called as acknowledgements are', async () => {
    const file = path.join(tempFolder(), 'lakelog-acks.jsonl');
    writeFileSync(file, `<<<<<<< ours\n${`${ACK}\n`.repeat(3_000)}${RECORD}\n${`${ACK}\n`.repeat(3_000)}`);
    expect(await contentIn(file)).toBe('unclear');
    expect(await contentIn(file, ['acks', 'unclear'])).toBe('records');
  });

  test('not so where it is called otherwise', async () => {
    const file = path.join(tempFolder(), 'service.log');
    writeFileSync(file, `${others}${RECORD}\n${others}`);
    expect(await contentIn(file, [])).toBe('objects');
  });
});
