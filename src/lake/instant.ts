/** RFC 3339 in UTC in one width, so that the order of the texts is the order of the times; years of five digits are signed. */
export const comparable = (instant: string) => instant.replace('Z', '').replace('+', '~').padEnd(26, '0');
