import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, resolve } from 'node:path';
import { OptionError, type Options } from '../options.ts';
import type { ListenPlace } from '../proxy/drachtio/connection-listener.ts';
import type { AdminServer } from '../proxy/drachtio/server-link.ts';
import { isWildcard } from '../proxy/embedded/self.ts';
import type { EmbeddedOptions } from '../proxy/embedded/embedded-engine.ts';
import type { KnownPeers } from '../proxy/peers.ts';
import type { Configuration } from '../rules/config-file.ts';
import { parseListenAddress } from '../sip/listen-address.ts';
import type { HepStart } from './hep-messages.ts';
import type { DrachtioStart, ThreadStart } from './sip-messages.ts';

type SipOptions = Options['sip'];

/** What the SIP engine is started with by a configuration. @throws OptionError where a certificate can't be read. */
export function makeThreadStart(configPath: string, { options, tenants }: Configuration, secret: string): ThreadStart {
  return {
    options: makeEngineOptions(configPath, options, tenants, secret),
    tenants,
    realm: options.sip.registrar.realm,
    maxObservedBytes: options.limits.observedBytes,
    drachtio: options.sip.engine === 'drachtio' ? makeDrachtioStart(configPath, options) : undefined,
  };
}

function makeEngineOptions(
  configPath: string,
  { sip, limits }: Options,
  tenants: Configuration['tenants'],
  secret: string,
): EmbeddedOptions {
  const { registrar } = sip;
  return {
    ...readPeers(sip, tenants),
    listen: sip.listen.map((text) => parseListenAddress(text)!),
    upstream: sip.upstream ?? '',
    advertise: sip.advertise.replace(/^\[|\]$/g, ''),
    marker: sip.marker === 'off' ? '' : sip.marker,
    path: sip.path,
    ringMs: sip.ringTimeout,
    ratePerSecond: sip.rateLimit,
    nonceMs: registrar.nonceLifetime,
    algorithms: registrar.algorithms,
    registrar: {
      defaultExpires: registrar.expires / 1000,
      minExpires: registrar.minExpires / 1000,
      maxExpires: registrar.maxExpires / 1000,
    },
    nameServers: sip.nameServers,
    tls: {
      server: readCertificates(configPath, sip),
      ca: sip.tls.ca === '' ? undefined : readText(configPath, sip.tls.ca, 'sip.tls.ca'),
      verify: sip.tls.verify,
    },
    maxConnections: limits.connections,
    maxConnectionsPerAddress: limits.connectionsPerAddress,
    maxTransactions: limits.transactions,
    maxMessageBytes: limits.messageBytes,
    secret,
    bindings: [],
    interfaces: Object.values(networkInterfaces()).flatMap((list) => list ?? []),
  };
}

/** Whether there is a SIP engine to start. */
export const hasEngine = ({ engine, listen }: SipOptions): boolean =>
  engine === 'drachtio' || (engine === 'embedded' && listen.length > 0);

/** HEP is what tells us of calls in drachtio servers: there is always an address for it. */
export const hepAddresses = ({ sip, hep }: Options): readonly string[] =>
  sip.engine === 'drachtio' && hep.listen.length === 0 ? ['udp:127.0.0.1:9060'] : hep.listen;

/** What HEP is read with; with no addresses, it is not. */
export const makeHepStart = (options: Options): HepStart => ({
  listen: hepAddresses(options).map((text) => parseListenAddress(text)!),
  maxObservedBytes: options.limits.observedBytes,
  maxClockSkewMs: options.hep.maxClockSkew,
});

function makeDrachtioStart(configPath: string, options: Options): DrachtioStart {
  const { drachtio, tls } = options.sip;
  const ca = tls.ca === '' ? undefined : readText(configPath, tls.ca, 'sip.tls.ca');
  const servers = drachtio.servers.map(({ address, secret, tags }): AdminServer => {
    const { transport, ip: host, port } = parseListenAddress(address)!;
    const security = {
      rejectUnauthorized: tls.verify,
      ...(ca !== undefined && { ca }),
      ...(isIP(host) === 0 && { servername: host }),
    };
    return { name: address, host, port, secret, tags, tls: transport === 'tls' ? security : undefined };
  });
  const listen = drachtio.listen.map((text): ListenPlace => ({
    address: parseListenAddress(text)!,
    secret: drachtio.secret,
    tags: drachtio.tags,
    certificate: readCertificates(configPath, options.sip),
  }));
  return { places: { servers, listen, proof: randomUUID() }, captureLine: formatCaptureLine(hepAddresses(options)) };
}

/** The line that has a drachtio server send us what it sees, to the first of the addresses that fits. */
function formatCaptureLine(hep: readonly string[]): string {
  const { ip, port } = parseListenAddress(hep.find((text) => text.startsWith('udp:')) ?? '') ?? {
    ip: '127.0.0.1',
    port: 9060,
  };
  const host = isWildcard(ip) ? 'ADDRESS-OF-RINGSIDE' : ip;
  return `<capture-server port="${port}" hep-version="3" id="101">${host}</capture-server>`;
}

/** The peers that a configuration names. */
export const readPeers = ({ trusted }: SipOptions, tenants: Configuration['tenants']): KnownPeers => ({
  trunks: tenants.flatMap(({ trunks }) => trunks),
  trusted: [...trusted, ...tenants.flatMap(({ pbx }) => pbx)],
});

/** Certificate and key of a section; undefined if there are none. @throws OptionError */
export function readCertificates(
  configPath: string,
  { tls }: { readonly tls: { readonly cert: string; readonly key: string } },
  section: 'sip' | 'http' = 'sip',
): { cert: string; key: string } | undefined {
  if (tls.cert === '' || tls.key === '') return undefined;
  return {
    cert: readText(configPath, tls.cert, `${section}.tls.cert`),
    key: readText(configPath, tls.key, `${section}.tls.key`),
  };
}

function readText(configPath: string, file: string, path: string): string {
  try {
    return readFileSync(resolve(dirname(configPath), file), 'utf8');
  } catch (error) {
    const text = `${file} can't be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
    throw new OptionError(configPath, [{ line: 0, column: 0, path, text }]);
  }
}
