/** Measures lakelog beside its rivals: see README.md in this folder. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { difference, essence, rowsIn } from './answers.mjs';
import { logOf } from './data.mjs';
import { installedSizes } from './install.mjs';
import { machine, versions } from './machine.mjs';
import { median, openStopwatch } from './measure.mjs';
import { readOptions, USAGE } from './options.mjs';
import { aligned, tableText } from './report.mjs';
import { bundleRivals, probeRivals, RIVALS, ROOT } from './rivals.mjs';

const CLI = path.join(ROOT, 'bin/lakelog.js');
const SHORT = { name: '100-calls', calls: 100 };
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
  if (!existsSync(path.join(ROOT, 'dist/lakelog.js'))) throw new Error('dist/ is missing: run npm run build');
  mkdirSync(options.data, { recursive: true });
  await bundleRivals();
  const rivalVersions = probeRivals(options.rivals, options);
  const skipped = Object.keys(rivalVersions)
    .filter((name) => rivalVersions[name] === null)
    .map((rival) => ({ rival, why: 'not installed' }));
  const stopwatch = openStopwatch();
  const result = {
    format: 'lakelog.bench.v1',
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
  if (!stopwatch.hasTime) note('no GNU time at /usr/bin/time: no peak memory');
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

function sizesOf({ log }, { sizes }) {
  if (log === 'none') return [null];
  return log === 'short' ? [SHORT] : sizes;
}

function measureCase(definition, size, options, stopwatch, result) {
  const clean = size && prepared(options.data, size);
  const log = definition.tornEvery
    ? prepared(options.data, { ...size, name: `${size.name}-torn`, tornEvery: definition.tornEvery })
    : clean;
  const left = (rival, why) => {
    result.failed.push({ case: definition.name, size: size?.name ?? null, rival, why });
    note(`${definition.name} ${size?.name ?? ''}: ${rival} is left out: ${why}`);
  };
  const contenders = commandsOf(definition, log, clean, options, result);
  const sound = soundOnes(definition, log, contenders, stopwatch, left);
  const planted = definition.planted && sound && prepared(options.data, PLANTED);
  const rightly = planted
    ? soundOnes(
        definition,
        planted,
        commandsOf(definition, planted, planted, options, result),
        stopwatch,
        left,
      )
    : sound;
  if (!sound || !rightly) return null;
  const names = new Set(rightly.map(({ name }) => name));
  return summary(
    definition,
    size,
    log,
    race(
      sound.filter(({ name }) => names.has(name)),
      options.rounds,
      stopwatch,
    ),
  );
}

function prepared(root, want) {
  const log = logOf(root, want, note);
  return { ...log, query: (name) => path.join(ROOT, 'queries', `${name}.sql`) };
}

/** Ours first, then those rivals that are here and asked for. */
function commandsOf(definition, log, clean, options, result) {
  const lakelog = (args) => [process.execPath, CLI, ...args];
  const rivals = definition.rivals.flatMap((rival) => {
    if (typeof rival === 'object') return [{ name: rival.name, command: lakelog(rival.ours(log, clean)) }];
    if (!options.rivals.includes(rival) || result.skipped.some((one) => one.rival === rival && !one.size))
      return [];
    const { upTo = Number.POSITIVE_INFINITY, command } = RIVALS[rival];
    if (log && log.bytes > upTo * 1.05 && !options.slow) {
      const why = `takes minutes on ${log.name}; measure it with --slow`;
      if (!result.skipped.some((one) => one.rival === rival && one.size === log.name)) {
        result.skipped.push({ rival, size: log.name, why });
        note(`${rival}: skipped, ${why}`);
      }
      return [];
    }
    return [{ name: rival, command: command({ ...definition, log, python: options.python }) }];
  });
  return [{ name: 'lakelog', command: lakelog(definition.ours(log)) }, ...rivals];
}

/** Runs each once, which also warms the cache, and keeps those that give the answer lakelog gives; null if that fails. */
function soundOnes(definition, log, contenders, stopwatch, left) {
  const { agree, check, rows = {} } = definition;
  let ours = null;
  const sound = [];
  for (const contender of contenders) {
    const why = (() => {
      const isOurs = contender === contenders[0];
      const ran = stopwatch.run(contender.command);
      const firing = isOurs && log?.flawed > 0;
      if (ran.exit !== (firing ? 1 : 0)) return `exit ${ran.exit}: ${ran.stderr().trim().split('\n').at(-1)}`;
      if (isOurs && check) {
        const wrong = check(
          rowsIn(ran.stdout(), (answer) => answer),
          log,
        );
        if (wrong) return wrong;
      }
      if (!agree) return null;
      const answer = essence(ran.stdout(), agree, rows[contender.name]);
      ours ??= answer;
      return difference(ours, answer);
    })();
    if (why === null) sound.push(contender);
    else left(contender.name, why);
    if (sound.length === 0) return null;
  }
  return sound;
}

/** A B A B: what disturbs the machine for a while disturbs all. */
function race(contenders, rounds, stopwatch) {
  const runs = contenders.map(({ name }) => ({ name, runs: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, { command }] of contenders.entries()) runs[i].runs.push(stopwatch.run(command));
  }
  return runs;
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
  const ratios = Object.fromEntries(rivals.map((rival) => [rival.name, ours.median_ms / rival.median_ms]));
  const goals = definition.goals
    .filter(
      ({ at, rival }) => (at === undefined || at === size?.name) && (rival === undefined || rival in ratios),
    )
    .filter(({ peakMB }) => peakMB === undefined || ours.peak_mb !== null)
    .map(({ rival, atMost, peakMB }) =>
      rival === undefined
        ? { peak_mb: peakMB, met: ours.peak_mb <= peakMB }
        : { rival, at_most: atMost, met: ratios[rival] <= atMost },
    );
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
    ratios,
    goals,
  };
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
