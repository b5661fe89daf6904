/** Measures lakelog beside its rivals: see README.md in this folder. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { difference, essence, rowsIn } from './answers.mjs';
import { logOf } from './data.mjs';
import { judged, over } from './goals.mjs';
import { hostLogs } from './hosts.mjs';
import { installedSizes } from './install.mjs';
import { machine, versions } from './machine.mjs';
import { median, openStopwatch } from './measure.mjs';
import { readOptions, sizeOf, USAGE } from './options.mjs';
import { aligned, tableText } from './report.mjs';
import { BUILT, bundleRivals, lakelogIn, probeRivals, RIVALS, ROOT, tallyOf } from './rivals.mjs';

const SMALL = { name: '10MB', bytes: 10e6 };
const PLANTED = { name: 'planted', calls: 2000, flaws: true };

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}

/** 0: all was measured; 1: a command failed or answered otherwise, and was left out. */
async function main(options) {
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (BUILT.some((file) => !existsSync(path.join(ROOT, file))))
    throw new Error('dist/ is missing: run npm run build');
  mkdirSync(options.data, { recursive: true });
  await bundleRivals();
  const rivalVersions = probeRivals(options.rivals, options);
  const skipped = Object.keys(rivalVersions)
    .filter((name) => rivalVersions[name] === null)
    .map((rival) => ({ rival, why: RIVALS[rival].absent ?? 'not installed' }));
  const stopwatch = openStopwatch();
  const result = {
    format: 'lakelog.bench.v2',
    date: new Date().toISOString(),
    machine: machine(),
    versions: versions(rivalVersions),
    rounds: options.rounds,
    cases: [],
    skipped,
    failed: [],
    install: null,
  };
  note(
    `${result.machine.cpu}, ${result.machine.cores} cores, load ${result.machine.load_at_start}, Node ${process.versions.node}`,
  );
  if (result.machine.load_at_start > result.machine.cores / 2)
    note('the machine is busy: trust ratios, not times');
  if (!stopwatch.hasTime) note('no GNU time at /usr/bin/time: no CPU time, no peak memory');
  for (const { rival, why } of skipped) note(`${rival}: skipped, ${why}`);
  try {
    for (const definition of options.cases) {
      for (const size of sizesOf(definition, options)) {
        const measured = measureCase(definition, size, options, stopwatch, result);
        if (measured === null) continue;
        result.cases.push(measured);
        process.stdout.write(`${tableText(measured)}\n`);
      }
    }
    if (options.install) {
      result.install = installedSizes(stopwatch.scratch);
      process.stdout.write(
        `installed size\n${aligned([['what', 'MB', 'packages'], ...result.install.map((one) => [one.what, one.mb.toFixed(1), String(one.packages)])])}\n`,
      );
    }
  } finally {
    stopwatch.close();
    if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  return result.failed.length === 0 ? 0 : 1;
}

function sizesOf({ sizes, fixed }, { sizes: wanted }) {
  if (sizes === undefined) return [null];
  return fixed || wanted === undefined ? sizes.map(sizeOf) : wanted;
}

/** @returns null where lakelog itself is left out */
function measureCase(definition, size, options, stopwatch, result) {
  const left = (rival, why) => {
    result.failed.push({ case: definition.name, size: size?.name ?? null, rival, why });
    note(`${definition.name} ${size?.name ?? ''}: ${rival} is left out: ${why}`);
  };
  let [measured, planted] = [null, null];
  try {
    measured = contendersOn(size, definition, options, result);
    if (definition.planted) planted = contendersOn(PLANTED, definition, options, result);
  } catch (error) {
    // A disk without room for the largest log costs no other case.
    left('lakelog', error.message);
    return null;
  }
  const sound = soundOnes(definition, measured, stopwatch, left);
  const rightly = planted && sound ? soundOnes(definition, planted, stopwatch, left) : sound;
  if (!sound || !rightly) return null;
  const names = new Set(rightly.map(({ name }) => name));
  const fair = sound.filter(({ name }) => names.has(name));
  const raced = race(fair, options.rounds, stopwatch, left);
  return raced && summary(definition, size, measured.log, raced);
}

function prepared(root, want, { hosts } = {}) {
  const log = (hosts ? hostLogs : logOf)(root, want, note);
  return { ...log, query: (name) => path.join(ROOT, 'queries', `${name}.sql`) };
}

/** The log in the form of the case, and what runs on it: ours first, then those rivals that are here and asked for. */
function contendersOn(size, definition, options, result) {
  const { form, ours, rivals, rivalsRead, piped, check } = definition;
  const plain = () => prepared(options.data, size, definition);
  const small = () => prepared(options.data, SMALL);
  const log =
    size &&
    (form ? prepared(options.data, { ...size, ...form, name: `${size.name}-${form.name}` }) : plain());
  definition.setup?.(log, small);
  const args = ours(log);
  const exitOf = ({ exit = 0 }) => (typeof exit === 'function' ? exit(log) : exit);
  const itself = { check, exit: exitOf(definition) };
  const theirs = rivalsRead && log ? { ...log, sessions: rivalsRead(log) } : log;
  const others = rivals.flatMap((rival) => {
    if (typeof rival === 'object')
      return [
        {
          ...{ ...rival, exit: exitOf(rival), command: lakelogIn(ROOT, rival.ours(log, plain, small)) },
          each: rival.each && (() => rival.each(log, small)),
        },
      ];
    if (!isHere(rival, log, options, result)) return [];
    const command = RIVALS[rival].command({ ...definition, ...options, log: theirs, args });
    const { begin } = RIVALS[rival];
    const each =
      rival === 'before' ? definition.each && (() => definition.each(log)) : begin && (() => begin(log));
    return [{ name: rival, command, each, ...(rival === 'before' ? itself : { exit: 0 }) }];
  });
  const each = definition.each && (() => definition.each(log));
  const contenders = [{ name: 'lakelog', command: lakelogIn(ROOT, args), ...itself, each }, ...others];
  const env = definition.env?.(log);
  const made = ({ name }) => definition.made && tallyOf(log, name);
  return {
    log,
    contenders: contenders.map((one) => ({ ...one, piped: piped && log.sessions, env, made: made(one) })),
  };
}

function isHere(rival, log, options, result) {
  if (!options.rivals.includes(rival) || result.skipped.some((one) => one.rival === rival && !one.size))
    return false;
  const { upTo = Number.POSITIVE_INFINITY } = RIVALS[rival];
  if (!log || log.bytes <= upTo * 1.05 || options.slow) return true;
  const why = `takes minutes on ${log.name}; measure it with --slow`;
  if (!result.skipped.some((one) => one.rival === rival && one.size === log.name)) {
    result.skipped.push({ rival, size: log.name, why });
    note(`${rival}: skipped, ${why}`);
  }
  return false;
}

/** Runs each once, which also warms the cache, and keeps those that give the answer lakelog gives; null if that fails. */
function soundOnes({ agree, rows = {} }, { log, contenders }, stopwatch, left) {
  let ours = null;
  const sound = [];
  for (const contender of contenders) {
    const { name, command, piped, exit, check, env, made } = contender;
    const why = (() => {
      contender.each?.();
      const ran = stopwatch.run(command, { piped, env });
      if (ran.exit !== exit) return `exit ${ran.exit}: ${complaintIn(ran.stderr())}`;
      const wrong = check?.(
        rowsIn(ran.stdout(), (answer) => answer),
        log,
      );
      if (wrong) return wrong;
      if (!agree) return null;
      const told = made ? stopwatch.run(made) : ran;
      if (made && told.exit !== 0) return `what it made cannot be read: ${complaintIn(told.stderr())}`;
      const answer = essence(told.stdout(), agree, rows[name]);
      ours ??= answer;
      return difference(ours, answer);
    })();
    if (why === null) sound.push(contender);
    else left(name, why);
    if (sound.length === 0) return null;
  }
  return sound;
}

function complaintIn(stderr) {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
}

/** A B A B: what disturbs the machine for a while disturbs all. Who fails once, however late, is left out. */
function race(contenders, rounds, stopwatch, left) {
  let racing = contenders.map((contender) => ({ ...contender, runs: [] }));
  for (let round = 1; round <= rounds; round++) {
    racing = racing.filter(({ name, command, piped, exit, runs, each, env }) => {
      each?.();
      const ran = stopwatch.run(command, { piped, env });
      runs.push(ran);
      if (ran.exit !== exit) left(name, `exit ${ran.exit} in round ${round}`);
      return ran.exit === exit;
    });
  }
  return racing[0]?.name === contenders[0].name ? racing : null;
}

function summary(definition, size, log, raced) {
  const commands = raced.map(({ name, runs }) => {
    const times = runs.map(({ ms }) => ms);
    const known = (key) => (runs[0][key] === null ? null : runs.map((run) => run[key]));
    return {
      name,
      median_ms: median(times),
      min_ms: Math.min(...times),
      max_ms: Math.max(...times),
      cpu_ms: known('cpuMs') && median(known('cpuMs')),
      peak_mb: known('peakMB') && Math.max(...known('peakMB')),
      samples_ms: times,
    };
  });
  const [ours, ...rivals] = commands;
  // What is no matter of time: measured once, on what the last run left.
  ours.share = definition.share?.(log) ?? null;
  const against = (key) =>
    Object.fromEntries(rivals.map((rival) => [rival.name, over(ours[key], rival[key])]));
  return {
    case: definition.name,
    size: size?.name ?? null,
    log: log && {
      calls: log.calls,
      bytes: log.bytes,
      runs: log.runs,
      replay_bytes: log.replayBytes,
      torn: log.torn,
    },
    commands,
    ratios: against('median_ms'),
    cpu_ratios: against('cpu_ms'),
    goals: judged(definition.goals, size, commands),
  };
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
