/** Names of the published JSON Schemas and their files in dist/schema. */
export const SCHEMA_FILES = {
  session: 'session.iterate.v1.json',
  replay: 'replay.run.v1.json',
  result: 'lakelog.result.v1.json',
  story: 'lakelog.story.v1.json',
  ack: 'lakelog.ack.v1.json',
  check: 'lakelog.check.v1.json',
  config: 'lakelog.config.v1.json',
  policy: 'lakelog.policy.v1.json',
  error: 'lakelog.error.v1.json',
  watch: 'lakelog.watch.v1.json',
  baseline: 'lakelog.baseline.v1.json',
  acks: 'lakelog.acks.v1.json',
  lake: 'lakelog.lake.v1.json',
  verify: 'lakelog.verify.v1.json',
  compact: 'lakelog.compact.v1.json',
  queries: 'lakelog.queries.v1.json',
  batch: 'lakelog.batch.v1.json',
} as const;
export type SchemaName = keyof typeof SCHEMA_FILES;
export const SCHEMA_NAMES = Object.keys(SCHEMA_FILES) as SchemaName[];
