import { beforeAll, describe, expect, test } from 'vitest';
import { call, newFolder, replayRun, withoutColour, writeLines } from '../support/cli.js';
import { lakelog } from '../support/program.js';

const ESC = '\u001b';
/** Whatever a terminal could act on or that draws nothing; line feeds are ours. */
const ACTIVE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const EVIL = `${ESC}]0;owned\u0007${ESC}[2J\u009b31m\u202egnp.exe\u2066\u200b\r\n\t\u0000|\u2028`;

describe('text of unknown origin is shown, never emitted', () => {
  let folder: string;
  const file = `${EVIL.replaceAll('\u0000', '').replaceAll('/', '')}.jsonl`;

  beforeAll(() => {
    folder = newFolder();
    const evil = {
      session_id: `id${EVIL}`,
      model: `model${EVIL}`,
      daemon: `daemon${EVIL}`,
      provider: `provider${EVIL}`,
      environment: `environment${EVIL}`,
      writer_id: `writer${EVIL}`,
    };
    writeLines(folder, file, [
      call({ ...evil, grounded_in_roster: false, seq: 1 }),
      call({ ...evil, grounded_in_roster: null, seq: 9 }),
      call({ ...evil, kind: `kind${EVIL}` }),
      call({ ...evil, kind: `fill${EVIL}` }),
      call({ ...evil, kind: 'Fill\u200b' }),
      call({ ...evil, call_id: EVIL }),
      call({ ...evil, call_id: EVIL, prompt: 'x' }),
      call({ ...evil, final_verdict: EVIL }),
      call({ ...evil, timestamp: EVIL }),
      call({ ...evil, schema: EVIL }),
      call({ ...evil, iterations: EVIL }),
      `{"${EVIL}`,
      replayRun({ ...evil, run_id: 5, model: EVIL }),
      replayRun({ documents: EVIL }),
    ]);
  });

  const commands: readonly (readonly string[])[] = [
    ['alarm', '.'],
    ['alarm', '.', '--gated-kind', `kind${EVIL.replaceAll('\u0000', '')}`],
    [
      'first-shot-rate',
      '.',
      ...['model', 'provider', 'kind', 'daemon', 'environment'].flatMap((by) => ['--by', by]),
    ],
    ['validate', '.'],
  ];

  for (const format of ['table', 'json', 'jsonl', 'csv', 'md']) {
    for (const [i, args] of commands.entries()) {
      test(`${args[0]} (${i + 1}) as ${format}`, async () => {
        const ran = await lakelog([...args, '--format', format], { cwd: folder });
        expect([0, 1, 3]).toContain(ran.code);
        expect(ran.stdout.length + ran.stderr.length).toBeGreaterThan(200);
        expect(ACTIVE.exec(ran.stdout)?.[0]).toBeUndefined();
        expect(ACTIVE.exec(ran.stderr)?.[0]).toBeUndefined();
      });
    }
  }

  test('with colour forced there is colour and nothing else', async () => {
    for (const args of commands) {
      const ran = await lakelog(args, { cwd: folder, env: { FORCE_COLOR: '1' } });
      expect(ACTIVE.exec(withoutColour(ran.stdout + ran.stderr))?.[0]).toBeUndefined();
    }
  });

  const text = EVIL.replaceAll('\u0000', '');
  test.each<[string, readonly string[], Record<string, string>?]>([
    ['a missing file', ['alarm', `gone${text}`]],
    ['a bad time', ['alarm', '.', '--since', text]],
    ['a bad zone', ['alarm', '.', '--tz', text]],
    ['a bad age', ['alarm', '.', '--max-age', text]],
    ['a kind that is not gated', ['alarm', '.', '--kind', text]],
    ['a bad number', ['alarm', '.', '--min-judged', text]],
    ['a bad format', ['alarm', '.', '--format', text]],
    ['a bad group', ['first-shot-rate', '.', '--by', text]],
    ['a file name that looks like an option', ['alarm', `--${text}.jsonl`]],
    ['an unknown command', [`x${text}`]],
    ['an unknown record', ['schema', '--json-schema', text]],
    ['a file that is missing by the environment', ['alarm'], { LAKELOG_SESSIONS: text.replaceAll(':', '') }],
  ])('in messages: %s', async (_, args, env = {}) => {
    const ran = await lakelog(args, { cwd: folder, env });
    expect(ran.code).not.toBe(0);
    expect(ACTIVE.exec(ran.stdout + ran.stderr)?.[0]).toBeUndefined();
  });
});

test('formulas are defused in CSV cells', async () => {
  const folder = newFolder();
  const formulas = [
    '=cmd|" /C calc"!A0',
    '+1+1',
    '-2+3',
    '@SUM(1)',
    '\t=1',
    '\r=1',
    ' =1',
    '"=1',
    '＝1',
    'a;=1',
    'a,=1',
    'a\n=1',
  ];
  writeLines(
    folder,
    'sessions.jsonl',
    formulas.map((model) => call({ model, grounded_in_roster: false })),
  );
  const ran = await lakelog(['first-shot-rate', 'sessions.jsonl', '--format', 'csv'], { cwd: folder });
  const models = csv(ran.stdout)
    .slice(1)
    .map(([model]) => model!);
  expect(models).toHaveLength(formulas.length);
  for (const model of models) expect(model).not.toMatch(/^[\s"]*[=+\-@\t\r＝]/);
});

/** RFC 4180, well enough for a test. */
function csv(text: string): string[][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    );
}
