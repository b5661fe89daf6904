import { z } from 'zod';
import { BATCH_FORMAT } from './batch.js';
import { BASELINE_FORMAT, COUNTS, VERSION_FIELDS } from './counts.js';
import { METRICS } from './decision.js';
import {
  ATTEMPT_FIELDS,
  CONTENT_COMMENT,
  DOCUMENT_FIELDS,
  FINAL_VERDICTS,
  type Field,
  REPLAY_FIELDS,
  SESSION_FIELDS,
  TIMESTAMP_PATTERN,
} from './fields.js';
import { LEVELS } from './policy.js';
import { LATE_MINUTES } from './result.js';

export type { AckLine } from './ack.js';

export const RESULT_FORMAT = 'lakelog.result.v1';
export const STORY_FORMAT = 'lakelog.story.v1';
export const CHECK_FORMAT = 'lakelog.check.v1';
export const CONFIG_FORMAT = 'lakelog.config.v1';
export const ACK_SCHEMA = 'lakelog.ack.v1';
export const ERROR_FORMAT = 'lakelog.error.v1';
export const WATCH_FORMAT = 'lakelog.watch.v1';

const text = z.string();
const said = text.regex(/\S/, { error: 'must not be empty' });
const whole = z.int();
const count = whole.min(0);
const lineNumber = whole.min(1);
const day = z.iso.date({ error: 'not a date (YYYY-MM-DD)' });
const instant = text
  .regex(new RegExp(TIMESTAMP_PATTERN), { error: 'not RFC 3339 with offset', abort: true })
  .refine((value) => day.safeParse(value.slice(0, 10)).success, { error: 'no such calendar day' });
/** A date is readable in a file that people review, an instant comes of a duration. */
const expires = z
  // What no clock can be compared with would never end.
  .union([day, instant.refine((value) => !Number.isNaN(Date.parse(value)))], {
    error: 'neither a date (YYYY-MM-DD) nor RFC 3339',
  })
  .nullable()
  .describe(
    'The last day it holds (YYYY-MM-DD, UTC), or the instant from which on it does not (RFC 3339); null = until it no longer matches.',
  );
const sha256 = text.regex(/^[0-9a-f]{64}$/, { error: 'not a SHA-256 in lower-case hex' });

/** A name of a field of the records, with the sentence that describes it there. */
function noted<T extends z.ZodType>(fields: readonly Field[], name: string, value: T): T {
  const field = fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`there is no field ${name}`);
  return value.meta({
    ...value.meta(),
    description: field.note,
    ...(field.content ? { $comment: CONTENT_COMMENT } : {}),
  });
}

const ofCall = <T extends z.ZodType>(name: string, value: T) => noted(SESSION_FIELDS, name, value);
const ofAttempt = <T extends z.ZodType>(name: string, value: T) => noted(ATTEMPT_FIELDS, name, value);
const ofRun = <T extends z.ZodType>(name: string, value: T) => noted(REPLAY_FIELDS, name, value);
const ofDocument = <T extends z.ZodType>(name: string, value: T) => noted(DOCUMENT_FIELDS, name, value);

const file = text.min(1).describe('File the record stands in, as it was named.');
const line = lineNumber.describe('Physical line in that file, from 1.');
const lakelog = text.describe('Version of lakelog that wrote this.');

// --- lakelog.result.v1

const finding = z.strictObject({
  code: text.min(1).describe('Stable identifier, e.g. rejects or missing_input.'),
  message: text.describe('What, in one sentence without a final full stop.'),
  where: text.optional().describe('file:line or path, where there is one.'),
  next: text.optional().describe('The next command to run or thing to do.'),
});

const exitCode = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);

const verdict = z
  .strictObject({
    status: z
      .enum(['clear', 'fired', 'cannot_vouch'])
      .describe('A fired gate outranks one that cannot vouch.'),
    exit_code: exitCode.describe('What the process ends with.'),
    fired: z.array(finding).describe('Violations, a finding per rule.'),
    cannot_vouch: z.array(finding).describe('Why this run is no proof.'),
    notices: z.array(finding).describe('What the reader should know all the same.'),
  })
  .nullable()
  .describe('The verdict of a gate; null for a question that is none.');

const column = z.strictObject({
  name: text.describe('Key in the rows.'),
  type: z
    .enum(['text', 'integer', 'number', 'fraction', 'boolean', 'timestamp', 'json'])
    .describe('fraction = 0 to 1, unrounded; timestamp = RFC 3339 UTC.'),
  note: text.nullable().describe('What it holds, in one sentence.'),
});

const totals = {
  bytes: count.describe('Bytes read, uncompressed.'),
  lines: count.describe('Always loaded + rejected + duplicates + blank + pending.'),
  loaded: count.describe('Lines that became a record.'),
  rejected: count.describe('Lines that could not be loaded.'),
  duplicates: count.describe('Lines that repeat an earlier one byte for byte.'),
  blank: count.describe('Lines of white space only.'),
  pending: count.describe('Unfinished last lines that may still be written.'),
  conflicts: count.describe('Loaded calls whose call_id another loaded line with other bytes carries too.'),
  late: count.describe(
    `Loaded records more than ${LATE_MINUTES} minutes older than one that stands before them in their file.`,
  ),
  newest_record: instant.nullable().describe('Time of the newest record, UTC; null where nothing loaded.'),
};

const epoch = z.strictObject({
  since: instant.describe('From this time on, UTC.'),
  author: said.describe('Who took note of what changed then.'),
  expires,
  reason: said.describe('What was said of it.'),
});

const receipt = z
  .strictObject({
    version: lakelog,
    query: z
      .strictObject({ name: text.describe('Its name.'), sha256: sha256.describe('Hash of the SQL.') })
      .describe('The question and the SQL that ran.'),
    inputs_from: text.describe('Where the inputs came from: arguments, environment, config or default.'),
    files: z
      .array(
        z.strictObject({
          file: text.describe('The file, as it was named.'),
          ...totals,
          tail_sha256: sha256
            .optional()
            .describe('With a lake: the hash of what stands behind the last line end.'),
          head: sha256
            .optional()
            .describe('With a lake: the hash of all that was read of the log, batch by batch.'),
        }),
      )
      .describe('The account of every file.'),
    totals: z.strictObject(totals).describe('The sum of all files.'),
    problems: z
      .array(
        z.strictObject({
          path: text.describe('The input, as it was named.'),
          problem: z
            .enum(['missing', 'unreadable', 'no_logs', 'no_records', 'changed', 'roster', 'lake'])
            .describe('What is wrong with it.'),
          detail: text.describe('The same in words.'),
          next: text
            .optional()
            .describe('What to do about it, where that is not the same for all of the kind.'),
          fingerprint: sha256
            .optional()
            .describe(
              'Of one that changed since a lake read it: the hash of what was read; of what could not be read at the last look: that of place and reason.',
            ),
        }),
      )
      .describe('Inputs that gave no record, or not what they gave before.'),
    lake: z
      .strictObject({
        path: text.describe('The lake, as it was named.'),
        synced: z.boolean().describe('False with --no-sync: nobody looked at the logs.'),
        last_sync: instant.nullable().describe('When that was done last, UTC.'),
        loading: z.boolean().describe('Its first loading is not at its end.'),
        known_logs: z.boolean().describe("Nobody named logs: the lake's own were looked at."),
        not_looked_at: z
          .array(text)
          .describe('Known logs that were not looked at, because others were named.'),
        new_bytes: count.describe('Bytes that this run read.'),
        new_files: count.describe('Files that they stand in.'),
        earlier_bytes: count.describe('Bytes that earlier runs read.'),
        earlier_files: count.describe('Logs that stand as they stood then.'),
        batches: count.optional().describe('Of a folder that many hosts fill: its batches.'),
        hosts: count.optional().describe('Hosts that published them.'),
      })
      .optional()
      .describe('With --lake: what was read now and what earlier.'),
    rejects: z
      .array(
        z.strictObject({
          reason: text.describe('bad_json, missing:kind, type:iterations, value:final_verdict, …'),
          count: count.describe('Lines rejected for it.'),
          first: text.describe('file:line of the first one.'),
          detail: text.describe('What is wrong with the first one; never holds content fields.'),
        }),
      )
      .describe('Rejected lines by reason.'),
    calls_loaded: count.describe('Calls loaded, unfiltered.'),
    replay_runs_loaded: count.describe('Replay runs loaded, unfiltered.'),
    calls_selected: count.describe('Calls that pass the filters.'),
    judged: count.nullable().describe('Calls the gate judged; null for a question that is no gate.'),
    gated_kinds: z.array(text).describe('Kinds whose accepted calls must be grounded.'),
    kinds_not_gated: z
      .array(
        z.strictObject({ kind: text.describe('The kind.'), calls: count.describe('Selected calls of it.') }),
      )
      .describe('The other kinds and how many selected calls each has.'),
    inconsistent: count.describe(
      'Selected calls whose attempts disagree with iterations or are not understood.',
    ),
    not_judgeable: count.describe('Selected calls with iterations but without recorded attempts.'),
    conflicts: count.describe('Calls whose call_id another call with other bytes carries too.'),
    gaps: z
      .array(
        z.strictObject({
          writer_id: text.describe('The process that wrote them.'),
          missing: count.describe('How many are lost.'),
          ranges: z
            .array(
              z.strictObject({
                from: lineNumber.describe('The first missing number.'),
                to: lineNumber.describe('The last one.'),
              }),
            )
            .describe('The first holes.'),
          more: count.describe('Holes beyond those.'),
          last: lineNumber.describe('The last missing number.'),
          where: text
            .nullable()
            .describe('file:line of the record behind the first hole; null where it is not known.'),
        }),
      )
      .describe(
        "Lines lost between a writer's smallest and largest seq, most first, whatever is acknowledged.",
      ),
    unknown_traces: z
      .strictObject({
        traces: count.describe('How many.'),
        first: z
          .strictObject({
            session_id: text.describe('The trace.'),
            where: text.describe('file:line of its replay run.'),
          })
          .describe('The first of them.'),
      })
      .nullable()
      .describe('Traces that have replay runs and no call; null where there are none, or no call at all.'),
    window: z
      .strictObject({
        since: instant.nullable().describe('From this time on.'),
        until: instant.nullable().describe('Before this time.'),
        tz: text.describe('Time zone of dates.'),
      })
      .describe('Half-open; null = unbounded.'),
    newest_record: instant.nullable().describe('Time of the newest call loaded, unfiltered.'),
    newest_record_age_s: whole.nullable().describe('Its age in seconds; negative = in the future.'),
    canary: z
      .strictObject({ planted: count.describe('Lines planted.'), found: count.describe('Lines found.') })
      .nullable()
      .describe('Lines that were planted and found before anything else was believed; null for no gate.'),
    acknowledged: z
      .strictObject({
        calls: count.describe('Rows of the gate that were acknowledged.'),
        rejects: count.describe('Rejected lines that were acknowledged.'),
        conflicts: count.describe(
          'Calls with a call_id that others carry too, of which that was acknowledged.',
        ),
        missing: count.describe('Missing numbers of writers that were acknowledged.'),
        changed_files: count.describe('Changed files that were acknowledged.'),
        drifts: count
          .optional()
          .describe('Of drift: falls that were acknowledged, so that a new epoch began.'),
        file: text.nullable().describe('The file of acknowledgements; null where there is none.'),
      })
      .nullable()
      .describe('What acknowledgements took out of this verdict; null for no gate.'),
    recomputed: z
      .strictObject({
        roster: text.describe('File or folder, as it was named.'),
        from: text.describe('Where its name came from: arguments, environment or config.'),
        hash: text
          .nullable()
          .describe('Hash of the only roster; null for a folder, of which each call has its own.'),
        workers: count.nullable().describe('How many workers it has; null for a folder.'),
        right: count.describe('Calls whose workers are all in the roster and active.'),
        wrong: count.describe('Calls that name a worker who is not.'),
        not_at_hand: count.describe('Calls whose roster is not in the folder.'),
        hashed: count.describe('Calls whose worker ids are hashed, so that nobody can look them up.'),
        unread: count.describe(
          'Calls whose artifact is too large, or has a member twice, so that whom it names cannot be told.',
        ),
        nobody: count.describe('Calls that name nobody.'),
        contradicted: count.describe('Calls among the wrong ones that are stamped true.'),
        other_roster: count.describe('Calls that were stamped by another roster than the only one.'),
      })
      .nullable()
      .describe(
        'What the roster says of accepted calls of gated kinds that pass the filters; null without --roster.',
      ),
    expected: z
      .strictObject({
        file: text.describe('The file that names them.'),
        named: count.describe('How many must be heard of.'),
        heard: count.describe('How many were, each within its age.'),
      })
      .nullable()
      .describe('Who must be heard of; null where nobody must be.'),
    epoch: epoch.optional().describe('Of drift: since when calls are judged, by whose acknowledgement.'),
    weaker: z
      .array(
        z.strictObject({
          name: text.describe('The setting, as lakelog.toml has it.'),
          value: z.union([text, z.number(), z.array(text)]).describe('What holds.'),
          instead_of: text.describe('The default, in words.'),
          from: text.describe('Who says so: an option, an environment variable or file:line.'),
        }),
      )
      .optional()
      .describe('Settings of a gate that are weaker than their defaults; absent where none is.'),
    prices: z
      .strictObject({
        file: text.describe('The price list, as it was named.'),
        sha256: text.describe('Of its bytes.'),
        priced: z.array(text).describe('Models that it was asked for and has.'),
        unknown: z.array(text).describe('Models that it has no price for: their money is null.'),
        tiered: z
          .array(text)
          .describe('Models among the priced ones that cost something else for long prompts.'),
      })
      .optional()
      .describe('What money rests on; absent without --prices.'),
  })
  .describe('The account of what was read and judged.');

const range = z
  .strictObject({ low: z.number().describe('Lower end.'), high: z.number().describe('Upper end.') })
  .nullable();
const share = z.number().min(0).max(1);

const decidedSide = z.strictObject({
  name: text.describe('A selection, a file, or a time.'),
  rate: share.nullable().describe('Successes of its calls, crude over all kinds; null without a call.'),
  calls: count.describe('First answered calls of traces.'),
  successes: count.describe('Those of them that succeeded.'),
  interval: range.describe("Wilson's 95 % interval of the rate."),
});

const decision = z
  .strictObject({
    what: z.enum(['compare', 'drift']).describe('Which command decides.'),
    metric: z.enum(METRICS).describe('The rate that it is about.'),
    conclusion: text.describe('What it came to, in words.'),
    alpha: z.number().describe('How often one side of it may be wrong, however often one looks.'),
    margin: share.describe('How much worse still passes.'),
    baseline: decidedSide.describe('What is compared with; of drift, what was before.'),
    candidate: decidedSide.describe('What is judged; of drift, what came since.'),
    difference: z
      .number()
      .nullable()
      .describe('Candidate - baseline, standardised over kinds; null where a side has none.'),
    interval: range.describe("Newcombe's 95 % interval of the difference, of one look."),
    standardised_to: text.describe('Whose mix the difference is standardised to.'),
    log_e: z
      .record(text, z.number())
      .nullable()
      .describe('Natural logarithms of e-values by what they speak for: shown from -ln alpha on.'),
    needed: z
      .strictObject({
        baseline: count.describe('More first answered calls of the baseline.'),
        candidate: count.describe('More of the candidate.'),
        days: count.nullable().describe('Days until then at the present pace; null where it is not known.'),
      })
      .nullable()
      .describe('What the margin still needs to be decided; null where it is, or nothing is enough.'),
    excluded_fall: share
      .nullable()
      .describe('Of drift: the smallest fall that is excluded; null where none is.'),
    changed_at: instant.nullable().describe('Of drift: since when, or the likeliest day.'),
    epoch: epoch.nullable().describe('Of drift: since when calls are judged.'),
  })
  .describe('Of compare and drift: what was decided, and the numbers that it rests on.');

/** What `--json` prints for a question. */
export const resultEnvelope = z
  .strictObject({
    format: z.literal(RESULT_FORMAT).describe('Names this shape.'),
    lakelog,
    query: text.describe('Name of the question.'),
    title: text.describe('Its title.'),
    params: z.record(text, z.unknown()).describe('Parameters of the question, as they were meant.'),
    verdict,
    columns: z.array(column).describe('Columns, in the order of the keys of each row.'),
    rows: z
      .array(z.looseObject({}))
      .describe('An object a row; whole numbers beyond 2^53 are decimal strings.'),
    truncated: z.boolean().describe('More rows than these were found, and a row cap cut them.'),
    decision: decision.optional(),
    receipt,
  })
  .describe('The answer to one question, on one line.');

// --- lakelog.check.v1

const level = z.enum(LEVELS);
const ownReceipt = z
  .strictObject({
    query: receipt.shape.query,
    judged: receipt.shape.judged,
    gated_kinds: receipt.shape.gated_kinds,
    kinds_not_gated: receipt.shape.kinds_not_gated,
    canary: receipt.shape.canary,
    acknowledged: receipt.shape.acknowledged,
    recomputed: receipt.shape.recomputed,
  })
  .nullable()
  .describe('What of the account is its own; null where it could not be judged.');

const part = z
  .strictObject({
    kind: z
      .enum(['gate', 'compare', 'drift', 'entry'])
      .describe('entry = one of lakelog.toml that means nothing that could be judged.'),
    name: text.describe('Of the gate, or of the entry.'),
    title: text.describe('What it is, in a few words.'),
    level: level.describe('warn = it adds 0 to the exit code.'),
    undecided: level.describe('warn = it adds 0 where it cannot vouch.'),
    status: z.enum(['clear', 'fired', 'cannot_vouch', 'error']).describe('What came of it.'),
    exit_code: exitCode.describe('What its own command would end with.'),
    adds: exitCode.describe('What it adds to the exit code of all.'),
    says: text.describe('What came of it, in a sentence.'),
    fired: z.array(finding).describe('Violations, a finding per rule.'),
    cannot_vouch: z.array(finding).describe('Why it is no proof.'),
    notices: z.array(finding).describe('What the reader should know all the same.'),
    error: z
      .strictObject({
        error: text.describe('What is wrong, in one sentence.'),
        where: text.nullable().describe('file:line or path, where there is one.'),
        next: text.nullable().describe('The next command to run or thing to do.'),
      })
      .nullable()
      .describe('Why it could not be judged; null where it was.'),
    alpha: z.number().nullable().describe('Of a decision: its share of the alpha of all; else null.'),
    decision: decision.nullable().describe('Of a decision: the numbers; else null.'),
    params: z.record(text, z.unknown()).describe('Its parameters, as they were meant.'),
    columns: z.array(column).describe('Columns, in the order of the keys of each row.'),
    rows: z.array(z.looseObject({})).describe('An object a row.'),
    receipt: ownReceipt,
  })
  .describe('One gate or decision.');

/** What `lakelog check --json` prints. */
export const checkEnvelope = z
  .strictObject({
    format: z.literal(CHECK_FORMAT).describe('Names this shape.'),
    lakelog,
    verdict: z
      .strictObject({
        status: z.enum(['clear', 'fired', 'cannot_vouch', 'error']).describe('The worst of all parts.'),
        exit_code: exitCode.describe('What the process ends with.'),
      })
      .describe('Of all parts together.'),
    parts: z.array(part).describe('Every gate, then the entries of lakelog.toml.'),
    receipt: receipt.describe('The account of what was read, once for all parts.'),
  })
  .describe('Several verdicts over one loading, on one line.');

// --- lakelog.config.v1

/** What `lakelog config --json` prints. */
export const configEnvelope = z
  .strictObject({
    format: z.literal(CONFIG_FORMAT).describe('Names this shape.'),
    lakelog,
    settings: z
      .array(
        z.strictObject({
          key: text.describe('As lakelog.toml has it.'),
          value: z
            .union([text, z.number(), z.array(text)])
            .nullable()
            .describe('What holds; null where nothing holds for every question.'),
          origin: z.enum(['flag', 'environment', 'policy', 'default']).describe('Who says so.'),
          where: text
            .nullable()
            .describe('The option, the variable, or lakelog.toml:line; null for the default.'),
          default: text.describe('What would hold else, in words.'),
          weaker: z.boolean().describe('A gate vouches for less than by default.'),
          note: text.describe('What it is, in a sentence.'),
        }),
      )
      .describe('Every setting.'),
    entries: z
      .array(
        z.strictObject({
          kind: z.enum(['gates', 'compare', 'drift']).describe('The table that it stands in.'),
          name: text.describe('Its name.'),
          level: level.describe('warn = it adds 0 to the exit code of check.'),
          undecided: level.describe('warn = it adds 0 where it cannot vouch.'),
          values: z.record(text, z.unknown()).describe('Its other keys.'),
          where: text.describe('lakelog.toml:line.'),
        }),
      )
      .describe('Entries of lakelog.toml.'),
  })
  .describe('Every setting and who says so, on one line.');

// --- lakelog.baseline.v1

const fractional = [
  'milliseconds',
  'milliseconds_squared',
  'timed_accepted_milliseconds',
  'tokens',
  'tokens_squared',
  'token_accepted_tokens',
];
const sums = Object.fromEntries(
  COUNTS.map((name) => [
    name,
    (fractional.includes(name) ? z.number() : count).describe(
      `The column ${name} of queries/decisions/compare.sql.`,
    ),
  ]),
);

/** What `compare --save-baseline` writes. */
export const baselineFile = z
  .strictObject({
    format: z.literal(BASELINE_FORMAT).describe('Names this shape.'),
    lakelog,
    saved_at: instant.describe('When it was saved, UTC.'),
    selection: text.min(1).describe('Which calls it is made of, as --baseline takes it.'),
    filters: z.array(text).describe('Filters that held beside it, as options.'),
    sample: z
      .array(text.regex(/^[0-9a-f]{16}$/))
      .describe('Hashes of the calls whose keys come first: whether another arm holds some of the same.'),
    kinds: z
      .array(z.strictObject({ kind: text.min(1).describe('The kind.'), ...sums }))
      .describe('Sums of each kind, over its traces, and over first answered calls.'),
    all: z.strictObject(sums).describe('The same of all kinds together.'),
    versions: z
      .array(
        z.strictObject({
          field: z.enum(VERSION_FIELDS).describe('Which version.'),
          value: text.nullable().describe('What it was; null = not recorded.'),
          calls: count.describe('Answered calls with it.'),
        }),
      )
      .describe('Models and versions of the answered calls.'),
    oldest: instant.nullable().describe('When the first answered call ended, UTC.'),
    newest: instant.nullable().describe('When the last one did.'),
    sha256: sha256.describe('Hash of the JSON of all other keys, in their order and without white space.'),
  })
  .describe('The counts of one arm of a comparison.');

// --- lakelog.batch.v1

const sumDigits = z.union([whole, text.regex(/^\d+$/)]);
const dataFile = z.strictObject({
  path: text.min(1).describe("From the lake's folder."),
  bytes: count.describe('Its size.'),
  rows: count.describe('Rows in it.'),
  sha256: sha256.describe('Of the file.'),
});

/** A receipt of a folder lake. */
export const batchReceipt = z
  .strictObject({
    schema: z.literal(BATCH_FORMAT).describe('Names this shape.'),
    id: sha256.describe(
      'SHA-256 of the bytes of the batch, whatever host and file they stood on; where another place has this name, of the id of the batch before (empty for a first one), a line feed and this SHA-256 in hex.',
    ),
    batch: count.describe('The first 13 hex digits of the id as a number: the column batch of every table.'),
    lake: text.regex(/^[0-9a-f]{32}$/).describe('lake_id of lakelog.json.'),
    host: text.min(1).describe('Who published it.'),
    version: lakelog,
    made_at: instant.describe('When it was published, UTC.'),
    file: z
      .strictObject({
        name: text.min(1).describe('Names the log in every table: HOST:PATH@ROOT.'),
        path: text.min(1).describe('Where the log stood when its first batch was read.'),
        kind: z.enum(['any', 'sessions', 'replay_runs']).describe('What it was said to hold.'),
        form: z.enum(['plain', 'archive', 'stream']).describe('How it was read.'),
        byte_from: count.describe('The first byte of the batch, uncompressed.'),
        byte_to: count.describe('The first byte behind it.'),
        lines_before: count.describe('Lines of the log before it.'),
        before: sha256.nullable().describe('The batch before it in the log; null for the first.'),
        root: sha256.describe('The first batch of the log.'),
        head: sha256.describe('Hash of all batches of the log up to this one.'),
        start_sha256: sha256.describe('Of the first 4 KiB of the log, as far as they were read.'),
        end_sha256: sha256.describe('Of the last 4 KiB that were read.'),
      })
      .describe('Where the bytes stood.'),
    account: z
      .strictObject({
        bytes: count.describe('Bytes of the batch.'),
        lines: count.describe('Physical lines.'),
        loaded: count.describe('Lines that became a row.'),
        rejected: count.describe('Lines that could not be loaded.'),
        duplicates: count.describe('Lines that are byte-identical to an earlier one of the batch.'),
        blank: count.describe('Lines of white space.'),
        pending: z.literal(0).describe('Only whole lines are in a batch.'),
        conflicts: count.describe('Found when it is asked, among all batches.'),
        late: count.describe(`Records more than ${LATE_MINUTES} minutes older than one before them.`),
        late_line: lineNumber.nullable().describe('The first of them.'),
      })
      .describe('lines = loaded + rejected + duplicates + blank + pending.'),
    newest_record: instant.nullable().describe('Latest timestamp that was loaded.'),
    rejects: z
      .array(
        z.strictObject({
          reason: text.describe('bad_json, missing:kind, …'),
          count: count.describe('Lines rejected for it.'),
          line: lineNumber.describe('The first.'),
          detail: text.describe('What is wrong with it; never holds content fields.'),
          blocks: z.boolean().describe('It could hide a call.'),
        }),
      )
      .describe('Rejects by reason.'),
    kinds: z
      .array(
        z.strictObject({
          kind: text.describe('The kind.'),
          calls: count.describe('Its calls.'),
          accepted: count.describe('Those that ended accepted.'),
          judged: count.describe('Those with a stamp, true or false.'),
          grounded: count.describe('Those stamped true.'),
          accepted_false: count.describe('Accepted ones stamped false.'),
          inconsistent: count.describe(
            'Those whose attempts are not understood, or not as many as iterations.',
          ),
          not_judgeable: count.describe('Those with iterations and without recorded attempts.'),
          unjudgeable: count.describe('One or the other.'),
          numbered: count.describe('Those with a seq.'),
          first: lineNumber.describe('Line of the first call.'),
          first_false: lineNumber.nullable().describe('Of the first accepted one stamped false.'),
          first_unjudgeable: lineNumber.nullable().describe('Of the first that is not judgeable.'),
          newest: instant.describe('Latest timestamp, UTC.'),
        }),
      )
      .describe('What its calls come to, kind by kind, whatever is gated.'),
    notices: z.array(text).describe('What a person should know.'),
    tables: z
      .record(
        text,
        z.strictObject({
          rows: count.describe('Rows of the batch.'),
          sums: z
            .record(text, sumDigits)
            .describe(
              'What an engine must count: sums of columns, and of lines by flag. Beyond 2^53 digits.',
            ),
          files: z.array(dataFile).describe('Where the rows were published.'),
        }),
      )
      .describe('By base table; those of which the batch has rows.'),
    checksum: sha256.describe('Of the text of the line before this member.'),
  })
  .describe('What became of the lines of one byte range of one log, and where their rows are.');

// --- lakelog.story.v1

const violations = z
  .array(
    z.strictObject({
      gate: text.describe('Name of the gate.'),
      value: text.describe("Value of the gate's column: the rule it breaks."),
    }),
  )
  .describe('Gates whose rows this call is in.');

const attempt = z.strictObject({
  attempt_number: lineNumber.describe('Position in the call, from 1.'),
  verdict: text.describe(
    'accepted, rejected, no_candidate or infra_error; other where it is not understood.',
  ),
  reasons: z.array(text).describe('Why the validator rejected it.'),
  span_id: ofAttempt('span_id', text.nullable()),
  input_tokens: ofAttempt('input_tokens', z.number().nullable()),
  output_tokens: ofAttempt('output_tokens', z.number().nullable()),
  finish_reason: ofAttempt('finish_reason', text.nullable()),
  duration_ms: ofAttempt('duration_ms', z.number().nullable()),
  error: ofAttempt('error', text.nullable()),
  prompt: ofAttempt('prompt', z.unknown().optional()),
  raw: ofAttempt('raw', text.nullable().optional()),
});

const call = z
  .strictObject({
    event: z.literal('call').describe('An iterate call.'),
    file,
    line,
    call_key: text.min(1).describe('Identifies the call among all calls; what acknowledgements refer to.'),
    call_id: ofCall('call_id', text.nullable()),
    timestamp: instant.describe('When the call ended, RFC 3339 UTC.'),
    daemon: ofCall('daemon', text.nullable()),
    kind: ofCall('kind', text.min(1)),
    model: ofCall('model', text.min(1)),
    response_model: ofCall('response_model', text.nullable()),
    provider: ofCall('provider', text.nullable()),
    environment: ofCall('environment', text.nullable()),
    prompt_version: ofCall('prompt_version', text.nullable()),
    validator_version: ofCall('validator_version', text.nullable()),
    roster_hash: ofCall('roster_hash', text.nullable()),
    iterations: ofCall('iterations', count),
    max_iterations: ofCall('max_iterations', whole.nullable()),
    final_verdict: ofCall('final_verdict', z.enum(FINAL_VERDICTS)),
    grounded_in_roster: ofCall('grounded_in_roster', z.boolean().nullable()),
    gated: z.boolean().describe('The kind is one whose accepted calls must be grounded.'),
    roster_check: z
      .enum(['right', 'wrong', 'not_at_hand', 'hashed', 'unread', 'nobody'])
      .nullable()
      .describe('What the roster says of an accepted call of a gated kind; null without --roster.'),
    proposed_worker_ids: ofCall('proposed_worker_ids', z.array(text).nullable()),
    duration_ms: ofCall('duration_ms', z.number().nullable()),
    error: ofCall('error', text.nullable()),
    error_type: ofCall('error_type', text.nullable()),
    inconsistent: z.boolean().describe('An attempt is not understood, or their number is not iterations.'),
    prompt: ofCall('prompt', z.unknown().optional()),
    artifact: ofCall('artifact', z.unknown().optional()),
    attempts: z.array(attempt).describe('Attempts in order; empty where none were recorded.'),
    phantoms: z
      .array(
        z.strictObject({
          worker: text.describe('The id, or what stands in the place of one, as JSON.'),
          named_in: z.enum(['ids', 'artifact']).describe('artifact = proposed_worker_ids leaves it out.'),
          standing: z.literal('inactive').nullable().describe('null = the roster does not know it.'),
        }),
      )
      .describe('Whom the call names and its roster lacks; empty without --roster.'),
    violations,
    acknowledged: z
      .array(
        z.strictObject({
          gate: text.describe('The gate in whose answer it is settled.'),
          author: said.describe('Who settled it.'),
          at: instant.describe('When.'),
          expires,
          reason: said.describe('Why it is settled.'),
        }),
      )
      .describe('Acknowledgements of this call.'),
  })
  .describe('One iterate call.');

const replayRun = z
  .strictObject({
    event: z.literal('replay_run').describe('A replayed task.'),
    file,
    line,
    timestamp: instant.describe('When the run ended, RFC 3339 UTC.'),
    run_id: ofRun('run_id', text.min(1)),
    task_id: ofRun('task_id', text.nullable()),
    task: ofRun('task', text.nullable()),
    kind: ofRun('kind', text.nullable()),
    model: ofRun('model', text.nullable()),
    provider: ofRun('provider', text.nullable()),
    retrieval_query: ofRun('retrieval_query', text.nullable()),
    context_tokens: ofRun('context_tokens', whole.nullable()),
    duration_ms: ofRun('duration_ms', z.number().nullable()),
    input_tokens: ofRun('input_tokens', whole.nullable()),
    output_tokens: ofRun('output_tokens', whole.nullable()),
    error: ofRun('error', text.nullable()),
    documents: z
      .array(
        z.strictObject({
          id: ofDocument('id', text.nullable()),
          source: ofDocument('source', text.nullable()),
          score: ofDocument('score', z.number().nullable()),
          rank: ofDocument('rank', whole.nullable()),
        }),
      )
      .nullable()
      .describe('Retrieved documents; null (not recorded) is not the same as [] (none found).'),
    best_score: z.number().nullable().describe('Highest score of the documents.'),
    output: ofRun('output', text.nullable().optional()),
  })
  .describe('One replayed task.');

/** What `lakelog show --json` prints. */
export const storyEnvelope = z
  .strictObject({
    format: z.literal(STORY_FORMAT).describe('Names this shape.'),
    lakelog,
    session_id: ofCall('session_id', text.min(1)),
    trace_url: text.nullable().describe('The trace in the tracing service; null without --trace-url.'),
    show_content: z
      .boolean()
      .describe(
        'Content was loaded: without it the keys prompt, artifact, raw and output are absent, task and retrieval_query null.',
      ),
    events: z
      .array(z.discriminatedUnion('event', [call, replayRun]))
      .describe('Calls and replay runs by time.'),
  })
  .describe('All that is recorded under one session_id, in time order, on one line.');

// --- lakelog.watch.v1

const watched = z.literal(WATCH_FORMAT).describe('Names this shape.');

/** What stands on a line of `lakelog watch --json`. */
export const watchEvent = z.discriminatedUnion('event', [
  z
    .strictObject({
      format: watched,
      event: z.literal('call').describe('An iterate call came.'),
      timestamp: instant.describe('When the call ended, RFC 3339 UTC.'),
      session_id: ofCall('session_id', text.min(1)),
      call_id: ofCall('call_id', text.nullable()),
      kind: ofCall('kind', text.min(1)),
      model: ofCall('model', text.min(1)),
      iterations: ofCall('iterations', count),
      final_verdict: ofCall('final_verdict', z.enum(FINAL_VERDICTS)),
      grounded_in_roster: ofCall('grounded_in_roster', z.boolean().nullable()),
      error: ofCall('error', text.nullable()),
      file,
      line,
      violations,
    })
    .describe('A call that came since the watching began.'),
  z
    .strictObject({
      format: watched,
      event: z.literal('reject').describe('A line came that could not be loaded.'),
      file,
      line,
      reason: text.describe('bad_json, missing:kind, type:iterations, value:final_verdict, …'),
      detail: text.describe('The same in words; never holds content fields.'),
    })
    .describe('A line that could not be loaded.'),
]);

// --- lakelog.error.v1

/** What stands on stderr, alone on its line, where an answer was asked for as JSON and there is none. */
export const errorEnvelope = z
  .strictObject({
    format: z.literal(ERROR_FORMAT).describe('Names this shape.'),
    lakelog,
    exit_code: z
      .union([z.literal(2), z.literal(3)])
      .describe('What the process ends with: 2 = usage, configuration or internal error, 3 = cannot vouch.'),
    error: text.min(1).describe('What is wrong, in one sentence.'),
    where: text.nullable().describe('file:line or path, where there is one.'),
    next: text.nullable().describe('The next command to run or thing to do.'),
    detail: text.nullable().describe('More for those who look into it, several lines perhaps.'),
  })
  .describe('A failure, on one line.');

// --- lakelog.ack.v1

const settled = {
  file,
  reason: said.describe('Why it is settled, in words.'),
  author: said.describe('Who says so.'),
  at: instant.describe('When it was said, RFC 3339.'),
  expires,
};

const settledLine = { ...settled, line };

const callAck = z
  .strictObject({
    schema: z.literal(ACK_SCHEMA).describe('Names this shape.'),
    what: z.literal('call').describe('A call is settled.'),
    gate: said.describe('The gate in whose answer the call is settled.'),
    call_key: text.min(1).describe('The call.'),
    session_id: ofCall('session_id', text.min(1)),
    timestamp: text.min(1).describe('When the call ended, in UTC as lakelog writes it.'),
    kind: ofCall('kind', text.min(1)),
    model: ofCall('model', text.min(1)),
    iterations: ofCall('iterations', count),
    final_verdict: ofCall('final_verdict', z.enum(FINAL_VERDICTS)),
    grounded_in_roster: ofCall('grounded_in_roster', z.boolean().nullable()),
    values: z.array(said).min(1).describe("Of the gate's column: what the call was accused of."),
    line_sha256: sha256.describe('SHA-256 of the bytes of its line, in lower-case hex.'),
    ...settledLine,
  })
  .describe("One call in one gate's answer, with the facts that must still be true.");

const rejectAck = z
  .strictObject({
    schema: z.literal(ACK_SCHEMA).describe('Names this shape.'),
    what: z.literal('reject').describe('A rejected line is settled.'),
    line_sha256: sha256.describe('SHA-256 of the bytes of the line, in lower-case hex.'),
    reject_reason: said.describe('Why the line could not be loaded.'),
    ...settledLine,
  })
  .describe('One line that could not be loaded, by the hash of its bytes.');

const conflictAck = z
  .strictObject({
    schema: z.literal(ACK_SCHEMA).describe('Names this shape.'),
    what: z.literal('conflict').describe('That a call_id stands in several records is settled for this one.'),
    call_id: text.min(1).describe('What they share.'),
    line_sha256: sha256.describe('SHA-256 of the bytes of its line, in lower-case hex.'),
    ...settledLine,
  })
  .describe('One of several records that share a call_id, by the hash of its bytes.');

const holeAck = z
  .strictObject({
    schema: z.literal(ACK_SCHEMA).describe('Names this shape.'),
    what: z.literal('hole').describe('Missing numbers of a writer are settled.'),
    writer_id: text.describe('The writer.'),
    from_seq: lineNumber.describe('The first number.'),
    to_seq: lineNumber.describe('The last number; what is missing from the first to it is settled.'),
    ...settledLine,
    line: lineNumber.describe('Physical line of the record behind them, from 1.'),
  })
  .refine(({ from_seq, to_seq }) => from_seq <= to_seq, {
    error: 'before from_seq',
    path: ['to_seq'],
  })
  .describe('Numbers that a writer gave to records which no log has.');

const changedFileAck = z
  .strictObject({
    schema: z.literal(ACK_SCHEMA).describe('Names this shape.'),
    what: z.literal('changed_file').describe('That a file was changed where it had been read is settled.'),
    head_sha256: sha256.describe('Tells what it was changed to: the fingerprint of its problem.'),
    ...settled,
    file: text.min(1).describe('The file, as it was named.'),
  })
  .describe('A file that was changed where it had been read, by what it was changed to.');

const driftAck = z
  .strictObject({
    schema: z.literal(ACK_SCHEMA).describe('Names this shape.'),
    what: z.literal('drift').describe('A fall of a rate is settled: a new epoch begins.'),
    metric: z.enum(METRICS).describe('The rate that fell.'),
    changed_at: instant.describe('Where the new epoch begins, RFC 3339.'),
    selection: text
      .min(1)
      .describe('Of whose calls it is the rate, as selections are written; all without filters.'),
    call_key: text.min(1).describe('The first call of the epoch.'),
    line_sha256: sha256.describe('SHA-256 of the bytes of its line, in lower-case hex.'),
    ...settledLine,
  })
  .describe('A rate that fell, and is judged from then on.');

/** One line of the file of acknowledgements. */
export const ackLine = z.discriminatedUnion('what', [
  callAck,
  rejectAck,
  conflictAck,
  holeAck,
  changedFileAck,
  driftAck,
]);
