import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { completionsOf, isWhole } from '../../src/commands/shell-words.js';
import { publishedTables } from '../../src/lake/tables/published.js';
import { atNight, call, command, newFolder, withoutColour, writeLines } from '../support/cli.js';

const [CTRL_C, CTRL_D, TAB, UP] = ['\u0003', '\u0004', '\t', '\u001b[A'];

/** The prompt on a terminal of its own, as util-linux's `script` makes one. */
function prompt(args: readonly string[], cwd: string) {
  const { file, args: all, options } = command(['query', ...args], { cwd });
  const words = [file, ...all].map((word) => `'${word}'`).join(' ');
  const env = { ...options.env, TERM: 'xterm', XDG_STATE_HOME: path.join(cwd, 'state') };
  const child = spawn('script', ['-qec', `stty cols 100; ${words}`, '/dev/null'], { ...options, env });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    screen += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let from = 0;
  /** Waits for what comes behind what was waited for before. */
  const until = async (wanted: RegExp) => {
    for (let waits = 0; waits < 400; waits++) {
      const found = wanted.exec(withoutColour(screen.slice(from)));
      if (found) {
        from = screen.length;
        return found[0];
      }
      await sleep(50);
    }
    throw new Error(`waited in vain for ${wanted}: ${screen.slice(from)}`);
  };
  return { type: (text: string) => child.stdin.write(text), until, ended };
}

test('statements of several lines, completion, an error, a stop, and a history for its owner alone', async () => {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call({ kind: 'fill' }), call({ kind: 'email' })]);
  const shell = prompt(['sessions.jsonl'], cwd);
  await shell.until(/2 calls and 0 replay runs of 1 file;[\s\S]*lakelog> /);
  shell.type('SELECT kind,\rCOUNT(*) AS n FROM sessions GROUP BY kind ORDER BY kind;\r');
  await shell.until(/email +1\s+fill +1\s[\s\S]*2 rows, [\s\S]*lakelog> /);
  // A tab within what was pasted is one; a key comes alone.
  for (const typed of ['SELECT COUNT(DISTINCT call_k', TAB, ') AS calls FROM sess', TAB, 's;\r']) {
    shell.type(typed);
    await sleep(150);
  }
  await shell.until(/calls\s+─+\s+2\s[\s\S]*lakelog> /);
  shell.type('SELECT knid FROM sessions;\r');
  await shell.until(/error: [\s\S]*knid[\s\S]*lakelog> /);
  shell.type("COPY sessions TO '/tmp/x.csv';\r");
  await shell.until(/error: [\s\S]*lakelog> /);
  shell.type('.schema rejects\r');
  await shell.until(/rejects: [\s\S]*reason [\s\S]*lakelog> /);
  shell.type('SELECT SUM(a.range * b.range) FROM range(100000000) a, range(10000) b;\r');
  await sleep(500);
  shell.type(CTRL_C);
  await shell.until(/stopped[\s\S]*2 calls[\s\S]*lakelog> /);
  shell.type(`${UP}${UP}${UP}${UP}${UP}${UP}`);
  await sleep(200);
  shell.type(`${CTRL_C}SELECT 'still ' || 'here' AS x;\r`);
  await shell.until(/still here[\s\S]*lakelog> /);
  shell.type(CTRL_D);
  expect(await shell.ended).toBe(0);
  const history = path.join(cwd, 'state/lakelog/history');
  expect(readFileSync(history, 'utf8')).toMatch(/^SELECT kind, COUNT\(\*\) AS n FROM sessions GROUP BY kind/);
  expect(statSync(history).mode & 0o777).toBe(0o600);
});

atNight('what is pasted is drawn before its answer, whose first line is a line of its own', async () => {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call({ kind: 'fill' })]);
  const shell = prompt(['sessions.jsonl'], cwd);
  await shell.until(/1 call and 0 replay runs of 1 file;[\s\S]*lakelog> /);
  shell.type('.help\r');
  await shell.until(/\.help\s+A statement ends with ;[\s\S]*lakelog> /);
  shell.type('SELECT kind,\rCOUNT(*) AS n\rFROM sessions\rGROUP BY kind;\r');
  await shell.until(/GROUP BY kind;\s*\r\n(\u001b\[\d*[A-Z]|[\r\n])*kind +n\s[\s\S]*1 row, [\s\S]*lakelog> /);
  shell.type(CTRL_D);
  expect(await shell.ended).toBe(0);
});

test('a statement that takes too long is stopped, and the next one is answered', async () => {
  const cwd = newFolder();
  writeLines(cwd, 'sessions.jsonl', [call()]);
  const shell = prompt(['--timeout', '1s'], cwd);
  await shell.until(/lakelog> /);
  shell.type("SELECT repeat('x', 1000000) LIKE '%' || repeat('y', a.range) FROM range(1000000000) a;\r");
  await shell.until(/longer than 1 s and was stopped[\s\S]*1 call [\s\S]*lakelog> /);
  shell.type('SELECT COUNT(*) AS n FROM sessions;\r');
  await shell.until(/n\s+─\s+1\s/);
  shell.type('.quit\r');
  expect(await shell.ended).toBe(0);
});

test('without a log there is nothing to ask', async () => {
  const shell = prompt([], newFolder());
  await shell.until(/no input was named/);
  expect(await shell.ended).toBe(3);
});

test.each([
  ['SELECT 1;', true],
  ['SELECT 1', false],
  ["SELECT ';'", false],
  ["SELECT 'a;", false],
  ['SELECT 1 -- ;', false],
  ['SELECT 1; -- done', true],
  ['SELECT "a;', false],
  ['SELECT $$;$$', false],
])('%s is whole: %s', (text, whole) => {
  expect(isWhole(text)).toBe(whole);
});

test.each([
  ['.ta', ['.tables']],
  ['FROM traces JOIN replay_d', ['replay_documents']],
  ['SELECT s.grounded', ['grounded_in_roster']],
  ['sel', ['select']],
  ['SEL', ['SELECT']],
  ['.schema fil', ['files']],
])('%s may become %j', (line, words) => {
  expect(completionsOf(line, publishedTables())[0]).toEqual(words);
});
