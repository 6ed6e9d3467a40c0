import { isIP, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_DURATION_MS = 365 * UNITS['d']!;

/** Reads `500ms`, `10s`, `5m`, `2h` or `1d`; undefined if it is no duration of up to a year. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const ms = match ? Number(match[1]) * UNITS[match[2]!]! : NaN;
  return ms <= MAX_DURATION_MS ? ms : undefined;
}

const DURATION = 'a duration such as 500ms, 10s, 5m, 2h or 1d is expected';

/** A duration in ms, written as `10s`; with bounds, and no value where it is left out. */
export const plainDuration = (describe: string, least = '0s', most = '365d') =>
  z
    .string(DURATION)
    .regex(/^\d{1,9}(ms|s|m|h|d)$/, { error: DURATION, abort: true })
    .transform((text) => parseDuration(text) ?? Infinity)
    .refine((ms) => ms >= parseDuration(least)! && ms <= parseDuration(most)!, `${DURATION}, from ${least} to ${most}`)
    .describe(describe);

/** A duration in ms, written as `10s`; with bounds. */
export const duration = (fallback: string, describe: string, least = '0s', most = '365d') =>
  plainDuration(describe, least, most).prefault(fallback).describe(describe);

/** A whole number from 1 up. */
export const count = (fallback: number, max: number, describe: string) =>
  z.int().min(1).max(max).default(fallback).describe(describe);

/** Numbers are written with or without quotes; one that YAML would change has to be quoted. */
export const numberText = (what: string) =>
  z
    .union([z.string().regex(/^[^\s\p{Cc}]+$/u, `${what} is expected`), z.int().nonnegative().transform(String)], {
      error: `${what} is expected`,
    })
    .describe(what);

/** A list that may be left out. */
export const list = <T extends z.ZodType>(item: T, describe: string) => z.array(item).prefault([]).describe(describe);

const IPV4 = /^(\d{1,3}\.){3}\d{1,3}$/;
const ADDRESS = 'an IP address without port is expected';
/** An IP address. */
export const address = z
  .string(ADDRESS)
  .refine((text) => isIP(text) > 0 && !text.includes('%'), ADDRESS)
  .transform(canonicalAddress);
const PLACE = 'an IP address, or one with a port such as 127.0.0.1:5070, is expected';

/** An IP address, with a port where several servers share it. */
export const place = z
  .string(PLACE)
  .transform((text) => /^(?:\[([^\]]*)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? [text, text, undefined, ''])
  .refine(([, v6, v4, port]) => isIP(v6 ?? v4 ?? '') > 0 && Number(port) < 65_536, PLACE)
  .transform(([, v6, v4, port]) => `${canonicalAddress(v6 ?? v4!)}${port ? `:${port}` : ''}`);

/** A domain name, in lower case. */
export const domain = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'a domain name is expected')
  .refine((text) => !IPV4.test(text), 'a domain name is expected; addresses of a PBX belong under pbx')
  .transform((text) => text.toLowerCase());
const DIGITS = 'a public number of 2 to 20 digits is expected';
/** A public number. */
export const digits = z.union([z.string().regex(/^\+?\d{2,20}$/, DIGITS), z.int().min(10).transform(String)], {
  error: DIGITS,
});

/** The one form in which observations name an address. RFC 5952 §4. */
function canonicalAddress(ip: string): string {
  if (isIPv4(ip)) return ip;
  const canonical = new URL(`http://[${ip}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical)?.slice(1);
  return mapped?.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]).join('.') ?? canonical;
}

const HOST_AND_PORT = '(\\[[0-9a-fA-F:.]+\\]|[^\\[\\]:\\s]+):(\\d{1,5})';

/** Whether an address ends with a host name or an IP address, IPv6 in brackets, and a port. */
function hasHostAndPort(text: string): boolean {
  const [, host = '', port] = new RegExp(`${HOST_AND_PORT}$`).exec(text) ?? [];
  if (Number(port) > 65_535) return false;
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1));
  return isIPv4(host) || !/^[\d.]+$/.test(host);
}

/** An address to listen on: `udp:127.0.0.1:5060`; with no transports, without the first part. */
export const listenAddress = (transports: string, port: number) => {
  const start = transports === '' ? '' : `${transports.split('|')[0]}:`;
  const error = `an address such as ${start}127.0.0.1:${port} or ${start}[::1]:${port} is expected`;
  const shape = transports === '' ? HOST_AND_PORT : `(${transports}):${HOST_AND_PORT}`;
  return z
    .string(error)
    .regex(new RegExp(`^${shape}$`), error)
    .refine(hasHostAndPort, error);
};
