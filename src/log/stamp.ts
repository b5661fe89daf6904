import { randomBytes, randomUUID } from 'node:crypto';

/** What a logger fills in for one record where the host left it out. Asked twice, it answers the same. */
export interface Stamps {
  readonly schema: string;
  /** RFC 3339. */
  timestamp(): string;
  /** Empty when there is no source of ids. */
  callId(): string;
  /** The writer and its next number, unless the record brings either of its own. */
  numbering(writerId: unknown, seq: unknown): Numbering | undefined;
}

export interface Numbering {
  readonly writer_id: string;
  readonly seq: number;
}

/** Empty counts as absent, as it does for readers. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

const WRITER_ID_BYTES = 8;

export interface StampSources {
  readonly schema: string;
  readonly clock: (() => Date) | undefined;
  readonly ids: (() => string) | undefined;
}

const LOW_DIGITS = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));

/**
 * UUIDs (RFC 9562, version 8) of 74 random bits and a running number of 48. A random one for each record costs the
 * host a sixteenth more time per record.
 */
export function serialIds(): () => string {
  const uuid = randomUUID();
  const source = `${uuid.slice(0, 14)}8${uuid.slice(15, 24)}`;
  let prefix = '';
  let next = 0;
  return () => {
    const low = next & 0xff;
    if (low === 0)
      prefix =
        source +
        Math.floor(next / 256)
          .toString(16)
          .padStart(10, '0');
    next++;
    return prefix + LOW_DIGITS[low];
  };
}

/** The running number, name, clock and ids of one logger. */
export class Stamper {
  readonly schema: string;
  readonly writerId = randomBytes(WRITER_ID_BYTES).toString('hex');
  readonly #clock: (() => Date) | undefined;
  readonly #ids: () => string;
  #seq = 0;
  #lastTime = Number.NaN;
  #lastTimestamp = '';

  constructor({ schema, clock, ids }: StampSources) {
    this.schema = schema;
    this.#clock = clock;
    this.#ids = ids ?? serialIds();
  }

  /** The stamps of the next record. */
  next(): RecordStamps {
    return new RecordStamps(this);
  }

  takeSeq(): number {
    return ++this.#seq;
  }

  time(): string {
    if (this.#clock) {
      try {
        return this.#clock().toISOString();
      } catch {
        // The system's clock is better than none.
      }
    }
    const now = Date.now();
    if (now !== this.#lastTime) {
      this.#lastTime = now;
      this.#lastTimestamp = new Date(now).toISOString();
    }
    return this.#lastTimestamp;
  }

  id(): string {
    try {
      const id: unknown = this.#ids();
      if (typeof id === 'string') return id;
    } catch {
      // A call without an id is better than no call.
    }
    return '';
  }
}

export class RecordStamps implements Stamps {
  readonly schema: string;
  readonly #stamper: Stamper;
  #timestamp: string | undefined;
  #callId: string | undefined;
  #seq: number | undefined;
  #numbersItself = false;

  constructor(stamper: Stamper) {
    this.#stamper = stamper;
    this.schema = stamper.schema;
  }

  timestamp(): string {
    this.#timestamp ??= this.#stamper.time();
    return this.#timestamp;
  }

  callId(): string {
    this.#callId ??= this.#stamper.id();
    return this.#callId;
  }

  numbering(writerId: unknown, seq: unknown): Numbering | undefined {
    this.#numbersItself = !isAbsent(writerId) || !isAbsent(seq);
    if (this.#numbersItself) return undefined;
    this.#seq ??= this.#stamper.takeSeq();
    return { writer_id: this.#stamper.writerId, seq: this.#seq };
  }

  /** Uses up the number of a record that is dropped, so that its loss shows as a gap. */
  burn(): void {
    if (!this.#numbersItself) this.#seq ??= this.#stamper.takeSeq();
  }
}
