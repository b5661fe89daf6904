/** Which answer ends a connection while the service stops. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface LastAnswers {
  /** From now on each connection ends with the answer to its latest request. */
  closeTheirConnections(): void;
}

/**
 * A connection that is kept alive would keep the process alive, so it has to be closed; but Node closes it behind the
 * first answer that says so, and takes the answers along to requests that came in one go behind it.
 */
export function lastAnswersOf(server: Server): LastAnswers {
  const latest = new Map<Socket, ServerResponse>();
  let isClosing = false;
  const close = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('connection', 'close');
  };
  server.prependListener('request', ({ socket }, response) => {
    if (!latest.has(socket)) socket.once('close', () => latest.delete(socket));
    latest.set(socket, response);
    if (isClosing) close(response);
  });
  return {
    closeTheirConnections() {
      isClosing = true;
      for (const response of latest.values()) close(response);
    },
  };
}
