/** Addresses that a terminal or a browser may open. */

/** In ASCII without spaces or controls; null for what is no address of the web. */
export function webAddress(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : null;
}
