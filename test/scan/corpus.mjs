/** The files of JSONTestSuite and what our grammar says of each; README.md names their licence. */
import { readFileSync } from 'node:fs';

const FILES = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8'));

/** The suite leaves these open. Numbers of any size are JSON, and so is any depth. */
const OPEN_AND_VALID = /^i_(number_|structure_500_nested_arrays)/;

/** In a log a line feed ends the line, so it is a space here; then this text is JSON after all. */
const VALID_ON_ONE_LINE = 'n_string_unescaped_newline';

const NOTHING_ON_THE_LINE = ['n_single_space', 'n_structure_no_data', 'n_structure_UTF8_BOM_no_data'];

/** A byte order mark is skipped at the start of a line and nowhere else. */
const MARKED_OBJECT = 'i_structure_UTF-8_BOM_empty_object';

const isValid = (name) => name.startsWith('y_') || OPEN_AND_VALID.test(name) || name === VALID_ON_ONE_LINE;

function fateAsLine(name, bytes) {
  if (NOTHING_ON_THE_LINE.includes(name)) return 'blank';
  if (name === MARKED_OBJECT) return 'missing:schema';
  if (!isValid(name)) return 'bad_json';
  return bytes.toString('latin1').trimStart().startsWith('{') ? 'missing:schema' : 'not_object';
}

/** {name, bytes (line feeds as spaces), validAsValue, asLine} */
export const corpus = Object.entries(FILES).map(([name, base64]) => {
  const bytes = Buffer.from(base64, 'base64').map((byte) => (byte === 0x0a ? 0x20 : byte));
  return {
    name,
    bytes: Buffer.from(bytes),
    validAsValue: isValid(name),
    asLine: fateAsLine(name, Buffer.from(bytes)),
  };
});
