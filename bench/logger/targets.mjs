import { appendFile } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/**
 * What is compared. Each appends a record and tells how many bytes it has taken that are not in the file yet, so
 * that all of them are driven with the same bound on the backlog.
 */
export const TARGETS = {
  lakelog: async (path, { logger: file }) => {
    const { SessionLogger } = await import(pathToFileURL(file).href);
    const logger = new SessionLogger(path);
    return {
      append: (record) => logger.append(record),
      backlog: () => logger.stats().queuedBytes,
      settle: () => logger.flush(),
      close: () => logger.close(),
    };
  },
  'pino (default)': async (path) => pinoTo(path, { sync: true }),
  // As pino's documentation has it for asynchronous logging.
  'pino (async)': async (path) => pinoTo(path, { sync: false, minLength: 4096 }),
  'sonic-boom': async (path) => {
    const { default: SonicBoom } = await import('sonic-boom');
    const stream = new SonicBoom({ dest: path, sync: false });
    return sonic(stream, (record) => stream.write(`${JSON.stringify(record)}\n`));
  },
  'fs.appendFile': async (path) => {
    let backlog = 0;
    return {
      append: (record) => {
        const line = `${JSON.stringify(record)}\n`;
        backlog += line.length;
        appendFile(path, line, (error) => {
          if (error) throw error;
          backlog -= line.length;
        });
      },
      backlog: () => backlog,
      settle: () => until(() => backlog === 0),
      close: async () => {},
    };
  },
  /** The load without a logger: what the others are measured against. */
  nothing: async () => ({
    append: () => {},
    backlog: () => 0,
    settle: async () => {},
    close: async () => {},
  }),
};

async function pinoTo(path, options) {
  const { default: pino } = await import('pino');
  const stream = pino.destination({ dest: path, ...options });
  const logger = pino(stream);
  return sonic(stream, (record) => logger.info(record));
}

function sonic(stream, append) {
  let taken = 0;
  let written = 0;
  const { write } = stream;
  stream.write = (line) => {
    // The records are ASCII.
    taken += line.length;
    return write.call(stream, line);
  };
  stream.on('write', (bytes) => {
    written += bytes;
  });
  const settle = async () => {
    // sonic-boom forgets a flush that is asked for during a write, and with minLength the rest stays where it is.
    while (written !== taken) {
      stream.flush();
      await setTimeout(1);
    }
  };
  return {
    append,
    backlog: () => taken - written,
    settle,
    close: () =>
      new Promise((resolve) => {
        stream.once('close', resolve);
        stream.end();
      }),
  };
}

/** Does not take the processor from the threads that write. */
async function until(test) {
  while (!test()) await setTimeout(1);
}
