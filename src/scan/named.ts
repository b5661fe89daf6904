/** Workers that accepted calls name, found while artifacts stand in memory: nobody has to store those for it. */
import { namedWorkersInJson } from '../roster/named.js';
import { INLINE, type RowBlock, type ScanColumn } from './columns.js';

/** A call that names workers, or whose workers cannot be told. */
export interface NamingCall {
  readonly batch: number;
  readonly line: number;
  /** Ids that `proposed_worker_ids` has; texts and other values in the place of one that the artifact has besides, if any. */
  readonly ids: readonly string[];
  readonly texts: readonly string[] | undefined;
  readonly others: readonly string[] | undefined;
  /** Why the artifact could not be looked through; absent where it was, or where there is none. */
  readonly unread: string | undefined;
}

/** What has to be among the columns of calls. */
export const NAMING_COLUMNS = [
  ...(['batch', 'line', 'kind', 'final_verdict', 'proposed_worker_ids', 'artifact'] as const),
];

/** `accepted`, as it stands in a cell. */
const ACCEPTED = new Uint32Array(Uint8Array.from(Buffer.from('accepted')).buffer);

/**
 * The accepted calls of a block that name workers, as JSON.
 * @param kinds only calls of these kinds; null = of all.
 */
export function namingCalls(
  block: RowBlock,
  calls: readonly ScanColumn[],
  kinds: readonly string[] | null,
): string {
  const cells = new Cells(block);
  const [batch, line, kind, verdict, ids, artifact] = NAMING_COLUMNS.map(
    (name) => calls.find((column) => column.name === name)!,
  ) as [ScanColumn, ScanColumn, ScanColumn, ScanColumn, ScanColumn, ScanColumn];
  const found: NamingCall[] = [];
  for (let row = 0; row < block.rows[0]; row++) {
    if (!cells.isAccepted(verdict, row) || kinds?.includes(cells.text(kind, row) ?? '') === false) continue;
    const names = namesOf(cells.text(ids, row), cells.text(artifact, row));
    if (names === null) continue;
    found.push({ batch: cells.number(batch, row), line: cells.number(line, row), ...names });
  }
  return JSON.stringify(found);
}

/** Null where nobody is named. A list that has nobody is left out, as hardly any artifact names more than is listed. */
function namesOf(ids: string | null, artifact: string | null): Omit<NamingCall, 'batch' | 'line'> | null {
  const listed = new Set(ids === null ? [] : (JSON.parse(ids) as string[]));
  const texts: string[] = [];
  const others: string[] = [];
  let unread: string | undefined;
  try {
    for (const one of artifact === null ? [] : namedWorkersInJson(artifact)) {
      if (typeof one !== 'string') others.push(JSON.stringify(one));
      else if (!listed.has(one)) texts.push(one);
    }
  } catch (error) {
    // Too many values, a member that stands twice, or one worker that is nested deeper than the stack.
    if (!(error instanceof RangeError)) throw error;
    unread = error.message;
  }
  const found = { ids: [...listed], texts: unlessEmpty(texts), others: unlessEmpty(others), unread };
  const namesNobody = listed.size + texts.length + others.length === 0 && unread === undefined;
  return namesNobody ? null : found;
}

const unlessEmpty = (all: readonly string[]) => (all.length === 0 ? undefined : [...new Set(all)]);

/** Cells of a block by column and row. */
class Cells {
  private readonly block: RowBlock;
  private readonly view: DataView;
  private readonly bytes: Buffer;

  constructor(block: RowBlock) {
    this.block = block;
    this.view = new DataView(block.buffer);
    this.bytes = Buffer.from(block.buffer);
  }

  /** @returns where the cell begins; null for NULL. */
  private at(column: ScanColumn, row: number): number | null {
    const valid = this.view.getUint8(this.block.cells + column.validity + (row >> 3)) & (1 << (row & 7));
    return valid === 0 ? null : this.block.cells + column.cells + row * column.bytes;
  }

  isAccepted(verdict: ScanColumn, row: number): boolean {
    const at = this.at(verdict, row)!;
    const { view } = this;
    return (
      view.getUint32(at, true) === 8 &&
      view.getUint32(at + 4, true) === ACCEPTED[0] &&
      view.getUint32(at + 8, true) === ACCEPTED[1]
    );
  }

  number(column: ScanColumn, row: number): number {
    return Number(this.view.getBigInt64(this.at(column, row)!, true));
  }

  text(column: ScanColumn, row: number): string | null {
    const at = this.at(column, row);
    if (at === null) return null;
    const length = this.view.getUint32(at, true);
    const start = length <= INLINE ? at + 4 : this.block.arena + this.view.getUint32(at + 8, true);
    return this.bytes.toString('utf8', start, start + length);
  }
}
