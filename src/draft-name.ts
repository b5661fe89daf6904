let drafts = 0;

/**
 * What a run writes to its end before it takes the name that was asked for. A name of its own: where a killed run left
 * its draft, the next one may have the same process id, as in a container.
 */
export const draftName = (): string =>
  `.lakelog-${process.pid}-${Date.now().toString(36)}${(drafts++).toString(36)}.tmp`;

export const isDraftName = (name: string): boolean => /^\.lakelog-\d+-[\da-z]+\.tmp$/.test(name);
