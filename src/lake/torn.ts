/** Whether JSON.parse failed because the text ends too early, as a torn write does. */
export function endsInside(text: string, error: unknown): boolean {
  const { message } = error as Error;
  const [, position] = /position (\d+)/.exec(message) ?? [];
  if (/unexpected end|unterminated/i.test(message) || Number(position) === text.length) return true;
  // An escape that is cut is reported where it starts.
  return /bad (unicode escape|escaped character)/i.test(message) && /\\u?[0-9a-f]{0,3}$/i.test(text);
}
