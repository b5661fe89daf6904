/** What `alarm` must say to which input: the acceptance list of the first issue, case by case. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import {
  byDay,
  call,
  newFolder,
  nightly,
  type Options,
  replayRun,
  root,
  writeLines,
} from '../support/cli.js';

export interface Run extends Options {
  readonly args: readonly string[];
}

export interface Case {
  readonly name: string;
  /** Fills the folder that the run starts in. */
  make(folder: string): Run | readonly string[];
  readonly code: 0 | 1 | 2 | 3;
  /** Codes of the findings, in order. */
  readonly fired?: readonly string[];
  readonly cannotVouch?: readonly string[];
  readonly notices?: readonly string[];
  /** The line equation of all files, without the terms that are 0. */
  readonly account?: string;
  readonly files?: readonly string[];
  readonly judged?: number;
  /** `session_id reason file:line` of every row. */
  readonly rows?: readonly string[];
  /** `reason file:line` of every group of rejects. */
  readonly rejects?: readonly string[];
  readonly says?: readonly RegExp[];
  readonly skip?: string | false;
}

const good = (changes: Record<string, unknown> = {}) => call(changes);
const bad = (changes: Record<string, unknown> = {}) =>
  call({ session_id: 'bad', grounded_in_roster: false, ...changes });
const unjudged = (changes: Record<string, unknown> = {}) =>
  call({ session_id: 'open', grounded_in_roster: null, ...changes });
const sessions = (folder: string, ...lines: (string | Buffer)[]) =>
  writeLines(folder, 'sessions.jsonl', lines);
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
const touch = (file: string, secondsAgo: number) => {
  const time = Date.now() / 1000 - secondsAgo;
  utimesSync(file, time, time);
};
const TORN = '{"schema":"session.iterate.v1","session_id":"';
const bytesOf = (...lines: string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));
const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
/** A member with its whole data flushed out but neither end mark nor checksum: what a killed gzip leaves. */
const cutAtFlushPoint = (bytes: Buffer) => zlib.gzipSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
const badCrc = (bytes: Buffer) => {
  const gz = zlib.gzipSync(bytes);
  gz.writeUInt32LE((gz.readUInt32LE(gz.length - 8) ^ 1) >>> 0, gz.length - 8);
  return gz;
};
/** A frame of one block that is not compressed at all (RFC 8878 §3.1.1): made without a compressor, read by all. */
const zstd = (bytes: Buffer) => {
  const head = Buffer.from('28b52ffda000000000000000', 'hex');
  head.writeUInt32LE(bytes.length, 5);
  head.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([head, bytes]);
};
const fixtureRows = (scenario: string, reasons: readonly string[]) =>
  (
    JSON.parse(readFileSync(path.join(root, 'fixtures/expected', scenario, 'alarm.json'), 'utf8')) as {
      session_id: string;
      reason: string;
      line: number;
    }[]
  )
    .filter(({ reason }) => reasons.includes(reason))
    .map(({ session_id, reason, line }) => `${session_id} ${reason} sessions.jsonl:${line}`);
const fixture = (scenario: string) => path.join(root, 'fixtures', scenario);
const inFixture = (scenario: string, ...args: string[]): Run => ({
  args: ['sessions.jsonl', ...args],
  cwd: fixture(scenario),
});

export const fires: readonly Case[] = [
  {
    name: 'the alarm scenario: the false rows fire, the unjudged ones are printed too',
    make: () => inFixture('alarm'),
    code: 1,
    fired: ['violation'],
    cannotVouch: ['unjudged'],
    rows: fixtureRows('alarm', ['ungrounded', 'unjudged']),
    account: '60 = 60 loaded',
    judged: 27,
    says: [/3 ungrounded calls/, /sessions\.jsonl:9/],
  },
  {
    name: 'the alarm scenario, unjudged allowed: exactly the false rows',
    make: () => inFixture('alarm', '--allow-unjudged'),
    code: 1,
    fired: ['violation'],
    notices: ['allowed'],
    rows: fixtureRows('alarm', ['ungrounded']),
  },
  ...byDay(['{"a":', TORN, call().slice(0, -1), '"', '{', '\0'.repeat(64), '[1,'], 4).map(
    (torn, i): Case => ({
      name: `a torn line (${i + 1}) right before a violation`,
      make: (folder) => {
        sessions(folder, good(), torn, bad(), good());
        return ['sessions.jsonl'];
      },
      code: 1,
      fired: ['violation'],
      cannotVouch: ['rejects'],
      account: '4 = 3 loaded + 1 rejected',
      rows: ['bad ungrounded sessions.jsonl:3'],
      rejects: ['bad_json sessions.jsonl:2'],
      says: [/sessions\.jsonl:2/, /lakelog show bad sessions\.jsonl/],
    }),
  ),
  ...byDay(['grounded_in_roster', 'fill', 'accepted', 'session.iterate.v1'], 2).flatMap((word) =>
    [false, true].map(
      (lossless): Case => ({
        name: `a violation that spells ${word} with an escape${lossless ? ', behind a torn line' : ''}`,
        make: (folder) => {
          const escaped = `"${word.slice(0, -1)}\\u00${word.charCodeAt(word.length - 1).toString(16)}"`;
          sessions(folder, good(), lossless ? TORN : '', bad().replaceAll(`"${word}"`, escaped));
          return ['sessions.jsonl'];
        },
        code: 1,
        fired: ['violation'],
        cannotVouch: lossless ? ['rejects'] : [],
        rows: ['bad ungrounded sessions.jsonl:3'],
      }),
    ),
  ),
  {
    name: 'the violation is the first, the only and an unterminated line',
    make: (folder) => {
      writeFileSync(path.join(folder, 'sessions.jsonl'), bad());
      return ['sessions.jsonl'];
    },
    code: 1,
    fired: ['violation'],
    account: '1 = 1 loaded',
    rows: ['bad ungrounded sessions.jsonl:1'],
  },
  ...(
    [
      [true, false],
      [false, true],
    ] as const
  ).map(
    ([first, second]): Case => ({
      name: `the same call_id with ${first} then ${second}: the false record is a violation, and 1 outranks 3`,
      make: (folder) => {
        const twin = { session_id: 'twin', call_id: 'c-1' };
        sessions(
          folder,
          good({ ...twin, grounded_in_roster: first }),
          good({ ...twin, grounded_in_roster: second }),
        );
        return ['sessions.jsonl'];
      },
      code: 1,
      fired: ['violation'],
      cannotVouch: ['conflicts'],
      account: '2 = 2 loaded',
      rows: [`twin ungrounded sessions.jsonl:${first ? 2 : 1}`],
      says: [/share a call_id/, /sessions\.jsonl:2/],
    }),
  ),
  {
    name: 'a violation beside a missing file',
    make: (folder) => {
      sessions(folder, bad());
      return ['sessions.jsonl', 'gone.jsonl'];
    },
    code: 1,
    fired: ['violation'],
    cannotVouch: ['missing_input'],
    rows: ['bad ungrounded sessions.jsonl:1'],
    says: [/gone\.jsonl/],
  },
  {
    name: 'gated kinds are repeatable',
    make: (folder) => {
      sessions(folder, good(), bad({ kind: 'email' }));
      return ['sessions.jsonl', '--gated-kind', 'fill', '--gated-kind', 'email'];
    },
    code: 1,
    fired: ['violation'],
    judged: 2,
    rows: ['bad ungrounded sessions.jsonl:2'],
  },
  {
    name: 'several violations in one trace: every call is a row',
    make: (folder) => {
      sessions(folder, bad({ duration_ms: 1 }), bad({ duration_ms: 2 }), bad({ duration_ms: 3 }));
      return ['sessions.jsonl'];
    },
    code: 1,
    fired: ['violation'],
    rows: [1, 2, 3].map((line) => `bad ungrounded sessions.jsonl:${line}`),
    says: [/3 ungrounded calls/],
  },
  {
    name: 'a window that starts at the violation: since is inside',
    make: (folder) => {
      sessions(folder, good(), bad({ timestamp: '2025-06-02T00:00:00Z' }));
      return ['sessions.jsonl', '--since', '2025-06-02T00:00:00Z', '--until', '2025-06-03'];
    },
    code: 1,
    fired: ['violation'],
    judged: 1,
    rows: ['bad ungrounded sessions.jsonl:2'],
  },
  {
    name: 'a date belongs to --tz',
    make: (folder) => {
      sessions(
        folder,
        good({ timestamp: '2025-06-01T21:59:59Z' }),
        bad({ timestamp: '2025-06-01T22:00:00Z' }),
      );
      return ['sessions.jsonl', '--since', '2025-06-02', '--tz', 'Europe/Berlin'];
    },
    code: 1,
    fired: ['violation'],
    judged: 1,
    rows: ['bad ungrounded sessions.jsonl:2'],
  },
  ...byDay(
    [
      ['--model', 'model'],
      ['--daemon', 'daemon'],
      ['--environment', 'environment'],
      ['--kind', 'kind'],
    ] as const,
    4,
  ).map(
    ([flag, field]): Case => ({
      name: `${flag} selects the violation`,
      make: (folder) => {
        const wanted = field === 'kind' ? 'fill' : "it's this";
        sessions(folder, bad({ [field]: wanted }), good({ [field]: 'other' }));
        return ['sessions.jsonl', flag, wanted];
      },
      code: 1,
      fired: ['violation'],
      judged: 1,
      rows: ['bad ungrounded sessions.jsonl:1'],
    }),
  ),
  {
    name: 'a violation in a gz copy',
    make: (folder) => {
      writeFileSync(path.join(folder, 'sessions.jsonl.gz'), zlib.gzipSync(bytesOf(good(), bad())));
      return ['.'];
    },
    code: 1,
    fired: ['violation'],
    rows: ['bad ungrounded sessions.jsonl.gz:2'],
  },
  {
    name: 'a violation behind blank lines, CRLF and a BOM: the line is the physical one',
    make: (folder) => {
      writeFileSync(path.join(folder, 'sessions.jsonl'), `\ufeff\r\n\n  \n${good()}\r\n\n${bad()}\r\n`);
      return ['sessions.jsonl'];
    },
    code: 1,
    fired: ['violation'],
    account: '6 = 2 loaded + 4 blank',
    rows: ['bad ungrounded sessions.jsonl:6'],
  },
  {
    name: 'a violation in a file of replay runs and sessions',
    make: (folder) => {
      sessions(folder, replayRun(), bad(), replayRun({ run_id: 'run-2' }), good());
      return ['sessions.jsonl'];
    },
    code: 1,
    fired: ['violation'],
    account: '4 = 4 loaded',
    rows: ['bad ungrounded sessions.jsonl:2'],
  },
];

export const cannotVouch: readonly Case[] = [
  {
    name: 'the messy scenario',
    make: () => inFixture('messy', '--pending-grace', '0'),
    code: 3,
    cannotVouch: [
      'unjudged',
      'rejects',
      'unknown_record',
      'conflicts',
      'near_miss_kind',
      'near_miss_kind',
      'ungrounded_elsewhere',
    ],
    rows: fixtureRows('messy', ['ungrounded', 'unjudged']),
  },
  {
    name: 'the empty scenario',
    make: () => inFixture('empty'),
    code: 3,
    cannotVouch: ['no_records', 'too_few_judged'],
    account: '0 = 0',
    judged: 0,
  },
  {
    name: 'a missing file',
    make: () => ['gone.jsonl'],
    code: 3,
    cannotVouch: ['missing_input', 'too_few_judged'],
    says: [/gone\.jsonl/, /no such file/],
  },
  {
    name: 'a missing file beside a good one',
    make: (folder) => {
      sessions(folder, good());
      return ['sessions.jsonl', 'gone.jsonl'];
    },
    code: 3,
    cannotVouch: ['missing_input'],
    judged: 1,
  },
  {
    name: 'a folder without logs',
    make: (folder) => {
      mkdirSync(path.join(folder, 'logs'));
      writeFileSync(path.join(folder, 'logs/notes.txt'), 'nothing here\n');
      return ['logs'];
    },
    code: 3,
    cannotVouch: ['no_logs', 'too_few_judged'],
    says: [/logs/],
  },
  {
    name: 'nothing named and nothing in the default places',
    make: () => [],
    code: 3,
    cannotVouch: ['missing_input', 'too_few_judged'],
    says: [/sessions\.jsonl/],
  },
  {
    name: 'all stamps null',
    make: (folder) => {
      sessions(folder, unjudged({ session_id: 'a' }), unjudged({ session_id: 'b' }));
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['too_few_judged', 'unjudged'],
    judged: 0,
    rows: ['a unjudged sessions.jsonl:1', 'b unjudged sessions.jsonl:2'],
  },
  {
    name: 'one stamp absent among judged ones',
    make: (folder) => {
      sessions(folder, good(), unjudged({ grounded_in_roster: undefined }));
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['unjudged'],
    judged: 1,
    rows: ['open unjudged sessions.jsonl:2'],
  },
  {
    name: 'all stamps null and unjudged allowed: still nothing was judged',
    make: (folder) => {
      sessions(folder, unjudged());
      return ['sessions.jsonl', '--allow-unjudged'];
    },
    code: 3,
    cannotVouch: ['too_few_judged'],
    judged: 0,
  },
  {
    name: 'only emails',
    make: (folder) => {
      sessions(folder, good({ kind: 'email' }), good({ kind: 'email', grounded_in_roster: null }));
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['too_few_judged'],
    judged: 0,
  },
  {
    name: 'only fills that were not accepted',
    make: (folder) => {
      sessions(folder, bad({ final_verdict: 'max_iter_exhausted' }), bad({ final_verdict: 'infra_error' }));
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['too_few_judged'],
    judged: 0,
  },
  ...byDay(
    ['Fill', 'fill ', ' fill', 'FILL', 'fi\u200bll', 'ﬁll', 'fill\t', 'f\u0456ll', 'f1ll', 'f\u00edll'],
    5,
  ).map(
    (kind): Case => ({
      name: `a near miss of the gated kind: ${JSON.stringify(kind)}`,
      make: (folder) => {
        sessions(folder, good(), good({ kind }));
        return ['sessions.jsonl'];
      },
      code: 3,
      cannotVouch: ['near_miss_kind'],
      judged: 1,
      says: [/--gated-kind/],
    }),
  ),
  {
    name: 'a near miss outside the window',
    make: (folder) => {
      sessions(folder, good(), good({ kind: 'Fill', timestamp: '2024-01-01T00:00:00Z' }));
      return ['sessions.jsonl', '--since', '2025-01-01'];
    },
    code: 3,
    cannotVouch: ['near_miss_kind'],
    judged: 1,
  },
  {
    name: 'a false stamp on an accepted email',
    make: (folder) => {
      sessions(folder, good(), bad({ kind: 'email' }));
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['ungrounded_elsewhere'],
    says: [/--gated-kind email/],
  },
  ...(
    [
      ['verdict Accepted', bad({ final_verdict: 'Accepted' }), 'value:final_verdict', 'unknown_record'],
      ['an unknown verdict', bad({ final_verdict: 'timeout' }), 'value:final_verdict', 'unknown_record'],
      ['no verdict', bad({ final_verdict: undefined }), 'missing:final_verdict', 'unknown_record'],
      ['an unknown schema', bad({ schema: 'session.iterate.v2' }), 'value:schema', 'unknown_record'],
      ['no schema', bad({ schema: undefined }), 'missing:schema', 'unknown_record'],
      ['a "false" string', bad({ grounded_in_roster: 'false' }), 'type:grounded_in_roster', 'rejects'],
      ['a stamp 0', bad({ grounded_in_roster: 0 }), 'type:grounded_in_roster', 'rejects'],
      ['two records on one line', `${good()}${bad()}`, 'bad_json', 'rejects'],
      ['two records with a bare CR between', `${good()}\r${bad()}`, 'bad_json', 'rejects'],
      ['iterations 1.7', bad({ iterations: 1.7 }), 'type:iterations', 'rejects'],
      ['an array of a record', `[${bad()}]`, 'not_object', 'rejects'],
      ['null', 'null', 'not_object', 'rejects'],
      [
        'a key twice',
        bad().replace('{', '{"grounded_in_roster":true,'),
        'duplicate_key:grounded_in_roster',
        'rejects',
      ],
      ['a torn line', TORN, 'bad_json', 'rejects'],
      ['a timestamp without offset', bad({ timestamp: '2025-06-01T08:00:00' }), 'value:timestamp', 'rejects'],
    ] as const
  ).flatMap(([name, line, reason, code], i): Case[] => {
    const make = (folder: string, ...more: string[]) => {
      sessions(folder, good(), line, good());
      return ['sessions.jsonl', ...more];
    };
    const never = code === 'unknown_record';
    // By day every other line by itself, and some of each code within a budget.
    const isOfDay = [i % 2 === 0, i % 5 === 0];
    const both: Case[] = [
      {
        name: `${name} between two good lines`,
        make,
        code: 3,
        cannotVouch: [code],
        account: '3 = 2 loaded + 1 rejected',
        rejects: [`${reason} sessions.jsonl:2`],
        judged: 2,
        says: [/sessions\.jsonl:2/],
      },
      {
        name: `${name} and --max-rejects 1: ${never ? 'never excused' : 'excused'}`,
        make: (folder) => make(folder, '--max-rejects', '1'),
        code: never ? 3 : 0,
        cannotVouch: never ? [code] : [],
        notices: never ? [] : ['rejects_within_budget'],
        account: '3 = 2 loaded + 1 rejected',
        rejects: [`${reason} sessions.jsonl:2`],
      },
    ];
    return both.filter((_, place) => nightly || isOfDay[place]);
  }),
  {
    name: 'one reject more than --max-rejects',
    make: (folder) => {
      sessions(folder, good(), TORN, TORN, good());
      return ['sessions.jsonl', '--max-rejects', '1'];
    },
    code: 3,
    cannotVouch: ['rejects'],
  },
  {
    name: 'the same call_id in two different grounded records',
    make: (folder) => {
      sessions(folder, good({ call_id: 'c-1' }), good({ call_id: 'c-1' }));
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['conflicts'],
    account: '2 = 2 loaded',
    judged: 2,
    says: [/sessions\.jsonl:2/],
  },
  {
    name: 'the same call_id in two files',
    make: (folder) => {
      writeLines(folder, 'a.jsonl', [good({ call_id: 'c-1' })]);
      writeLines(folder, 'b.jsonl', [good({ call_id: 'c-1' })]);
      return ['a.jsonl', 'b.jsonl'];
    },
    code: 3,
    cannotVouch: ['conflicts'],
    says: [/b\.jsonl:1/],
  },
  {
    name: 'a file cut mid-line an hour ago',
    make: (folder) => {
      const file = sessions(folder, good());
      writeFileSync(file, bad().slice(0, 200), { flag: 'a' });
      touch(file, 3600);
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['rejects'],
    account: '2 = 1 loaded + 1 rejected',
    rejects: ['torn_tail sessions.jsonl:2'],
  },
  {
    name: 'a file cut mid-line whose time is an hour ahead',
    make: (folder) => {
      const file = sessions(folder, good());
      writeFileSync(file, bad().slice(0, 200), { flag: 'a' });
      touch(file, -3600);
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['rejects'],
    rejects: ['torn_tail sessions.jsonl:2'],
  },
  {
    name: 'a torn tail on stdin can never be completed',
    make: () => ({ args: ['-'], stdin: Buffer.concat([bytesOf(good()), Buffer.from(TORN)]) }),
    code: 3,
    cannotVouch: ['rejects'],
    rejects: ['torn_tail -:2'],
  },
  {
    name: 'a torn tail in a whole gz file can never be completed',
    make: (folder) => {
      writeFileSync(
        path.join(folder, 's.jsonl.gz'),
        zlib.gzipSync(Buffer.concat([bytesOf(good()), Buffer.from(TORN)])),
      );
      return ['s.jsonl.gz'];
    },
    code: 3,
    cannotVouch: ['rejects'],
    rejects: ['torn_tail s.jsonl.gz:2'],
  },
  {
    name: 'nothing but a pending line: it belongs to the next run, and nothing was judged',
    make: (folder) => {
      writeFileSync(path.join(folder, 'sessions.jsonl'), TORN);
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['no_records', 'too_few_judged'],
    notices: ['pending'],
    account: '1 = 1 pending',
  },
  {
    name: 'a file of blank lines',
    make: (folder) => {
      writeFileSync(path.join(folder, 'sessions.jsonl'), '\n\r\n  \t\n\n');
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['no_records', 'too_few_judged'],
    account: '4 = 4 blank',
  },
  {
    name: 'an unreadable folder under a readable one',
    skip: process.getuid?.() !== 0 && 'needs root, to run the child as nobody',
    make: (folder) => {
      chmodSync(folder, 0o755);
      writeLines(folder, 'logs/sessions.jsonl', [good()]);
      const closed = writeLines(folder, 'logs/closed/sessions.jsonl', [bad()]);
      chmodSync(path.dirname(closed), 0o700);
      return { args: ['logs'], uid: 65534 };
    },
    code: 3,
    cannotVouch: ['unreadable_input'],
    judged: 1,
    says: [/logs\/closed/, /permission denied/],
  },
  {
    name: 'an unreadable file beside a readable one',
    skip: process.getuid?.() !== 0 && 'needs root, to run the child as nobody',
    make: (folder) => {
      chmodSync(folder, 0o755);
      writeLines(folder, 'logs/a.jsonl', [good()]);
      chmodSync(writeLines(folder, 'logs/b.jsonl', [bad()]), 0o600);
      return { args: ['logs'], uid: 65534 };
    },
    code: 3,
    cannotVouch: ['unreadable_input'],
    judged: 1,
    says: [/logs\/b\.jsonl/, /permission denied/],
  },
  {
    name: 'a file in a folder that may not be entered',
    skip: process.getuid?.() !== 0 && 'needs root, to run the child as nobody',
    make: (folder) => {
      chmodSync(folder, 0o755);
      writeLines(folder, 'closed/sessions.jsonl', [good()]);
      chmodSync(path.join(folder, 'closed'), 0o700);
      return { args: ['closed/sessions.jsonl'], uid: 65534 };
    },
    code: 3,
    cannotVouch: ['unreadable_input', 'too_few_judged'],
    says: [/closed\/sessions\.jsonl/, /permission denied/],
  },
  {
    name: 'a glob through a folder that may not be entered',
    skip: process.getuid?.() !== 0 && 'needs root, to run the child as nobody',
    make: (folder) => {
      chmodSync(folder, 0o755);
      writeLines(folder, 'a/sessions.jsonl', [good()]);
      writeLines(folder, 'b/sessions.jsonl', [bad()]);
      chmodSync(path.join(folder, 'b'), 0o700);
      return { args: ['*/sessions.jsonl'], uid: 65534 };
    },
    code: 3,
    cannotVouch: ['unreadable_input'],
    judged: 1,
  },
  {
    name: 'a dangling link in a folder',
    make: (folder) => {
      writeLines(folder, 'logs/a.jsonl', [good()]);
      symlinkSync('nowhere.jsonl', path.join(folder, 'logs/b.jsonl'));
      return ['logs'];
    },
    code: 3,
    cannotVouch: ['missing_input'],
    judged: 1,
    says: [/logs\/b\.jsonl/, /link to a file that does not exist/],
  },
  {
    name: 'a dangling link named',
    make: (folder) => {
      symlinkSync('nowhere.jsonl', path.join(folder, 'b.jsonl'));
      return ['b.jsonl'];
    },
    code: 3,
    cannotVouch: ['missing_input', 'too_few_judged'],
    says: [/link to a file that does not exist/],
  },
  {
    name: 'a glob without a match',
    make: (folder) => {
      sessions(folder, good());
      return ['sessions.jsonl', 'old-*.jsonl'];
    },
    code: 3,
    cannotVouch: ['missing_input'],
    says: [/old-\*\.jsonl/, /no file matches/],
  },
  {
    name: 'a log in a folder whose name is not UTF-8: it is not skipped silently',
    skip: process.platform !== 'linux' && 'needs a file system that takes any bytes for a name',
    make: (folder) => {
      writeLines(folder, 'logs/a.jsonl', [good()]);
      const name = Buffer.concat([
        Buffer.from(`${folder}/logs/`),
        Buffer.from([0xff]),
        Buffer.from('.jsonl'),
      ]);
      writeFileSync(name, `${bad()}\n`);
      return ['logs'];
    },
    code: 3,
    cannotVouch: ['unreadable_input'],
  },
  {
    name: 'a socket or device is no log',
    make: (folder) => {
      sessions(folder, good());
      return ['sessions.jsonl', '/dev/null'];
    },
    code: 3,
    cannotVouch: ['unreadable_input'],
    says: [/\/dev\/null/],
  },
  {
    name: 'empty stdin',
    make: () => ({ args: ['-'], stdin: '' }),
    code: 3,
    cannotVouch: ['no_records', 'too_few_judged'],
  },
  ...byDay(
    [
      ['cut at a flush point', cutAtFlushPoint(bytesOf(good(), good())), /truncated copy/],
      ['cut in the middle', zlib.gzipSync(bytesOf(good(), good())).subarray(0, 120), /truncated copy/],
      ['cut in its header', zlib.gzipSync(bytesOf(good())).subarray(0, 5), /truncated copy/],
      ['with a bad CRC', badCrc(bytesOf(good(), good())), /damaged/],
      [
        'with trailing garbage',
        Buffer.concat([zlib.gzipSync(bytesOf(good())), Buffer.from('garbage behind the end')]),
        /22 bytes after the end|damaged/,
      ],
      [
        'with lines appended uncompressed',
        Buffer.concat([zlib.gzipSync(bytesOf(good())), bytesOf(bad())]),
        /bytes after the end|damaged/,
      ],
      [
        'whose second member is cut',
        Buffer.concat([zlib.gzipSync(bytesOf(good())), cutAtFlushPoint(bytesOf(bad()))]),
        /truncated copy/,
      ],
    ] as const,
    3,
  ).map(
    ([name, bytes, says]): Case => ({
      name: `a gz file ${name}, beside a good file`,
      make: (folder) => {
        sessions(folder, good());
        writeFileSync(path.join(folder, 's.jsonl.gz'), bytes);
        return ['sessions.jsonl', 's.jsonl.gz'];
      },
      code: 3,
      cannotVouch: ['unreadable_input'],
      account: '1 = 1 loaded',
      judged: 1,
      says: [/s\.jsonl\.gz/, says],
    }),
  ),
  {
    name: 'an empty gz member',
    make: (folder) => {
      writeFileSync(path.join(folder, 's.jsonl.gz'), zlib.gzipSync(''));
      return ['s.jsonl.gz'];
    },
    code: 3,
    cannotVouch: ['no_records', 'too_few_judged'],
  },
  {
    name: 'a .zst file cut short',
    make: (folder) => {
      writeFileSync(path.join(folder, 's.jsonl.zst'), zstd(bytesOf(good(), good())).subarray(0, -8));
      return ['s.jsonl.zst'];
    },
    code: 3,
    cannotVouch: ['unreadable_input', 'too_few_judged'],
  },
  {
    name: 'a line of 200 MB: too long, its neighbours are loaded',
    make: (folder) => {
      const fd = openSync(path.join(folder, 'sessions.jsonl'), 'w');
      writeSync(fd, `${good()}\n{"schema":"session.iterate.v1","prompt":"`);
      const piece = Buffer.alloc(1 << 20, 'a');
      for (let i = 0; i < (nightly ? 2000 : 200); i++) writeSync(fd, piece);
      writeSync(fd, `"}\n${good()}\n`);
      closeSync(fd);
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['rejects'],
    account: '3 = 2 loaded + 1 rejected',
    rejects: ['too_long sessions.jsonl:2'],
    judged: 2,
    says: [/--max-line-bytes/],
  },
  {
    name: 'a violation in a line over --max-line-bytes is not hidden by a budget of none',
    make: (folder) => {
      sessions(folder, good(), bad({ prompt: 'a'.repeat(2000) }), good());
      return ['sessions.jsonl', '--max-line-bytes', '1000'];
    },
    code: 3,
    cannotVouch: ['rejects'],
    rejects: ['too_long sessions.jsonl:2'],
    judged: 2,
  },
  {
    name: 'records of replay runs only',
    make: (folder) => {
      writeLines(folder, 'replay_runs.jsonl', [replayRun()]);
      return ['replay_runs.jsonl'];
    },
    code: 3,
    cannotVouch: ['too_few_judged'],
    account: '1 = 1 loaded',
  },
  {
    name: 'a replay run in a file asserted to hold sessions',
    make: (folder) => {
      sessions(folder, good(), replayRun());
      return ['--sessions', 'sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['rejects'],
    rejects: ['wrong_kind sessions.jsonl:2'],
  },
  {
    name: 'a session in a file asserted to hold replay runs',
    make: (folder) => {
      sessions(folder, good());
      writeLines(folder, 'replay_runs.jsonl', [replayRun(), bad()]);
      return ['--sessions', 'sessions.jsonl', '--replay-runs', 'replay_runs.jsonl'];
    },
    code: 3,
    cannotVouch: ['rejects'],
    rejects: ['wrong_kind replay_runs.jsonl:2'],
  },
  {
    name: 'fewer judged than --min-judged',
    make: (folder) => {
      sessions(folder, good(), good());
      return ['sessions.jsonl', '--min-judged', '3'];
    },
    code: 3,
    cannotVouch: ['too_few_judged'],
    judged: 2,
    says: [/2 calls judged, and --min-judged asks for 3/],
  },
  {
    name: 'a newest record older than --max-age',
    make: (folder) => {
      sessions(folder, good(), good({ timestamp: ago(7200) }));
      return ['sessions.jsonl', '--max-age', '1h'];
    },
    code: 3,
    cannotVouch: ['stale'],
    says: [/sessions\.jsonl:2/],
  },
  {
    name: 'a newest record that a filter hides is none',
    make: (folder) => {
      sessions(folder, good({ timestamp: ago(60) }));
      return ['sessions.jsonl', '--max-age', '1h', '--until', '2025-01-01'];
    },
    code: 3,
    cannotVouch: ['too_few_judged', 'stale'],
    judged: 0,
  },
  ...byDay(
    [
      { daemon: 'other' },
      { model: 'other' },
      { environment: 'other' },
      { kind: 'email', grounded_in_roster: null },
    ],
    3,
  ).map(
    (other): Case => ({
      name: `a young call of another ${Object.keys(other)[0]} does not show that these are still logged`,
      make: (folder) => {
        const mine = { daemon: 'mine', model: 'mine', environment: 'mine' };
        sessions(
          folder,
          good({ ...mine, ...other, timestamp: ago(60) }),
          good({ ...mine, timestamp: ago(7200) }),
        );
        const filters = Object.keys(mine).flatMap((name) => [`--${name}`, 'mine']);
        return ['sessions.jsonl', '--max-age', '1h', ...('kind' in other ? [] : filters)];
      },
      code: 3,
      cannotVouch: ['stale'],
      says: [/sessions\.jsonl:2/],
    }),
  ),
  {
    name: 'a record of the future',
    make: (folder) => {
      sessions(folder, good(), good({ timestamp: ago(-3600) }));
      return ['sessions.jsonl'];
    },
    code: 3,
    cannotVouch: ['future'],
    says: [/sessions\.jsonl:2/],
  },
  ...byDay(['9999-12-31T23:59:59Z', '9999-12-31T23:59:59-23:59', '9999-12-31T00:00:00.000001-00:01'], 3).map(
    (timestamp): Case => ({
      name: `a record of ${timestamp} among others`,
      make: (folder) => {
        sessions(folder, good(), good({ timestamp, kind: 'email', grounded_in_roster: null }), good());
        return ['sessions.jsonl'];
      },
      code: 3,
      cannotVouch: ['future'],
      says: [/sessions\.jsonl:2/],
    }),
  ),
  {
    name: 'an empty stream beside a good file: its producer failed',
    make: (folder) => {
      sessions(folder, good());
      return { args: ['sessions.jsonl', '-'], stdin: '' };
    },
    code: 3,
    cannotVouch: ['no_records'],
  },
  {
    name: 'an archive of nothing beside a good file',
    make: (folder) => {
      writeFileSync(path.join(folder, 'old.jsonl.gz'), zlib.gzipSync(''));
      sessions(folder, good());
      return ['sessions.jsonl', 'old.jsonl.gz'];
    },
    code: 3,
    cannotVouch: ['no_records'],
  },
  {
    name: 'an empty file that nobody wrote to for two hours, beside a good one',
    make: (folder) => {
      touch(writeLines(folder, 'a.jsonl', []), 7200);
      sessions(folder, good());
      return ['sessions.jsonl', 'a.jsonl'];
    },
    code: 3,
    cannotVouch: ['no_records'],
    says: [/a\.jsonl/],
  },
  {
    name: 'an empty file that is older than --rotation-grace allows',
    make: (folder) => {
      touch(writeLines(folder, 'a.jsonl', []), 60);
      sessions(folder, good());
      return ['sessions.jsonl', 'a.jsonl', '--rotation-grace', '30s'];
    },
    code: 3,
    cannotVouch: ['no_records'],
  },
  {
    name: 'a filter that leaves nothing',
    make: (folder) => {
      sessions(folder, good());
      return ['sessions.jsonl', '--model', 'another'];
    },
    code: 3,
    cannotVouch: ['too_few_judged'],
    judged: 0,
  },
  {
    name: 'a file that is no log at all',
    make: () => ({ args: ['README.txt'], cwd: textFolder() }),
    code: 3,
    cannotVouch: ['no_records', 'too_few_judged', 'rejects'],
  },
];

function textFolder(): string {
  const folder = newFolder();
  writeFileSync(path.join(folder, 'README.txt'), 'This is no log.\nNor is this.\n');
  return folder;
}

const NAMES = [
  'a[1].jsonl',
  'a*.jsonl',
  'a?.jsonl',
  'a{b,c}.jsonl',
  'a!(b).jsonl',
  "it's.jsonl",
  'say "hi".jsonl',
  'with space.jsonl',
  'new\nline.jsonl',
  'ü-日本.jsonl',
  'back\\slash.jsonl',
  '$HOME;`x`.jsonl',
  '%s.jsonl',
];

export const clear: readonly Case[] = [
  {
    name: 'the healthy scenario',
    make: () => inFixture('healthy'),
    code: 0,
    account: '400 = 400 loaded',
    judged: 176,
  },
  {
    name: 'a TMPDIR that does not exist: reading needs no place to write',
    make: (folder) => {
      sessions(folder, good());
      return { args: ['sessions.jsonl'], env: { TMPDIR: path.join(folder, 'gone') } };
    },
    code: 0,
    account: '1 = 1 loaded',
    judged: 1,
  },
  {
    name: 'a pending tail written now',
    make: (folder) => {
      writeFileSync(sessions(folder, good()), bad().slice(0, 200), { flag: 'a' });
      return ['sessions.jsonl'];
    },
    code: 0,
    notices: ['pending'],
    account: '2 = 1 loaded + 1 pending',
    judged: 1,
  },
  {
    name: 'a pending tail as old as a longer grace',
    make: (folder) => {
      const file = sessions(folder, good());
      writeFileSync(file, bad().slice(0, 200), { flag: 'a' });
      touch(file, 3600);
      return ['sessions.jsonl', '--pending-grace', '2h'];
    },
    code: 0,
    notices: ['pending'],
  },
  {
    name: 'an unterminated last line that parses is loaded, however old',
    make: (folder) => {
      const file = sessions(folder, good());
      writeFileSync(file, good(), { flag: 'a' });
      touch(file, 3600);
      return ['sessions.jsonl'];
    },
    code: 0,
    account: '2 = 2 loaded',
    judged: 2,
  },
  {
    name: 'a rotated, empty file beside a good one',
    make: (folder) => {
      writeLines(folder, 'sessions.jsonl.1', [good()]);
      sessions(folder);
      return ['.'];
    },
    code: 0,
    notices: ['just_rotated'],
    judged: 1,
  },
  {
    name: 'an empty file within --rotation-grace beside a good one',
    make: (folder) => {
      touch(writeLines(folder, 'a.jsonl', []), 7200);
      sessions(folder, good());
      return ['sessions.jsonl', 'a.jsonl', '--rotation-grace', '7300s'];
    },
    code: 0,
    notices: ['just_rotated'],
  },
  {
    name: 'an old, empty file whose rotated predecessor was read too',
    make: (folder) => {
      writeLines(folder, 'sessions.jsonl.1', [good()]);
      touch(sessions(folder), 100_000);
      return ['.'];
    },
    code: 0,
    notices: ['just_rotated'],
  },
  ...byDay(['fil', 'fills', 'refill', 'fill-v2', 'fill_2', 'email', 'FULL'], 4).map(
    (kind): Case => ({
      name: `a kind that is no near miss: ${kind}`,
      make: (folder) => {
        sessions(folder, good(), good({ kind, grounded_in_roster: null }));
        return ['sessions.jsonl'];
      },
      code: 0,
      notices: [],
      judged: 1,
    }),
  ),
  {
    name: 'a good gz file',
    make: (folder) => {
      writeFileSync(path.join(folder, 's.jsonl.gz'), zlib.gzipSync(bytesOf(good(), good())));
      return ['s.jsonl.gz'];
    },
    code: 0,
    account: '2 = 2 loaded',
    files: ['s.jsonl.gz'],
  },
  {
    name: 'a gz file of several members',
    make: (folder) => {
      writeFileSync(
        path.join(folder, 's.jsonl.gz'),
        Buffer.concat([good(), good(), good()].map((line) => zlib.gzipSync(`${line}\n`))),
      );
      return ['s.jsonl.gz'];
    },
    code: 0,
    account: '3 = 3 loaded',
  },
  {
    name: 'gz under a name that does not say so',
    make: (folder) => {
      writeFileSync(path.join(folder, 'sessions.jsonl'), zlib.gzipSync(bytesOf(good())));
      return ['sessions.jsonl'];
    },
    code: 0,
    account: '1 = 1 loaded',
  },
  {
    name: 'a good .zst file',
    make: (folder) => {
      writeFileSync(path.join(folder, 's.jsonl.zst'), zstd(bytesOf(good(), good())));
      return ['s.jsonl.zst'];
    },
    code: 0,
    account: '2 = 2 loaded',
  },
  {
    name: 'a .zst file of several frames, skippable ones among them',
    make: (folder) => {
      const skippable = Buffer.from('5e2a4d1803000000010203', 'hex');
      writeFileSync(
        path.join(folder, 's.jsonl.zst'),
        Buffer.concat([skippable, zstd(bytesOf(good())), skippable, zstd(bytesOf(good()))]),
      );
      return ['s.jsonl.zst'];
    },
    code: 0,
    account: '2 = 2 loaded',
  },
  {
    name: 'a gz copy beside the original in one glob: all its lines are duplicates',
    make: (folder) => {
      const lines = [good(), good()];
      sessions(folder, ...lines);
      const copy = path.join(folder, 'sessions.jsonl.gz');
      writeFileSync(copy, zlib.gzipSync(bytesOf(...lines)));
      touch(copy, 7200);
      return ['sessions.jsonl*'];
    },
    code: 0,
    account: '4 = 2 loaded + 2 duplicates',
    files: ['sessions.jsonl', 'sessions.jsonl.gz'],
    judged: 2,
  },
  ...byDay(NAMES, 6).map(
    (name): Case => ({
      name: `a file named ${JSON.stringify(name)} beside files that its name would match`,
      make: (folder) => {
        writeLines(folder, name, [good()]);
        for (const decoy of ['a1.jsonl', 'ab.jsonl', 'ac.jsonl', 'axx.jsonl'])
          writeLines(folder, decoy, [bad()]);
        return [name];
      },
      code: 0,
      account: '1 = 1 loaded',
      files: [name],
    }),
  ),
  {
    name: 'a folder of files with odd names',
    make: (folder) => {
      for (const name of NAMES) writeLines(folder, `logs/${name}`, [good()]);
      return ['logs'];
    },
    code: 0,
    account: `${NAMES.length} = ${NAMES.length} loaded`,
    files: NAMES.map((name) => `logs/${name}`).sort(),
  },
  {
    name: 'a file whose name starts with a hyphen, behind --',
    make: (folder) => {
      writeLines(folder, '--json.jsonl', [good()]);
      return ['--json', '--', '--json.jsonl'];
    },
    code: 0,
    files: ['--json.jsonl'],
  },
  {
    name: 'a glob over several folders',
    make: (folder) => {
      writeLines(folder, 'a/sessions.jsonl', [good()]);
      writeLines(folder, 'b/sessions.jsonl', [good()]);
      writeLines(folder, 'b/other.jsonl', [bad()]);
      return ['*/sessions.jsonl'];
    },
    code: 0,
    files: ['a/sessions.jsonl', 'b/sessions.jsonl'],
  },
  {
    name: 'a glob that cannot match below a folder that may not be entered',
    skip: process.getuid?.() !== 0 && 'needs root, to run the child as nobody',
    make: (folder) => {
      chmodSync(folder, 0o755);
      sessions(folder, good());
      mkdirSync(path.join(folder, 'private'), { mode: 0o700 });
      return { args: ['*.jsonl'], uid: 65534 };
    },
    code: 0,
    files: ['sessions.jsonl'],
  },
  {
    name: 'a window that starts before all time',
    make: (folder) => {
      sessions(folder, good());
      return ['sessions.jsonl', '--since', '9999w'];
    },
    code: 0,
    judged: 1,
  },
  {
    name: 'the same file twice',
    make: (folder) => {
      sessions(folder, good());
      return ['sessions.jsonl', './sessions.jsonl', path.join(folder, 'sessions.jsonl')];
    },
    code: 0,
    notices: ['inputs', 'inputs'],
    account: '1 = 1 loaded',
    files: ['sessions.jsonl'],
  },
  {
    name: 'the same file through a link and a hard link',
    make: (folder) => {
      const file = sessions(folder, good());
      symlinkSync('sessions.jsonl', path.join(folder, 'link.jsonl'));
      linkSync(file, path.join(folder, 'hard.jsonl'));
      return ['sessions.jsonl', 'link.jsonl', 'hard.jsonl'];
    },
    code: 0,
    notices: ['inputs', 'inputs'],
    account: '1 = 1 loaded',
  },
  {
    name: 'a folder with a link to itself',
    make: (folder) => {
      writeLines(folder, 'logs/sessions.jsonl', [good()]);
      symlinkSync('.', path.join(folder, 'logs/loop'));
      return ['logs'];
    },
    code: 0,
    account: '1 = 1 loaded',
  },
  {
    name: 'stdin',
    make: () => ({ args: ['-'], stdin: bytesOf(good(), good()) }),
    code: 0,
    account: '2 = 2 loaded',
    files: ['-'],
  },
  {
    name: 'stdin, compressed, beside a file',
    make: (folder) => {
      sessions(folder, good());
      return { args: ['-', 'sessions.jsonl'], stdin: zlib.gzipSync(bytesOf(good())) };
    },
    code: 0,
    account: '2 = 2 loaded',
    files: ['-', 'sessions.jsonl'],
  },
  {
    name: 'a FIFO',
    make: (folder) => {
      const fifo = path.join(folder, 'pipe.jsonl');
      execFileSync('mkfifo', [fifo]);
      const file = writeLines(folder, 'behind.txt', [good(), good()]);
      spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', file, fifo], { stdio: 'ignore' });
      return ['pipe.jsonl'];
    },
    code: 0,
    account: '2 = 2 loaded',
    files: ['pipe.jsonl'],
  },
  {
    name: 'a BOM',
    make: (folder) => {
      writeFileSync(path.join(folder, 'sessions.jsonl'), `\ufeff${good()}\n${good()}\n`);
      return ['sessions.jsonl'];
    },
    code: 0,
    account: '2 = 2 loaded',
  },
  {
    name: 'CRLF',
    make: (folder) => {
      writeFileSync(path.join(folder, 'sessions.jsonl'), `${good()}\r\n${good()}\r\n`);
      return ['sessions.jsonl'];
    },
    code: 0,
    account: '2 = 2 loaded',
  },
  {
    name: 'a line and its copy with CRLF are one record',
    make: (folder) => {
      const line = good();
      writeFileSync(path.join(folder, 'sessions.jsonl'), `\ufeff${line}\n${line}\r\n`);
      return ['sessions.jsonl'];
    },
    code: 0,
    account: '2 = 1 loaded + 1 duplicates',
    judged: 1,
  },
  ...byDay(['x', 'artifact', 'prompt_extra'], 3).map(
    (field): Case => ({
      name: `nesting of 1,000,000 in ${field}`,
      make: (folder) => {
        sessions(folder, good(), good({ [field]: '@' }).replace('"@"', deep(1_000_000)), good());
        return ['sessions.jsonl'];
      },
      code: 0,
      account: '3 = 3 loaded',
      judged: 3,
    }),
  ),
  {
    name: 'nesting of 1,000,000 in attempts: not understood, and no reason to reject',
    make: (folder) => {
      sessions(folder, good(), good({ attempts: '@' }).replace('"@"', deep(1_000_000)), good());
      return ['sessions.jsonl'];
    },
    code: 0,
    account: '3 = 3 loaded',
    judged: 3,
  },
  {
    name: 'nesting of 1,000,000 in the reasons of an attempt',
    make: (folder) => {
      const attempts = [{ verdict: 'accepted', reasons: '@' }];
      sessions(folder, good(), good({ attempts }).replace('"@"', deep(1_000_000)), good());
      return ['sessions.jsonl'];
    },
    code: 0,
    account: '3 = 3 loaded',
    judged: 3,
  },
  {
    name: 'no more conflicts than --max-rejects',
    make: (folder) => {
      sessions(folder, good({ call_id: 'c-1' }), good({ call_id: 'c-1' }));
      return ['sessions.jsonl', '--max-rejects', '2'];
    },
    code: 0,
    notices: ['rejects_within_budget'],
  },
  {
    name: 'unjudged calls allowed',
    make: (folder) => {
      sessions(folder, good(), unjudged());
      return ['sessions.jsonl', '--allow-unjudged'];
    },
    code: 0,
    notices: ['allowed'],
    judged: 1,
  },
  {
    name: 'as many judged as --min-judged',
    make: (folder) => {
      sessions(folder, good(), good());
      return ['sessions.jsonl', '--min-judged', '2'];
    },
    code: 0,
    judged: 2,
  },
  {
    name: 'a newest record within --max-age, and a clock that is a little ahead',
    make: (folder) => {
      sessions(folder, good(), good({ timestamp: ago(-120) }));
      return ['sessions.jsonl', '--max-age', '1h'];
    },
    code: 0,
  },
  {
    name: 'a window that ends at the violation: until is outside',
    make: (folder) => {
      sessions(folder, good(), bad({ timestamp: '2025-06-02T00:00:00Z' }));
      return ['sessions.jsonl', '--since', '2025-06-01', '--until', '2025-06-02'];
    },
    code: 0,
    judged: 1,
  },
  {
    name: 'a window given as ages',
    make: (folder) => {
      sessions(folder, bad(), good({ timestamp: ago(3600) }));
      return ['sessions.jsonl', '--since', '24h', '--until', '1m'];
    },
    code: 0,
    judged: 1,
  },
  ...byDay(
    [
      ['--model', 'model'],
      ['--daemon', 'daemon'],
      ['--environment', 'environment'],
    ] as const,
    3,
  ).map(
    ([flag, field]): Case => ({
      name: `${flag} leaves the violation out; several add up`,
      make: (folder) => {
        sessions(folder, bad({ [field]: 'x' }), good({ [field]: 'y' }), good({ [field]: 'z' }));
        return ['sessions.jsonl', flag, 'y', flag, 'z'];
      },
      code: 0,
      judged: 2,
    }),
  ),
  {
    name: 'a file asserted to hold replay runs has a torn line: a notice',
    make: (folder) => {
      sessions(folder, good());
      writeLines(folder, 'replay_runs.jsonl', [replayRun(), '{"schema":"replay.run.v1","ses']);
      return ['--sessions', 'sessions.jsonl', '--replay-runs', 'replay_runs.jsonl'];
    },
    code: 0,
    notices: ['replay_rejects', 'unknown_traces'],
    account: '3 = 2 loaded + 1 rejected',
    rejects: ['bad_json replay_runs.jsonl:2'],
  },
  {
    name: 'a replay run with a bad field in a file of both: a notice',
    make: (folder) => {
      sessions(folder, good(), replayRun({ run_id: 17 }));
      return ['sessions.jsonl'];
    },
    code: 0,
    notices: ['replay_rejects'],
  },
  {
    name: 'the default ./sessions.jsonl',
    make: (folder) => {
      sessions(folder, good());
      return [];
    },
    code: 0,
    files: ['sessions.jsonl'],
  },
  {
    name: 'LAKELOG_SESSIONS, a list',
    make: (folder) => {
      sessions(folder, bad());
      writeLines(folder, 'a.jsonl', [good()]);
      writeLines(folder, 'b.jsonl', [good()]);
      return { args: [], env: { LAKELOG_SESSIONS: 'a.jsonl:./b.jsonl' } };
    },
    code: 0,
    files: ['a.jsonl', './b.jsonl'],
  },
  {
    name: 'arguments before LAKELOG_SESSIONS before lakelog.toml',
    make: (folder) => {
      writeLines(folder, 'a.jsonl', [good()]);
      writeLines(folder, 'b.jsonl', [bad()]);
      writeFileSync(path.join(folder, 'lakelog.toml'), 'sessions = "b.jsonl"\n');
      return { args: ['a.jsonl'], env: { LAKELOG_SESSIONS: 'b.jsonl' } };
    },
    code: 0,
    files: ['a.jsonl'],
  },
  {
    name: 'LAKELOG_SESSIONS before lakelog.toml',
    make: (folder) => {
      writeLines(folder, 'a.jsonl', [good()]);
      writeFileSync(path.join(folder, 'lakelog.toml'), 'sessions = "gone.jsonl"\n');
      return { args: [], env: { LAKELOG_SESSIONS: 'a.jsonl' } };
    },
    code: 0,
    files: ['a.jsonl'],
  },
  {
    name: 'lakelog.toml',
    make: (folder) => {
      sessions(folder, bad());
      writeLines(folder, 'logs/a.jsonl', [good()]);
      writeLines(folder, 'runs.jsonl', [replayRun()]);
      writeFileSync(path.join(folder, 'lakelog.toml'), 'sessions = ["logs/"]\nreplay_runs = "runs.jsonl"\n');
      return [];
    },
    code: 0,
    files: ['logs/a.jsonl', 'runs.jsonl'],
  },
];

const inToml = (name: string, text: string, says: RegExp): Case => ({
  name: `lakelog.toml ${name}`,
  make: (folder) => {
    sessions(folder, good());
    writeFileSync(path.join(folder, 'lakelog.toml'), text);
    return [];
  },
  code: 2,
  says: [says, /lakelog\.toml/],
});

export const usage: readonly Case[] = [
  ...byDay(
    [
      [['--frob'], /unknown option '--frob'/],
      [['--since', 'yesterday-ish'], /--since yesterday-ish/],
      [['--since', '2025-02-30'], /--since 2025-02-30/],
      [['--since', '2025-06-01T08:00:00 Europe/Berlin'], /--since/],
      [['--since', 'infinity'], /--since infinity/],
      [['--until', ''], /--until/],
      [['--since', '2025-06-02', '--until', '2025-06-01'], /empty/],
      [['--since', '2025-06-02', '--until', '2025-06-02'], /empty/],
      [['--tz', 'Mars/Olympus'], /Mars\/Olympus/],
      [['--kind', 'email'], /gated kinds/],
      [['--gated-kind', ''], /--gated-kind/],
      [['--min-judged', '-1'], /--min-judged/],
      [['--min-judged', '1.5'], /--min-judged/],
      [['--max-rejects', 'few'], /--max-rejects/],
      [['--max-age', 'old'], /--max-age/],
      [['--pending-grace', 'x'], /--pending-grace/],
      [['--pending-grace', '60'], /90s, 15m, 26h, 7d/],
      [['--rotation-grace', '1 h'], /90s, 15m, 26h, 7d/],
      [['--max-age', '26'], /90s, 15m, 26h, 7d/],
      [['--max-age', '-1h'], /90s, 15m, 26h, 7d/],
      [['--since', '1.5h'], /90s, 15m, 26h, 7d/],
      [['--max-line-bytes', '0'], /--max-line-bytes/],
      [['--format', 'xml'], /xml/],
      [['--json', '--format', 'csv'], /--format/],
      [['--model'], /--model/],
      [[''], /empty path/],
      [['--sessions', ''], /empty path/],
      [['--sessions', 'sessions.jsonl', '--replay-runs', 'sessions.jsonl'], /one file/],
      [['--sessions', 'sessions.jsonl', '--replay-runs', './sessions.jsonl'], /one file/],
    ] as const,
    5,
  ).map(
    ([args, says]): Case => ({
      name: `usage: ${JSON.stringify(args)}`,
      make: (folder) => {
        sessions(folder, good());
        return args[0] === '--sessions' || args[0] === '' ? args : ['sessions.jsonl', ...args];
      },
      code: 2,
      says: [says],
    }),
  ),
  {
    name: 'the same file as sessions and as replay runs through a link',
    make: (folder) => {
      sessions(folder, good());
      symlinkSync('sessions.jsonl', path.join(folder, 'link.jsonl'));
      return ['--sessions', 'sessions.jsonl', '--replay-runs', 'link.jsonl'];
    },
    code: 2,
    says: [/one file/],
  },
  {
    name: 'the same file named and asserted',
    make: (folder) => {
      sessions(folder, good());
      return ['sessions.jsonl', '--sessions', 'sessions.jsonl'];
    },
    code: 2,
    says: [/one file/],
  },
  ...byDay(
    [
      inToml('with a misspelt key', 'session = "sessions.jsonl"\n', /"session" is no key/),
      inToml('with a list of acknowledgements', 'acks = ["a.jsonl"]\n', /"acks" must be/),
      inToml('that is no TOML', 'sessions = [\n', /not TOML/),
      inToml('with no name of acknowledgements', 'acks = ""\n', /"acks" must be/),
      inToml('with a number for a path', 'sessions = 5\n', /"sessions" must be/),
    ],
    2,
  ),
  {
    name: 'usage: an age that leads out of the calendar is no failure of the self-test',
    make: (folder) => {
      sessions(folder, good());
      return ['sessions.jsonl', '--since', '999999w'];
    },
    code: 2,
    says: [/--since 999999w/],
  },
  {
    name: 'a LAKELOG_MEMORY_LIMIT that is none',
    make: (folder) => {
      sessions(folder, good());
      return { args: ['sessions.jsonl'], env: { LAKELOG_MEMORY_LIMIT: 'lots' } };
    },
    code: 2,
    says: [/LAKELOG_MEMORY_LIMIT/],
  },
  {
    name: 'a LAKELOG_MEMORY_LIMIT that is too small',
    make: (folder) => {
      sessions(folder, good());
      return { args: ['sessions.jsonl'], env: { LAKELOG_MEMORY_LIMIT: '1MB' } };
    },
    code: 2,
    says: [/memory/i],
  },
];
