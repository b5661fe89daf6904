const LINE_FEED = 0x0a;
const CAPACITY = 512 * 1024;

/**
 * Whole lines, encoded, for one write(2). The byte before every line is a line feed, the one before the first
 * included, so that what is left of a batch can always be written with a line feed in front.
 */
export class Batch {
  /** Rises from batch to batch. */
  readonly number: number;
  readonly buffer: Buffer;
  /** No further line is added: it is being written, or somebody waits for just these lines. */
  sealed = false;
  /** Written, or given up. */
  settled = false;
  /** Nobody else may still be reading the buffer once the batch is settled. */
  recyclable = true;
  /** Where each line ends, its line feed included. */
  readonly #ends: number[] = [];
  /** Lines that are no longer waiting. */
  #done = 0;
  #start = 1;
  #end = 1;

  /** @param spare a buffer of a batch that is settled. */
  constructor(number: number, text: string, spare: Buffer | undefined) {
    this.number = number;
    const most = text.length * 3 + 2;
    const needed = most <= CAPACITY ? most : Buffer.byteLength(text) + 2;
    this.buffer =
      needed > CAPACITY ? Buffer.allocUnsafeSlow(needed) : (spare ?? Buffer.allocUnsafeSlow(CAPACITY));
    this.buffer[0] = LINE_FEED;
    this.add(text);
  }

  /** Bytes of the added line, or 0 when it does not fit. */
  add(text: string): number {
    const room = this.buffer.length - this.#end - 1;
    if (text.length * 3 > room && (text.length > room || Buffer.byteLength(text) > room)) return 0;
    const start = this.#end;
    const end = start + this.buffer.write(text, start);
    this.buffer[end] = LINE_FEED;
    this.#end = end + 1;
    this.#ends.push(this.#end);
    return this.#end - start;
  }

  /** Lines that wait. */
  get lines(): number {
    return this.#ends.length - this.#done;
  }

  /** Bytes of the lines that wait. */
  get bytes(): number {
    return this.#end - this.#start;
  }

  /** Where the waiting lines start in `buffer`; a line feed is in front of it. */
  get start(): number {
    return this.#start;
  }

  /** The waiting lines, whole. */
  get text(): Buffer {
    return this.buffer.subarray(this.#start, this.#end);
  }

  /** The buffer, when another batch may have it. */
  get spare(): Buffer | undefined {
    return this.recyclable && this.buffer.length === CAPACITY ? this.buffer : undefined;
  }

  /**
   * Takes the lines that are complete in the file off, given how many bytes of `text` got there. A line that
   * only lacks its line feed is complete: the next write starts with one.
   */
  consume(bytes: number): number {
    const reached = this.#start + bytes;
    const before = this.#done;
    while (this.#done < this.#ends.length && this.#ends[this.#done]! - 1 <= reached) {
      this.#start = this.#ends[this.#done]!;
      this.#done++;
    }
    return this.#done - before;
  }
}
