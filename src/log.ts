import { destination, pino, type Logger } from 'pino';

export type { Logger };

/** Names of log levels, from the one that tells all. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log to standard error: one JSON object a line. Secrets are cut out wherever they might come along. */
export function openLog(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['headers', '*.headers', 'password', '*.password', 'secret', '*.secret'], censor: '[hidden]' },
    },
    destination({ dest: 2, sync: true }),
  );
}
