import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, resolve } from 'node:path';
import { OptionError, type Options } from '../options.ts';
import type { EmbeddedOptions } from '../proxy/embedded/embedded-engine.ts';
import type { KnownPeers } from '../proxy/peers.ts';
import type { Configuration } from '../rules/config-file.ts';
import { parseListenAddress } from '../sip/listen-address.ts';
import type { ThreadStart } from './sip-messages.ts';

type SipOptions = Options['sip'];

/** What the SIP engine is started with by a configuration. @throws OptionError where a certificate can't be read. */
export function makeThreadStart(configPath: string, { options, tenants }: Configuration, secret: string): ThreadStart {
  return {
    options: makeEngineOptions(configPath, options, tenants, secret),
    tenants,
    realm: options.sip.registrar.realm,
    maxObservedBytes: options.limits.observedBytes,
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
