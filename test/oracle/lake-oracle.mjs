/**
 * What a lake must hold and say: its rules over whole contents instead of fingerprints, in plain JavaScript, sharing
 * nothing with the product. A log is what was read of it, byte for byte; a file is a log whose bytes it begins with.
 */
import { createHash } from 'node:crypto';
import { linesOf, stripped } from '../scan/checker.mjs';
import { readLine } from './oracle.mjs';

const LF = 10;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const ROTATED = /(\.\d+|-\d{8}|\.gz)$/;

export const hashOf = (line) => createHash('sha256').update(stripped(line)).digest('hex');

export const emptyLake = () => ({ logs: [], rows: new Map(), rejects: [], unread: [], isLoading: false });

function copyOf(lake) {
  return {
    ...lake,
    logs: lake.logs.map((log) => ({ ...log })),
    rows: new Map(lake.rows),
    rejects: [...lake.rejects],
  };
}

/** @param found {files, missing}: what stands in the folder now. */
export function sync(lake, found, clock) {
  const pairs = recognize(lake, found);
  const first = copyOf(lake);
  const tasks = [];
  const standing = new Set();
  for (const { file, log } of pairs) {
    const known = log === null ? null : first.logs.find(({ number }) => number === log.number);
    const before = known?.content.length ?? 0;
    const lineEnd = file.form === 'archive' ? file.bytes.length : file.bytes.lastIndexOf(LF) + 1;
    const to = Math.max(lineEnd, before);
    const isWhole = file.bytes.length === before;
    if (known !== null) {
      const rest = file.bytes.length - before;
      Object.assign(known, {
        ...placeOf(file),
        state: 'here',
        rest,
        settled: isWhole && isSettled(file, clock),
      });
      standing.add(known);
    }
    if (!isWhole) tasks.push({ file, known, from: before, to });
  }
  for (const log of first.logs) {
    if (standing.has(log) || log.state !== 'here' || !found.bases.includes(log.base)) continue;
    log.state = fateOf(log, found.files, (file) => wasBeside(log, lake, pairs, file, found.files));
  }
  first.isLoading = tasks.length > 0;

  const second = copyOf(first);
  for (const task of tasks) {
    let log = task.known && second.logs.find(({ number }) => number === task.known.number);
    log ??= begin(second, task.file);
    take(second, log, task.file, task.from, task.to, clock);
    log.rest = task.file.bytes.length - task.to;
    if (task.to === task.file.bytes.length) log.settled = isSettled(task.file, clock);
    task.number = log.number;
  }
  const unread = unreadAfter(second, { ...found, pairs }, clock);
  const third = { ...copyOf(second), unread, isLoading: false };
  const answered = copyOf(third);
  for (const { file, to, number } of tasks) {
    const log = answered.logs.find((one) => one.number === number);
    take(answered, log, file, to, file.bytes.length, clock);
  }
  return {
    stages: [first, withRestOf(lake, first), second, withRestOf(lake, second), third],
    lake: third,
    told: tell(answered, found, clock),
  };
}

/** By the logs that were asked for: what could not be read when somebody looked there last. */
function unreadAfter({ logs, unread }, look, { now }) {
  const { files, gone, noLogs, bases } = look;
  const torn = (log) => {
    const file = log.state === 'here' && log.form === 'plain' && files.find(({ path }) => path === log.path);
    return log.rest > 0 && file && now - file.mtimeMs > MINUTE;
  };
  const isKnown = (path) => logs.some((log) => log.path === path && log.state !== 'here');
  const kept = (one) => {
    if (!bases.includes(one.base)) return [one];
    if (!one.file || files.some((file) => isIt(file, one.file, look.pairs, unread))) return [];
    return [{ ...one, isLost: true }];
  };
  return [
    ...unread.flatMap(kept),
    ...files
      .filter(({ form }) => form === 'damaged')
      .map((file) => ({ base: baseOf(file.name), code: 'unreadable_input', file })),
    ...gone.filter(({ path }) => !isKnown(path)).map(({ name }) => ({ base: name, code: 'missing_input' })),
    ...logs.filter(torn).map(({ base }) => ({ base, code: 'damaged_lake' })),
    ...(noLogs ? [{ base: bases[0], code: 'no_logs' }] : []),
  ];
}

const isOne = (file, other) => file.id === other.id && file.born === other.born;

/**
 * Whether a file is what could not be read, or that put back whole: it begins like it. What the lake knew before, as
 * another log or as another one that could not be read, is neither.
 */
function isIt(file, lost, pairs, unread) {
  const log = pairs.find((pair) => pair.file === file)?.log;
  if (log && log.id !== lost.id && bare(log.path) !== bare(lost.path)) return false;
  const { length } = lost.raw;
  const isAsLarge = file.raw.length >= length;
  const start = (raw) => raw.subarray(0, Math.min(4096, length));
  const begins = length >= 32 && start(file.raw).equals(start(lost.raw));
  // Another one may have been written over it.
  if (isOne(file, lost)) return begins || (length < 32 && isAsLarge);
  if (unread.some((one) => one.file && isOne(one.file, file))) return false;
  return isAsLarge && begins;
}

const bare = (path) => path.replace(/\.gz$/, '');

/** What is seen behind the last line end of a plain file alone is written down last, and so is a log that holds no more. */
function withRestOf(before, lake) {
  const copy = copyOf(lake);
  const isKnown = ({ number }) => before.logs.some((log) => log.number === number);
  copy.logs = copy.logs.filter((log) => log.content.length > 0 || isKnown(log));
  for (const log of copy.logs) {
    const old = before.logs.find(({ number }) => number === log.number);
    if (log.form === 'plain' && old?.content.length === log.content.length) log.rest = old.rest;
  }
  return copy;
}

/** Without a look at the logs. */
export function look(lake) {
  const told = tell(
    lake,
    { files: [], gone: [], noLogs: false, bases: lake.logs.map(({ base }) => base), isNamed: true },
    { now: 0 },
  );
  const codes = ['not_synced', ...(lake.isLoading ? ['still_loading'] : []), ...lake.unread.map(codeOf)];
  return { ...told, cannotVouch: [...new Set([...told.cannotVouch, ...codes])].sort() };
}

const codeOf = ({ code }) => code;

/** All that was read of it, and as much behind it as was seen; no line goes on that was judged without its end. */
export const holds = (bytes, { content, rest }) =>
  bytes.length >= content.length + rest &&
  bytes.subarray(0, content.length).equals(content) &&
  (bytes.length === content.length || content.length === 0 || content.at(-1) === LF);

/** Which file is which log: the one that stood there, else the one of which it holds most. */
function recognize(lake, { files }) {
  const missing = new Set(lake.logs);
  const readable = files.filter(({ form }) => form === 'plain' || form === 'archive');
  // What cannot be read says nothing of its log.
  for (const { form, path } of files)
    if (form === 'damaged' || form === 'unfinished')
      for (const log of missing) if (log.path === path) missing.delete(log);
  const pairs = new Map();
  for (const file of readable) {
    const log = [...missing]
      .reverse()
      .find((one) => one.id === file.id && one.form === file.form && holds(file.bytes, one));
    if (log === undefined) continue;
    missing.delete(log);
    pairs.set(file, log);
  }
  for (const file of readable) {
    if (pairs.has(file)) continue;
    const [log = null] = [...missing]
      .filter((one) => one.content.length > 0 && holds(file.bytes, one))
      .sort((a, b) => b.content.length - a.content.length);
    if (log !== null) missing.delete(log);
    pairs.set(file, log);
  }
  return readable.filter(({ bytes }) => bytes.length > 0).map((file) => ({ file, log: pairs.get(file) }));
}

const placeOf = ({ id, path, form, mtimeMs }) => ({ id, path, form, mtimeMs });
const baseOf = (name) => name.replace(/\.gz$/, '').replace(ROTATED, '');

function begin(lake, file) {
  const number = Math.max(-1, ...lake.logs.map((log) => log.number)) + 1;
  const log = {
    number,
    base: baseOf(file.name),
    ...placeOf(file),
    state: 'here',
    settled: false,
    content: Buffer.alloc(0),
    ...NO_LINES,
  };
  lake.logs.push(log);
  return log;
}

const NO_LINES = { lines: 0, good: 0, rejected: 0, blank: 0, pending: 0 };

function take(lake, log, file, from, to, { now }) {
  if (to === from) return;
  const bytes = file.bytes.subarray(from, to);
  const input = { as: 'any', compressed: file.form === 'archive', mtimeMs: file.mtimeMs };
  for (const line of linesOf(bytes)) {
    log.lines++;
    const fate = readLine(line, input, { now, pendingGraceS: 60, maxLineBytes: 16_777_216 });
    if (fate.fate === 'blank' || fate.fate === 'pending') log[fate.fate]++;
    else if (fate.fate === 'reject') {
      log.rejected++;
      const blocks =
        ['value:schema', 'wrong_kind'].includes(fate.reason) || (fate.named ?? null) !== 'replay_runs';
      lake.rejects.push({ sha256: hashOf(line.bytes), reason: fate.reason, blocks });
    } else {
      log.good++;
      const sha256 = hashOf(line.bytes);
      if (!lake.rows.has(sha256)) lake.rows.set(sha256, fate);
    }
  }
  log.content = Buffer.concat([log.content, bytes]);
}

/** Nobody writes to it any more: another one stands where it stood, and it is old. */
const isSettled = ({ name, mtimeMs }, { now }) => ROTATED.test(name) && now - mtimeMs > HOUR;

/** The file is another log, which held all of this one at the last look: a copy of it, and not where it went. */
function wasBeside(log, { logs }, pairs, file, files) {
  const pair = pairs.find((one) => one.file === file);
  const other = logs.find(({ number }) => number === pair?.log?.number);
  if (other?.state !== 'here') return false;
  // Its own file stands still, cut: the other one is new.
  if (file.id !== other.id && files.some(({ path, id }) => path === other.path && id === other.id))
    return false;
  return other.content.length + other.rest >= log.content.length + log.rest;
}

function fateOf(log, files, isCopy) {
  const unknown = files.filter(({ form }) => form === 'damaged' || form === 'unfinished');
  // What cannot be read, and has its number, may be the log itself under another name.
  const mayBe = ({ form, path, id }) => path === log.path || (form === 'damaged' && id === log.id);
  if (unknown.some(mayBe)) return 'here';
  const readable = files.filter(({ form }) => form === 'plain' || form === 'archive');
  const isThere = files.some(({ path, id }) => path === log.path && id === log.id);
  const holders = readable.filter(({ bytes }) => log.content.length > 0 && holds(bytes, log));
  if (holders.some((file) => isThere || !isCopy(file))) return 'gone';
  if (isThere) return 'changed';
  // All of an archive is read, if a run came to its end.
  return log.settled || (log.form === 'archive' && log.rest === 0) ? 'gone' : 'lost';
}

const NEVER_EXCUSED = /^(missing|type|value|duplicate_key):(schema|final_verdict)$/;

function tell(lake, found, clock) {
  const isSeen = (one) =>
    one.file ? found.files.some((file) => isOne(file, one.file)) : found.bases.includes(one.base);
  const untold = lake.unread.filter((one) => !isSeen(one)).map(codeOf);
  const rows = [...lake.rows.values()];
  const calls = rows.filter(({ fate }) => fate === 'call').map(({ values }) => values);
  const gated = calls.filter(({ kind, final_verdict }) => kind === 'fill' && final_verdict === 'accepted');
  const judged = gated.filter(({ grounded_in_roster }) => grounded_in_roster !== null);
  const violations = judged.filter(({ grounded_in_roster }) => !grounded_in_roster).length;
  const ids = calls.map(({ call_id }) => call_id).filter((id) => id !== null);
  const conflicts = ids.filter((id) => ids.indexOf(id) !== ids.lastIndexOf(id)).length;
  const blocking = lake.rejects.filter(({ blocks }) => blocks);
  const unknown = blocking.filter(({ reason }) => NEVER_EXCUSED.test(reason)).length;
  const broken = lake.logs.filter(({ state }) => state === 'lost' || state === 'changed');
  const is = {
    missing_input: found.gone.length > 0,
    no_logs: found.noLogs,
    unreadable_input: found.files.some(({ form }) => form === 'damaged'),
    no_records: lacksRecords(lake, found, calls.length, rows.length, clock),
    unjudged: gated.length > judged.length,
    too_few_judged: judged.length === 0,
    rejects: blocking.length - unknown + conflicts > 0 && blocking.length > unknown,
    unknown_record: unknown > 0,
    conflicts: conflicts > 0,
    changed_input: broken.length > 0,
    holes: hasHoles(calls),
    not_looked_at: lake.logs.some(({ state, base }) => state === 'here' && !found.bases.includes(base)),
  };
  return {
    calls: calls.length,
    runs: rows.length - calls.length,
    violations,
    judged: judged.length,
    conflicts,
    broken: broken.length,
    rows: [...lake.rows.keys()].sort(),
    rejects: lake.rejects.map(({ sha256, reason }) => `${sha256} ${reason}`).sort(),
    accounts: lake.logs
      .filter(({ lines }) => lines > 0)
      .map(accountOf)
      .sort(),
    cannotVouch: [...new Set([...Object.keys(is).filter((code) => is[code]), ...untold])].sort(),
  };
}

function hasHoles(calls) {
  const numbered = calls.filter(({ writer_id, seq }) => writer_id !== null && seq !== null);
  return [...new Set(numbered.map(({ writer_id }) => writer_id))].some((writer) => {
    const seqs = new Set(numbered.filter((one) => one.writer_id === writer).map(({ seq }) => seq));
    return Math.max(...seqs) - Math.min(...seqs) + 1 > seqs.size;
  });
}

const accountOf = ({ content, lines, good, rejected, blank, pending }) =>
  [content.length, lines, good, rejected, blank, pending].join(' ');

/** A file that holds nothing, unless it was just rotated or cut. */
function lacksRecords(lake, { files, isNamed }, calls, loaded, { now }) {
  const isExcusable = (file) => {
    const isYoung = Math.abs(now - file.mtimeMs) <= HOUR;
    const hasPast =
      files.some(({ name }) => name !== file.name && baseOf(name) === file.name) ||
      lake.logs.some(
        ({ base, path, state, content }) =>
          content.length > 0 && (path === file.path ? state !== 'here' : isNamed && base === file.name),
      );
    return file.form !== 'archive' && (isYoung || hasPast) && loaded > 0 && calls > 0;
  };
  return files.some((file) => {
    if (file.form === 'empty') return !isExcusable(file);
    const log = lake.logs.find(({ state, path }) => state === 'here' && path === file.path);
    if (log === undefined || log.lines === 0 || log.good > 0) return false;
    return !(log.lines === log.blank + log.pending && isExcusable(file));
  });
}
