export interface CorpusFile {
  readonly name: string;
  /** Line feeds are spaces, so that it fits on one line. */
  readonly bytes: Buffer;
  /** Whether a record that holds it as a value is JSON. */
  readonly validAsValue: boolean;
  /** What becomes of a line that holds nothing else. */
  readonly asLine: 'blank' | 'bad_json' | 'not_object' | 'missing:schema';
}

export const corpus: readonly CorpusFile[];
