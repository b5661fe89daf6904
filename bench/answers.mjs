/** Rows of an answer: our envelope, a JSON array, or JSON Lines. */
export function rowsIn(stdout, toRows = (answer) => answer.rows ?? answer) {
  return toRows(parsed(stdout));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return linesOf(text);
  }
}

function linesOf(text) {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/**
 * The columns that must agree, as one sorted list of texts. A single JSON line is an object and no array, and engines
 * write 64-bit counts as numbers or as strings.
 */
export function essence(stdout, agree, toRows) {
  const rows = rowsIn(stdout, toRows);
  const list = Array.isArray(rows) ? rows : [rows];
  return list.map((row) => agree.map((name) => String(row[name] ?? null)).join('\t')).sort();
}

/** @returns {string | null} where two answers differ, in words */
export function difference(ours, theirs) {
  if (ours.length !== theirs.length) return `${ours.length} rows of lakelog, ${theirs.length} of it`;
  const at = ours.findIndex((row, i) => row !== theirs[i]);
  return at < 0 ? null : `lakelog says ${JSON.stringify(ours[at])}, it says ${JSON.stringify(theirs[at])}`;
}
