/** What rosters say of accepted calls, in plain JavaScript from the pages of docs/: it shares no code with src/. */
import { createHash } from 'node:crypto';

/** @param {readonly { id: string, active: boolean }[]} roster */
export function hashOf(roster) {
  const lines = roster.map(({ id, active }) => [Buffer.from(id), `${JSON.stringify([id, active])}\n`]);
  lines.sort(([a], [b]) => Buffer.compare(a, b));
  return `sha256:${createHash('sha256')
    .update(lines.map(([, line]) => line).join(''))
    .digest('hex')}`;
}

const plain = (name) =>
  name
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase();
const holdsWorker = (name) => plain(name).replaceAll('workerror', '').includes('worker');
const isId = (name) => /^ids?$/.test(plain(name).replaceAll(/[^a-z]/g, ''));

/** Texts, and other values as JSON, that stand in the place of a worker. */
export function workersOf(value, name = null, listed = false, found = []) {
  if (Array.isArray(value)) for (const one of value) workersOf(one, name, true, found);
  else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    const isNaming = ([key]) => holdsWorker(key) || (name !== null && isId(key));
    const known = members.filter(([, one]) => one !== null);
    const isStranger = known.length > 0 ? !known.some(isNaming) : members.length === 0;
    if (name !== null && isStranger) found.push({ value });
    for (const member of members) workersOf(member[1], isNaming(member) ? member[0] : null, false, found);
  } else if (name !== null && namesSomebody(value, plain(name).replaceAll(/[^a-z]/g, ''), listed)) {
    found.push({ value });
  }
  return found;
}

function namesSomebody(value, letters, listed) {
  if (typeof value === 'string') return true;
  if (typeof value !== 'number') return false;
  return /(id|ids|worker)$/.test(letters) || (listed && letters.endsWith('workers'));
}

/**
 * What becomes of one accepted call of a gated kind.
 * @param record as JSON.parse gives it
 * @param {{ rosters: ReadonlyMap<string, readonly { id: string, active: boolean }[]>, only: string | null, isTwice: boolean }} known
 *   `only` is the hash of the one roster for all; `isTwice`: a member of the artifact stands twice
 */
export function recompute(record, { rosters, only, isTwice }) {
  const ids = record.proposed_worker_ids ?? [];
  const named = [...ids.map((value) => ({ value })), ...(isTwice ? [] : workersOf(record.artifact ?? null))];
  if (named.length === 0 && !isTwice) return { outcome: 'nobody', phantoms: [] };
  const roster = rosters.get(only ?? record.roster_hash);
  if (roster === undefined) return { outcome: 'not_at_hand', phantoms: [] };
  const missing = named.filter(({ value }) => !roster.some(({ id, active }) => active && id === value));
  const isHashed = ({ value }) => typeof value === 'string' && /^w_[0-9a-f]{16}$/.test(value);
  const phantoms = missing.filter((one) => !isHashed(one));
  if (phantoms.length > 0) {
    const texts = phantoms.map(({ value }) => (typeof value === 'string' ? value : JSON.stringify(value)));
    const sorted = [...new Set(texts)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return { outcome: 'wrong', phantoms: sorted };
  }
  if (isTwice) return { outcome: 'unread', phantoms: [] };
  return { outcome: missing.length > 0 ? 'hashed' : 'right', phantoms: [] };
}

/** The alarm's reason for it; null where there is nothing against it. */
export function reasonFor(stamp, { outcome }) {
  if (stamp === false) return 'ungrounded';
  if (outcome === 'wrong') return stamp === true ? 'contradicted' : 'ungrounded';
  if (outcome === 'nobody') return 'unjudged';
  return outcome === 'right' ? null : 'unchecked';
}

/** Values of an artifact, itself among them. */
export const sizeOf = (value) =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum, one) => sum + sizeOf(one), 1)
    : 1;

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Whether some object of a JSON text has a member twice, by the names as they are meant. */
export function hasMemberTwice(json) {
  const tokens = json.match(TOKENS);
  const open = [];
  let isTwice = false;
  for (const [i, token] of tokens.entries()) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (tokens[i + 1] === ':') {
      const name = JSON.parse(token);
      isTwice ||= open.at(-1).has(name);
      open.at(-1).add(name);
    }
  }
  return isTwice;
}
