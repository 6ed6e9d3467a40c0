import { z } from 'zod';
import { address, duration, list, listenAddress } from './option-types.ts';

const HEADER = 'the name of a header field is expected, or off';
const SERVER = 'an address such as 192.0.2.53 or 192.0.2.53:53 is expected';

const registrar = z.strictObject({
  expires: duration('1h', 'How long a registration lasts if the phone does not say', '1s'),
  minExpires: duration('60s', 'Shortest registration', '1s'),
  maxExpires: duration('2h', 'Longest registration', '1s'),
  realm: z
    .string()
    .regex(/^[^"\\\p{Cc}]*$/u, 'text without quotes is expected')
    .default('')
    .describe("Realm of passwords; the tenant's first domain, or ringside, if empty"),
  algorithms: z
    .array(z.enum(['SHA-256', 'MD5']))
    .min(1)
    .default(['MD5'])
    .describe('Digest algorithms that are offered: many phones know MD5 only, and give up when they see another'),
  nonceLifetime: duration('5m', 'How long a challenge can be answered', '10s', '1d'),
});

const tls = z.strictObject({
  cert: z.string().default('').describe('Certificate file (PEM, with its chain); read anew on reload'),
  key: z.string().default('').describe('Key file (PEM)'),
  ca: z.string().default('').describe('File of authorities (PEM) that certificates of others are checked against'),
  verify: z.boolean().default(true).describe('false: certificates of others are not checked'),
});

const ADMIN = 'an address such as tcp:127.0.0.1:9022, tls:… or with a host name is expected';

const secret = z
  .string()
  .regex(/^[^|\r\n#]*$/, 'text without | and # is expected')
  .default('cymru')
  .describe('The shared secret, that of <admin> in drachtio.conf.xml; best as "${NAME}" from the environment');

const TAG = 'letters, digits and -_+@: are expected, 32 at most';
const tags = list(
  z.string(TAG).regex(/^[\w+@:-]{1,32}$/, TAG),
  'Tags by which an HTTP request handler of the server can choose this Ringside among several applications',
);

const adminServer = z.strictObject({
  address: z
    .string(ADMIN)
    .regex(/^(tcp|tls):(\[[0-9a-fA-F:.]+\]|[^[\]:\s]+):\d{1,5}$/, ADMIN)
    .describe('Where its admin port is'),
  secret,
  tags,
});

const drachtio = z.strictObject({
  servers: z
    .array(adminServer)
    .max(100)
    .prefault([{ address: 'tcp:127.0.0.1:9022' }])
    .describe('drachtio servers to connect to; a TLS certificate is checked as sip.tls says'),
  listen: list(
    listenAddress('tcp|tls', 9021),
    'Addresses where drachtio servers connect to Ringside, for each request (outbound connections); tls with sip.tls',
  ),
  secret,
  tags,
});

/** Section `sip`: the SIP engine in the path. */
export const sip = z
  .strictObject({
    engine: z
      .enum(['embedded', 'drachtio', 'none'])
      .default('embedded')
      .describe(
        'Which SIP engine stands in the path: our own, or drachtio servers; none: Ringside only listens beside it',
      ),
    listen: z
      .array(listenAddress('udp|tcp|tls|ws|wss', 5060))
      .prefault(['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060'])
      .describe('Addresses of the embedded engine; a drachtio server has its own'),
    upstream: z
      .string()
      .regex(/^sips?:[^\s<>@]+$/, 'a SIP URI without user is expected, such as sip:192.0.2.10')
      .optional()
      .describe('The PBX behind it; without one Ringside is the registrar'),
    advertise: z
      .string()
      .regex(/^[A-Za-z0-9.:[\]-]*$/, 'a host name or IP address is expected')
      .default('')
      .describe('Host that peers are told instead of the local address, behind NAT'),
    trusted: list(address, 'Addresses of other servers whose X-CallAPIID is believed, besides upstream and pbx'),
    path: z
      .enum(['auto', 'never'])
      .default('auto')
      .describe(
        'auto: a REGISTER gets a Path where the phone knows it, else its Contact leads through us; never: always so',
      ),
    marker: z
      .string(HEADER)
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, HEADER)
      .default('X-CallAPIID')
      .describe('Header field that tells the PBX the CallAPIID; off: none'),
    ringTimeout: duration(
      '0s',
      'How long a target may ring; 0s: as long as the PBX, the caller or Timer C (185 s) let it',
    ),
    rateLimit: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(100)
      .describe(
        'Requests per second from one address that is no PBX or trunk, four times that in a burst; 0: no limit',
      ),
    drainTimeout: duration('5s', 'How long an orderly stop waits for calls that are being set up'),
    nameServers: list(
      z.string(SERVER).regex(/^(\d{1,3}\.){3}\d{1,3}(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/, SERVER),
      "DNS servers; the machine's own if empty",
    ),
    tls: tls.prefault({}).describe('Certificates for tls and wss'),
    drachtio: drachtio.prefault({}).describe('With engine: drachtio: where the servers are'),
    registrar: registrar.prefault({}).describe('Where there is no upstream: registration of phones'),
  })
  .prefault({})
  .describe('In the SIP path');
