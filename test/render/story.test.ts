import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { renderStory, renderStoryJson } from '../../src/render/index.js';
import { prettyJson } from '../../src/render/pretty-json.js';
import { duration, grouped } from '../../src/render/units.js';
import type { Story } from '../../src/schema/story.js';
import fc, { character } from '../support/fast-check.js';
import { PIPE, terminal } from './sample.js';
import { attempt, call, run, story, storyWithContent } from './story-sample.js';

const told = (made: Story, width = 80) => renderStory(made, terminal(width));
const ofCall = (over: Parameters<typeof call>[0]) => told(story({ events: [call(over)] }));

describe('the story for people', () => {
  it('says what happened, in time order', () => {
    expect(told(story())).toBe(`Trace 4bf92f3577b34da6a3ce929d0e0e4736
https://traces.example.org/project/north/traces/4bf92f3577b34da6a3ce929d0e0e4736
1 call, 1 replay run, 2026-09-14T08:00:00Z to 2026-09-15T08:00:00Z
1 violation

2026-09-14T08:00:00Z  call  fill  gpt-4.1-mini
  accepted, gated, NOT grounded
  It names a worker who is not in the roster: something bypassed the validator.
  logs/coordinator/sessions.jsonl:17
  violates   alarm: ungrounded, not acknowledged
  service    fill-dispatcher, production
  provider   openai, answered as gpt-4.1-mini-2025-04-14
  versions   prompt fill@12, validator 2.4.1, roster sha256:5f0c3a1e
  took       4.2 s, 3 of at most 4 attempts
  workers    W-0033, W-0099
  call id    2f61aa04-7d3e-4a8e-9c4b-0d6a5f1f2b77

  attempt 1 of 3  rejected  812 ms  1,204 → 96 tokens  span 00f067aa0ba902b7
    - worker W-0098 is not in the roster of North, which holds W-0001 to W-0090
      on that day
    - shift 3 is double-booked
  attempt 2 of 3  no_candidate  1.9 s  ? → 4,096 tokens  finish length
  attempt 3 of 3  accepted  790 ms  1,310 → 101 tokens

2026-09-15T08:00:00Z  replay run  replay-2026-09-15
  logs/replay_runs.jsonl:3
  task       task-1, kind fill
  model      gpt-4.1-mini, openai
  took       900 ms, 700 → 30 tokens, 1,800 tokens of context
  documents  2, best score 0.875
    #1  0.875  doc-001   rosters/north
    #2  0.7    doc-0417  playbooks

Prompts and outputs are left out; --show-content loads them.
`);
  });

  it('has the content behind a gutter, and what changed', () => {
    expect(told(storyWithContent(), 100)).toBe(`Trace 4bf92f3577b34da6a3ce929d0e0e4736
https://traces.example.org/project/north/traces/4bf92f3577b34da6a3ce929d0e0e4736
1 call, 1 replay run, 2026-09-14T08:00:00Z to 2026-09-15T08:00:00Z
1 violation

2026-09-14T08:00:00Z  call  fill  gpt-4.1-mini
  accepted, gated, NOT grounded
  It names a worker who is not in the roster: something bypassed the validator.
  logs/coordinator/sessions.jsonl:17
  violates   alarm: ungrounded
  acked      alarm, by anna at 2026-09-14T09:10:00Z, until 2026-10-01
             The roster of North was published an hour late; W-0099 started that day, HR confirmed
             it.
  service    fill-dispatcher, production
  provider   openai, answered as gpt-4.1-mini-2025-04-14
  versions   prompt fill@12, validator 2.4.1, roster sha256:5f0c3a1e
  took       4.2 s, 3 of at most 4 attempts
  workers    W-0033, W-0099
  call id    2f61aa04-7d3e-4a8e-9c4b-0d6a5f1f2b77
  prompt
  │ Fill contract K-7 for week 38.
  │ Use only workers of the roster.

  attempt 1 of 3  rejected  812 ms  1,204 → 96 tokens  span 00f067aa0ba902b7
    - worker W-0098 is not in the roster of North, which holds W-0001 to W-0090 on that day
    - shift 3 is double-booked
    prompt: the same as the call's
    raw output
    │ {"contract":"K-7","fills":[{"shift":1,"worker":"W-0033"},{"shift":2,"worker":"W-0098"}]}

  attempt 2 of 3  no_candidate  1.9 s  ? → 4,096 tokens  finish length
    raw output
    │ Sorry,    I cannot\\x1b[31m.
    what changed since attempt 1
    │ - {"contract":"K-7","fills":[{"shift":1,"worker":"W-0033"},{"shift":2,"worker":"W-0098"}]}
    │ + Sorry,    I cannot\\x1b[31m.

  attempt 3 of 3  accepted  790 ms  1,310 → 101 tokens
    prompt
    │ Worker W-0098 is not in the roster.
    raw output
    │ {"contract":"K-7","fills":[{"shift":1,"worker":"W-0033"},{"shift":2,"worker":"W-0099"}]}
    what changed since attempt 2
    │ - Sorry,    I cannot\\x1b[31m.
    │ + {"contract":"K-7","fills":[{"shift":1,"worker":"W-0033"},{"shift":2,"worker":"W-0099"}]}

  artifact
  │ {
  │   "contract": "K-7",
  │   "fills": [
  │     { "shift": 1, "worker": "W-0033" },
  │     { "shift": 2, "worker": "W-0099" }
  │   ]
  │ }

2026-09-15T08:00:00Z  replay run  replay-2026-09-15
  logs/replay_runs.jsonl:3
  task       task-1, kind fill
  model      gpt-4.1-mini, openai
  took       900 ms, 700 → 30 tokens, 1,800 tokens of context
  documents  2, best score 0.875
    #1  0.875  doc-001   rosters/north
    #2  0.7    doc-0417  playbooks
  task
  │ Fill contract K-7.
  retrieval query
  │ roster North week 38
  output
  │ W-0033 and W-0034.
`);
  });

  it.each<[string, Parameters<typeof call>[0], string]>([
    ['grounded', { grounded_in_roster: true }, 'accepted, gated, grounded'],
    ['unjudged', { grounded_in_roster: null }, 'accepted, gated, grounding NOT CHECKED'],
    [
      'not gated',
      { gated: false, grounded_in_roster: null },
      'accepted, kind not gated, grounding not checked',
    ],
    ['not gated, false', { gated: false }, 'accepted, kind not gated, NOT grounded'],
    [
      'exhausted',
      { final_verdict: 'max_iter_exhausted', grounded_in_roster: null },
      'max_iter_exhausted: nothing was accepted',
    ],
    [
      'no attempts',
      { attempts: [] },
      '3 attempts made, none recorded: what was rejected, and why, is not known.',
    ],
    ['zero attempts', { attempts: [], iterations: 0 }, 'No attempt was made.'],
    ['too few', { iterations: 4 }, 'Inconsistent: 4 attempts made by its own count, 3 recorded.'],
    ['too few, heading', { iterations: 4 }, 'attempt 3 of 4  accepted  790 ms  1,310 → 101 tokens'],
    ['odd attempt', { inconsistent: true }, 'Inconsistent: an attempt is not understood (verdict other).'],
    ['one attempt', { iterations: 1, max_iterations: 1 }, 'took       4.2 s, 1 of at most 1 attempt'],
    ['no limit', { max_iterations: null, duration_ms: null }, 'took       3 attempts'],
    [
      'error',
      { error: 'timeout\nafter 30 s', error_type: 'Timeout' },
      'error      Timeout, timeout\\nafter 30 s',
    ],
    ['no call id', { call_id: null, call_key: 'k#2' }, 'call key   k#2'],
    ['no workers', { proposed_worker_ids: [] }, 'workers    none named'],
    ['no reason', { attempts: [attempt(1)], iterations: 1 }, '  - (no reason recorded)'],
    [
      'attempt error',
      { attempts: [attempt(1, { error: 'HTTP 500' })], iterations: 1 },
      '  - error: HTTP 500',
    ],
  ])('%s', (_, over, line) => {
    expect(ofCall(over).split('\n')).toContain(`  ${line}`);
  });

  it('tells documents that are not recorded from none found', () => {
    const of = (over: Parameters<typeof run>[0]) => told(story({ events: [run(over)] }), 40);
    expect(of({ documents: null, best_score: null })).toContain('  documents  not recorded\n');
    expect(of({ documents: [], best_score: null })).toContain('  documents  none found\n');
    const id = 'document-with-a-long-name-0001';
    const documents = [{ id, source: 'rosters/north and south', score: null, rank: null }];
    expect(of({ documents, best_score: null })).toContain(
      `  documents  1, no score recorded\n    –  –  ${id}\n          rosters/north and south\n`,
    );
  });

  it('links the trace where the terminal can, and only addresses of the web', () => {
    const first = (trace_url: string | null, hyperlinks: boolean) =>
      renderStory(story({ trace_url }), { ...PIPE, hyperlinks })
        .split('\n')
        .slice(0, 2);
    const id = '4bf92f3577b34da6a3ce929d0e0e4736';
    expect(first('https://x.example/ä?a=\x1b\\b', true)[0]).toBe(
      `Trace \x1b]8;;https://x.example/%C3%A4?a=%1B\\b\x1b\\${id}\x1b]8;;\x1b\\`,
    );
    expect(first('https://x.example/y', false)).toEqual([`Trace ${id}`, 'https://x.example/y']);
    for (const odd of ['javascript:alert(1)', 'file:///etc/passwd', 'x\x1b]8;;']) {
      expect(first(odd, true)[0]).toBe(`Trace ${id}`);
      expect(first(odd, true)[1]).not.toContain('\x1b');
    }
    expect(first(null, true)[0]).toBe(`Trace ${id}`);
    expect(renderStory(story({ events: [] }), PIPE)).toContain('(nothing is recorded of it)');
  });

  it('paints words, and only when told to', () => {
    const painted = renderStory(story(), { color: true, width: 80 });
    expect(painted).toContain('\x1b[31m\x1b[1maccepted, gated, NOT grounded\x1b[');
    expect(painted).toContain('\x1b[33m\x1b[1mrejected\x1b[');
    // biome-ignore lint/complexity/useRegexLiterals: the escape reads better so.
    expect(painted.replace(new RegExp('\\x1b\\[\\d+m', 'g'), '')).toBe(told(story()));
  });

  it.each([40, 80, 120])('fits %i columns and breaks no id, path or worker', (width) => {
    const path = 'var/log/services/lakehouse/validator/coordinator/2026-09/sessions.jsonl';
    const long = `worker ${'W-0001 is not in the roster and '.repeat(9)}`;
    const made = story({
      events: [call({ file: path, attempts: [attempt(1, { reasons: [long] })], iterations: 1 }), run()],
    });
    const lines = told(made, width).split('\n');
    expect(lines).toContain(`  ${path}:17`);
    for (const line of lines) {
      const holdsOneWord = /^ *([\w ]{1,10} {2,})?\S+$/.test(line);
      if (!holdsOneWord) expect(stringWidth(line)).toBeLessThanOrEqual(width);
      expect(line).toBe(line.trimEnd());
    }
  });

  it('lets no text of a log pass for a line of its own', () => {
    const hostile = fc.oneof(
      fc.string({ unit: character }),
      fc.constantFrom('\n  attempt 9 of 9  accepted', '\x1b[2J', '\r\nTrace x', 'a\u2028  logs/x:1', '\ttab'),
    );
    fc.assert(
      fc.property(hostile, fc.constantFrom(null, 20, 80), (text, width) => {
        const made = story({
          session_id: text,
          trace_url: text,
          show_content: true,
          events: [
            call({
              file: text,
              kind: text,
              model: text,
              call_id: text,
              error: text,
              final_verdict: text,
              proposed_worker_ids: [text],
              prompt: text,
              artifact: JSON.stringify(text),
              attempts: [
                attempt(1, { verdict: text, reasons: [text], span_id: text, finish_reason: text, raw: text }),
                attempt(2, { error: text, raw: `${text}!`, prompt: `${text}?` }),
              ],
              violations: [{ gate: text, value: text }],
              acknowledged: [{ gate: text, author: text, at: text, expires: text, reason: text }],
            }),
            run({
              run_id: text,
              documents: [{ id: text, source: text, score: 1, rank: 1 }],
              output: text,
              task: text,
            }),
          ],
        });
        const drawn = renderStory(made, { color: false, width, hyperlinks: false });
        expect(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(drawn.replaceAll('\n', ''))).toBe(false);
        // The verdict is hostile here, so only the numbers of our own two attempts may stand where attempts stand.
        const headings = drawn.split('\n').filter((line) => /^ {2}attempt \d/.test(line));
        expect(headings.map((line) => line.slice(0, 18))).toEqual([
          '  attempt 1 of 3  ',
          '  attempt 2 of 3  ',
        ]);
        expect(JSON.parse(renderStoryJson(made)).events[0].prompt).toBe(text);
      }),
      { numRuns: 200 },
    );
  });
});

describe('what changed', () => {
  const since = (before: string, after: string) => {
    const events = [
      call({ attempts: [attempt(1, { raw: before }), attempt(2, { raw: after })], iterations: 2 }),
    ];
    const drawn = renderStory(story({ show_content: true, events }), PIPE);
    const [, changed = ''] = drawn.split('    what changed since attempt 1');
    return changed.split('\n\n')[0];
  };

  it('lays JSON out first, to the digit', () => {
    const long = 'x'.repeat(60);
    expect(
      since(
        `{"a":[{"n":1},{"n":2},{}],"long":["${long}"],"id":12345678901234567890}`,
        `{"a": [{"n":1},{"n":3},{}],\n"long":["${long}"],"id":12345678901234567891}`,
      ),
    ).toBe(
      [
        '',
        '    │   {',
        '    │     "a": [',
        '    │       { "n": 1 },',
        '    │ -     { "n": 2 },',
        '    │ +     { "n": 3 },',
        '    │       {}',
        '    │     ],',
        '    │     "long": [',
        `    │       "${long}"`,
        '    │     ],',
        '    │ -   "id": 12345678901234567890',
        '    │ +   "id": 12345678901234567891',
        '    │   }',
      ].join('\n'),
    );
  });

  it('lays out any JSON without changing it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6, stringUnit: character }), (json) => {
        const pretty = prettyJson(json);
        expect(JSON.parse(pretty ?? '')).toEqual(JSON.parse(json));
        expect(prettyJson(pretty ?? '')).toBe(pretty);
      }),
    );
    expect(prettyJson('{')).toBeNull();
    expect(prettyJson('[]')).toBe('[]');
    expect(prettyJson(' 1 ')).toBe('1');
  });

  it('collapses what is unchanged', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i + 1}`);
    const after = lines.with(14, 'other').toSpliced(20, 1);
    expect(since(lines.join('\n'), after.join('\n'))).toBe(
      [
        '',
        '    │   … 12 lines unchanged',
        '    │   line 13',
        '    │   line 14',
        '    │ - line 15',
        '    │ + other',
        '    │   line 16',
        '    │   line 17',
        '    │   line 18',
        '    │   line 19',
        '    │   line 20',
        '    │ - line 21',
        '    │   line 22',
        '    │   line 23',
        '    │   … 7 lines unchanged',
      ].join('\n'),
    );
  });

  it('says so in a sentence when there is nothing to list', () => {
    expect(since('a\nb', 'a\nb')).toBe(': nothing');
    expect(since('a\nb', 'a\r\nb\n')).toBe(': nothing but white space');
    expect(since('{"a":1}', '{ "a": 1 }')).toBe(': nothing but white space');
    expect(since('a\n'.repeat(2001), 'b')).toBe(': too long to compare, 2001 → 1 line');
    expect(since('x'.repeat(200_001), 'b\nc')).toBe(': too long to compare, 1 → 2 lines');
  });

  it('survives nesting that would take more room laid out than there is memory', () => {
    const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(since(deep(90_000), deep(89_999))).toContain('    │ - [[[');
    expect(since(deep(101_000), deep(3))).toBe(': too long to compare, 1 → 1 line');
  });
});

describe('the story as JSON', () => {
  it('is one envelope with keys in a fixed order', () => {
    const json = renderStoryJson(storyWithContent());
    expect(json.trimEnd()).not.toContain('\n');
    const envelope = JSON.parse(json);
    expect(Object.keys(envelope)).toEqual(
      'format lakelog session_id trace_url show_content events'.split(' '),
    );
    const { format, lakelog, ...rest } = envelope;
    expect([format, lakelog]).toEqual(['lakelog.story.v1', '0.0.0-source']);
    const made = storyWithContent();
    const [first, second] = made.events as [ReturnType<typeof call>, ReturnType<typeof run>];
    expect(rest).toEqual({
      ...made,
      events: [{ ...first, artifact: JSON.parse(first.artifact ?? '') }, second],
    });
    expect(Object.keys(envelope.events[0]).join(' ')).toBe(
      'event file line call_key call_id timestamp daemon kind model response_model provider environment prompt_version ' +
        'validator_version roster_hash iterations max_iterations final_verdict grounded_in_roster gated roster_check ' +
        'proposed_worker_ids duration_ms error error_type inconsistent prompt artifact attempts phantoms violations acknowledged',
    );
    expect(Object.keys(envelope.events[0].attempts[0]).join(' ')).toBe(
      'attempt_number verdict reasons span_id input_tokens output_tokens finish_reason duration_ms error prompt raw',
    );
    expect(Object.keys(envelope.events[1]).join(' ')).toBe(
      'event file line timestamp run_id task_id task kind model provider retrieval_query context_tokens duration_ms ' +
        'input_tokens output_tokens error documents best_score output',
    );
  });

  it('holds no content that was not asked for', () => {
    const { events } = JSON.parse(renderStoryJson({ ...storyWithContent(), show_content: false }));
    const keys = [events[0], events[0].attempts[0], events[1]].flatMap(Object.keys);
    for (const key of ['prompt', 'artifact', 'raw', 'output']) expect(keys).not.toContain(key);
    expect([events[1].task, events[1].retrieval_query]).toEqual([null, null]);
  });

  it('passes numbers of the artifact to the digit, and text that is no JSON as text', () => {
    const of = (artifact: string | null) =>
      renderStoryJson(story({ show_content: true, events: [call({ artifact })] }));
    expect(of('{"id": 12345678901234567890}')).toContain('"artifact":{"id": 12345678901234567890}');
    expect(of('not json')).toContain('"artifact":"not json"');
    expect(of(null)).toContain('"prompt":null,"artifact":null');
  });
});

it.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [4210, '4.2 s'],
  [59_940, '59.9 s'],
  [59_999, '1 min 0 s'],
  [3_599_000, '59 min 59 s'],
  [7_260_000, '2 h 1 min'],
])('%d milliseconds are %s', (ms, text) => expect(duration(ms)).toBe(text));

it.each([
  [999, '999'],
  [1204, '1,204'],
  [12345678, '12,345,678'],
])('%d is written %s', (count, text) => expect(grouped(count)).toBe(text));
