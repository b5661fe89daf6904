/** A SQL string literal; U+0000 would end the statement where it stands. */
export function quote(text: string): string {
  const literals = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`);
  return literals.length === 1 ? literals[0]! : `(${literals.join(' || chr(0) || ')})`;
}

/** A quoted SQL identifier. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
