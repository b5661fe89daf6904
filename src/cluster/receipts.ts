/** The receipts of a lake as an engine has them: the text of each is a row of batch_receipts. */
import { holesOf } from '../lake/folder/holes.js';
import { contradictions, type Hosts, readHosts } from '../lake/folder/hosts.js';
import { HOSTS, hostName } from '../lake/folder/layout.js';
import { chainsOf, damage, type Receipts, readReceipts, short } from '../lake/folder/receipts.js';
import type { BatchReceipt } from '../schema/batch.js';
import type { InputProblem } from '../schema/result.js';

export const HOSTS_SQL = 'SELECT h.state FROM host_states h';

/** What hosts said of their logs when they looked last. */
export function hostsFrom(texts: readonly string[], receipts: readonly BatchReceipt[], where: string): Hosts {
  const named = new Map(texts.map((text, i) => [hostNamed(text) ?? `${HOSTS}/${i}.json`, text]));
  // Without a receipt nobody knows which lake it is, and nothing vouches.
  const lake = receipts[0]?.lake ?? partsOf(texts[0] ?? '').lake;
  const at = (name: string) => `${where} ${name}`;
  const hosts = readHosts(placeOf(named), lake, at);
  return {
    ...hosts,
    problems: [...hosts.problems, ...contradictions(hosts, receipts, placeOf(named), at)],
  };
}

function hostNamed(text: string): string | null {
  const [, host] = /"host":("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  return host === undefined ? null : hostName(JSON.parse(host) as string);
}

/** An engine has lines without their ends. */
const placeOf = (named: ReadonlyMap<string, string>) => ({
  list: () => [...named.keys()],
  read: (name: string) => Buffer.from(`${named.get(name)!}\n`),
});

export const RECEIPTS_SQL = 'SELECT r.receipt FROM batch_receipts r';

/** In the order of logs and of their bytes. @param where the lake, as it was named. */
export function receiptsFrom(texts: readonly string[], where: string): Receipts {
  const named = new Map<string, string>();
  const twice: InputProblem[] = [];
  // While receipts are being merged each of them stands in two files, and says the same in both.
  for (const text of new Set(texts)) {
    const { id } = partsOf(text);
    const name = `batches/${id}.json`;
    if (named.has(name))
      twice.push(
        damage(
          `${where} ${name}`,
          `the receipt of batch ${short(id)} stands there twice, and says different things`,
          TAKE_OUT,
        ),
      );
    else named.set(name, text);
  }
  const { receipts, problems } = readReceipts(placeOf(named), usualLake(texts), (name) => `${where} ${name}`);
  const holes = holesOf(receipts, (name) => `${where} ${name}`);
  const none = texts.length === 0 ? [damage(where, 'the lake holds no batch', PUBLISH)] : [];
  return {
    receipts: chainsOf(receipts).flatMap(({ batches }) => batches),
    problems: [...none, ...twice, ...problems, ...holes],
  };
}

const TAKE_OUT = 'take the file that is not called like its batch out of the folder batches/';
const PUBLISH =
  'publish logs: lakelog sync --lake DIR/ LOGS; and see that batch_receipts is declared over DIR/batches';

/** What a text says of itself; believed by nobody before its checksum is. */
function partsOf(text: string): Pick<BatchReceipt, 'id' | 'lake'> {
  const [, id = 'unknown'] = /"id":"([0-9a-f]{64})"/.exec(text) ?? [];
  const [, lake = ''] = /"lake":"([0-9a-f]*)"/.exec(text) ?? [];
  return { id, lake };
}

/** That most of them are of: the others came from elsewhere. */
function usualLake(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const { lake } = partsOf(text);
    counts.set(lake, (counts.get(lake) ?? 0) + 1);
  }
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), ['', 0])[0];
}
