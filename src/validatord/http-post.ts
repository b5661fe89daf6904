/** One POST over HTTP/1.1, with no limit on time but the caller's signal. */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';

export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** Sends a request and resolves with the head of its answer; the body is the caller's to read or to destroy. */
export type Poster = (url: URL, post: Post) => Promise<IncomingMessage>;

/**
 * Node's own client instead of `fetch`, which gives up after 300 s whatever its caller allows, and does not tell
 * whether a connection was used before: one that the endpoint has closed meanwhile is no failure of the endpoint, and
 * is tried once more. https://nodejs.org/api/http.html#requestreusedsocket
 */
export function poster(): Poster {
  const agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true }),
  };
  return async (url, post) => {
    const agent = agents[url.protocol as keyof typeof agents];
    try {
      return await send(url, post, agent);
    } catch (error) {
      if (!(error instanceof StaleConnection) || post.signal.aborted) throw error;
      return send(url, post, false);
    }
  };
}

/** The other side had closed a connection that was kept alive, before it answered. */
class StaleConnection extends Error {
  readonly code: string | undefined;
  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause });
    this.code = cause.code;
  }
}

function send(
  url: URL,
  { headers, body, signal }: Post,
  agent: http.Agent | false,
): Promise<IncomingMessage> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body);
    const sent = request(
      url,
      { method: 'POST', agent, signal, headers: { ...headers, 'content-length': bytes.length } },
      resolve,
    );
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const reset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      reject(sent.reusedSocket && reset ? new StaleConnection(error) : error);
    });
    sent.end(bytes);
  });
}
