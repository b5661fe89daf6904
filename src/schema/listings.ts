/** The shapes of what commands list with --json: lakes, questions and acknowledgements. */
import { z } from 'zod';
import { ackLine } from './envelope.js';

export const LAKE_FORMAT_NAME = 'lakelog.lake.v1';
export const VERIFY_FORMAT = 'lakelog.verify.v1';
export const COMPACT_FORMAT = 'lakelog.compact.v1';
export const QUERIES_FORMAT = 'lakelog.queries.v1';
export const ACKS_FORMAT = 'lakelog.acks.v1';

const text = z.string();
const count = z.int().min(0);
const head = text.regex(/^([0-9a-f]{64})?$/).describe('The hash of these bytes, batch by batch; "" of none.');

/** What `lake info` prints of a lake that is a file. */
const fileInfo = z.strictObject({
  path: text.describe('Of the file.'),
  bytes: count.describe('Of the file.'),
  format: count.describe('Number of its format.'),
  made_by: text.describe('Version of lakelog that made it.'),
  keeps_content: z.boolean().describe('Whether it holds prompts and raw outputs.'),
  last_sync: text.nullable().describe('RFC 3339 UTC; null before the first.'),
  is_loading: z.boolean().describe('Its first loading is not at its end.'),
  batches: count.describe('In how many batches it was filled.'),
  calls: count.describe('Calls that it holds.'),
  replay_runs: count.describe('Replay runs that it holds.'),
  rejects: count.describe('Lines that could not be loaded.'),
  newest_record: text.nullable().describe('RFC 3339 UTC; null where it holds none.'),
  logs: z
    .array(
      z.strictObject({
        name: text.describe('As it was named.'),
        path: text.describe('Where it stands, or stood.'),
        form: z
          .enum(['plain', 'archive', 'stream'])
          .describe('archive is compressed, a stream is read once.'),
        state: z
          .enum(['here', 'gone', 'lost', 'changed'])
          .describe('At the last look: gone = read whole before; of lost and changed a gate cannot vouch.'),
        read_to: count.describe('Bytes that the lake has.'),
        lines: count.describe('Lines that the lake has.'),
        head,
      }),
    )
    .describe('The logs that it knows.'),
});

const logChecks = {
  logs: z
    .array(
      z.strictObject({
        file: text.describe('The log, as it was named.'),
        status: z
          .enum(['same', 'different', 'absent', 'unreadable', 'inconsistent', 'settled'])
          .describe(
            'same = every batch stands in it byte for byte; inconsistent = the lake contradicts itself; settled = it was lost or changed, and an acknowledgement explains that.',
          ),
        batches: count.describe('In the lake.'),
        bytes: count.describe('In the lake.'),
        head,
        detail: text.nullable().describe('What differs.'),
      }),
    )
    .describe('Each log that was compared.'),
  same: z.boolean().describe('What the exit code says: 0 where it is true, else 3.'),
};

const problems = z
  .array(
    z.strictObject({
      path: text.describe('File or log.'),
      detail: text.describe('What is wrong with it.'),
      next: text.nullable().describe('What to do.'),
    }),
  )
  .describe('What keeps a gate from vouching.');
const instant = text.nullable().describe('RFC 3339 UTC; null where there is none.');

/** What `lake info` prints of a lake that is a folder. */
const folderInfo = z.strictObject({
  path: text.describe('Of the folder.'),
  format: count.describe('Number of its format.'),
  lake_id: text.describe('Of this lake, as its receipts have it.'),
  made_by: text.describe('Version of lakelog that made it.'),
  keeps_content: z.boolean().describe('Whether it holds prompts and raw outputs.'),
  batches: count.describe('Receipts.'),
  calls: count.describe('Calls that receipts count.'),
  replay_runs: count.describe('Replay runs that receipts count.'),
  rejects: count.describe('Lines that could not be loaded.'),
  files: count.describe('Parquet files that are read.'),
  bytes: count.describe('Of these files.'),
  replaced: count.describe('Files that were merged into others and stand there still.'),
  newest_record: instant,
  hosts: z
    .array(
      z.strictObject({
        host: text.describe('Its name.'),
        last_export: instant,
        last_sync: instant,
        batches: count.describe('That it published.'),
        logs: count.describe('That it published.'),
        lines: count.describe('That it published.'),
        newest_record: instant,
      }),
    )
    .describe('Who published, or looked at logs.'),
  problems,
});

/** What `lake info` prints. */
export const lakeInfo = z.union([fileInfo, folderInfo]);

/** What `lake verify` prints: of a folder with what became of its files. */
export const lakeChecks = z.union([
  z.strictObject(logChecks),
  z.strictObject({
    files: count.describe('Files that were hashed.'),
    bytes: count.describe('Of these files.'),
    batches: count.describe('Receipts.'),
    problems,
    settled: problems.describe('What acknowledgements explain of it.'),
    ...logChecks,
  }),
]);

/** What `lake compact` prints. */
export const compacted = z.strictObject({
  path: text.describe('Of the folder.'),
  files: count.describe('Files that were merged.'),
  into: count.describe('Files that they became.'),
  bytes_before: count.describe('Of the files that were merged.'),
  bytes: count.describe('Of the files that they became.'),
  removed: count.describe('Files that others took the place of before, and that are gone now.'),
});

/** What `queries` prints. */
export const questionList = z.array(
  z.strictObject({
    name: text.min(1).describe('Its command.'),
    title: text.describe('What its answer is called.'),
    gate: z.boolean().describe('It ends with a verdict.'),
    params: z
      .array(
        z.strictObject({
          name: text.min(1).describe('As -p names it; the option has hyphens.'),
          type: text.describe('What it may be.'),
          default: text.describe('What holds where nobody says.'),
          note: text.describe('What it is, in a sentence.'),
        }),
      )
      .describe('What may be asked otherwise.'),
    intervals: z
      .array(
        z.strictObject({
          low: text.describe('Column of the lower end.'),
          high: text.describe('Column of the upper end.'),
          name: text.describe('The function that makes it.'),
          counts: z.array(text).describe('Columns that it is made from.'),
        }),
      )
      .describe('Columns that lakelog makes from others.'),
    file: text.describe('Where its SQL stands.'),
  }),
);

const listed = {
  number: z.int().min(1).describe('Its line in the file, as ack rm takes it.'),
  state: z
    .enum(['holds', 'expired', 'matches nothing', 'not read', 'replaced'])
    .describe('What became of it in the logs that were read.'),
};
const [first, ...others] = ackLine.options.map((one) => one.safeExtend(listed));

/** What `ack list` prints. */
export const ackList = z.array(z.discriminatedUnion('what', [first!, ...others]));
