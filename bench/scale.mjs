/** node bench/scale.mjs: the tables of docs/SCALE.md. Put in slopes, prices and hosts of your own. */
import { pathToFileURL } from 'node:url';

/** What was measured, and by what: each is a slope, per call or per batch. */
export const MEASURED = {
  logBytes: [2620, 'B of log a call', 'case `alarm`, 1 GB'],
  callBytes: [133, 'B a call in `base_calls`', 'files of case `folder-alarm`, 2,400,000 calls'],
  attemptBytes: [73, 'B a call in `base_attempts`', 'the same'],
  reasonBytes: [16, 'B a call in `base_attempt_reasons`', 'the same'],
  workerBytes: [17, 'B a call in `base_named_workers`', 'the same'],
  syncUs: [53, 'µs of CPU a call to publish from logs', 'setup of the same, 8 hosts, logs of 1 kB a call'],
  alarmUs: [
    0.07,
    'µs of CPU a call, `alarm` of who asked before: it looks at files, and asks those that are new',
    'case `folder-alarm`, from 0.6 to 2.4 M calls',
  ],
  firstUs: [1.7, 'µs of CPU a call, his first `alarm`', 'the same, `first look`'],
  rateUs: [2.8, 'µs of CPU a call, `first-shot-rate`', 'once, by hand, 2.4 M calls, 1,030 MB at peak'],
  trinoUs: [8.3, 'µs of engine CPU a call, all statements of `alarm` on Trino', '`npm run cluster -- cost`'],
  receiptBytes: [3634, 'B a receipt', 'batches of one day'],
  receiptUs: [44, 'µs of CPU to open, hash and parse a receipt', 'a loop over 5,000 of these'],
  mergedUs: [37, 'µs of CPU a receipt in a merged file', 'the same in one file: 23 of it are `JSON.parse`'],
  receiptHeap: [4500, 'B of memory that a receipt takes', 'the same'],
  statUs: [4.7, 'µs of CPU to look at a file', 'a loop over 20,000'],
};
/** What is assumed, and not measured. */
export const ASSUMED = {
  callsPerHost: [1e7, 'calls of a host in the year that is kept'],
  filesPerBatch: [
    6,
    'Parquet files of a batch within one day: calls, attempts, reasons, workers, numbers, batch',
  ],
  storage: [0.023, 'USD for a GB (10⁹ B) and month'],
  cpuHour: [0.04, 'USD for a vCPU-hour'],
};

const BATCH = 64 * 2 ** 20;
const YEAR = 365;
const of = (numbers, name) => numbers[name][0];

export function scaleOf(calls) {
  const m = (name) => of(MEASURED, name);
  const a = (name) => of(ASSUMED, name);
  const hosts = calls / a('callsPerHost');
  const tables = ['callBytes', 'attemptBytes', 'reasonBytes', 'workerBytes'].map((name) => calls * m(name));
  const parquet = tables.reduce((sum, bytes) => sum + bytes);
  const nightly = YEAR * Math.ceil(((a('callsPerHost') / YEAR) * m('logBytes')) / BATCH);
  const batches = { nightly: hosts * nightly, hourly: hosts * YEAR * 24, minutely: hosts * YEAR * 1440 };
  const [workers, ...parted] = [...tables].reverse();
  const merged = parted.reduce((sum, bytes) => sum + YEAR * Math.ceil(bytes / YEAR / BATCH), 0);
  return {
    hosts,
    batches,
    logBytes: calls * m('logBytes'),
    parquet,
    filesHourly: batches.hourly * a('filesPerBatch'),
    // Numbers of writers and rows of batches fill a file or two of 64 MiB for each million batches.
    filesMerged: merged + Math.ceil(workers / BATCH) + 2 * Math.ceil(batches.hourly / 1e6),
    syncHours: (calls * m('syncUs')) / 3.6e9,
    receiptsS: (n) => (n * m('receiptUs')) / 1e6,
    mergedS: (n) => (n * m('mergedUs')) / 1e6,
    receiptFiles: (n) => Math.ceil((n * m('receiptBytes')) / BATCH),
    receiptsHeap: (n) => n * m('receiptHeap'),
    alarmS: (calls * m('alarmUs')) / 1e6,
    firstS: (calls * m('firstUs')) / 1e6,
    rateS: (calls * m('rateUs')) / 1e6,
    trinoS: (calls * m('trinoUs')) / 1e6,
    storageUsd: (parquet / 1e9) * a('storage'),
    syncUsd: ((calls * m('syncUs')) / 3.6e9) * a('cpuHour'),
    alarmUsd: ((calls * m('alarmUs')) / 3.6e9) * a('cpuHour'),
  };
}

const digits = (value) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(2)));
const size = (bytes) => scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
const count = (n) => scaled(n, 1000, ['', 'k', 'M', 'G']).trim();
function scaled(value, step, units) {
  const at = Math.min(units.length - 1, Math.floor(Math.log(Math.max(1, value)) / Math.log(step)));
  return `${digits(value / step ** at)} ${units[at]}`;
}
const time = (s) =>
  s < 120
    ? `${digits(s)} s`
    : s < 7200
      ? `${digits(s / 60)} min`
      : s < 172_800
        ? `${digits(s / 3600)} h`
        : `${digits(s / 86_400)} d`;

export function scaleTables() {
  const sizes = [1e9, 1e10, 1e11].map(scaleOf);
  const row = (what, tell) => `| ${[what, ...sizes.map(tell)].join(' | ')} |`;
  const head = '| | 10⁹ calls | 10¹⁰ | 10¹¹ |\n| --- | --: | --: | --: |';
  const list = (numbers) =>
    Object.values(numbers).map(([value, what, whence = 'assumed']) => `| ${what} | ${value} | ${whence} |`);
  return [
    ['| slope | is | whence |', '| --- | --: | --- |', ...list(MEASURED), ...list(ASSUMED)],
    [
      head,
      row('hosts', ({ hosts }) => count(hosts)),
      row('logs', ({ logBytes }) => size(logBytes)),
      row('Parquet', ({ parquet }) => size(parquet)),
      row('Parquet files before `lake compact`, `sync` by the hour', ({ filesHourly }) => count(filesHourly)),
      row('after it', ({ filesMerged }) => count(filesMerged)),
      row('receipts, `sync` by night', ({ batches }) => count(batches.nightly)),
      row('by the hour', ({ batches }) => count(batches.hourly)),
      row('by the minute', ({ batches }) => count(batches.minutely)),
      row('files of receipts after `lake compact`, by the hour', ({ batches, receiptFiles }) =>
        count(receiptFiles(batches.hourly)),
      ),
      row('reading all of them, merged, by night: CPU', ({ batches, mergedS }) =>
        time(mergedS(batches.nightly)),
      ),
      row('memory', ({ batches, receiptsHeap }) => size(receiptsHeap(batches.nightly))),
      row('by the hour: CPU', ({ batches, mergedS }) => time(mergedS(batches.hourly))),
      row('by the hour, each a file: CPU', ({ batches, receiptsS }) => time(receiptsS(batches.hourly))),
      row('memory', ({ batches, receiptsHeap }) => size(receiptsHeap(batches.hourly))),
      row('by the minute: CPU', ({ batches, mergedS }) => time(mergedS(batches.minutely))),
      row('publishing, CPU of all hosts in the year', ({ syncHours }) => `${digits(syncHours)} h`),
      row('`alarm`, CPU beside receipts', ({ alarmS }) => time(alarmS)),
      row('first `alarm` of a user', ({ firstS }) => time(firstS)),
      row('`first-shot-rate`', ({ rateS }) => time(rateS)),
      row('`alarm` on Trino, engine CPU', ({ trinoS }) => time(trinoS)),
      row('storage, USD a month', ({ storageUsd }) => digits(storageUsd)),
      row('publishing, USD of CPU in the year', ({ syncUsd }) => digits(syncUsd)),
      row('a thousand `alarm`s, USD of CPU beside receipts', ({ alarmUsd }) => digits(1000 * alarmUsd)),
    ],
  ].map((lines) => lines.join('\n'));
}

export const MARKS = ['<!-- slopes -->', '<!-- sizes -->'];

/** The page with its tables as they are computed now. */
export function withTables(page) {
  return scaleTables().reduce((text, table, i) => {
    const mark = MARKS[i];
    const [before, , after, ...more] = text.split(mark);
    if (after === undefined || more.length > 0) throw new Error(`the page has not ${mark} twice`);
    return `${before}${mark}\n${table}\n${mark}${after}`;
  }, page);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.stdout.write(`${scaleTables().join('\n\n')}\n`);
