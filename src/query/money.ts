/** Money that a question's header names: tokens times prices, and which limit of attempts is worth it. */
import type { Cell } from '../schema/result.js';
import type { Fail } from './header-values.js';
import type { Prices } from './prices.js';
import type { MoneySpec, Query, QueryColumn, WorthSpec } from './question.js';

/** What somebody says that money is. */
export interface Money {
  readonly prices: Prices;
  /** Of an accepted call; null where nobody says. */
  readonly worth: number | null;
}

const MONEY_USAGE = 'write it as: -- money: column = price(model, input_tokens, output_tokens, per_units)';
const WORTH_USAGE =
  'write it as: -- worth: pays recommended = limit(attempt, calls, accepted, cost, rate_low, rate_high)';

const listed = (text: string) => text.split(',').map((one) => one.trim());

export function parseMoney(raw: string, line: number, fail: Fail): MoneySpec {
  const [, column, list] = /^(\w+)\s*=\s*price\s*\(([^()]*)\)$/.exec(raw) ?? [];
  const [model, input, output, units, ...more] = listed(list ?? '');
  if (!column || !model || !input || !output || units === '' || more.length > 0)
    throw fail(`"${raw}" is no money`, MONEY_USAGE);
  return { column, model, input, output, units: units ?? null, line };
}

export function parseWorth(raw: string, line: number, fail: Fail): WorthSpec {
  const [, pays, recommended, list] = /^(\w+)\s+(\w+)\s*=\s*limit\s*\(([^()]*)\)$/.exec(raw) ?? [];
  const [attempt, calls, accepted, cost, low, high, ...more] = listed(list ?? '');
  if (!pays || !recommended || !attempt || !calls || !accepted || !cost || !low || !high || more.length > 0)
    throw fail(`"${raw}" is no worth`, WORTH_USAGE);
  return { pays, recommended, attempt, calls, accepted, cost, low, high, line };
}

/** @throws LakelogError for names that are no columns, or of another type than they have. */
export function checkMoney(
  { columns, money, worth }: Pick<Query, 'columns' | 'money' | 'worth'>,
  failAt: (line: number) => Fail,
): void {
  const ofType = (types: readonly string[], name: string, line: number) => {
    const column = columns.find((one) => one.name === name);
    if (column !== undefined && types.includes(column.type)) return;
    throw failAt(line)(
      column === undefined
        ? `money names "${name}", which is no column`
        : `money names "${name}", which is ${column.type} and not ${types.join(' or ')}`,
      `write a line: -- column: ${name} ${types[0]}`,
    );
  };
  for (const { column, model, input, output, units, line } of money) {
    ofType(['number'], column, line);
    ofType(['text'], model, line);
    for (const count of [input, output, ...(units === null ? [] : [units])]) ofType(['integer'], count, line);
  }
  for (const { pays, recommended, attempt, calls, accepted, cost, low, high, line } of worth) {
    ofType(['text'], pays, line);
    ofType(['boolean'], recommended, line);
    for (const count of [attempt, calls, accepted]) ofType(['integer'], count, line);
    for (const rate of [low, high]) ofType(['fraction', 'number'], rate, line);
    if (money.some(({ column, units }) => column === cost && units === null)) continue;
    throw failAt(line)(`"${cost}" is no column of money that was spent`, MONEY_USAGE);
  }
}

/** Columns that nobody fills without prices, or without a worth. */
export const paidColumns = (
  { money, worth }: Pick<Query, 'money' | 'worth'>,
  given: Money | null,
): { readonly filled: ReadonlySet<string>; readonly empty: ReadonlySet<string> } => {
  const costs = money.map(({ column }) => column);
  const verdicts = worth.flatMap(({ pays, recommended }) => [pays, recommended]);
  return {
    filled: new Set([...(given ? costs : []), ...(given?.worth == null ? [] : verdicts)]),
    empty: new Set([...(given ? [] : costs), ...(given?.worth == null ? verdicts : [])]),
  };
};

/** The columns of a row by which its money is told. */
export const readByMoney = ({ money, worth }: Pick<Query, 'money' | 'worth'>, name: string): boolean =>
  money.some(({ model, input, output, units }) => [model, input, output, units].includes(name)) ||
  worth.some(({ attempt, calls, accepted, low, high }) =>
    [attempt, calls, accepted, low, high].includes(name),
  );

/** A column that is not shown has no value, and its rows are of several models: they have no one price. */
export function modelHidden(
  { money }: Pick<Query, 'money'>,
  shown: readonly QueryColumn[],
): string | undefined {
  return money.map(({ model }) => model).find((model) => !shown.some(({ name }) => name === model));
}

/** Null where there are no tokens, no price or nothing to divide by. */
export function costOf(
  { model, input, output, units }: MoneySpec,
  cellOf: (name: string) => Cell | undefined,
  prices: Prices,
): number | null {
  const name = cellOf(model);
  const price = typeof name === 'string' ? prices.priceOf(name) : null;
  const [read, written, per] = [input, output, units].map((one) => (one === null ? 1 : cellOf(one)));
  if (price === null || read == null || written == null || per == null || Number(per) === 0) return null;
  return (Number(read) * price.input + Number(written) * price.output) / Number(per);
}

type Row = Map<string, Cell>;

/** Fills both columns of a worth; a group of rows begins where the attempt is the first. */
export function judgeWorth(spec: WorthSpec, rows: readonly Row[], worth: number): void {
  for (const group of groupsOf(spec, rows)) {
    for (const row of group) row.set(spec.pays, paysOf(spec, row, worth));
    const best = bestLimit(spec, group, worth);
    for (const [i, row] of group.entries()) row.set(spec.recommended, best === null ? null : i === best);
  }
}

function groupsOf({ attempt }: WorthSpec, rows: readonly Row[]): Row[][] {
  const groups: Row[][] = [];
  for (const row of rows) {
    const group = groups.at(-1);
    if (group === undefined || row.get(attempt) === 1) groups.push([row]);
    else group.push(row);
  }
  return groups;
}

/** It pays where its rate of rescues is above what an attempt costs in accepted calls. */
function paysOf(spec: WorthSpec, row: Row, worth: number): 'yes' | 'no' | 'cannot tell' {
  const [calls, cost, low, high] = [spec.calls, spec.cost, spec.low, spec.high].map((name) => row.get(name));
  if (cost == null || low == null || high == null || !(Number(calls) > 0)) return 'cannot tell';
  const needed = Number(cost) / Number(calls) / worth;
  if (Number(low) > needed) return 'yes';
  return Number(high) < needed ? 'no' : 'cannot tell';
}

/** The last of the attempts, of those whose costs are known, up to which worth less cost is most; -1 for none of them. */
function bestLimit(spec: WorthSpec, group: readonly Row[], worth: number): number | null {
  const unknown = group.findIndex((row) => row.get(spec.cost) == null);
  const known = unknown < 0 ? group : group.slice(0, unknown);
  if (known.length === 0) return null;
  let [best, most, net] = [-1, 0, 0];
  for (const [i, row] of known.entries()) {
    net += worth * Number(row.get(spec.accepted)) - Number(row.get(spec.cost));
    if (net > most) [best, most] = [i, net];
  }
  return best;
}
