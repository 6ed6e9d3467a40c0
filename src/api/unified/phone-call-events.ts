import type { FastifyRequest } from 'fastify';
import type { EventName } from '../../calls/event.ts';
import { isSingle, parseNumberPattern } from '../../calls/number-pattern.ts';
import type { Rule } from '../../rules/rule.ts';
import type { Principal } from '../access/scope.ts';
import type { RuleDesk } from '../rules/rule-desk.ts';
import { makeCollection, readListQuery } from './list-query.ts';
import { type PhoneCallEvent, readChange, readNew, readType, writeMethod, writeType } from './phone-call-event.ts';
import { UnifiedError } from './unified-error.ts';

interface Path {
  readonly user: string;
  readonly extension: string;
  readonly type?: string;
  readonly id?: string;
}

type Body = Readonly<Record<string, unknown>>;

const USERS = ['@me', '@viewer', '@owner'];

/** One event of a rule, as the UnifiedAPI knows it. */
interface Entry {
  readonly rule: Rule;
  readonly event: EventName;
}

/** The four operations of VoipNow's `PhoneCallEvents`. Each throws UnifiedError. */
export class PhoneCallEvents {
  readonly #desk: RuleDesk;

  constructor(desk: RuleDesk) {
    this.#desk = desk;
  }

  create(request: FastifyRequest): PhoneCallEvent {
    const { principal, path, extension } = this.#read(request);
    checkWrite(principal);
    const body = readBody(request);
    const event = readType(path.type ?? body['type'], 'pcet_type_invalid');
    if (body['type'] !== undefined && readType(body['type'], 'pcet_type_invalid') !== event) {
      throw new UnifiedError('pcet_type_invalid', 'The type of the body is not that of the address.');
    }
    const { rule } = this.#desk.create(principal, readNew(extension, event, body));
    return this.#show({ rule, event }, request);
  }

  update(request: FastifyRequest): PhoneCallEvent {
    const { principal, path, extension } = this.#read(request);
    checkWrite(principal);
    const event = readType(path.type, 'pce_type_invalid');
    const body = readBody(request);
    if (body['type'] !== undefined && readType(body['type'], 'pce_type_invalid') !== event) {
      throw new UnifiedError('pce_type_invalid', 'The type of a phone call event cannot be changed.');
    }
    const entry = this.#findOne(principal, extension, event, path.id!);
    checkOwn(entry, extension);
    const change = readChange(body);
    const { rule } = this.#desk.change(principal, entry.rule.id, (known) => ({ ...known, ...change }));
    return this.#show({ rule, event }, request);
  }

  list(request: FastifyRequest): object {
    const { principal, path, extension } = this.#read(request);
    const found = this.#find(principal, extension, path);
    const shown = found.map((entry) => this.#show(entry, request));
    return makeCollection(shown, readListQuery(request.query as Record<string, unknown>), (startIndex) =>
      addressOfPage(request, startIndex),
    );
  }

  /** Without an id all of them, but for those that can't be changed here. */
  remove(request: FastifyRequest): object {
    const { principal, path, extension } = this.#read(request);
    checkWrite(principal);
    const found = this.#find(principal, extension, path);
    if (path.id !== undefined) checkOwn(found[0]!, extension);
    const own = found.filter((entry) => isOwn(entry, extension));
    this.#desk.remove(
      principal,
      own.map(({ rule }) => rule.id),
    );
    return own.map(({ rule }) => ({ id: rule.id }));
  }

  #read(request: FastifyRequest): { readonly principal: Principal; readonly path: Path; readonly extension: string } {
    const path = request.params as Path;
    const principal = request.principal!;
    if (!USERS.includes(path.user) && path.user !== principal.name) throw new UnifiedError('user_invalid');
    return { principal, path, extension: this.#readExtension(principal, path.extension) };
  }

  /** By its extended number, or the short one where that tells it. */
  #readExtension({ scope }: Principal, text: string): string {
    const { directory } = this.#desk;
    const full = scope.tenant ? `${scope.tenant}*${text}` : text;
    const extension = isSingle(text) ? (directory.known(text) ?? directory.find(full, [])) : undefined;
    if (!extension) throw new UnifiedError('extension_invalid');
    if (!scope.sees(extension.number)) throw new UnifiedError('access_denied');
    return extension.number;
  }

  #find(principal: Principal, extension: string, { type, id }: Path): Entry[] {
    const event = type === undefined ? undefined : readType(type, 'pce_type_invalid');
    if (event !== undefined && id !== undefined) return [this.#findOne(principal, extension, event, id)];
    return this.#entriesOf(principal, extension).filter((entry) => event === undefined || entry.event === event);
  }

  #findOne(principal: Principal, extension: string, event: EventName, id: string): Entry {
    const found = this.#entriesOf(principal, extension).find((entry) => entry.rule.id === id && entry.event === event);
    if (!found) throw new UnifiedError('pce_id_invalid');
    return found;
  }

  #entriesOf(principal: Principal, extension: string): Entry[] {
    return this.#desk
      .list(principal)
      .filter(({ extensions }) => extensions.some((pattern) => parseNumberPattern(pattern)(extension)))
      .flatMap((rule) => rule.events.map((event) => ({ rule, event })));
  }

  #show({ rule, event }: Entry, request: FastifyRequest): PhoneCallEvent {
    const { user, extension } = request.params as Path;
    const own = this.#desk.own(rule);
    const type = writeType(event);
    const path = `/uapi/extensions/${encodePart(user)}/${encodePart(extension)}/phoneCallEvents/${type}/${rule.id}`;
    return {
      type,
      id: rule.id,
      method: writeMethod(rule.method),
      note: rule.note,
      url: this.#desk.place(rule)?.isUrlHidden ? rule.url.replace(/\?.*$/s, '') : rule.url,
      status: rule.enabled ? '1' : '0',
      ...(own && { modified: formatDate(own.modified) }),
      links: { self: `${request.protocol}://${request.host}${path}` },
      ...(!isOwn({ rule, event }, rule.extensions[0]!) && { readOnly: '1' }),
    };
  }
}

/** Made for one event of one extension, as by the UnifiedAPI itself. */
const isOwn = ({ rule }: Entry, extension: string): boolean =>
  rule.source === 'api' &&
  rule.events.length === 1 &&
  rule.extensions.length === 1 &&
  rule.extensions[0] === extension &&
  isSingle(extension);

function checkOwn(entry: Entry, extension: string): void {
  if (isOwn(entry, extension)) return;
  const where =
    entry.rule.source === 'file' ? 'stands in the configuration file' : 'is for more than this extension and type';
  throw new UnifiedError('pce_id_invalid', `The phone call event ${where}, and cannot be changed here.`);
}

function checkWrite({ canWrite }: Principal): void {
  if (!canWrite) throw new UnifiedError('access_denied');
}

function readBody({ body }: FastifyRequest): Body {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new UnifiedError('request_invalid');
  return body as Body;
}

/** `@` and `*` stand in paths as they are. */
const encodePart = (part: string): string => encodeURIComponent(part).replaceAll('%40', '@');

/** `2012-07-10T18:16:12+03:00`, always in UTC. */
const formatDate = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}+00:00`;

function addressOfPage({ protocol, host, url }: FastifyRequest, startIndex: number): string {
  const [, path, query] = /^([^?]*)\??(.*)$/s.exec(url)!;
  const parameters = new URLSearchParams(query);
  parameters.delete('accessRequestToken');
  parameters.set('startIndex', String(startIndex));
  return `${protocol}://${host}${path}?${parameters.toString()}`;
}
