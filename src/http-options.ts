import { z } from 'zod';
import { count, duration, list, listenAddress } from './option-types.ts';

const HASH = 'a hash made by "ringside password" is expected';
/** Whose password it is, by scrypt: `$scrypt$ln=15,r=8,p=1$SALT$HASH`, in base64 without padding. */
export const PASSWORD_HASH =
  /^\$scrypt\$ln=(1[4-9]|20),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43,86})$/;

const name = (what: string) =>
  z.string().regex(/^[^\s\p{Cc}]{1,100}$/u, `${what} of up to 100 characters, without spaces, is expected`);

const tenant = z
  .union([z.string(), z.int().nonnegative().transform(String)])
  .optional()
  .describe('Prefix of the only tenant to be seen; all without');
const access = z.enum(['read', 'write']).default('read').describe('read: nothing can be changed');

/** A list of entries, each with a name of its own. */
const named = <T extends z.ZodType, Key extends string>(item: T, key: Key, describe: string) =>
  list(item, describe).refine(
    (entries) => new Set(entries.map((entry) => (entry as Record<Key, string>)[key])).size === entries.length,
    `entries of different ${key} are expected`,
  );

const user = z
  .strictObject({
    name: name('a name').describe('Name of the user'),
    password: z.string(HASH).regex(PASSWORD_HASH, HASH).describe('Made by "ringside password"'),
    role: z
      .enum(['operator', 'extension'])
      .default('operator')
      .describe("operator: everything; extension: one extension's own user, who sees and edits only that"),
    extension: z.string().min(1).optional().describe('Of the role extension: its extended number (0003*101)'),
    tenant,
    access: z.enum(['read', 'write']).default('write').describe('read: nothing can be changed'),
  })
  .refine(({ role, extension }) => (role === 'extension') === (extension !== undefined), {
    path: ['extension'],
    error: 'the extension of a user of the role extension, and of no other, is expected',
  });

const TOKEN = 'a token of 20 to 200 letters, digits, ".", "_" or "-" is expected';
const token = z.strictObject({
  name: name('a name').describe('Whose it is, for the log'),
  token: z
    .string(TOKEN)
    .regex(/^[A-Za-z0-9._-]{20,200}$/, TOKEN)
    .describe('Best as "${NAME}" from the environment'),
  tenant,
  access,
});

const SECRET = 'a secret of 20 to 200 characters, without spaces, is expected';
const client = z.strictObject({
  id: name('an id').describe('client_id'),
  secret: z
    .string(SECRET)
    .regex(/^[\x21-\x7e]{20,200}$/, SECRET)
    .describe('client_secret; best as "${NAME}" from the environment'),
  tenant,
  access,
});

const tls = z
  .strictObject({
    cert: z.string().default('').describe('Certificate file (PEM, with its chain); relative to the configuration'),
    key: z.string().default('').describe('Key file (PEM)'),
  })
  .refine(({ cert, key }) => (cert === '') === (key === ''), 'both cert and key are expected, or none');

const limits = z.strictObject({
  connections: count(1000, 100_000, 'Connections at a time'),
  streams: count(100, 10_000, 'Streams of events at a time'),
  streamsPerUser: count(20, 10_000, 'Streams of one user or token at a time'),
  streamBytes: count(1_048_576, 67_108_864, 'What may wait for a client that reads slowly, before it is cut off'),
  streamHistory: count(10_000, 1_000_000, 'Messages of the stream that are kept for clients that come back'),
  requestBytes: count(65_536, 1_048_576, 'Size of a request body'),
  sessions: count(1000, 100_000, 'Sessions at a time; the oldest give way'),
  rules: count(10_000, 1_000_000, 'Rules of the API and the page'),
  rulesPerExtension: count(100, 10_000, 'Rules of the API and the page for one extension, range or pattern'),
  recentCalls: count(1000, 100_000, 'Calls that are over and can still be looked at'),
  messagesPerCall: count(500, 100_000, 'SIP messages of a call that are kept for its ladder'),
  recordedBytes: count(67_108_864, 1_073_741_824, 'SIP that is kept for ladders'),
});

/** Section `http`: API and web page. */
export const http = z
  .strictObject({
    listen: listenAddress('', 8080).optional().describe('Address of the API and the web page; none without'),
    users: named(
      user,
      'name',
      'Who may sign in on the page; without any, and on a loopback address, a link is printed at the start',
    ),
    tokens: named(token, 'name', 'Bearer tokens of programs'),
    clients: named(client, 'id', 'OAuth 2 clients, for tokens with a lifetime: client credentials at /oauth/token'),
    tls: tls.prefault({}).describe('Certificate, for https'),
    trustProxy: list(
      z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'an IP address or network is expected'),
      'Reverse proxies whose X-Forwarded-* headers are believed',
    ),
    sessionLifetime: duration('12h', 'How long a session lasts without use', '1m', '30d'),
    tokenLifetime: duration('1h', 'How long a token of an OAuth client lasts', '1m', '1d'),
    limits: limits.prefault({}).describe('Bounds on what clients and calls can make grow'),
  })
  .prefault({})
  .describe('API and web page');
