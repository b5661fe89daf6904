/** More bytes than the reader takes. */
export class TooLong extends Error {
  override name = 'TooLong';
}

/** Bytes that are not UTF-8. */
export class NotText extends Error {
  override name = 'NotText';
}

/**
 * The whole of a body as text, never holding more than `maxBytes` of it.
 *
 * @throws TooLong or NotText, and what the stream throws.
 */
export async function readText(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new TooLong(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new NotText('not UTF-8');
  }
}
