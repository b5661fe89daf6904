/** The file that somebody named: --acks, else LAKELOG_ACKS; undefined leaves it to the one of the working folder. */
export function namedAcks(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return given ?? (env.LAKELOG_ACKS || undefined);
}
