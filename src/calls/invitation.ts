import type { SipMessage } from '../sip/message.ts';
import type { Address } from '../sip/observation.ts';
import { type NameAddr, parseNameAddr } from '../sip/name-addr.ts';
import { attempt } from '../sip/parse-error.ts';
import { parseUri, type SipUri, userNumber } from '../sip/uri.ts';
import { parseVia } from '../sip/via.ts';
import type { Directory, Extension, Role } from './directory.ts';
import type { Numbers } from './leg-finder.ts';
import type { Pickup } from './tenant.ts';
import type { Registrations } from './registrations.ts';
import type { Aim } from './call.ts';

const MAX_TEXT = 255;

/** Who calls, as the called side is told. */
export interface CallerIdentity {
  /** Set if the caller is an extension. */
  readonly extension: Extension | undefined;
  readonly number: string;
  readonly name: string;
  /** Another number that stands for the caller, without `+`: what it says itself, or hides; else empty. */
  readonly claimed: string;
}

/** What an INVITE says of a call, in the words of the numbering plan. */
export interface Invitation {
  readonly caller: CallerIdentity;
  /** A PBX or trunk sent it: the caller is not on this leg. */
  readonly origin: Role;
  readonly aim: Aim;
  /** The extension it is meant for. */
  readonly called: Extension | undefined;
  /** User of the Request-URI, as dialled. */
  readonly dialled: string;
  /** The dialled number without `+`, if it is an extension's public number. */
  readonly did: string;
  /** Branch of the hop before; empty on the first hop. */
  readonly parentBranch: string;
  /** What a leg that a PBX makes for this one may show again. */
  readonly numbers: Numbers;
  /** Set if an extension dialled a pickup code. */
  readonly pickup: Pickup | undefined;
}

/** Reads an INVITE (or, where that was missed, a response to it) against the numbering plan. */
export function readInvitation(
  message: SipMessage,
  source: Address,
  destination: Address,
  directory: Directory,
  registrations: Registrations,
): Invitation {
  const to = readUri(attempt(() => message.to)?.uri);
  const target = message.isRequest ? readUri(message.requestUri) : to;
  const hosts = [hostOf(target), hostOf(to), destination.ip, source.ip];
  const { parentBranch, origin } = readVias(message, source, directory);
  const did = directory.findDid(target ? userNumber(target) : '');
  const called = did ?? findCalled(target, to, hosts, directory, registrations);
  const caller = identifyCaller(message, source, origin, directory, called?.tenant.domains ?? []);
  const dialled = numberOf(target);
  return {
    caller,
    origin,
    aim: findAim(target, destination, called, directory),
    called,
    dialled: did ? dialled : nameDialled(dialled, called, hosts, directory),
    did: did && target ? directory.readDid(userNumber(target)) : '',
    parentBranch,
    numbers: {
      caller: caller.number.replace(/^\+/, ''),
      claimed: caller.claimed,
      called: called?.number ?? directory.stripDialPrefix(dialled),
      isCallerExtension: caller.extension !== undefined,
      isCalledExtension: called !== undefined && directory.role(destination.ip, destination.port) !== 'trunk',
    },
    pickup: origin === 'other' && !called ? readPickup(dialled, caller.extension, directory) : undefined,
  };
}

/** Behind the longest code that fits stands the number whose call is taken; nothing: any that rings. */
function readPickup(dialled: string, caller: Extension | undefined, directory: Directory): Pickup | undefined {
  const codes = caller?.tenant.pickupCodes.filter((code) => code !== '' && dialled.startsWith(code)) ?? [];
  if (!caller || codes.length === 0) return undefined;
  const rest = dialled.slice(Math.max(...codes.map(({ length }) => length)));
  return {
    tenant: caller.tenant,
    by: caller.number,
    number: directory.find(rest, [...caller.tenant.domains, ...caller.tenant.pbx])?.number ?? rest,
  };
}

/** The number dialled; that of the extension behind a contact with a user of its own, which nobody dials. */
const nameDialled = (user: string, called: Extension | undefined, hosts: string[], directory: Directory): string =>
  called && directory.find(user, hosts)?.number !== called.number ? called.short : user;

function readUri(text: string | undefined): SipUri | undefined {
  return text === undefined ? undefined : attempt(() => parseUri(text));
}

/** A contact of a registered extension, else the Request-URI's user, else (a contact with a user of its own) the To. */
function findCalled(
  target: SipUri | undefined,
  to: SipUri | undefined,
  hosts: string[],
  directory: Directory,
  registrations: Registrations,
): Extension | undefined {
  if (!target) return undefined;
  const account = registrations.find(target);
  if (account) return directory.find(account.user, [account.host, ...hosts]);
  const direct = directory.find(userNumber(target), hosts);
  return (
    direct ?? (to && !directory.isServer(target.host) ? directory.find(userNumber(to), [to.host, ...hosts]) : undefined)
  );
}

function findAim(
  target: SipUri | undefined,
  destination: Address,
  called: Extension | undefined,
  directory: Directory,
): Aim {
  if (directory.role(destination.ip, destination.port) !== 'other') return 'addressed';
  if (target && directory.isServer(target.host)) return 'addressed';
  return called && directory.isOpen(called.tenant) ? 'open' : 'offered';
}

/** The branch of the hop before stands in the second Via; the last Via names who began. RFC 3261 §18.2.1. */
function readVias(message: SipMessage, source: Address, directory: Directory): { parentBranch: string; origin: Role } {
  const vias = message.values('Via');
  if (vias.length < 2) return { parentBranch: '', origin: directory.role(source.ip, source.port) };
  const last = attempt(() => parseVia(vias.at(-1)!));
  const origin = last ? directory.role(last.parameters.get('received') ?? last.host, last.port) : 'other';
  const parentBranch = attempt(() => parseVia(vias[1]!))?.parameters.get('branch') ?? '';
  return { parentBranch, origin: origin === 'other' ? directory.role(source.ip, source.port) : origin };
}

function identifyCaller(
  message: SipMessage,
  source: Address,
  origin: Role,
  directory: Directory,
  domains: readonly string[],
): CallerIdentity {
  const from = attempt(() => message.from);
  const fromUri = readUri(from?.uri);
  const extension = origin === 'trunk' ? undefined : findCaller(message, fromUri, source, directory, domains);
  const { address, number } = findIdentity(message, from, fromUri);
  const isHidden = !extension && isPrivate(message);
  const claimed = (isHidden ? number : address === from ? '' : numberOf(fromUri)).replace(/^\+/, '');
  const name = (address?.displayName ?? '').slice(0, MAX_TEXT);
  if (extension) {
    return { extension, number: extension.number, name: name || extension.name || extension.short, claimed };
  }
  if (isHidden) return { extension, number: 'anonymous', name: 'anonymous', claimed };
  return { extension, number, name: name || number.replace(/^\+/, ''), claimed };
}

/** The account behind an INVITE: the From, else (where that is hidden or rewritten) who authenticated. */
function findCaller(
  message: SipMessage,
  from: SipUri | undefined,
  source: Address,
  directory: Directory,
  domains: readonly string[],
): Extension | undefined {
  const hosts = [from?.host ?? '', source.ip, ...domains]; // where a PBX says its own address, the called side's domain tells
  const direct = from && directory.find(userNumber(from), hosts);
  if (direct) return direct;
  const credentials = message.text('Proxy-Authorization') ?? message.text('Authorization') ?? '';
  const account = /username="([^"]+)"/i.exec(credentials)?.[1];
  return account === undefined ? undefined : directory.find(account, hosts);
}

const IDENTITY_HEADERS = ['P-Asserted-Identity', 'Remote-Party-ID'] as const;

/** Who sends a message, as the network asserts: a name-addr. RFC 3325 §9.1. */
export const readIdentity = (message: SipMessage): string | undefined =>
  message.values('P-Asserted-Identity')[0] ?? message.values('Remote-Party-ID')[0];

/** Whom the called side is shown: as asserted by the network, else as the caller says. */
function findIdentity(
  message: SipMessage,
  from: NameAddr | undefined,
  fromUri: SipUri | undefined,
): { address: NameAddr | undefined; number: string } {
  for (const header of IDENTITY_HEADERS) {
    if (!message.has(header)) continue;
    for (const value of message.values(header)) {
      const address = attempt(() => parseNameAddr(value));
      const number = numberOf(readUri(address?.uri));
      if (number !== '') return { address, number };
    }
  }
  return { address: from, number: numberOf(fromUri) };
}

const hostOf = (uri: SipUri | undefined): string => uri?.host ?? '';

const numberOf = (uri: SipUri | undefined): string => (uri ? userNumber(uri).slice(0, MAX_TEXT) : '');

/** RFC 3323 §4.2, RFC 3325 §9.3. */
function isPrivate(message: SipMessage): boolean {
  const privacy = message.text('Privacy');
  return privacy !== undefined && /\b(id|user|header)\b/i.test(privacy);
}
