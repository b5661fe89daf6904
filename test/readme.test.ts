import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { optionName } from '../src/query/params.js';
import { atNight, byDay, nightly } from './support/cli.js';
import { catalogue, root, tempFolder } from './support/lake.js';
import { lakelog } from './support/program.js';
import { needsShell, wordsOf } from './support/terminal.js';

const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** A folder with the fixtures where `lakelog` is on the path, as after `npm link`. */
function sandbox() {
  const folder = tempFolder();
  cpSync(path.join(root, 'fixtures'), path.join(folder, 'fixtures'), { recursive: true });
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(path.join(root, 'bin/lakelog.js'), path.join(bin, 'lakelog'));
  chmodSync(path.join(root, 'bin/lakelog.js'), 0o755);
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: folder, TMPDIR: folder };
  return { folder, env };
}

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1]!,
  );
}

function marked(name: string): string {
  const [, body] = new RegExp(`<!-- ${name} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(readme) ?? [];
  if (body === undefined) throw new Error(`README.md has no block marked ${name}`);
  return body;
}

describe('README', () => {
  test('the set-up and test lines are single command lines, which .ci/run executes', () => {
    expect(marked('setup').trim().split('\n')).toHaveLength(1);
    expect(marked('tests').trim().split('\n')).toHaveLength(1);
    const ci = readFileSync(path.join(root, '.ci/run'), 'utf8');
    expect(ci).toContain('"$(readme setup)"');
    expect(ci).toContain('$(readme tests)');
  });

  test('the screenful is what the first command line prints', () => {
    const { folder, env } = sandbox();
    const { stdout, stderr, status } = spawnSync('lakelog', ['alarm', 'fixtures/healthy'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(withoutAge(marked('screen'))).toBe(withoutAge(stdout + stderr));
  });

  test('the alarm that fires is what a terminal of 80 columns shows, down to the receipt', async () => {
    const { folder } = sandbox();
    const shown: string[] = [];
    const screen = { columns: 80, write: (text: string) => void shown.push(text) };
    const { code } = await lakelog(['alarm', 'fixtures/alarm'], {
      cwd: folder,
      env: { NO_COLOR: '1', LANG: 'C.UTF-8' },
      screen,
    });
    expect(code).toBe(1);
    const [command, ...lines] = marked('fired').trimEnd().split('\n');
    expect(command).toBe('$ lakelog alarm fixtures/alarm');
    expect(lines.pop()).toMatch(/^… and the receipt\b/);
    const text = shown.join('').replace(/[^\n]*\r\x1b\[2K/g, '');
    expect(text.split('\n').slice(0, lines.length)).toEqual(lines);
    expect(text.split('\n')[lines.length]).toMatch(/^\d+ lines = /);
  });

  test('the phantom that a stamp of true hid is what a terminal of 80 columns shows, down to the receipt', async () => {
    const { folder } = sandbox();
    const shown: string[] = [];
    const screen = { columns: 80, write: (text: string) => void shown.push(text) };
    const args = ['alarm', 'fixtures/healthy', '--roster', 'fixtures/roster.csv'];
    const { code } = await lakelog(args, { cwd: folder, env: { NO_COLOR: '1', LANG: 'C.UTF-8' }, screen });
    expect(code).toBe(1);
    const [command, ...lines] = marked('recomputed').trimEnd().split('\n');
    expect(command).toBe(`$ lakelog ${args.join(' ')}`);
    expect(lines.pop()).toMatch(/^… and the receipt\b/);
    const text = shown.join('').replace(/[^\n]*\r\x1b\[2K/g, '');
    expect(text.split('\n').slice(0, lines.length)).toEqual(lines);
    expect(text.split('\n')[lines.length]).toMatch(/^\d+ lines = /);
    expect(lines.join('\n')).toContain('W-0423');
  });

  test('a lake reads the logs once', async () => {
    const { folder } = sandbox();
    const [first, second] = marked('lake')
      .trimEnd()
      .split(/^(?=\$ )/m)
      .map((block) => block.trimEnd().split('\n'));
    for (const [command, ...lines] of [first!, second!]) {
      const args = command!.replace('$ lakelog ', '').split(' ');
      const { code, stderr } = await lakelog(args, { cwd: folder, env: { NO_COLOR: '1', LANG: 'C.UTF-8' } });
      expect(code).toBe(0);
      const shown = lines.filter((line) => line !== '…');
      expect(stderr.split('\n').filter((line) => shown.includes(line))).toEqual(shown);
    }
    const args = ['alarm', '--lake', 'lake.duckdb', '--json'];
    const { receipt } = JSON.parse((await lakelog(args, { cwd: folder })).stdout) as {
      receipt: { lake: object; files: readonly { lines: number }[] };
    };
    expect(receipt.lake).toMatchObject({ new_bytes: 0, new_files: 0, earlier_files: 2 });
    expect(receipt.files.map(({ lines }) => lines)).toEqual([359, 400]);
  });

  // The tour asks what its own first line wrote: test/validatord/smoke.test.ts walks it in order.
  const commands = blocks('sh')
    .filter((block) => block !== marked('tour'))
    .flatMap((block) => block.split('\n'))
    // What is installed elsewhere is tried by .ci/run.
    .filter((line) => /\blakelog\b/.test(line) && !/^np[mx] /.test(line));
  test.each(byDay(commands, 2).map((line, i) => [line, i] as const))('%s', async (line, i) => {
    const { folder, env } = sandbox();
    const wanted = Number(/# exit (\d)/.exec(line)?.[1] ?? 0);
    // What needs its shell gets it, and of the rest some do.
    if (!nightly && i % 12 > 0 && line.startsWith('lakelog ') && !needsShell(line)) {
      const { code, stdout, stderr } = await lakelog(wordsOf(line, folder), { cwd: folder });
      expect({ code, output: stdout.length + stderr.length > 0 }).toEqual({ code: wanted, output: true });
      return;
    }
    const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', line], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect({ status, output: stdout.length + stderr.length > 0 }).toEqual({ status: wanted, output: true });
  });

  test('at most ten commands of this page lead from a clone to the story of the fired trace, and to a report', () => {
    const { folder, env } = sandbox();
    const run = (line: string) => spawnSync('bash', ['-c', line], { cwd: folder, env, encoding: 'utf8' });
    // The first installs and builds, which .ci/run does.
    const [alarm, show, ack] = marked('chain').trimEnd().split('\n');
    const report = commands.find((line) => line.startsWith('lakelog report '))!;
    const lines = [marked('setup').trim(), alarm!, show!, ack!, report];
    expect(lines.length).toBeLessThanOrEqual(10);
    const fired = run(alarm!);
    expect(fired.status).toBe(1);
    const [, id] = /→ (lakelog show [0-9a-f]{32}) /.exec(fired.stdout + fired.stderr)!;
    expect(show).toContain(id);
    const story = run(show!);
    expect(story.status).toBe(0);
    const [, key] = /lakelog ack (\S+)/.exec(story.stderr)!;
    expect(ack).toContain(key);
    expect(run(report).status).toBe(0);
    expect(readFileSync(path.join(folder, 'report.html'), 'utf8')).toContain(id!.split(' ').at(-1));
    expect(run(ack!).status).toBe(0);
  });

  test('npx never fetches what is not installed', () => {
    expect(readme.match(/\bnpx (?!--no-install )(?!never )/g)).toBeNull();
  });

  test('every entry of the contents leads somewhere', () => {
    const anchors = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to!);
    expect(links.filter((to) => to.startsWith('#')).length).toBeGreaterThan(10);
    for (const to of links) {
      if (to.startsWith('#')) expect(anchors).toContain(to.slice(1));
      else if (!to.includes('://')) expect(existsSync(path.join(root, to)), to).toBe(true);
    }
  });

  test('the table of questions is made from the headers of queries/*.sql', () => {
    const rows = catalogue.map((query) => {
      const options = query.params.map((param) => `\`${optionName(param)}\``).join(', ');
      return `| \`${query.name}\` | ${query.question} | ${options} | ${query.gate ? 'yes' : ''} |`;
    });
    const table = ['| command | question | its options | gate |', '| --- | --- | --- | --- |', ...rows].join(
      '\n',
    );
    const [, found] = /<!-- questions -->\n([\s\S]*?)\n<!-- \/questions -->/.exec(readme) ?? [];
    expect(found).toBe(table);
  });

  const jobs = blocks('crontab').flatMap((block) => block.split('\n').filter((line) => line.startsWith('*')));
  test.each(jobs)('the crontab line parses and its command exists: %s', async (job) => {
    const [, schedule, command] = /^((?:\S+\s+){5})(.*)$/.exec(job)!;
    expect(schedule!.trim().split(/\s+/)).toHaveLength(5);
    await expectUsage(command!);
  });

  test('the CI step is YAML whose command exists', async () => {
    const [block] = blocks('yaml');
    const run = /^\s+run: npx --no-install (.*)$/m.exec(block!)?.[1];
    expect(block).toMatch(/^- name: .+\n {2}run: npm ci\n- name: .+\n {2}run: /);
    await expectUsage(run!);
  });

  describe('the TypeScript examples type-check and write a line that loads', () => {
    const [append, loop] = blocks('ts');

    atNight('append', () => {
      const { folder, env, log } = runExample(append!, {
        traceId: ['string', "'ab'.repeat(16)"],
        fill: ['unknown', "{ workers: ['W-0033'] }"],
      });
      expect(spawnSync('lakelog', ['alarm', '-q', log], { cwd: folder, env }).status).toBe(0);
    });

    test('iterate, whose artifact is used because it is grounded', () => {
      const { folder, env, log, stdout } = runExample(loop!, {
        prompt: ['string', "'Fill C-1.'"],
        request: ['{ headers: Headers }', `{ headers: new Headers({ 'X-Lakehouse-Trace-Id': '${TRACE}' }) }`],
        askModel: [
          '(asked: string, signal: AbortSignal, headers: unknown) => Promise<string>',
          `async (asked) => JSON.stringify({ assignments: [{ worker: asked === prompt ? 'W-0417' : 'W-0033' }] })`,
        ],
        use: ['(artifact: unknown) => void', '(artifact) => process.stdout.write(JSON.stringify(artifact))'],
      });
      expect(JSON.parse(stdout)).toEqual({ assignments: [{ worker: 'W-0033' }] });
      expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({
        session_id: TRACE,
        iterations: 2,
        grounded_in_roster: true,
      });
      expect(spawnSync('lakelog', ['alarm', '-q', log], { cwd: folder, env }).status).toBe(0);
    });
  });
});

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

/** Type-checks an example against the sources and runs it with the built library; names it leaves open are given. */
function runExample(example: string, given: Readonly<Record<string, readonly [type: string, code: string]>>) {
  const { folder, env } = sandbox();
  const log = path.join(folder, 'sessions.jsonl');
  const names = Object.entries(given);
  const withLibrary = (file: string) =>
    example
      .replace("from 'lakelog'", `from ${JSON.stringify(path.join(root, file))}`)
      .replace("'/var/lib/lakehouse/validator/sessions.jsonl'", JSON.stringify(log));
  const typed = path.join(root, 'test', `readme-example-${process.pid}.ts`);
  const declared = names.map(([name, [type]]) => `declare const ${name}: ${type};\n`).join('');
  writeFileSync(typed, declared + withLibrary('src/log/index.js'));
  try {
    const strict =
      '--noEmit --ignoreConfig --strict --module nodenext --target es2022 --types node --skipLibCheck';
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', ...strict.split(' '), typed], {
      cwd: root,
    });
  } finally {
    rmSync(typed, { force: true });
  }
  writeFileSync(path.join(folder, 'roster.csv'), 'worker_id,name\nW-0033,Ann\n');
  const script = path.join(folder, 'example.mjs');
  const defined = names.map(([name, [, code]]) => `const ${name} = ${code};\n`).join('');
  writeFileSync(script, defined + withLibrary('dist/log.js'));
  const stdout = execFileSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
  return { folder, env, log, stdout };
}

/** Every option of the command line is one that the command knows. */
async function expectUsage(line: string): Promise<void> {
  const [, command, rest] = /^lakelog (\S+) ?(.*)$/.exec(line)!;
  const { stdout: help } = await lakelog([command!, '--help']);
  for (const option of rest!.match(/(?<=^|\s)--?[a-z][\w-]*/g) ?? []) expect(help).toContain(option);
}

const withoutAge = (text: string) => text.replace(/, \d+ \w+ ago/, ', … ago');
