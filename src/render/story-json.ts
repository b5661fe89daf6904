import {
  STORY_CALL_COLUMNS,
  type Story,
  type StoryAttempt,
  type StoryCall,
  type StoryDocument,
  type StoryPhantom,
  type StoryRun,
} from '../schema/story.js';
import { version } from '../version.js';
import { encode, jsonText } from './json.js';

const CALL = [
  'event',
  ...STORY_CALL_COLUMNS,
  'prompt',
  'artifact',
  'attempts',
  'phantoms',
  'violations',
  'acknowledged',
] as const satisfies readonly (keyof StoryCall)[];

const ATTEMPT = [
  'attempt_number',
  'verdict',
  'reasons',
  'span_id',
  'input_tokens',
  'output_tokens',
  'finish_reason',
  'duration_ms',
  'error',
  'prompt',
  'raw',
] as const satisfies readonly (keyof StoryAttempt)[];

const RUN = [
  'event',
  'file',
  'line',
  'timestamp',
  'run_id',
  'task_id',
  'task',
  'kind',
  'model',
  'provider',
  'retrieval_query',
  'context_tokens',
  'duration_ms',
  'input_tokens',
  'output_tokens',
  'error',
  'documents',
  'best_score',
  'output',
] as const satisfies readonly (keyof StoryRun)[];

const DOCUMENT = ['id', 'source', 'score', 'rank'] as const satisfies readonly (keyof StoryDocument)[];
const PHANTOM = ['worker', 'named_in', 'standing'] as const satisfies readonly (keyof StoryPhantom)[];
const VIOLATION = ['gate', 'value'] as const satisfies readonly (keyof StoryCall['violations'][number])[];
const ACK = [
  'gate',
  'author',
  'at',
  'expires',
  'reason',
] as const satisfies readonly (keyof StoryCall['acknowledged'][number])[];

/** Absent without --show-content; other content keys are null then. */
const LEFT_OUT: ReadonlySet<string> = new Set(['prompt', 'artifact', 'raw', 'output']);
const BLANKED: ReadonlySet<string> = new Set(['task', 'retrieval_query']);

/** One envelope on one line; its keys and their order are an API. */
export function renderStoryJson({ session_id, trace_url, show_content, events }: Story): string {
  const drawn = events.map((event) =>
    event.event === 'call' ? call(event, show_content) : run(event, show_content),
  );
  return [
    '{"format":"lakelog.story.v1"',
    `,"lakelog":${encode(version)}`,
    `,"session_id":${encode(session_id)}`,
    `,"trace_url":${encode(trace_url)}`,
    `,"show_content":${show_content}`,
    `,"events":[${drawn.join(',')}]`,
    '}\n',
  ].join('');
}

function call(one: StoryCall, showContent: boolean): string {
  return object(one, CALL, showContent, {
    prompt: jsonOrNull(one.prompt),
    artifact: jsonOrNull(one.artifact),
    attempts: array(one.attempts, (attempt) =>
      object(attempt, ATTEMPT, showContent, { prompt: jsonOrNull(attempt.prompt) }),
    ),
    phantoms: array(one.phantoms, (phantom) => object(phantom, PHANTOM, showContent)),
    violations: array(one.violations, (violation) => object(violation, VIOLATION, showContent)),
    acknowledged: array(one.acknowledged, (ack) => object(ack, ACK, showContent)),
  });
}

const jsonOrNull = (text: unknown) => (typeof text === 'string' ? jsonText(text) : 'null');

function run(one: StoryRun, showContent: boolean): string {
  const { documents } = one;
  const drawn = documents && array(documents, (document) => object(document, DOCUMENT, showContent));
  return object(one, RUN, showContent, { documents: drawn ?? 'null' });
}

/** The keys in their order; `encoded` holds those that are JSON already. */
function object<K extends string>(
  one: { readonly [key in K]?: unknown },
  keys: readonly K[],
  showContent: boolean,
  encoded: { readonly [key in K]?: string } = {},
): string {
  const members = keys
    .filter((key) => showContent || !LEFT_OUT.has(key))
    .map((key) => {
      const value = !showContent && BLANKED.has(key) ? null : (one[key] ?? null);
      return `${encode(key)}:${encoded[key] ?? encode(value)}`;
    });
  return `{${members.join(',')}}`;
}

function array<T>(all: readonly T[], draw: (one: T) => string): string {
  return `[${all.map(draw).join(',')}]`;
}
